"""Lossy tokens: words and literals of a text that the parser normalizes away.

sqlglot parses `'$.a.b'` and `'a.b'` as the same path, `YYYY` and `yyyy` as the same format, FLOAT and REAL as
the same type. Two texts that differ only in such tokens have the same tree, and so would have the same keys.
This module finds those tokens and adds them to the key of the adjacent expression or table.

So are brackets around operators whose precedence is not that of the parser in each warehouse: `~ a + b` is
`~(a + b)` in DuckDB and PostgreSQL, and `(~a) + b` in MySQL, SQLite and the parser.

A token is folded if a text has it more or less often than its tree. It belongs to the node before it between
the same commas, keywords and brackets, else to the node after it, else to the whole statement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from sqlglot import Token, TokenType, exp

from recce_meta.errors import SqlNotAnalysed
from recce_meta.sql_diff.expressions import COMPARISONS, JSON_OPERATORS
from recce_meta.sql_lineage.expressions import children
from recce_meta.sql_lineage.parse import tokens_of
from recce_meta.sql_lineage.query import Query
from recce_meta.warehouses.types import Sql

SAME_TYPE = {
    ("INT", "INTEGER"): "INT",
    ("INT", "INT4"): "INT",
    ("BIGINT", "INT8"): "BIGINT",
    ("BIGINT", "INT64"): "BIGINT",
    ("SMALLINT", "INT2"): "SMALLINT",
    ("BOOLEAN", "BOOL"): "BOOLEAN",
    ("DECIMAL", "NUMERIC"): "DECIMAL",
    ("DECIMAL", "DEC"): "DECIMAL",
    ("CHAR", "CHARACTER"): "CHAR",
    ("TEXT", "STRING"): "TEXT",
    ("DOUBLE", "FLOAT8"): "DOUBLE",
    ("DOUBLE", "FLOAT64"): "DOUBLE",
    ("DOUBLE", "DOUBLE PRECISION"): "DOUBLE",
}
"""Names that mean the same type wherever both exist, by sqlglot's token type and by name."""
NO_MEANING = frozenset({"PRECISION"})
"""Words that accompany others and have no meaning alone."""

RUN_COMMENTS = frozenset({"mysql", "singlestore", "doris", "starrocks"})
"""Dialects that run the text in `/*! … */`. https://dev.mysql.com/doc/refman/8.4/en/comments.html"""

_AFTER_LISTS = frozenset(
    "COMMA R_PAREN FROM WHERE GROUP_BY HAVING QUALIFY ORDER_BY LIMIT UNION INTERSECT SEMICOLON".split()
)
"""Tokens that no item of a list begins with."""
LAST_COMMAS = {
    "": frozenset({"FROM"}),  # a dialect that is not known may be one of these
    "bigquery": frozenset({"FROM"}),
    "databricks": frozenset({"FROM"}),
    "duckdb": _AFTER_LISTS - {"COMMA"},
    "snowflake": frozenset({"FROM"}),
}
"""Tokens before which a dialect accepts a comma at the end of a list.

https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#select_list"""
_OPENING = ("L_PAREN", "L_BRACKET", "L_BRACE")
_CLOSING = ("R_PAREN", "R_BRACKET", "R_BRACE")
_ENDS = frozenset(
    """
    COMMA SELECT FROM WHERE GROUP_BY HAVING QUALIFY ORDER_BY LIMIT OFFSET FETCH JOIN ON UNION INTERSECT EXCEPT
    WITH WINDOW SEMICOLON
    """.split()
)
_ARROW, _OTHER, _PREFIX = 0, 5, 8
_RANKS: dict[type, int] = {
    exp.Or: 1,
    exp.And: 2,
    exp.Not: 3,
    **dict.fromkeys((*COMPARISONS, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.Glob), 4),
    **dict.fromkeys((exp.DPipe, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot), _OTHER),
    **dict.fromkeys((exp.BitwiseLeftShift, exp.BitwiseRightShift), _OTHER),
    **dict.fromkeys((exp.Add, exp.Sub), 6),
    **dict.fromkeys((exp.Mul, exp.Div, exp.Mod, exp.IntDiv), 7),
    exp.Neg: _PREFIX,
    **dict.fromkeys((exp.AtTimeZone, exp.Collate), 9),
    **dict.fromkeys(
        (exp.Abs, exp.Cbrt, exp.Sqrt, exp.StartsWith), _OTHER
    ),  # `@ a`, `||/ a`, `|/ a`, `a ^@ b`
}
"""Operators by the order in which every warehouse applies them, the last ones first.

The order of `_OTHER` among each other and to arithmetic differs between warehouses, as does that of several
comparisons. `->` is one of them in `_TIGHT_ARROWS`; elsewhere it may also write lambdas, and DuckDB applies
it after comparisons. Measured with each pair of operators in DuckDB, PostgreSQL, MariaDB and SQLite.
"""
_SIGNED = (*JSON_OPERATORS, exp.Abs, exp.Cbrt, exp.Sqrt, exp.StartsWith)
"""Classes of functions that operators write as well."""
_SIGNS_OF_LIKE = frozenset({"~~", "~~*", "!~~", "!~~*"})
"""PostgreSQL applies these before `LIKE`, as it does every other operator of signs."""
_TIGHT_ARROWS = frozenset({"postgres", "sqlite"})
_NO_OPERATORS = (exp.Paren, exp.Dot, exp.Kwarg, exp.PropertyEQ, exp.Slice, exp.Escape)
_WORDS = frozenset({"VAR", "IDENTIFIER"})
_NO_TYPES = frozenset({"NULL", "SET", "UNION", "UNKNOWN"})
_TYPES = frozenset(kind.name for kind in TokenType if kind.name in exp.DataType.Type.__members__) - _NO_TYPES
_STRINGS = frozenset(kind.name for kind in TokenType if "STRING" in kind.name)
_MAY_BE_LOST = _WORDS | _TYPES | _STRINGS | {"NUMBER", "PLUS"}
# An enum computes `name` at each access, and a text has thousands of tokens.
_NAMES = {kind: kind.name for kind in TokenType}


