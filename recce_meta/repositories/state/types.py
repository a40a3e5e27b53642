"""Connections of repositories, and the jobs that extract them, as frozen types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from hashlib import sha256
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar, get_type_hints

from msgspec import NODEFAULT, UNSET, Struct, UnsetType, defstruct

from recce_meta.models.rows import Tabular
from recce_meta.models.run import ExtractionTier, IsolationKind, Trigger
from recce_meta.plugins import connection_types
from recce_meta.repositories.options import values
from recce_meta.repositories.options.connections import ConnectionOptions, DatabaseSettings
from recce_meta.repositories.options.declaring import CHANGE, STORED, options_of

DATABASE = "database"
"""Type of a connection to a database."""
if TYPE_CHECKING:
    ForgeName: TypeAlias = str
    """Name of a forge, `git` for any other server, or `database`; decoding checks the values."""
else:
    _TYPES = (*connection_types(), DATABASE)
    ForgeName = Literal[_TYPES]


class ConnectionStatus(str, Enum):
    """What a connection does now."""

    ACTIVE = "active"
    EXTRACTING = "extracting"
    FAILED = "failed"
    DISCONNECTED = "disconnected"
    """At the last look, the server refused the token, or had no such repository."""


class JobStatus(str, Enum):
    """State of a job."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """True if the job never runs again."""
        return self not in (JobStatus.PENDING, JobStatus.RUNNING)


class Stage(str, Enum):
    """Step of a job, in order."""

    RESOLVE = "resolve"
    CLONE = "clone"
    DEPENDENCIES = "dependencies"
    PARSE = "parse"
    EXTRACT = "extract"
    STORE = "store"
    CLEAN_UP = "clean_up"


class JobSource(str, Enum):
    """What a job extracts."""

    BRANCH = "branch"
    PULL_REQUEST = "pull_request"
    """The head of a pull request."""
    MERGE_BASE = "merge_base"
    """The commit that a pull request is compared with."""
    DATABASE = "database"
    """A database, which is scanned or measured; `branch` says which."""


class PullRequestState(str, Enum):
    """State of a pull request at its forge."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class TaskKind(str, Enum):
    """What a task does."""

    FOLLOW_UP = "follow_up"
    """After a job: checks, comparison with the run before, and notifications."""
    REPORT = "report"
    """Compares a pull request, and writes its comment and its commit status."""
    NOTIFY = "notify"
    """Sends one notification to one address."""
    PRUNE = "prune"
    """Removes the runs of a closed pull request."""


