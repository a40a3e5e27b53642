"""Definitions and references of models, sources, macros, variables, CTEs, tables and columns.

A column is followed to the place that computes it. A `*` on the way is followed once: to a CTE of the same
text, or from the open text to the model that it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING

from lsprotocol.types import Location

from recce_meta.lazy import LazyModule
from recce_meta.lsp.features.symbols import (
    NodeColumn,
    Symbol,
    VariableName,
    behind_star,
    cte_of,
    symbols_at,
)
from recce_meta.lsp.features.usages import TIME_LIMIT, Usages
from recce_meta.lsp.text.file_texts import (
    START,
    FileText,
    Texts,
    documented_place,
    file_of_node,
    is_yaml,
    open_file,
    place_of_node,
    placed_blocks,
)
from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.query_text import TextColumn, TextOrigin, TextOutput
from recce_meta.models import MacroMetadata, NodeMetadata

if TYPE_CHECKING:
    from recce_meta.lsp.documents import TextView
    from recce_meta.lsp.project import index as project
else:
    project = LazyModule("recce_meta.lsp.project.index")

_DOCUMENTED = frozenset(("source", "seed"))
"""Types of nodes whose columns no SQL defines."""


def definitions(view: TextView, offset: int, texts: Texts) -> list[Location]:
    """Return the definition of the symbol at *offset*; several if a column may have several sources.

    *texts* are the open texts by path; other files are read from disk. A column that a macro computes leads
    to the start of its model's file.
    """
    file = FileText.of_view(view)
    symbols = symbols_at(file, offset)
    # A column that is passed on is defined upstream.
    columns = [symbol for symbol in symbols if isinstance(symbol, TextColumn)]
    found = _unique(place for symbol in columns for place in _places(file, symbol, texts))
    if not found:
        found = _unique(place for symbol in symbols for place in _places(file, symbol, texts))
    call = file.template.call_at(offset)
    if not found and call is not None and call.name == "this":
        return [file.location(START)]
    return found


def references(view: TextView, offset: int, texts: Texts, *, declaration: bool) -> list[Location]:
    """Return the uses of the symbol at *offset*, sorted by file and position.

    The symbol of the start of the text, where the code lens is, is the model of the file. A file that reads
    the symbol by a `*` yields the `*`; one that does not parse, or that a macro makes read it, yields its
    call of `ref`, else its start. At most `usages.MOST_FILES` files are read, for at most
    `usages.TIME_LIMIT` seconds; after that time, files yield their call of `ref`. *declaration* adds the
    definitions.
    """
    file = FileText.of_view(view)
    symbols = symbols_at(file, offset)
    if not symbols:
        macro = _macro_defined_at(file, offset)
        node = view.node if offset == 0 else None
        symbols = [macro] if macro is not None else [node] if node is not None else []
    found = Usages(file, texts, monotonic() + TIME_LIMIT).of(symbols)
    if declaration:
        found = [*found, *(place for symbol in symbols for place in _places(file, symbol, texts))]
    return sorted(_unique(found), key=_order)


def _order(place: Location) -> tuple[str, int, int]:
    return place.uri, place.range.start.line, place.range.start.character


def _unique(places: Iterable[Location]) -> list[Location]:
    return list({(*_order(place), place.range.end.line): place for place in places}.values())


def _macro_defined_at(file: FileText, offset: int) -> MacroMetadata | None:
    """Return the macro whose name in `{% macro name` is at *offset*."""
    index = file.view.index
    if index is None:
        return None
    for block in placed_blocks(file.text) if "{%" in file.text else ():
        if offset in block.name:
            same = (macro for macro in index.macros if macro.name.endswith(block.block.name))
            for macro in same:
                place = index.macro_place(macro)
                is_here = place is not None and place[0] == file.view.document.path
                if is_here and project.offset_of_macro(file.text, macro) == block.name.start:
                    return macro
    return None


def _places(file: FileText, symbol: Symbol, texts: Texts) -> Iterator[Location]:
    """Yield the definitions of *symbol*."""
    if isinstance(symbol, NodeMetadata):
        place = place_of_node(file.view, symbol, texts)
        if place is not None:
            yield place
    elif isinstance(symbol, MacroMetadata):
        yield from _macro_places(file, symbol, texts)
    elif isinstance(symbol, VariableName):
        yield from _variable_places(file, symbol.name, texts)
    elif isinstance(symbol, TextColumn):
        for origin in symbol.origins:
            yield from _origin_places(file, origin, texts)
    else:
        yield file.location(symbol.span)


def _macro_places(file: FileText, macro: MacroMetadata, texts: Texts) -> Iterator[Location]:
    index = file.view.index
    place = index.macro_place(macro) if index is not None else None
    found = open_file(file.view, place[0], texts) if place is not None else None
    if found is not None:
        # The open text may differ from the file.
        start = project.offset_of_macro(found.text, macro)
        yield found.location(TextSpan(start, start + len(macro.name)) if start is not None else START)


def _variable_places(file: FileText, name: str, texts: Texts) -> Iterator[Location]:
    index = file.view.index
    known = index.variable(name, file.package) if index is not None else None
    if known is None or known[1] is None:
        return
    found = open_file(file.view, known[1], texts)
    if found is not None and known[2] < len(found.lines):
        line = found.lines.line_span(known[2])
        start = found.text.find(name, line.start, line.end)
        yield found.location(TextSpan(start, start + len(name)) if start >= 0 else line)


def _origin_places(file: FileText, origin: TextOrigin, texts: Texts) -> Iterator[Location]:
    if origin.output is not None:
        yield from _output_places(file, origin.output, origin.column, texts, leaves_file=True)
        return
    cte = cte_of(file, origin)
    if cte is not None:
        yield file.location(cte.span)
        return
    node = file.relation(origin.table.call) if origin.table is not None else None
    if node is not None:
        yield from _node_column_places(file, NodeColumn(node.unique_id, origin.column), texts)


def _output_places(
    file: FileText, output: TextOutput, column: str, texts: Texts, *, leaves_file: bool
) -> Iterator[Location]:
    """Yield the place of *output*; for a `*`, the places of *column* behind it, if they are known."""
    if not output.is_star:
        is_tag = output.is_opaque and "{" in file.text[output.span.start : output.span.end]
        yield file.location(START if is_tag else output.span)
        return
    behind = behind_star(file, output, column)
    found = [file.location(START if _is_tag(file, one) else one.span) for one in behind.outputs]
    for node in behind.nodes if leaves_file else ():
        found += _node_column_places(file, NodeColumn(node.unique_id, column), texts)
    yield from found or [file.location(output.span)]


def _is_tag(file: FileText, output: TextOutput) -> bool:
    """Return True if the name of *output* is not in the text: a tag makes it."""
    return output.is_opaque and "{" in file.text[output.span.start : output.span.end]


def _node_column_places(file: FileText, column: NodeColumn, texts: Texts) -> Iterator[Location]:
    """Yield the places of a column in the file of its node."""
    index = file.view.index
    node = index.names.get(column.unique_id) if index is not None else None
    if node is None:
        return
    found = file_of_node(file.view, node, texts)
    if node.resource_type in _DOCUMENTED or (found is not None and is_yaml(found)):
        place = documented_place(file.view, node, column.column, texts)
        if place is not None:
            yield place
    elif found is not None:
        outputs = found.outputs(column.column)
        for output in outputs:
            yield from _output_places(found, output, column.column, texts, leaves_file=False)
        if not outputs:
            yield found.location(START)
