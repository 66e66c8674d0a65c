#!/usr/bin/env python3
"""Runs a libFuzzer target for some seconds, from a corpus that it keeps and that begins with the testsuite's
files: `run.py PROGRAM binary|text|yaml|pipeline CORPUS SECONDS`. Prints the number of executions; the status
is the target's."""
import pathlib
import re
import subprocess
import sys

TESTSUITE = pathlib.Path(__file__).resolve().parent.parent
ROOT = TESTSUITE.parent


def parts(folder, pattern):
    for path in sorted(folder.rglob(pattern)):
        yield from re.split(rb"^// -----$", path.read_bytes(), flags=re.MULTILINE)


def text_seeds():
    # The first byte chooses how a module is printed.
    for i, part in enumerate(parts(TESTSUITE, "*.dlir")):
        if len(part) < 4000:
            yield b"01234567"[i % 8:i % 8 + 1] + part


def yaml_seeds():
    # The first byte tells dialects from machines.
    for path in sorted((ROOT / "dialects").rglob("*.yaml")) + sorted(TESTSUITE.rglob("*.yaml")):
        yield b"0" + path.read_bytes()
    for path in sorted((ROOT / "targets" / "machines").glob("*.yaml")):
        yield b"1" + path.read_bytes()


def pipeline_seeds():
    for part in parts(TESTSUITE, "*.*"):
        yield from re.findall(rb"--pass-pipeline='([^'\n]+)'", part)


def binary_seeds():
    dlopt = ROOT / "build" / "tools" / "dlopt"
    for part in parts(TESTSUITE, "*.dlir") if dlopt.exists() else []:
        run = subprocess.run([dlopt, "--allow-unregistered-dialect", "--emit-bytecode", "-"], input=part,
                             capture_output=True, check=False)
        if run.returncode == 0 and len(run.stdout) < 20000:
            yield run.stdout + b"\1"


SEEDS = {"binary": binary_seeds, "text": text_seeds, "yaml": yaml_seeds, "pipeline": pipeline_seeds}


def main():
    program, kind, corpus, seconds = sys.argv[1:]
    corpus = pathlib.Path(corpus)
    corpus.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(SEEDS[kind]()):
        (corpus / f"seed-{i}").write_bytes(seed)
    command = [program, f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=4096", "-max_len=20000",
               "-print_final_stats=1", f"-artifact_prefix={corpus}.", str(corpus)]
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    found = re.search(r"number_of_executed_units: (\d+)", run.stderr)
    print(f"{kind}: {found.group(1) if found else 'unknown number of'} executions")
    if run.returncode:
        print(run.stderr[-20000:])
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