class TaskStatus(str, Enum):
    """State of a task."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


SCAN, QUALITY = "scan", "quality"
"""Jobs of a database: names in place of branches."""


Kind = TypeVar("Kind", bound=type[Struct])


@cache
def option_types(declared: type) -> dict[str, Any]:
    """Return the types of the options that *declared* declares."""
    return get_type_hints(declared, localns=vars(values) | globals())


def with_options(
    part: str, *, after: str | None = None, renamed: Mapping[str, str] | None = None
) -> Callable[[Kind], Kind]:
    """Return a decorator that adds the options of *part*, which the first base declares, to a struct.

    They follow the field *after*, by default all fields. An option may be *renamed*. A field of the struct
    with the name of an option takes its place. In a change, every option may be absent.
    """

    def build(kind: Kind) -> Kind:
        declared, *bases = kind.__bases__
        own = _own_fields(kind)
        options: dict[str, Any] = {}
        for name, option in options_of(declared, part).items():
            hint, default = option_types(declared)[name], option.default
            shown = (renamed or {}).get(name, name)
            if part == CHANGE:
                hint, default = hint | UnsetType, UNSET
            options[shown] = own.get(shown, (shown, hint, hint() if default is ... else default))
        names = [name for name in own if name not in options]
        place = len(names) if after is None else names.index(after) + 1
        given = [
            *map(own.__getitem__, names[:place]),
            *options.values(),
            *map(own.__getitem__, names[place:]),
        ]
        return _rebuilt(kind, tuple(bases), declared, given)

    return build


def placed(**places: str) -> Callable[[Kind], Kind]:
    """Return a decorator that moves own fields of a struct to their *places*.

    Each follows the field that is named, or comes first for an empty name. Otherwise the fields of the base
    would precede them in answers.
    """

    def build(kind: Kind) -> Kind:
        declared = kind.__bases__[0]
        own, shared = _own_fields(kind), _own_fields(declared)
        hints = get_type_hints(declared)
        fields = {name: (name, hints[name], *rest) for name, (_, _, *rest) in shared.items()}
        names = list(fields)
        for name, before in places.items():
            names.insert(names.index(before) + 1 if before else 0, name)
        return _rebuilt(kind, declared.__bases__, declared, [(fields | own)[name] for name in names])

    return build


def _rebuilt(kind: Kind, bases: tuple[type, ...], declared: type, fields: Sequence[Any]) -> Kind:
    """Return *kind* with *fields*, most of which *declared* declares; methods and settings stay."""
    members = vars(kind).items()
    config = kind.__struct_config__
    return defstruct(  # type: ignore[return-value]
        kind.__name__,
        fields,
        bases=bases,
        module=kind.__module__,
        namespace={
            **{name: member for name, member in members if isinstance(member, (FunctionType, property))},
            "__doc__": kind.__doc__,
            "declared": declared,
        },
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=config.forbid_unknown_fields,
        omit_defaults=config.omit_defaults,
    )


def _own_fields(kind: type[Struct]) -> dict[str, tuple[Any, ...]]:
    """Return the fields of *kind* for another struct, without those of its bases.

    Their types are resolved in the module of *kind*.
    """
    defaults = kind.__struct_defaults__
    missing = [NODEFAULT] * (len(kind.__struct_fields__) - len(defaults))
    return {
        name: (name, kind.__annotations__[name], *([] if default is NODEFAULT else [default]))
        for name, default in zip(kind.__struct_fields__, [*missing, *defaults], strict=True)
        if name in kind.__annotations__
    }


@with_options(STORED)
class DatabaseOptions(DatabaseSettings, Struct, frozen=True, kw_only=True):
    """How a connection logs in to a database, and what it reads there."""


@with_options(STORED, after="token_hint")
class RepositoryConnection(ConnectionOptions, Tabular, frozen=True, kw_only=True):
    """A repository, or one dbt project in it, that the store follows; or a database."""

    id: str
    """12 hexadecimal digits."""
    name: str
    """Unique name; by default that of the repository, with that of its subdirectory."""
    type: ForgeName
    repo_url: str
    """Address of the repository or the database, without credentials."""
    branches: tuple[str, ...]
    """Names without refs/heads/; the first is the main one. A database has `scan` and `quality`."""
    subdirectory: str = ""
    """Folder of dbt_project.yml in the repository; empty for its top."""
    has_token: bool = False
    """Whether an encrypted token is stored."""
    token_hint: str | None = None
    """Last four characters of the stored token."""
    repository_id: str | None = None
    """Id of the repository at its forge, which stays when its name changes."""
    database: DatabaseOptions | None = None
    """None for a repository."""
    created_at: datetime
    created_by: str
    status: ConnectionStatus = ConnectionStatus.ACTIVE
    error: str | None = None
    """Why the last job failed, or the repository could not be polled."""
    last_extraction_at: datetime | None = None
    last_commit_sha: str | None = None
    next_check_at: datetime | None = None
    forge_error: str | None = None
    """Why the last comment, commit status or webhook could not be written, such as a missing scope."""
    manifest_version: str | None = None
    manifest_uploaded: bool = False
    """Whether the last run came from an upload."""
    last_dbt_version: str | None = None
    """Version of dbt that parsed the last run."""
    tier: ExtractionTier | None = None
    """Tier of the last run."""

    @property
    def branch(self) -> str:
        """Main branch."""
        return self.branches[0]

    @property
    def source(self) -> JobSource:
        """What jobs of its branches extract."""
        return JobSource.BRANCH if self.database is None else JobSource.DATABASE


class Sourced(Protocol):
    """What a connection and its answer have in common."""

    @property
    def name(self) -> str:
        """Name of the connection."""

    @property
    def database(self) -> DatabaseOptions | None:
        """None for a repository."""


def project_of(connection: Sourced) -> str:
    """Return the project of the runs of a database."""
    options = connection.database
    return (options and options.project) or connection.name


class JobFigures(Struct, frozen=True, kw_only=True):
    """What a job took and found."""

    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory: int | None = None
    """Bytes of the largest process."""
    fetched: int | None = None
    """Bytes received from the repository's server."""
    objects: int | None = None
    columns: int | None = None
    dependencies: int | None = None
    column_lineage: int | None = None
    issues: int | None = None
    """Tables that a measurement could not measure, and conditions of its connection that it meets."""


