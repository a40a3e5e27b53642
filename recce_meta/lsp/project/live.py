"""Analysis of an edited model: its rendered SQL, its columns, and what it breaks.

The text in the editor and the text it is compared with are rendered by the same renderer, with the same
macros: a difference between renderers never shows as a change. What could not be rendered or analysed on
both sides is not compared, and says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, partial

from msgspec.structs import replace

from recce_meta.api.change_effects import Effects
from recce_meta.api.project_queries import ParentColumns, ProjectQueries
from recce_meta.diff.breaking import SQL_BUILT, run_diff
from recce_meta.diff.changes import compare
from recce_meta.diff.project_side import ProjectSide
from recce_meta.errors import plural
from recce_meta.graph import build_lineage_graph, is_ephemeral, parents_first
from recce_meta.lsp.project.edited_run import EditedRun
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.project.live_project import (
    NO_OTHERS,
    SECONDS,
    Effect,
    LiveModel,
    LiveProject,
    Others,
    RemovedColumn,
    project_of,
)
from recce_meta.lsp.project.rendering import OWN_READERS
from recce_meta.models import LineageEdge, NodeMetadata, code_hash
from recce_meta.models.change import CERTAIN, Category, SqlChange
from recce_meta.models.lineage import (
    ColumnOutput,
    FailingNode,
    Kind,
    NodeColumns,
    Stop,
)
from recce_meta.sql_diff import Fault
from recce_meta.sql_lineage.project.jobs import Failure, attempt

__all__ = [
    "NO_OTHERS",
    "Effect",
    "LiveModel",
    "Others",
    "RemovedColumn",
    "effect_on_base",
    "live_model",
    "removed_columns",
]

_UNCHANGED = (Kind.PASSTHROUGH, Kind.RENAMED)


def live_model(index: ProjectIndex, node: NodeMetadata, text: str, others: Others = NO_OTHERS) -> LiveModel:
    """Render and analyse *text* as the code of *node*. Never raises: the reason is in the result.

    The columns of *others* replace the recorded ones of these models.
    """
    project = project_of(index)
    found = attempt(lambda: project.model(node, text, others))
    if isinstance(found, Failure):
        return LiveModel(unique_id=node.unique_id, text=text, reason=found.reason)
    refused = attempt(lambda: _refused(project, node, found, others))
    return replace(found, refused=refused) if isinstance(refused, Fault) else found


def _refused(project: LiveProject, node: NodeMetadata, live: LiveModel, others: Others) -> Fault | None:
    """Return the fault of *live* that the recorded text has not, as a diff finds it; only DuckDB is asked.

    None if a model above was edited since, unless its edit is one of *others*.
    """
    unique_id, renderer = live.unique_id, project.renderer
    recorded = renderer.nodes([unique_id]).get(unique_id)
    saved = project.saved(node) if recorded is not None and project.index.dialect == "duckdb" else None
    if recorded is None or saved is None or saved.sql is None or live.sql is None or node.is_ephemeral:
        return None
    above = project.index.graph.upstream([unique_id, *live.parents])
    known = renderer.nodes(above)
    edited = {unique_id: live, **{one: others[one] for one in above & others.keys() if one in known}}
    if saved.sql == live.sql or any(one.sql is None for one in edited.values()):
        return None
    if any(_is_stale(project, known[one]) for one in known.keys() - edited.keys()):
        return None
    graph = build_lineage_graph(
        [],
        [
            *(LineageEdge(one, parent) for one in above for parent in project.index.graph.parents(one)),
            *(LineageEdge(unique_id, parent) for parent in live.parents),
        ],
    )
    sides, runs = [], []
    for texts in ({unique_id: saved}, edited):
        nodes = {
            one: replace(known[one], raw_code=each.text, compiled_code=each.sql, parents=each.parents)
            for one, each in texts.items()
        }
        analyse = _ChangedColumns(project, live, others, nodes).columns if texts is edited else _of_none
        runs.append(EditedRun(project.index.reader, renderer, project.index.lock, graph, nodes, analyse))
        coded = {one: replace(each, compiled_code=runs[-1].code(one)) for one, each in nodes.items()}
        sides.append(ProjectSide(coded, renderer.macros, project.index.run, tokenised=True))
    both = runs[0], runs[1]
    columns = ParentColumns(both, graph, edited)
    return ProjectQueries((sides[0], sides[1]), both, columns, graph, edited).new_fault(unique_id)


def _of_none(unique_id: str) -> None:
    return None


def _is_stale(project: LiveProject, node: NodeMetadata) -> bool:
    """Return True if the file of a model differs from its recorded text."""
    if node.resource_type not in SQL_BUILT or node.package_name != project.index.run.project_name:
        return False
    try:
        text = (project.index.root / node.path).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return True
    return (node.raw_code or "").strip() != text.strip()


NO_REFERENCES = "References not checked: the run was recorded without them"
INLINED = "References not checked: the model is ephemeral, so its SQL is part of its readers"


def removed_columns(
    index: ProjectIndex, node: NodeMetadata, live: LiveModel, others: Others = NO_OTHERS
) -> tuple[RemovedColumn, ...]:
    """Return the columns that *live* lacks, compared with the recorded model, and the nodes that fail.

    Empty unless all columns of both are known. A node that no longer refers to a column in its text of
    *others* is not one of those that fail.
    """
    found = attempt(lambda: tuple(_removed(project_of(index), node, live, others)))
    return () if isinstance(found, Failure) else found


def _removed(
    project: LiveProject, node: NodeMetadata, live: LiveModel, others: Others
) -> Iterator[RemovedColumn]:
    recorded = project.index.columns(node.unique_id)
    if live.names is None or live.columns is None or not recorded.are_all:
        return
    now = {project.folded(name) for name in live.names}
    # A column that only a catalog or our renderer finds may be out of date, or be named by the warehouse.
    lost = [name for name in recorded.types if project.folded(name) not in now]
    if not lost:
        return
    saved = project.saved(node)
    if saved.names is None or saved.columns is None:
        return
    before = {project.folded(output.name): output for output in saved.columns.outputs}
    # Readers cannot switch to a column without an alias: its name is generated.
    named = [one for one in live.columns.outputs if not _GENERATED.search(one.name)]
    added = [output for output in named if project.folded(output.name) not in before]
    renamed = _renamed([before[key] for name in lost if (key := project.folded(name)) in before], added)
    for name in lost:
        output = before.get(project.folded(name))
        if output is not None:
            yield _removed_column(project, node, name, renamed.get(output.name), others)


def _removed_column(
    project: LiveProject, node: NodeMetadata, name: str, renamed_to: str | None, others: Others
) -> RemovedColumn:
    if node.is_ephemeral:
        return RemovedColumn(name=name, fails=(), renamed_to=renamed_to, unchecked=INLINED)
    if not project.index.reader.has_references:
        return RemovedColumn(name=name, fails=(), renamed_to=renamed_to, unchecked=NO_REFERENCES)
    found = list(_with_edits(project, node, name, project.failing(node.unique_id, name), others))
    fails = tuple(one for one in found if one.confidence >= CERTAIN)
    untraced = [one for one in project.index.untraced_readers(node.unique_id) if one.unique_id not in others]
    unclear = [f"{plural(len(untraced), 'node')} not traced"] if untraced else []
    unclear += [f"{plural(len(found) - len(fails), 'node')} uncertain"] if len(fails) < len(found) else []
    unchecked = f"{', '.join(unclear)} may fail too" if unclear else None
    return RemovedColumn(name=name, fails=fails, renamed_to=renamed_to, unchecked=unchecked)


def _with_edits(
    project: LiveProject,
    node: NodeMetadata,
    column: str,
    fails: Iterable[FailingNode],
    others: Others,
) -> Iterator[FailingNode]:
    """Yield the nodes that fail with the texts of *others*; *fails* are those of the recorded texts."""
    recorded = {failing.unique_id: failing for failing in fails}
    for unique_id, edited in others.items():
        places = recorded[unique_id].references if unique_id in recorded else ()
        named = _references(project, edited, {node.unique_id, *(stop.unique_id for stop in places)})
        if named is None or unique_id == node.unique_id:
            continue
        wanted = {(stop.unique_id, project.folded(stop.column or "")) for stop in places}
        if recorded.get(unique_id) is not None:
            if not wanted & named:
                del recorded[unique_id]
        elif (node.unique_id, project.folded(column)) in named:
            known = project.index.names.get(unique_id)
            stops = (Stop(node.unique_id, column), Stop(unique_id))
            recorded[unique_id] = FailingNode(
                unique_id=unique_id,
                name=known.label if known else unique_id,
                resource_type=known.resource_type if known else "model",
                distance=1,
                confidence=1.0,
                path=stops,
                references=stops[:1],
            )
    yield from sorted(recorded.values(), key=lambda failing: (failing.distance, failing.unique_id))


def _references(project: LiveProject, edited: LiveModel, parents: set[str]) -> set[tuple[str, str]] | None:
    """Return the columns that an edited text refers to; None if unknown or none is of *parents*.

    The parents have their recorded columns, because a removed column has no parent among those that are left.
    """
    known = project.index.names.get(edited.unique_id)
    if edited.sql is None or edited.columns is None:
        return None
    if not parents.intersection(edited.parents):
        return set()
    node = known or NodeMetadata(unique_id=edited.unique_id, name=edited.unique_id, resource_type="model")
    written = replace(node, compiled_code=edited.sql, parents=edited.parents)
    columns = project.analysed(written, {}, SECONDS)
    if isinstance(columns, Failure):
        return None
    return {(source.parent, project.folded(source.column)) for source in columns.references}


def _renamed(lost: list[ColumnOutput], added: list[ColumnOutput]) -> dict[str, str]:
    """Return the new name of each lost output whose expression exactly one new output has."""
    found: dict[str, str] = {}
    for output in lost:
        same = [other.name for other in added if _is_same(output, other)]
        rivals = [other for other in lost if _is_same(output, other)]
        if len(same) == len(rivals) == 1:
            found[output.name] = same[0]
    return found


def _is_same(one: ColumnOutput, other: ColumnOutput) -> bool:
    if {(source.parent, source.column) for source in one.sources} != {
        (source.parent, source.column) for source in other.sources
    }:
        return False
    if one.kind in _UNCHANGED or other.kind in _UNCHANGED:
        return one.kind in _UNCHANGED and other.kind in _UNCHANGED and bool(one.sources)
    return one.kind is other.kind and one.expression == other.expression is not None


EDITED_CONFIG = "config() is edited; its effect is compared when the file is saved"
OTHER_CONFIG = "config() differs, and only one side was read from dbt's manifest"
MANY_READERS = "the model is ephemeral, and more than {} nodes inline it"
MOST_AGAIN = 40
"""Readers of new or removed columns that are analysed again; further ones keep their recorded columns."""
MOST_INLINED = 20
"""Readers of an ephemeral model that are rendered and compared."""
_GENERATED = re.compile(r"^column \d+$|\(")
"""Names of columns without an alias."""
_CONFIG = re.compile(r"\bconfig\s*\((?:[^()]|\([^()]*\))*\)")


def effect_on_base(
    index: ProjectIndex, node: NodeMetadata, live: LiveModel, others: Others = NO_OTHERS
) -> Effect | None:
    """Return the change of *live* against the run `index.base`, as a diff shows it; None without that run.

    A model that base does not have is an addition. The category is `unknown`, with the reason, if either side
    could not be rendered. None for nodes without rows, such as tests.
    """
    if index.base is None or node.resource_type not in SQL_BUILT:
        return None
    found = attempt(lambda: _effect(project_of(index), node, live, others))
    effect = _unknown(found.reason) if isinstance(found, Failure) else found
    return replace(effect, text=live.text)


def _unknown(reason: str | None) -> Effect:
    return Effect(change=SqlChange(category=Category.UNKNOWN, reasons=(reason or "not analysed",)))


def _effect(project: LiveProject, node: NodeMetadata, live: LiveModel, others: Others) -> Effect:
    renderer, unique_id = project.base_renderer, node.unique_id
    if renderer is None or project.index.base is None or live.sql is None:
        return _unknown(live.reason)
    recorded = project.renderer.nodes([unique_id]).get(unique_id)
    if recorded is not None and _configs(recorded.raw_code or "") != _configs(live.text):
        return _unknown(EDITED_CONFIG)
    after = replace(
        recorded or node,
        raw_code=live.text,
        compiled_code=live.sql,
        code_hash=code_hash(live.text),
        parents=live.parents,
    )
    before = renderer.nodes([unique_id]).get(unique_id)
    if before is not None:
        code = project.base_code(before)
        if isinstance(code, str):
            return _unknown(code)
        if _is_from_files(before) != _is_from_files(after):
            if _configs(before.raw_code or "") != _configs(live.text):
                return _unknown(OTHER_CONFIG)
            # dbt and our own reader have different settings for equal files.
            before = replace(after, raw_code=before.raw_code, code_hash=before.code_hash)
        before = replace(before, compiled_code=code.sql, parents=tuple(sorted(code.parents)))
    sides = ({} if before is None else {unique_id: before}, {unique_id: after})
    effect = _compared(project, *sides, live, others)
    if effect.change.category is Category.NONE or before is None or not after.is_ephemeral:
        return effect
    inlining = _inlining(project, before, after)
    if len(inlining[0]) > MOST_INLINED:
        return _unknown(MANY_READERS.format(MOST_INLINED))
    return _compared(project, {**sides[0], **inlining[0]}, {**sides[1], **inlining[1]}, live, others)


def _inlining(
    project: LiveProject, before: NodeMetadata, after: NodeMetadata
) -> tuple[dict[str, NodeMetadata], dict[str, NodeMetadata]]:
    """Return the nodes of each side that inline an ephemeral model, with their code; at most one too many."""
    through = partial(is_ephemeral, nodes=project.index.names)
    ids = [*project.graph.descendants(after.unique_id, through=through)]
    found: list[dict[str, NodeMetadata]] = []
    for renderer, edited in ((project.base_renderer, before), (project.renderer, after)):
        nodes = {} if renderer is None else renderer.nodes(ids)
        built = {one: node for one, node in nodes.items() if node.resource_type in SQL_BUILT}
        if renderer is None or len(built) > MOST_INLINED:
            found.append(built)
            continue
        codes = renderer.render_readers(edited, built.values())
        found.append({one: replace(node, compiled_code=codes[one]) for one, node in built.items()})
    both = found[0].keys() & found[1].keys()
    return {one: found[0][one] for one in both}, {one: found[1][one] for one in both}


def _is_from_files(node: NodeMetadata) -> bool:
    """Return True if our own reader read the node: dbt's nodes have a checksum."""
    return node.checksum is None


