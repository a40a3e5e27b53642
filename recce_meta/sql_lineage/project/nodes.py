"""Node columns from the analysis of one query, with unique ids and known column spellings.

Includes the columns that a data test reads according to its arguments, and those that dbt adds to a snapshot:
https://docs.getdbt.com/docs/build/snapshots#snapshot-meta-fields
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models.lineage import (
    EVERYTHING,
    UNSURE,
    ColumnOutput,
    ColumnSource,
    ColumnUse,
    Kind,
    NodeColumns,
    Tier,
    Usage,
)
from recce_meta.models.node import OWN_TESTS, Json, NodeMetadata
from recce_meta.sql_lineage.project.names import QueryNames, canonical_name
from recce_meta.sql_lineage.project.semantics import SECTIONS
from recce_meta.warehouses.builds import SELECTION

if TYPE_CHECKING:
    from recce_meta.sql_lineage.query import QueryColumns
    from recce_meta.warehouses.hooks import ConfiguredNames
    from recce_meta.warehouses.types import Sql

HARD_CODED = 0.9
"""Confidence that a relation named without ref or source is the node with that relation in this run."""
OWN_CATALOG = 0.9
"""Confidence that a node's column comes from a star over a relation with unknown columns."""

NOT_COMPILED = 0.9
"""Confidence that a branch that was not compiled reads the column of a parent that has the name."""

NOT_LISTED = 0.9
"""Confidence that a test reads a column not listed for the tested node."""

ColumnNames: TypeAlias = Sequence[str]


class Spelling:
    """Column names of one relation, found case-insensitively if that is unambiguous."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = frozenset(names)
        self._folded: dict[str, str | None] = {}
        for name in self._exact:
            folded = name.lower()
            self._folded[folded] = None if folded in self._folded else name

    def of(self, name: str) -> str:
        """Return *name* as spelled in the column list, or unchanged if the match is missing or ambiguous."""
        return name if name in self._exact else self._folded.get(name.lower()) or name

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._exact or self._folded.get(name.lower()) is not None)


def canonical_spelling(column: str, spelling: Spelling | None, dialect: str) -> str:
    """Return *column* of a relation as its column list spells it.

    Without a list, or a match in it, return the same spelling for all readers. Which readers are affected
    must not depend on case.
    """
    if spelling is not None and column in spelling:
        return spelling.of(column)
    return canonical_name(column, dialect)


class ConversionSettings(Struct, frozen=True, kw_only=True):
    """Settings for converting the analysis of one node's query."""

    names: QueryNames
    spelling_of: Callable[[str], Spelling | None]
    """Function from unique id to the node's column names, if known."""
    tier: Tier
    certainty: float
    """Factor for every confidence: the tier's and the dialect's."""
    dialect: str = ""
    own: ColumnNames | None = None
    """The node's own columns, as listed by the warehouse or a contract."""


def node_columns(query: QueryColumns, reading: ConversionSettings) -> NodeColumns:
    """Return the columns of *query* as columns of a node."""
    owners = reading.names.owners()
    found = [
        replace(
            output,
            expression=output.expression and reading.names.readable(output.expression),
            sources=_sources(output.sources, owners, reading),
        )
        for output in query.outputs
    ]
    if reading.own is not None:
        found = _named_by_place(found, query.unnamed, reading.own)
        found = _spelt(_expanded(found, reading.own, reading), reading.own)
    return NodeColumns(
        tier=reading.tier,
        outputs=tuple(found),
        uses=_uses(query.uses, owners, reading),
        references=_sources(query.references, owners, reading),
    )


def counts_rows(test: NodeMetadata) -> bool:
    """Return True if the rows of *test* are its failures, and their values do not matter."""
    return str(test.config.get("fail_calc") or "").replace(" ", "").lower() in ("", "count(*)")


