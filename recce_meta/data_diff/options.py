"""Options of diffs that compare rows, and the keys that a project declares for its nodes.

Declared keys are ordered by trust. Constraints and contracts are promises, `unique_key` is the merge key of
an incremental model, and tests are checked after every build. A test that is disabled, or covers only some
rows, does not count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from recce_meta.data_diff.names import LONGEST_NAME, Guard, unquote
from recce_meta.data_diff.source import Pair
from recce_meta.errors import UnknownNameError, UsageError, quoted
from recce_meta.models import Json, NodeMetadata
from recce_meta.models.data_diff import PRECISIONS, RowComparison
from recce_meta.models.diff_kinds import IGNORED, LIMIT, RowOptions

COMBINATION_ARGUMENTS = {
    "unique_combination_of_columns": "combination_of_columns",  # dbt_utils
    "expect_compound_columns_to_be_unique": "column_list",  # dbt_expectations
    "unique_combination": "combination_of_columns",
    "primary_key": "column_names",  # dbt_constraints
    "unique_key": "column_names",
}
"""Tests of several columns, with the argument that names the columns."""

LIMITING_ARGUMENTS = ("where", "row_condition")
"""Arguments and settings of a test that exclude rows."""


class NoKey(UsageError):
    """No key is declared whose columns exist on both sides."""


class DeclaredKey(Struct, frozen=True):
    """Columns that are declared to identify a row."""

    columns: tuple[str, ...]
    source: str
    """Origin of the declaration: `primary key`, `unique_key`, `unique test`, …"""


def declared_keys(node: NodeMetadata, tests: Iterable[NodeMetadata] = ()) -> tuple[DeclaredKey, ...]:
    """Return every key that *node* and its *tests* declare, the best first, each set of columns once.

    *tests* may be all nodes of the run: tests of other nodes are ignored.
    """
    mine = [test for test in tests if test.resource_type == "test" and _is_about(test, node)]
    found = [*_constraints(node), *_unique_key(node), *_unique_tests(mine), *_combination_tests(mine)]
    first: dict[frozenset[str], DeclaredKey] = {}
    for key in found:
        first.setdefault(frozenset(column.casefold() for column in key.columns), key)
    return tuple(first.values())


def fitting_key(candidates: Sequence[DeclaredKey], *sides: Iterable[str]) -> DeclaredKey | None:
    """Return the first of *candidates* whose columns are on all *sides*, ignoring case, or None."""
    names = [{name.casefold() for name in side} for side in sides]
    for key in candidates:
        columns = tuple(stored_name(column, set.intersection(*names)) for column in key.columns)
        if all(column.casefold() in side for side in names for column in columns):
            return DeclaredKey(columns, key.source)
    return None


def stored_name(column: str, known: Collection[str]) -> str:
    """Return *column* as it is among the folded names *known*: without quotes, or cut; else unchanged."""
    bare = unquote(column)
    cut = bare.encode()[:LONGEST_NAME].decode(errors="ignore")
    return next((name for name in (column, bare, cut) if name.casefold() in known), column)


def _is_about(test: NodeMetadata, node: NodeMetadata) -> bool:
    # Older artifacts lack `attached_node`. A test with two parents may be about either.
    attached = test.properties.get("attached_node")
    return attached == node.unique_id if attached else test.parents == (node.unique_id,)


def _constraints(node: NodeMetadata) -> Iterator[DeclaredKey]:
    """Yield primary keys of the model and of columns. Several marked columns form one key."""
    for constraint in _mappings(node.properties.get("constraints")):
        if constraint.get("type") == "primary_key" and (columns := _names(constraint.get("columns"))):
            yield DeclaredKey(columns, "primary key")
    marked = tuple(
        column.name
        for column in node.columns
        if any(constraint.get("type") == "primary_key" for constraint in _mappings(column.constraints))
    )
    if marked:
        yield DeclaredKey(marked, "primary key")


def _unique_key(node: NodeMetadata) -> Iterator[DeclaredKey]:
    """Yield the configured `unique_key`: one or several columns. An expression fits no columns later."""
    if columns := _names(node.config.get("unique_key")):
        yield DeclaredKey(columns, "unique_key")


def _unique_tests(tests: Iterable[NodeMetadata]) -> Iterator[DeclaredKey]:
    for test in tests:
        metadata = _mapping(test.properties.get("test_metadata"))
        if metadata.get("name") != "unique" or not _covers_all_rows(test):
            continue
        column = test.properties.get("column_name") or _arguments(test).get("column_name")
        if columns := _names(column):
            yield DeclaredKey(columns, "unique test")


def _combination_tests(tests: Iterable[NodeMetadata]) -> Iterator[DeclaredKey]:
    for test in tests:
        name = _mapping(test.properties.get("test_metadata")).get("name")
        argument = COMBINATION_ARGUMENTS.get(name) if isinstance(name, str) else None
        if argument is None or not _covers_all_rows(test):
            continue
        arguments = _arguments(test)
        if columns := _names(arguments.get(argument) or arguments.get("column_name")):
            yield DeclaredKey(columns, f"{name} test")


def _covers_all_rows(test: NodeMetadata) -> bool:
    if test.config.get("enabled") is False:
        return False
    places = (test.config, _arguments(test))
    return not any(place.get(name) for place in places for name in LIMITING_ARGUMENTS)


def _arguments(test: NodeMetadata) -> dict[str, Json]:
    """Return the test's arguments, which dbt 1.10 and later may nest under `arguments`."""
    given = _mapping(_mapping(test.properties.get("test_metadata")).get("kwargs"))
    return {**given, **_mapping(given.get("arguments"))}


