"""The names under which a project's relations are handed to the analysis of one query.

A relation is written as two parts: a name made of the node's unique id, which is the same in every
environment, and the relation's own last part as dbt wrote it, by which columns may be qualified
(`select orders.id from "shop"."main"."orders"`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import sha256

from msgspec import Struct

from recce_meta.graph.columns.project_dialects import without_partition
from recce_meta.models.kinds import RELATIONS
from recce_meta.models.node import NodeMetadata
from recce_meta.models.tokens import CLOSING, OPENING, RelationIndex, readable_relations, resolve, tokenise

_PART = r'(?:"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|[^\W\d][\w$-]*)'
_RELATION = re.compile(rf"(?:{_PART}\s*\.\s*)*({_PART})")
_QUOTES = '"`[]'
_DOTTED = re.compile(r"[\w$-]+(?:\.[\w$-]+)+")
_NAME = re.compile(r"\bn[0-9a-f]{16}\b", re.IGNORECASE)

READABLE = frozenset(["model", "seed", "snapshot", "source"]) | RELATIONS
"""Resource types that have a relation which a query can name."""


def parent_name(unique_id: str) -> str:
    """What stands for *unique_id* before the dot: a plain name in every dialect, whatever is in the id.

    >>> parent_name("model.shop.orders")
    'n8f58469473520277'
    """
    return f"n{sha256(unique_id.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def last_part(relation: str) -> str:
    """The last part of *relation* with its quotes; `t` where it is no name but a call, as of a file reader.

    >>> last_part('"shop"."main"."Orders"'), last_part("shop.main.orders"), last_part("read_csv('a.csv')")
    ('"Orders"', 'orders', 't')
    """
    found = _RELATION.fullmatch(relation)
    if found is None:
        return "t"
    part = found[1]
    if part[0] == "`" and "." in part:  # BigQuery: `project.dataset.table`
        part = f"`{part[1:-1].rpartition('.')[2]}`"
    return part if part.strip('"`[]') else "t"


def schemas_key(unique_id: str, relation: str) -> str:
    """The name of *unique_id*, whose relation is *relation*, among the known schemas."""
    return f"{parent_name(unique_id)}.{unquoted(last_part(relation))}"


def unquoted(part: str) -> str:
    """One part of a name without its quotes."""
    if part[0] == '"':
        return part[1:-1].replace('""', '"')
    return part[1:-1] if part[0] in "`[" else part


def parseable(tokenised: str, relations: Mapping[str, str]) -> str:
    """*tokenised* SQL with names that every dialect can parse; *relations* are relations by unique id."""
    return resolve(
        tokenised,
        {
            unique_id: f"{parent_name(unique_id)}.{last_part(relation)}"
            for unique_id, relation in relations.items()
        },
    )


def plain_name(name: str) -> str:
    """*name*, of a relation, without quotes and in lower case: for comparing."""
    for quote in _QUOTES:
        if quote in name:
            name = name.replace(quote, "")
    return name.lower()


def _dotted_names(sql: str) -> set[str]:
    """Everything in *sql* that may be the dotted name of a relation, as `plain_name` gives it."""
    words = plain_name(sql).split()
    return set(_DOTTED.findall(" ".join([word for word in words if "." in word])))


def _shorter_names(relation: str) -> list[list[str]]:
    """The parts of *relation*, in lower case: all of them, and without the first where two are left."""
    parts = plain_name(relation).split(".")
    return [parts[start:] for start in range(len(parts) - 1)]


def _qualifies(relation: str, dotted: Iterable[str]) -> bool:
    """Whether one of the *dotted* names may be a column with *relation*, or its end, before it."""
    starts = tuple(f"{'.'.join(parts)}." for parts in _shorter_names(relation))
    return bool(starts) and any(name.startswith(starts) for name in dotted)


def _with_qualifiers(tokenised: str, relation: str, token: str) -> str:
    """*tokenised* with *token* before those columns that *relation* qualifies in other words than dbt's.

    `from "shop"."main"."orders"` makes `main.orders.id` a name of its column, and `SHOP.main.orders.id` too.
    """
    for parts in _shorter_names(relation):
        name = r"\s*\.\s*".join(rf"[\"`\[]?{re.escape(part)}[\"`\]]?" for part in parts)
        # What follows FROM or JOIN is a relation, of which these are the database and the schema.
        found = rf"(\b(?:from|join)\s+)?(?<![\w.$\"`⟧]){name}(?=\s*\.\s*[\w\"`\[])"
        tokenised = re.sub(
            found, lambda match: match[0] if match[1] else token, tokenised, flags=re.IGNORECASE
        )
    return tokenised


class QueryNames(Struct, frozen=True, kw_only=True):
    """The SQL of one node, and what the relations in it are."""

    tokenised: str
    """Free of the environment, as far as dbt wrote the relations."""
    relations: dict[str, str]
    """Of the nodes whose tokens may be in it, by unique id."""
    named: dict[str, str]
    """Unique ids by the dotted name, in lower case, of relations that SQL names in words of its own."""
    read: tuple[str, ...]
    """Unique ids of all that it reads, sorted."""
    hard_coded: frozenset[str]
    """Those of them that dbt does not know to be read."""

    @property
    def sql(self) -> str:
        """The SQL to analyse."""
        return parseable(self.tokenised, self.relations) if OPENING in self.tokenised else self.tokenised

    def keys(self) -> dict[str, list[str]]:
        """Under which names each node's columns are given to the analysis, by unique id."""
        found: dict[str, list[str]] = defaultdict(list)
        for name, unique_id in self.named.items():
            found[unique_id].append(name)
        for unique_id in self.read:
            if unique_id in self.relations:
                found[unique_id].append(schemas_key(unique_id, self.relations[unique_id]))
        return found

    def owners(self) -> dict[str, str]:
        """Unique ids by what the analysis may call them, in lower case."""
        return {**self.named, **{parent_name(unique_id): unique_id for unique_id in self.relations}}

    def readable(self, text: str) -> str:
        """*text*, of SQL or an error, with tokens in the place of names that were made for the analysis."""
        if not _NAME.search(text):
            return text
        for unique_id, relation in self.relations.items():
            part = re.escape(unquoted(last_part(relation)))
            name = rf"\b{parent_name(unique_id)}\b[\"`\]]?\s*\.\s*[\"`\[]?{part}(?!\w)[\"`\]]?"
            token = f"{OPENING}{unique_id}{CLOSING}"
            text = re.sub(name, token.replace("\\", r"\\"), text, flags=re.IGNORECASE)
        return text


