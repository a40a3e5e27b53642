"""Reads of other nodes in `graph` that compiled SQL does not show: in hooks, branches, materializations.

dbt fills `graph` before it builds the first node. A node that is added or removed changes what a loop over
`graph.nodes` renders, and so does an edit of a key that the loop reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from recce_meta.diff.causes import Causes
from recce_meta.diff.code import jinja_names, jinja_pieces, names_set_in, reads_config
from recce_meta.diff.macro_reach import GRAPH
from recce_meta.diff.project_side import MOST_NAMES
from recce_meta.diff.properties import documented_by_name
from recce_meta.models import Change, ChangeDetail, NodeMetadata, Reason, Status
from recce_meta.models.node import GRAPH_SECTIONS
from recce_meta.warehouses.hooks import OPERATION

BUILDING = frozenset(["model", "snapshot", "seed"])
"""Resource types that build a relation."""
PRESENCE = ""
"""Stands for the key of a node that only one side has."""
_WHOLE = frozenset(["tojson", "toyaml"])
"""Functions that write a value as a whole."""
_DEFINED_BY_CODE = ("raw_code", "raw_sql", "checksum", "depends_on", "refs", "sources")
_KEYS: Mapping[Reason, tuple[str, ...]] = {
    Reason.BODY: _DEFINED_BY_CODE,
    Reason.COMPILED: ("compiled_code", "compiled_sql"),
    Reason.MACROS: ("depends_on",),
    Reason.PARENTS: ("depends_on", "refs", "sources"),
    Reason.DATA: ("checksum",),
    Reason.CONTRACT: ("contract", "columns", "constraints"),
    Reason.DESCRIPTIONS: ("description",),
    Reason.RELATION: ("relation_name", "database", "schema", "alias", "identifier"),
}
"""Keys of a node in `graph` that an edit with the reason changes."""
_OF_TEXT: Mapping[str, tuple[str, ...]] = {
    "raw_code": ("raw_code", "raw_sql", "checksum"),
    "path": ("path", "original_file_path", "fqn"),
    "checksum": ("checksum",),
}
"""Keys that an edit of formatting changes, by the key of its detail."""
_ATTRIBUTES = frozenset(["unique_id", "name", "resource_type", "package_name"])
"""Keys by which a template may choose nodes, so that others do not count."""
_MEMBERS = frozenset(["items", "values", "keys", "copy", "get"])
"""Methods of a dictionary."""


class GraphRead(NamedTuple):
    """Nodes that one expression reads in `graph`."""

    collection: str = ""
    """Empty for all of them."""
    attribute: str = ""
    """Key that chooses nodes; empty if all may count."""
    values: frozenset[str] | None = frozenset()
    """Values of the chosen nodes; None for the value of the node that is built."""

    def includes(self, resource_type: str, node: NodeMetadata | None, reader: NodeMetadata) -> bool:
        """Return True if *reader* may find *node* by this expression."""
        if self.collection in _NAMES and self.collection != GRAPH_SECTIONS.get(resource_type, "nodes"):
            return False
        if not self.attribute or node is None:
            return True
        values = {getattr(reader, self.attribute)} if self.values is None else self.values
        return getattr(node, self.attribute) in values


_NAMES = {*GRAPH_SECTIONS.values(), "nodes"}


@lru_cache(maxsize=4096)  # many nodes call the same macros
def graph_reads(code: str) -> frozenset[GraphRead]:
    """Return what the Jinja in *code* reads of `graph`.

    >>> graph_reads("{{ graph.nodes['model.shop.a'].name }}")
    frozenset({GraphRead(collection='nodes', attribute='unique_id', values=frozenset({'model.shop.a'}))})
    """
    found: set[GraphRead] = set()
    pieces = jinja_pieces(code)
    values = [value for _, value in pieces]
    has_model = "model" not in names_set_in(code)
    for place, (kind, value) in enumerate(pieces):
        if kind == "string" and ("{{" in value or "{%" in value):
            found |= graph_reads(value[1:-1])
        elif kind == "string" and value[1:-1] == GRAPH:  # context['graph']
            found.add(GraphRead())
        elif kind == "name" and value == GRAPH:
            loop = values[place - 2] if values[place - 1 : place] == ["in"] else ""
            found.add(_read(values[place + 1 :], loop, has_model=has_model))
    return frozenset(found)


def _read(values: Sequence[str], loop: str, *, has_model: bool) -> GraphRead:
    """Return what the expression `graph` before *values* reads; *loop* is the variable of a loop over it."""
    name, rest = _member(values)
    if name not in _NAMES:
        return GraphRead()
    own = _own if has_model else lambda _attribute, _value: False
    if rest[:1] == ["["] and "]" in rest:
        return _by("unique_id", rest[1 : rest.index("]")], name, own)
    if rest[:3] == [".", "get", "("]:
        end = next((place for place, one in enumerate(rest) if one in (",", ")")), len(rest))
        return _by("unique_id", rest[3:end], name, own)
    rest = rest[4:] if rest[:4] == [".", "values", "(", ")"] else rest
    rest = rest[2:] if rest[:2] == ["|", "list"] else rest
    if rest[:3] == ["|", "selectattr", "("] and rest[4:5] == [","] and rest[6:7] == [","]:
        operator, end = rest[5].strip("\"'"), rest.index(")") if ")" in rest else 0
        if operator in ("equalto", "eq", "==", "in"):
            return _by(rest[3].strip("\"'"), rest[7:end], name, own)
    if loop and rest[:3] == ["if", loop, "."] and rest[4:5] == ["=="]:
        end = next((place for place, one in enumerate(rest) if one in ("and", "or", "%}", "-%}")), 0)
        return _by(rest[3], rest[5:end] if rest[end] != "or" else (), name, own)
    return GraphRead(name)


def _member(values: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the name of the member that *values* read first, and the rest."""
    if values[:1] == ["."] and values[1:2] != ["get"]:
        return values[1], values[2:]
    if values[:1] == ["["] and values[2:3] == ["]"]:
        return values[1].strip("\"'"), values[3:]
    if values[:3] == [".", "get", "("] and ")" in values:
        return values[3].strip("\"'"), values[values.index(")") + 1 :]
    return "", values


