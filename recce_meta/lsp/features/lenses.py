"""Code lenses: the dependents of the model and of each output column, and the change since base."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from lsprotocol.types import CodeLens, Command

from recce_meta.errors import plural
from recce_meta.lsp.documents import TextView
from recce_meta.lsp.project.index import TESTS, ProjectIndex
from recce_meta.lsp.project.live import Effect
from recce_meta.lsp.text.file_texts import range_of
from recce_meta.lsp.text.positions import TextSpan
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.change import Category, ColumnChange, Status
from recce_meta.models.node_types import BUILT
from recce_meta.report.labels import NO_CHANGE
from recce_meta.report.review.phrases import failure_sentences
from recce_meta.report.review.verdict import code_finding

LINEAGE, IMPACT, PREVIEW = "recce-meta.lineage", "recce-meta.impact", "recce-meta.preview"
"""Commands of the lenses, with the URI of the text and the column as arguments."""
PREVIEW_DATA = "preview the data"
SEPARATOR = " · "
PENDING = "last edit not compared yet"
_OUTSIDE = ("exposure", "metric", "semantic_model", "saved_query")
"""Types of dependents that are counted separately."""
_PLURALS = {
    "exposure": "exposures",
    "metric": "metrics",
    "semantic_model": "semantic models",
    "saved_query": "saved queries",
    "test": "tests",
}
_VERBS = {Status.REMOVED: "removes", Status.ADDED: "adds", Status.MODIFIED: "changes"}
_OF_COLUMNS = re.compile(r"columns? (added|removed|modified)\b")
"""Reasons that repeat the columns of a change."""
_MOST_REASONS = 2
_EVERY = "*"


def lenses(view: TextView) -> list[CodeLens]:
    """Return the lenses of a recorded model; none for any other text."""
    node, index = view.node, view.index
    if node is None or index is None or node.resource_type not in BUILT:
        return []
    readers = index.readers(node.unique_id)
    found = [_lens(view, TextSpan(0, 0), LINEAGE, dependents(readers))]
    if index.base is not None and view.effect is not None:
        # The effect may be that of an earlier version: without it, the lenses would jump with every key. Not
        # every editor asks again when the effect is known, so the title must not present it as current.
        with index.lock:
            is_new = node.unique_id not in index.base.names
        change = change_since(view.effect, index.base.run, is_new=is_new)
        if view.effect.text is not None and view.effect.text != view.document.text:
            change = SEPARATOR.join([change, PENDING])
        found.append(_lens(view, TextSpan(0, 0), IMPACT, change))
        if view.effect.change.category is not Category.NONE:
            found.append(_lens(view, TextSpan(0, 0), PREVIEW, PREVIEW_DATA))
    return found + list(_of_columns(view, node, index, has_readers=bool(readers)))


def _lens(view: TextView, span: TextSpan, command: str, title: str, *column: str) -> CodeLens:
    return CodeLens(
        range=range_of(view.document.lines, span),
        command=Command(title=title, command=command, arguments=[view.document.uri, *column]),
    )


def dependents(readers: Iterable[NodeMetadata]) -> str:
    """Return the number of direct dependents, with exposures and metrics apart: they are declared by hand."""
    counts = Counter(
        node.resource_type if node.resource_type in _OUTSIDE else "model"
        for node in readers
        if node.resource_type not in TESTS
    )
    models = counts.pop("model", 0)
    # What reads the relation without dbt is unknown.
    first = plural(models, "dependent") if models else "no known dependents"
    return SEPARATOR.join([first, *(_counted(counts[kind], kind) for kind in _OUTSIDE if counts[kind])])


def _counted(count: int, kind: str) -> str:
    return f"{count:,} {kind.replace('_', ' ') if count == 1 else _PLURALS[kind]}"


def name_of_base(run: RunMetadata) -> str:
    """Return the environment and the day of the run that texts are compared with."""
    return f"{run.environment} ({run.run_at:%Y-%m-%d})"


def change_since(effect: Effect, base: RunMetadata, *, is_new: bool = False) -> str:
    """Return the verdict on the code of a change as every report has it, then its columns and reasons.

    *is_new* means that base does not have the model.
    """
    change, name = effect.change, name_of_base(base)
    if change.category is Category.NONE:
        return f"{NO_CHANGE} since {name}"
    if change.category is Category.UNKNOWN or effect.diff is None:
        return f"not compared with {name}: {'; '.join(change.reasons[:_MOST_REASONS]) or 'unknown'}"
    if is_new:
        return f"new since {name}"
    reasons = [reason for reason in change.reasons if not _OF_COLUMNS.match(reason)]
    details = "; ".join(filter(None, [_columns_changed(change.columns), *reasons[:_MOST_REASONS]]))
    verdict = [*failure_sentences(effect.diff)[:1], code_finding(effect.diff).text]
    return SEPARATOR.join([*verdict, f"since {name}: {details}" if details else f"since {name}"])


def _columns_changed(columns: Sequence[ColumnChange]) -> str:
    renamed = {column.renamed_to for column in columns if column.renamed_to}
    counts = Counter(column.status for column in columns if column.name not in renamed)
    counts[Status.REMOVED] -= len(renamed)
    parts = [f"renames {plural(len(renamed), 'column')}"] if renamed else []
    parts += [f"{verb} {plural(counts[one], 'column')}" for one, verb in _VERBS.items() if counts[one] > 0]
    return ", ".join(parts)


def _of_columns(
    view: TextView, node: NodeMetadata, index: ProjectIndex, *, has_readers: bool
) -> Iterator[CodeLens]:
    """Yield a lens for each output column that the text names, if it says more than that of the model."""
    named = [output for output in view.query.outputs if not output.is_star]
    lines = [view.document.lines.place(output.span.start).line for output in named]
    readers = index.column_readers(node.unique_id)
    is_untraced = node.is_ephemeral and not readers
    changes = _changes(view)
    for output, line in zip(named, lines, strict=True):
        # An incremental model reads itself.
        known = {*readers.get(output.name.lower(), ()), *readers.get(_EVERY, ())} - {node.unique_id}
        words = [*changes.get(output.name.lower(), ())]
        if known or has_readers:
            words.insert(0, "readers not traced: ephemeral" if is_untraced else _count_of(known))
        if not words:
            continue
        title = SEPARATOR.join(words)
        # Lenses of one line stand side by side.
        title = f"{output.name}: {title}" if lines.count(line) > 1 else title
        yield _lens(view, output.span, IMPACT, title, output.name)


def _count_of(readers: Collection[str]) -> str:
    return plural(len(readers), "reader") if readers else "no known readers"


def _changes(view: TextView) -> dict[str, list[str]]:
    """Return the change of each column since base, by its name in lower case."""
    index, effect = view.index, view.effect
    if index is None or index.base is None or effect is None:
        return {}
    environment = index.base.run.environment
    origins = {column.renamed_to: column.name for column in effect.change.columns if column.renamed_to}
    found: dict[str, list[str]] = {}
    for column in effect.change.columns:
        if column.status is Status.ADDED:
            before = origins.get(column.name)
            text = f"renamed from {before}" if before is not None else f"added since {environment}"
            found.setdefault(column.name.lower(), []).append(text)
        elif column.status is Status.MODIFIED:
            found.setdefault(column.name.lower(), []).append(f"changed since {environment}")
    return found
