#!/usr/bin/env python3
"""Show what the digits model answered: the image as text and the digit, or how many of many are right.

    show_digits.py IMAGE.npy PROBABILITIES.npy            one image
    show_digits.py --labels LABELS.npy PROBABILITIES.npy  held-out images; exit status 1 below 95 % right

Reads .npy files by itself: Python's standard library is all it needs.
"""
import array
import ast
import pathlib
import struct
import sys

CODES = {"<f4": "f", "<i8": "q"}


def load(path):
    """The shape and the elements, flat, of a .npy file."""
    data = pathlib.Path(path).read_bytes()
    if data[:6] != b"\x93NUMPY":
        sys.exit(f"{path}: not a .npy file")
    width = 2 if data[6] == 1 else 4
    (length,) = struct.unpack_from("<H" if width == 2 else "<I", data, 8)
    header = ast.literal_eval(data[8 + width:8 + width + length].decode())
    values = array.array(CODES[header["descr"]])
    values.frombytes(data[8 + width + length:])
    return header["shape"], values


def rows(shape, values):
    width = shape[-1]
    return [values[i:i + width] for i in range(0, len(values), width)]


def answer(probabilities):
    return max(range(len(probabilities)), key=lambda k: probabilities[k])


def show_image(image, probabilities):
    for row in rows(*load(image)):
        print("    " + "".join(2 * " .:-=+*#%@"[int(grey * 9 / 16)] for grey in row))
    (row,) = rows(*load(probabilities))
    print(f"    This is a {answer(row)} ({100 * row[answer(row)]:.1f} % sure).")


def show_accuracy(labels, probabilities):
    _, expected = load(labels)
    answers = [answer(row) for row in rows(*load(probabilities))]
    right = sum(a == e for a, e in zip(answers, expected))
    print(f"    {right} of {len(expected)} held-out images are recognized.")
    return 0 if len(answers) == len(expected) and right >= 0.95 * len(expected) else 1


if __name__ == "__main__":
    if sys.argv[1] == "--labels":
        sys.exit(show_accuracy(*sys.argv[2:]))
    show_image(*sys.argv[1:])
