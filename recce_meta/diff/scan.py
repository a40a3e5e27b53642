"""Scan differences: two states of a schema, table or view in a live database, in the scope of both scans.

A catalog shows the current state, not who edited it. Every difference counts as an edit, except for the name
of the database, the layout of SQL, and relation names that the two databases spell differently. A run stores
the scope of its scan as the options that requested it (`RunMetadata.command`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.diff.causes import Causes
from recce_meta.diff.code import tokens
from recce_meta.diff.properties import same_type
from recce_meta.errors import UnknownNameError
from recce_meta.models import ChangeDetail, Column, Json, NodeMetadata, Reason, RunMetadata
from recce_meta.models.catalog import RELATIONS, SCHEMA, TABLES, VIEWS
from recce_meta.models.change import Status
from recce_meta.warehouses import warehouse_named
from recce_meta.warehouses.catalog import catalog_of

ATTRIBUTES = ("not_null", "default", "generated", "identity", "collation")
"""Compared column attributes other than the type; each is a suffix of the column name in a detail's key."""

COMMENT = "(comment)"
"""Key of a relation's or schema's own comment."""

ORDER = "(order)"
_BY_NAME = frozenset(["constraints", "indexes"])
"""Properties that are compared item by item; other properties are compared by value."""


def column_key(name: str, attribute: str | None = None) -> str:
    """Return the key of a detail about a column, or about one of its `ATTRIBUTES`.

    An ambiguous name is quoted as a JSON string.

    >>> column_key("price"), column_key("price", "default"), column_key("list.default")
    ('price', 'price.default', '"list.default"')
    """
    is_clear = not name.startswith('"') and name.rpartition(".")[2] not in ATTRIBUTES and name != ORDER
    spelt = name if is_clear else json.dumps(name, ensure_ascii=False)
    return spelt if attribute is None else f"{spelt}.{attribute}"


def column_of(key: str) -> tuple[str, str | None]:
    """Return the column and attribute in a detail's key; the attribute is None for the column itself.

    >>> column_of("price"), column_of("price.default"), column_of('"list.default"')
    (('price', None), ('price', 'default'), ('list.default', None))
    """
    head, dot, last = key.rpartition(".")
    spelt, attribute = (head, last) if dot and last in ATTRIBUTES else (key, None)
    return (json.loads(spelt) if spelt.startswith('"') else spelt), attribute


def scanned_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield every difference between two states of one scanned node."""
    yield from _sql_details(before, after, causes)
    if before.resource_type != after.resource_type:
        yield ChangeDetail(Reason.CONFIG, "materialized", before.resource_type, after.resource_type)
    for key in sorted((before.properties.keys() | after.properties.keys()) - _BY_NAME):
        yield from _leaves(before.properties.get(key), after.properties.get(key), key)
    yield from _index_details(before, after, causes)
    yield from _place_details(before, after)
    yield from _column_details(before, after, causes)
    yield from _constraint_details(before, after, causes)
    yield from _comment_details(before, after)
    is_hidden = (before.raw_code is None) != (after.raw_code is None)
    if is_hidden and {before.resource_type, after.resource_type} <= VIEWS:
        return  # one scan could not read the SQL: the view's parents are unknown, not removed
    for parent in sorted(set(before.parents) ^ set(after.parents)):
        added = parent in after.parents
        yield ChangeDetail(Reason.PARENTS, parent, None if added else True, True if added else None)


def _sql_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield a change of a view's query; formatting or environment if only layout or relation names differ."""
    old, new = before.raw_code, after.raw_code
    if old == new:
        return
    if old is None or new is None:
        if not {before.resource_type, after.resource_type} <= VIEWS:  # else SQL is unreadable
            yield ChangeDetail(Reason.BODY, "raw_code", old, new)
    elif _same_sql(old, new, causes):
        yield ChangeDetail(Reason.FORMATTING, "raw_code", old, new)
    # Compiled code has tokens for relations, which hide how each database spells them.
    elif None not in (before.compiled_code, after.compiled_code) and causes.same_compiled(before, after):
        moved = before.database_name != after.database_name
        yield ChangeDetail(Reason.ENVIRONMENT if moved else Reason.FORMATTING, "raw_code", old, new)
    else:
        yield ChangeDetail(Reason.BODY, "raw_code", old, new)


