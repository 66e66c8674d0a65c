#!/usr/bin/env python3
"""Write a seeded module of many ops that both dlopt and mlir-opt read.

    testsuite/bench/generate_ir.py --ops 100000 [--kind mixed|arith] [--locations] [--seed 0] [-o FILE]

mixed: functions of arith ops in their pretty form and of unregistered ops in the generic form, with one to three
operands, attributes of every common kind, nested regions and thousands of distinct types.
arith: functions of integer and float arithmetic in which a share of the ops repeats an earlier one and another
share folds: for CSE and canonicalization.
The same options give the same bytes. Every op counts, terminators and functions too; the total is met exactly but
for what the last function needs to end.
"""
import argparse
import random
import sys

INTS = ["i8", "i16", "i32", "i64", "index"]
FLOATS = ["f16", "f32", "f64"]
SCALARS = ["i1"] + INTS + FLOATS
INT_OPS = ["addi", "subi", "muli", "andi", "ori", "xori", "maxsi", "minui"]
FLOAT_OPS = ["addf", "subf", "mulf", "divf", "maximumf", "minnumf"]
PREDICATES = ["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"]
MAX_DEPTH = 4


def make_types(rng, count):
    """Distinct types, of every builtin family."""
    scalars = INTS + FLOATS
    families = [
        lambda: f"tensor<{rng.randint(1, 512)}x{rng.randint(1, 512)}x{rng.choice(scalars)}>",
        lambda: f"tensor<?x{rng.randint(1, 64)}x{rng.randint(1, 64)}x{rng.choice(FLOATS)}>",
        lambda: f"memref<{rng.randint(1, 512)}x{rng.randint(1, 512)}x{rng.choice(scalars)}>",
        lambda: f"memref<?x{rng.randint(1, 64)}xf32, strided<[{rng.randint(64, 512)}, 1], offset: ?>>",
        lambda: f"vector<{rng.choice([2, 4, 8, 16])}x{rng.randint(1, 64)}x{rng.choice(FLOATS)}>",
        lambda: f"tuple<i{rng.randint(1, 128)}, {rng.choice(scalars)}>",
        lambda: f"!model.value<{rng.randint(0, 9999)}>",
        lambda: f"(i{rng.randint(1, 128)}, f32) -> tensor<{rng.randint(1, 99)}xf32>",
    ]
    types = set()
    while len(types) < count:
        types.add(rng.choice(families)())
    types = sorted(types)
    rng.shuffle(types)
    return types


def results_text(types):
    """What follows `->`: a single type needs no parentheses unless it is a function type."""
    return types[0] if len(types) == 1 and not types[0].startswith("(") else f"({', '.join(types)})"


