"""Reader of a dbt target folder into one `Project`: manifest, catalog, run results, seeds, git and target.

catalog.json sets the columns of nodes to those in the warehouse; run_results.json has the result of each
node. Seed files are hashed here, because dbt does not hash files over 1 MiB, and treats CRLF as a change.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, ValidationError, convert
from msgspec.structs import asdict, replace

from recce_meta._version import __version__
from recce_meta.errors import ArtifactError, UsageError, first_of, plural
from recce_meta.extractors.artifact import (
    CatalogColumn,
    CatalogTable,
    Metadata,
    RawCatalog,
    RawResult,
    RawRunResults,
    check_header,
    decode,
    find_artifact,
    not_a,
    read_artifact,
    refusing,
)
from recce_meta.extractors.commit_proof import (
    Checkout,
    edited_since,
    properties_edited_since,
    proves_commit,
)
from recce_meta.extractors.critical_path import critical_path
from recce_meta.extractors.deferred import with_deferred_relations
from recce_meta.extractors.freshness import FoundFreshness, read_freshness
from recce_meta.extractors.git import GitState, detect_git
from recce_meta.extractors.job import job_fields
from recce_meta.extractors.manifest import Manifest, read_manifest
from recce_meta.models import Column, Json, NodeMetadata, NodeResult, Project, RunMetadata, target_place
from recce_meta.models.moments import utc_time
from recce_meta.models.node import CONTRACT_ORDER, SEED_HEADER
from recce_meta.models.run import (
    DEFER,
    EARLIER_RESULTS,
    ERROR_STATUSES,
    UNFINISHED,
    UNKNOWN_STATUS,
    dbt_options,
    with_build,
)
from recce_meta.profiles.discovery import PROJECT_FILE, nearest_with
from recce_meta.profiles.project_file import parse_variables
from recce_meta.redaction import without_colors

BUILT_EARLIER = "Built before the last edit"
"""Start of the warning about artifacts that are older than the checkout."""
NOT_IN_CATALOG = "columns_not_in_catalog"
"""Name of the property for documented columns that the relation does not have."""


def extract_columns_from_catalog(path: str | Path, nodes: Iterable[NodeMetadata]) -> list[NodeMetadata]:
    """Return *nodes* with the columns of the catalog at *path*, in ordinal order.

    A column is matched to its documentation by exact name, then case-insensitively. Nodes that are not in
    the catalog retain their documented columns; `columns_from` says which source applies.

    Raises ArtifactError if the catalog is damaged, or if it contains none of the nodes.
    """
    nodes = list(nodes)
    tables = read_catalog(Path(path))
    if tables and not any(node.unique_id in tables for node in nodes):
        raise ArtifactError(
            f"{path} is another project's catalog: none of its {len(tables)} relations is in the manifest",
            hint="run `dbt docs generate` in this project, or omit the catalog",
        )
    return [
        _with_columns(node, tables[node.unique_id]) if node.unique_id in tables else node for node in nodes
    ]


def read_catalog(path: Path) -> dict[str, CatalogTable]:
    """Return the catalog's relations by unique id."""
    raw = decode(read_artifact(path), path, "catalog.json", RawCatalog)
    check_header(raw.metadata, path, "catalog.json")
    if raw.nodes is None and raw.sources is None:
        raise not_a("catalog.json", path, "it has neither 'nodes' nor 'sources'")
    return {**(raw.nodes or {}), **(raw.sources or {})}


def _with_columns(node: NodeMetadata, table: CatalogTable) -> NodeMetadata:
    columns, missing = merge_columns(node.columns, table.columns.values())
    if not columns:
        return node
    properties: dict[str, Any] = node.properties
    if missing:
        properties = {**properties, NOT_IN_CATALOG: [_bare(column) for column in missing]}
    declared = [column.name.lower() for column in node.columns]
    if node.contract and declared != [column.name.lower() for column in columns]:
        # The next build has this order: the catalog may be that of an earlier one.
        properties = {**properties, CONTRACT_ORDER: declared}
    return replace(node, columns=columns, columns_from="catalog", properties=properties)


