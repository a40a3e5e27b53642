"""`quality`: how good the data of tables is, now and over time."""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.cli.database_options import Database, OpenDatabase, looking_at_database
from recce_meta.cli.options import MOST, OUTPUT, format_option, say, screen, together, write
from recce_meta.cli.progress import progress
from recce_meta.errors import ConditionFailed, RecceMetaError, UsageError, quoted

if TYPE_CHECKING:
    from recce_meta.api.quality import Place, Question
    from recce_meta.diff.data.quality import Settings
    from recce_meta.diff.quality_result import QualityResult
    from recce_meta.models.quality import Sample
    from recce_meta.models.quality_rules import QualityRules

DEFAULT_FILES = ("quality.yml", "quality.yaml")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*%")


def sampling(text: str) -> tuple[float | None, int | None]:
    """`10%` as `(10.0, None)`, `10000` rows as `(None, 10000)`."""
    if found := _PERCENT.fullmatch(text.strip()):
        return float(found[1]), None
    if text.strip().isdecimal() and 0 < int(text) <= MOST:
        return None, int(text)
    raise click.BadParameter(
        f"{quoted(text)} is neither a share such as 10% nor a number of rows such as 10000"
    )


class Asked(Struct, frozen=True, kw_only=True):
    """What the options ask for, beside where."""

    nodes: tuple[str, ...]
    selection: tuple[str, ...]
    selector: str | None
    project: str | None
    sample: tuple[float | None, int | None] | None
    seed: int
    top_k: int
    no_values: bool
    private: tuple[str, ...]
    metrics: Path | None
    fail_on: tuple[str, ...]
    allow_empty: bool
    against: str | None
    threads: int | None
    budget: float | None
    show_sql: bool
    shown: str | None
    history: bool
    limit: int
    output: Path | None
    style: str


_choosing: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.option("-s", "--select", "selection", multiple=True, help="Nodes in dbt's grammar: tag:nightly+ ."),
    click.option(
        "--run", "selector", help="Selector of the run whose nodes are measured. [default: the latest]"
    ),
    click.option(
        "--project", help="Project of the run. [default: dbt_project.yml's, else the name of the database]"
    ),
)
_measuring: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.option(
        "--sample",
        type=sampling,
        metavar="10%|ROWS",
        help="Look at a share of rows, or at a number of them.",
    ),
    click.option("--seed", type=click.IntRange(0, MOST), default=0, show_default=True, help="Of the sample."),
    click.option(
        "--top-k",
        type=click.IntRange(0, 1000),
        default=10,
        show_default=True,
        help="How many of the most frequent values to list.",
    ),
    click.option(
        "--no-values", is_flag=True, help="Neither fetch nor keep values: counts, shares and lengths."
    ),
    click.option(
        "--private",
        multiple=True,
        metavar="WORDS",
        help="Columns whose values are never fetched, beside those that are by name: 'surname', '*note', "
        "'!token count' for an exception.",
    ),
    click.option(
        "--metrics",
        type=click.Path(dir_okay=False, path_type=Path),
        help="File of metrics and expectations. [default: quality.yml, where there is one]",
    ),
    click.option(
        "--threads", type=click.IntRange(min=1), help="Statements at once. [default: the profile's]"
    ),
    click.option(
        "--budget",
        type=click.FloatRange(min=0, min_open=True),
        help="Seconds after which queries are stopped; what was measured by then is kept.",
    ),
    click.option("--sql", "show_sql", is_flag=True, help="Print the statements instead of running them."),
)
_judging: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.option(
        "--fail-on",
        multiple=True,
        metavar="CONDITION",
        help="Fail, with exit code 1, where it is met: 'null_share > 10%', "
        "'film.rating: null_share > +5%', regression.",
    ),
    click.option(
        "--allow-empty",
        is_flag=True,
        help="Accept a selection that names no table, which is otherwise an error.",
    ),
    click.option(
        "--against",
        metavar="MEASUREMENT",
        help="Compare with this one. [default: of each table the one before]",
    ),
)
_kept: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.option(
        "--show", "shown", metavar="MEASUREMENT", help="Show a kept measurement: latest, latest~1, an id."
    ),
    click.option("--history", is_flag=True, help="List kept measurements; of the one table or column named."),
    click.option(
        "-n", "--limit", type=click.IntRange(1, MOST), default=20, show_default=True, help="Of --history."
    ),
    click.option("-o", "--output", type=OUTPUT, help="Write to a file."),
)


