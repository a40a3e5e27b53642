"""Facts about the rows of nodes, with their source: enforced contracts, and tests that passed.

A fact is used for two versions of a query that reads the node, so it must hold on both sides:

- The node itself must not be changed. A fact from a test also needs that nothing upstream of it is changed,
  and that the test passed in both runs, or that one run did not build the node and both have one target.
- A constraint counts if dbt creates it (a `table` with an enforced contract), and the warehouse enforces it.
- A test counts if it passed without exceptions (`where`, `limit`, `error_if`, severity `warn`), after its run
  had built the node. Results of runs with `--empty` or `--sample` do not count, nor those of other runs.
- The hook of another node may write rows, or replace a table with its constraints: such a node has no facts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from recce_meta.diff.materializations import COMPUTED_WHEN_READ
from recce_meta.diff.project_side import ProjectSide
from recce_meta.diff.run_by_dbt import RunByDbt
from recce_meta.graph.dag import reachable
from recce_meta.models import Json, NodeMetadata, NodeResult, RunMetadata
from recce_meta.models.adapters import base_name, is_builtin
from recce_meta.models.change import DataFact, FactKind, FactSource, TableFacts
from recce_meta.models.lineage import NodeColumns, is_written
from recce_meta.models.run import PART, dbt_options
from recce_meta.sql_lineage.names import unquoted
from recce_meta.warehouses import enforced_constraints
from recce_meta.warehouses.hooks import hooks_and_macros

_DEFAULTS: Mapping[str, tuple[Json, ...]] = {
    "where": (None, ""),
    "limit": (None,),
    "error_if": (None, "!= 0", "!=0"),
    "warn_if": (None, "!= 0", "!=0"),
    "fail_calc": (None, "count(*)"),
    "severity": (None, "ERROR", "error", "Error"),
    "enabled": (None, True),
}
"""Settings of a test that finds every row, with the values that leave it so."""
_TESTS: Mapping[tuple[str, str], tuple[FactKind, str]] = {
    ("dbt", "not_null"): (FactKind.NOT_NULL, "column_name"),
    ("dbt", "unique"): (FactKind.UNIQUE, "column_name"),
    ("dbt", "relationships"): (FactKind.REFERENCE, "column_name"),
    ("dbt_utils", "unique_combination_of_columns"): (FactKind.UNIQUE, "combination_of_columns"),
}
"""Generic tests by package and name: their fact, and the argument with the columns."""
_ALLOWED = frozenset({"model", "column_name", "combination_of_columns", "quote_columns", "to", "field"})
_BUILT = frozenset({"model", "seed", "snapshot"})
_PLAIN_REFERENCE = re.compile(
    r"\s*(?:\{\{-?)?\s*(?:ref|source)\(\s*['\"][^'\"]*['\"](?:\s*,\s*(?:v(?:ersion)?\s*=\s*)?['\"]?[^'\"()]*['\"]?)?\s*\)\s*(?:-?\}\})?\s*"
)
_REPLACES = re.compile(r"\b(?:create|drop|alter|rename|swap|exchange)\b", re.IGNORECASE)
"""Start of a statement that may replace a table, or drop its constraints."""


class FactReader(Protocol):
    """Run whose nodes and results are read."""

    run: RunMetadata

    def nodes(self, ids: Iterable[str]) -> Mapping[str, NodeMetadata]:
        """Return the nodes *ids* that the run has."""

    def tests_of(self, ids: Iterable[str]) -> list[NodeMetadata]:
        """Return the tests that read one of the nodes *ids*."""

    def columns_of(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        """Return the column lineage of the nodes *ids* that have one."""

    def results_of(self, ids: Collection[str]) -> Mapping[str, NodeResult]:
        """Return dbt's results of the nodes *ids*."""


