"""Content-addressed pieces of a project: rows to store, under ids that hash their content. No I/O.

Ids are the first 32 hexadecimal digits of a SHA-256 over JSON with sorted keys. So two recorders, or two
stores, give the same piece the same id.

Only DuckDB can store U+0000 in text: in code, names and descriptions it is replaced by U+FFFD (in JSON
it stays, as an escape).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from operator import itemgetter

import msgspec
from msgspec import Raw, Struct

from recce_meta.models import Json, MacroMetadata, NodeMetadata, Project, code_hash
from recce_meta.models.relation_tokens import readable_relations, tokenise

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
"""128 bits in hexadecimal digits, enough to make accidental collisions practically impossible."""

ESCAPED_NUL = b"\\u0000"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""U+FFFD, which is stored for U+0000."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Contents(Struct, frozen=True):
    """Pieces of a project by id. Rows are built only for the versions that the store lacks."""

    graph_id: str
    parts: dict[str, list[Row]]
    """Rows of `part_nodes` by part id, without the part id."""
    versions: dict[str, tuple[NodeMetadata, str | None]]
    """Nodes and their tokenised compiled code, by version id."""
    macro_set_id: str
    macros: dict[str, MacroMetadata]
    """Macros by version id."""


def contents(project: Project) -> Contents:
    """Return all pieces of *project* to store except its run and results."""
    nodes = (*project.nodes, *project.groups)
    relations = readable_relations(nodes)
    versions: dict[str, tuple[NodeMetadata, str | None]] = {}
    places: list[Row] = []
    texts = ObjectTexts()
    for node in nodes:
        compiled = node.compiled_code
        # Without the names of relations, production and a pull request have equal code.
        if compiled:
            compiled = tokenise(compiled, relations.relations_of(node))
        content = _encoded(node, compiled, texts)
        # The id is that of the original, as in `version_id`.
        identity = digest(content)
        # One look at the bytes, because nodes with U+0000 are rare and the replacement copies the node.
        if b"\0" in content or ESCAPED_NUL in content:
            # Also in JSON, because PostgreSQL cannot read such JSON.
            node, compiled = _replaced(node, without_nul), compiled and without_nul(compiled)
        versions[identity] = node, compiled
        place = (node.database_name, node.schema_name, node.identifier, node.relation_name)
        places.append((node.unique_id, identity, *place))
    # Equal graphs must have equal parts, whatever the order of the artifact.
    places.sort(key=itemgetter(0))
    parts = parts_of(places)
    macros = {macro_version_id(macro): macro for macro in project.macros}
    return Contents(
        graph_id=tree_id(parts),
        parts=parts,
        versions=versions,
        macro_set_id=tree_id(macros),
        macros=macros,
    )


def version_id(node: NodeMetadata, nodes: Iterable[NodeMetadata] = ()) -> str:
    """Return the id of *node*'s content, independent of its database and schema.

    *nodes* are the nodes upstream of it.
    """
    compiled = node.compiled_code
    if compiled:
        compiled = tokenise(compiled, readable_relations((*nodes, node)).relations_of(node))
    return digest(_encoded(node, compiled, ObjectTexts()))


def stored_version_id(node: NodeMetadata) -> str:
    """Return the id of the content of *node*, whose compiled code is in its stored form."""
    return digest(_encoded(node, node.compiled_code, ObjectTexts()))


def original_version_id(node: NodeMetadata) -> str:
    """Return the id that *node*, in its stored form, has if each U+FFFD of it was U+0000.

    An id is that of the original. A node that had both characters cannot be recognised.
    """
    return stored_version_id(_replaced(node, with_nul)) if _has_replacement(node) else ""


def _has_replacement(node: NodeMetadata) -> bool:
    return REPLACEMENT.encode() in msgspec.json.encode(node)


def macro_version_id(macro: MacroMetadata) -> str:
    """Return the id of *macro*'s content."""
    return digest(_encode(macro))


def without_nul(text: str) -> str:
    """Return *text* with U+0000 replaced by U+FFFD."""
    return text.replace("\0", REPLACEMENT)


def with_nul(text: str) -> str:
    """Return *text* with U+FFFD replaced by U+0000, the inverse of `without_nul`."""
    return text.replace(REPLACEMENT, "\0")


