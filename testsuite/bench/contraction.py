#!/usr/bin/env python3
"""How close kernels of hand-written tensor-level programs come to the roof: contraction.py [--threads N] [FILE.dlir …]

Prints the share of the multiply-adds per second that dlrun --profile measures, the best of some runs. Without files: contraction5d.dlir, whose
schedule the compiler chooses.
"""
import argparse
import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent


def profile(dlrun, path, threads, seconds):
    command = [dlrun, path, "--profile", "--json", "--quiet", "--threads", str(threads), "--seconds", str(seconds)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    answer = json.loads(output.splitlines()[-1])
    return [dict(layer, part=layer.get("gflops", 0) / answer["roof_gflops"]) for layer in answer["layers"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path, default=[HERE / "contraction5d.dlir"])
    parser.add_argument("--dlrun", default=HERE.parents[1] / "build/tools/dlrun")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1, help="for each run")
    options = parser.parse_args()
    for path in options.files:
        runs = [profile(options.dlrun, path, options.threads, options.seconds) for _ in range(options.runs)]
        for layers in zip(*runs):
            best = max(layers, key=lambda layer: layer["part"])
            print(f"{path.name} {best['layer']}: {best['ms']:.3f} ms, {best.get('gflops', 0):.1f} GFLOP/s, "
                  f"{best['part']:.1%} of the roof on {options.threads} thread(s)")


main()
