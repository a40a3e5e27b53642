"""`record --from sql`: a project of SQL files as a run, read without dbt."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.recording import check_name
from recce_meta.api.sql_stand_ins import dbt_macros, missing_macros, utils_macros
from recce_meta.errors import ProfileError, TemplateError, UsageError, first_of
from recce_meta.extractors.commit_proof import clean_checkout
from recce_meta.extractors.git import GitState, detect_git
from recce_meta.extractors.project import project_above
from recce_meta.extractors.sql_project.dbt import DbtFiles, read_dbt_files, read_inputs
from recce_meta.extractors.sql_project.files import SourceFile, read_files
from recce_meta.extractors.sql_project.inputs import Inputs
from recce_meta.extractors.sql_project.place import Place, relation_name
from recce_meta.extractors.sql_project.plain import read_plain
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.profiles import load_profile
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.render import SimpleTemplateRenderer
from recce_meta.render.functions import FUNCTIONS
from recce_meta.render.names import DBT_NAMES
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import open_store
from recce_meta.store.read import find_runs, load_nodes

SILVER, BRONZE = "dbt-sql", "sql"
"""`extractor` of a run: a dbt project read as files, and plain SQL."""
_COMPILED = frozenset(["model", "snapshot", "analysis", "test"])
_NAMED = 5

Known = Callable[[str, str], Mapping[str, NodeMetadata]]
"""Nodes of the last run of a project, by unique id, if its files were read with the same fingerprint."""


class SqlOptions(Struct, frozen=True, kw_only=True):
    """What is not in the files."""

    environment: str = "current"
    run_id: str | None = None
    project: str | None = None
    """The project's name, where no dbt_project.yml gives one; else the folder's."""
    dialect: str | None = None
    """Type of the warehouse, as in profiles.yml; else the profile's, else the standard's."""
    variables: Mapping[str, Any] | None = None
    target_name: str | None = None
    profiles_dir: Path | None = None
    profile: str | None = None
    git: GitState = GitState()
    environ: Mapping[str, str] | None = None


def read_sql_project(
    directory: str | Path, options: SqlOptions | None = None, *, known: Known | None = None
) -> Project:
    """The project of SQL files in *directory*, as one run.

    Where a dbt_project.yml is in *directory* or above it, or files hold Jinja, files are read as dbt's
    (`extractor` is `dbt-sql`); otherwise every statement that builds a relation is a node (`sql`). *known*
    gives what an earlier run had, so that files that did not change are not read anew.

    Raises UsageError where there are no SQL files, or a name cannot be used, and ConfigurationError where
    dbt_project.yml is damaged.
    """
    given = options or SqlOptions()
    check_name("an environment", given.environment)
    if given.run_id:
        check_name("a run", given.run_id)
    folder = Path(directory)
    if not folder.is_dir():
        raise UsageError(f"No such folder: {folder}", hint="name a folder with .sql files")
    root = project_above(folder) or _project_below(folder)
    if root is not None:
        return _dbt_project(root, given, known)
    warnings: list[str] = []
    files = read_files(folder, ["."], (".sql",), warnings)
    if not files:
        raise UsageError(
            f"No .sql files in {folder}", hint="name the folder of a dbt project, or one with .sql files"
        )
    if any("{{" in file.text or "{%" in file.text for file in files):
        return _dbt_project(folder, given, known)
    return _plain_project(folder, files, warnings, given)


def _project_below(folder: Path) -> Path | None:
    """The one dbt project right below *folder*, if there is one."""
    found = sorted(path.parent for path in folder.glob(f"*/{PROJECT_FILE}"))
    if len(found) > 1:
        names = [path.name for path in found]
        raise UsageError(f"{len(found)} dbt projects in {folder}", hint=f"name one: {first_of(names, 5)}")
    return found[0] if found else None


def last_nodes(adapter: UnifiedSqlAdapter, *, schema: str = DEFAULT_SCHEMA) -> Known:
    """What the store knows of the last run that was read from files."""

    def known(project: str, fingerprint: str) -> Mapping[str, NodeMetadata]:
        with open_store(adapter, schema) as store:
            runs = find_runs(store, project=project)
        for run in runs:
            if run.extractor == SILVER and run.invocation_id == fingerprint:
                return {node.unique_id: node for node in load_nodes(adapter, run, schema=schema)}
        return {}

    return known


def _dbt_project(root: Path, options: SqlOptions, known: Known | None) -> Project:
    place, dialect, target = _place(root, options)
    inputs = read_inputs(
        root, name=options.project, dialect=dialect, place=place, variables=options.variables
    )
    package = inputs.root
    if not (package.models or package.snapshots or package.seeds or package.analyses):
        folders = ", ".join(package.settings.paths["models"])
        raise UsageError(
            f"No models in {root} ({folders})", hint="model-paths of dbt_project.yml name folders"
        )
    before = known(package.name, inputs.fingerprint()) if known is not None else {}
    read = read_dbt_files(inputs, before)
    nodes = compiled(read, before, options)
    run = _run(
        nodes,
        root,
        options,
        project=package.name,
        extractor=SILVER,
        dialect=dialect,
        fingerprint=read.fingerprint,
    )
    run = replace(
        run,
        target_name=target,
        target_database=inputs.place.database,
        target_schema=inputs.place.schema,
    )
    return Project(
        run=run, nodes=tuple(nodes), macros=inputs.macros, warnings=tuple(dict.fromkeys(inputs.warnings))
    )


def _plain_project(
    folder: Path, files: Sequence[SourceFile], warnings: Sequence[str], options: SqlOptions
) -> Project:
    name = options.project or folder.resolve().name or "project"
    dialect = options.dialect or ""
    from recce_meta.graph.columns.project_dialects import dialect_of

    plain = read_plain(name, files, dialect_of(dialect) or dialect)
    nodes = plain.nodes()
    if not nodes:
        raise UsageError(
            f"No statement in the {len(files)} SQL files in {folder} builds or asks anything",
            hint=(plain.warnings or ["--dialect says which SQL it is"])[0],
        )
    run = _run(
        nodes, folder, options, project=name, extractor=BRONZE, dialect=options.dialect, fingerprint=None
    )
    return Project(run=run, nodes=tuple(nodes), warnings=(*warnings, *dict.fromkeys(plain.warnings)))


def _place(root: Path, options: SqlOptions) -> tuple[Place | None, str | None, str | None]:
    """Database and schema, dialect and target as the profile has them; what it does not say stays open."""
    try:
        if not (root / PROJECT_FILE).is_file():
            return None, options.dialect, options.target_name
        profile = load_profile(
            options.profiles_dir,
            options.profile,
            target=options.target_name,
            project_dir=root,
            environment=options.environ,
            directory=root,
        )
    except ProfileError:
        return None, options.dialect, options.target_name
    fields = profile.fields
    schema = fields.get("schema") or fields.get("dataset")
    database = (
        fields.get("database") or fields.get("dbname") or fields.get("catalog") or fields.get("project")
    )
    if profile.type == "duckdb":
        schema = schema or "main"
        database = Path(str(fields.get("path") or "memory")).stem.strip(":") or "memory"
    place = Place(schema=str(schema), database=str(database) if database else None, is_target=True)
    return place if schema else None, options.dialect or profile.type, profile.target


def _run(
    nodes: Sequence[NodeMetadata],
    root: Path,
    options: SqlOptions,
    *,
    project: str,
    extractor: str,
    dialect: str | None,
    fingerprint: str | None,
) -> RunMetadata:
    environ = os.environ if options.environ is None else options.environ
    found = detect_git(root, environ)
    git = options.git
    sha = git.sha or found.sha
    digest = sha256(f"{project}\0{options.environment}\0{sha}\0{dialect}\0{fingerprint}".encode())
    for node in nodes:
        content = f"\0{node.unique_id}\0{node.path}\0{node.raw_code}\0{node.code_hash}"
        digest.update(content.encode("utf-8", "surrogatepass"))
    return RunMetadata(
        run_id=options.run_id or digest.hexdigest()[:32],
        run_at=datetime.now(timezone.utc),
        project_name=project,
        environment=options.environment,
        invocation_id=fingerprint,
        extractor=extractor,
        adapter_type=dialect,
        git_sha=sha,
        branch=git.branch or found.branch,
        git_dirty=found.dirty if git.dirty is None else git.dirty,
        git_proven=None if sha is None else sha == clean_checkout(root, environ).sha,  # files read just now
        pull_request=git.pull_request or found.pull_request,
        node_count=len(nodes),
        edge_count=sum(len(node.parents) for node in nodes),
        recorder_version=__version__,
    )


def compiled(read: DbtFiles, before: Mapping[str, NodeMetadata], options: SqlOptions) -> list[NodeMetadata]:
    """The nodes of *read*, each with its SQL rendered, as far as that takes no database.

    A node that is as it was *before*, and reads relations that are, keeps its SQL.
    """
    nodes = {node.unique_id: node for node in read.nodes}
    kept = _unchanged(nodes, before, read.reused)
    waiting = [
        node
        for node in read.nodes
        if node.unique_id not in kept and node.resource_type in _COMPILED and node.language == "sql"
    ]
    if not waiting:
        return read.nodes
    renderers = _renderers(read.inputs, nodes, options)
    failed: list[str] = []
    for node in waiting:
        text = _rendered(node, renderers, failed)
        nodes[node.unique_id] = replace(node, compiled_code=text)
    _tell(failed, read.inputs.warnings)
    return [nodes[unique_id] for unique_id in sorted(nodes)]


def _unchanged(
    nodes: Mapping[str, NodeMetadata], before: Mapping[str, NodeMetadata], reused: Iterable[str]
) -> set[str]:
    """Of the *reused*, those whose SQL is the same: no relation, and no CTE put into it, has changed."""
    reusable = {unique_id for unique_id in reused if unique_id in nodes and nodes[unique_id].compiled_code}
    changed = {unique_id for unique_id in nodes if unique_id not in reusable}
    moved = {
        unique_id
        for unique_id in changed
        if (was := before.get(unique_id)) is None or was.relation_name != nodes[unique_id].relation_name
    }
    kept: set[str] = set()
    pending = sorted(reusable & nodes.keys())
    blocked: set[str] = set()
    while pending:
        again = []
        for unique_id in pending:
            parents = nodes[unique_id].parents
            ephemeral = [p for p in parents if p in nodes and nodes[p].materialized == "ephemeral"]
            if any(p in moved for p in parents) or any(p in changed or p in blocked for p in ephemeral):
                blocked.add(unique_id)
            elif any(p in reusable and p not in kept for p in ephemeral):
                again.append(unique_id)
            else:
                kept.add(unique_id)
        if len(again) == len(pending):
            break
        pending = again
    return kept


def _renderers(
    inputs: Inputs, nodes: Mapping[str, NodeMetadata], options: SqlOptions
) -> list[SimpleTemplateRenderer]:
    """Renderers to try: with stand-ins for macros that are missing, then for those that ask the database."""
    own = [*dbt_macros(), *inputs.macros]
    have = {macro.unique_id for macro in own}
    utils = list(utils_macros())
    first = [*own, *(macro for macro in utils if macro.unique_id not in have)]
    texts = [*(macro.macro_sql for macro in own), *(node.raw_code or "" for node in nodes.values())]
    absent = missing_macros(texts, first, (*DBT_NAMES, *FUNCTIONS))
    _tell_packages([*absent, *first[len(own) :]], inputs, texts)
    first += absent
    replaced = {macro.unique_id: macro for macro in (*first, *utils)}
    given: dict[str, Any] = {
        "run": RunMetadata(
            run_id="files",
            run_at=datetime.fromtimestamp(0, timezone.utc),
            project_name=inputs.root.name,
            adapter_type=inputs.dialect,
        ),
        "variables": dict(inputs.overrides),
        "settings": inputs.variables,
        "infer_variables": False,
        "environ": os.environ if options.environ is None else options.environ,
        "target": {
            "schema": inputs.place.schema,
            "database": inputs.place.database,
            "name": options.target_name or "default",
        },
    }
    everything = {**nodes, **_missing(nodes, inputs)}
    return [
        SimpleTemplateRenderer(None, everything, macros=macros, **given)
        for macros in (first, list(replaced.values()))
    ]


def _tell_packages(stand_ins: Iterable[Any], inputs: Inputs, texts: Sequence[str]) -> None:
    """That packages which templates use are not installed."""
    installed = {package.name for package in inputs.packages}
    names = sorted(
        {macro.package_name for macro in stand_ins if any(f"{macro.package_name}." in text for text in texts)}
        - installed
        - {"dbt"}
    )
    if names:
        inputs.warnings.append(
            f"Packages that are not installed: {', '.join(names)}; stand-ins were read in place of their "
            "macros (dbt deps installs them)"
        )


def _missing(nodes: Mapping[str, NodeMetadata], inputs: Inputs) -> dict[str, NodeMetadata]:
    """Something for every parent that is nowhere, so that the SQL of its readers can be written."""
    found = {}
    for unique_id in {parent for node in nodes.values() for parent in node.parents} - nodes.keys():
        kind, package, name, *version = unique_id.split(".", 3)
        if kind == "model":
            found[unique_id] = NodeMetadata(
                unique_id=unique_id,
                name=name,
                resource_type=kind,
                package_name=package,
                identifier=name,
                version=version[0].removeprefix("v") if version else None,
                relation_name=relation_name(None, inputs.place.schema, name, inputs.dialect),
            )
    return found


def _rendered(
    node: NodeMetadata, renderers: Sequence[SimpleTemplateRenderer], failed: list[str]
) -> str | None:
    problem: TemplateError | None = None
    for renderer in renderers:
        try:
            return renderer.render(node.raw_code or "", node=node.unique_id)
        except TemplateError as error:
            problem = problem or error
    if problem is not None:
        place = f"{node.path}:{problem.line}" if problem.line else node.path
        failed.append(f"{place}: {problem.problem}")
    return None


def _tell(failed: Sequence[str], warnings: list[str]) -> None:
    """What could not be rendered, in few words where it is much."""
    warnings += [f"{text}; its SQL was not rendered" for text in failed[:_NAMED]]
    if len(failed) > _NAMED:
        warnings.append(f"{len(failed) - _NAMED} more files were not rendered")
