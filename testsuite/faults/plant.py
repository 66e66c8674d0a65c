#!/usr/bin/env python3
"""Plant faults in passes, one at a time, and see whether --check-each-pass names the pass and the op.

    python3 testsuite/faults/plant.py [--work DIR] [--jobs N] [NAME...]

Works on a copy of the sources in DIR (kept between runs, so that builds are incremental; a temporary
folder by default). A fault is a few searches and replacements in one file (line breaks do not matter); a text
that is not there any more is an error: adapt the fault. The programs are compiled down to loops by dlopt; the fault must be
diagnosed as an error of the pass that has it, with one of the ops at which its effect begins. Faults in the
code that a target emits, and in the importer, are no pass's: dlc must find that the library, or the program that
was read, computes something else. Without faults the check must be silent. Exit status 1 if a fault is missed or
taken for another.
"""
import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = {
    "network.dlir": ["--graph-pipeline", "--tensor-pipeline", "--loop-pipeline"],
    "loops.dlir": ["--loop-form-fma", "--cse", "--loop-invariant-code-motion", "--loop-outline-parallel",
                   "--cse", "--loop-plan-memory"],
    "schedules.dlir": ["--convert-tensor-to-loop"],
    "fusion.dlir": ["--tensor-fuse"],
    "scalars.dlir": ["--inline", "--canonicalize", "--cse", "--symbol-dce"],
}
COMPILED = ["network.dlir", "grid.dlir"]  # by dlc, for the code
IMPORTED = "testsuite/models/digits.onnx"  # by dlc, with outputs as they were without faults
IMAGE = "testsuite/models/digits/digit_3.npy"

# culprit: the pass, "code" or "import"; ops: a regular expression for the names that may be given for where the
# difference begins, None for what is no pass.
Fault = namedtuple("Fault", "name culprit ops file changes")

