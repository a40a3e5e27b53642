"""Hover: meaning of a position in a text, as Markdown.

Origins come from the text where its templates do not hide them; otherwise from the rendered text, or from the
recorded lineage, which is said. Types, descriptions and readers are those of the recorded run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from lsprotocol.types import Hover, MarkupContent, MarkupKind

from recce_meta.lsp.features.markdown import block, code, columns_block, counted, cut, escaped, listed
from recce_meta.lsp.features.node_hover import (
    annotated,
    as_of_run,
    last_change,
    of_call,
    of_node,
    types_as_of,
)
from recce_meta.lsp.features.symbols import similar_names, symbols_at
from recce_meta.lsp.text.file_texts import FileText, columns_of, range_of
from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.query_text import (
    TextColumn,
    TextCte,
    TextOrigin,
    TextOutput,
    TextQuality,
    TextTable,
    output_origins,
)
from recce_meta.lsp.text.sql_scopes import SelectScope
from recce_meta.models import Column, NodeMetadata
from recce_meta.models.lineage import ColumnOutput, ColumnSource, Kind, NodeColumns
from recce_meta.models.node import LIKELY, find_named, matching_name

if TYPE_CHECKING:
    from recce_meta.lsp.documents import TextView
    from recce_meta.lsp.project.index import ProjectIndex

MOST_ORIGINS = 12
"""Lines of the origin of a column."""
DEEPEST = 8
"""Steps through CTEs of the text."""
LONGEST_LINE = 100
"""Characters of an expression within a line."""
AFTER_RENDERING = "known only after rendering"
_PLAIN = re.compile(
    r"(?:[\w$]+|\"[^\"]*\"|`[^`]*`|\[[^\]]*\])(?:\s*\.\s*(?:[\w$]+|\"[^\"]*\"|`[^`]*`|\[[^\]]*\]))*"
)
_SUBQUERY = re.compile(r"\bselect\b", re.IGNORECASE)
_SET_OPERATION = re.compile(r"(?:union|intersect|except|minus)\b", re.IGNORECASE)
_AFTER_OPERATION = re.compile(r"\b(?:union|intersect|except|minus)\s*\Z", re.IGNORECASE)
_TABLES = re.compile(r"\b(?:from|join|union|intersect|except|minus)\b", re.IGNORECASE)
_PARENTHESES = re.compile(r"\([^()]*\)")
_CLAUSE = re.compile(r"\s*(?:where|and|or|on|using|group|having|order|qualify|limit|window)\b", re.IGNORECASE)
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


class OwnedColumn(NamedTuple):
    """Column of a node, in the node's spelling."""

    node: NodeMetadata
    name: str


def hover(view: TextView, offset: int) -> Hover | None:
    """Return what is known of the position; None if it has no meaning."""
    file = FileText.of_view(view)
    call = file.template.call_at(offset)
    if call is not None:
        found, span = of_call(view, call), call.span
    else:
        found, span = _of_sql(file, offset)
    if not found:
        return None
    content = MarkupContent(kind=MarkupKind.Markdown, value=found)
    return Hover(contents=content, range=range_of(view.document.lines, span))


def _of_sql(file: FileText, offset: int) -> tuple[str | None, TextSpan]:
    query = file.query
    columns = [column for column in query.columns if offset in column.span]
    every = (*query.outputs, *(output for cte in query.ctes for output in cte.outputs))
    outputs = [output for output in every if offset in output.span]
    named = [output for output in outputs if not output.is_star]
    if columns or named:
        about = ColumnHover(file, columns[0] if columns else None, named[0] if named else None)
        return about.text(), (columns[0] if columns else named[0]).span
    if outputs:
        return f"`*`\n\n{_list_of(outputs)}", outputs[0].span
    for symbol in symbols_at(file, offset):
        if isinstance(symbol, TextCte):
            return f"**{code(symbol.name)}** · CTE\n\n{_list_of(symbol.outputs)}", _span_of_name(file, offset)
        if isinstance(symbol, NodeMetadata):
            return of_node(file.view, symbol), _span_of_name(file, offset)
    return None, TextSpan(offset, offset)


def _span_of_name(file: FileText, offset: int) -> TextSpan:
    for table in file.query.tables:
        if offset in table.span:
            return table.span
    word = next(
        (word for word in file.scopes.words if word.start <= offset <= word.end and word.is_name), None
    )
    return TextSpan(word.start, word.end) if word is not None else TextSpan(offset, offset)


