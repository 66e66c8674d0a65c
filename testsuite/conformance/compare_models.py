#!/usr/bin/env python3
"""Compare compiled ONNX models with onnxruntime, outputs and inner values.

    python3 -m venv p && p/bin/pip install onnx onnxruntime numpy
    p/bin/python testsuite/conformance/compare_models.py [--tools build/tools] [--mcpu CPU]
                 [--inputs 3] [--inner K] [--threads 1,4] MODEL.onnx...

Every model is compiled once and run on several seeded inputs; each output must be within 1e-4 of
onnxruntime's, relative to the largest magnitude of that output. Deep models may amplify rounding errors
beyond that; so for a value that differs too much, the difference between onnxruntime with and without its own
optimizations is printed beside, for the reader to judge. With --inner K the last value of every
fused kernel is compared too: the kernels' labels come from a profile, and the model is compiled again
with K of these values at a time as further outputs (dlc --expose). Exit status 1 if anything differs.
"""
import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort

TOLERANCE = 1e-4
DTYPES = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 11: np.float64}


def make_feeds(model, seed, batch):
    """Seeded inputs; symbolic sizes become `batch`."""
    rng = np.random.default_rng(seed)
    constants = {i.name for i in model.graph.initializer}
    feeds = {}
    for value in model.graph.input:
        if value.name in constants:
            continue
        tensor = value.type.tensor_type
        shape = [d.dim_value or batch for d in tensor.shape.dim]
        feeds[value.name] = rng.standard_normal(shape).astype(DTYPES[tensor.elem_type])
    return feeds


def reference(model_bytes, feeds, names, optimized=True):
    options = ort.SessionOptions()
    if not optimized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(model_bytes, options, providers=["CPUExecutionProvider"])
    return dict(zip(names, session.run(names, feeds)))


def with_outputs(model, names):
    """The serialized model with these values as its only outputs."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return copy.SerializeToString()


def file_name(value):
    return re.sub(r"[^A-Za-z0-9._-]", "_", value) + ".npy"


class Compiled:
    """A model compiled into a temporary library."""

    def __init__(self, args, model, folder, expose=()):
        self.args, self.folder = args, folder
        self.library = os.path.join(folder, "model.so")
        command = [os.path.join(args.tools, "dlc"), model, "-o", self.library, "--mcpu", args.mcpu]
        for name in expose:
            command += ["--expose", name]
        subprocess.run(command, check=True)

    def command(self, feeds, *more):
        command = [os.path.join(self.args.tools, "dlrun"), self.library, *more]
        for name, value in feeds.items():
            path = os.path.join(self.folder, "in_" + file_name(name))
            np.save(path, value)
            command += ["--input", f"{name}={path}"]
        return command

    def run(self, feeds, threads):
        subprocess.run(self.command(feeds, "--output-dir", self.folder, "--threads", str(threads)),
                       check=True, stdout=subprocess.DEVNULL)
        return lambda name: np.load(os.path.join(self.folder, file_name(name)))

    def labels(self, feeds):
        text = subprocess.run(self.command(feeds, "--profile", "--json"), check=True, text=True,
                              capture_output=True).stdout
        return [row["layer"] for row in json.loads(text.strip().splitlines()[-1])["layers"]]


def difference(actual, expected):
    """The largest difference relative to the largest magnitude; infinite for unlike shapes or types."""
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        return float("inf")
    if not np.array_equal(np.isfinite(actual), np.isfinite(expected)):
        return float("inf")
    finite = np.isfinite(expected)
    if not finite.any():
        return 0.0
    a, e = actual[finite].astype(np.float64), expected[finite].astype(np.float64)
    scale = np.abs(e).max()
    return float(np.abs(a - e).max() / scale) if scale else float(np.abs(a).max())


def check(what, get, expected, worst, plain):
    """Compares every value of `expected`; returns how many differ too much. `plain` computes the same
    values with onnxruntime's optimizations off."""
    errors = {name: difference(get(name), value) for name, value in expected.items()}
    worst[0] = max([worst[0], *errors.values()])
    large = {name: error for name, error in errors.items() if not error <= TOLERANCE}  # NaN differs
    spread = {name: difference(value, expected[name]) for name, value in plain().items()} if large else {}
    for name, error in large.items():
        print(f"  {what}: '{name}' differs by {error:.1e}, onnxruntime from itself by {spread[name]:.1e}",
              flush=True)
    return len(large)


def last_values(model, labels):
    """The value that each labelled kernel ends with: the output of the last node that its label names."""
    order = {node.name: i for i, node in enumerate(model.graph.node) if node.name}
    found = {}
    for label in labels:
        nodes = [order[word] for word in re.split(r"[\s,+|]+", label) if word in order]
        if nodes:
            node = model.graph.node[max(nodes)]
            found[node.output[0]] = None
    outputs = {value.name for value in model.graph.output}
    return [name for name in found if name not in outputs]


def batched(values, size):
    values = iter(values)
    while part := list(itertools.islice(values, size)):
        yield part


def compare_inner(args, path, model, labels, feeds):
    bad, worst, names = 0, [0.0], last_values(model, labels)
    for part in batched(names, args.inner):
        data = with_outputs(model, part)
        expected = reference(data, feeds, part)
        with tempfile.TemporaryDirectory() as folder:
            get = Compiled(args, path, folder, part).run(feeds, 1)
            bad += check("inner value", get, expected, worst,
                         lambda: reference(data, feeds, part, optimized=False))
    print(f"  {len(names)} inner values, worst {worst[0]:.1e}", flush=True)
    return bad


def compare(args, path):
    model = onnx.load(path)
    names = [value.name for value in model.graph.output]
    bad, worst = 0, [0.0]
    with tempfile.TemporaryDirectory() as folder:
        compiled = Compiled(args, path, folder)
        for seed in range(args.inputs):
            feeds = make_feeds(model, seed, args.batch)
            expected = reference(path, feeds, names)
            for threads in args.threads:
                bad += check(f"input {seed}, {threads} threads", compiled.run(feeds, threads), expected, worst,
                             lambda: reference(path, feeds, names, optimized=False))
        feeds = make_feeds(model, 0, args.batch)
        labels = compiled.labels(feeds) if args.inner else []
    print(f"{'FAIL' if bad else 'ok'} {path}: {args.inputs} inputs, worst {worst[0]:.1e}", flush=True)
    return bad + (compare_inner(args, path, model, labels, feeds) if args.inner else 0)


def main():
    parser = argparse.ArgumentParser(description="Compare compiled ONNX models with onnxruntime.")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--tools", default="build/tools", help="folder of dlc and dlrun")
    parser.add_argument("--mcpu", default="native", help="as for dlc")
    parser.add_argument("--inputs", type=int, default=3, help="how many inputs")
    parser.add_argument("--batch", type=int, default=2, help="what symbolic sizes become")
    parser.add_argument("--inner", type=int, default=0, metavar="K", help="inner values per compile; 0: none")
    parser.add_argument("--threads", default="1", type=lambda s: [int(t) for t in s.split(",")])
    args = parser.parse_args()
    bad = 0
    for path in args.models:
        try:
            bad += compare(args, path)
        except subprocess.CalledProcessError as error:
            print(f"FAIL {path}: {os.path.basename(error.cmd[0])} ended with status {error.returncode}",
                  flush=True)
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
