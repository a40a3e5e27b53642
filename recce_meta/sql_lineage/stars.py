"""Star expansion: the outputs of a SELECT list, including patterns that select columns by name.

A pattern is matched in time that depends only on the length of the name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace
from sqlglot import exp

from recce_meta.errors import SqlNotAnalysed
from recce_meta.sql_lineage import facts
from recce_meta.sql_lineage.expressions import NODE, args, function, unwrapped
from recce_meta.sql_lineage.fields import ExpressionReader
from recce_meta.sql_lineage.query import (
    STAR,
    Member,
    Merged,
    Output,
    QuerySource,
    Reads,
    Reference,
    Select,
    SetOperation,
    SourceColumn,
    Star,
)
from recce_meta.sql_lineage.scope import Scope, find_column, imply, is_open, star_columns
from recce_meta.sql_lineage.structs import StructFields, fields_of, leaves_of, members
from recce_meta.sql_lineage.trace import is_inline_call
from recce_meta.warehouses.types import Sql

PATTERNS = (exp.Like, exp.ILike, exp.SimilarTo, exp.Glob, exp.RegexpLike)
"""Operators that match a string, or the column names of a preceding `*`, with a pattern."""

_LONGEST = 300
_MOST_REPEATS = 3
_ESCAPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")
"""Regex parts that match one character: nothing inside them repeats."""


def like_pattern(pattern: str, *, capitals: bool = False, signs: str = "%_") -> Callable[[str], bool]:
    """Return a predicate for names that match *pattern* of ILIKE or, with *capitals*, of LIKE.

    *signs* are the wildcards for any string and for one character: `*?` for GLOB.
    """
    # Not translated into a regular expression, which would backtrack on a pattern such as `%a%a%a%a%`.
    wanted = pattern if capitals else pattern.lower()
    many = signs[0]

    def matches(name: str) -> bool:
        # All positions in the pattern that the characters read so far may lead to.
        places = _past_any(wanted, many, {0})
        for sign in name if capitals else name.lower():
            places = _past_any(
                wanted,
                many,
                {
                    place if wanted[place] == many else place + 1
                    for place in places
                    if place < len(wanted) and wanted[place] in (*signs, sign)
                },
            )
        return len(wanted) in places

    return matches


def glob(pattern: str) -> Callable[[str], bool]:
    """Return a predicate for names matching *pattern* of GLOB. Raise SqlNotAnalysed for character sets."""
    if "[" in pattern or "\\" in pattern:
        raise SqlNotAnalysed(f"the column name pattern {pattern:.60} is too complex")
    return like_pattern(pattern, capitals=True, signs="*?")


def _past_any(pattern: str, many: str, places: set[int]) -> set[int]:
    """Return *places* plus the positions after each *many*, which may match the empty string."""
    found = set(places)
    for place in places:
        while place < len(pattern) and pattern[place] == many:
            place += 1
            found.add(place)
    return found


def regular(pattern: str) -> Callable[[str], bool]:
    """Return a predicate for names in which a regular expression is found.

    Raise SqlNotAnalysed if it is invalid, or repeats in a way that may not terminate in Python.
    """
    bare = _ESCAPED.sub("", pattern)
    repeats = len(re.findall(r"[*+{]", bare))
    # Python's `re` backtracks and cannot be interrupted. DuckDB's engine takes linear time.
    if len(pattern) > _LONGEST or repeats > _MOST_REPEATS or re.search(r"\)[*+{]", bare):
        raise SqlNotAnalysed(f"the column name pattern {pattern:.60} is too complex")
    try:
        found = re.compile(pattern)
    except (re.error, OverflowError) as error:
        reason = f"invalid column name pattern {pattern:.60}: {error}"
        raise SqlNotAnalysed(reason) from error
    return lambda name: found.search(name[:_LONGEST]) is not None


def by_lambda(node: Sql) -> Callable[[str], bool]:
    """Return a predicate for names that satisfy the lambda *node* in `COLUMNS(lambda c: c like 'a%')`.

    Raise SqlNotAnalysed if it has anything but comparisons of its parameter with literals.
    """
    parameters = [one.name for one in args(node, "expressions")]
    if len(parameters) != 1:
        raise SqlNotAnalysed("COLUMNS with a lambda of several parameters is not supported")
    return _condition(node.this, parameters[0].lower())


def by_operator(node: Sql, *, negated: bool = False) -> Callable[[str], bool] | None:
    """Return a predicate for names that match the pattern after `*` in *node*. None if *node* is not a match.

    *negated*: whether a NOT precedes it, which the caller applies.
    """
    pattern = node.args.get("expression")
    if not isinstance(node, PATTERNS):
        return None
    if not isinstance(pattern, exp.Literal) or not pattern.is_string:
        raise SqlNotAnalysed("a column name pattern that is not a string is not supported")
    if isinstance(node, exp.Glob):
        found = glob(pattern.name)
    elif isinstance(node, (exp.SimilarTo, exp.RegexpLike)):
        # As in `COLUMNS('a')`, any part may match. `NOT` excludes names that match as a whole.
        negate = bool(node.args.get("negate")) is not negated
        found = regular(f"^(?:{pattern.name})$" if negate else pattern.name)
    else:
        found = like_pattern(pattern.name, capitals=not isinstance(node, exp.ILike))
    return (lambda name: not found(name)) if node.args.get("negate") else found


def _condition(node: Sql, parameter: str) -> Callable[[str], bool]:
    node = unwrapped(node)
    if isinstance(node, exp.Not):
        inner = _condition(node.this, parameter)
        return lambda name: not inner(name)
    if isinstance(node, (exp.And, exp.Or)):
        left, right = (_condition(part, parameter) for part in (node.this, node.expression))
        if isinstance(node, exp.And):
            return lambda name: left(name) and right(name)
        return lambda name: left(name) or right(name)
    if _is_parameter(node.args.get("this"), parameter):
        is_regular = isinstance(node, (exp.SimilarTo, exp.RegexpLike))
        if not is_regular and (found := by_operator(node)) is not None:
            return found
        values = args(node, "expressions") if isinstance(node, exp.In) else [node.args.get("expression")]
        texts = [value.name for value in values if isinstance(value, exp.Literal) and value.is_string]
        if values and len(texts) == len(values):
            if isinstance(node, (exp.EQ, exp.In)) and not node.args.get("negate"):
                return lambda name: name in texts
            if isinstance(node, exp.NEQ):
                return lambda name: name not in texts
            if isinstance(node, exp.StartsWith):
                return lambda name: name.startswith(texts[0])
    raise SqlNotAnalysed("this argument of COLUMNS(…) is not supported")


def _is_parameter(node: object, parameter: str) -> bool:
    is_name = isinstance(node, exp.Identifier) or (isinstance(node, exp.Column) and not node.table)
    return is_name and isinstance(node, NODE) and node.name.lower() == parameter


class _Changes:
    """Columns that a star excludes, replaces or renames."""

    def __init__(self, star: Sql | None) -> None:
        self.excluded: set[str] = set()
        self.replaced: dict[str, Sql] = {}
        self.renamed: dict[str, str] = {}
        self.listed: set[str] = set()
        """Names listed in `COLUMNS(['a', 'b'])`, in lower case."""
        self.fits: Callable[[str], bool] | None = None
        """Predicate on column names: `* ILIKE '%id%'`."""
        if star is None:
            return
        like = star.args.get("ilike")
        if isinstance(like, exp.Literal):
            self.fits = like_pattern(like.name)
        for node in args(star, "except"):
            self.excluded.update(_names(node))
        for node in args(star, "replace"):
            self.replaced[node.alias.lower()] = node
        for node in args(star, "rename"):
            self.renamed[unwrapped(node).name.lower()] = node.alias

    @property
    def nothing(self) -> bool:
        """Return whether every column is unchanged."""
        return not (self.excluded or self.replaced or self.renamed or self.fits)

    @property
    def names(self) -> set[str]:
        """Return the columns that the star names, in lower case."""
        return {*self.excluded, *self.replaced, *self.renamed, *self.listed}

    def selects(self, name: str) -> bool:
        """Return whether the star yields the column *name*."""
        return name.lower() not in self.excluded and (self.fits is None or self.fits(name))

    def as_star(self, sources: tuple[QuerySource, ...]) -> Star:
        """Return the remaining star over relations with unknown columns."""
        back = {new.lower(): old for old, new in self.renamed.items()}
        return Star(sources, frozenset({*self.excluded, *self.renamed} - set(back)), back)


def _names(node: Sql) -> Iterator[str]:
    if isinstance(node, (exp.Tuple, exp.Paren)):
        for inner in args(node, "expressions") or [node.this]:
            yield from _names(inner)
    else:
        yield node.name.lower()


class Outputs:
    """Builder of the outputs of one SELECT."""

    def __init__(self, scope: Scope, reader: ExpressionReader) -> None:
        self._scope, self._reader = scope, reader
        self._outputs = scope.select.outputs

    def add_all(self, nodes: list[Sql]) -> None:
        """Add the outputs of each of *nodes*, the SELECT list."""
        for place, node in enumerate(nodes):
            self._add(node)
            if place % 500 == 0:
                self._reader.check_time()
        if nodes and not self._outputs:
            self._reader.names.any_of([], self._scope.sources)

    def _add(self, node: Sql) -> None:
        bare = unwrapped(node)
        if bare.__class__ is exp.Star:
            self._star(bare, None)
        elif bare.__class__ is exp.Column and bare.this.__class__ is exp.Star:
            self._qualified_star(bare)
        elif isinstance(bare, exp.Dot) and isinstance(bare.expression, exp.Star):
            reads = self._reader.read(bare.this, self._scope, "output")
            self._fields_of(bare.this, reads, bare.expression)
        elif isinstance(node, exp.Aliases):
            reads = self._reader.read(node.this, self._scope, "output")
            for name in node.aliases:
                self._yield(str(name), node.this, reads)
        elif type(bare).__name__ == "QueryTransform" and (schema := bare.args.get("schema")) is not None:
            reads = self._reader.read(bare, self._scope, "output")
            for column in args(schema, "expressions"):
                self._yield(column.name, bare, Reads(reads.references, reads.subqueries))
        elif (chosen := _chosen_star(bare)) is not None:
            if node is not bare:
                raise SqlNotAnalysed("one alias for all columns of a * is not supported")
            self._chosen(*chosen)
        elif self._reader.may_choose and (columns := _columns_call(bare)) is not None:
            self._columns(bare, columns, node.alias if isinstance(node, exp.Alias) else "")
        else:
            self._expression(node)

    def _yield(self, name: str, node: Sql | None, reads: Reads, *, from_star: bool = False) -> Output:
        output = Output(name, len(self._outputs), node, reads, from_star)
        self._outputs.append(output)
        return output

    def _fields_in_rows(self, node: Sql, call: Sql) -> bool:
        """Add a column for each field of the structs that *call* unpacks; return False if none."""
        is_inline = is_inline_call(call)
        if not is_inline and not (self._reader.unnests_structs and isinstance(call, exp.Explode)):
            return False
        given = [*([call.this] if isinstance(call.this, NODE) else []), *args(call, "expressions")]
        fields = fields_of(given[0], self._scope, self._reader) if given else None
        deeper = [option for option in given[1:] if _is_recursive(option) is not False]
        if [_is_recursive(option) for option in deeper] == [True] and not is_inline:
            leaves = leaves_of(given[0], self._scope, self._reader)
            if leaves is not None:
                fields, deeper = StructFields(leaves, in_list=not leaves), []
        if not is_inline and not deeper and (fields.in_list if fields else node is not call):
            return False
        reads = self._reader.read(call, self._scope, "output")
        if fields is None or not fields.outputs or deeper:
            if fields is not None and not fields.in_list and not fields.outputs:
                return False
            rows = QuerySource("", function(call, reads, ()), call)
            self._yield(STAR, call, reads, from_star=True).star = Star((rows,))
            return True
        for output in fields.outputs:
            of_field = replace(output.reads, plain=None, makes_rows=reads.makes_rows)
            self._yield(output.name, call, of_field, from_star=True).members = output.members
        return True

    def _expression(self, node: Sql) -> None:
        if self._fields_in_rows(node, unwrapped(node)):
            return
        reads = self._reader.read(node, self._scope, "output")
        alias = node.alias if isinstance(node, exp.Alias) else ""
        inner = node.this if isinstance(node, exp.Alias) else node
        name = alias or _own_name(inner) or (_function_name(inner) if self._reader.names_by_function else "")
        if not name and isinstance(reads.plain, SourceColumn):
            name = reads.plain.name  # DuckDB's `#1`
        output = self._yield(name, inner, reads)
        if reads.plain is None:
            output.members = members(inner, self._scope, self._reader)
        if alias:
            self._scope.outputs.setdefault(alias.lower(), output)

    def _star(self, star: Sql, source: QuerySource | None, fits: Callable[[str], bool] | None = None) -> None:
        """Expand *star* over *source*, or over all sources of the select."""
        changes = _Changes(star)
        changes.fits = fits or changes.fits
        sources = [source] if source is not None else [s for s in self._scope.sources if not s.only_filters]
        self._note_names(sources, changes)
        merged = dict(self._scope.merged) if source is None else {}
        waiting, start = dict(merged), len(self._outputs)
        if not self._reader.keeps_places:
            self._merged(waiting, changes)
        for each in sources:
            if not merged and changes.nothing and self._as_it_is(each):
                continue
            for name, column in () if not merged and changes.nothing else star_columns(each):
                lower = name.lower()
                # A relation that is joined in another way keeps its column of the same name.
                if lower not in merged or all(one.source is not each for one in merged[lower].columns):
                    self._starred(name, column, changes)
                elif lower in waiting:
                    self._starred(name, waiting.pop(lower), changes)
            if is_open(each):
                self._merged(waiting, changes)
                rest = changes.as_star((each,))
                # Columns of USING and replaced columns are outputs already.
                rest.excluded |= frozenset(merged)
                rest.excluded |= frozenset(changes.replaced)
                star_output = self._yield(STAR, None, Reads(), from_star=True)
                star_output.star = rest
                self._replaced_unseen(changes)
        if changes.fits is not None and not any(map(is_open, sources)):
            self._reader.names.any_of([output.reads.plain for output in self._outputs[start:]], sources)

    def _chosen(self, star: Sql, fits: Callable[[str], bool]) -> None:
        """Expand *star* into the columns whose names match a predicate: DuckDB's `* LIKE 'a%'`."""
        if isinstance(star, exp.Star):
            self._star(star, None, fits)
            return
        source = self._scope.source(star.args["table"].name.lower())
        if source is None:
            raise SqlNotAnalysed("relation not found for a * with a name pattern")
        self._star(star.this, source, fits)

    def _note_names(self, sources: list[QuerySource], changes: _Changes) -> None:
        """Record the columns of *sources* that the star names: the query fails without them."""
        names = changes.names - changes.renamed.keys() if self._reader.ignores_renames else changes.names
        for lower in () if changes.nothing else names:
            found = [column for each in sources if (column := find_column(each, lower, lower)) is not None]
            opened = [each for each in sources if is_open(each)] if not found else []
            guesses = (imply(each, lower) for each in opened)
            self._reader.names.references += found or [guess for guess in guesses if guess is not None]

    def _merged(self, columns: dict[str, Merged], changes: _Changes) -> None:
        """Add all of *columns*, the columns of USING."""
        for lower, both in columns.items():
            self._starred(both.columns[0].name if both.columns else lower, both, changes)
        columns.clear()

    def _as_it_is(self, source: QuerySource) -> bool:
        """Add all known columns of *source*. Return whether unknown columns are part of the expansion.

        Wide relations pass through hundreds of CTEs, so this must be fast.
        """
        outputs, relation = self._outputs, source.relation
        if not is_open(source) or not isinstance(relation, (Select, SetOperation)) or source.columns:
            for place, (name, column) in enumerate(star_columns(source), len(outputs)):
                outputs.append(Output(name, place, None, Reads((column,), (), (), column), True))
            return not is_open(source)
        for output in relation.outputs:
            if output.star is None:
                column = SourceColumn(source, output.name, output)
                self._yield(output.name, None, Reads((column,), plain=column), from_star=True)
            else:
                star = self._yield(STAR, None, Reads(), from_star=True)
                star.star = Star((source,), passes=output)
        return True

    def _starred(self, name: str, column: SourceColumn | Merged | Member, changes: _Changes) -> None:
        lower = name.lower()
        if not changes.selects(name):
            return
        replacement = changes.replaced.pop(lower, None)
        if replacement is not None:
            reads = self._reader.read(replacement.this, self._scope, "where")
            self._yield(name, replacement.this, reads)
            return
        self._yield(changes.renamed.get(lower, name), None, Reads((column,), plain=column), from_star=True)

    def _replaced_unseen(self, changes: _Changes) -> None:
        """Add the replacements of columns that can only be among the unknown ones."""
        for node in changes.replaced.values():
            self._yield(node.alias, node.this, self._reader.read(node.this, self._scope, "where"))
        changes.replaced.clear()

    def _qualified_star(self, node: Sql) -> None:
        parts = [part.name for key in ("catalog", "db", "table") if (part := node.args.get(key)) is not None]
        qualifier = ".".join(parts).lower()
        reach: Scope | None = self._scope
        while reach is not None:
            source = reach.source(qualifier)
            if source is not None:
                self._star(node.this, source)
                return
            reach = reach.outer
        # A struct's fields.
        column = node.copy()
        column.set("this", exp.to_identifier(parts[-1], quoted=True))
        column.set("table", exp.to_identifier(parts[-2], quoted=True) if len(parts) > 1 else None)
        column.set("db", None)
        column.set("catalog", None)
        self._fields_of(column, self._reader.read(column, self._scope, "output"), node.this)

    def _fields_of(self, node: Sql, reads: Reads, star: Sql) -> None:
        """Expand *star* over the struct that *node* yields."""
        changes = _Changes(star)
        found = members(node, self._scope, self._reader)
        for output in found:
            self._starred(output.name, Member(node, reads.plain, output.name, output), changes)
        if found:
            return
        rows = QuerySource("", function(node, reads, ()), node)
        self._yield(STAR, None, reads, from_star=True).star = changes.as_star((rows,))
        self._replaced_unseen(changes)

    def _columns(self, node: Sql, call: Sql, alias: str) -> None:
        """Expand DuckDB's `COLUMNS(…)`: repeat the surrounding expression for each matching column."""
        # An alias such as `\1` inserts the matched part of each column's name.
        if "\\" in alias or (alias and any(is_open(source) for source in self._scope.sources)):
            raise SqlNotAnalysed("aliases from COLUMNS(…) are not supported")
        # Before reading the expression around it, which must not count all columns for each output.
        self._reader.expanded.add(id(call))
        changes, sources = chosen_by(call, self._scope)
        self._note_names(sources, changes)
        around = self._reader.read(node, self._scope, "output")
        known = self._scope.select.references
        others = [known[id(one)] for one in _columns_outside(node, call) if id(one) in known]
        if not any(map(is_open, sources)):
            self._reader.names.any_of([*_selected(sources, changes)], sources)
        for source in sources:
            for name, column in star_columns(source):
                if not changes.selects(name):
                    continue
                replacement = changes.replaced.get(name.lower())
                plain = column if node is call and replacement is None else None
                references: tuple[Reference, ...] = (column, *others)
                if replacement is not None:
                    inner = self._reader.read(replacement.this, self._scope, "where")
                    references = (*inner.references, *others)
                reads = Reads(references, around.subqueries, around.tests, plain, around.aggregates)
                self._yield(
                    alias or changes.renamed.get(name.lower(), name),
                    None if plain else node,
                    reads,
                    from_star=True,
                )
            if is_open(source):
                rest = Reads(tuple(others), around.subqueries, around.tests, aggregates=around.aggregates)
                self._yield(STAR, node, rest, from_star=True).star = changes.as_star((source,))


