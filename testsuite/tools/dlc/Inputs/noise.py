# noise.py FILE SIZE…: a float32 .npy file of seeded uniform numbers in [-1, 1), without NumPy.
import array
import math
import random
import struct
import sys

shape = tuple(map(int, sys.argv[2:]))
header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
header += " " * (-(len(header) + 11) % 64) + "\n"
numbers = random.Random(1)
with open(sys.argv[1], "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    file.write(array.array("f", (numbers.uniform(-1, 1) for _ in range(math.prod(shape)))).tobytes())
