"""Critical path of a build, against chains counted by hand."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from recce_meta.extractors.critical_path import critical_path
from recce_meta.models import NodeMetadata, NodeResult

START = datetime(2026, 11, 1, tzinfo=timezone.utc)
EDGES = {
    "model.a": (),
    "model.b": ("model.a",),
    "model.ephemeral": ("model.b",),
    "model.c": ("model.ephemeral",),
    "model.d": (),
    "model.e": ("model.a", "model.d"),
    "test.a": ("model.a",),
    "test.both": ("model.a", "model.d"),
    "unit_test.b": ("model.b",),
}
NODES = [
    NodeMetadata(unique_id=one, name=one, resource_type=one.partition(".")[0], parents=parents)
    for one, parents in EDGES.items()
]


def result(unique_id: str, start: float | None, end: float) -> NodeResult:
    if start is None:
        return NodeResult(unique_id=unique_id, status="skipped")
    first, last = (START + timedelta(seconds=one) for one in (start, end))
    return NodeResult(
        unique_id=unique_id, status="success", compile_started_at=first, execute_completed_at=last
    )


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ({}, None),
        ({"model.a": (None, 0)}, None),
        ({"model.a": (0, 4)}, 4),
        # `d` waits for a thread; `b` waits for `a`.
        ({"model.a": (0, 4), "model.d": (4, 9), "model.b": (9, 10)}, 5),
        ({"model.a": (0, 4), "model.b": (5, 6), "model.c": (6.5, 9)}, 7.5),
        # dbt build: a test holds up the readers of its node.
        ({"model.a": (0, 4), "test.a": (4, 6), "model.b": (6, 7), "model.d": (0, 1)}, 7),
        # dbt run and dbt test: it does not.
        ({"model.a": (0, 4), "test.a": (5, 7), "model.b": (5, 6)}, 6),
        (
            {"model.a": (0, 4), "model.d": (0, 5), "test.both": (5, 8), "model.e": (8, 9), "model.b": (5, 6)},
            9,
        ),
        ({"unit_test.b": (0, 3), "model.a": (0, 1), "model.b": (3, 4)}, 4),
        # A clock that went back.
        ({"model.a": (4, 3), "model.b": (5, 6)}, 1),
    ],
)
def test_seconds_of_the_longest_chain(
    spans: dict[str, tuple[float | None, float]], seconds: float | None
) -> None:
    results = [result(one, *span) for one, span in spans.items()]
    assert critical_path(NODES, results) == seconds
