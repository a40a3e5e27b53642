"""Texts of a project's files, open or on disk, with their analyses and positions for the protocol."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import yaml
from lsprotocol.types import Location, Position, Range
from msgspec.structs import replace

from recce_meta.errors import ConfigurationError
from recce_meta.extractors import jinja
from recce_meta.extractors.jinja import Block
from recce_meta.lazy import LazyModule
from recce_meta.lsp.text.positions import Lines, TextSpan
from recce_meta.lsp.text.query_text import Columns, QueryText, TextCte, TextOutput
from recce_meta.lsp.text.sql_scopes import ScopeTable, SelectScope, SqlScopes
from recce_meta.lsp.text.template import ModelTemplate, TagCall, read_template
from recce_meta.models import NodeMetadata
from recce_meta.models.node import matching_name
from recce_meta.profiles.yaml_file import refuse_excess

if TYPE_CHECKING:
    from recce_meta.lsp.documents import TextView
    from recce_meta.lsp.project.index import ProjectIndex
    from recce_meta.lsp.project.live import LiveModel
    from recce_meta.lsp.text import query_reading
else:
    # It loads sqlglot, which the server does only after its first answer.
    query_reading = LazyModule("recce_meta.lsp.text.query_reading")

Texts = Mapping[Path, str]
"""Open texts by path."""
Named = TypeVar("Named", TextOutput, TextCte)

START = TextSpan(0, 0)
"""Start of a file, which stands for the file as a whole."""
_YAML = frozenset((".yml", ".yaml"))
_BLOCK_NAME = re.compile(r"\{%[-+]?\s*\w+\s+(\w+)")
_SECTIONS = {
    "analysis": "analyses",
    "saved_query": "saved_queries",
    "semantic_model": "semantic_models",
    "unit_test": "unit_tests",
}
"""Keys of properties files that are not the type of resource with an `s`."""


def read_query(
    template: ModelTemplate,
    dialect: str,
    schemas: Mapping[str, Columns],
    *,
    earlier: QueryText | None = None,
    cursor: int | None = None,
    timeout: float = 1.0,
) -> QueryText:
    """Return the query of *template*.

    *schemas* has the known columns of tables by identifier in the mask. *earlier* is the result for the text
    before the last edits, already moved to the offsets of this text by `moved`. *cursor* is the offset of the
    last edit: a name or keyword that is half-typed there is completed before the text is parsed.
    """
    return query_reading.read(template, dialect, schemas, earlier, cursor, timeout)


def tables_of(template: ModelTemplate, dialect: str) -> Sequence[str]:
    """Return the identifiers in the mask that are read as tables, without resolving any column."""
    return query_reading.tables(template, dialect)


class FileText:
    """Text of one file; its template, query and scopes are read on first use.

    The query of the open text of *view* is that of *view*.
    """

    def __init__(
        self, view: TextView, uri: str, lines: Lines, node: NodeMetadata | None, package: str | None = None
    ) -> None:
        """Create the text of *node*; *package* is by default that of the node."""
        self.view, self.uri, self.lines, self.node = view, uri, lines, node
        own = node.package_name if node is not None else view.package
        self.package = own if package is None else package
        """Package whose `ref` and macros the text uses."""

    @classmethod
    def of_view(cls, view: TextView) -> FileText:
        """Return the text of *view* itself."""
        found = cls(view, view.document.uri, view.document.lines, view.node)
        # Values of the cached properties.
        found.__dict__.update(template=view.document.template, query=view.query)
        return found

    @property
    def text(self) -> str:
        """The text."""
        return self.lines.text

    @property
    def dialect(self) -> str:
        """Name of the dialect in sqlglot."""
        return self.view.index.dialect if self.view.index is not None else ""

    @cached_property
    def template(self) -> ModelTemplate:
        """Tags and mask."""
        return read_template(self.text)

    @cached_property
    def query(self) -> QueryText:
        """Query, resolved with the columns that the index has."""
        names = tables_of(self.template, self.dialect)
        columns = ((name, self.columns_of(self.template.masks.get(name))) for name in names)
        schemas = {name: types for name, types in columns if types is not None}
        return read_query(self.template, self.dialect, schemas)

    def outputs(self, column: str) -> list[TextOutput]:
        """Return the outputs of the query that are or may be *column*."""
        if "query" not in self.__dict__:
            # Most names are known without the columns of tables, which the index reads one table at a time.
            query = read_query(self.template, self.dialect, {})
            named = matching(column, query.outputs)
            if named:
                self.__dict__["query"] = query
                return named
        return matching(column, self.query.outputs) or matching("*", self.query.outputs)

    @cached_property
    def scopes(self) -> SqlScopes:
        """Scopes of its SELECTs."""
        return SqlScopes(self.template.masked, self.dialect)

    def relation(self, call: TagCall | None) -> NodeMetadata | None:
        """Return the node of a table."""
        index = self.view.index
        return index.relation(call, self.package, self.node) if index is not None else None

    def columns_of(self, call: TagCall | None) -> Columns | None:
        """Return the columns of a table; None unless all are known."""
        node = self.relation(call)
        if node is None:
            return None
        types, are_all = columns_of(self.view, node.unique_id)
        return types if are_all else None

    def cte(self, name: str, before: int | None = None) -> TextCte | None:
        """Return the CTE *name*: of several, the last one that begins before the offset *before*."""
        found = [cte for cte in self.query.ctes if cte.name.lower() == name.lower()]
        earlier = [cte for cte in found if before is None or cte.span.start <= before]
        return (earlier or found)[-1] if found else None

    def table(self, scope: SelectScope, key: str) -> ScopeTable | None:
        """Return the table that *key* qualifies in *scope*: its alias, its name, or its relation's name."""
        found = scope.table(key)
        around: SelectScope | None = scope
        while found is None and around is not None:
            for table in around.tables:
                if table.alias is None and key.lower() in self._names_of_tag(table.name):
                    return table
            around = around.parent
        return found

    def _names_of_tag(self, mask: str) -> set[str]:
        node = self.relation(self.template.masks.get(mask))
        if node is None:
            return set()
        relation = (node.relation_name or "").rpartition(".")[2].strip('"`[]')
        return {node.name.lower(), relation.lower()}

    def location(self, span: TextSpan) -> Location:
        """Return the place of *span*."""
        return Location(uri=self.uri, range=range_of(self.lines, span))


