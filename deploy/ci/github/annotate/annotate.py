"""Turns a file of findings into annotations (10 a step, as GitHub takes them) and a summary.

Usage: annotate.py FINDINGS. Annotations go to standard output, the table of all secrets to the file
that GITHUB_STEP_SUMMARY names.
"""

import json
import os
import sys

ANNOTATIONS_MAX = 10
# A summary of more than 1 MiB is not shown at all.
SUMMARY_BYTES_MAX = 900_000
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice"}
ORDER = ["critical", "high", "medium", "low"]


def read(path):
    """The secrets of a findings file, the worst and most frequent first: [finding, count]."""
    secrets = {}
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                finding = json.loads(line)
            except ValueError:
                # The last line of a run that was killed.
                print("blackbar: a line of the findings is not whole", file=sys.stderr)
                continue
            key = (finding["rule"]["id"], finding["blackbar"]["fingerprint"])
            secrets.setdefault(key, [finding, 0])[1] += 1
    rank = lambda entry: (ORDER.index(entry[0]["blackbar"]["severity"]), -entry[1])
    return sorted(secrets.values(), key=rank)


def command(text):
    """Text as a workflow command takes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def cell(text):
    """Text as a cell of a Markdown table shows it, whatever it holds."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join("\\" + sign if sign in "\\`*_{}[]()#+-.!|~@:" else sign for sign in text.replace("\n", " "))


def title(finding):
    """What was found: the rule, and of a known value its name."""
    value = finding["blackbar"].get("facts", {}).get("value")
    return finding["rule"]["name"] + (f": {value}" if value else "")


def place(finding):
    log = finding["log"]
    name = log.get("file", {}).get("path") or log.get("iostream") or "stdin"
    return f"{name}:{finding['blackbar']['line']}"


def main():
    path = sys.argv[1]
    if not os.path.exists(path):
        return
    secrets = read(path)
    for finding, count in secrets[:ANNOTATIONS_MAX]:
        own = finding["blackbar"]
        rotate = f" Rotate it first: {own['rotate']}" if "rotate" in own else ""
        text = f"{title(finding)} in the log, {count} times, first at {place(finding)}, {own['action']}.{rotate}"
        print(f"::{LEVELS[own['severity']]} title=blackbar::{command(text)}")
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if not summary or not secrets:
        return
    out = "### Secrets in the log\n\n| severity | secret | times | first | rotate |\n|---|---|---|---|---|\n"
    left = len(secrets)
    for finding, count in secrets:
        own = finding["blackbar"]
        row = [own["severity"], title(finding), str(count), place(finding), own.get("rotate", "")]
        line = "| " + " | ".join(cell(text) for text in row) + " |\n"
        if len((out + line).encode()) > SUMMARY_BYTES_MAX:
            break
        out += line
        left -= 1
    if left:
        out += f"\nand {left} more\n"
    with open(summary, "a", encoding="utf-8") as file:
        file.write(out)


if __name__ == "__main__":
    main()
