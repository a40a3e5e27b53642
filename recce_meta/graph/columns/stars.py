"""What a SELECT list yields, stars expanded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.graph.columns import facts, patterns
from recce_meta.graph.columns.functions import function
from recce_meta.graph.columns.query import (
    STAR,
    Column,
    Member,
    Merged,
    Output,
    Reads,
    Source,
    Star,
)
from recce_meta.graph.columns.reading import Reader
from recce_meta.graph.columns.scope import Scope, is_open, starred
from recce_meta.graph.columns.structs import members
from recce_meta.graph.columns.tree import args, unwrapped


class _Changes:
    """What a star leaves out, computes anew, or calls otherwise."""

    def __init__(self, star: Sql | None) -> None:
        self.excluded: set[str] = set()
        self.replaced: dict[str, Sql] = {}
        self.renamed: dict[str, str] = {}
        self.fits: Callable[[str], bool] | None = None
        """What the names must look like: `* ILIKE '%id%'`."""
        if star is None:
            return
        like = star.args.get("ilike")
        if isinstance(like, exp.Literal):
            self.fits = patterns.like(like.name)
        for node in args(star, "except"):
            self.excluded.update(_names(node))
        for node in args(star, "replace"):
            self.replaced[node.alias.lower()] = node
        for node in args(star, "rename"):
            self.renamed[unwrapped(node).name.lower()] = node.alias

    @property
    def nothing(self) -> bool:
        """Whether all columns stay as they are."""
        return not (self.excluded or self.replaced or self.renamed or self.fits)

    def as_star(self, sources: tuple[Source, ...]) -> Star:
        """The rest, over relations whose columns are not known."""
        back = {new.lower(): old for old, new in self.renamed.items()}
        return Star(sources, frozenset({*self.excluded, *self.renamed} - set(back)), back)


def _names(node: Sql) -> Iterator[str]:
    if isinstance(node, (exp.Tuple, exp.Paren)):
        for inner in args(node, "expressions") or [node.this]:
            yield from _names(inner)
    else:
        yield node.name.lower()


class Outputs:
    """Builds the outputs of one SELECT."""

    def __init__(self, scope: Scope, reader: Reader) -> None:
        self._scope, self._reader = scope, reader
        self._outputs = scope.select.outputs

    def add_all(self, nodes: list[Sql]) -> None:
        """Add what each of *nodes*, the SELECT list, yields."""
        for place, node in enumerate(nodes):
            self._add(node)
            if place % 500 == 0:
                self._reader.check_time()

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
        elif (columns := _columns_call(bare)) is not None:
            self._columns(bare, columns)
        else:
            self._expression(node)

    def _yield(self, name: str, node: Sql | None, reads: Reads, *, from_star: bool = False) -> Output:
        output = Output(name, len(self._outputs), node, reads, from_star)
        self._outputs.append(output)
        return output

    def _expression(self, node: Sql) -> None:
        reads = self._reader.read(node, self._scope, "output")
        alias = node.alias if isinstance(node, exp.Alias) else ""
        inner = node.this if isinstance(node, exp.Alias) else node
        name = alias or _own_name(inner) or (_function_name(inner) if self._reader.names_by_function else "")
        output = self._yield(name, inner, reads)
        if reads.plain is None:
            output.members = members(inner, self._scope, self._reader)
        if alias:
            self._scope.outputs.setdefault(alias.lower(), output)

    def _star(self, star: Sql, source: Source | None) -> None:
        """Expand *star* over *source*, or all sources of the select."""
        changes = _Changes(star)
        sources = [source] if source is not None else [s for s in self._scope.sources if not s.only_filters]
        merged = dict(self._scope.merged) if source is None else {}
        waiting = dict(merged)
        if not self._reader.keeps_places:
            self._merged(waiting, changes)
        for each in sources:
            if not merged and changes.nothing:
                self._as_it_is(each)
            for name, column in () if not merged and changes.nothing else starred(each):
                lower = name.lower()
                if lower not in merged:
                    self._starred(name, column, changes)
                elif lower in waiting:
                    self._starred(name, waiting.pop(lower), changes)
            if is_open(each):
                self._merged(waiting, changes)
                rest = changes.as_star((each,))
                rest.excluded |= frozenset(merged)
                rest.excluded |= frozenset(changes.replaced)
                star_output = self._yield(STAR, None, Reads(), from_star=True)
                star_output.star = rest
                self._replaced_unseen(changes)

    def _merged(self, columns: dict[str, Merged], changes: _Changes) -> None:
        """Yield all of *columns*, those of USING."""
        for lower, both in columns.items():
            self._starred(both.columns[0].name if both.columns else lower, both, changes)
        columns.clear()

    def _as_it_is(self, source: Source) -> None:
        """All columns of *source*: wide ones pass through hundreds of CTEs, so this is quick."""
        outputs = self._outputs
        for place, (name, column) in enumerate(starred(source), len(outputs)):
            outputs.append(Output(name, place, None, Reads((column,), (), (), column), True))

    def _starred(self, name: str, column: Column | Merged | Member, changes: _Changes) -> None:
        lower = name.lower()
        if lower in changes.excluded or (changes.fits is not None and not changes.fits(name)):
            return
        replacement = changes.replaced.pop(lower, None)
        if replacement is not None:
            reads = self._reader.read(replacement.this, self._scope, "where")
            self._yield(name, replacement.this, reads)
            return
        self._yield(changes.renamed.get(lower, name), None, Reads((column,), plain=column), from_star=True)

    def _replaced_unseen(self, changes: _Changes) -> None:
        """What replaces columns that must be among the unknown ones."""
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
        # Fields of a struct.
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
        rows = Source("", function(node, reads, ()), node)
        self._yield(STAR, None, reads, from_star=True).star = changes.as_star((rows,))
        self._replaced_unseen(changes)

    def _columns(self, node: Sql, call: Sql) -> None:
        """DuckDB's `COLUMNS(…)`: the expression around it once for each column that matches."""
        pattern = call.this if call is not None else None
        chosen = patterns.regular(pattern.name) if isinstance(pattern, exp.Literal) else None
        changes = _Changes(pattern if isinstance(pattern, exp.Star) else None)
        around = self._reader.read(node, self._scope, "output")
        for source in self._scope.sources:
            for name, column in starred(source):
                if name.lower() in changes.excluded or (chosen is not None and not chosen(name)):
                    continue
                plain = column if node is call else None
                reads = Reads((column,), around.subqueries, around.tests, plain, around.aggregates)
                self._yield(name, None if plain else node, reads, from_star=True)
            if is_open(source):
                self._yield(STAR, None, Reads(), from_star=True).star = changes.as_star((source,))


def _own_name(node: Sql) -> str:
    """The name of an expression without alias: its column's, or its field's."""
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
    """What PostgreSQL calls an expression without alias: as its function, or the column that is cast."""
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
    """The `COLUMNS(…)` in *node*, if there is one."""
    if isinstance(node, exp.Columns):
        return node
    if isinstance(node, (exp.Column, exp.Literal)):
        return None
    found: Sql | None = node.find(exp.Columns) if isinstance(node, (exp.Func, exp.Binary)) else None
    return found
