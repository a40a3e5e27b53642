"""What differs between two states of a schema, table or view that a scan of a live database found.

A catalog tells what is there, not what somebody wrote: everything that differs is an edit, but for the name
of the database, for how SQL is laid out, and for relations that the two databases spell otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from recce_meta.diff.causes import Causes
from recce_meta.diff.code import tokens
from recce_meta.diff.columns import same_type
from recce_meta.errors import UnknownNameError
from recce_meta.models import ChangeDetail, Column, Json, NodeMetadata, Reason
from recce_meta.models.kinds import RELATIONS, TABLES, VIEWS
from recce_meta.models.words import Status
from recce_meta.warehouses import warehouse_named
from recce_meta.warehouses.catalogs import catalog_of

ATTRIBUTES = ("not_null", "default", "generated", "identity", "collation")
"""What is compared of a column beside its type, and stands behind its name in the key of a detail."""

COMMENT = "(comment)"
"""The key of a relation's or schema's own comment."""

ORDER = "(order)"
_BY_NAME = frozenset(["constraints", "indexes"])
"""Properties that are compared thing by thing; others value by value."""


def column_key(name: str, attribute: str | None = None) -> str:
    """The key of a detail about a column, or about one of its `ATTRIBUTES`.

    A name that would be read as something else stands in quotes, as JSON writes it.

    >>> column_key("price"), column_key("price", "default"), column_key("list.default")
    ('price', 'price.default', '"list.default"')
    """
    is_clear = not name.startswith('"') and name.rpartition(".")[2] not in ATTRIBUTES and name != ORDER
    spelt = name if is_clear else json.dumps(name, ensure_ascii=False)
    return spelt if attribute is None else f"{spelt}.{attribute}"


def column_of(key: str) -> tuple[str, str | None]:
    """The column and its attribute, None for the column itself, that the key of a detail names.

    >>> column_of("price"), column_of("price.default"), column_of('"list.default"')
    (('price', None), ('price', 'default'), ('list.default', None))
    """
    head, dot, last = key.rpartition(".")
    spelt, attribute = (head, last) if dot and last in ATTRIBUTES else (key, None)
    return (json.loads(spelt) if spelt.startswith('"') else spelt), attribute


def scanned_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Every difference between two states of one scanned node."""
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
        return  # one scan was not shown the SQL: what the view reads is not known, and not gone
    for parent in sorted(set(before.parents) ^ set(after.parents)):
        added = parent in after.parents
        yield ChangeDetail(Reason.PARENTS, parent, None if added else True, True if added else None)


def _sql_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """The query of a view: other tokens are another body, unless relations alone are spelt otherwise."""
    old, new = before.raw_code, after.raw_code
    if old == new:
        return
    if old is None or new is None:
        if not {before.resource_type, after.resource_type} <= VIEWS:  # else one scan was not shown the SQL
            yield ChangeDetail(Reason.BODY, "raw_code", old, new)
    elif _same_sql(old, new, causes):
        yield ChangeDetail(Reason.FORMATTING, "raw_code", old, new)
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
    """An expression that differs, or that is laid out otherwise."""
    if old != new:
        same = old is not None and new is not None and _same_sql(old, new, causes)
        yield ChangeDetail(Reason.FORMATTING if same else reason, key, old, new)


def _leaves(old: Json, new: Json, path: str) -> Iterator[ChangeDetail]:
    """Every value that differs, of objects and of lists of named things by name."""
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
    """*value* as an object: a list by the names of its members; None where it is neither."""
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
    """Whether two indexes differ in the layout of their definition alone."""
    if old is None or new is None or bool(old.get("unique")) != bool(new.get("unique")):
        return False
    return _same_sql(str(old["definition"]), str(new["definition"]), causes)


def _place_details(before: NodeMetadata, after: NodeMetadata) -> Iterator[ChangeDetail]:
    """Another database, or another way to write the same name: schema and name are in the unique id."""
    for key in ("database_name", "relation_name"):
        old, new = getattr(before, key), getattr(after, key)
        if old != new:
            yield ChangeDetail(Reason.ENVIRONMENT, key, old, new)
            return


def _column_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Columns that came, went, changed or moved. Names are exact: a column that is renamed is another one."""
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
    """Whether both name one type. A warehouse spells each in one way, but for the case of letters in some."""
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
    """Constraints that came, went or changed: told apart by name, and those without one by what they say."""
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
    """Each constraint with its like on the other side: of the same name, else of the same content."""
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
            if one.get("name") and other.get("name"):  # renamed; a name that was made up tells nothing
                found.append((one, other))
    return [*found, *((one, None) for one in left), *((None, other) for other in right)]


def _content(constraint: Definition) -> dict[str, Json]:
    return {key: value for key, value in constraint.items() if key != "name"}


def _same_constraint(old: Definition, new: Definition, causes: Causes) -> bool:
    """Whether two constraints differ in the layout of their expression alone."""
    texts = old.get("expression"), new.get("expression")
    rest = [{key: value for key, value in one.items() if key != "expression"} for one in (old, new)]
    return rest[0] == rest[1] and None not in texts and _same_sql(str(texts[0]), str(texts[1]), causes)


def constraint_name(constraint: Definition) -> str:
    """How a constraint is called: by its name, else by its kind and what it is about.

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
    """What happened to each column that the details of one scanned node name."""
    found: dict[str, Status] = {}
    for detail in node_details:
        if detail.reason not in (Reason.COLUMNS, Reason.DESCRIPTIONS) or detail.key in (ORDER, COMMENT):
            continue
        name, attribute = column_of(detail.key)
        if attribute is None and detail.reason is Reason.COLUMNS and None in (detail.base, detail.current):
            found[name] = Status.ADDED if detail.base is None else Status.REMOVED
        else:
            found.setdefault(name, Status.MODIFIED)
    return found


def rows_come_from_elsewhere(before: NodeMetadata, after: NodeMetadata) -> bool:
    """Whether a relation that has become of another kind has other rows for all that is known."""
    kinds = {before.resource_type, after.resource_type}
    return bool(kinds & TABLES) and kinds <= RELATIONS and len(kinds) == 2
