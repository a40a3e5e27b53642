"""Loader of one output of profiles.yml, rendered with the environment."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from recce_meta.errors import ConfigurationError, ProfileError, mask_errors, quoted
from recce_meta.profiles.discovery import (
    PROJECT_FILE,
    dbt_variable,
    find_profiles_file,
    nearest_with,
    with_dotenv,
    working_directory,
)
from recce_meta.profiles.discovery import find_project_dir as _find_project_dir
from recce_meta.profiles.rendering import Renderer, RenderingError
from recce_meta.profiles.yaml_file import line_of, read_mapping

_LOG = logging.getLogger(__name__)
DEFAULT_TARGET = "default"
DEFAULT_THREADS = 1
_NOT_PROFILES = frozenset({"config"})  # dbt's former user-wide configuration


@dataclass(frozen=True, slots=True)
class RenderedProfile:
    """One rendered output of profiles.yml; its repr hides fields that may contain secrets."""

    path: Path
    name: str
    target: str
    type: str
    threads: int
    fields: Mapping[str, object] = field(repr=False)
    """All fields of the output except `type` and `threads`."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values of the secret environment variables that the output uses."""
    project_dir: Path | None = None
    """Directory of the dbt project, where relative paths in the output start."""

    @property
    def where(self) -> str:
        """Name of this output in error messages."""
        return f"profile '{self.name}', target '{self.target}' in {self.path}"


