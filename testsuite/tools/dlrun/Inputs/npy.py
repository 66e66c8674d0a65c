# npy.py FILE DESCR ROWS COLUMNS [fortran]: writes 0, 1, 2, … as a .npy file without NumPy.
import struct
import sys

path, descr, rows, columns = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
fortran = sys.argv[5:] == ["fortran"]
header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({rows}, {columns}), }}"
header += " " * (-(len(header) + 11) % 64) + "\n"
code = {"f4": "f", "f8": "d", "i8": "q"}[descr[1:]]
order = ">" if descr[0] == ">" else "<"
with open(path, "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    file.write(struct.pack(f"{order}{rows * columns}{code}", *range(rows * columns)))