def _same_sql(old: str, new: str, causes: Causes) -> bool:
    adapter = causes.adapter
    return old == new or tokens(old, adapter, jinja=False) == tokens(new, adapter, jinja=False)


def _text_detail(
    reason: Reason, key: str, old: str | None, new: str | None, causes: Causes
) -> Iterator[ChangeDetail]:
    """Yield a detail if an expression differs; as formatting if only the layout does."""
    if old != new:
        same = old is not None and new is not None and _same_sql(old, new, causes)
        yield ChangeDetail(Reason.FORMATTING if same else reason, key, old, new)


def _leaves(old: Json, new: Json, path: str) -> Iterator[ChangeDetail]:
    """Yield every differing value; members of objects and lists of named items are compared by name."""
    if old == new:
        return
    left, right = _by_name(old), _by_name(new)
    if left is None or right is None or (not left and not right):
        yield ChangeDetail(Reason.CONFIG, path, old, new)
        return
    for name in sorted(left.keys() | right.keys()):
        if isinstance(left.get(name), dict) and isinstance(right.get(name), dict):
            yield from _leaves(left[name], right[name], f"{path}.{name}")
        elif left.get(name) != right.get(name):
            yield ChangeDetail(Reason.CONFIG, f"{path}.{name}", left.get(name), right.get(name))


def _by_name(value: Json) -> dict[str, Json] | None:
    """Return *value* as an object, with list items by name, or None if it is neither."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return None
    found = {
        str(item["name"]) if isinstance(item, dict) and item.get("name") else str(item): item
        for item in value
    }
    return found if len(found) == len(value) else None


def _index_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    old, new = (
        {str(index["name"]): index for index in node.properties.get("indexes", ())}
        for node in (before, after)
    )
    if old == new:
        return
    for name in sorted(old.keys() | new.keys()):
        left, right = old.get(name), new.get(name)
        if left == right:
            continue
        reason = Reason.FORMATTING if _same_index(left, right, causes) else Reason.CONFIG
        yield ChangeDetail(reason, f"indexes.{name}", left, right)


Definition = Mapping[str, Json]


def _same_index(old: Definition | None, new: Definition | None, causes: Causes) -> bool:
    """Return True if two indexes differ only in the layout of their definition."""
    if old is None or new is None or bool(old.get("unique")) != bool(new.get("unique")):
        return False
    return _same_sql(str(old["definition"]), str(new["definition"]), causes)


def _place_details(before: NodeMetadata, after: NodeMetadata) -> Iterator[ChangeDetail]:
    """Yield a change of database or of the name's spelling; schema and name are in the unique id."""
    for key in ("database_name", "relation_name"):
        old, new = getattr(before, key), getattr(after, key)
        if old != new:
            # The name contains the database, so only the first difference is reported.
            yield ChangeDetail(Reason.ENVIRONMENT, key, old, new)
            return


