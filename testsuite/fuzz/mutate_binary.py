#!/usr/bin/env python3
"""Gives damaged copies of a binary module to dlopt. With right checksums missing, every copy must be refused
with a message that names file and byte; with checksums repaired, it may be read, but nothing may crash.

    mutate_binary.py [--runs N] [--seed S] DLOPT MODULE.dlbc SCRATCH.dlbc

SCRATCH.dlbc is where the copies are written; after a failure it is the one that shows it.
"""
import argparse
import pathlib
import random
import re
import struct
import subprocess
import sys

HEADER, SECTION, BODY = struct.Struct("<8sHHIQQ4Q"), struct.Struct("<IIQQQ"), struct.Struct("<QQQ")
BODIES, CODE = 6, 7
MULTIPLIER, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1
SANITIZERS = re.compile(rb"Sanitizer|runtime error:")


def fold(a, b):
    product = a * b
    return (product ^ product >> 64) & MASK


def checksum(data):
    """As docs/binary.md describes it."""
    lanes = [1, 2, 3, 4]
    padded = data + bytes(-len(data) % 32)
    for i, (word,) in enumerate(struct.iter_unpack("<Q", padded)):
        lanes[i % 4] = fold(lanes[i % 4] ^ word, MULTIPLIER)
    total = len(data) + 1
    for lane in lanes:
        total = fold(total ^ lane, MULTIPLIER)
    return total


def sections(data):
    count = HEADER.unpack_from(data)[3]
    return [SECTION.unpack_from(data, HEADER.size + i * SECTION.size) for i in range(count)]


def repair(data):
    table = {kind: (offset, size) for kind, _, offset, size, _ in sections(data)}
    (bodies, size), (code, _) = table[BODIES], table[CODE]
    for at in range(bodies, bodies + size - BODY.size + 1, BODY.size):
        offset, length, _ = BODY.unpack_from(data, at)
        body = bytes(data[code + offset:code + offset + length]) if length < len(data) else b""
        BODY.pack_into(data, at, offset, length, checksum(body))
    for i, (kind, flags, offset, size, _) in enumerate(sections(data)):
        total = 0 if kind == CODE else checksum(bytes(data[offset:offset + size]))
        SECTION.pack_into(data, HEADER.size + i * SECTION.size, kind, flags, offset, size, total)
    fields = list(HEADER.unpack_from(data))
    fields[4], fields[5] = len(data), 0
    HEADER.pack_into(data, 0, *fields)
    fields[5] = checksum(bytes(data[:HEADER.size + fields[3] * SECTION.size]))
    HEADER.pack_into(data, 0, *fields)
    return data


def truncate(rng, data):
    return data[:rng.randrange(len(data))]


def flip(rng, data, offset, size):
    for _ in range(rng.randint(1, 3)):
        data[offset + rng.randrange(size)] ^= 1 << rng.randrange(8)
    return data


def mutate(rng, original, repaired):
    data = bytearray(original)
    if not repaired and rng.random() < 0.3:
        return truncate(rng, data)
    places = [(offset, size) for _, _, offset, size, _ in sections(data) if size]
    if not repaired:
        places.append((0, HEADER.size + len(sections(data)) * SECTION.size))
    data = flip(rng, data, *rng.choice(places))
    return repair(data) if repaired else data


def problem(run, repaired):
    if SANITIZERS.search(run.stderr):
        return "a sanitizer's report"
    if run.returncode not in (0, 1):
        return f"status {run.returncode}"
    if repaired or run.returncode == 1 and re.search(rb"\.dlbc: error: at byte \d+: ", run.stderr):
        return None
    return "damage that was not noticed"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("dlopt")
    parser.add_argument("module", type=pathlib.Path)
    parser.add_argument("scratch", type=pathlib.Path)
    args = parser.parse_args()
    original = args.module.read_bytes()
    assert repair(bytearray(original)) == original, "the checksums are not what docs/binary.md says"
    for i in range(args.runs):
        rng = random.Random(args.seed * 1000003 + i)
        repaired = i % 2 == 1
        args.scratch.write_bytes(mutate(rng, original, repaired))
        command = [args.dlopt, "--allow-unregistered-dialect", args.scratch]
        run = subprocess.run(command, capture_output=True, timeout=60)
        wrong = problem(run, repaired)
        if wrong:
            print(f"run {i} (seed {args.seed}): {wrong}\n{run.stderr.decode(errors='replace')}")
            return 1
    print(f"{args.runs} damaged copies, none read amiss")
    return 0


if __name__ == "__main__":
    sys.exit(main())
