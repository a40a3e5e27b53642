"""The details of a scanned relation's change as short phrases: `price: not null`, `+ index film_title`.

Phrases hold names from the database as they are: whoever shows them neutralises or escapes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from recce_meta.diff.scanned import COMMENT, ORDER, column_of, constraint_name
from recce_meta.models.change import Change, ChangeDetail, Reason
from recce_meta.models.kinds import SCANNED
from recce_meta.models.node import Json
from recce_meta.report.characters import shorten
from recce_meta.report.short_values import VALUE_WIDTH, arrow, from_to, short_value

_LONG = 2 * VALUE_WIDTH
"""Cells of a definition, which says nothing where it is cut too early."""


def is_column(change: Change, detail: ChangeDetail) -> bool:
    """Whether *detail*, whose reason is columns, is about a column as a whole, or its type."""
    if detail.key == ORDER:
        return False
    return change.resource_type not in SCANNED or column_of(detail.key)[1] is None


def _columns(details: Sequence[ChangeDetail]) -> Iterator[str]:
    for detail in details:
        if detail.key == ORDER:
            yield "columns reordered"
        else:
            yield _column(*column_of(detail.key), detail)


def _column(name: str, attribute: str | None, detail: ChangeDetail) -> str:
    base, current = detail.base, detail.current
    if attribute == "not_null":
        return f"column {name}: {'not null' if current else 'may be null'}"
    if attribute is not None:
        return f"column {name}: {from_to(attribute, base, current)}"
    if base is None or current is None:
        sign, type_text = ("+", current) if base is None else ("-", base)
        return f"{sign} column {name} {shorten(str(type_text or ''), VALUE_WIDTH)}".rstrip()
    return f"column {name}: {arrow(base, current)}"


def _constraints(details: Sequence[ChangeDetail]) -> Iterator[str]:
    for detail in details:
        old, new = detail.base, detail.current
        if old and new and (old.get("type"), old.get("name")) == (new.get("type"), new.get("name")):
            yield _changed_constraint(old, new)
        else:
            yield _thing(detail, _constraint)


def _changed_constraint(old: Mapping[str, Json], new: Mapping[str, Json]) -> str:
    """What differs of one constraint: `foreign key film_language: on delete: restrict → cascade`."""
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    told = [from_to(_words(key), _part(key, old.get(key)), _part(key, new.get(key))) for key in keys]
    name = " ".join(filter(None, (_words(new.get("type")), constraint_label(new))))
    return f"{name}: {', '.join(told)}"


def _part(key: str, value: Json) -> Json:
    """One value of a constraint, as a text where it is a list of columns or a place."""
    if key == "columns" and value:
        return _listed(value)
    return _target(value) if key == "references" and value else value


def _target(references: Mapping[str, Json]) -> str:
    where = str(references.get("relation", "")).removeprefix("relation.")
    return f"{where} {_listed(references.get('columns') or [])}".rstrip()


def _constraint(found: Mapping[str, Json]) -> str:
    """`foreign key film_language (language_id) → public.language (language_id), on delete cascade`."""
    parts = [str(found.get("type", "constraint")).replace("_", " "), constraint_label(found)]
    if found.get("expression"):
        parts.append(str(found["expression"]))
    elif found.get("columns") and found.get("name"):
        parts.append(_listed(found["columns"]))
    references = found.get("references") or {}
    if references:
        parts.append(f"→ {_target(references)}")
    actions = [
        f"{_words(key)} {found[key]}"
        for key in ("on_update", "on_delete")
        if found.get(key) not in (None, "no action")
    ]
    actions += [
        name.replace("_", " ") if value is True else f"{name}: {short_value(value)}"
        for name, value in sorted((found.get("options") or {}).items())
    ]
    return ", ".join([" ".join(filter(None, parts)), *actions])


def constraint_label(found: Mapping[str, Json]) -> str:
    """The name of a constraint; of one without, its columns."""
    if found.get("name"):
        return constraint_name(found)
    return "" if found.get("expression") else _listed(found.get("columns") or [])


def _listed(names: Sequence[Json]) -> str:
    return f"({', '.join(map(str, names))})" if names else ""


def _config(details: Sequence[ChangeDetail]) -> Iterator[str]:
    for detail in details:
        if detail.key.startswith("indexes.") and None not in (detail.base, detail.current):
            yield _changed_index(detail.base, detail.current)
        elif detail.key.startswith("indexes."):
            yield _thing(detail, _index)
        elif detail.key == "materialized":
            yield f"{_words(detail.base)} → {_words(detail.current)}"
        else:
            yield from_to(detail.key.replace("_", " ", 1), _plain(detail.base), _plain(detail.current))


def _changed_index(old: Mapping[str, Json], new: Mapping[str, Json]) -> str:
    """What differs of one index: `index film_title: … (title) → … (title, year)`."""
    told = [
        arrow(old[key], new[key]) if key == "definition" else from_to(_words(key), old.get(key), new.get(key))
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    ]
    return f"index {new.get('name')}: {', '.join(told)}"


def _index(found: Mapping[str, Json]) -> str:
    return f"index {found.get('name')}: {found.get('definition', '')}"


def _thing(detail: ChangeDetail, told: Callable[[Mapping[str, Json]], str]) -> str:
    """What came or went whole; of what changed, both definitions."""
    if detail.base is None or detail.current is None:
        sign, found = ("+", detail.current) if detail.base is None else ("-", detail.base)
        return f"{sign} {shorten(told(found), _LONG)}"
    return arrow(told(detail.base), told(detail.current), _LONG)


def _words(kind: Json) -> str:
    return str(kind).replace("_", " ")


def _plain(value: Json) -> Json:
    return value.removeprefix("relation.") if isinstance(value, str) else value


def _comments(details: Sequence[ChangeDetail]) -> Iterator[str]:
    for detail in details:
        label = "comment" if detail.key == COMMENT else f"comment of {column_of(detail.key)[0]}"
        yield from_to(label, detail.base or None, detail.current or None)


SCAN_PHRASES: Mapping[Reason, Callable[[Sequence[ChangeDetail]], Iterator[str]]] = {
    Reason.COLUMNS: _columns,
    Reason.CONTRACT: _constraints,
    Reason.CONFIG: _config,
    Reason.DESCRIPTIONS: _comments,
}
"""What is told otherwise than of dbt's nodes."""
