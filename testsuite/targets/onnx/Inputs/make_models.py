#!/usr/bin/env python3
"""Write the small models that the importer's tests read (needs the onnx package).

    make_models.py [FOLDER]
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F = TensorProto.FLOAT


def save(folder, name, nodes, inputs, outputs, opset=17, initializers=(), **extra):
    graph = helper.make_graph(nodes, name, inputs, outputs, initializer=list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8,
                              producer_name="", **extra)
    onnx.save(model, folder / f"{name}.onnx")
    return model


def value(name, *shape, kind=F):
    return helper.make_tensor_value_info(name, kind, list(shape))


def weights(name, *shape):
    count = int(np.prod(shape))
    return numpy_helper.from_array((np.arange(count, dtype=np.float32) - count / 2).reshape(shape), name)


def node(op, inputs, outputs, name="", **attrs):
    return helper.make_node(op, inputs, outputs, name=name or op.lower(), **attrs)


def names(folder):
    """Names that are no SSA names, an unnamed node, a symbolic size with a space in it."""
    nodes = [node("Relu", ["/in put"], ["0"], "/block.0/Relu"), node("Neg", ["0"], ["out:1"], " "),
             helper.make_node("Abs", ["out:1"], ["last"])]
    nodes[1].name = ""
    save(folder, "names", nodes, [value("/in put", "batch size", 4)], [value("last", "batch size", 4)])


def constants(folder):
    """Weights as raw data and as typed data, a scalar, an input with a default, a Constant node."""
    typed = helper.make_tensor("typed", F, [20], [float(i) for i in range(20)])
    large = weights("raw", 4, 5)
    scalar = numpy_helper.from_array(np.float32(2), "scalar")
    default = weights("default", 1, 5)
    nodes = [node("Add", ["x", "raw"], ["a"]), node("Mul", ["a", "scalar"], ["b"]),
             node("Constant", [], ["c"], value_ints=[4, 5]), node("Reshape", ["typed", "c"], ["d"]),
             node("Sub", ["b", "d"], ["e"]), node("Div", ["e", "default"], ["y"])]
    save(folder, "constants", nodes, [value("x", 4, 5), value("default", 1, 5)], [value("y", 4, 5)],
         initializers=[typed, large, scalar, default])


def external(folder):
    """Weights in a file beside the model, and outside of its folder."""
    tensor = weights("w", 4, 8)
    (folder / "external.bin").write_bytes(b"\0" * 16 + tensor.raw_data)
    for name, location, offset in (("external", "external.bin", 16), ("external_outside", "../external.bin", 16),
                                   ("external_short", "external.bin", 64)):
        outside = onnx.TensorProto(name="w", data_type=F, dims=[4, 8], data_location=TensorProto.EXTERNAL)
        for key, text in (("location", location), ("offset", str(offset))):
            outside.external_data.add(key=key, value=text)
        save(folder, name, [node("Add", ["x", "w"], ["y"])], [value("x", 4, 8)], [value("y", 4, 8)],
             initializers=[outside])


def windows(folder):
    """Automatic padding, kernels of one and three dimensions."""
    nodes = [node("Conv", ["x", "w"], ["a"], "same_upper", auto_pad="SAME_UPPER", strides=[2, 2]),
             node("Conv", ["x", "w"], ["b"], "same_lower", auto_pad="SAME_LOWER", strides=[2, 2]),
             node("MaxPool", ["x"], ["c"], "valid", auto_pad="VALID", kernel_shape=[2, 2]),
             node("Conv", ["x1", "w1"], ["d"], "one", pads=[1, 1]),
             node("MaxPool", ["x3"], ["e"], "three", kernel_shape=[2, 2, 2])]
    save(folder, "windows", nodes, [value("x", 1, 2, 8, 8), value("x1", 1, 2, 8), value("x3", 1, 2, 4, 4, 4)],
         [value(n, *s) for n, s in (("a", (1, 4, 4, 4)), ("b", (1, 4, 4, 4)), ("c", (1, 2, 7, 7)),
                                    ("d", (1, 4, 8)), ("e", (1, 2, 3, 3, 3)))],
         initializers=[weights("w", 4, 2, 3, 3), weights("w1", 4, 2, 3)])


def old_forms(folder):
    """Operators as they were before inputs replaced attributes."""
    nodes = [node("Add", ["x", "c"], ["a"], broadcast=1, axis=1), node("Clip", ["a"], ["b"], min=0.0, max=6.0),
             node("Softmax", ["b"], ["s"]), node("Unsqueeze", ["s"], ["u"], axes=[0]),
             node("Squeeze", ["u"], ["q"], axes=[0]), node("Slice", ["q"], ["l"], starts=[0], ends=[2], axes=[1]),
             node("Dropout", ["l"], ["m"], ratio=0.5, is_test=1),
             node("ReduceMean", ["m"], ["y"], axes=[2], keepdims=0)]
    save(folder, "old_forms", nodes, [value("x", 2, 3, 4)], [value("y", 2, 2)], opset=6,
         initializers=[weights("c", 3)])
    save(folder, "old_softmax", [node("Softmax", ["x"], ["y"])], [value("x", 2, 3, 4)], [value("y", 2, 3, 4)],
         opset=11)


def training(folder):
    """Dropout and BatchNormalization in training mode, as operator sets 6, 9 and 17 ask for it, and parameters per
    element."""
    parameters = [weights(n, 3) for n in ("scale", "bias", "mean")]
    parameters.append(numpy_helper.from_array(np.ones(3, np.float32), "var"))
    norm = ["x", "scale", "bias", "mean", "var"]
    statistics = [value(n, 3) for n in ("m", "v")]
    save(folder, "training_6", [node("BatchNormalization", norm, ["n", "m", "v"]),
                                node("Dropout", ["n"], ["y", "mask"], ratio=0.0)],
         [value("x", 2, 3, 4)], [value("y", 2, 3, 4), value("mask", 2, 3, 4), *statistics], opset=6,
         initializers=parameters)
    save(folder, "training_9", [node("BatchNormalization", norm, ["y", "m", "v"])], [value("x", 2, 3, 4)],
         [value("y", 2, 3, 4), *statistics], opset=9, initializers=parameters)
    save(folder, "training_17", [node("Dropout", ["x", "", "t"], ["y"], seed=7)],
         [value("x", 2, 3, 4), value("t", kind=TensorProto.BOOL)], [value("y", 2, 3, 4)])
    save(folder, "per_element", [node("BatchNormalization", norm, ["y"], spatial=0)], [value("x", 2, 3)],
         [value("y", 2, 3)], opset=7, initializers=parameters)


def shapes(folder):
    """A flattening written as shape arithmetic, as exporters do."""
    nodes = [node("Shape", ["x"], ["s"]), node("Gather", ["s", "zero"], ["n"], axis=0),
             node("Unsqueeze", ["n", "axis"], ["n1"]), node("Concat", ["n1", "rest"], ["t"], axis=0),
             node("Reshape", ["x", "t"], ["y"])]
    save(folder, "shapes", nodes, [value("x", 2, 3, 4)], [value("y", 2, 12)],
         initializers=[numpy_helper.from_array(np.array(v, np.int64), n)
                       for n, v in (("zero", 0), ("axis", [0]), ("rest", [-1]))])


def symbolic(folder):
    """Two inputs that share a symbolic size."""
    save(folder, "symbolic", [node("Add", ["a", "b"], ["y"])], [value("a", "N", 4), value("b", "N", 4)],
         [value("y", "N", 4)])


def unsupported(folder):
    nodes = [node("Relu", ["x"], ["a"]), node("NoSuchOperator", ["a"], ["b"], "first"),
             node("Custom", ["b"], ["c"], "second", domain="com.example"),
             node("NoSuchOperator", ["c"], ["y"], "third")]
    graph = helper.make_graph(nodes, "unsupported", [value("x", 4)], [value("y", 4)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.example", 3)],
                              ir_version=8, producer_name="")
    onnx.save(model, folder / "unsupported.onnx")


def invalid(folder):
    x, y = value("x", 1, 2, 8, 8), value("y", 1, 4, 6, 6)
    conv = node("Conv", ["x", "w"], ["y"], "conv")
    save(folder, "invalid_channels", [conv], [x], [y], initializers=[weights("w", 4, 3, 3, 3)])
    save(folder, "invalid_rank", [conv], [value("x", 2, 8)], [y], initializers=[weights("w", 4, 2, 3, 3)])
    save(folder, "invalid_name", [node("Relu", ["nowhere"], ["y"])], [x], [y])
    save(folder, "invalid_attribute", [node("Relu", ["x"], ["y"], slope=1.0)], [x], [x])
    wrong = weights("w", 4, 2, 3, 3)
    wrong.dims[0] = 5
    save(folder, "invalid_tensor", [conv], [x], [y], initializers=[wrong])
    save(folder, "invalid_type", [node("Identity", ["x"], ["y"])], [value("x", 2, kind=TensorProto.STRING)],
         [value("y", 2, kind=TensorProto.STRING)])
    save(folder, "invalid_opset", [node("Relu", ["x"], ["y"])], [x], [x], opset=99)


def cases(folder):
    """Backend test cases: one that is right, one that expects something else, one of another type."""
    x = np.array([-1, 0, 2, np.nan], np.float32)
    right = np.array([0, 0, 2, np.nan], np.float32)
    for name, expected in (("right", right), ("wrong_value", right + 1), ("wrong_type", right.astype(np.float64))):
        data = folder / "cases" / name / "test_data_set_0"
        data.mkdir(parents=True, exist_ok=True)
        save(data.parent, "model", [node("Relu", ["x"], ["y"])], [value("x", 4)], [value("y", 4)])
        for file, array in (("input_0", x), ("output_0", expected)):
            (data / f"{file}.pb").write_bytes(numpy_helper.from_array(array, file).SerializeToString())
    (folder / "cases" / "unknown").mkdir(exist_ok=True)
    save(folder / "cases" / "unknown", "model", [node("NoSuchOperator", ["x"], ["y"])], [value("x", 4)], [value("y", 4)])


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    for make in (names, constants, external, windows, old_forms, training, shapes, symbolic, unsupported, invalid, cases):
        make(folder)


if __name__ == "__main__":
    main()
