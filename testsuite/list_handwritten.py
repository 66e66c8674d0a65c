#!/usr/bin/env python3
"""Lists dense ops that have hand-written shape or lowering code: ops with a `compute` text that also name a C
function for verification, inference or folding, and ops of the graph level whose name a conversion mentions.
There are to be none.

Usage: list_handwritten.py SOURCE_DIR
"""
import pathlib
import re
import sys

HOOKS = ("verify", "infer", "fold")


def read_ops(path):
    """The keys of each op, by the indentation that the specs keep (2 for ops, 4 for their keys)."""
    ops, name = {}, None
    for line in path.read_text(encoding="utf-8").splitlines():
        op = re.match(r"  (\w[\w.]*):$", line)
        key = re.match(r"    (\w+):(.*)", line)
        if op:
            name = op.group(1)
            ops[name] = {}
        elif key and name:
            ops[name][key.group(1)] = key.group(2).strip()
    return ops


def main():
    root = pathlib.Path(sys.argv[1])
    found, dense = [], []
    for path in sorted(root.glob("dialects/*/*.yaml")):
        for name, op in read_ops(path).items():
            if "compute" not in op:
                continue
            dense.append(f"{path.stem}.{name}")
            found += [f"{path.name}: {name}: {hook}: {op[hook]}" for hook in HOOKS if hook in op]
    symbols = {name.replace(".", "_"): name for name in dense}
    for path in sorted(root.glob("passes/convert/graph_*.c")):
        words = set(re.findall(r"[A-Za-z_0-9.]+", path.read_text(encoding="utf-8")))
        found += [f"{path.name}: {name}" for symbol, name in symbols.items() if {symbol, name} & words]
    print("\n".join(found) if found else f"none of {len(dense)} dense ops")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