def digest(content: bytes) -> str:
    """Return the id of *content*."""
    return sha256(content).hexdigest()[:ID_LENGTH]


def _encoded(node: NodeMetadata, compiled: str | None, texts: ObjectTexts) -> bytes:
    """Encode *node* without its database and schema: as JSON, then its code, which takes half the time."""
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
        # The codes follow without a separator, so their lengths are part of the content.
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
    # Artifacts may hold unpaired surrogates, which UTF-8 has no form for.
    return _encode(content) + code.encode("utf-8", "surrogatepass")


def _replaced(node: NodeMetadata, change: Callable[[str], str]) -> NodeMetadata:
    """Return *node* with every text changed by *change*, also the texts in JSON."""
    return msgspec.convert(_with_texts(msgspec.to_builtins(node), change), NodeMetadata)


def _with_texts(value: Json, change: Callable[[str], str]) -> Json:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): _with_texts(member, change) for key, member in value.items()}
    return [_with_texts(item, change) for item in value] if isinstance(value, list) else value


def version_rows(versions: Mapping[str, tuple[NodeMetadata, str | None]]) -> Iterable[Row]:
    """Yield the rows of `node_versions`."""
    texts = ObjectTexts()
    return (version_row(identity, node, compiled, texts) for identity, (node, compiled) in versions.items())


class ObjectTexts:
    """Cache of the JSON texts of objects that many nodes share."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[dict[str, Json], Raw]] = {}

    def __call__(self, value: dict[str, Json]) -> str:
        """Return the JSON text of *value*."""
        return bytes(self.raw(value)).decode()

    def raw(self, value: dict[str, Json]) -> Raw:
        """Return *value* as raw JSON. The cache references *value* so that its `id` is not reused."""
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = value, Raw(_encode(value))
        return known[1]


def version_row(identity: str, node: NodeMetadata, compiled: str | None, texts: ObjectTexts) -> Row:
    """Return the row of `node_versions`, in the order of `VERSION_COLUMNS`."""
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
    """Return the row of `macros`, in the order of `MACRO_COLUMNS`."""
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
    """Return the id of a graph with these *parts*, or of a set of these macros."""
    return digest(_encode(sorted(parts)))


def parent_rows(versions: Iterable[tuple[str, NodeMetadata]]) -> Iterable[Row]:
    """Yield the rows of `version_parents`. A version's id does not depend on the origin of its edges."""
    for identity, node in versions:
        # A parent may be listed twice, and would be stored as two edges.
        for parent in dict.fromkeys(node.parents):
            origin = node.edge_origins.get(parent)
            yield (identity, parent, *((None, None) if origin is None else (origin.kind, origin.confidence)))


def reference_rows(versions: Iterable[tuple[str, NodeMetadata]]) -> Iterable[Row]:
    """Yield the rows of `version_references`: foreign keys from the constraints of scanned relations."""
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
    """Split *places* (sorted, each starting with its node's id) into parts by a hash of the node's id.

    A part has about √n / 3 of them, unless *count* sets the number of parts. So a run with a few changes
    needs few rows: those of the changed parts, and the list of parts.
    """
    count = count or part_count(len(places))
    buckets: dict[int, list[Row]] = {}
    for place in places:
        # Python's own hash differs between processes.
        bucket = int(digest(str(place[0]).encode())[:8], 16) % count
        buckets.setdefault(bucket, []).append(place)
    return {part_id(rows): rows for rows in buckets.values()}


def part_id(rows: Sequence[Row]) -> str:
    """Return the id of a part with these *rows*, sorted and without the id."""
    return digest(_encode(rows))


def part_count(nodes: int) -> int:
    """Return the number of parts of a graph with *nodes* nodes: a power of two, so it rarely changes."""
    return 1 << max(0, (16 * nodes).bit_length() // 2)


def _json(value: object) -> str:
    return _encode(value).decode()


def part_rows(parts: Iterable[tuple[str, Sequence[Row]]]) -> Iterable[Row]:
    """Return the rows of `part_nodes`."""
    return ((identity, *row) for identity, rows in parts for row in rows)
