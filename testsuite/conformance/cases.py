#!/usr/bin/env python3
"""Says of ONNX backend cases which of them must pass, from nothing but their files: those in which every operator is one
of OPERATORS and every value a tensor of one of the ELEMENT_TYPES.

Usage: cases.py FOLDER...    (lists them)
"""
import pathlib
import sys

OPERATORS = frozenset("""
    Add AveragePool BatchNormalization Cast Clip Concat Constant ConstantOfShape Conv Div Dropout Equal Erf Exp Expand
    Flatten Gather Gemm GlobalAveragePool HardSigmoid HardSwish Identity LRN LayerNormalization LeakyRelu Log MatMul
    MaxPool Mul Pad Pow Range ReduceMax ReduceMean ReduceSum Relu Reshape Resize Shape Sigmoid Slice Softmax Split Sqrt
    Squeeze Sub Tanh Transpose Unsqueeze Where""".split())
ELEMENT_TYPES = frozenset({1, 6, 7, 9, 11})  # float, int32, int64, bool, double

# --- protobuf's wire format ---


def read_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    """The fields of a message as (number, value); values are integers or bytes."""
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = read_varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if size is None:
                size, at = read_varint(data, at)
            value, at = data[at : at + size], at + size
        yield key >> 3, value


def all_of(data, number):
    return [value for n, value in fields(data) if n == number]


def text_of(data, number):
    return b"".join(all_of(data, number)).decode()


# --- ONNX's messages ---


class Contents:
    """What a model uses: operators by name, element types by number, and kinds of types other than tensors."""

    def __init__(self):
        self.operators, self.element_types, self.kinds = set(), set(), set()

    def add_type(self, data):
        for number, value in fields(data):
            if number == 1:
                self.element_types.update(all_of(value, 1))
            elif number in (4, 5, 8, 9):
                self.kinds.add({4: "sequence", 5: "map", 8: "sparse tensor", 9: "optional"}[number])

    def add_attribute(self, data, is_cast):
        if is_cast and text_of(data, 1) == "to":
            self.element_types.update(all_of(data, 3))
        for tensor in all_of(data, 5):
            self.element_types.update(all_of(tensor, 2))
        for graph in all_of(data, 6) + all_of(data, 11):
            self.add_graph(graph)

    def add_node(self, data):
        domain, operator = text_of(data, 7), text_of(data, 4)
        self.operators.add(operator if domain in ("", "ai.onnx") else f"{domain}.{operator}")
        for attribute in all_of(data, 5):
            self.add_attribute(attribute, operator == "Cast")

    def add_graph(self, data):
        for node in all_of(data, 1):
            self.add_node(node)
        for tensor in all_of(data, 5):
            self.element_types.update(all_of(tensor, 2))
        for info in all_of(data, 11) + all_of(data, 12) + all_of(data, 13):
            for value_type in all_of(info, 2):
                self.add_type(value_type)


def read_case(folder):
    contents = Contents()
    for graph in all_of((folder / "model.onnx").read_bytes(), 7):
        contents.add_graph(graph)
    return contents


def must_pass(folder):
    contents = read_case(folder)
    return contents.operators <= OPERATORS and contents.element_types <= ELEMENT_TYPES and not contents.kinds


def find_cases(folders):
    """The folders of the cases in and below the given ones, by name."""
    return {path.parent.name: path.parent for folder in folders for path in sorted(pathlib.Path(folder).rglob("model.onnx"))}


def main():
    names = [name for name, folder in find_cases(sys.argv[1:]).items() if must_pass(folder)]
    print(*names, f"{len(names)} cases must pass", sep="\n")


if __name__ == "__main__":
    main()
