"""Run: one recorded state of a project. Also the choice of runs, and results of `doctor` and `fsck`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models.catalog import RelationFacts
from recce_meta.models.node import (
    LineageEdge,
    MacroMetadata,
    NodeMetadata,
    NodeResult,
    SourceFreshness,
)
from recce_meta.models.rows import ResultList, RowTable, StringEnum, Tabular

DBT = "dbt"
"""Extractor of runs recorded from dbt artifacts."""
COMPLETE = "complete"
FAILED = "failed"
"""Values of `RunMetadata.status`."""
ERROR_STATUSES = ("error", "runtime error", "partial success")
"""Statuses of a node that dbt could not build."""
MERGE_BASE_OF = "base:"
"""Start of the branch of a run of a merge base, as in `base:main`: it must not be the last run of `main`."""
OF_WORKSPACE = "workspace:"
"""Start of the environment of a run that an editor has synced, which is never the latest of its project."""
IDE = "ide"
"""Extractor of these runs."""
UNKNOWN_STATUS = "unknown"
"""Status of a node whose result has no readable status."""


class IsolationKind(str, Enum):
    """How programs that run files of a repository are kept apart, strongest first."""

    DOCKER = "docker"
    BUBBLEWRAP = "bubblewrap"
    PROCESS = "process"


class ExtractionTier(str, Enum):
    """How a run was read: dbt's manifest, our reader of a dbt project, or plain SQL."""

    GOLD = "GOLD"
    SILVER = "SILVER"
    BRONZE = "BRONZE"


class Trigger(str, Enum):
    """Why a job was requested."""

    CONNECT = "connect"
    MANUAL = "manual"
    POLL = "poll"
    WEBHOOK = "webhook"
    UPLOAD = "upload"


class Extraction(Struct, frozen=True, kw_only=True):
    """How a run was extracted from a repository, stored with the run."""

    connection: str
    """Name of the connection."""
    job: str
    trigger: Trigger
    requested_by: str
    tier: ExtractionTier
    isolation: IsolationKind | None = None
    """None for an uploaded manifest; else that of dbt in the tier GOLD, and of our reader in other tiers."""
    adapter: str | None = None
    """Adapter of dbt that parsed the project."""
    is_stand_in: bool = False
    """Whether another adapter than the project's own parsed it."""
    manifest_digest: str | None = None
    """SHA-256 of the manifest."""
    fallback: str | None = None
    """Why a lower tier was used."""


