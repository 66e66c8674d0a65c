#!/usr/bin/env python3
"""Lists the error messages of the readers of text and specs and of the verifier that no test expects:
`check_messages.py ROOT`. A message counts as expected where its fixed parts stand in one line of a file of the
testsuite, in their order. The status is 1 if any is missing."""
import pathlib
import re
import sys

SOURCES = ("ir/text_*.c", "ir/verify*.c", "ir/spec*.c")
TESTS = {".dlir", ".test", ".txt", ".c", ".py"}
CALL = re.compile(r"\b(?:\w*error|\w*fail|bad\w*|dl_note|cannot_\w+|malformed)\s*\(")
STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s*PRI\w+)?\s*')
CONVERSION = re.compile(r"%[-.*0-9]*(?:l|ll|z|h)?[a-zA-Z%]")
SHORTEST = 5  # fixed parts of fewer characters say nothing

# What no test can bring about, and why.
UNREACHED = {
    "cannot read the file: %s": "needs a failing disk",
    "cannot map '%s': %s": "needs a failing mmap",
    "operand #%u is not set": "only ops that C code made have such operands; unit/ir/verify.c",
}


def call_text(source, start):
    """The arguments of the call whose parenthesis is at `start`."""
    depth = 0
    in_string = False
    at = start
    while at < len(source):
        char = source[at]
        if in_string:
            at += char == "\\"
            in_string = char != '"'
        elif char == '"':
            in_string = True
        elif char in "()":
            depth += 1 if char == "(" else -1
            if depth == 0:
                return source[start:at]
        at += 1
    return source[start:]


def messages(source):
    for call in CALL.finditer(source):
        arguments = call_text(source, call.end() - 1)
        first = re.search(r'"(?:[^"\\]|\\.)*"(?:\s*(?:PRI\w+\s*)?"(?:[^"\\]|\\.)*")*', arguments)
        if not first or arguments.count("{"):
            continue
        text = "".join(STRINGS.findall(first.group(0))).replace('\\"', '"').replace("\\\\", "\\")
        if len(text) >= SHORTEST and " " in text:
            yield source.count("\n", 0, call.start()) + 1, text


def main():
    root = pathlib.Path(sys.argv[1])
    tests = "\n".join(path.read_text(errors="replace") for path in sorted((root / "testsuite").rglob("*"))
                      if path.suffix in TESTS and path != pathlib.Path(__file__).resolve())
    total, missing = 0, []
    for pattern in SOURCES:
        for path in sorted(root.glob(pattern)):
            for line, text in messages(path.read_text()):
                parts = [part for part in CONVERSION.split(text) if len(part.strip()) >= SHORTEST]
                total += 1
                expected = text in UNREACHED or re.search(".*?".join(map(re.escape, parts)), tests)
                if not expected:
                    missing.append(f"{path.relative_to(root)}:{line}: {text}")
    print("\n".join(missing + [f"{total} messages, {len(missing)} without a test"]))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
