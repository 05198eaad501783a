#!/usr/bin/env python3
"""Follows a log with `blackbar tail` while a program writes it and Debian's logrotate rotates it.

    tests/e2e/logrotate.py target/release/blackbar

Says what is missing, and fails without it. Prints one line a test: what was written, lost and repeated.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from acme import MASK, PATIENCE, RULES, SECRET, check, no_leak_in, until

TURNS = 12
PAUSE = 0.1  # Seconds between two of them.

# Writes numbered lines until it is told to end; opens its file again after SIGHUP, as services do.
WRITER = """
import os, signal, sys, time
path, secret = sys.argv[1:]
flags = {"again": False, "end": False}
signal.signal(signal.SIGHUP, lambda *_: flags.update(again=True))
signal.signal(signal.SIGTERM, lambda *_: flags.update(end=True))
opened = lambda: open(path, "ab", buffering=0)
log, number = opened(), 0
while not flags["end"]:
    if flags["again"]:
        flags["again"] = False
        log.close()
        log = opened()
    for _ in range(5):
        log.write(f"line {number:08} token {secret} end\\n".encode())
        number += 1
    time.sleep(0.001)
print(number)
"""


class Place:
    def __init__(self, folder):
        self.folder, self.log = folder, folder / "in/app.log"
        (folder / "acme.toml").write_text(RULES)
        for name in ("in", "home"):
            (folder / name).mkdir(mode=0o755)
        self.processes = []

    def start(self, words, **more):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "BLACKBAR_FINGERPRINT_KEY": "k" * 32}
        process = subprocess.Popen(words, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, **more)
        self.processes.append(process)
        return process

    def tail(self):
        with open(self.folder / "err", "ab") as said:
            words = ["tail", "--no-default-rules", "--rules", "acme.toml", "--state", "state", "--out", "clean", "in/app.log"]
            return self.start([BLACKBAR, *words], stderr=said)

    def writer(self):
        return self.start([sys.executable, "-c", WRITER, str(self.log), SECRET], stdout=subprocess.PIPE, text=True)

    def rotate(self, writer, options):
        hup = f"postrotate\n kill -HUP {writer.pid}\n endscript" if "copytruncate" not in options else ""
        config = self.folder / "logrotate.conf"
        config.write_text(f"{self.log} {{\n su root root\n rotate 100\n{options}\n{hup}\n}}\n")
        config.chmod(0o644)
        done = subprocess.run(
            [LOGROTATE, "--force", "--state", str(self.folder / "rotated"), str(config)], capture_output=True, text=True
        )
        check(done.returncode == 0, "logrotate:", done.stderr)

    def said(self):
        return (self.folder / "err").read_text()

    def clean(self):
        folder = self.folder / "clean/in"
        files = sorted(folder.glob("app.log*"), key=lambda path: (path.name == "app.log", path.name)) if folder.exists() else []
        return "".join(path.read_text() for path in files)

    def is_followed(self):
        """Whether the file that is written now has come through."""
        with open(self.log) as log:
            first = log.readline()
        return first.endswith("\n") and first.replace(SECRET, MASK) in self.clean()

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()


def trial(place, options, restart=False, turns=TURNS, pause=PAUSE):
    """Rotates a log that is written and followed. How many lines were written, which of them are lost, and how many came
    again."""
    tail, writer = place.tail(), place.writer()
    until("the first lines", lambda: place.clean())
    for turn in range(turns):
        time.sleep(pause)
        # A file that comes and is packed while the system gives us no time for a single look is nobody's to find.
        until("a line of the new file", place.is_followed)
        if restart and turn % 3 == 1:
            tail.kill()
            tail.wait()
        place.rotate(writer, options)
        if tail.poll() is not None:
            time.sleep(0.05)
            tail = place.tail()
    # The last lines must be in a file that is not cut any more.
    until("a line of the last file", place.is_followed)
    writer.send_signal(signal.SIGTERM)
    written = int(writer.communicate(timeout=PATIENCE)[0])
    last = f"line {written - 1:08} token {MASK} end\n"
    until("the last line", lambda: place.clean().endswith(last))
    tail.send_signal(signal.SIGTERM)
    check(tail.wait(PATIENCE) == 0, "tail ended badly:", place.said())
    numbers = []
    for line in place.clean().splitlines():
        number = re.fullmatch(r"line (\d{8}) token \[REDACTED:acme-token\] end", line)
        # A process that is killed may leave half a line, which comes again as a whole.
        check(number or restart or "copytruncate" in options, "what is this:", line)
        if number:
            numbers.append(int(number[1]))
    once = list(dict.fromkeys(numbers))
    check(once == sorted(once), "lines are not in their order")
    return written, sorted(set(range(written)) - set(once)), len(numbers) - len(once)


def nothing_lost(place, options, restart=False, turns=TURNS, pause=PAUSE):
    written, lost, again = trial(place, options, restart, turns, pause)
    check(not lost, len(lost), "of", written, "lines are lost, the first is", lost[:1], place.said())
    check(restart or not again, again, "lines came twice")
    return f"{written} lines over {turns} rotations, 0 lost, {again} twice"


def create(place):
    return nothing_lost(place, "create 0644")


def create_and_dates_in_names(place):
    # Names differ by their second.
    return nothing_lost(place, "create 0644\n dateext\n dateformat -%Y%m%d-%s", turns=4, pause=1.1)


def compress(place):
    return nothing_lost(place, "create 0644\n compress")


def compress_and_delaycompress(place):
    return nothing_lost(place, "create 0644\n compress\n delaycompress")


def create_and_tail_is_killed(place):
    return nothing_lost(place, "create 0644\n compress\n delaycompress", restart=True)


def copytruncate(place):
    # What is written between the copy and the cut is gone for everybody; what between our last look and the cut, for us.
    # Neither may happen in silence.
    written, lost, again = trial(place, "copytruncate")
    size = len(f"line {0:08} token {SECRET} end\n")
    cuts = place.said().count("app.log: was cut") + place.said().count("app.log: was written anew")
    told = sum(map(int, re.findall(r"app\.log: was .*; at least (\d+) bytes were never read", place.said())))
    check(cuts == TURNS, cuts, "of", TURNS, "cuts were noticed:", place.said())
    check(told <= (len(lost) + cuts) * size, told, "bytes are said to be lost, and", len(lost), "lines are")
    check(not again, again, "lines came twice")
    return f"{written} lines over {TURNS} cuts, all noticed; {len(lost)} lines lost, at least {told} bytes of them counted"


TESTS = [create, create_and_dates_in_names, compress, compress_and_delaycompress, create_and_tail_is_killed, copytruncate]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if LOGROTATE is None:
        sys.exit("logrotate.py: logrotate is missing; install the package logrotate")
    failed = 0
    for test in TESTS:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="blackbar-logrotate-"))
        folder.chmod(0o755)
        place = Place(folder)
        name = test.__name__.replace("_", " ")
        try:
            print(f"logrotate.py: ok: {name}: {test(place)}", flush=True)
            written = [path for part in ("clean", "state") for path in (folder / part).rglob("*") if path.is_file()]
            for path in [*written, folder / "err"]:
                no_leak_in(path)
        except Exception as wrong:
            failed += 1
            print(f"logrotate.py: FAILED: {name}: {wrong!r}", file=sys.stderr, flush=True)
        finally:
            place.close()
            shutil.rmtree(folder)
    sys.exit(1 if failed else 0)


LOGROTATE = shutil.which("logrotate", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

if __name__ == "__main__":
    BLACKBAR = str(pathlib.Path(sys.argv[1]).resolve()) if len(sys.argv) == 2 else None
    main()