class BuildJob(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Job of an orchestrator or CI service, from its environment variables; None for unknown values."""

    orchestrator: str | None = None
    """dbt_cloud, airflow, dagster, prefect, jenkins, circleci, azure or another one."""
    job_id: str | None = None
    job_name: str | None = None
    job_run_id: str | None = None
    job_run_url: str | None = None
    """Page of the run of the job."""
    cause: str | None = None
    """What started the job, in the orchestrator's words: push, schedule, …"""
    dbt_user: str | None = None
    """Who started the job."""


class RunMetadata(Tabular, frozen=True, kw_only=True):
    """One recorded run. All times are time-zone aware, in UTC."""

    run_id: str
    """Id of the run, unique in the store."""
    run_at: datetime
    """When dbt generated the artifacts."""
    project_name: str
    """dbt project, or the name that a scan was given."""
    environment: str = "current"
    """Environment that the run belongs to, such as `base`, `current` or `prod`."""
    invocation_id: str | None = None
    """dbt's invocation id."""
    extractor: str = DBT
    """dbt, dbt-sql, sql, database, ide, or the name of a plugin."""
    dbt_version: str | None = None
    """Version of dbt that wrote the manifest."""
    adapter_type: str | None = None
    """Kind of warehouse: `duckdb`, `postgres`, `snowflake` …"""
    manifest_version: str | None = None
    """`v1` to `v12`, `v20`; None if the manifest does not contain it."""
    target_name: str | None = None
    """Target of profiles.yml."""
    target_database: str | None = None
    """Database of nodes without a custom database."""
    target_schema: str | None = None
    """Schema of nodes without a custom schema."""
    git_sha: str | None = None
    """Commit that was checked out; None outside a repository."""
    branch: str | None = None
    """Branch that was checked out, or the CI's branch."""
    git_dirty: bool | None = None
    """True if tracked files differed from the commit."""
    pull_request: str | None = None
    """Number of the pull request, from the CI or `--pull-request`."""
    command: str | None = None
    """dbt command that wrote the run results: build, run, test, generate, … For a scan: its scope in the
    database."""
    node_count: int = 0
    """Number of nodes."""
    edge_count: int = 0
    """Number of edges between nodes."""
    recorded_at: datetime | None = None
    """When the run was written to the store; None if it was not."""
    recorder_version: str | None = None
    """Version of recce_meta that wrote the run."""
    graph_id: str | None = None
    """Id of the stored nodes and edges; equal graphs have equal ids."""
    macro_set_id: str | None = None
    """Id of the stored macros; equal sets have equal ids."""
    column_graph_id: str | None = None
    """None if recorded without column lineage."""
    git_proven: bool | None = None
    """True if the artifacts prove that they were built from the files of `git_sha`.

    None for a run without a commit, and for a run recorded before version 6 of the store."""
    status: str = COMPLETE
    """`complete`, or `failed`: a failed scan has no nodes, and is never the latest run."""
    reason: str | None = None
    """Why the run failed."""
    build_status: str | None = None
    """`success`, or `failed` if any node or test failed; None if the run has no results."""
    build_errors: int | None = None
    """Number of nodes that dbt could not build."""
    build_failures: int | None = None
    """Number of failed tests."""
    build_warnings: int | None = None
    """Number of tests that warn."""
    build_skipped: int | None = None
    """Number of skipped nodes."""
    warnings: tuple[str, ...] = ()
    """One sentence for each thing that the recorder or scan could not read or use."""
    extraction: Extraction | None = None
    """How the run was extracted from a connected repository; None for a run that came in another way."""
    variables: dict[str, str] | None = None
    """Hash of the value of each variable of dbt's `--vars`, by name; None if no artifact has them."""
    run_started_at: datetime | None = None
    """When dbt's command started; dbt writes it from 1.10 on."""
    run_completed_at: datetime | None = None
    """When dbt's command wrote its results."""
    elapsed_time: float | None = None
    """Seconds that dbt worked on the nodes."""
    full_refresh: bool | None = None
    """True if the command had `--full-refresh`; None if unknown."""
    args: dict[str, str | int | bool] | None = None
    """Arguments of the command by dbt's names: `select`, `exclude`, `selector`, `threads`, …"""
    job: BuildJob | None = None
    """Job of the orchestrator that recorded the run; None outside a job."""
    commit_url: str | None = None
    """Page of `git_sha` at the host of the git remote."""
    critical_path: float | None = None
    """Seconds of the longest chain of nodes that waited for each other; None without times of nodes."""

    @property
    def counted_at(self) -> datetime:
        """Return the time that orders runs: a time after the recording, of a wrong clock, does not count."""
        return self.run_at if self.recorded_at is None else min(self.run_at, self.recorded_at)


class CutFrom(Struct, frozen=True, kw_only=True):
    """Run that a partial export was taken from, and its selection."""

    run_id: str
    select: tuple[str, ...] = ()
    """Selection in dbt's grammar; empty for all nodes."""
    exclude: tuple[str, ...] = ()
    node_count: int = 0
    """Number of nodes in the whole run."""


BASE = "base"
"""Environment of production."""
WORKING_TREE = "working tree"
"""Reason of a side that is the files of the project, and not a run."""
PART = frozenset(["--empty", "--sample"])
"""Options of dbt with which it builds a part of the rows."""


DEFER = "--defer"
"""Option of dbt with which it reads nodes that it does not build in another target."""


def dbt_options(run: RunMetadata) -> frozenset[str]:
    """Return the options in the command of *run* that change what dbt builds, such as `--empty`."""
    return frozenset(word for word in (run.command or "").split() if word.startswith("--"))


BUILDING = frozenset(["build", "run", "seed", "snapshot", "retry"])
"""Commands of dbt that build relations."""


def is_build(run: RunMetadata) -> bool:
    """Return True if the command of *run* builds relations."""
    return (run.command or "").partition(" ")[0] in BUILDING


UNBUILT = "No build of"
"""Start of the note that the tables of a side may be older than its code."""
OUTDATED = "Current is of commit"
"""Start of the note that another commit is checked out."""
EARLIER_RESULTS = "run_results.json is older than manifest.json and was skipped"
"""Warning of a run whose own results dbt has not written: its build was interrupted, or it built nothing."""
UNFINISHED = "run_results.json has no result of"
"""Start of the warning of a run in which dbt did not build all nodes that its command builds."""


CLONE = "clone"
"""Command of dbt that copies the relations of another target."""


def part_note(side: str, run: RunMetadata) -> str | None:
    """Return why the tables of *run*, `base` or `current`, may lack rows or be older, if they may."""
    if EARLIER_RESULTS in run.warnings:
        return f"{side.capitalize()} has no results of its own, so what dbt has built is unknown"
    if missing := _unfinished(run):
        return f"{side.capitalize()} was not built to its end: {missing}"
    if (run.command or "").partition(" ")[0] == CLONE:
        return f"{side.capitalize()} was cloned: its tables are those of another target"
    part = min(dbt_options(run) & PART, default=None) if is_build(run) else None
    return part and f"{side.capitalize()} was run with {part}: its tables may lack rows"


def _unfinished(run: RunMetadata) -> str | None:
    return next((one for one in run.warnings if one.startswith(UNFINISHED)), None)


def with_build(run: RunMetadata, results: Iterable[NodeResult]) -> RunMetadata:
    """Return *run* with the status and counts of its build; unchanged if there are no results.

    The status is None if nothing failed but the status of some result is unknown or missing.
    """
    counts = Counter(result.status for result in results)
    if not counts:
        return run
    errors, failures = sum(counts[status] for status in ERROR_STATUSES), counts["fail"]
    # A result without a readable status may be a failure.
    passed = None if counts[UNKNOWN_STATUS] or _unfinished(run) else "success"
    return replace(
        run,
        build_status=FAILED if errors or failures else passed,
        build_errors=errors,
        build_failures=failures,
        build_warnings=counts["warn"],
        build_skipped=counts["skipped"],
    )


class Project(Tabular, frozen=True, kw_only=True):
    """A run with its contents, as produced by an extractor and loaded from the store."""

    run: RunMetadata
    """The run itself, without its contents."""
    nodes: tuple[NodeMetadata, ...]
    """Sorted by unique id; without groups and macros."""
    macros: tuple[MacroMetadata, ...] = ()
    """Macros of the project, its packages and dbt, sorted by unique id."""
    groups: tuple[NodeMetadata, ...] = ()
    """Groups of the project, and nodes that are disabled, sorted by unique id."""
    results: tuple[NodeResult, ...] = ()
    """Results of the build, one for each node and test that dbt ran."""
    facts: tuple[RelationFacts, ...] = ()
    """Sizes and times of the relations of a scanned database, sorted by unique id."""
    freshness: tuple[SourceFreshness, ...] = ()
    """Freshness of sources, sorted by unique id."""
    warnings: tuple[str, ...] = ()
    """One sentence for each thing that the extractor could not use; stored with the run."""

    @property
    def edges(self) -> tuple[LineageEdge, ...]:
        """All edges to the parents of this run's nodes, sorted."""
        return edges_of(self.nodes)


Extractor: TypeAlias = Callable[[Path], Project]
"""Function that reads a folder of another tool. Of the run, it sets `project_name`, `run_at`, `adapter_type`.

`run_id` may be empty: recce_meta then makes it of the contents. recce_meta sets environment, git, extractor
and counts, and sorts nodes and parents."""


def edges_of(nodes: Iterable[NodeMetadata]) -> tuple[LineageEdge, ...]:
    """Return all edges from *nodes* to their parents, in the order of the nodes."""
    return tuple(LineageEdge(node.unique_id, parent) for node in nodes for parent in node.parents)


class Check(Tabular, frozen=True):
    """One check: its status, what was found, and a hint if something is wrong."""

    name: str
    ok: bool | None
    """None if the check was skipped, or passed but needs follow-up."""
    detail: str
    hint: str | None = None


class ProblemKind(StringEnum):
    """What contradicts what."""

    VERSIONS = "versions"
    """The versions of the store contradict each other."""
    RELATION = "relation"
    """A table or a view of the store is missing."""
    CONTENT = "content"
    """Contents do not match their id or their hash, or no version of recce_meta writes them."""
    MISSING = "missing"
    """Something refers to a piece that is not stored."""
    DUPLICATE = "duplicate"
    """A key occurs more than once."""
    DERIVED = "derived"
    """Derived data differ from what they are derived from."""
    DELETED = "deleted"
    """A run is stored although it was deleted."""
    GARBAGE = "garbage"
    """Nothing refers to these rows, so no command reads them."""
    UNVERIFIED = "unverified"
    """The contents cannot be verified: characters of the original were replaced, or version 1 stored them."""


HARMLESS = frozenset((ProblemKind.GARBAGE, ProblemKind.UNVERIFIED))
"""Kinds that change no answer."""


class StoreProblem(Tabular, frozen=True, kw_only=True):
    """One contradiction in a store."""

    kind: ProblemKind
    """What is wrong, and so whether it can change an answer and whether it can be repaired."""
    table: str
    """Table or view of the store."""
    object_id: str | None = None
    """Id of the object or piece; None for a whole table."""
    message: str
    """What contradicts what, as a sentence."""
    run_ids: tuple[str, ...] = ()
    """Runs whose answers it may change, sorted."""
    repair: str | None = None
    """What `--repair` does; None if it cannot be repaired."""


class FsckResult(Tabular, frozen=True, kw_only=True):
    """What a check of a store found."""

    problems: tuple[StoreProblem, ...]
    """Problems that are there, also after a repair."""
    repaired: tuple[StoreProblem, ...] = ()
    """Problems that were there before a repair."""
    objects: int
    """Number of objects that were checked: runs, annotations, reviews, measurements and others."""
    pieces: int
    """Number of pieces that were checked: graphs, versions of nodes, macros, column lineage and others."""

    @property
    def is_sound(self) -> bool:
        """True if nothing is left that can change an answer."""
        return all(one.kind in HARMLESS for one in self.problems)

    def to_table(self) -> RowTable:
        """Return the problems that are there as rows."""
        return ResultList(StoreProblem, self.problems).to_table()


class ChosenRun(Struct, frozen=True, kw_only=True):
    """Run of one side, with the reason for it."""

    run_id: str | None
    """None for artifacts on disk."""
    selector: str | None
    """Run selector as given; None if the run was chosen by default."""
    reason: str
    """The selector, or why the run is the default: `merge base 3f2a1c9 of main`, `branch feature/x`."""


class RunChoice(Struct, frozen=True, kw_only=True):
    """Runs of base and current, with notes on what the defaults could not find."""

    base: ChosenRun
    current: ChosenRun
    notes: tuple[str, ...] = ()


class Freshness(str, Enum):
    """Status of base."""

    FRESH = "fresh"
    MISSING = "missing"
    STALE = "stale"


class BaseCheck(Struct, frozen=True, kw_only=True):
    """Result of `recce-meta check-base`."""

    status: Freshness
    reason: str
    """Sentence that explains the status."""
    recommendation: str | None = None
    """What to do if base is not fresh."""
    run: RunMetadata | None = None
    """Run of base; None if it is missing."""
    choice: ChosenRun | None = None
    """Why this run is base."""
    age_hours: float | None = None
    """Hours since dbt generated the artifacts of the run."""
    base_branch: str | None = None
    """Branch that the checkout will be merged into."""
    merge_base: str | None = None
    """Commit of that branch that the checkout is based on."""
    changed_files: tuple[str, ...] = ()
    """Files of the project that differ between the commit of the run and the merge base."""
    notes: tuple[str, ...] = ()
    """Further facts about the run, such as a failed build."""

    @property
    def exit_code(self) -> int:
        """Return 0 for fresh, 1 for missing, 2 for stale, as recce's `check-base` does."""
        return list(Freshness).index(self.status)