class KnownFacts:
    """Facts of the nodes of two runs, read once for each node."""

    def __init__(
        self,
        sides: Sequence[ProjectSide],
        runs: Sequence[FactReader],
        changed: Collection[str],
        differing: Collection[str],
    ) -> None:
        """Create the facts; *differing* are the nodes *changed* and all nodes downstream of them."""
        self._sides, self._runs = sides, runs
        self._changed, self._differing = changed, differing
        self._found: dict[str, TableFacts] = {}

    def of(self, ids: Collection[str]) -> Mapping[str, TableFacts]:
        """Return what is known of the rows of the nodes *ids*."""
        if missing := [unique_id for unique_id in ids if unique_id not in self._found]:
            self._read(missing)
        return {unique_id: self._found[unique_id] for unique_id in ids}

    def _read(self, ids: Sequence[str]) -> None:
        nodes = [run.nodes(ids) for run in self._runs]
        same = [one for one in ids if one not in self._changed and all(one in side for side in nodes)]
        tested = [one for one in same if one not in self._differing and nodes[0][one].resource_type in _BUILT]
        unwritten = self._unwritten(same)
        tests = self._of_tests([one for one in tested if one in unwritten])
        for one in ids:
            both = [side[one] for side in nodes if one in side]
            facts = set(tests.get(one, ()))
            if one in unwritten:
                first, second = (
                    set(contract_facts(node, side)) for node, side in zip(both, self._sides, strict=True)
                )
                facts |= first & second
            typed = map(_is_typed, both)
            is_typed = any(typed) if one not in self._differing else len(both) == 2 and all(typed)
            self._found[one] = TableFacts(
                unique_id=one, facts=tuple(sorted(facts, key=_trust)), is_typed=is_typed
            )

    def _unwritten(self, ids: Sequence[str]) -> set[str]:
        """Return those of *ids* whose rows no hook of another node may write."""
        read_by: dict[str, tuple[str, ...]] = {}
        waiting = {*ids}
        while waiting:
            loaded = [run.nodes(waiting) for run in self._runs]
            nodes = (node for side in loaded for node in side.values())
            # A view has the rows of what it reads.
            views = [node for node in nodes if node.materialized in COMPUTED_WHEN_READ]
            read_by |= dict.fromkeys(waiting, ())
            for node in views:
                read_by[node.unique_id] += node.parents
            waiting = {parent for node in views for parent in node.parents} - read_by.keys()
        lineage = [run.columns_of(sorted(read_by)) for run in self._runs] if ids else []
        written = {one for side in lineage for one, columns in side.items() if is_written(columns)}
        return {
            one
            for one in ids
            if written.isdisjoint(reachable([one], read_by)) and all(one in side for side in lineage)
        }

    def _of_tests(self, ids: Sequence[str]) -> dict[str, list[DataFact]]:
        """Return the facts that tests of both runs prove, or of the only one that has built the node.

        If one of them did not build the node, both must be of one target: their data are the same table.
        """
        proven: list[dict[str, list[DataFact]]] = []
        built: list[set[str]] = []
        failed: set[str | None] = set()
        for side, run in zip(self._sides, self._runs, strict=True):
            proven.append({})
            tests = run.tests_of(ids) if ids else []
            wanted = {*ids, *(one for test in tests for one in (test.unique_id, *test.parents))}
            results = run.results_of(sorted(wanted)) if ids else {}
            built.append(results.keys() & {*ids})
            failed |= {one for one, result in results.items() if result.status != "pass"}
            if not PART.isdisjoint(dbt_options(run.run)):
                continue
            for fact in passed_facts(tests, results, side):
                if fact.unique_id in ids and fact.other_id not in self._differing:
                    proven[-1].setdefault(fact.unique_id, []).append(fact)
        is_one_target = self._sides[0].place == self._sides[1].place != (None, None)
        found: dict[str, list[DataFact]] = {}
        for one in ids:
            first, second = ({fact.source_id: fact for fact in of_run.get(one, ())} for of_run in proven)
            both = {key: fact for key, fact in first.items() if key in second}
            if is_one_target and one not in built[1]:
                both |= first
            if is_one_target and one not in built[0]:
                both |= second
            found[one] = [fact for key, fact in both.items() if key not in failed]
        return found


def _trust(fact: DataFact) -> tuple[bool, DataFact]:
    """Return a key that sorts what the warehouse enforces before what was tested."""
    return fact.source is not FactSource.CONTRACT, fact


def contract_facts(node: NodeMetadata, side: ProjectSide) -> Iterator[DataFact]:
    """Yield the facts that the warehouse enforces, by constraints of the contract of *node*.

    dbt creates them with a table. An existing table of an incremental model keeps those that it has.
    """
    contract = node.contract or {}
    if contract.get("enforced") is not True or node.materialized != "table" or node.language == "python":
        return
    if any(not is_builtin(side.macros[one].package_name) for one in RunByDbt(side.macros).around(node)):
        return
    if any(map(_REPLACES.search, hooks_and_macros(node, side.macros))):
        return
    enforced = enforced_constraints(side.adapter) or frozenset()
    if node.config.get("file_format") not in (None, "delta"):
        return
    marked: list[str] = []
    for column in node.columns:
        for constraint in _plain_constraints(column.constraints):
            kind = constraint.get("type")
            marked += [column.name] if kind == "primary_key" else []
            if kind == "not_null" and kind in enforced:
                name = f"the not-null constraint of {node.label}.{column.name}"
                yield _of_contract(node, FactKind.NOT_NULL, (column.name,), name)
            if kind == "unique" and kind in enforced:
                name = f"the unique constraint of {node.label}.{column.name}"
                yield _of_contract(node, FactKind.UNIQUE, (column.name,), name)
    keys: list[tuple[str, ...]] = [(marked[0],)] if len(marked) == 1 else []
    for constraint in _plain_constraints(node.properties.get("constraints")):
        columns = _names(constraint.get("columns"))
        if constraint.get("type") == "primary_key" and columns:
            keys.append(columns)
        if constraint.get("type") == "unique" and columns and "unique" in enforced:
            name = f"the unique constraint of {node.label} ({', '.join(columns)})"
            yield _of_contract(node, FactKind.UNIQUE, columns, name)
    if len(keys) == 1 and len(marked) < 2 and "primary_key" in enforced:
        name = f"the primary key of {node.label}"
        yield _of_contract(node, FactKind.UNIQUE, keys[0], name)
        for column_name in keys[0]:
            yield _of_contract(node, FactKind.NOT_NULL, (column_name,), name)