class JobRequest(Struct, frozen=True, kw_only=True):
    """Request of a job of a branch."""

    branch: str
    """A job of a pull request has a label in place of a branch."""
    trigger: Trigger
    requested_by: str
    is_forced: bool = False
    source: JobSource = JobSource.BRANCH
    pull_request: int | None = None
    wanted_sha: str | None = None


class JobOutcome(Struct, frozen=True, kw_only=True):
    """What a job made, or why it failed."""

    commit_sha: str | None = None
    run_id: str | None = None
    is_new: bool | None = None
    tier: ExtractionTier | None = None
    isolation: IsolationKind | None = None
    dbt_version: str | None = None
    fallback: str | None = None
    error: str | None = None
    hint: str | None = None
    failure: str | None = None
    figures: JobFigures = JobFigures()


class DbtFailure(str, Enum):
    """Kind of a failed command of dbt, which a job stores as its failure."""

    VARIABLE = "variable"
    """An environment variable is missing."""
    PACKAGE = "package"
    """A package is not installed, or does not exist."""
    HUB = "hub"
    """The hub of packages, or the server of a package, does not answer."""
    DISK = "disk"
    """The disk of the worker is full."""
    CHECKOUT = "checkout"
    """dbt cannot see the folder of the checkout, although it exists."""
    CONNECTION = "connection"
    """The adapter has tried to connect to a warehouse."""
    VERSION = "version"
    """The project, or a package, refuses this version of dbt."""
    PROFILE = "profile"
    """The profile is invalid for the adapter."""
    COMPILATION = "compilation"
    """A file of the project is invalid."""
    ENVIRONMENT = "environment"
    """dbt does not start."""
    TIME = "time"
    MEMORY = "memory"
    OUTPUT = "output"
    MANIFEST = "manifest"
    """dbt succeeded, but its manifest is missing or cannot be accepted."""
    OTHER = "other"


NO_PROJECT = "no_project"
"""Kind of the failure of a job whose commit has no dbt project in the folder of the connection."""
READING = frozenset((Stage.DEPENDENCIES, Stage.PARSE, Stage.EXTRACT))
"""Stages that read files of the commit; a failure of one of their own checks has the name of the stage."""
_OF_WORKER = {DbtFailure.ENVIRONMENT, DbtFailure.HUB, DbtFailure.DISK, DbtFailure.CHECKOUT}
REFUSED_BY_DBT = frozenset(failure.value for failure in DbtFailure if failure not in _OF_WORKER)
"""Kinds of failures of dbt that the files of the commit, or settings of the connection, cause."""
_BY_CHECKS = {NO_PROJECT, "project", "limit", *(stage.value for stage in READING)}
"""Kinds of failures of our own checks of a commit."""
EXCEEDED = frozenset(("time", "memory", "output"))
"""Kinds of failures of jobs that exceeded a limit."""
# Names of kinds and not enums, because jobs of other versions are stored with theirs.
HEALING_FAILURES = frozenset(
    ("network", "rate_limit", "hub", "disk", "environment", "store", "interrupted", "unexpected")
)
"""Kinds of failures that a later job of the same commit may not have."""


