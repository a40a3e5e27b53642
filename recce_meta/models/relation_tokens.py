"""Tokens that replace relation names in compiled SQL, so that it does not depend on the environment.

If a node's compiled SQL contains the relation of a parent (or its own), exactly as dbt wrote it, a token with
the unique id replaces it: `⟦model.shop.orders⟧`. Equivalent SQL compiled in production and in a pull
request's schema then becomes the same text. In SQL, one token is resolved by
`replace(compiled_code, '⟦' || unique_id || '⟧', relation_name)`. An opening bracket in the code itself is
written `⟦⟧`, so every text is restored exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from recce_meta.models.node import NodeMetadata

OPENING, CLOSING = "⟦", "⟧"
INJECTED = "__dbt__cte__"
"""Prefix of the CTEs that dbt injects into readers of ephemeral models; upper case before dbt 1.0."""
ESCAPED_OPENING = OPENING + CLOSING

_TOKEN = re.compile("⟦([^⟦⟧]*)⟧")
_INSIDE_A_NAME = frozenset('."`$⟦')
"""Characters that, like letters, digits and `_`, show that a relation is only the end of a longer name."""


def tokenise(code: str, relations: Mapping[str, str]) -> str:
    """Return *code* with each relation of *relations* (relation: unique id) replaced by its token.

    Longer relations are replaced first. A relation that is only part of a longer name is not replaced. If a
    relation looks like part of a token, *code* is returned without tokens.
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
    """Return True if *tokens* may not resolve to the original; actually resolving them is expensive."""
    inserted, replaced = "".join(tokens), "".join(relations)
    return (
        OPENING in plain
        or OPENING in replaced
        or CLOSING in replaced
        or len(set(tokens)) < len(tokens)
        or any(map(inserted.__contains__, relations))
    )


def resolve(text: str, relations: Mapping[str, str]) -> str:
    """Return tokenised *text* with the relations of one environment (unique id: relation).

    Tokens of nodes that are not in *relations* remain.
    """
    if OPENING not in text:
        return text

    def relation_of(token: re.Match[str]) -> str:
        return relations.get(token[1], token[0]) if token[1] else OPENING

    return _TOKEN.sub(relation_of, text)


def injected_names(node: NodeMetadata | None, unique_id: str) -> set[str]:
    """Return the lower-case names of the CTE that dbt injects for the ephemeral model *unique_id*."""
    plain = "_".join(unique_id.split(".")[2:])  # a versioned model is called name_v1
    return {f"{INJECTED}{name}".lower() for name in (plain, node and node.identifier) if name}


def token_ids(text: str) -> set[str]:
    """Return the unique ids of the tokens in *text*.

    >>> token_ids("select * from ⟦model.shop.orders⟧ where note = '⟦⟧'")
    {'model.shop.orders'}
    """
    return {unique_id for unique_id in _TOKEN.findall(text) if unique_id}


def readable_relations(nodes: Iterable[NodeMetadata]) -> RelationIndex:
    """Return an index of the relations that the compiled code of *nodes* may contain."""
    return RelationIndex({node.unique_id: node for node in nodes})


class RelationIndex:
    """Index of the relations that a node's compiled code may contain: its own, and those of its parents.

    dbt inlines an ephemeral parent's code into its child's, so the parents of an ephemeral parent count as
    well, recursively.
    """

    def __init__(self, nodes: Mapping[str, NodeMetadata]) -> None:
        self._nodes = nodes
        self._injected: dict[str, dict[str, str]] = {}

    def relations_of(self, node: NodeMetadata) -> dict[str, str]:
        """Return unique ids by relation for *node*."""
        relations: dict[str, str] = {}
        for parent in node.parents:
            self._add(parent, relations)
        if node.relation_name and _can_be_token(node):
            # Last, because an incremental model reads its own relation.
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
        """Return the relations of the ancestors of *node*, which has no relation. A cycle ends here."""
        found = self._injected.get(node.unique_id)
        if found is None:
            # Stored before it is filled, so that a cycle ends.
            found = self._injected[node.unique_id] = {}
            for parent in node.parents:
                self._add(parent, found)
        return found


def _can_be_token(node: NodeMetadata) -> bool:
    return OPENING not in node.unique_id and CLOSING not in node.unique_id


def _replace_whole(code: str, relation: str, token: str) -> str:
    """Return *code* with *relation* replaced, except where it is part of a longer name."""
    before_matters = relation[0].isalnum() or relation[0] == "_"
    after_matters = relation[-1].isalnum() or relation[-1] in "_$"
    # Quotes end a name, so no other character can continue it.
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
    """Return True if *character*, next to an unquoted name, belongs to the same name."""
    return (
        character.isalnum()
        or character == "_"
        or (character in _INSIDE_A_NAME if before else character == "$")
    )