def test_columns(columns: NodeColumns, test: NodeMetadata) -> NodeColumns:
    """Return *columns* of the query of *test*: those that decide its failures."""
    values = [] if counts_rows(test) else [source for output in columns.outputs for source in output.sources]
    found = {(use.usage, use.parent, use.column): use.confidence for use in columns.uses}
    for source in values:
        place = Usage.FILTER, source.parent, source.column
        found[place] = max(found.get(place, 0.0), source.confidence)
    return replace(
        columns, outputs=(), uses=tuple(sorted(ColumnUse(*key, sure) for key, sure in found.items()))
    )


def _sources(
    sources: Iterable[ColumnSource], owners: Mapping[str, str], reading: ConversionSettings
) -> tuple[ColumnSource, ...]:
    found: dict[tuple[str, str], float] = {}
    for source in sources:
        parent, column, sure = _place(source.parent, source.column, source.confidence, owners, reading)
        found[parent, column] = max(sure, found.get((parent, column), 0.0))
    return tuple(sorted(ColumnSource(*place, sure) for place, sure in found.items()))


def _uses(
    uses: Iterable[ColumnUse], owners: Mapping[str, str], reading: ConversionSettings
) -> tuple[ColumnUse, ...]:
    found: dict[tuple[Usage, str, str], float] = {}
    for use in uses:
        parent, column, sure = _place(use.parent, use.column, use.confidence, owners, reading)
        key = use.usage, parent, column
        found[key] = max(sure, found.get(key, 0.0))
    return tuple(sorted(ColumnUse(*key, sure) for key, sure in found.items()))


def _place(
    parent: str, column: str, confidence: float, owners: Mapping[str, str], reading: ConversionSettings
) -> tuple[str, str, float]:
    """Return the node and column for a relation and column of the query."""
    owner = _owner(parent, owners)
    sure = confidence * reading.certainty
    if owner is None:
        return parent, canonical_spelling(column, None, reading.dialect), round(sure, 2)
    if owner in reading.names.hard_coded:
        sure *= HARD_CODED
    # Rounded, so that equal products of factors are equal numbers in the store and in comparisons.
    return owner, canonical_spelling(column, reading.spelling_of(owner), reading.dialect), round(sure, 2)


def _owner(parent: str, owners: Mapping[str, str]) -> str | None:
    folded = parent.lower()
    return owners.get(folded.partition(".")[0]) or owners.get(folded)


def _named_by_place(
    outputs: Sequence[ColumnOutput], unnamed: Iterable[int], own: ColumnNames
) -> list[ColumnOutput]:
    """Return *outputs*, naming unnamed outputs after the warehouse's columns by position.

    Outputs that repeat an earlier name are also renamed, since warehouses deduplicate names.
    """
    lower = [output.name.lower() for output in outputs]
    given = {*unnamed, *(place for place, name in enumerate(lower) if name in lower[:place])}
    agrees = len(own) == len(outputs) and EVERYTHING not in lower
    if not given or not agrees:
        return list(outputs)
    # The catalog may be of an earlier version of the query, in which positions mean other columns.
    if any(name != own[place].lower() for place, name in enumerate(lower) if place not in given):
        return list(outputs)
    return [
        replace(output, name=own[place]) if place in given else output for place, output in enumerate(outputs)
    ]


def _expanded(
    outputs: Sequence[ColumnOutput], own: ColumnNames, reading: ConversionSettings
) -> list[ColumnOutput]:
    """Return *outputs* with one star over unknown columns expanded to the node's remaining columns."""
    stars = [output for output in outputs if output.name == EVERYTHING]
    if len(stars) != 1:
        return list(outputs)
    others = Spelling(output.name for output in outputs if output is not stars[0])
    missing = [name for name in own if name not in others]
    if not missing or not stars[0].sources:
        return list(outputs)
    # With several starred relations, nothing shows which of them has the column.
    sure = OWN_CATALOG if len(stars[0].sources) == 1 else 0.5

    def one(name: str) -> ColumnOutput:
        sources = tuple(
            ColumnSource(
                source.parent,
                canonical_spelling(name, reading.spelling_of(source.parent), reading.dialect),
                round(min(source.confidence, sure), 2),
            )
            for source in stars[0].sources
        )
        return ColumnOutput(name, Kind.PASSTHROUGH, None, sources)

    found: list[ColumnOutput] = []
    for output in outputs:
        found.extend(map(one, missing)) if output is stars[0] else found.append(output)
    return found


