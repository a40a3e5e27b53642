"""A sign of life for work that takes over a second, on a terminal alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from recce_meta.masking import neutralise

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
AFTER = 1.0
EVERY = 0.1


@contextmanager
def progress(message: str) -> Iterator[Callable[[str], None]]:
    """Show *message* with a spinner on standard error while the block runs, from its second second on.

    The block is given a function that puts another message in its place.
    """
    shown = [message]

    def tell(text: str) -> None:
        shown[0] = text

    if not sys.stderr.isatty():
        yield tell
        return
    done = Event()
    spinner = Thread(target=_spin, args=(shown, done), daemon=True)
    spinner.start()
    try:
        yield tell
    finally:
        done.set()
        spinner.join()


def _spin(shown: list[str], done: Event) -> None:
    if done.wait(AFTER):
        return
    frame = 0
    while True:
        sys.stderr.write(f"\r{FRAMES[frame % len(FRAMES)]} {neutralise(shown[0])}\x1b[K")
        sys.stderr.flush()
        frame += 1
        if done.wait(EVERY):
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            return
