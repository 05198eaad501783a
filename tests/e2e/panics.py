#!/usr/bin/env python3
"""Lets each stage of blackbar panic while a command runs, or while it filters a pipe, and looks at what has left it.

    tests/e2e/panics.py target/debug/blackbar [STAGE...]

`gdb` is the one who injects: it stops the process where a stage begins, at its k-th call, and lets it go on in a function
of the standard library that panics, as if the stage had called that. Nothing of this is built into the program.

What holds whatever panics: no raw byte of a secret leaves; what left before is the beginning of what would have left; the
other output goes on; the command runs to its end with `withhold`, and is told by a closed output with `stop`; the exit code
says that something was wrong.
"""

import fcntl
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback

from acme import MASK, PATIENCE, PIECES, RULES, SECRET, Failure, check, lines, masked

# Where each stage begins: names of functions as `nm` shows them.
STAGES = {
    "reading": "blackbar::pipeline::Input::next",
    "filter": "blackbar::filter::Filter::push",
    "prefilter": "blackbar::scan::prefilter::lines::Lines::next_from",
    "scan": "blackbar::scan::<impl blackbar::scan::settle::Settler>::part",
    "mask": "blackbar::redact::mask::Masker::write",
    "redact": "blackbar::redact::Masked::fill",
    "output": "blackbar::redact::Output::add",
    "counting": "blackbar::filter::tally::Tally::report",
    "writing": "<blackbar::sink::Standard as blackbar::sink::Sink>::write",
    "findings": "blackbar::finding::report::Secrets::add",
}
# In these, the panic is not in the filter: it knows of no byte that it would have to withhold.
OUTSIDE = ["reading", "writing", "findings"]
# A function of the standard library that takes nothing and panics.
PANICS = "alloc::raw_vec::capacity_overflow"
CALLS = [1, 4]
TEXT = lines(0, 4000)
UNSCANNED = re.compile(r"\[REDACTED:unscanned \d+ bytes\]\n$")

# What the command does: it waits to be told, writes the same to both outputs, and says that it came to its end. From then on a
# terminal that hangs up, as one does whose filter has stopped, is no more what it ends by.
SCRIPT = "echo before; until [ -e go ]; do sleep 0.01; done; cat log; cat log >&2; trap '' HUP; echo over >finished"
OPTIONS = ["--no-default-rules", "--rules", "acme.toml", "--findings", "findings"]

GDB = """
set pagination off
set confirm off
set breakpoint pending off
handle all nostop noprint pass
python
import pathlib
base = int(pathlib.Path("/proc/%(pid)d/maps").read_text().split("-")[0], 16)
stage = gdb.Breakpoint("*%%d" %% (base + %(stage)d))
stage.ignore_count = %(call)d - 1
pathlib.Path("go").touch()
gdb.execute("continue")
if gdb.selected_thread() and stage.hit_count == %(call)d:
    gdb.execute("set $pc = %%d" %% (base + %(panics)d))
    pathlib.Path("injected").touch()
    stage.delete()
    gdb.execute("detach")
end
quit
"""


