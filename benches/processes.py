#!/usr/bin/env python3
"""Measures the blackbar program beside cat, grep, sed, rg and kingfisher, and writes benches/results/processes.md and .svg.

Builds nothing: first `cargo build --release --example corpus`, then `cargo build --release --bins` (both at once would build the
program with tables that only tests need, which start-up pays for). Every figure is a ratio of medians of one run, the sides in
turn (A B A B); a slow side gets a shorter piece of the same log, and is counted by the byte. Peers that are not
installed are named in the tables. Needs Linux for /proc and taskset; the standard library is all it imports.

Real logs are measured beside the generated ones where BLACKBAR_CORPORA names a folder with them.
"""
import argparse
import datetime
import os
import platform
import random
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import chart

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RESULTS = os.path.join(ROOT, "benches", "results")
MB, GB = 10**6, 10**9

# How long one run of one side may take (seconds); what is slower gets less to do.
SECONDS_MAX = {False: 5.0, True: 2.0}
ROUNDS = {False: 7, True: 3}
BYTES = {False: 256 * MB, True: 32 * MB}
PROBE_BYTES = 2 * MB

# Attacks that are tried on the program; `cargo bench --bench ratios` tries all.
ATTACKS = ["prefixes-line", "near-misses-lines", "letters-line", "mixed-line", "keys-line", "passwords-open-line",
           "urls-at-line", "base64-text-line", "json-escapes-line", "colours-in-words-lines", "begins-lines"]

