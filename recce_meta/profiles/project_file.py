"""Settings of dbt_project.yml that templates need: variables, and the search order of macro dispatch.

Artifacts contain neither. https://docs.getdbt.com/docs/build/project-variables,
https://docs.getdbt.com/reference/project-configs/dispatch-config
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recce_meta.errors import ConfigurationError, UsageError
from recce_meta.profiles.discovery import PROJECT_FILE, with_dotenv
from recce_meta.profiles.rendering import Renderer
from recce_meta.profiles.yaml_file import BROKEN_VALUE, find_excess, read_mapping

VARS_FILE = "vars.yml"
"""Alternative file for a project's variables since dbt 1.12."""
_PACKAGES_DIRS = ("dbt_packages", "dbt_modules")
"""Where `dbt deps` installs packages by default: since dbt 1.0, and before."""


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """Variables of a project and its installed packages, and its `dispatch:`."""

    name: str
    path: Path | None = None
    """The dbt_project.yml of these settings."""
    variables: Mapping[str, object] = field(default_factory=dict)
    """`vars:` of the project; variables below a package's name apply only to its nodes."""
    packages: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """`vars:` of each installed package, by the package's name."""
    folders: Mapping[str, Path] = field(default_factory=dict)
    """Folder of each installed package, by the package's name."""
    search_orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`search_order` of each `macro_namespace` that `dispatch:` names."""

    def variable(self, name: str, package: str | None, missing: object = None) -> object:
        """Return the value of *name* for a node of *package*; *missing* if it is not set.

        The project wins over the package, and a variable for one package wins over a variable for all.
        """
        for variables in (self.variables, self.packages.get(package or "", {})):
            own = variables.get(package or "")
            if isinstance(own, Mapping) and name in own:
                return own[name]
            if name in variables:
                return variables[name]
        return missing


def parse_variables(text: str | None) -> dict[str, Any]:
    """Parse the value of `--vars`, a YAML mapping as in dbt. Raises UsageError if it is invalid."""
    if not text:
        return {}
    import yaml

    try:
        excess = find_excess(yaml.parse(text, Loader=yaml.SafeLoader))
        if excess is not None:
            raise UsageError(f"--vars is not valid YAML: it {excess.problem}", hint=excess.hint)
        value = yaml.safe_load(text)
    except (*BROKEN_VALUE, yaml.YAMLError) as error:
        raise UsageError(
            f"--vars is not valid YAML: {' '.join(str(error).split())}",
            hint="write for example --vars '{cutoff: 2024-01-01}'",
        ) from None
    if not isinstance(value, dict):
        raise UsageError("--vars is not a mapping", hint="write for example --vars '{cutoff: 2024-01-01}'")
    return value


def read_project_settings(
    project_dir: str | Path, *, environment: Mapping[str, str] | None = None
) -> ProjectSettings:
    """Read the dbt_project.yml in *project_dir*, and those of its installed packages.

    *environment* defaults to that of the process; `packages-install-path` may use it. Raises
    ConfigurationError if a file cannot be read, or is not valid for dbt.
    """
    folder = Path(project_dir)
    path = folder / PROJECT_FILE
    content = read_mapping(path, ConfigurationError)
    renderer = Renderer(with_dotenv(os.environ if environment is None else environment, folder), {})
    installed = [
        (_name(package, place, renderer), place, package)
        for place, package in _installed(folder, content, renderer)
    ]
    return ProjectSettings(
        name=_name(content, path, renderer),
        path=path,
        variables=_variables(folder, content),
        packages={name: _mapping(package.get("vars"), place, "vars") for name, place, package in installed},
        folders={name: place.parent for name, place, _ in installed},
        search_orders=_search_orders(content.get("dispatch"), path),
    )


def _name(content: Mapping[str, object], path: Path, renderer: Renderer) -> str:
    name = renderer.render(content.get("name"), ("name",))
    if not name:
        raise ConfigurationError(f"No 'name:' in {path}")
    return str(name)


def _variables(folder: Path, content: Mapping[str, object]) -> Mapping[str, object]:
    """Return the project's variables, from dbt_project.yml or else from vars.yml."""
    own = _mapping(content.get("vars"), folder / PROJECT_FILE, "vars")
    path = folder / VARS_FILE
    if own or not path.is_file():
        return own
    return _mapping(read_mapping(path, ConfigurationError).get("vars"), path, "vars")


def _installed(
    folder: Path, content: Mapping[str, object], renderer: Renderer
) -> Iterable[tuple[Path, Mapping[str, object]]]:
    """Yield the path and content of each installed package's dbt_project.yml."""
    # dbt renamed this key in version 1.0.
    given = content.get("packages-install-path") or content.get("modules-path")
    if given is not None:
        names: tuple[str, ...] = (str(renderer.render(given, ("packages-install-path",))),)
    else:
        names = _PACKAGES_DIRS
    place = next((folder / name for name in names if (folder / name).is_dir()), None)
    if place is not None:
        for path in sorted(place.glob(f"*/{PROJECT_FILE}")):
            yield path, read_mapping(path, ConfigurationError)


def _mapping(value: object, path: Path, key: str) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"'{key}:' in {path} is not a mapping")
    return value


def _search_orders(value: object, path: Path) -> Mapping[str, tuple[str, ...]]:
    orders: dict[str, tuple[str, ...]] = {}
    for entry in value if isinstance(value, list) else ():
        order = entry.get("search_order") if isinstance(entry, Mapping) else None
        if not isinstance(order, list) or "macro_namespace" not in entry:
            raise ConfigurationError(
                f"'dispatch:' in {path} has an entry without macro_namespace or search_order",
                hint="write for example {macro_namespace: dbt_utils, search_order: [my_project, dbt_utils]}",
            )
        orders[str(entry["macro_namespace"])] = tuple(str(name) for name in order)
    return orders
