#!/usr/bin/env python3
"""Runs ONNX's backend cases through dlrun and keeps the report, whose last line counts them.

Usage: run.py DLRUN REPORT FOLDER...
"""
import subprocess
import sys


def main():
    dlrun, report, folders = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(report, "w", encoding="utf-8") as out:
        status = subprocess.run([dlrun, "--onnx-test", *folders], stdout=out, check=False).returncode
    with open(report, encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith(("PASS", "UNSUPPORTED")):
                print(line, end="")
    return status


if __name__ == "__main__":
    sys.exit(main())
