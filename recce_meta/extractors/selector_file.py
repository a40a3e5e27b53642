"""Reader of the YAML selectors of a dbt project: selectors.yml, or the manifest in the target folder.

Runs in the store contain no selectors. https://docs.getdbt.com/reference/node-selection/yaml-selectors
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from recce_meta.errors import ConfigurationError
from recce_meta.extractors.artifact import decode, find_artifact, read_artifact
from recce_meta.graph.yaml_selectors import YamlSelectors
from recce_meta.profiles.discovery import with_dotenv
from recce_meta.profiles.rendering import Renderer, RenderingError
from recce_meta.profiles.yaml_file import read_mapping

SELECTORS_FILE = "selectors.yml"


class _ManifestSelectors(Struct):
    """The selectors of a manifest, by name."""

    selectors: Any = None


def read_selectors(project_dir: Path | None, target: Path, environment: Mapping[str, str]) -> YamlSelectors:
    """Return the selectors of selectors.yml in *project_dir*, else those of the manifest in *target*.

    Raises ConfigurationError if there is neither file, or if one is malformed.
    """
    path = None if project_dir is None else project_dir / SELECTORS_FILE
    if project_dir is not None and path is not None and path.is_file():
        content = read_mapping(path, ConfigurationError).get("selectors")
        try:
            rendered = Renderer(with_dotenv(environment, project_dir), {}).render(content)
        except RenderingError as error:
            hint = error.hint if "set" in (error.hint or "") else "use env_var(), or var() with a default"
            raise ConfigurationError(f"{path} cannot be rendered: {error.message}", hint=hint) from error
        return _selectors(rendered, path)
    manifest = find_artifact(target, "manifest.json")
    if manifest is None:
        raise ConfigurationError(
            f"No selectors found: neither {path or SELECTORS_FILE} nor a manifest in {target}",
            hint="name the folder of dbt_project.yml with --project-dir",
        )
    given = decode(read_artifact(manifest), manifest, "manifest.json", _ManifestSelectors).selectors
    return _selectors(list(given.values()) if isinstance(given, Mapping) else given, manifest)


def _selectors(given: object, path: Path) -> YamlSelectors:
    """Return the list of selectors *given*, read from *path*."""
    entries = [] if given is None else given
    if not isinstance(entries, list):
        raise ConfigurationError(f"'selectors' in {path} is not a list")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            raise ConfigurationError(f"Entry {number} of 'selectors' in {path} has no name")
    return YamlSelectors(tuple(entries), str(path))
