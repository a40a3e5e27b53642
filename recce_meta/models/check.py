"""One answer of `recce-meta doctor`."""

from __future__ import annotations

from msgspec import Struct


class Check(Struct, frozen=True):
    """One thing looked at: whether it is well, what was seen, and what to do if it is not."""

    name: str
    ok: bool | None
    """None: it could not be tried, or is not wrong, though something is still to be done."""
    detail: str
    hint: str | None = None
