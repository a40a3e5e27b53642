"""Names that replace a project's relations in the analysis of one query, and sqlglot's names of adapters.

A relation is written as two parts. The first is derived from the node's unique id, which is the same in every
environment. The second is the last part of the relation as dbt wrote it, which may qualify columns (`select
orders.id from "shop"."main"."orders"`). The map from dbt adapters to sqlglot dialects is static, so that
sqlglot need not be loaded.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from hashlib import sha256

from msgspec import Struct

from recce_meta.models.node import NodeMetadata, target_place
from recce_meta.models.node_types import WITH_ROWS
from recce_meta.models.relation_tokens import (
    CLOSING,
    INJECTED,
    OPENING,
    RelationIndex,
    injected_names,
    readable_relations,
    resolve,
    tokenise,
)

_READ_AS = {
    "athena": "athena",
    "bigquery": "bigquery",
    "clickhouse": "clickhouse",
    "cockroachdb": "postgres",
    "crate": "postgres",
    "databricks": "databricks",
    "doris": "doris",
    "drill": "drill",
    "druid": "druid",
    "duckdb": "duckdb",
    "fabric": "tsql",
    "fabricspark": "spark",
    "firebolt": "postgres",
    "glue": "spark",
    "greenplum": "postgres",
    "hive": "hive",
    "hologres": "postgres",
    "impala": "hive",
    "ksql": "",
    "layer_bigquery": "bigquery",
    "mariadb": "mysql",
    "materialize": "materialize",
    "motherduck": "duckdb",
    "mysql": "mysql",
    "mysql5": "mysql",
    "netezza": "postgres",
    "oracle": "oracle",
    "postgres": "postgres",
    "postgresql": "postgres",
    "presto": "presto",
    "redshift": "redshift",
    "risingwave": "risingwave",
    "singlestore": "mysql",
    "snowflake": "snowflake",
    "spark": "spark",
    "spark2": "spark2",
    "sqlite": "sqlite",
    "sqlserver": "tsql",
    "starburst": "trino",
    "starrocks": "starrocks",
    "synapse": "tsql",
    "teradata": "teradata",
    "tidb": "mysql",
    "timescaledb": "postgres",
    "trino": "trino",
    "tsql": "tsql",
    "vertica": "postgres",
    "yellowbrick": "postgres",
}
"""Dialects of sqlglot 26, by dbt's adapter type and by sqlglot's own name."""


_CASE_COUNTS = frozenset(["clickhouse"])
"""Dialects in which `id` and `ID` are two columns."""


_DECORATOR = re.compile(r"\$(\d+|__\w+__)$", re.ASCII | re.IGNORECASE)


def dialect_of(adapter_type: str | None) -> str | None:
    """Return sqlglot's dialect for *adapter_type*, or None if unknown: standard SQL is then assumed."""
    return _READ_AS.get((adapter_type or "").lower()) or None


def canonical_name(column: str, dialect: str | None) -> str:
    """Return one canonical spelling for a *column* that does not appear in any column list.

    >>> canonical_name("Amount", "snowflake"), canonical_name("Amount", "clickhouse")
    ('amount', 'Amount')
    """
    return column if dialect in _CASE_COUNTS else column.lower()


def without_partition(name: str, dialect: str) -> str:
    """Return the table *name* without a partition decorator.

    https://cloud.google.com/bigquery/docs/managing-partition-data#partition_decorators

    >>> without_partition("shop.orders$20240101", "bigquery")
    'shop.orders'
    """
    return _DECORATOR.sub("", name) if dialect == "bigquery" and "$" in name else name


_PART = r'(?:"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|[^\W\d][\w$-]*)'
_RELATION = re.compile(rf"(?:{_PART}\s*\.\s*)*({_PART})")
_QUOTES = '"`[]'
_FROM = re.compile(rf"\b(?:from|join)\s+({_PART})", re.IGNORECASE)
_BARE = re.compile(rf"(?<!distinct\s)\b(?:from|join)\s+({_PART})(?!\w|\s*[.(])", re.IGNORECASE)
"""A relation or CTE that SQL names without a schema."""
_SENDING = frozenset(["execute", "query", "sql", "table"])
"""Methods of Python's sessions and connections that take SQL or the name of a relation."""
_NO_NAME = re.compile(
    r"""(?P<name>"[^"]*"|`[^`]*`)|'[^']*'|--[^
]*|/\*.*?\*/|⟦[^⟧]*⟧""",
    re.DOTALL,
)
"""A string, comment or token; quoted names are matched first, because they may contain one."""
_DOTTED = re.compile(r"[\w$-]+(?:\.[\w$-]+)+")
PARENT_NAME = re.compile(r"\bn[0-9a-f]{16}\b", re.IGNORECASE)

