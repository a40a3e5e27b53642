"""Tools that run queries in the warehouse, which only read: data diffs of a node, and rows of a query."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import wraps
from math import isfinite
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.read_only import require_condition, require_query
from recce_meta.adapter.statements import single_statement
from recce_meta.api.comparison import Comparison
from recce_meta.api.data.jobs import explaining, pairs_changed_by, row_count_job
from recce_meta.api.data.node_settings import NOT_EXPLAINED
from recce_meta.api.data.option_texts import read_options
from recce_meta.api.data.places import data_places, open_reader, open_sides
from recce_meta.api.data.requests import DataDiffRequest, refuse_request
from recce_meta.api.render import Template, render
from recce_meta.api.run_choice import with_builds
from recce_meta.api.run_reader import StoredRunReader, folder_of
from recce_meta.api.runs import RunPair
from recce_meta.data_diff.row_sample import RowSample
from recce_meta.errors import UsageError, plural
from recce_meta.mcp.answers import answer, cut, first_few, short_notes
from recce_meta.mcp.calls import cancellable
from recce_meta.mcp.questions import Questions
from recce_meta.models.data_diff import AnyDataDiff, ValueDiff
from recce_meta.models.diff_kinds import KINDS, PREVIEW, ROW_COUNT, SCHEMA, Door, OptionType
from recce_meta.models.run import WORKING_TREE, RunChoice
from recce_meta.profiles import find_project_dir
from recce_meta.quality.masking import NO_VALUES, REASON
from recce_meta.report.data.verdicts import explanations, verdict
from recce_meta.report.json import data_tree
from recce_meta.report.run_choice import base_phrase, choice_notes
from recce_meta.report.terminal import shorten
from recce_meta.tables.gaps import SAME_RELATION, gaps

AGENT_KINDS = tuple(name for name, kind in KINDS.items() if not kind.reason(Door.AGENTS))
AGENT_OPTIONS = {one.name: one for name in AGENT_KINDS for one in KINDS[name].at(Door.AGENTS)}
_EMPTY: Mapping[OptionType, Any] = {OptionType.WHOLE: 0, OptionType.FLAG: False}
"""Argument that is left out; a string by default."""
_LISTS = ("counts", "columns", "rows", "values")
"""Fields of a result with its rows, whichever it has."""
_FIGURES = ("key", "key_source", "common", "added", "removed", "changed")
"""Figures of a result that stand above its rows."""
PREVIEW_SECONDS = 60.0
_ONE_RELATION = (
    "the relation has only rows of its last build: describe lists row counts of earlier runs; "
    "to compare rows, keep a copy in another schema"
)

_MOST_ROWS, _MOST_COLUMNS, _NAME, _FEW = 100, 40, 60, 5


class _Compared(NamedTuple):
    """Result of a comparison, with its node, its runs in words, and how they were chosen."""

    node: str
    result: AnyDataDiff
    choice: RunChoice
    base: str
    current: str


class DataTools:
    """Tools that read data."""

    def __init__(self, questions: Questions) -> None:
        """Create the tools that ask *questions*."""
        self._questions = questions

    def compare_data(
        self,
        node: str = "",
        kind: str = ROW_COUNT.name,
        base: str = "",
        current: str = "",
        limit: int = 0,
        cursor: str = "",
        **options: Any,
    ) -> str:
        """Compare the data of a node in two runs, with queries in the warehouse: start with row_count, which
        without a node counts all that are changed or affected.

        value matches rows by key (columns separated by commas; by default the declared key) and counts the
        rows that differ for each column; detail lists them. profile compares statistics. base and current are
        those of what_changed. where: a condition in SQL. k: number of top values; bins: of a histogram.
        why: search conditions that the rows that differ meet, and others do not. preview compares the edited
        files of the project with base, before a build; with compare=schema only their columns and types.
        """
        questions, settings = self._questions, self._questions.settings
        if not node and kind == PREVIEW.name:
            raise UsageError("preview needs a node", hint="what_changed of the working tree lists them")
        if KINDS[kind].shows_values and not settings.shows_values:
            raise UsageError(
                f"{kind} shows values, and this server was started without --allow-values",
                hint="use row_count, value or profile, which give counts",
            )
        given = read_options(AGENT_OPTIONS, options)
        with ExitStack() as opened:
            if kind == PREVIEW.name:
                found = self._previewed(node, base, current, given, opened)
            else:
                request = DataDiffRequest(kind=KINDS[kind], base=base, current=current, node=node, **given)
                found = self._compared(request, opened)
        outcome, text = verdict(found.result)
        tree = data_tree(found.result)
        name, rows = _rows_of(tree)
        missing = [*choice_notes(found.choice), *self._gaps(found.result)]
        head = {
            "node": found.node,
            "outcome": outcome.value,
            "verdict": text,
            "base": found.base,
            "current": found.current,
            "not_compared": short_notes(missing),
            "next": _ONE_RELATION if any(SAME_RELATION in one for one in missing) else None,
            "note": questions.store.note,
            "notes": short_notes([one for one in _notes(found.result) if one not in missing]),
            "why": [": ".join(one) for one in explanations(found.result)]
            if isinstance(found.result, ValueDiff)
            else [NOT_EXPLAINED] * (NOT_EXPLAINED in _notes(found.result)),
            "value_columns": _value_columns(tree),
            **{field: tree[field] for field in _FIGURES if tree.get(field) is not None},
        }
        return answer(head, name, rows, limit=limit, cursor=cursor)

    def _compared(self, request: DataDiffRequest, opened: ExitStack) -> _Compared:
        """Return the result of *request*, whose runs and node have names of the agent.

        *opened* closes connections.
        """
        questions = self._questions
        store = opened.enter_context(questions.store.reading())
        chosen = questions.pair(store, request.base, request.current, of_data=True)
        before, after = chosen.base.run, chosen.current.run
        assert before is not None and after is not None
        choice = with_builds(lambda: store, chosen.choice, before, after)
        runs = RunPair(StoredRunReader(store, before), StoredRunReader(store, after))
        comparison = self._comparison(lambda: store, runs, choice, opened)
        if not request.node:
            if request.kind is not ROW_COUNT:
                raise UsageError(f"{request.kind.name} needs a node", hint="row_count can count all")
            diff = questions.report(store, before.run_id, after.run_id).diff
            pairs = pairs_changed_by(diff, runs, questions.settings.config.nodes)
            if not pairs:
                raise UsageError("No node with rows is changed or affected", hint="name a node")
            (counts,) = comparison.run([row_count_job(comparison.runner.places, pairs)])
            named = plural(len(pairs), "changed or affected node")
            return _Compared(named, counts, comparison.choice or choice, before.run_id, after.run_id)
        (node,) = runs.named([request.node])
        request = replace(request, base=before.run_id, current=after.run_id, node=node)
        result = comparison.answer(comparison.planned(request).plan())
        assert not isinstance(result, RowSample)
        return _Compared(node, result, comparison.choice or choice, before.run_id, after.run_id)

    def _previewed(
        self, name: str, base: str, current: str, given: Mapping[str, Any], opened: ExitStack
    ) -> _Compared:
        """Return the preview of the node *name* of the working tree, with the options *given*.

        *opened* closes connections.
        """
        if current:
            raise UsageError("A preview has no current: it is the working tree", hint="leave current out")
        questions, settings = self._questions, self._questions.settings

        def store() -> UnifiedSqlAdapter:
            return opened.enter_context(questions.store.reading())

        edits = questions.edits(store, base)
        preview = edits.preview()
        (node,) = edits.runs.named([name])
        request = DataDiffRequest(kind=PREVIEW, base=base, current="", node=node, **given)
        refuse_request(request, settings.privacy)
        known = preview.chosen(edits.runs, (), (), downstream=True)
        if node not in known:
            listed = ", ".join(first_few(known, _FEW))
            raise UsageError(
                f"{node} is not edited, and no edit affects it",
                hint=f"nodes that edits change or affect: {listed}" if known else "no edit changes a node",
            )
        comparison = self._comparison(store, edits.runs, edits.choice, opened)
        if request.where:
            require_condition(request.where, comparison.current.warehouse)
        options = request.options
        if not settings.shows_values:
            options = replace(options, examples=0)
        elif request.why:
            options = replace(options, why=explaining(settings.privacy))
        jobs = preview.jobs([node], comparison, None if request.compare == SCHEMA else options)
        (result,) = preview.results(jobs, comparison)
        choice = comparison.choice or edits.choice
        notes = (*choice.notes, *edits.edited.notes, *preview.diff.notes)
        choice = replace(choice, notes=notes)
        folder = folder_of(choice.base.selector)
        of_base = base_phrase(choice.base) if folder is None else f"artifacts in {folder.name}/"
        return _Compared(node, result, choice, of_base, WORKING_TREE)

    def _comparison(
        self, store: Callable[[], UnifiedSqlAdapter], runs: RunPair, choice: RunChoice, opened: ExitStack
    ) -> Comparison:
        """Return the comparison of *runs*, which ends if the call is cancelled; *opened* closes it."""
        settings = self._questions.settings
        data, of_base = self._opened(runs, opened)
        comparison = Comparison(
            store=store,
            current=data,
            base=of_base,
            runs=runs,
            chosen=choice,
            globs=settings.config.nodes,
            privacy=settings.privacy,
        )
        opened.enter_context(comparison)
        opened.enter_context(cancellable(comparison.runner.cancel))
        return comparison

    def _gaps(self, result: AnyDataDiff) -> list[str]:
        """Return why parts of *result* were not compared."""
        reasons = [gap.reason for gap in gaps([result])]
        privacy = self._questions.settings.privacy
        if privacy is None or privacy.keeps_values:
            return reasons
        # Every column is private without a permission for values, which one sentence says.
        others = [reason for reason in reasons if REASON not in reason]
        withheld = f"{NO_VALUES}: {privacy.cause}; counts were compared"
        return others if len(others) == len(reasons) else [*others, withheld]

    def preview(self, sql: str, run: str = "", limit: int = 10, cursor: str = "") -> str:
        """Run one SELECT in the warehouse, with ref() and source() of a run, and return its first rows."""
        questions, settings = self._questions, self._questions.settings
        # SQL could rename a private column, and an error of a database can quote its values.
        if settings.privacy is not None:
            raise UsageError("A query could show values that are withheld", hint="use compare_data")
        if not 0 < limit <= _MOST_ROWS:
            raise UsageError(f"Invalid limit: {limit}", hint=f"1 to {_MOST_ROWS}")
        with ExitStack() as opened:
            store = opened.enter_context(questions.store.reading())
            found = questions.run(store, run)
            template = Template(sql=sql, project_dir=find_project_dir(settings.project_dir))
            rendered = render(lambda: store, found, template)
            data, _ = self._opened(None, opened)
            opened.enter_context(cancellable(data.cancel))
            text = single_statement(rendered.sql, data.warehouse.dialect)
            require_query(text, data.warehouse, is_guarded=True)
            with data.stream(text, batch_rows=limit, timeout=PREVIEW_SECONDS) as stream:
                names = list(stream.columns)
                rows = next(iter(stream), [])
        head = {
            "columns": [cut(name, _NAME) for name in names[:_MOST_COLUMNS]],
            "column_count": len(names),
            "rows_shown": f"the first {len(rows)}",
            "notes": short_notes(rendered.warnings),
            "note": questions.store.note,
        }
        # A list: two columns may have one name.
        shown = [{"row": [_cell(value) for value in row[:_MOST_COLUMNS]]} for row in rows]
        return answer(head, "rows", shown, limit=limit, cursor=cursor)

    def _opened(
        self, runs: RunPair | None, opened: ExitStack
    ) -> tuple[UnifiedSqlAdapter, UnifiedSqlAdapter | None]:
        """Return the adapters of the data of current and base; *opened* closes them."""
        settings = self._questions.settings
        targets = {name: one.target for name, one in settings.config.environments.items()}

        def target(place: str) -> UnifiedSqlAdapter:
            assert settings.connect_data is not None
            return open_reader(opened, settings.connect_data(place))

        def store() -> UnifiedSqlAdapter:
            return opened.enter_context(self._questions.store.data())

        places = data_places(runs, settings.data_target, settings.base_target, targets.get)
        return open_sides(places, store, target)


def compare_data(tools: DataTools) -> Callable[..., str]:
    """Return the tool `compare_data` of *tools*, with the kinds and options that are declared for agents."""

    @wraps(tools.compare_data)
    def call(**arguments: Any) -> str:
        return tools.compare_data(**arguments)

    signature = inspect.signature(tools.compare_data)
    given = {name: one for name, one in signature.parameters.items() if name != "options"}
    given["kind"] = given["kind"].replace(annotation=Literal[AGENT_KINDS])
    more = [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=empty, annotation=type(empty))
        for one in AGENT_OPTIONS.values()
        for empty in (_EMPTY.get(one.type, ""),)
    ]
    order = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in given.values()]
    vars(call)["__signature__"] = signature.replace(parameters=[*order[:4], *more, *order[4:]])
    return call


def _rows_of(tree: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return the name of the rows of a result, and the rows: those that differ first, as an answer is cut."""
    name = next((name for name in _LISTS if _has_rows(tree.get(name))), "")
    rows = sorted(tree.get(name, ()), key=lambda row: not _differs(row))
    return name, [_compact(row) for row in rows]