def _column_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield columns that were added, removed, changed or moved. Names are exact: a rename is a new column."""
    if before.columns == after.columns:
        return
    old, new = ({column.name: column for column in node.columns} for node in (before, after))
    for name, column in old.items():
        if name in new:
            yield from _one_column(column, new[name], causes)
        else:
            yield ChangeDetail(Reason.COLUMNS, column_key(name), column.type or "", None)
    for name, column in new.items():
        if name not in old:
            yield ChangeDetail(Reason.COLUMNS, column_key(name), None, column.type or "")
    orders = [name for name in old if name in new], [name for name in new if name in old]
    if orders[0] != orders[1]:
        yield ChangeDetail(Reason.COLUMNS, ORDER, *orders)


def _one_column(old: Column, new: Column, causes: Causes) -> Iterator[ChangeDetail]:
    if old.type != new.type and not _same_in_both(old.type, new.type, causes):
        yield ChangeDetail(Reason.COLUMNS, column_key(new.name), old.type or "", new.type or "")
    # None means that the catalog does not show it.
    if old.not_null != new.not_null and None not in (old.not_null, new.not_null):
        yield ChangeDetail(Reason.COLUMNS, column_key(new.name, "not_null"), old.not_null, new.not_null)
    for attribute in ("default", "generated"):
        texts = getattr(old, attribute), getattr(new, attribute)
        yield from _text_detail(Reason.COLUMNS, column_key(new.name, attribute), *texts, causes)
    for attribute in ("identity", "collation"):
        left, right = getattr(old, attribute), getattr(new, attribute)
        if left != right:
            yield ChangeDetail(Reason.COLUMNS, column_key(new.name, attribute), left, right)


def _same_in_both(old: str | None, new: str | None, causes: Causes) -> bool:
    """Return True if both are the same type. Within a warehouse, only the case of the name may vary."""
    if causes.base.adapter != causes.current.adapter:
        return same_type(old, new, causes.adapter)
    return not _types_have_case(causes.adapter) and (old or "").lower() == (new or "").lower()


@cache
def _types_have_case(adapter: str | None) -> bool:
    try:
        return catalog_of(warehouse_named(adapter or "")).types_have_case
    except UnknownNameError:
        return True


def _constraint_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield constraints that were added, removed or changed, matched by name or else by content."""
    old, new = (list(node.properties.get("constraints", ())) for node in (before, after))
    if old == new:
        return
    for left, right in _paired(old, new):
        if left == right:
            continue
        same = left is not None and right is not None and _same_constraint(left, right, causes)
        named = right if right is not None and right.get("name") else left or right or {}
        yield ChangeDetail(
            Reason.FORMATTING if same else Reason.CONTRACT,
            f"constraints.{constraint_name(named)}",
            left,
            right,
        )


def _paired(
    old: Sequence[Definition], new: Sequence[Definition]
) -> list[tuple[Definition | None, Definition | None]]:
    """Pair each constraint with its counterpart on the other side: by name, else by content."""
    found: list[tuple[Definition | None, Definition | None]] = []
    left, right = list(old), list(new)
    by_name = {one["name"]: one for one in right if one.get("name")}
    for one in old:
        if (other := by_name.pop(one.get("name"), None)) is not None:
            found.append((one, other))
            left.remove(one)
            right.remove(other)
    for one in list(left):
        other = next((other for other in right if _content(other) == _content(one)), None)
        if other is not None:
            left.remove(one)
            right.remove(other)
            if one.get("name") and other.get("name"):  # renamed; generated names are not compared
                found.append((one, other))
    return [*found, *((one, None) for one in left), *((None, other) for other in right)]


def _content(constraint: Definition) -> dict[str, Json]:
    return {key: value for key, value in constraint.items() if key != "name"}


def _same_constraint(old: Definition, new: Definition, causes: Causes) -> bool:
    """Return True if two constraints differ only in the layout of their expression."""
    texts = old.get("expression"), new.get("expression")
    rest = [{key: value for key, value in one.items() if key != "expression"} for one in (old, new)]
    return rest[0] == rest[1] and None not in texts and _same_sql(str(texts[0]), str(texts[1]), causes)


def constraint_name(constraint: Definition) -> str:
    """Return a label for a constraint: its name, or else its kind and columns or expression.

    >>> constraint_name({"type": "primary_key", "columns": ["id", "day"]})
    'primary_key(id, day)'
    """
    if constraint.get("name"):
        return str(constraint["name"])
    about = constraint.get("expression") or ", ".join(constraint.get("columns") or ())
    return f"{constraint.get('type')}({about})"


def _comment_details(before: NodeMetadata, after: NodeMetadata) -> Iterator[ChangeDetail]:
    texts = [{column.name: column.description for column in node.columns} for node in (before, after)]
    common = [name for name in texts[1] if name in texts[0]]
    pairs = [(COMMENT, before.description, after.description)]
    pairs += [(column_key(name), texts[0][name], texts[1][name]) for name in common]
    for key, old, new in pairs:
        if old != new:
            same = old.split() == new.split()
            yield ChangeDetail(Reason.FORMATTING if same else Reason.DESCRIPTIONS, key, old, new)


