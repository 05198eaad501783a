#!/usr/bin/env python3
"""Makes every system call of blackbar that reads, writes or names files fail in turn, and looks at what is left.

    tests/e2e/faults.py target/release/blackbar [SCENARIO...]

`strace` is the one who injects: EIO, ENOSPC, EINTR and EAGAIN at the k-th call, for every k, once and from there on.
Short writes are made by a limit on the size of files, at many sizes, which cuts a write at that very byte. Nothing of
this is built into the program.

What holds whatever fails: no raw byte of a secret leaves; an exit code that says that all is well is true; a file is the
old or the whole new one; a restart of `tail` goes on without a loss, so its checkpoints are not ahead of its output.
"""

import collections
import concurrent.futures
import gzip
import io
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import traceback

from acme import MASK, RULES, SECRET, Failure, check, no_leak_in

PATIENCE = 20  # Seconds after which a run hangs.
# What of the calls that blackbar makes can fail on a real machine, for reasons of the disk or of a signal.
READING = "read pread64 statx newfstatat fstat getdents64 flock ppoll inotify_init1 inotify_add_watch".split()
WRITING = """write writev openat fsync fdatasync rename renameat unlink unlinkat mkdir mkdirat ftruncate fchmod fchown
    utimensat close""".split()
# Whoever is told to ask again does so, for ever if need be: that comes once, as in life.
ERRORS = {call: ["EIO", "EIO+", "EINTR", "EAGAIN"] for call in READING}
ERRORS |= {call: ["ENOSPC", "ENOSPC+", "EIO", "EINTR", "EAGAIN"] for call in WRITING}
# The standard library takes for granted that a folder that was read can be closed, and so do we.
FOLDERS = ["close"]
# Calls of which a scenario makes more than this many are not all tried: every eighth of the others is.
EVERY_UP_TO = 60

OPTIONS = ["--quiet", "--no-default-rules", "--rules", "acme.toml"]


def lines(start, end):
    return "".join(f"line {number:06} token {SECRET} end\n" for number in range(start, end)).encode()


def long_text(size, secrets):
    """A text that takes several reads, with so many secrets."""
    clean = b"all is well in this line, and in the next one\n" * (size // 46 // secrets)
    return b"".join(clean + lines(number, number + 1) for number in range(secrets))


def tar_gz(members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(text)
            archive.addfile(about, io.BytesIO(text))
    return packed.getvalue()


def unpacked(name, packed):
    if name.endswith(".tar.gz"):
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            return b"".join(archive.extractfile(member).read() for member in archive)
    return gzip.decompress(packed) if name.endswith(".gz") else packed


def masked(text):
    return text.replace(SECRET.encode(), MASK.encode())


def no_leak(folder):
    """Nothing of the secret is in what was written; `in` is what was there."""
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).parts[0] != "in" or path.name.startswith(".blackbar"):
            no_leak_in(path)


class Run:
    """One run in a folder of its own."""

    def __init__(self, scenario, folder, fault=None, size_max=None):
        self.folder = folder
        # What is said is written, too.
        self.is_mute = fault is not None and fault[0] == "write"
        (folder / "acme.toml").write_text(RULES)
        (folder / "home").mkdir()
        scenario.prepare(folder)
        words = [BLACKBAR, *scenario.words(folder)]
        if fault is not None or size_max is None:
            inject = ["-e", "signal=none", *scenario.at_start]
            if fault is not None:
                call, error, when = fault
                inject += ["-e", f"inject={call}:error={error}:when={when}"]
            words = ["strace", "-f", "-qq", "-o", str(folder.parent / (folder.name + ".trace")), *inject, *words]
        self.code, self.said = self.start(words, size_max)
        self.trace = folder.parent / (folder.name + ".trace")

    def start(self, words, size_max=None):
        def limit():
            if size_max is not None:
                # A process that ignores the signal gets a short write, and then an error.
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (size_max, size_max))

        source = self.folder / "stdin"
        with open(source if source.exists() else os.devnull, "rb") as stdin, open(self.folder / "out", "ab") as stdout:
            # Not a file, so that it has no limit; what is said must be seen.
            process = subprocess.Popen(
                words,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "BLACKBAR_FINGERPRINT_KEY": "k" * 32},
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                preexec_fn=limit,
                start_new_session=True,
            )
        try:
            _, said = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Failure("it hangs") from None
        (self.folder / "err").write_bytes(said)
        code, text = process.returncode, said.decode("utf-8", "replace")
        check("panicked" not in text and "internal error" not in text, text)
        check(code >= 0, "it ended by signal", -code)
        return code, text

    def output(self, name="out"):
        path = self.folder / name
        return path.read_bytes() if path.exists() else b""

    def loader_failed(self):
        """The system could not load the program: none of its code has run."""
        return self.code == 127 and "shared librar" in self.said


