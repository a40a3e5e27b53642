"""Which node a `ref` or `source` means: dbt's rules, and near matches where none fits.

A plain name is looked for in the package of the node that asks, then in the root project, then in all
others: https://docs.getdbt.com/reference/dbt-jinja-functions/ref
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from recce_meta.errors import TemplateError
from recce_meta.models import NodeMetadata

REFABLE = frozenset(["model", "seed", "snapshot"])


class NodeLookup:
    """Nodes by the names that templates use."""

    def __init__(self, nodes: Iterable[NodeMetadata], root: str | None) -> None:
        self._root = root
        self._refs: dict[str, list[NodeMetadata]] = defaultdict(list)
        self._versions: dict[str, list[str]] = defaultdict(list)
        self._sources: dict[tuple[str, str], list[NodeMetadata]] = defaultdict(list)
        self._functions: dict[str, list[NodeMetadata]] = defaultdict(list)
        newest: dict[tuple[str, str], NodeMetadata] = {}
        for node in nodes:
            self._add(node, newest)
        for node in newest.values():
            self._refs[node.name].append(node)

    def _add(self, node: NodeMetadata, newest: dict[tuple[str, str], NodeMetadata]) -> None:
        if node.resource_type == "source":
            self._sources[node.source_name or "", node.name].append(node)
        elif node.resource_type == "function":
            self._functions[node.name].append(node)
        elif node.resource_type in REFABLE:
            if node.version is None:
                self._refs[node.name].append(node)
                return
            self._refs[f"{node.name}.v{node.version}"].append(node)
            self._versions[node.name].append(node.version)
            key = node.package_name, node.name
            latest = node.properties.get("latest_version")
            if latest is not None:
                if str(latest) == node.version:
                    newest[key] = node
            elif key not in newest or _rank(node.version) > _rank(newest[key].version or ""):
                newest[key] = node

    def ref(self, name: str, package: str | None, version: str | None, asking: str | None) -> NodeMetadata:
        """The node of `ref(package, name, version=version)` in a template of the package *asking*."""
        key = name if version is None else f"{name}.v{version}"
        found = self._choose(
            self._refs.get(key, ()), package, asking, f"ref('{key}')", "ref('package', 'name')"
        )
        if found is None:
            raise self._no_ref(name, package, version)
        return found

    def source(self, source: str, table: str, asking: str | None) -> NodeMetadata:
        """The node of `source(source, table)`."""
        candidates = self._sources.get((source, table), ())
        found = self._choose(candidates, None, asking, f"source('{source}', '{table}')", "other source names")
        if found is None:
            raise self._no_source(source, table)
        return found

    def function(self, name: str, package: str | None, asking: str | None) -> NodeMetadata:
        """The node of `function(name)`."""
        found = self._choose(
            self._functions.get(name, ()),
            package,
            asking,
            f"function('{name}')",
            "function('package', 'name')",
        )
        if found is None:
            raise TemplateError(
                f"No function is called '{name}'", name=name, hint=_near(name, self._functions)
            )
        return found

    def _choose(
        self,
        candidates: Sequence[NodeMetadata],
        package: str | None,
        asking: str | None,
        call: str,
        instead: str,
    ) -> NodeMetadata | None:
        order = [package] if package is not None else [asking, self._root]
        for chosen in order:
            for node in candidates:
                if chosen is not None and node.package_name == chosen:
                    return node
        if package is not None or not candidates:
            return None
        if len(candidates) > 1:
            ids = ", ".join(sorted(node.unique_id for node in candidates))
            raise TemplateError(
                f"{call} names {len(candidates)} nodes: {ids}",
                name=candidates[0].name,
                hint=f"say which: {instead}",
            )
        return candidates[0]

    def _no_ref(self, name: str, package: str | None, version: str | None) -> TemplateError:
        if version is not None and name in self._versions:
            known = ", ".join(sorted(self._versions[name]))
            return TemplateError(
                f"'{name}' has no version {version}", name=name, hint=f"its versions are: {known}"
            )
        if package is not None and (elsewhere := self._refs.get(name)):
            packages = ", ".join(sorted({f"'{node.package_name}'" for node in elsewhere}))
            return TemplateError(
                f"Package '{package}' has no model, seed or snapshot '{name}'",
                name=name,
                hint=f"it is in {packages}",
            )
        tables = sorted(f"source('{source}', '{table}')" for source, table in self._sources if table == name)
        hint = f"did you mean {tables[0]}?" if tables else _near(name, self._refs)
        return TemplateError(f"No model, seed or snapshot is called '{name}'", name=name, hint=hint)

    def _no_source(self, source: str, table: str) -> TemplateError:
        tables = sorted(known for owner, known in self._sources if owner == source)
        if tables:
            return TemplateError(
                f"Source '{source}' has no table '{table}'", name=table, hint=_near(table, tables)
            )
        names = sorted({owner for owner, _ in self._sources})
        return TemplateError(f"No source is called '{source}'", name=source, hint=_near(source, names))


def _rank(version: str) -> tuple[bool, float, str]:
    """How versions are ordered where no node says which is the latest: numbers, else text."""
    try:
        return True, float(version), ""
    except ValueError:
        return False, 0.0, version


def _near(name: str, known: Iterable[str] | Mapping[str, object]) -> str | None:
    """What *name* may have been meant to be."""
    names = sorted(known)
    near = get_close_matches(name, names, n=3)
    if near:
        return "did you mean " + " or ".join(f"'{match}'" for match in near) + "?"
    if not names:
        return "the run holds none at all"
    return f"one of: {', '.join(names[:8])}{', …' if len(names) > 8 else ''}"