def _chosen(call: Sql) -> _Changes:
    """Return the selection of `COLUMNS(…)`: all columns, listed names, or names that match a pattern."""
    chosen = call.this
    if call.args.get("unpack"):
        raise SqlNotAnalysed("COLUMNS after a *, or with several arguments, is not supported")
    star = chosen.this if isinstance(chosen, exp.Column) and chosen.args.get("table") else chosen
    if isinstance(star, exp.Star):
        return _Changes(star)
    changes = _Changes(None)
    names = args(chosen, "expressions") if isinstance(chosen, exp.Array) else []
    if isinstance(chosen, exp.Lambda):
        changes.fits = by_lambda(chosen)
    elif isinstance(chosen, exp.Literal):
        changes.fits = regular(chosen.name)
    elif names and all(isinstance(one, exp.Literal) and one.is_string for one in names):
        changes.listed = {one.name.lower() for one in names}
        changes.fits = lambda name: name.lower() in changes.listed
    else:
        raise SqlNotAnalysed("this argument of COLUMNS(…) is not supported")
    return changes


def chosen_by(call: Sql, scope: Scope) -> tuple[_Changes, list[QuerySource]]:
    """Return the selection of `COLUMNS(…)` and the sources that it selects from. Raise SqlNotAnalysed."""
    changes = _chosen(call)
    if not isinstance(call.this, exp.Column):
        return changes, scope.sources
    named = scope.source(call.this.table.lower())
    if named is None:
        raise SqlNotAnalysed("relation not found for COLUMNS(…)")
    return changes, [named]


