"""Reading of a checkout as a run, and of its column lineage, in a child process with limits.

Files of a repository are other people's: their YAML, Jinja, SQL and manifests may be built to exhaust memory
or to hang. So the worker reads none of them. A child reads them, with the command of `command_of`, and writes
a JSON document of `Project` or `ColumnGraph`, which the worker records.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta import _version
from recce_meta.api.record import read_target
from recce_meta.api.record_sql import (
    BRONZE,
    SILVER,
    SqlOptions,
    dbt_macros,
    extract_sql_project,
    utils_macros,
)
from recce_meta.errors import ConfigurationError, RecceMetaError
from recce_meta.extractors.git import GitState
from recce_meta.models import MacroMetadata, Project
from recce_meta.models.lineage import ColumnGraph
from recce_meta.models.node_types import RENDERED, WITH_QUERY
from recce_meta.models.run import ExtractionTier
from recce_meta.profiles import ProjectSettings, read_project_settings
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.render import SimpleTemplateRenderer, TemplateContext
from recce_meta.render.build_failures import BuildFailures
from recce_meta.repositories.extraction.dbt.project import refuse_outer_folders
from recce_meta.sql_lineage.project.columns import analyse_project
from recce_meta.warehouses.driver import parser_of

TIERS = {SILVER: ExtractionTier.SILVER, BRONZE: ExtractionTier.BRONZE}
"""Tiers of runs without a manifest, by `extractor`."""
Document = TypeVar("Document", Project, ColumnGraph)
FAILED = 3
"""Exit code of a child that has written an error instead of a document."""
_START = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from recce_meta.repositories.extraction.reading import main
main()
"""


class ReadRequest(Struct, frozen=True, kw_only=True, tag="read"):
    """Request to read a checkout as a run."""

    output: Path
    folder: Path
    """Folder of the project in the checkout."""
    checkout: Path | None = None
    """Folder that the project may read without dbt; by default its own."""
    target: Path | None = None
    """Folder of dbt's manifest; None to read the files without dbt."""
    environment: str
    run_id: str
    sha: str
    branch: str
    pull_request: str | None = None
    """Number of the pull request that the commit belongs to."""
    adapter: str | None = None
    profiles_dir: Path | None = None
    """Folder of our profiles.yml."""
    target_name: str | None = None
    variables: Mapping[str, str] = {}
    """Values of `env_var`."""


class ColumnsRequest(Struct, frozen=True, kw_only=True, tag="columns"):
    """Request for the column lineage of a project that was read."""

    output: Path
    project: Path
    """Document of the project."""
    known: Path
    """Names of columns by lineage id: the analyses that are stored."""
    timeout: float
    """Seconds for each query."""


class ReadingError(Struct, frozen=True, kw_only=True):
    """Error of a reading, written to standard output."""

    message: str
    hint: str | None = None


def command_of(request: ReadRequest | ColumnsRequest, file: Path) -> tuple[str, ...]:
    """Write *request* to *file*, and return the command that answers it with the worker's own Python."""
    file.write_bytes(msgspec.json.encode(request, enc_hook=str))
    # Isolated mode ignores PYTHONPATH and the current folder, so the package's folder is an argument.
    return (sys.executable, "-I", "-c", _START, str(package_folder()), str(file))


def package_folder() -> Path:
    """Return the folder that contains the package recce_meta."""
    return Path(_version.__file__).resolve().parent.parent


def python_folders() -> tuple[Path, ...]:
    """Return the folders that the worker's Python needs: itself, its packages, and recce_meta."""
    folders = {Path(sys.prefix), Path(sys.base_prefix), package_folder() / "recce_meta"}
    folders |= {Path(entry) for entry in sys.path if entry.endswith("site-packages")}
    return tuple(sorted(folder.resolve() for folder in folders))


def read_document(file: Path, largest: int) -> Project:
    """Return the project in *file*.

    Raises ConfigurationError if it is larger than *largest* bytes, or no such document.
    """
    return _decoded(file, largest, Project)


def read_columns(file: Path, largest: int) -> ColumnGraph:
    """Return the column lineage in *file*. Raises ConfigurationError as `read_document` does."""
    return _decoded(file, largest, ColumnGraph)


def _decoded(file: Path, largest: int, kind: type[Document]) -> Document:
    size = file.stat().st_size
    # Before it is read: a child may write more than the worker has memory.
    if size > largest:
        raise ConfigurationError(
            f"The project is too large: its document has {size:,} bytes, the limit is {largest:,}",
            hint="connect a smaller project, or one of its subdirectories",
        )
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"The project could not be read: {error}") from None