def _spelt(outputs: Iterable[ColumnOutput], own: ColumnNames) -> list[ColumnOutput]:
    """Return *outputs* with the warehouse's column names, and in its order if both have the same columns.

    dbt selects the columns of a contract in the contract's order, whatever the order in the query.
    """
    spelling = Spelling(own)
    spelt = [
        output if (name := spelling.of(output.name)) == output.name else replace(output, name=name)
        for output in outputs
    ]
    by_name = {output.name: output for output in spelt}
    return [by_name[name] for name in own] if len(spelt) == len(own) and by_name.keys() == set(own) else spelt


_ARGUMENTS = ("column_name", "combination_of_columns", "field")
"""Arguments that name columns; `field` is a column of the relation in `to`."""


EXPOSURE_LIST = "meta.recce_meta.columns"


class ArgumentReads(Struct, frozen=True):
    """Columns named in the arguments of a test."""

    columns: tuple[tuple[str, str], ...]
    """Unique ids and columns."""
    whole: bool
    """Whether the list is complete."""


def argument_reads(node: NodeMetadata) -> ArgumentReads:
    """Return the columns that the arguments of a generic test name; none for a singular test."""
    metadata = node.properties.get("test_metadata")
    if not isinstance(metadata, dict):
        return ArgumentReads((), False)
    arguments = metadata.get("kwargs") or {}
    tested = node.properties.get("attached_node")
    if not isinstance(arguments, dict) or not isinstance(tested, str):
        return ArgumentReads((), False)
    others = [parent for parent in node.parents if parent != tested]
    # A test that relates a node to itself has no other parent.
    other = others[0] if len(others) == 1 else tested if not others else None
    found: list[tuple[str, str]] = []
    unclear = False
    for argument in _ARGUMENTS:
        names = _names(arguments.get(argument))
        owner = other if argument == "field" else tested
        unclear |= names is None or (bool(names) and owner is None)
        found += [(owner, name) for name in names or () if owner is not None]
    own = not metadata.get("namespace") and metadata.get("name") in OWN_TESTS
    # A `where` in the test's configuration may read further columns.
    return ArgumentReads(
        tuple(sorted(set(found))), bool(found) and own and not unclear and not node.config.get("where")
    )


def argument_columns(
    reads: ArgumentReads,
    tier: Tier,
    confidence: float,
    spelling_of: Callable[[str], Spelling | None],
    dialect: str,
) -> NodeColumns:
    """Return the columns in *reads* as uses that determine a test's rows."""
    uses = []
    for parent, column in reads.columns:
        spelling = spelling_of(parent)
        is_listed = spelling is not None and column in spelling
        sure = confidence if is_listed else round(confidence * NOT_LISTED, 2)
        uses.append(ColumnUse(Usage.FILTER, parent, canonical_spelling(column, spelling, dialect), sure))
    named = sorted(ColumnSource(use.parent, use.column, use.confidence) for use in uses)
    return NodeColumns(tier=tier, uses=tuple(sorted(uses)), references=tuple(named))


UNIT_TEST = "unit_test"
OTHER_FIXTURE = "the columns of a fixture are not known"
_CALL = re.compile(r"\b(ref|source)\s*\((.*)\)", re.DOTALL)
_STRING = re.compile(r"""['"]([^'"]+)['"]""")


class FixtureReads(Struct, frozen=True):
    """Columns that the rows of a unit test name."""

    given: tuple[tuple[str, str], ...]
    """Unique ids of inputs, and columns: dbt takes an input's columns from the warehouse."""
    expected: tuple[tuple[str, str], ...]
    """The tested model, and columns."""


