"""Names of relations by the macros of a project, rendered for both sides with one target.

Schemas of two targets differ for every node. An edited `generate_schema_name` may move every node as well.
To separate both, the macros of both sides are called with the target of base.
"""

from __future__ import annotations

from functools import cached_property
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


def naming_call(key: str) -> str:
    """Return a template of the name that the macro of the part *key* chooses."""
    macro, option = NAMERS[key]
    return f"{{{{ {macro}(config.get('{option}'), model) }}}}"


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
