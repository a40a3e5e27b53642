"""Readers of relations that hooks, or nodes behind a source, make: they read them by a name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

from recce_meta.models import NodeMetadata
from recce_meta.models.node_types import WITH_TEMPLATE
from recce_meta.warehouses.builds import names_in

Target: TypeAlias = "str | frozenset[str] | None"
"""A relation: its identifier, the words in a call of `ref` or `source`, or None if it is computed."""
COMPUTED = "{{}}"
"""Stands for a name that a template computes."""
DOTTED = "."
"""Prefix of a name that is written with a schema."""
_PART = r"""(?:\{\{[^{}]*\}\}|[\w$]+|"[^"]+"|`[^`]+`)"""
_FROM = r"(?<!distinct\s)(?<!delete\s) \b(?:from|join|using)\b"
_RELATION = rf"\s* (?:(?:lateral|only)\s+)? (?P<read>{_PART}(?:\s*\.\s*{_PART})*)"
_READ = re.compile(
    rf"""(?: {_FROM} | , ) {_RELATION} | (?<![\w$])(?P<called>[\w$]+)["`]?\s*\(""",
    re.IGNORECASE | re.VERBOSE,
)
"""A relation that a query reads, a column in a list, or a function."""
_READ_FROM = re.compile(rf"{_FROM} {_RELATION} | (?P<called>(?!))", re.IGNORECASE | re.VERBOSE)
"""A relation after FROM, JOIN or USING: only there, a name with a schema is a relation."""
_NOT_READ = re.compile(
    r"\{\#.*?\#\}|\{%-?\s*macro\b.*?%\}|--[^\n]*|/\*.*?\*/|\b(?:extract|trim|substring|overlay|position)\s*\([^()]*\)",
    re.DOTALL | re.IGNORECASE,
)
_MARKS_OF_NOT_READ = ("--", "/*", "{#", "{%", "extract", "trim", "substring", "overlay", "position")
"""Each match of _NOT_READ has one of them: the search for them is much faster."""
_CALL = re.compile(r"\{\{-?\s*(?:(?:builtins\s*\.\s*)?(?:ref|source)\s*\(|this\b)", re.IGNORECASE)


def readers_by_name(
    hooked: Collection[tuple[NodeMetadata, Collection[str]]],
    nodes: Collection[NodeMetadata],
    by_identifier: Mapping[str, Collection[str]],
    made: Mapping[Target, Collection[str]],
) -> dict[str, frozenset[str]]:
    """Return nodes that determine what other nodes read by name, by the unique id of the reader.

    *hooked* are nodes with the texts of their hooks. *made* has the nodes that determine each relation which
    a hook writes. A relation that is computed may be any that is read with its schema and is not a node.
    """
    names = {one: frozenset(ids) for one, ids in made.items() if isinstance(one, str)}
    anything = frozenset(made.get(None, ()))
    if not names and not anything:
        return {}
    everything = anything.union(*names.values())
    labels = {node.unique_id: (node.identifier or node.name).lower() for node in nodes}
    texts = {node.unique_id: texts for node, texts in hooked}
    found: dict[str, frozenset[str]] = {}
    for node in nodes:
        read = _read_by(node, texts.get(node.unique_id, ()), names, is_whole=bool(anything))
        own = {labels[one] for one in (node.unique_id, *node.parents) if one in labels}
        sources = frozenset[str]().union(*(names[one] for one in read - own if one in names))
        if COMPUTED in read:
            sources |= everything
        elif anything and any(one.startswith(DOTTED) and one[1:] not in by_identifier for one in read):
            sources |= anything
        if sources := sources - {node.unique_id}:
            found[node.unique_id] = sources
    return found


