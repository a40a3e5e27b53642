"""A dbt project as files, read without dbt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from recce_meta.extractors.sql_project.inputs import (
    Inputs,
    PackageFiles,
    installed_packages,
    read_macros,
    read_package,
)
from recce_meta.extractors.sql_project.nodes import Draft, Reader
from recce_meta.extractors.sql_project.place import Place
from recce_meta.extractors.sql_project.resolving import resolved
from recce_meta.extractors.sql_project.settings import read_settings, without_file
from recce_meta.models import NodeMetadata
from recce_meta.profiles import read_project_settings
from recce_meta.profiles.discovery import PROJECT_FILE

_NAMED = 5
"""Nodes that one warning names."""


class DbtFiles(Struct, frozen=True, kw_only=True):
    """What was read: nodes without compiled code, and which of them are as they were."""

    inputs: Inputs
    nodes: list[NodeMetadata]
    reused: frozenset[str]
    fingerprint: str


def read_inputs(
    root: Path,
    *,
    name: str | None = None,
    dialect: str | None = None,
    place: Place | None = None,
    variables: Mapping[str, Any] | None = None,
) -> Inputs:
    """The files of the dbt project in *root*, and those of the packages installed in it.

    Where *root* has no dbt_project.yml, every SQL file below it is a model, of a project called *name*.
    Raises ConfigurationError where dbt_project.yml is damaged.
    """
    warnings: list[str] = []
    has_file = (root / PROJECT_FILE).is_file()
    settings = (
        read_settings(root, warnings)
        if has_file
        else without_file(root, name or root.resolve().name or "project")
    )
    found: list[PackageFiles] = [read_package(settings, "", warnings)]
    installed = list(installed_packages(root, warnings)) if has_file else []
    found += [read_package(package, folder, warnings) for folder, package in installed]
    macros = [macro for package in found for macro in read_macros(package.settings, warnings)]
    return Inputs(
        packages=found,
        macros=tuple({macro.unique_id: macro for macro in macros}.values()),
        variables=read_project_settings(root) if has_file else None,
        overrides=variables or {},
        dialect=dialect,
        place=place or Place(schema=settings.name),
        warnings=warnings,
    )


def read_dbt_files(inputs: Inputs, known: Mapping[str, NodeMetadata]) -> DbtFiles:
    """The nodes that *inputs* make.

    *known* are the nodes of an earlier reading with the same fingerprint: a file that did not change is
    not parsed again, as long as what it refers to is still what it was.
    """
    usable = _usable(inputs, known)
    library = inputs.library()
    drafts: list[Draft] = []
    reused: set[str] = set()
    for package in inputs.packages:
        reader = Reader(inputs, package, library, usable)
        drafts += [*reader.drafts(), *reader.sources()]
        reused |= reader.reused
    nodes = resolved(drafts, inputs, reused)
    _tell_dynamic(nodes, inputs.warnings)
    return DbtFiles(inputs=inputs, nodes=nodes, reused=frozenset(reused), fingerprint=inputs.fingerprint())


def _usable(inputs: Inputs, known: Mapping[str, NodeMetadata]) -> dict[str, NodeMetadata]:
    """Those of *known* whose references mean what they meant: each name is there still, and once."""
    if not known:
        return {}
    names: Counter[str | tuple[str, str]] = Counter()
    for package in inputs.packages:
        names.update(file.name for file in (*package.models, *package.snapshots))
        names.update(path.stem for _, path in package.seeds)
        names.update((table.source, table.table) for table in package.properties.tables)
    return {
        unique_id: node
        for unique_id, node in known.items()
        if node.resource_type not in ("seed", "source")
        and all(_is_certain(parent, known, names) for parent in node.parents)
    }


def _is_certain(
    parent: str, known: Mapping[str, NodeMetadata], names: Mapping[str | tuple[str, str], int]
) -> bool:
    node = known.get(parent)
    if node is None:
        return False
    if node.resource_type == "source":
        return names[node.source_name or "", node.name] == 1
    return names[node.name] == 1 or names[Path(node.path).stem] == 1


def _tell_dynamic(nodes: Sequence[NodeMetadata], warnings: list[str]) -> None:
    """One warning for all nodes that may read more than is known."""
    names = [node.path for node in nodes if node.properties.get("dynamic")]
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        warnings.append(
            f"{len(names)} files may refer to more than can be told without rendering: "
            f"{', '.join(names[:_NAMED])}{more}"
        )
