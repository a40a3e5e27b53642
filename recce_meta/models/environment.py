"""What of a node belongs to the environment it is built in, told apart from what it is.

Compiled SQL names relations, and relations differ between production and a pull request's schema. In
its environment-free form each relation, exactly as dbt wrote it, is a token that names the node:
`select * from ⟦model.shop.orders⟧`. Two compiled texts are then equal when they mean the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from recce_meta.models.node import NodeMetadata

OPEN, CLOSE = "⟦", "⟧"


def target_place(nodes: Iterable[NodeMetadata]) -> tuple[str | None, str | None]:
    """The target's database and schema: where most nodes went that do not name a place of their own.

    No artifact names them. dbt's default `generate_schema_name` gives a node with a custom schema
    `<target schema>_<custom schema>`, so such nodes tell too.
    """
    databases: Counter[str] = Counter()
    schemas: Counter[str] = Counter()
    for node in nodes:
        if node.resource_type not in ("model", "seed", "test", "operation", "analysis"):
            continue
        if node.database_name and not node.config.get("database"):
            databases[node.database_name] += 1
        custom, schema = node.config.get("schema"), node.schema_name
        if schema and isinstance(custom, str) and custom:
            schema = schema.removesuffix(f"_{custom}") if schema.endswith(f"_{custom}") else None
        if schema:
            schemas[schema] += 1
    return _most_common(databases), _most_common(schemas)


def _most_common(counts: Counter[str]) -> str | None:
    return max(counts, key=lambda name: (counts[name], name)) if counts else None


def environment_free(node: NodeMetadata, nodes: Mapping[str, NodeMetadata]) -> str | None:
    """The compiled code of *node* with tokens for relations; *nodes* holds its parents.

    Tokens stand for the node itself (`this`), its parents, and, where a parent is ephemeral and dbt has
    injected its text, that parent's parents. A text that has the token's own brackets stays as it is.
    """
    code = node.compiled_code
    if not code or OPEN in code or CLOSE in code:
        return code
    found = {
        relation: unique_id
        for unique_id, relation in _relations(node, nodes)
        if relation and relation in code
    }
    for relation in sorted(found, key=len, reverse=True):
        token = f"{OPEN}{found[relation]}{CLOSE}"
        if relation[-1] in "\"`]'" and relation[0] in "\"`['":
            code = code.replace(relation, token)
        else:
            # An unquoted name must not match inside a longer one: db.shop.orders in db.shop.orders_v2.
            code = re.sub(rf"(?<![\w$.\"`]){re.escape(relation)}(?![\w$\"`])", _always(token), code)
    return code


def with_relations(code: str | None, relation_of: Callable[[str], str | None]) -> str | None:
    """The inverse of `environment_free`, to the byte; *relation_of* gives the relation of a unique id."""
    if not code or OPEN not in code:
        return code
    return re.sub(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}", lambda match: relation_of(match[1]) or match[0], code)


def _relations(node: NodeMetadata, nodes: Mapping[str, NodeMetadata]) -> Iterator[tuple[str, str | None]]:
    """(unique id, relation) of every node whose relation may stand in *node*'s compiled text."""
    waiting, seen = [node.unique_id, *node.parents], {""}
    while waiting:
        unique_id = waiting.pop()
        other = nodes.get(unique_id)
        if other is None or unique_id in seen:
            continue
        seen.add(unique_id)
        if other.relation_name is None and unique_id != node.unique_id:
            waiting.extend(other.parents)
        yield unique_id, other.relation_name


def _always(token: str) -> Callable[[re.Match[str]], str]:
    return lambda _: token