def _list_of(outputs: Sequence[TextOutput]) -> str:
    """Return the names of *outputs*, and why there may be more of them."""
    # A tag may stand for any number of columns.
    names = [output.name for output in outputs if output.name not in ("", "*")]
    parts = [columns_block((name, None) for name in names)] if names else []
    which = "Further" if names else "Its"
    if any(output.name == "" for output in outputs):
        parts.append(f"{which} columns are {AFTER_RENDERING}.")
    elif not names or any(output.name == "*" for output in outputs):
        parts.append(f"{which} columns are unknown.")
    return "\n\n".join(parts)


class _Trace:
    """Trace of outputs to their sources in the text of a file."""

    def __init__(self, file: FileText) -> None:
        self._file, self._query = file, file.query
        self._gaps: dict[int, str] = {}

    def lines(self, origins: Sequence[TextOrigin], depth: int, seen: set[tuple[int, str]]) -> Iterator[str]:
        """Yield a line for each origin, followed by indented lines for its own origins."""
        shown: set[str] = set()
        for origin in origins:
            label = self._label(origin)
            if label in shown:
                continue
            shown.add(label)
            indent = "  " * depth
            output = origin.output
            if output is None:
                yield f"{indent}- {label}{_doubt(origin.confidence)}"
                continue
            written = " ".join(self.text(output.expression).split())
            is_shown = not self.is_plain(output) and written != origin.column
            how = f" = {code(cut(written, LONGEST_LINE))}" if is_shown else ""
            hidden = self.obstacle(output)
            note = hidden or self.gap(output)
            yield f"{indent}- {label}{how}{f' ({note})' if note else ''}{_doubt(origin.confidence)}"
            key = output.span.start, origin.column.lower()
            if not hidden and depth < DEEPEST and key not in seen:
                yield from self.lines(output_origins(self._query, output), depth + 1, {*seen, key})

    def is_hidden(self, origins: Sequence[TextOrigin]) -> bool:
        """Return True unless the text shows which columns of nodes *origins* come from."""
        waiting, seen = list(origins), set()
        while waiting:
            origin = waiting.pop()
            output = origin.output
            if output is None:
                if origin.table is None or self._file.relation(origin.table.call) is None:
                    return True
            elif self.obstacle(output) or self.gap(output):
                return True
            elif (key := (output.span.start, output.name)) not in seen:
                seen.add(key)
                waiting += output_origins(self._query, output)
        return False

    def is_plain(self, output: TextOutput) -> bool:
        """Return True if *output* passes a column on unchanged."""
        if output.is_star or output.is_opaque:
            return output.is_star
        expression = output.expression
        text = self.text(expression)
        end = expression.start + len(text.rstrip())
        is_name = _PLAIN.fullmatch(text.strip()) is not None
        return is_name and any(
            expression.start <= column.span.start and column.span.end == end for column in self._query.columns
        )

    def is_copy(self, output: TextOutput) -> bool:
        """Return True if *output* has the values of one column, and no others."""
        return self.is_plain(output) and not self.obstacle(output) and not self.gap(output)

    def is_traced(self, output: TextOutput) -> bool:
        """Return True if the columns in the expression of *output* are its sources."""
        return not self.obstacle(output)

    def obstacle(self, output: TextOutput) -> str:
        """Return why the text does not show the sources of *output*; empty if it does."""
        if output.is_opaque or any(output.span.start in loop for loop in self._file.template.loops):
            return AFTER_RENDERING
        if not output.is_star and _SUBQUERY.search(self.text(output.expression)):
            return "not traced through the subquery"
        return ""

    def gap(self, output: TextOutput) -> str:
        """Return why *output* may have sources besides those of its expression; empty if it has none."""
        start = output.span.start
        if start not in self._gaps:
            self._gaps[start] = self._find_gap(output)
        return self._gaps[start]

    def _find_gap(self, output: TextOutput) -> str:
        scope = self._file.scopes.at(output.span.start)
        masked = self._file.template.masked
        if _SET_OPERATION.match(masked, scope.end) or _AFTER_OPERATION.search(masked[: scope.start]):
            return "only the first part of the set operation"
        # A tag may stand for the UNION between them.
        if sum(word == "select" for _, word in scope.clauses) > 1:
            return f"more may be {AFTER_RENDERING}"
        for hidden in self._file.template.opaque:
            # A branch of a CTE is not one of the query that reads it.
            if self._file.scopes.at(hidden.start) is scope and self._may_add_tables(hidden, scope):
                return f"more may be {AFTER_RENDERING}"
        return ""

    def _may_add_tables(self, hidden: TextSpan, scope: SelectScope) -> bool:
        """Return True unless a block of the template, in *scope*, only filters or adds columns."""
        if not self.text(hidden).startswith("{%"):
            return False
        words, count = _TAG.sub(" ", self.text(hidden)), 1
        while count:
            words, count = _PARENTHESES.subn(" ", words)
        if _TABLES.search(words):
            return True
        # Perhaps another table in each branch.
        return scope.clause_at(hidden.start) in ("from", "join") and _CLAUSE.match(words) is None

    def _label(self, origin: TextOrigin) -> str:
        table = origin.table
        if table is None:
            return f"{code(origin.column)} of a subquery"
        node = self._file.relation(table.call)
        if node is not None:
            return f"{code(f'{_node_label(node)}.{origin.column}')} ({escaped(node.resource_type)})"
        if self._is_tag(table):
            tag = " ".join(self.text(table.span).split())
            return f"{code(origin.column)} of {code(cut(tag, LONGEST_LINE))}"
        label = code(f"{table.cte or table.name}.{origin.column}")
        # The CTE has no such column in the text.
        is_hidden = table.cte is not None and origin.output is None
        return f"{label} ({AFTER_RENDERING})" if is_hidden else label

    def _is_tag(self, table: TextTable) -> bool:
        return table.cte is None and (table.call is not None or table.name in self._file.template.masks)

    def text(self, span: TextSpan) -> str:
        """Return the text of *span*."""
        return self._file.text[span.start : span.end]


