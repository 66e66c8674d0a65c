#!/usr/bin/env python3
"""Give truncated and changed copies of a model to a tool, and see that it never ends but with status 0 or 1,
nor with a sanitizer's report.

    mutate_onnx.py [--runs N] [--seed S] TOOL MODEL.onnx SCRATCH.onnx

SCRATCH.onnx is where the copies are written; after a failure it is the one that shows it.
"""
import argparse
import pathlib
import random
import re
import subprocess
import sys

# What sanitizers write; they may end with status 1.
SANITIZERS = re.compile(rb"Sanitizer|runtime error:")


def truncate(rng, data):
    return data[:rng.randrange(len(data))]


def flip_bits(rng, data):
    for _ in range(rng.randint(1, 4)):
        # The structure is denser at the beginning and the end than in the weights.
        at = rng.choice((rng.randrange(len(data)), rng.randrange(min(len(data), 400)),
                         len(data) - 1 - rng.randrange(min(len(data), 400))))
        data[at] ^= 1 << rng.randrange(8)
    return data


def set_bytes(rng, data):
    for _ in range(rng.randint(1, 4)):
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7f, 0x80, 0xff, rng.randrange(256)))
    return data


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("tool")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("scratch", type=pathlib.Path)
    args = parser.parse_args()
    original, rng = args.model.read_bytes(), random.Random(args.seed)
    for run in range(args.runs):
        args.scratch.write_bytes(rng.choice((truncate, flip_bits, set_bytes))(rng, bytearray(original)))
        process = subprocess.run([args.tool, str(args.scratch)], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, timeout=60, check=False)
        if process.returncode not in (0, 1) or SANITIZERS.search(process.stderr):
            sys.stderr.buffer.write(process.stderr)
            sys.exit(f"run {run}: {args.tool} {args.scratch} ended with status {process.returncode}")


if __name__ == "__main__":
    main()
