#!/usr/bin/env python3
"""Turns log and documentation text into `src/scan/judge/bigrams.rs`: how much likelier text makes a pair than chance does.

  bigrams.py FOLDER [FOLDER ...] > src/scan/judge/bigrams.rs

Trained on a folder of public CI and service logs (LogHub's samples of Android, Apache, HDFS, Hadoop, Linux, Mac,
OpenStack and Spark; CI logs of Unity, Rust and Firefox builds) and on /usr/share/doc of Debian 12.
Each different word counts once, so that no frequent line weighs more than the language. Words that are half
digits are left out: they are what the table must tell from text. Numbers are eighths of a bit.
"""
import gzip, math, os, re, sys

WORD = re.compile(rb"[A-Za-z0-9_\-./]{3,64}")
BYTES_A_FILE_MAX = 2_000_000


def words(folders):
    seen = set()
    for folder in folders:
        for base, _, files in os.walk(folder):
            for name in sorted(files):
                path = os.path.join(base, name)
                try:
                    opener = gzip.open if name.endswith(".gz") else open
                    with opener(path, "rb") as f:
                        data = f.read(BYTES_A_FILE_MAX)
                except (OSError, EOFError, gzip.BadGzipFile):
                    continue
                if b"\0" in data[:4096]:
                    continue
                for w in WORD.findall(data):
                    digits = sum(48 <= c < 58 for c in w)
                    if digits * 2 < len(w) and not (len(w) > 20 and digits > 4):
                        seen.add(w)
    return seen


def kind(c):
    return 0 if 97 <= c < 123 else 1 if 65 <= c < 91 else 2 if 48 <= c < 58 else 3


def main():
    pairs = [[0.5] * 26 for _ in range(26)]
    kinds = [[0.5] * 4 for _ in range(4)]
    for w in words(sys.argv[1:]):
        low = w.lower()
        for a, b, x, y in zip(w, w[1:], low, low[1:]):
            kinds[kind(a)][kind(b)] += 1
            if kind(x) == 0 and kind(y) == 0:
                pairs[x - 97][y - 97] += 1
    bits = lambda p: max(-64, min(63, round(8 * math.log2(p))))
    print("//! The numbers by which `randomness` tells text from chance, written by `tools/bigrams.py`. Holds no text.\n")
    print("/// How much likelier text makes the second letter after the first than a random draw of 26, in eighths of a bit.")
    print("#[rustfmt::skip]\npub const PAIRS: [[i8; 26]; 26] = [")
    for row in pairs:
        print("    [" + ", ".join(str(bits(n * 26 / sum(row))) for n in row) + "],")
    print("];\n")
    print("/// The log-probability in text that a lower-case letter, upper-case letter, digit or other byte is followed by each.")
    print("#[rustfmt::skip]\npub const KINDS: [[i8; 4]; 4] = [")
    for row in kinds:
        print("    [" + ", ".join(str(bits(n / sum(row))) for n in row) + "],")
    print("];")


main()