class JobFacts(Tabular, frozen=True, kw_only=True):
    """What a job and its answer share, in the order of answers."""

    connection_id: str
    branch: str
    number: int
    """Number of the job in its branch, from 1."""
    source: JobSource = JobSource.BRANCH
    """What it extracts."""
    pull_request: int | None = None
    """Number of the pull request that the job belongs to."""
    status: JobStatus = JobStatus.PENDING
    trigger: Trigger
    requested_by: str
    requested_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stage: Stage | None = None
    """The running step, or the last one that ran."""
    is_forced: bool = False
    """Whether the commit is extracted again if its run is stored."""
    attempts: int = 0
    """How often a worker has begun or resumed the job."""
    worker: str | None = None
    commit_sha: str | None = None
    run_id: str | None = None
    """Recorded run, also if it was in the store already."""
    is_new: bool | None = None
    """False if the store had the run."""
    isolation: IsolationKind | None = None
    dbt_version: str | None = None
    fallback: str | None = None
    """Why a lower tier was used."""
    failure: str | None = None
    """Kind of the failure, such as `token`, `branch`, `dependencies`, `parse`; with `fallback`, of dbt."""
    error: str | None = None
    hint: str | None = None
    figures: JobFigures = JobFigures()


class ExtractionJob(JobFacts, frozen=True, kw_only=True):
    """A request to extract one branch of a connection, and its outcome."""

    id: str
    """Id of the workflow: `CONNECTION:BRANCH:NUMBER`."""
    wanted_sha: str | None = None
    """Commit to extract; None for the head."""
    tier: ExtractionTier | None = None

    @property
    def is_refused(self) -> bool:
        """True if dbt does not read the commit because of its files, or of settings of the connection.

        They were refused by dbt, or by our own checks before or after it. Not if the worker has no dbt.
        """
        return self.failure in REFUSED_BY_DBT | _BY_CHECKS

    @property
    def refusal(self) -> str | None:
        """Why a successful job read a dbt project without dbt; None if the worker or the folder has none."""
        is_about_dbt = self.is_refused and self.failure != NO_PROJECT
        return f"read without dbt: {self.fallback}" if is_about_dbt and self.fallback else None


_USUAL_ENVIRONMENT = "prod"
"""Default environment of a connection, whose pull requests have the shortest names."""
_OF_PULL_REQUEST = re.compile(r"(?:(?P<usual>.+)-)?pull-request-\d+(?:-base)?")


def head_environment_of(number: int, usual: str) -> str:
    """Return the environment of the runs of the head of the pull request *number*.

    *usual* is that of the connection: two repositories may have a project of the same name.
    """
    return f"{'' if usual == _USUAL_ENVIRONMENT else f'{usual}-'}pull-request-{number}"


def base_environment_of(number: int, usual: str) -> str:
    """Return the environment of the runs of the merge base: none of them is the latest of production."""
    return f"{head_environment_of(number, usual)}-base"


def connection_environment_of(environment: str) -> str:
    """Return the environment of the connection whose run has *environment*.

    >>> connection_environment_of("dev"), connection_environment_of("dev-pull-request-7-base")
    ('dev', 'dev')
    """
    found = _OF_PULL_REQUEST.fullmatch(environment)
    return environment if found is None else found["usual"] or _USUAL_ENVIRONMENT


def head_label_of(number: int) -> str:
    """Return the name in place of a branch for jobs of the head of the pull request *number*."""
    return f"pull request {number}"


class PullRequestEvent(Tabular, frozen=True, kw_only=True):
    """A pull request as its forge describes it, in a delivery or in an answer of its API."""

    number: int
    title: str
    url: str | None = None
    """Address of its page."""
    state: PullRequestState = PullRequestState.OPEN
    base_branch: str
    """Branch that it will be merged into."""
    head_branch: str
    head_sha: str | None = None
    """Commit of the event; a job takes the head that the repository has when it starts."""
    is_fork: bool = False
    """Whether its commits come from another repository, whose files get no secret."""
    head_url: str | None = None
    """Address of the repository that has the head, if the forge gives the head no reference in this one."""
    updated_at: datetime
    """Time of the event at the forge."""