def merge_columns(
    documented: Sequence[Column], found: Iterable[CatalogColumn]
) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """Return the relation's columns with their documentation, and the documented columns that it lacks."""
    in_order = sorted(found, key=lambda column: column.index)
    names = {column.name for column in in_order}
    exact = {column.name: column for column in documented}
    # A column matched by exact name must not also document a quoted column that differs only by case.
    folded = {column.name.lower(): column for column in documented if column.name not in names}
    used: set[str] = set()
    columns = []
    for column in in_order:
        match = exact.get(column.name) or folded.get(column.name.lower())
        if match is None:
            columns.append(Column(name=column.name, type=column.type))
        else:
            used.add(match.name)
            columns.append(replace(match, name=column.name, type=column.type))
    return tuple(columns), tuple(column for column in documented if column.name not in used)


def _bare(column: Column) -> dict[str, Any]:
    empty = Column(name="")
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(column).items()
        if value is not UNSET and value != getattr(empty, key)
    }


NOT_A_RUN = frozenset(["generate", "compile", "parse", "list", "ls", "show"])
"""Commands that report the status "success" for nodes that they did not build."""

OTHER_SQL = ("empty", "sample", "defer", "favor_state")
"""Options of dbt with which it compiles other SQL, or builds other rows."""

VARIABLE_HASH_LENGTH = 8
"""Number of hexadecimal digits."""

BUILDS = {"build": ("model", "seed", "snapshot"), "run": ("model",)}
"""Resource types that a command of dbt builds."""
MOST_MISSING = 5
"""Maximum number of names in the warning of a build that was interrupted."""
SELECTING = ("select", "exclude", "selector", "resource_types", "exclude_resource_types")
"""Arguments of dbt that select nodes; its versions before 1.5 do not write `select`."""
ARGUMENTS = (
    *SELECTING, "threads", "defer", "favor_state", "empty", "sample", "event_time_start", "event_time_end",
)  # fmt: skip
"""Arguments of dbt that are stored with a run if they are given."""
FORMER_NAMES = {"select": "models", "selector": "selector_name"}
"""Names of arguments before dbt 1.5."""
BYTES_KEYS = ("bytes_processed", "bytes_billed", "bytes_scanned")
QUERY_KEYS = ("query_id", "job_id")
MESSAGE_KEYS = ("_message", "message")
_DIGITS = re.compile(r"-?[0-9]{1,19}")
_RESULT = msgspec.json.Decoder(RawResult)


class RunResults(Struct, frozen=True, kw_only=True):
    """Content of run_results.json."""

    invocation_id: str | None
    generated_at: str | None
    command: str | None
    """dbt's `args.which`, with the options that change what it builds: build, run, test --defer, …"""
    target: str | None
    variables: dict[str, str] | None
    """Hash of the value of each variable of `--vars`; None if the file does not have them."""
    started_at: datetime | None
    elapsed_time: float | None
    full_refresh: bool | None
    args: dict[str, str | int | bool] | None
    results: tuple[NodeResult, ...]
    """Sorted by unique id; empty if the command builds nothing."""
    builds: tuple[str, ...] = ()
    """Resource types of which the command, without a selection, builds all nodes."""
    warnings: tuple[str, ...] = ()
    """Sentences about values that could not be read."""