def _names(value: Json) -> tuple[str, ...]:
    """Return column names without the quotes that a project may put around them."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple):
        return ()
    names = [unquote(name.strip()) for name in listed if isinstance(name, str) and name.strip()]
    # A key that lacks one of its columns would not be unique.
    return tuple(dict.fromkeys(names)) if len(names) == len(listed) else ()


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list | tuple) else []


DEFAULT_EXAMPLES = 2
DEFAULT_LIMIT = LIMIT.default or 0
RELATIVE_DIGITS = 18
"""Maximum decimal places of a relative tolerance, so that products are exact."""
ABSOLUTE_DIGITS = 400
"""Maximum decimal places of an absolute tolerance: more than doubles need."""


def check_percentage(sample: float | None) -> None:
    """Raise UsageError if *sample*, a size in per cent, is not above 0 and up to 100."""
    if sample is not None and not 0 < sample <= 100:
        raise UsageError(f"Sample size invalid: {sample:g} %", hint="use above 0 and up to 100")


def column_names(given: Sequence[str] | str) -> tuple[str, ...]:
    """Return names of columns as a tuple; a single name may be a string.

    Raises UsageError for anything else.
    """
    # A string is a sequence too: its characters would be taken for columns.
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"Invalid column names: {quoted(given)}", hint="pass a name or a list of names")
    return tuple(names)


def accept(_expression: str) -> None:
    """Refuse no expression."""


class FigureScope(Struct, frozen=True, kw_only=True):
    """Columns and rows of diffs of column figures: profiles, top values, histograms."""

    columns: tuple[str, ...] = ()
    """Columns to compare; empty for all, and for a histogram all numbers, dates and timestamps."""
    exclude_columns: tuple[str, ...] = ()
    """Columns not to compare."""
    may_lack_excluded: bool = False
    """True to ignore names in `exclude_columns` that neither side has; otherwise they are an error."""
    where: str | None = None
    """Condition on the rows of both sides, in the warehouse's SQL, sent unchanged."""
    guard: Guard = accept
    """Refuses expressions among the columns of top values and histograms."""

    def __post_init__(self) -> None:
        for name in ("columns", "exclude_columns"):
            force_setattr(self, name, column_names(getattr(self, name)))


def _is_shown(_name: str) -> bool:
    return False


class Explaining(Struct, frozen=True, kw_only=True):
    """What explains the rows that differ."""

    is_private: Callable[[str], bool] = _is_shown
    """Returns True for a column whose values are not shown."""
    parents: tuple[Pair, ...] = ()
    """Relations that the node reads on both sides."""
    shows_parents: bool = True
    """True to search conditions on values of the parents."""
    queries: tuple[str, str] | None = None
    """SQL of both sides over the relations of base, whose edits are tried."""
    untried: str = ""
    """Why edits are not tried, if the SQL differs."""


