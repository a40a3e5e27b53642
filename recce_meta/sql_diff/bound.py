"""Faults that a binder finds: which of its refusals say that a query cannot be built."""

from __future__ import annotations

import re
from typing import NamedTuple

from recce_meta.sql_diff.positions import Fault
from recce_meta.sql_lineage.facts import DATE_PARTS, NOT_COLUMNS, UNLISTED
from recce_meta.warehouses.binding import Refusal

_MISSING = re.compile(
    r"""
      Referenced\ (?:update\ )?column\ .*\ not\ found
    | Referenced\ table\ .*\ not\ found
    | (?:Table|Values\ list)\ .*\ does\ not\ have\ a\ column\ (?:named|with\ name)
    | Column\ .*\ in\ (?:EXCLUDE|REPLACE|RENAME)\ list\ not\ found
    | Column\ .*\ does\ not\ exist\ on\ (?:left|right)\ side\ of\ join
    | Column\ .*\ referenced\ that\ exists\ in\ the\ SELECT\ clause
    | No\ matching\ columns\ found
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A column that no relation has, or that was not named before."""
_SHAPE = re.compile(
    r"""
      Ambiguous\ reference\ to\ (?:column|table)
    | column\ .*\ must\ appear\ in\ the\ GROUP\ BY\ clause
    | aggregate\ function\ calls\ cannot
    | (?:WHERE|GROUP\ BY|HAVING|JOIN|LIMIT|VALUES|QUALIFY)\ clause\ cannot\ contain
    | window\ function\ calls\ cannot
    | Set\ operations\ can\ only\ apply
    | (?:ORDER|GROUP\ BY|DISTINCT\ ON)\ term\ out\ of\ range
    | Subquery\ returns\ \d+\ columns
    | table\ .*\ has\ \d+\ columns\ (?:available|but)
    | Can\ only\ (?:update|delete\ from|insert\ into|modify)
    | Duplicate\ (?:alias|CTE)
    | Circular\ reference\ to
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Faults that do not depend on the types of columns."""
_FUNCTION = re.compile(r"(?:Scalar |Aggregate )?(?:Function|Macro) with name \"?(\w+)\"? ", re.IGNORECASE)
_TYPE = re.compile(r"Type with name", re.IGNORECASE)
_TYPES = re.compile(
    r"""
      No\ function\ matches\ the\ given\ name\ and\ argument\ types
    | Cannot\ mix\ values\ of\ type
    | Cannot\ compare\ values\ of\ type
    | Could\ not\ find\ key\ .*\ in\ struct
    | Cannot\ extract\ field
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Faults of types, which count if the types of all columns are known."""
_UNREADABLE = ("syntax error", "a semicolon", "unterminated", "zero-length")
"""Starts of the parser's sentences, of which others are about a version's own syntax."""
_NAMED = re.compile(
    r"""
    (?:column\ named|with\ name|Referenced\ (?:update\ )?column|Column|Referenced\ table) \s
    (?: "(?P<quoted>[^"]+)" | (?P<bare>\S+) )
    """,
    re.VERBOSE,
)
_NO_FUNCTION = re.compile(r"No function matches|Cannot (?:mix|compare) values", re.IGNORECASE)


class Reading(NamedTuple):
    """How surely a query was bound over the columns of the relations that it reads."""

    is_exact: bool
    """True if the types of all columns are known."""
    is_closed: bool
    """True if no relation may have the column that is missing; else a relation has newer ones at best."""
    is_own: bool = True
    """True if the binder is the warehouse's own kind of database, and the query was not translated."""
    has_base: bool = True
    """True if base has the node, and its query is bound."""
    is_edited: bool = True
    """False if the text is that of base, so that only columns differ."""
    has_fields: bool = False
    """True if a translation may write a field of a struct as a table's column: `a.b`."""


def lacking_column(refusal: Refusal) -> str:
    """Return the column that a query names and nothing has; empty if it is refused for another reason.

    >>> lacking_column(Refusal("Binder", 'Referenced column "total" not found in FROM clause!'))
    'total'
    """
    if not _MISSING.match(refusal.text):
        return ""
    named = _NAMED.search(refusal.text)
    return refusal.name or (named["quoted"] or named["bare"] if named else "")


def lacking_function(refusal: Refusal) -> str:
    """Return the function that the database lacks; empty if the query is refused for another reason."""
    found = _FUNCTION.match(refusal.text)
    return found[1] if found is not None and "extension" not in refusal.text else ""


def needs_types(refusal: Refusal) -> bool:
    """Return True if a query is refused because a column has no type, and a function has several variants."""
    return refusal.text.startswith("Could not choose a best candidate")


def is_about_names(refusal: Refusal) -> bool:
    """Return True if a query is refused whatever the types of its columns are."""
    return bool(_SHAPE.match(refusal.text) or _MISSING.match(refusal.text))


def is_about_arguments(refusal: Refusal) -> bool:
    """Return True if no function or operator takes the types that *refusal* lists."""
    return _NO_FUNCTION.match(refusal.text) is not None


def bound_fault(refusal: Refusal, reading: Reading, place: str) -> Fault | None:
    """Return the fault of a query that is refused in current and not in base; None if that proves nothing.

    *place* says where, and which database said so. The list of sentences is closed: of a file, an
    extension, a limit, a relation of others or a version's own syntax, a binder without them cannot judge.
    """
    is_shape, is_missing = _SHAPE.match(refusal.text), _MISSING.match(refusal.text)
    is_field = reading.has_fields and refusal.text.startswith("Referenced table")
    if is_missing and (is_field or _is_word(lacking_column(refusal))):
        return None
    is_parser = refusal.kind == "Parser" and refusal.text.startswith(_UNREADABLE)
    text = f"{refusal.text} ({place})"
    if is_shape or is_missing:
        return Fault(text, reading.is_own and (reading.is_closed or not is_missing))
    # The translation of an edit may be wrong, and that of other text is not if base binds it.
    if not reading.has_base or not (reading.is_own or not reading.is_edited):
        return None
    if is_parser or (reading.is_exact and _TYPES.match(refusal.text)):
        return Fault(text, reading.is_own)
    if _TYPE.match(refusal.text) or lacking_function(refusal):
        return Fault(text, False)
    return None


def _is_word(name: str) -> bool:
    """Return True if *name* may be a hidden column, a unit, or a function without brackets."""
    return not name or UNLISTED.fullmatch(name) is not None or name.upper() in NOT_COLUMNS | DATE_PARTS
