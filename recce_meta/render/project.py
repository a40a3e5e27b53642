"""What all templates of one run share: its nodes and macros, target and variables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from recce_meta.models import MacroMetadata, NodeMetadata, RunMetadata
from recce_meta.models.environment import target_place
from recce_meta.profiles.project_file import ProjectSettings
from recce_meta.render.evidence import Evidence
from recce_meta.render.lookup import NodeLookup
from recce_meta.render.macros import MacroLibrary
from recce_meta.render.notes import Notes
from recce_meta.render.sandbox import Sandbox

_FLAGS = {
    "FULL_REFRESH": False,
    "STORE_FAILURES": False,
    "WHICH": "compile",
    "EMPTY": False,
    "USE_COLORS": False,
    "PRINT": False,
    "DEFER": False,
    "WARN_ERROR": False,
}
_CTE_UPPER = (0, 20)
"""Before dbt 0.20, CTEs of ephemeral models are named `__dbt__CTE__…`."""
_CTE_BY_ALIAS = (1, 8)
"""Since dbt 1.8 they are named after the model's alias, before after its name."""


_WRAPPING = (2, 0)
_UNKNOWN = (99, 0)


class ProjectNames:
    """One run, as far as templates may ask about it."""

    def __init__(
        self,
        nodes: Mapping[str, NodeMetadata],
        macros: Iterable[MacroMetadata],
        run: RunMetadata | None,
        *,
        sandbox: Sandbox,
        adapter_type: str | None,
        variables: Mapping[str, Any],
        settings: ProjectSettings | None,
        environ: Mapping[str, str],
        target: Mapping[str, Any],
    ) -> None:
        self.nodes = nodes
        self.run = run
        self.notes = Notes()
        self.evidence: Evidence | None = None
        """What else tells of variables, if anything may."""
        self.variables, self.environ, self.settings = variables, environ, settings
        self.root = run.project_name if run is not None else _only_package(nodes.values())
        given = target.get("type")
        known = run.adapter_type if run is not None else None
        self.adapter_type: str = given if isinstance(given, str) else known or adapter_type or ""
        self._target = target
        self._sandbox = sandbox
        self.library = MacroLibrary(macros, sandbox, self.adapter_type, self.root)
        self.dbt_version = (run.dbt_version if run is not None else None) or ""
        self.invocation_id = run.invocation_id if run is not None else None
        self.run_started_at: datetime | None = run.run_at if run is not None else None
        self.flags = _FLAGS

    def spend(self, steps: int) -> None:
        """Count *steps* of the rendering at hand; raises where they run out."""
        self._sandbox.budget.spend(steps)

    @cached_property
    def version(self) -> tuple[int, int]:
        """dbt's version, where its rules have changed."""
        return _version(self.dbt_version)

    @property
    def wraps_ephemeral(self) -> bool:
        """Whether dbt writes a query with ephemeral parents within another query: dbt 2 does."""
        return _WRAPPING <= self.version < _UNKNOWN

    @cached_property
    def lookup(self) -> NodeLookup:
        """Nodes by the names that `ref` and `source` use."""
        return NodeLookup(self.nodes.values(), self.root)

    @cached_property
    def target(self) -> Mapping[str, Any]:
        """`target`: what was given, else what the run tells, else where most nodes are."""
        run = self.run
        database, schema = (run.target_database, run.target_schema) if run is not None else (None, None)
        if database is None and schema is None:
            database, schema = target_place(self.nodes.values())
        places = {"dbname": database, "project": database, "dataset": schema}
        return {
            "name": run.target_name if run is not None else None,
            "target_name": run.target_name if run is not None else None,
            "profile_name": self.root,
            "type": self.adapter_type,
            "threads": 1,
            "database": database,
            "schema": schema,
            **places,
            **self._target,
        }

    @cached_property
    def _places(self) -> Mapping[tuple[str, str, str], NodeMetadata]:
        return {
            _place(node.database_name, node.schema_name, node.identifier): node
            for node in self.nodes.values()
            if node.relation_name
        }

    def node_at(
        self, database: str | None, schema: str | None, identifier: str | None
    ) -> NodeMetadata | None:
        """The node that is built there."""
        return self._places.get(_place(database, schema, identifier))

    def cte_name(self, node: NodeMetadata) -> str:
        """What dbt calls the CTE of the ephemeral model *node*."""
        version = self.version
        prefix = "__dbt__CTE__" if version < _CTE_UPPER else "__dbt__cte__"
        return prefix + (node.name if version < _CTE_BY_ALIAS else node.identifier or node.name)


def _place(database: str | None, schema: str | None, identifier: str | None) -> tuple[str, str, str]:
    return (database or "").lower(), (schema or "").lower(), (identifier or "").lower()


def _version(text: str) -> tuple[int, int]:
    """Major and minor; of an unknown version, those of the newest rules."""
    parts = text.split(".")
    if len(parts) < 2 or not (parts[0].isdigit() and parts[1].isdigit()):
        return _UNKNOWN
    return int(parts[0]), int(parts[1])


def _only_package(nodes: Iterable[NodeMetadata]) -> str | None:
    """The package of the nodes that no run names: the one whose nodes others' do not read, where one is."""
    counts = Counter(
        node.package_name for node in nodes if node.resource_type in ("model", "seed", "snapshot")
    )
    return next(iter(counts)) if len(counts) == 1 else None
