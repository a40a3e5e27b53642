"""A run that is carried from one store to another has the same rows there, in every table."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from math import isnan
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.export import cut
from recce_meta.api.record import record_run
from recce_meta.errors import ArtifactError, SelectorError, StoreError
from recce_meta.models import Project, RunMetadata
from recce_meta.models.catalog import RelationFacts
from recce_meta.models.checks import StoredCheck, StoredFinding
from recce_meta.models.data_diff import (
    ColumnValues,
    Example,
    KeyCounts,
    Profile,
    RowCount,
    RowCountDiff,
    Subject,
    ValueDiff,
)
from recce_meta.models.export import Export
from recce_meta.models.marks.review import Review
from recce_meta.models.node import SourceFreshness
from recce_meta.models.quality import (
    ColumnQuality,
    MetricResult,
    Quality,
    QualityRun,
    Sample,
    TableQuality,
    ValueCount,
)
from recce_meta.models.stored import ColumnStatistics, NodeStatistics
from recce_meta.store.check_results import save_checks
from recce_meta.store.data_diffs import save_data_diffs
from recce_meta.store.export import read_export, write_export
from recce_meta.store.export_document import SEAL, document, export_of
from recce_meta.store.marks.reviews import save_reviews
from recce_meta.store.quality import write_quality
from recce_meta.store.read import run_by_id
from recce_meta.store.select import load_run
from recce_meta.store.session import open_store
from recce_meta.store.sql_files import DEFAULT_SCHEMA, KEYS
from recce_meta.store.statistics import write_statistics
from tests.contract.store.conftest import Store

AT = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=timezone.utc)
NASTY = "ünï 🦆 'q' \"d\" \\ \\N %s :x ⟦ ⟧ {{ y }} =1+1 \t\r\n"


def profile(**fields: Any) -> Profile:
    return Profile(**{"type": "DECIMAL(38,2)", "row_count": 10, "not_null_count": 8, **fields})


STATISTICS = (
    NodeStatistics(
        unique_id="model.shop.m000",
        counted_at=AT,
        row_count=2**40,
        profiled_at=AT + timedelta(seconds=1),
        columns=(
            ColumnStatistics(name="id", profile=profile(min=Decimal("-1.50"), max=2**70, avg=0.1, median=1)),
            ColumnStatistics(
                name=NASTY, profile=profile(min=float("-inf"), max=float("nan"), avg_length=2.5)
            ),
            ColumnStatistics(name="at", profile=profile(min=date(2020, 2, 29), max=AT, median=b"\0\xff")),
            ColumnStatistics(name="text", profile=profile(min="", max="a\0\ud800", median=[1, None, NASTY])),
        ),
    ),
    NodeStatistics(unique_id="model.shop.m001", counted_at=AT, reason=f"gone {NASTY}", profile_reason="no"),
)
QUALITY = Quality(
    run=QualityRun(
        quality_run_id="q-1",
        run_id="current-1",
        project_name="shop",
        environment="current",
        started_at=AT,
        finished_at=AT + timedelta(seconds=9),
        sample=Sample(percent=12.5, seed=42),
        table_count=2,
        failed_count=1,
        score=75.125,
    ),
    tables=(
        TableQuality(
            unique_id="model.shop.m000",
            name="m000",
            relation='"db"."m000"',
            measured_at=AT,
            row_count=10,
            sampled_rows=8,
            score=75.125,
            columns=(
                ColumnQuality(
                    name="id",
                    profile=profile(min=1, max=Decimal("1E+3")),
                    top_values=(ValueCount(value=None, count=2), ValueCount(value=NASTY, count=1)),
                    metrics=(MetricResult(name="even", value=float("inf"), threshold="< 5", holds=False),),
                    score=50.5,
                    blank_count=3,
                    is_declared_unique=True,
                ),
                ColumnQuality(name="email", is_private=True, reason="withheld"),
            ),
            metrics=(MetricResult(name="fresh", value=AT),),
            notes=(NASTY,),
        ),
        TableQuality(
            unique_id="model.shop.m001", name="m001", relation="m001", measured_at=AT, reason=f"gone {NASTY}"
        ),
    ),
)
COLUMN_VALUES = ColumnValues(
    name="amount",
    base_type="INTEGER",
    current_type="DECIMAL(9,2)",
    matched=1,
    mismatched=2,
    mean_difference=float("-inf"),
    largest_difference=0.25,
    examples=(Example(key=(date(2026, 1, 1),), base=Decimal("1.50"), current="a\0\ud800"),),
)
VALUES = ValueDiff(
    subject=Subject(name="m000", unique_id="model.shop.m000", base="b", current=NASTY),
    key=("id",),
    key_source="unique test",
    base=KeyCounts(rows=3),
    current=KeyCounts(rows=3),
    common=3,
    changed=2,
    columns=(COLUMN_VALUES,),
    notes=("a\0b", NASTY),
)
COUNTS = RowCountDiff(counts=(RowCount(subject=Subject(name="m001"), base=1, current=None),))


def odd(project: Project) -> Project:
    """*project* with what is hard to keep: texts, code of other places, foreign keys, facts."""
    key = {
        "name": NASTY,
        "type": "foreign_key",
        "columns": ["a", "b"],
        "references": {"relation": "model.shop.m001", "columns": ["c", "d"]},
    }
    first, second, *rest = project.nodes
    first = replace(
        first,
        raw_code=NASTY,
        compiled_code=f'select "db"."prod"."m000" as x, \'{NASTY}\' from ⟦model.shop.m001⟧',
        config={"n": 2**80, "f": 0.1, "nul": "a\0b", "é": [None, {"k": True}], "": ""},
        properties={"constraints": [key]},
        contract={},
        description=f"a\0b {NASTY}",
        group_name="finance",
    )
    second = replace(second, compiled_code="", meta={"big": 10**30}, version="2")
    facts = (
        RelationFacts(unique_id="model.shop.m000", row_estimate=3, bytes=2**50, created_at=AT),
        RelationFacts(unique_id="model.shop.m001"),
    )
    freshness = SourceFreshness(
        unique_id="source.shop.raw", status="pass", max_loaded_at=AT, criteria={"filter": NASTY}
    )
    return replace(project, nodes=(first, second, *rest), facts=facts, freshness=(freshness,))


CHECK = StoredCheck(
    check_result_id="",
    checked_at=AT,
    base_run_id="base-1",
    current_run_id="current-1",
    file_name="checks.yml",
    ordinal=1,
    check_name=NASTY,
    check_type="row_count_diff",
    status="failed",
    has_expectations=True,
    node_count=1,
    differing_nodes=1,
    uncompared_nodes=0,
    message=NASTY,
    violations=(NASTY, "b"),
    findings=(StoredFinding(unique_id="model.shop.m001", name="m001", finding="differs", text="1 → 2"),),
    seconds=0.25,
    parameters={"names": ["m001"], "text": NASTY},
    recorder_version="0.1.0",
)


REVIEWS = [
    Review(
        review_id="",
        reviewed_at=AT + timedelta(minutes=minute),
        project_name="shop",
        base_run_id="base-1",
        current_run_id="current-1",
        unique_id="model.shop.m001" if minute else None,
        check_name=None if minute else NASTY,
        status=status,
        comment=NASTY,
        reviewer="Ann",
        fingerprint="f" * 32,
        recorder_version="0.1.0",
    )
    for minute, status in enumerate(("seen", "approved", "withdrawn"))
]


def record_both(store: Any, make_project: Callable[..., Project]) -> list[RunMetadata]:
    """Two runs with all that is kept with a run; the diff between them belongs to the later."""
    base = make_project("base-1", environment="base", run_at=AT - timedelta(days=1))
    current = odd(make_project("current-1", branch=NASTY, git_dirty=False, changed=("m002",)))
    recorded = [record_run(store.adapter.at(store.schema), run).run for run in (base, current)]
    write_statistics(store.adapter.at(store.schema), recorded[1], STATISTICS)
    write_quality(store.adapter.at(store.schema), QUALITY)
    save_data_diffs(
        store.adapter.at(store.schema),
        [VALUES, COUNTS],
        base_run=recorded[0],
        current_run=recorded[1],
        taken_at=AT,
        parameters={"key": ["id"], "text": NASTY},
    )
    save_checks(store.adapter.at(store.schema), [CHECK])
    save_reviews(store.adapter.at(store.schema), REVIEWS)
    return recorded


@pytest.fixture
def another_store(store: Any, tmp_path: Path) -> Iterator[Store]:
    """A place for another store in the same warehouse: another schema, or another file of SQLite."""
    name = store.backend.spelling.schema_name()
    if name == store.schema:
        with UnifiedSqlAdapter.from_url(f"{store.backend.name}:///{tmp_path / 'another.db'}") as adapter:
            yield Store(store.backend, name, adapter)
        return
    yield Store(store.backend, name, store.adapter)
    if store.backend.name != "duckdb":
        store.backend.spelling.drop_schema(store.adapter, name)


@pytest.fixture
def file(tmp_path: Path, default_file: Path, request: pytest.FixtureRequest) -> Iterator[UnifiedSqlAdapter]:
    """A DuckDB file with an empty store, or without one for tests `without_store`."""
    if request.node.get_closest_marker("without_store") is None:
        shutil.copy(default_file, tmp_path / "elsewhere.duckdb")
    with UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'elsewhere.duckdb'}") as adapter:
        yield adapter


_whole: list[Export] = []


@pytest.fixture
def whole(default_file: Path, make_project: Callable[..., Project], tmp_path: Path) -> Export:
    """The later run, read once from a store that is gone by then."""
    if not _whole:
        shutil.copy(default_file, tmp_path / "source.duckdb")
        with UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'source.duckdb'}") as source:
            record_both(Source(source), make_project)
            _whole.append(exported(source, DEFAULT_SCHEMA, "current-1"))
    return _whole[0]


class Source(NamedTuple):
    """A store as `record_both` takes it."""

    adapter: UnifiedSqlAdapter
    schema: str = DEFAULT_SCHEMA


DERIVED = ("graph_steps", "graph_changes", "graph_impacts", "code_steps", "code_changes", "kept_diffs")
"""Tables of differences between two runs, which exports leave out."""
OF_NO_RUN = ("annotation_events", "tombstones", "syncs", "sync_conflicts", "sync_conflict_pieces")
"""Tables whose rows belong to no run, so exports leave them out."""


def rows(
    adapter: UnifiedSqlAdapter, schema: str = DEFAULT_SCHEMA, has_nan: bool = True
) -> dict[str, list[str]]:
    """Every row of every table of a store, as texts: NaN is no value that equals itself."""
    quoted = adapter.quote_identifier(adapter.warehouse.folded(schema))
    return {
        name: sorted(
            repr(tuple(plain(value, has_nan) for value in row))
            for row in adapter.execute(f"SELECT * FROM {quoted}.store_{name}")[1]
        )
        for name in KEYS
    }


def plain(value: Any, has_nan: bool) -> Any:
    if not has_nan and isinstance(value, float) and isnan(value):
        return None
    return value.astimezone(timezone.utc) if isinstance(value, datetime) else value


def exported(adapter: UnifiedSqlAdapter, schema: str, run_id: str) -> Export:
    with open_store(adapter.at(schema)) as opened:
        run = run_by_id(opened, run_id)
        assert run is not None
        return read_export(opened, run)


def as_bytes(export: Export) -> bytes:
    return b"".join(document(export))


@pytest.mark.beyond_emulators
@pytest.mark.core("duckdb")
def test_a_document_gives_the_same_rows_in_every_table_of_another_store(
    store: Any, make_project: Callable[..., Project], file: UnifiedSqlAdapter, another_store: Store
) -> None:
    has_nan = store.backend.name != "sqlite"  # which stores NaN as NULL
    runs = [run.run_id for run in record_both(store, make_project)]
    before = rows(store.adapter, store.schema, has_nan)
    assert all(before[name] for name in KEYS if name not in (*DERIVED, *OF_NO_RUN)), (
        "every table has rows to compare"
    )
    documents = [as_bytes(exported(store.adapter, store.schema, run)) for run in runs]

    for one in documents:
        assert write_export(file, export_of(one)).is_new
    assert rows(file, has_nan=has_nan) == before

    assert [as_bytes(exported(file, DEFAULT_SCHEMA, run)) for run in runs] == documents
    for run in runs:  # without a document in between
        write_export(another_store.adapter.at(another_store.schema), exported(file, DEFAULT_SCHEMA, run))
    assert rows(another_store.adapter, another_store.schema, has_nan) == before
    assert load_run(another_store.adapter.at(another_store.schema), "current-1") == load_run(
        store.adapter.at(store.schema), "current-1"
    )

    again = write_export(another_store.adapter.at(another_store.schema), export_of(documents[1]))
    assert (again.is_new, again.added) == (False, ())
    assert rows(another_store.adapter, another_store.schema, has_nan) == before


def test_a_run_that_was_there_before_is_given_what_it_lacks(file: UnifiedSqlAdapter, whole: Export) -> None:
    bare = replace(
        whole,
        project=replace(
            whole.project,
            run=replace(whole.project.run, recorded_at=AT, recorder_version="0", column_graph_id=None),
        ),
        column_lineage=None,
        statistics=(),
        quality=(),
        data_diffs=(),
        check_results=(),
        reviews=(),
    )
    write_export(file, bare)  # as another recorder left it

    written = write_export(file, whole)

    added = ("column lineage", "statistics", "quality", "data diffs", "check results", "reviews")
    assert written.added == added
    assert written.run == replace(whole.project.run, recorded_at=AT, recorder_version="0")
    there = exported(file, DEFAULT_SCHEMA, "current-1")
    assert as_bytes(replace(there, project=whole.project)) == as_bytes(whole)


def test_a_document_of_version_1_is_read(file: UnifiedSqlAdapter) -> None:
    document = (Path(__file__).parents[2] / "data" / "export_v1" / "run.json").read_bytes()

    written = write_export(file, export_of(document))

    assert (written.is_new, written.run.run_id, written.run.status) == (True, "run-1", "complete")
    assert (written.run.build_status, written.run.build_errors, written.run.git_proven) == (
        "success",
        0,
        None,
    )
    assert write_export(file, export_of(document)).added == ()


def test_a_document_of_version_2_is_read(file: UnifiedSqlAdapter, whole: Export) -> None:
    body, seal, _ = as_bytes(replace(whole, reviews=())).rpartition(SEAL)
    older = body.replace(b"recce_meta/export/v3", b"recce_meta/export/v2").removesuffix(b',\n"reviews":[]')
    assert b"reviews" not in older
    document = older + seal + sha256(older).hexdigest().encode() + b'"}\n'

    assert write_export(file, export_of(document)).is_new
    assert write_export(file, whole).added == ("reviews",)
    assert write_export(file, whole).added == ()


def test_a_review_of_another_run_is_refused(whole: Export) -> None:
    other = replace(whole, reviews=(replace(whole.reviews[0], current_run_id="other"),))

    with pytest.raises(ArtifactError, match=r"\$\.reviews\[0\]` does not belong"):
        export_of(as_bytes(other))


def test_a_run_of_the_same_id_with_other_contents_is_refused(file: UnifiedSqlAdapter, whole: Export) -> None:
    write_export(file, whole)
    before = rows(file)
    project = whole.project
    another_run = replace(project, run=replace(project.run, branch="other", graph_id="0" * 32))
    another_end = replace(project, results=(replace(project.results[0], status="error"),))

    with pytest.raises(StoreError, match="current-1 is already stored with other contents: branch, graph_id"):
        write_export(file, replace(whole, project=another_run))
    with pytest.raises(StoreError, match="other contents: results differ"):
        write_export(file, replace(whole, project=another_end))

    assert rows(file) == before


@pytest.mark.without_store
def test_what_fails_on_the_way_leaves_nothing_behind(file: UnifiedSqlAdapter, whole: Export) -> None:
    unknown = replace(whole.data_diffs[0], result=b'{"type":"of tomorrow"}')

    with pytest.raises(StoreError, match="cannot be read"):
        write_export(file, replace(whole, data_diffs=(unknown,)))

    with pytest.raises(StoreError, match="No store found"):
        exported(file, DEFAULT_SCHEMA, "current-1")


def test_the_parts_of_a_graph_need_not_be_those_that_would_be_made_today(
    file: UnifiedSqlAdapter, whole: Export
) -> None:
    run = whole.project.run
    members = {unique_id: version for part in whole.graph.values() for unique_id, version in part.items()}
    migrated = replace(whole, graph={str(run.graph_id): members})  # one part, as version 1 of the store had

    write_export(file, export_of(as_bytes(migrated)))

    assert exported(file, DEFAULT_SCHEMA, run.run_id).graph == migrated.graph
    assert load_run(file, run.run_id) == whole.project

    file.execute(
        "DELETE FROM recce_metadata.store_graph_parts"
    )  # as prune does between two of our statements
    with pytest.raises(StoreError, match="Run current-1 is incomplete"):
        exported(file, DEFAULT_SCHEMA, run.run_id)


def test_a_selection_is_a_run_of_its_own(file: UnifiedSqlAdapter, whole: Export) -> None:
    part = cut(whole, ["m000 m002", "m003"], ["path:nowhere"])
    written = write_export(file, export_of(as_bytes(part)))

    assert {node.name: node.parents for node in part.project.nodes} == {
        "m000": (),
        "m002": (),
        "m003": ("model.shop.m002",),
    }
    assert (written.run.node_count, written.run.edge_count) == (3, 1)
    assert part.cut_from is not None
    assert (part.cut_from.run_id, part.cut_from.node_count) == ("current-1", 12)
    assert load_run(file, written.run.run_id) == part.project
    there = exported(file, DEFAULT_SCHEMA, written.run.run_id)
    assert as_bytes(there) == as_bytes(replace(part, cut_from=None))
    assert [table.name for one in part.quality for table in one.tables] == ["m000"]
    assert (part.quality[0].run.table_count, part.quality[0].run.failed_count) == (1, 0)
    assert [node.unique_id for node in part.statistics] == ["model.shop.m000"]
    assert part.data_diffs == ()
    assert (part.check_results, part.reviews) == ((), ())
    assert {group.name for group in part.project.groups} == {"finance"}


def test_the_id_of_a_selection_follows_from_the_run_and_its_nodes(whole: Export) -> None:
    ids = {
        cut(whole, selection, []).project.run.run_id
        for selection in (["m000 m001"], ["m001", "m000"], ["m000+1"])
    }

    assert len(ids) == 1 and ids != {"current-1"}
    assert cut(whole, ["m002"], []).project.run.run_id not in ids
    assert cut(whole, [], ["path:nowhere"]) is whole
    with pytest.raises(SelectorError, match="matches no node of run current-1"):
        cut(whole, ["path:nowhere"], [])