def chosen_columns(call: Sql, scope: Scope) -> tuple[list[SourceColumn], list[QuerySource]] | None:
    """Return the columns that `COLUMNS(…)` selects, and from what; None if that is not known."""
    try:
        changes, sources = chosen_by(call, scope)
    except SqlNotAnalysed:
        return None
    return None if any(map(is_open, sources)) else ([*_selected(sources, changes)], sources)


def _selected(sources: Iterable[QuerySource], changes: _Changes) -> Iterator[SourceColumn]:
    columns = (each for source in sources for each in star_columns(source))
    return (column for name, column in columns if changes.selects(name))


def _columns_outside(node: Sql, call: Sql) -> Iterator[Sql]:
    """Yield the columns in *node* that are outside *call*."""
    inside = {id(one) for one in call.find_all(exp.Column)}
    return (one for one in node.find_all(exp.Column) if id(one) not in inside)


def _chosen_star(node: Sql) -> tuple[Sql, Callable[[str], bool]] | None:
    """Return the `*` in *node*, `* [NOT] LIKE 'a%'`, and the predicate for its column names."""
    negated = False
    while isinstance(node, (exp.Not, exp.Paren)):
        negated ^= isinstance(node, exp.Not)
        node = node.this
    star = node.args.get("this") if isinstance(node, (*PATTERNS, exp.Escape)) else None
    if isinstance(star, PATTERNS):
        star = star.args.get("this")  # `* LIKE 'a' ESCAPE 'b'`
    if not isinstance(star.this if isinstance(star, exp.Column) else star, exp.Star) or star is None:
        return None
    fits = by_operator(node, negated=negated)
    if fits is None:
        raise SqlNotAnalysed("a column name pattern with ESCAPE is not supported")
    return star, (lambda name: not fits(name)) if negated else fits


