#!/usr/bin/env python3
"""Runs ONNX's backend cases through dlrun and keeps the report, whose last line counts them. Fails when dlrun does, when
a case does not pass that must (cases.py says which), and when a case is passed over for another reason than an operator,
an element type or a kind of type.

Usage: run.py DLRUN REPORT FOLDER...
"""
import collections
import re
import subprocess
import sys

import cases

REASONS = {
    "operators": re.compile(r"operator (\S+) of domain"),
    "element types": re.compile(r"(?:element type|data of type|the type) (?:vector<\w+x)?(\w+)"),
    "kinds of types": re.compile(r"is an? (sequence|optional value|map|sparse tensor)"),
}


def read_report(path):
    """Verdict and reason of each case by its name."""
    results = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            match = re.match(r"(PASS|FAIL|UNSUPPORTED) (\S+)(?: \((.*)\))?$", line)
            if match:
                results[match.group(2)] = match.group(1), match.group(3)
    return results


def classify(reason):
    for kind, pattern in REASONS.items():
        match = pattern.search(reason)
        if match:
            return kind, match.group(1)
    return None, reason


def print_skipped(results):
    """Prints what the skipped cases were skipped for; returns the number of those without a good reason."""
    counts = {kind: collections.Counter() for kind in REASONS}
    wrong = 0
    for name, (verdict, reason) in results.items():
        if verdict != "UNSUPPORTED":
            continue
        kind, what = classify(reason)
        if kind:
            counts[kind][what] += 1
        else:
            wrong += 1
            print(f"SKIPPED WITHOUT GOOD REASON {name} ({reason})")
    for kind, counter in counts.items():
        listed = ", ".join(f"{what} {count}" for what, count in counter.most_common())
        print(f"skipped for {kind}: {counter.total()}" + (f" ({listed})" if listed else ""))
    return wrong


def main():
    dlrun, report, folders = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(report, "w", encoding="utf-8") as out:
        status = subprocess.run([dlrun, "--onnx-test", *folders], stdout=out, check=False).returncode
    results = read_report(report)
    for name, (verdict, reason) in results.items():
        if verdict == "FAIL":
            print(f"FAIL {name} ({reason})")
    needed = [name for name, folder in cases.find_cases(folders).items() if cases.must_pass(folder)]
    missed = [name for name in needed if results.get(name, ("",))[0] != "PASS"]
    for name in missed:
        print(f"MUST PASS {name} ({results.get(name, ('', 'did not run'))[1]})")
    wrong = print_skipped(results)
    print(f"{len(needed)} cases must pass, {len(missed)} of them do not")
    print(open(report, encoding="utf-8").read().splitlines()[-1])
    return 1 if status or missed or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