def read_run_results(path: Path) -> RunResults:
    """Return the results at *path*; values that cannot be read are skipped with a warning.

    Raises ArtifactError if the file is damaged or of another kind.
    """
    raw = decode(read_artifact(path), path, "run_results.json", RawRunResults)
    check_header(raw.metadata, path, "run_results.json")
    if raw.results is None:
        raise not_a("run_results.json", path, "it has no 'results'")
    args = raw.args if isinstance(raw.args, dict) else {}
    which, target = (
        value if isinstance(value, str) else None
        for value in (args.get("which") or args.get("rpc_method"), args.get("target"))
    )
    options = (f"--{name.replace('_', '-')}" for name in OTHER_SQL if args.get(name))
    skipped: list[str] = []
    with refusing(path, "run_results.json"):
        found = [] if which in NOT_A_RUN else list(_results(raw.results, skipped))
    results = {result.unique_id: result for result in found}
    header = raw.metadata or Metadata()
    elapsed = raw.elapsed_time
    # `dbt retry` has the command and the selection of the build that it continues.
    is_part = any(map(args.get, SELECTING)) or "retry" in str(args.get("invocation_command")).split()
    return RunResults(
        invocation_id=header.invocation_id,
        generated_at=header.generated_at,
        command=which and " ".join([which, *options]),
        target=target,
        variables=_variables(args, header.dbt_version or ""),
        started_at=_time(header.invocation_started_at or args.get("invocation_started_at")),
        elapsed_time=elapsed if isinstance(elapsed, (int, float)) and elapsed is not True else None,
        full_refresh=_full_refresh(args),
        args=_arguments(args),
        results=tuple(results[unique_id] for unique_id in sorted(results)),
        builds=() if "select" not in args or is_part else BUILDS.get(which or "", ()),
        warnings=_warnings(skipped),
    )


def _full_refresh(args: Mapping[str, Json]) -> bool | None:
    """Return True for `--full-refresh`; None if *args* of this version do not list what is not given."""
    given = args.get("full_refresh")
    return given if isinstance(given, bool) else False if "select" in args else None


def _arguments(args: Mapping[str, Json]) -> dict[str, str | int | bool] | None:
    """Return the arguments that are given, lists as on the command line; None if there are no *args*."""
    given = {name: args.get(name) or args.get(FORMER_NAMES.get(name, "")) for name in ARGUMENTS}
    if not args:
        return None
    texts = {name: " ".join(map(str, one)) if isinstance(one, list) else one for name, one in given.items()}
    return {name: one if isinstance(one, (str, int)) else str(one) for name, one in texts.items() if one}


