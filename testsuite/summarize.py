#!/usr/bin/env python3
"""Counts what ctest ran, by the result files in the testsuite folders of one or more builds, and prints
`N passed, N failed, N skipped`. Exits with 1 if anything failed.

lit's tests, the cases of the unit tests and the conformance cases count one each; any other ctest test
counts one, and so does one of those three kinds that left no result file (it crashed).

Usage: summarize.py BUILD/testsuite...
"""
import collections
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

LIT_PASSED = {"PASS", "XFAIL", "FLAKYPASS"}
LIT_SKIPPED = {"UNSUPPORTED", "SKIPPED"}
CONFORMANCE = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


def count_lit(path):
    codes = collections.Counter(test["code"] for test in json.loads(path.read_text())["tests"])
    codes.pop("EXCLUDED", None)
    passed = sum(codes[code] for code in LIT_PASSED)
    skipped = sum(codes[code] for code in LIT_SKIPPED)
    return passed, codes.total() - passed - skipped, skipped


def count_unit(path):
    passed = failed = skipped = 0
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        total, disabled = int(suite.get("tests")), int(suite.get("disabled"))
        wrong = int(suite.get("failures")) + int(suite.get("errors"))
        passed, failed, skipped = passed + total - wrong, failed + wrong, skipped + disabled
    return passed, failed, skipped


def count_conformance(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(int(n) for n in CONFORMANCE.match(lines[-1]).groups())


COUNTERS = {"lit": count_lit, "unit": count_unit, "conformance": count_conformance}


def count_test(folder, case):
    """The counts of one ctest test, from its own result file if it writes one."""
    name = case.get("name")
    ran_well = case.get("status") == "run"
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return 0, 0, 1
    kind = name.split("-")[0]
    results = list(folder.glob(f"{name}.result.*"))
    if kind in COUNTERS and results:
        try:
            passed, failed, skipped = COUNTERS[kind](results[0])
            return passed, failed if ran_well else max(failed, 1), skipped
        except (ValueError, AttributeError, IndexError, ElementTree.ParseError):
            pass
    return (1, 0, 0) if ran_well else (0, 1, 0)


def main():
    passed = failed = skipped = 0
    for folder in map(pathlib.Path, sys.argv[1:]):
        for case in ElementTree.parse(folder / "ctest.result.xml").getroot().iter("testcase"):
            counts = count_test(folder, case)
            passed, failed, skipped = passed + counts[0], failed + counts[1], skipped + counts[2]
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
