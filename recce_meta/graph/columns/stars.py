"""What a SELECT list yields, stars expanded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.errors import SqlNotAnalysed
from recce_meta.graph.columns import facts, patterns
from recce_meta.graph.columns.functions import function
from recce_meta.graph.columns.query import (
    STAR,
    Column,
    Member,
    Merged,
    Output,
    Reads,
    Reference,
    Select,
    SetOperation,
    Source,
    Star,
)
from recce_meta.graph.columns.reading import Reader
from recce_meta.graph.columns.row_makers import is_inline_call
from recce_meta.graph.columns.scope import Scope, find, imply, is_open, starred
from recce_meta.graph.columns.structs import Fields, fields_of, leaves_of, members
from recce_meta.graph.columns.tree import NODE, args, unwrapped


class _Changes:
    """What a star leaves out, computes anew, or calls otherwise."""

    def __init__(self, star: Sql | None) -> None:
        self.excluded: set[str] = set()
        self.replaced: dict[str, Sql] = {}
        self.renamed: dict[str, str] = {}
        self.listed: set[str] = set()
        """What `COLUMNS(['a', 'b'])` lists, in lower case."""
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

    @property
    def names(self) -> set[str]:
        """The columns that it names, in lower case."""
        return {*self.excluded, *self.replaced, *self.renamed, *self.listed}

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
        elif (chosen := _chosen_star(bare)) is not None:
            if node is not bare:
                raise SqlNotAnalysed("one name for all columns of a * is not understood")
            self._chosen(*chosen)
        elif (columns := _columns_call(bare)) is not None:
            self._columns(bare, columns, node.alias if isinstance(node, exp.Alias) else "")
        else:
            self._expression(node)

    def _yield(self, name: str, node: Sql | None, reads: Reads, *, from_star: bool = False) -> Output:
        output = Output(name, len(self._outputs), node, reads, from_star)
        self._outputs.append(output)
        return output

    def _fields_in_rows(self, node: Sql, call: Sql) -> bool:
        """Yield a column for each field of the structs that *call* unpacks; return False if it does not."""
        is_inline = is_inline_call(call)
        if not is_inline and not (self._reader.unnests_structs and isinstance(call, exp.Explode)):
            return False
        given = [*([call.this] if isinstance(call.this, NODE) else []), *args(call, "expressions")]
        fields = fields_of(given[0], self._scope, self._reader) if given else None
        deeper = [option for option in given[1:] if _is_recursive(option) is not False]
        if [_is_recursive(option) for option in deeper] == [True] and not is_inline:
            leaves = leaves_of(given[0], self._scope, self._reader)
            if leaves is not None:
                fields, deeper = Fields(leaves, in_list=not leaves), []
        if not is_inline and not deeper and (fields.in_list if fields else node is not call):
            return False
        reads = self._reader.read(call, self._scope, "output")
        if fields is None or not fields.outputs or deeper:
            if fields is not None and not fields.in_list and not fields.outputs:
                return False
            rows = Source("", function(call, reads, ()), call)
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
        if not name and isinstance(reads.plain, Column):
            name = reads.plain.name  # DuckDB's `#1`
        output = self._yield(name, inner, reads)
        if reads.plain is None:
            output.members = members(inner, self._scope, self._reader)
        if alias:
            self._scope.outputs.setdefault(alias.lower(), output)

    def _star(self, star: Sql, source: Source | None, fits: Callable[[str], bool] | None = None) -> None:
        """Expand *star* over *source*, or all sources of the select."""
        changes = _Changes(star)
        changes.fits = fits or changes.fits
        sources = [source] if source is not None else [s for s in self._scope.sources if not s.only_filters]
        self._note_names(sources, changes)
        merged = dict(self._scope.merged) if source is None else {}
        waiting = dict(merged)
        if not self._reader.keeps_places:
            self._merged(waiting, changes)
        for each in sources:
            if not merged and changes.nothing and self._as_it_is(each):
                continue
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

    def _chosen(self, star: Sql, fits: Callable[[str], bool]) -> None:
        """Expand *star* into the columns whose names fit: DuckDB's `* LIKE 'a%'`."""
        if isinstance(star, exp.Star):
            self._star(star, None, fits)
            return
        source = self._scope.source(star.args["table"].name.lower())
        if source is None:
            raise SqlNotAnalysed("the relation whose columns are chosen by name is not found")
        self._star(star.this, source, fits)

    def _note_names(self, sources: list[Source], changes: _Changes) -> None:
        """Note which columns of *sources* the star names: it fails if it cannot leave one out."""
        for lower in () if changes.nothing else changes.names:
            found = [column for each in sources if (column := find(each, lower, lower)) is not None]
            opened = [each for each in sources if is_open(each)] if not found else []
            guesses = (imply(each, lower) for each in opened)
            self._reader.names.references += found or [guess for guess in guesses if guess is not None]

    def _merged(self, columns: dict[str, Merged], changes: _Changes) -> None:
        """Yield all of *columns*, those of USING."""
        for lower, both in columns.items():
            self._starred(both.columns[0].name if both.columns else lower, both, changes)
        columns.clear()

    def _as_it_is(self, source: Source) -> bool:
        """Yield all known columns of *source*; return whether those that are not known are among them.

        Wide relations pass through hundreds of CTEs, so this is quick.
        """
        outputs, relation = self._outputs, source.relation
        if not is_open(source) or not isinstance(relation, (Select, SetOperation)) or source.columns:
            for place, (name, column) in enumerate(starred(source), len(outputs)):
                outputs.append(Output(name, place, None, Reads((column,), (), (), column), True))
            return not is_open(source)
        for output in relation.outputs:
            if output.star is None:
                column = Column(source, output.name, output)
                self._yield(output.name, None, Reads((column,), plain=column), from_star=True)
            else:
                star = self._yield(STAR, None, Reads(), from_star=True)
                star.star = Star((source,), passes=output)
        return True

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

    def _columns(self, node: Sql, call: Sql, alias: str) -> None:
        """DuckDB's `COLUMNS(…)`: the expression around it once for each column that matches."""
        if "\\" in alias or (alias and any(is_open(source) for source in self._scope.sources)):
            raise SqlNotAnalysed("the names that COLUMNS(…) gives are not understood")
        self._reader.expanded.add(id(call))
        changes, sources = _chosen(call), self._scope.sources
        if isinstance(call.this, exp.Column):
            named = self._scope.source(call.this.table.lower())
            if named is None:
                raise SqlNotAnalysed("the relation that COLUMNS(…) names is not found")
            sources = [named]
        self._note_names(sources, changes)
        around = self._reader.read(node, self._scope, "output")
        known = self._scope.select.references
        others = [known[id(one)] for one in _columns_outside(node, call) if id(one) in known]
        for source in sources:
            for name, column in starred(source):
                if name.lower() in changes.excluded or (changes.fits is not None and not changes.fits(name)):
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
    """What `COLUMNS(…)` chooses: all, a list of names, or names that match a pattern."""
    chosen = call.this
    if call.args.get("unpack"):
        raise SqlNotAnalysed("COLUMNS with a * before it, or with several arguments, is not understood")
    star = chosen.this if isinstance(chosen, exp.Column) and chosen.args.get("table") else chosen
    if isinstance(star, exp.Star):
        return _Changes(star)
    changes = _Changes(None)
    names = args(chosen, "expressions") if isinstance(chosen, exp.Array) else []
    if isinstance(chosen, exp.Lambda):
        changes.fits = patterns.by_lambda(chosen)
    elif isinstance(chosen, exp.Literal):
        changes.fits = patterns.regular(chosen.name)
    elif names and all(isinstance(one, exp.Literal) and one.is_string for one in names):
        changes.listed = {one.name.lower() for one in names}
        changes.fits = lambda name: name.lower() in changes.listed
    else:
        raise SqlNotAnalysed("what COLUMNS(…) chooses is not understood")
    return changes


