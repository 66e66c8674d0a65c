#!/usr/bin/env python3
"""Runs a command whose linker never ends, stops it by a signal while that runs, and says what the folder holds then.

Usage: interrupt.py SIGNAL FOLDER COMMAND...    (FOLDER becomes TMPDIR, too; it is made anew)
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time


def main():
    number, folder, command = getattr(signal, sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    started = folder.parent / (folder.name + ".started")
    started.unlink(missing_ok=True)
    linker = folder.parent / (folder.name + ".linker")
    linker.write_text(f"#!/bin/sh\n: > '{started}'\nexec sleep 60\n")
    linker.chmod(0o755)
    environment = dict(os.environ, DLIR_LLD=str(linker), TMPDIR=str(folder))
    process = subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL,
                               preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    while not started.exists() and process.poll() is None:
        time.sleep(0.01)
    before = len(list(folder.iterdir()))
    process.send_signal(number)
    try:
        status = process.wait(timeout=30)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the linker
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    print(f"ended by {signal.Signals(-status).name if status < 0 else status}; {before} there before, left:", *left)


if __name__ == "__main__":
    main()
