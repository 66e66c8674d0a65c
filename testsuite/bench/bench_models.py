#!/usr/bin/env python3
"""Time compiled ONNX models, and onnxruntime beside them if it is installed.

    testsuite/bench/bench_models.py [--tools build/tools] [--seconds 5] [--rounds 3] [--threads 1] MODEL.onnx...

In every round each engine gets the same seconds and the same inputs, one after the other, so that a machine
whose speed drifts does not decide. Printed are the median latencies over the rounds and the median of the
rounds' ratios.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnx

try:
    import onnxruntime as ort
except ImportError:
    ort = None

DTYPES = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 11: np.float64}


def make_feeds(path):
    """Seeded inputs; symbolic sizes become 1."""
    graph = onnx.load(path, load_external_data=False).graph
    constants, rng, feeds = {i.name for i in graph.initializer}, np.random.default_rng(0), {}
    for value in graph.input:
        if value.name not in constants:
            shape = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
            feeds[value.name] = rng.standard_normal(shape).astype(DTYPES[value.type.tensor_type.elem_type])
    return feeds


def ours(args, path, feeds, folder):
    """A function that measures for some seconds and returns the median in milliseconds."""
    library = os.path.join(folder, "model.so")
    subprocess.run([os.path.join(args.tools, "dlc"), path, "-o", library], check=True)
    command = [os.path.join(args.tools, "dlrun"), library, "--bench", "--json", "--seconds", str(args.seconds),
               "--threads", str(args.threads)]
    for name, value in feeds.items():
        file = os.path.join(folder, re.sub(r"[^A-Za-z0-9._-]", "_", name) + ".npy")
        np.save(file, value)
        command += ["--input", f"{name}={file}"]

    def measure():
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return json.loads(text.strip().splitlines()[-1])["median_ms"]

    return measure


def onnxruntime(args, path, feeds):
    options = ort.SessionOptions()
    options.intra_op_num_threads = args.threads
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def measure():
        end, times = time.perf_counter() + args.seconds, []
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            session.run(None, feeds)
            times.append(1e3 * (time.perf_counter() - start))
        return statistics.median(times)

    return measure


def bench(args, path):
    feeds = make_feeds(path)
    with tempfile.TemporaryDirectory() as folder:
        engines = [ours(args, path, feeds, folder)] + ([onnxruntime(args, path, feeds)] if ort else [])
        rounds = [[measure() for measure in engines] for _ in range(args.rounds)]
    line = f"{os.path.basename(path):24} {statistics.median(r[0] for r in rounds):9.3f} ms"
    if ort:
        line += f"   onnxruntime {statistics.median(r[1] for r in rounds):9.3f} ms"
        line += f"   {statistics.median(r[1] / r[0] for r in rounds):5.2f} x"
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description="Time compiled ONNX models.")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--tools", default="build/tools", help="folder of dlc and dlrun")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    for path in args.models:
        bench(args, path)


if __name__ == "__main__":
    main()
