"""Comparison of code by tokens, to ignore differences in formatting.

SQL, with or without Jinja, becomes a list of tokens without white space and comments. Keywords are
lower-cased, and so are identifiers if the warehouse folds them. String literals are not changed. Each Jinja
construct is one token in a normal form: `{{ config(…) }}` is dropped (dbt reports the configuration
separately), `ref('package', 'model')` loses its package (lineage edges include the package), and quotes and
white-space control do not count. Python is compared as a syntax tree, without `dbt.config(…)`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import SequenceMatcher
from functools import lru_cache

from recce_meta.models.relation_tokens import INJECTED
from recce_meta.warehouses.hooks import COMPUTED_LOOK_UP

FOLDING = frozenset(["postgres", "redshift", "snowflake", "oracle", "athena", "trino"])
"""Adapters whose warehouse folds unquoted identifiers, so their case does not matter."""
BACKSLASH = frozenset(["bigquery", "snowflake", "databricks", "spark", "redshift", "mysql", "clickhouse"])
"""Adapters whose string literals support backslash escapes."""
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
"""Jinja keywords, and functions that return the same result in every run."""

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
"""Names whose value may differ between compilation and build."""

_HOLE = "\x00"  # placeholder for a Jinja construct in SQL


def same_code(base: str, current: str, *, language: str | None = "sql", adapter: str | None = None) -> bool:
    """Return True if the sources differ at most in formatting. *adapter* is dbt's adapter_type."""
    if base == current:
        return True
    if language == "python":
        return _python(base) == _python(current)
    return tokens(base, adapter) == tokens(current, adapter)


_PACKAGED = re.compile(r"""\bref\s*\(\s*(['"])(?P<package>[^'"]+)\1\s*,\s*(['"])(?P<name>[^'"]+)\3""")
"""Call of `ref` with a package."""


def with_packages(code: str, own: str | None, shown: Collection[tuple[str, str]] = ()) -> str:
    """Return *code* with the package of each `ref` in its name, except *own* and those of *shown* nodes."""

    def named(call: re.Match[str]) -> str:
        package, name = call["package"], call["name"]
        return call[0] if package == own or (package, name) in shown else f"ref('{package}.{name}'"

    return _PACKAGED.sub(named, code) if "ref" in code else code


def tokens(code: str, adapter: str | None = None, *, jinja: bool = True) -> tuple[str, ...]:
    """Return the normalized tokens of a SQL text, which is compiled unless *jinja* is set."""
    text, constructs = _without_jinja(code) if jinja else (code.replace(_HOLE, ""), [])
    found = [token for token in _sql(text, adapter or "") if token]
    filled = iter(constructs)
    return tuple(
        "".join(next(filled) if char == _HOLE else char for char in token) if _HOLE in token else token
        for token in found
    )


def without_wrapper(compiled: str) -> str:
    """Return compiled SQL without the subquery that dbt's Rust engine adds to readers of ephemeral models."""
    if "--EPHEMERAL-SELECT-WRAPPER-START" not in compiled:
        return compiled
    return _WRAPPER.sub(lambda match: match[1], compiled)


_WRAPPER = re.compile(
    r"--EPHEMERAL-SELECT-WRAPPER-START\s+select \* from \((.*?)--EPHEMERAL-SELECT-WRAPPER-END\s*\)", re.DOTALL
)


_LIMITED = re.compile(
    r"""\(select[ ]\*[ ]from[ ](?P<relation>[^()]+?)[ ]where[ ](?:
            false[ ]limit[ ]0
            | (?P<column>[^()']+|cast\([^()']+\))[ ]>=[ ]'\d{4}-\d\d-\d\d[ ][\d:.]{8,15}\+00:00'
              [ ]and[ ](?P=column)[ ]<[ ]'\d{4}-\d\d-\d\d[ ][\d:.]{8,15}\+00:00'
        )\)(?:[ ]_dbt_(?:limit|et_filter)_subq\w*)?""",
    re.VERBOSE,
)


def without_limits(compiled: str) -> str:
    """Return SQL that dbt compiled with `--empty` or `--sample` without the limit around each relation.

    The code of the project may have such a subquery itself, which dbt puts into another one.
    """
    return _LIMITED.sub(lambda match: match["relation"], compiled)