class Filter:
    """`blackbar < FILE > FILE`, with findings and a report."""

    name = "filter"
    at_start, spared = [], []
    text = long_text(600_000, 20)

    def prepare(self, folder):
        (folder / "stdin").write_bytes(b"")
        (folder / "in").mkdir()
        (folder / "in/app.log").write_bytes(self.text)

    def words(self, folder):
        return [*OPTIONS, "--jobs", "1", "--findings", "findings", "--report", "json=report.json", "in/app.log"]

    def judge(self, run):
        whole = masked(self.text)
        output = run.output()
        check(whole.startswith(output), "the output is no beginning of what it should be")
        report = run.output("report.json")
        if report:
            json.loads(report)
        if run.code == 0:
            check(output == whole, "exit code 0, and", len(output), "of", len(whole), "bytes")
            check(report, "exit code 0 without a report")
            findings = run.output("findings").splitlines()
            check(len(findings) == 20, "exit code 0, and", len(findings), "findings")
            for finding in findings[:3]:
                json.loads(finding)
        else:
            check(run.code == 3 or run.code == 2 and not output, "exit code", run.code, run.said)
            check(run.said or run.is_mute, "it fails and says nothing")


class Threads(Filter):
    """The same with threads, which begin behind the first megabyte."""

    name = "threads"
    text = long_text(3_000_000, 20)

    def words(self, folder):
        return [*OPTIONS, "--jobs", "2", "--findings", "findings", "--report", "json=report.json", "in/app.log"]


class Command(Filter):
    """`blackbar run` with pipes: both outputs of a command, and its end."""

    name = "run"
    # The command itself is not traced.
    at_start, spared = ["--detach-on=execve"], FOLDERS
    text = long_text(200_000, 20)
    found = 7
    script = "cat in/app.log; cat in/app.log >&2; echo over >finished; exit 7"

    def words(self, folder):
        return ["run", *OPTIONS, "--findings", "findings", "--report", "json=report.json", "--", "sh", "-c", self.script]

    def judge(self, run):
        whole = masked(self.text)
        check(whole.startswith(run.output()), "the output is no beginning of what it should be")
        # What blackbar says comes on the same descriptor, after the command's.
        lines = [line for line in run.output("err").splitlines(True) if not line.startswith(b"blackbar: ")]
        shown = b"".join(lines)
        check(whole.startswith(shown), "the error output is no beginning of what it should be:", shown[-200:])
        finished = (run.folder / "finished").exists()
        is_whole = run.output() == whole and shown == whole
        if run.code == 7:
            # The command's own code is not changed, but what is missing was said.
            check(finished and (is_whole or run.is_mute or "is not shown" in run.said), "no word of what is missing:", run.said[-300:])
            report, findings = run.output("report.json"), run.output("findings").splitlines()
            told = report and len(findings) == 40 or not is_whole
            check(told or run.is_mute or "findings" in run.said or "report" in run.said, len(findings), "findings, and no word of it")
        else:
            check(run.code in (125, 126, 127), "exit code", run.code, run.said[-300:])
            check(run.said or run.is_mute, "it fails and says nothing")
            # It was either not begun, or let finish.
            check(finished or not run.output() and not shown, "the command was not let finish", run.code, run.said[-300:])


class Scan:
    """`blackbar scan`, which only reads and reports."""

    name = "scan"
    at_start, spared = [], FOLDERS
    text = lines(0, 50)
    options = []
    found, count = 1, 150

    before = {
        "in/a.log": text,
        "in/clean.log": b"all is well\n",
        "in/c.tar.gz": tar_gz({"a.log": text, "clean.log": b"all is well\n"}),
        "in/deep/b.log.gz": gzip.compress(text, mtime=0),
    }

    def prepare(self, folder):
        (folder / "in/deep").mkdir(parents=True)
        for path, text in self.before.items():
            (folder / path).write_bytes(text)

    def words(self, folder):
        return ["scan", *OPTIONS, "--jobs", "1", "--report", "json=report.json", *self.options, "in"]

    def judge(self, run):
        report = run.output("report.json")
        count = sum(secret["blackbar"]["count"] for secret in json.loads(report)["secrets"]) if report else 0
        check(run.code in (0, 1, 2, 3), "exit code", run.code, run.said)
        if run.code < 2:
            check(run.code == 1, "exit code 0 although there are secrets")
            check(count == self.count, "exit code 1, and", count, "of", self.count, "findings")
        else:
            check(run.said or run.is_mute, "it fails and says nothing")
        self.files(run)

    def files(self, run):
        for path, text in self.before.items():
            check((run.folder / path).read_bytes() == text, path, "was changed")

    def drafts(self, run):
        left = [path.name for path in run.folder.rglob(".blackbar*")]
        trace = run.trace.read_text("utf-8", "replace") if run.trace.exists() else ""
        check(not left or re.search(r"unlink\S* .*INJECTED|unlink.*INJECTED", trace), "drafts are left:", left)


