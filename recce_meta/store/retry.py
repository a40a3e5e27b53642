"""Trying again while another writer is in the way."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from recce_meta.errors import TransientFailure

T = TypeVar("T")

ATTEMPTS = 12
FIRST_PAUSE = 0.02
LONGEST_PAUSE = 1.0


def retrying(work: Callable[[], T]) -> T:
    """What *work* returns, which is tried again while another writer is in its way."""
    for attempt in range(ATTEMPTS):
        try:
            return work()
        except TransientFailure:
            if attempt == ATTEMPTS - 1:
                raise
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
            time.sleep(pause * random.uniform(0.5, 1.0))
    raise AssertionError("unreachable")
