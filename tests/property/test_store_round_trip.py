"""Whatever a project holds comes back from the store."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import Column, MacroMetadata, NodeMetadata, NodeResult, Project, RunMetadata
from recce_meta.models.node import reference_origins
from recce_meta.models.relation_tokens import resolve, tokenise
from recce_meta.store.select import load_run
from recce_meta.store.write import record_run
from tests.proofs import sampled

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
code = st.lists(
    st.sampled_from(["⟦", "⟧", '"', "'", "\\", "%s", ":x", "db.s.a", "_v2", " ", "\n", "é"]) | texts
).map("".join)
maybe = st.none() | texts
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, values, max_size=3)
names = st.lists(texts, max_size=3, unique=True).map(lambda found: tuple(sorted(found)))
ids = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=12)
relations = st.none() | st.sampled_from(["db.s.a", "db.s.a_v2", '"db"."s"."b"', "`p`.`s`.`é`", ""])

columns = st.builds(
    Column,
    name=texts,
    type=maybe,
    description=texts,
    tags=names,
    meta=objects,
    constraints=st.lists(objects, max_size=2).map(tuple),
    quote=st.none() | st.booleans(),
    documented=st.booleans(),
    documented_type=maybe,
)
nodes = st.builds(
    NodeMetadata,
    unique_id=ids,
    name=texts,
    resource_type=st.sampled_from(["model", "test", "source", "exposure"]),
    package_name=texts,
    path=texts,
    fqn=names,
    database_name=maybe,
    schema_name=maybe,
    identifier=maybe,
    relation_name=relations,
    materialized=maybe,
    language=maybe,
    raw_code=st.none() | code,
    compiled_code=st.none() | code,
    checksum=maybe,
    checksum_rule=maybe,
    code_hash=maybe,
    config=objects,
    unrendered_config=objects,
    columns=st.lists(columns, max_size=3).map(tuple),
    columns_from=maybe,
    description=texts,
    tags=names,
    meta=objects,
    access=maybe,
    group_name=maybe,
    version=maybe,
    source_name=maybe,
    contract=st.none() | objects,
    parents=st.lists(ids, max_size=3, unique=True).map(lambda found: tuple(sorted(found))),
    macros=names,
    properties=objects,
).map(lambda node: replace(node, edge_origins=reference_origins(node.parents)))
macros = st.builds(
    MacroMetadata,
    unique_id=ids,
    name=texts,
    package_name=texts,
    path=texts,
    macro_sql=code,
    code_hash=texts,
    macros=names,
)
counts = st.none() | st.integers(0, 2**62)
results = st.builds(
    NodeResult,
    unique_id=ids,
    status=texts,
    seconds=st.none() | st.floats(0, 1e9),
    rows=counts,
    bytes=counts,
    failures=counts,
    message=maybe,
    completed_at=maybe,
)


def by_id(things, **options):
    found = st.lists(things, unique_by=lambda thing: thing.unique_id, **options)
    return found.map(lambda some: tuple(sorted(some, key=lambda thing: thing.unique_id)))


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    with UnifiedSqlAdapter.from_url(
        f"duckdb:///{tmp_path_factory.mktemp('store') / 'store.duckdb'}"
    ) as opened:
        yield opened


@settings(
    max_examples=sampled(300, 4),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(
    nodes=by_id(nodes, max_size=5),
    macros=by_id(macros, max_size=2),
    results=by_id(results, max_size=2),
    run_at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc)),
    words=st.tuples(maybe, maybe, maybe),
)
def test_a_loaded_project_is_the_recorded_one(adapter, nodes, macros, results, run_at, words):
    run_id = uuid.uuid4().hex
    branch, target_name, command = words
    run = RunMetadata(
        run_id=run_id,
        run_at=run_at,
        project_name="p",
        branch=branch,
        target_name=target_name,
        command=command,
    )
    project = Project(run=run, nodes=nodes, macros=macros, results=results)

    recorded = record_run(adapter, project)
    loaded = load_run(adapter, run_id)

    assert loaded.run == recorded.run and loaded.run.run_at == run_at
    assert repr(loaded.nodes) == repr(_sorted_keys(nodes)), "equal to the kind of every number"
    assert (loaded.macros, loaded.results) == (macros, results)


def _sorted_keys(value):
    """Objects come back with their keys in order."""
    if isinstance(value, dict):
        return {key: _sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_sorted_keys, value))
    if isinstance(value, (NodeMetadata, Column)):
        return type(value)(**{name: _sorted_keys(getattr(value, name)) for name in value.__struct_fields__})
    return value


pieces = st.sampled_from(
    ["db.s.a", "db.s.a_v2", '"d"."a"', "`x`", "⟦", "⟧", "model.a", ".", "_", " ", "é", "$", '"']
)


@given(
    code=st.lists(pieces, max_size=12).map("".join),
    relations=st.dictionaries(st.lists(pieces, min_size=1, max_size=3).map("".join), st.just(""), max_size=4),
)
def test_tokens_are_reversible_to_the_byte(code, relations):
    numbered = {relation: f"model.n{number}" for number, relation in enumerate(relations)}

    tokenised = tokenise(code, numbered)

    assert resolve(tokenised, {unique_id: relation for relation, unique_id in numbered.items()}) == code
