"""Details of a change as short phrases, such as `materialized: view → table` or `+ column amount DOUBLE`.

Phrases contain names and texts from the project unescaped; the caller neutralises or escapes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from recce_meta.diff.scan import COMMENT, ORDER, column_of, column_status, constraint_name
from recce_meta.errors import plural
from recce_meta.models.catalog import SCANNED
from recce_meta.models.change import (
    BY_GUESS,
    CERTAIN,
    Category,
    Change,
    ChangeDetail,
    ColumnChange,
    Impact,
    Reach,
    Reason,
    RunDiff,
    Status,
)
from recce_meta.models.node import Json
from recce_meta.report.labels import is_unsure, more_phrase, node_label, node_part, short_id
from recce_meta.report.terminal import shorten
from recce_meta.report.values import VALUE_WIDTH, arrow, from_to, short_value

PHRASE_COLUMNS_SHOWN = 8
"""Columns in one phrase."""
ORIGINS_SHOWN = 3
"""Origins of an impact in one phrase."""
NAME_WIDTH = 48

FAILS = "fails"
"""Label of a node that references a removed column and therefore cannot be built."""
MAY_FAIL = "may fail"
"""Label of a node of which this is not known."""

UNKNOWN_COLUMNS = "columns unknown"
"""Remark on an affected node if it is not known which of its columns are affected."""

CODE_ORDER = (
    "fails",
    "breaking",
    "partial breaking",
    "may fail",
    "unknown",
    "differs",
    "non-breaking",
    "",
    "added",
)
"""What is wrong with a node, the worst first; `differs` is about its data."""
EFFECTS = {
    Category.BREAKING: "breaking",
    Category.PARTIAL_BREAKING: "partial breaking",
    Category.UNKNOWN: "unknown effect",
    Category.NON_BREAKING: "non-breaking",
    Category.NONE: "no effect",
}
"""Labels of the categories, most severe first."""

_COLUMN_EFFECTS = (
    (Status.MODIFIED, "values of ", " change"),
    (Status.REMOVED, "column ", " removed"),
    (Status.ADDED, "column ", " added"),
)
_SIGNS = {Status.ADDED: "+", Status.REMOVED: "-", Status.MODIFIED: "~"}


def is_classified(diff: RunDiff) -> bool:
    """Return True if the changes of *diff* were classified."""
    return any(change.category is not None for change in diff.changes)


def effect_label(change: Change) -> str:
    """Return `breaking`, `partial breaking` and so on; empty for an added or unclassified node."""
    if change.category is None or change.status is Status.ADDED:
        return ""
    return EFFECTS[change.category]


def code_word(node: Change | Impact) -> str:
    """Return what is wrong with the code of *node*: the worst of `CODE_ORDER` that holds."""
    if node.fails:
        return FAILS
    label = effect_label(node) if isinstance(node, Change) else "affected"
    found = ["may fail"] if node.may_fail else []
    if isinstance(node, Change) and node.status is Status.ADDED:
        label = "added"
    found += [label] if label in CODE_ORDER else ["unknown"] if label == "unknown effect" else []
    return min(found, key=CODE_ORDER.index, default=label)


def code_rank(word: str, *, is_bad: bool = False) -> int:
    """Return the position of a node by its `code_word`; *is_bad* if its data differ or failed."""
    rank = CODE_ORDER.index(word) if word in CODE_ORDER else len(CODE_ORDER)
    return min(rank, CODE_ORDER.index("differs")) if is_bad else rank


def column_phrases(change: Change) -> list[str]:
    """Return the affected columns: `~ amount`, `- status`, `+ total`, `state → status`."""
    # The new name may have an entry of its own.
    renamed = {column.renamed_to for column in change.columns if column.renamed_to}
    phrases = [_effect_column(column) for column in change.columns if column.name not in renamed]
    return [*phrases, "columns reordered"] if change.columns_moved else phrases


def effect_phrases(change: Change) -> Iterator[str]:
    """Yield the effect of *change* on its readers: affected columns and the reason of the category.

    Columns added or removed according to the catalogs are left out; other phrases show them with types.
    """
    if change.category is not None and change.status is Status.REMOVED:
        yield from (reason for reason in change.category_reasons if reason != "removed")
    if change.category is None or change.status is not Status.MODIFIED:
        return
    known = {
        # Catalogs and SQL may differ in the case of a name.
        (detail.key.lower(), Status.REMOVED if detail.current is None else Status.ADDED)
        for detail in change.details
        if detail.reason is Reason.COLUMNS and None in (detail.base, detail.current)
    }
    if change.resource_type in SCANNED:  # their details contain both types of every column
        details = [detail for detail in change.details if detail.reason is Reason.COLUMNS]
        known |= {(name.lower(), status) for name, status in column_status(details).items()}
    found = [
        column
        for column in change.columns
        if column.renamed_to or (column.name.lower(), column.status) not in known
    ]
    yield from column_effects(found, has_other_parent=reads_other_parent(change))
    if change.columns_moved and all(detail.key != ORDER for detail in change.details):
        yield "columns reordered"
    reasons = [reason for reason in change.category_reasons if reason not in change.remarks]
    if change.category in (Category.BREAKING, Category.UNKNOWN) and reasons:
        yield f"{EFFECTS[change.category]}: {first_phrases(reasons)}"
    yield from change.remarks


def _short(name: str) -> str:
    return shorten(name, NAME_WIDTH)


def reads_other_parent(change: Change) -> bool:
    """Return True if *change* replaces a parent, for example by its new name: values may be the same."""
    added = {detail.base is None for detail in change.details if detail.reason is Reason.PARENTS}
    return added == {True, False}


def column_effects(
    columns: Sequence[ColumnChange],
    shown: int = PHRASE_COLUMNS_SHOWN,
    written: Callable[[str], str] = _short,
    *,
    has_other_parent: bool = False,
) -> Iterator[str]:
    """Yield `values of amount change`, `column state renamed to status` and so on.

    At most *shown* names are in one phrase; *written* formats and shortens a name: a shortened `<code>`
    would lack its end. Values may change if the node *has_other_parent*.
    """
    renamed = {column.renamed_to for column in columns if column.renamed_to}
    kept = [column for column in columns if not column.renamed_to and column.name not in renamed]
    for status, lead, verb in _COLUMN_EFFECTS:
        names = [written(column.name) for column in kept if column.status is status]
        many = lead.replace("column ", "columns ") if len(names) > 1 else lead
        if names:
            doubt = " may" if has_other_parent and status is Status.MODIFIED else ""
            yield f"{many}{_joined(names[:shown], len(names))}{doubt}{verb}"
    pairs = [
        f"{written(column.name)} renamed to {written(column.renamed_to)}"
        for column in columns
        if column.renamed_to
    ]
    if pairs:
        yield f"column{'s' if len(pairs) > 1 else ''} {_joined(pairs[:shown], len(pairs))}"


def reached_phrase(change: Change, shown: int = PHRASE_COLUMNS_SHOWN) -> str:
    """Return `amount, total affected by the change of orders` for a node that other changes affect."""
    found = change.reached
    if found is None:
        return ""
    origins = [shorten(node_part(origin), NAME_WIDTH) for origin in found.origins]
    by = f"the change{'s' if len(origins) > 1 else ''} of {first_phrases(origins, ORIGINS_SHOWN)}"
    if found.fails or found.may_fail == BY_GUESS:
        return f"{'' if found.fails else 'perhaps '}{FAILS} because of {by}"
    if found.may_fail:
        return f"{MAY_FAIL} because of {by}: {found.may_fail}"
    if found.reach is Reach.UNKNOWN:
        return f"affected by {by}, columns unknown"
    text = first_phrases([shorten(name, NAME_WIDTH) for name in found.columns], shown) or found.reach.value
    return f"{text} {'perhaps ' if found.confidence < CERTAIN else ''}affected by {by}"


def first_phrases(phrases: Sequence[str], shown: int = PHRASE_COLUMNS_SHOWN) -> str:
    """Join the first of *phrases*, followed by the number of the rest."""
    return _joined([shorten(phrase, NAME_WIDTH * 2) for phrase in phrases[:shown]], len(phrases))


def _joined(kept: Sequence[str], count: int) -> str:
    """Join *kept*, followed by how many of *count* phrases are missing."""
    return ", ".join(kept) + (f" {more_phrase(count - len(kept))}" if count > len(kept) else "")


def impact_label(impact: Impact) -> str:
    """Return the node with its affected columns: `orders (amount, total)`."""
    about = reach_phrase(impact)
    return f"{node_label(impact)} ({about})" if about else node_label(impact)


def reach_phrase(impact: Impact, shown: int = 4) -> str:
    """Return `fails`, `amount, total` or `columns unknown`; empty if all is certainly affected."""
    if impact.fails or impact.may_fail == BY_GUESS:
        return FAILS if impact.fails else f"perhaps {FAILS}"
    if impact.may_fail:
        return f"{MAY_FAIL}: {impact.may_fail}"
    if impact.reach is Reach.UNKNOWN:
        return UNKNOWN_COLUMNS
    text = first_phrases([shorten(name, NAME_WIDTH) for name in impact.columns], shown)
    return f"perhaps {text}".rstrip() if is_unsure(impact) else text


def _effect_column(column: ColumnChange) -> str:
    if column.renamed_to:
        return f"{column.name} → {column.renamed_to}"
    return f"{_SIGNS.get(column.status, '~')} {column.name}"


LARGEST_MATCH = 2_000 * 2_000
"""Largest product of line counts to match line by line; a larger region is shown as replaced.