class PullRequest(PullRequestEvent, frozen=True, kw_only=True):
    """A pull request, or merge request, of a connected repository, and what was reported to it."""

    connection_id: str
    closed_at: datetime | None = None
    base_sha: str | None = None
    """Merge base of the last comparison."""
    base_job: str | None = None
    head_job: str | None = None
    reported: str | None = None
    """Runs of the last report: `BASE_RUN CURRENT_RUN`."""
    comment_id: str | None = None
    comment_digest: str | None = None
    """SHA-256 of the comment's text."""
    status_sha: str | None = None
    status_state: str | None = None
    reported_at: datetime | None = None
    error: str | None = None
    """Why the last report failed."""
    pruned_at: datetime | None = None

    @property
    def head_label(self) -> str:
        """Name in place of a branch for jobs of its head; no branch has a space in its name."""
        return head_label_of(self.number)

    @property
    def base_label(self) -> str:
        """Name in place of a branch for jobs of its merge base."""
        return f"base of pull request {self.number}"


class Webhook(Struct, frozen=True, kw_only=True):
    """Webhook of a connection, as its forge has it or as a person has to create it."""

    connection_id: str
    hook_id: str | None = None
    """Id at the forge; None if a person creates it."""
    url: str
    events: tuple[str, ...]
    is_active: bool = False
    """Whether the forge has confirmed it, or a delivery has arrived."""
    error: str | None = None
    """Why it could not be created."""
    created_at: datetime


class WebhookDelivery(Struct, frozen=True, kw_only=True):
    """A delivery whose signature was right."""

    connection_id: str
    delivery_id: str
    """Id that the forge gave it; a repeated delivery has the same."""
    event: str
    received_at: datetime
    outcome: str
    """`queued`, `noted` if the state has changed and no job is needed, `ignored`, or `ping`."""
    reason: str | None = None
    """Why no job was requested."""
    job_id: str | None = None


class Task(Struct, frozen=True, kw_only=True):
    """Work that follows a job or an event; one worker at a time has its lease."""

    row: int
    kind: TaskKind
    key: str
    """What it is about; of tasks with the same kind and key, at most one waits and at most one runs."""
    connection_id: str
    payload: Mapping[str, Any] = {}
    """Small JSON object, without secrets."""
    status: TaskStatus = TaskStatus.PENDING
    requested_at: datetime
    due_at: datetime
    attempts: int = 0
    """How often a worker has begun it."""
    worker: str | None = None
    lease_until: datetime | None = None
    ended_at: datetime | None = None
    error: str | None = None


class JobEvent(Tabular, frozen=True, kw_only=True):
    """One line of a job's log."""

    job_id: str
    seq: int
    """Position in the job, from 1."""
    at: datetime
    stage: Stage | None
    status: str
    """`started`, `done`, `failed`, `skipped`, or `log`."""
    message: str = ""


class Workspace(Struct, frozen=True, kw_only=True):
    """A copy of a project in an editor."""

    id: str
    owner: str
    """Id of the token that created it, or a name for senders without a token of the state."""
    created_by: str
    """Name of the sender that created it."""
    created_at: datetime
    connection_id: str | None = None
    """Connection of the project; None if it is not connected."""
    project_name: str
    project_path_hash: str
    """Hash of the project's folder on the machine of the editor."""
    sync_enabled: bool = True
    """False if syncs are refused."""
    client_version: str | None = None
    last_sync_at: datetime | None = None
    """Time of the last sync; None before the first one."""
    store: str | None = None
    """Name of the store of the last run."""
    last_run_id: str | None = None
    """Run that the last sync has stored."""
    last_outcome: str | None = None
    """Answer to the last sync as JSON, for a client that repeats it."""


def run_id_of_job(job_id: str) -> str:
    """Return the id of the run, or of the measurement, that a job of a database records.

    >>> run_id_of_job("0123456789ab:scan:7")
    'aac5776b8a132d0ff922f900f084cbfc'
    """
    return sha256(f"database {job_id}".encode()).hexdigest()[:32]
