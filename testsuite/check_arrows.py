#!/usr/bin/env python3
"""Fails when an #include goes against ir <- dialects <- passes <- targets <- tools, or when a file of
ir/ names a dialect.

Usage: check_arrows.py SOURCE_DIR
"""
import pathlib
import re
import sys

LAYERS = ["ir", "dialects", "passes", "targets", "tools"]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"/]+)/([^"]+)"')
# Two exceptions: opgen runs before there are dialects, and the runtime is linked into compiled models,
# which hold nothing of the compiler.
STANDALONE = {"tools/opgen": {"ir", "tools"}, "targets/runtime": {"targets"}}
# builtin.module is the top-level op of every text: parser and pass pipelines may name it.
NAMED_IN_IR = {"builtin"}


def dialect_names(root):
    specs = root.glob("dialects/*/*.yaml")
    return {spec.stem for spec in specs} - NAMED_IN_IR


def check_file(root, path, dialects):
    name = path.relative_to(root).as_posix()
    layer = name.split("/")[0]
    allowed = set(LAYERS[: LAYERS.index(layer) + 1])
    for folder, layers in STANDALONE.items():
        if name.startswith(folder + "/"):
            allowed = layers
    op_name = None
    if layer == "ir" and dialects:
        op_name = re.compile(r'"(%s)\.[a-z_]+' % "|".join(sorted(dialects)))
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        include = INCLUDE.match(line)
        if include and include.group(1) in LAYERS and include.group(1) not in allowed:
            yield f"{name}:{number}: {layer}/ must not include {include.group(1)}/"
        code = line.split("//")[0]
        if op_name and op_name.search(code):
            yield f"{name}:{number}: ir/ must not name a dialect's op: {line.strip()}"


def main():
    root = pathlib.Path(sys.argv[1])
    dialects = dialect_names(root)
    errors = []
    for layer in LAYERS:
        for path in sorted((root / layer).rglob("*.[ch]")):
            errors += check_file(root, path, dialects)
    print("\n".join(errors) if errors else "no include goes against the arrows")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
