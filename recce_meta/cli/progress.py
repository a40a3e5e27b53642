"""A sign of life for work that takes over a second, on a terminal alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
AFTER = 1.0
EVERY = 0.1


@contextmanager
def progress(message: str) -> Iterator[None]:
    """Show *message* with a spinner on standard error while the block runs, from its second second on."""
    if not sys.stderr.isatty():
        yield
        return
    done = Event()
    spinner = Thread(target=_spin, args=(message, done), daemon=True)
    spinner.start()
    try:
        yield
    finally:
        done.set()
        spinner.join()


def _spin(message: str, done: Event) -> None:
    if done.wait(AFTER):
        return
    frame = 0
    while True:
        sys.stderr.write(f"\r{FRAMES[frame % len(FRAMES)]} {message}")
        sys.stderr.flush()
        frame += 1
        if done.wait(EVERY):
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            return
