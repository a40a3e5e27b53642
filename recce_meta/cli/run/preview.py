"""Implementation of `preview`: what edits of model files do to the data, before a build."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.preview import KIND, Preview
from recce_meta.api.diff import NOTHING_MORE, diff_of_pair, parse_fail_on, refuse_failing, unknown_terms
from recce_meta.api.edited_project import EditedProject, read_edited_project
from recce_meta.api.run_choice import select_edited, with_builds
from recce_meta.api.run_reader import PREFIX, MemoryRunReader, folder_of, open_run
from recce_meta.api.runs import RunPair
from recce_meta.cli.options import progress, report_size, warn, write
from recce_meta.cli.run.data import DataOptions, DataOutput, rendered_data, statements
from recce_meta.data_diff.options import ValueOptions
from recce_meta.errors import StoreNotFound, UsageError, first_of, plural
from recce_meta.extractors.artifact import find_artifact
from recce_meta.models.data_diff import COMPARE_REASON, AnyDataDiff, Failed, NotCompared
from recce_meta.models.run import RunChoice, RunMetadata, is_build
from recce_meta.profiles import find_project_dir, read_target_path
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
    downstream: bool,
    fail_on: tuple[str, ...],
) -> None:
    """Compare the SQL of edited nodes with that of base, over the relations of base, and report it.

    Raises ConditionFailed as --fail-on says, else UsageError if a node could not be previewed.
    """
    conditions = parse_fail_on(",".join(fail_on)) if fail_on else frozenset()
    root = find_project_dir(data.connection.project_dir)
    if root is None:
        raise UsageError("No dbt_project.yml in this folder or above", hint="pass --project-dir DIR")
    data = replace(data, base=data.base or artifacts_of(root))
    if data.no_values:
        options = replace(options, examples=0)
    found: list[EditedProject] = []
    with data.open(choose=partial(_chosen, data, root, found.append)) as session:
        assert session.runs is not None, "the runs were chosen"
        diff = diff_of_pair(session.runs.base, session.runs.current, NOTHING_MORE)
        preview = Preview(found[0], diff)
        ids = [*preview.changed, *(preview.readers if downstream or selection else ())]
        if selection or exclude:
            selected = session.runs.matching(selection, exclude)
            for text in unknown_terms(selection, found[0].base, found[0].current):
                warn(text)
            ids = [one for one in ids if one in selected]
        jobs = preview.jobs(ids, session, options) if ids else []
        if output.show_sql:
            write(statements(session.runner, jobs) if jobs else f"-- {NOTHING_EDITED}", output.output)
            return
        with progress("comparing"):
            private = {} if data.privacy is None else preview.privacy_of(ids, data.privacy)
            results = session.run_each(jobs, private) if jobs else []
        choice = session.choice if jobs else session.chosen
        base = session.runs.base.run
    assert choice is not None, "the runs were chosen"
    compiled = () if preview.changed or is_build(base) else (COMPILED,)
    choice = replace(choice, notes=(*choice.notes, *found[0].notes, *diff.notes, *compiled))
    if output.style == "table":
        facts = PreviewFacts(
            base=_base_text(base, choice, root),
            edited=[preview.node(one).resource_type for one in ids if one in preview.changed],
            is_edited=bool(preview.changed),
            notes=choice.notes,
            proven=preview.proven,
            readers=[preview.node(one).label for one in preview.readers if one not in ids],
        )
        text = preview_text(results, facts, details=output.details, **report_size(output.output))
    else:
        text = rendered_data(results, output, choice, KIND)
    write(text, output.output)
    refuse_failing(diff, conditions)
    _refuse_unknown(results)


def _chosen(
    data: DataOptions,
    root: Path,
    on_read: Callable[[EditedProject], None],
    store: Callable[[], UnifiedSqlAdapter],
) -> tuple[RunPair, RunChoice]:
    """Load the run of base, and as the other run the files edited since, which *on_read* receives."""
    name = data.connection.project_of(data.project, data.base)
    defaults = data.connection.run_defaults()
    try:
        chosen = select_edited(store, data.base, defaults=defaults, project=name)
    except StoreNotFound as error:
        if data.base is None:
            error.hint = f"build the project with dbt, which writes {read_target_path(root)}, or record a run"
        raise
    base = open_run(store, chosen.base.selector, project=name)
    is_on_disk = folder_of(data.base) is not None
    edited = read_edited_project(base.project, root, read_at=base.run.run_at if is_on_disk else None)
    on_read(edited)
    choice = with_builds(store, chosen.choice, base.run, base.run)
    return RunPair(MemoryRunReader(edited.base), MemoryRunReader(edited.current)), choice


def artifacts_of(root: Path) -> str | None:
    """Return the selector of the artifacts that dbt wrote last; None if there are none."""
    folder = read_target_path(root)
    return f"{PREFIX}{folder}" if find_artifact(folder, "manifest.json") is not None else None


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
