"""Configuration and settings of nodes that a caller passes; no function but `read_config` reads the files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from msgspec.structs import replace

from recce_meta.api.runs import RunPair
from recce_meta.config import file
from recce_meta.config.discovery import find_config_files
from recce_meta.config.file import Config
from recce_meta.config.nodes import NodeGlobs, NodeSettings, read_node_settings, unmatched_globs
from recce_meta.errors import ConfigurationError, SelectorError, UsageError
from recce_meta.graph.selection import named_selections
from recce_meta.models.node_types import WITH_ROWS
from recce_meta.models.run import RunChoice
from recce_meta.profiles.discovery import working_directory
from recce_meta.profiles.lined_yaml import LinedReader
from recce_meta.quality.masking import privacy_of
from recce_meta.quality.privacy import Privacy

GivenNodes: TypeAlias = Mapping[str, NodeSettings | Mapping[str, Any]]
"""Settings by glob, each a NodeSettings or a mapping as under `nodes:` of recce_meta.yml."""


def read_config(project_dir: str | Path | None = None) -> Config:
    """Return the configuration of the dbt project in *project_dir*; an empty one without a file.

    It is read from recce_meta.yml and `[tool.recce-meta]` of pyproject.toml. By default, the project is found
    as by the command line: DBT_PROJECT_DIR, else the nearest dbt_project.yml above the current folder. No
    other function reads these files: pass the result as `config`. Raises UsageError, with the line of each
    problem, if a file is malformed.
    """
    directory = working_directory()
    if project_dir is not None and not (directory / Path(project_dir).expanduser()).is_dir():
        raise ConfigurationError(
            f"Folder not found: {project_dir}", hint="pass the folder of dbt_project.yml"
        )
    return file.read_config(find_config_files(project_dir, os.environ, directory))


@contextmanager
def selections_of(config: Config) -> Iterator[None]:
    """Let `selection:NAME` within the block mean the selections of *config*, if it has any."""
    if not config.selections:
        yield
        return
    definitions = {name: (one.select, one.exclude) for name, one in config.selections.items()}
    with named_selections(definitions):
        yield


def effective_privacy(privacy: Privacy | None, config: Config, *, values: bool | None) -> Privacy | None:
    """Return *privacy*, else that of *config*; None if every value may be shown.

    *values* overrides `privacy.values` of *config*; False withholds values in any case.
    """
    if privacy is not None:
        return privacy if values is not False else replace(privacy, keeps_values=False)
    shows_values = config.privacy.values is not False if values is None else values
    return privacy_of(no_values=not shows_values, private=config.privacy.columns)


def read_globs(nodes: GivenNodes) -> NodeGlobs:
    """Return the settings of *nodes*. Raises UsageError for an unknown key or a malformed value."""
    return [(glob, _settings(glob, given)) for glob, given in nodes.items()]


def _settings(glob: str, given: NodeSettings | Mapping[str, Any]) -> NodeSettings:
    if isinstance(given, NodeSettings):
        return given
    reader = LinedReader(Path("nodes"))
    settings = read_node_settings(reader, given, f"nodes[{glob!r}]")
    if reader.problems:
        hint = next((problem.hint for problem in reader.problems if problem.hint), None)
        problems = "; ".join(problem.message for problem in reader.problems)
        raise UsageError(f"Invalid settings of nodes '{glob}': {problems}", hint=hint)
    return settings


def refuse_unmatched(globs: NodeGlobs, runs: RunPair) -> None:
    """Raise SelectorError if one of *globs*, which the caller passed, matches no node of *runs*."""
    for glob, hint in _unmatched(globs, runs).items():
        raise SelectorError(
            f"nodes: '{glob}' matches no node", hint=hint or "pass the name of a node or a glob"
        )


def with_unmatched(choice: RunChoice, globs: NodeGlobs, runs: RunPair) -> RunChoice:
    """Return *choice* with a note for each configured glob of *globs* that matches no node of *runs*."""
    notes = [
        f"nodes: '{glob}' of the configuration matches no node" + (f"; {hint}" if hint else "")
        for glob, hint in _unmatched(globs, runs).items()
    ]
    return replace(choice, notes=(*choice.notes, *notes)) if notes else choice


def _unmatched(globs: NodeGlobs, runs: RunPair) -> dict[str, str | None]:
    if not globs:
        return {}
    with_data = (node for node in runs.names.values() if node.resource_type in WITH_ROWS)
    return unmatched_globs((glob for glob, _ in globs), with_data)
