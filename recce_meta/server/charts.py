"""Charts of one figure over time: a line in a square of 100 units, which stretches with the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from recce_meta.report.labels import moment

MARGIN = 6.0
"""Space above the highest and below the lowest point."""


@dataclass(frozen=True)
class TimePoint:
    """One point of a line."""

    x: float
    y: float
    """Distance from the top."""
    label: str
    """Time and value as text."""


@dataclass(frozen=True)
class TimeChart:
    """A line over time."""

    title: str
    points: tuple[TimePoint, ...]
    path: str
    """Path of SVG; a missing value interrupts the line."""
    lowest: str
    highest: str
    first: str
    last: str

    @property
    def summary(self) -> str:
        """Return the chart in one sentence, for readers who do not see it."""
        if self.lowest == self.highest:
            values = f"always {self.highest}"
        else:
            values = f"between {self.lowest} and {self.highest}"
        return f"{self.title} from {self.first} to {self.last}: {values}; last {self.points[-1].label}"


def time_chart(
    title: str, values: Sequence[tuple[datetime, float | None]], text: Callable[[float], str]
) -> TimeChart | None:
    """Return the chart of *values*, oldest first, as *text* shows them; None with fewer than two values."""
    there = [(at, value) for at, value in values if value is not None]
    # One point is not a line, and its value is on the page already.
    if len(there) < 2:
        return None
    lowest, highest = min(value for _, value in there), max(value for _, value in there)
    times = [at.timestamp() for at, _ in values]
    first, length = times[0], times[-1] - times[0]
    points, steps, is_open = [], [], False
    for index, (at, value) in enumerate(values):
        if value is None:
            is_open = False
            continue
        # Points of one moment are placed side by side.
        share = (times[index] - first) / length if length > 0 else index / (len(values) - 1)
        # A constant is a line in the middle: at an edge it would look like an extreme.
        level = (value - lowest) / (highest - lowest) if highest > lowest else 0.5
        point = TimePoint(
            round(MARGIN / 6 + (100 - MARGIN / 3) * share, 2),
            round(100 - MARGIN - (100 - 2 * MARGIN) * level, 2),
            f"{text(value)} at {moment(at)}",
        )
        steps.append(f"{'L' if is_open else 'M'}{point.x:g} {point.y:g}")
        points.append(point)
        is_open = True
    return TimeChart(
        title=title,
        points=tuple(points),
        path="".join(steps),
        lowest=text(lowest),
        highest=text(highest),
        first=moment(there[0][0]),
        last=moment(there[-1][0]),
    )
