"""From names to nodes: what each `ref` and `source` of a project means.

https://docs.getdbt.com/reference/dbt-jinja-functions/ref
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence

from msgspec.structs import replace

from recce_meta.extractors.sql_project.inputs import Inputs
from recce_meta.extractors.sql_project.nodes import Draft
from recce_meta.extractors.sql_project.place import relation_name
from recce_meta.models import EdgeOrigin, NodeMetadata
from recce_meta.models.node import GUESS, LIKELY, referred

_REFERABLE = frozenset(["model", "seed", "snapshot"])


class Names:
    """The nodes of a project by the names that templates use."""

    def __init__(self, drafts: Iterable[Draft], inputs: Inputs) -> None:
        self._inputs = inputs
        self._root = inputs.root.name
        self._by_name: dict[str, list[Draft]] = defaultdict(list)
        self._sources: dict[tuple[str, str], list[NodeMetadata]] = defaultdict(list)
        self._disabled: set[str] = set()
        self.undeclared: dict[str, NodeMetadata] = {}
        """Sources that are read and that no property file declares."""
        for draft in drafts:
            node = draft.node
            if not draft.is_enabled:
                self._disabled.add(node.name)
            elif node.resource_type == "source":
                self._sources[node.source_name or "", node.name].append(node)
            elif node.resource_type in _REFERABLE:
                self._by_name[node.name].append(draft)

    def parents(self, draft: Draft) -> tuple[str, ...]:
        """Unique ids of what *draft* reads; one that is missing is named as it would be."""
        node, found = draft.node, set()
        for package, name, version in draft.facts.dependencies.refs:
            target = self._ref(package, name, version, node.package_name)
            if target is None:
                target = ".".join(
                    ["model", package or node.package_name, name, *([f"v{version}"] if version else [])]
                )
                why = "is disabled" if name in self._disabled else "is nowhere"
                self._inputs.warnings.append(f"{node.path}: {name}, which it refers to, {why}")
            found.add(target)
        for source, table in draft.facts.dependencies.sources:
            found.add(self._source(source, table, node))
        return tuple(sorted(found))

    def _ref(self, package: str | None, name: str, version: str | None, own: str) -> str | None:
        candidates = [
            draft
            for draft in self._by_name.get(name, ())
            if (draft.node.version == version if version is not None else draft.is_latest)
        ]
        packages: Sequence[str] = [package] if package is not None else [own, self._root]
        for wanted in packages:
            for draft in candidates:
                if draft.node.package_name == wanted:
                    return draft.node.unique_id
        return candidates[0].node.unique_id if candidates and package is None else None

    def _source(self, source: str, table: str, node: NodeMetadata) -> str:
        candidates = self._sources.get((source, table), ())
        for package in (node.package_name, self._root):
            for candidate in candidates:
                if candidate.package_name == package:
                    return candidate.unique_id
        if candidates:
            return candidates[0].unique_id
        unique_id = f"source.{node.package_name}.{source}.{table}"
        if unique_id not in self.undeclared:
            self._inputs.warnings.append(f"{node.path}: source {source}.{table} is declared nowhere")
            self.undeclared[unique_id] = NodeMetadata(
                unique_id=unique_id,
                name=table,
                resource_type="source",
                package_name=node.package_name,
                fqn=(node.package_name, source, table),
                schema_name=source,
                identifier=table,
                relation_name=relation_name(None, source, table, self._inputs.dialect),
                source_name=source,
            )
        return unique_id


def resolved(drafts: Sequence[Draft], inputs: Inputs, reused: set[str]) -> list[NodeMetadata]:
    """The nodes of *drafts* that are enabled, with their parents; those *reused* have theirs already."""
    names = Names(drafts, inputs)
    found: dict[str, NodeMetadata] = {}
    for draft in drafts:
        if not draft.is_enabled:
            continue
        node = draft.node
        if node.unique_id in found:
            first = found[node.unique_id].path
            inputs.warnings.append(f"{node.path} was left out: {first} is {node.unique_id} already")
            continue
        parents = node.parents if node.unique_id in reused else names.parents(draft)
        found[node.unique_id] = replace(node, parents=parents)
    _tell_gone(found, reused, inputs)
    declared = frozenset(found)
    for unique_id, source in names.undeclared.items():
        found.setdefault(unique_id, source)
    return [
        replace(found[unique_id], edge_origins=_origins(found[unique_id].parents, declared))
        for unique_id in sorted(found)
    ]


def _origins(parents: Iterable[str], declared: Container[str]) -> dict[str, EdgeOrigin]:
    """Return how the edges to *parents* are known: less surely if the project does not have the node.

    Every branch of a template counts, while dbt takes one: so no edge is sure.
    """
    likely = referred((parent for parent in parents if parent in declared), LIKELY)
    return likely | referred((parent for parent in parents if parent not in declared), GUESS)


def _tell_gone(found: dict[str, NodeMetadata], reused: set[str], inputs: Inputs) -> None:
    for unique_id in sorted(reused & found.keys()):
        node = found[unique_id]
        for parent in node.parents:
            if parent not in found and not parent.startswith("source."):
                inputs.warnings.append(f"{node.path}: {parent}, which it refers to, is disabled")