def other_relations(nodes: Collection[NodeMetadata]) -> frozenset[str]:
    """Return identifiers of relations that are not those of a node: of sources, and read with a schema."""
    names = [(one.resource_type == "source", (one.identifier or one.name).lower()) for one in nodes]
    codes = (one.compiled_code or one.raw_code or "" for one in nodes if one.resource_type in WITH_TEMPLATE)
    read = {name for code in codes for name in _names_read(code, _READ_FROM) if name.startswith(DOTTED)}
    sources = {name for is_source, name in names if is_source}
    built = {name for is_source, name in names if not is_source}
    return frozenset(sources.union(one[1:] for one in read) - built)


def builders_of_sources(nodes: Iterable[NodeMetadata]) -> dict[str, frozenset[str]]:
    """Return the nodes that build the relation of each source, by its unique id: models, tests that store."""
    by_relation: dict[tuple[str, ...], list[NodeMetadata]] = {}
    for node in nodes:
        if node.relation_name or node.resource_type == "source":
            place = (node.database_name, node.schema_name, node.identifier or node.name)
            by_relation.setdefault(tuple((one or "").lower() for one in place), []).append(node)
    return {
        source.unique_id: built
        for each in by_relation.values()
        if (built := frozenset(one.unique_id for one in each if one.resource_type != "source"))
        for source in each
        if source.resource_type == "source"
    }


def with_chains(found: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return *found* by reader, with what determines the operations and seeds among the sources.

    No analysis has these edges: neither an operation nor a seed has a query.
    """
    between = {one: sources for one, sources in found.items() if one.split(".", 1)[0] not in WITH_TEMPLATE}
    return {one: _above(sources, between) - {one} for one, sources in found.items()}


def _above(sources: frozenset[str], between: Mapping[str, frozenset[str]]) -> frozenset[str]:
    if between.keys().isdisjoint(sources):
        return sources
    reached, waiting = set(sources), [*sources]
    while waiting:
        new = between.get(waiting.pop(), frozenset()) - reached
        reached |= new
        waiting += new
    return frozenset(reached)


def _read_by(
    node: NodeMetadata, hooks: Collection[str], names: Collection[str], *, is_whole: bool
) -> frozenset[str]:
    """Return the `_names_read` by the code of *node* and *hooks*: at least *names*, all if *is_whole*."""
    if node.resource_type not in WITH_TEMPLATE:
        return _read(*hooks)
    template, compiled = node.raw_code or "", node.compiled_code
    if node.language == "python":
        return names_in([template]) | (_read(*hooks) - {COMPUTED})
    if compiled is None:
        return _read(template) | (_read(*hooks) - {COMPUTED})
    shown = [code for code in (compiled, template) if _has_any(code.lower(), names)]
    # Compiled SQL shows the names that its template computes. Macros of hooks get them as arguments.
    found = _read(*shown, *hooks) - {COMPUTED}
    return found | _names_read(compiled, _READ_FROM) if is_whole else found


def _has_any(code: str, names: Iterable[str]) -> bool:
    """Return True if one of *names* is a word of *code*."""
    found = (one for one in names if one in code)
    return any(re.search(rf"(?<![\w$]){re.escape(one)}(?![\w$])", code) for one in found)


def _read(*texts: str) -> frozenset[str]:
    return frozenset(name for text in texts for name in _names_read(text))


@lru_cache(maxsize=4096)
def _names_read(text: str, pattern: re.Pattern[str] = _READ) -> frozenset[str]:
    """Return the identifiers that *text* may read, also with DOTTED, and COMPUTED for a computed one."""
    if any(map(text.lower().__contains__, _MARKS_OF_NOT_READ)):
        text = _NOT_READ.sub(" ", text)
    return frozenset(_each_read(text, pattern))


def _each_read(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    for found in pattern.finditer(text):
        if found["called"]:
            yield found["called"].lower()
            continue
        parts = re.findall(_PART, found["read"])
        last = parts[-1].strip('"`').lower()
        if last.startswith("{{"):
            if not found[0].startswith(",") and not _CALL.match(last):
                yield COMPUTED
            continue
        yield last.rpartition(".")[2]
        if (len(parts) > 1 or "." in last) and not found[0].startswith(","):
            yield DOTTED + last.rpartition(".")[2]
