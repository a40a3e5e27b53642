"""Rows that the hooks of a node may write, and words of what dbt sends while it builds or renders one.

A hook is SQL that dbt renders when a node is built, so that no artifact has what it runs. Its words decide:
those of its template, and of the macros that it calls. A statement that a template sends while dbt renders
it, and an SQL header, are hooks as well if they may write rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.lazy import LazyModule
from recce_meta.models import Json, MacroMetadata, NodeMetadata
from recce_meta.models.adapters import is_builtin, is_recording
from recce_meta.models.lineage import UNSURE, ColumnOutput, ColumnSource, ColumnUse, Usage
from recce_meta.models.node_types import SELECTED
from recce_meta.warehouses.builds import configured_names, foreign_keys, names_in, texts_in

if TYPE_CHECKING:
    from recce_meta.warehouses import hook_tables, queries
    from recce_meta.warehouses.hook_tables import Target
else:
    # Most commands analyse nothing.
    hook_tables = LazyModule("recce_meta.warehouses.hook_tables")
    queries = LazyModule("recce_meta.warehouses.queries")

THIS = "{this}"
"""Stands for the relation of the node that a hook belongs to."""
ANY_NAME = "{{}}"
"""Stands for a name that a template computes from values that no artifact has."""
OPERATION = "operation"
HOOKS = ("pre-hook", "post-hook", "pre_hook", "post_hook")
_COMPUTED = re.compile(r"\{[{%](?:(?![%}]\}).)*?(?:\b(?:env_)?var\s*\(|~)", re.DOTALL)
"""Tag with a variable or a concatenation."""
_NO_COLUMN = re.compile(
    r"""
    \{\#.*?\#\}
    | \{%-?\s*(?:el)?if\b.*?%\}
    | '[^'{}]*\{\{[^{}]*\}\}[^'{}]*'
    | \{\{[^{}]*\}\}(?=\s*\.)
    | ^\s*(?:grant|revoke)\b.*
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
"""Text that computes no name of a column: comments, conditions, literals, schemas, privileges."""
_NOT_RUN = re.compile(
    r"\{\#.*?\#\} | --[^\n]* | /\*.*?\*/ | ^\s*(?:grant|revoke)\b.* | \bon\s+(?:delete|update)\b",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
"""Comments, privileges, and actions of foreign keys."""
_ROWS = re.compile(
    r"""
    (?<![a-z]) (?:delete|insert|update|upsert|merge|copy|overwrite|replace\s+into|call|exec|execute) (?![a-z])
    | \bcreate\b[^;]*?\b(?:table|view)\b | \bdrop\s+(?:table|view)\b | \brename\s+to\b
    | \bswap\s+with\b | \bexchange\s+partition\b
    | \brow\s+(?:access|filter|level)\b | \bcreate\s+policy\b
    | ^\s*(?:do|select|with)\b | ^\s*\{\{[^{}]*\bvar\s*\([^{}]*\}\}\s*;?\s*$
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Start of a statement that may write, remove or hide rows; a hook that is a query runs for its effects."""
_KEEPS_COLUMNS = re.compile(
    r"(?:(?:grant|revoke|analyze|vacuum|comment|insert|update|delete|create\s+(?:unique\s+)?index)\b|\Z)",
    re.IGNORECASE,
)
"""Start of a statement that defines no column, or nothing."""
_COMMENT = re.compile(r"\{\#.*?\#\} | --[^\n]* | /\*.*?\*/", re.DOTALL | re.VERBOSE)
_SETTING = re.compile(r"(?:^|;|%\})\s*(?:set|declare|let)\b", re.IGNORECASE)
"""Start of a statement that sets a variable or an option of the session, which the query may read."""
_QUERY = re.compile(r"\bselect\b", re.IGNORECASE)
_OTHER_RELATION = re.compile(
    r"""
    \b(?: delete\s+from | update | (?:insert|merge|copy|replace)\s+(?:into|overwrite)(?:\s+table)?
        | create\s+(?:[a-z]+\s+)*?(?:table|view)(?:\s+if\s+not\s+exists)? )
    \s+ (?: \{\{-?\s*(?:ref|source)\s*\((?P<relation>[^(){}]*)\)\s*-?\}\}
        | (?:\{\{[^{}]*\}\}\s*\.\s*)*
            (?P<name>(?:[\w$]+|"[\w$-]+"|`[\w$.-]+`)(?:\.(?:[\w$]+|"[\w$-]+"|`[\w$-]+`))*)
            (?![\w$."`]|\s*[{~+(|]) )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A statement with the relation that it writes, if this is not computed."""
_TARGET = r"""(?P<target> (?: \{\{(?:[^{}]|\{[^{}]*\})*\}\} | [\w$]+ | "[^"]+" | `[^`]+` | \s*\.\s* )+ )"""
_WRITTEN = re.compile(
    rf"""
    \b(?: delete(?:\s+from)? | update | truncate(?:\s+table)?
        | (?:drop|alter)\s+(?:table|view)(?:\s+if\s+exists)?
        | (?:insert|merge|copy|replace)(?:\s+(?:into|overwrite))?(?:\s+table)?
        | create\s+(?:[a-z]+\s+)*?(?:table|view|function|macro|sequence)(?:\s+if\s+not\s+exists)?
        | rename\s+to | into )
    \s+ (?:only\s+)? (?!(?:from|into|overwrite|table|function|if|only)\b) (?: {_TARGET} | (?=[%{{]) )
    | \b(?:delete\s+from|(?:insert|merge|copy|replace)\s+into|(?:truncate|drop|alter)\s+table)\s*['"]
    | \b(?: call | exec | execute | (?:truncate|drop|rename)_relation ) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A statement with the relation or function that it writes, or a call that may write one."""
_READ = re.compile(
    rf"(?:\b(?:from|join|using)\s+|,\s*)(?:lateral\s+|only\s+)?{_TARGET}", re.IGNORECASE | re.VERBOSE
)
"""A relation that a statement reads, or a column in a list."""
_ON_TABLE = re.compile(
    rf"""
    \b(?P<statement> update | delete\s+from | truncate(?:\s+table)?
        | (?:insert|merge|copy|replace)\s+(?:into|overwrite)(?:\s+table)?
        | (?:drop|alter)\s+table(?:\s+if\s+exists)? | comment\s+on\s+table
        | create\s+(?:unique\s+)?index\b[^;]*?\bon )
    \s+ (?:only\s+)? (?!(?:table|if|only)\b) {_TARGET}
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A statement with a table: it fails, or may fail, if this is a view."""
_REMOVING = re.compile(
    r"(?:\A|;)\s*delete\b|\b(?:delete\s+from|truncate|drop\s+(?:table|view|schema)|(?:drop|truncate)_relation)\b",
    re.IGNORECASE,
)
"""Start of a statement that removes rows or a relation, or a call that does."""
_THROUGH_VIEWS = frozenset(["update", "delete", "insert", "merge", "replace"])
"""Statements that some warehouses pass on to the table below a view."""
_TEMPLATE = re.compile(r"\{\{-?\s*(?:~\s*)?((?:[^{}]|\{[^{}]*\})*?)\s*-?\}\}")
_NODE_CALL = re.compile(r"^(?:ref|source)\s*\(([^()]*)\)$", re.IGNORECASE)
_THIS = re.compile(r"^this(?:\.(?:identifier|name|table))?$")
_CONSTANT = re.compile(r"""['"][\w$.]*?([\w$]+)['"]""")
_TAG = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
_LOOK_UP = re.compile(r"\b(?:context|dispatch)\b")
COMPUTED_LOOK_UP = re.compile(
    r"""(?x) \b(?: context \s* (?: \[ | \. \s* get \s* \( ) | dispatch \s* \( )
    \s* (?! ['"] [^'"]* ['"] \s* [\]),] )
    | [=(,] \s* context \s* [,)%}-]"""
)
"""Use of the macros in `context`, or of `dispatch`, other than by one string."""
_SENDING = ("run_query", "statement", "sql_header", "adapter")
_SENDS = re.compile(
    r"\b(?:run_query|statement|set_sql_header|adapter\s*\.\s*(?:execute|(?:truncate|drop|rename)_relation))\b"
)
"""Call that sends a statement while dbt renders a template."""
_NO_CALL = re.compile(r"\{%-?\s*call\b|\badapter\.execute\b|\b(?:if|and|or|not)\s+(?:not\s+)?execute\b")
"""Words of Jinja that SQL has as well."""
_RELATION_ARGUMENT = re.compile(r"^\s*\{\{\s*(?:get_where_subquery\s*\(\s*)?(?:ref|source)\s*\(")
_VALUE = r"""(?:[^~'"(){}%\[\]]|\[[^][]*\]|\((?:[^()]|\([^()]*\))*\))+"""
_JOINED = re.compile(
    rf"""['"]\s*~\s*(?:['"]|(?P<value>{_VALUE}(?:~\s*{_VALUE})*)(?:~\s*['"]|(?=[,)%}}]|$)))"""
)
"""Strings, and values between them, that a template joins."""
_JOINED_PART = re.compile(r"""~\s*['"](\w+)['"]|['"](\w+)['"]\s*~|\}\}(_\w+)|\b(\w+_)\{\{""")
"""A string that a materialization joins with the name of another relation."""
_PLAIN = re.compile(
    r"\b(?:delete\s+from|update)\s+(?:\{\{[^{}]*\}\}\s*\.?\s*)*[\w$.\"`]*\s*\b(?:where|set)\b(?P<rest>[^;]*)",
    re.IGNORECASE,
)
"""A statement without an alias: its columns have their names, unless the rest is vague."""
_VAGUE = re.compile(r"\b(?:select|from|row|struct|columns|for|loop|this)\b|::|\#\d|~", re.IGNORECASE)
"""A row as a whole, a position, or a name that is computed."""


def hook_words(node: NodeMetadata, texts: Collection[str]) -> frozenset[str]:
    """Return the lower-case words in the hooks of *node*; *texts* are those of `hooks_and_macros`.

    ANY_NAME is one if a variable or a concatenation may be the name of a column.
    """
    words = names_in(list(texts))
    if words & {"config", "model"}:
        words |= names_in([*_strings(node.config), *_strings(node.meta)])
    return words | {ANY_NAME} if any(_COMPUTED.search(_NO_COLUMN.sub("", text)) for text in texts) else words


def hooks_and_macros(node: NodeMetadata, macros: Mapping[str, MacroMetadata]) -> list[str]:
    """Return the hooks of *node* and the macros that these call, without those of dbt itself.

    An operation is a hook itself: `on-run-start`, `on-run-end`. Texts of `sent_texts` are
    among them.
    """
    texts = own_hooks(node)
    found = names_in(texts)
    called = [one for one in node.macros if one in macros and macros[one].name.lower() in found]
    # Macros of dbt name no column of a project.
    reached = _reached(texts, called, macros, lambda macro: macro.unique_id.startswith("macro.dbt."))
    return [*texts, *reached, *sent_texts(node, macros)]


def _reached(
    texts: Iterable[str],
    called: Iterable[str],
    macros: Mapping[str, MacroMetadata],
    is_skipped: Callable[[MacroMetadata], bool],
) -> list[str]:
    """Return the texts of the macros *called*, and of those that these or *texts* call or look up."""
    found: list[str] = []
    known, waiting = set[str](), [*called, *_looked_up(texts, macros)]
    while waiting:
        macro = macros.get(waiting.pop())
        if macro is None or macro.unique_id in known or is_recording(macro.unique_id) or is_skipped(macro):
            continue
        known.add(macro.unique_id)
        found.append(macro.macro_sql)
        waiting += [*macro.macros, *_looked_up([macro.macro_sql], macros)]
    return found


def _looked_up(texts: Iterable[str], macros: Mapping[str, MacroMetadata]) -> list[str]:
    """Return the macros of the project that *texts* may look up by strings: `context['f']()`."""
    names = frozenset[str]().union(*map(_names_looked_up, texts))
    if not names:
        return []
    found = _by_spelling(_Macros(macros))
    return [one for name in names if name in found for one in found[name]]


class _Macros:
    """Macros by unique id, equal only to themselves, so that what follows from them is cached."""

    def __init__(self, macros: Mapping[str, MacroMetadata]) -> None:
        self.by_id = macros

    def __hash__(self) -> int:
        return id(self.by_id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Macros) and self.by_id is other.by_id


@lru_cache(maxsize=2)
def _by_spelling(macros: _Macros) -> dict[str, list[str]]:
    """Return the macros of the project by their lower-case name, and by that for `dispatch`; `*` has all."""
    found: dict[str, list[str]] = {}
    for macro in macros.by_id.values():
        if not is_builtin(macro.package_name):
            name = macro.name.lower()
            # `dispatch` finds `duckdb__f` by the name `f`.
            for spelling in {"*", name, name.partition("__")[2]} - {""}:
                found.setdefault(spelling, []).append(macro.unique_id)
    return found


@lru_cache(maxsize=4096)
def _names_looked_up(text: str) -> frozenset[str]:
    """Return the lower-case words in the tags of *text* if they look macros up; `*` for any name."""
    if "context" not in text and "dispatch" not in text:
        return frozenset()
    tags = " ".join(_TAG.findall(text))
    if not _LOOK_UP.search(tags):
        return frozenset()
    words = frozenset(re.findall(r"\w+", tags.lower()))
    return words | {"*"} if COMPUTED_LOOK_UP.search(tags) else words


def sent_texts(node: NodeMetadata, macros: Mapping[str, MacroMetadata]) -> list[str]:
    """Return the SQL header and templates of *node*, if they send statements that may write rows."""
    if node.resource_type not in SELECTED or node.language == "python":
        return []
    header, code = node.config.get("sql_header"), node.raw_code or ""
    called = _reached([code], node.macros, macros, lambda macro: is_builtin(macro.package_name))
    sent = header if isinstance(header, str) else ""
    if _sends(code) or any(map(_sends, called)):
        sent += f";{code}"
    elif not sent:
        return []
    # Names in what is sent may be computed, and a template that is a query sends nothing.
    texts = [f"{{{{ ~ }}}}{sent}", *called]
    return texts if may_write(texts) else []


def may_write(texts: Iterable[str]) -> bool:
    """Return True if a statement in *texts*, those of `hooks_and_macros`, may write a relation."""
    return any(_statements(text).writes for text in texts)


def may_define_columns(texts: Iterable[str]) -> bool:
    """Return True if a statement in *texts*, those of `hooks_and_macros`, may add or rename columns.

    A statement of an unknown kind may, and so may a macro.
    """
    parts = (part for text in texts for part in _COMMENT.sub(" ", text).split(";"))
    return not all(_KEEPS_COLUMNS.match(part.strip()) for part in parts)


def _sends(template: str) -> bool:
    return any(word in template for word in _SENDING) and _SENDS.search(template) is not None


def template_parts(template: str) -> list[list[str]]:
    """Return the words of the tags and blocks of *template* that may be, or decide over, sent statements."""
    return [found[0].split() for found in queries.PARTS.finditer(template) if not found["config"]]


def queried_words(node: NodeMetadata, macros: Mapping[str, MacroMetadata]) -> frozenset[str]:
    """Return the lower-case words of queries that dbt sends while it renders *node*; none if it sends none.

    ANY_NAME is one if a query may name any column.
    """
    code = node.raw_code or ""
    if node.language == "python" or not node.parents:
        return frozenset()
    arguments = _arguments(node)
    texts = _reached([code], node.macros, macros, lambda macro: is_builtin(macro.package_name))
    if not _sends(code) and not any(map(_sends, texts)):
        return frozenset()
    words, is_any = queries.names_in_queries(code, texts, _sends)
    words |= names_in(arguments)
    if words & {"config", "model"} and node.resource_type != "test":
        words |= names_in([*_strings(node.config), *_strings(node.meta)])
    is_any |= any("{{" in one and not _RELATION_ARGUMENT.search(one) for one in arguments)
    return words | ({ANY_NAME} if is_any else set())


def _arguments(node: NodeMetadata) -> list[str]:
    """Return the arguments of a generic test, which its macro gets: the template of the test has none."""
    metadata = node.properties.get("test_metadata") if node.resource_type == "test" else None
    return _strings(metadata.get("kwargs")) if isinstance(metadata, dict) else []


def row_words(node: NodeMetadata, texts: Collection[str]) -> frozenset[str]:
    """Return the `hook_words` of *node* if a hook may write, remove or hide rows of its table; else none.

    A statement that names another relation, by its name, `ref` or `source`, does not; one that sets a
    variable to the result of a query may. ANY_NAME is one if statements are not a DELETE or an UPDATE that
    read nothing else, or such a SET. *texts* are those of `hooks_and_macros`.
    """
    own = {node.name.lower(), (node.identifier or node.name).lower()}

    def without_others(found: re.Match[str]) -> str:
        is_own = not own.isdisjoint(names_in(found["relation"] or found["name"]))
        return found[0] if is_own else "other"

    def without_plain(found: re.Match[str]) -> str:
        return found[0] if _VAGUE.search(found["rest"]) or own & names_in(found["rest"]) else "plain"

    ours = [_OTHER_RELATION.sub(without_others, _run(text)) for text in texts]
    is_setting = any(_SETTING.search(text) and _QUERY.search(text) for text in ours)
    if not is_setting and not any(map(_ROWS.search, ours)):
        return frozenset()
    is_plain = not any(_ROWS.search(_PLAIN.sub(without_plain, text)) for text in ours)
    is_looped = any(re.search(r"\{%-?\s*for\b", text) for text in texts)
    return hook_words(node, texts) | ({ANY_NAME} if is_looped or not is_plain else set())


def hook_writers(
    nodes: Collection[NodeMetadata], macros: Iterable[MacroMetadata]
) -> dict[str, frozenset[str]]:
    """Return nodes by which hooks determine rows of a node without an edge of dbt, by its unique id.

    A source with the relation of a node of the project is determined by this node.
    Rows that the hook of another node, or an operation, writes are determined by this node and what its hook
    reads; rows that a hook of the node itself writes, by what it reads without `ref` or `source`. A relation
    that is computed may be any parent that the hook names, and any relation that one of its strings names.
    A materialization that is not dbt's own may write a relation, whose name is not computed, for its nodes.
    """
    called = {macro.unique_id: macro for macro in macros}
    hooked = [(node, texts) for node in nodes if (texts := hooks_and_macros(node, called))]
    found = hook_tables.builders_of_sources(nodes)
    made = _made_by_materializations(nodes, called)
    if not hooked and not made:
        return found
    by_id = {node.unique_id: node for node in nodes}
    by_identifier: dict[str, list[str]] = {}
    for node in nodes:
        if node.relation_name or node.resource_type == "source":
            by_identifier.setdefault((node.identifier or node.name).lower(), []).append(node.unique_id)

    def owners(targets: Iterable[Iterable[Target]], parents: Mapping[str, str], named: set[str]) -> set[str]:
        owned: set[str] = set()
        for target in chain.from_iterable(targets):
            if isinstance(target, str):
                owned.update(by_identifier.get(target, ()))
            elif target is None:
                owned |= named | unread
            else:
                owned.update(one for one in named if parents[one] in target)
        return owned

    for target, makers in made.items():
        for one in owners([[target]], {}, set()):
            found[one] = found.get(one, frozenset()) | (makers - {one})
    for node, texts in hooked:
        statements = [_statements(text) for text in texts]
        if not any(one.written or one.read for one in statements):
            continue
        words = frozenset().union(*(one.words for one in statements))
        parents = {one: by_id[one].name.lower() for one in node.parents if one in by_id}
        named = {*_named_parents(node, by_id, words)}
        constants = {name for each in statements for name in each.constants}
        unread = {owner for one in constants for owner in by_identifier.get(one, ())}
        read = {node.unique_id, *named, *owners((one.read for one in statements), parents, named)}
        targets = {target for one in statements for target in one.written}
        for target in targets | (constants if None in targets else set()):
            made.setdefault(target, set()).update(read)
        written = owners((one.written for one in statements), parents, named)
        for one in written - {node.unique_id}:
            found[one] = found.get(one, frozenset()) | (read - {one})
        unknown = read - {node.unique_id, *node.parents}
        if unknown and row_words(node, texts):
            found[node.unique_id] = found.get(node.unique_id, frozenset()) | unknown
    for unique_id, sources in hook_tables.readers_by_name(hooked, nodes, by_identifier, made).items():
        found[unique_id] = found.get(unique_id, frozenset()) | sources
    return hook_tables.with_chains(found)


def _made_by_materializations(
    nodes: Collection[NodeMetadata], macros: Mapping[str, MacroMetadata]
) -> dict[Target, set[str]]:
    """Return the nodes by each name, other than `this`, that their materialization of the project may write.

    A name that is computed may be any that is read and starts or ends with the name of the node or a string
    that the materialization joins, or that the node's configuration has. If it reads a variable, any may be.
    """
    written: dict[str, set[Target]] = {}
    joined: dict[str, set[str]] = {}
    for macro in macros.values():
        if macro.name.startswith("materialization_") and not is_builtin(macro.package_name):
            name = macro.name.removeprefix("materialization_").rpartition("_")[0]
            texts = _reached([], [macro.unique_id], macros, lambda one: is_builtin(one.package_name))
            written.setdefault(name, set()).update(*(_statements(text).written for text in texts))
            parts = chain.from_iterable(_JOINED_PART.findall(text) for text in texts)
            joined.setdefault(name, set()).update(one.lower() for each in parts for one in each if one)
            joined[name].update("" for text in texts if re.search(r"\bvar\s*\(", text))
    found: dict[Target, set[str]] = {}
    built = [node for node in nodes if node.materialized in written]
    is_computed = any(None in written[node.materialized or ""] for node in built)
    read = hook_tables.other_relations(nodes) if is_computed else frozenset()
    for node in built:
        for target in written[node.materialized or ""]:
            if isinstance(target, str):
                found.setdefault(target, set()).add(node.unique_id)
            elif target is None:
                own = {node.name.lower(), (node.identifier or node.name).lower()}
                listed = names_in([*_strings(node.config), *_strings(node.meta)])
                starts = tuple(joined[node.materialized or ""] | {f"{one}_" for one in own})
                ends = tuple(joined[node.materialized or ""] | {f"_{one}" for one in own})
                for one in read:
                    if one in listed or one.startswith(starts) or one.endswith(ends):
                        found.setdefault(one, set()).add(node.unique_id)
    return found


def _named_parents(node: NodeMetadata, nodes: Mapping[str, NodeMetadata], words: frozenset[str]) -> list[str]:
    """Return the parents of *node* that hooks with these *words* read: those with such a name."""
    known = [nodes[one] for one in node.parents if one in nodes]
    return [one.unique_id for one in known if {one.name.lower(), (one.identifier or "").lower()} & words]


class _Statements(NamedTuple):
    """Relations that the text of a hook or macro names, except `this`."""

    words: frozenset[str]
    constants: frozenset[str]
    """Last words of its strings, in lower case."""
    writes: bool
    """Whether a statement may write a relation, also `this`."""
    written: tuple[Target, ...]
    read: tuple[Target, ...]


@lru_cache(maxsize=4096)  # many nodes have the same hook
def _statements(text: str) -> _Statements:
    run = _run(text)
    return _Statements(
        words=names_in(run),
        constants=frozenset(one.lower() for one in _CONSTANT.findall(run)),
        writes=_WRITTEN.search(run) is not None,
        written=tuple(_relations(_WRITTEN, run)),
        read=tuple(_relations(_READ, run)),
    )


def _run(text: str) -> str:
    """Return what *text* runs, with templates for values that it joins with strings."""
    run = _NO_CALL.sub(" ", _NOT_RUN.sub(" ", text))
    return _JOINED.sub(lambda found: f"{{{{ ~ {found['value']} }}}}" if found["value"] else "", run)


def _relations(statement: re.Pattern[str], text: str) -> Iterator[Target]:
    return (target for _, target in _targets(statement, text) if target != THIS)


def _targets(statement: re.Pattern[str], text: str) -> Iterator[tuple[re.Match[str], Target]]:
    """Yield each statement in *text* with its relation, or THIS for that of the node."""
    for found in statement.finditer(text):
        templates: list[str] = []

        def place(template: re.Match[str], templates: list[str] = templates) -> str:
            templates.append(template[1])
            return "{}"

        last = _TEMPLATE.sub(place, found["target"] or "{").rpartition(".")[2].strip()
        call = _NODE_CALL.match(templates[-1]) if last == "{}" else None
        if call is not None:
            yield found, names_in(call[1])
        elif "{" not in last:
            yield found, last.strip('"`').lower()
        else:
            yield found, THIS if last == "{}" and _THIS.match(templates[-1]) else None


def own_hooks(node: NodeMetadata) -> list[str]:
    """Return the texts of the hooks of *node*, and that of an operation, which is a hook itself."""
    texts = [text for key in HOOKS for text in texts_in(node.config.get(key))]
    return [*texts, node.raw_code or ""] if node.resource_type == OPERATION else texts


def removes_rows(hooks: Json) -> bool:
    """Return True if the text of one of *hooks*, without macros, deletes, truncates or drops."""
    return any(_REMOVING.search(_run(text)) for text in hook_texts(hooks) if isinstance(text, str))


class TableStatement(NamedTuple):
    """A statement of a hook about the table of a node, which may have become a view."""

    hook: str
    """Where it is written: `post-hook`, or a macro that a hook calls."""
    verb: str
    is_certain: bool
    """Whether it runs in each build, on exactly that table, with a verb that no view accepts."""


def own_table_statements(
    node: NodeMetadata, macros: Mapping[str, MacroMetadata], *, writes_views: bool
) -> frozenset[TableStatement]:
    """Return the statements of the hooks of *node* that need its relation to be a table.

    *writes_views* says whether a statement may change rows through a view.
    """
    own = {(node.identifier or node.name).lower()}
    texts = [(key, text) for key in HOOKS for text in texts_in(node.config.get(key))]
    of_macros = hooks_and_macros(node, macros)[len(texts) :]
    refused = {"truncate", "create", "copy", "drop"} | (set() if writes_views else _THROUGH_VIEWS)
    found = set()
    for hook, text in (*texts, *(("hook's macro", one) for one in of_macros)):
        # The first run has the old table before it builds the view.
        is_plain = "post" in hook and "{%" not in text
        for statement, target in _targets(_ON_TABLE, _run(text)):
            verb = statement["statement"].split()[0].lower()
            # A computed part of a name makes another relation: `{{ this }}_old`.
            is_computed = target is None and statement["target"].rstrip().endswith("}}")
            if is_computed or target == THIS or target in own:
                is_certain = is_plain and target is not None and verb in refused
                found.add(TableStatement(hook.replace("_", "-"), verb, is_certain))
    return frozenset(found)


def names_table(hooked: NodeMetadata, macros: Mapping[str, MacroMetadata], node: NodeMetadata) -> str:
    """Return the verb of a statement about the table of *node* in the hooks of another node, or nothing."""
    own = (node.identifier or node.name).lower()
    for text in hooks_and_macros(hooked, macros):
        for statement, target in _targets(_ON_TABLE, _run(text)):
            if target == own or (isinstance(target, frozenset) and node.name.lower() in target):
                return statement["statement"].split()[0].lower()
    return ""


def _strings(value: Json) -> list[str]:
    """Return all strings in *value*."""
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, (list, tuple)):
        return [text for each in value for text in _strings(each)]
    return [value] if isinstance(value, str) else []


class ConfiguredNames(Struct, frozen=True):
    """Names of columns in the configuration of a node."""

    own: Mapping[str, bool]
    """Lower-case words that may name columns of the node's table; see `configured_names`."""
    keys: tuple[tuple[str, str], ...]
    """Unique ids and columns that foreign keys name."""
    hooked: tuple[tuple[str, str], ...]
    """Unique ids of parents, and their columns that hooks may name."""
    deciding: frozenset[str] = frozenset()
    """Lower-case words of the hooks; empty if none of them writes rows."""
    queried: tuple[tuple[str, str], ...] = ()
    """Unique ids of parents, and their columns that queries of the template, or filters of batches, name."""

    @property
    def settings(self) -> list[Json]:
        """Return the part of a lineage id that follows from these names."""
        if not self.own and not self.keys and not self.hooked and not self.queried:
            return []
        more: list[Json] = [one for one in (self.hooked, sorted(self.deciding)) if one]
        more += [{"queried": self.queried}] if self.queried else []
        return [sorted(self.own.items()), sorted(self.keys), *more]

    def deciding_rows(
        self, outputs: Iterable[ColumnOutput], source_of: Callable[[tuple[str, str]], ColumnSource]
    ) -> Iterator[ColumnUse]:
        """Yield the columns of parents by which hooks, or results of queries, may choose rows.

        *source_of* finds one by its name.
        """
        found = [
            source
            for output in outputs
            if not self.deciding.isdisjoint((output.name.lower(), ANY_NAME))
            for source in output.sources
        ]
        hooked = [*found, *map(source_of, self.hooked)] if self.deciding else []
        for source in (*hooked, *map(source_of, self.queried)):
            yield ColumnUse(Usage.FILTER, source.parent, source.column, min(source.confidence, UNSURE))

    def columns(
        self, outputs: Iterable[ColumnOutput], source_of: Callable[[tuple[str, str]], ColumnSource]
    ) -> Iterator[ColumnSource]:
        """Yield the named columns of parents; *source_of* finds one by unique id and name."""
        # A word of SQL may be the name of something else.
        for output in outputs:
            is_certain = self.own.get(output.name.lower(), self.own.get(ANY_NAME))
            if is_certain is not None:
                for source in output.sources:
                    sure = source.confidence if is_certain else min(source.confidence, UNSURE)
                    yield replace(source, confidence=sure)
        yield from map(source_of, self.keys)
        for source in map(source_of, (*self.hooked, *self.queried)):
            yield replace(source, confidence=min(source.confidence, UNSURE))


def names_in_configuration(
    node: NodeMetadata,
    adapter: str | None,
    macros: Mapping[str, MacroMetadata],
    nodes: Mapping[str, NodeMetadata],
    columns_of: Callable[[str], Iterable[str]],
) -> ConfiguredNames:
    """Return the names of columns in the configuration of *node*; *columns_of* has those of a parent."""
    texts = hooks_and_macros(node, macros)
    words, deciding = hook_words(node, texts), row_words(node, texts)
    is_whole = bool(deciding) and (ANY_NAME in deciding or any(map(queries.STAR.search, texts)))
    read = _named_parents(node, nodes, words)
    hooked = [
        (one, name)
        for one in read
        for name in columns_of(one)
        if is_whole or {name.lower(), ANY_NAME} & words
    ]
    asked = queried_words(node, macros)
    queried = [
        (one, name)
        # The name of a relation may be computed as well.
        for one in _named_parents(node, nodes, asked) or (node.parents if ANY_NAME in asked else ())
        for name in columns_of(one)
        if {name.lower(), ANY_NAME} & asked
    ]
    if node.config.get("incremental_strategy") == "microbatch":
        # dbt filters each parent of a batch by the parent's own column.
        times = {one: names_in(nodes[one].config.get("event_time")) for one in node.parents if one in nodes}
        queried += [(one, name) for one in times for name in columns_of(one) if name.lower() in times[one]]
    own, keys = configured_names(node, adapter, words), tuple(foreign_keys(node, nodes))
    return ConfiguredNames(own, keys, tuple(sorted(hooked)), deciding, tuple(sorted(queried)))


def hook_texts(hooks: Json) -> list[Json]:
    """Return the SQL of a node's hooks, which dbt writes as one item or a list, as strings or objects."""
    listed = hooks if isinstance(hooks, list) else [] if hooks is None else [hooks]
    return [hook.get("sql") if isinstance(hook, dict) else hook for hook in listed]
