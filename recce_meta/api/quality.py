"""Quality measurements of the tables of a recorded run: measures, stores, compares and shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.quality_tables import (
    EXACT,
    RunTables,
    TableRequest,
    TableSelection,
    measure_tables,
    measuring_statements,
    rules_by_table,
    table_request,
    unused_selections,
)
from recce_meta.api.run_choice import RunDefaults, find_single_run
from recce_meta.api.run_reader import MemoryRunReader, RunReader, StoredRunReader, folder_of
from recce_meta.api.runs import columns_upstream
from recce_meta.api.scan import ScanOptions, scan, without_store
from recce_meta.data_diff.plan import Query
from recce_meta.errors import (
    ConditionFailed,
    RecceMetaError,
    SelectorError,
    UsageError,
    did_you_mean,
    first_of,
    plural,
)
from recce_meta.extractors.database import extract_database
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.quality import (
    FailOn,
    Quality,
    QualityRules,
    QualityRun,
    Sample,
    TableQuality,
    TableRules,
    read_fail_on,
)
from recce_meta.models.run import COMPLETE, FAILED
from recce_meta.quality.compare import (
    EarlierQuality,
    QualityHistory,
    QualityPoint,
    QualityResult,
    compare_quality,
    table_labels,
)
from recce_meta.quality.conditions import (
    FailOnConditions,
    named_tables,
    names_of,
    stored_verdict,
    with_expectations,
)
from recce_meta.quality.figures import QualityVerdict, column_of, failed_text
from recce_meta.quality.file import read_quality_file
from recce_meta.quality.measure import QualitySettings, mean_score
from recce_meta.quality.privacy import DEFAULT_PATTERNS, Privacy, read_patterns, unused_patterns
from recce_meta.quality.private_outputs import with_private_outputs
from recce_meta.store import read
from recce_meta.store.quality import list_quality_runs, load_quality, previous_quality, write_quality
from recce_meta.store.select import require_complete
from recce_meta.store.session import StoreSession, open_store, refuse_newer, store_versions

DEFAULT_FILES = ("quality.yml", "quality.yaml")
"""Names of the file of metrics in the current folder, in order of precedence."""
MOST_EARLIER = 20
"""Number of earlier measurements to search for each table: tables may be measured at different times."""

Tell = Callable[[str], None]


class QualityLocation(Struct, frozen=True, kw_only=True):
    """Locations of the data and the store, and the project."""

    database: UnifiedSqlAdapter
    store: UnifiedSqlAdapter
    """Schema of the store."""
    project: str | None = None
    """Project named by the user."""
    likely: tuple[str, ...] = ()
    """Default projects; the first with a run is used. If none has a run, and the store is in the database
    itself, the store's only project is used."""


class QualityRequest(Struct, frozen=True, kw_only=True):
    """Tables to measure, and their expectations."""

    chosen: TableSelection = TableSelection()
    run: str | None = None
    """Selector of the run with the nodes to measure. None for the default run, or else a new scan."""
    defaults: RunDefaults | None = None
    settings: QualitySettings = EXACT
    rules: QualityRules | None = None
    private: tuple[str, ...] = ()
    """Patterns of *settings* given by the user; a pattern that matches no column gives a note."""
    fail_on: tuple[FailOn, ...] = ()
    against: str | None = None
    """Selector of the measurement to compare with. None for each table's previous measurement."""
    threads: int | None = None
    deadline: float | None = None
    """Reading of `time.monotonic` at which queries are cancelled."""
    quality_run_id: str | None = None
    """Id of the measurement. Default: a new one, since the same tables are measured again and again."""
    keeps_failure: bool = True
    """Whether a measurement that fails is stored with its reason."""


def rules_of(file: Path | None) -> QualityRules | None:
    """Read the metrics and expectations in *file*, by default in the file of the current folder."""
    path = file or next((path for path in map(Path, DEFAULT_FILES) if path.is_file()), None)
    return None if path is None else read_quality_file(path)


def fail_conditions(texts: Sequence[str], rules: QualityRules | None) -> tuple[FailOn, ...]:
    """Parse the conditions of `--fail-on`, which may name metrics of *rules*."""
    tables = rules.tables if rules else ()
    metrics = [metric.name for table in tables for metric in table.metrics]
    columns = [column for table in tables for column in table.columns]
    return tuple(read_fail_on(texts, metrics + [one.name for column in columns for one in column.metrics]))


