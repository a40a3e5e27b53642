"""Whether two texts of code mean the same: tokens are compared, not characters.

A SQL text, with or without Jinja, becomes a list of tokens without white space and comments; keywords
lose their case, and identifiers too where the warehouse folds them. String literals stay as they are.
Each Jinja construct is one token in a normal form: `{{ config(…) }}` is dropped (dbt tells the
configuration apart), `ref('package', 'model')` loses its package (edges tell the package apart), and
quotes and white-space control do not count. Python is compared as a syntax tree.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

FOLDING = frozenset(["postgres", "redshift", "snowflake", "oracle", "athena", "trino"])
"""Adapters whose warehouse folds unquoted identifiers, so that their case never shows."""
BACKSLASH = frozenset(["bigquery", "snowflake", "databricks", "spark", "redshift", "mysql", "clickhouse"])
"""Adapters whose string literals know backslash escapes."""
HASH_COMMENTS = frozenset(["bigquery", "mysql"])
SLASH_COMMENTS = frozenset(["snowflake"])

KEYWORDS = frozenset(
    """
    all alter and any array as asc between by case cast check column constraint create cross current
    current_date current_timestamp cube default delete desc distinct drop else end escape except exclude
    exists extract false fetch filter first following for from full group grouping having if ilike in inner
    insert intersect interval into is join last lateral left like limit merge natural not null nulls offset
    on or order outer over partition pivot preceding primary qualify range recursive references rename
    replace returning right rollup row rows select set sets similar some table tablesample then ties to
    top true try_cast unbounded union unique unnest unpivot update using values view when where window with
    within without
    """.split()
)

_HOLE = "\x00"  # stands for a Jinja construct while SQL is read around it


def same_code(base: str, current: str, *, language: str | None = "sql", adapter: str | None = None) -> bool:
    """Whether the two sources differ at most in formatting. *adapter* is dbt's adapter_type."""
    if base == current:
        return True
    if language == "python":
        return _python(base) == _python(current)
    return tokens(base, adapter) == tokens(current, adapter)


def tokens(code: str, adapter: str | None = None) -> tuple[str, ...]:
    """The tokens of a SQL text with Jinja, in their normal form."""
    text, constructs = _without_jinja(code)
    found = [token for token in _sql(text, adapter or "") if token]
    filled = iter(constructs)
    return tuple(
        "".join(next(filled) if char == _HOLE else char for char in token) if _HOLE in token else token
        for token in found
    )


def unwrapped(compiled: str) -> str:
    """Compiled SQL without the subquery that dbt's Rust engine puts around a reader of ephemeral models."""
    if "--EPHEMERAL-SELECT-WRAPPER-START" not in compiled:
        return compiled
    return _WRAPPER.sub(lambda match: match[1], compiled)


_WRAPPER = re.compile(
    r"--EPHEMERAL-SELECT-WRAPPER-START\s+select \* from \((.*?)--EPHEMERAL-SELECT-WRAPPER-END\s*\)", re.DOTALL
)


@lru_cache(maxsize=4096)
def jinja_names(code: str) -> frozenset[str]:
    """Every name and attribute that the Jinja in *code* mentions; empty where it has none."""
    if "{{" not in code and "{%" not in code:
        return frozenset()
    names: set[str] = set()
    for kind, value in _lex(code):
        if kind == "name":
            names.add(value)
        elif kind == "string" and ("{{" in value or "{%" in value):
            names |= jinja_names(value[1:-1])  # a hook's text is Jinja inside a Jinja string
    return frozenset(names)


def branches(code: str) -> bool:
    """Whether Jinja chooses what of *code* becomes SQL, so that one compiled text is not all of it."""
    return not jinja_names(code).isdisjoint({"if", "elif", "else", "is_incremental", "execute"})


def _python(code: str) -> str:
    try:
        return ast.dump(ast.parse(code))
    except SyntaxError:
        return code


def _lex(code: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of Jinja's own lexer; a text that is not Jinja is one piece of data."""
    from jinja2 import Environment, TemplateSyntaxError

    try:
        pieces = [(kind, value) for _, kind, value in Environment(autoescape=False).lex(code)]
    except TemplateSyntaxError:
        pieces = [("data", code)]
    yield from pieces


def _without_jinja(code: str) -> tuple[str, list[str]]:
    """*code* with a hole for each Jinja construct, and the constructs in their normal form."""
    if "{{" not in code and "{%" not in code and "{#" not in code:
        return code.replace(_HOLE, ""), []
    text: list[str] = []
    constructs: list[str] = []
    current: list[str] | None = None
    for kind, value in _lex(code):
        if kind in ("data", "raw"):
            text.append(value.replace(_HOLE, ""))
        elif kind in ("variable_begin", "block_begin"):
            current = [value[:2]]
        elif kind in ("variable_end", "block_end"):
            construct = _construct([*(current or []), value[-2:]])
            if construct is not None:
                constructs.append(construct)
                text.append(_HOLE)
            current = None
        elif current is not None and kind != "whitespace":
            current.append(_string(value) if kind == "string" else value)
    return "".join(text), constructs


def _string(value: str) -> str:
    """A Jinja string in one kind of quotes."""
    return "'" + value[1:-1].replace("\\'", "'").replace("'", "\\'") + "'"


def _construct(parts: list[str]) -> str | None:
    """The normal form of one Jinja construct; None where it leaves nothing in the SQL."""
    if parts[:3] == ["{{", "config", "("]:
        return None
    normal: list[str] = []
    position = 0
    while position < len(parts):
        packaged = parts[position : position + 4]
        if packaged[:2] == ["ref", "("] and packaged[3:] == [","] and parts[position + 4][:1] == "'":
            normal += ["ref", "("]
            position += 4
        else:
            normal.append(parts[position])
            position += 1
    return " ".join(normal)


@lru_cache(maxsize=16)
def _lexer(adapter: str) -> re.Pattern[str]:
    """The SQL of *adapter*, as far as telling comments, strings and names apart needs it."""
    body = r"(?:[^'\\]|''|\\.)*" if adapter in BACKSLASH else r"(?:[^']|'')*"
    line = ["--"]
    line += ["#"] if adapter in HASH_COMMENTS else []
    line += ["//"] if adapter in SLASH_COMMENTS else []
    triple = r"|'''.*?'''|\"\"\".*?\"\"\"" if adapter == "bigquery" else ""
    return re.compile(
        rf"""
          (?P<hint>/\*\+.*?\*/)
        | (?P<comment>(?:{"|".join(line)})[^\n]*|/\*.*?\*/)
        | (?P<literal>⟦[^⟧]*⟧{triple}|'{body}'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|"(?:[^"]|"")*"|`[^`]*`)
        | (?P<word>[^\W\d][\w$]*)
        | (?P<number>[\d.]+(?:[eE][+-]?\d+)?)
        | (?P<space>\s+)
        | (?P<other><>|!=|<=|>=|::|\|\||->>|->|=>|.)
        """,
        re.VERBOSE | re.DOTALL,
    )


def _sql(text: str, adapter: str) -> Iterator[str]:
    for match in _lexer(adapter).finditer(text):
        kind, value = match.lastgroup, match[0]
        if kind == "space":
            continue
        if kind == "comment":
            yield _HOLE * value.count(_HOLE)  # Jinja runs in comments too
        elif kind == "word" and _folds(value, text[match.end() : match.end() + 1], adapter):
            yield value.lower()
        elif kind == "other" and value == "!=":
            yield "<>"
        else:
            yield value


def _folds(word: str, following: str, adapter: str) -> bool:
    return adapter in FOLDING or following == "(" or word.lower() in KEYWORDS
