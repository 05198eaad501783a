"""Turns a file of findings into annotations (10 a step, as GitHub takes them) and a summary.

Usage: annotate.py FINDINGS. Annotations go to standard output, the table of all secrets to the file
that GITHUB_STEP_SUMMARY names.
"""

import json
import os
import sys

ANNOTATIONS_MAX = 10
ROWS_MAX = 1000
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice"}
ORDER = ["critical", "high", "medium", "low"]


def read(path):
    """The secrets of a findings file, the worst and most frequent first: [finding, count]."""
    secrets = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            finding = json.loads(line)
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
        text = f"{finding['rule']['name']} in the log, {count} times, first at {place(finding)}, {own['action']}.{rotate}"
        print(f"::{LEVELS[own['severity']]} title=blackbar::{command(text)}")
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if not summary or not secrets:
        return
    with open(summary, "a", encoding="utf-8") as out:
        out.write("### Secrets in the log\n\n| severity | secret | times | first | rotate |\n|---|---|---|---|---|\n")
        for finding, count in secrets[:ROWS_MAX]:
            own = finding["blackbar"]
            row = [own["severity"], finding["rule"]["name"], str(count), place(finding), own.get("rotate", "")]
            out.write("| " + " | ".join(cell(text) for text in row) + " |\n")
        if len(secrets) > ROWS_MAX:
            out.write(f"\nand {len(secrets) - ROWS_MAX} more\n")


if __name__ == "__main__":
    main()