def fixture_reads(node: NodeMetadata, nodes: Mapping[str, NodeMetadata]) -> FixtureReads | None:
    """Return the columns that the unit test *node* names; None if one of its fixtures cannot be read."""
    tested = nodes.get(node.parents[0]) if node.parents else None
    given, expect = node.properties.get("given") or [], node.properties.get("expect")
    if tested is None or not isinstance(given, list):
        return None
    inputs: set[tuple[str, str]] = set()
    for one in given:
        # SQL has columns of its own, whatever the input has.
        is_sql = isinstance(one, dict) and one.get("format") == "sql"
        names = set[str]() if is_sql else fixture_names(one)
        owner = fixture_input(one, tested, nodes) if names else None
        if names is None or (names and owner is None):
            return None
        inputs |= {(owner, name) for name in names if owner is not None}
    expected = fixture_names(expect)
    if expected is None:
        return None
    return FixtureReads(tuple(sorted(inputs)), tuple((tested.unique_id, name) for name in sorted(expected)))


def fixture_columns(
    tier: Tier, expected: Iterable[ColumnSource], given: Iterable[ColumnSource]
) -> NodeColumns:
    """Return the columns of a unit test. Its inputs have rows of their own, so only its model affects it."""
    model = sorted(expected)
    uses = tuple(ColumnUse(Usage.FILTER, one.parent, one.column, one.confidence) for one in model)
    return NodeColumns(tier=tier, uses=uses, references=tuple(sorted({*model, *given})))


def fixture_names(fixture: Json) -> set[str] | None:
    """Return the columns of a fixture's rows, which are objects or CSV; None for SQL and for a file."""
    if not isinstance(fixture, dict):
        return None
    rows = fixture.get("rows")
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        is_elsewhere = not rows and fixture.get("fixture")
        return None if is_elsewhere else {name for row in rows for name in row}
    if isinstance(rows, str) and fixture.get("format") == "csv":
        header = rows.strip().splitlines()[:1]
        return {name.strip().strip('"') for line in header for name in line.split(",") if name.strip()}
    return None


def fixture_input(fixture: Json, tested: NodeMetadata, nodes: Mapping[str, NodeMetadata]) -> str | None:
    """Return the parent of *tested* that an input such as `ref('orders')` names, if it is the only one."""
    text = str(fixture.get("input")) if isinstance(fixture, dict) else ""
    if text.strip() == "this":
        return tested.unique_id
    call = _CALL.search(text)
    names = _STRING.findall(call[2]) if call else []
    if call is None or not names:
        return None
    is_source = call[1] == "source"
    found = [
        parent
        for parent in tested.parents
        if parent in nodes
        and nodes[parent].name == names[-1]
        and (nodes[parent].resource_type == "source") == is_source
        and (not is_source or nodes[parent].source_name == names[0])
    ]
    return found[0] if len(found) == 1 else None


def exposure_columns(node: NodeMetadata) -> Json:
    """Return `meta.recce_meta.columns` of an exposure, the columns that it reads; None without them."""
    own = node.meta.get("recce_meta")
    return own.get("columns") if isinstance(own, dict) else None


def exposure_reads(node: NodeMetadata, nodes: Mapping[str, NodeMetadata]) -> ArgumentReads | str:
    """Return the columns that an exposure lists as `model: [column, …]`, or why the list is unclear.

    A model is named as in `ref`, a source as `source.table`; each must be one parent of the exposure.
    """
    listed = exposure_columns(node)
    if not isinstance(listed, dict):
        return f"{EXPOSURE_LIST} does not map models to columns"
    parents = [nodes[parent] for parent in node.parents if parent in nodes]
    found: list[tuple[str, str]] = []
    for name, value in listed.items():
        named = [one for one in parents if name in (one.name, f"{one.source_name}.{one.name}")]
        columns = [one for one in value if isinstance(one, str)] if isinstance(value, list) else None
        if len(named) != 1 or columns is None or len(columns) != len(value):
            return f"{EXPOSURE_LIST} names '{name}', not a parent, or not with a list of columns"
        found += [(named[0].unique_id, column) for column in columns]
    return ArgumentReads(tuple(sorted(set(found))), whole=True)