class ScanOut(Scan):
    """`blackbar scan --out`: whole copies or none."""

    name = "scan-out"
    options = ["--out", "copies", "--force"]
    before = {path: text for path, text in Scan.before.items() if "tar" not in path}
    count = 100

    def files(self, run):
        super().files(run)
        for path, text in self.before.items():
            copy = run.folder / "copies" / path
            if copy.exists():
                whole = masked(unpacked(path, text))
                check(unpacked(path, copy.read_bytes()) == whole, path, "is no whole copy")
            else:
                check(run.code >= 2, path, "has no copy, and the exit code is", run.code)
        self.drafts(run)


class ScanInPlace(Scan):
    """`blackbar scan --in-place`: the old file or the whole new one."""

    name = "scan-in-place"
    options = ["--in-place", "--force"]
    before, count = ScanOut.before, 100

    def files(self, run):
        for path, text in self.before.items():
            now = (run.folder / path).read_bytes()
            if now != text:
                whole = masked(unpacked(path, text))
                check(unpacked(path, now) == whole, path, "is neither the old file nor the new one")
            elif path != "in/clean.log":
                check(run.code >= 2, path, "is as it was, and the exit code is", run.code)
        self.drafts(run)


class Tail:
    """`blackbar tail` into a tree, ended as soon as it runs; then again, without a fault."""

    name = "tail"
    # It catches signals before it locks its state.
    at_start, spared = ["-e", "inject=flock:signal=TERM:when=1"], ["flock", *FOLDERS]
    options = ["--out", "clean"]
    first, second = lines(0, 3000), lines(3000, 3100)

    def prepare(self, folder):
        (folder / "in").mkdir()
        (folder / "in/app.log.1").write_bytes(self.first)
        (folder / "in/app.log").write_bytes(self.second)

    def words(self, folder):
        every = ["in/app.log.1", "in/app.log"]
        return ["tail", *OPTIONS, "--drain-timeout", "1", "--state", "state", *self.options, *every]

    def texts(self, folder):
        return [(folder / "clean/in/app.log.1", self.first), (folder / "clean/in/app.log", self.second)]

    def judge(self, run):
        check(run.code in (0, 2, 3), "exit code", run.code, run.said)
        check(run.code == 0 or run.said or run.is_mute, "it fails and says nothing")
        # What the fault has left is what the next process finds.
        folder = run.folder
        again = [BLACKBAR, *self.words(folder)]
        traced = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "signal=none", *self.at_start, *again]
        code, said = run.start(traced)
        check(code == 0, "the next run ends with", code, said)
        for path, *texts in self.texts(folder):
            self.complete(path.read_bytes(), [masked(text) for text in texts])

    def complete(self, output, texts):
        """Every line, those of a file in their order, some of them again; what is no line is the beginning of one."""
        lines = output.splitlines()
        for text in texts:
            wanted = text.splitlines()
            known = set(wanted)
            seen = list(dict.fromkeys(line for line in lines if line in known))
            check(len(seen) == len(wanted), len(wanted) - len(seen), "of", len(wanted), "lines are lost")
            check(seen == wanted, "lines are not in their order")
        known = {line for text in texts for line in text.splitlines()}
        for line in lines:
            check(line in known or any(whole.startswith(line) for whole in known), "what is this:", line)


class TailStdout(Tail):
    """The same to standard output."""

    name = "tail-stdout"
    options = []

    def texts(self, folder):
        return [(folder / "out", self.first, self.second)]


SCENARIOS = [Filter(), Threads(), Command(), Scan(), ScanOut(), ScanInPlace(), Tail(), TailStdout()]


