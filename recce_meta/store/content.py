"""What a project is made of, each piece under an id that is a hash of its content. Pure.

Ids are the first 32 hexadecimal digits of a SHA-256 over JSON with sorted keys, so that two recorders,
or two stores, give the same piece the same id.

No warehouse but DuckDB holds U+0000 in text: in code, names and descriptions U+FFFD is stored for it (in
JSON it stays, as an escape).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from operator import itemgetter

import msgspec
from msgspec import Raw, Struct

from recce_meta.models import Json, MacroMetadata, NodeMetadata, Project, code_hash
from recce_meta.models.tokens import readable_relations, tokenise

Row = tuple[object, ...]

VERSION_COLUMNS = (
    "version_id", "unique_id", "name", "resource_type", "package_name", "path", "fqn", "materialized",
    "language", "raw_code", "compiled_code", "checksum", "checksum_rule", "code_hash", "compiled_hash",
    "config", "unrendered_config", "columns", "columns_from", "description", "tags", "meta", "access",
    "group_name", "version", "source_name", "contract", "macros", "properties",
)  # fmt: skip
PARENT_COLUMNS = ("version_id", "parent_id", "kind", "confidence")
PART_COLUMNS = ("graph_id", "part_id")
NODE_COLUMNS = (
    "part_id", "unique_id", "version_id", "database_name", "schema_name", "identifier", "relation_name",
)  # fmt: skip
MACRO_COLUMNS = (
    "version_id", "unique_id", "name", "package_name", "path", "macro_sql", "code_hash", "macros",
)  # fmt: skip
MACRO_SET_COLUMNS = ("macro_set_id", "version_id")

REFERENCE_COLUMNS = (
    "version_id", "ordinal", "name", "parent_id", "columns", "parent_columns", "on_update", "on_delete",
)  # fmt: skip

ID_LENGTH = 32
"""128 bits, in hexadecimal digits: no two contents of one store will ever share an id by chance."""

ESCAPED_NUL = b"\\u0000"

_encode = msgspec.json.Encoder(order="deterministic").encode


class Contents(Struct, frozen=True):
    """A project by the ids of its pieces. Rows of versions are made only for those that the store lacks."""

    graph_id: str
    parts: dict[str, list[Row]]
    """Rows of `part_nodes` without their part's id, by that id."""
    versions: dict[str, tuple[NodeMetadata, str | None]]
    """Nodes and their tokenised compiled code, by version id."""
    macro_set_id: str
    macros: dict[str, MacroMetadata]
    """Macros by version id."""


def contents(project: Project) -> Contents:
    """Everything that the store keeps of *project* beside its run and results."""
    nodes = (*project.nodes, *project.groups)
    relations = readable_relations(nodes)
    versions: dict[str, tuple[NodeMetadata, str | None]] = {}
    places: list[Row] = []
    texts = ObjectTexts()
    for node in nodes:
        compiled = node.compiled_code
        if compiled:
            compiled = tokenise(compiled, relations.relations_of(node))
        content = _encoded(node, compiled, texts)
        identity = digest(content)
        if b"\0" in content or ESCAPED_NUL in content:
            node, compiled = _without_nul(node), compiled and without_nul(compiled)
        versions[identity] = node, compiled
        place = (node.database_name, node.schema_name, node.identifier, node.relation_name)
        places.append((node.unique_id, identity, *place))
    places.sort(key=itemgetter(0))
    parts = parts_of(places)
    macros = {macro_version_id(macro): macro for macro in project.macros}
    return Contents(
        graph_id=tree_id(parts),
        parts=parts,
        versions=versions,
        macro_set_id=digest(_encode(sorted(macros))),
        macros=macros,
    )


def version_id(node: NodeMetadata, nodes: Iterable[NodeMetadata] = ()) -> str:
    """The id of *node*'s content, wherever it lives; *nodes* are those that it reads, and theirs."""
    compiled = node.compiled_code
    if compiled:
        compiled = tokenise(compiled, readable_relations((*nodes, node)).relations_of(node))
    return digest(_encoded(node, compiled, ObjectTexts()))


def macro_version_id(macro: MacroMetadata) -> str:
    """The id of *macro*'s content."""
    return digest(_encode(macro))


