"""compare.py A.npy B.npy: float32 arrays of one shape that differ by at most 1e-4 of the largest magnitude."""
import struct
import sys


def read(path):
    data = open(path, "rb").read()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    values = struct.unpack(f"<{(len(data) - start) // 4}f", data[start:])
    return data[10:start], values


(head, a), (other_head, b) = read(sys.argv[1]), read(sys.argv[2])
largest = max(map(abs, b))
worst = max(abs(x - y) for x, y in zip(a, b))
print(f"{len(a)} values, largest difference {worst / largest:.1e} of the largest magnitude")
sys.exit(head != other_head or not worst <= 1e-4 * largest)