FAULTS = [
    Fault("batch-norm-without-epsilon", "graph-fold-batch-norm", "norm|conv1", "passes/graph/fold_batch_norm.c",
          [("(float)graph_batch_normalization_epsilon(norm)",
            "0 * (float)graph_batch_normalization_epsilon(norm)")]),
    Fault("batch-norm-sign", "graph-fold-batch-norm", "norm|conv1", "passes/graph/fold_batch_norm.c",
          [("&graph_sub, graph_batch_normalization_B(norm)", "&graph_add, graph_batch_normalization_B(norm)")]),
    Fault("batch-norm-wrong-weight", "graph-fold-batch-norm", "norm|conv1", "passes/graph/fold_batch_norm.c",
          [("binary(rw, &graph_mul, weight, along(rw, a.factor,", "binary(rw, &graph_mul, weight, along(rw, a.term,")]),
    Fault("reshape-of-anything", "graph-canonicalize", "shaped.*|matmul", "passes/graph/canonicalize.c",
          [("source = first ? copied_operand(first) : NULL",
            "source = first && dl_num_operands(first) ? dl_operand(first, 0) : NULL")]),
    Fault("reversed-constants", "graph-fold-constants", "bias|matmul", "passes/graph/fold_constants.c",
          [("dl_constant_value(dl_operand(op, i));\n    DL_PUSH",
            "dl_constant_value(dl_operand(op, dl_num_operands(op) - 1 - i));\n    DL_PUSH")]),
    Fault("cse-ignores-attributes", "cse", "leaky2|last", "passes/common/cse.c",
          [("dl_ops_equivalent(candidate->op, op)",
            "(dl_num_operands(op) == 1 || dl_ops_equivalent(candidate->op, op)) &&\n"
            "        (!dl_num_operands(op) || dl_operand(op, 0) == dl_operand(candidate->op, 0))"),
           ("uint64_t hash = dl_op_hash(op);",
            "uint64_t hash = dl_num_operands(op) == 1 ? (uintptr_t)dl_op_def_of(op) : dl_op_hash(op);")]),
    Fault("cse-ignores-writes", "cse", ".*", "passes/common/cse.c",
          [("earlier->writes == state->writes", "earlier->writes <= state->writes")]),
    Fault("fuse-wrong-argument", "graph-fuse", "norm|sum|last|less", "passes/graph/fuse.c",
          [("  if (argument) return argument;\n",
            "  for (size_t i = 0; !argument && i < body->operands.len; i++)\n"
            "    if (dl_value_type(body->operands.data[i]) == dl_value_type(value))\n"
            "      argument = dl_arg(body->block, i);\n"
            "  if (argument) return argument;\n")]),
    Fault("pad-value", "convert-graph-to-tensor", "pool", "passes/convert/spec_to_tensor.c",
          [("return dl_signless_attr(read->otherwise);",
            "return dl_float_attr(dl_signless_attr(read->otherwise)->type, 0);")]),
    Fault("padding-lanes-not-zero", "convert-graph-to-tensor", ".*", "passes/convert/stored_iterators.c",
          [("it->dropped || !it->num_radices || divides(it)", "it")]),
    Fault("wrong-weight", "tensor-partition-constants", "conv2|relu", "passes/tensor/partition_constants.c",
          [("  dl_type type = dl_value_type(value);\n",
            "  dl_type type = dl_value_type(value);\n"
            "  for (size_t i = 0; i < p->weights.len; i++)\n"
            "    if (dl_value_type(p->weights.data[i]) == type) index = i;\n")]),
    Fault("kernels-alike-by-type", "tensor-outline-groups", ".*", "passes/tensor/outline_groups.c",
          [("hashes[i] == hash && dl_ops_equivalent(o->kernels.data[i], kernel)",
            "(hashes[i] == hash || hash) && dl_get_attr(o->kernels.data[i], \"function_type\") ==\n"
            "            dl_get_attr(kernel, \"function_type\")")]),
    Fault("lost-last-tap", "convert-tensor-to-loop", "conv1|norm|pool|depthwise", "passes/convert/nest_segments.c",
          [("dl_expr_add_const(last, 1)", "last")]),
    Fault("lost-mask", "convert-tensor-to-loop", ".*", "passes/convert/nest_segments.c",
          [(".count = dl_expr_sub(whole, done)", ".count = tile")]),
    Fault("lost-remainder", "convert-tensor-to-loop", ".*", "passes/convert/nest_segments.c",
          [("if (rest == 0 || overlap) return;", "return;")]),
    Fault("exp-coefficient", "loop-expand-math", "odd|twice.*|softmax", "passes/loop/loop_expand_math.c",
          [("0.4999999403953552f, 0.16666515171527863f", "0.4999999403953552f, 0.1766f")]),
    Fault("tanh-without-sign", "loop-expand-math", "odd|twice.*", "passes/loop/loop_expand_math.c",
          [("return with_sign(x, choose(x, OLT, magnitude, real(x, 0.625), small, large), a);",
            "return choose(x, OLT, magnitude, real(x, 0.625), small, large);")]),
    Fault("fma-wrong-addend", "loop-form-fma", ".*", "passes/loop/loop_form_fma.c",
          [("dl_operand(product, 1), dl_operand(sum, 1 - side)", "dl_operand(product, 1), dl_operand(product, 1)")]),
    Fault("grid-reversed", "loop-outline-parallel", ".*", "passes/loop/loop_outline_parallel.c",
          [("dl_arg(body, o->captured.len + i));",
            "dl_arg(body, o->captured.len + dl_num_args(loop_body) - 1 - i));")]),
    Fault("loads-leave-loops", "loop-invariant-code-motion", ".*", "passes/common/loop_invariant_code_motion.c",
          [("dl_op_effects(op) != DL_EFFECTS_NONE", "dl_op_effects(op) == DL_EFFECTS_WRITE"),
           ]),
    Fault("short-lifetimes", "loop-plan-memory", ".*", "passes/loop/loop_plan_memory.c",
          [(".last = last_use(&ops, pointer, block)});", ".last = i});")]),
    Fault("half-a-buffer", "loop-plan-memory", ".*", "passes/loop/loop_plan_memory.c",
          [(".bytes = align(elements * (int64_t)bytes),", ".bytes = align(elements * (int64_t)bytes / 2),")]),
    # Folds that hold for most numbers only.
    Fault("zero-times-anything", "canonicalize", "difference|line.*", "dialects/arith/arith_fold.c",
          [("return float_neutral(op, constants, 1.0, results) || dl_fold_with_kernel(op, constants, results);\n}"
            "\n\nbool arith_divf_fold",
            "if (is_float(constants[1], 0)) return to_constant(results, constants[1]);\n"
            "  return float_neutral(op, constants, 1.0, results) || dl_fold_with_kernel(op, constants, results);\n}"
            "\n\nbool arith_divf_fold")]),
    Fault("plus-zero", "canonicalize", "signs", "dialects/arith/arith_fold.c",
          [("float_neutral(op, constants, -0.0, results)", "float_neutral(op, constants, 0.0, results)")]),
    Fault("less-than-itself", "canonicalize", "integers|line.*", "dialects/arith/arith_fold.c",
          [("{true, false, false, true, false, true,", "{true, false, true, true, false, true,")]),
    Fault("select-the-other", "canonicalize", "difference|integers|line.*", "dialects/arith/arith_fold.c",
          [("dl_operand(op, condition ? 1 : 2)", "dl_operand(op, condition ? 2 : 1)")]),
    Fault("everything-commutes", "graph-fold-batch-norm", ".*", "ir/rewrite.c",
          [("!dl_has_trait(op, DL_COMMUTATIVE) || dl_num_operands(op) < 2", "dl_num_operands(op) != 2")]),
    # Merging and erasing.
    Fault("cse-ignores-predicates", "cse", "difference|integers|line.*", "passes/common/cse.c",
          [("dl_ops_equivalent(candidate->op, op)",
            "(!strcmp(dl_op_name(op), \"arith.cmpf\") ? dl_op_def_of(op) == dl_op_def_of(candidate->op)"
            " && dl_operand(op, 0) == dl_operand(candidate->op, 0) : dl_ops_equivalent(candidate->op, op))"),
           ("uint64_t hash = dl_op_hash(op);",
            "uint64_t hash = strcmp(dl_op_name(op), \"arith.cmpf\") ? dl_op_hash(op) : 1;")]),
    Fault("stores-are-dead", "canonicalize", ".*", "ir/effects.c",
          [("return !has_used_result(op) && dl_op_is_erasable(op);",
            "return !has_used_result(op) && (dl_op_is_erasable(op) || !strcmp(dl_op_name(op), \"loop.store\"));")]),
    Fault("inline-turns-arguments", "inline", ".*", "passes/common/inline.c",
          [("dl_ptr_map_set(&mapping, dl_arg(body, i), dl_operand(call, i));",
            "dl_ptr_map_set(&mapping, dl_arg(body, i), dl_operand(call, dl_value_type(dl_operand(call, 0)) == "
            "dl_value_type(dl_operand(call, 1)) && i < 2 ? 1 - i : i));")]),
    # Lowering.
    Fault("dropped-bias", "graph-fold-batch-norm", "norm|conv1", "passes/graph/fold_batch_norm.c",
          [("bias ? binary(rw, &graph_add, binary(rw, &graph_mul, bias, a.factor), a.term) : a.term", "a.term")]),
    Fault("lanes-without-place", "convert-graph-to-tensor", ".*", "passes/convert/stored_iterators.c",
          [("return !it->parallel || (it->extent->kind == DL_EXPR_CONST && it->extent->value % tile == 0);",
            "return tile > 0 && it->extent;")]),
    Fault("less-or-equal", "convert-graph-to-tensor", "less.*|both.*|last", "passes/convert/scalar_to_arith.c",
          [("return CMPF_OLT;", "return CMPF_OLE;")]),
    Fault("fuse-turned-indices", "tensor-fuse", ".*", "passes/tensor/fuse.c",
          [("f->at[index->value] = rebase(f, &f->consumer, read->results[r]);",
            "f->at[index->value] = rebase(f, &f->consumer, read->results[r ? r : read->num_results - 1]);")]),
    Fault("fuse-over-the-border", "tensor-fuse", ".*", "passes/tensor/fuse.c",
          [("if (!not_negative(f, index)) DL_PUSH(&f->inside, index);", "")]),
    Fault("lifetimes-too-short", "loop-plan-memory", ".*", "passes/loop/loop_plan_memory.c",
          [(".last = last_use(&ops, pointer, block)});", ".last = last_use(&ops, pointer, block) - 2});")]),
    Fault("exp-of-large-numbers", "loop-expand-math", ".*", "passes/loop/loop_expand_math.c",
          [("a = choose(x, OGT, a, real(x, 89), real(x, 89), a);", "")]),
    Fault("captured-turned", "loop-outline-parallel", ".*", "passes/loop/loop_outline_parallel.c",
          [("dl_ptr_map_set(&mapping, o->captured.data[i], dl_arg(body, i));",
            "size_t last = o->captured.len - 1 - i;\n"
            "bool alike = dl_value_type(o->captured.data[i]) == dl_value_type(o->captured.data[last]);\n"
            "dl_ptr_map_set(&mapping, o->captured.data[i], dl_arg(body, alike ? last : i));")]),
    # What is no pass.
    Fault("emitted-select-turned", "code", None, "targets/llvm/emit_arith.c",
          [("LLVMBuildSelect(e->b, dl_emitted_operand(e, op, 0), dl_emitted_operand(e, op, 1), "
            "dl_emitted_operand(e, op, 2), \"\")",
            "LLVMBuildSelect(e->b, dl_emitted_operand(e, op, 0), dl_emitted_operand(e, op, 2), "
            "dl_emitted_operand(e, op, 1), \"\")")]),
    Fault("emitted-grid-without-carry", "code", None, "targets/llvm/emit_kernel.c",
          [("carry = LLVMBuildZExt(e->b, wraps, LLVMInt64TypeInContext(e->ctx), \"\");",
            "carry = dl_llvm_const_i64(e, 0);")]),
    Fault("emitted-mask-too-wide", "code", None, "targets/llvm/emit_loop.c",
          [("LLVMBuildICmp(e->b, LLVMIntULT, iota,", "LLVMBuildICmp(e->b, LLVMIntULE, iota,")]),
    Fault("imported-relu", "import", None, "targets/onnx/operators.c",
          [("{\"Relu\", \"graph.relu\"", "{\"Relu\", \"graph.neg\"")]),
]


