# accuracy.py SCORES.npy LABELS.npy: the share of rows whose largest score is at the label.
import array
import re
import struct
import sys


def read(path):
    data = open(path, "rb").read()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    code = {"<f4": "f", "<i8": "q", "<i4": "i", "|u1": "B"}[re.search(rb"'descr': '(...)'", data)[1].decode()]
    return array.array(code, data[start:])


scores, labels = read(sys.argv[1]), read(sys.argv[2])
width = len(scores) // len(labels)
rows = [scores[i * width:(i + 1) * width] for i in range(len(labels))]
right = sum(max(range(width), key=row.__getitem__) == label for row, label in zip(rows, labels))
print(f"accuracy {right / len(labels):.4f} of {len(labels)}")
