"""Implementation of `preview`: what edits of model files do to the data, before a build."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.jobs import explaining
from recce_meta.api.data.preview import KIND, OF_COLUMNS, Edits, artifacts_of, project_root, read_edits
from recce_meta.api.data.requests import refuse_rows
from recce_meta.api.diff import parse_fail_on, refuse_failing, unknown_terms
from recce_meta.api.run_reader import folder_of
from recce_meta.api.runs import RunPair
from recce_meta.cli.options import progress, report_size, warn, write
from recce_meta.cli.run.data import DataOptions, DataOutput, rendered_data, statements
from recce_meta.data_diff.options import ValueOptions
from recce_meta.errors import UsageError, first_of, plural
from recce_meta.models.data_diff import COMPARE_REASON, AnyDataDiff, Failed, NotCompared
from recce_meta.models.diff_kinds import SCHEMA
from recce_meta.models.run import RunChoice, RunMetadata, is_build
from recce_meta.report.data.preview import NOTHING_EDITED, PreviewFacts, preview_text
from recce_meta.report.run_choice import base_phrase

_NAMED = 5
COMPILED = "If dbt compiled the edit, it is part of base: name the run before it with --base"


def preview(
    data: DataOptions,
    output: DataOutput,
    options: ValueOptions,
    selection: tuple[str, ...],
    exclude: tuple[str, ...],
    compare: str | None,
    downstream: bool,
    explains: bool,
    fail_on: tuple[str, ...],
) -> None:
    """Compare the SQL of edited nodes with that of base, over the relations of base, and report it.

    Raises ConditionFailed as --fail-on says, else UsageError if a node could not be previewed.
    """
    conditions = parse_fail_on(",".join(fail_on)) if fail_on else frozenset()
    if compare == SCHEMA:
        refuse_rows(options, options.key, explains)
    root = project_root(data.connection.project_dir)
    data = replace(data, base=data.base or artifacts_of(root))
    if data.no_values:
        options = replace(options, examples=0)
    if explains:
        data.refuse_without_values("preview --why", "remove --why")
    found: list[Edits] = []
    with data.open(choose=partial(_chosen, data, root, found.append)) as session:
        options = replace(options, why=explaining(session.privacy)) if explains else options
        edited, preview = found[0].edited, found[0].preview()
        diff = preview.diff
        for text in unknown_terms(selection, edited.base, edited.current) if selection else ():
            warn(text)
        ids = preview.chosen(found[0].runs, selection, exclude, downstream=downstream)
        jobs = preview.jobs(ids, session, None if compare == SCHEMA else options) if ids else []
        if output.show_sql:
            write(statements(session.runner, jobs) if jobs else f"-- {NOTHING_EDITED}", output.output)
            return
        with progress("comparing"):
            results = preview.results(jobs, session) if jobs else []
        choice = session.choice if jobs else session.chosen
    base = found[0].runs.base.run
    assert choice is not None, "the runs were chosen"
    compiled = () if preview.changed or is_build(base) else (COMPILED,)
    choice = replace(choice, notes=(*choice.notes, *edited.notes, *diff.notes, *compiled))
    if output.style == "table":
        facts = PreviewFacts(
            base=_base_text(base, choice, root),
            edited=[preview.node(one).resource_type for one in ids if one in preview.changed],
            is_edited=bool(preview.changed),
            notes=choice.notes,
            proven=preview.fixed,
            readers=[preview.node(one).label for one in preview.readers if one not in ids],
        )
        text = preview_text(results, facts, details=output.details, **report_size(output.output))
    else:
        text = rendered_data(results, output, choice, OF_COLUMNS if compare == SCHEMA else KIND)
    write(text, output.output)
    refuse_failing(diff, conditions)
    _refuse_unknown(results)


def _chosen(
    data: DataOptions,
    root: Path,
    on_read: Callable[[Edits], None],
    store: Callable[[], UnifiedSqlAdapter],
) -> tuple[RunPair, RunChoice]:
    """Load the run of base, and as the other run the files edited since; *on_read* receives both."""
    found = read_edits(
        store,
        data.base,
        root,
        defaults=data.connection.run_defaults(),
        project=data.connection.project_of(data.project, data.base),
    )
    on_read(found)
    return found.runs, found.choice


def _base_text(run: RunMetadata, choice: RunChoice, root: Path) -> str:
    """Return `target/ (built today 10:31, target dev)`, or the run of a store with the reason for it."""
    folder = folder_of(choice.base.selector)
    if folder is None:
        return base_phrase(choice.base)
    folder = folder.resolve()
    name = folder.relative_to(root.resolve()) if folder.is_relative_to(root.resolve()) else folder
    at, now = run.run_at.astimezone(), datetime.now().astimezone()
    day = "today" if at.date() == now.date() else f"{at:%Y-%m-%d}"
    verb = "built" if is_build(run) else "written"
    target = f", target {run.target_name}" if run.target_name else ""
    return f"{name}/ ({verb} {day} {at:%H:%M}{target})"


def _refuse_unknown(results: Sequence[AnyDataDiff]) -> None:
    """Raise UsageError if a node of *results* could not be previewed, unless its settings exclude it."""
    names = [
        one.subject.name
        for one in results
        if isinstance(one, Failed)
        or (isinstance(one, NotCompared) and not one.reason.startswith(COMPARE_REASON))
    ]
    if names:
        listed = first_of(names, _NAMED)
        raise UsageError(f"{len(names)} of {plural(len(results), 'node')} not previewed: {listed}")
