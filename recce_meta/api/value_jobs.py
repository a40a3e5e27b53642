"""Jobs that compare rows: by key, as whole rows, and of queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from recce_meta.adapter.statement import single_statement
from recce_meta.api.comparing_data import Job
from recce_meta.api.data_jobs import each
from recce_meta.api.places import Places
from recce_meta.api.run_pair import RunPair
from recce_meta.api.subjects import Sides
from recce_meta.api.templates import Templates
from recce_meta.diff.data.detail import value_diff_detail
from recce_meta.diff.data.keys import Key, NoKey, declared_keys
from recce_meta.diff.data.plan import Plan
from recce_meta.diff.data.query import query_diff
from recce_meta.diff.data.query_rows import LIMIT, query_rows
from recce_meta.diff.data.rows import rows_diff
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.diff.data.source import Pair
from recce_meta.diff.data.value import value_diff
from recce_meta.errors import UsageError
from recce_meta.models.data_diff import DataSide, NotCompared, RowsDiff, ValueDetail, ValueDiff

Result = TypeVar("Result", ValueDiff, ValueDetail)


def value_jobs(
    places: Places,
    runs: RunPair | None,
    chosen: Sequence[Sides],
    options: ValueOptions,
    *,
    detail: bool = False,
) -> list[Job]:
    """The values of each of *chosen*, by the key that *options* or the project names, else as whole rows."""
    diff, plan = ("value_diff_detail", details) if detail else ("value_diff", values)
    return [
        job
        for sides in chosen
        for keys in [_keys_of(runs, sides)]
        for job in each(diff, places, [sides], partial(plan, options=replace(options, candidates=keys)))
    ]


def limited_value_job(
    places: Places, runs: RunPair, sides: Sides, options: ValueOptions, too_large: str | None
) -> Job:
    """The values of *sides* by a key of the project, else as whole rows unless they are *too_large*.

    Across two targets, where keys are not compared yet, rows are compared whole.
    """
    keys = () if not places.is_joined else _keys_of(runs, sides)
    plan = partial(_limited, options=replace(options, candidates=keys), too_large=too_large)
    (job,) = each("value_diff", places, [sides], plan)
    return job


def _limited(
    pair: Pair, options: ValueOptions, too_large: str | None
) -> Plan[ValueDiff | RowsDiff | NotCompared]:
    if options.candidates:
        try:
            return (yield from value_diff(pair, options))
        except NoKey:
            pass
    if too_large is not None:
        return NotCompared(subject=pair.subject, diff="value_diff", reason=too_large)
    return (yield from rows_diff(pair, options))


def _keys_of(runs: RunPair | None, sides: Sides) -> tuple[Key, ...]:
    """Every key that the project declares for a node, in current or else in base."""
    if runs is None or sides.node is None:
        return ()
    run = runs.current if sides.node is sides.current else runs.base
    return declared_keys(sides.node, run.tests_of([sides.node.unique_id]))


def values(pair: Pair, options: ValueOptions) -> Plan[ValueDiff | RowsDiff]:
    """Values compared by key, or as whole rows where there is none."""
    return (yield from _keyed_or_whole(value_diff, pair, options))


def details(pair: Pair, options: ValueOptions) -> Plan[ValueDetail | RowsDiff]:
    """The rows that differ, by key, or as whole rows where there is none."""
    return (yield from _keyed_or_whole(value_diff_detail, pair, options))


def _keyed_or_whole(
    keyed: Callable[[Pair, ValueOptions], Plan[Result]], pair: Pair, options: ValueOptions
) -> Plan[Result | RowsDiff]:
    # In two targets keys are not compared yet, which is an error only where somebody names one.
    if pair.is_apart and options.key is None and not options.candidates:
        return (yield from rows_diff(pair, options))
    try:
        return (yield from keyed(pair, options))
    except NoKey:
        return (yield from rows_diff(pair, options))


def query_job(
    places: Places, templates: Templates, base_sql: str, current_sql: str, options: ValueOptions
) -> Job:
    """The results of two templates, each rendered for its side."""
    base_text, base_stale = templates.base_query(base_sql)
    current_text, current_stale = templates.current_query(current_sql)
    base = single_statement(base_text, places.base.name)
    current = single_statement(current_text, places.current.name)
    pair = places.queries(base, current)
    subject = replace(pair.subject, base_stale=base_stale, current_stale=current_stale)
    pair = replace(pair, subject=subject)
    return Job(
        "query_diff", pair.subject, partial(query_diff, pair, options, base_sql=base, current_sql=current)
    )


def model_query_job(
    places: Places, templates: Templates, model: Sides, sql: str, options: ValueOptions
) -> Job:
    """The rows of *model* as current has it, compared with those of a template on current.

    Raises UsageError where base is in another place, and where the model has no relation.
    """
    pair = model.pair(places)
    if pair.current is None:
        raise UsageError(f"{pair.subject.name} has no relation in current: there is nothing to compare")
    if not places.is_joined:
        raise UsageError("A model is compared with a query within one target", hint="leave out --base-target")
    rendered, stale = templates.current_query(sql)
    text = single_statement(rendered, places.current.name)
    queries = places.queries(text, text)
    of_model = f"{pair.subject.name}: {model.current_stale}" if model.current_stale else None
    told = "; ".join(dict.fromkeys(filter(None, (of_model, stale))))
    subject = replace(queries.subject, current_stale=told or None)
    pair = replace(queries, subject=subject, base=replace(pair.current, side=DataSide.BASE))
    shown = places.current.render(pair.sides[0].select("*"))
    return Job(
        "query_diff", pair.subject, partial(query_diff, pair, options, base_sql=shown, current_sql=text)
    )


def query_rows_job(
    places: Places, templates: Templates, sql: str, side: DataSide, *, limit: int = LIMIT
) -> Job:
    """The first *limit* rows of a template on one side."""
    is_base = side is DataSide.BASE
    dialect = places.base if is_base else places.current
    rendered, stale = templates.base_query(sql) if is_base else templates.current_query(sql)
    text = single_statement(rendered, dialect.name)
    pair = places.queries(text, text)
    source = pair.base if is_base else pair.current
    assert source is not None, "a pair of queries has both sides"
    sides = {"base_stale": stale} if is_base else {"current_stale": stale}
    subject = replace(pair.subject, **sides)
    return Job("query_diff", subject, partial(query_rows, source, subject, text, limit=limit))