def settings_of(
    rules: QualityRules | None,
    *,
    sample: Sample | None = None,
    keeps_values: bool = True,
    private: Sequence[str] = (),
    top: int = EXACT.top,
) -> QualitySettings:
    """Return the settings of a measurement, with the patterns of private columns in *rules* and *private*."""
    patterns = (*DEFAULT_PATTERNS, *read_patterns((*(rules.private if rules else ()), *private)))
    return QualitySettings(
        sample=sample, privacy=Privacy(keeps_values=keeps_values, patterns=patterns), top=top
    )


def refuse_failing(result: QualityResult, *, is_new: bool = True) -> None:
    """Raise ConditionFailed for violations, RecceMetaError for tables of a new measurement that failed."""
    if result.violations:
        raise ConditionFailed(failed_text(result.violations))
    failed = sum(table.reason is not None for table in result.quality.tables)
    if failed and is_new:
        raise RecceMetaError(f"{failed:,} of {len(result.quality.tables):,} tables could not be measured")


class _PreparedMeasurement(Struct, frozen=True, kw_only=True):
    """Inputs of a measurement."""

    run: RunMetadata
    wanted: tuple[TableRequest, ...]
    ids: tuple[str, ...]
    tests: tuple[NodeMetadata, ...]
    rules: Mapping[str, Sequence[TableRules]]
    notes: tuple[str, ...]


def measure_request(
    place: QualityLocation, question: QualityRequest, tell: Tell | None = None
) -> QualityResult:
    """Measure the tables that *question* chooses; *tell* is called with progress messages.

    If the whole measurement fails, it is stored as failed with the reason. Raises SelectorError or
    ConfigurationError, before any measurement, for a name or selector that matches nothing.
    """
    report_progress = tell or (lambda _: None)
    # Measuring may take hours, and a newer store would refuse the result.
    refuse_newer(place.store)
    ready = _ready(place, question, report_progress)
    if not ready.ids:
        return _nothing(place, question, ready)
    against = _against(place, question, ready)
    missing = () if against is None else _missing(question, ready, against)
    started_at = datetime.now(timezone.utc)
    of = plural(len(ready.ids), "table")
    done: list[str] = []

    def on_done(table: TableQuality) -> None:
        done.append(table.unique_id)
        report_progress(f"measured {len(done):,} of {of}  {table.name}")

    report_progress(f"measuring {of}")
    measured = _measured(place, question, ready, started_at, on_done)
    tables, verdict = _expected(measured, ready.rules)
    quality = Quality(run=_run_of(place, question, ready.run, tables, started_at), tables=tables)
    earlier = _earlier(place, quality.run, ready.ids) if against is None else against
    report_progress("storing the measurements")
    quality = replace(quality, run=_stored(place, quality))
    notes = (*ready.notes, *missing, *_unfit(question, tables))
    return _judged(quality, earlier, question.fail_on, verdict, notes)


def _nothing(place: QualityLocation, question: QualityRequest, ready: _PreparedMeasurement) -> QualityResult:
    """Return the result of an empty selection. It is not stored: the latest measurement stays the same."""
    run = _run_of(place, question, ready.run, (), datetime.now(timezone.utc))
    notes = (*ready.notes, "No table to measure: nothing was measured or stored")
    return _judged(Quality(run=run, tables=()), {}, (), merged([]), notes)


def _measured(
    place: QualityLocation,
    question: QualityRequest,
    ready: _PreparedMeasurement,
    started_at: datetime,
    on_done: Callable[[TableQuality], None],
) -> list[TableQuality]:
    """Return the quality of each chosen table. If an error ends the measurement, the failure is stored."""
    try:
        return measure_tables(
            place.database,
            ready.wanted,
            question.settings,
            tests=ready.tests,
            threads=question.threads,
            deadline=question.deadline,
            on_done=on_done,
        )
    except (RecceMetaError, KeyboardInterrupt) as error:
        if question.keeps_failure:
            _keep_failure(error, place, _run_of(place, question, ready.run, (), started_at))
        raise