def column_status(node_details: Sequence[ChangeDetail]) -> dict[str, Status]:
    """Return the status of each column that the details of one scanned node mention."""
    found: dict[str, Status] = {}
    for detail in node_details:
        if detail.reason not in (Reason.COLUMNS, Reason.DESCRIPTIONS) or detail.key in (ORDER, COMMENT):
            continue
        name, attribute = column_of(detail.key)
        if attribute is None and detail.reason is Reason.COLUMNS and None in (detail.base, detail.current):
            found[name] = Status.ADDED if detail.base is None else Status.REMOVED
        else:
            # Another detail of a column that was added or removed does not change its status.
            found.setdefault(name, Status.MODIFIED)
    return found


def rows_come_from_elsewhere(before: NodeMetadata, after: NodeMetadata) -> bool:
    """Return True if a relation changed its kind in a way that may change its rows."""
    kinds = {before.resource_type, after.resource_type}
    return bool(kinds & TABLES) and kinds <= RELATIONS and len(kinds) == 2


DATABASE = "database"
"""Name of the extractor that scans use."""

READ_WITHOUT_DBT: Mapping[str, frozenset[str]] = {
    "dbt-sql": frozenset(["analysis", "model", "seed", "snapshot", "source", "test"]),
    "sql": frozenset(["model", "source"]),
}
"""Kinds of nodes that the extractors without dbt read; of tests, `dbt-sql` reads those in files of SQL."""

ScopeTest = Callable[[str], bool]
"""Returns True if both runs covered the node with a unique id."""

_OPTIONS = re.compile(r" --(schema|include|exclude|unread) ")


class ScanCoverage(Struct, frozen=True):
    """Scope of one scan."""

    schemas: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Schemas that the scan could not read."""
    hidden: tuple[str, ...] = ()
    """Names or globs of schemas that are skipped by default: system schemas and the store's."""

    @classmethod
    def of(cls, run: RunMetadata, store_schema: str | None = None) -> ScanCoverage:
        """Return the scope of the scan *run*, for a store in *store_schema*."""
        # With a group in the pattern, `split` returns options and values in turn.
        _, *parts = _OPTIONS.split(run.command or "")
        found: dict[str, list[str]] = {"schema": [], "include": [], "exclude": [], "unread": []}
        for option, text in zip(parts[::2], parts[1::2], strict=True):
            found[option].append(text)
        # A schema that the options name is scanned even if it would be skipped by default.
        left_out = (
            () if found["schema"] else (*_system_schemas(run), *([store_schema] if store_schema else []))
        )
        schemas, include, exclude, unread = map(tuple, found.values())
        return cls(schemas, include, exclude, unread, left_out)

    def sees(self, schema: str, name: str | None) -> bool:
        """Return True if the scan covered a schema, or relation *name* in it."""
        if schema in self.unread:
            return False
        if self.schemas and not any(_is_named(schema, text) for text in self.schemas):
            return False
        if any(_is_named(schema, text) for text in self.hidden):
            return False
        if name is None:
            return True
        names = (name, f"{schema}.{name}")
        return (not self.include or _fits(names, self.include)) and not _fits(names, self.exclude)


def _system_schemas(run: RunMetadata) -> tuple[str, ...]:
    try:
        return catalog_of(warehouse_named(run.adapter_type or "")).system_schemas
    except UnknownNameError:
        return ()


def _is_named(schema: str, text: str) -> bool:
    return schema == text or fnmatchcase(schema, text) or schema.casefold() == text.casefold()


def _fits(names: Iterable[str], globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for name in names for glob in globs)


def is_scan(run: RunMetadata) -> bool:
    """Return True if *run* is a scan of a live database."""
    return run.extractor == DATABASE


def requested_scope(run: RunMetadata) -> str:
    """Return the requested scope of the scan *run*, including schemas that it could not read.

    A name that contains ` --unread ` is cut there. Such scopes are treated as equal, and only what both scans
    covered is compared.
    """
    return (run.command or "scan").partition(" --unread ")[0]


