"""First rows of failed tests: where they come from, and which values are stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.failed_rows import with_failed_rows
from recce_meta.models import NodeMetadata, NodeResult, Project, RunMetadata
from recce_meta.quality.masking import privacy_of

MODEL = "select id, lower(email) as contact, amount from raw_people"
RAW = NodeMetadata(
    unique_id="source.shop.raw.raw_people",
    name="raw_people",
    resource_type="source",
    schema_name="main",
    identifier="raw_people",
    relation_name="raw_people",
)
PEOPLE = NodeMetadata(
    unique_id="model.shop.people",
    name="people",
    resource_type="model",
    schema_name="main",
    identifier="people",
    relation_name="people",
    compiled_code=MODEL,
    raw_code=MODEL,
    materialized="table",
    parents=(RAW.unique_id,),
)


@pytest.fixture
def data() -> Iterator[UnifiedSqlAdapter]:
    with UnifiedSqlAdapter.from_url("duckdb:///:memory:") as adapter:
        adapter.execute(
            "CREATE TABLE raw_people AS SELECT range AS id, 'A' || range || '@x.com' AS email,"
            " CAST(range AS DECIMAL(9, 2)) / 2 AS amount FROM range(9)"
        )
        adapter.execute(f"CREATE TABLE people AS {MODEL}")
        adapter.execute("CREATE TABLE audit AS SELECT 99 AS id")
        yield adapter


def failed(code: str | None, status: str = "fail", model: NodeMetadata = PEOPLE, **fields: Any) -> Project:
    """A run with a test of that SQL."""
    test = NodeMetadata(
        unique_id="test.shop.t", name="t", resource_type="test", compiled_code=code, raw_code="{{ test }}",
        parents=(model.unique_id,), **fields,
    )  # fmt: skip
    run = RunMetadata(
        run_id="r",
        run_at=datetime(2026, 11, 1, tzinfo=timezone.utc),
        project_name="shop",
        environment="base",
        adapter_type="duckdb",
    )
    result = NodeResult(unique_id="test.shop.t", status=status, failures=9)
    return Project(run=run, nodes=(RAW, model, test), results=(result,))


WHOLE = "select id, contact, amount from people where id > 1 order by id -- odd"


@pytest.mark.parametrize(
    ("project", "private", "rows"),
    [
        (failed(WHOLE), "", [(2, "a2@x.com", 1.0), (3, "a3@x.com", 1.5)]),
        (failed(WHOLE, "warn"), "amount", [(2, "***", "***"), (3, "***", "***")]),
        (failed(WHOLE, relation_name="audit"), "", [(99,)]),
        (failed("with p as (select * from people) select count(*) from p"), "nothing", [(9,)]),
        (failed("select p.id, q.id from people p join people q using (id) where id = 1"), "", [(1, 1)]),
        (
            failed("select repeat('x', 1200) as long, 1e400, 'nan'::float"),
            "",
            [("x" * 1000 + "…", "inf", "nan")],
        ),
        # The model is not traced: its SQL is not known.
        (failed(WHOLE, model=replace(PEOPLE, compiled_code=None)), "nothing", [("***",) * 3] * 2),
        (failed(WHOLE, "pass"), "", None),
        (failed(WHOLE, "error"), "", None),
        (failed("select 1 from people where false"), "", []),
    ],
)
def test_rows_of_a_failed_test(
    data: UnifiedSqlAdapter, project: Project, private: str, rows: list[Any] | None
) -> None:
    privacy = privacy_of(no_values=False, private=[private] if private else [])

    found = with_failed_rows(data, project, 2, privacy, store=data)

    kept = found.results[0].failed_rows
    assert (None if kept is None else [tuple(row.values()) for row in kept]) == rows
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("project", "why"),
    [
        (failed("select gone from people"), "Failed rows of t were not read: Binder Error"),
        (failed(None), "Failed rows of t were not read: its SQL is not compiled"),
        (failed(WHOLE, relation_name="gone"), "Failed rows of t were not read: "),
        (
            failed("select cast(contact as int) from people"),
            "Failed rows of t were not read: the query failed",
        ),
    ],
)
def test_a_test_without_readable_rows_has_a_warning(
    data: UnifiedSqlAdapter, project: Project, why: str
) -> None:
    privacy = privacy_of(no_values=False, private=["nothing"])

    found = with_failed_rows(data, project, 2, privacy, store=data)

    assert found.results == project.results
    (warning,) = found.warnings
    assert warning.startswith(why)
    assert "x.com" not in warning
