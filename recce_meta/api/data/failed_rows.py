"""First rows of failed tests, read when a run is recorded and stored with their results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.partial_run import is_compiled, with_kept_sql
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.api.runs import columns_upstream
from recce_meta.data_diff.plan import OF_ALL
from recce_meta.errors import RecceMetaError, StoreOutdated
from recce_meta.models import NodeMetadata, NodeResult, Project
from recce_meta.models.data_diff import Value
from recce_meta.quality.privacy import Privacy, failure_reason
from recce_meta.quality.private_outputs import with_private_outputs
from recce_meta.redaction import MASK
from recce_meta.store.values import LARGEST_INTEGER, kind_and_text

FAILED = ("fail", "warn")
MOST_CHARACTERS = 1000
"""Maximum length of a stored text."""


def with_failed_rows(
    adapter: UnifiedSqlAdapter,
    project: Project,
    most: int,
    privacy: Privacy | None = None,
    *,
    store: UnifiedSqlAdapter,
) -> Project:
    """Return *project* with the first *most* rows of each failed test.

    They are read from the relation of `store_failures`, else with the compiled SQL of the test. Values of
    columns that are private by name or column lineage are `***`, as are all values of a test whose SQL is not
    traced. Nodes that dbt did not compile are traced with SQL of other runs in *store*, if that is certainly
    the same. A test whose rows cannot be read adds a warning. Raises errors that affect all tests, such as a
    lost connection.
    """
    tests = {one.unique_id: one for one in project.nodes if one.resource_type == "test"}
    failed = [one for one in project.results if one.status in FAILED and one.unique_id in tests]
    if not failed:
        return project
    by_test: Mapping[str, Privacy] = {}
    if privacy is not None:
        by_test = _privacy(_compiled(store, project), [tests[one.unique_id] for one in failed], privacy)
    found: dict[str, NodeResult] = {}
    lost = []
    for result in failed:
        node, own = tests[result.unique_id], by_test.get(result.unique_id)
        # The name is as dbt quoted it.
        sql = f"SELECT * FROM {node.relation_name}" if node.relation_name else node.compiled_code  # noqa: S608
        if not sql:
            lost.append(f"Failed rows of {node.name} were not read: its SQL is not compiled")
            continue
        try:
            rows = tuple(_rows(adapter, sql, most, own))
        except OF_ALL:
            raise
        except RecceMetaError as error:
            reason = failure_reason(error, is_withheld=own is not None)
            lost.append(f"Failed rows of {node.name} were not read: {reason}")
            continue
        found[result.unique_id] = replace(result, failed_rows=rows)
    results = tuple(found.get(one.unique_id, one) for one in project.results)
    return replace(project, results=results, warnings=(*project.warnings, *lost))


def _compiled(store: UnifiedSqlAdapter, project: Project) -> Project:
    """Return *project* with SQL of other runs where dbt compiled none, if it is not assumed."""
    if is_compiled(project):
        return project
    try:
        whole, assumed = with_kept_sql(store, project)
    except StoreOutdated:  # recording migrates it
        return project
    known = {one.unique_id: one for one in whole.nodes if one.unique_id not in assumed}
    return replace(project, nodes=tuple(known.get(one.unique_id, one) for one in project.nodes))


def _privacy(project: Project, tests: Iterable[NodeMetadata], privacy: Privacy) -> Mapping[str, Privacy]:
    """Return the privacy of each of *tests*, whose queries are traced as those of analyses are."""
    queries = {
        f"analysis.{one.unique_id}": replace(
            one, unique_id=f"analysis.{one.unique_id}", resource_type="analysis", relation_name=None
        )
        for one in tests
    }
    traced = replace(project, nodes=(*project.nodes, *queries.values()))
    sides = columns_upstream([MemoryRunReader(traced)], queries)
    found = with_private_outputs(privacy, queries, sides)
    return {unique_id.removeprefix("analysis."): one for unique_id, one in found.items()}


def _rows(
    adapter: UnifiedSqlAdapter, sql: str, most: int, privacy: Privacy | None
) -> Iterator[dict[str, Any]]:
    with adapter.stream(sql, batch_rows=most) as stream:
        hidden = [privacy is not None and privacy.withholds(name) for name in stream.columns]
        names = list(_distinct(stream.columns))
        for row in next(stream, []):
            cells = (MASK if hides else _cell(value) for value, hides in zip(row, hidden, strict=True))
            yield dict(zip(names, cells, strict=True))


def _distinct(names: Iterable[str]) -> Iterator[str]:
    """Yield *names*, a repeated one with its number, as `id_2`."""
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}_{seen[name]}"


def _cell(value: Value) -> str | int | float | bool | None:
    """Return *value* as JSON; numbers that JSON readers would round, and other types, as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= LARGEST_INTEGER:
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    text = kind_and_text(value)[1]
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