def without_injected(found: tuple[str, ...], parents: Mapping[str, str]) -> tuple[str, ...]:
    """Return tokens of compiled SQL without the CTEs that dbt injected, renamed according to *parents*.

    The text of an ephemeral model then does not count as part of its readers, as with any other model.
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
                kept.pop()  # the dropped CTE was the last in the list
            continue
        kept.append(parents.get(token.lower(), token) if injected else token)
        position += 1
    return tuple(kept)


def _after_bracket(found: tuple[str, ...], position: int) -> int:
    """Return the position after the bracket that closes the one at *position*."""
    depth = 0
    for index in range(position, len(found)):
        depth += (found[index] == "(") - (found[index] == ")")
        if depth == 0:
            return index + 1
    return len(found)


@lru_cache(maxsize=4096)
def jinja_names(code: str) -> frozenset[str]:
    """Return every name and attribute that the Jinja in *code* mentions."""
    if "{{" not in code and "{%" not in code:
        return frozenset()
    names: set[str] = set()
    for kind, value in _lex(code):
        if kind == "name":
            names.add(value)
        elif kind == "string" and ("{{" in value or "{%" in value):
            names |= jinja_names(value[1:-1])  # a hook is Jinja inside a Jinja string
    return frozenset(names)


_LOOKED_UP = frozenset({"context", "dispatch"})


@lru_cache(maxsize=4096)
def names_looked_up(code: str) -> frozenset[str]:
    """Return every word of *code* if it looks macros up by strings: `context['f']()`, `dispatch('f')`.

    `*` is among them if a name may be computed.
    """
    if _LOOKED_UP.isdisjoint(jinja_names(code)):
        return frozenset()
    words = frozenset(re.findall(r"\w+", code))
    return words | {"*"} if COMPUTED_LOOK_UP.search(code) else words


@lru_cache(maxsize=4096)
def branches(code: str) -> bool:
    """Return True if Jinja selects parts of *code*, so that one compiled text does not show all of it.

    A condition that depends only on the text itself (`if not loop.last`) or on a macro's arguments
    has the same result in every run and does not count.
    """
    names = jinja_names(code)
    if "is_incremental" in names:
        return True
    return not names.isdisjoint({"if", "elif", "else"}) and bool(_free_names(code) - STEADY)


@lru_cache(maxsize=1024)
def branch_tokens(code: str, adapter: str | None = None) -> tuple[str, ...]:
    """Return the tokens of the conditional parts of *code*, including the conditions."""
    if "if" not in code and "else" not in code:
        return ()
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
        # `{% set a = b if c else d %}` is a condition but does not open a block.
        depth += bool(opens) and "set" not in names
        if depth or not names.isdisjoint({"if", "else"}):
            kept += [*construct, "" if construct else value]
        depth -= "endif" in names
        construct = []
    return tokens("".join(kept), adapter)


def decides_at_run_time(code: str) -> bool:
    """Return True if the Jinja of *code* may render differently when dbt builds than when it compiles."""
    return not AT_RUN_TIME.isdisjoint(jinja_names(code))


@lru_cache(maxsize=4096)
def names_in_branches(code: str) -> frozenset[str]:
    """Return names in conditional blocks of *code* that may run at build time, unseen in compiled SQL."""
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


@lru_cache(maxsize=4096)
def reads_config(code: str, key: str) -> bool:
    """Return True if the Jinja of *code* names the configuration *key*, or reads a key that it computes."""
    found = jinja_pieces(code)
    values = [value for _, value in found]
    for place, (kind, value) in enumerate(found):
        if kind == "string" and key in value[1:-1].split("."):  # selectattr("config.meta")
            return True
        if kind == "string" and ("{{" in value or "{%" in value) and reads_config(value[1:-1], key):
            return True
        is_attribute = kind == "name" and values[place - 1 : place] == ["."]
        if is_attribute and (value == key or (key == "meta" and value in ("meta_get", "meta_require"))):
            return True
        is_call = values[max(place - 4, 0) : place - 2] == ["config", "."] and values[place - 1] == "("
        if kind == "name" and is_call and values[place - 2] in ("get", "require"):
            return True
    return False


_VARIABLE_WORD = re.compile(r"\b(?:env_)?var\b")
_VARIABLE = re.compile(r"\b((?:env_)?var)\s*\(\s*(['\"])([^'\"]+)\2")


def variable_calls(*templates: str) -> frozenset[str]:
    """Return the variables that *templates* read, as calls: `var('day')`, `env_var('DAY')`."""
    return frozenset().union(*map(_variables, templates))


@lru_cache(maxsize=4096)  # many nodes call the same macros
def _variables(template: str) -> frozenset[str]:
    return frozenset(f"{one[1]}('{one[3]}')" for one in _VARIABLE.finditer(template))


def reads_only(calls: Collection[str], code: str) -> bool:
    """Return True if *code* reads no variables but those of *calls*; a computed name is another."""
    return variable_calls(code) <= {*calls} and (
        len(_VARIABLE_WORD.findall(code)) == len(_VARIABLE.findall(code))
    )


def _free_names(code: str) -> set[str]:
    """Return names in the Jinja of *code* that it does not set itself, without attributes."""
    names, own = _used_and_own_names(code)
    return names - own


def _used_and_own_names(code: str) -> tuple[set[str], set[str]]:
    """Return names in the Jinja of *code*, without attributes, and those that it sets itself."""
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
    return names, own


@lru_cache(maxsize=4096)
def outside_names(code: str) -> frozenset[str]:
    """Return names that the Jinja of *code* does not set itself, without attributes and keywords of calls."""
    names: set[str] = set()
    nested: set[str] = set()
    pieces = [piece for piece in _lex(code) if piece[0] != "whitespace"]
    values = [value for _, value in pieces]
    for place, (kind, value) in enumerate(pieces):
        before, after = values[place - 1 : place], values[place + 1 : place + 2]
        if kind == "name" and not (after == ["="] and before in (["("], [","])):
            names.add(value)
        elif kind == "string" and ("{{" in value or "{%" in value):
            nested |= outside_names(value[1:-1])
    return frozenset(names & _free_names(code) | nested)


@lru_cache(maxsize=4096)
def members_of(name: str, code: str) -> frozenset[str]:
    """Return what the Jinja of *code* reads of *name*: `b` of `a.b` and `a['b']`, else an empty text.

    >>> sorted(members_of("a", "{{ a.b }} {{ a['c'] }} {{ x.a }}"))
    ['b', 'c']
    """
    found: set[str] = set()
    pieces = [piece for piece in _lex(code) if piece[0] != "whitespace"]
    for place, (kind, value) in enumerate(pieces):
        if kind == "name" and value == name and pieces[place - 1][1] != ".":
            after = [one for _, one in pieces[place + 1 : place + 4]]
            if after[:1] == ["."]:
                found.update(after[1:2])
            elif after[:1] == ["["] and after[2:] == ["]"] and after[1][0] in "\"'":
                found.add(after[1][1:-1])
            else:
                found.add("")
        elif kind == "string" and ("{{" in value or "{%" in value):
            found |= members_of(name, value[1:-1])
    return frozenset(found)


def construct_places(code: str, adapter: str | None) -> tuple[str, ...]:
    """Return where each Jinja construct but `config` stands: in a comment, in a literal or elsewhere.

    >>> construct_places("{{ a }} -- {{ b }}", None)
    ('', 'comment')
    """
    text, _ = _without_jinja(code)
    return tuple(
        kind if kind in ("comment", "literal") else ""
        for kind, piece in sql_pieces(text, adapter)
        for _ in range(piece.count(_HOLE))
    )


def edited_constructs(base: str, current: str) -> list[str]:
    """Return the Jinja constructs that only one of two templates has, in their normal form, with `config`."""
    old, new = (_without_jinja(code, drops_config=False)[1] for code in (base, current))
    if old == new:
        return []
    found = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    edits = [(old[a:b], new[c:d]) for kind, a, b, c, d in found if kind != "equal"]
    return [construct for pair in edits for some in pair for construct in some]


def differing_expressions(base: str, current: str) -> tuple[str, str] | None:
    """Return the `{{ … }}` in which two templates differ, if they differ in nothing else.

    None also if one of them reads a name that the template sets: then more than the expression counts.
    """
    parts = [list(_parts(code)) for code in (base, current)]
    if len(parts[0]) != len(parts[1]):
        return None
    edited = [(old, new) for old, new in zip(*parts, strict=True) if old != new]
    if not all(part.startswith("{{") for pair in edited for part in pair):
        return None
    found = "\n".join(old for old, _ in edited), "\n".join(new for _, new in edited)
    inner = {"loop", "caller", "varargs", "kwargs"}
    for code, expressions in zip((base, current), found, strict=True):
        if not jinja_names(expressions).isdisjoint(_used_and_own_names(code)[1] | inner):
            return None
    return found


def _parts(code: str) -> Iterator[str]:
    """Yield the texts and the constructs of a template in turn, without comments."""
    text = ""
    for kind, value in _lex(code):
        if kind.startswith("comment"):
            continue
        if kind in ("variable_begin", "block_begin"):
            yield text
            text = ""
        text += value
        if kind in ("variable_end", "block_end"):
            yield text
            text = ""
    yield text


def sql_pieces(text: str, adapter: str | None) -> Iterator[tuple[str | None, str]]:
    """Yield kind and text of each piece of a SQL text: `comment`, `literal`, `word`, `number`, `other`, …"""
    for match in _lexer(adapter or "").finditer(text):
        yield match.lastgroup, match[0]


def _python(code: str) -> str:
    """Return the syntax tree without `dbt.config(…)`, which dbt reports as configuration."""
    try:
        return ast.dump(_WithoutConfig().visit(ast.parse(code)))
    # `ast.parse` raises ValueError for NUL in some versions of Python.
    except (SyntaxError, ValueError, RecursionError):
        return code


class _WithoutConfig(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        called = node.value.func if isinstance(node.value, ast.Call) else None
        return None if called is not None and ast.unparse(called) == "dbt.config" else node


def _lex(code: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, text) pairs from Jinja's lexer; text with invalid Jinja is one piece of data."""
    from jinja2 import Environment, TemplateSyntaxError

    try:
        # Only the lexer runs, so nothing is rendered.
        pieces = [(kind, value) for _, kind, value in Environment(autoescape=False).lex(code)]
    except TemplateSyntaxError:
        pieces = [("data", code)]
    yield from pieces


