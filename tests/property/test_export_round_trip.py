"""Whatever a run and what is kept with it hold, a document carries it to another store, row for row."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import Column, MacroMetadata, NodeMetadata, NodeResult, Project, RunMetadata
from recce_meta.models.catalog import RelationFacts
from recce_meta.models.data_diff import Profile
from recce_meta.models.node import reference_origins
from recce_meta.models.quality import (
    ColumnQuality,
    MetricResult,
    Quality,
    QualityRun,
    TableQuality,
    ValueCount,
)
from recce_meta.models.stored import ColumnStatistics, NodeStatistics
from recce_meta.store.export import read_export, write_export
from recce_meta.store.export_document import document, export_of
from recce_meta.store.quality import write_quality
from recce_meta.store.read import run_by_id
from recce_meta.store.session import open_store
from recce_meta.store.sql_files import KEYS, table_name
from recce_meta.store.write import record_run
from tests.proofs import sampled

AT = datetime(2026, 11, 1, tzinfo=timezone.utc)
odd = ["", "⟦", "⟧", '"', "\\N", "null", "\u2028", "=1", "⟦model.a⟧", "db.s.a", "_v2", " ", "\n"]
plain = st.sampled_from(odd) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9
)
texts = plain | st.just("\0") | plain.map("a\0{}".format)
code = st.lists(texts).map("".join)
maybe = st.none() | texts
ids = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=6)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(texts, values, max_size=2)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc))
cells = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=4)
    | moments
    | st.dates()
    | st.timedeltas(timedelta(days=-9), timedelta(days=9))
    | st.uuids()
    | st.lists(st.none() | st.integers() | texts, max_size=2)
)
counts = st.none() | st.integers(0, 2**62)
nodes = st.builds(
    NodeMetadata,
    unique_id=ids,
    name=texts,
    resource_type=st.sampled_from(["model", "test", "source", "table"]),
    relation_name=st.none() | st.sampled_from(["db.s.a", "db.s.a_v2", "`p`.`é`", ""]),
    identifier=st.none() | plain,
    raw_code=st.none() | code,
    compiled_code=st.none() | code,
    config=objects,
    columns=st.lists(st.builds(Column, name=texts, type=maybe, meta=objects), max_size=2).map(tuple),
    description=texts,
    contract=st.none() | objects,
    parents=st.lists(ids, max_size=3, unique=True).map(lambda found: tuple(sorted(found))),
    properties=objects,
).map(lambda node: replace(node, edge_origins=reference_origins(node.parents, 0.5)))
macros = st.builds(MacroMetadata, unique_id=ids, name=plain, macro_sql=code)
results = st.builds(
    NodeResult, unique_id=ids, status=plain, seconds=st.none() | st.floats(0, 1e9), rows=counts, message=maybe
)
facts = st.builds(
    RelationFacts,
    unique_id=ids,
    row_estimate=counts,
    bytes=counts,
    created_at=st.none() | moments,
    altered_at=st.none(),
)
profiles = st.builds(
    Profile,
    type=texts,
    row_count=st.integers(0, 2**62),
    not_null_count=st.integers(0, 2**62),
    distinct_count=counts,
    min=cells,
    max=cells,
    avg=cells,
    median=cells,
)
statistics = st.builds(
    NodeStatistics,
    unique_id=ids,
    counted_at=moments,
    row_count=counts,
    reason=maybe,
    columns=st.lists(st.builds(ColumnStatistics, name=texts, profile=profiles), max_size=2).map(tuple),
)
tables = st.builds(
    TableQuality,
    unique_id=ids,
    name=texts,
    relation=texts,
    measured_at=moments,
    columns=st.lists(
        st.builds(
            ColumnQuality,
            name=texts,
            profile=st.none() | profiles,
            top_values=st.lists(
                st.builds(ValueCount, value=cells, count=st.integers(0, 2**62)), max_size=2
            ).map(tuple),
            metrics=st.lists(st.builds(MetricResult, name=texts, value=cells), max_size=1).map(tuple),
            score=st.none() | st.floats(0, 100),
        ),
        max_size=2,
    ).map(tuple),
    notes=st.lists(texts, max_size=1).map(tuple),
)


def by_id(things):
    found = st.lists(things, unique_by=lambda thing: thing.unique_id, max_size=3)
    return found.map(lambda some: tuple(sorted(some, key=lambda thing: thing.unique_id)))


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    with (
        UnifiedSqlAdapter.from_url(f"duckdb:///{folder / 'one.duckdb'}") as one,
        UnifiedSqlAdapter.from_url(f"duckdb:///{folder / 'other.duckdb'}") as other,
    ):
        yield one, other


@settings(
    max_examples=sampled(50, 2),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(
    nodes=by_id(nodes),
    macros=by_id(macros),
    results=by_id(results),
    facts=by_id(facts),
    statistics=by_id(statistics),
    tables=by_id(tables),
    words=st.tuples(st.none() | plain, moments),
)
def test_a_document_carries_whatever_there_is(
    stores, nodes, macros, results, facts, statistics, tables, words
):
    source, target = stores
    run_id = uuid.uuid4().hex
    run = RunMetadata(run_id=run_id, run_at=words[1], project_name="p", branch=words[0])
    project = Project(run=run, nodes=nodes, macros=macros, results=results, facts=facts)
    record_run(source, project, statistics=statistics)
    measured = QualityRun(
        quality_run_id=uuid.uuid4().hex,
        run_id=run_id,
        project_name="p",
        environment="current",
        started_at=AT,
        finished_at=words[1],
    )
    write_quality(source, Quality(run=measured, tables=tables))

    pieces = b"".join(document(exported(source, run_id)))
    assert write_export(target, export_of(pieces)).is_new

    assert b"".join(document(exported(target, run_id))) == pieces
    assert rows(target) == rows(source)


def exported(adapter, run_id):
    with open_store(adapter) as opened:
        return read_export(opened, run_by_id(opened, run_id))


def rows(adapter):
    """Every row of every table, as texts: NaN is no value that equals itself."""
    return {
        name: sorted(map(repr, adapter.answer(f"SELECT * FROM recce_metadata.{table_name(name)}")))
        for name in KEYS
    }
