"""Proof that a green pull request was compared: a worker, a forge and dbt, with a fault in each case.

    python -m tests.proofs.pull_requests [--seconds 600] [--seed 1] [--dbt 1.10]

A case has a repository with a generated project, and a pull request whose edits are known. The worker runs in
a process of its own, with the stages and reports of the service; the forge is that of the tests. A fault is
injected: dbt refuses a file, no dbt can be had for the head or the base, the disk is full, the package index
or the hub does not answer, the worker is killed in a stage, or the token expires. Then

- a green status has two runs of dbt's manifests, of the commits of the pull request;
- the compared runs have the changes of the edits, and no others;
- the fault is in the first line of the comment, or in the status; of a token, in the connection.

If the fault ends, the next look at the pull request leads to the report without it. Prints each fault that is
not handled so; exits with 1 if there is one. A full disk needs the right to mount a file system.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.diff import diff
from recce_meta.models import RunDiff
from recce_meta.models.run import ExtractionTier, Trigger
from recce_meta.repositories.extraction.dbt.versions import MINORS, NEWEST, RUST
from recce_meta.repositories.extraction.dbt_stages import PARSE_CPU
from recce_meta.repositories.extraction.stages import ExtractionSettings, Extractor
from recce_meta.repositories.extraction.workflow import STAGES, Retries
from recce_meta.repositories.follow_ups.handlers import task_handlers
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.options.values import ProfileTarget
from recce_meta.repositories.state.connections import add_connection, get_connection
from recce_meta.repositories.state.database import State, open_state
from recce_meta.repositories.state.jobs import get_job
from recce_meta.repositories.state.pull_requests import get_pull_request, note_pull_request
from recce_meta.repositories.state.tasks import add_report, list_tasks
from recce_meta.repositories.state.types import (
    ExtractionJob,
    JobStatus,
    PullRequest,
    PullRequestEvent,
    RepositoryConnection,
    Stage,
)
from recce_meta.repositories.worker import Worker, WorkerSettings
from recce_meta.store.read import run_by_id
from recce_meta.store.session import open_store
from tests.proofs.clock import Clock
from tests.support.dbt_environments import dbt_environment
from tests.support.forge_names import Forge
from tests.support.forge_server import RIGHTS, ForgeRepository, ForgeServer, Token
from tests.support.git_server import File, GitServer

GOLD = ExtractionTier.GOLD
SCHEMA, TOKEN = "main", "break-pull-requests-token"
PATIENCE = 150.0
"""Seconds in which a pull request must have its report."""
QUIET = 4.0
"""Seconds without work after which no report follows."""
DISK = 48 * 2**20
"""Bytes of the work folder."""
NOWHERE = "https://127.0.0.1:9"


class Target(NamedTuple):
    """Store of a worker."""

    connect: Callable[[], UnifiedSqlAdapter]


class Fault(NamedTuple):
    """A fault, and what must be reported."""

    name: str
    state: str
    """Commit status."""
    said: str = ""
    """Pattern in the first line of the comment, or in the status."""
    head: Mapping[str, File] = {}
    """Files of the head that have the fault."""
    base: Mapping[str, File] = {}
    """Files of the base that have the fault."""
    is_compared: bool = False
    """True if two runs are compared."""
    node: str = ""
    """Id of the node that dbt parses and cannot build."""


def _project(settings: str) -> Mapping[str, File]:
    """Return dbt_project.yml with more *settings*, from line 4 on."""
    return {"dbt_project.yml": PROJECT + settings}


def _packages(entry: str) -> Mapping[str, File]:
    return {"packages.yml": f"packages: [{{{entry}}}]\n"}


PROJECT = "name: shop\nversion: '1.0'\nprofile: shop\n"
MOVE = "{% macro generate_schema_name(custom_schema_name, node) %}evil{% endmacro %}\n"
UNKNOWN: Mapping[str, File] = {"models/late.sql": "select id from {{ ref('nowhere') }}\n"}
_REFUSED = r"dbt cannot read this commit.*"
_DISK = r"failed in \w+.*(?:disk|[Ss]pace)"
_REFUSALS: Mapping[str, tuple[Mapping[str, File], str]] = {
    "unknown ref": (UNKNOWN, "late.*nowhere|nowhere.*late"),
    "syntax of Jinja": ({"models/late.sql": "select {{ ref('m0') as id\n"}, r"models/late\.sql"),
    "two models of a name": ({"models/more/m0.sql": "select 1 as id\n"}, "m0"),
    "broken YAML": ({"models/late.yml": "models: [{name: m0\n"}, "late.yml"),
    "missing variable": ({"models/late.sql": "select {{ env_var('NOT_SET') }} as id"}, "NOT_SET"),
    "not UTF-8": ({"models/late.sql": b"select '\xe9' as id"}, "utf-8|UTF-8"),
    "macro that does not end": ({"macros/late.sql": "{% macro late() %}"}, "close tag|end of block"),
    "invalid version": (_project("version: [1]\nconfig-version: x\n"), "config-version|version"),
    "dbt for the head": (_project("require-dbt-version: '>=9.0'\n"), "require-dbt-version.*9"),
    "no dbt_project.yml": ({"dbt_project.yml": None}, r"dbt_project\.yml is gone"),
    "dbt_project.yml without a name": ({"dbt_project.yml": "version: '1.0'\n"}, r"name.*dbt_project\.yml"),
    "dbt_project.yml of broken YAML": (_project("vars: {a: [\n"), r"dbt_project\.yml"),
    "dbt_project.yml in Latin-1": ({"dbt_project.yml": PROJECT.encode() + b"# \xe9\n"}, r"dbt_project\.yml"),
    "large dbt_project.yml": (_project("#" * 5 * 2**20), r"dbt_project\.yml.*bytes"),
    "target outside": (_project("target-path: ../../x\n"), r"dbt_project\.yml:4: target-path"),
    "packages outside": (_project("packages-install-path: ../x\n"), "packages-install-path"),
    "path by a template": (_project("model-paths: [\"{{ var('p', 'models') }}\"]\n"), "model-paths"),
    "missing local package": (_packages("local: nowhere"), r"packages\.yml:1: packages\.local.*nowhere"),
    "local package outside": (_packages("local: ../.."), r"packages\.yml:1: packages\.local"),
    "broken packages.yml": ({"packages.yml": "packages: [{local: a\n"}, r"packages\.yml"),
    "packages.yml in Latin-1": ({"packages.yml": b"# \xe9\npackages: []\n"}, r"packages\.yml"),
    "package of a private server": (
        _packages("git: 'https://10.0.0.1/a/b.git'"),
        r"packages\.yml:1.*10\.0",
    ),
    "archive of a private server": (
        _packages("tarball: 'https://127.0.0.1:9/b.tar.gz', name: b"),
        r"packages\.yml:1.*127\.0\.0\.1",
    ),
    "dependencies.yml of a list": ({"dependencies.yml": "- a\n"}, r"dependencies\.yml"),
}
_SOUND: Mapping[str, File] = {"models/late.sql": "select 1 as id\n"}
_BROKEN: Mapping[str, tuple[Mapping[str, File], str, str]] = {
    name: ({"models/late.sql": text}, "model.shop.late", f"late fails: .*{said}")
    for name, text, said in (
        ("macro that no file defines", "select {{ nope() }} as id\n", "nope"),
        ("macro of dbt that does not exist", "select {{ dbt.nope() }} as id\n", "nope"),
        ("variable without a value", "select '{{ var('gone') }}' as id\n", "gone"),
        ("value that the sandbox refuses", "select '{{ ''.__class__.__mro__ }}' as id\n", "__class__"),
        ("SQL without a grammar", "selectt sum(( from where\n", "cannot parse"),
        ("SQL without a column", "select from raw.orders\n", "cannot parse|column|SELECT"),
        ("semicolon", "select 1 as id;\n", '";"'),
        ("empty model", "-- nothing\n", "empty"),
        ("model that a condition empties", "{% if false %}select 1{% endif %}\n", "empty"),
        ("post-hook", "{{ config(post_hook='{{ nope() }}') }} select 1 as id\n", "post-hook.*nope"),
    )
} | {
    "generic test that no file defines": (
        {**_SOUND, "models/late.yml": "models: [{name: late, columns: [{name: id, data_tests: [gone]}]}]\n"},
        "test.shop.gone_late_id",
        "gone.* fails: .*test_gone",
    ),
    "hook of the project": (
        {"dbt_project.yml": PROJECT + "on-run-start: \"{{ nope() }}\"\n"},
        "operation.shop.shop-on-run-start-0",
        "fails: .*nope",
    ),
}  # fmt: skip
"""Files that dbt parses and cannot build, the node that fails, and what the first line says."""
FAULTS = (
    Fault("none", "success", is_compared=True),
    Fault("killed", "success", is_compared=True),
    *(
        Fault(name, "failure", _REFUSED + said, head=files)
        for name, (files, said) in _REFUSALS.items()
    ),
    *(
        Fault(name, "failure", said, head=files, is_compared=True, node=node)
        for name, (files, node, said) in _BROKEN.items()
    ),
    Fault("no dbt for both", "error", "Read without dbt", base=_project("require-dbt-version: '>=9.0'\n"),
          is_compared=True),
    Fault("no dbt for the base", "error", "Base was read without dbt.*9", {"dbt_project.yml": PROJECT},
          _project("require-dbt-version: '>=9.0'\n")),
    Fault("base is refused", "error", "Base was read.*nowhere", {"models/late.sql": None}, UNKNOWN),
    Fault("both are refused", "error", _REFUSED + "nowhere", base=UNKNOWN),
    Fault("index away", "error", r"failed in dependencies.*(?:install|index|fetch)"),
    Fault("hub away", "error", r"failed in dependencies.*(?:hub|127\.0\.0\.1:9|[Cc]onnect)",
          {"packages.yml": "packages: [{package: dbt-labs/dbt_utils, version: 1.3.0}]\n"}),
    Fault("disk is full", "error", _DISK),
    Fault("disk fills up", "error", _DISK),
    Fault("token expires before the jobs", ""),
    Fault("token expires before the report", ""),
)  # fmt: skip


class Edits(NamedTuple):
    """Edits of a project, and the changes that they are."""

    files: Mapping[str, File]
    changed: frozenset[str]
    """Models that must be in the comparison."""
    commented: frozenset[str]
    """Models that may be in it, because only comments differ."""


class Case:
    """A generated project and its edits."""

    def __init__(self, seed: int) -> None:
        self.choose = random.Random(seed)
        self.fault = self.choose.choice(FAULTS)
        self.models = {f"m{number}": self._model(number) for number in range(self.choose.randint(2, 5))}
        self.edits = self._edits()

    def _model(self, number: int) -> str:
        if not number:
            return "select id, amount from {{ source('raw', 'orders') }}\n"
        parent = self.choose.randrange(number)
        return f"select id, amount + {number} as amount from {{{{ ref('m{parent}') }}}}\n"

    @property
    def base(self) -> Mapping[str, File]:
        """Files of the base branch."""
        tests = "".join(
            f"  - name: {name}\n    columns: [{{name: id, data_tests: [not_null]}}]\n" for name in self.models
        )
        sources = "sources: [{name: raw, tables: [{name: orders}]}]\n"
        exposure = "exposures: [{name: board, type: dashboard, owner: {name: a, email: a@b.c}, depends_on: [\"ref('m0')\"]}]\n"  # noqa: E501
        return {
            "dbt_project.yml": PROJECT,
            "models/schema.yml": f"version: 2\n{sources}{exposure}models:\n{tests}",
            **{f"models/{name}.sql": text for name, text in self.models.items()},
            **self.fault.base,
        }

    def _edits(self) -> Edits:
        files: dict[str, File] = {}
        changed, commented = set[str](), set[str]()
        for kind in self.choose.sample(("readme", "add", "filter", "column", "comment", "move"), k=2):
            name = self.choose.choice([*self.models])
            if kind == "move":
                files["macros/places.sql"] = MOVE
                changed |= {f"model.shop.{one}" for one in self.models}
                continue
            if kind == "readme":
                files["README.md"] = "Read me\n"
                continue
            if kind == "add":
                name = "added"
                files["models/added.sql"] = "select id from {{ ref('m0') }}\n"
            else:
                text = str(files.get(f"models/{name}.sql", self.models[name]))
                files[f"models/{name}.sql"] = {
                    "filter": f"{text.rstrip()}\nwhere amount > 3\n",
                    "column": text.replace("select id,", "select id, 1 as one,"),
                    "comment": f"-- note\n{text}",
                }[kind]
            (commented if kind == "comment" else changed).add(f"model.shop.{name}")
        return Edits(files, frozenset(changed), frozenset(commented))


class Laboratory:
    """State, store, forge and the worker's process of all cases; *minors* are versions of dbt.

    *parse_cpu* are the seconds of CPU of `dbt parse`, *disk* the bytes of the work folder.
    """

    def __init__(
        self, folder: Path, minors: list[str], *, parse_cpu: float = PARSE_CPU, disk: int = DISK
    ) -> None:
        self.folder, self.minors, self.parse_cpu = folder, minors, parse_cpu
        self.forge = ForgeServer(GitServer(folder / "server"))
        self.environ = {**os.environ, **self.forge.environ, "BREAK_TOKEN": TOKEN}
        self.url = f"sqlite:///{folder / 'state.db'}"
        self.store = f"sqlite:///{folder / 'store.db'}"
        self.state: State = open_state(self.url, {})
        self.work = folder / "work"
        self.work.mkdir()
        self.has_disk = _mounts(self.work, disk)
        self.worker: subprocess.Popen[str] | None = None
        environments = folder / "environments"
        environments.mkdir()
        for minor in minors:
            found = dbt_environment(minor, "duckdb").folder
            (environments / found.name).symlink_to(found)
        (self.work / "cache").mkdir()
        (self.work / "cache" / "environments").symlink_to(environments)
        # The index never has what this version needs: no environment of it exists here.
        self.absent = next(minor for minor in reversed(MINORS) if minor not in minors)

    def start(self) -> None:
        """Start the worker, which resumes what the former one has left."""
        config = {"state": self.url, "work": str(self.work), "store": self.store, "parse_cpu": self.parse_cpu}
        self.worker = subprocess.Popen(
            [sys.executable, "-m", "tests.proofs.pull_requests", "--worker", json.dumps(config)],
            env={**self.environ, "UV_DEFAULT_INDEX": NOWHERE, "UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "2"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.worker.stdout is not None and self.worker.stdout.readline()

    def kill(self) -> None:
        """Kill the worker as a lack of memory does."""
        assert self.worker is not None
        self.worker.kill()
        self.worker.communicate()

    def close(self) -> None:
        """End the worker and the server."""
        if self.worker is not None:
            self.kill()
        self.state.close()
        self.forge.git.close()
        if self.has_disk:
            subprocess.run(["umount", "-l", str(self.work)], check=False)

    @contextmanager
    def full_disk(self, left: int) -> Iterator[None]:
        """Leave *left* bytes of the work folder within the block."""
        filler = self.work / "filler"
        with filler.open("wb") as file:
            while (size := min(shutil.disk_usage(self.work).free - left, 2**20)) >= 4096:
                file.write(b"x" * size)
                file.flush()
        try:
            yield
        finally:
            filler.unlink()

    def diff(self, base: str, current: str) -> RunDiff:
        """Return the changes between two runs, as reports show them."""
        with UnifiedSqlAdapter.from_url(self.store) as adapter:
            with open_store(adapter.at(SCHEMA)) as store:
                sides = [run_by_id(store, run_id) for run_id in (base, current)]
            assert sides[0] is not None and sides[1] is not None
            return diff(lambda: adapter.at(SCHEMA), sides[0], sides[1])


def _mounts(folder: Path, size: int) -> bool:
    """Mount a disk of *size* bytes at *folder*, and return True if that is possible."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def connect(
    lab: Laboratory, repository: ForgeRepository, *, dbt_version: str | None, fail_on: tuple[str, ...] = ()
) -> RepositoryConnection:
    """Connect *repository* with an environment of its own; a worker of *lab* has its token."""
    return add_connection(
        lab.state,
        RepositoryConnection(
            id=uuid4().hex[:12],
            name=repository.name,
            type=Forge.GITHUB,
            repo_url=repository.url,
            branches=("main",),
            token_env="BREAK_TOKEN",
            environment=f"prod of {repository.name}",
            adapter="duckdb",
            dbt_version=dbt_version,
            fail_on=fail_on,
            profile=ProfileTarget(schema="main", database="shop"),
            created_at=datetime.now(timezone.utc) - timedelta(days=1),
            created_by="proof",
        ),
    )


