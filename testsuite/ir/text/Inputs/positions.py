#!/usr/bin/env python3
"""Checks diagnostics at exact places: `positions.py CASES COMMAND...`. A case in CASES is a line of text with ¦
before the place of each error, then a line `=> message` for each, in the order in which they are reported;
a message ending in `…` only begins so. A ⏎ in the text stands for a new line; a line that begins with ## is a comment. COMMAND reads the cases from
standard input, as parts of a split input file."""
import pathlib
import re
import subprocess
import sys

SPLIT = "\n// -----\n"


def read_cases(path):
    cases = []
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith("=> "):
            cases[-1][1].append(line[3:])
        elif line and not line.startswith("## "):
            cases.append((line.replace("⏎", "\n"), []))
    return cases


def marked_places(text, first_line):
    places = []
    for number, line in enumerate(text.split("\n")):
        for i, piece in enumerate(line.split("¦")[:-1]):
            before = line.split("¦")[:i + 1]
            places.append((first_line + number, len("".join(before).encode()) + 1))
    return places


def main():
    cases = read_cases(sys.argv[1])
    text, line, expected = "", 1, []
    for source, messages in cases:
        expected.append((source, line, marked_places(source, line), messages))
        piece = source.replace("¦", "").removesuffix("\n") + SPLIT
        text += piece
        line += piece.count("\n")
    run = subprocess.run(sys.argv[2:], input=text.encode(), capture_output=True, check=False)
    found = re.findall(r"^<stdin>:(\d+):(\d+): error: (.*)$", run.stderr.decode(errors="replace"), re.MULTILINE)
    wrong = 0
    for source, line, places, messages in expected:
        end = line + source.count("\n")
        here = [(int(l), int(c), m) for l, c, m in found if line <= int(l) <= end]
        fits = len(here) == len(messages) and all(
            (m == want or (want.endswith("…") and m.startswith(want[:-1])))
            for (_, _, m), want in zip(here, messages)) and {(l, c) for l, c, _ in here} == set(places)
        if fits:
            continue
        wrong += 1
        print(f"{source}\n  expected {places} {messages}\n  found    {here}")
    print(f"{len(cases)} cases, {wrong} wrong")
    return 1 if wrong or run.returncode != 1 else 0


if __name__ == "__main__":
    sys.exit(main())
