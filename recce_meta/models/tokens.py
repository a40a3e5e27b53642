"""Compiled SQL without its environment, and back.

Where a node's compiled SQL names the relation of a node that it reads (or its own), exactly as dbt wrote
it, a token names the unique id instead: `⟦model.shop.orders⟧`. SQL compiled in production and in a pull
request's schema is then the same text when it means the same. In SQL, one token is resolved by
`replace(compiled_code, '⟦' || unique_id || '⟧', relation_name)`. An opening bracket that stands in the
code itself is written `⟦⟧`, so that every text comes back to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from recce_meta.models.node import NodeMetadata

OPENING, CLOSING = "⟦", "⟧"
ESCAPED_OPENING = OPENING + CLOSING

_TOKEN = re.compile("⟦([^⟦⟧]*)⟧")
_INSIDE_A_NAME = frozenset('."`$⟦')
"""Besides letters, digits and `_`: what stands before a relation that is only the end of a longer name."""


def tokenise(code: str, relations: Mapping[str, str]) -> str:
    """*code* with each relation of *relations* (relation: unique id) replaced by its token.

    Longer relations go first, and one that is only part of a longer name stays. Code in which a relation
    looks like part of a token keeps its relations.
    """
    plain = code.replace(OPENING, ESCAPED_OPENING) if OPENING in code else code
    tokenised = plain
    tokens: list[str] = []
    for relation in sorted(relations, key=len, reverse=True) if len(relations) > 1 else relations:
        written = relation.replace(OPENING, ESCAPED_OPENING) if OPENING in relation else relation
        if written in tokenised:
            token = f"{OPENING}{relations[relation]}{CLOSING}"
            tokenised = _replace_whole(tokenised, written, token)
            tokens.append(token)
    if not tokens or not _may_mislead(plain, relations, tokens):
        return tokenised
    back = {unique_id: relation for relation, unique_id in relations.items()}
    return tokenised if resolve(tokenised, back) == code else plain


def _may_mislead(plain: str, relations: Mapping[str, str], tokens: Sequence[str]) -> bool:
    """Whether *tokens* may not come back as they went: trying it costs more than all else here."""
    inserted, replaced = "".join(tokens), "".join(relations)
    return (
        OPENING in plain
        or OPENING in replaced
        or CLOSING in replaced
        or len(set(tokens)) < len(tokens)
        or any(map(inserted.__contains__, relations))
    )


def resolve(text: str, relations: Mapping[str, str]) -> str:
    """Tokenised *text* with the relations of one environment (unique id: relation).

    A token whose node *relations* does not know stays.
    """
    if OPENING not in text:
        return text

    def relation_of(token: re.Match[str]) -> str:
        return relations.get(token[1], token[0]) if token[1] else OPENING

    return _TOKEN.sub(relation_of, text)


def readable_relations(nodes: Iterable[NodeMetadata]) -> RelationIndex:
    """The relations that the compiled code of each of *nodes* may name."""
    return RelationIndex({node.unique_id: node for node in nodes})


class RelationIndex:
    """Which relations a node's compiled code may name: its own, and those of the nodes that it reads.

    dbt puts an ephemeral parent's code into its child's, so there the ephemeral node's own parents
    count, and so on up.
    """

    def __init__(self, nodes: Mapping[str, NodeMetadata]) -> None:
        self._nodes = nodes
        self._injected: dict[str, dict[str, str]] = {}

    def relations_of(self, node: NodeMetadata) -> dict[str, str]:
        """Unique ids by relation."""
        relations: dict[str, str] = {}
        for parent in node.parents:
            self._add(parent, relations)
        if node.relation_name and _can_be_token(node):
            relations[node.relation_name] = node.unique_id
        return relations

    def _add(self, unique_id: str, relations: dict[str, str]) -> None:
        node = self._nodes.get(unique_id)
        if node is None:
            return
        if node.relation_name:
            if _can_be_token(node):
                relations.setdefault(node.relation_name, unique_id)
        elif node.parents:
            for relation, owner in self._behind(node).items():
                relations.setdefault(relation, owner)

    def _behind(self, node: NodeMetadata) -> dict[str, str]:
        """The relations behind *node*, which has none itself. A cycle would end here."""
        found = self._injected.get(node.unique_id)
        if found is None:
            found = self._injected[node.unique_id] = {}
            for parent in node.parents:
                self._add(parent, found)
        return found


def _can_be_token(node: NodeMetadata) -> bool:
    return OPENING not in node.unique_id and CLOSING not in node.unique_id


def _replace_whole(code: str, relation: str, token: str) -> str:
    """*code* with *relation* replaced where it is not part of a longer name."""
    before_matters = relation[0].isalnum() or relation[0] == "_"
    after_matters = relation[-1].isalnum() or relation[-1] in "_$"
    if not before_matters and not after_matters:
        return code.replace(relation, token)
    pieces: list[str] = []
    start = 0
    while (found := code.find(relation, start)) >= 0:
        end = found + len(relation)
        inside = (before_matters and found > 0 and _continues(code[found - 1], before=True)) or (
            after_matters and end < len(code) and _continues(code[end], before=False)
        )
        pieces.append(code[start:end] if inside else code[start:found] + token)
        start = end
    return "".join(pieces) + code[start:]


def _continues(character: str, *, before: bool) -> bool:
    """Whether *character*, next to an unquoted name, belongs to the same name."""
    return (
        character.isalnum()
        or character == "_"
        or (character in _INSIDE_A_NAME if before else character == "$")
    )