def _is_recursive(option: Sql) -> bool | None:
    """Return the value of `recursive := true`, or None for any other option."""
    is_named = isinstance(option, (exp.PropertyEQ, exp.Kwarg)) and option.this.name.lower() == "recursive"
    value = option.expression if is_named else None
    return bool(value.this) if isinstance(value, exp.Boolean) else None


def _own_name(node: Sql) -> str:
    """Return the name of an unaliased expression: that of its column or field."""
    bare = unwrapped(node)
    if bare.__class__ is exp.Column:
        name = bare.this
        if isinstance(name, exp.Star):
            return ""
        return f"${name.name}" if isinstance(name, exp.Parameter) else str(name.name)
    if isinstance(bare, exp.Dot):
        return str(bare.expression.name)
    return ""


def _function_name(node: Sql) -> str:
    """Return PostgreSQL's name for an unaliased expression: its function, or the column that is cast."""
    bare = unwrapped(node)
    while isinstance(bare, exp.Cast):
        bare = unwrapped(bare.this)
        name = _own_name(bare)
        if name:
            return name
    if isinstance(bare, exp.Window):
        bare = bare.this
    if isinstance(bare, exp.Case):
        default = bare.args.get("default")
        return (_own_name(default) or _function_name(default) if default is not None else "") or "case"
    if isinstance(bare, exp.Subquery) and isinstance(bare.this, exp.Select) and bare.this.selects:
        return str(bare.this.selects[0].alias_or_name)
    if isinstance(bare, exp.Anonymous):
        return str(bare.name).lower()
    name = str(bare.sql_name()).lower() if isinstance(bare, exp.Func) else ""
    return facts.POSTGRES_NAMES.get(name, name)


def _columns_call(node: Sql) -> Sql | None:
    """Return the `COLUMNS(…)` in *node*, if any."""
    if isinstance(node, exp.Columns):
        return node
    if isinstance(node, (exp.Column, exp.Literal)):
        return None
    found: Sql | None = node.find(exp.Columns) if isinstance(node, (exp.Func, exp.Binary)) else None
    return found
