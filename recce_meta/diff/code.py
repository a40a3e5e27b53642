"""Whether two texts of code mean the same: tokens are compared, not characters.

A SQL text, with or without Jinja, becomes a list of tokens without white space and comments; keywords
lose their case, and identifiers too where the warehouse folds them. String literals stay as they are.
Each Jinja construct is one token in a normal form: `{{ config(…) }}` is dropped (dbt tells the
configuration apart), `ref('package', 'model')` loses its package (edges tell the package apart), and
quotes and white-space control do not count. Python is compared as a syntax tree, its `dbt.config(…)` dropped.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

FOLDING = frozenset(["postgres", "redshift", "snowflake", "oracle", "athena", "trino"])
"""Adapters whose warehouse folds unquoted identifiers, so that their case never shows."""
BACKSLASH = frozenset(["bigquery", "snowflake", "databricks", "spark", "redshift", "mysql", "clickhouse"])
"""Adapters whose string literals know backslash escapes."""
DOUBLE_QUOTED_STRINGS = frozenset(["bigquery", "databricks", "spark", "mysql"])
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

STEADY = frozenset(
    """
    if elif else endif for endfor set endset in is not and or do raw endraw loop true false none True
    False None ref source join upper lower trim replace length list unique sort first last default
    format string int float title capitalize map select reject selectattr rejectattr range items
    dictsort batch reverse sum min max abs round defined undefined config return execute macro endmacro
    test endtest call endcall caller
    """.split()
)
"""Jinja's words, and functions that answer alike in every run."""

AT_RUN_TIME = frozenset(
    [
        "is_incremental",
        "should_full_refresh",
        "flags",
        "get_relation",
        "load_relation",
        "load_cached_relation",
    ]
)
"""Names whose value when dbt builds need not be the one when dbt compiles."""

INJECTED = "__dbt__cte__"
"""How the names of CTEs begin that dbt puts before a reader of ephemeral models."""

_HOLE = "\x00"  # stands for a Jinja construct while SQL is read around it


def same_code(base: str, current: str, *, language: str | None = "sql", adapter: str | None = None) -> bool:
    """Whether the two sources differ at most in formatting. *adapter* is dbt's adapter_type."""
    if base == current:
        return True
    if language == "python":
        return _python(base) == _python(current)
    return tokens(base, adapter) == tokens(current, adapter)


def tokens(code: str, adapter: str | None = None, *, jinja: bool = True) -> tuple[str, ...]:
    """The tokens of a SQL text, with *jinja* or compiled, in their normal form."""
    text, constructs = _without_jinja(code) if jinja else (code.replace(_HOLE, ""), [])
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


def without_injected(found: tuple[str, ...], parents: Mapping[str, str]) -> tuple[str, ...]:
    """Tokens of compiled SQL without the CTEs that dbt injected; *parents* says by what to call them instead.

    The text of an ephemeral model is then no part of what its readers are, as with any other model.
    """
    if not any(token.lower().startswith(INJECTED) for token in found):
        return found
    kept: list[str] = []
    position = 0
    while position < len(found):
        token = found[position]
        injected = token.lower().startswith(INJECTED)
        if injected and found[position + 1 : position + 3] == ("as", "("):
            position = _after_bracket(found, position + 2)
            if found[position : position + 1] == (",",):
                position += 1
            elif kept and kept[-1] in ("with", ","):
                kept.pop()  # it was the last one
            continue
        kept.append(parents.get(token.lower(), token) if injected else token)
        position += 1
    return tuple(kept)


def _after_bracket(found: tuple[str, ...], position: int) -> int:
    """The position after the bracket that closes the one at *position*."""
    depth = 0
    for index in range(position, len(found)):
        depth += (found[index] == "(") - (found[index] == ")")
        if depth == 0:
            return index + 1
    return len(found)


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


@lru_cache(maxsize=4096)
def branches(code: str) -> bool:
    """Whether Jinja chooses what of *code* becomes SQL, so that one compiled text is not all of it.

    A choice that hangs on nothing but the text itself (`if not loop.last`), or on a macro's arguments,
    comes out alike in every run.
    """
    names = jinja_names(code)
    if "is_incremental" in names:
        return True
    return not names.isdisjoint({"if", "elif", "else"}) and bool(_free_names(code) - STEADY)