class Trial:
    """One case in the laboratory."""

    def __init__(self, lab: Laboratory, case: Case) -> None:
        self.lab, self.case, self.fault = lab, case, case.fault
        self.repository: ForgeRepository = lab.forge.create(Forge.GITHUB, case.base)
        self.let_in()
        # The Rust engine refuses some of these while it parses.
        self.minor = NEWEST if self.fault.node else case.choose.choice(lab.minors)
        fail_on = ("fails",) if self.fault.node else ()
        self.connection = connect(lab, self.repository, dbt_version=self._version(), fail_on=fail_on)
        self.number = 0

    def _version(self) -> str | None:
        if self.fault.name == "index away":
            return self.lab.absent
        # The project decides if no dbt is to be had.
        return None if "dbt for" in self.fault.name else self.minor

    def let_in(self) -> None:
        """Accept the token."""
        self.repository.tokens[TOKEN] = Token(7, frozenset(RIGHTS))
        self.lab.forge.git.require(self.repository.name, TOKEN)

    def shut_out(self) -> None:
        """Refuse the token from now on, as after its expiry."""
        self.repository.tokens.clear()
        self.lab.forge.git.require(self.repository.name, "another")

    @property
    def stored(self) -> PullRequest:
        """The pull request as it is stored now."""
        return get_pull_request(self.lab.state, self.connection.id, self.number)

    @property
    def jobs(self) -> tuple[ExtractionJob, ExtractionJob]:
        """The jobs of the head and of the base that are compared."""
        found = self.stored
        return get_job(self.lab.state, str(found.head_job)), get_job(self.lab.state, str(found.base_job))

    @property
    def state(self) -> str:
        """The last commit status of the head; empty without one."""
        sha = self.repository.pull_requests[self.number].sha
        return next((one.state for one in reversed(self.repository.statuses) if one.sha == sha), "")

    @property
    def first_lines(self) -> str:
        """What a person reads first: the title of the comment, and the status."""
        comments = self.repository.comments[self.number]
        titles = [one.text.splitlines()[1] for one in comments]
        return unescape("\n".join([*titles, *(one.description for one in self.repository.statuses[-1:])]))

    def announce(self, trigger: Trigger = Trigger.WEBHOOK) -> None:
        """Deliver the event of the pull request."""
        found = self.repository.pull_requests[self.number]
        event = PullRequestEvent(
            number=self.number,
            title=found.title,
            base_branch=found.base,
            head_branch=found.head,
            head_sha=found.sha,
            updated_at=datetime.now(timezone.utc),
        )
        note_pull_request(self.lab.state, self.connection, event, trigger=trigger, requested_by="proof")

    def settle(self, fault: Fault) -> None:
        """Wait until both jobs are over, and no report is due: at once if it is the expected one."""
        deadline, quiet = time.monotonic() + PATIENCE, 0.0
        while True:
            time.sleep(0.05)
            soon = datetime.now(timezone.utc) + timedelta(seconds=3)
            found = list_tasks(self.lab.state, connection_id=self.connection.id)
            is_due = any(task.due_at < soon and task.ended_at is None for task in found)
            if is_due or not all(job.status.is_over for job in self.jobs):
                quiet = 0
            elif self.state == fault.state != "" or (quiet and time.monotonic() > quiet + QUIET):
                return
            else:
                quiet = quiet or time.monotonic()
            if time.monotonic() > deadline:
                raise TimeoutError(f"no report after {PATIENCE:.0f} s: {self.jobs} {found}")

    def run(self) -> Iterator[str]:
        """Open the pull request with the fault, and yield what is wrong."""
        files = {**self.case.edits.files, **self.fault.head}
        self.number = self.repository.open_pull_request("change", files)
        name, choose = self.fault.name, self.case.choose
        with ExitStack() as until:
            if name.startswith("disk"):
                left = 0 if name == "disk is full" else choose.randrange(2**12, 2**22)
                until.enter_context(self.lab.full_disk(left))
            if name == "token expires before the jobs":
                self.shut_out()
            if name == "token expires before the report":
                self.repository.tokens.clear()
            self.announce()
            if name == "killed":
                self._kill_in(choose.choice(STAGES))
            self.settle(self.fault)
        yield from self._faults(self.fault)
        heals = name.startswith(("disk", "token"))
        if heals:
            self.let_in()
            self.announce(Trigger.POLL if name.startswith("disk") else Trigger.WEBHOOK)
            with self.lab.state.write() as session:
                add_report(self.lab.state, session, self.connection.id, self.number)
            self.settle(FAULTS[0])
            yield from (f"after the fault: {one}" for one in self._faults(FAULTS[0]))

    def _kill_in(self, stage: Stage) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            jobs = self.jobs
            if any(job.stage is stage and job.status is JobStatus.RUNNING for job in jobs):
                time.sleep(self.case.choose.random() / 5)
                break
            if all(job.status.is_over for job in jobs):
                return
            time.sleep(0.005)
        self.lab.kill()
        self.lab.start()

    def _faults(self, fault: Fault) -> Iterator[str]:
        """Yield what is wrong with the report of *fault*."""
        head, base = self.jobs
        sha, state, lines = self.repository.pull_requests[self.number].sha, self.state, self.first_lines
        if state == "success":
            if not head.status is base.status is JobStatus.SUCCESS or not head.tier is base.tier is GOLD:
                yield f"green with {head.tier} {head.status.value} and {base.tier} {base.status.value}"
            if (head.commit_sha, base.commit_sha) != (sha, self.repository.sha):
                yield f"green with the commits {head.commit_sha} and {base.commit_sha}"
        is_lucky = fault.name == "disk fills up" and state == "success"  # enough was left
        if fault.state == "":
            yield from self._token_faults(state)
        elif state != fault.state and not is_lucky:
            yield f"the status is {state!r}, not {fault.state}: {lines!r}; {head}; {base}"
        elif not is_lucky and not re.search(fault.said, lines, re.S):
            yield f"{fault.said!r} is not in the first line: {lines!r}"
        if fault.is_compared or is_lucky:
            yield from self._invented()
        elif re.search(r"\d (?:breaking )?change|[Nn]o changes", lines):
            yield f"changes are named: {lines!r}"

    def _token_faults(self, state: str) -> Iterator[str]:
        connection, stored = get_connection(self.lab.state, self.connection.id), self.stored
        if state:
            yield f"the status is {state!r}, although the token is refused"
        shown = " ".join(filter(None, (connection.error, connection.forge_error, stored.error)))
        if "token" not in shown:
            yield f"no word of the token: {shown!r}"

    def _invented(self) -> Iterator[str]:
        """Yield the changes that are not those of the edits."""
        reported = (self.stored.reported or "").split()
        expected = [job.run_id for job in reversed(self.jobs)]
        if reported != expected:
            yield f"reported were {reported}, not {expected}"
            return
        found = {one.unique_id for one in self.lab.diff(*reported).changed}
        wanted = set(self.case.edits.changed)
        # These faults are edits of models of their own.
        wanted |= (
            {"model.shop.late"} if "models/late.sql" in {**self.fault.head, **self.fault.base} else set()
        )
        if self.fault.node:
            # dbt adds a hash to the name of a test.
            wanted |= {one for one in found if one.startswith(self.fault.node)} or {self.fault.node}
        if invented := found - wanted - self.case.edits.commented:
            yield f"invented: {sorted(invented)}"
        if missed := wanted - found:
            yield f"missed: {sorted(missed)}"


