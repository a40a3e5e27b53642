"""Names of relations by the macros of a project, rendered for both sides with one target.

Schemas of two targets differ for every node. An edited `generate_schema_name` may move every node as well.
To separate both, the macros of both sides are called with the target of base.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING

from recce_meta.diff.project_side import ProjectSide
from recce_meta.errors import TemplateError
from recce_meta.lazy import LazyModule
from recce_meta.models import NodeMetadata

if TYPE_CHECKING:
    from recce_meta import render
    from recce_meta.render import SimpleTemplateRenderer
else:
    render = LazyModule("recce_meta.render")

NAMERS = {
    "database_name": ("generate_database_name", "database"),
    "schema_name": ("generate_schema_name", "schema"),
    "identifier": ("generate_alias_name", "alias"),
}
"""Macros by which a project chooses locations, and the configuration that they read."""
NAMER_MACROS = frozenset(macro for macro, _ in NAMERS.values())
PLACED = frozenset(["model", "seed", "snapshot"])
"""Resource types whose relations these macros place."""


def naming_call(key: str, configured: str = "") -> str:
    """Return a template of the name that the macro of the part *key* chooses.

    *configured* is an expression of the node's configuration; it is read from `config` if empty.
    """
    macro, option = NAMERS[key]
    argument = configured or f"config.get('{option}')"
    return f"{{{{ {macro}({argument}, model) }}}}"


class RelationNames:
    """Names of nodes of both sides in the target of base."""

    def __init__(self, base: ProjectSide, current: ProjectSide) -> None:
        self._base, self._current = base, current

    def differ(self, key: str, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Return True if the macros of both sides certainly name the part *key* otherwise."""
        call = naming_call(key)
        try:
            old, new = (
                renderer.render(call, node=node.unique_id).strip()
                for renderer, node in zip(self._renderers, (before, after), strict=True)
            )
        except TemplateError:
            return False
        return old != new

    def moved_elsewhere(
        self, changed: Mapping[str, Collection[str]], writes_otherwise: Callable[[str, str | None], bool]
    ) -> dict[str, frozenset[str]]:
        """Return the *changed* macros of each part that move nodes on other targets only, with these nodes.

        *writes_otherwise* returns True if a template may have other text on any target.
        """
        found: dict[str, set[str]] = defaultdict(set)
        moves = cache(writes_otherwise)
        for key in filter(changed.get, NAMERS):
            option = NAMERS[key][1]
            for unique_id, after in self._current.nodes.items():
                before = self._base.nodes.get(unique_id)
                if before is None or after.resource_type not in PLACED or not after.relation_name:
                    continue
                # dbt takes `target_schema` of a snapshot as it is.
                if after.config.get(f"target_{option}"):
                    continue
                configured = after.config.get(option)
                call = naming_call(key, "none" if configured is None else json.dumps(str(configured)))
                stays = getattr(before, key) == getattr(after, key) or not self.differ(key, before, after)
                for macro in changed[key] if stays and moves(call, after.package_name) else ():
                    found[macro].add(unique_id)
        return {macro: frozenset(ids) for macro, ids in found.items()}

    @cached_property
    def _renderers(self) -> tuple[SimpleTemplateRenderer, ...]:
        database, schema = self._base.place
        names = {"name": self._base.target_name, "target_name": self._base.target_name}
        place = {"database": database, "dbname": database, "schema": schema, "dataset": schema, **names}
        return tuple(
            render.SimpleTemplateRenderer(
                None,
                side.nodes,
                macros=side.macros.values(),
                run=side.run,
                infer_variables=False,
                context=render.TemplateContext(target=place),
            )
            for side in (self._base, self._current)
        )