def _configs(text: str) -> list[str]:
    return ["".join(found.split()) for found in _CONFIG.findall(text)]


def _compared(
    project: LiveProject,
    before: Mapping[str, NodeMetadata],
    after: Mapping[str, NodeMetadata],
    live: LiveModel,
    others: Others,
) -> Effect:
    """Return the effect of the change by the rules of a diff, in which no other node changes.

    *before* and *after* are the edited node on each side, and the nodes that inline it, with their code.
    """
    index, base, unique_id = project.index, project.index.base, live.unique_id
    if base is None or project.base_renderer is None:
        return _unknown(None)
    changed_columns = _ChangedColumns(project, live, others, after)
    runs = (
        EditedRun(base, project.base_renderer, index.lock, project.graph, before, lambda _: None),
        EditedRun(index.reader, project.renderer, index.lock, project.graph, after, changed_columns.columns),
    )
    runs[0].other_side, runs[1].other_side = runs[1], runs[0]
    sides = []
    for run, nodes, renderer in zip(
        runs, (before, after), (project.base_renderer, project.renderer), strict=True
    ):
        coded = {one: replace(node, compiled_code=run.code(one)) for one, node in nodes.items()}
        sides.append(ProjectSide(coded, renderer.macros, run.run, tokenised=True))
    changes = compare(*sides)
    changed = {unique_id, *project.differing, *others}
    effects = Effects((sides[0], sides[1]), runs, project.graph, changed)
    judged, reached = effects.of(changes)
    names = {**runs[0].names, **index.names, unique_id: after[unique_id]}
    found = run_diff(base.run, index.run, judged, project.graph, names, reached=reached)
    change = judged.get(unique_id)
    return Effect(
        change=SqlChange(category=Category.NONE)
        if change is None
        else SqlChange(
            category=change.category or Category.NONE,
            columns=change.columns,
            reasons=change.category_reasons,
            moved=change.columns_moved,
            facts=change.facts,
        ),
        diff=found,
    )