def without_nul(text: str) -> str:
    """*text* with U+FFFD for U+0000."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def digest(content: bytes) -> str:
    """The id of *content*."""
    return sha256(content).hexdigest()[:ID_LENGTH]


def _encoded(node: NodeMetadata, compiled: str | None, texts: ObjectTexts) -> bytes:
    """All of *node* but where it lives: as JSON, with its code behind it, which takes half the time so."""
    raw = node.raw_code
    content = (
        node.unique_id,
        node.name,
        node.resource_type,
        node.package_name,
        node.path,
        node.fqn,
        node.materialized,
        node.language,
        None if raw is None else len(raw),
        None if compiled is None else len(compiled),
        node.checksum,
        node.checksum_rule,
        node.code_hash,
        texts.raw(node.config),
        texts.raw(node.unrendered_config),
        node.columns,
        node.columns_from,
        node.description,
        node.tags,
        node.meta,
        node.access,
        node.group_name,
        node.version,
        node.source_name,
        node.contract,
        node.parents,
        node.macros,
        node.properties,
    )
    code = (raw or "") + (compiled or "")
    return _encode(content) + code.encode("utf-8", "surrogatepass")


def _without_nul(node: NodeMetadata) -> NodeMetadata:
    """*node* with U+FFFD for U+0000, in its JSON too: PostgreSQL stops at one there when JSON is read."""
    return msgspec.convert(_json_without_nul(msgspec.to_builtins(node)), NodeMetadata)


def _json_without_nul(value: Json) -> Json:
    if isinstance(value, str):
        return without_nul(value)
    if isinstance(value, dict):
        return {without_nul(key): _json_without_nul(member) for key, member in value.items()}
    return [_json_without_nul(item) for item in value] if isinstance(value, list) else value


def version_rows(versions: Mapping[str, tuple[NodeMetadata, str | None]]) -> Iterable[Row]:
    """The rows of `node_versions`, one at a time."""
    texts = ObjectTexts()
    return (version_row(identity, node, compiled, texts) for identity, (node, compiled) in versions.items())


class ObjectTexts:
    """JSON texts of objects that many nodes share, as their extractor found them; each is made once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[dict[str, Json], Raw]] = {}

    def __call__(self, value: dict[str, Json]) -> str:
        """The text of *value*."""
        return bytes(self.raw(value)).decode()

    def raw(self, value: dict[str, Json]) -> Raw:
        """The text of *value*, to be put into other JSON; *value* is kept, so that its `id` stays its own."""
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = value, Raw(_encode(value))
        return known[1]


def version_row(identity: str, node: NodeMetadata, compiled: str | None, texts: ObjectTexts) -> Row:
    """The row of `node_versions`, in the order of `VERSION_COLUMNS`."""
    return (
        identity,
        node.unique_id,
        node.name,
        node.resource_type,
        node.package_name,
        node.path,
        _json(node.fqn),
        node.materialized,
        node.language,
        node.raw_code,
        compiled,
        node.checksum,
        node.checksum_rule,
        node.code_hash,
        code_hash(compiled) if compiled else None,
        texts(node.config) if node.config else "{}",
        texts(node.unrendered_config) if node.unrendered_config else "{}",
        _json(node.columns) if node.columns else "[]",
        node.columns_from,
        node.description,
        _json(node.tags) if node.tags else "[]",
        _json(node.meta) if node.meta else "{}",
        node.access,
        node.group_name,
        node.version,
        node.source_name,
        None if node.contract is None else _json(node.contract),
        _json(node.macros) if node.macros else "[]",
        _json(node.properties) if node.properties else "{}",
    )


def macro_row(identity: str, macro: MacroMetadata) -> Row:
    """The row of `macros`, in the order of `MACRO_COLUMNS`."""
    return (
        identity,
        macro.unique_id,
        macro.name,
        macro.package_name,
        macro.path,
        without_nul(macro.macro_sql),
        macro.code_hash,
        _json(macro.macros),
    )


def tree_id(parts: Mapping[str, object]) -> str:
    """The id of a graph that is cut into *parts*."""
    return digest(_encode(sorted(parts)))


def parent_rows(versions: Iterable[tuple[str, NodeMetadata]]) -> Iterable[Row]:
    """The rows of `version_parents`. A version's id does not depend on how an edge is known."""
    for identity, node in versions:
        for parent in dict.fromkeys(node.parents):
            origin = node.edge_origins.get(parent)
            yield (identity, parent, *((None, None) if origin is None else (origin.kind, origin.confidence)))


def reference_rows(versions: Iterable[tuple[str, NodeMetadata]]) -> Iterable[Row]:
    """The rows of `version_references`: the foreign keys among the constraints of scanned relations."""
    for identity, node in versions:
        ordinal = 0
        for constraint in node.properties.get("constraints") or ():
            references = constraint.get("references") if isinstance(constraint, dict) else None
            if not isinstance(references, dict) or "relation" not in references:
                continue
            ordinal += 1
            yield (
                identity,
                ordinal,
                constraint.get("name"),
                references["relation"],
                _json(constraint.get("columns") or ()),
                _json(references.get("columns") or ()),
                constraint.get("on_update"),
                constraint.get("on_delete"),
            )


def parts_of(places: Sequence[Row], count: int | None = None) -> dict[str, list[Row]]:
    """*places* (sorted, each with its node's id first) by part: the nodes whose ids hash alike.

    A part holds about √n / 3 of them, unless *count* says how many parts there are. A run with a few changes
    then costs few rows: the parts that hold them, and the list of parts.
    """
    count = count or part_count(len(places))
    buckets: dict[int, list[Row]] = {}
    for place in places:
        bucket = int(digest(str(place[0]).encode())[:8], 16) % count
        buckets.setdefault(bucket, []).append(place)
    return {digest(_encode(rows)): rows for rows in buckets.values()}


def part_count(nodes: int) -> int:
    """In how many parts a graph of *nodes* is cut: a power of two, so that it hardly ever changes."""
    return 1 << max(0, (16 * nodes).bit_length() // 2)


def _json(value: object) -> str:
    return _encode(value).decode()


def part_rows(parts: Iterable[tuple[str, Sequence[Row]]]) -> Iterable[Row]:
    """The rows of `part_nodes`."""
    return ((identity, *row) for identity, rows in parts for row in rows)
