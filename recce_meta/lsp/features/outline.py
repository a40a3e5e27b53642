"""Symbols of a file: a model with its CTEs and output columns, or macros and other blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lsprotocol.types import DocumentSymbol, SymbolKind

from recce_meta.lsp.text.file_texts import PlacedBlock, placed_blocks, range_of
from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.query_text import TextOutput

if TYPE_CHECKING:
    from recce_meta.lsp.documents import TextView

_LONGEST = 60
"""Characters of an expression that stands for the name of its column."""


def document_symbols(view: TextView) -> list[DocumentSymbol]:
    """Return the model with its CTEs and output columns, or the macros of a file of macros."""
    blocks = placed_blocks(view.document.text) if "{%" in view.document.text else []
    macros = [block for block in blocks if block.block.kind != "snapshot"]
    snapshots = [block for block in blocks if block.block.kind == "snapshot"]
    found = [_of_block(view, block) for block in macros]
    if snapshots:
        return [*found, *(_of_model(view, one.span, one.name, one.block.name) for one in snapshots)]
    has_query = bool(view.query.outputs or view.query.ctes)
    if not has_query and (macros or view.node is None):
        return found
    whole = TextSpan(0, len(view.document.text))
    name = view.node.label if view.node is not None else view.document.path.stem
    return [*found, _of_model(view, whole, TextSpan(0, 0), name)]


def _of_block(view: TextView, block: PlacedBlock) -> DocumentSymbol:
    return _symbol(
        view, block.block.name, SymbolKind.Function, block.span, block.name, detail=block.block.kind
    )


def _of_model(view: TextView, span: TextSpan, selection: TextSpan, name: str) -> DocumentSymbol:
    children = []
    for cte in view.query.ctes:
        if span.start <= cte.span.start and cte.span.end <= span.end:
            # With the parenthesis behind the query.
            place = _within(TextSpan(cte.span.start, max(cte.span.end, cte.body.end + 1)), span)
            columns = _of_outputs(view, cte.outputs, place)
            children.append(_symbol(view, cte.name, SymbolKind.Class, place, cte.span, columns, detail="CTE"))
    outputs = [one for one in view.query.outputs if span.start <= one.span.start and one.span.end <= span.end]
    children += _of_outputs(view, outputs, span)
    detail = view.node.resource_type if view.node is not None else "query"
    return _symbol(view, name, SymbolKind.Module, span, selection, children, detail=detail)


def _of_outputs(view: TextView, outputs: Iterable[TextOutput], around: TextSpan) -> list[DocumentSymbol]:
    """Return the columns; those that one `*` yields are one symbol."""
    stars: dict[TextSpan, list[str]] = {}
    found: dict[tuple[TextSpan, str], DocumentSymbol | None] = {}
    for output in outputs:
        name = "*" if output.is_star else _name_of(view, output)
        if output.is_star:
            stars.setdefault(output.span, []).extend([output.name] if output.name != "*" else [])
        place = TextSpan(
            min(output.span.start, output.expression.start), max(output.span.end, output.expression.end)
        )
        found[output.span, name] = _symbol(view, name, SymbolKind.Field, _within(place, around), output.span)
    for (span, name), symbol in found.items():
        if name == "*" and symbol is not None and stars.get(span):
            symbol.detail = _listed(stars[span])
    return [symbol for symbol in found.values() if symbol is not None]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def _name_of(view: TextView, output: TextOutput) -> str:
    """Return the name, or the text of an expression without a name."""
    if output.name and output.name not in view.document.template.masks:
        return output.name
    text = " ".join(view.document.text[output.expression.start : output.expression.end].split())
    return text[:_LONGEST] + ("…" if len(text) > _LONGEST else "") or "column"


def _within(span: TextSpan, around: TextSpan) -> TextSpan:
    """Return *span* cut to *around*, as the protocol wants it for children."""
    start = min(max(span.start, around.start), around.end)
    return TextSpan(start, max(start, min(span.end, around.end)))


def _symbol(
    view: TextView,
    name: str,
    kind: SymbolKind,
    span: TextSpan,
    selection: TextSpan,
    children: list[DocumentSymbol] | None = None,
    *,
    detail: str | None = None,
) -> DocumentSymbol:
    lines = view.document.lines
    return DocumentSymbol(
        # Editors refuse an empty name.
        name=name or "column",
        kind=kind,
        range=range_of(lines, span),
        selection_range=range_of(lines, _within(selection, span)),
        children=children,
        detail=detail,
    )
