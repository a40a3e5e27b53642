"""Positions of a resolved query: its outputs, CTEs, tables and column references in the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace
from sqlglot import TokenType, exp

from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.query_gaps import TagGaps
from recce_meta.lsp.text.query_items import ParsedText, SelectItems
from recce_meta.lsp.text.query_text import (
    QueryText,
    TextColumn,
    TextCte,
    TextOrigin,
    TextOutput,
    TextQuality,
    TextTable,
)
from recce_meta.lsp.text.template import TagCall, TextRegions
from recce_meta.sql_lineage.expressions import NODE, arg, args
from recce_meta.sql_lineage.facts import NOT_COLUMNS, UNLISTED
from recce_meta.sql_lineage.query import (
    STAR,
    Alias,
    Cte,
    Function,
    Member,
    Merged,
    Output,
    Pivot,
    Query,
    QuerySource,
    Reference,
    Select,
    SelfReference,
    SetOperation,
    SourceColumn,
    Table,
    Unresolved,
)
from recce_meta.sql_lineage.scope import is_open
from recce_meta.warehouses.types import Sql

RELATIONS = frozenset({"ref", "source", "this"})
_SURE, _LIKELY, _GUESS = 1.0, 0.9, 0.5


class _Tables:
    """Tables and references to CTEs in the text of a query."""

    def __init__(self, parsed: ParsedText, items: SelectItems, is_hidden: Callable[[str], bool]) -> None:
        self._template, self._items, self._is_hidden = parsed.template, items, is_hidden
        self._calls = {call.tag.start: call for call in self._template.calls if call.mask}
        self._tables: dict[int, TextTable | None] = {}

    def of_query(self, query: Query) -> list[TextTable]:
        """Return the tables that *query* reads."""
        sources = query.sources if isinstance(query, Select) else []
        if isinstance(query, Pivot):
            sources = [query.source]
        found = [self.of_source(source) for source in sources]
        return [table for table in found if table is not None]

    def of_source(self, source: QuerySource) -> TextTable | None:
        """Return the table of *source*; None if it is a query, or not in the text."""
        known = id(source)
        if known not in self._tables:
            self._tables[known] = self._read(source)
        return self._tables[known]

    def _read(self, source: QuerySource) -> TextTable | None:
        node = source.node
        if not isinstance(node, exp.Table) or not (isinstance(source.relation, Table) or source.cte):
            return None
        parts = [self._items.span(arg(node, key)) for key in ("catalog", "db", "this")]
        spans = [span for span in parts if span is not None]
        if not spans:
            return None
        span = TextSpan(min(span.start for span in spans), max(span.end for span in spans))
        if span.start == span.end or (self._is_hidden(node.name) and not self._items.is_tag(span)):
            return None
        # Half-typed SQL such as `FROM orders, 2`.
        if self._template.masked[span.start : span.end].isdigit():
            return None
        call: TagCall | None = None
        name = self._template.text[span.start : span.end]
        tag = self._items.tags.around(span.start)
        if tag is not None and len(spans) == 1:
            call, span = self._calls.get(tag.start), tag
            is_relation = call is not None and call.name in RELATIONS
            name = node.name if is_relation else self._template.text[tag.start : tag.end]
        alias = node.args.get("alias")
        alias = alias.this if isinstance(alias, NODE) else None
        alias_span = self._items.span(alias) if isinstance(alias, NODE) else None
        if alias_span is None or self._items.is_tag(alias_span) or self._is_hidden(source.alias):
            return TextTable(span, name, call, source.cte.name if source.cte else None)
        cte = source.cte.name if source.cte is not None else None
        return TextTable(span, name, call, cte, source.alias, alias_span)


class _Guesses:
    """Guesses about names that no source, or more than one, is known to have."""

    def __init__(
        self,
        gaps: TagGaps,
        outer: Mapping[int, Select | None],
        tables: _Tables,
        is_hidden: Callable[[str], bool],
    ) -> None:
        self._gaps, self._outer, self._tables, self._is_hidden = gaps, outer, tables, is_hidden

    def candidates(self, reference: Reference, query: Query, *, is_qualified: bool) -> tuple[str, ...] | None:
        """Return the columns that were searched for a name that no source has; None if one may have it."""
        if not isinstance(query, Select):
            return None
        if isinstance(reference, SourceColumn):
            relation = reference.source.relation
            if not isinstance(relation, Table) or relation.columns is None or reference.source.columns:
                return None
            if reference.name in relation.index.values() or reference.name.upper() in NOT_COLUMNS:
                return None
            sources: Sequence[QuerySource] = (reference.source,) if is_qualified else query.sources
        elif isinstance(reference, Unresolved) and reference.sources:
            sources = reference.sources
        else:
            return None
        outer = None if is_qualified else self._outer.get(id(query))
        if not all(map(self._gaps.is_known, sources)) or (not is_qualified and self._gaps.tags_in(query)[1]):
            return None
        while outer is not None:
            if not all(map(self._gaps.is_known, outer.sources)) or self._gaps.tags_in(outer)[1]:
                return None
            outer = self._outer.get(id(outer))
        names = [name for source in sources for name in _names(source)]
        return tuple(dict.fromkeys(name for name in names if name and not self._is_hidden(name)))

    def with_tags(
        self, reference: Reference, query: Query, origins: tuple[TextOrigin, ...]
    ) -> tuple[TextOrigin, ...]:
        """Return *origins*, a guess for an unqualified name, with the CTEs in which a tag may yield it."""
        if not isinstance(query, Select):
            return origins
        columns = reference.columns if isinstance(reference, Merged) else (reference,)
        guessed = {id(column.source) for column in columns if isinstance(column, SourceColumn)}
        others = [source for source in query.sources if id(source) not in guessed]
        unknown = [
            one for one in others if not isinstance(one.relation, Table) and not self._gaps.is_known(one)
        ]
        if self._gaps.tags_in(query)[1]:
            return ()
        found = list(origins)
        for source in unknown:
            table = self._tables.of_source(source)
            if table is None or table.cte is None:
                return ()
            found.append(TextOrigin(origins[0].column, table, None, _GUESS))
        return tuple(replace(one, confidence=_GUESS) for one in found) if unknown else origins

    def unlisted(self, reference: Unresolved, query: Query) -> tuple[TextOrigin, ...]:
        """Return the only source with a tag that may yield a column that no source is known to have."""
        may = [source for source in reference.sources if not self._gaps.is_known(source)]
        if len(may) != 1 or not isinstance(query, Select) or self._gaps.tags_in(query)[1]:
            return ()
        table = self._tables.of_source(may[0])
        is_cte = table is not None and table.cte is not None
        return (TextOrigin(reference.column, table, None, _LIKELY),) if is_cte else ()


class QueryPositions:
    """Reader of the positions in one resolved query."""

    def __init__(self, query: Query, parsed: ParsedText, cursor: int | None) -> None:
        self._query, self._parsed, self._cursor = query, parsed, cursor
        self._template = parsed.template
        self._opaque = TextRegions(self._template.opaque)
        self._items = SelectItems(parsed)
        self._gaps = TagGaps(self._template, self._items)
        self._nodes: dict[int, Sql] = {}
        self._hidden: set[str] = set()
        self._queries, outer = _collected(query)
        self._tables = _Tables(parsed, self._items, self._is_hidden)
        self._guesses = _Guesses(self._gaps, outer, self._tables, self._is_hidden)
        self._reports_missing = True
        self._stars: dict[int, Select] = {}
        self._outputs: dict[int, TextOutput | None] = {}

    def read(self, quality: TextQuality) -> QueryText:
        """Return the query with its positions."""
        self._reports_missing = quality is TextQuality.STRICT
        root = getattr(self._query, "node", None) or exp.Select()
        while root.parent is not None:
            root = root.parent
        for node in root.walk():
            self._nodes[id(node)] = node
            if (
                node.__class__ is exp.Identifier
                and (span := self._items.span(node))
                and self._items.is_tag(span)
            ):
                self._hidden.add(node.name.lower())
        for query in self._queries:
            if isinstance(query, Select):
                self._items.add(query)
        for query in self._queries:
            for implied in query.implied.values():
                if isinstance(query, Select):
                    self._stars[id(implied)] = query
        tables = [table for query in self._queries for table in self._tables.of_query(query)]
        return QueryText(
            quality,
            self._outputs_of(self._query),
            tuple(sorted(self._ctes(), key=lambda cte: cte.span)),
            tuple({table.span: table for table in sorted(tables, key=lambda one: one.span)}.values()),
            tuple(self._columns()),
            self._final(),
        )

    def alias_tags(self) -> list[TextSpan]:
        """Return the tags that were parsed as aliases without AS, and so are probably clauses or columns."""
        found: list[TextSpan] = []
        for node in self._nodes.values():
            if not isinstance(node, (exp.Alias, exp.TableAlias)):
                continue
            alias = node.args.get("alias") if isinstance(node, exp.Alias) else node.args.get("this")
            span = self._items.span(alias) if isinstance(alias, NODE) else None
            if alias is None or span is None or (tag := self._items.tags.around(span.start)) is None:
                continue
            before = self._items.index.get(alias.meta["start"], 0) - 1
            if before < 0 or self._parsed.tokens[before].token_type is not TokenType.ALIAS:
                found.append(tag)
        return found

    # Names

    def _is_hidden(self, name: str) -> bool:
        """Return whether *name* contains a mask or the name that completes half-typed SQL."""
        lower = name.lower()
        return lower in self._hidden or (lower != "" and lower == self._parsed.placeholder)

    # Outputs

    def _outputs_of(self, query: Query) -> tuple[TextOutput, ...]:
        found = [self._output(output) for output in query.outputs]
        return tuple(output for output in found if output is not None)

    def _output(self, output: Output) -> TextOutput | None:
        known = id(output)
        if known not in self._outputs:
            # A recursive CTE meets itself again.
            self._outputs[known] = None
            self._outputs[known] = self._read_output(output)
        return self._outputs[known]

    def _read_output(self, output: Output) -> TextOutput | None:
        if output.branches:
            return self._of_branches(output)
        item = self._items.of_output(output)
        if item is None:
            return self._implied(output)
        name = output.name
        if (name and name.lower() == self._parsed.placeholder) or item.span.start == item.span.end:
            return None
        is_opaque = item.is_hidden or self._is_opaque(item.span)
        if item.is_hidden or self._is_hidden(name):
            name, is_opaque = "", True
        span = item.name or item.expression
        if output.node is not None and not item.is_star:
            return TextOutput(name, span, item.expression, is_opaque)
        if output.node is not None:
            # `* REPLACE (a + b AS c)`
            alias = output.node.parent.args.get("alias") if output.node.parent is not None else None
            place_of_alias = self._items.span(alias) if isinstance(alias, NODE) else None
            return TextOutput(
                name, place_of_alias or span, item.expression, is_opaque, place_of_alias is None
            )
        return self._starred(output, name, span, is_opaque)

    def _starred(self, output: Output, name: str, span: TextSpan, is_opaque: bool) -> TextOutput:
        if output.star is not None:
            return TextOutput(STAR, span, span, is_opaque, True)
        origins = self._origins(output.reads.plain)
        is_opaque = is_opaque or any(one.output is not None and one.output.is_opaque for one in origins)
        return TextOutput(name, span, span, is_opaque, True, origins)

    def _of_branches(self, output: Output) -> TextOutput | None:
        branches = [self._output(branch) for branch in output.branches]
        first = branches[0]
        if first is None:
            return None
        is_opaque = any(branch is None or branch.is_opaque for branch in branches)
        name = "" if self._is_hidden(output.name) else output.name
        return replace(first, name=name if first.name else "", is_opaque=is_opaque)

    def _implied(self, output: Output) -> TextOutput | None:
        """Return a column that comes through a `*`, or through the parentheses around a query."""
        plain = output.reads.plain
        select = self._stars.get(id(output))
        if select is None:
            return self._output(plain.output) if isinstance(plain, SourceColumn) and plain.output else None
        if self._is_hidden(output.name):
            return None
        for each in select.outputs:
            if each.star is not None and (star := self._output(each)) is not None:
                return self._starred(output, output.name, star.span, star.is_opaque)
        return None

    def _is_opaque(self, span: TextSpan) -> bool:
        return bool(self._opaque.within(span.start, span.end))

    def _final(self) -> TextSpan | None:
        query = self._query
        while isinstance(query, SetOperation):
            query = query.operands[0]
        items = self._items.of(query) if isinstance(query, Select) else ()
        return TextSpan(items[0].span.start, items[-1].span.end) if items else None

    # CTEs

    def _ctes(self) -> list[TextCte]:
        found: list[TextCte] = []
        for query in self._queries:
            if isinstance(query, (Select, SetOperation)):
                found += [text for cte in query.ctes if (text := self._cte(cte)) is not None]
        return found

    def _cte(self, cte: Cte) -> TextCte | None:
        alias = cte.node.args.get("alias")
        identifier = alias.this if isinstance(alias, NODE) else None
        span = self._items.span(identifier) if isinstance(identifier, NODE) else None
        if span is None or identifier is None or self._items.is_tag(span):
            return None
        body = _body(self._parsed, self._items.index[identifier.meta["start"]] + 1)
        names = args(alias, "columns") if isinstance(alias, NODE) else []
        outputs: list[TextOutput] = []
        for place, output in enumerate(cte.query.outputs):
            text = self._output(output)
            if text is not None and place < len(names) and (at := self._items.span(names[place])) is not None:
                text = replace(text, name=names[place].name, span=at)
            if text is not None:
                outputs.append(text)
        return TextCte(cte.name, span, body or span, tuple(outputs))

    # References to columns

    def _columns(self) -> list[TextColumn]:
        found: dict[TextSpan, TextColumn] = {}
        for query in self._queries:
            references = query.references if isinstance(query, (Select, SetOperation, Pivot)) else {}
            values = {id(one) for output in query.outputs for one in output.reads.references}
            for known, reference in references.items():
                node = self._nodes.get(known)
                if node is not None and (column := self._column(node, reference, query)):
                    is_value = id(reference) in values
                    found.setdefault(column.span, replace(column, is_value=is_value))
            for source in query.sources if isinstance(query, Select) else ():
                self._add_using(source, found)
        return [found[span] for span in sorted(found)]

    def _add_using(self, source: QuerySource, found: dict[TextSpan, TextColumn]) -> None:
        join = source.join
        names = args(join.node, "using") if join is not None and join.node is not None else []
        for node, merged in zip(names, join.using if join is not None else (), strict=False):
            identifier = node if isinstance(node, exp.Identifier) else arg(node, "this")
            span = self._items.span(identifier)
            if span is not None and not self._items.is_tag(span) and not self._is_hidden(node.name):
                found[span] = TextColumn(node.name, span, self._origins(merged), is_value=False)

    def _column(self, node: Sql, reference: Reference, query: Query) -> TextColumn | None:
        identifier, is_path = _name_of(node, reference)
        span = self._items.span(identifier)
        if identifier is None or span is None or self._items.is_tag(span) or self._is_hidden(identifier.name):
            return None
        name = identifier.name
        is_qualified = arg(node, "table") is not None
        missing = None if is_path else self._guesses.candidates(reference, query, is_qualified=is_qualified)
        if missing is not None:
            # A branch may not be rendered at all.
            is_opaque = self._is_opaque(span)
            is_missing = self._reports_missing and not is_opaque and UNLISTED.fullmatch(name) is None
            return TextColumn(name, span, (), is_missing, missing if is_missing else ())
        if isinstance(reference, Unresolved):
            return TextColumn(name, span, self._guesses.unlisted(reference, query))
        origins = self._origins(reference)
        is_guess = isinstance(reference, Alias) or any(origin.confidence < _SURE for origin in origins)
        if is_guess and is_path:
            # The qualifier is more likely an alias that is still missing than a struct.
            origins = ()
        elif is_guess and origins and not is_qualified:
            origins = self._guesses.with_tags(reference, query, origins)
        return TextColumn(name, span, origins)

    def _origins(self, reference: Reference | None) -> tuple[TextOrigin, ...]:
        if isinstance(reference, SourceColumn):
            columns: Sequence[SourceColumn] = (reference,)
        elif isinstance(reference, Merged):
            columns = reference.columns
        elif isinstance(reference, (Alias, Member)):
            output = self._output(reference.output)
            return (TextOrigin(output.name, None, output),) if output is not None and output.name else ()
        else:
            return ()
        found = [self._origin(column) for column in columns]
        # Without one of several possible sources, the others would look more certain than they are.
        return () if None in found else tuple(origin for origin in found if origin is not None)

    def _origin(self, column: SourceColumn) -> TextOrigin | None:
        source = column.source
        table = self._tables.of_source(source)
        if self._is_hidden(column.name) or column.name == STAR:
            return None
        if isinstance(source.relation, Table):
            known = source.relation.columns
            if known is not None and column.name not in source.relation.index.values():
                return None
            if table is None or self._is_half_typed(table, source.relation):
                return None
            return TextOrigin(column.name, table, None, column.confidence)
        output = self._output(column.output) if column.output is not None else None
        if output is None and (table is None or not is_open(source)):
            return None
        return TextOrigin(column.name, table, output, column.confidence)

    def _is_half_typed(self, table: TextTable, relation: Table) -> bool:
        """Return whether the cursor is at the name of a table that is not known."""
        return self._cursor is not None and self._cursor in table.span and relation.columns is None


def _collected(root: Query) -> tuple[list[Query], dict[int, Select | None]]:
    """Return *root* and all queries in it, and by `id` the query around each whose names it can read."""
    queries: list[Query] = []
    around: dict[int, Select | None] = {}
    seen: set[int] = set()
    stack: list[tuple[Query, Select | None]] = [(root, None)]
    while stack:
        query, outer = stack.pop()
        if id(query) in seen:
            continue
        seen.add(id(query))
        queries.append(query)
        around[id(query)] = outer
        if isinstance(query, (Select, SetOperation)):
            stack += [(cte.query, None) for cte in query.ctes]
            inner = query if isinstance(query, Select) else outer
            stack += [(each, inner) for each in query.subqueries.values()]
        if isinstance(query, Select):
            for source in query.sources:
                if not isinstance(source.relation, Table):
                    stack.append((source.relation, None if source.cte is not None else query))
        elif isinstance(query, SetOperation):
            stack += [(each, outer) for each in query.operands]
        elif isinstance(query, Pivot) and not isinstance(query.source.relation, Table):
            stack.append((query.source.relation, outer))
        elif isinstance(query, SelfReference) and query.query is not None:
            stack.append((query.query, None))
        elif isinstance(query, Function) and query.rows is not None:
            stack.append((query.rows, outer))
    return queries, around


def _body(parsed: ParsedText, first: int) -> TextSpan | None:
    """Return the part between the parentheses that follow AS, from the token *first* on."""
    tokens, depth, start, is_body = parsed.tokens, 0, 0, False
    for place in range(first, len(tokens)):
        token = tokens[place]
        if token.token_type is TokenType.ALIAS and depth == 0:
            is_body = True
        elif token.token_type is TokenType.L_PAREN:
            start = token.end + 1 if depth == 0 else start
            depth += 1
        elif token.token_type is TokenType.R_PAREN:
            depth -= 1
            if depth == 0 and is_body:
                return TextSpan(parsed.offset(start), parsed.offset(token.start))
    return None


def _name_of(node: Sql, reference: Reference) -> tuple[Sql | None, bool]:
    """Return the name of the column in *node*, and whether *node* is a path into the column."""
    if isinstance(node, exp.Identifier):
        return node, False
    if not isinstance(node, exp.Column):
        return None, False
    name = arg(node, "this")
    known = _known_name(reference)
    if known and name is not None and name.name.lower() != known.lower():
        for key in ("table", "db", "catalog"):
            part = arg(node, key)
            if part is not None and part.name.lower() == known.lower():
                return part, True
    return name, False


def _known_name(reference: Reference) -> str:
    if isinstance(reference, SourceColumn):
        return reference.name
    if isinstance(reference, Merged):
        return reference.columns[0].name if reference.columns else ""
    return reference.output.name if isinstance(reference, (Alias, Member)) else ""


def _names(source: QuerySource) -> Sequence[str]:
    relation = source.relation
    if isinstance(relation, Table):
        return relation.columns or ()
    return [output.name for output in relation.outputs]