@dataclass(slots=True)
class LossyTokens:
    """The folded tokens of one text."""

    attached: dict[int, str] = field(default_factory=dict)
    """Tokens by `id` of the node that they belong to."""
    loose: tuple[str, ...] = ()
    """Tokens that belong to the whole statement."""
    adrift: Counter[str] = field(default_factory=Counter)
    """All tokens, if the tree does not have the positions of names in the text (old sqlglot)."""


@dataclass(slots=True)
class _Item:
    """The part of a text between two commas, keywords or brackets."""

    around: _Item | None
    folded: list[tuple[int, str]] = field(default_factory=list)
    nodes: list[tuple[int, Sql | None]] = field(default_factory=list)
    """Nodes by position in the text; None is a name that is not part of any key."""


def lossy_tokens(
    old: Query, old_sql: str, new: Query, new_sql: str, dialect: str
) -> tuple[LossyTokens, LossyTokens]:
    """Return the folded tokens of two texts, parsed as *old* and *new*. Return none if a text is missing.

    A token folded in one text counts in both, so that an edit elsewhere does not affect the remaining keys.
    """
    before, after = _text_of(old, old_sql, dialect), _text_of(new, new_sql, dialect)
    if before is None or after is None:
        return LossyTokens(), LossyTokens()
    lost = before.lost() | after.lost()
    return before.folded(lost, dialect), after.folded(lost, dialect)


def _text_of(query: Query, sql: str, dialect: str) -> _QueryText | None:
    node = getattr(query, "node", None)
    if not sql or node is None:
        return None
    # The same text as the parser's, so that its cached tokens are reused.
    return _QueryText(tokens_of(sql.removeprefix("\ufeff"), dialect), node.root(), dialect)