@click.command()
@looking_at_database
@click.argument("nodes", nargs=-1)
@_choosing
@_measuring
@_judging
@_kept
@format_option("table", "json", "markdown")
def quality(database: Database, **given: Any) -> None:
    """Measure the quality of tables, keep it, and tell what changed.

    NODES are names, schema.table, or unique ids of the latest run's nodes; without any, and without --select,
    a dbt run's models, seeds and snapshots, or a scan's tables and materialized views. Where nothing was
    recorded yet, the database is scanned first.

    Conditions are FIGURE OPERATOR VALUE. A VALUE with a sign is the change since the measurement before: +5%
    of a share are percentage points, of anything else per cent of what it was. Figures: row_count,
    column_count, score, null_count, null_share, blank_count, distinct_count, distinct_share, min, max, mean,
    median, true_count, min_length, max_length, avg_length, and metrics of the file. regression is a score
    that fell, and what is not measured, or does not hold, any more.

    MEASUREMENT is an id or its beginning, latest, an environment, before:2026-11-01, or one of these with ~N.
    """
    asked = Asked(**given)
    _refuse_together(asked)
    if asked.history:
        _history(database, asked)
    elif asked.shown is not None:
        _show(database, asked)
    else:
        _measure(database, asked)


def _refuse_together(asked: Asked) -> None:
    """Raise UsageError for options that say nothing beside --show or --history."""
    if asked.shown is not None and asked.history:
        raise UsageError("--show and --history are two questions", hint="ask one of them")
    kept = "--history" if asked.history else "--show" if asked.shown is not None else None
    if kept is None:
        return
    measuring = {
        "--select": asked.selection,
        "--run": asked.selector,
        "--sample": asked.sample,
        "--no-values": asked.no_values,
        "--private": asked.private,
        "--budget": asked.budget,
        "--sql": asked.show_sql,
        "--allow-empty": asked.allow_empty,
        "--fail-on": asked.history and asked.fail_on,
        "--against": asked.history and asked.against,
    }
    wrong = [option for option, value in measuring.items() if value]
    if wrong:
        raise UsageError(f"{kept} is of what was measured before: {', '.join(wrong)} has no meaning there")


def _measure(database: Database, asked: Asked) -> None:
    from recce_meta.api.quality import answer, statements
    from recce_meta.models.quality_conditions import read_fail_on

    file = asked.metrics or _file_here()
    rules = _rules(file)
    fail_on = read_fail_on(asked.fail_on, _metric_names(rules))
    with ExitStack() as stack:
        opened = stack.enter_context(database.open())
        place = _place(database, opened, asked)
        question = _question(opened, asked, rules, fail_on)
        with _frozen(), progress("measuring") as tell:
            if asked.show_sql:
                queries = statements(place, question, tell)
            else:
                result = answer(place, question, tell)
    if asked.show_sql:
        write("\n".join(f"-- {query.about}\n{query.sql};\n" for query in queries), asked.output)
        return
    if file is not None and asked.metrics is None:
        result = replace(result, notes=(f"Metrics and expectations are those of {file}", *result.notes))
    _tell(result, asked)


