"""Relations of nodes that dbt read in another target with `--defer`.

dbt writes the manifest before it knows them. So a deferred node has the relation that it would have in the
target of the run, where it may not exist. Compiled SQL of its readers has the one that dbt read: a name with
the same identifier in another schema or database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from recce_meta.models import NodeMetadata
from recce_meta.models.relation_tokens import RelationIndex

_PART = re.compile(r'"[^"]+"|`[^`]+`|\[[^]]+\]|[^.]+')
"""Database, schema or identifier in the name of a relation."""
_OTHER_PART = {'"': r'"[^"]+"', "`": r"`[^`]+`", "[": r"\[[^]]+\]"}
"""Pattern of any such part with the same quotes."""


def with_deferred_relations(nodes: Iterable[NodeMetadata]) -> tuple[NodeMetadata, ...]:
    """Return *nodes* of a run with `--defer`, each with the relation that compiled SQL reads.

    A node keeps its relation if some SQL has it, or if SQL has several names that may be its own.
    """
    known = {node.unique_id: node for node in nodes}
    index = RelationIndex(known)
    own = {node.relation_name for node in known.values()}
    kept, read = set[str](), dict[str, set[str]]()
    for node in known.values():
        code = node.compiled_code or ""
        for relation, unique_id in index.relations_of(node).items() if code else ():
            if unique_id == node.unique_id or unique_id.startswith("source."):
                continue
            if relation in code:
                kept.add(unique_id)
            else:
                found = read.setdefault(unique_id, set())
                found.update(set(_with_same_identifier(relation).findall(code)) - own)
    deferred = {one: names for one, names in read.items() if one not in kept and len(names) == 1}
    return tuple(
        _at(node, next(iter(deferred[node.unique_id]))) if node.unique_id in deferred else node
        for node in known.values()
    )


def _with_same_identifier(relation: str) -> re.Pattern[str]:
    """Return the pattern of relations that differ from *relation* at most in the schema and database."""
    *places, identifier = _PART.findall(relation)
    others = (_OTHER_PART.get(place[0], r"[\w$-]+") for place in places)
    name = r"\.".join([*others, re.escape(identifier)])
    return re.compile(r'(?<![\w.$"`\]])' + name + r"(?![\w$])")


def _at(node: NodeMetadata, relation: str) -> NodeMetadata:
    *places, _ = (part.strip('"`[]') for part in _PART.findall(relation))
    moved = dict(zip(("schema_name", "database_name"), reversed(places), strict=False))
    return replace(node, relation_name=relation, **moved)
