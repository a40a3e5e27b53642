"""`quality`: measures the tables of a recorded run, keeps what is found, and compares it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.measuring import EXACT, Wanted, measure_tables, measuring_statements
from recce_meta.api.on_disk import folder_of
from recce_meta.api.one_run import OneRun, StoredRun
from recce_meta.api.quality_subjects import Chosen, Subjects, not_looked_at, rules_by_table, wanted
from recce_meta.api.scanning import ScanOptions, scan
from recce_meta.diff.data.plan import Query
from recce_meta.diff.data.quality import Settings
from recce_meta.diff.data.quality_privacy import unfit
from recce_meta.diff.data.quality_score import mean_score
from recce_meta.diff.quality_change import Earlier, compare_quality, table_labels
from recce_meta.diff.quality_expectations import kept_verdict, with_expectations
from recce_meta.diff.quality_fail_on import FailOnConditions, named_tables
from recce_meta.diff.quality_result import QualityResult
from recce_meta.diff.quality_verdict import Verdict
from recce_meta.errors import RecceMetaError, SelectorError, UsageError
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.quality import Quality, QualityRun, TableQuality
from recce_meta.models.quality_rules import FailOn, QualityRules, TableRules
from recce_meta.models.run import COMPLETE, FAILED
from recce_meta.store import read
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store, refuse_newer, store_versions
from recce_meta.store.quality import load_quality, previous_quality, write_quality
from recce_meta.store.select import complete, find_run

LATEST = "latest"
MOST_EARLIER = 20
"""Measurements that are looked through for one that has a table: tables are measured at different times."""

Tell = Callable[[str], None]


class Place(Struct, frozen=True, kw_only=True):
    """Where the data is, and where the store."""

    database: UnifiedSqlAdapter
    store: UnifiedSqlAdapter
    schema: str = DEFAULT_SCHEMA
    """Of the store."""
    project: str | None = None
    """The project that is named."""
    likely: tuple[str, ...] = ()
    """Projects that may be meant where none is named: the first with a run is. Where none has one, it is the
    only one of a store that is kept in the database itself."""


class Question(Struct, frozen=True, kw_only=True):
    """What is measured, and what is expected of it."""

    chosen: Chosen = Chosen()
    run: str | None = None
    """Selector of the run whose nodes are measured; None: the latest, and a new scan where there is none."""
    settings: Settings = EXACT
    rules: QualityRules | None = None
    private: tuple[str, ...] = ()
    """Those patterns of *settings* that are meant to fit a column: a note tells of one that fits none."""
    fail_on: tuple[FailOn, ...] = ()
    against: str | None = None
    """Selector of the measurement to compare with; None: of each table the one before."""
    threads: int | None = None
    deadline: float | None = None
    """A reading of `time.monotonic`."""


def measure_quality(
    database: UnifiedSqlAdapter,
    names: Sequence[str] = (),
    *,
    select: Sequence[str] = (),
    run: str | None = None,
    project: str | None = None,
    store: UnifiedSqlAdapter | None = None,
    schema: str = DEFAULT_SCHEMA,
    settings: Settings = EXACT,
    rules: QualityRules | None = None,
    fail_on: Sequence[FailOn] = (),
) -> QualityResult:
    """Measure tables of the latest run of *project*, or of *run*, and keep what is found in the store.

    *names* are nodes by name, `schema.table` or unique id, *select* is in dbt's selection grammar; without
    either, all tables are measured. Without a recorded run, *database* is scanned first. The store is in
    *database* unless *store* is given. Raises SelectorError for what names nothing.
    """
    place = Place(
        database=database,
        store=store or database,
        schema=schema,
        project=project,
        likely=(database.name,),
    )
    chosen = Chosen(names=tuple(names), selection=tuple(select))
    return answer(
        place,
        Question(chosen=chosen, run=run, settings=settings, rules=rules, fail_on=tuple(fail_on)),
    )


class _Ready(Struct, frozen=True, kw_only=True):
    """What is known before anything is measured."""

    run: RunMetadata
    wanted: tuple[Wanted, ...]
    ids: tuple[str, ...]
    tests: tuple[NodeMetadata, ...]
    rules: Mapping[str, Sequence[TableRules]]
    notes: tuple[str, ...]


def answer(place: Place, question: Question, tell: Tell | None = None) -> QualityResult:
    """Measure what *question* chooses; *tell* is called with what is being done.

    If the measurement as a whole fails, it is stored as failed with the reason. Raises SelectorError and
    ConfigurationError for what names nothing, before anything is measured.
    """
    told = tell or (lambda _: None)
    refuse_newer(place.store, place.schema)
    ready = _ready(place, question, told)
    if not ready.ids:
        return _nothing(place, question, ready)
    against = _against(place, question, ready)
    missing = () if against is None else _missing(question, ready, against)
    started_at = datetime.now(timezone.utc)
    of = f"{len(ready.ids):,} table{'' if len(ready.ids) == 1 else 's'}"
    done: list[str] = []

    def on_done(table: TableQuality) -> None:
        done.append(table.unique_id)
        told(f"measured {len(done):,} of {of}  {table.name}")

    told(f"measuring {of}")
    measured = _measured(place, question, ready, started_at, on_done)
    tables, verdict = _expected(measured, ready.rules)
    quality = Quality(run=_run_of(place, question, ready.run, tables, started_at), tables=tables)
    earlier = _earlier(place, quality.run, ready.ids) if against is None else against
    told("keeping what was found")
    quality = replace(quality, run=_stored(place, quality))
    notes = (*ready.notes, *missing, *_unfit(question, tables))
    return _judged(quality, earlier, question.fail_on, verdict, notes)


def _nothing(place: Place, question: Question, ready: _Ready) -> QualityResult:
    """Return the result of an empty selection. It is not stored: the latest measurement stays what it was."""
    run = _run_of(place, question, ready.run, (), datetime.now(timezone.utc))
    notes = (*ready.notes, "No table is chosen: nothing was measured and nothing was stored")
    return _judged(Quality(run=run, tables=()), {}, (), merged([]), notes)


def _measured(
    place: Place,
    question: Question,
    ready: _Ready,
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
        _keep_failure(error, place, _run_of(place, question, ready.run, (), started_at))
        raise


def _keep_failure(error: RecceMetaError | KeyboardInterrupt, place: Place, run: QualityRun) -> None:
    """Record that a measurement failed. If the store cannot be written either, *error* says so."""
    reason = error.message if isinstance(error, RecceMetaError) else "The measurement was interrupted"
    failed = replace(run, status=FAILED, reason=reason)
    try:
        write_quality(place.store, Quality(run=failed, tables=()), schema=place.schema)
    except RecceMetaError as another:
        if isinstance(error, RecceMetaError):
            error.hint = "; ".join(
                filter(None, [error.hint, f"the failed measurement was not stored: {another.message}"])
            )


def _stored(place: Place, quality: Quality) -> QualityRun:
    """Store *quality*, and return its run. A failed measurement is stored without its tables."""
    run = quality.run
    kept = replace(quality, tables=()) if run.status == FAILED else quality
    try:
        return write_quality(place.store, kept, schema=place.schema).run
    except RecceMetaError as error:
        if run.reason is not None:  # the store may be in the database that failed: show the cause, too
            error.hint = "; ".join(filter(None, [run.reason, error.hint]))
        raise


def statements(place: Place, question: Question, tell: Tell | None = None) -> list[Query]:
    """What measuring would ask, as far as that does not depend on data; nothing is measured, nor kept."""
    ready = _ready(place, question, tell or (lambda _: None))
    return measuring_statements(place.database, ready.wanted, question.settings, tests=ready.tests)


def _ready(place: Place, question: Question, tell: Tell) -> _Ready:
    run, is_new = _run(place, question, tell)
    subjects = Subjects(run)
    nodes = subjects.chosen(question.chosen, question.rules)
    ids = tuple(node.unique_id for node in nodes)
    rules = rules_by_table(question.rules, subjects, nodes)
    notes = (_scanned(run.run) if is_new else None, not_looked_at(question.rules, rules))
    return _Ready(
        run=run.run,
        wanted=tuple(wanted(node, rules.get(node.unique_id, ())) for node in nodes),
        ids=ids,
        tests=tuple(subjects.tests_of(ids)),
        rules=rules,
        notes=tuple(note for note in notes if note),
    )


def _run(place: Place, question: Question, tell: Tell) -> tuple[OneRun, bool]:
    """The run whose nodes are measured, and whether it was made for that."""
    selector = question.run
    if selector is not None and folder_of(selector) is not None:
        raise UsageError(
            "Quality is kept with a recorded run, and not with artifacts on disk",
            hint="recce-meta record writes them to the store",
        )
    if store_versions(place.store, place.schema) is not None:
        with open_store(place.store, place.schema) as opened:
            project = _project(opened, place)
            has_runs = project is not None and bool(read.find_runs(opened, project=project, most=1))
            if selector is not None or has_runs:
                found = find_run(opened, selector or LATEST, project)
                return StoredRun(place.store, complete(found), place.schema), False
    elif selector is not None:
        raise SelectorError(
            f"No run '{selector}': nothing was recorded yet", hint="recce-meta scan records one"
        )
    tell("scanning")
    report = scan(
        place.database,
        store=None if place.store is place.database else place.store,
        scope=replace(question.chosen.scope, include=(), exclude=()),
        options=ScanOptions(project=place.project),
        schema=place.schema,
        tell=tell,
    )
    return StoredRun(place.store, report.run, place.schema), True


def _project(store: StoreSession, place: Place) -> str | None:
    """The project that is meant; None where none has runs that could be meant."""
    if place.project is not None:
        return place.project
    there = [str(name) for (name,) in store.query("projects")]
    for name in place.likely:
        if name in there:
            return name
    return there[0] if len(there) == 1 and place.store is place.database else None


def _scanned(run: RunMetadata) -> str:
    return f"Nothing was recorded of {run.project_name} yet: scanned first, as run {run.run_id[:8]}"


def _run_of(
    place: Place,
    question: Question,
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
        quality_run_id=uuid4().hex,
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
) -> tuple[tuple[TableQuality, ...], Verdict]:
    """The tables with what is expected of them, by unique id."""
    labels = table_labels(measured)
    found = [
        with_expectations(table, rules.get(table.unique_id, ()), labels[table.unique_id])
        for table in measured
    ]
    tables = sorted((table for table, _ in found), key=lambda table: table.unique_id)
    return tuple(tables), merged(verdict for _, verdict in found)


def merged(verdicts: Iterable[Verdict]) -> Verdict:
    """All of *verdicts* in one."""
    several = list(verdicts)
    return Verdict(
        tuple(violation for one in several for violation in one.violations),
        tuple(note for one in several for note in one.notes),
    )


def _against(place: Place, question: Question, ready: _Ready) -> dict[str, Earlier] | None:
    """The measurement that is named, of the tables that are measured; None where none is."""
    if question.against is None:
        return None
    project, ids = ready.run.project_name, ready.ids
    found = load_quality(
        place.store,
        question.against,
        project=project,
        unique_ids=ids,
        top_values=False,
        schema=place.schema,
    )
    return _by_table(found)


def _missing(question: Question, ready: _Ready, against: Mapping[str, Earlier]) -> list[str]:
    """What the measurement that is named has no tables of, in a note."""
    names = [one.relation.name for one in ready.wanted if isinstance(one.relation, NodeMetadata)]
    found = [name for name, unique_id in zip(names, ready.ids, strict=True) if unique_id not in against]
    if not found:
        return []
    rest = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
    return [f"--against {question.against} has no {found[0]}{rest}: compared with nothing"]


def _unfit(question: Question, tables: Iterable[TableQuality]) -> list[str]:
    names = [column.name for table in tables for column in table.columns]
    return [f"--private {pattern} fits no column" for pattern in unfit(question.private, names)]


def _by_table(quality: Quality) -> dict[str, Earlier]:
    return {table.unique_id: Earlier(run=quality.run, table=table) for table in quality.tables}


def _earlier(place: Place, run: QualityRun, ids: Iterable[str]) -> dict[str, Earlier]:
    """Each of *ids* as it was last measured before *run* in its environment."""
    found: dict[str, Earlier] = {}
    missing, before = set(ids), run
    for _ in range(MOST_EARLIER):
        if not missing:
            break
        quality = previous_quality(
            place.store, before, unique_ids=sorted(missing), top_values=False, schema=place.schema
        )
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
    earlier: Mapping[str, Earlier],
    fail_on: Sequence[FailOn],
    expected: Verdict,
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
    schema: str = DEFAULT_SCHEMA,
) -> QualityResult:
    """A kept measurement, of the tables *names* or of all, compared with *against*, or as it was then.

    Raises SelectorError where there is no such measurement, or no such table in it.
    """
    quality = load_quality(store, selector, project=project, schema=schema)
    if names:
        quality = replace(quality, tables=named_tables(quality.tables, names))
    place = Place(database=store, store=store, schema=schema)
    ids = [table.unique_id for table in quality.tables]
    if against is None:
        earlier = _earlier(place, quality.run, ids)
    else:
        earlier = _by_table(
            load_quality(store, against, project=quality.run.project_name, unique_ids=ids, schema=schema)
        )
    labels = table_labels(quality.tables)
    kept = merged(kept_verdict(table, labels[table.unique_id]) for table in quality.tables)
    return _judged(quality, earlier, fail_on, kept, ())