def jinja_pieces(code: str) -> list[tuple[str, str]]:
    """Return the (kind, text) pairs of the Jinja in *code*, without white space."""
    return [piece for piece in _lex(code) if piece[0] not in ("whitespace", "data", "raw")]


def names_set_in(code: str) -> set[str]:
    """Return names that the Jinja in *code* sets itself: variables, parameters of macros."""
    return _used_and_own_names(code)[1]


def _without_jinja(code: str, *, drops_config: bool = True) -> tuple[str, list[str]]:
    """Return *code* with a hole for each Jinja construct, and the constructs in their normal form."""
    if "{{" not in code and "{%" not in code and "{#" not in code:
        # A NUL in the text itself would be taken for a construct.
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
            parts = [*(current or []), value.rstrip()[-2:]]  # `-%}` takes the white space after it
            construct = _construct(parts, drops_config)
            if construct is not None:
                constructs.append(construct)
                text.append(_HOLE)
            current = None
        elif current is not None and kind != "whitespace":
            current.append(_string(value) if kind == "string" else value)
    return "".join(text), constructs


def _string(value: str) -> str:
    """Return a Jinja string with single quotes."""
    return "'" + value[1:-1].replace("\\'", "'").replace("'", "\\'") + "'"


def _construct(parts: list[str], drops_config: bool) -> str | None:
    """Return the normal form of one Jinja construct, or None if it renders to nothing."""
    if drops_config and parts[:3] == ["{{", "config", "("]:
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
    """Return a pattern for *adapter*'s SQL, sufficient to separate comments, strings and names."""
    escaped = r"'(?:[^'\\]|''|\\.)*'"
    literals = [r"⟦[^⟧]*⟧", r"\$(?P<tag>\w*)\$.*?\$(?P=tag)\$", r"`[^`]*`"]
    if adapter == "bigquery":
        literals += [r"\'\'\'.*?\'\'\'", r'""".*?"""', r"[rR]'[^']*'", r'[rR]"[^"]*"']
    literals += [escaped if adapter in BACKSLASH else f"[eE]{escaped}|'(?:[^']|'')*'"]
    literals += [r'"(?:[^"\\]|""|\\.)*"' if adapter in DOUBLE_QUOTED_STRINGS else r'"(?:[^"]|"")*"']
    line = ["--"]
    line += [r"\#"] if adapter in HASH_COMMENTS else []
    line += ["//"] if adapter in SLASH_COMMENTS else []
    # The order counts: a hint looks like a comment, and a comment must not start inside a literal.
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
            yield _HOLE * value.count(_HOLE)  # dbt runs Jinja inside comments
        elif kind == "word" and _folds(value, text[match.end() : match.end() + 1], adapter):
            yield value.lower()
        elif kind == "other" and value == "!=":
            yield "<>"
        else:
            yield value


def _folds(word: str, following: str, adapter: str) -> bool:
    # Keywords and functions ignore case even in warehouses where names have one.
    return adapter in FOLDING or following == "(" or word.lower() in KEYWORDS
