"""batches.py MODEL.so IMAGES.npy LABELS.npy COUNT SIZE…: runs the first COUNT images in batches of each size, all
with the same library, and prints the accuracy for each and whether the sizes give the same bits."""
import array
import pathlib
import re
import struct
import subprocess
import sys
import tempfile


def read(path):
    data = pathlib.Path(path).read_bytes()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    return data[:start], data[start:]


def write(path, shape, data):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def run(model, images, image_bytes, count, size, folder):
    scores = b""
    for first in range(0, count, size):
        batch = images[first * image_bytes:(first + size) * image_bytes]
        write(folder / "images.npy", (size, 1, 8, 8), batch)
        subprocess.run(["dlrun", model, "--quiet", "--input", f"image={folder / 'images.npy'}", "--output-dir", folder],
                       check=True)
        head, data = read(folder / "probabilities.npy")
        if not re.search(rb"'shape': \(%d, 10\)" % size, head):
            sys.exit(f"batch {size}: the output has another shape")
        scores += data
    return scores


model, count, sizes = sys.argv[1], int(sys.argv[4]), list(map(int, sys.argv[5:]))
images, labels = read(sys.argv[2])[1], array.array("q", read(sys.argv[3])[1])
results = set()
with tempfile.TemporaryDirectory() as folder:
    for size in sizes:
        data = run(model, images, 8 * 8 * 4, count, size, pathlib.Path(folder))
        scores = array.array("f", data)
        rows = [scores[i * 10:(i + 1) * 10] for i in range(count)]
        right = sum(max(range(10), key=row.__getitem__) == label for row, label in zip(rows, labels))
        print(f"batches of {size}: accuracy {right / count:.4f} of {count}")
        results.add(data)
print("the same bits for every size" if len(results) == 1 else "other bits for other sizes")
