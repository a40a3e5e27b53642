"""Choice of the runs that a command compares or reads, if no selector names them.

Current is the latest run of the checked-out branch, else of the environment in RECCE_META_ENVIRONMENT, else
of `current`. Base is the run of the merge base if it is recorded, else the latest run of `base`. On the base
branch itself, the branch does not determine current, because its runs are those of base.

A run is chosen with few queries, because each costs a round trip to the warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.run_reader import folder_of
from recce_meta.errors import RunNotFound, UsageError
from recce_meta.extractors.history import CheckoutHistory, MergeBase
from recce_meta.models import RunMetadata
from recce_meta.models.run import (
    BASE,
    DBT,
    MERGE_BASE_OF,
    OUTDATED,
    UNBUILT,
    WORKING_TREE,
    ChosenRun,
    RunChoice,
    is_build,
    part_note,
)
from recce_meta.profiles import find_project_dir
from recce_meta.store.read import find_runs
from recce_meta.store.select import RunSelector, find_project, find_run, require_complete, unknown_run
from recce_meta.store.session import StoreSession, open_store

ENVIRONMENT = "RECCE_META_ENVIRONMENT"
CURRENT, LATEST = "current", "latest"
LATEST_RUN = "latest run"
"""Reason for the default run of a command that reads one run, if neither branch nor environment says more."""
RECENT = 50
"""Number of latest runs of base that are searched for the merge base before another query."""
RUNS_LISTED = 300
"""Number of latest runs among which one with data is searched."""
OF_BRANCH = 20
"""Number of latest runs of a branch among which current is searched."""
SHORTEST_SHA = 7
OTHER_RUN = "name another run with --base or --current, such as base~1; recce-meta runs lists all runs"
OTHER_FOLDER = "name another folder with --base path:DIR or --current path:DIR"


class RunDefaults(Struct, frozen=True):
    """Facts that default runs depend on."""

    history: CheckoutHistory
    environment: str | None
    """Value of RECCE_META_ENVIRONMENT."""


class Found(Struct, frozen=True):
    """Run of one side; None if it is in artifacts on disk."""

    run: RunMetadata | None
    chosen: ChosenRun
    notes: tuple[str, ...] = ()

    @property
    def selector(self) -> RunSelector:
        """Return the run, or the selector of artifacts on disk: what functions of this package accept."""
        return self.run if self.run is not None else self.chosen.selector or LATEST


class SelectedRuns(Struct, frozen=True):
    """Runs of both sides."""

    base: Found
    current: Found
    choice: RunChoice


def read_defaults(
    project_dir: Path | None, environ: Mapping[str, str], *, base_branch: str | None = None
) -> RunDefaults:
    """Return the facts about the project in *project_dir*, by default the one around the current folder.

    *base_branch* is the configured name of the base branch. Git is read when a fact is first used.
    """
    start = find_project_dir(project_dir) or project_dir or Path()
    return RunDefaults(CheckoutHistory(start, environ, base_branch), environ.get(ENVIRONMENT) or None)


def select_runs(
    connect: Callable[[], UnifiedSqlAdapter],
    base: str | None,
    current: str | None,
    *,
    defaults: RunDefaults,
    project: str | None = None,
    of_data: bool = False,
) -> SelectedRuns:
    """Return the runs that the selectors *base* and *current* name; None stands for the default.

    *connect* is called only if one of the runs is in the store. With *of_data*, the choice has a note if the
    tables of base may have been rebuilt since.

    Raises RunNotFound if a run is missing, UsageError if both runs are the same.
    """
    if folder_of(base) and folder_of(current):
        sides = _on_disk(str(base)), _on_disk(str(current))
    else:
        with open_store(connect()) as store:
            choosing = _Choosing(store, defaults, project, of_data)
            after = choosing.current(current)
            used = after.run.environment if after.run is not None else CURRENT
            sides = choosing.base(base, used), after
    _refuse_same(*sides)
    notes = tuple(dict.fromkeys((*sides[0].notes, *sides[1].notes)))
    return SelectedRuns(*sides, RunChoice(base=sides[0].chosen, current=sides[1].chosen, notes=notes))


def select_same(
    connect: Callable[[], UnifiedSqlAdapter],
    current: str | None,
    *,
    defaults: RunDefaults,
    project: str | None = None,
) -> SelectedRuns:
    """Return one run for both sides: that of *current*, by default that of `select_run`."""
    if folder_of(current):
        found = _on_disk(str(current))
    else:
        with open_store(connect()) as store:
            choosing = _Choosing(store, defaults, project, True)
            found = choosing.single() if current is None else choosing.current(current)
    choice = RunChoice(base=found.chosen, current=found.chosen, notes=found.notes)
    return SelectedRuns(found, found, choice)


def select_edited(
    connect: Callable[[], UnifiedSqlAdapter],
    base: str | None,
    *,
    defaults: RunDefaults,
    project: str | None = None,
) -> SelectedRuns:
    """Return the run of base, as `select_base` does, for both sides; current is the files edited since."""
    found = select_base(connect, base, defaults=defaults, project=project)
    current = ChosenRun(run_id=None, selector=None, reason=WORKING_TREE)
    return SelectedRuns(found, found, RunChoice(base=found.chosen, current=current, notes=found.notes))


def with_builds(
    connect: Callable[[], UnifiedSqlAdapter], choice: RunChoice, base: RunMetadata, current: RunMetadata
) -> RunChoice:
    """Return *choice* with a note if tables of its runs *base* and *current* may be older, or may lack rows.

    They may be older if the command of a run of dbt did not build, and no recorded build is of the same
    version.
    """
    unbuilt, notes = [], []
    for side, chosen, run in (("base", choice.base, base), ("current", choice.current, current)):
        if chosen.reason == WORKING_TREE:
            continue
        if _builds(run) or (run.extractor != DBT and run.extraction is None):
            continue
        if part := part_note(side, run):
            notes.append(part)
            continue
        if chosen.run_id is not None:
            with open_store(connect()) as store:
                if _is_built(store, run):
                    continue
        unbuilt.append(side)
    if unbuilt:
        notes.append(f"{UNBUILT} {' and '.join(unbuilt)} is recorded; tables may be older than the code")
    return replace(choice, notes=(*choice.notes, *notes)) if notes else choice


def _builds(run: RunMetadata) -> bool:
    """Return True if the command of *run* built relations with all of their rows."""
    return is_build(run) and part_note("", run) is None


def _is_built(store: StoreSession, run: RunMetadata) -> bool:
    """Return True if a run of the environment of *run* built its code, or its commit, without an error."""
    others = find_runs(store, project=run.project_name, environment=run.environment, most=RECENT)
    return any(
        _builds(one)
        and not (one.build_errors or one.build_skipped)
        and (one.target_name, one.target_schema) == (run.target_name, run.target_schema)
        and ((not run.git_dirty and _is_clean_commit(one, run.git_sha)) or _is_same_code(store, one, run))
        for one in others
    )


def _is_same_code(store: StoreSession, one: RunMetadata, run: RunMetadata) -> bool:
    """Return True if both runs have the same code; `dbt test` compiles fewer nodes than `dbt run`."""
    if one.graph_id == run.graph_id:
        return True
    if run.variables is None or (one.macro_set_id, one.variables) != (run.macro_set_id, run.variables):
        return False
    changed = store.query("changed_code", graph_id=run.graph_id, other_graph_id=one.graph_id)
    return not any(is_certain for _, is_certain in changed)


def _is_clean_commit(run: RunMetadata, sha: str | None) -> bool:
    return sha is not None and not run.git_dirty and is_same_commit(run.git_sha, sha)


def select_base(
    connect: Callable[[], UnifiedSqlAdapter],
    base: str | None,
    *,
    defaults: RunDefaults,
    project: str | None = None,
) -> Found:
    """Return the run of base, as `select_runs` does."""
    if folder_of(base):
        return _on_disk(str(base))
    with open_store(connect()) as store:
        return _Choosing(store, defaults, project).base(base, defaults.environment or CURRENT)


def select_run(
    connect: Callable[[], UnifiedSqlAdapter], *, defaults: RunDefaults, project: str | None = None
) -> Found:
    """Return the default of a command that reads one run.

    It is the latest run of the checked-out branch, else of the environment in RECCE_META_ENVIRONMENT, else of
    the project.
    """
    with open_store(connect()) as store:
        return _Choosing(store, defaults, project).single()


def find_single_run(
    store: StoreSession, selector: str | None, project: str | None, defaults: RunDefaults | None
) -> RunMetadata:
    """Return the run that *selector* names, else that of `select_run`, or the latest without *defaults*."""
    if selector is not None or defaults is None:
        return find_run(store, selector or LATEST, project)
    found = _Choosing(store, defaults, project).single()
    return found.run or find_run(store, LATEST, project)


class _Choosing:
    """Choice of runs in an open store."""

    def __init__(
        self, store: StoreSession, defaults: RunDefaults, project: str | None, of_data: bool = False
    ) -> None:
        self._store, self._history, self._environment = store, defaults.history, defaults.environment
        self._project, self._of_data = project, of_data

    def base(self, selector: str | None, used: str) -> Found:
        """Return the run of base; *used* is the environment of current."""
        if selector is not None:
            return self._named(selector)
        recent = self._runs(BASE, environment=BASE, most=RECENT)
        start = self._history.merge_base
        run = self._run_of(start, recent, used) if start.sha is not None else None
        if run is not None:
            found = _chosen(run, start.label)
            return Found(run, found, (*_dirty(run), *self._rebuilt(run, recent)))
        if not recent:
            raise unknown_run(self._store, BASE, self._project)
        return Found(recent[0], _chosen(recent[0], f"latest run of {BASE}"), (*self._not_recorded(start),))

    def current(self, selector: str | None) -> Found:
        """Return the run of current."""
        if selector is not None:
            named = self._named(selector)
            # The environment stands for the latest code of the branch, unlike the id of a run.
            if named.run is None or selector != named.run.environment or named.run.branch is None:
                return named
            is_own = named.run.branch == self._history.branch
            return replace(named, notes=(*self._outdated(named.run),)) if is_own else named
        branch = None if self._history.is_on_base_branch else self._history.branch
        if branch is not None and (run := self._latest_change(branch)) is not None:
            return Found(run, _chosen(run, f"branch {branch}"), (*self._outdated(run),))
        for label in dict.fromkeys(filter(None, (self._environment, CURRENT))):
            if runs := self._runs(CURRENT, environment=label, most=1):
                missing = [f"No run of branch {branch} is recorded"] if branch is not None else []
                if self._environment and label != self._environment:
                    missing.append(f"No run of environment {self._environment} ({ENVIRONMENT}) is recorded")
                notes = tuple(f"{text}: current is the latest run of {label}" for text in missing)
                return Found(runs[0], _chosen(runs[0], f"latest run of {label}"), notes)
        raise self._no_current(branch)

    def single(self) -> Found:
        """Return the run that a command reads."""
        branch = self._history.branch
        if branch is not None and (runs := self._runs(LATEST, branch=branch, most=1)):
            return Found(runs[0], _chosen(runs[0], f"branch {branch}"))
        if self._environment and (runs := self._runs(LATEST, environment=self._environment, most=1)):
            return Found(runs[0], _chosen(runs[0], f"latest run of {self._environment}"))
        run = find_run(self._store, LATEST, self._project)
        return Found(run, _chosen(run, LATEST_RUN))

    def _named(self, selector: str) -> Found:
        if folder_of(selector):
            return _on_disk(selector)
        run = require_complete(find_run(self._store, selector, self._project))
        return Found(run, ChosenRun(run_id=run.run_id, selector=selector, reason=selector))

    def _runs(self, selector: str, most: int | None = None, **filters: object) -> list[RunMetadata]:
        if self._project is None:
            self._project = find_project(self._store, selector)
        if not self._of_data:
            limit = {} if most is None else {"most": most}
            return find_runs(self._store, project=self._project, **filters, **limit)
        found = find_runs(self._store, project=self._project, **filters, most=RUNS_LISTED)
        # Runs of connected repositories are only parsed, so that their tables are those of other runs.
        return [run for run in found if run.extraction is None][:most]

    def _run_of(self, start: MergeBase, recent: Sequence[RunMetadata], used: str) -> RunMetadata | None:
        """Return the run of the commit *start*: of base if possible, else another run of the base branch.

        Runs of the environment *used* have the tables of current. Among several runs, one without uncommitted
        changes is preferred, then the latest.
        """
        sha = start.sha or ""
        # Most merge bases are recent, so that usually no second query is needed.
        found = [run for run in recent if is_same_commit(run.git_sha, sha)]
        if not found:
            found = [
                run
                for run in self._runs(BASE, sha_prefix=sha.lower())
                if run.environment == BASE
                or (
                    run.environment != used
                    and start.branch is not None
                    and run.branch in (start.branch, f"{MERGE_BASE_OF}{start.branch}")
                )
            ]
        # `min` returns the first of equals, and runs come newest first.
        return min(found, key=lambda run: (run.environment != BASE, bool(run.git_dirty)), default=None)

    def _latest_change(self, branch: str) -> RunMetadata | None:
        """Return the latest run of *branch* that is not of base, nor of another pull request."""
        number = self._history.pull_request
        runs = self._runs(CURRENT, branch=branch, most=OF_BRANCH)
        wanted = (
            run
            for run in runs
            if run.environment != BASE and (not number or run.pull_request in (None, number))
        )
        return next(wanted, None)

    def _not_recorded(self, start: MergeBase) -> Iterable[str]:
        """Yield a note on why base is not the run of the merge base."""
        if start.sha is not None and not self._history.is_on_base_branch:
            yield f"{_capital(start.label)} is not recorded: base is the latest run of {BASE}"
        elif start.problem is not None:
            hint = f" ({start.hint})" if start.hint else ""
            yield f"{_capital(start.problem)}: base is the latest run of {BASE}{hint}"

    def _rebuilt(self, run: RunMetadata, recent: Sequence[RunMetadata]) -> Iterable[str]:
        """Yield a note if a later run of the same environment may have rebuilt the tables of *run*."""
        if self._of_data and run.environment == BASE and recent and recent[0].run_id != run.run_id:
            yield (
                f"Data of base is read from the tables as they are now; a later run of {BASE} "
                f"({recent[0].run_at:%Y-%m-%d %H:%M} UTC) may have rebuilt them"
            )

    def _outdated(self, run: RunMetadata) -> Iterable[str]:
        """Yield a note if *run* was recorded at another commit than the one that is checked out."""
        sha = self._history.sha
        if sha is not None and run.git_sha is not None and not is_same_commit(run.git_sha, sha):
            yield f"{OUTDATED} {short_sha(run.git_sha)}, but {short_sha(sha)} is checked out"

    def _no_current(self, branch: str | None) -> RunNotFound:
        error = unknown_run(self._store, CURRENT, self._project)
        if branch is None:
            return error
        return RunNotFound(
            f"No run of branch '{branch}' is recorded, and none of {self._environment or CURRENT}",
            hint="record one with recce-meta record --target-path DIR, or name a run with --current",
        )


def _on_disk(selector: str) -> Found:
    return Found(None, ChosenRun(run_id=None, selector=selector, reason=selector))


def _chosen(run: RunMetadata, reason: str) -> ChosenRun:
    return ChosenRun(run_id=run.run_id, selector=None, reason=reason)


def _dirty(run: RunMetadata) -> Iterable[str]:
    if run.git_dirty:
        yield "The run of the merge base was recorded with uncommitted changes"


def _refuse_same(base: Found, current: Found) -> None:
    """Raise UsageError if both sides are the same stored run, or the same folder."""
    if base.run is not None and current.run is not None:
        is_same, name, hint = base.run.run_id == current.run.run_id, f"run {base.run.run_id}", OTHER_RUN
    else:
        # Two spellings of a path may mean one folder.
        folders = [folder.resolve() for side in (base, current) if (folder := folder_of(side.selector))]
        is_same, name, hint = len(folders) == 2 and folders[0] == folders[1], "folder", OTHER_FOLDER
    if is_same:
        sides = f"{_side('base', base)}, {_side('current', current)}"
        raise UsageError(f"Base and current are the same {name}: {sides}", hint=hint)


def _side(name: str, found: Found) -> str:
    given = found.chosen.selector
    return f"--{name} is '{given}'" if given is not None else f"--{name} defaults to {found.chosen.reason}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def short_sha(sha: str | None) -> str:
    """Return the first characters of a commit id, as git shows them."""
    return (sha or "")[:SHORTEST_SHA]


def is_same_commit(one: str | None, other: str) -> bool:
    """Return True if both are ids of one commit; either may be abbreviated."""
    # A shorter prefix could be that of another commit.
    if one is None or min(len(one), len(other)) < SHORTEST_SHA:
        return False
    one, other = one.lower(), other.lower()
    return one.startswith(other) or other.startswith(one)