class _QueryText:
    """The tokens of a text, compared with its tree."""

    def __init__(self, tokens: list[Token], tree: Sql, dialect: str) -> None:
        self._tokens = tokens
        self._tree = tree
        self._kinds = [_NAMES[token.token_type] for token in tokens]
        _refuse_stray_commas(self._kinds, dialect)
        self._kept, places, units = _kept(tree)
        starts = {token.start for token in tokens}
        self._places = (
            places if starts.issuperset(places) else {}
        )  # otherwise the tree covers only a part of the text
        self._words = [
            None if token.start in self._places else _word(token, kinds, units)
            for token, *kinds in zip(
                tokens, ["", *self._kinds[:-1]], self._kinds, [*self._kinds[1:], ""], strict=True
            )
        ]

    def lost(self) -> set[tuple[str, str]]:
        """Return the tokens that the tree lacks or has less often."""
        written = Counter(word for word in self._words if word)
        # The tree has types by their meaning only, so it lacks every name of a type.
        return {word for word, times in written.items() if word[0] == "type" or self._kept[word] != times}

    def folded(self, lost: Set[tuple[str, str]], dialect: str) -> LossyTokens:
        """Return the tokens among *lost*, with the nodes they belong to."""
        items = self._items(lost)
        if self._places:
            folded = _placed(items)
        else:
            folded = LossyTokens(adrift=Counter(word for item in items for _, word in item.folded))
        has_signs = any(token.text in _SIGNS_OF_LIKE for token in self._tokens)
        arrow = _OTHER if dialect in _TIGHT_ARROWS else _ARROW
        ranks: dict[type, int] = {**_RANKS, **dict.fromkeys(JSON_OPERATORS, arrow)}
        if has_signs:
            ranks.update(dict.fromkeys((exp.Like, exp.ILike), _OTHER))
        for node, operands in _without_brackets(self._tree, ranks).items():
            folded.attached[node] = f"{folded.attached.get(node, '')} without brackets around {operands}"
        folded.loose = (*folded.loose, *_apart(self._tokens, dialect), *self._searches())
        return folded

    def _searches(self) -> Iterator[str]:
        """Yield `SEARCH` and `CYCLE` of recursive queries, which the resolved query does not include."""
        if "RECURSIVE" in self._kinds:
            for node in self._tree.find_all(exp.With):
                search = node.args.get("search")
                if search is not None:
                    yield search.sql(comments=False).upper()

    def _items(self, lost: Set[tuple[str, str]]) -> list[_Item]:
        item = _Item(None)
        items = [item]
        stack: list[_Item] = []
        for place, (token, kind, word) in enumerate(zip(self._tokens, self._kinds, self._words, strict=True)):
            if kind in _CLOSING and stack:
                item = stack.pop()
            elif kind in _OPENING or kind in _ENDS:
                if kind in _OPENING:
                    stack.append(item)
                item = _Item(item if kind in _OPENING else item.around)
                items.append(item)
            if token.start in self._places:
                item.nodes.append((place, self._places[token.start]))
            if word is not None and word in lost:
                item.folded.append((place, word[1]))
        return items


def _refuse_stray_commas(kinds: list[str], dialect: str) -> None:
    """Raise SqlNotAnalysed for a comma without an item after it, which only the parser accepts."""
    refused = _AFTER_LISTS - LAST_COMMAS.get(dialect, frozenset())
    for kind, following in zip(kinds, [*kinds[1:], "SEMICOLON"], strict=True):
        if kind == "COMMA" and following in refused:
            raise SqlNotAnalysed("does not parse: nothing follows a comma")


def _apart(tokens: list[Token], dialect: str) -> Iterator[str]:
    """Yield the parts of a text with a meaning that differs from the tree."""
    if any(token.token_type.name == "PIPE_GT" for token in tokens):
        yield " ".join(token.text for token in tokens)  # the tree does not have the order of its steps
    if dialect in RUN_COMMENTS:
        comments = (comment for token in tokens for comment in token.comments)
        yield from (comment for comment in comments if comment.startswith("!"))


def _placed(items: list[_Item]) -> LossyTokens:
    found: dict[int, list[str]] = {}
    loose = []
    for item in items:
        for place, text in item.folded:
            node = _beside(item, place)
            if node is None:
                loose.append(text)
            else:
                found.setdefault(id(node), []).append(text)
    attached = {key: repr(texts) for key, texts in found.items()}
    return LossyTokens(attached, tuple(sorted(loose)))


def _beside(item: _Item | None, place: int) -> Sql | None:
    while item is not None:
        if item.nodes:  # the nearest before it, in the same expression, else the first after it
            before = [node for at, node in item.nodes if at <= place and node is not None]
            after = [node for at, node in item.nodes if at > place and node is not None]
            return before[-1] if before else after[0] if after else None
        item = item.around
    return None


def _kept(tree: Sql) -> tuple[Counter[tuple[str, str]], dict[int, Sql | None], set[str]]:
    """Return the words and literals in the tree, the nodes by position, and words such as MONTH."""
    units: set[str] = set()
    kept: Counter[tuple[str, str]] = Counter()
    places: dict[int, Sql | None] = {}
    stack = [tree]
    while stack:
        node = stack.pop()
        if not isinstance(node, exp.Hint):
            stack += children(node)
        if isinstance(node, exp.Literal):
            kept["string" if node.is_string else "number", str(node.this)] += 1
        elif isinstance(node, exp.Identifier):
            start = node.meta.get("start")
            if start is None:
                kept["word", node.name.upper()] += 1
            else:
                places[start] = _holder(node)
        elif isinstance(node, exp.Add):
            kept["sign", "+"] += 1
        elif isinstance(node, (exp.Var, exp.Anonymous)):
            kept["word", node.name.upper()] += 1
            units.add(node.name.upper())
        if isinstance(node, exp.Func) and (start := node.meta.get("start")) is not None:
            places.setdefault(start, node)
    return kept, places, units


