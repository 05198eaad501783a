"""What the tests of files have in common: one rule, a random secret of it in each run, and how a failure is told."""

import secrets
import time

PATIENCE = 60  # Seconds after which a test gives up.

SECRET = "acme_" + secrets.token_hex(10)
MASK = "[REDACTED:acme-token]"
RULES = """[[rule]]
id = "acme-token"
name = "Acme token"
severity = "high"
pattern = '''acme_[0-9a-f]{20}'''
reference = "https://acme.example/docs"
examples = ["token: acme_{hex:20}", "acme_{hex:20}"]
counterexamples = ["acme_{hex:8}", "acme_words_and_more_words"]
since = "0.1.0"
"""
PIECES = [SECRET[at : at + 8].encode() for at in range(5, len(SECRET) - 7)]


class Failure(Exception):
    pass


def check(truth, *what):
    if not truth:
        raise Failure(" ".join(str(thing) for thing in what))


def until(what, holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        check(time.monotonic() < end, "waited in vain:", what)
        time.sleep(0.02)


def lines(start, end):
    return "".join(f"line {number:06} token {SECRET} end\n" for number in range(start, end))


def masked(text):
    return text.replace(SECRET, MASK)


def no_leak_in(path):
    text = path.read_bytes()
    check(not any(piece in text for piece in PIECES), path, "holds a piece of the secret")