def _by(
    attribute: str, value: Sequence[str], collection: str, own: Callable[[str, Sequence[str]], bool]
) -> GraphRead:
    """Return the read of nodes of *collection* with *value*, an expression, as *attribute*."""
    if attribute in _ATTRIBUTES and value:
        if own(attribute, value):
            return GraphRead(collection, attribute, None)
        inner = value[1:-1] if value[0] in ("[", "(") and value[-1] in ("]", ")") else value
        if all(one[0] in "\"'" if place % 2 == 0 else one == "," for place, one in enumerate(inner)):
            return GraphRead(collection, attribute, frozenset(one[1:-1] for one in inner[::2]))
    return GraphRead(collection)


def _own(attribute: str, value: Sequence[str]) -> bool:
    text = "".join(value).replace('"', "'")
    return text in (f"model.{attribute}", f"model['{attribute}']")


def graph_edits(found: Mapping[str, Change], causes: Causes) -> dict[str, list[tuple[Change, ChangeDetail]]]:
    """Return edits of nodes by the key that a template reads in `graph`; PRESENCE is that of added ones."""
    edits: dict[str, list[tuple[Change, ChangeDetail]]] = {}
    # In one order, since a report names the first few.
    for _, change in sorted(found.items()):
        for key, detail in _edits_of(change, causes):
            edits.setdefault(key, []).append((change, detail))
    return edits


