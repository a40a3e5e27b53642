"""Import of a recce_state.json: recce's artifacts, runs and checks into the store.

Artifacts become recorded runs. Results become data diffs if an equivalent diff exists. Checks become stored
results, and on demand a file of checks. Times are recce's, and origins name recce: importing a file again is
a no-op. Parts without an equivalent are listed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.checks import counted, stored_findings, without_quotes
from recce_meta.api.record import Recorded, record_project
from recce_meta.errors import ArtifactError, quoted
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.extractors.recce_state import (
    NO_EQUIVALENT,
    UNKNOWN_TYPE,
    RecceCheck,
    RecceRun,
    RecceState,
    data_diff_of,
    is_known,
    moment_of,
    rows_of,
)
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.checks import StoredCheck, StoredFinding
from recce_meta.models.data_diff import AnyDataDiff, Subject, ValueDiff
from recce_meta.models.rows import Tabular
from recce_meta.models.run import BASE
from recce_meta.report.data.check_findings import FindingKind, findings_summary, node_findings
from recce_meta.store.check_results import save_checks
from recce_meta.store.data_diffs import save_data_diffs
from recce_meta.temporary import temporary_folder

CURRENT = "current"


class LeftOut(Struct, frozen=True, kw_only=True):
    """Part of the state without an equivalent in recce_meta."""

    what: str
    """`run`, `check`, `artifact`, `time` or `approvals`."""
    name: str
    reason: str


class ImportedState(Tabular, frozen=True, kw_only=True):
    """Result of `import_recce_state`."""

    origin: str
    runs: tuple[Recorded, ...]
    """Runs of base and current, if the state has their artifacts."""
    checks: int
    new_checks: int
    data_diffs: int
    new_data_diffs: int
    left_out: tuple[LeftOut, ...] = ()


class _Sides:
    """Projects of the state, with lookup of nodes in recce's results."""

    def __init__(self, state: RecceState, name: str, left_out: list[LeftOut]) -> None:
        artifacts = state.artifacts
        given = {
            BASE: artifacts.base if artifacts else {},
            CURRENT: artifacts.current if artifacts else {},
        }
        self.projects: dict[str, Project] = {}
        for side, files in given.items():
            if files.get("manifest"):
                self.projects[side] = _project(files, side, _origin_of(state, side), name)
            else:
                left_out.append(
                    LeftOut(what="artifact", name=side, reason="the state has no manifest for it")
                )
        if not self.projects:
            raise ArtifactError(
                f"{name} cannot be imported: it has no artifacts, so its results belong to no run",
                hint="create the file with recce run, which includes both manifests",
            )

    def subject(self, name: str) -> Subject:
        """Return the node called *name*; the project's own package takes precedence, as in recce."""
        found = {side: self._node(project, name) for side, project in self.projects.items()}
        base, current = found.get(BASE), found.get(CURRENT)
        node = current or base
        return Subject(
            name=name,
            unique_id=node.unique_id if node else None,
            base=base.relation_name if base else None,
            current=current.relation_name if current else None,
        )

    def whole(self, run: RecceRun, answer: AnyDataDiff | str) -> AnyDataDiff | str:
        """Return *answer*; a value diff gets the columns that only one side has, which recce leaves out."""
        if not isinstance(answer, ValueDiff) or (run.params or {}).get("columns"):
            return answer
        found = [self._node(self.projects[side], answer.subject.name) for side in self.projects]
        if len(found) < 2 or any(node is None or not node.columns for node in found):
            return answer
        base, current = ([column.name for column in node.columns] for node in found if node)
        return replace(
            answer,
            base_only=tuple(name for name in base if name not in current),
            current_only=tuple(name for name in current if name not in base),
        )

    @staticmethod
    def _node(project: Project, name: str) -> NodeMetadata | None:
        found = [node for node in project.nodes if node.name == name and node.relation_name]
        own = [node for node in found if node.package_name == project.run.project_name]
        return next(iter(own or found), None)


def import_recce_state(
    adapter: UnifiedSqlAdapter, state: RecceState, name: str, *, tell: Callable[[str], None] | None = None
) -> ImportedState:
    """Write *state* into the store, creating the store if it does not exist. Errors refer to it as *name*.

    Raises ArtifactError if the state has no artifacts, or is not in recce's format.
    """
    left_out: list[LeftOut] = []
    sides = _Sides(state, name, left_out)
    answers = [(run, sides.whole(run, data_diff_of(run, sides.subject))) for run in state.runs or ()]
    results = {run.run_id: answer for run, answer in answers}
    recorded = {side: record_project(adapter, project, tell=tell) for side, project in sides.projects.items()}
    base, current = (recorded[side].run if side in recorded else None for side in (BASE, CURRENT))
    run_ids = (base.run_id if base else None, current.run_id if current else None)
    written = kept = 0
    for run, answer in answers:
        if isinstance(answer, str):
            left_out.append(LeftOut(what="run", name=f"{run.title} ({run.type})", reason=answer))
            continue
        # Results are stored one by one, because each has its own time and parameters.
        saved = save_data_diffs(
            adapter,
            [answer],
            base_run=base,
            current_run=current,
            taken_at=_when(state, run.run_at),
            parameters={"origin": state.origin, "recce_run_id": run.run_id, **_given(run.params)},
        )
        written, kept = written + saved.written, kept + len(saved.diff_ids)
    checks = [
        _stored(state, check, ordinal, results, run_ids)
        for ordinal, check in enumerate(state.checks or (), start=1)
    ]
    left_out += [*_times_left_out(state), *_checks_left_out(state)]
    saved_checks = save_checks(adapter, checks)
    return ImportedState(
        origin=state.origin,
        runs=tuple(recorded.values()),
        checks=len(checks),
        new_checks=saved_checks.written,
        data_diffs=kept,
        new_data_diffs=written,
        left_out=tuple(left_out),
    )