def run(command, **options):
    return subprocess.run(command, text=True, capture_output=True, **options)


def random_elements(shape, low, high, source):
    if not shape:
        return repr(round(source.uniform(low, high), 4))
    return "[" + ", ".join(random_elements(shape[1:], low, high, source) for _ in range(shape[0])) + "]"


def fill_in(text):
    source = random.Random(1)

    def fill(match):
        shape = [int(size) for size in match[2].split("x")[:-1]]
        low, high = (0.01, 1.5) if match[1] else (-1, 1)
        return f"dense<{random_elements(shape, low, high, source)}> : tensor<{match[2]}>"

    return re.sub(r"dense<RANDOM(_POSITIVE)?> : tensor<([0-9x]+f32)>", fill, text)


class Scratch:
    """A copy of the sources with a build of dlopt."""

    def __init__(self, folder, jobs):
        self.folder, self.jobs = os.path.abspath(folder), jobs

    def path(self, file):
        return os.path.normpath(os.path.join(self.folder, "source", file))

    def prepare(self):
        files = run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True).stdout.split("\0")
        self.remove_others({self.path(file) for file in files if file})
        for file in filter(None, files):
            source, copy = os.path.join(ROOT, file), self.path(file)
            if not os.path.isfile(source):
                continue
            if os.path.exists(copy) and read(copy) == read(source):
                continue
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copyfile(source, copy)
        if not os.path.exists(os.path.join(self.folder, "build")):
            run(["cmake", "-S", self.path("."), "-B", os.path.join(self.folder, "build"), "-G", "Ninja",
                 "-DCMAKE_BUILD_TYPE=RelWithDebInfo"], check=True)
        for program in {*PROGRAMS, *COMPILED}:
            text = read(os.path.join(ROOT, "testsuite/faults/programs", program)).decode()
            write(os.path.join(self.folder, program), fill_in(text))
        self.build()
        self.keep_outputs()

    def remove_others(self, kept):
        """What is not in the sources any more."""
        for folder, _, files in os.walk(self.path(".")):
            for file in files:
                path = os.path.normpath(os.path.join(folder, file))
                if path not in kept:
                    os.remove(path)

    def build(self):
        done = run(["ninja", "-C", os.path.join(self.folder, "build"), f"-j{self.jobs}", "dlopt", "dlc", "dlrun",
                    "dlir-target-llvm", "dlir-target-onnx", "dlir_rt"])
        if done.returncode:
            sys.exit(done.stdout)

    def tool(self, name):
        return os.path.join(self.folder, "build/tools", name)

    def keep_outputs(self):
        """The imported model's input and outputs, while there is no fault."""
        known = os.path.join(self.folder, "known")
        os.makedirs(known, exist_ok=True)
        shutil.copyfile(os.path.join(ROOT, IMAGE), os.path.join(known, "image.npy"))
        run([self.tool("dlrun"), os.path.join(ROOT, IMPORTED), "--input", "image=" + os.path.join(known, "image.npy"),
             "--output-dir", known], check=True)

    def check(self):
        """The run of the first program that fails, or of the last one."""
        library = os.path.join(self.folder, "compiled.so")
        runs = [[self.tool("dlopt"), os.path.join(self.folder, program), "--check-each-pass", *passes, "-o",
                 "/dev/null"] for program, passes in PROGRAMS.items()]
        runs += [[self.tool("dlc"), os.path.join(self.folder, program), "--check-each-pass", "-o", library]
                 for program in COMPILED]
        runs.append([self.tool("dlc"), os.path.join(ROOT, IMPORTED), "--check-inputs",
                     os.path.join(self.folder, "known"), "-o", library])
        for command in runs:
            done = run(command)
            if done.returncode:
                break
        return done

    def plant(self, fault):
        path = self.path(fault.file)
        text = original = read(path).decode()
        for old, new in fault.changes:
            text, count = re.subn(r"\s+".join(map(re.escape, old.split())), lambda _: new, text)
            if count != 1:
                sys.exit(f"fault '{fault.name}': {fault.file} has {count} times: {old}")
        try:
            write(path, text)
            self.build()
            return self.check()
        finally:
            write(path, original)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def judge(fault, done):
    """What is wrong with the diagnosis, or None."""
    if done.returncode == 0:
        return "not noticed"
    if fault.ops is None:
        what = {"code": "the code that the target emits", "import": "the program that was read gives other outputs"}
        return None if what[fault.culprit] in done.stderr else "taken for another error"
    named = re.findall(r"(?:error: |after )pass '([^']*)'", done.stderr)
    if named[:1] != [fault.culprit]:
        return f"taken for {named[:1] or 'another error'}"
    ops = re.findall(r"value that differs is that of '([^']*)'", done.stderr)
    ops += re.findall(r'loc\("([^"]*)"', done.stderr)
    if not any(re.fullmatch(fault.ops, op) for op in ops):
        return f"wrong op {ops}" if ops else "no op named"
    return None


def main():
    parser = argparse.ArgumentParser(description="Plant faults in passes and see whether they are found.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="faults to plant (default: all)")
    parser.add_argument("--work", help="folder for the copy and its build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--verbose", action="store_true", help="show all diagnostics")
    args = parser.parse_args()
    scratch = Scratch(args.work or tempfile.mkdtemp(prefix="dlir-faults-"), args.jobs)
    scratch.prepare()
    clean = scratch.check()
    if clean.returncode:
        sys.exit(f"the check fails without faults:\n{clean.stderr}")
    chosen = [fault for fault in FAULTS if not args.names or fault.name in args.names]
    missed = 0
    for fault in chosen:
        done = scratch.plant(fault)
        wrong = judge(fault, done)
        missed += wrong is not None
        print(f"{'MISSED' if wrong else 'found'} {fault.name} ({fault.culprit}){': ' + wrong if wrong else ''}",
              flush=True)
        if wrong or args.verbose:
            print("\n".join("    " + line[:240] for line in done.stderr.splitlines()[:6]), flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} faults found")
    if not args.work:
        shutil.rmtree(scratch.folder)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