def _time(text: Json) -> datetime | None:
    try:
        return utc_time(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _variables(args: Mapping[str, Json], dbt_version: str) -> dict[str, str] | None:
    """Return a hash of each value of `--vars`, which may be a secret; None if *args* do not have them.

    dbt before 1.5 writes the text of the option, unless it is empty; dbt's Rust engine does not write it.
    """
    given = args.get("vars")
    if given is None:
        return {} if args and dbt_version.startswith(("0.", "1.")) else None
    if isinstance(given, str):
        try:
            given = parse_variables(given)
        except UsageError:
            return None
    if not isinstance(given, dict):
        return None
    named = {str(name): value for name, value in given.items()}
    return {name: _value_hash(name, named[name]) for name in sorted(named)}


def _value_hash(name: str, value: Json) -> str:
    # A short hash differs for other values, but of many guesses for a secret it confirms several.
    text = msgspec.json.encode((name, value), order="deterministic")
    return sha256(text).hexdigest()[:VARIABLE_HASH_LENGTH]


def _results(entries: list[Raw], skipped: list[str]) -> Iterator[NodeResult]:
    """Yield each entry that names its node; add unreadable entries and fields to *skipped*."""
    for position, entry in enumerate(entries):
        try:
            raw: RawResult | None = _RESULT.decode(entry)
        except ValidationError:
            raw = _readable(msgspec.json.decode(entry), skipped)
        if raw is None:
            skipped.append(f"entry {position + 1}")
        else:
            yield _result(raw, skipped)


def _readable(entry: Json, skipped: list[str]) -> RawResult | None:
    """Return the fields of *entry* that have the right type; None if it does not name its node."""
    if not isinstance(entry, dict) or not isinstance(entry.get("unique_id"), str):
        return None
    fields: dict[str, Json] = {"status": UNKNOWN_STATUS, "unique_id": entry["unique_id"]}
    if not isinstance(entry.get("status"), str):
        skipped.append(f"status of {entry['unique_id']}")
    # One field at a time, so that a wrong type loses only its own field.
    for name in RawResult.__struct_fields__:
        if name in entry and name != "unique_id":
            try:
                convert({**fields, name: entry[name]}, RawResult)
            except ValidationError:
                if name != "status":
                    skipped.append(f"{name} of {entry['unique_id']}")
            else:
                fields[name] = entry[name]
    return convert(fields, RawResult)


def _result(raw: RawResult, skipped: list[str]) -> NodeResult:
    response: dict[str, Any] = raw.adapter_response if isinstance(raw.adapter_response, dict) else {}
    rows = _integer(response.get("rows_affected"))
    bytes_key = next((key for key in BYTES_KEYS if _integer(response.get(key)) is not None), "")
    query_key = next((key for key in QUERY_KEYS if isinstance(response.get(key), str)), "")
    elsewhere = {*MESSAGE_KEYS, bytes_key, query_key, "" if rows is None else "rows_affected"}
    failures = _integer(raw.failures)
    if failures is None and raw.failures is not None:
        skipped.append(f"failures of {raw.unique_id}")
    return NodeResult(
        unique_id=raw.unique_id,
        status=raw.status,
        seconds=raw.execution_time,
        rows=rows if rows is not None and rows >= 0 else None,  # Postgres reports -1 for a view
        bytes=_integer(response.get(bytes_key)),
        failures=failures,
        message=None if raw.message is None else without_colors(str(raw.message)),
        **_phases(raw, skipped),
        thread_id=raw.thread_id,
        query_id=response.get(query_key),
        adapter_response={name: value for name, value in response.items() if name not in elsewhere} or None,
    )


def _phases(raw: RawResult, skipped: list[str]) -> dict[str, Any]:
    """Return the start and end of each phase, and the last end, by the fields of `NodeResult`."""
    found: dict[str, Any] = {}
    for timing in raw.timing or ():
        for name in ("started_at", "completed_at"):
            if not (text := getattr(timing, name)):
                continue
            if (time := _time(text)) is None:
                skipped.append(f"{name} of {raw.unique_id}")
                continue
            if name == "completed_at":
                found[name] = max(text, found.get(name, text))
            if timing.name in ("compile", "execute"):
                found[f"{timing.name}_{name}"] = time
    return found


def _warnings(skipped: list[str]) -> tuple[str, ...]:
    if not skipped:
        return ()
    return (f"run_results.json has values that cannot be read and were skipped: {first_of(skipped, 5)}",)


def _integer(value: Json) -> int | None:
    """Return *value* as an integer that fits a BIGINT column; None if it is not one."""
    is_digits = isinstance(value, str) and _DIGITS.fullmatch(value)
    if not is_digits and (isinstance(value, bool) or not isinstance(value, (int, float))):
        return None
    return found if abs(found := int(value)) < 2**63 else None


CHUNK = 1 << 20


def hash_seeds(
    nodes: Iterable[NodeMetadata], project_dir: Path | None, roots: Mapping[str, str]
) -> list[NodeMetadata]:
    """Return *nodes* with the `code_hash` of each seed's file, if the file is available.

    If dbt hashed the seed, its file is used only if the content is still the same. *roots* has the path of
    each seed's package when dbt parsed it.
    """
    return [
        _hashed(node, project_dir, roots.get(node.unique_id)) if node.resource_type == "seed" else node
        for node in nodes
    ]


def _hashed(seed: NodeMetadata, project_dir: Path | None, root: str | None) -> NodeMetadata:
    path = next((path for path in _candidates(seed, project_dir, root) if path.is_file()), None)
    if path is None:
        return seed
    try:
        if seed.checksum_rule == "path" or is_what_dbt_saw(seed, path):
            header = header_of(path, seed.config)
            properties = {**seed.properties, SEED_HEADER: header}
            return replace(
                seed, code_hash=file_hash(path), properties=properties if header else seed.properties
            )
    except (OSError, csv.Error):
        return seed  # an unreadable file counts as unavailable
    return seed


def _candidates(seed: NodeMetadata, project_dir: Path | None, root: str | None) -> Iterator[Path]:
    if project_dir is not None:
        # First, because the project itself may have a seed at the same path.
        for packages in ("dbt_packages", "dbt_modules"):
            yield project_dir / packages / seed.package_name / seed.path
        yield project_dir / seed.path
    if root is not None:
        yield Path(root) / seed.path


def header_of(path: Path, config: Mapping[str, Json]) -> list[str]:
    """Return the columns in the first line of the file of a seed."""
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        # Never all of a file without line ends.
        line = file.readline(CHUNK)
    # `csv` accepts one character as delimiter.
    names = next(csv.reader([line], delimiter=str(config.get("delimiter") or ",")[:1]), [])
    return [name.strip() for name in names if name.strip()]


def file_hash(path: Path) -> str:
    """Return the hexadecimal SHA-256 of the file, with LF line ends and no trailing whitespace."""
    digest = sha256()
    held = b""  # trailing whitespace of the file, or half of a CRLF: decided by the next chunk
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            chunk = (held + chunk).replace(b"\r\n", b"\n")
            kept = chunk.rstrip()
            digest.update(kept)
            held = chunk[len(kept) :]
    return digest.hexdigest()


def is_what_dbt_saw(seed: NodeMetadata, path: Path) -> bool:
    """Return True if dbt's checksum matches the file, by any of dbt's rules (see `checksum_rule`)."""
    # dbt hashes contents up to 1 MiB. The rest is room for other line ends.
    if seed.checksum is None or path.stat().st_size > 2 * CHUNK:
        return False
    data = path.read_bytes()
    rules: tuple[Callable[[bytes], bytes], ...] = (
        bytes,
        bytes.strip,
        lambda text: text.replace(b"\r\n", b"\n").strip(),
        lambda text: b" ".join(text.split()),
    )
    return any(sha256(rule(data)).hexdigest() == seed.checksum for rule in rules)


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

    *manifest_path*, *catalog_path* and *run_results_path* replace the files in *target_dir*. Catalog and run
    results are optional, but explicit paths must exist. *project_dir* contains `dbt_project.yml` and the
    seeds (default: the nearest such folder at or above *target_dir*). *environment*, *run_id* and
    *target_name* are the run's (default: a new id, the target of the run results). *git* overrides the
    repository and the CI variables, which are read from *environ* (default: the process's). Unless
    *hash_seed_files* is False, the files of seeds are hashed. *before* is the checkout before the command
    that may have built the artifacts: it can prove their commit (`RunMetadata.git_proven`).

    Raises ArtifactError if an artifact is missing, damaged, or another project's.
    """
    folder, variables = Path(target_dir), os.environ if environ is None else environ
    root = Path(project_dir) if project_dir is not None else project_above(folder)
    manifest = read_manifest(_manifest_path(folder, manifest_path, root))
    nodes: Iterable[NodeMetadata] = manifest.nodes
    catalog = _optional(folder, catalog_path, "catalog.json")
    if catalog:
        nodes = extract_columns_from_catalog(catalog, nodes)
    nodes = tuple(hash_seeds(nodes, root, manifest.seed_roots) if hash_seed_files else nodes)
    fresh = read_freshness(find_artifact(folder, "sources.json"), {node.unique_id for node in nodes})
    path = _optional(folder, run_results_path, "run_results.json")
    is_freshness = run_results_path is None and _is_of(fresh.metadata, manifest)
    found = _of_freshness(fresh) if is_freshness else read_run_results(path) if path else None
    results, warnings = _own_results(found, manifest, catalog, nodes, manifest.groups)
    proven, newer = None, tuple[str, ...]()
    if git is None:
        git, proven, newer = _origin(root, folder, manifest, variables, before)
    run = _run(manifest, nodes, git, found, environment=environment, run_id=run_id, target_name=target_name)
    origin = job_fields(root or folder, variables, git.sha)
    origin["critical_path"] = critical_path(nodes, results)
    nodes = _without_sql(nodes) if run.command == "show" else nodes
    return Project(
        run=with_build(replace(run, git_proven=proven, warnings=warnings, **origin), results),
        nodes=with_deferred_relations(nodes) if DEFER in dbt_options(run) else nodes,
        macros=manifest.macros,
        groups=manifest.groups,
        results=results,
        freshness=fresh.results,
        warnings=(*warnings, *fresh.warnings, *newer),
    )


def _is_of(metadata: Metadata, manifest: Manifest) -> bool:
    return metadata.invocation_id is not None and metadata.invocation_id == manifest.invocation_id


def _of_freshness(found: FoundFreshness) -> RunResults:
    """Return the results of `dbt source freshness`, which writes no run_results.json."""
    return RunResults(
        invocation_id=found.metadata.invocation_id,
        generated_at=found.metadata.generated_at,
        command="freshness",
        target=None,
        variables=None,
        started_at=_time(found.metadata.invocation_started_at),
        elapsed_time=found.elapsed_time,
        full_refresh=None,
        args=None,
        results=(),
    )


def _without_sql(nodes: Iterable[NodeMetadata]) -> tuple[NodeMetadata, ...]:
    """Return *nodes* without the SQL of a preview, which has a limit."""
    return tuple(replace(node, compiled_code=None) if node.compiled_code else node for node in nodes)


def _origin(
    root: Path | None,
    folder: Path,
    manifest: Manifest,
    variables: Mapping[str, str],
    before: Checkout | None,
) -> tuple[GitState, bool | None, tuple[str, ...]]:
    """Return the commit that is checked out, whether the artifacts prove it, and a warning if they do not.

    The checkout counts as dirty if dbt did not read the files of its commit.
    """
    start = root or folder
    git = detect_git(start, variables)
    proven = proves_commit(start, git, _built_at(manifest), variables, before) if git.sha else None
    if root is None or proven is not False:
        return git, proven, ()
    nodes = (*manifest.nodes, *manifest.groups)
    edited = edited_since(root, manifest.project_name, nodes, manifest.macros)
    edited += properties_edited_since(root, variables, _built_at(manifest))
    if not edited:
        return git, proven, ()
    return replace(git, dirty=True), proven, (f"{BUILT_EARLIER} of {first_of(edited, 3)}",)


def _run(
    manifest: Manifest,
    nodes: tuple[NodeMetadata, ...],
    git: GitState,
    found: RunResults | None,
    *,
    environment: str,
    run_id: str | None,
    target_name: str | None,
) -> RunMetadata:
    """Return the metadata of the run; *found* describe it only if its invocation wrote *manifest*."""
    own = found if found and found.invocation_id == manifest.invocation_id else None
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
        target_name=target_name or (found.target if found else None),
        target_database=database,
        target_schema=schema,
        git_sha=git.sha,
        branch=git.branch,
        git_dirty=git.dirty,
        pull_request=git.pull_request,
        command=own.command if own else None,
        variables=own.variables if own else None,
        run_started_at=own.started_at if own else None,
        run_completed_at=_time(own.generated_at) if own else None,
        elapsed_time=own.elapsed_time if own else None,
        full_refresh=own.full_refresh if own else None,
        args=own.args if own else None,
        node_count=len(nodes),
        edge_count=sum(len(node.parents) for node in nodes),
        recorder_version=__version__,
    )


def _manifest_path(folder: Path, given: str | Path | None, root: Path | None) -> Path:
    if given is not None:
        return Path(given)
    if folder.is_file():
        return folder
    if not folder.is_dir():
        raise ArtifactError(
            f"Folder not found: {folder}",
            hint="run `dbt build` first, or pass dbt's target folder with --target-path"
            if root
            else f"no {PROJECT_FILE} here or above: change to the project's folder, or pass --project-dir",
        )
    if path := find_artifact(folder, "manifest.json"):
        return path
    raise ArtifactError(
        f"No manifest.json in {folder}",
        hint="run `dbt build` or `dbt compile` first, or pass its target folder",
    )


def _optional(folder: Path, given: str | Path | None, name: str) -> Path | None:
    if given is not None:
        return Path(given)
    return find_artifact(folder if folder.is_dir() else folder.parent, name)


def project_above(folder: Path) -> Path | None:
    """Return the nearest folder at or above *folder* that contains dbt_project.yml, else None."""
    return nearest_with(PROJECT_FILE, folder.resolve())


def _invocation_of(catalog: Path) -> str | None:
    metadata = decode(read_artifact(catalog), catalog, "catalog.json", RawCatalog).metadata
    return metadata.invocation_id if metadata else None


def _own_results(
    found: RunResults | None, manifest: Manifest, catalog: Path | None, *known: Iterable[NodeMetadata]
) -> tuple[tuple[NodeResult, ...], tuple[str, ...]]:
    """Return the results of this manifest's nodes, and warnings about skipped results."""
    if found is None or not found.results:
        return (), found.warnings if found else ()
    ids = {node.unique_id for nodes in known for node in nodes}
    results = tuple(result for result in found.results if result.unique_id in ids)
    # The result of `dbt run-operation` is that of a macro.
    strangers = sum(not one.unique_id.startswith("macro.") for one in found.results) - len(results)
    same_invocation = found.invocation_id == manifest.invocation_id
    if not same_invocation and strangers > len(results):
        return (), ("run_results.json belongs to another project or commit and was skipped",)
    # `dbt docs generate --no-compile` leaves the results of the build; an interrupted build, the ones before.
    is_earlier = not same_invocation and _moment(found.generated_at) < _run_at(manifest)
    if is_earlier and (catalog is None or _invocation_of(catalog) != manifest.invocation_id):
        return (), (EARLIER_RESULTS,)
    warnings = (*found.warnings, *(_unfinished(found, known[0]) if same_invocation else ()))
    if strangers:
        unknown = f"run_results.json has results of {plural(strangers, 'node')} that the manifest lacks"
        return results, (unknown, *warnings)
    return results, warnings


def _unfinished(found: RunResults, nodes: Iterable[NodeMetadata]) -> tuple[str, ...]:
    """Return a warning on *nodes* that the command builds and that have no result, although none failed.

    dbt leaves out a node whose statement was interrupted. It does not build empty files.
    """
    results = {result.unique_id: result.status for result in found.results}
    missing = [
        node.name
        for node in nodes
        if node.resource_type in found.builds
        and node.unique_id not in results
        and not node.is_ephemeral
        and (node.resource_type == "seed" or (node.raw_code or "").strip())
    ]
    if not missing or not results or not {*ERROR_STATUSES, "fail"}.isdisjoint(results.values()):
        return ()
    reason = "dbt was interrupted, or its default selector leaves them out"
    return (f"{UNFINISHED} {first_of(missing, MOST_MISSING)}: {reason}",)


def _run_at(manifest: Manifest) -> datetime:
    """Return the UTC time of the manifest; the epoch if it has none, so that the result is repeatable."""
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
    try:
        return utc_time(stamp or "")
    except ValueError:
        return datetime.fromtimestamp(0, tz=timezone.utc)


def _content_id(manifest: Manifest) -> str:
    """Return a run id from the content, for a manifest without an invocation: equal files get equal ids."""
    digest = sha256(manifest.project_name.encode())
    for node in manifest.nodes:
        digest.update(repr(node).encode())
    return digest.hexdigest()[:32]
