#!/usr/bin/env python3
"""Send models through the textual form at every level.

    python3 testsuite/conformance/roundtrip_models.py [--tools build/tools] MODEL.onnx...

What `dlc --emit=graph|tensor|loop` writes must
  - parse, verify and print again as the same bytes, the side file of weights too;
  - be accepted by mlir-opt in its generic form, and what mlir-opt prints must come through dlopt the same
    (ops and attributes that we add to MLIR's tensor dialect are renamed for that);
  - compile to a library whose outputs are bitwise those of the library compiled from the model.
Compiling twice must give the same library byte for byte, and one and two threads the same outputs.
Exit status 1 if anything fails. No Python packages are needed.
"""
import argparse
import filecmp
import os
import re
import shutil
import subprocess
import sys
import tempfile

LEVELS = ("graph", "tensor", "loop")
# What MLIR's tensor dialect does not have, or only with another parent.
OUR_OPS = "compute|constant|group|iterator|reinterpret|weight|yield"
OUR_ATTRS = "kernel|schedule"


class Failure(Exception):
    pass


def run(*command):
    done = subprocess.run(command, text=True, capture_output=True)
    if done.returncode:
        shown = "\n".join(line[:300] for line in done.stderr.splitlines()[:8])
        raise Failure(f"{os.path.basename(command[0])} ended with status {done.returncode}:\n{shown}")


def rewrite(path, change):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(change(text))


def hide_tensor(text):
    text = re.sub(rf'"tensor\.({OUR_OPS})"', r'"dlir_tensor.\1"', text)
    return re.sub(rf"\btensor\.({OUR_ATTRS})\b(?!\")", r"dlir_tensor.\1", text)


def show_tensor(text):
    return text.replace("dlir_tensor.", "tensor.")


def same_file(what, first, second):
    if not filecmp.cmp(first, second, shallow=False):
        raise Failure(f"{what}: {first} and {second} differ")


class Model:
    def __init__(self, args, path, folder):
        self.args, self.path, self.folder = args, path, folder

    def tool(self, name):
        return os.path.join(self.args.tools, name)

    def file(self, *parts):
        path = os.path.join(self.folder, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def compile(self, source, folder):
        library = self.file(folder, "model.so")
        run(self.tool("dlc"), source, "-o", library, "--mcpu", self.args.mcpu)
        return library

    def outputs(self, library, threads=1):
        folder = f"{library}.{threads}"
        run(self.tool("dlrun"), library, "--output-dir", folder, "--threads", str(threads), "--quiet")
        return folder

    def same_outputs(self, what, first, second):
        names = sorted(os.listdir(first))
        if names != sorted(os.listdir(second)) or not names:
            raise Failure(f"{what}: other outputs")
        for name in names:
            same_file(what, os.path.join(first, name), os.path.join(second, name))

    def check_text(self, level, text):
        again = self.file(level, "again", "model.dlir")
        run(self.tool("dlopt"), text, "--mlir-print-debuginfo", "-o", again)
        same_file("printed again", text, again)
        weights = text.replace(".dlir", ".dlw")
        if os.path.exists(weights):
            same_file("weights written again", weights, again.replace(".dlir", ".dlw"))

    def generic(self, level, text, name):
        """The text in the generic form, as mlir-opt prints it."""
        ours, theirs = self.file(level, name, "model.dlir"), self.file(level, name, "model.mlir")
        run(self.tool("dlopt"), text, "--mlir-print-op-generic", "-o", ours)
        rewrite(ours, hide_tensor)
        run(self.args.mlir_opt, ours, "--allow-unregistered-dialect", "--mlir-print-op-generic", "-o", theirs)
        return theirs

    def check_mlir(self, level, text):
        theirs = self.generic(level, text, "there")
        back = self.file(level, "there", "back.dlir")
        shutil.copyfile(theirs, back)
        rewrite(back, show_tensor)
        same_file("through mlir-opt and back", theirs, self.generic(level, back, "again"))

    def check(self):
        library = self.compile(self.path, "first")
        expected = self.outputs(library)
        same_file("compiled twice", library, self.compile(self.path, "second"))
        self.same_outputs("two threads", expected, self.outputs(library, 2))
        for level in LEVELS:
            text = self.file(level, "model.dlir")
            try:
                run(self.tool("dlc"), self.path, f"--emit={level}", "-o", text, "--mcpu", self.args.mcpu)
                self.check_text(level, text)
                if self.args.mlir_opt:
                    self.check_mlir(level, text)
                self.same_outputs("compiled from the text", expected, self.outputs(self.compile(text, level)))
            except Failure as failure:
                raise Failure(f"{level}: {failure}") from failure
            shutil.rmtree(os.path.join(self.folder, level))


def main():
    parser = argparse.ArgumentParser(description="Send models through the textual form at every level.")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--tools", default="build/tools", help="folder of dlc, dlopt and dlrun")
    parser.add_argument("--mlir-opt", default=shutil.which("mlir-opt-22"), help="empty: without this oracle")
    parser.add_argument("--mcpu", default="native", help="as for dlc")
    args = parser.parse_args()
    failures = 0
    for path in args.models:
        folder = tempfile.mkdtemp(prefix="dlir-roundtrip-")
        try:
            Model(args, path, folder).check()
            print(f"ok {path}", flush=True)
            shutil.rmtree(folder)
        except Failure as failure:
            print(f"FAIL {path}: {failure}", flush=True)
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