def _keep_failure(error: RecceMetaError | KeyboardInterrupt, place: QualityLocation, run: QualityRun) -> None:
    """Record that a measurement failed. If the store cannot be written either, *error* says so."""
    reason = error.message if isinstance(error, RecceMetaError) else "The measurement was interrupted"
    failed = replace(run, status=FAILED, reason=reason)
    try:
        write_quality(place.store, Quality(run=failed, tables=()))
    except RecceMetaError as another:
        if isinstance(error, RecceMetaError):
            error.hint = "; ".join(
                filter(None, [error.hint, f"the failed measurement was not stored: {another.message}"])
            )


def _stored(place: QualityLocation, quality: Quality) -> QualityRun:
    """Store *quality*, and return its run. A failed measurement is stored without its tables."""
    run = quality.run
    kept = replace(quality, tables=()) if run.status == FAILED else quality
    try:
        return write_quality(place.store, kept).run
    except RecceMetaError as error:
        if run.reason is not None:  # the store may be in the failed database, so show the cause as well
            error.hint = "; ".join(filter(None, [run.reason, error.hint]))
        raise


def quality_queries(
    place: QualityLocation, question: QualityRequest, tell: Tell | None = None
) -> list[Query]:
    """Return the queries of a measurement, except those that depend on data; measure and store nothing."""
    ready = _ready(place, question, tell or (lambda _: None), is_kept=False)
    return measuring_statements(place.database, ready.wanted, question.settings, tests=ready.tests)


def _ready(
    place: QualityLocation, question: QualityRequest, tell: Tell, *, is_kept: bool = True
) -> _PreparedMeasurement:
    run, is_new = _run(place, question, tell, is_kept=is_kept)
    subjects = RunTables(run)
    nodes = subjects.chosen(question.chosen, question.rules)
    ids = tuple(node.unique_id for node in nodes)
    rules = rules_by_table(question.rules, subjects, nodes, may_be_empty=question.chosen.may_be_empty)
    notes = (_scanned(run.run) if is_new else None, unused_selections(question.rules, rules))
    privacy = question.settings.privacy
    private = with_private_outputs(privacy, ids, columns_upstream([run], ids)) if privacy.keeps_values else {}
    return _PreparedMeasurement(
        run=run.run,
        wanted=tuple(
            table_request(node, rules.get(node.unique_id, ()), private.get(node.unique_id, privacy).columns)
            for node in nodes
        ),
        ids=ids,
        tests=tuple(subjects.tests_of(ids)),
        rules=rules,
        notes=tuple(note for note in notes if note),
    )


def _run(
    place: QualityLocation, question: QualityRequest, tell: Tell, *, is_kept: bool
) -> tuple[RunReader, bool]:
    """Return the run with the nodes to measure, and True if it is a new scan, recorded if *is_kept*."""
    selector = question.run
    if selector is not None and folder_of(selector) is not None:
        raise UsageError(
            "Quality requires a recorded run, got artifacts on disk",
            hint="run recce-meta record to store the artifacts",
        )
    if store_versions(place.store) is not None:
        with open_store(place.store) as opened:
            project = _project(opened, place)
            has_runs = project is not None and bool(read.find_runs(opened, project=project, most=1))
            if selector is not None or has_runs:
                found = find_single_run(opened, selector, project, question.defaults)
                return StoredRunReader(place.store, require_complete(found)), False
    elif selector is not None:
        raise SelectorError(
            f"Run '{selector}' not found: nothing has been recorded yet", hint="run recce-meta scan first"
        )
    tell("scanning")
    # These limit what is measured; the scan records whole schemas.
    scope = replace(question.chosen.scope, include=(), exclude=())
    if not is_kept:
        scope = without_store(scope, place.database, place.store)
        scanned = extract_database(place.database, scope=scope, project=place.project, tell=tell)
        return MemoryRunReader(scanned), True
    report = scan(
        place.database,
        # None makes the scan leave out the schema of the store.
        store=None if place.store is place.database else place.store,
        scope=scope,
        options=ScanOptions(project=place.project),
        tell=tell,
    )
    return StoredRunReader(place.store, report.run), True


def _project(store: StoreSession, place: QualityLocation) -> str | None:
    """Return the project to measure; None if no run belongs to a possible project."""
    if place.project is not None:
        return place.project
    there = [str(name) for (name,) in store.query("projects")]
    for name in place.likely:
        if name in there:
            return name
    return there[0] if len(there) == 1 and place.store is place.database else None