def _notes(result: AnyDataDiff) -> tuple[str, ...]:
    return tuple(one for one in getattr(result, "notes", ()) if not one.startswith(NO_VALUES))


def _value_columns(tree: Mapping[str, Any]) -> list[str]:
    """Return the names of the values of rows, which are lists; empty for other rows."""
    names = tree.get("columns")
    is_of_rows = isinstance(names, list) and not _has_rows(names) and bool(tree.get("rows"))
    return first_few([str(cut(name, _NAME)) for name in names or ()], _MOST_COLUMNS) if is_of_rows else []


def _has_rows(listed: object) -> bool:
    """Return True for a list of rows; a comparison of whole rows also lists the names of its columns."""
    return isinstance(listed, list) and bool(listed) and isinstance(listed[0], Mapping)


def _differs(row: Mapping[str, Any]) -> bool:
    """Return True if the *row* of a result, such as a column, has a difference."""
    return bool(row.get("mismatched")) or row.get("base") != row.get("current")


def _compact(value: Any) -> Any:
    """Return *value* without empty fields and flags that are not set, which take half of a row."""
    if isinstance(value, Mapping):
        # That every value is withheld stands above the rows.
        return {
            name: _compact(one)
            for name, one in value.items()
            if one not in (None, REASON) and one is not False
        }
    return value


def _cell(value: Any) -> Any:
    is_number = isinstance(value, (int, bool)) or (isinstance(value, float) and isfinite(value))
    return value if value is None or is_number else shorten(str(value), _NAME)
