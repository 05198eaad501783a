#!/usr/bin/env python3
"""Counts the instructions that the filter takes for a byte, by kind of log, and compares them with stored counts.

  benches/instructions.py            builds, counts, prints each case beside benches/results/instructions.txt
  benches/instructions.py --save     writes that file

A count hardly changes from run to run, so that a change of a percent can be seen where a clock sees noise. Counts hold
for one compiler and one set of instructions: valgrind knows AVX2, not AVX-512, so where the filter would choose
AVX-512 by itself, its AVX2 form is counted. Cache misses and branches that were guessed wrong cost nothing here.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STORED = os.path.join(ROOT, "benches", "results", "instructions.txt")

# Which logs, with how many known values, and how long they are (bytes). Dense ones cost more for a byte, so they are shorter.
CASES = [
    ("ci", 2 << 20),
    ("service", 2 << 20),
    ("json", 2 << 20),
    ("ci-1%", 1 << 20),
    ("ci-50%", 1 << 18),
    ("json-50%", 1 << 18),
    ("ansi", 1 << 20),
    ("nested", 1 << 20),
    ("letters-lines", 1 << 18),
    ("keys-line", 1 << 18),
    ("ci+1000", 2 << 20),
    ("service+1000", 2 << 20),
    ("json+1000", 2 << 20),
]

STARTUP = "start-up, one line"

# What is counted where: all of a process, or this function and what it calls.
FUNCTION = "instructions::measured*"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", action="store_true", help="write the counts to benches/results/instructions.txt")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="only these cases")
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is missing: install it (apt-get install valgrind, dnf install valgrind)")
    names = [name for name, _ in CASES] + [STARTUP]
    unknown = [name for name in arguments.cases if name not in names]
    if unknown:
        sys.exit(f"no such case: {', '.join(unknown)}; there are: {', '.join(names)}")
    build = subprocess.run(["cargo", "build", "--release", "--quiet", "--bins", "--example", "instructions"], cwd=ROOT)
    if build.returncode:
        sys.exit(build.returncode)
    release = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release")

    before = stored()
    lines = []
    print(f"{'case':<22}{'now':>12}  {'stored':>12}  ratio")
    for name in arguments.cases or names:
        if name == STARTUP:
            count = callgrind([os.path.join(release, "blackbar")], b"hi\n")[0]
            figure, unit = float(count), "instructions"
        else:
            bytes_wanted = dict(CASES)[name]
            command = [os.path.join(release, "examples", "instructions"), name, str(bytes_wanted)]
            count, output = callgrind(command, b"", FUNCTION)
            figure, unit = count / int(output), "a byte"
        lines.append(f"{name}\t{figure:.3f}\t{unit}")
        old = before.get(name)
        ratio = f"{figure / old:.3f}" if old else "new"
        print(f"{name:<22}{figure:>12.2f}  {old if old else '':>12}  {ratio}", flush=True)
    if arguments.save:
        if arguments.cases:
            sys.exit("not saved: the file holds all cases, or none")
        with open(STORED, "w") as file:
            file.write("\n".join(lines) + "\n")


def callgrind(command, given, function=None):
    """Runs a command under callgrind. Returns the instructions counted and what the command printed."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        options = [f"--callgrind-out-file={folder}/out", f"--log-file={log}"]
        if function:
            options += ["--collect-atstart=no", f"--toggle-collect={function}"]
        # An environment of its own: the start of a process reads all of it.
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", *options, *command],
            input=given,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", "")},
            cwd=folder,
        )
        with open(log) as file:
            text = file.read()
    collected = re.search(r"Collected : (\d+)", text)
    if done.returncode or collected is None or collected.group(1) == "0":
        sys.stderr.write(text)
        sys.exit(f"{os.path.basename(command[0])} could not be counted (exit code {done.returncode})")
    return int(collected.group(1)), done.stdout


def stored():
    if not os.path.exists(STORED):
        return {}
    with open(STORED) as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return {row[0]: float(row[1]) for row in rows if len(row) >= 2}


if __name__ == "__main__":
    main()