def _names(value: Json) -> list[str] | None:
    """Return the columns that an argument names, or None if it is an expression."""
    texts = [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else []
    names = [text.strip().strip('"`[]') for text in texts if isinstance(text, str)]
    return names if all(name.replace("$", "_").replace(" ", "_").isidentifier() for name in names) else None


def elements(node: NodeMetadata) -> list[tuple[str, Json]] | None:
    """Return the names of the elements of a semantic model with their SQL; None if one has no name."""
    found: list[tuple[str, Json]] = []
    for section in SECTIONS:
        for element in node.properties.get(section) or ():
            name = element.get("name") if isinstance(element, dict) else None
            if not isinstance(name, str):
                return None
            found.append((name, element.get("expr")))
    return found


def elements_query(named: Iterable[tuple[str, Json]], relation: str, dialect: str) -> str | None:
    """Return a query of *relation* with the elements *named* as columns.

    An element without SQL is the column of its name. Return None without elements, or if the SQL of one does
    not parse.
    """
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    columns: list[Sql] = []
    for name, text in named:
        # `count` takes a star: it reads no column.
        given = "1" if text == "*" else text
        try:
            made = parse_one(str(given), read=dialect or None) if given else exp.column(name)
        except SqlglotError:
            return None
        columns.append(exp.alias_(made, name, quoted=True))
    if not columns:
        return None
    table = exp.to_table(relation, dialect=dialect or None)
    return exp.select(*columns).from_(table).sql(dialect=dialect or None)


def with_expressions(columns: NodeColumns, query: NodeColumns) -> NodeColumns:
    """Return *columns* with the sources of the outputs of *query*, which compute them."""
    if query.reason is not None:
        return query
    sources = {output.name: output.sources for output in query.outputs}
    outputs = tuple(
        replace(output, sources=tuple(sorted({*output.sources, *sources.get(output.name, ())})))
        for output in columns.outputs
    )
    return naming(replace(columns, outputs=outputs), query.references)


def naming(columns: NodeColumns, sources: Iterable[ColumnSource]) -> NodeColumns:
    """Return *columns* with *sources* added to its references."""
    known = {(source.parent, source.column) for source in columns.references}
    more = {source for source in sources if (source.parent, source.column) not in known}
    return replace(columns, references=tuple(sorted((*columns.references, *more)))) if more else columns


def configured(
    columns: NodeColumns, named: ConfiguredNames, source_of: Callable[[tuple[str, str]], ColumnSource]
) -> NodeColumns:
    """Return *columns* with those that configuration and sent queries name; *source_of* finds one."""
    found = using(columns, named.deciding_rows(columns.outputs, source_of))
    return naming(found, named.columns(found.outputs, source_of))


SETTINGS = (
    *("strategy", "unique_key", "updated_at", "check_cols", "hard_deletes", "snapshot_meta_column_names"),
)
"""Configuration keys that determine these columns."""
ADDED = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")
DELETED = "dbt_is_deleted"
"""Present only if `hard_deletes` keeps deleted rows as rows."""


def snapshot_columns(node: NodeMetadata, outputs: Sequence[ColumnOutput]) -> tuple[ColumnOutput, ...]:
    """Return dbt's own columns of the snapshot *node*, whose query has *outputs*.

    With the strategy `timestamp`, the times are those of `updated_at`. With `check`, they are the times at
    which dbt found one of `check_cols` changed, so `check_cols` determine them. `dbt_scd_id` includes the
    key.
    """
    config = node.config
    names = _snapshot_names(node)
    key = _made_of(config.get("unique_key"), outputs)
    by_time = config.get("strategy") == "timestamp"
    checked = config.get("updated_at") if by_time else config.get("check_cols")
    moments = _made_of(checked, outputs)
    plain = by_time and isinstance(checked, str) and any(_same(output.name, checked) for output in outputs)
    taken = {output.name.lower() for output in outputs}
    made = [
        _column(names[ADDED[0]], Kind.DERIVED, key | moments),
        _column(names[ADDED[1]], Kind.RENAMED if plain else Kind.DERIVED, moments),
        _column(names[ADDED[2]], Kind.RENAMED if plain else Kind.DERIVED, moments),
        _column(names[ADDED[3]], Kind.DERIVED, moments),
    ]
    if config.get("hard_deletes") == "new_record":
        made.append(_column(names[DELETED], Kind.DERIVED, key))
    return tuple(output for output in made if output.name.lower() not in taken)


def named_columns(node: NodeMetadata, outputs: Sequence[ColumnOutput]) -> frozenset[ColumnSource]:
    """Return the sources of the columns in the settings of the snapshot *node*, found in its *outputs*."""
    config = node.config
    checked = config.get("updated_at") if config.get("strategy") == "timestamp" else config.get("check_cols")
    return frozenset().union(
        *(_made_of(value, outputs) for value in (config.get("unique_key"), checked) if value != "all")
    )


def deciding_uses(
    node: NodeMetadata,
    columns: NodeColumns,
    deciding: Mapping[str, Collection[str]],
    parents: Mapping[str, Iterable[str]],
    certainty: float,
) -> NodeColumns:
    """Return *columns* with the sources of the columns by which a run replaces existing rows of *node*.

    *deciding* has their lower-case names by the configuration key that names them, as `deciding_columns`.
    A branch that was not compiled may also read columns of *parents*, whose names are given.
    """
    if columns.reason is not None:
        return columns
    is_all = node.config.get("strategy") == "check" and node.config.get("check_cols") == "all"
    found: list[ColumnUse] = []
    for key, names in deciding.items():
        usage = Usage.JOIN if key == "unique_key" else Usage.FILTER
        found += [
            ColumnUse(usage, source.parent, source.column, source.confidence)
            for output in columns.outputs
            if output.name.lower() in names or (key == "check_cols" and is_all)
            for source in output.sources
        ]
        if key == SELECTION:
            sure = round(NOT_COMPILED * certainty, 2)
            found += [
                ColumnUse(usage, parent, name, sure)
                for parent, known in parents.items()
                for name in known
                if name.lower() in names
            ]
    return using(columns, found)


def using(columns: NodeColumns, more: Iterable[ColumnUse]) -> NodeColumns:
    """Return *columns* with the uses *more*; of equal ones, the surest counts."""
    uses = {(use.usage, use.parent, use.column): use for use in columns.uses}
    for use in more:
        place = use.usage, use.parent, use.column
        uses[place] = max(use, uses.get(place, use))
    return replace(columns, uses=tuple(sorted(uses.values())))


def touched(columns: NodeColumns, parents: Collection[str]) -> NodeColumns:
    """Return *columns* with rows that any column of *parents* may determine."""
    more = [ColumnUse(Usage.FILTER, parent, EVERYTHING, UNSURE) for parent in parents]
    return using(columns, more) if more else columns


def snapshot_names(node: NodeMetadata) -> frozenset[str]:
    """Return the names of the columns that dbt adds to the snapshot *node*, in lower case."""
    return frozenset(name.lower() for name in _snapshot_names(node).values())


def _snapshot_names(node: NodeMetadata) -> dict[str, str]:
    names = {name: name for name in (*ADDED, DELETED)}
    given = node.config.get("snapshot_meta_column_names")
    if isinstance(given, dict):
        names.update((name, text) for name, text in given.items() if isinstance(text, str) and text)
    return names


def _made_of(value: Json, outputs: Sequence[ColumnOutput]) -> frozenset[ColumnSource]:
    """Return the sources of the columns in *value*: one column, several, an expression, or `all`."""
    texts = [value] if isinstance(value, str) else [str(item) for item in value or ()]
    if value == "all":
        chosen = list(outputs)
    else:
        words = {word.lower() for text in texts for word in re.findall(r"[\w$]+", text)}
        chosen = [output for output in outputs if output.name.lower() in words]
    return frozenset(source for output in chosen for source in output.sources)


def _same(name: str, text: str) -> bool:
    return name.lower() == text.strip('"`[]').lower()


def _column(name: str, kind: Kind, sources: frozenset[ColumnSource]) -> ColumnOutput:
    return ColumnOutput(name, kind if sources else Kind.CONSTANT, None, tuple(sorted(sources)))
