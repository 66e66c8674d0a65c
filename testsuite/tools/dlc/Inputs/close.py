# close.py A.npy B.npy TOLERANCE: whether two float32 files have the same shape and elements that differ by
# no more than that; prints how much they do.
import array
import sys


def read(path):
    data = open(path, "rb").read()
    start = 10 + int.from_bytes(data[8:10], "little")
    return data[:start], array.array("f", data[start:])


(head, a), (other_head, b) = read(sys.argv[1]), read(sys.argv[2])
if head != other_head:
    sys.exit("the shapes or types differ")
distance = max(abs(x - y) for x, y in zip(a, b))
print(f"{len(a)} elements from {min(a):.4g} to {max(a):.4g}, largest difference {distance:.3g}")
sys.exit(not distance <= float(sys.argv[3]))
