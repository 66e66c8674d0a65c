# accuracy.py write FILE: floats all over the range, as a .npy file.
# accuracy.py check FILE DIR: compares DIR/exp.npy … with Python's math, which computes in double.
import array
import math
import random
import struct
import sys

HEADER = "{{'descr': '<f4', 'fortran_order': False, 'shape': ({},), }}"
# Units in the last place, as passes/loop/loop_expand_math.c states them.
BOUNDS = {"exp": 1.0, "log": 0.9, "tanh": 1.4, "erf": 1.1}
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 1e-45, 1.1754944e-38, 3.4e38, -3.4e38,
           88.7, 88.8, -87.3, -87.4, -103.9, -104.1, 0.625, 3.95, 4.1]


def write(path, per_range=20000):
    rng = random.Random(0)
    values = list(SPECIAL)
    for bound in (1e-6, 0.5, 1.5, 5, 100):
        values += [rng.uniform(-bound, bound) for _ in range(per_range)]
    bits = [rng.getrandbits(32) for _ in range(2 * per_range)]
    data = array.array("f", values).tobytes() + struct.pack(f"<{len(bits)}I", *bits)
    header = HEADER.format(len(data) // 4)
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def read(path):
    data = open(path, "rb").read()
    return array.array("f", data[10 + struct.unpack("<H", data[8:10])[0]:])


def exact(name, x):
    if math.isnan(x):
        return x
    if name == "log":
        return math.log(x) if x > 0 and x < math.inf else {True: x, False: -math.inf if x == 0 else math.nan}[x > 0]
    if name == "exp" and x > 700:
        return math.inf
    return getattr(math, name)(x)


def ulps(want, got):
    if math.isnan(want) or math.isnan(got):
        return 0 if math.isnan(want) == math.isnan(got) else math.inf
    limit = 3.4028235677973366e38  # half a unit above the largest float
    if abs(want) >= limit:
        return 0 if got == math.copysign(math.inf, want) else math.inf
    if math.isinf(got) or (want == 0 and math.copysign(1, want) != math.copysign(1, got)):
        return math.inf
    exponent = max(math.frexp(want)[1] - 24, -149)
    return abs(want - got) / 2.0 ** exponent


def check(path, folder):
    x, failed = read(path), False
    for name, bound in BOUNDS.items():
        got = read(f"{folder}/{name}.npy")
        worst, at = max((ulps(exact(name, v), g), i) for i, (v, g) in enumerate(zip(x, got)))
        print(f"{name}: {worst:.3f} units in the last place, at {x[at]!r} -> {got[at]!r}")
        failed |= worst > bound
    print("failed" if failed else "ok")


if sys.argv[1] == "write":
    write(sys.argv[2])
else:
    check(sys.argv[2], sys.argv[3])