class _ChangedColumns:
    """Analyses of the nodes whose columns change with those of an edited model."""

    def __init__(
        self, project: LiveProject, live: LiveModel, others: Others, after: Mapping[str, NodeMetadata]
    ) -> None:
        """*after* are the nodes with changed code, which includes that of *live*."""
        self._project, self._after = project, after
        self._edited = {**others, live.unique_id: live}
        self._reshaped = {one for one, model in self._edited.items() if self._is_reshaped(one, model.names)}

    def columns(self, unique_id: str) -> NodeColumns | None:
        """Return the columns of a node, if they may differ from the recorded ones."""
        if unique_id in self._edited:
            return self._edited[unique_id].columns
        found = self._of_readers.get(unique_id)
        if found is None and unique_id in self._after:
            found = self._analysed(self._after[unique_id])
        return None if found is None else found.columns

    @cached_property
    def _of_readers(self) -> Mapping[str, LiveModel]:
        """Analyses of readers of columns that are new or removed, parents first.

        A new column may come through a `*`, or be meant by a name without a qualifier. Without a removed one,
        the operands of a UNION may differ in number; so a reader is analysed only if all its parents were.
        """
        graph, known, found = self._project.graph, self._project.index.names, dict[str, LiveModel]()
        below = graph.downstream(self._reshaped) if self._reshaped else ()
        built = [one for one in below if one in known and known[one].resource_type in SQL_BUILT]
        order, _ = parents_first({one: graph.parents(one) for one in built})
        reshaped, unclear = set(self._reshaped), set[str]()
        for unique_id in order:
            parents = graph.parents(unique_id)
            if unique_id in self._edited or (reshaped.isdisjoint(parents) and unclear.isdisjoint(parents)):
                continue
            model = None
            if unclear.isdisjoint(parents) and len(found) < MOST_AGAIN:
                model = self._analysed(self._node(unique_id), found)
            if model is not None:
                found[unique_id] = model
            if model is None or model.names is None:
                unclear.add(unique_id)
            elif self._is_reshaped(unique_id, model.names):
                reshaped.add(unique_id)
        return found

    def _node(self, unique_id: str) -> NodeMetadata | None:
        return self._after.get(unique_id) or self._project.renderer.nodes([unique_id]).get(unique_id)

    def _analysed(self, node: NodeMetadata | None, others: Others = NO_OTHERS) -> LiveModel | None:
        """Return the analysis of *node* with the columns of the edited models and of *others*."""
        if node is None or node.resource_type not in SQL_BUILT or not node.compiled_code:
            return None
        is_exact = self._project.index.run.extractor not in OWN_READERS
        found = self._project.analysed(node, {**self._edited, **others}, SECONDS, is_exact=is_exact)
        if isinstance(found, Failure):
            return None
        return LiveModel(unique_id=node.unique_id, text="", sql=node.compiled_code, columns=found)

    def _is_reshaped(self, unique_id: str, names: tuple[str, ...] | None) -> bool:
        """Return True if *names* have a column more than the recorded ones, or one less."""
        known = self._project.index.columns(unique_id)
        before = {self._project.folded(name) for name in known.types}
        now = {self._project.folded(name) for name in names or ()}
        return not before >= now or (names is not None and known.are_all and not now >= before)
