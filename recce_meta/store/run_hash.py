"""Hash of the contents of a run: two stores compare runs with the same id by it.

The hash covers the run's own row, its results and the ids of its graph, macros and facts, which hash their
contents. It leaves out times and durations, what describes the recording and not the run, and all data that
is added after recording. So it is the same in every store, whenever it is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from recce_meta.models import RunMetadata
from recce_meta.store.content import Row, digest

COLUMNS = ("run_id", "content_hash")
OF_THE_RECORDER = frozenset(
    [
        "recorded_at",
        "recorder_version",
        "column_graph_id",
        "git_proven",
        "warnings",
        "extraction",
        "variables",
        "run_started_at",
        "run_completed_at",
        "elapsed_time",
        "critical_path",
        "full_refresh",
        "args",
        "job",
        "commit_url",
    ]
)
"""Fields that may differ between two recordings of one run: they describe how it was recorded."""
_RUN_FIELDS = tuple(
    place
    for place, name in enumerate(RunMetadata.__struct_fields__)
    if name not in OF_THE_RECORDER and name != "run_at"
)
_RESULT_FIELDS = (1, 2, 4, 5, 6, 7)
"""Positions in a row of `run_results` without durations and times, and without what version 18 lacks."""

_encode = msgspec.json.Encoder(order="deterministic").encode


def content_hash(run: Sequence[object], results: Iterable[Row], fact_parts: Iterable[str]) -> str:
    """Return the hash of a run.

    *run* is the row of `runs`, *results* are the rows of `run_results`, and *fact_parts* are the ids of the
    parts of its facts, all in any order.
    """
    # Warehouses may return whole numbers as other types.
    header = [plain_number(run[place]) for place in _RUN_FIELDS]
    rows = sorted(
        ([plain_number(row[place]) for place in _RESULT_FIELDS] for row in results),
        key=_encode,
    )
    return digest(_encode((header, rows, sorted(fact_parts))))


def plain_number(value: object) -> object:
    """Return a whole number as an integer, and any other value unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def hashes_of(runs: Iterable[Row], results: Iterable[Row], fact_parts: Iterable[Row]) -> Mapping[str, str]:
    """Return the hash of each of *runs*, from their rows of `runs`, `run_results` and `fact_parts`."""
    results_of: dict[object, list[Row]] = {}
    for row in results:
        results_of.setdefault(row[0], []).append(row)
    parts_of: dict[object, list[str]] = {}
    for run_id, part in fact_parts:
        parts_of.setdefault(run_id, []).append(str(part))
    return {
        str(run[0]): content_hash(run, results_of.get(run[0], ()), parts_of.get(run[0], ())) for run in runs
    }
