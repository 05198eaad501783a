#!/usr/bin/env python3
"""Runs real programs under `blackbar run`, with pipes and in terminals, and looks at what is shown.

    tests/e2e/run.py target/release/blackbar

Says which programs are missing, and fails without them. Prints one line a test.
"""

import os
import pathlib
import pty
import select
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

NEEDED = ["bash", "cargo", "git", "less", "make", "node", "npm", "python3", "tmux", "top"]
PATIENCE = 30  # Seconds after which a test gives up.

BLACKBAR = str(pathlib.Path(sys.argv[1]).resolve()) if len(sys.argv) == 2 else None
VALUE = "q" + secrets.token_hex(20)
# What a program makes of the value; no eight bytes of any may be shown.
FORMS = [VALUE, VALUE.encode().hex(), VALUE.encode().hex().upper()]
MASK = "[REDACTED:"


class Failure(Exception):
    pass


def check(truth, *what):
    if not truth:
        raise Failure(" ".join(repr(thing) if isinstance(thing, (bytes, str)) else str(thing) for thing in what))


def no_leak(shown):
    text = shown.decode("utf-8", "replace") if isinstance(shown, bytes) else shown
    for form in FORMS:
        for at in range(len(form) - 7):
            check(form[at : at + 8] not in text, "a piece of the value is shown at", text.find(form[at : at + 8]))
    return text


def environment(home, **more):
    keep = {name: os.environ[name] for name in ("PATH", "CARGO_HOME", "RUSTUP_HOME", "PYENV_ROOT") if name in os.environ}
    real = os.environ.get("HOME", "/")
    keep.setdefault("CARGO_HOME", real + "/.cargo")
    keep.setdefault("RUSTUP_HOME", real + "/.rustup")
    return {
        **keep,
        "HOME": str(home),
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "DEPLOY_TOKEN": VALUE,
        "GIT_CONFIG_NOSYSTEM": "1",
        "npm_config_offline": "true",
        "npm_config_update_notifier": "false",
        **more,
    }


