"""One of the two sides that are compared: nodes, macros and the environment they were built in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from recce_meta.diff.code import INJECTED, jinja_names, tokens, unwrapped, without_injected
from recce_meta.models import (
    MacroMetadata,
    NodeMetadata,
    Project,
    RunMetadata,
    target_place,
)
from recce_meta.models.tokens import CLOSING, OPENING, RelationIndex, tokenise

BUILTIN_ADAPTERS = frozenset(
    """
    athena bigquery clickhouse databricks duckdb fabric oracle postgres redshift singlestore snowflake spark
    sqlite sqlserver starrocks synapse trino
    """.split()
)

VOLATILE = frozenset(["run_started_at", "invocation_id", "thread_id", "dbt_version", "modules"])
"""Names whose value differs between any two runs."""
VARIABLES = frozenset(["var", "env_var"])


def is_builtin(package: str) -> bool:
    """Whether macros of *package* come with dbt or an adapter, and so change only with their version."""
    return package == "dbt" or package.removeprefix("dbt_") in BUILTIN_ADAPTERS


@dataclass(frozen=True)
class Side:
    """Nodes (groups among them) and macros by unique id.

    `tokenised` says that compiled code is in its environment-free form already. Nodes and macros may be
    only those that matter for a comparison.
    """

    nodes: Mapping[str, NodeMetadata]
    macros: Mapping[str, MacroMetadata] = field(default_factory=dict)
    run: RunMetadata | None = None
    tokenised: bool = False

    @classmethod
    def of(cls, source: Project | Mapping[str, NodeMetadata] | Iterable[NodeMetadata]) -> Side:
        """The side that an extracted or loaded project is, or a collection of nodes."""
        if isinstance(source, Project):
            nodes = {node.unique_id: node for node in (*source.nodes, *source.groups)}
            return cls(nodes, {macro.unique_id: macro for macro in source.macros}, source.run)
        if isinstance(source, Mapping):
            return cls(source)
        return cls({node.unique_id: node for node in source})

    @cached_property
    def place(self) -> tuple[str | None, str | None]:
        """The target's database and schema."""
        if self.run is not None:
            return self.run.target_database, self.run.target_schema
        return target_place(self.nodes.values())

    @property
    def target_name(self) -> str | None:
        """The target's name in profiles.yml, where it is known."""
        return self.run.target_name if self.run else None

    @property
    def adapter(self) -> str | None:
        """dbt's adapter_type, where it is known."""
        return self.run.adapter_type if self.run else None

    @property
    def dbt_version(self) -> str | None:
        """dbt's version, where it is known."""
        return self.run.dbt_version if self.run else None

    def compiled(self, node: NodeMetadata) -> str | None:
        """The node's compiled code with tokens for relations."""
        code = node.compiled_code
        return code if self.tokenised or not code else tokenise(code, self._relations.relations_of(node))

    @cached_property
    def _relations(self) -> RelationIndex:
        return RelationIndex(self.nodes)

    def compiled_tokens(self, node: NodeMetadata, adapter: str | None) -> tuple[str, ...] | None:
        """The tokens of the node's own compiled SQL: relations by unique id, without injected CTEs."""
        code = self.compiled(node)
        if code is None:
            return None
        found = tokens(unwrapped(code), adapter, jinja=False)
        return without_injected(found, self._injected_names(node)) if INJECTED in code else found

    def _injected_names(self, node: NodeMetadata) -> dict[str, str]:
        """Under which names dbt injects the node's ephemeral parents."""
        names: dict[str, str] = {}
        for parent in node.parents:
            other = self.nodes.get(parent)
            plain = "_".join(parent.split(".")[2:])  # a versioned model is called name_v1
            for name in (plain, other and other.identifier):
                if name:
                    names[f"{INJECTED}{name}".lower()] = f"{OPENING}{parent}{CLOSING}"
        return names

    def closure(self, macros: Iterable[str]) -> set[str]:
        """*macros* and every macro that they call in turn."""
        found: set[str] = set()
        waiting = list(macros)
        while waiting:
            unique_id = waiting.pop()
            if unique_id not in found:
                found.add(unique_id)
                if macro := self.macros.get(unique_id):
                    waiting.extend(macro.macros)
        return found

    def mentions(self, node: NodeMetadata) -> frozenset[str]:
        """Every Jinja name that the node's source and the project's macros behind it mention."""
        names = set(jinja_names(node.raw_code or ""))
        for unique_id in self.closure(node.macros):
            macro = self.macros.get(unique_id)
            if macro is not None and not is_builtin(macro.package_name):
                names |= jinja_names(macro.macro_sql)
        return frozenset(names)

    def macro_named(self, name: str) -> list[str]:
        """Unique ids of macros called *name* that do not come with dbt."""
        return self._by_name.get(name, [])

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for macro in self.macros.values():
            if not is_builtin(macro.package_name):
                found.setdefault(macro.name, []).append(macro.unique_id)
        return found