class ColumnHover:
    """Text about a reference to a column, an output, or a column that is passed on, which is both."""

    def __init__(self, file: FileText, column: TextColumn | None, output: TextOutput | None) -> None:
        self.file, self.view, self.query = file, file.view, file.query
        self.column, self.output = column, output
        self.is_of_model = any(output is one for one in self.query.outputs)
        """True for an output of the model, which other models can read."""
        self.recorded: list[str] = []
        """Kinds of facts from the run."""
        self._trace = _Trace(file)

    def text(self) -> str:
        """Return the text."""
        source = self._source()
        own = self._own_column()
        parts = [self._title(own or source)]
        parts += self._missing()
        parts += self._expression()
        parts += self._origin(source)
        parts += self._documentation(own, source)
        parts += self._readers(own, source)
        parts += self._change() or self._last_change(own or source)
        if self.query.quality is TextQuality.EARLIER:
            parts.append("*From the text before the last edits, which do not parse yet.*")
        index = self.view.index
        if self.recorded and index is not None:
            kinds, typed = dict.fromkeys(self.recorded), own or source
            node = index.node(typed.node.unique_id) if typed is not None else None
            age = types_as_of(index, node) if node is not None else None
            if age is not None and "type" in kinds:
                del kinds["type"]
                parts.append(f"*type {age}*")
            if kinds:
                parts.append(f"*{', '.join(kinds)} {as_of_run(index)}*")
        return "\n\n".join(part for part in parts if part)

    @property
    def name(self) -> str:
        """Name of the column at the position; empty if a tag makes it."""
        found = self.output if self.output is not None else self.column
        return found.name if found is not None else ""

    @property
    def _written(self) -> str:
        found = self.output if self.output is not None else self.column
        return self.name or (self._trace.text(found.span) if found is not None else "")

    def _title(self, shown: OwnedColumn | None) -> str:
        words = [f"**{code(self._written)}**", *([] if self.output is not None else ["column"])]
        if shown is not None:
            types, _ = columns_of(self.view, shown.node.unique_id)
            kind = types.get(shown.name)
            if kind:
                words.append(code(kind))
                self.recorded.append("type")
        if self.is_of_model:
            words.append(
                f"output of {code(self.view.node.label)}" if self.view.node is not None else "output"
            )
        elif self.output is not None:
            cte = next((cte for cte in self.query.ctes if self.output in cte.outputs), None)
            words.append(f"output of CTE {code(cte.name)}" if cte is not None else "output")
        return " · ".join(words)

    def _missing(self) -> Iterator[str]:
        if self.column is None or not self.column.is_missing:
            return
        near = similar_names(self.column.name, self.column.candidates)
        hint = f" Similar: {listed([code(name) for name in near])}." if near else ""
        yield f"No table in scope has this column.{hint}"

    def _expression(self) -> Iterator[str]:
        if self.output is not None and not self._trace.is_plain(self.output):
            text = self._trace.text(self.output.expression)
            if text.strip():
                yield block(text)

    def _origins(self) -> Sequence[TextOrigin]:
        """Return the direct sources in the text; for an output, those of its expression."""
        if self.output is not None:
            return output_origins(self.query, self.output) if self._trace.is_traced(self.output) else ()
        return self.column.origins if self.column is not None else ()

    def _origin(self, source: OwnedColumn | None) -> Iterator[str]:
        """Yield the origin in the text, and what the text hides from the rendered text or the run."""
        gap = self._trace.gap(self.output) if self.output is not None else ""
        origins = self._origins()
        # Paths through many CTEs are too many to count.
        lines = list(islice(self._trace.lines(origins, 0, set()), MOST_ORIGINS + 1))
        if lines:
            shown = lines[:MOST_ORIGINS]
            more = ["- … and more"] if len(lines) > MOST_ORIGINS else []
            title = f"From ({gap})" if gap else "From"
            yield f"{title}\n\n" + "\n".join([*shown, *more])
            yield from self._stored_expression(source)
        is_traced = self.output is None or self._trace.is_traced(self.output)
        if not is_traced or gap or self._trace.is_hidden(origins):
            yield from self._rendered_origin()

    def _rendered_origin(self) -> Iterator[str]:
        """Yield the origin of an output that the text hides, or shows in part."""
        index = self.view.index
        live, stored = self._of_rendered_text(), self._of_run()
        if live is not None and index is not None:
            yield from self._sources("From", live, index)
        elif stored is not None and index is not None:
            yield from self._sources(f"From, {as_of_run(index)}", stored, index)
        elif self.output is not None and (obstacle := self._trace.obstacle(self.output)):
            yield f"Origin {obstacle}."

    def _of_rendered_text(self) -> ColumnOutput | None:
        """Return the output of the model in the rendered text, unless that is an earlier text."""
        live = self.view.live
        if not self.is_of_model or live is None or live.columns is None:
            return None
        return _output_named(live.columns, self.name) if live.text == self.view.document.text else None

    def _of_run(self) -> ColumnOutput | None:
        """Return the recorded output of the model."""
        node, index = self.view.node, self.view.index
        if not self.is_of_model or node is None or index is None:
            return None
        stored = index.lineage(node.unique_id)
        return _output_named(stored, self.name) if stored is not None else None

    def _sources(self, title: str, output: ColumnOutput, index: ProjectIndex) -> Iterator[str]:
        if not output.sources:
            yield "Constant." if output.kind is Kind.CONSTANT else "Origin unknown."
            return
        lines = [
            f"- {code(_source_label(source, index))}{_doubt(source.confidence)}" for source in output.sources
        ]
        more = [f"- … +{len(lines) - MOST_ORIGINS} more"] if len(lines) > MOST_ORIGINS else []
        yield f"{title}\n\n" + "\n".join([*lines[:MOST_ORIGINS], *more])

    def _source(self) -> OwnedColumn | None:
        """Return the table column whose values the column has unchanged; None if it is not exactly one."""
        if self.output is not None and not self._trace.is_copy(self.output):
            return None
        origins = self._origins()
        for _ in range(DEEPEST):
            if len(origins) != 1 or origins[0].confidence < LIKELY:
                return None
            (origin,) = origins
            if origin.output is None:
                node = self.file.relation(origin.table.call) if origin.table is not None else None
                return self._owned(node, origin.column)
            if not self._trace.is_copy(origin.output):
                return None
            origins = output_origins(self.query, origin.output)
        return None

    def _own_column(self) -> OwnedColumn | None:
        """Return the recorded column of the model for one of its outputs."""
        return self._owned(self.view.node, self.name) if self.is_of_model else None

    def _owned(self, node: NodeMetadata | None, name: str) -> OwnedColumn | None:
        if node is None or self.view.index is None:
            return None
        types, _ = columns_of(self.view, node.unique_id)
        spelled = matching_name(name, types)
        return OwnedColumn(node, spelled) if spelled is not None else None

    def _stored_expression(self, source: OwnedColumn | None) -> Iterator[str]:
        """Yield how the model of the table computes the column."""
        index = self.view.index
        lineage = index.lineage(source.node.unique_id) if source is not None and index is not None else None
        found = _output_named(lineage, source.name) if source is not None and lineage is not None else None
        if source is not None and found is not None and found.expression:
            self.recorded.append("expression")
            expression = cut(" ".join(found.expression.split()), LONGEST_LINE * 2)
            yield f"{code(f'{_node_label(source.node)}.{source.name}')} = {code(expression)}"

    def _documentation(self, *owners: OwnedColumn | None) -> Iterator[str]:
        """Yield the description and the tags of the first of *owners* that has any."""
        index = self.view.index
        for owner in filter(None, owners):
            known = self._column_of(owner)
            parts = []
            if known is not None and known.description.strip():
                parts.append(escaped(known.description))
            if known is not None and known.tags:
                parts.append(f"Tags: {listed([code(tag) for tag in known.tags])}")
            if index is not None:
                parts += annotated(index.annotations(owner.node.unique_id), owner.name)
            if parts:
                self.recorded.append("description")
                yield from parts
                return

    def _column_of(self, owner: OwnedColumn) -> Column | None:
        node = self.view.index.node(owner.node.unique_id) if self.view.index is not None else None
        return find_named(owner.name, node.columns, lambda one: (one.name,)) if node is not None else None

    def _readers(self, own: OwnedColumn | None, source: OwnedColumn | None) -> Iterator[str]:
        """Yield the readers of the model's output, else those of the column of the table."""
        index = self.view.index
        owner = own if self.is_of_model else source
        if index is None or owner is None or not index.reader.has_columns:
            return
        self.recorded.append("readers")
        of = code(f"{_node_label(owner.node)}.{owner.name}")
        known = index.column_readers(owner.node.unique_id)
        if owner.node.is_ephemeral and not known:
            yield f"Readers of {of} are unknown: the model is ephemeral, so its SQL is part of its readers."
            return
        # An incremental model reads itself.
        own_id = owner.node.unique_id
        names = {index.names[one].label for one in known.get(owner.name.lower(), {}) if one != own_id}
        possible = {index.names[one].label for one in known.get("*", {}) if one != own_id}
        possible |= {node.label for node in index.untraced_readers(owner.node.unique_id)}
        if names:
            yield f"{counted(len(names), 'reader')} of {of}: {listed([code(name) for name in sorted(names)])}"
        elif not possible:
            yield f"No node reads {of}."
        if possible - names:
            yield f"May also read it: {listed([code(name) for name in sorted(possible - names)])}"

    def _change(self) -> Sequence[str]:
        """Return the change of the model's output against base."""
        effect, live = self.view.effect, self.view.live
        if effect is None or not self.is_of_model:
            return ()
        name = self.name.lower()
        found = next((one for one in effect.change.columns if one.name.lower() == name), None)
        if found is None:
            return ()
        is_current = live is not None and live.text == self.view.document.text
        when = "" if is_current else " (before the last edits)"
        words = {"modified": "other values than base", "added": "new against base"}
        return [f"Change: {words.get(str(found.status.value), str(found.status.value))}{when}"]

    def _last_change(self, shown: OwnedColumn | None) -> Iterator[str]:
        """Yield the last commit of the model, else of that of the table: git knows files, not columns."""
        node = self.view.node if self.is_of_model else shown.node if shown is not None else None
        if node is not None:
            yield from last_change(self.view, node)


def _doubt(confidence: float) -> str:
    return "" if confidence >= LIKELY else " (possible)"


def _node_label(node: NodeMetadata) -> str:
    return f"{node.source_name}.{node.name}" if node.source_name else node.label


def _source_label(source: ColumnSource, index: ProjectIndex) -> str:
    node = index.names.get(source.parent)
    return f"{_node_label(node) if node is not None else source.parent}.{source.column}"


def _output_named(columns: NodeColumns, name: str) -> ColumnOutput | None:
    return find_named(name, columns.outputs, lambda output: (output.name,))
