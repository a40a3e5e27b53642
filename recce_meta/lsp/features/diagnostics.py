"""Diagnostics of an unsaved text: the columns that it removes, and names that do not exist.

Each states a consequence. A name that may exist outside of what was read, in a new or edited file, is never
reported, and neither is a reference that the rendered text does not use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from lsprotocol.types import (
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
)

from recce_meta.diff.project_side import build_doubt
from recce_meta.errors import ConfigurationError, plural
from recce_meta.extractors.sql_project.settings import read_settings
from recce_meta.lsp.documents import TextView
from recce_meta.lsp.features.symbols import ColumnKeys, NodeColumn, similar_names
from recce_meta.lsp.project.index import TESTS, ProjectIndex
from recce_meta.lsp.project.live import LiveModel, RemovedColumn
from recce_meta.lsp.text.file_texts import FileText, Texts, file_of_node, range_of
from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.query_text import TextQuality
from recce_meta.lsp.text.template import TagCall
from recce_meta.models.change import BUILD_FAILS, BUILD_MAY_FAIL
from recce_meta.models.lineage import FailingNode

SOURCE = "recce-meta"
REMOVED, UNKNOWN_REF, UNKNOWN_SOURCE, UNKNOWN_COLUMN, FAILS = (
    *("removed-column", "unknown-ref"),
    *("unknown-source", "unknown-column", "fails"),
)
MOST_FILES = 5
"""Number of files of dependents in which places are searched."""
_MOST_PLACES = 3
"""Places shown of one file."""
_NAMED = 2
_MOST_WALKED = 20_000
"""Files that are looked at before a name is given the benefit of the doubt."""
_YAML = (".yml", ".yaml")
_DEFINING = (".sql", ".csv", ".py")
_KINDS = ("models", "seeds", "snapshots")
_PACKAGES = ("packages.yml", "dependencies.yml")
_INSTALLED = ("dbt_packages", "dbt_modules")


def diagnostics(view: TextView, texts: Texts) -> list[Diagnostic] | None:
    """Return the diagnostics of *view*; *texts* are the open texts by path.

    None while the text neither parses nor renders: the editor then keeps those that it shows.
    """
    if (failing := _failure(view, texts)) is not None:
        return [failing]
    live = _rendered(view)
    is_strict = view.query.quality is TextQuality.STRICT
    refused = _refused(view, live)
    if not is_strict and refused is None and (live is None or live.columns is None):
        return None
    if view.index is None:
        return []
    found = [*_unknown_nodes(view, live, texts)]
    if live is not None:
        found += _removals(view, texts)
    # They say more of a column than the database.
    unknown = [*_unknown_columns(view)] if is_strict else []
    found += unknown or filter(None, [refused])
    return sorted(found, key=lambda one: (one.range.start.line, one.range.start.character, str(one.code)))


def _failure(view: TextView, texts: Texts) -> Diagnostic | None:
    """Return why dbt cannot build the text; None if its Jinja is incomplete, or macros are newer."""
    live, index = view.live, view.index
    failure = None if live is None or live.text != view.document.text else live.failure
    if failure is None or index is None or failure.problem.startswith(("not valid Jinja", "variable ")):
        return None
    recorded = index.run.run_at.timestamp()
    is_newer = any(_modified(path) > recorded for path in _files(index, (".sql",), ("macros",)))
    if is_newer or any("macro" in text for path, text in texts.items() if path != view.document.path):
        return None
    doubt = "" if failure.unless is None else build_doubt(failure.unless)
    return _failing(view, failure.line, f"{failure.problem}{doubt}", is_certain=not doubt)


def _failing(view: TextView, line: int | None, problem: str, *, is_certain: bool) -> Diagnostic:
    start = view.document.lines.offset(min((line or 1) - 1, view.document.text.count("\n")), 0)
    end = view.document.text.find("\n", start)
    span = TextSpan(start, len(view.document.text) if end < 0 else end)
    severity = DiagnosticSeverity.Error if is_certain else DiagnosticSeverity.Warning
    said = f"{BUILD_FAILS if is_certain else BUILD_MAY_FAIL}: {problem}"
    return _diagnostic(view, span, severity, FAILS, said)


def _refused(view: TextView, live: LiveModel | None) -> Diagnostic | None:
    """Return why a database refuses the SQL of the text; None if it does not."""
    fault = live.refused if live is not None else None
    return (
        _failing(view, fault.line, fault.text, is_certain=fault.is_certain) if fault and fault.text else None
    )


def _rendered(view: TextView) -> LiveModel | None:
    """Return the analysis of exactly this text, if it was rendered."""
    live = view.live
    return None if live is None or live.sql is None or live.text != view.document.text else live


def _diagnostic(
    view: TextView,
    span: TextSpan,
    severity: DiagnosticSeverity,
    code: str,
    message: str,
    related: Sequence[DiagnosticRelatedInformation] | None = None,
) -> Diagnostic:
    return Diagnostic(
        range=range_of(view.document.lines, span),
        severity=severity,
        code=code,
        source=SOURCE,
        message=message,
        related_information=list(related) if related else None,
    )


def _unknown_nodes(view: TextView, live: LiveModel | None, texts: Texts) -> Iterator[Diagnostic]:
    """Yield the calls of `ref` and `source` that name nothing."""
    index = view.index
    calls = [call for call in view.document.template.calls if call.name in ("ref", "source")]
    wrong = [(call, found) for call in calls if index and (found := index.problem(call, view.package))]
    if index is None or not wrong or _may_be_newer(index, texts):
        return
    for call, (problem, hint) in wrong:
        name = call.arguments[-1 if call.name == "source" else _place_of_name(call)]
        if not _is_used(view, call, live) or (
            call.name == "ref" and _may_exist(index, str(name.value), texts)
        ):
            continue
        text = f"{problem}; dbt cannot compile this file"
        if hint is not None and hint.startswith("did you mean"):
            text = f"{text}. {hint[0].upper()}{hint[1:]}"
        elif call.name == "ref":
            # A search that ignores case takes longer.
            refs = (known for known, _ in index.refs(view.package))
            text += _suggestion(similar_names(str(name.value), refs))
        code = UNKNOWN_REF if call.name == "ref" else UNKNOWN_SOURCE
        yield _diagnostic(view, name.span, DiagnosticSeverity.Error, code, text)


def _place_of_name(call: TagCall) -> int:
    return sum(argument.name is None for argument in call.arguments) - 1


def _is_used(view: TextView, call: TagCall, live: LiveModel | None) -> bool:
    """Return True if dbt evaluates *call*: a branch that is not taken may name anything."""
    index = view.index
    if live is not None and index is not None:
        # Models that were missing when the project was recorded are rendered as placeholders. dbt resolved
        # the calls of a manifest, so that only a model of this project can be missing: its file was deleted.
        if view.node is None:
            return False
        is_manifest = view.node.checksum is not None
        names = {str(argument.value) for argument in call.arguments}
        absent = (
            parent
            for parent in live.parents
            if parent not in index.names
            and not (is_manifest and parent.split(".")[1] != index.run.project_name)
        )
        return any(not names.isdisjoint(parent.split(".")[2:]) for parent in absent)
    return not any(span.start <= call.span.start < span.end for span in view.document.template.opaque)


def _may_be_newer(index: ProjectIndex, texts: Texts) -> bool:
    """Return True if an unsaved or newer properties file, or a missing package, may define more nodes."""
    root = index.root
    packages = any((root / name).is_file() for name in _PACKAGES)
    if packages and not any((root / name).is_dir() for name in _INSTALLED):
        return True
    for path, text in texts.items():
        if path.suffix in _YAML and path.is_relative_to(root) and _differs(path, text):
            return True
    recorded = index.run.run_at.timestamp()
    for number, path in enumerate(_files(index, _YAML)):
        if number >= _MOST_WALKED or _modified(path) > recorded:
            return True
    return False


def _differs(path: Path, text: str) -> bool:
    try:
        return path.read_bytes().decode("utf-8-sig") != text
    except (OSError, UnicodeDecodeError):
        return True


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _may_exist(index: ProjectIndex, name: str, texts: Texts) -> bool:
    """Return True if a file that the index does not have yet may define the node *name*."""
    if any(path.stem == name and path.is_relative_to(index.root) for path in texts):
        return True
    recorded = index.run.run_at.timestamp()
    for number, path in enumerate(_files(index, _DEFINING)):
        # A snapshot's name is inside of its file.
        is_new = "snapshot" in path.as_posix() and _modified(path) > recorded
        if number >= _MOST_WALKED or path.stem == name or is_new:
            return True
    return False


def _files(index: ProjectIndex, endings: tuple[str, ...], kinds: Sequence[str] = _KINDS) -> Iterator[Path]:
    """Yield the files below the folders of *kinds* with one of *endings*."""
    try:
        paths: Mapping[str, Sequence[str]] = read_settings(index.root, []).paths
    except ConfigurationError:
        paths = {kind: [kind] for kind in kinds}
    for folder in dict.fromkeys(folder for kind in kinds for folder in paths.get(kind, ())):
        for path in (index.root / folder).rglob("*"):
            if path.suffix in endings:
                yield path


def _unknown_columns(view: TextView) -> Iterator[Diagnostic]:
    """Yield the references to columns that no table in scope has."""
    opaque = view.document.template.opaque
    for column in view.query.columns:
        if not column.is_missing or any(column.span.start in span for span in opaque):
            continue
        text = f"Column '{column.name}' not found in the tables of this query; the query fails"
        text += _suggestion(similar_names(column.name, column.candidates))
        yield _diagnostic(view, column.span, DiagnosticSeverity.Warning, UNKNOWN_COLUMN, text)


def _suggestion(names: Sequence[str]) -> str:
    return f". Did you mean {' or '.join(repr(name) for name in names)}?" if names else ""


def _removals(view: TextView, texts: Texts) -> Iterator[Diagnostic]:
    places = _PlacesOfColumns(view, texts)
    for removed in view.removed:
        if removed.fails:
            severity = DiagnosticSeverity.Warning
        elif removed.unchecked is not None:
            severity = DiagnosticSeverity.Information
        else:
            continue
        span = _span_of(view, removed)
        related = places.of(removed.fails)
        yield _diagnostic(view, span, severity, REMOVED, message_of(removed), related)


def message_of(removed: RemovedColumn) -> str:
    """Return the consequence of a removed or renamed column in one sentence."""
    change = (
        f"Removes column {removed.name}"
        if removed.renamed_to is None
        else f"Renames column {removed.name} to {removed.renamed_to}"
    )
    if not removed.fails:
        return f"{change}. {removed.unchecked}"
    more = "" if removed.unchecked is None else f". {removed.unchecked}"
    return f"{change}{_failures(removed)}{more}"


def _failures(removed: RemovedColumn) -> str:
    if all(failing.resource_type in TESTS for failing in removed.fails):
        tests = plural(len(removed.fails), "test")
        verb = "fails" if len(removed.fails) == 1 else "fail"
        return f"; {tests} of it {verb}: {_listed(removed.fails)}"
    if removed.renamed_to is None:
        return f", used in {_listed(removed.fails)}"
    is_one = len(removed.fails) == 1
    return (
        f"; {_listed(removed.fails)} {'fails' if is_one else 'fail'} until "
        f"{'it uses' if is_one else 'they use'} the new name"
    )


def _listed(fails: Sequence[FailingNode]) -> str:
    """Return the first names, models before tests, and the number of the rest."""
    ordered = sorted(fails, key=lambda failing: failing.resource_type in TESTS)
    names = [failing.name for failing in ordered[:_NAMED]]
    rest = len(fails) - len(names)
    return " and ".join(names) + (f" ({rest} more)" if rest else "")


def _span_of(view: TextView, removed: RemovedColumn) -> TextSpan:
    """Return the span of the new name, else of the first line of the final SELECT list."""
    for output in view.query.outputs:
        if removed.renamed_to is not None and output.name == removed.renamed_to:
            return output.span
    start = view.query.final.start if view.query.final is not None else 0
    lines = view.document.lines
    line = lines.line_span(lines.place(start).line)
    end = line.end if view.query.final is None else min(line.end, view.query.final.end)
    return TextSpan(start, max(start, end))


class _PlacesOfColumns:
    """Places in the files of dependents that refer to a column; each file is read once."""

    def __init__(self, view: TextView, texts: Texts) -> None:
        self._view, self._texts = view, texts
        self._files: dict[str, FileText | None] = {}

    def of(self, fails: Iterable[FailingNode]) -> list[DiagnosticRelatedInformation]:
        """Return the places of the references, in at most `MOST_FILES` files."""
        found: list[DiagnosticRelatedInformation] = []
        files = 0
        for failing in fails:
            file = self._file(failing.unique_id)
            if file is None or files >= MOST_FILES:
                continue
            files += 1
            found += (
                DiagnosticRelatedInformation(
                    location=file.location(span), message=f"{failing.name} uses {_column_of(failing)}"
                )
                for span in islice(_references(file, failing), _MOST_PLACES)
            )
        return found

    def _file(self, unique_id: str) -> FileText | None:
        if unique_id not in self._files:
            node = self._view.index.node(unique_id) if self._view.index is not None else None
            is_sql = node is not None and node.path.endswith(".sql")
            found = file_of_node(self._view, node, self._texts) if node is not None and is_sql else None
            # The query of this text has other offsets than the file of a dependent.
            self._files[unique_id] = None if found is None or found.uri == self._view.document.uri else found
        return self._files[unique_id]


def _column_of(failing: FailingNode) -> str:
    return failing.references[0].column or "it" if failing.references else "it"


def _references(file: FileText, failing: FailingNode) -> Iterator[TextSpan]:
    """Yield the spans in *file* that mean one of the referenced columns, else its call of `ref`."""
    wanted = {NodeColumn(stop.unique_id, (stop.column or "").lower()) for stop in failing.references}
    keys = ColumnKeys(file)
    found = [column.span for column in file.query.columns if not keys.of_column(column).isdisjoint(wanted)]
    if not found:
        parents = {stop.unique_id for stop in failing.references}
        for call in file.template.calls:
            node = file.relation(call) if call.name in ("ref", "source") else None
            if node is not None and node.unique_id in parents:
                found.append(call.span)
    yield from found
