#!/usr/bin/env python3
"""Compare loading the binary form of generated modules with loading their text, every op visited and verified.

    testsuite/bench/compare_binary.py [--build build] [--sizes 100000,1000000] [--rounds 5]

CPU time of one thread, start-up apart; the smallest of the rounds. testsuite/bench/load.c is what is measured.
"""
import argparse
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def load(program, path, rounds):
    ops, seconds = subprocess.run([program, path, str(rounds)], check=True, capture_output=True,
                                  text=True).stdout.split()
    return int(ops), float(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--sizes", default="100000,1000000")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    lib, dlopt = os.path.join(args.build, "lib"), os.path.join(args.build, "tools", "dlopt")
    with tempfile.TemporaryDirectory() as folder:
        program, text, binary = (os.path.join(folder, name) for name in ("load", "x.dlir", "x.dlbc"))
        subprocess.run(["cc", "-O2", "-std=gnu17", f"-I{ROOT}", os.path.join(HERE, "load.c"), "-o", program,
                        f"-L{lib}", "-ldlir", f"-Wl,-rpath,{lib}"], check=True)
        print(f"{'module':34} {'text, ms':>9} {'ns/op':>6} {'binary, ms':>11} {'ns/op':>6} {'ratio':>6} {'bytes/op':>14}")
        for kind in ("mixed", "arith"):
            for locations in (False, True):
                for size in map(int, args.sizes.split(",")):
                    generate = [sys.executable, os.path.join(HERE, "generate_ir.py"), "--ops", str(size), "--kind",
                                kind, "-o", text] + ["--locations"] * locations
                    subprocess.run(generate, check=True)
                    subprocess.run([dlopt, "--allow-unregistered-dialect", text, "--emit-bytecode", "-o", binary],
                                   check=True)
                    ops, slow = load(program, text, args.rounds)
                    _, fast = load(program, binary, args.rounds)
                    name = f"{kind}{', locations' * locations}, {ops} ops"
                    bytes_per_op = [os.path.getsize(path) / ops for path in (text, binary)]
                    print(f"{name:34} {slow * 1e3:9.1f} {slow / ops * 1e9:6.0f} {fast * 1e3:11.1f} {fast / ops * 1e9:6.0f}"
                          f" {slow / fast:5.1f}x {bytes_per_op[0]:6.1f} {bytes_per_op[1]:7.1f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
