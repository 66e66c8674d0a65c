#!/usr/bin/env python3
"""Compare dlopt with mlir-opt on generated modules: time net of start-up, and peak memory.

    testsuite/bench/compare_mlir.py [--tools build/tools] [--mlir-opt mlir-opt-22] [--rounds 5] [--sizes 100000,1000000]

The tools run in turn, one thread each, on the same files (generate_ir.py writes them); a run's time is the CPU time
of the process, its memory the peak resident set. Printed are the medians over the rounds; start-up is the median
on an empty module and is subtracted from every time. For CSE and canonicalization both tools must leave the same
number of ops of every kind.
"""
import argparse
import collections
import os
import re
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# The name without its dialect, which mlir-opt leaves out inside functions and modules.
OP = re.compile(r'^\s*(?:%[^=]* = )?"?(?:[a-z_]+\.)?([a-z][A-Za-z0-9_]*)"?[ (]')
Usage = collections.namedtuple("Usage", "seconds megabytes")
TASKS = [("round trip", "mixed", False, []), ("round trip, locations", "mixed", True, ["-mlir-print-debuginfo"]),
         ("round trip", "arith", False, []), ("round trip, locations", "arith", True, ["-mlir-print-debuginfo"]),
         ("CSE", "arith", False, ["--pass-pipeline=builtin.module(cse)"]),
         ("canonicalize", "arith", False, ["--pass-pipeline=builtin.module(canonicalize)"])]


def run(command):
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    message = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit status {process.returncode}\n{message[:2000]}")
    return Usage(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def medians(usages):
    return Usage(statistics.median(u.seconds for u in usages), statistics.median(u.megabytes for u in usages))


def measure(commands, rounds):
    """The medians of the commands' usages; the commands take turns, so that drift hits all alike."""
    usages = [[run(command) for command in commands] for _ in range(rounds)]
    return [medians(column) for column in zip(*usages)]


def count_ops(path):
    counts = collections.Counter()
    with open(path, encoding="utf-8") as file:
        for line in file:
            match = OP.match(line)
            if match:
                counts[match[1]] += 1
    return counts


def difference(left, right):
    """What the tools left differently, or None."""
    kinds = [kind for kind in sorted(left | right) if left[kind] != right[kind]]
    return ", ".join(f"{kind}: {left[kind]} and {right[kind]}" for kind in kinds[:8]) or None


def generate(folder, kind, locations, size):
    path = os.path.join(folder, f"{kind}{'-loc' if locations else ''}-{size}.mlir")
    if not os.path.exists(path):
        command = [sys.executable, os.path.join(HERE, "generate_ir.py"), "--kind", kind, "--ops", str(size), "-o", path]
        subprocess.run(command + (["--locations"] if locations else []), check=True)
    return path


class Comparison:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.tools = [[os.path.join(args.tools, "dlopt"), "--allow-unregistered-dialect", "--mlir-disable-threading"],
                      [args.mlir_opt, "--allow-unregistered-dialect", "--mlir-disable-threading"]]
        self.outputs = [os.path.join(folder, f"out{i}.mlir") for i in range(2)]
        empty = os.path.join(folder, "empty.mlir")
        with open(empty, "w", encoding="utf-8"):
            pass
        self.start = measure(self.commands(empty, []), max(args.rounds, 9))
        self.net = {}

    def commands(self, path, flags):
        return [tool + flags + [path, "-o", output] for tool, output in zip(self.tools, self.outputs)]

    def title(self):
        print(f"start-up: dlopt {1e3 * self.start[0].seconds:.1f} ms, {self.start[0].megabytes:.0f} MB; "
              f"mlir-opt {1e3 * self.start[1].seconds:.1f} ms, {self.start[1].megabytes:.0f} MB\n")
        print(f"{'':22} {'module':6} {'ops':>8} {'dlopt s':>8} {'mlir s':>8} {'ratio':>6} "
              f"{'dlopt MB':>9} {'mlir MB':>8} {'ratio':>6}  ops left")

    def row(self, name, kind, locations, flags, size):
        path = generate(self.folder, kind, locations, size)
        ours, theirs = measure(self.commands(path, flags), self.args.rounds)
        times = [u.seconds - s.seconds for u, s in zip((ours, theirs), self.start)]
        left = [count_ops(path) for path in self.outputs]
        self.net[name, kind, size] = times[0]
        wrong = difference(*left)
        print(f"{name:22} {kind:6} {size:8} {times[0]:8.3f} {times[1]:8.3f} {times[0] / times[1]:6.3f} "
              f"{ours.megabytes:9.0f} {theirs.megabytes:8.0f} {ours.megabytes / theirs.megabytes:6.3f}  "
              f"{wrong or sum(left[0].values())}", flush=True)
        return wrong is None

    def growth(self):
        sizes = self.args.sizes
        if sizes[-1] == sizes[0]:
            return
        for name, kind in dict.fromkeys(key[:2] for key in self.net):
            small, large = self.net[name, kind, sizes[0]], self.net[name, kind, sizes[-1]]
            print(f"{name}, {kind}: {sizes[-1] // sizes[0]} times the ops take {large / small:.1f} times the time")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", default="build/tools")
    parser.add_argument("--mlir-opt", default="mlir-opt-22")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default=[100000, 1000000], type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--folder", help="keep the generated modules there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        comparison = Comparison(args, args.folder or temporary)
        comparison.title()
        equal = [comparison.row(*task, size) for task in TASKS for size in args.sizes]
        print()
        comparison.growth()
    return 0 if all(equal) else 1


if __name__ == "__main__":
    sys.exit(main())
