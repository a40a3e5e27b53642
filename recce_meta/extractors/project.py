"""A dbt target folder as one `Project`: manifest, catalog, run results, seeds, git and target."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path

from recce_meta._version import __version__
from recce_meta.errors import ArtifactError
from recce_meta.extractors.artifact import find_artifact
from recce_meta.extractors.catalog import extract_columns_from_catalog
from recce_meta.extractors.commit_proof import Checkout, proves_commit
from recce_meta.extractors.git import GitState, detect_git
from recce_meta.extractors.manifest import Manifest, read_manifest
from recce_meta.extractors.run_results import RunResults, read_run_results
from recce_meta.extractors.seeds import hash_seeds
from recce_meta.models import NodeMetadata, NodeResult, Project, RunMetadata, target_place
from recce_meta.models.run import with_build
from recce_meta.profiles.discovery import PROJECT_FILE, nearest_with


def extract_project(
    target_dir: str | Path,
    *,
    environment: str = "current",
    project_dir: str | Path | None = None,
    manifest_path: str | Path | None = None,
    catalog_path: str | Path | None = None,
    run_results_path: str | Path | None = None,
    run_id: str | None = None,
    target_name: str | None = None,
    git: GitState | None = None,
    hash_seed_files: bool = True,
    environ: Mapping[str, str] | None = None,
    before: Checkout | None = None,
) -> Project:
    """Return everything that dbt wrote into *target_dir*, as one run.

    Catalog and run results are read where they are; files named explicitly must exist. *project_dir* is
    where `dbt_project.yml` and the seeds lie (default: found above *target_dir*); *git* overrides what
    the repository and the CI variables say. *before* is the checkout before the command that may have built
    the artifacts just now: it can prove their commit (`RunMetadata.git_proven`).

    Raises ArtifactError where an artifact is missing, damaged, or another project's.
    """
    folder = Path(target_dir)
    manifest = read_manifest(_manifest_path(folder, manifest_path))
    root = Path(project_dir) if project_dir is not None else project_above(folder)
    nodes: Iterable[NodeMetadata] = manifest.nodes
    if catalog := _optional(folder, catalog_path, "catalog.json"):
        nodes = extract_columns_from_catalog(catalog, nodes)
    if hash_seed_files:
        nodes = hash_seeds(nodes, root, manifest.seed_roots)
    nodes = tuple(nodes)
    results_path = _optional(folder, run_results_path, "run_results.json")
    found = read_run_results(results_path) if results_path else None
    results, warnings = _own_results(found, manifest, nodes, manifest.groups)
    proven = None
    if git is None:
        variables = os.environ if environ is None else environ
        git, proven = _origin(root or folder, _built_at(manifest), variables, before)
    run = _run(
        manifest,
        nodes,
        git,
        proven,
        environment=environment,
        run_id=run_id,
        target_name=target_name or (found.target if found else None),
        command=found.command if found and results else None,
    )
    return Project(
        run=with_build(run, results),
        nodes=nodes,
        macros=manifest.macros,
        groups=manifest.groups,
        results=results,
        warnings=warnings,
    )


def _origin(
    start: Path, built_at: datetime, environ: Mapping[str, str], before: Checkout | None
) -> tuple[GitState, bool | None]:
    """Return the commit that is checked out, and whether the artifacts of *built_at* prove it."""
    git = detect_git(start, environ)
    return git, proves_commit(start, git, built_at, environ, before) if git.sha else None


def _run(
    manifest: Manifest,
    nodes: tuple[NodeMetadata, ...],
    git: GitState,
    proven: bool | None,
    *,
    environment: str,
    run_id: str | None,
    target_name: str | None,
    command: str | None,
) -> RunMetadata:
    """What is known of the run as a whole."""
    database, schema = target_place(nodes)
    return RunMetadata(
        run_id=run_id or manifest.invocation_id or _content_id(manifest),
        run_at=_run_at(manifest),
        project_name=manifest.project_name,
        environment=environment,
        invocation_id=manifest.invocation_id,
        dbt_version=manifest.dbt_version,
        adapter_type=manifest.adapter_type,
        manifest_version=manifest.schema_version,
        target_name=target_name,
        target_database=database,
        target_schema=schema,
        git_sha=git.sha,
        branch=git.branch,
        git_dirty=git.dirty,
        git_proven=proven,
        pull_request=git.pull_request,
        command=command,
        node_count=len(nodes),
        edge_count=sum(len(node.parents) for node in nodes),
        recorder_version=__version__,
    )


def _manifest_path(folder: Path, given: str | Path | None) -> Path:
    if given is not None:
        return Path(given)
    if folder.is_file():
        return folder
    if not folder.is_dir():
        raise ArtifactError(f"No such folder: {folder}", hint="name dbt's target folder with --target-path")
    if path := find_artifact(folder, "manifest.json"):
        return path
    raise ArtifactError(
        f"No manifest.json in {folder}", hint="run dbt build or dbt compile first, or name its target folder"
    )


def _optional(folder: Path, given: str | Path | None, name: str) -> Path | None:
    if given is not None:
        return Path(given)
    return find_artifact(folder if folder.is_dir() else folder.parent, name)


def project_above(folder: Path) -> Path | None:
    """The nearest folder at or above *folder* that holds dbt_project.yml."""
    return nearest_with(PROJECT_FILE, folder.resolve())


def _own_results(
    found: RunResults | None, manifest: Manifest, *known: Iterable[NodeMetadata]
) -> tuple[tuple[NodeResult, ...], tuple[str, ...]]:
    """The results that speak of this manifest's nodes, and what had to be left out."""
    if found is None or not found.results:
        return (), found.warnings if found else ()
    ids = {node.unique_id for nodes in known for node in nodes}
    results = tuple(result for result in found.results if result.unique_id in ids)
    strangers = len(found.results) - len(results)
    same_invocation = found.invocation_id == manifest.invocation_id
    if not same_invocation and strangers > len(results):
        return (), ("run_results.json is of another project or commit and was left out",)
    if strangers:
        unknown = f"run_results.json has results of {strangers} nodes that the manifest does not have"
        return results, (unknown, *found.warnings)
    return results, found.warnings


def _run_at(manifest: Manifest) -> datetime:
    """When dbt wrote the manifest, in UTC; the epoch where it does not say, so that reading is repeatable."""
    return _moment(manifest.generated_at)


def _built_at(manifest: Manifest) -> datetime:
    """Return the earliest time at which dbt can have read the project's files, in UTC.

    dbt-core takes `generated_at` before it reads files; after a partial parse, it repeats the
    `invocation_started_at` of an earlier invocation. dbt 2 may take `generated_at` later.
    """
    generated = _run_at(manifest)
    if manifest.started_at is None or not (manifest.dbt_version or "").startswith("2."):
        return generated
    return min(generated, _moment(manifest.started_at))


def _moment(stamp: str | None) -> datetime:
    text = (stamp or "").replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(_microseconds(text))
        return moment.replace(tzinfo=moment.tzinfo or timezone.utc).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, tz=timezone.utc)


def _microseconds(text: str) -> str:
    """ISO text with at most six digits of fraction: dbt's Rust engine writes nine, Python 3.10 reads six."""
    head, dot, tail = text.partition(".")
    if not dot:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}"


def _content_id(manifest: Manifest) -> str:
    """A run id for a manifest that names no invocation: the same file gets the same id."""
    digest = sha256(manifest.project_name.encode())
    for node in manifest.nodes:
        digest.update(repr(node).encode())
    return digest.hexdigest()[:32]
