"""The details of a change as short phrases: `materialized: view → table`, `+ column amount DOUBLE`.

Phrases hold texts from the project as they are: whoever shows them neutralises or escapes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from recce_meta.models.change import Change, ChangeDetail, Reason
from recce_meta.models.kinds import SCANNED
from recce_meta.models.node import Json
from recce_meta.report.characters import shorten
from recce_meta.report.code_delta import line_counts
from recce_meta.report.effects import effect_phrases, reached_phrase
from recce_meta.report.scan_details import SCAN_PHRASES
from recce_meta.report.short_values import VALUE_WIDTH, from_to, short_value
from recce_meta.report.wording import more, node_part, short_id

NAMES_SHOWN = 4
"""Names of parents or macros in one phrase."""

_DESCRIBED = {"(model)": "description", "(source)": "description of the source"}
RELATION_PARTS = {"database_name": "database", "schema_name": "schema", "identifier": "identifier"}


def detail_phrases(change: Change) -> list[str]:
    """What *change* does to its readers, and what differs in the order of its reasons.

    Nothing on formatting and environment, nor on data, of which a checksum says no more than the reason does.
    """
    by_reason: dict[Reason, list[ChangeDetail]] = {}
    for detail in change.details:
        by_reason.setdefault(detail.reason, []).append(detail)
    phrases: dict[str, None] = dict.fromkeys(
        [*effect_phrases(change), *filter(None, [reached_phrase(change)])]
    )
    told = {**_PHRASES, **SCAN_PHRASES} if change.resource_type in SCANNED else _PHRASES
    for reason in Reason:
        if reason in by_reason and reason in told:
            phrases |= dict.fromkeys(told[reason](by_reason[reason]))
    return list(phrases)


def _config(details: Sequence[ChangeDetail]) -> Iterator[str]:
    for detail in details:
        if _is_name_list(detail.base) and _is_name_list(detail.current):
            yield _list_phrase(detail.key, detail.base or [], detail.current or [])
        else:
            yield from_to(detail.key, detail.base, detail.current)


def _is_name_list(value: Json) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def _list_phrase(key: str, base: Sequence[str], current: Sequence[str]) -> str:
    changed = [f"+ {item}" for item in current if item not in base]
    changed += [f"- {item}" for item in base if item not in current]
    return f"{key}: {_few(changed)}" if changed else f"{key}: reordered"


def _few(words: Sequence[str]) -> str:
    shown = [shorten(word, VALUE_WIDTH) for word in words[:NAMES_SHOWN]]
    return ", ".join(shown) + (f" {more(len(words) - NAMES_SHOWN)}" if len(words) > NAMES_SHOWN else "")


def _columns(details: Sequence[ChangeDetail]) -> Iterator[str]:
    yield from ("columns reordered" if detail.key == "(order)" else _column(detail) for detail in details)


def _column(detail: ChangeDetail) -> str:
    if detail.base is None or detail.current is None:
        sign, type_text = ("+", detail.current) if detail.base is None else ("-", detail.base)
        return f"{sign} column {detail.key} {shorten(str(type_text or ''), VALUE_WIDTH)}".rstrip()
    return f"column {detail.key}: {short_value(detail.base)} → {short_value(detail.current)}"


def _descriptions(details: Sequence[ChangeDetail]) -> Iterator[str]:
    columns: dict[str, list[str]] = {}
    for detail in details:
        verb = "added" if not detail.base else "removed" if not detail.current else "changed"
        if detail.key in _DESCRIBED:
            yield from_to(_DESCRIBED[detail.key], detail.base or None, detail.current or None)
        else:
            columns.setdefault(verb, []).append(detail.key)
    for verb, names in columns.items():
        yield f"description of {_few(names)} {verb}"


def _relation(details: Sequence[ChangeDetail]) -> Iterator[str]:
    parts = [detail for detail in details if detail.key in RELATION_PARTS]
    for detail in parts or details:
        yield from_to(RELATION_PARTS.get(detail.key, "relation"), detail.base, detail.current)


def _parents(details: Sequence[ChangeDetail]) -> Iterator[str]:
    yield "parents " + _few([f"{'+' if d.base is None else '-'} {short_id(d.key)}" for d in details])


def _macros(details: Sequence[ChangeDetail]) -> Iterator[str]:
    yield f"macro{'s' if len(details) > 1 else ''} " + _few([node_part(detail.key) for detail in details])


def _body(details: Sequence[ChangeDetail]) -> Iterator[str]:
    yield from (_lines("body", detail) for detail in details)


def _compiled(details: Sequence[ChangeDetail]) -> Iterator[str]:
    """Other SQL, or what it comes through where there is no SQL: a parent that moved, a measure."""
    yield from (_lines("compiled SQL", detail) for detail in details if is_text(detail))
    through = [short_id(detail.key) for detail in details if not is_text(detail)]
    if through:
        yield f"through {_few(through)}"


def is_text(detail: ChangeDetail) -> bool:
    """Whether *detail* is about a text that can be compared line by line."""
    sides = (detail.base, detail.current)
    return any(isinstance(side, str) for side in sides) and all(isinstance(s, str | None) for s in sides)


def _lines(label: str, detail: ChangeDetail) -> str:
    if not is_text(detail):
        return f"{label} changed"
    added, removed = line_counts(detail.base, detail.current)
    parts = [f"+{added}"] * bool(added) + [f"−{removed}"] * bool(removed)
    many = "line" if added + removed == 1 else "lines"
    return f"{label} {' '.join(parts)} {many}" if parts else f"{label} changed"


def _contract(details: Sequence[ChangeDetail]) -> Iterator[str]:
    for detail in details:
        if detail.key in ("enforced", "constraints"):
            yield "contract " + from_to(detail.key, detail.base, detail.current)
        elif detail.key.startswith("columns."):
            yield "contract " + from_to(detail.key.removeprefix("columns."), detail.base, detail.current)
        else:
            yield f"contract {_column(detail)}"


_PHRASES: dict[Reason, Callable[[Sequence[ChangeDetail]], Iterator[str]]] = {
    Reason.BODY: _body,
    Reason.COMPILED: _compiled,
    Reason.CONFIG: _config,
    Reason.RELATION: _relation,
    Reason.COLUMNS: _columns,
    Reason.DESCRIPTIONS: _descriptions,
    Reason.MACROS: _macros,
    Reason.CONTRACT: _contract,
    Reason.PARENTS: _parents,
}
