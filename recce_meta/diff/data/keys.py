"""Which columns identify a row: what a project says about it, the most trustworthy first.

Constraints and contracts are promises, `unique_key` is what an incremental model merges by, tests are checked
after every build. A test that is disabled, or that looks at some rows only, says nothing of all rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from recce_meta.errors import UsageError
from recce_meta.models import Json, NodeMetadata

COMBINATION_ARGUMENTS = {
    "unique_combination_of_columns": "combination_of_columns",  # dbt_utils
    "expect_compound_columns_to_be_unique": "column_list",  # dbt_expectations
    "unique_combination": "combination_of_columns",
    "primary_key": "column_names",  # dbt_constraints
    "unique_key": "column_names",
}
"""Tests of several columns, and the argument that names these."""

LIMITING_ARGUMENTS = ("where", "row_condition")
"""Arguments and settings of a test that leave rows out."""


class NoKey(UsageError):
    """Nothing names columns that both sides have and that identify a row."""


class Key(Struct, frozen=True):
    """Columns that are said to identify a row."""

    columns: tuple[str, ...]
    source: str
    """Who says so: `primary key`, `unique_key`, `unique test`, …"""


def declared_keys(node: NodeMetadata, tests: Iterable[NodeMetadata] = ()) -> tuple[Key, ...]:
    """Every key that *node* and its *tests* declare, the best first, each set of columns once.

    *tests* may be all nodes of the run: those that test something else are passed over.
    """
    mine = [test for test in tests if test.resource_type == "test" and _is_about(test, node)]
    found = [*_constraints(node), *_unique_key(node), *_unique_tests(mine), *_combination_tests(mine)]
    first: dict[frozenset[str], Key] = {}
    for key in found:
        first.setdefault(frozenset(column.casefold() for column in key.columns), key)
    return tuple(first.values())


def fitting_key(candidates: Sequence[Key], *sides: Iterable[str]) -> Key | None:
    """The first of *candidates* whose columns all *sides* have, in whatever case; None where none fits."""
    names = [{name.casefold() for name in side} for side in sides]
    for key in candidates:
        if all(column.casefold() in side for side in names for column in key.columns):
            return key
    return None


def _is_about(test: NodeMetadata, node: NodeMetadata) -> bool:
    attached = test.properties.get("attached_node")
    return attached == node.unique_id if attached else test.parents == (node.unique_id,)


def _constraints(node: NodeMetadata) -> Iterator[Key]:
    """Primary keys, of the model and of single columns. Several columns marked so are one key together."""
    for constraint in _mappings(node.properties.get("constraints")):
        if constraint.get("type") == "primary_key" and (columns := _names(constraint.get("columns"))):
            yield Key(columns, "primary key")
    marked = tuple(
        column.name
        for column in node.columns
        if any(constraint.get("type") == "primary_key" for constraint in _mappings(column.constraints))
    )
    if marked:
        yield Key(marked, "primary key")


def _unique_key(node: NodeMetadata) -> Iterator[Key]:
    """The configured `unique_key`: a column, or several. An expression over columns is passed over later."""
    if columns := _names(node.config.get("unique_key")):
        yield Key(columns, "unique_key")


def _unique_tests(tests: Iterable[NodeMetadata]) -> Iterator[Key]:
    for test in tests:
        metadata = _mapping(test.properties.get("test_metadata"))
        if metadata.get("name") != "unique" or not _covers_all_rows(test):
            continue
        column = test.properties.get("column_name") or _arguments(test).get("column_name")
        if columns := _names(column):
            yield Key(columns, "unique test")


def _combination_tests(tests: Iterable[NodeMetadata]) -> Iterator[Key]:
    for test in tests:
        name = _mapping(test.properties.get("test_metadata")).get("name")
        argument = COMBINATION_ARGUMENTS.get(name) if isinstance(name, str) else None
        if argument is None or not _covers_all_rows(test):
            continue
        arguments = _arguments(test)
        if columns := _names(arguments.get(argument) or arguments.get("column_name")):
            yield Key(columns, f"{name} test")


def _covers_all_rows(test: NodeMetadata) -> bool:
    if test.config.get("enabled") is False:
        return False
    places = (test.config, _arguments(test))
    return not any(place.get(name) for place in places for name in LIMITING_ARGUMENTS)


def _arguments(test: NodeMetadata) -> dict[str, Json]:
    """What the test was called with; dbt 1.10 and later may keep it under `arguments`."""
    given = _mapping(_mapping(test.properties.get("test_metadata")).get("kwargs"))
    return {**given, **_mapping(given.get("arguments"))}


def _names(value: Json) -> tuple[str, ...]:
    """Names of columns, without the quotes that a project may put around them."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple):
        return ()
    names = [unquoted(name.strip()) for name in listed if isinstance(name, str) and name.strip()]
    return tuple(dict.fromkeys(names)) if len(names) == len(listed) else ()


def unquoted(name: str) -> str:
    """*name* of a column without the quotes around it, if there are any."""
    for quote in ('"', "`"):
        if len(name) > 2 and name.startswith(quote) and name.endswith(quote):
            return name[1:-1].replace(quote * 2, quote)
    return name


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list | tuple) else []