def columns_of(view: TextView, unique_id: str) -> tuple[Columns, bool]:
    """Return the columns of a node, and True if they are all; those of open, edited texts come first."""
    return ({}, False) if view.index is None else known_columns(view.index, unique_id, view.others)


def known_columns(
    index: ProjectIndex, unique_id: str, others: Mapping[str, LiveModel]
) -> tuple[Columns, bool]:
    """Return the columns of a node, and True if they are all; those of *others* come first."""
    known, edited = index.columns(unique_id), others.get(unique_id)
    if edited is not None and edited.names is not None:
        spelling = {name: matching_name(name, known.types) for name in edited.names}
        return {name: known.types.get(before or "") for name, before in spelling.items()}, True
    return known.types, known.are_all


def range_of(lines: Lines, span: TextSpan) -> Range:
    """Return *span* as a range of the protocol."""
    start, end = lines.place(span.start), lines.place(span.end)
    return Range(
        start=Position(line=start.line, character=start.character),
        end=Position(line=end.line, character=end.character),
    )


def matching(name: str, items: Iterable[Named]) -> list[Named]:
    """Return the items with *name*: those with the same case, else those with another case."""
    found = [item for item in items if item.name.lower() == name.lower()]
    return [item for item in found if item.name == name] or found


def open_file(
    view: TextView, path: Path, texts: Texts, node: NodeMetadata | None = None, package: str | None = None
) -> FileText | None:
    """Return the text of *path*, open or on disk; None if it cannot be read."""
    if path == view.document.path:
        return FileText.of_view(view)
    text = texts.get(path)
    if text is None:
        try:
            # Bytes, because text mode would replace CRLF and so move offsets.
            text = path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return None
    return FileText(view, path.as_uri(), Lines(text, view.document.lines.encoding), node, package)


def file_of_node(view: TextView, node: NodeMetadata, texts: Texts) -> FileText | None:
    """Return the text of the file that defines *node*; None if it is missing."""
    path = view.index.file_of(node) if view.index is not None else None
    return open_file(view, path, texts, node) if path is not None else None


def place_of_node(view: TextView, node: NodeMetadata, texts: Texts) -> Location | None:
    """Return the definition of *node*: its entry in a YAML file, its snapshot block, or its file."""
    file = file_of_node(view, node, texts)
    if file is None:
        return None
    if is_yaml(file):
        entry = entry_of(file, node)
        return file.location(entry if entry is not None else START)
    if node.resource_type == "snapshot":
        block = re.search(rf"\{{%[-+]?\s*snapshot\s+({re.escape(node.name)})\b", file.text)
        return file.location(TextSpan(*block.span(1)) if block is not None else START)
    return file.location(START)


