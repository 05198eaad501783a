#!/usr/bin/env python3
"""Lets blackbar write to a disk that is full, a small tmpfs, and then makes room.

    tests/e2e/full_disk.py target/release/blackbar

Mounting needs root, or a system that lets users have namespaces of their own (`unshare -rm`). Where there is neither this
says so and fails. Prints one line a test.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from acme import PATIENCE, RULES, check, lines, masked, no_leak_in, until

DISK_BYTES = 1 << 20

# Masked, more than the disk takes.
LARGE = lines(0, 40_000)


class Place:
    """A folder with a log, and a small disk in it."""

    def __init__(self, folder):
        self.folder, self.disk = folder, folder / "disk"
        (folder / "acme.toml").write_text(RULES)
        for name in ("disk", "in", "home"):
            (folder / name).mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs", self.disk], check=True)

    def close(self):
        subprocess.run(["umount", self.disk], check=True)

    def fill(self, left=0):
        """Takes the room of the disk, but for so many bytes."""
        with open(self.disk / "ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"x" * 4096)
            except OSError:
                ballast.truncate(max(0, ballast.tell() - left))

    def make_room(self):
        (self.disk / "ballast").unlink()

    def start(self, *words, stdout=subprocess.DEVNULL):
        return subprocess.Popen(
            [BLACKBAR, *words],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "BLACKBAR_FINGERPRINT_KEY": "k" * 32},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=open(self.folder / "err", "ab"),
        )

    def run(self, *words, stdout=subprocess.DEVNULL):
        code = self.start(*words, stdout=stdout).wait(PATIENCE)
        return code, self.said()

    def said(self):
        return (self.folder / "err").read_text()

    def no_leak(self):
        for path in self.folder.rglob("*"):
            written = path.is_file() and (path.relative_to(self.folder).parts[0] != "in" or path.name.startswith("."))
            if written and not path.relative_to(self.folder).as_posix().startswith("disk/raw/"):
                no_leak_in(path)


RULE = ["--no-default-rules", "--rules", "acme.toml"]


def the_filter_stops_at_what_the_disk_takes(place):
    (place.folder / "in/app.log").write_text(LARGE)
    with open(place.disk / "clean.log", "wb") as clean:
        code, said = place.run(*RULE, "in/app.log", stdout=clean)
    output = (place.disk / "clean.log").read_text()
    check(code == 3 and "no space left" in said, code, said)
    check(0 < len(output) < len(masked(LARGE)) and masked(LARGE).startswith(output), "no beginning:", len(output))


def findings_that_cannot_be_written_are_said(place):
    (place.folder / "in/app.log").write_text(LARGE)
    place.fill()
    code, said = place.run(*RULE, "--findings", "disk/findings", "--report", "json=disk/report", "in/app.log")
    check(code == 3 and "no space left" in said, code, said)
    check(not (place.disk / "report").exists() or not (place.disk / "report").stat().st_size, "half a report")


def tail_goes_on_when_there_is_room_again(place):
    log = place.folder / "in/app.log"
    log.write_text(lines(0, 100))
    place.fill()
    words = ["tail", *RULE, "--state", "state", "--out", "disk/clean", "in/app.log"]
    tail = place.start(*words)
    until("the message", lambda: "cannot be written" in place.said())
    with open(log, "a") as more:
        more.write(lines(100, 200))
    check(tail.poll() is None, "tail has ended")
    place.make_room()
    clean = place.disk / "clean/in/app.log"
    until("all lines", lambda: clean.exists() and clean.read_text() == masked(lines(0, 200)))
    tail.send_signal(signal.SIGTERM)
    check(tail.wait(PATIENCE) == 0, place.said())


def tail_that_ends_on_a_full_disk_goes_on_later(place):
    log = place.folder / "in/app.log"
    log.write_text(lines(0, 3000))
    # Room for a part of it.
    place.fill(left=64 << 10)
    words = ["tail", *RULE, "--drain-timeout", "1", "--state", "state", "--out", "disk/clean", "in/app.log"]
    tail = place.start(*words)
    until("the message", lambda: "cannot be written" in place.said())
    tail.send_signal(signal.SIGTERM)
    started = time.monotonic()
    check(tail.wait(PATIENCE) == 3, place.said())
    check(time.monotonic() - started < 10, "it does not end in time")
    check("the output takes nothing" in place.said(), place.said())
    place.no_leak()
    place.make_room()
    tail = place.start(*words)
    clean = place.disk / "clean/in/app.log"
    until("all lines", lambda: clean.exists() and clean.read_text() == masked(lines(0, 3000)))
    tail.send_signal(signal.SIGTERM)
    check(tail.wait(PATIENCE) == 0, place.said())


def checkpoints_that_cannot_be_saved_are_said_and_repeat(place):
    log = place.folder / "in/app.log"
    log.write_text(lines(0, 100))
    (place.disk / "state").mkdir(mode=0o700)
    (place.disk / "state/lock").touch()
    place.fill()
    words = ["tail", *RULE, "--state", "disk/state", "--out", "clean", "in/app.log"]
    tail = place.start(*words)
    clean = place.folder / "clean/in/app.log"
    until("all lines", lambda: clean.exists() and clean.read_text() == masked(lines(0, 100)))
    until("the message", lambda: "checkpoints cannot be saved" in place.said())
    tail.kill()
    tail.wait()
    place.make_room()
    with open(log, "a") as more:
        more.write(lines(100, 110))
    tail = place.start(*words)
    until("the last line", lambda: clean.read_text().endswith(masked(lines(109, 110))))
    tail.send_signal(signal.SIGTERM)
    check(tail.wait(PATIENCE) == 0, place.said())
    # What was not in a checkpoint comes twice, and nothing is lost.
    check(clean.read_text() == masked(lines(0, 100) + lines(0, 110)), "other lines")


def copies_are_whole_or_there_are_none(place):
    (place.folder / "in/small.log").write_text(lines(0, 10))
    (place.folder / "in/large.log").write_text(LARGE)
    code, said = place.run("scan", *RULE, "--out", "disk/copies", "in")
    check(code == 3 and "large.log: not written: no space left" in said, code, said)
    check((place.disk / "copies/in/small.log").read_text() == masked(lines(0, 10)), "the small copy")
    left = [path.name for path in (place.disk / "copies/in").iterdir()]
    check(left == ["small.log"], left)


def a_file_in_place_stays_as_it_was(place):
    raw = place.disk / "raw"
    raw.mkdir()
    (raw / "app.log").write_text(lines(0, 2000))
    about = lambda: [getattr((raw / "app.log").stat(), of) for of in ("st_ino", "st_mode", "st_size", "st_mtime_ns")]
    before = about()
    place.fill(left=16 << 10)
    code, said = place.run("scan", *RULE, "--in-place", "disk/raw")
    check(code == 3 and "app.log: not written: no space left" in said, code, said)
    check((raw / "app.log").read_text() == lines(0, 2000) and about() == before, "it was changed")
    check([path.name for path in raw.iterdir()] == ["app.log"], "drafts are left")
    place.make_room()
    code, said = place.run("scan", *RULE, "--in-place", "disk/raw")
    check(code == 1 and (raw / "app.log").read_text() == masked(lines(0, 2000)), code, said)


TESTS = [
    the_filter_stops_at_what_the_disk_takes,
    findings_that_cannot_be_written_are_said,
    tail_goes_on_when_there_is_room_again,
    tail_that_ends_on_a_full_disk_goes_on_later,
    checkpoints_that_cannot_be_saved_are_said_and_repeat,
    copies_are_whole_or_there_are_none,
    a_file_in_place_stays_as_it_was,
]


def can_mount():
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4096", "tmpfs", folder], capture_output=True)
        return mounted.returncode == 0 and subprocess.run(["umount", folder]).returncode == 0


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if shutil.which("mount") is None or not can_mount():
        if os.environ.get("BLACKBAR_UNSHARED") or shutil.which("unshare") is None:
            sys.exit("full_disk.py: nothing can be mounted here; run it as root, or allow `unshare -rm`")
        os.execvpe("unshare", ["unshare", "-rm", sys.executable, *sys.argv], {**os.environ, "BLACKBAR_UNSHARED": "1"})
    failed = 0
    for test in TESTS:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="blackbar-disk-"))
        place = Place(folder)
        try:
            test(place)
            place.no_leak()
            print(f"full_disk.py: ok: {test.__name__.replace('_', ' ')}", flush=True)
        except Exception as wrong:
            failed += 1
            print(f"full_disk.py: FAILED: {test.__name__.replace('_', ' ')}: {wrong!r}", file=sys.stderr, flush=True)
        finally:
            place.close()
            shutil.rmtree(folder)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    BLACKBAR = str(pathlib.Path(sys.argv[1]).resolve()) if len(sys.argv) == 2 else None
    main()