def _without_brackets(tree: Sql, ranks: Mapping[type, int]) -> dict[int, str]:
    """Return operators that a warehouse may apply in another order, by `id`, with their operands."""
    found: dict[int, str] = {}
    stack = [tree]
    while stack:
        node = stack.pop()
        stack += children(node)
        inner, around = node, node.parent
        if around is None or (rank := _rank(node, ranks)) is None:
            continue
        if not _is_operand(inner, around) or not _may_bind_otherwise(rank, inner, _rank(around, ranks)):
            continue
        if rank == _ARROW:
            found[id(inner)] = f"{found.get(id(inner), '')} bare"
        # Such operators are a chain as a whole, up to `not`, `and` and `or`.
        while around is not None and _is_operand(inner, around):
            if (_rank(around, ranks) or _OTHER) <= _RANKS[exp.Not]:
                break
            found[id(around)] = f"{found.get(id(around), '')} {inner.arg_key}"
            inner, around = around, around.parent
    return found


def _rank(node: Sql, ranks: Mapping[type, int]) -> int | None:
    """Return the rank of the operator *node*, of `_OTHER` if it is not known; None if it is no operator."""
    if _is_call(node):
        return None
    if (rank := ranks.get(node.__class__)) is not None:
        return rank
    if not isinstance(node, exp.Binary | exp.Unary) or isinstance(node, (exp.Func, *_NO_OPERATORS)):
        return None
    return _RANKS[exp.Is] if isinstance(node, exp.Predicate) else _OTHER


def _is_call(node: Sql) -> bool:
    # A function has a position; the paths of Snowflake and Databricks are no operators.
    is_written = node.meta.get("start") is not None or node.args.get("variant_extract")
    return isinstance(node, _SIGNED) and bool(is_written)


def _is_operand(inner: Sql, around: Sql) -> bool:
    """Return True if *inner* is an operand of the operator *around*, without brackets or commas."""
    is_operator = isinstance(around, exp.Binary | exp.Unary) or around.__class__ in _RANKS
    is_bare = inner.arg_key in ("this", "expression", "low", "high")
    return is_operator and is_bare and not isinstance(around, _NO_OPERATORS) and not _is_call(around)


def _may_bind_otherwise(rank: int, inner: Sql, outer: int | None) -> bool:
    """Return True if a warehouse may apply the operator around *inner* before *inner*, which has *rank*."""
    if outer is None:  # `~` of PostgreSQL, which is a function for the parser
        return rank < _PREFIX
    if rank == outer:
        is_chain = rank != _OTHER or isinstance(inner, JSON_OPERATORS) or type(inner) is type(inner.parent)
        return rank > _RANKS[exp.And] and not (is_chain and rank > _RANKS[exp.Is] and inner.arg_key == "this")
    if _OTHER in (rank, outer):
        return not (outer < _OTHER or rank >= _PREFIX)
    return rank < outer


def _holder(name: Sql) -> Sql | None:
    """Return the node whose key includes *name*."""
    holder = name.parent
    if isinstance(holder, (exp.Column, exp.Table)):
        return holder
    if isinstance(holder, exp.Alias) and holder.args.get("alias") is name:
        named: Sql = holder.this
        return named
    return None


def _word(token: Token, kinds: list[str], units: Set[str]) -> tuple[str, str] | None:
    """Return the part of *token* that a tree may lose, or None for punctuation, keywords and function names.

    *kinds* are the types of the previous token, of this one, and of the next.
    """
    before, kind, after = kinds
    if kind not in _MAY_BE_LOST:
        return None
    word = token.text.upper()
    if kind in _STRINGS:  # 'month' may be the word MONTH in the tree
        if word in units:
            return "word", word
        # The unit in `INTERVAL '1 month'` ignores case.
        return "string", word if before == "INTERVAL" else token.text
    if kind == "NUMBER":
        return "number", token.text
    if kind == "PLUS":
        return "sign", "+"
    if kind in _WORDS:
        return None if after == "L_PAREN" or word in NO_MEANING else ("word", word)
    if kind in _TYPES and after != "DOT":
        return "type", SAME_TYPE.get((kind, word), word)
    return None