def _edits_of(change: Change, causes: Causes) -> Iterator[tuple[str, ChangeDetail]]:
    if change.status in (Status.ADDED, Status.REMOVED):
        ids = (None, change.unique_id) if change.status is Status.ADDED else (change.unique_id, None)
        yield PRESENCE, ChangeDetail(Reason.CONFIG, "", *ids)
        return
    for detail in change.details:
        if detail.reason is Reason.CONFIG or (detail.reason is Reason.BODY and detail.key not in _OF_TEXT):
            yield detail.key.split(".")[0], detail
        for key in _KEYS.get(detail.reason, ()):
            yield key, detail
        for key in _OF_TEXT.get(detail.key, ()) if detail.reason is Reason.FORMATTING else ():
            yield key, detail
    nodes = [side.nodes.get(change.unique_id) for side in (causes.base, causes.current)]
    before, after = ([] if node is None else [*documented_by_name(node)] for node in nodes)
    if before != after:
        yield "columns", ChangeDetail(Reason.CONFIG, "columns", before, after)


def of_graph(found: Mapping[str, Change], causes: Causes) -> dict[str, list[ChangeDetail]]:
    """Return what nodes may read otherwise in `graph` where compiled SQL does not show it, by their ids."""
    edits = graph_edits(found, causes)
    root = causes.current.run.project_name if causes.current.run is not None else None
    details: dict[str, list[ChangeDetail]] = {}
    for unique_id, node in causes.current.nodes.items() if edits else ():
        # Operations of packages upload metadata: they read all of it.
        is_reader = node.resource_type in BUILDING or (
            node.resource_type == OPERATION and node.package_name == root
        )
        before = causes.base.nodes.get(unique_id)
        if before is None or not is_reader:
            continue
        texts = causes.macros.texts_reading_graph(before, node)
        read = [*_read_by(node, texts, edits, causes)] if texts else []
        if read:
            details[unique_id] = read[:MOST_NAMES]
    return details


def _read_by(
    reader: NodeMetadata,
    texts: Iterable[str],
    edits: Mapping[str, list[tuple[Change, ChangeDetail]]],
    causes: Causes,
) -> Iterator[ChangeDetail]:
    texts = [*texts]
    reads = {one for text in texts for one in graph_reads(text)}
    is_whole = any(not _WHOLE.isdisjoint(jinja_names(text)) for text in texts)
    has_config = any(map(_reads_whole_config, texts))
    known = set[tuple[str, str]]()
    for key in sorted(edits):
        is_named = key == PRESENCE or is_whole or any(reads_config(text, key) for text in texts)
        for change, detail in edits[key]:
            is_config = detail.reason is Reason.CONFIG and key != "columns"
            if not is_named and not (has_config and is_config):
                continue
            shown = detail.key if detail.reason is Reason.CONFIG else key
            path = ".".join(one for one in (GRAPH, change.name, shown) if one)
            node = causes.current.nodes.get(change.unique_id) or causes.base.nodes.get(change.unique_id)
            if change.unique_id == reader.unique_id or (change.unique_id, path) in known:
                continue
            if any(one.includes(change.resource_type, node, reader) for one in reads):
                known.add((change.unique_id, path))
                yield ChangeDetail(Reason.CONFIG, path, detail.base, detail.current)


@lru_cache(maxsize=4096)
def _reads_whole_config(code: str) -> bool:
    """Return True if the Jinja of *code* may read all of a node's configuration: `node.config.items()`."""
    values = [value for _, value in jinja_pieces(code)]
    for place, value in enumerate(values):
        if value.strip("\"'") in ("config", "unrendered_config") and values[place - 1 : place] in (
            ["."],
            ["["],
        ):
            rest = values[place + (1 if values[place - 1] == "." else 2) :]
            is_key = rest[:1] == ["["] or (rest[:1] == ["."] and rest[1] not in _MEMBERS)
            is_get = rest[:3] == [".", "get", "("] and rest[3][:1] in ("'", '"')
            if not is_key and not is_get:
                return True
    return False