def addresses():
    """Where the stages, and the function that panics, are in the program."""
    names = subprocess.run(["nm", "-C", BLACKBAR], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in names.splitlines():
        parts = line.split(" ", 2)
        if len(parts) == 3 and parts[0] and parts[1] in "tT":
            found[parts[2]] = int(parts[0], 16)
    missing = [name for name in [*STAGES.values(), PANICS] if name not in found]
    check(not missing, "not in the program as functions of their own:", missing)
    return found


class Run:
    """One process in a folder of its own, with a panic in it."""

    def __init__(self, folder, how, stage, call, on_error):
        self.folder = folder
        (folder / "acme.toml").write_text(RULES)
        (folder / "log").write_text(TEXT)
        (folder / "home").mkdir()
        options = [*OPTIONS, "--on-error", on_error]
        command = ["run", *options, "--", "sh", "-c", SCRIPT] if how != "filter" else options
        self.shown = {}
        self.start([str(PROGRAM), *command], how)
        self.inject(stage, call)
        self.end()

    def start(self, words, how):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "NO_COLOR": "1"}
        more = {"cwd": self.folder, "env": environment}
        if how == "terminal":
            near, far = pty.openpty()
            # The session's own terminal, so that it is the one to set it.
            own = lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            more |= {"start_new_session": True, "preexec_fn": own}
            self.process = subprocess.Popen(words, stdin=far, stdout=far, stderr=far, **more)
            os.close(far)
            outputs = {"out": near}
        else:
            # A filter gets what the command would write.
            feeder = None
            if how == "filter":
                feeder = subprocess.Popen(["sh", "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **more)
            source = feeder.stdout if feeder else subprocess.DEVNULL
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(words, stdin=source, stdout=pipe, stderr=pipe, start_new_session=True, **more)
            if feeder:
                feeder.stdout.close()
            outputs = {"out": self.process.stdout.fileno(), "err": self.process.stderr.fileno()}
        self.readers = [threading.Thread(target=self.read, args=output) for output in outputs.items()]
        self.shown = {name: b"" for name in outputs}
        for reader in self.readers:
            reader.start()
        end = time.monotonic() + PATIENCE
        while b"before" not in self.shown["out"]:
            check(time.monotonic() < end, "it does not begin", self.shown)
            time.sleep(0.01)

    def read(self, name, fd):
        try:
            while more := os.read(fd, 65536):
                self.shown[name] += more
        except OSError:
            pass  # A terminal whose other side has gone.

    def inject(self, stage, call):
        script = self.folder / "script.gdb"
        at = {"pid": self.process.pid, "stage": stage, "panics": ADDRESSES[PANICS], "call": call}
        script.write_text(GDB % at)
        words = ["gdb", "-nx", "-batch", "-iex", "set auto-load off", "-p", str(self.process.pid), "-x", str(script)]
        self.gdb = subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end(self):
        try:
            self.code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            for process in (self.gdb, self.process):
                process.kill()
            raise Failure("it hangs", self.gdb.communicate()[0][-1000:]) from None
        finally:
            for reader in self.readers:
                reader.join(PATIENCE)
        said = self.gdb.communicate(timeout=PATIENCE)[0]
        self.injected = (self.folder / "injected").exists()
        check("Error" not in said, said)

    def text(self, name):
        return self.shown.get(name, b"").decode().replace("\r\n", "\n")

    def is_finished(self):
        return (self.folder / "finished").exists()


def no_leak(run):
    written = [*run.shown.values(), (run.folder / "findings").read_bytes()]
    for bytes in written:
        check(not any(piece in bytes for piece in PIECES), "a piece of the secret has left")


def judge(run, how, stage, on_error):
    """Whether what was promised holds."""
    clean = "before\n" + masked(TEXT)
    outputs = {"out": clean + masked(TEXT)} if how == "terminal" else {"out": clean, "err": masked(TEXT)}
    own = {name: run.text(name) for name in outputs}
    # What blackbar says of itself stands in the same terminal or on the same standard error.
    said = "".join(re.findall(r"blackbar: .*\n", "".join(run.text(name) for name in run.shown)))
    own = {name: re.sub(r"blackbar: .*\n", "", text) for name, text in own.items()}
    check("internal error" in said, "nothing is said of it:", said)
    check(run.code not in (0, 1, 2), "exit code", run.code)
    if on_error == "pass" and stage not in OUTSIDE:
        return
    no_leak(run)
    cut = 0
    for name, text in own.items():
        if how == "filter" and name == "err":
            continue
        withheld = UNSCANNED.search(text)
        beginning = text[: withheld.start()] if withheld else text
        whole = outputs[name]
        check(whole.startswith(beginning), name, "is no beginning of what it should be:", repr(run.shown["out"][-300:]))
        cut += beginning != whole
        if on_error == "withhold" and stage not in OUTSIDE and beginning != whole:
            check(withheld, name, "does not say what is missing:", text[-200:])
    check(cut <= 1, "both outputs were cut")
    if on_error == "withhold" or how == "filter" and on_error == "stop":
        check(how == "filter" or run.is_finished(), "the command did not come to its end")
    if how == "filter":
        check(run.code == 3, "exit code", run.code, said)
    elif run.is_finished():
        check(run.code == 125, "exit code", run.code, said)


def trial(folder, how, on_error, name, call):
    """Whether there was a panic; what went wrong."""
    folder.mkdir()
    try:
        run = Run(folder, how, ADDRESSES[STAGES[name]], call, on_error)
        if run.injected:
            judge(run, how, name, on_error)
        else:
            check(run.code == 0, "without a panic, exit code", run.code)
        wrong = None
    except Exception as fault:
        detail = str(fault) if isinstance(fault, Failure) else traceback.format_exc()
        return False, f"{how}, {on_error}, {name}, call {call}: {detail} (in {folder})"
    shutil.rmtree(folder)
    return run.injected, wrong


def main():
    wanted = sys.argv[2:]
    failures, work = [], pathlib.Path(PROGRAM.parent)
    for how in ["pipes", "terminal", "filter"]:
        panics, names = 0, [name for name in STAGES if not wanted or name in wanted]
        for on_error in ["withhold", "stop", "pass"]:
            for name in names:
                # What passes by choice need not be tried everywhere.
                for call in CALLS if on_error != "pass" or name == "filter" else []:
                    was_one, wrong = trial(work / f"{how}-{on_error}-{name}-{call}", how, on_error, name, call)
                    panics += was_one
                    failures += [wrong] if wrong else []
        print(f"panics.py: {how}: {panics} panics", flush=True)
        if not panics:
            failures.append(f"{how}: no stage has panicked")
    for failure in failures:
        print(f"panics.py: FAILED: {failure}", file=sys.stderr)
    if failures:
        sys.exit(1)
    shutil.rmtree(work)


if len(sys.argv) < 2:
    sys.exit(__doc__)
BLACKBAR = str(pathlib.Path(sys.argv[1]).resolve())
MISSING = [program for program in ["gdb", "nm", "strip"] if not shutil.which(program)]
if MISSING:
    sys.exit(f"panics.py: missing: {' '.join(MISSING)}")
PROGRAM = pathlib.Path(tempfile.mkdtemp(prefix="blackbar-panics-")) / "blackbar"
# Without its symbols gdb takes a tenth of the time to look at it.
subprocess.run(["strip", "-o", str(PROGRAM), BLACKBAR], check=True)
ADDRESSES = addresses()
main()
