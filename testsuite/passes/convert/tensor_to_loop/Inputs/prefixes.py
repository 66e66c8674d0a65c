"""prefixes.py FILE OUT: converts a kernel with each prefix of the schedule in FILE's `// SCHEDULE:` line, checked."""
import re
import subprocess
import sys

text = open(sys.argv[1]).read()
primitives = re.findall(r"\w+\([^)]*\)", re.search(r"// SCHEDULE: (.*)", text)[1])
for count in range(len(primitives) + 1):
    open(sys.argv[2], "w").write(text.replace("SCHED>", ", ".join(primitives[:count]) + ">"))
    command = ["dlopt", sys.argv[2], "--pass-pipeline=builtin.module(convert-tensor-to-loop)", "--check-each-pass"]
    done = subprocess.run(command, capture_output=True, text=True)
    print(f"{count} of {len(primitives)}: {done.stderr or 'ok'}")
