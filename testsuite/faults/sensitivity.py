#!/usr/bin/env python3
"""How small a fault --check-each-pass still sees: one channel of one convolution, multiplied by 1.001.

    python3 testsuite/faults/sensitivity.py --build DIR MODEL.onnx [--convolutions N,…]

Compiles scale_channel.c as a plugin and runs its pass on the model, for each of the convolutions (by default four
spread over the model); the check must name it. Exit status 1 if it does not.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def run(command):
    return subprocess.run(command, text=True, capture_output=True)


def compile_plugin(build, folder):
    plugin = os.path.join(folder, "scale_channel.so")
    done = run([os.environ.get("CC", "cc"), "-std=gnu17", "-shared", "-fPIC", f"-I{ROOT}", f"-I{build}",
                os.path.join(HERE, "scale_channel.c"), "-o", plugin, f"-L{build}/lib", "-ldlir"])
    if done.returncode:
        sys.exit(done.stderr)
    return plugin


def check(build, plugin, model, convolution):
    passes = f"builtin.module(func.func(test-scale-channel{{conv={convolution} channel={7 * convolution + 3}}}))"
    return run([os.path.join(build, "tools/dlopt"), model, f"--load-plugin={plugin}", "--check-each-pass",
                f"--pass-pipeline={passes}", "-o", "/dev/null"])


def spread_over(build, model):
    text = run([os.path.join(build, "tools/dlopt"), model, "--mlir-elide-elementsattrs-if-larger=4"]).stdout
    count = len(re.findall(r"graph\.conv2d\(", text))
    return sorted({i * (count - 1) // 3 for i in range(4)}) if count else []


def main():
    parser = argparse.ArgumentParser(description="See how small a fault the check finds.")
    parser.add_argument("model")
    parser.add_argument("--build", required=True, help="build folder")
    parser.add_argument("--convolutions", help="their numbers, from 0")
    args = parser.parse_args()
    build = os.path.abspath(args.build)
    chosen = args.convolutions and [int(number) for number in args.convolutions.split(",")]
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        plugin = compile_plugin(build, folder)
        for convolution in chosen or spread_over(build, args.model):
            done = check(build, plugin, args.model, convolution)
            found = re.search(r"changes what the program computes: (.*?)(?:;|$)", done.stderr, re.M)
            missed += not found
            print(f"convolution {convolution}: {found[1] if found else 'MISSED'}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