class ValueOptions(RowOptions, frozen=True, kw_only=True):
    """Options for comparing rows and values. Raises UsageError for invalid values."""

    key: tuple[str, ...] | None = None
    """Key columns as the user names them; None for the first of `candidates` that fits."""
    key_source: str = "option"
    """Origin of `key`: `option`, or `setting` of the node."""
    candidates: tuple[DeclaredKey, ...] = ()
    """Keys that the project declares, the most trustworthy first (`declared_keys`)."""
    tests: Sequence[NodeMetadata] = ()
    """Nodes of the run, whose tests may declare the key of a node."""
    may_lack_excluded: bool = False
    """True to ignore names in `exclude_columns` that neither side has; otherwise they are an error."""
    limit: int = DEFAULT_LIMIT
    """Maximum number of rows to fetch."""
    examples: int = DEFAULT_EXAMPLES
    """Number of differing cells to fetch for each column. More than two require another join."""
    why: Explaining | None = None
    """Search the slices of rows that differ, and try edits; None to do neither."""

    def __post_init__(self) -> None:
        for name in ("key", "columns", "exclude_columns"):
            if (given := getattr(self, name)) is not None:
                force_setattr(self, name, column_names(given))
        if isinstance(self.cast, Mapping):
            force_setattr(self, "cast", tuple(self.cast.items()))
        self._check_types()
        if self.key is not None and not self.key:
            raise UsageError("Key invalid: it has no columns", hint="name at least one column")
        check_percentage(self.sample)
        for name, amount in (("limit", self.limit), ("number of examples", self.examples)):
            if amount < 0:
                raise UsageError(f"Invalid {name}: {amount}", hint="use 0 or more")
        self._check_tolerances()
        if self.timestamp_precision is not None and self.timestamp_precision not in PRECISIONS:
            raise UnknownNameError("precision", self.timestamp_precision, PRECISIONS)

    @property
    def ignores_in_texts(self) -> bool:
        """Return True if different texts can be equal."""
        return any(getattr(self, name) for name in IGNORED)

    def _check_tolerances(self) -> None:
        for name, tolerance in (("absolute", self.tolerance), ("relative", self.relative_tolerance)):
            if tolerance is None:
                continue
            if tolerance < 0 or not _is_double(tolerance):
                raise UsageError(
                    f"Invalid {name} tolerance: {Decimal(tolerance):g}", hint="use a number of 0 or more"
                )
        for name, exact, most in (
            ("absolute", self.exact_absolute, ABSOLUTE_DIGITS),
            ("relative", self.exact_relative, RELATIVE_DIGITS),
        ):
            if -int(exact.normalize().as_tuple().exponent) > most:
                raise UsageError(
                    f"Invalid {name} tolerance: {exact:g} has more than {most} decimal places",
                    hint="use fewer decimal places",
                )

    def _check_types(self) -> None:
        """Raise UsageError for options of a wrong type, e.g. `sample="10%"` from Python."""
        wanted: dict[str, tuple[object, type | tuple[type, ...]]] = {
            "sample": (0 if self.sample is None else self.sample, (int, float)),
            "absolute tolerance": (0 if self.tolerance is None else self.tolerance, (int, float, Decimal)),
            "relative tolerance": (
                0 if self.relative_tolerance is None else self.relative_tolerance,
                (int, float, Decimal),
            ),
            "limit": (self.limit, int),
            "number of examples": (self.examples, int),
        }
        for name, (value, kind) in wanted.items():
            if not isinstance(value, kind):
                noun = "a whole number" if kind is int else "a number"
                hint = "use a number in per cent: 10 for 10 %" if name == "sample" else None
                raise UsageError(f"The {name} {quoted(value)} is not {noun}", hint=hint)
        if not all(isinstance(part, str) for pair in self.cast for part in pair):
            raise UsageError(f"The cast {quoted(self.cast)} is not a mapping", hint="map columns to types")
        if self.where is not None and not isinstance(self.where, str):
            raise UsageError(f"The condition {quoted(self.where)} is not a string", hint="use SQL text")

    def narrowing(self, excluded: Sequence[str]) -> dict[str, Any]:
        """Return the options that narrow, and the columns *excluded*, as fields of a `RowComparison`."""
        names = RowOptions.__struct_fields__
        return {
            **{name: getattr(self, name) for name in RowComparison.__struct_fields__ if name in names},
            "excluded": tuple(excluded),
            "tolerance": _plain(self.tolerance or 0.0),
            "relative_tolerance": _plain(self.relative_tolerance or 0.0),
            "cast": tuple(map("=".join, self.cast)),
        }

    @property
    def has_tolerance(self) -> bool:
        """Return True if different numbers can count as equal."""
        return bool(self.tolerance or self.relative_tolerance)

    @property
    def exact_absolute(self) -> Decimal:
        """Return the absolute tolerance with its written digits."""
        return _as_written(self.tolerance or 0.0)

    @property
    def exact_relative(self) -> Decimal:
        """Return the relative tolerance with its written digits."""
        return _as_written(self.relative_tolerance or 0.0)

    @property
    def takes_sample(self) -> bool:
        """Return True if only some of the keys are compared."""
        return self.sample is not None and self.sample < 100


def _is_double(number: float | Decimal) -> bool:
    """Return True if *number* is within the range of doubles, in which floats are compared."""
    try:
        return math.isfinite(float(number))
    except OverflowError:  # of a whole number
        return False


def _as_written(number: float | Decimal) -> Decimal:
    """Convert *number* by its printed digits: 0.001 is exactly a thousandth, unlike the double.

    >>> _as_written(0.001)
    Decimal('0.001')
    """
    return number if isinstance(number, Decimal) else Decimal(repr(number))


def _plain(number: float | Decimal) -> float | Decimal:
    """Convert *number* to a float if its digits stay the same."""
    return float(number) if _as_written(float(number)) == _as_written(number) else number
