"""Programs that tests run as children, and ways to see whether they are gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from recce_meta.repositories import processes

PATIENCE = 120.0
"""Seconds after which a test gives up; far more than anything takes."""
ENVIRONMENT = {"PATH": os.defpath}
_FORKS = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
for _ in range({most}):
    if os.fork() == 0:
        {child}
        time.sleep(1000)
        os._exit(0)
print("ready", flush=True)
{then}
"""


def python(code: str, *arguments: str | Path) -> list[str]:
    """Return the command that runs *code*."""
    return [sys.executable, "-I", "-S", "-c", code, *map(str, arguments)]


def forks(most: int, child: str = "pass", then: str = "time.sleep(1000)") -> str:
    """Return a program with *most* children that ignore signals and first run *child*."""
    return _FORKS.format(most=most, child=child, then=then)


def wait_until(is_true: Callable[[], object], what: str) -> None:
    """Wait until *is_true*; fail after a long time."""
    until = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < until, f"still waiting until {what}"
        time.sleep(0.02)


def wait_until_ended(identity: str) -> None:
    """Wait until the launcher that a pid file identifies has ended, which it does after its program."""
    launcher = json.loads(identity)
    wait_until(lambda: processes._start_of(launcher["pid"]) != launcher["started"], "the launcher is gone")


def running_with(mark: str | Path) -> list[str]:
    """List command lines of running processes that contain *mark*."""
    if not Path("/proc/self").exists():
        shown = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True)
        return [line for line in shown.stdout.splitlines() if str(mark) in line]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.append((folder / "cmdline").read_bytes().decode(errors="replace").replace("\0", " "))
        except OSError:
            continue
    return [line for line in found if str(mark) in line]