def piped(home, *words, code=0, **more):
    """What `run` shows of a command with pipes: its two outputs."""
    done = subprocess.run(
        [BLACKBAR, "run", "--quiet", "--", *words],
        cwd=home,
        env=environment(home, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=4 * PATIENCE,
    )
    out, err = no_leak(done.stdout), no_leak(done.stderr)
    check(done.returncode == code, "exit code", done.returncode, out[-400:], err[-400:])
    return out, err


class Terminal:
    """`blackbar run` in a terminal: what is typed, what is shown."""

    def __init__(self, home, *words, **more):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(home)
            # Nothing but the program may run on here.
            os.execve(BLACKBAR, [BLACKBAR, "run", "--quiet", "--", *words], environment(home, **more))
        self.shown = b""
        self.seen = 0

    def read(self, seconds):
        """Whether more may come."""
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                more = os.read(self.fd, 65536)
            except OSError:
                return False
            self.shown += more
            return bool(more)
        return True

    def expect(self, text):
        until = time.monotonic() + PATIENCE
        while True:
            at = self.shown.find(text.encode(), self.seen)
            if at >= 0:
                self.seen = at + len(text.encode())
                return
            check(self.read(0.5) and time.monotonic() < until, text, "is not shown after", no_leak(self.shown[self.seen :]))

    def send(self, keys):
        os.write(self.fd, keys.encode())

    def end(self):
        until = time.monotonic() + PATIENCE
        while self.read(0.5):
            check(time.monotonic() < until, "the command does not end", no_leak(self.shown[self.seen :]))
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return no_leak(self.shown), code


class Screen:
    """A screen of tmux in which a shell runs; `blackbar run` is typed into it."""

    ROWS, COLUMNS = 24, 90

    def __init__(self, home):
        self.server = "blackbar-" + secrets.token_hex(4)
        size = ["-x", str(self.COLUMNS), "-y", str(self.ROWS)]
        shell = ["env", "-i", *(f"{k}={v}" for k, v in environment(home, PS1="ready> ", TERM="screen-256color").items()), "bash", "--norc", "-i"]
        self.tmux("-f", "/dev/null", "new-session", "-d", *size, *shell, cwd=home)
        self.wait(lambda text: "ready>" in text)

    def tmux(self, *words, **more):
        return subprocess.run(["tmux", "-L", self.server, *words], check=True, capture_output=True, text=True, timeout=PATIENCE, **more).stdout

    def run(self, *words):
        self.keys("clear; " + " ".join([BLACKBAR, "run", "--quiet", "--", *words]), "Enter")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def text(self):
        return self.tmux("capture-pane", "-p")

    def wait(self, done):
        until = time.monotonic() + PATIENCE
        while True:
            text = self.text()
            if done(text):
                return no_leak(text)
            check(time.monotonic() < until, "not shown; the screen is", no_leak(text))
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-L", self.server, "kill-server"], capture_output=True)


def bash_with_pipes(home):
    """bash: a trace, an array, an encoding and a failure"""
    script = 'set -x; echo "$DEPLOY_TOKEN"; a=(x "$DEPLOY_TOKEN"); declare -p a; printf %s "user:$DEPLOY_TOKEN" | base64; exit 7'
    out, err = piped(home, "bash", "-c", script, code=7)
    check(out.count("\n") == 3 and out.count(MASK) == 3, "three lines, each with a mask", out)
    check("+ echo " + MASK in err, "the trace has masks", err)


def bash_as_a_user(home):
    """bash: an interactive shell with history, job control and an exit code"""
    shell = Terminal(home, "bash", "--norc", "-i", PS1="ready> ")
    shell.expect("ready> ")
    shell.send("echo $DEPLOY_TOKEN-end\r")
    shell.expect(MASK)
    shell.expect("-end")
    shell.send("sleep 100\r")
    time.sleep(0.5)
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.send("jobs; kill %1; wait; echo $((6*7))answer\r")
    shell.expect("42answer")
    shell.send("\x1b[A")
    shell.expect("$((6*7))answer")
    shell.send("\x15exit 3\r")
    _, code = shell.end()
    check(code == 3, "exit code", code)


def python_tracebacks(home):
    """python3: a traceback, bytes and JSON of a value"""
    (home / "fails.py").write_text(
        "import json, os, sys\nt = os.environ['DEPLOY_TOKEN']\nprint(t.encode(), json.dumps({'t': t, 'u': t[::1]}))\n"
        "sys.stdout.flush()\nraise ValueError('no such token: ' + t)\n"
    )
    out, err = piped(home, "python3", "fails.py", code=1)
    check(MASK in out and "ValueError: no such token: " + MASK in err, out, err)


def python_prompts(home):
    """python3: the interactive interpreter, and a password asked for at the terminal"""
    python = Terminal(home, "python3", "-q", PYTHON_BASIC_REPL="1")
    python.expect(">>> ")
    python.send("import os, getpass\r")
    python.expect(">>> ")
    python.send("os.environ['DEPLOY_TOKEN']\r")
    python.expect(MASK)
    python.expect(">>> ")
    python.send("len(getpass.getpass('user@host\\'s password: '))\r")
    python.expect("user@host's password: ")
    python.send("not shown\r")
    python.expect("9\r\n")
    python.expect(">>> ")
    python.send("exit(4)\r")
    shown, code = python.end()
    check(code == 4 and "not shown" not in shown, code, shown)


def npm_scripts(home):
    """npm: a script that fails, with what npm says of it"""
    (home / "package.json").write_text('{"name": "shop", "version": "1.0.0", "scripts": {"leak": "node leak.js"}}')
    (home / "leak.js").write_text("console.log({token: process.env.DEPLOY_TOKEN}); console.error(process.env); process.exit(2)\n")
    out, err = piped(home, "npm", "run", "leak", code=2)
    check("> shop@1.0.0 leak" in out and MASK in out and MASK in err, out, err)
    shown, code = Terminal(home, "npm", "run", "leak").end()
    check(code == 2 and "\x1b[" in shown and MASK in shown, "with colours", code, shown[-300:])


def cargo_builds(home):
    """cargo: a warning of a build script and a failed assertion, with pipes and in colours"""
    (home / "src").mkdir()
    (home / "Cargo.toml").write_text('[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n')
    (home / "build.rs").write_text('fn main() { println!("cargo:warning=with {}", std::env::var("DEPLOY_TOKEN").unwrap()) }\n')
    (home / "src/lib.rs").write_text(
        '#[test]\nfn fails() { assert_eq!(std::env::var("DEPLOY_TOKEN").unwrap(), "other") }\n'
    )
    out, err = piped(home, "cargo", "test", "--offline", code=101)
    check("warning: shop@0.1.0: with " + MASK in err and "left: \"" + MASK in out, out, err)
    shown, code = Terminal(home, "cargo", "test", "--offline").end()
    check(code == 101 and "\x1b[1m" in shown and MASK in shown, "with colours", code)


def git_with_a_secret_in_its_remote(home):
    """git: a remote with a password, a log in a pager, progress on a terminal"""
    git = lambda *words: subprocess.run(["git", *words], cwd=home, env=environment(home), check=True, capture_output=True)
    git("init", "-q", "-b", "main", "first")
    for key, value in (("user.name", "A"), ("user.email", "a@example.invalid")):
        git("-C", "first", "config", key, value)
    for number in range(60):
        git("-C", "first", "commit", "-q", "--allow-empty", "-m", f"change {number}")
    git("-C", "first", "commit", "-q", "--allow-empty", "-m", f"rotate {VALUE}")
    git("-C", "first", "remote", "add", "origin", f"https://ci:{VALUE}@git.example.invalid/shop.git")
    out, _ = piped(home, "git", "-C", "first", "remote", "-v")
    check(out.count("@git.example.invalid/shop.git") == 2, out)
    out, _ = piped(home, "git", "-C", "first", "log", "--oneline")
    ids = subprocess.run(["git", "-C", "first", "log", "--format=%h"], cwd=home, env=environment(home), capture_output=True, text=True).stdout
    check([line.split()[0] for line in out.splitlines()] == ids.split(), "ids of commits stay", out)
    shown, code = Terminal(home, "git", "clone", "--progress", "--no-local", "first", "second").end()
    check(code == 0 and "Receiving objects: 100%" in shown and "\r" in shown, code, shown)
    with Screen(home) as screen:
        screen.run("git", "-C", "first", "log")
        screen.wait(lambda text: "rotate " + MASK in text and text.rstrip().endswith(":"))
        screen.keys("G")
        screen.wait(lambda text: "change 0" in text and "(END)" in text)
        screen.keys("q")
        screen.wait(lambda text: text.rstrip().endswith("ready>"))


def make_with_many_jobs(home):
    """make -j: lines of jobs at the same time are whole, and none is lost"""
    jobs = " ".join(f"job{number}" for number in range(8))
    (home / "Makefile").write_text(
        f"all: {jobs}\njob%:\n\t@i=0; while [ $$i -lt 500 ]; do echo \"$@ line $$i $$DEPLOY_TOKEN\"; i=$$((i+1)); done\n"
    )
    out, _ = piped(home, "make", "-j", "4")
    lines = sorted(line for line in out.splitlines() if " line " in line)
    wanted = sorted(f"job{job} line {line} {MASK}known-value]" for job in range(8) for line in range(500))
    check(lines == wanted, "4000 lines", len(lines), lines[:1])


def a_prompt_like_that_of_ssh(home):
    """ssh-like: a program that asks at /dev/tty while its output is elsewhere"""
    (home / "ask.sh").write_text(
        'stty -echo < /dev/tty; printf "deploy@host: password: " > /dev/tty; read -r word < /dev/tty; stty echo < /dev/tty\n'
        'printf "\\n" > /dev/tty; [ "$word" = "open sesame" ] && echo granted > /dev/tty; exit 5\n'
    )
    asks = Terminal(home, "bash", "-c", "bash ask.sh > out.txt 2>&1")
    asks.expect("password: ")
    asks.send("open sesame\r")
    asks.expect("granted")
    shown, code = asks.end()
    check(code == 5 and "sesame" not in shown, code, shown)


def top_is_undamaged(home):
    """top: a full-screen program, drawn, drawn again at another size, and left"""
    with Screen(home) as screen:
        screen.run("top", "-d", "0.3")
        first = screen.wait(lambda text: "load average" in text and "PID" in text and "COMMAND" in text)
        check(first.splitlines()[0].startswith("top - "), "the first line is the first", first)
        screen.tmux("resize-window", "-x", "110", "-y", "30")
        screen.wait(lambda text: "COMMAND" in text and len([line for line in text.splitlines() if line.strip()]) >= 8)
        screen.keys("q")
        screen.wait(lambda text: text.rstrip().endswith("ready>"))
        screen.keys("stty -a | grep -o -- '-*icanon'; echo over", "Enter")
        text = screen.wait(lambda text: "\nover" in text)
        check("\nicanon" in text, "the terminal is as it was", text)


def less_is_undamaged(home):
    """less: pages, a search, a masked value, and the way out"""
    lines = [f"entry {number}" for number in range(200)]
    lines[5] = f"token is {VALUE} here"
    (home / "file.txt").write_text("\n".join(lines) + "\n")
    with Screen(home) as screen:
        screen.run("less", "file.txt")
        text = screen.wait(lambda text: "entry 0" in text and "file.txt" in text)
        check(f"token is {MASK}known-value] here" in text, text)
        screen.keys("Space")
        screen.wait(lambda text: "entry 40" in text and "entry 0\n" not in text)
        screen.keys("/entry 150", "Enter")
        screen.wait(lambda text: text.splitlines()[0] == "entry 150")
        screen.keys("g")
        screen.wait(lambda text: text.splitlines()[0] == "entry 0")
        screen.keys("q")
        screen.wait(lambda text: text.rstrip().endswith("ready>"))
    # A line that goes on below: less moves the cursor there in a way of its own.
    (home / "long.txt").write_text("-" * 60 + f" {VALUE} on and on\n")
    with Screen(home) as screen:
        screen.run("less", "long.txt")
        text = screen.wait(lambda text: "on and on" in text and "long.txt" in text)
        check(MASK in text and VALUE[:8] not in text and VALUE[-8:] not in text, text)
        screen.keys("q")
        screen.wait(lambda text: text.rstrip().endswith("ready>"))


TESTS = [
    bash_with_pipes,
    bash_as_a_user,
    python_tracebacks,
    python_prompts,
    npm_scripts,
    cargo_builds,
    git_with_a_secret_in_its_remote,
    make_with_many_jobs,
    a_prompt_like_that_of_ssh,
    top_is_undamaged,
    less_is_undamaged,
]


def main():
    if BLACKBAR is None or not os.access(BLACKBAR, os.X_OK):
        sys.exit(__doc__)
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        sys.exit("not installed: " + ", ".join(missing))
    failed = 0
    for test in TESTS:
        with tempfile.TemporaryDirectory(prefix="blackbar-", ignore_cleanup_errors=True) as home:
            try:
                test(pathlib.Path(home))
                print("ok      ", test.__doc__, flush=True)
            except Failure as failure:
                failed += 1
                print("FAILED  ", test.__doc__, "\n         ", failure, flush=True)
            except Exception:
                failed += 1
                print("FAILED  ", test.__doc__, "\n", traceback.format_exc(), flush=True)
    print(f"{len(TESTS) - failed} of {len(TESTS)} passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
