"""Asking again after a failure that may pass.

TransientFailure says that the warehouse has undone what it had begun: any statement may be asked again.
ConnectionLost leaves open whether the statement has run: it is asked again if it only reads, unless the
server answered no new connection either. Nothing else is repeated, and nothing within a session, whose
earlier statements are gone with it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from recce_meta.adapter.cancellation import NO_ANSWER
from recce_meta.errors import ConnectionLost, TransientFailure

Result = TypeVar("Result")

ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.1
"""Doubled after each attempt, and shortened by up to a half, so that those who met do not meet again."""


def repeated(
    work: Callable[[float | None], Result], *, only_reads: Callable[[], bool], timeout: float | None = None
) -> Result:
    """What *work* gives; after a failure that may pass, it is done again, a few times.

    All attempts together have *timeout* seconds; *work* is given those that are left. *only_reads* is asked
    where it is not known whether the work was done.
    """
    started = time.monotonic()
    left = timeout
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return work(left)
        except (TransientFailure, ConnectionLost) as error:
            pause = FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
            if timeout is not None:
                left = timeout - (time.monotonic() - started) - pause
            is_late = left is not None and left <= 0
            is_late = is_late or error.code == NO_ANSWER
            if attempt == ATTEMPTS or is_late or not (error.retriable or only_reads()):
                raise
            time.sleep(pause)
    raise AssertionError("unreachable")