def documented_place(view: TextView, node: NodeMetadata, column: str, texts: Texts) -> Location | None:
    """Return the entry of a source's or seed's column in YAML, else that of its table, else its header."""
    file = file_of_node(view, node, texts)
    described = file if file is not None and is_yaml(file) else _description_of(view, node, texts)
    if described is not None:
        found = entry_of(described, node, column)
        if found is None and described is file:
            found = entry_of(described, node)
        if found is not None:
            return described.location(found)
    if file is None:
        return None
    return file.location(START if is_yaml(file) else _header_column(file.text, column) or START)


class PlacedBlock(NamedTuple):
    """Named block of a template, such as a macro, with its position."""

    block: Block
    span: TextSpan
    name: TextSpan


def placed_blocks(text: str) -> list[PlacedBlock]:
    """Return the outermost named blocks in *text*, as `blocks_of` finds them."""
    found, position = [], 0
    for block in jinja.blocks_of(text):
        start = text.find(block.text, position)
        # The same text may be commented out before.
        while text.rfind("{#", position, start) > text.rfind("#}", position, start):
            start = text.find(block.text, start + 1)
        position = start + len(block.text)
        opening = _BLOCK_NAME.match(text, start)
        name = TextSpan(*opening.span(1)) if opening is not None else TextSpan(start, start)
        found.append(PlacedBlock(block, TextSpan(start, position), name))
    return found


def is_yaml(file: FileText) -> bool:
    """Return True for a file of properties."""
    return file.uri.endswith(tuple(_YAML))


def _description_of(view: TextView, node: NodeMetadata, texts: Texts) -> FileText | None:
    """Return the YAML file that describes *node*; None without one."""
    full = view.index.node(node.unique_id) if view.index is not None else None
    patch = full.properties.get("patch_path") if full is not None else None
    if not isinstance(patch, str):
        return None
    package, found, path = patch.partition("://")
    described = replace(node, package_name=package, path=path) if found else replace(node, path=patch)
    return file_of_node(view, described, texts)


def _header_column(text: str, column: str) -> TextSpan | None:
    """Return the span of *column* in the first line of a CSV file."""
    first = text.splitlines()[0] if text else ""
    for delimiter in (",", ";", "\t", "|"):
        names = next(csv.reader([first], delimiter=delimiter), [])
        spelling = matching_name(column, [name.strip() for name in names])
        if spelling is not None:
            found = re.search(rf"(?<!\w){re.escape(spelling)}(?!\w)", first)
            return TextSpan(*found.span()) if found is not None else None
    return None


def entry_of(file: FileText, node: NodeMetadata, column: str | None = None) -> TextSpan | None:
    """Return the span of the name of *node*, or of its *column*, in a properties file; None without one."""
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        refuse_excess(Path(node.path), yaml.parse(file.text, Loader=loader), ConfigurationError)
        root = yaml.compose(file.text, Loader=loader)
    except (yaml.YAMLError, ConfigurationError):
        return None
    entries: Sequence[yaml.Node]
    if node.resource_type == "source":
        sources = _named(_values(root, "sources"), node.source_name or "")
        entries = [table for source in sources for table in _values(source, "tables")]
    else:
        entries = _values(root, _SECTIONS.get(node.resource_type, f"{node.resource_type}s"))
    found = _named(entries, node.name)
    if column is not None:
        columns = [entry for table in found for entry in _values(table, "columns")]
        found = _named(columns, column) or _named(columns, column, ignores_case=True)
    name = _value(found[0], "name") if found else None
    return _span_of(file, name) if name is not None else None


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """Return the value of *key* in a mapping; the last of duplicate keys counts, as in dbt."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in reversed(node.value) if name.value == key), None)


def _values(node: yaml.Node | None, key: str) -> Sequence[yaml.Node]:
    found = _value(node, key)
    return tuple(found.value) if isinstance(found, yaml.SequenceNode) else ()


def _named(entries: Iterable[yaml.Node], name: str, *, ignores_case: bool = False) -> list[yaml.Node]:
    fold = str.lower if ignores_case else str
    found = []
    for entry in entries:
        value = _value(entry, "name")
        if isinstance(value, yaml.ScalarNode) and fold(value.value) == fold(name):
            found.append(entry)
    return found


def _span_of(file: FileText, node: yaml.Node) -> TextSpan:
    """Return the span of a scalar without its quotes."""
    start, end = (
        file.lines.line_span(mark.line).start + mark.column for mark in (node.start_mark, node.end_mark)
    )
    is_quoted = file.text[start : start + 1] in ("'", '"') and end - start > 1
    return TextSpan(start + 1, end - 1) if is_quoted else TextSpan(start, end)
