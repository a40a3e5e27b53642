"""Extractor of SQLMesh: models with rendered SQL, columns and dependencies, as nodes of a run."""

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from recce_meta import Column, NodeMetadata, Project, RunMetadata

MATERIALIZED = {"FULL": "table", "VIEW": "view", "EMBEDDED": "ephemeral", "SEED": "seed", "EXTERNAL": None}
"""dbt's words for kinds of models; all other kinds are incremental."""


def extract(folder: Path) -> Project:
    """Return the SQLMesh project in *folder*."""
    from sqlmesh import Context

    context = Context(paths=[str(folder)])
    return project_of(
        {
            "project": context.config.project or folder.resolve().name,
            "warehouse": context.connection_config.type_,
            "models": [describe(model, folder) for model in context.models.values()],
        }
    )


def describe(model: Any, folder: Path) -> dict[str, Any]:
    """Return the facts of one SQLMesh *model* as JSON."""
    rendered = model.render_query() if model.is_sql else None
    path = Path(str(model._path)).resolve() if model._path else None
    return {
        "name": model.name,
        "kind": model.kind.name.value,
        "relation": model.fully_qualified_table.sql(dialect=model.dialect, identify=True),
        "parents": sorted(model.depends_on),
        "id": model.fqn,
        "path": path.relative_to(folder.resolve()).as_posix() if path else "",
        "code": model.query.sql(dialect=model.dialect, pretty=True) if model.is_sql else None,
        "compiled": rendered.sql(dialect=model.dialect, pretty=True) if rendered is not None else None,
        "data_hash": model.data_hash,
        "is_python": model.is_python,
        "description": model.description or "",
        "tags": sorted(model.tags),
        "grain": [column.name for grain in model.grains[:1] for column in columns_in(grain)],
        "columns": [
            {
                "name": name,
                "type": None if kind.is_type("unknown") else kind.sql(dialect=model.dialect),
                "description": model.column_descriptions.get(name, ""),
            }
            for name, kind in (model.columns_to_types or {}).items()
        ],
    }


def columns_in(grain: Any) -> Iterator[Any]:
    """Yield the columns of a *grain*, one column or a tuple of columns."""
    from sqlglot import exp

    yield from grain.find_all(exp.Column)


def project_of(state: dict[str, Any]) -> Project:
    """Return the project with the models in *state*, as `describe` returns them."""
    name = state["project"]
    ids = {one["id"]: unique_id(one, name) for one in state["models"]}
    run = RunMetadata(
        run_id="",
        run_at=datetime.now(timezone.utc),
        project_name=name,
        adapter_type=state["warehouse"],
    )
    return Project(run=run, nodes=tuple(node_of(one, name, ids) for one in state["models"]))


def unique_id(model: dict[str, Any], project: str) -> str:
    """Return the unique id of *model*."""
    kinds = {"SEED": "seed", "EXTERNAL": "source"}
    return f"{kinds.get(model['kind'], 'model')}.{project}.{model['name']}"


def node_of(model: dict[str, Any], project: str, ids: dict[str, str]) -> NodeMetadata:
    """Return the node of *model*; *ids* are the unique ids of all models by their SQLMesh names."""
    kind = model["kind"]
    resource_type = ids[model["id"]].split(".")[0]
    has_code = resource_type == "model" and not model["is_python"]
    return NodeMetadata(
        unique_id=ids[model["id"]],
        name=model["name"],
        resource_type=resource_type,
        package_name=project,
        path=model["path"],
        relation_name=None if kind == "EMBEDDED" else model["relation"],
        materialized=MATERIALIZED.get(kind, "incremental"),
        language="python" if model["is_python"] else "sql" if has_code else None,
        raw_code=model["code"] if has_code else None,
        compiled_code=model["compiled"] if has_code else None,
        code_hash=model["data_hash"],
        config={"kind": kind} | ({"unique_key": model["grain"]} if model["grain"] else {}),
        columns=tuple(
            Column(name=one["name"], type=one["type"], description=one["description"])
            for one in model["columns"]
        ),
        columns_from="catalog" if model["columns"] else None,
        description=model["description"],
        tags=tuple(model["tags"]),
        # A parent outside the project has no node.
        parents=tuple(ids.get(parent, f"source.{project}.{parent}") for parent in model["parents"]),
    )