class Generator:
    def __init__(self, args, out):
        self.args, self.out = args, out
        self.rng = random.Random(args.seed)
        self.types = make_types(self.rng, args.distinct_types)
        self.ops, self.line, self.functions = 0, 0, []

    # --- text ---

    def location(self):
        if not self.args.locations:
            return ""
        self.line += 1
        place = f'"model_{self.line % 7}.py":{self.line}:{self.rng.randint(1, 80)}'
        kind = self.rng.random()
        if kind < 0.8:
            return f" loc({place})"
        if kind < 0.9:
            return f' loc("layer{self.line % 977}.conv"({place}))'
        if kind < 0.95:
            return f' loc(callsite("inlined_{self.line % 97}" at {place}))'
        return f' loc(fused[{place}, "layer{self.line % 977}"])'

    def emit(self, text):
        self.ops += 1
        self.out.write("  " * self.depth + text + self.location() + "\n")

    # --- values in scope ---

    def open_scope(self):
        return len(self.values), self.next

    def close_scope(self, mark):
        length, self.next = mark
        while len(self.values) > length:
            _, kind = self.values.pop()
            self.by_type[kind].pop()

    def define(self, kind, name=None):
        if name is None:
            name, self.next = f"%{self.next}", self.next + 1
        self.values.append((name, kind))
        self.by_type.setdefault(kind, []).append(name)
        return name

    def recent(self):
        """A value, more often a near one."""
        reach = min(len(self.values), 200)
        return self.values[-1 - int(reach * self.rng.random() ** 2)]

    def of_type(self, kind):
        names = self.by_type.get(kind)
        if names:
            return names[-1 - int(min(len(names), 50) * self.rng.random())]
        if kind in SCALARS:
            return self.constant(kind)
        self.emit(f'%{self.next} = "model.make"() : () -> {results_text([kind])}')
        return self.define(kind)

    def constant(self, kind):
        value = self.rng.randint(-100, 100)
        if kind == "i1":
            name, text = f"%b_{self.ops}", self.rng.choice(["true", "false"])
        elif kind in FLOATS:
            name, text = f"%cst_{self.ops}", f"{value / 4:e} : {kind}"
        else:
            name, text = f"%c{value if value >= 0 else f'm{-value}'}_{kind}_{self.ops}", f"{value} : {kind}"
        self.emit(f"{name} = arith.constant {text}")
        return self.define(kind, name)

    # --- ops ---

    def binary(self):
        kind = self.rng.choice(INTS + FLOATS)
        op = self.rng.choice(FLOAT_OPS if kind in FLOATS else INT_OPS)
        left, right = self.of_type(kind), self.of_type(kind)
        name = f"%{self.next}"
        self.emit(f"{name} = arith.{op} {left}, {right} : {kind}")
        self.define(kind)

    def compare(self):
        kind = self.rng.choice(INTS)
        left, right = self.of_type(kind), self.of_type(kind)
        self.emit(f"%{self.next} = arith.cmpi {self.rng.choice(PREDICATES)}, {left}, {right} : {kind}")
        self.define("i1")

    def select(self):
        kind = self.rng.choice(INTS + FLOATS)
        condition, left, right = self.of_type("i1"), self.of_type(kind), self.of_type(kind)
        self.emit(f"%{self.next} = arith.select {condition}, {left}, {right} : {kind}")
        self.define(kind)

    def call(self):
        # What is inside an unregistered op has no symbol table around it that mlir-opt would look in.
        if not self.functions or self.depth > 1:
            return self.binary()
        name, inputs, result = self.rng.choice(self.functions[-50:])
        operands = [self.of_type(kind) for kind in inputs]
        self.emit(f"%{self.next} = func.call @{name}({', '.join(operands)}) : ({', '.join(inputs)}) -> {result}")
        self.define(result)

    def attribute(self):
        rng = self.rng
        kinds = [
            lambda: f"axis = {rng.randint(0, 7)} : i32",
            lambda: f"bits = {rng.randint(0, 1 << 40)}",
            lambda: f"alpha = {rng.random():e} : f32",
            lambda: f'label = "node_{rng.randint(0, 99999)}"',
            lambda: f"strides = array<i64: {rng.randint(1, 4)}, {rng.randint(1, 4)}>",
            lambda: f"pads = [{rng.randint(0, 3)}, {rng.randint(0, 3)}]",
            lambda: f'config = {{mode = "linear", scale = {rng.randint(1, 9)} : i64}}',
            lambda: f"target = @{rng.choice(self.functions)[0]}" if self.functions else "first",
            lambda: f"to = {rng.choice(self.types)}",
            lambda: f"weights = dense<{rng.randint(-9, 9)}> : tensor<{rng.randint(1, 64)}xi32>",
            lambda: f"table = dense<[{rng.randint(0, 9)}, {rng.randint(0, 9)}, {rng.randint(0, 9)}]> : tensor<3xi64>",
            lambda: f"map = affine_map<(d0, d1) -> (d0 + {rng.randint(0, 15)}, d1)>",
            lambda: "keep",
        ]
        return rng.choice(kinds)()

    def attributes(self, count):
        found = {}
        for _ in range(count):
            text = self.attribute()
            found[text.split(" ")[0]] = text
        return f" {{{', '.join(found.values())}}}" if found else ""

    def unregistered(self):
        rng = self.rng
        operands = [self.recent() for _ in range(rng.randint(1, 3))]
        results = [rng.choice(self.types) for _ in range(rng.choice([0, 1, 1, 1, 1, 2]))]
        name = f"model.op{rng.randint(0, 199)}"
        head = f"%{self.next}{f':{len(results)}' if len(results) > 1 else ''} = " if results else ""
        names = ", ".join(name for name, _ in operands)
        kinds = ", ".join(kind for _, kind in operands)
        ends = results_text(results)
        self.emit(f'{head}"{name}"({names}){self.attributes(rng.choice([0, 1, 1, 2, 3]))} : ({kinds}) -> {ends}')
        if len(results) == 1:
            self.define(results[0])
        elif results:
            base, self.next = self.next, self.next + 1
            for i, kind in enumerate(results):
                self.define(kind, f"%{base}#{i}")

    def region(self):
        rng = self.rng
        operand, kind = self.recent()
        result = rng.choice(self.types)
        name, indent = f"%{self.next}", "  " * self.depth
        mark = self.open_scope()
        self.out.write(f'{indent}{name} = "model.loop"({operand}) ({{\n')
        self.next += 1
        argument, index = self.define(kind), self.define("index")
        at = f"{self.location()}"
        self.out.write(f"{indent}^bb0({argument}: {kind}{at}, {index}: index{self.location()}):\n")
        self.depth += 1
        for _ in range(rng.randint(2, 12)):
            self.op()
        value, value_kind = self.recent()
        self.emit(f'"model.yield"({value}) : ({value_kind}) -> ()')
        self.depth -= 1
        self.close_scope(mark)
        self.ops += 1
        self.out.write(f"{indent}}}){self.attributes(1)} : ({kind}) -> {results_text([result])}{self.location()}\n")
        self.define(result)

    def op(self):
        pick = self.rng.random()
        if pick < 0.40:
            self.binary()
        elif pick < 0.46:
            self.compare()
        elif pick < 0.52:
            self.select()
        elif pick < 0.54:
            self.call()
        elif pick < 0.60:
            self.constant(self.rng.choice(INTS + FLOATS))
        elif pick < 0.65 and self.depth < MAX_DEPTH:
            self.region()
        else:
            self.unregistered()

    # --- foldable arithmetic ---

    def integer_constant(self, value, kind):
        """A constant op of its own: merging equal ones is part of the work."""
        name = f"%c_{self.ops}"
        self.emit(f"{name} = arith.constant {value} : {kind}")
        return name

    def identity(self):
        """An op that folds to its operand or to a constant."""
        kind = self.rng.choice(["i32", "i64", "index"])
        x = self.of_type(kind)
        op, value = self.rng.choice([("addi", 0), ("subi", 0), ("muli", 1), ("ori", 0), ("xori", 0), ("andi", -1),
                                     ("muli", 0), ("subi", None), ("xori", None), ("andi", None), ("shli", 0),
                                     ("divui", 1)])
        y = x if value is None else self.integer_constant(value, kind)
        self.emit(f"%{self.next} = arith.{op} {x}, {y} : {kind}")
        self.define(kind)

    def constants_only(self):
        kind = self.rng.choice(["i32", "i64", "index"])
        left = self.integer_constant(self.rng.randint(-50, 50), kind)
        right = self.integer_constant(self.rng.randint(1, 50), kind)
        self.emit(f"%{self.next} = arith.{self.rng.choice(['addi', 'subi', 'muli', 'maxsi'])} {left}, {right} : {kind}")
        self.define(kind)

    def chain(self):
        """(x + c1) + c2, the constant on either side."""
        kind = self.rng.choice(["i32", "i64", "index"])
        x = self.of_type(kind)
        first = self.integer_constant(self.rng.randint(1, 50), kind)
        self.emit(f"%{self.next} = arith.addi {first}, {x} : {kind}")
        inner = self.define(kind)
        second = self.integer_constant(self.rng.randint(1, 50), kind)
        self.emit(f"%{self.next} = arith.addi {inner}, {second} : {kind}")
        self.define(kind)

    def same_comparison(self):
        x = self.of_type("i32")
        self.emit(f"%{self.next} = arith.cmpi {self.rng.choice(PREDICATES)}, {x}, {x} : i32")
        condition = self.define("i1")
        left, right = self.of_type("i64"), self.of_type("i64")
        self.emit(f"%{self.next} = arith.select {condition}, {left}, {right} : i64")
        self.define("i64")

    def duplicate(self):
        """The op and operands of an earlier one."""
        op, left, right, kind = self.rng.choice(self.recipes[-100:])
        self.emit(f"%{self.next} = arith.{op} {left}, {right} : {kind}")
        self.define(kind)

    def fresh(self):
        kind = self.rng.choice(["i32", "i64", "index", "f32", "f64"])
        op = self.rng.choice(["addf", "mulf", "subf"] if kind[0] == "f" else ["addi", "subi", "muli", "xori"])
        left, right = self.of_type(kind), self.of_type(kind)
        self.emit(f"%{self.next} = arith.{op} {left}, {right} : {kind}")
        self.define(kind)
        self.recipes.append((op, left, right, kind))

    def arith_op(self):
        pick = self.rng.random()
        if pick < 0.45 or not self.recipes:
            self.fresh()
        elif pick < 0.70:
            self.duplicate()
        elif pick < 0.82:
            self.identity()
        elif pick < 0.90:
            self.constants_only()
        elif pick < 0.96:
            self.chain()
        else:
            self.same_comparison()

    def sink(self):
        """A use that keeps values alive."""
        kept = [self.recent() for _ in range(3)]
        names, kinds = ", ".join(name for name, _ in kept), ", ".join(kind for _, kind in kept)
        self.emit(f'"model.keep"({names}) : ({kinds}) -> ()')

    # --- functions ---

    def function(self, size):
        arith = self.args.kind == "arith"
        inputs = ["i32", "i64", "index", "f32", "f64"] if arith else \
            [self.rng.choice(INTS + FLOATS + self.types[:20]) for _ in range(self.rng.randint(1, 4))]
        self.values, self.by_type, self.next, self.depth, self.recipes = [], {}, 0, 1, []
        arguments = ", ".join(f"{self.define(kind, f'%arg{i}')}: {kind}{self.location()}"
                              for i, kind in enumerate(inputs))
        result = "i32" if arith else self.rng.choice(INTS + FLOATS)
        name = f"f{len(self.functions)}"
        self.out.write(f"func.func @{name}({arguments}) -> {result} {{\n")
        end = self.ops + size
        while self.ops < end - 2:
            if not arith:
                self.op()
            elif self.rng.random() < 0.1:
                self.sink()
            else:
                self.arith_op()
        value = self.of_type(result)
        self.emit(f"func.return {value} : {result}")
        self.ops += 1
        self.out.write(f"}}{self.location()}\n")
        self.functions.append((name, inputs, result))

    def module(self):
        while self.ops < self.args.ops:
            self.function(min(self.args.function_size, self.args.ops - self.ops))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ops", type=int, default=100000)
    parser.add_argument("--kind", choices=["mixed", "arith"], default="mixed")
    parser.add_argument("--locations", action="store_true", help="loc(…) on every op and argument")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--function-size", type=int, default=1000, metavar="OPS")
    parser.add_argument("--distinct-types", type=int, default=5000, metavar="N")
    parser.add_argument("-o", "--output", default="-")
    args = parser.parse_args()
    out = sys.stdout if args.output == "-" else open(args.output, "w", encoding="utf-8", buffering=1 << 20)
    with out:
        Generator(args, out).module()


if __name__ == "__main__":
    main()