def previous_scan(run: RunMetadata, earlier: Sequence[RunMetadata]) -> RunMetadata | None:
    """Return the scan in *earlier*, sorted newest first, to compare *run* with, or None if there is none.

    Comparing with a scan of another scope would hide changes outside of it. Preferred is the last scan with
    the same requested scope that could read everything that *run* read, then the last with that scope, then
    the last of all.
    """
    alike = [other for other in earlier if requested_scope(other) == requested_scope(run)]
    unread = set(ScanCoverage.of(run).unread)
    whole = [other for other in alike if set(ScanCoverage.of(other).unread) <= unread]
    return next(iter([*whole, *alike, *earlier]), None)


def shared_scope(
    base: RunMetadata, current: RunMetadata, store_schema: str | None = None
) -> ScopeTest | None:
    """Return a test for nodes that both runs covered, or None if no restriction applies.

    Two scans with unequal scopes covered different parts of a database. A scan without named schemas skips
    *store_schema*, the schema of the store, and the warehouse's system schemas. Of two projects of which one
    was read without dbt, both have only the kinds of READ_WITHOUT_DBT.
    """
    if not (is_scan(base) or is_scan(current)):
        return _shared_kinds(base, current)
    if not (is_scan(base) and is_scan(current)) or base.command == current.command:
        return None
    both = ScanCoverage.of(base, store_schema), ScanCoverage.of(current, store_schema)

    def seen(unique_id: str) -> bool:
        place = schema_and_relation(unique_id)
        return place is None or all(looked.sees(*place) for looked in both)

    return seen


def _shared_kinds(base: RunMetadata, current: RunMetadata) -> ScopeTest | None:
    limits = [READ_WITHOUT_DBT[run.extractor] for run in (base, current) if run.extractor in READ_WITHOUT_DBT]
    if base.extractor == current.extractor or not limits:
        return None
    kinds = frozenset.intersection(*limits)

    def read_by_both(unique_id: str) -> bool:
        kind, _, rest = unique_id.partition(".")
        # The id of a generic test ends with a hash after the name.
        return kind in kinds and not (kind == "test" and rest.count(".") > 1)

    return read_by_both


def scope_note(base: RunMetadata, current: RunMetadata) -> str:
    """Return a note that the runs covered different parts of the database, or other kinds of nodes."""
    if is_scan(base):
        return (
            f"The scans cover different parts of the database ('{base.command}' and '{current.command}'): "
            "only what both cover is compared"
        )
    without = [
        side for side, run in (("base", base), ("current", current)) if run.extractor in READ_WITHOUT_DBT
    ]
    verb = "was" if len(without) == 1 else "were"
    kinds = "exposures, generic and unit tests, metrics and other nodes that only dbt reads"
    return f"{' and '.join(without).capitalize()} {verb} read without dbt: {kinds} are not compared"


def nodes_in_scope(nodes: Iterable[NodeMetadata], seen: ScopeTest) -> list[NodeMetadata]:
    """Return the *nodes* that both runs covered, without parents that they did not."""
    return [
        replace(node, parents=tuple(parent for parent in node.parents if seen(parent)))
        if not all(map(seen, node.parents))
        else node
        for node in nodes
        if seen(node.unique_id)
    ]


def schema_and_relation(unique_id: str) -> tuple[str, str | None] | None:
    """Return the schema and the relation in the id of a scanned node, or None for any other id.

    >>> schema_and_relation("relation.public.film"), schema_and_relation("schema.public")
    (('public', 'film'), ('public', None))
    >>> schema_and_relation('relation.public."a.b"')
    ('public', 'a.b')
    """
    kind, _, rest = unique_id.partition(".")
    if kind not in ("relation", SCHEMA) or not rest:
        return None
    schema, rest = _part(rest)
    if kind == SCHEMA:
        return schema, None
    return (schema, _part(rest[1:])[0]) if rest.startswith(".") else None


def _part(text: str) -> tuple[str, str]:
    """Return the first part of *text* and the rest."""
    if not text.startswith('"'):
        head, dot, rest = text.partition(".")
        return head, dot + rest
    name, end = json.JSONDecoder().raw_decode(text)
    return str(name), text[end:]
