"""Shell sessions kept as Markdown: commands after `$ `, and below each what it printed.

A line that starts with `> ` continues the command above it, as in a shell. Output lines are indented by two
blanks, so that output that looks like a prompt stays output. `[exit 1]` follows output of a command that
failed. One shell runs all commands of a file in a new folder, so that variables and folders carry over.

What differs between two runs of the same commands is replaced: ids, times, durations, folders and versions.
Ids are numbered in the order in which they appear.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]
KEPT = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "LD_LIBRARY_PATH")
MARK = "\x1e"
"""Printed after each command, with its exit code."""


class Step(NamedTuple):
    """One command of a session."""

    command: str
    first: int
    """Index of the command's first line in the file."""
    last: int
    """Index of the line after its output."""
    shown: list[str]


def steps_of(lines: list[str]) -> list[Step]:
    """Return the commands in the console blocks of a Markdown file, with the output below each."""
    found: list[Step] = []
    is_console = False
    for index, line in enumerate(lines):
        if line.startswith("```"):
            is_console = line == "```console"
        elif not is_console:
            continue
        elif line.startswith("$ "):
            found.append(Step(line[2:], index, index + 1, []))
        elif line.startswith(">") and found[-1].last == index and not found[-1].shown:
            step = found[-1]
            found[-1] = step._replace(command=f"{step.command}\n{line[2:]}", last=index + 1)
        else:
            found[-1] = found[-1]._replace(last=index + 1)
            found[-1].shown.append(line.removeprefix("  "))
    return found


def output_start(step: Step) -> int:
    """Return the index of the first output line of *step*."""
    return step.first + step.command.count("\n") + 1


def run(commands: list[str], folder: Path, programs: Mapping[str, str], **environ: str) -> list[str]:
    """Run *commands* in one shell in *folder*; return the output of each, with `[exit N]` if it failed.

    *programs* gives the commands that the shell finds by these names, before all others.
    """
    bin_folder = folder.parent / "bin"
    bin_folder.mkdir()
    for name, command in programs.items():
        (bin_folder / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        (bin_folder / name).chmod(0o755)
    script = folder.parent / "session.sh"
    marked = [f"{command}\nprintf '{MARK}%s{MARK}' $?\n" for command in commands]
    script.write_text("".join(marked), encoding="utf-8")
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    ran = subprocess.run(
        ["bash", str(script)],
        cwd=folder,
        env={
            **kept,
            "HOME": str(folder.parent / "home"),
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "COLUMNS": "110",
            **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "Ada"),
            **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "ada@example.com"),
            **dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-11-20T08:00:00Z"),
            "GIT_CONFIG_NOSYSTEM": "1",
            **environ,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
        check=False,
    )
    pieces = ran.stdout.decode("utf-8").split(MARK)
    texts, codes = pieces[:-1:2], pieces[1::2]
    assert len(texts) == len(commands), f"The shell ended early:\n{ran.stdout.decode('utf-8')[-3000:]}"
    known: dict[str, str] = {}
    plain = [_replaced(text, folder, known) for text in texts]
    return [
        text if code == "0" else f"{text.rstrip()}\n[exit {code}]".lstrip()
        for text, code in zip(plain, codes, strict=True)
    ]


python = shlex.quote(sys.executable)
RECCE_META = f"{python} -W error -m recce_meta"

_ID = re.compile(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{8}(?:-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?\b")
_OTHERS = (
    (re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d)?(\.\d+)?"), r"2026-11-21\g<1>09:00\g<2>"),
    (re.compile(r"\b\d+(\.\d+)?(?= ?(s|ms|seconds)\b)"), "1.0"),
    (re.compile(r"\b(\d+ |an? )(second|minute|hour)s? ago"), "1 minute ago"),
    (re.compile(r"\b\d+(\.\d+)? ([kKM]i?B)\b"), "100 kB"),
    (re.compile(r"\b1\.1[0-9]\.\d+\b"), "1.11.0"),
    # Versions of the store have tests of their own.
    (re.compile(r"(?<=, version )\d+$|(?<= version )\d+(?=, read version)", re.MULTILINE), "13"),
    (re.compile(r"(?<=PostgreSQL )\d+(\.\d+)*"), "15.0"),
    (re.compile(r"(?<=duckdb )(v?)\d+(\.\d+)+"), r"\g<1>2.0.0"),
)


def _replaced(text: str, folder: Path, known: dict[str, str]) -> str:
    """Return *text* without what differs between two runs; *known* holds the ids seen so far."""

    def numbered(found: re.Match[str]) -> str:
        short = known.setdefault(found[0][:8], f"{len(known) + 1:08d}"[-8:].replace("0", "a", 7))
        return short + found[0][8:].translate(str.maketrans("123456789abcdef", "0" * 15))

    text = text.replace(str(folder), "~/shop").replace(str(folder.parent), "~")
    text = _ID.sub(numbered, text)
    for pattern, replacement in _OTHERS:
        text = pattern.sub(replacement, text)
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())
