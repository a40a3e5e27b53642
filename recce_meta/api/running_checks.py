"""Runs the checks of a file: which diff each asks for, of what."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from recce_meta.api.comparing import Question, nothing_selected, whole_diff
from recce_meta.api.comparing_data import Comparison, Job
from recce_meta.api.data_jobs import each, row_count_job
from recce_meta.api.inspecting import find_node
from recce_meta.api.one_run import ReadRun
from recce_meta.api.places import Places
from recce_meta.api.run_pair import RunPair
from recce_meta.api.statistics import BUILT
from recce_meta.api.subjects import Sides, node_sides
from recce_meta.api.templates import Templates
from recce_meta.api.value_jobs import model_query_job, query_job, query_rows_job, value_jobs
from recce_meta.diff.data.histogram import histogram_diff
from recce_meta.diff.data.keys import unquoted
from recce_meta.diff.data.plan import Plan
from recce_meta.diff.data.profile import profile_diff
from recce_meta.diff.data.schema import schema_diff
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.diff.data.source import Pair
from recce_meta.diff.data.top_k import top_k_diff
from recce_meta.errors import SelectorError
from recce_meta.models.check_params import (
    CheckParams,
    HistogramParams,
    NodesParams,
    ProfileParams,
    QueryDiffParams,
    QueryParams,
    SimpleParams,
    TopKParams,
    ValueDiffParams,
)
from recce_meta.models.check_result import CheckAnswer, DataCheck
from recce_meta.models.data_diff import AnyDataDiff, DataSide

CHANGED_MODELS = "1+state:modified+"
"""What recce shows with `view_mode: changed_models`."""
RESULT_ROWS = 2000
"""Rows of a query's result, and rows that differ between two: as many as recce shows."""


class CheckRunner:
    """Answers checks with the data that *comparison* reaches, of the nodes of *runs*."""

    def __init__(self, comparison: Comparison, runs: RunPair, templates: Templates) -> None:
        self._comparison, self._templates = comparison, templates
        # One reading of everything is quicker than one for each check.
        self._runs = RunPair(ReadRun(runs.base.project), ReadRun(runs.current.project))

    def __call__(self, check: DataCheck) -> CheckAnswer | Sequence[CheckAnswer]:
        """The answer to *check*, or several where it names several nodes. Raises RecceMetaError."""
        if check.type == "lineage_diff":
            assert isinstance(check.params, NodesParams)
            for name in (*check.params.names, *check.params.ids) if check.expect is not None else ():
                find_node(name, self._runs.names)
            question = self._question(check.params, may_select_nothing=check.expect is None)
            return whole_diff(self._runs.base.project, self._runs.current.project, question)
        jobs = self._jobs(check.type, check.params, may_miss=check.expect is None)
        return [self._comparison.run(jobs[0].plan())] if len(jobs) == 1 else self._comparison.run_all(jobs)

    def _jobs(self, kind: str, params: CheckParams, *, may_miss: bool) -> list[Job]:
        """What answers a check; with *may_miss*, so does a reason for each name that no node has."""
        places = self._comparison.places
        if isinstance(params, NodesParams):
            chosen = self._chosen(
                params, may_miss=may_miss or kind == "schema_diff", may_select_nothing=may_miss
            )
            if kind == "schema_diff":  # an ephemeral model has no relation
                if params.names or params.ids:
                    chosen = [_without_relation(sides, places) for sides in chosen]
                there = [sides for sides in chosen if sides.pair(places).sides]
                unknown = [_refused(kind, sides, places) for sides in chosen if sides.reason]
                return [*each(kind, places, there, schema_diff), *unknown]
            if kind == "row_count":
                chosen = [sides.of_current() for sides in chosen]
            return [row_count_job(places, chosen)]
        if isinstance(params, QueryParams):
            side = DataSide.BASE if kind == "query_base" else DataSide.CURRENT
            return [query_rows_job(places, self._templates, params.sql_template, side, limit=RESULT_ROWS)]
        if isinstance(params, QueryDiffParams):
            options = ValueOptions(key=bare(params.primary_keys) or None, limit=RESULT_ROWS)
            if params.current_model is not None:
                model = self._of_model(params.current_model).of_current()
                return [model_query_job(places, self._templates, model, params.sql_template, options)]
            base = params.base_sql_template or params.sql_template
            return [query_job(places, self._templates, base, params.sql_template, options)]
        assert not isinstance(params, SimpleParams), "a check without anything to run is never run"
        sides = self._of_model(params.model)
        if isinstance(params, ValueDiffParams):
            is_detail = kind == "value_diff_detail"
            return value_jobs(places, self._runs, [sides], _options(params), detail=is_detail)
        if kind == "profile":
            sides = sides.of_current()
        return each(kind, places, [sides], partial(_plan, params))

    def _of_model(self, name: str) -> Sides:
        (sides,) = node_sides(self._runs, self._runs.named([name]))
        return sides

    def _chosen(self, params: NodesParams, *, may_miss: bool, may_select_nothing: bool) -> list[Sides]:
        """Return the nodes that *params* names; if it names none, all that a run builds.

        As in recce, a selection without packages is restricted to the project's own, and `changed_models`
        restricts it to what changed, its parents and all downstream nodes. Raises SelectorError if the
        selection names no node, unless it asks for a state or *may_select_nothing*.
        """
        if params.names or params.ids:
            found: dict[str, Sides] = {}
            for name in (*params.names, *params.ids):
                try:
                    (unique_id,) = self._runs.named([name])
                except SelectorError as error:
                    if not may_miss:
                        raise
                    found[name] = Sides(None, None, name, error.message)
                else:
                    (found[unique_id],) = node_sides(self._runs, [unique_id])
            return list(found.values())
        exclude = [params.exclude] if params.exclude else []
        ids = self._runs.selected([params.select or "*"], exclude)
        if not ids and params.select and not may_select_nothing:
            question = self._question(params, may_select_nothing=False)
            nothing_selected(question, self._runs.base.project, self._runs.current.project)
        if params.view_mode == "changed_models":
            changed = set(self._runs.selected([CHANGED_MODELS]))
            ids = [unique_id for unique_id in ids if unique_id in changed]
        nodes, packages = self._runs.names, self._packages(params)
        wanted = [
            unique_id
            for unique_id in ids
            if nodes[unique_id].resource_type in BUILT
            and (not packages or nodes[unique_id].package_name in packages)
        ]
        return node_sides(self._runs, wanted)

    def _packages(self, params: NodesParams) -> tuple[str, ...]:
        """Return the packages whose nodes are selected; none for all.

        Nodes of a scan have no package, and all of them are selected.
        """
        if params.packages is not None:
            return params.packages
        own = self._runs.current.project.run.project_name
        return (own,) if any(node.package_name == own for node in self._runs.names.values()) else ()

    def _question(self, params: NodesParams, *, may_select_nothing: bool) -> Question:
        names = (*params.names, *params.ids)
        parts = names or tuple((params.select or "").split())
        packages = () if names else self._packages(params)
        if packages:
            parts = tuple(f"{part},package:{package}" for part in parts or ("*",) for package in packages)
        exclude = (params.exclude,) if params.exclude else ()
        return Question(parts, exclude, finds_removed=True, may_select_nothing=may_select_nothing)


