"""Count of provisional answers of this process: equal inputs may have another answer later.

An answer is provisional if it ended at a limit of time, or if it rests on more of a store than it is about.
A cache compares the count before and after an answer, and keeps no answer for good that was counted. The
count is that of all threads, because work with a limit of time may have a thread of its own. At worst, an
answer is computed again.
"""

from __future__ import annotations

from itertools import count

_COUNTER = count(1)
_LAST = [0]


def note_provisional() -> None:
    """Count one more provisional answer."""
    # `next` is one step of the interpreter, so two threads never get the same number.
    _LAST[0] = next(_COUNTER)


def provisional_count() -> int:
    """Return a number that differs after each provisional answer."""
    return _LAST[0]
