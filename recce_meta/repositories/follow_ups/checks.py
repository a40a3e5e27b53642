"""Checks and quality measurements that a repository defines, on the runs of its connection.

The files come from the repository: their SQL only reads, sees neither files nor settings of the host, and
their templates see the variables of the connection instead of the environment of the worker.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.read_only import require_expression, require_query
from recce_meta.api.comparison import Comparison
from recce_meta.api.data.execution import DataDiffRunner
from recce_meta.api.data.preview import NEW_FAILS, Preview
from recce_meta.api.diff import NOTHING_MORE, diff_of_pair
from recce_meta.api.edited_project import edits_between
from recce_meta.api.quality import (
    QualityLocation,
    QualityRequest,
    measure_request,
    settings_of,
    show_quality,
)
from recce_meta.api.quality_tables import TableSelection
from recce_meta.api.render import Templates
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.api.runs import RunPair, load_pair
from recce_meta.checks.file import read_check_file
from recce_meta.config.discovery import CONFIG_FILE, ConfigFiles
from recce_meta.config.file import NO_CONFIG, Config, read_config
from recce_meta.data_diff.options import ValueOptions
from recce_meta.errors import ConfigurationError, RecceMetaError
from recce_meta.models import RunMetadata
from recce_meta.models.checks import (
    AnyCheck,
    BrokenCheck,
    CheckReport,
    CheckResult,
    CheckStatus,
    StoredCheck,
)
from recce_meta.models.data_diff import AnyDataDiff, Failed, NotCompared
from recce_meta.models.quality import QualityRules
from recce_meta.quality.file import read_quality_file
from recce_meta.quality.masking import privacy_of
from recce_meta.quality.privacy import Privacy
from recce_meta.report.data.preview import headline
from recce_meta.report.data.verdicts import subject_of
from recce_meta.repositories.follow_ups.comments import RepositoryResults
from recce_meta.store.check_results import find_checks
from recce_meta.store.quality import list_quality_runs
from recce_meta.store.session import open_store
from recce_meta.temporary import temporary_folder
from recce_meta.warehouses import Warehouse

CHECKS, QUALITY = "checks.yml", "quality.yml"
MOST_PREVIEWED = 15
NOT_COUNTED = "not counted"
SECONDS = 900.0
"""Seconds after which the queries of one file are cancelled."""


class CheckRequest(Struct, frozen=True, kw_only=True):
    """Files of a commit, and the runs to check."""

    files: Mapping[str, str]
    base: RunMetadata | None
    """Run to compare with; without it, only the quality is measured."""
    current: RunMetadata
    variables: Mapping[str, str] = {}
    """Variables that `env_var()` sees in templates."""
    previews: bool = False
    """Whether the rows that the edits change are counted."""


def config_of(files: Mapping[str, str]) -> Config:
    """Return the configuration of a repository. Raises UsageError if it is malformed."""
    if CONFIG_FILE not in files:
        return NO_CONFIG
    with _on_disk(files, CONFIG_FILE) as path:
        return read_config(ConfigFiles(own=path))


class RepositoryChecks:
    """Checks of one commit, in a thread that another thread may stop."""

    def __init__(self, request: CheckRequest) -> None:
        self._request = request
        self._runner: DataDiffRunner | None = None
        self._is_stopped = False

    def stop(self) -> None:
        """Cancel the queries that run."""
        self._is_stopped = True
        if self._runner is not None:
            self._runner.cancel()

    def __call__(self, adapter: UnifiedSqlAdapter) -> RepositoryResults:
        """Return the results that the store of *adapter* has; run and store what is missing.

        A file that cannot be read, or queries that the warehouse cannot confine, are notes of the result.
        """
        notes: list[str] = []
        checks, measured = None, None
        previews: tuple[str, ...] = ()
        violations: tuple[str, ...] = ()
        # Open while guarded connections are: DuckDB would otherwise open the file read-only for all.
        adapter.connect()
        if CHECKS in self._request.files and self._request.base is not None:
            with _noted(notes, CHECKS):
                checks = self._checks(adapter, self._request.base)
        if self._request.previews and self._request.base is not None:
            previews = self._previews(adapter, self._request.base)
        if QUALITY in self._request.files:
            with _noted(notes, QUALITY):
                measured, violations = self._quality(adapter)
        return RepositoryResults(
            checks=checks, violations=violations, measured=measured, notes=tuple(notes), previews=previews
        )

    def _checks(self, adapter: UnifiedSqlAdapter, base: RunMetadata) -> CheckReport:
        current = self._request.current
        with _on_disk(self._request.files, CHECKS) as path:
            asked = [_without_folder(check, path) for check in read_check_file(path)]
        stored = _stored(adapter, base, current)
        # Results are stored with the runs, so a repeated task asks the warehouse once.
        if not {check.name for check in asked} <= stored.keys():
            self._run_checks(adapter, base, asked)
            stored = _stored(adapter, base, current)
        found = [stored[check.name] for check in asked if check.name in stored]
        return CheckReport(checks=tuple(map(_result_of, found)), path=CHECKS)

    def _run_checks(self, adapter: UnifiedSqlAdapter, base: RunMetadata, asked: Sequence[AnyCheck]) -> None:
        current, config = self._request.current, config_of(self._request.files)
        privacy = privacy_of(no_values=config.privacy.values is False, private=config.privacy.columns)
        runs = load_pair(lambda: adapter, base, current)
        with self._opened(adapter, runs, config, privacy) as comparison:
            templates = _GuardedTemplates(runs, self._request.variables, comparison.current.warehouse)
            report = comparison.check(asked, Path(CHECKS), templates)
        comparison.save_checks(report, asked)

    @contextmanager
    def _opened(
        self, adapter: UnifiedSqlAdapter, runs: RunPair, config: Config, privacy: Privacy | None
    ) -> Iterator[Comparison]:
        """Yield a comparison of *runs* that cannot leave the database, and that `stop` cancels."""
        with (
            adapter.guarded() as guarded,
            Comparison(
                store=lambda: adapter,
                current=guarded,
                budget=SECONDS,
                is_confined=True,
                runs=runs,
                globs=config.nodes,
                privacy=privacy,
            ) as comparison,
        ):
            self._runner = comparison.runner
            if self._is_stopped:  # before there was a query to cancel
                comparison.runner.cancel()
            try:
                yield comparison
            finally:
                self._runner = None

    def _previews(self, adapter: UnifiedSqlAdapter, base: RunMetadata) -> tuple[str, ...]:
        """Return a sentence for each edited node, with counts and without values."""
        if base.adapter_type != adapter.warehouse.name:
            return (f"{NOT_COUNTED}: the models are not in the warehouse of the store",)
        try:
            whole = load_pair(lambda: adapter, base, self._request.current)
            edits = edits_between(whole.base.project, whole.current.project)
            runs = RunPair(MemoryRunReader(edits.base), MemoryRunReader(edits.current))
            preview = Preview(edits, diff_of_pair(runs.base, runs.current, NOTHING_MORE))
            config, options = config_of(self._request.files), ValueOptions(examples=0)
            with self._opened(adapter, runs, config, Privacy(keeps_values=False)) as comparison:
                jobs = preview.jobs(preview.changed[:MOST_PREVIEWED], comparison, options)
                results = preview.results(jobs, comparison)
        except RecceMetaError as error:
            if getattr(error, "retriable", False):
                raise
            return (f"{NOT_COUNTED}: the runs or the tables cannot be read",)
        hidden = len(preview.changed) - len(results)
        return (*map(preview_line, results), *([f"… and {hidden:,} more"] if hidden else []))

    def _quality(self, adapter: UnifiedSqlAdapter) -> tuple[int, tuple[str, ...]]:
        """Return the number of measured tables, and sentences about expectations that are not met."""
        run, config = self._request.current, config_of(self._request.files)
        known = list_quality_runs(adapter, run_id=run.run_id, limit=1, with_failed=True)
        if not known:
            with _on_disk(self._request.files, QUALITY) as path:
                rules = replace(read_quality_file(path), path=QUALITY)
            with adapter.guarded() as guarded:
                _refuse_metrics(rules, guarded.warehouse)
                names = tuple(table.name for table in rules.tables if table.name)
                request = QualityRequest(
                    chosen=TableSelection(
                        names=names,
                        selection=tuple(table.select for table in rules.tables if table.select),
                        may_be_empty=True,
                    ),
                    run=run.run_id,
                    settings=settings_of(
                        rules,
                        keeps_values=config.privacy.values is not False,
                        private=config.privacy.columns,
                    ),
                    rules=rules,
                    deadline=time.monotonic() + SECONDS,
                )
                place = QualityLocation(database=guarded, store=adapter, project=run.project_name)
                measure_request(place, request)
            known = list_quality_runs(adapter, run_id=run.run_id, limit=1, with_failed=True)
        if not known:
            return 0, ()
        shown = show_quality(adapter, known[0].quality_run_id)
        return known[0].table_count, tuple(violation.message for violation in shown.violations)


def preview_line(result: AnyDataDiff) -> str:
    """Return the counts of *result* in a sentence; the text of a database may name hosts and values."""
    subject = subject_of(result)
    name = "" if subject is None else f"{subject.name}: "
    if isinstance(result, NotCompared):
        return f"{name}{NOT_COUNTED}: {result.reason}"
    if isinstance(result, Failed):
        return name + (
            NEW_FAILS
            if result.error.startswith(NEW_FAILS)
            else f"{NOT_COUNTED}: its SQL cannot be rendered or run"
        )
    return name + headline(result)


class _GuardedTemplates(Templates):
    """Templates whose SQL must be one query that only reads, and reads nothing of the host."""

    def __init__(self, runs: RunPair, variables: Mapping[str, str], warehouse: Warehouse) -> None:
        super().__init__(runs, environ=variables)
        self._warehouse = warehouse

    def base(self, sql: str) -> str:
        """Return the SQL of base. Raises UsageError if it is refused."""
        return require_query(super().base(sql), self._warehouse, is_guarded=True)

    def current(self, sql: str) -> str:
        """Return the SQL of current. Raises UsageError if it is refused."""
        return require_query(super().current(sql), self._warehouse, is_guarded=True)


def _refuse_metrics(rules: QualityRules, warehouse: Warehouse) -> None:
    """Raise UsageError for a metric that does not only read its table."""
    metrics = [metric for table in rules.tables for metric in table.metrics]
    metrics += [one for table in rules.tables for column in table.columns for one in column.metrics]
    for metric in metrics:
        require_expression(metric.sql, warehouse)


@contextmanager
def _on_disk(files: Mapping[str, str], name: str) -> Iterator[Path]:
    """Yield the path of the file *name* in a folder of its own, whose path no error names."""
    with temporary_folder() as folder:
        path = Path(folder, name)
        path.write_text(files[name], encoding="utf-8")
        try:
            yield path
        except RecceMetaError as error:
            message = error.message.replace(f"{folder}/", "")
            raise ConfigurationError(message, hint=error.hint) from None


@contextmanager
def _noted(notes: list[str], name: str) -> Iterator[None]:
    """Add a note for an error of the file *name*, or of queries that are refused."""
    try:
        yield
    except RecceMetaError as error:
        if getattr(error, "retriable", False):
            raise
        notes.append(f"{name} could not be run: {error.message}")


def _without_folder(check: AnyCheck, path: Path) -> AnyCheck:
    """Return *check* with the name of its file in place of the path."""
    if not isinstance(check, BrokenCheck):
        return replace(check, path=Path(path.name))
    problems = [replace(one, message=one.message.replace(f"{path.parent}/", "")) for one in check.problems]
    return replace(check, path=Path(path.name), problems=tuple(problems))


def _stored(adapter: UnifiedSqlAdapter, base: RunMetadata, current: RunMetadata) -> dict[str, StoredCheck]:
    """Return the newest stored result of each check on these two runs."""
    with open_store(adapter) as store:
        found = find_checks(store, run_id=current.run_id)
    pair = base.run_id, current.run_id
    return {
        check.check_name: check
        for check in reversed(found)
        if (check.base_run_id, check.current_run_id) == pair
    }


def _result_of(check: StoredCheck) -> CheckResult:
    """Return a stored result for a report; it has no values of the compared data."""
    return CheckResult(
        name=check.check_name,
        type=check.check_type,
        status=CheckStatus(check.status),
        description=check.description,
        message=check.message,
        violations=check.violations,
        optional=check.is_optional,
        has_expectations=check.has_expectations,
    )