def find_project_dir(
    named: Path | None = None,
    *,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Path | None:
    """Return the dbt project's directory, or None.

    As in dbt, *named*, the value of --project-dir, outranks `DBT_PROJECT_DIR`. Without both it is *directory*
    (default: the working directory) or its nearest parent that is a project.
    """
    if named is not None:
        return nearest_with(PROJECT_FILE, named.resolve())
    directory = (directory or working_directory()).resolve()
    return _find_project_dir(directory, _environment(environment, directory))


def read_project_name(project_dir: Path, *, environment: Mapping[str, str] | None = None) -> str:
    """Return the rendered `name:` of the dbt project in *project_dir*."""
    name = _public_value(project_dir, "name", environment)
    if not name:
        raise ConfigurationError(f"No 'name:' in {project_dir / PROJECT_FILE}")
    return name


def read_target_path(project_dir: Path, environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder into which dbt writes the artifacts of the project in *project_dir*.

    dbt's variable outranks `target-path:` of dbt_project.yml, which older projects have; the default is
    `target/`.
    Source: https://docs.getdbt.com/reference/global-configs/json-artifacts
    """
    variables = os.environ if environment is None else environment
    # The name with ENGINE is that of newer versions of dbt.
    named = variables.get("DBT_ENGINE_TARGET_PATH") or variables.get("DBT_TARGET_PATH")
    if not named and (project_dir / PROJECT_FILE).is_file():
        named = _public_value(project_dir, "target-path", environment)
    return project_dir / (named or "target")


def load_profile(
    profiles_path: str | Path | None = None,
    profile: str | None = None,
    target: str | None = None,
    *,
    project_dir: Path | None = None,
    variables: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> RenderedProfile:
    """Load the output that dbt would use; find each argument that is None by dbt's rules.

    *profiles_path* is a profiles.yml or its directory, and *variables* are the values of dbt's `--vars`.
    *environment* and *directory* default to those of the process. Only the chosen output is rendered, so
    variables missing for other outputs cause no error.
    """
    directory = (directory or working_directory()).resolve()
    environment = _environment(environment, directory)
    renderer = Renderer(environment, variables or {})
    if project_dir is None:
        project_dir = _find_project_dir(directory, environment)
    path = find_profiles_file(profiles_path, environment, directory, _home(environment))
    profiles = read_mapping(path, ProfileError)
    # A function, because the secrets are known only after rendering.
    with mask_errors(lambda: renderer.secrets):
        name = (
            profile
            or dbt_variable(environment, "PROFILE")
            or _project_profile(project_dir, profiles, path, renderer)
        )
        chosen = target or dbt_variable(environment, "TARGET")
        return _output(path, profiles, name, chosen, renderer, project_dir)


def _output(
    path: Path,
    profiles: Mapping[str, object],
    name: str,
    target: str | None,
    renderer: Renderer,
    project_dir: Path | None,
) -> RenderedProfile:
    body = _profile_body(path, profiles, name)
    target = target or str(_rendered(renderer, path, body.get("target"), (name, "target")) or DEFAULT_TARGET)
    # Before rendering, so that variables of other targets need not be set.
    raw = _raw_output(path, body, name, target)
    fields = _rendered(renderer, path, raw, (name, "outputs", target))
    assert isinstance(fields, dict)
    kind, threads = fields.pop("type", None), fields.pop("threads", None)
    place = f"profile '{name}', target '{target}' in {path}"
    if kind is not None and not isinstance(kind, str):
        raise ProfileError(
            f"Field 'type' is not a string: {quoted(kind)} ({place})", hint="for example 'type: postgres'"
        )
    if not kind:
        raise ProfileError(
            f"No 'type:' in {place}", hint="add the warehouse's type, for example 'type: postgres'"
        )
    _LOG.info("Use %s, type %s", place, kind)
    return RenderedProfile(
        path, name, target, kind, _threads(threads, place), fields, renderer.secrets, project_dir
    )


def _profile_body(path: Path, profiles: Mapping[str, object], name: str) -> Mapping[str, object]:
    body = profiles.get(name)
    if body is None:
        raise ProfileError(
            f"Profile '{name}' not found in {path}", hint=f"available profiles: {_names(profiles)}"
        )
    if not isinstance(body, Mapping) or not isinstance(body.get("outputs"), Mapping):
        raise ProfileError(
            f"Profile '{name}' in {path} has no 'outputs:'", hint="add one entry per target below 'outputs:'"
        )
    return body


def _raw_output(path: Path, body: Mapping[str, object], name: str, target: str) -> Mapping[str, object]:
    outputs = body["outputs"]
    assert isinstance(outputs, Mapping)
    raw = outputs.get(target)
    if raw is None:
        raise ProfileError(
            f"Profile '{name}' in {path} has no target '{target}'",
            hint=f"available targets: {_names(outputs)}",
        )
    if not isinstance(raw, Mapping):
        raise ProfileError(f"Target '{target}' of profile '{name}' in {path} is not a mapping")
    return raw


def _rendered(renderer: Renderer, path: Path, value: object, keys: tuple[str | int, ...]) -> object:
    try:
        return renderer.render(value, keys)
    except RenderingError as error:
        line = line_of(path, error.path)
        place = f"{path}:{line}" if line is not None else str(path)
        field_name = ".".join(str(key) for key in error.path)
        raise ProfileError(f"{error.message} (at '{field_name}', {place})", hint=error.hint) from error


def _project_profile(
    project_dir: Path | None, profiles: Mapping[str, object], path: Path, renderer: Renderer
) -> str:
    if project_dir is None:
        raise ProfileError(
            f"Missing profile: no {PROJECT_FILE} in this directory or above",
            hint=f"pass --profile NAME; profiles in {path}: {_names(profiles)}",
        )
    name = _project_value(project_dir, "profile", renderer)
    if not name:
        raise ProfileError(
            f"No 'profile:' in {project_dir / PROJECT_FILE}",
            hint=f"pass --profile NAME; profiles in {path}: {_names(profiles)}",
        )
    return name


def _public_value(project_dir: Path, key: str, environment: Mapping[str, str] | None) -> str | None:
    """Return a value of dbt_project.yml that is printed. Raises ConfigurationError for a secret."""
    renderer = Renderer(_environment(environment, project_dir), {})
    with mask_errors(lambda: renderer.secrets):
        value = _project_value(project_dir, key, renderer)
    if renderer.secrets:
        raise ConfigurationError(
            f"A secret cannot be used in '{key}:' of {project_dir / PROJECT_FILE}",
            hint="dbt allows secrets only in profiles.yml and packages.yml",
        )
    return value


def _project_value(project_dir: Path, key: str, renderer: Renderer) -> str | None:
    path = project_dir / PROJECT_FILE
    value = _rendered(renderer, path, read_mapping(path, ConfigurationError).get(key), (key,))
    return None if value is None else str(value)


def _threads(value: object, place: str) -> int:
    try:
        threads = DEFAULT_THREADS if value is None else int(str(value))
    except ValueError:
        raise ProfileError(f"Field 'threads' is not a whole number: {quoted(value)} ({place})") from None
    if threads < 1:
        raise ProfileError(f"Field 'threads' is less than 1: {threads} ({place})")
    return threads


def _names(mapping: Mapping[str, object]) -> str:
    return ", ".join(sorted(str(name) for name in mapping if name not in _NOT_PROFILES)) or "none"


def _environment(environment: Mapping[str, str] | None, directory: Path) -> Mapping[str, str]:
    return with_dotenv(os.environ if environment is None else environment, directory)


def _home(environment: Mapping[str, str]) -> Path:
    # `Path.home` reads the environment of the process, which may not be the given one.
    return Path(environment["HOME"]) if environment.get("HOME") else Path.home()