def calls_of(trace):
    """How often each call was made by one thread, and which is the first that the program itself has made."""
    counts, first, begun = collections.Counter(), {}, False
    for line in trace.read_text("utf-8", "replace").splitlines():
        name = re.match(r"(\d+) +(\w+)\(", line)
        if name is None:
            continue
        thread, call = name.groups()
        begun = begun or "blackbar.toml" in line
        counts[thread, call] += 1
        if begun:
            # Threads count from one, each for itself.
            number = counts[thread, call]
            first[call] = min(first.get(call, number), number)
    most = collections.Counter()
    for (_, call), count in counts.items():
        most[call] = max(most[call], count) if call in first else 0
    return most, collections.Counter(first)


def faults_of(scenario, trace):
    most, first = calls_of(trace)
    for call, errors in ERRORS.items():
        numbers = range(first[call], most[call] + 1)
        if call in scenario.spared or not most[call]:
            continue
        for number in (number for at, number in enumerate(numbers) if at < EVERY_UP_TO or at % 8 == 0):
            for error in errors:
                yield call, error.rstrip("+"), f"{number}+" if error.endswith("+") else str(number)


def sizes_of(folder):
    """The sizes at which a write can be cut: each end of a file, what is beside it, and some in between."""
    most = max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=0)
    every = {0, 1, most, most - 1} | {int(most * share / 40) for share in range(40)}
    for path in folder.rglob("*"):
        if path.is_file():
            every |= {path.stat().st_size + more for more in (-1, 0, 1)}
    return sorted(size for size in every if size >= 0)


def one(scenario, work, number, fault=None, size_max=None):
    folder = work / f"{scenario.name}-{number}"
    folder.mkdir()
    try:
        run = Run(scenario, folder, fault, size_max)
        if not run.loader_failed():
            scenario.judge(run)
        no_leak(folder)
        shutil.rmtree(folder)
        run.trace.unlink(missing_ok=True)
        return run.code, None
    except Exception as wrong:
        detail = wrong if isinstance(wrong, Failure) else traceback.format_exc()
        what = f"files of at most {size_max} bytes" if fault is None else " ".join(fault)
        return None, f"{scenario.name}: {what}: {detail} (in {folder})"


def trial(scenario, work, pool):
    """All faults of a scenario; how many there were by exit code, and what went wrong."""
    folder = work / f"{scenario.name}-plain"
    folder.mkdir()
    plain = Run(scenario, folder)
    # A copy, because the judge runs `tail` again.
    faults, sizes = list(faults_of(scenario, plain.trace)), sizes_of(folder)
    shutil.copy(plain.trace, work / f"{scenario.name}.trace")
    scenario.judge(plain)
    no_leak(folder)
    check(plain.code == getattr(scenario, "found", 0), "without a fault the exit code is", plain.code, plain.said)
    jobs = [pool.submit(one, scenario, work, number, fault) for number, fault in enumerate(faults)]
    if not scenario.at_start:
        jobs += [pool.submit(one, scenario, work, f"size-{size}", None, size) for size in sizes]
    codes, wrong = collections.Counter(), []
    for job in jobs:
        code, why = job.result()
        codes[code] += 1
        wrong += [why] if why else []
    return codes, wrong


def main():
    missing = [program for program in ("strace", "gzip", "tar") if shutil.which(program) is None]
    if BLACKBAR is None or missing:
        sys.exit(f"faults.py: missing: {' '.join(missing)}" if missing else __doc__)
    traced = subprocess.run(["strace", "-qq", "-o", os.devnull, "true"], capture_output=True)
    if traced.returncode != 0:
        sys.exit("faults.py: strace cannot trace here; allow ptrace (in a container: --cap-add SYS_PTRACE)")
    wanted = sys.argv[2:]
    work = pathlib.Path(tempfile.mkdtemp(prefix="blackbar-faults-"))
    failed = False
    with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 2)) as pool:
        for scenario in SCENARIOS:
            if wanted and scenario.name not in wanted:
                continue
            codes, wrong = trial(scenario, work, pool)
            shown = ", ".join(f"{count} ended with {code}" for code, count in sorted(codes.items(), key=str))
            print(f"faults.py: {scenario.name}: {sum(codes.values())} faults: {shown}", flush=True)
            for why in wrong[:20]:
                print(f"faults.py: FAILED: {why}", file=sys.stderr, flush=True)
            failed |= bool(wrong)
    if failed:
        sys.exit(f"faults.py: what failed is kept in {work}")
    shutil.rmtree(work)


if __name__ == "__main__":
    BLACKBAR = str(pathlib.Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else None
    main()