def failures(lab: Laboratory, seeds: Iterator[int], counts: Counter[str]) -> Iterator[str]:
    """Yield what is wrong in the case of each seed."""
    for seed in seeds:
        case = Case(seed)
        if case.fault.name.startswith("disk") and not lab.has_disk:
            counts[f"{case.fault.name}: not tried"] += 1
            continue
        try:
            found = list(Trial(lab, case).run())
        except TimeoutError as error:
            found = [str(error)]
        counts[f"{case.fault.name}: {'wrong' if found else 'as expected'}"] += 1
        yield from (f"case {seed}, {case.fault.name}: {one}" for one in found)


@contextmanager
def laboratory(
    folder: Path, minors: list[str], *, parse_cpu: float = PARSE_CPU, disk: int = DISK
) -> Iterator[Laboratory]:
    """Yield a laboratory whose worker runs."""
    lab = Laboratory(folder, minors, parse_cpu=parse_cpu, disk=disk)
    try:
        lab.start()
        yield lab
    finally:
        lab.close()


def work(config: Mapping[str, Any]) -> None:
    """Be the worker until it is killed."""
    state, place = open_state(config["state"], {}), Path(config["work"])
    adapter = UnifiedSqlAdapter.from_url(config["store"])
    settings = ExtractionSettings(work=place, hub=NOWHERE, lock_timeout=60, parse_cpu=config["parse_cpu"])
    extractor = Extractor(state, {"default": Target(lambda: adapter.at(SCHEMA))}, settings, os.environ)
    logins = ConnectionLogins(state, os.environ, GitLimits())
    worker = Worker(
        state,
        extractor.stages,
        WorkerSettings(
            work=place,
            name="proof",
            retries=Retries(delays=(0.1, 0.2)),
            spacing_seconds=0,
            tick_seconds=0.1,
            beat_seconds=1,
        ),
        handlers=task_handlers(state, extractor.stores, logins, os.environ),
    )
    worker.start()
    print("ready", flush=True)
    threading.Event().wait()


def main() -> None:
    """Run the cases and print what is wrong."""
    if sys.argv[1:2] == ["--worker"]:
        work(json.loads(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dbt", action="append", help="further minor version of dbt")
    clock, given = Clock.of(parser)
    counts: Counter[str] = Counter()
    failed = 0
    folder = Path(tempfile.mkdtemp())
    try:
        with laboratory(folder, [NEWEST, RUST, *(given.dbt or ())]) as lab:
            for failure in failures(lab, clock.seeds(), counts):
                failed += 1
                print(failure, flush=True)
    finally:
        with suppress(OSError):
            shutil.rmtree(folder)
    for name, count in sorted(counts.items()):
        print(f"{count:6} {name}")
    print(clock.report(failed))
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
