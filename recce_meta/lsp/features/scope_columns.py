"""Columns of the tables of one SELECT, with their types and descriptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.lsp.text.file_texts import FileText, columns_of, read_query
from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.query_text import Columns, TextCte, TextOutput
from recce_meta.lsp.text.sql_scopes import ScopeTable
from recce_meta.models.node import matching_name


class ScopeColumn(Struct, frozen=True):
    """Column of a table."""

    name: str
    type: str | None = None
    description: str = ""


class ScopeColumns:
    """Columns of the tables of one text."""

    def __init__(self, file: FileText) -> None:
        self.file = file
        self._tables: dict[tuple[str, int], list[ScopeColumn]] = {}
        self._behind: dict[TextSpan, list[ScopeColumn]] = {}

    def key(self, table: ScopeTable) -> str:
        """Return the name that qualifies columns of *table*: its alias, else the name of its relation."""
        node = self.file.relation(self.file.template.masks.get(table.name)) if table.alias is None else None
        return node.name if node is not None else table.key

    def of_table(self, table: ScopeTable) -> list[ScopeColumn]:
        """Return the known columns of *table*; none of a relation that the project does not define."""
        cte = self.file.cte(table.name, table.span.start) if table.name else None
        place = cte.span if cte is not None else table.span
        key = (table.name.lower(), place.start if cte is not None or not table.name else -1)
        if key not in self._tables:
            # A recursive CTE asks for itself.
            self._tables[key] = []
            self._tables[key] = self._read(table, cte)
        return self._tables[key]

    def _read(self, table: ScopeTable, cte: TextCte | None) -> list[ScopeColumn]:
        if not table.name:
            return self._of_part(table.span)
        if table.name in self.file.template.masks:
            node = self.file.relation(self.file.template.masks[table.name])
            return self._of_node(node.unique_id) if node is not None else []
        if cte is not None and cte.outputs:
            return self._of_outputs(cte.outputs)
        scope = next((one for one in self.file.scopes.scopes if _is_named(one.cte, table.name)), None)
        return self._of_part(TextSpan(scope.start, scope.end)) if scope is not None else []

    def _of_node(self, unique_id: str) -> list[ScopeColumn]:
        types, _ = columns_of(self.file.view, unique_id)
        index = self.file.view.index
        node = index.node(unique_id) if index is not None else None
        texts = (
            {column.name.lower(): column.description for column in node.columns} if node is not None else {}
        )
        return [ScopeColumn(name, type_, texts.get(name.lower(), "")) for name, type_ in types.items()]

    def _of_outputs(self, outputs: Sequence[TextOutput]) -> list[ScopeColumn]:
        found: dict[str, ScopeColumn] = {}
        for output in outputs:
            for column in self._of_output(output):
                found.setdefault(column.name.lower(), column)
        return list(found.values())

    def _of_output(self, output: TextOutput) -> Iterator[ScopeColumn]:
        if not output.name or output.name in self.file.template.masks:
            return
        if not output.is_star:
            yield self._passed_on(output) or ScopeColumn(output.name)
            return
        behind = self._behind.get(output.span)
        if behind is None:
            tables = self.file.scopes.tables_of_star(output.span)
            behind = self._behind[output.span] = [
                column for table in tables for column in self.of_table(table)
            ]
        if output.name == "*":
            yield from behind
            return
        same = [column for column in behind if column.name.lower() == output.name.lower()]
        yield same[0] if same else ScopeColumn(output.name)

    def _passed_on(self, output: TextOutput) -> ScopeColumn | None:
        """Return *output* with the type of the column that is all of its expression; None for any other."""
        written = self.file.text[output.expression.start : output.expression.end]
        for column in self.file.query.columns:
            if column.span.end == output.expression.end and not set(written) & set("(){}+-*/| :"):
                table = column.origins[0].table if len(column.origins) == 1 else None
                if table is None:
                    return None
                behind = self.of_table(ScopeTable(table.span, table.cte or table.name))
                name = matching_name(column.origins[0].column, [one.name for one in behind])
                source = next((one for one in behind if one.name == name), None)
                return (
                    ScopeColumn(output.name, source.type, source.description) if source is not None else None
                )
        return None

    def _of_part(self, part: TextSpan) -> list[ScopeColumn]:
        """Return the outputs of the query in *part* of the text."""
        template, dialect = self.file.template, self.file.dialect
        tables = [table for scope in self.file.scopes.scopes for table in scope.tables if table.name]
        schemas: dict[str, Columns] = {}
        for table in tables:
            call = template.masks.get(table.name)
            known = self.file.columns_of(call)
            if known is None and call is None and not part.start <= table.span.start < part.end:
                continue
            if known is None and table.name not in template.masks and table.name not in schemas:
                known = {column.name: column.type for column in self.of_table(table)}
            if known:
                schemas[table.name] = known
        inner = replace(
            template,
            text=template.text[part.start : part.end],
            masked=template.masked[part.start : part.end],
            calls=(),
            opaque=(),
        )
        outputs = read_query(inner, dialect, schemas).outputs
        hidden = ("*", "")
        return [
            ScopeColumn(one.name)
            for one in outputs
            if one.name not in hidden and one.name not in template.masks
        ]


def _is_named(cte: str | None, name: str) -> bool:
    return cte is not None and cte.lower() == name.lower()