_SEARCHED = {"duckdb": "main", "postgres": "public", "redshift": "public", "sqlite": "main"}
"""Schema in which a warehouse finds names without a schema, by dialect."""


def parent_name(unique_id: str) -> str:
    """Return the name that replaces *unique_id* before the dot: a plain identifier in every dialect.

    >>> parent_name("model.shop.orders")
    'n8f58469473520277'
    """
    return f"n{sha256(unique_id.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def last_part(relation: str) -> str:
    """Return the last part of *relation* with its quotes, or `t` if it is a call, such as a file reader.

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
    """Return the key of *unique_id*, whose relation is *relation*, in the known schemas."""
    return f"{parent_name(unique_id)}.{without_quotes(last_part(relation))}"


def without_quotes(part: str) -> str:
    """Return one part of a name without its quotes."""
    if part[0] == '"':
        return part[1:-1].replace('""', '"')
    return part[1:-1] if part[0] in "`[" else part


def parseable_sql(tokenised: str, relations: Mapping[str, str]) -> str:
    """Return *tokenised* SQL with names that every dialect can parse; *relations* are by unique id."""
    return resolve(
        tokenised,
        {
            unique_id: f"{parent_name(unique_id)}.{last_part(relation)}"
            for unique_id, relation in relations.items()
        },
    )


def plain_name(name: str) -> str:
    """Return the relation *name* without quotes and in lower case, for comparison."""
    for quote in _QUOTES:
        if quote in name:
            name = name.replace(quote, "")
    return name.lower()


def _dotted_names(sql: str) -> set[str]:
    """Return every possible dotted relation name in *sql*, as normalized by `plain_name`."""
    # Only words with dots, because the regular expression is slow on whole queries.
    words = plain_name(sql).split()
    return set(_DOTTED.findall(" ".join([word for word in words if "." in word])))


def names_in_python(code: str) -> set[str]:
    """Return the possible relation names in the strings of Python *code*, as `plain_name` has them.

    >>> sorted(names_in_python("session.sql('select a from main.t join u')"))
    ['main', 'main.t', 'u']
    """
    try:
        parts = [*ast.walk(ast.parse(code))]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _dotted_names(code) | set(re.findall(r"\w+", plain_name(code)))
    described = {id(one.value) for one in parts if isinstance(one, ast.Expr)}
    constants = [one for one in parts if isinstance(one, ast.Constant) and id(one) not in described]
    texts = [one.value for one in constants if isinstance(one.value, str)]
    found = {name for text in texts for name in _dotted_names(text)}
    found |= {plain_name(name) for text in texts for name in _FROM.findall(text)}
    # A name may be an argument, or a part of computed SQL.
    calls = (one.func for one in parts if isinstance(one, ast.Call))
    if any(isinstance(call, ast.Attribute) and call.attr in _SENDING for call in calls):
        found |= {plain_name(text) for text in texts if text.isidentifier()}
    return found


def _shorter_names(relation: str) -> list[list[str]]:
    """Return the lower-case parts of *relation*, in full and, if at least two remain, without the first."""
    parts = plain_name(relation).split(".")
    return [parts[start:] for start in range(len(parts) - 1)]


def _qualifies(relation: str, dotted: Iterable[str]) -> bool:
    """Return whether one of the *dotted* names may be a column qualified by *relation* or its ending."""
    starts = tuple(f"{'.'.join(parts)}." for parts in _shorter_names(relation))
    return bool(starts) and any(name.startswith(starts) for name in dotted)


def _with_qualifiers(tokenised: str, relation: str, token: str) -> str:
    """Return *tokenised* with *token* as the qualifier of columns that spell *relation* differently from dbt.

    `from "shop"."main"."orders"` allows both `main.orders.id` and `SHOP.main.orders.id` as column names.
    """
    for parts in _shorter_names(relation):
        name = r"\s*\.\s*".join(rf"[\"`\[]?{re.escape(part)}[\"`\]]?" for part in parts)
        # After FROM or JOIN, the match is the database and schema of a relation.
        found = rf"(\b(?:from|join)\s+)?(?<![\w.$\"`⟧]){name}(?=\s*\.\s*[\w\"`\[])"
        tokenised = re.sub(
            found, lambda match: match[0] if match[1] else token, tokenised, flags=re.IGNORECASE
        )
    return tokenised


_BY_PLACE = re.compile(
    rf"""
    \b(union | intersect | except | minus | insert)\b
    | \bby\s (?: (?!\bby\s) [^()] )*? \b\d  # an ordinal
    | {CLOSING}\s+(as\s+)?\w+\s*\(  # an alias with column names
    | \(\s*{OPENING}[^{OPENING}{CLOSING}]*{CLOSING}\s*[,)]  # a whole row, named by its relation
    | \#\d
    | (?: ^ | [();] | --[^\n]*\n ) \s* (from | table)\b  # a query without SELECT
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Pattern in SQL that reads columns by position without a `*`, except for a whole row as a value."""

_ROW_NAMED = re.compile(
    rf"""
    {OPENING}[^{OPENING}{CLOSING}]*?(\w+){CLOSING}(?:\s+(?:as\s+)?(\w+))?
    | \b(\w+)\s+as\s*\(
    | \)\s*(?:as\s+)?(\w+)\b(?!\s*(?:,|from\b))
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A relation and its alias, a CTE or a subquery: names that may refer to a whole row."""

_VALUE = re.compile(
    r"""
    (?: [(,<>=!+\-*/%|&:\[]
    | \b(?:and|between|by|case|distinct|else|having|in|not|on|or|qualify|select|then|when|where) )
    \s* (\w+)\b (?! \s* (?: [.(] | as\s*\( ) )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A word at the start of an expression, which may be a row: `f(row)`, `select row from`, `where row < x`."""


def may_read_by_place(sql: str) -> bool:
    """Return True if *sql* may depend on the position of columns, or pass all columns of a relation on."""
    if "*" in sql or _BY_PLACE.search(sql):
        return True
    rows = {name.lower() for found in _ROW_NAMED.findall(sql) for name in found if name}
    return any(word.lower() in rows for word in _VALUE.findall(sql))


class QueryNames(Struct, frozen=True, kw_only=True):
    """The SQL of one node, and the relations in it."""

    tokenised: str
    """SQL with the relations that dbt wrote replaced by tokens, independent of the environment."""
    relations: dict[str, str]
    """Relations by unique id of the nodes whose tokens may be in the SQL."""
    named: dict[str, str]
    """Unique ids by lower-case dotted name of relations named without ref or source."""
    read: tuple[str, ...]
    """Unique ids of all nodes read, sorted."""
    hard_coded: frozenset[str]
    """Nodes read that are not in dbt's dependencies."""
    injected: dict[str, str] = {}
    """Ephemeral models by the lower-case names of the CTEs that dbt put into the SQL."""

    @property
    def sql(self) -> str:
        """Return the SQL to analyse."""
        return parseable_sql(self.tokenised, self.relations) if OPENING in self.tokenised else self.tokenised

    def keys(self) -> dict[str, list[str]]:
        """Return the names of each node's columns in the analysis, by unique id."""
        found: dict[str, list[str]] = defaultdict(list)
        for name, unique_id in self.named.items():
            found[unique_id].append(name)
        for unique_id in self.read:
            if unique_id in self.relations:
                found[unique_id].append(schemas_key(unique_id, self.relations[unique_id]))
        return found

    def owners(self) -> dict[str, str]:
        """Return unique ids by the names that the analysis may use, in lower case."""
        made = {parent_name(unique_id): unique_id for unique_id in self.relations}
        return {**self.named, **self.injected, **made}

    def readable(self, text: str) -> str:
        """Return *text* (SQL or an error) with tokens instead of the names made for the analysis."""
        if not PARENT_NAME.search(text):
            return text
        for unique_id, relation in self.relations.items():
            part = re.escape(without_quotes(last_part(relation)))
            name = rf"\b{parent_name(unique_id)}\b[\"`\]]?\s*\.\s*[\"`\[]?{part}(?!\w)[\"`\]]?"
            token = f"{OPENING}{unique_id}{CLOSING}"
            text = re.sub(name, token.replace("\\", r"\\"), text, flags=re.IGNORECASE)
        return text


class RelationFinder:
    """Finder of the relations that each node of a project reads in its SQL."""

    def __init__(self, nodes: Iterable[NodeMetadata], dialect: str = "") -> None:
        self._dialect = dialect
        self._nodes = {node.unique_id: node for node in nodes}
        self._readable: RelationIndex = readable_relations(self._nodes.values())
        self._by_name = self._index()

    def of(self, node: NodeMetadata) -> QueryNames:
        """Return the names in *node*'s compiled code."""
        code = node.compiled_code or ""
        known = self._readable.relations_of(node)
        # A relation with a single-word name may also be a column or a CTE: the parser distinguishes them.
        certain = {relation: owner for relation, owner in known.items() if not relation.isidentifier()}
        tokenised = tokenise(code, certain) if certain else code
        relations = {
            owner: relation
            for relation, owner in certain.items()
            if f"{OPENING}{owner}{CLOSING}" in tokenised
        }
        dotted = {without_partition(name, self._dialect) for name in _dotted_names(tokenised)}
        # One by one, since a set difference with a dict's keys iterates over every name of the project.
        unknown = {name for name in dotted if name not in self._by_name}
        for unique_id, relation in relations.items():
            if _qualifies(relation, unknown):
                tokenised = _with_qualifiers(tokenised, relation, f"{OPENING}{unique_id}{CLOSING}")
        expected = {*node.parents, *known.values(), node.unique_id}
        named = {relation.lower(): owner for relation, owner in known.items() if relation.isidentifier()}
        for name in (*dotted, *self._bare_names(tokenised)):
            if owner := self._owner(name, expected):
                named[name] = owner
        read = {*relations, *named.values()}
        return QueryNames(
            tokenised=tokenised,
            relations=relations,
            named=named,
            read=tuple(sorted(read)),
            hard_coded=frozenset(read - expected),
            injected=self._injected(node, tokenised.lower()) if INJECTED in tokenised.lower() else {},
        )

    def direct_reads(self, node: NodeMetadata) -> set[str]:
        """Return the nodes that *node* reads without `ref` or `source`, by names in its SQL or Python."""
        is_python = node.language == "python"
        code = node.raw_code if is_python else node.compiled_code
        if not code:
            return set()
        expected = {*node.parents, *self._readable.relations_of(node).values(), node.unique_id}
        names = names_in_python(code) if is_python else _dotted_names(code) | self._bare_names(code)
        owners = (self._owner(without_partition(name, self._dialect), expected) for name in names)
        found = {owner for owner in owners if owner}
        if is_python:
            found.update(*(self._by_identifier.get(name, ()) for name in names))
        return found - expected

    def named_in(self, code: str) -> set[str]:
        """Return the nodes whose relations *code* names outside of strings, comments and tokens."""
        text = _NO_NAME.sub(lambda found: found["name"] or " ", code)
        names = _dotted_names(text) | self._bare_names(text)
        return {owner for name in names if (owner := self._owner(name, ()))}

    def direct_readers(self, writers: Mapping[str, Iterable[str]]) -> Mapping[str, list[str]]:
        """Return the nodes that read a node without `ref` or `source`, or follow it as one of *writers*.

        *writers* are the `hook_writers` of the project.
        """
        found: dict[str, list[str]] = defaultdict(list)
        read = ((unique_id, self.direct_reads(node)) for unique_id, node in self._nodes.items())
        for child, parents in (*read, *writers.items()):
            for parent in parents:
                found[parent].append(child)
        return found

    def _bare_names(self, code: str) -> set[str]:
        """Return the names without a schema that *code* reads from, if they are relations and no CTEs."""
        found = {plain_name(name) for name in _BARE.findall(code)}
        return {
            name
            for name in found
            if name in self._by_name
            and not re.search(
                rf"\b{re.escape(name)}\W?\s*(?:\([^()]*\)\s*)?as\s*(?:(?:not\s+)?materialized\s*)?\(",
                code,
                re.IGNORECASE,
            )
        }

    @cached_property
    def _by_identifier(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for name, owners in self._by_name.items():
            found[name.rpartition(".")[2]] += owners
        return found

    def _injected(self, node: NodeMetadata, code: str) -> dict[str, str]:
        """Return the ephemeral models whose CTEs are in *code*, by the names of the CTEs."""
        found: dict[str, str] = {}
        waiting, seen = [*node.parents], set[str]()
        while waiting:
            unique_id = waiting.pop()
            parent = self._nodes.get(unique_id)
            if unique_id not in seen and parent is not None and parent.is_ephemeral:
                seen.add(unique_id)
                found |= {name: unique_id for name in injected_names(parent, unique_id) if name in code}
                waiting += parent.parents
        return found

    def _owner(self, name: str, expected: Iterable[str]) -> str | None:
        """Return the only node whose relation is called *name*, preferring *expected*."""
        owners = self._by_name.get(name, ())
        if len(owners) > 1:
            owners = [owner for owner in owners if owner in expected]
        return owners[0] if len(owners) == 1 else None

    def _index(self) -> dict[str, list[str]]:
        """Return unique ids by `database.schema.identifier` and `schema.identifier`, in lower case.

        A relation in the target's schema, or in one that the warehouse searches, has a name without it.
        """
        searched = {target_place(self._nodes.values())[1], _SEARCHED.get(self._dialect)}
        found: dict[str, list[str]] = defaultdict(list)
        for node in self._nodes.values():
            if node.resource_type in WITH_ROWS and node.identifier and node.schema_name:
                # An ephemeral model has no relation: a relation of that name is not this node.
                if node.is_ephemeral:
                    continue
                short = plain_name(f"{node.schema_name}.{node.identifier}")
                found[short].append(node.unique_id)
                if node.schema_name in searched:
                    found[plain_name(node.identifier)].append(node.unique_id)
                if node.database_name:
                    found[f"{plain_name(node.database_name)}.{short}"].append(node.unique_id)
        return found
