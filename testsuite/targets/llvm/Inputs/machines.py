# machines.py FOLDER MODEL OUT: compiles the model for each machine of the folder; nothing may be said about it.
import pathlib
import subprocess
import sys

for path in sorted(pathlib.Path(sys.argv[1]).glob("*.yaml")):
    command = ["dlc", sys.argv[2], "--mcpu", path.stem, "--emit=asm", "-o", sys.argv[3]]
    done = subprocess.run(command, capture_output=True, text=True)
    ok = done.returncode == 0 and not done.stderr
    print(f"{path.stem}: {'ok' if ok else 'failed: ' + done.stderr}")