def _scanned(run: RunMetadata) -> str:
    return f"No recorded run of {run.project_name}: scanned first, as run {run.run_id[:8]}"


def _run_of(
    place: QualityLocation,
    question: QualityRequest,
    run: RunMetadata,
    tables: Sequence[TableQuality],
    started_at: datetime,
) -> QualityRun:
    target = place.database.target
    failed = [table for table in tables if table.reason is not None]
    reason = None
    if failed and len(failed) == len(tables):
        more = f" (and {len(failed) - 1:,} more)" if len(failed) > 1 else ""
        reason = f"No table could be measured: {failed[0].name}: {failed[0].reason}{more}"
    return QualityRun(
        quality_run_id=question.quality_run_id or uuid4().hex,
        run_id=run.run_id,
        project_name=run.project_name,
        environment=run.environment,
        started_at=started_at,
        finished_at=datetime.now(timezone.utc),
        target_name=target.name if target else None,
        sample=question.settings.sample,
        keeps_values=question.settings.privacy.keeps_values,
        table_count=len(tables),
        failed_count=len(failed),
        score=mean_score(tables),
        recorder_version=__version__,
        status=COMPLETE if reason is None else FAILED,
        reason=reason,
    )


def _expected(
    measured: Sequence[TableQuality], rules: Mapping[str, Sequence[TableRules]]
) -> tuple[tuple[TableQuality, ...], QualityVerdict]:
    """Return the tables with their expectations, sorted by unique id, and the verdict."""
    labels = table_labels(measured)
    found = [
        with_expectations(table, rules.get(table.unique_id, ()), labels[table.unique_id])
        for table in measured
    ]
    tables = sorted((table for table, _ in found), key=lambda table: table.unique_id)
    return tuple(tables), merged(verdict for _, verdict in found)


def merged(verdicts: Iterable[QualityVerdict]) -> QualityVerdict:
    """Combine *verdicts* into one."""
    several = list(verdicts)
    return QualityVerdict(
        tuple(violation for one in several for violation in one.violations),
        tuple(note for one in several for note in one.notes),
    )


def _against(
    place: QualityLocation, question: QualityRequest, ready: _PreparedMeasurement
) -> dict[str, EarlierQuality] | None:
    """Return the measurement named by `against`, of the measured tables; None if there is no `against`."""
    if question.against is None:
        return None
    project, ids = ready.run.project_name, ready.ids
    found = load_quality(place.store, question.against, project=project, unique_ids=ids, top_values=False)
    return _by_table(found)


def _missing(
    question: QualityRequest, ready: _PreparedMeasurement, against: Mapping[str, EarlierQuality]
) -> list[str]:
    """Return a note on measured tables that are not in the measurement named by `against`."""
    names = [one.relation.name for one in ready.wanted if isinstance(one.relation, NodeMetadata)]
    found = [name for name, unique_id in zip(names, ready.ids, strict=True) if unique_id not in against]
    if not found:
        return []
    rest = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
    return [f"--against {question.against} has no {found[0]}{rest}: not compared"]


def _unfit(question: QualityRequest, tables: Iterable[TableQuality]) -> list[str]:
    names = [column.name for table in tables for column in table.columns]
    return [f"--private {pattern} matches no column" for pattern in unused_patterns(question.private, names)]


def _by_table(quality: Quality) -> dict[str, EarlierQuality]:
    return {table.unique_id: EarlierQuality(run=quality.run, table=table) for table in quality.tables}


def _earlier(place: QualityLocation, run: QualityRun, ids: Iterable[str]) -> dict[str, EarlierQuality]:
    """Return the last measurement before *run*, in the same environment, of each of *ids*."""
    found: dict[str, EarlierQuality] = {}
    missing, before = set(ids), run
    for _ in range(MOST_EARLIER):
        if not missing:
            break
        quality = previous_quality(place.store, before, unique_ids=sorted(missing), top_values=False)
        if quality is None:
            break
        found |= _by_table(
            Quality(run=quality.run, tables=tuple(table for table in quality.tables if table.reason is None))
        )
        missing -= found.keys()
        before = quality.run
    return found


