"""Uses of a symbol: in the open text, and in the files of the nodes that the index has as its readers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from recce_meta.lazy import LazyModule
from recce_meta.lsp.features.symbols import ColumnKeys, NodeColumn, OutputKey, Symbol, VariableName, key_of
from recce_meta.lsp.text.file_texts import START, FileText, Texts, is_yaml, open_file, placed_blocks
from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.query_text import TextColumn, TextCte, TextOutput
from recce_meta.lsp.text.sql_scopes import ScopeTable
from recce_meta.lsp.text.template import TagCall
from recce_meta.models import MacroMetadata, NodeMetadata

if TYPE_CHECKING:
    from lsprotocol.types import Location

    from recce_meta.lsp.project import index as project
else:
    project = LazyModule("recce_meta.lsp.project.index")

MOST_FILES = 200
"""Number of files to read for one symbol."""
TIME_LIMIT = 2.0
"""Seconds to analyse files for one symbol; later files yield only their calls of `ref`."""

_CALLS = ("ref", "source", "builtins.ref", "builtins.source")
_DISPATCHED = re.compile(r"[^_]+__(\w+)")
"""Name of a macro that `adapter.dispatch` calls: `default__concat`."""
_DEFINING = re.compile(r"\{%[-+]?\s*(macro|test|data_test|materialization)\s+\Z")


class Usages:
    """Search for the uses of one symbol."""

    def __init__(self, file: FileText, texts: Texts, until: float) -> None:
        """Create a search in the open text *file* and the open *texts*; analyses stop at *until*."""
        self.file, self.view, self.texts, self.until = file, file.view, texts, until
        self._columns = ColumnKeys(file)

    def of(self, symbols: Sequence[Symbol]) -> list[Location]:
        """Return the uses of *symbols*, which are the meanings of one position."""
        columns = [symbol for symbol in symbols if isinstance(symbol, (TextColumn, TextOutput))]
        found = list(self._of_columns(columns)) if columns else []
        for symbol in symbols:
            if isinstance(symbol, NodeMetadata):
                found += self._of_node(symbol)
            elif isinstance(symbol, MacroMetadata):
                found += self._of_macro(symbol)
            elif isinstance(symbol, VariableName):
                found += self._of_variable(symbol)
            elif isinstance(symbol, TextCte):
                found += self._of_cte(symbol)
            elif isinstance(symbol, ScopeTable):
                found += self._of_alias(symbol)
        return found

    def _of_cte(self, cte: TextCte) -> Iterator[Location]:
        for table in self.file.query.tables:
            if table.cte is not None and self.file.cte(table.cte, table.span.start) == cte:
                yield self.file.location(table.span)

    def _of_alias(self, table: ScopeTable) -> Iterator[Location]:
        """Yield the qualifiers that mean *table*."""
        words = self.file.scopes.words
        for word, following in pairwise(words):
            is_qualifier = following.text == "." and word.is_name and word.text.lower() == table.key.lower()
            if is_qualifier and self.file.scopes.at(word.start).table(word.text) is table:
                yield self.file.location(TextSpan(word.start, word.end))

    def _of_variable(self, variable: VariableName) -> Iterator[Location]:
        for call in self.file.template.calls:
            if call.name == "var" and call.arguments and call.arguments[0].value == variable.name:
                yield self.file.location(call.arguments[0].span)

    def _of_node(self, node: NodeMetadata) -> Iterator[Location]:
        yield from self._located(self.file, _calls_of(self.file, node))
        readers = self.view.index.readers(node.unique_id) if self.view.index is not None else ()
        for file in self._files(readers):
            yield from self._located(file, _calls_of(file, node) or [START])

    def _of_macro(self, macro: MacroMetadata) -> Iterator[Location]:
        yield from self._located(self.file, _calls_of_macro(self.file, macro))
        index = self.view.index
        if index is None:
            return
        nodes = [node for node in index.names.values() if macro.unique_id in node.macros]
        for file in self._files(nodes):
            yield from self._located(file, _calls_of_macro(file, macro) or [START])
        for caller in index.macros:
            is_sure = macro.unique_id in caller.macros
            # Without dbt's manifest, calls between macros are not recorded.
            if is_sure or (not caller.macros and macro.name in caller.macro_sql):
                yield from self._in_macro(caller, macro, is_sure=is_sure)

    def _in_macro(self, caller: MacroMetadata, macro: MacroMetadata, *, is_sure: bool) -> Iterator[Location]:
        """Yield the calls of *macro* in *caller*; the name of *caller* if it calls it in another way."""
        index = self.view.index
        place = index.macro_place(caller) if index is not None else None
        file = (
            open_file(self.view, place[0], self.texts, None, caller.package_name)
            if place is not None
            else None
        )
        start = project.offset_of_macro(file.text, caller) if file is not None else None
        if file is None or start is None:
            return
        body = next(block.span for block in placed_blocks(file.text) if start in block.span)
        calls = [span for span in _calls_of_macro(file, macro) if span.start in body]
        name = [TextSpan(start, start + len(caller.name))] if is_sure else []
        yield from self._located(file, calls or name)

    def _of_columns(self, symbols: Sequence[TextColumn | TextOutput]) -> Iterator[Location]:
        """Yield the uses of columns in the text, and in other files those of the model or of the node."""
        outputs = [symbol for symbol in symbols if isinstance(symbol, TextOutput)]
        wanted = {key_of(output): None for output in outputs}
        keys: set[OutputKey | NodeColumn] = set(wanted)
        for symbol in symbols:
            if isinstance(symbol, TextColumn):
                keys |= self._columns.of_column(symbol)
        unknown = [symbol.span for symbol in symbols if isinstance(symbol, TextColumn) and not keys]
        yield from self._located(self.file, _columns_of(self.file, self._columns, keys) or unknown)
        elsewhere = {key for key in keys if isinstance(key, NodeColumn)}
        finals = [output for output in outputs if output in self.file.query.outputs]
        own = self.file.node
        if finals and own is not None:
            elsewhere = {NodeColumn(own.unique_id, output.name.lower()) for output in finals}
        for key in sorted(elsewhere):
            yield from self._readers_of_column(key)

    def _readers_of_column(self, column: NodeColumn) -> Iterator[Location]:
        index = self.view.index
        node = index.names.get(column.unique_id) if index is not None else None
        if index is None or node is None:
            return
        known = index.column_readers(column.unique_id)
        ids = {*known.get(column.column, ()), *known.get("*", ())}
        readers = [reader for reader in index.readers(column.unique_id) if reader.unique_id in ids]
        for file in self._files(readers):
            spans: list[TextSpan] = []
            if not is_yaml(file) and monotonic() < self.until:
                spans = _columns_of(file, ColumnKeys(file), {column}, with_stars=True)
            yield from self._located(file, spans or _calls_of(file, node) or [START])

    def _files(self, nodes: Iterable[NodeMetadata]) -> Iterator[FileText]:
        """Yield the files of *nodes*, except the text of the search itself."""
        index = self.view.index
        paths: dict[Path, NodeMetadata] = {}
        for node in nodes:
            path = index.file_of(node) if index is not None else None
            if path is not None and path != self.view.document.path:
                paths.setdefault(path, node)
        for path in sorted(paths)[:MOST_FILES]:
            file = open_file(self.view, path, self.texts, paths[path])
            if file is not None:
                yield file

    def _located(self, file: FileText, spans: Iterable[TextSpan]) -> Iterator[Location]:
        return (file.location(span) for span in spans)


def _columns_of(
    file: FileText, keys: ColumnKeys, wanted: Collection[OutputKey | NodeColumn], *, with_stars: bool = False
) -> list[TextSpan]:
    """Return the references in *file* to *wanted*; *with_stars* adds each `*` that passes one on."""
    found = [column.span for column in file.query.columns if not keys.of_column(column).isdisjoint(wanted)]
    if with_stars:
        names = {key.column for key in wanted if isinstance(key, NodeColumn)}
        outputs = [*file.query.outputs, *(output for cte in file.query.ctes for output in cte.outputs)]
        for output in outputs:
            for name in names if output.is_star and output.name.lower() in {*names, "*"} else ():
                if not keys.of_output(output, name).isdisjoint(wanted):
                    found.append(output.span)
    return list(dict.fromkeys(found))


def _calls_of(file: FileText, node: NodeMetadata) -> list[TextSpan]:
    """Return the calls of `ref` or `source` in *file* that mean *node*."""
    if file.uri.endswith(".sql"):
        calls = [call for call in file.template.calls if call.name in _CALLS]
        found = [call.span for call in calls if _is_same(file.relation(call), node)]
        # The index says that the file reads the node: a name that several packages have may mean it.
        return found or [
            call.span for call in calls if node.name in (argument.value for argument in call.arguments)
        ]
    function = "source" if node.resource_type == "source" else "ref"
    pattern = rf"\b{function}\(\s*(?:['\"][^'\"]*['\"]\s*,\s*)?['\"]{re.escape(node.name)}['\"][^)]*\)"
    return [TextSpan(*match.span()) for match in re.finditer(pattern, file.text)]


def _is_definition(text: str, call: TagCall) -> bool:
    """Return True for the name in `{% macro name(…)`, which looks like a call."""
    return _DEFINING.search(text, call.tag.start, call.name_span.start) is not None


def _is_same(found: NodeMetadata | None, node: NodeMetadata) -> bool:
    return found is not None and found.unique_id == node.unique_id


def _calls_of_macro(file: FileText, macro: MacroMetadata) -> list[TextSpan]:
    """Return the names of calls of *macro* in *file*, and of dispatches to it."""
    index = file.view.index
    if index is None:
        return []
    if not file.uri.endswith(".sql"):
        # A generic test is named without its prefix.
        name = macro.name.removeprefix("test_")
        return [TextSpan(*match.span()) for match in re.finditer(rf"\b{re.escape(name)}\b", file.text)]
    dispatched = _DISPATCHED.fullmatch(macro.name)
    found = []
    for call in file.template.calls:
        if call.name.endswith("dispatch") and dispatched is not None:
            found += [argument.span for argument in call.arguments if argument.value == dispatched[1]]
        elif call.name.rpartition(".")[2] == macro.name and not _is_definition(file.text, call):
            called = index.macro(call.name, file.package)
            if called is not None and called.unique_id == macro.unique_id:
                found.append(call.name_span)
    return found