Matching can take seconds beyond it.
"""

CONTEXT = 3
"""Unchanged lines around a change, as in `diff -u`."""


class Region(NamedTuple):
    """Lines `base_start:base_end` that became lines `current_start:current_end`."""

    base_start: int
    base_end: int
    current_start: int
    current_end: int


def code_lines(text: str | None) -> list[str]:
    """Split *text* into lines, independent of its line ends; empty for None."""
    return text.replace("\r\n", "\n").rstrip("\n").split("\n") if text else []


def changed_regions(base: list[str], current: list[str]) -> list[Region]:
    """Return the regions of lines that differ, in order."""
    # Most edits are small: cutting equal ends keeps the slow matching short.
    start, shortest = 0, min(len(base), len(current))
    while start < shortest and base[start] == current[start]:
        start += 1
    end = 0
    while end < shortest - start and base[-1 - end] == current[-1 - end]:
        end += 1
    old, new = base[start : len(base) - end], current[start : len(current) - end]
    if not old and not new:
        return []
    # A pure insertion or removal needs no matching.
    if not old or not new or len(old) * len(new) > LARGEST_MATCH:
        return [Region(start, start + len(old), start, start + len(new))]
    codes = SequenceMatcher(None, old, new).get_opcodes()
    return [Region(start + a, start + b, start + c, start + d) for tag, a, b, c, d in codes if tag != "equal"]


def line_counts(base: str | None, current: str | None) -> tuple[int, int]:
    """Return the number of added and of removed lines.

    >>> line_counts("select 1", "select 1,\\n  2")
    (2, 1)
    """
    regions = changed_regions(code_lines(base), code_lines(current))
    added = sum(region.current_end - region.current_start for region in regions)
    return added, sum(region.base_end - region.base_start for region in regions)


def unified_diff(base: str | None, current: str | None) -> Iterator[str]:
    """Yield the lines of a unified diff without its file names."""
    old, new = code_lines(base), code_lines(current)
    for hunk in _hunks(changed_regions(old, new)):
        yield from _hunk_lines(hunk, old, new)


def _hunks(regions: list[Region]) -> list[list[Region]]:
    hunks: list[list[Region]] = []
    for region in regions:
        # Regions whose context would overlap share a hunk, as in `diff -u`.
        if hunks and region.base_start - hunks[-1][-1].base_end <= 2 * CONTEXT:
            hunks[-1].append(region)
        else:
            hunks.append([region])
    return hunks


def _hunk_lines(hunk: list[Region], old: list[str], new: list[str]) -> Iterator[str]:
    # The file may begin or end within the context.
    before = min(CONTEXT, hunk[0].base_start)
    after = min(CONTEXT, len(old) - hunk[-1].base_end)
    base_start, current_start = hunk[0].base_start - before, hunk[0].current_start - before
    base_size, current_size = (
        hunk[-1].base_end + after - base_start,
        hunk[-1].current_end + after - current_start,
    )
    yield f"@@ -{_span(base_start, base_size)} +{_span(current_start, current_size)} @@"
    position = base_start
    for region in hunk:
        yield from (f" {line}" for line in old[position : region.base_start])
        yield from (f"-{line}" for line in old[region.base_start : region.base_end])
        yield from (f"+{line}" for line in new[region.current_start : region.current_end])
        position = region.base_end
    yield from (f" {line}" for line in old[position : position + after])


def _span(start: int, size: int) -> str:
    """Return a line range as POSIX `diff -u` writes it: an empty range names the line before it."""
    return f"{start + 1 if size else start},{size}"


_LONG = 2 * VALUE_WIDTH
"""Display width of a definition, which is useless if it is cut early."""


def is_column(change: Change, detail: ChangeDetail) -> bool:
    """Return True if *detail*, whose reason is columns, is about a whole column or its type."""
    if detail.key == ORDER:
        return False
    return change.resource_type not in SCANNED or column_of(detail.key)[1] is None


def _scan_columns(details: Sequence[ChangeDetail]) -> Iterator[str]:
    for detail in details:
        if detail.key == ORDER:
            yield "columns reordered"
        else:
            yield _scan_column(*column_of(detail.key), detail)


def _scan_column(name: str, attribute: str | None, detail: ChangeDetail) -> str:
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
    """Return what differs: `foreign key film_language: on delete: restrict → cascade`."""
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    phrases = [from_to(_words(key), _part(key, old.get(key)), _part(key, new.get(key))) for key in keys]
    name = " ".join(filter(None, (_words(new.get("type")), constraint_label(new))))
    return f"{name}: {', '.join(phrases)}"


def _part(key: str, value: Json) -> Json:
    """Return one value of a constraint; a list of columns or a reference becomes text."""
    if key == "columns" and value:
        return _listed(value)
    return _target(value) if key == "references" and value else value


def _target(references: Mapping[str, Json]) -> str:
    where = str(references.get("relation", "")).removeprefix("relation.")
    return f"{where} {_listed(references.get('columns') or [])}".rstrip()


def _constraint(found: Mapping[str, Json]) -> str:
    """Return `foreign key film_language (language_id) → public.language (language_id)`."""
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
    """Return the name of a constraint, or its columns if it has none."""
    if found.get("name"):
        return constraint_name(found)
    return "" if found.get("expression") else _listed(found.get("columns") or [])


def _listed(names: Sequence[Json]) -> str:
    return f"({', '.join(map(str, names))})" if names else ""


def _scan_config(details: Sequence[ChangeDetail]) -> Iterator[str]:
    for detail in details:
        if detail.key.startswith("indexes.") and None not in (detail.base, detail.current):
            yield _changed_index(detail.base, detail.current)
        elif detail.key.startswith("indexes."):
            yield _thing(detail, lambda found: f"index {found.get('name')}: {found.get('definition', '')}")
        elif detail.key == "materialized":
            yield f"{_words(detail.base)} → {_words(detail.current)}"
        else:
            yield from_to(detail.key.replace("_", " ", 1), _plain(detail.base), _plain(detail.current))


def _changed_index(old: Mapping[str, Json], new: Mapping[str, Json]) -> str:
    """Return what differs: `index film_title: … (title) → … (title, year)`."""
    phrases = [
        arrow(old[key], new[key]) if key == "definition" else from_to(_words(key), old.get(key), new.get(key))
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    ]
    return f"index {new.get('name')}: {', '.join(phrases)}"


def _thing(detail: ChangeDetail, describe: Callable[[Mapping[str, Json]], str]) -> str:
    """Return an added or removed definition with its sign, or both definitions of a changed one."""
    if detail.base is None or detail.current is None:
        sign, found = ("+", detail.current) if detail.base is None else ("-", detail.base)
        return f"{sign} {shorten(describe(found), _LONG)}"
    return arrow(describe(detail.base), describe(detail.current), _LONG)


def _words(kind: Json) -> str:
    return str(kind).replace("_", " ")


def _plain(value: Json) -> Json:
    return value.removeprefix("relation.") if isinstance(value, str) else value


def _comments(details: Sequence[ChangeDetail]) -> Iterator[str]:
    for detail in details:
        label = "comment" if detail.key == COMMENT else f"comment of {column_of(detail.key)[0]}"
        yield from_to(label, detail.base or None, detail.current or None)


SCAN_PHRASES: Mapping[Reason, Callable[[Sequence[ChangeDetail]], Iterator[str]]] = {
    Reason.COLUMNS: _scan_columns,
    Reason.CONTRACT: _constraints,
    Reason.CONFIG: _scan_config,
    Reason.DESCRIPTIONS: _comments,
}
"""Phrases of scanned relations that differ from those of dbt nodes."""


NAMES_SHOWN = 4
"""Names of parents or macros in one phrase."""

_DESCRIBED = {"(model)": "description", "(source)": "description of the source"}
RELATION_PARTS = {"database_name": "database", "schema_name": "schema", "identifier": "identifier"}


def detail_phrases(change: Change) -> list[str]:
    """Return the effect of *change*, followed by its details in the order of its reasons.

    Formatting, environment and data are left out: their details add nothing to the reason.
    """
    by_reason: dict[Reason, list[ChangeDetail]] = {}
    for detail in change.details:
        by_reason.setdefault(detail.reason, []).append(detail)
    # Effects and details may have the same phrase, which is shown once.
    phrases: dict[str, None] = dict.fromkeys(
        [*effect_phrases(change), *filter(None, [reached_phrase(change)])]
    )
    text = {**_PHRASES, **SCAN_PHRASES} if change.resource_type in SCANNED else _PHRASES
    for reason in Reason:
        if reason in by_reason and reason in text:
            phrases |= dict.fromkeys(text[reason](by_reason[reason]))
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
    return ", ".join(shown) + (
        f" {more_phrase(len(words) - NAMES_SHOWN)}" if len(words) > NAMES_SHOWN else ""
    )


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
    names = Counter(short_id(detail.key) for detail in details)
    yield "parents " + _few(
        [
            # Packages may have models of one name.
            f"{'+' if d.base is None else '-'} {short_id(d.key) if names[short_id(d.key)] == 1 else d.key}"
            for d in details
        ]
    )


def _macros(details: Sequence[ChangeDetail]) -> Iterator[str]:
    yield f"macro{'s' if len(details) > 1 else ''} " + _few([node_part(detail.key) for detail in details])


def _body(details: Sequence[ChangeDetail]) -> Iterator[str]:
    yield from (_lines("body", detail) for detail in details)


def _compiled(details: Sequence[ChangeDetail]) -> Iterator[str]:
    """Yield changes of the compiled SQL, or the changed parents and measures of a node without SQL."""
    yield from (_lines("compiled SQL", detail) for detail in details if is_text(detail))
    through = [short_id(detail.key) for detail in details if not is_text(detail)]
    if through:
        yield f"through {_few(through)}"


def is_text(detail: ChangeDetail) -> bool:
    """Return True if *detail* is about text that can be compared line by line."""
    sides = (detail.base, detail.current)
    return any(isinstance(side, str) for side in sides) and all(isinstance(s, str | None) for s in sides)


def _lines(label: str, detail: ChangeDetail) -> str:
    if not is_text(detail):
        return f"{label} changed"
    added, removed = line_counts(detail.base, detail.current)
    if not added and not removed:
        return f"{label} changed"
    first, verb = (added, "added") if added else (removed, "removed")
    rest = f", {removed:,} removed" if added and removed else ""
    return f"{label}: {plural(first, 'line')} {verb}{rest}"


def _contract(details: Sequence[ChangeDetail]) -> Iterator[str]:
    for detail in details:
        if detail.key == "(order)":
            yield "contract: columns reordered"
        elif detail.key in ("enforced", "constraints"):
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