def bare(names: Sequence[str]) -> tuple[str, ...]:
    """*names* of columns without quotes around them, which recce's users have to write at times."""
    return tuple(unquoted(name.strip()) for name in names)


def _without_relation(sides: Sides, places: Places) -> Sides:
    """Return *sides* with a reason if neither side has a relation."""
    if sides.reason or sides.pair(places).sides:
        return sides
    name = sides.name or (sides.node.name if sides.node else None)
    return Sides(None, None, name, f"{name} has no relation on either side")


def _refused(kind: str, sides: Sides, places: Places) -> Job:
    """What fails in the place of a node that there is none of."""

    def plan() -> Plan[AnyDataDiff]:
        raise SelectorError(sides.reason or "")

    return Job(kind, sides.pair(places).subject, plan)


def _plan(params: ProfileParams | TopKParams | HistogramParams, pair: Pair) -> Plan[AnyDataDiff]:
    if isinstance(params, TopKParams):
        return top_k_diff(pair, bare(params.columns), k=params.k)
    if isinstance(params, HistogramParams):
        return histogram_diff(pair, bare(params.columns), num_bins=params.num_bins)
    return profile_diff(pair, bare(params.columns))


def _options(params: ValueDiffParams) -> ValueOptions:
    return ValueOptions(
        key=bare(params.primary_key) or None,
        columns=bare(params.columns),
        exclude_columns=bare(params.exclude_columns),
        where=params.where,
        sample=params.sample,
        limit=params.limit,
        absolute=params.tolerance or 0.0,
        relative=params.relative_tolerance or 0.0,
        timestamp_precision=params.timestamp_precision,
        ignore_case=params.ignore_case,
        ignore_trailing_blanks=params.ignore_trailing_blanks,
    )
