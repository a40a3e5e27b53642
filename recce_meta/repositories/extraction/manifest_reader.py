"""Reading of an uploaded manifest in a child process: a large or hostile one costs the server nothing.

The child, which is this module, splits the upload into dbt's artifacts, reads them as a run, and analyses the
SQL of its nodes. It has no store and no secrets.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import asdict, replace

from recce_meta.errors import RecceMetaError, UsageError, agree, first_of, plural
from recce_meta.extractors.git import GitState
from recce_meta.extractors.job import page
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project
from recce_meta.models.lineage import ColumnGraph, Kind
from recce_meta.models.node_types import WITH_QUERY
from recce_meta.models.run import BuildJob, ExtractionTier
from recce_meta.repositories.extraction.reading import package_folder, with_rendered_code
from recce_meta.repositories.processes import (
    Completed,
    ProcessLimits,
    memory_limit,
    run_process,
)
from recce_meta.repositories.state.types import head_environment_of
from recce_meta.sql_lineage.project.columns import analyse_project

UPLOAD = "upload.json"
"""File of the upload in the folder of the child."""
ARTIFACTS = ("manifest", "catalog", "run_results", "sources")
"""Names of the artifacts, without `.json`."""
LONGEST_NAME = 250
"""Characters of a branch or commit."""
_REQUEST, _ANSWER = "request.json", "answer.msgpack"
_NULL = Raw(b"null")
_INVALID = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_PARTS = frozenset(
    (
        "nodes",
        "sources",
        "exposures",
        "metrics",
        "semantic_models",
        "saved_queries",
        "unit_tests",
        "macros",
        "disabled",
    )
)
"""Parts of a manifest that are counted."""
# Pushes do not wait for the uploads of a connection, which get about a third of their CPU.
LIMITS = ProcessLimits(
    seconds=300,
    cpu_seconds=180,
    niceness=5,
    output=2**16,
    memory=memory_limit(8 * 2**30),
    file_size=2**30,
)
LARGEST_ANSWER = 2**28
"""Bytes of the answer of the child; in memory it takes several times as much."""
_START = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from recce_meta.repositories.extraction.manifest_reader import main
main(Path(sys.argv[2]))
"""
COLUMN_SECONDS = 10.0
"""Time in which the SQL of one node is analysed."""


class UploadRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Upload of artifacts that dbt has written elsewhere."""

    manifest: Raw
    """manifest.json."""
    catalog: Raw = _NULL
    """catalog.json, which has the types of columns."""
    run_results: Raw = _NULL
    """run_results.json."""
    sources: Raw = _NULL
    """sources.json."""
    job: BuildJob | None = None
    """Job that built the artifacts."""
    commit_url: str | None = None
    """Page of the commit."""
    branch: str | None = None
    """Branch of the artifacts; null for the main branch of the connection."""
    commit_sha: str | None = None
    """Commit of the artifacts."""


class UploadDetails(Struct, frozen=True, kw_only=True):
    """What the sender of an upload knows of its artifacts."""

    branch: str | None = None
    """Branch of the artifacts. Default: the one in the upload, else the main branch of the connection."""
    commit_sha: str | None = None
    pull_request: int | None = None
    """Number of the pull request whose head was built; its branch need not be followed."""
    environment: str | None = None
    """Default: that of the connection, or `pull-request-NUMBER`."""
    is_dirty: bool | None = None
    """Whether tracked files differed from the commit."""

    def run_environment(self, usual: str) -> str:
        """Return the environment of the run; *usual* is that of the connection."""
        number = self.pull_request
        return self.environment or (usual if number is None else head_environment_of(number, usual))


class ReadingRequest(Struct, frozen=True, kw_only=True):
    """What the child needs in addition to the upload."""

    environment: str
    branches: Sequence[str]
    """Branches of the connection, the main one first."""
    details: UploadDetails = UploadDetails()
    most_nodes: int
    """Maximum number of nodes."""


class Accuracy(Struct, frozen=True, kw_only=True):
    """Shares of the lineage that was resolved, by its confidence, from 0 to 1."""

    model_lineage: float
    column_lineage: float


class ReadUpload(Struct, frozen=True, kw_only=True):
    """An upload as a run, with its column lineage."""

    project: Project
    columns: ColumnGraph
    branch: str | None
    """Branch of the artifacts; None for a pull request of unknown branch."""
    tier: ExtractionTier
    manifest_digest: str
    """SHA-256 of the manifest."""
    accuracy: Accuracy


class _Answer(Struct, frozen=True, kw_only=True):
    """What the child writes: the upload, or why it cannot be read."""

    read: ReadUpload | None = None
    error: str = ""
    hint: str | None = None


async def read_upload(folder: Path, request: ReadingRequest) -> tuple[ReadUpload, Completed]:
    """Return the upload in *folder*, as a child process reads it, and the outcome of the process.

    Raises UsageError if the upload is malformed, or takes too much CPU or memory, and RecceMetaError if the
    machine had no time for it.
    """
    (folder / _REQUEST).write_bytes(msgspec.json.encode(request))
    # Nothing of the server's environment, which has the keys of secrets.
    env = {"PATH": os.defpath, "LANG": "C.UTF-8"}
    command = (sys.executable, "-I", "-c", _START, str(package_folder()), str(folder))
    done = await run_process(command, env=env, cwd=folder, limits=LIMITS)
    answer = folder / _ANSWER
    if done.code or not answer.is_file():
        if done.excess == "seconds":
            # The child has a low priority, so other programs decide how long it takes.
            busy = f"The server had no time to read the upload: it got {done.cpu_seconds:.0f} s of CPU"
            raise RecceMetaError(f"{busy} in {done.seconds:.0f} s", hint="upload it again later")
        reason = "took too long" if done.excess == "cpu_seconds" else "ended unexpectedly"
        raise UsageError(f"Reading the upload {reason}", hint="check that it is a manifest of dbt")
    # In a thread: the answer of a large project takes seconds to decode.
    found = await asyncio.to_thread(_read_answer, answer)
    if found.read is None:
        raise UsageError(found.error.replace(f"{folder}{os.sep}", ""), hint=found.hint)
    return found.read, done


def _read_answer(file: Path) -> _Answer:
    size = file.stat().st_size
    # Before it is read: a child may write more than the server has memory.
    if size > LARGEST_ANSWER:
        raise UsageError(
            f"The upload is too large: as a run it has {size:,} bytes, the limit is {LARGEST_ANSWER:,}",
            hint="upload the manifest of a smaller project",
        )
    return msgspec.msgpack.decode(file.read_bytes(), type=_Answer)


def main(folder: Path) -> None:
    """Read the upload in *folder*, and write the answer there."""
    request = msgspec.json.decode((folder / _REQUEST).read_bytes(), type=ReadingRequest)
    try:
        answer = _Answer(read=_read(folder, request))
    except RecceMetaError as error:
        answer = _Answer(error=error.message, hint=error.hint)
    (folder / _ANSWER).write_bytes(msgspec.msgpack.encode(answer))


def _read(folder: Path, request: ReadingRequest) -> ReadUpload:
    upload = _split(folder)
    _refuse_many(upload.manifest, request.most_nodes)
    project = extract_project(
        folder,
        environment=request.environment,
        git=_git_state(upload, request),
        # The upload has no seed files, and paths of its manifest could name files of the server.
        hash_seed_files=False,
    )
    _refuse_incomplete(project)
    run = replace(project.run, job=_job(upload.job), commit_url=page(upload.commit_url or ""))
    project = replace(project, run=run)
    # Without variables: templates of an upload must not read the environment.
    project = with_rendered_code(project, folder, {})
    columns = analyse_project(project, {}, timeout=COLUMN_SECONDS)
    return ReadUpload(
        project=project,
        columns=columns,
        branch=project.run.branch,
        tier=ExtractionTier.GOLD,
        manifest_digest=sha256(upload.manifest).hexdigest(),
        accuracy=Accuracy(
            model_lineage=model_accuracy(project), column_lineage=column_accuracy(project, columns)
        ),
    )


def _refuse_many(manifest: Raw, most: int) -> None:
    """Raise UsageError if the manifest has more than *most* nodes; its other mistakes are found later."""
    count = 0
    with suppress(*_INVALID):
        for name, part in msgspec.json.decode(manifest, type=dict[str, Raw]).items():
            if name in _PARTS:
                with suppress(*_INVALID):
                    count += len(msgspec.json.decode(part, type=dict[str, Raw]))
    if count > most:
        raise UsageError(
            f"The manifest has {count:,} nodes and macros, the connection accepts {most:,}",
            hint="raise its limit: recce-meta connection set NAME --upload-nodes COUNT",
        )


def _refuse_incomplete(project: Project) -> None:
    """Raise UsageError if nodes lack what dbt writes for each: they would only fill the store."""
    found = [node.unique_id for node in project.nodes if not (node.package_name and node.path and node.fqn)]
    if found:
        raise UsageError(
            f"{plural(len(found), 'node')} of the manifest {agree(len(found), 'lack')} the package, the file "
            f"or the fqn: {first_of(found, 3)}",
            hint="upload the manifest.json that dbt has written",
        )


def _job(given: BuildJob | None) -> BuildJob | None:
    """Return the job of the sender, with short texts and a page that a browser may open."""
    if given is None:
        return None
    texts = {name: text and text[:LONGEST_NAME] for name, text in asdict(given).items()}
    return BuildJob(**{**texts, "job_run_url": page(given.job_run_url or "")})


def _git_state(upload: UploadRequest, request: ReadingRequest) -> GitState:
    """Return commit, branch and pull request of the run. Raises UsageError for a branch or commit."""
    details, number = request.details, request.details.pull_request
    branch, sha = details.branch or upload.branch, details.commit_sha or upload.commit_sha
    if number is None:
        branch = branch or request.branches[0]
        if branch not in request.branches:
            raise UsageError(
                "The connection does not follow the branch of the upload",
                hint=f"use one of its branches: {', '.join(request.branches)}, or name the pull request",
            )
    for text in (branch, sha):
        if text is not None and (not text.isprintable() or len(text) > LONGEST_NAME):
            raise UsageError("Invalid branch or commit of the upload", hint="send their names without spaces")
    return GitState(
        sha=sha, branch=branch, dirty=details.is_dirty, pull_request=None if number is None else str(number)
    )


def _split(folder: Path) -> UploadRequest:
    """Write the artifacts of the upload into *folder*, without reading them. Raises UsageError."""
    files = {name: folder / f"{name}.json" for name in ARTIFACTS}
    # A form sends the artifacts as files.
    if not (folder / UPLOAD).exists():
        if not files["manifest"].exists():
            raise UsageError("The upload has no manifest", hint="choose the manifest.json of dbt")
        for name, file in files.items():
            if file.exists() and _is_gzip(file):
                # Its content has no limit of size.
                raise UsageError(f"{name}.json is compressed", hint="send the file that dbt has written")
        return UploadRequest(manifest=Raw(files["manifest"].read_bytes()))
    try:
        upload = msgspec.json.decode((folder / UPLOAD).read_bytes(), type=UploadRequest)
    except _INVALID as error:
        raise UsageError(
            f"The upload is not valid: {error}", hint='send {"manifest": …, "catalog": …}'
        ) from None
    for name, file in files.items():
        content = getattr(upload, name)
        if bytes(content) != bytes(_NULL):
            file.write_bytes(content)
    if not files["manifest"].exists():
        raise UsageError("The upload has no manifest", hint='send {"manifest": …, "catalog": …}')
    return upload


def _is_gzip(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(2) == b"\x1f\x8b"


def model_accuracy(project: Project) -> float:
    """Return the mean confidence of the edges between nodes; 1 without any."""
    found = [
        origin.confidence if (origin := node.edge_origins.get(parent)) is not None else 1.0
        for node in project.nodes
        for parent in node.parents
    ]
    return round(sum(found) / len(found), 4) if found else 1.0


def column_accuracy(project: Project, columns: ColumnGraph) -> float:
    """Return the mean confidence of the origins of columns; a column of unknown origin counts as 0.

    A node without known columns counts as one such column. 1 without any node that has a query.
    """
    total = resolved = 0.0
    for node in project.nodes:
        if node.resource_type not in WITH_QUERY:
            continue
        found = columns.analyses.get(columns.lineage_ids.get(node.unique_id, ""))
        if found is None or not found.outputs:
            total += max(1, len(node.columns))
            continue
        total += len(found.outputs)
        for output in found.outputs:
            confidences = [source.confidence for source in output.sources]
            if confidences:
                resolved += sum(confidences) / len(confidences)
            elif output.kind is Kind.CONSTANT:
                resolved += 1
    return round(resolved / total, 4) if total else 1.0