SED_PATTERNS = [
    r"gh[pousr]_[0-9A-Za-z]{36}", r"github_pat_[0-9A-Za-z_]{82}", r"glpat-[0-9A-Za-z_-]{20}", r"AKIA[0-9A-Z]{16}",
    r"AIza[0-9A-Za-z_-]{35}", r"sk-(proj|svcacct)-[0-9A-Za-z_-]{40,}", r"sk-ant-api03-[0-9A-Za-z_-]{80,}",
    r"xox[abpr]-[0-9A-Za-z-]{20,}", r"sk_live_[0-9A-Za-z]{24}", r"npm_[0-9A-Za-z]{36}", r"pypi-[0-9A-Za-z_-]{50,}",
    r"SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}", r"hf_[A-Za-z]{34}", r"dop_v1_[0-9a-f]{64}", r"shpat_[0-9a-f]{32}",
    r"glsa_[0-9A-Za-z]{32}_[0-9a-f]{8}", r"eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}",
    r"://[^:@/ ]*:[^@/ ]+@", r"[Bb]earer [0-9A-Za-z._-]{20,}", r"(password|secret|token|api_key)[\"']?[=:] ?[^ ,;\"']{8,}",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release")
    parser.add_argument("--blackbar", default=os.path.join(target, "blackbar"), metavar="PATH")
    parser.add_argument("--corpus", default=os.path.join(target, "examples", "corpus"), metavar="PATH",
                        help="the example `corpus`, which generates the logs")
    parser.add_argument("--kingfisher", default=shutil.which("kingfisher"), metavar="PATH")
    parser.add_argument("--megabytes", type=int, help="length of a log (256, with --quick 32)")
    parser.add_argument("--rounds", type=int, help="rounds of a comparison (7, with --quick 3)")
    parser.add_argument("--quick", action="store_true", help="shorter logs, fewer rounds")
    parser.add_argument("--folder", help="keeps the logs in this folder, and takes those that are there")
    parser.add_argument("--output", default=RESULTS, help="where the table and the picture go")
    arguments = parser.parse_args()
    for program in (arguments.blackbar, arguments.corpus):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not there: cargo build --release --example corpus && cargo build --release --bins")
    arguments.blackbar, arguments.corpus = (shutil.which(p) for p in (arguments.blackbar, arguments.corpus))
    with tempfile.TemporaryDirectory(prefix="blackbar-") as folder:
        report = Bench(arguments, arguments.folder or folder).run()
    os.makedirs(arguments.output, exist_ok=True)
    with open(os.path.join(arguments.output, "processes.md"), "w") as file:
        file.write(report)


class Bench:
    """The logs, and what is measured on them. Each part adds its table to the report."""

    def __init__(self, arguments, folder):
        quick = arguments.quick
        self.quick = quick
        self.folder = folder
        self.corpus = arguments.corpus
        self.output = arguments.output
        self.program = os.path.abspath(arguments.blackbar)
        self.blackbar = shlex.quote(self.program)
        self.kingfisher = arguments.kingfisher and os.path.abspath(arguments.kingfisher)
        self.pieces, self.warm = {}, set()
        self.bytes = (arguments.megabytes or BYTES[quick] // MB) * MB
        self.rounds = arguments.rounds or ROUNDS[quick]
        self.seconds_max = SECONDS_MAX[quick]
        self.core = min(os.sched_getaffinity(0)) if shutil.which("taskset") else None
        self.report = []
        os.makedirs(folder, exist_ok=True)

    def run(self):
        self.head()
        names = subprocess.run([self.corpus, "names"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
        self.clean = ["ci", "service", "json"] + [name for name in names if name.startswith("real-")]
        pipes = self.pipes(pinned=True) if self.core is not None else []
        if self.core is None:
            self.say("`taskset` is missing, so nothing could be pinned to one core.\n")
        self.pipes(pinned=False)
        bars = self.peers()
        self.kinds()
        self.times()
        self.memory()
        self.picture(bars, pipes)
        return "\n".join(self.report).rstrip() + "\n"

    def say(self, text):
        self.report.append(text)
        print(text, flush=True)

    def head(self):
        version = subprocess.run([self.program, "--version"], stdout=subprocess.PIPE, check=True).stdout
        options = " --quick" if self.quick else ""
        self.machine = (f"{processor()}, {len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}, "
                        f"{datetime.date.today()}, {version.decode().splitlines()[0]}")
        self.say(f"<!-- written by: benches/processes.py{options} -->\n")
        self.say(f"{self.machine}. Logs of {self.bytes // MB} MB in the page cache, rounds: {self.rounds}, sides in turn; "
                 "every figure is a median or a ratio of medians of this run. GB = 10^9 bytes. CPU is that of all "
                 "processes of a line together.\n")

    # The parts, in the order of the report.

    def pipes(self, pinned):
        self.say(f"### In the middle of a pipe, {'all on one core' if pinned else 'on free cores'}\n")
        self.say("`cat f | blackbar | cat > /dev/null` against `cat f | cat | cat > /dev/null`"
                 f"{', under `taskset`' if pinned else ''}; in brackets the lowest and the highest of the rounds.\n")
        self.say("| log | blackbar, GB/s | cat, GB/s | wall time, blackbar / cat | CPU s/GB, blackbar | CPU s/GB, cat "
                 "| CPU, blackbar / cat |\n|---|---|---|---|---|---|---|")
        figures = []
        for name in self.clean:
            ours, cats = self.compare([
                Side(lambda f: f"cat {f} | {self.blackbar} | cat", pinned),
                Side(lambda f: f"cat {f} | cat | cat", pinned),
            ], name)
            ratios = sorted(a / b for a, b in zip(ours.walls, cats.walls))
            self.say(f"| {name} | {ours.speed:.2f} | {cats.speed:.2f} | {ours.wall / cats.wall:.2f} "
                     f"({ratios[0]:.2f}-{ratios[-1]:.2f}) | {ours.cpu:.2f} | {cats.cpu:.2f} | {ours.cpu / cats.cpu:.2f} |")
            figures.append((ours, cats))
        self.say("")
        return figures[0]

    def peers(self):
        """Beside other programs, on the first log. Returns the bars of the picture."""
        literals, sed = self.scripts()
        kingfisher = shlex.quote(self.kingfisher or "")
        options = "--no-validate --no-update-check --max-file-size 0 --format json"
        # (name, does it mask?, command, what must be installed)
        table = [
            ("blackbar < f", "masks", lambda f: f"{self.blackbar} < {f}", self.program),
            ("cat f", "copies", lambda f: f"cat {f}", "cat"),
            ("grep -c, 1 literal", "counts", lambda f: f"LC_ALL=C grep -c qzx_live_ {f}", "grep"),
            ("rg -c, 1 literal", "counts", lambda f: f"rg -c qzx_live_ {f}", "rg"),
            ("rg -c, 200 literals", "counts", lambda f: f"rg -c -F -f {literals} {f}", "rg"),
            ("sed -E, 20 patterns", "masks", lambda f: f"LC_ALL=C sed -E -f {sed} {f}", "sed"),
            ("kingfisher scan f", "reports", lambda f: f"{kingfisher} scan {f} {options}", self.kingfisher),
            ("kingfisher scan - < f", "reports", lambda f: f"{kingfisher} scan - {options} < {f}", self.kingfisher),
        ]
        there = [row for row in table if row[3] and shutil.which(row[3])]
        figures = self.compare([Side(command, False) for _, _, command, _ in there], self.clean[0])
        self.say("### Beside other programs\n")
        self.say(f"Each reads the log `{self.clean[0]}` and writes to `/dev/null`; start-up included. The literals are not "
                 "in the log.\n")
        self.say("| command | what it does | GB/s | CPU s/GB | log, MB | time, it / blackbar |\n|---|---|---|---|---|---|")
        measured = dict(zip((row[0] for row in there), figures))
        for name, what, _, _ in table:
            if name not in measured:
                self.say(f"| `{name}` | {what} | not installed | | | |")
                continue
            side = measured[name]
            self.say(f"| `{name}` | {what} | {chart.text(side.speed)} | {side.cpu:.2f} | {side.bytes / MB:.0f} "
                     f"| {side.wall / figures[0].wall:.2f} |")
        self.say("")
        return [(name, what, measured[name].speed) for name, what, _, _ in table if name in measured]

    def kinds(self):
        """Other kinds of logs, each beside a clean one."""
        self.say("### Kinds of logs\n")
        self.say("`blackbar < f > /dev/null`, each in turn with the clean log of continuous integration.\n")
        self.say("| log | GB/s | CPU s/GB | log, MB | speed, it / clean |\n|---|---|---|---|---|")
        dense = [f"{kind}-{density}" for density in ("1%", "50%") for kind in ("ci", "service", "json")]
        for name in self.clean[1:] + dense + ["ansi", "nested"] + ATTACKS:
            command = lambda f: f"{self.blackbar} < {f}"
            clean, side = self.compare([Side(command, False), Side(command, False, name)], self.clean[0], min(3, self.rounds))
            self.say(f"| {name} | {chart.text(side.speed)} | {side.cpu:.2f} | {side.bytes / MB:.0f} "
                     f"| {chart.text(side.speed / clean.speed)} |")
        self.say("")

    def times(self):
        """Start-up and latency."""
        rounds = 30 if self.quick else 100
        ours, cats = [], []
        for _ in range(rounds):
            for program, found in ((self.blackbar, ours), ("cat", cats)):
                found.append(timed(f"echo hi | {program}", None)[0] * 1e3)
        started = statistics.median(ours), statistics.median(cats)
        first = [[], []]
        for _ in range(rounds):
            for program, found in ((self.program, first[0]), ("cat", first[1])):
                found.append(first_answer(program) * 1e3)
        first = [statistics.median(found) for found in first]
        delays = latencies((self.program, "cat"), self.head_of(self.file("ci", PROBE_BYTES), 1000 if self.quick else 4000))
        middle, tail = ([percentile(found, share) for found in delays] for share in (0.5, 0.99))
        self.say("### Start-up and latency\n")
        self.say("| what | blackbar, ms | cat, ms | difference, ms |\n|---|---|---|---|")
        for what, pair in (
            (f"`echo hi \\| blackbar`, {rounds} rounds", started),
            ("first byte out after the first line in, process start included", first),
            (f"a line through an open stream, p50 of {len(delays[0])}", middle),
            ("the same, p99", tail),
        ):
            self.say(f"| {what} | {pair[0]:.3f} | {pair[1]:.3f} | {pair[0] - pair[1]:.3f} |")
        self.say("")

    def memory(self):
        self.say("### Memory\n")
        self.say("| stdin | MB | peak, MiB |\n|---|---|---|")
        for what, name in (("a clean log", "ci"), ("a log in which half of the lines hold a secret", "ci-50%"),
                           ("one line of random letters and digits", "random-line"), ("one line of `{\"a\":`", "braces-line")):
            path, length = self.piece(Side(lambda f: f"{self.blackbar} < {f}", False, name), name)
            self.say(f"| {what} | {length / MB:.0f} | {peak_memory(self.program, path) / 2**20:.1f} |")
        self.say("")

    def picture(self, bars, pipes):
        rows = [(name, what, speed, name.startswith("blackbar")) for name, what, speed in bars]
        rows.sort(key=lambda row: -row[2])
        groups = [("one process, reading the file", rows)]
        if pipes:
            ours, cats = pipes
            groups.append(("in the middle of a pipe, all on one core", [
                ("cat f | cat | cat", "copies", cats.speed, False),
                ("cat f | blackbar | cat", "masks", ours.speed, True),
            ]))
        svg = chart.bars(f"Speed on a clean log of continuous integration, {self.bytes // MB} MB", "GB/s, logarithmic",
                         groups, self.machine)
        os.makedirs(self.output, exist_ok=True)
        with open(os.path.join(self.output, "processes.svg"), "w") as file:
            file.write(svg)

    # How a comparison is made.

    def compare(self, sides, log, rounds=None):
        """Runs the sides in turn and returns a Figure for each."""
        pieces = [self.piece(side, side.log or log) for side in sides]
        times = [[] for _ in sides]
        for _ in range(rounds or self.rounds):
            for side, (path, length), found in zip(sides, pieces, times):
                wall, cpu = timed(side.command(shlex.quote(path)), self.core if side.pinned else None)
                found.append((wall / length, cpu / length))
        return [Figure(found, length) for found, (_, length) in zip(times, pieces)]

    def piece(self, side, log):
        """The log, or as much of its beginning as the side gets through in time. Runs the side for warmth."""
        known = (side.command("f"), side.pinned, log)
        if known not in self.pieces:
            # Start-up would make a short run look slow, so it is taken off, and longer runs follow while there is time.
            started = self.tried(side, log, PROBE_BYTES // 64)
            probe = PROBE_BYTES
            speed = probe / max(1e-4, self.tried(side, log, probe) - started)
            while probe < self.bytes and speed * self.seconds_max > 4 * probe:
                probe = min(self.bytes, 8 * probe)
                speed = probe / max(1e-4, self.tried(side, log, probe) - started)
            path = self.file(log, min(self.bytes, max(PROBE_BYTES, round_to_power(speed * self.seconds_max))))
            self.pieces[known] = path, os.path.getsize(path)
        return self.pieces[known]

    def tried(self, side, log, length):
        """Seconds of one run."""
        path = self.file(log, length)
        return timed(side.command(shlex.quote(path)), self.core if side.pinned else None)[0]

    def file(self, log, length):
        path = os.path.join(self.folder, f"{log}.{length}")
        if not os.path.exists(path):
            with open(path + ".part", "wb") as file:
                subprocess.run([self.corpus, log, str(length), "1"], stdout=file, check=True)
            os.rename(path + ".part", path)
        elif path not in self.warm:
            with open(path, "rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass
        self.warm.add(path)
        return path

    def head_of(self, path, lines):
        with open(path, "rb") as file:
            return [line for line, _ in zip(file, range(lines))]

    def scripts(self):
        """A file of 200 literals as scanners have them, and a script of sed; returns both, quoted."""
        draw = random.Random(1)
        words = ["".join(draw.choice("bcdfghjklmnpqrstvwxz") + draw.choice("aeiouy") for _ in range(3)) + "_" for _ in range(200)]
        files = []
        for name, lines in (("literals", words), ("script.sed", [f"s#{p}#[REDACTED]#g" for p in SED_PATTERNS])):
            files.append(os.path.join(self.folder, name))
            with open(files[-1], "w") as file:
                file.write("\n".join(lines) + "\n")
        return [shlex.quote(path) for path in files]


class Side:
    """A command over a log; `command` takes the quoted path."""

    def __init__(self, command, pinned, log=None):
        self.command, self.pinned, self.log = command, pinned, log


class Figure:
    """Medians of a side: seconds a GB, GB a second, and on how many bytes."""

    def __init__(self, times, length):
        self.walls = [wall for wall, _ in times]
        self.wall = statistics.median(self.walls) * GB
        self.cpu = statistics.median(cpu for _, cpu in times) * GB
        self.speed = 1 / self.wall
        self.bytes = length


def timed(command, core):
    """Runs a shell command. Returns wall time and CPU time of all its processes (seconds)."""
    words = ["sh", "-c", f"{command} > /dev/null"]
    if core is not None:
        words = ["taskset", "-c", str(core)] + words
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    code = subprocess.run(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    # A search that finds nothing ends with 1, a scanner that finds something with 200 or more.
    if code in (2, 3, 126, 127):
        sys.exit(f"exit code {code}: {command}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def started(program):
    return subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)


def first_answer(program):
    """Seconds from the start of a process to the first byte of its answer to one line; the input stays open."""
    start = time.perf_counter()
    process = started(program)
    process.stdin.write(b"2026-11-20T23:10:23.000Z a line without a secret in it\n")
    process.stdout.read(1)
    seconds = time.perf_counter() - start
    end(process)
    return seconds


def latencies(programs, lines):
    """Seconds until each line is back, for each program, in turn. Lines are a millisecond apart."""
    processes = [started(program) for program in programs]
    delays = [[] for _ in programs]
    for line in lines:
        for process, found in zip(processes, delays):
            time.sleep(0.001)
            start = time.perf_counter()
            process.stdin.write(line)
            got = b""
            while not got.endswith(b"\n"):
                got += process.stdout.read(1 << 16)
            found.append(time.perf_counter() - start)
    for process in processes:
        end(process)
    return delays


def end(process):
    process.stdin.close()
    process.stdout.read()
    process.stdout.close()
    process.wait()


def peak_memory(program, path):
    """The most memory a program has while it reads a file from a pipe (bytes). Linux forgets it with the process, and
    what wait() tells holds that of the parent, too; so it is looked up while the process runs."""
    feeder = subprocess.Popen(["cat", path], stdout=subprocess.PIPE)
    process = subprocess.Popen([program], stdin=feeder.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    feeder.stdout.close()
    peak = 0
    done = threading.Event()
    threading.Thread(target=lambda: (process.wait(), done.set()), daemon=True).start()
    while not done.wait(0.002):
        try:
            with open(f"/proc/{process.pid}/status") as file:
                found = [line for line in file if line.startswith("VmHWM")]
        except OSError:
            break
        peak = max([peak] + [int(line.split()[1]) * 1024 for line in found])
    done.wait()
    feeder.wait()
    return peak


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1e3


def round_to_power(length):
    """A length of which there are few, so that sides and runs share files."""
    power = PROBE_BYTES
    while power * 2 <= length:
        power *= 2
    return power


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


if __name__ == "__main__":
    main()
