"""Completion of names in tags, and of columns and tables in SQL.

A list of more than `MOST_ITEMS` names is cut to those that contain the typed text, and is then incomplete:
the editor asks again with the next character. A list is also incomplete until the project is indexed. Tables
with unknown columns do not make it incomplete, because the same question would get the same answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from lsprotocol.types import (
    CompletionItem,
    CompletionItemKind,
    CompletionItemLabelDetails,
    CompletionList,
    TextEdit,
)

from recce_meta.lsp.features.scope_columns import ScopeColumn, ScopeColumns
from recce_meta.lsp.text.file_texts import FileText, range_of
from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.sql_scopes import ScopeWord, SelectScope
from recce_meta.lsp.text.template_tags import TemplateTag, tags_of
from recce_meta.models import MacroMetadata, NodeMetadata
from recce_meta.models.node_types import BUILT

if TYPE_CHECKING:
    from recce_meta.lsp.documents import TextView
    from recce_meta.lsp.project.index import ProjectIndex

TRIGGERS = (".", "'", '"')
"""Characters after which editors ask: not a blank or a parenthesis, where most text is none of our names."""
MOST_ITEMS = 200
"""Number of items in an answer."""
_MOST_DESCRIBED = 20
"""Number of nodes to describe: each description is one more query of the store."""

_FUNCTIONS = ("ref", "source", "var", "this", "config", "env_var", "is_incremental", "target", "adapter")
"""Names that dbt defines in every template, most used first."""
_COLUMN_CLAUSES = frozenset("select where on using group having order qualify".split())
_BEFORE_VALUES = frozenset(
    "select distinct where on and or not by having qualify case when then else between in like ilike using"
    " all any some interval is over partition rlike regexp similar to div mod from".split()
)
"""Words that a column may follow."""
_SIMPLE = re.compile(r"[A-Za-z_]\w*")
_FOLDING = frozenset(("postgres", "redshift", "materialize"))
"""Dialects where a name with upper case needs quotes."""
_BACKTICKS = frozenset(("bigquery", "clickhouse", "databricks", "hive", "mysql", "spark", "spark2"))
_STRING = r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\""
_TAG_TOKEN = re.compile(
    rf"(?P<string>{_STRING})|(?P<open>['\"].*)|(?P<name>[A-Za-z_][\w.]*)|\s+|(?P<sign>.)", re.S
)
_SIGNATURE = re.compile(r"\{%[-+]?\s*macro\s+(\w+\s*\([^)]*\))")


class Suggestion(NamedTuple):
    """One name to offer."""

    label: str
    text: str
    """Text to insert."""
    kind: CompletionItemKind
    detail: str = ""
    package: str = ""
    """Table or source, which is shown after the label."""
    node: NodeMetadata | None = None
    """Node whose description is shown."""
    rank: int = 0
    """Names of a smaller rank come first."""
    documentation: str = ""


class _Replaced(NamedTuple):
    """Text that the chosen name replaces, and the part of it before the cursor."""

    span: TextSpan
    typed: str


class _OpenCall(NamedTuple):
    """Call that the cursor is in."""

    name: str
    arguments: list[str]
    """Arguments before the cursor, the last of them unfinished; as written, strings without quotes."""


def completions(view: TextView, offset: int) -> CompletionList:
    """Return what can be inserted at *offset*; nothing in comments and in strings of SQL."""
    text = view.document.text
    tag = next(
        (tag for tag in tags_of(text) if tag.span.start + 2 <= offset and _reaches(tag, text, offset)), None
    )
    if tag is not None:
        return _in_tag(view, tag, offset)
    if any(tag.end == offset for tag in view.document.template.tags):
        return _answer(view, [], _Replaced(TextSpan(offset, offset), ""))
    return _in_sql(FileText.of_view(view), offset)


def _reaches(tag: TemplateTag, text: str, offset: int) -> bool:
    """Return True if *offset* is before the closing braces of *tag*, or at the end of an unfinished one."""
    if tag.kind == "raw":
        return False
    is_closed = (
        text[tag.span.end - 2 : tag.span.end] in ("}}", "%}", "#}") and tag.span.end - tag.span.start > 3
    )
    return offset <= tag.span.end - 2 if is_closed else offset <= tag.span.end


def _in_tag(view: TextView, tag: TemplateTag, offset: int) -> CompletionList:
    text, index = view.document.text, view.index
    nothing = _Replaced(TextSpan(offset, offset), "")
    if tag.kind == "comment" or index is None or _is_commented(view, tag):
        return _answer(view, [], nothing)
    calls, last = _read_tag(text, tag.span.start + 2, offset)
    if last is not None and last.lastgroup == "open":
        start = last.start() + 1
        replaced = _Replaced(TextSpan(start, _end_of_argument(text, offset, last[0][0])), text[start:offset])
        found = _arguments(view, index, calls[-1], replaced, last[0][0]) if calls else []
        return _answer(view, found, replaced)
    is_name = last is not None and last.lastgroup == "name" and last.end() == offset
    typed = last[0] if last is not None and is_name else ""
    replaced = _Replaced(TextSpan(offset - len(typed), offset + _word_after(text, offset)), typed)
    if calls and calls[-1].name in ("ref", "source", "var"):
        quoted = [
            one._replace(text=f"'{one.text}'") for one in _arguments(view, index, calls[-1], replaced, "'")
        ]
        return _answer(view, quoted, replaced)
    if calls and calls[-1].name == "config":
        return _answer(view, [], replaced)
    namespace, dot, own = typed.rpartition(".")
    if dot:
        replaced = _Replaced(TextSpan(offset - len(own), replaced.span.end), own)
    return _answer(view, list(_macros(view, index, namespace)), replaced)


def _is_commented(view: TextView, tag: TemplateTag) -> bool:
    """Return True if *tag* is in a comment of SQL."""
    file = FileText.of_view(view)
    word = file.scopes.word_at(tag.span.start)
    return word is not None and word.kind == "comment" and not view.document.text[: word.end].endswith("*/")


def _read_tag(text: str, start: int, offset: int) -> tuple[list[_OpenCall], re.Match[str] | None]:
    """Return the calls that are open at *offset*, innermost last, and the last token before it."""
    calls: list[_OpenCall] = []
    last: re.Match[str] | None = None
    for match in _TAG_TOKEN.finditer(text, start, offset):
        part = match[0]
        if match.lastgroup is None:
            continue
        if part == "(":
            calls.append(_OpenCall(last[0] if last is not None and last.lastgroup == "name" else "", [""]))
        elif part in "[{":
            calls.append(_OpenCall("", [""]))
        elif part in ")]}" and calls:
            calls.pop()
        elif part == "," and calls:
            calls[-1].arguments.append("")
        elif calls:
            calls[-1].arguments[-1] += part[1:-1] if match.lastgroup == "string" else part
        last = match
    return calls, last


def _end_of_argument(text: str, offset: int, quote: str) -> int:
    """Return the end of the string around *offset*: its quote, or the end of the word without one."""
    closed = re.compile(rf"[\w.\- ]*(?={quote})").match(text, offset)
    return closed.end() if closed is not None else offset + _word_after(text, offset)


def _word_after(text: str, offset: int) -> int:
    found = re.compile(r"\w*").match(text, offset)
    return len(found[0]) if found is not None else 0


def _arguments(
    view: TextView, index: ProjectIndex, call: _OpenCall, replaced: _Replaced, quote: str
) -> list[Suggestion]:
    """Return the values of the argument of `ref`, `source` or `var` around the cursor."""
    position = len(call.arguments) - 1
    if call.name == "ref":
        after = view.document.text[replaced.span.end : replaced.span.end + 200]
        if position == 0 and re.match(rf"{quote}\s*,\s*['\"]", after):
            return list(_packages(index))
        if position == 0:
            return [*_refs(view, index, quote), *_packages(index)]
        return list(_nodes_of_package(index, call.arguments[0])) if position == 1 else []
    if call.name == "source":
        sources = index.sources()
        if position == 0:
            return [
                Suggestion(name, name, CompletionItemKind.Module, f"source, {_counted(len(tables), 'table')}")
                for name, tables in sources.items()
            ]
        tables = sources.get(call.arguments[0], ()) if position == 1 else ()
        return [
            Suggestion(node.name, node.name, CompletionItemKind.Struct, "source", node=node)
            for node in tables
        ]
    return list(_variables(index, view.package)) if call.name == "var" and position == 0 else []


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _refs(view: TextView, index: ProjectIndex, quote: str) -> Iterator[Suggestion]:
    """Yield the names that `ref` accepts; those of several packages also with their package."""
    for name, node in index.refs(view.package):
        yield _of_node(node, name)
    for node in _names_of(index).repeated:
        text = f"{node.package_name}{quote}, {quote}{node.name}"
        yield _of_node(node, text, rank=1)._replace(label=f"{node.package_name}.{node.name}")


def _of_node(node: NodeMetadata, text: str, rank: int = 0) -> Suggestion:
    return Suggestion(node.name, text, CompletionItemKind.Struct, node=node, rank=rank)


def _kind_of(node: NodeMetadata) -> str:
    kinds = dict.fromkeys((node.resource_type, node.materialized or node.resource_type))
    return ", ".join(kinds)


class _RefNames(NamedTuple):
    """Names of a project that `ref` accepts, computed once."""

    by_package: Mapping[str, Mapping[str, NodeMetadata]]
    repeated: Sequence[NodeMetadata]
    """Nodes whose name several packages have."""


_KNOWN: WeakKeyDictionary[ProjectIndex, _RefNames] = WeakKeyDictionary()


def _names_of(index: ProjectIndex) -> _RefNames:
    if index not in _KNOWN:
        by_package: dict[str, dict[str, NodeMetadata]] = {}
        for node in index.names.values():
            if node.resource_type in BUILT:
                by_package.setdefault(node.package_name, {}).setdefault(node.name, node)
        counts = Counter(name for names in by_package.values() for name in names)
        nodes = (node for names in by_package.values() for node in names.values())
        _KNOWN[index] = _RefNames(by_package, [node for node in nodes if counts[node.name] > 1])
    return _KNOWN[index]


def _packages(index: ProjectIndex) -> Iterator[Suggestion]:
    for name in sorted(_names_of(index).by_package):
        yield Suggestion(name, name, CompletionItemKind.Module, "package", rank=2)


def _nodes_of_package(index: ProjectIndex, package: str) -> Iterator[Suggestion]:
    nodes = _names_of(index).by_package.get(package, {})
    return (_of_node(nodes[name], name) for name in sorted(nodes))


def _variables(index: ProjectIndex, package: str) -> Iterator[Suggestion]:
    settings = index.settings
    if settings is None:
        return
    known: dict[str, object] = {}
    packages = {*settings.packages, settings.name, package}
    for variables in (settings.packages.get(package, {}), settings.variables):
        own = variables.get(package)
        known |= {name: value for name, value in variables.items() if name not in packages}
        known |= own if isinstance(own, Mapping) else {}
    for name in sorted(known):
        yield Suggestion(name, name, CompletionItemKind.Constant, str(known[name])[:100])


def _macros(view: TextView, index: ProjectIndex, namespace: str) -> Iterator[Suggestion]:
    """Yield the macros of the package *namespace*; without one, all names that a tag can begin with."""
    if not namespace:
        for position, name in enumerate(_FUNCTIONS):
            yield Suggestion(name, name, CompletionItemKind.Keyword, "dbt", rank=position)
        for package in sorted({macro.package_name for macro in index.macros} - {view.package}):
            yield Suggestion(package, package, CompletionItemKind.Module, "package", rank=99)
    wanted = (namespace,) if namespace else (view.package, index.run.project_name)
    found: dict[str, MacroMetadata] = {}
    for macro in index.macros:
        # Implementations of a dispatch, tests and materializations are not called by name.
        is_called = (
            "__" not in macro.name
            and macro.macro_sql.lstrip().removeprefix("{%").lstrip("-+ ")[:5] == "macro"
        )
        if macro.package_name in wanted and is_called:
            found[macro.name] = macro
    for name in sorted(found):
        signature = _SIGNATURE.search(found[name].macro_sql)
        detail = " ".join(signature[1].split()) if signature is not None else "macro"
        yield Suggestion(name, name, CompletionItemKind.Function, detail, rank=50)


def _in_sql(file: FileText, offset: int) -> CompletionList:
    view, text = file.view, file.text
    word = file.scopes.word_at(offset)
    start = end = offset
    if word is not None and word.kind in ("comment", "string") and not _is_closed_before(word, text, offset):
        return _answer(view, [], _Replaced(TextSpan(offset, offset), ""))
    if word is not None and word.is_name:
        is_open = word.kind == "quoted" and word.end - word.start != len(word.text) + 2
        if word.kind == "quoted" and not is_open and word.end == offset:
            return _answer(view, [], _Replaced(TextSpan(offset, offset), ""))
        start, end = word.start, offset if is_open else word.end
    replaced = _Replaced(TextSpan(start, end), text[start:offset])
    before = file.scopes.before(start)
    scope = file.scopes.at(start)
    if before and before[-1].text == "." and before[-1].kind == "sign":
        if start == end and before[-1].end == start:
            # In front of a name, which the chosen one replaces.
            replaced = _Replaced(TextSpan(start, offset + _word_after(text, offset)), "")
        return _answer(view, list(_members(file, scope, before)), replaced)
    if _wants_table(scope, before, start):
        return _answer(view, list(_tables(file, scope, start)), replaced)
    if _wants_column(scope, before, start):
        return _answer(view, list(_columns(file, scope)), replaced)
    return _answer(view, [], replaced)


def _is_closed_before(word: ScopeWord, text: str, offset: int) -> bool:
    """Return True if the comment or string *word* ends at *offset* with its sign of an end."""
    if word.end > offset or text[word.start : word.start + 2] == "--" or text[word.start] == "#":
        return False
    closing = "*/" if text.startswith("/*", word.start) else text[word.start]
    return word.end - word.start > len(closing) and text[: word.end].endswith(closing)


def _wants_table(scope: SelectScope, before: Sequence[ScopeWord], offset: int) -> bool:
    if not before or scope.clause_at(offset) not in ("from", "join"):
        return False
    return before[-1].text in ("from", "join", "lateral") or before[-1].text == ","


def _wants_column(scope: SelectScope, before: Sequence[ScopeWord], offset: int) -> bool:
    """Return True unless an alias, an operator or a number is expected."""
    if not before or scope.clause_at(offset) not in _COLUMN_CLAUSES:
        return False
    last = before[-1]
    if last.kind == "word":
        return last.text in _BEFORE_VALUES
    if last.kind != "sign" or last.text in ")]}":
        return False
    # `select *` is complete, and `a *` wants an operand.
    return last.text != "*" or (len(before) > 1 and before[-2].text not in ("select", ",", ".", "distinct"))


def _members(file: FileText, scope: SelectScope, before: Sequence[ScopeWord]) -> Iterator[Suggestion]:
    """Yield the columns of the table whose name and a point are the last of *before*."""
    if len(before) < 2 or not before[-2].is_name or (len(before) > 2 and before[-3].text == "."):
        return
    table = file.table(scope, before[-2].text)
    if table is not None:
        for column in ScopeColumns(file).of_table(table):
            yield _of_column(file, column, _quoted(column.name, file.dialect))


def _columns(file: FileText, scope: SelectScope) -> Iterator[Suggestion]:
    """Yield the columns of all tables of *scope*; a name of several tables with each of them."""
    known = ScopeColumns(file)
    found = [(table, column) for table in scope.tables for column in known.of_table(table)]
    counts = Counter(column.name.lower() for _, column in found)
    for table, column in found:
        name, key = _quoted(column.name, file.dialect), known.key(table)
        is_repeated = counts[column.name.lower()] > 1 and key
        yield _of_column(file, column, f"{key}.{name}" if is_repeated else name)._replace(package=key)


def _of_column(file: FileText, column: ScopeColumn, text: str) -> Suggestion:
    return Suggestion(
        column.name, text, CompletionItemKind.Field, column.type or "", documentation=column.description
    )


def _quoted(name: str, dialect: str) -> str:
    if _SIMPLE.fullmatch(name) and (dialect not in _FOLDING or name == name.lower()):
        return name
    sign = "`" if dialect in _BACKTICKS else '"'
    return f"{sign}{name.replace(sign, sign * 2)}{sign}"


def _tables(file: FileText, scope: SelectScope, offset: int) -> Iterator[Suggestion]:
    """Yield the CTEs defined before *offset*, and calls of `ref` and `source`."""
    for cte in file.scopes.scopes:
        if cte.cte is not None and cte.end < offset:
            yield Suggestion(cte.cte, cte.cte, CompletionItemKind.Class, "CTE")
    index = file.view.index
    if index is None:
        return
    for name, node in index.refs(file.package):
        if file.node is None or node.unique_id != file.node.unique_id:
            yield _of_node(node, f"{{{{ ref('{name}') }}}}", rank=1)
    for source, tables in index.sources().items():
        for node in tables:
            text = f"{{{{ source('{source}', '{node.name}') }}}}"
            yield Suggestion(node.name, text, CompletionItemKind.Struct, "source", source, node, rank=2)


def _answer(view: TextView, found: Sequence[Suggestion], replaced: _Replaced) -> CompletionList:
    """Return *found* as a list of the protocol, cut to `MOST_ITEMS`."""
    found = list({(one.label, one.text): one for one in found}.values())
    is_cut = len(found) > MOST_ITEMS
    if is_cut:
        typed = replaced.typed.lower().strip('"`')
        found = [one for one in found if typed in one.label.lower()]
        found.sort(key=lambda one: (not one.label.lower().startswith(typed), one.rank))
    shown = found[:MOST_ITEMS]
    descriptions = _descriptions(view, shown)
    place = range_of(view.document.lines, replaced.span)
    items = [
        CompletionItem(
            label=one.label,
            label_details=_label_details(view, one),
            kind=one.kind,
            detail=one.detail or (_kind_of(one.node) if one.node is not None else None),
            documentation=one.documentation
            or descriptions.get(one.node.unique_id if one.node else "")
            or None,
            # Ranks first, then the order of the names.
            sort_text=f"{one.rank:02d}{position:04d}",
            # A quoted name is compared with the quote that was typed.
            filter_text=f"{replaced.typed[0]}{one.label}" if replaced.typed[:1] in ('"', "`") else one.label,
            text_edit=TextEdit(range=place, new_text=one.text),
        )
        for position, one in enumerate(shown)
    ]
    return CompletionList(is_incomplete=is_cut or view.index is None, items=items)


def _label_details(view: TextView, one: Suggestion) -> CompletionItemLabelDetails | None:
    """Return the text after the label: the package of a node of another package, or the table of a column."""
    package = one.node.package_name if one.node is not None and not one.package else one.package
    return CompletionItemLabelDetails(description=package) if package not in ("", view.package) else None


def _descriptions(view: TextView, found: Iterable[Suggestion]) -> dict[str, str]:
    """Return the first line of the description of each node, unless they are many."""
    ids = {one.node.unique_id for one in found if one.node is not None}
    if view.index is None or len(ids) > _MOST_DESCRIBED:
        return {}
    nodes = filter(None, map(view.index.node, ids))
    return {node.unique_id: node.description.strip().partition("\n")[0] for node in nodes}
