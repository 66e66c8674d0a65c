#!/usr/bin/env python3
"""Gives a tool's options malformed values and checks that each ends with status 2 and a message that names the option:
no value and an empty one for every option that --help lists, no truth value for switches, and those given.

Usage: malformed.py TOOL ARGUMENT... -- [OPTION VALUE]...
"""
import re
import subprocess
import sys


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def listed_options(tool):
    """(dashes and name, whether it takes a value) of each."""
    for line in run(tool, "--help").stdout.splitlines():
        match = re.match(r"  (--?[a-zA-Z][a-z-]*)(=?)", line)
        if match and match.group(1) not in ("--help", "--version", "-O"):
            yield match.group(1), bool(match.group(2))


def main():
    split = sys.argv.index("--", 2)
    command, given = sys.argv[1:split], sys.argv[split + 1 :]
    attempts = [(given[i], [f"{given[i]}={given[i + 1]}"]) for i in range(0, len(given), 2)]
    for name, takes_value in listed_options(command[0]):
        if takes_value:
            attempts.append((name, [name]))
        if name != "--pass-pipeline":  # whose text is parsed like any other
            attempts.append((name, [name + ("=" if takes_value else "=maybe")]))
    wrong = 0
    for name, arguments in attempts:
        result = run(*command, *arguments)
        if result.returncode != 2 or name not in result.stderr:
            wrong += 1
            print("WRONG", *arguments, result.returncode, result.stderr)
    print(f"{len(attempts)} attempts, {wrong} wrong")


if __name__ == "__main__":
    main()