@lru_cache(maxsize=1024)
def branch_tokens(code: str, adapter: str | None = None) -> tuple[str, ...]:
    """The tokens of what Jinja may or may not take from *code*, with its conditions."""
    kept: list[str] = []
    construct: list[str] = []
    depth = 0
    for kind, value in _lex(code):
        if kind not in ("data", "raw"):
            construct.append(value)
            if not kind.endswith("_end"):
                continue
        names = set(construct)
        opens = construct[:1] and construct[0].startswith("{%") and "if" in names
        # `{% set a = b if c else d %}` decides without opening anything.
        depth += bool(opens) and "set" not in names
        if depth or not names.isdisjoint({"if", "else"}):
            kept += [*construct, "" if construct else value]
        depth -= "endif" in names
        construct = []
    return tokens("".join(kept), adapter)


def decides_at_run_time(code: str) -> bool:
    """Whether the Jinja of *code* may come out otherwise when dbt builds than when it compiles."""
    return not AT_RUN_TIME.isdisjoint(jinja_names(code))


@lru_cache(maxsize=4096)
def names_in_branches(code: str) -> frozenset[str]:
    """Names that the Jinja of *code* mentions where compiled SQL need not show them, though they run."""
    if not decides_at_run_time(code):
        return frozenset()
    names: set[str] = set()
    depth, before = 0, ""
    for kind, value in _lex(code):
        if kind == "whitespace":
            continue
        if kind == "name":
            depth += (before.startswith("{%") and value == "if") - (value == "endif")
            if depth:
                names.add(value)
        before = value
    return frozenset(names)


def _free_names(code: str) -> set[str]:
    """Names in the Jinja of *code* that it does not set itself, without attributes."""
    names: set[str] = set()
    own: set[str] = set()
    before, declaring = "", False
    for kind, value in _lex(code):
        if kind == "whitespace":
            continue
        if kind == "name" and before != ".":
            if value in ("set", "for", "macro", "test"):
                declaring = True
            elif declaring and value != "in":
                own.add(value)
            names.add(value)
        declaring = declaring and not (value in ("in", "=") or kind.endswith("_end"))
        before = value
    return names - own


def _python(code: str) -> str:
    """The syntax tree, without the `dbt.config(…)` statements (dbt tells the configuration apart)."""
    try:
        return ast.dump(_WithoutConfig().visit(ast.parse(code)))
    except (SyntaxError, ValueError, RecursionError):
        return code


class _WithoutConfig(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        called = node.value.func if isinstance(node.value, ast.Call) else None
        return None if called is not None and ast.unparse(called) == "dbt.config" else node


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
            construct = _construct(
                [*(current or []), value.rstrip()[-2:]]
            )  # `-%}` takes the white space after it
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
    escaped = r"'(?:[^'\\]|''|\\.)*'"
    literals = [r"⟦[^⟧]*⟧", r"\$(?P<tag>\w*)\$.*?\$(?P=tag)\$", r"`[^`]*`"]
    if adapter == "bigquery":
        literals += [r"\'\'\'.*?\'\'\'", r'""".*?"""', r"[rR]'[^']*'", r'[rR]"[^"]*"']
    literals += [escaped if adapter in BACKSLASH else f"[eE]{escaped}|'(?:[^']|'')*'"]
    literals += [r'"(?:[^"\\]|""|\\.)*"' if adapter in DOUBLE_QUOTED_STRINGS else r'"(?:[^"]|"")*"']
    line = ["--"]
    line += [r"\#"] if adapter in HASH_COMMENTS else []
    line += ["//"] if adapter in SLASH_COMMENTS else []
    return re.compile(
        rf"""
          (?P<hint>/\*\+.*?\*/)
        | (?P<comment>(?:{"|".join(line)})[^\n]*|/\*.*?\*/)
        | (?P<literal>{"|".join(literals)})
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