def _columns_outside(node: Sql, call: Sql) -> Iterator[Sql]:
    """Yield the columns in *node* that are not inside of *call*."""
    inside = {id(one) for one in call.find_all(exp.Column)}
    return (one for one in node.find_all(exp.Column) if id(one) not in inside)


def _chosen_star(node: Sql) -> tuple[Sql, Callable[[str], bool]] | None:
    """The `*` in *node*, `* [NOT] LIKE 'a%'`, and what the names of its columns must be like."""
    negated = False
    while isinstance(node, (exp.Not, exp.Paren)):
        negated ^= isinstance(node, exp.Not)
        node = node.this
    star = node.args.get("this") if isinstance(node, (*patterns.PATTERNS, exp.Escape)) else None
    if isinstance(star, patterns.PATTERNS):
        star = star.args.get("this")  # `* LIKE 'a' ESCAPE 'b'`
    if not isinstance(star.this if isinstance(star, exp.Column) else star, exp.Star) or star is None:
        return None
    fits = patterns.by_operator(node, negated=negated)
    if fits is None:
        raise SqlNotAnalysed("a pattern with ESCAPE for names of columns is not understood")
    return star, (lambda name: not fits(name)) if negated else fits


def _is_recursive(option: Sql) -> bool | None:
    """What `recursive := true` says; None of another option."""
    is_named = isinstance(option, (exp.PropertyEQ, exp.Kwarg)) and option.this.name.lower() == "recursive"
    value = option.expression if is_named else None
    return bool(value.this) if isinstance(value, exp.Boolean) else None


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
