"""Rows of unit tests: columns that the tested model, or one of its inputs, does not have.

dbt takes the names of an input's columns from the warehouse, and those of expected rows from the query of the
model. SQL as an input has the columns of its own, over which the model's query is bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from recce_meta import sql_diff
from recce_meta.api.bound_queries import BoundQuery, KnownRelation, Surely, has_star
from recce_meta.models import Json, NodeMetadata
from recce_meta.sql_lineage.project.nodes import fixture_input, fixture_names


class FixtureBinder(NamedTuple):
    """What a binder says of the nodes of one side."""

    relation: Callable[[str], KnownRelation]
    """Returns what readers find in a node."""
    model: Callable[[Mapping[str, KnownRelation]], BoundQuery | None]
    """Binds the query of the tested model, with other columns of some inputs."""
    query: Callable[[str], BoundQuery | None]
    """Binds SQL that reads no relation."""
    is_own: bool
    """True if the binder is the warehouse's own kind of database."""


def fixture_faults(
    node: NodeMetadata, nodes: Mapping[str, NodeMetadata], binder: FixtureBinder
) -> Iterator[sql_diff.Fault]:
    """Yield why the unit test *node* ends in an error; *nodes* are those of its side."""
    tested = nodes.get(node.parents[0]) if node.parents else None
    given = node.properties.get("given")
    if tested is None or tested.language == "python":
        return
    inputs: dict[str, KnownRelation] = {}
    for one in given if isinstance(given, list) else ():
        owner = nodes.get(fixture_input(one, tested, nodes) or "")
        if owner is None or owner.is_ephemeral:
            continue
        if (sql := _sql_of(one)) is None:
            relation, names = binder.relation(owner.unique_id), fixture_names(one) or ()
            if relation.columns and relation.known:
                is_sure = binder.is_own and relation.known is Surely.ALL
                for name in _absent(names, relation):
                    yield sql_diff.Fault(
                        f"it gives {owner.name} a column {name}, which {owner.name} does not have", is_sure
                    )
        elif binder.is_own and (bound := binder.query(sql)) is not None:
            if bound.refusal is None:
                inputs[owner.unique_id] = KnownRelation(bound.answer.columns, Surely.ALL)
            else:
                yield from _refused(f"its rows of {owner.name}", bound)
    # Another macro, variable or branch may give the query other columns.
    if node.properties.get("overrides") or "is_incremental" in (tested.raw_code or ""):
        return
    model = binder.model(inputs)
    if model is not None and model.refusal is not None:
        plain = binder.model({}) if inputs else None
        is_of_rows = plain is not None and plain.refusal is None
        found = _refused(f"{tested.name} over its rows", model)
        yield from (one for one in found if is_of_rows or (binder.is_own and one.is_certain))
    if model is not None and model.refusal is None:
        yield from _expected(node.properties.get("expect"), tested, model, binder)


def _expected(
    expect: Json, tested: NodeMetadata, model: BoundQuery, binder: FixtureBinder
) -> Iterator[sql_diff.Fault]:
    """Yield why expected rows cannot be compared with those of *model*, the query of *tested*."""
    relation = KnownRelation(model.answer.columns)
    is_sure = binder.is_own and (model.known is Surely.ALL or not has_star(tested))
    if (sql := _sql_of(expect)) is None:
        for name in _absent(fixture_names(expect) or (), relation):
            yield sql_diff.Fault(f"it expects a column {name}, which {tested.name} does not have", is_sure)
    elif binder.is_own and (bound := binder.query(sql)) is not None:
        if bound.refusal is not None:
            yield from _refused("its expected rows", bound)
            return
        # dbt compares all columns of the model.
        for name in _absent([name for name, _ in relation.columns], KnownRelation(bound.answer.columns)):
            yield sql_diff.Fault(f"its expected rows lack {name}, a column of {tested.name}", is_sure)


def _refused(words: str, bound: BoundQuery) -> Iterator[sql_diff.Fault]:
    assert bound.refusal is not None
    reading = sql_diff.Reading(bound.is_exact, bound.known is Surely.ALL)
    found = sql_diff.bound_fault(bound.refusal, reading, "")
    if found is not None:
        yield found._replace(text=f"{words}: {bound.refusal.text}")


def _sql_of(fixture: Json) -> str | None:
    """Return the SQL of a fixture; None if it has rows, or none that can be read."""
    rows = fixture.get("rows") if isinstance(fixture, dict) and fixture.get("format") == "sql" else None
    return rows if isinstance(rows, str) and "{" not in rows else None


def _absent(names: Iterable[str], relation: KnownRelation) -> list[str]:
    has = {name.lower() for name, _ in relation.columns}
    return sorted(name for name in names if name.lower() not in has)
