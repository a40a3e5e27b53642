"""Trying again while another writer is in the way."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from recce_meta.errors import TransientFailure

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""How long others are waited for: a writer's transaction takes some of them where each statement is a job."""
FIRST_PAUSE = 0.02
LONGEST_PAUSE = 1.0


def retrying(work: Callable[[], T]) -> T:
    """What *work* returns, which is tried again while another writer is in its way."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = FIRST_PAUSE
    while True:
        try:
            return work()
        except TransientFailure:
            if time.monotonic() >= deadline:
                raise
        time.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(LONGEST_PAUSE, 2 * pause)
