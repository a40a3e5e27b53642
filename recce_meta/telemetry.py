"""Counts and durations of what this process did since its start, which `/metrics` shows.

Each is one addition under a lock, so they are taken in every process, also without metrics. Labels have few
values that are known here: no names, branches or addresses.
"""

from __future__ import annotations

from bisect import bisect_left
from threading import Lock

_LOCK = Lock()
"""Lock of all series: an addition takes less than a microsecond."""


class EventCounter:
    """Number of events, by labels."""

    def __init__(self, name: str, help_text: str, labels: tuple[str, ...]) -> None:
        self.name, self.help_text, self.labels = name, help_text, labels
        self._counts: dict[tuple[str, ...], int] = {}

    def count(self, *values: str) -> None:
        """Count an event with the *values* of the labels."""
        with _LOCK:
            self._counts[values] = self._counts.get(values, 0) + 1

    def samples(self) -> dict[tuple[str, ...], int]:
        """Return the counts by the values of the labels."""
        with _LOCK:
            return dict(self._counts)


class DurationHistogram:
    """Number and sum of durations, by labels and by upper bound."""

    def __init__(self, name: str, help_text: str, labels: tuple[str, ...], bounds: tuple[float, ...]) -> None:
        self.name, self.help_text, self.labels, self.bounds = name, help_text, labels, bounds
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, seconds: float, *values: str) -> None:
        """Add a duration of *seconds* with the *values* of the labels."""
        with _LOCK:
            counts = self._counts.setdefault(values, [0] * (len(self.bounds) + 1))
            counts[bisect_left(self.bounds, seconds)] += 1
            self._sums[values] = self._sums.get(values, 0.0) + seconds

    def samples(self) -> dict[tuple[str, ...], tuple[list[int], float]]:
        """Return the counts between the bounds, the last above all, and the sum, by the values of labels."""
        with _LOCK:
            return {values: (list(counts), self._sums[values]) for values, counts in self._counts.items()}


_OF_REQUESTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_OF_JOBS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)

REQUESTS = DurationHistogram(
    "recce_meta_request_seconds", "Seconds of HTTP requests", ("method", "kind", "status"), _OF_REQUESTS
)
JOBS = DurationHistogram(
    "recce_meta_job_seconds", "Seconds of jobs from their start to their end", ("status",), _OF_JOBS
)
STAGES = DurationHistogram(
    "recce_meta_stage_seconds", "Seconds of stages of jobs, with their waits", ("stage", "status"), _OF_JOBS
)
WEBHOOKS = EventCounter(
    "recce_meta_webhook_deliveries", "Deliveries of webhooks, by what became of them", ("forge", "outcome")
)
COMMENTS = EventCounter(
    "recce_meta_comments",
    "Comments and commit statuses of pull requests, by their outcome",
    ("forge", "kind", "outcome"),
)
TASKS = EventCounter(
    "recce_meta_tasks_ended", "Attempts of reports, checks and notifications", ("kind", "outcome")
)
COUNTERS = (WEBHOOKS, COMMENTS, TASKS)
HISTOGRAMS = (REQUESTS, JOBS, STAGES)