@contextmanager
def _frozen() -> Iterator[None]:
    """Within the block, what is loaded is not looked through for garbage, which many statements make."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _show(database: Database, asked: Asked) -> None:
    from recce_meta.api.quality import show_quality
    from recce_meta.api.quality_history import project_measured
    from recce_meta.models.quality_conditions import read_fail_on

    names = _metric_names(_rules(asked.metrics or _file_here())) if asked.fail_on else []
    fail_on = read_fail_on(asked.fail_on, names)
    with database.open() as opened:
        likely = _place(database, opened, asked).likely
        result = show_quality(
            opened.store,
            asked.shown or "latest",
            asked.nodes,
            against=asked.against,
            fail_on=fail_on,
            project=asked.project or project_measured(opened.store, likely, opened.schema),
            schema=opened.schema,
        )
    _tell(result, asked)


def _history(database: Database, asked: Asked) -> None:
    from recce_meta import report
    from recce_meta.api.quality_history import project_measured, quality_history
    from recce_meta.store.quality import list_quality_runs

    if len(asked.nodes) > 1:
        raise UsageError("--history is of one table or column", hint="name one, or none for all measurements")
    size: dict[str, Any] = screen() if asked.output is None else {"width": 0, "color": False}
    with database.open() as opened:
        if asked.nodes:
            likely = _place(database, opened, asked).likely
            found = quality_history(
                opened.store,
                asked.nodes[0],
                project=asked.project or project_measured(opened.store, likely, opened.schema),
                limit=asked.limit,
                schema=opened.schema,
            )
            text = (
                report.quality_history_json(found)
                if asked.style == "json"
                else report.quality_history_markdown(found)
                if asked.style == "markdown"
                else report.quality_history_text(found, **size)
            )
        else:
            runs = list_quality_runs(
                opened.store,
                project=asked.project,
                limit=asked.limit,
                with_failed=True,
                schema=opened.schema,
            )
            text = (
                report.quality_runs_json(runs)
                if asked.style == "json"
                else report.quality_runs_markdown(runs)
                if asked.style == "markdown"
                else report.quality_runs_text(runs, **size)
            )
    write(text, asked.output)


def _place(database: Database, opened: OpenDatabase, asked: Asked) -> Place:
    from recce_meta.api.quality import Place
    from recce_meta.profiles import find_project_dir, read_project_name

    folder = find_project_dir(database.connection.project_dir)
    own = read_project_name(folder) if folder is not None else None
    likely = (own, opened.database.name)
    return Place(
        database=opened.database,
        store=opened.store,
        schema=opened.schema,
        project=asked.project,
        likely=tuple(name for name in likely if name),
    )


def _question(opened: OpenDatabase, asked: Asked, rules: QualityRules | None, fail_on: Any) -> Question:
    from recce_meta.api.quality import Question
    from recce_meta.api.quality_subjects import Chosen
    from recce_meta.diff.data.quality_privacy import read_patterns

    return Question(
        chosen=Chosen(
            names=asked.nodes,
            selection=asked.selection,
            exclude=opened.scope.exclude,
            scope=opened.scope,
            may_be_empty=asked.allow_empty,
        ),
        run=asked.selector,
        settings=_settings(asked, rules),
        rules=rules,
        private=read_patterns(asked.private),
        fail_on=fail_on,
        against=asked.against,
        threads=asked.threads,
        deadline=None if asked.budget is None else time.monotonic() + asked.budget,
    )


def _settings(asked: Asked, rules: QualityRules | None) -> Settings:
    from recce_meta.diff.data.quality import Settings
    from recce_meta.diff.data.quality_privacy import DEFAULT_PATTERNS, Privacy, read_patterns

    patterns = (*DEFAULT_PATTERNS, *read_patterns((*(rules.private if rules else ()), *asked.private)))
    return Settings(
        sample=_sample(asked),
        privacy=Privacy(keeps_values=not asked.no_values, patterns=patterns),
        top=asked.top_k,
    )


def _sample(asked: Asked) -> Sample | None:
    from recce_meta.models.quality import Sample

    if asked.sample is None:
        return None
    percent, rows = asked.sample
    return Sample(percent=percent, rows=rows, seed=asked.seed)


def _file_here() -> Path | None:
    """The file of metrics of the current folder."""
    return next((path for path in map(Path, DEFAULT_FILES) if path.is_file()), None)


def _rules(file: Path | None) -> QualityRules | None:
    from recce_meta.extractors.quality_file import read_quality_file

    return None if file is None else read_quality_file(file)


def _metric_names(rules: QualityRules | None) -> list[str]:
    tables = rules.tables if rules else ()
    of_tables = [metric.name for table in tables for metric in table.metrics]
    columns = [column for table in tables for column in table.columns]
    return of_tables + [metric.name for column in columns for metric in column.metrics]


def _tell(result: QualityResult, asked: Asked) -> None:
    """Print what was found; exits with 1 where something fails it, with 3 where a table was not measured."""
    from recce_meta import report
    from recce_meta.diff.quality_verdict import failed_text

    if asked.style == "json":
        text = report.quality_json(result)
    elif asked.style == "markdown":
        text = report.quality_markdown(result)
    else:
        text = report.quality_text(
            result, **(screen() if asked.output is None else {"width": 0, "color": False})
        )
    write(text, asked.output)
    if asked.style != "table" or asked.output is not None:
        for note in result.notes:
            say(f"note: {note}")
    if result.violations:
        if asked.style != "table" or asked.output is not None:
            for violation in result.violations:
                say(violation.message)
        raise ConditionFailed(failed_text(result.violations))
    failed = sum(table.reason is not None for table in result.quality.tables)
    if failed and asked.shown is None:
        raise RecceMetaError(f"{failed:,} of {len(result.quality.tables):,} tables could not be measured")