def _of_contract(node: NodeMetadata, kind: FactKind, columns: tuple[str, ...], name: str) -> DataFact:
    return DataFact(
        name=name,
        unique_id=node.unique_id,
        kind=kind,
        columns=tuple(sorted(columns)),
        source=FactSource.CONTRACT,
        source_id=node.unique_id,
    )


def passed_facts(
    tests: Iterable[NodeMetadata], results: Mapping[str, NodeResult], side: ProjectSide
) -> Iterator[DataFact]:
    """Yield the facts of *tests* that passed after their node was built, by *results* of one run."""
    by_dbt = RunByDbt(side.macros)
    own: dict[str, set[str]] = {}
    for macro in side.macros.values():
        own.setdefault(base_name(macro.name), set()).add(macro.package_name)
    for test in tests:
        kind, columns = fact_of(test)
        unique_id, *others = _subjects(test)
        if kind is None or len(others) != (kind is FactKind.REFERENCE):
            continue
        # A macro of the project with this name replaces the one of dbt or of a package.
        package, name = _generic(test)
        if not all(map(is_builtin, own.get(f"test_{name}", set()) - {package})):
            continue
        if any(not is_builtin(side.macros[one].package_name) for one in by_dbt.around(test)):
            continue
        if others and not _PLAIN_REFERENCE.fullmatch(str(_arguments(test).get("to") or "")):
            continue  # `to` may be any SQL
        if all(_passed_after(results.get(test.unique_id), results.get(one)) for one in (unique_id, *others)):
            yield DataFact(
                name=test.label,
                unique_id=unique_id,
                kind=kind,
                columns=tuple(sorted(columns)),
                source=FactSource.TEST,
                source_id=test.unique_id,
                run_id=side.run.run_id if side.run is not None else None,
                other_id=others[0] if others else None,
                other_columns=_names(_arguments(test).get("field")) if others else (),
            )


def _subjects(test: NodeMetadata) -> tuple[str, ...]:
    """Return the node that *test* is about, and the other nodes that it reads."""
    attached = test.properties.get("attached_node")
    if len(test.parents) == 1:
        return test.parents
    if not isinstance(attached, str) or attached not in test.parents:
        return ("", *test.parents)
    return (attached, *(one for one in test.parents if one != attached))


def _passed_after(test: NodeResult | None, built: NodeResult | None) -> bool:
    """Return whether all rows passed the test, after the node was built."""
    if built is None or test is None or built.status != "success" or test.status != "pass":
        return False
    if not built.completed_at or not test.completed_at or test.failures != 0:
        return False
    return built.completed_at <= test.completed_at


def fact_of(test: NodeMetadata) -> tuple[FactKind | None, tuple[str, ...]]:
    """Return the fact that *test* proves if it passes, and its columns; None if it proves none."""
    if any(test.config.get(name) not in values for name, values in _DEFAULTS.items()):
        return None, ()
    kind, argument = _TESTS.get(_generic(test), (None, ""))
    kwargs = _arguments(test)
    if kind is None or not _ALLOWED.issuperset(kwargs):
        return None, ()
    columns = _names(kwargs.get(argument) or (test.properties.get(argument) if argument else None))
    return (kind, columns) if columns else (None, ())


def _generic(test: NodeMetadata) -> tuple[str, str]:
    """Return the package and the name of a generic test."""
    metadata = _mapping(test.properties.get("test_metadata"))
    return str(metadata.get("namespace") or "dbt"), str(metadata.get("name") or "")


def _arguments(test: NodeMetadata) -> dict[str, Json]:
    kwargs = dict(_mapping(_mapping(test.properties.get("test_metadata")).get("kwargs")))
    nested = _mapping(kwargs.pop("arguments", None))
    return {**kwargs, **nested}


def _plain_constraints(listed: Json) -> Iterator[dict[str, Json]]:
    """Yield constraints without an expression, which may say anything."""
    for one in listed if isinstance(listed, (list, tuple)) else ():
        if isinstance(one, dict) and not one.get("expression"):
            yield one


def _names(value: Json) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)) or not all(isinstance(one, str) for one in listed):
        return ()
    return tuple(dict.fromkeys(unquoted(one.strip()) for one in listed))


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _is_typed(node: NodeMetadata) -> bool:
    """Return whether the types of the columns of *node* are those of its relation."""
    is_enforced = bool(node.contract) and (node.contract or {}).get("enforced") is True
    return node.columns_from == "catalog" or is_enforced