class ProjectNames:
    """Finds what each node of a project reads, by its SQL."""

    def __init__(self, nodes: Iterable[NodeMetadata], dialect: str = "") -> None:
        self._dialect = dialect
        self._nodes = {node.unique_id: node for node in nodes}
        self._readable: RelationIndex = readable_relations(self._nodes.values())
        self._by_name = self._index()

    def of(self, node: NodeMetadata) -> QueryNames:
        """The names in *node*'s compiled code."""
        code = node.compiled_code or ""
        known = self._readable.relations_of(node)
        # A relation of one bare word may be a column's or a CTE's name as well: the parser tells them apart.
        certain = {relation: owner for relation, owner in known.items() if not relation.isidentifier()}
        tokenised = tokenise(code, certain) if certain else code
        relations = {
            owner: relation
            for relation, owner in certain.items()
            if f"{OPENING}{owner}{CLOSING}" in tokenised
        }
        dotted = {without_partition(name, self._dialect) for name in _dotted_names(tokenised)}
        # One by one: the difference of a set and a dict's keys walks through every name of the project.
        unknown = {name for name in dotted if name not in self._by_name}
        for unique_id, relation in relations.items():
            if _qualifies(relation, unknown):
                tokenised = _with_qualifiers(tokenised, relation, f"{OPENING}{unique_id}{CLOSING}")
        expected = {*node.parents, *known.values(), node.unique_id}
        named = {relation.lower(): owner for relation, owner in known.items() if relation.isidentifier()}
        for name in dotted:
            if owner := self._owner(name, expected):
                named[name] = owner
        read = {*relations, *named.values()}
        return QueryNames(
            tokenised=tokenised,
            relations=relations,
            named=named,
            read=tuple(sorted(read)),
            hard_coded=frozenset(read - expected),
        )

    def _owner(self, name: str, expected: Iterable[str]) -> str | None:
        """The one node whose relation is called *name*, those of *expected* first."""
        owners = self._by_name.get(name, ())
        if len(owners) > 1:
            owners = [owner for owner in owners if owner in expected]
        return owners[0] if len(owners) == 1 else None

    def _index(self) -> dict[str, list[str]]:
        """Unique ids by `database.schema.identifier` and `schema.identifier`, in lower case."""
        found: dict[str, list[str]] = defaultdict(list)
        for node in self._nodes.values():
            if node.resource_type in READABLE and node.identifier and node.schema_name:
                if node.materialized == "ephemeral":
                    continue
                short = plain_name(f"{node.schema_name}.{node.identifier}")
                found[short].append(node.unique_id)
                if node.database_name:
                    found[f"{plain_name(node.database_name)}.{short}"].append(node.unique_id)
        return found