def check_file_of(state: RecceState) -> str:
    """Return the checks of *state* as the text of a file of checks."""
    import yaml

    checks = [
        {
            "name": check.name,
            **({"description": check.description} if check.description else {}),
            "type": check.type,
            **({"params": params} if (params := _given(check.params)) else {}),
            **({"view_options": check.view_options} if check.view_options else {}),
        }
        for check in state.checks or ()
    ]
    text: str = yaml.safe_dump({"checks": checks}, sort_keys=False, allow_unicode=True, width=100)
    return f"# Checks of {state.origin}\n{text}"


def _project(files: Mapping[str, Any], side: str, git: GitState, name: str) -> Project:
    """Return the project in the artifacts of one side; git comes from *git*, not from the current folder."""
    with temporary_folder() as folder:
        for artifact in ("manifest", "catalog", "run_results"):
            if files.get(artifact):
                # The extractor reads files, so that embedded artifacts follow the same rules.
                (Path(folder) / f"{artifact}.json").write_text(json.dumps(files[artifact]), encoding="utf-8")
        try:
            # The state does not contain the files of seeds.
            return extract_project(folder, environment=side, git=git, hash_seed_files=False)
        except ArtifactError as error:
            # The temporary folder means nothing to users.
            message = error.message.replace(folder, f"artifacts of {side}")
            raise ArtifactError(f"{name} cannot be imported: {message}", hint=error.hint) from None


def _origin_of(state: RecceState, side: str) -> GitState:
    request = state.pull_request or {}
    if side == BASE:
        return GitState(branch=request.get("base_branch"))
    number = request.get("id")
    branch = request.get("branch") or (state.git or {}).get("branch")
    return GitState(branch=branch, pull_request=None if number is None else str(number))


def _when(state: RecceState, text: str | None) -> datetime:
    found = moment_of(text) or moment_of(state.metadata.generated_at)
    # A fixed time, so that importing the file again is a no-op.
    return found or datetime.fromtimestamp(0, timezone.utc)


def _given(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the parameters that have a value; recce writes null for parameters that are not set."""
    return {name: value for name, value in (params or {}).items() if value is not None}


def _stored(
    state: RecceState,
    check: RecceCheck,
    ordinal: int,
    results: Mapping[str, AnyDataDiff | str],
    run_ids: tuple[str | None, str | None],
) -> StoredCheck:
    runs = [run for run in state.runs or () if run.check_id == check.check_id]
    # A check may have run several times; its last run counts.
    run = runs[-1] if runs else None
    answer = results[run.run_id] if run is not None else None
    status, message = "skipped", NO_EQUIVALENT.get(check.type, "recce has no result")
    found: tuple[StoredFinding, ...] = ()
    counts: dict[str, Any] = {}
    if run is not None and run.error is not None:
        status, message = "error", without_quotes(f"recce failed: {' '.join(run.error.split())}")
    elif run is not None and not is_known(run.type):
        status, message = "error", UNKNOWN_TYPE
    elif run is not None and answer is not None:
        status = "passed" if run.result is not None else "error"
        message, found, counts = _found(run, answer)
    return StoredCheck(
        check_result_id="",
        checked_at=_when(state, run.run_at if run is not None else check.updated_at),
        base_run_id=run_ids[0],
        current_run_id=run_ids[1],
        origin=state.origin,
        ordinal=ordinal,
        check_name=check.name,
        check_type=check.type,
        description=check.description or "",
        status=status,
        has_expectations=False,
        message=message,
        findings=found,
        parameters=_given(check.params),
        recorder_version=__version__,
        **counts,
    )


def _found(run: RecceRun, answer: AnyDataDiff | str) -> tuple[str, tuple[StoredFinding, ...], dict[str, Any]]:
    """Return summary, findings and counts of a result, without its values."""
    if not isinstance(answer, str):
        found = node_findings(run.type, [answer])
        return findings_summary(run.type, [answer]), stored_findings(found), counted([answer], found)
    differs, text = rows_of(run)
    if not text:
        return answer, (), {}
    finding = FindingKind.SHOWN if differs is None else FindingKind.DIFFERS if differs else FindingKind.SAME
    name = str((run.params or {}).get("model") or "query")
    counts = {"node_count": 1, "differing_nodes": int(bool(differs)), "uncompared_nodes": 0}
    return text, (StoredFinding(name=name, finding=finding.value, text=text),), counts


def _times_left_out(state: RecceState) -> list[LeftOut]:
    """Return the runs with an invalid time. They are stored with the time of the state."""
    return [
        LeftOut(
            what="time",
            name=f"{run.title} ({run.type})",
            reason=f"{quoted(run.run_at)} is not a time; stored with {_when(state, None):%Y-%m-%d %H:%M} UTC",
        )
        for run in state.runs or ()
        if moment_of(run.run_at) is None
    ]


def _checks_left_out(state: RecceState) -> list[LeftOut]:
    """Return the checks without a result, and the approvals."""
    answered = {run.check_id for run in state.runs or ()}
    found = [
        LeftOut(
            what="check",
            name=f"{check.name} ({check.type})",
            reason=NO_EQUIVALENT.get(check.type, "recce has no result"),
        )
        for check in state.checks or ()
        if check.check_id not in answered
    ]
    approved = [check.name for check in state.checks or () if check.is_checked]
    if approved:
        names = ", ".join(approved)
        found.append(LeftOut(what="approvals", name=names, reason="recce-meta does not store approvals"))
    return found
