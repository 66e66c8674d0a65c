#!/usr/bin/env python3
"""Prints the name of the first OpenCL device that takes SPIR-V; status 1 and the reason without one."""
import ctypes
import sys

ALL_DEVICES = 0xFFFFFFFF
NAME, IL_VERSION = 0x102B, 0x105B


def text(cl, device, what):
    buffer = ctypes.create_string_buffer(1024)
    failed = cl.clGetDeviceInfo(ctypes.c_void_p(device), what, len(buffer), buffer, None)
    return "" if failed else buffer.value.decode()


def devices(cl):
    platforms, count = (ctypes.c_void_p * 16)(), ctypes.c_uint()
    if cl.clGetPlatformIDs(16, platforms, ctypes.byref(count)):
        return
    for platform in platforms[: count.value]:
        found = (ctypes.c_void_p * 16)()
        failed = cl.clGetDeviceIDs(ctypes.c_void_p(platform), ctypes.c_uint64(ALL_DEVICES), 16, found,
                                   ctypes.byref(count))
        yield from [] if failed else found[: count.value]


def main():
    try:
        cl = ctypes.CDLL("libOpenCL.so.1")
    except OSError as error:
        return f"no OpenCL loader: {error}"
    names = [text(cl, device, NAME) for device in devices(cl) if "SPIR-V" in text(cl, device, IL_VERSION)]
    if not names:
        return "no OpenCL device that takes SPIR-V (tools/scripts/opencl-device installs one)"
    print(names[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