def main() -> None:
    """Answer the request in the file that the command line names."""
    request = msgspec.json.decode(
        Path(sys.argv[1]).read_bytes(), type=ReadRequest | ColumnsRequest, dec_hook=_path
    )
    try:
        if isinstance(request, ReadRequest):
            answer: Project | ColumnGraph = read(request)
        else:
            answer = _columns(request)
        request.output.write_bytes(msgspec.json.encode(answer))
    except RecceMetaError as error:
        answered = msgspec.json.encode(ReadingError(message=error.message, hint=error.hint))
        # In the last line, because libraries may print before.
        sys.stdout.write(f"{answered.decode()}\n")
        sys.exit(FAILED)


def _path(kind: type, value: Any) -> Any:
    return kind(value)


def _columns(request: ColumnsRequest) -> ColumnGraph:
    project = msgspec.json.decode(request.project.read_bytes(), type=Project)
    known = msgspec.json.decode(request.known.read_bytes(), type=dict[str, tuple[str, ...]])
    return analyse_project(project, known, timeout=request.timeout)


def read(request: ReadRequest) -> Project:
    """Return the checkout of *request* as a run.

    Raises ArtifactError for a manifest that is damaged, UsageError if there are no SQL files,
    ConfigurationError for a dbt_project.yml that is invalid, or names a folder outside the checkout.
    """
    git = GitState(sha=request.sha, branch=request.branch, dirty=False)
    if request.target is not None:
        project = read_target(
            request.target,
            environment=request.environment,
            project_dir=request.folder,
            run_id=request.run_id,
            target_name=request.target_name,
            git=git,
        )
        project = with_rendered_code(project, request.folder, request.variables)
    else:
        # Without bubblewrap, these are files of the worker.
        refuse_outer_folders(request.checkout or request.folder, request.variables)
        project = extract_sql_project(
            request.folder,
            SqlOptions(
                environment=request.environment,
                run_id=request.run_id,
                dialect=request.adapter,
                target_name=request.target_name,
                profiles_dir=request.profiles_dir,
                git=git,
                environ=request.variables,
            ),
        )
    # The checkout has no files but those of the commit.
    return replace(project, run=replace(project.run, git_proven=True, pull_request=request.pull_request))


def with_rendered_code(project: Project, folder: Path, variables: Mapping[str, str]) -> Project:
    """Return *project* with rendered SQL for its queries: `dbt parse` compiles nothing.

    *variables* are the values of `env_var`. A query whose macros need a database is rendered with stand-ins
    for them; if that fails too, it stays without SQL.
    """
    waiting = [
        node
        for node in project.nodes
        if node.resource_type in WITH_QUERY | RENDERED
        and node.language == "sql"
        and not node.compiled_code
        and node.raw_code is not None
    ]
    if not waiting:
        return project
    renderers = _renderers(project, _settings_of(folder, variables), variables)
    adapter = project.run.adapter_type
    failures = BuildFailures(project.macros, parser_of(adapter), adapter=adapter)
    rendered = {node.unique_id: failures.rendered(node, renderers)[0] for node in waiting}
    for node in waiting:
        if node.resource_type not in WITH_QUERY:
            rendered[node.unique_id] = replace(rendered[node.unique_id], compiled_code=node.compiled_code)
    return replace(project, nodes=tuple(rendered.get(node.unique_id, node) for node in project.nodes))


def _settings_of(folder: Path, variables: Mapping[str, str]) -> ProjectSettings | None:
    if not (folder / PROJECT_FILE).is_file():
        return None
    return read_project_settings(folder, environment=variables)


def _renderers(
    project: Project, settings: ProjectSettings | None, variables: Mapping[str, str]
) -> Sequence[SimpleTemplateRenderer]:
    """Return renderers to try in order: with the project's own macros, then with stand-ins."""
    own = {macro.unique_id: macro for macro in project.macros}
    stand_ins = {macro.unique_id: macro for macro in (*dbt_macros(), *utils_macros())}
    sets: Iterable[Iterable[MacroMetadata]] = (own.values(), {**own, **stand_ins}.values())
    return [
        SimpleTemplateRenderer(
            None,
            project.nodes,
            macros=macros,
            run=project.run,
            context=TemplateContext(settings=settings, environ=variables),
            infer_variables=False,
        )
        for macros in sets
    ]