def _judged(
    quality: Quality,
    earlier: Mapping[str, EarlierQuality],
    fail_on: Sequence[FailOn],
    expected: QualityVerdict,
    notes: Sequence[str],
) -> QualityResult:
    changes = compare_quality(quality, earlier)
    conditions = FailOnConditions(quality, table_labels(quality.tables), earlier, changes)
    verdict = merged([expected, conditions.verdict(fail_on)])
    return QualityResult(
        quality=quality,
        changes=changes,
        violations=verdict.violations,
        notes=tuple(dict.fromkeys((*notes, *verdict.notes))),
    )


def show_quality(
    store: UnifiedSqlAdapter,
    selector: str,
    names: Sequence[str] = (),
    *,
    against: str | None = None,
    fail_on: Sequence[FailOn] = (),
    project: str | None = None,
) -> QualityResult:
    """Return a stored measurement, of the tables *names* or of all.

    It is compared with *against*, by default with the previous measurement of each table. *fail_on* are
    conditions that make the result fail. *store* connects to the store. *project* limits *selector* to one
    project. Raises SelectorError for an unknown measurement or table.
    """
    quality = load_quality(store, selector, project=project)
    if names:
        quality = replace(quality, tables=named_tables(quality.tables, names))
    place = QualityLocation(database=store, store=store)
    ids = [table.unique_id for table in quality.tables]
    if against is None:
        earlier = _earlier(place, quality.run, ids)
    else:
        earlier = _by_table(load_quality(store, against, project=quality.run.project_name, unique_ids=ids))
    labels = table_labels(quality.tables)
    kept = merged(stored_verdict(table, labels[table.unique_id]) for table in quality.tables)
    return _judged(quality, earlier, fail_on, kept, ())


_SHOWN = 5


def measured_project(place: QualityLocation) -> str | None:
    """Return the project named by the user, else the first likely one with measurements, else None."""
    if place.project:
        return place.project
    for name in place.likely:
        if list_quality_runs(place.store, project=name, limit=1):
            return name
    return None


def quality_history(
    store: UnifiedSqlAdapter,
    name: str,
    *,
    project: str | None = None,
    limit: int = 20,
) -> QualityHistory:
    """Return the last *limit* measurements of *name*: a table, or TABLE.COLUMN.

    *store* connects to the store. *project* limits the search to one project.

    Raises SelectorError if no table or column of that name was measured, or several tables have the name.
    """
    runs = list_quality_runs(store, project=project, limit=limit)
    known: dict[str, None] = {}
    for run in runs:
        # Only names are compared here, and top values are by far the most rows.
        tables = load_quality(store, run, top_values=False).tables
        unique_id, column = _meant(tables, name)
        if unique_id is not None:
            return _of(store, unique_id, column, name, project, limit)
        known |= dict.fromkeys(one for table in tables for one in names_of(table, table.name))
    raise SelectorError(
        f"No measurement of '{name}' found",
        hint=did_you_mean(name, list(known)) or "run recce-meta quality --history to list the measurements",
    )


def _of(
    store: UnifiedSqlAdapter, unique_id: str, column: str | None, name: str, project: str | None, limit: int
) -> QualityHistory:
    runs = list_quality_runs(store, project=project, unique_ids=[unique_id], limit=limit)
    points = []
    for run in runs:
        for table in load_quality(store, run, unique_ids=[unique_id]).tables:
            subject = table if column is None else column_of(table, column)
            if subject is not None:
                points.append(QualityPoint(run=run, subject=subject))
    return QualityHistory(name=name, points=tuple(points))


def _meant(tables: tuple[TableQuality, ...], name: str) -> tuple[str | None, str | None]:
    """Return the unique id of the table and the column that *name* means; None for each part not found."""
    whole = [table for table in tables if name in names_of(table, table.name)]
    if len(whole) > 1:
        ids = first_of([table.unique_id for table in whole], _SHOWN)
        raise SelectorError(f"'{name}' names {len(whole)} tables: {ids}", hint="use one of these unique ids")
    if whole:
        return whole[0].unique_id, None
    found = [
        (table.unique_id, column.name)
        for table in tables
        for column in table.columns
        # Both names may contain dots, so the text is compared as a whole.
        if any(name == f"{one}.{column.name}" for one in names_of(table, table.name))
    ]
    if len({unique_id for unique_id, _ in found}) > 1:
        raise SelectorError(
            f"'{name}' names columns of {len(found)} tables", hint="name the table by its unique id"
        )
    return found[0] if found else (None, None)
