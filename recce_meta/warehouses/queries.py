"""Names in the queries that a template sends while dbt renders it: in its tags, its variables and in macros.

A variable is followed to what sets it: `set`, a loop, `append`. A name that comes from elsewhere, such as the
result of a query or `var`, or that is put together from parts, may be that of any column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from typing import NamedTuple

from recce_meta.warehouses.builds import names_in

PARTS = re.compile(
    r"""
    (?P<config> \{\{-?\s*config\s*\((?:(?!run_query).)*?\)\s*-?\}\} | \{\#.*?\#\} )
    | \{%-?\s*(?:call\b|set\b[^=%]*%\}) .*? \{%-?\s*end(?:call|set)\b.*?%\} | \{%.*?%\} | \{\{.*?\}\}
    """,
    re.DOTALL | re.VERBOSE,
)
"""Tags and blocks of a template that may be, or decide over, what it sends."""
STAR = re.compile(r"(?:\bselect(?:\s+distinct)?\s+|,\s*|\.)\*", re.IGNORECASE)
"""All columns of a relation."""
_MADE = re.compile(
    r"""
    ^\{%-?\s* (?: set\s+(?P<set>\w+(?:\s*,\s*\w+)*) | for\s+(?P<loop>\w+(?:\s*,\s*\w+)*)\s+in\b )
    | \b(?P<more>\w+)\s*\.\s*(?:append|extend|insert|update|setdefault)\s*\(
    """,
    re.VERBOSE,
)
"""Start of a tag that makes variables, or a call that adds to one."""
_HEAD = re.compile(r"\{%-?\s*(?P<kind>macro|test)\s+(?P<name>\w+)\s*\((?P<all>.*?)\)\s*-?%\}", re.DOTALL)
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_STRING = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_NO_NAME = re.compile(
    r"""
    ^(?:el)?if\b.* | ^set\s+[\w\s.,]+(?:=|$) | ^for\s+[\w\s,]+\sin\b
    | '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | \|\s*\w+ | \bis\s+(?:not\s+)?\w+
    """,
    re.DOTALL | re.VERBOSE,
)
"""Conditions, variables that a tag makes, strings, filters and tests of Jinja."""
_NAME = re.compile(r"(?<![\w.])(?P<path>[A-Za-z_]\w*(?:\s*\.\s*\w+)*)\s*(?P<then>\(|=(?!=))?")
_RELATION = re.compile(r"^(?:ref|source|load_(?:cached_)?relation|adapter\.(?:get_relation|quote)|api\..*)$")
"""Calls that return a relation or a quoted name."""
_PLAIN = frozenset(
    """set endset for endfor in if else endif do call endcall endmacro endtest not and or none true false
    execute this target loop model config caller range namespace dict list zip log print return exceptions dbt
    adapter.dispatch _dbt_generic_test_kwargs""".split()
)
"""Words of Jinja, and names that add no name of a column to a query."""
_SENDING = frozenset("run_query statement set_sql_header adapter.execute".split())
_PIECE = re.compile(
    r"""
    [\w$]['"]\s*~ | ~\s*['"][\w$] | [\w$](?:\{\{|%s|\{\}) | (?:\}\}|%s|\{\})[\w$] | [\w)\]]\s*~\s*[\w(\[]
    | [|.]\s*replace\s*\( | \bjoin\s*\(\s*['"](?:['"]|[\w$])
    """,
    re.VERBOSE,
)
"""A part of a name, next to another part."""
_NO_PIECE = re.compile(
    r"\{\{[^{}]*\}\}\s*\.\s*\w* | \.\s*\{\{[^{}]*\}\}\w* | \bas\s+\w*\{\{[^{}]*\}\}\w*",
    re.IGNORECASE | re.VERBOSE,
)
"""A part of the name of a relation, and an alias."""


class _Template(NamedTuple):
    parts: list[str]
    made: dict[str, list[str]]
    """Parts by the variable that they make, in lower case."""
    parameters: frozenset[str]


def names_in_queries(
    code: str, macros: Collection[str], sends: Callable[[str], bool]
) -> tuple[frozenset[str], bool]:
    """Return the lower-case words of the queries that *code* sends, and whether one may name any column.

    They are those of the tags that *sends* finds, or that call a macro which sends one, of the variables in
    these tags, and of the macros that they call. *macros* are the texts that the code reaches.
    """
    by_name: dict[str, list[str]] = {}
    for text in macros:
        for name in _names_of(text):
            by_name.setdefault(name, []).append(text)
    senders = _senders(macros, sends)
    words, is_any = frozenset[str](), False
    waiting, known = [code], {code}
    for text in waiting:
        template = _template(text)
        asking = [one for one in template.parts if sends(one) or not _calls(one).isdisjoint(senders)]
        if not asking and text is not code:
            # The result of the macro may be a part of the query.
            asking = [one for one in template.parts if one.startswith("{{") or "return" in one]
            is_any |= _is_piece(text)
        asking = _with_variables(asking, template)
        found = names_in(asking if text is code else [text])
        values = _known(text, frozenset(by_name.keys() - senders))
        allowed = {*by_name, *_SENDING}
        is_any |= any(STAR.search(one) or _is_piece(one) for one in asking)
        is_any |= any(True for one in asking for _ in _unknown(one, values, allowed))
        words |= found
        # The list grows while it is read.
        called = frozenset[str]().union(*map(_calls, asking))
        new = [one for name in by_name.keys() & called for one in by_name[name] if one not in known]
        waiting += dict.fromkeys(new)
        known.update(new)
    return words, is_any


def _names_of(text: str) -> Iterator[str]:
    """Yield the lower-case names of a macro: with the prefix of an adapter, and without."""
    for head in _HEAD.finditer(text):
        name = head["name"].lower()
        yield from {name, name.partition("__")[2] or name}
        if head["kind"] == "test":
            yield f"test_{name}"


@lru_cache(maxsize=1024)
def _calls(text: str) -> frozenset[str]:
    """Return the lower-case names that *text* may call: any of its words, if it looks a macro up."""
    if "context" in text or "dispatch" in text:
        return names_in(text)
    tags = " ".join(_TAG.findall(text))
    return frozenset(re.findall(r"(\w+)\s*\(", _STRING.sub(" ", tags).lower()))


def _senders(macros: Collection[str], sends: Callable[[str], bool]) -> set[str]:
    """Return the names of the macros that send a query, or call a macro that does."""
    senders = {name for text in macros if sends(text) for name in _names_of(text)}
    words = {text: names_in(text) for text in macros}
    while (
        more := {name for text, found in words.items() if found & senders for name in _names_of(text)}
        - senders
    ):
        senders |= more
    return senders


def _with_variables(asking: list[str], template: _Template) -> list[str]:
    for part in asking:
        # The list grows while it is read: a variable may be made of others.
        more = [one for name in template.made.keys() & names_in(part) for one in template.made[name]]
        asking += [one for one in dict.fromkeys(more) if one not in asking]
    return asking


@lru_cache(maxsize=1024)  # many nodes call the same macros
def _template(text: str) -> _Template:
    parts = [part[0] for part in PARTS.finditer(text) if not part["config"] and not _HEAD.match(part[0])]
    made: dict[str, list[str]] = {}
    for part in parts:
        for found in _MADE.finditer(part):
            for name in re.findall(r"\w+", found["set"] or found["loop"] or found["more"]):
                made.setdefault(name.lower(), []).append(part)
    heads = " ".join(one["all"] for one in _HEAD.finditer(text))
    return _Template(parts, made, frozenset(re.findall(r"\w+", heads.lower())))


@lru_cache(maxsize=1024)
def _known(text: str, macros: frozenset[str]) -> frozenset[str]:
    """Return the parameters and variables of *text* with values that are written in it, or in *macros*."""
    template = _template(text)
    known = template.parameters | template.made.keys()
    while unknown := {
        name for name in known & template.made.keys() for one in template.made[name]
        if any(True for _ in _unknown(one, known, macros))
    }:  # fmt: skip
        known -= unknown
    return known


def _is_piece(text: str) -> bool:
    return _PIECE.search(_NO_PIECE.sub(" ", text)) is not None


def _unknown(part: str, known: Collection[str], calls: Collection[str]) -> Iterator[str]:
    """Yield the names in the tags of *part* with values that neither the template nor *calls* write."""
    for tag in _TAG.findall(part):
        for found in _NAME.finditer(_NO_NAME.sub(" ", tag.strip("{}%- \n\t"))):
            path = re.sub(r"\s", "", found["path"]).lower()
            first, last = path.partition(".")[0], path.rpartition(".")[2]
            if found["then"] == "=" or first in known or path in _PLAIN or first in _PLAIN:
                continue
            if found["then"] == "(" and (_RELATION.match(path) or last in calls or path in calls):
                continue
            yield path
