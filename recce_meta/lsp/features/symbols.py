"""Symbols of a text: the meaning of a position, and the columns that a reference to a column may mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import NamedTuple, TypeAlias, TypeVar

from recce_meta.lsp.text.file_texts import FileText, columns_of, matching
from recce_meta.lsp.text.query_text import TextColumn, TextCte, TextOrigin, TextOutput, TextTable
from recce_meta.lsp.text.sql_scopes import ScopeTable
from recce_meta.lsp.text.template import TagCall
from recce_meta.models import MacroMetadata, NodeMetadata
from recce_meta.models.node import matching_name

_NODES = frozenset(("ref", "source", "this", "builtins.ref", "builtins.source"))
_MOST_STARS = 20
"""Stars in a row that a column is followed through; a recursive CTE would not end."""

Spanned = TypeVar("Spanned", TextColumn, TextCte, TextOutput, TextTable)


class VariableName(NamedTuple):
    """Variable of dbt_project.yml."""

    name: str


Symbol: TypeAlias = (
    NodeMetadata | MacroMetadata | VariableName | TextCte | ScopeTable | TextColumn | TextOutput
)
"""Meaning of a position; a ScopeTable stands for an alias."""


class NodeColumn(NamedTuple):
    """Column of a node, in lower case."""

    unique_id: str
    column: str


class OutputKey(NamedTuple):
    """Output in a text, identified by its offset and its name in lower case: a `*` has many outputs."""

    start: int
    name: str


def key_of(output: TextOutput, name: str | None = None) -> OutputKey:
    """Return the key of *output*, or of its column *name* if it is a `*` with unknown columns."""
    return OutputKey(output.span.start, (output.name if name is None else name).lower())


def symbols_at(file: FileText, offset: int) -> list[Symbol]:
    """Return the symbols that *offset* touches.

    Several: a column passed on is a reference and an output; a `*` means several tables.
    """
    call = file.template.call_at(offset)
    if call is not None:
        return _symbols_of_call(file, call, offset)
    query = file.query
    columns, outputs = _touching(query.columns, offset), _touching(_outputs(file), offset)
    if columns or outputs:
        stars = [output for output in outputs if output.is_star]
        found: list[Symbol] = [*columns, *(output for output in outputs if not output.is_star)]
        return found or _tables_of_star(file, stars[0])
    return _symbols_of_name(file, offset)


def _symbols_of_call(file: FileText, call: TagCall, offset: int) -> list[Symbol]:
    index = file.view.index
    if index is None:
        return []
    if call.name in _NODES:
        node = file.relation(call)
        return [node] if node is not None else []
    if call.name == "var":
        name = call.arguments[0].value if call.arguments else None
        return [VariableName(name)] if isinstance(name, str) else []
    macro = index.macro(call.name, file.package) if offset in call.name_span else None
    return [macro] if macro is not None else []


def _symbols_of_name(file: FileText, offset: int) -> list[Symbol]:
    """Return the CTE, table or alias that *offset* touches."""
    ctes = _touching(file.query.ctes, offset)
    if ctes:
        return list(ctes[:1])
    for table in _touching(file.query.tables, offset):
        found = file.cte(table.cte, table.span.start) if table.cte is not None else None
        return [found] if found is not None else []
    words = file.scopes.words
    for index, word in enumerate(words):
        if word.start > offset:
            break
        if word.end < offset or not word.is_name:
            continue
        scope = file.scopes.at(word.start)
        if index + 1 < len(words) and words[index + 1].text == ".":
            qualified = file.table(scope, word.text)
            if qualified is not None:
                return [qualified] if qualified.alias is not None else meaning_of(file, qualified)
        # The alias where it is defined.
        for table_before in scope.tables:
            alias = table_before.alias or ""
            if alias.lower() == word.text.lower() and table_before.span.end <= word.start:
                return meaning_of(file, table_before)
    return []


def _outputs(file: FileText) -> list[TextOutput]:
    return [*file.query.outputs, *(output for cte in file.query.ctes for output in cte.outputs)]


def _touching(items: Sequence[Spanned], offset: int) -> list[Spanned]:
    return [item for item in items if offset in item.span]


def similar_names(name: str, known: Iterable[str]) -> list[str]:
    """Return at most three of the *known* names that are closest to *name*, ignoring case."""
    spellings: dict[str, str] = {}
    for one in known:
        spellings.setdefault(one.lower(), one)
    return [spellings[near] for near in get_close_matches(name.lower(), spellings, n=3)]


def _tables_of_star(file: FileText, star: TextOutput) -> list[Symbol]:
    tables = file.scopes.tables_of_star(star.span)
    return [symbol for table in tables for symbol in meaning_of(file, table)]


def meaning_of(file: FileText, table: ScopeTable) -> list[Symbol]:
    """Return the CTE or the node that *table* reads; a subquery itself; nothing for another relation."""
    if not table.name:
        return [table]
    if table.name in file.template.masks:
        node = file.relation(file.template.masks[table.name])
        return [node] if node is not None else []
    cte = file.cte(table.name, table.span.start)
    return [cte] if cte is not None else []


def cte_of(file: FileText, origin: TextOrigin) -> TextCte | None:
    """Return the CTE of a column that is not one of its known outputs, because a macro makes them."""
    table = origin.table if origin.output is None else None
    return file.cte(table.cte, table.span.start) if table is not None and table.cte is not None else None


class BehindStar(NamedTuple):
    """Possible sources of a column that a `*` passes on."""

    outputs: list[TextOutput]
    nodes: list[NodeMetadata]


def behind_star(file: FileText, star: TextOutput, column: str) -> BehindStar:
    """Return the outputs of CTEs and the nodes that have the *column* of *star*.

    If none is known to have it, return those with unknown columns.
    """
    sure, possible = BehindStar([], []), BehindStar([], [])
    for table in file.scopes.tables_of_star(star.span):
        for symbol in meaning_of(file, table):
            if isinstance(symbol, NodeMetadata):
                types, are_all = columns_of(file.view, symbol.unique_id)
                if matching_name(column, types) is not None:
                    sure.nodes.append(symbol)
                elif not are_all:
                    possible.nodes.append(symbol)
            elif isinstance(symbol, TextCte):
                found = matching(column, symbol.outputs)
                sure.outputs.extend(found)
                possible.outputs.extend([] if found else matching("*", symbol.outputs))
    return sure if sure.outputs or sure.nodes else possible


class ColumnKeys:
    """Columns that the references of one text mean, in the text and behind its stars."""

    def __init__(self, file: FileText) -> None:
        self.file = file
        self._stars: dict[OutputKey, frozenset[OutputKey | NodeColumn]] = {}

    def of_column(self, column: TextColumn) -> frozenset[OutputKey | NodeColumn]:
        """Return the columns that *column* may mean."""
        return frozenset(key for origin in column.origins for key in self._of_origin(origin))

    def of_output(self, output: TextOutput, name: str) -> frozenset[OutputKey | NodeColumn]:
        """Return *output*, and for a `*` also what it passes on as *name*."""
        return self._behind(output, name, 0)

    def _of_origin(self, origin: TextOrigin) -> Iterable[OutputKey | NodeColumn]:
        if origin.output is not None:
            return self._behind(origin.output, origin.column, 0)
        cte = cte_of(self.file, origin)
        if cte is not None:
            return [OutputKey(cte.span.start, origin.column.lower())]
        node = self.file.relation(origin.table.call) if origin.table is not None else None
        return [NodeColumn(node.unique_id, origin.column.lower())] if node is not None else []

    def _behind(self, output: TextOutput, name: str, depth: int) -> frozenset[OutputKey | NodeColumn]:
        key = key_of(output, name)
        if not output.is_star or depth > _MOST_STARS:
            return frozenset([key])
        if key not in self._stars:
            self._stars[key] = frozenset([key])
            self._stars[key] = frozenset(self._of_star(output, name, depth)) | {key}
        return self._stars[key]

    def _of_star(self, star: TextOutput, name: str, depth: int) -> Iterator[OutputKey | NodeColumn]:
        found = behind_star(self.file, star, name)
        for output in found.outputs:
            yield from self._behind(output, name, depth + 1)
        for node in found.nodes:
            yield NodeColumn(node.unique_id, name.lower())
