"""Times of dbt's artifacts that an index was read from, which are in the id of its run."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import NamedTuple

_PARTS = 4
"""Parts of the id of a run that was read from artifacts: environment, unique id, times and source."""


class ArtifactTimes(NamedTuple):
    """Times at which dbt wrote its artifacts; None for an artifact that was not used or has no time."""

    manifest: datetime | None = None
    catalog: datetime | None = None

    @property
    def mark(self) -> str:
        """Part of a run's id, with a dash before it; empty without any time."""
        seconds = [int(time.timestamp()) if time is not None else 0 for time in self]
        return f"-{seconds[0]}.{seconds[1]}" if any(seconds) else ""


def times_of(run_id: str) -> ArtifactTimes:
    """Return the times that `ArtifactTimes.mark` put into the id of a run."""
    parts = run_id.split("-")
    seconds = parts[2].split(".") if len(parts) == _PARTS else ()
    if len(seconds) != len(ArtifactTimes._fields) or not all(one.isdecimal() for one in seconds):
        return ArtifactTimes()
    times = (datetime.fromtimestamp(int(one), timezone.utc) if int(one) else None for one in seconds)
    return ArtifactTimes(*times)
