"""Indexing of a project: reads its files, and records them with column lineage into the cached store.

The language server runs this module in a process of its own, `python -m recce_meta.lsp.project.indexing ROOT
--store URL`, so that a large project never delays an answer. The last line of standard output is the result
as JSON, also if indexing fails. Before it, a new run is announced by such a line, because the run to compare
with may take longer. Progress is on standard error. A process that is killed leaves the previous index as it
is, because a run is recorded in one transaction.

The run of the project is recorded in the environment `editor`. The run that it is compared with keeps the
environment that it has in its own store.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import record_run
from recce_meta.errors import RecceMetaError, StoreError, StoreNotFound, WarehouseError
from recce_meta.lsp.project.base_run import BaseFinder, ChosenBase, read_choice, write_choice
from recce_meta.lsp.project.cache import (
    CachedStore,
    StoreUse,
    evict,
    find_store,
    is_damaged,
    remove_store,
    writing,
)
from recce_meta.lsp.project.index_process import EDITOR, BaseOptions, Indexed, IndexOptions
from recce_meta.lsp.project.last_changes import update_last_changes
from recce_meta.lsp.project.project_files import ManifestUnfinished, ProjectState, read_state
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.store.content import contents
from recce_meta.store.prune import remove_runs
from recce_meta.store.read import count_nodes, find_runs, load_nodes
from recce_meta.store.session import open_store

RUNS_KEPT = 2
"""Number of runs of the project in the cache: the current one, and the one that the server may still read."""
_IDENTITY = (
    "project_name", "extractor", "invocation_id", "adapter_type", "git_sha", "branch", "build_status",
    "recorder_version", "graph_id", "macro_set_id",
)  # fmt: skip
"""Fields of a run that differ if its contents do."""
Progress = Callable[[str], None]


Announce = Callable[[Indexed], None]


def index_project(
    root: Path,
    store: CachedStore,
    options: IndexOptions | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    report: Progress | None = None,
    announce: Announce | None = None,
) -> Indexed:
    """Record the project in *root* into *store*, with the run that it is compared with.

    *environ* are the variables of the process (default: those of this process). *report* is called with the
    progress, and *announce* with the new run of the project before the run to compare with is read. Waits for
    another process that indexes the same project. A damaged store, or one of a newer recce_meta, is deleted
    first. A failure is in the result, with the previous run.
    """
    started = time.monotonic()
    variables = os.environ if environ is None else environ
    indexing = _Indexing(root, store, options or IndexOptions(), variables, report or _silent)
    try:
        with StoreUse(store, root), writing(store):
            try:
                found = indexing.indexed(announce or _silent)
            except RecceMetaError as error:
                found = replace(indexing.previous(), problem=error.message, hint=error.hint)
            evict(store)
    except OSError as error:
        # A full disk, or a file of the project or of the cache that cannot be opened.
        hint = f"check the permissions of {root} and {store.path.parent}"
        found = Indexed(problem=str(error), hint=hint)
    return replace(found, seconds=round(time.monotonic() - started, 3))


def _silent(_: object) -> None:
    return None


class _Indexing:
    """One indexing of the project in *root* into *store*."""

    def __init__(
        self,
        root: Path,
        store: CachedStore,
        options: IndexOptions,
        environ: Mapping[str, str],
        report: Progress,
    ) -> None:
        self._root, self._store, self._options = root, store, options
        self._environ, self._report = environ, report
        self._base_file = store.path.with_suffix(".base")
        self._base = read_choice(self._base_file)
        self._notes: list[str] = [] if store.note is None else [store.note]

    def indexed(self, announce: Announce) -> Indexed:
        """Return the result; delete the store and start again if it cannot be used."""
        try:
            return self._recorded(announce)
        except (StoreError, WarehouseError) as error:
            if not self._is_unusable():
                raise
            self._notes.append(f"The cached index was deleted and is built again: {error.message}")
            self._report(self._notes[-1])
            remove_store(self._store.path)
            return self._recorded(announce)

    def previous(self) -> Indexed:
        """Return the run of the previous indexing as the result."""
        with suppress(StoreError, WarehouseError), self._adapter() as adapter:
            runs = _runs(adapter)
            if runs:
                return self._result(adapter, runs[0], is_new=False)
        return Indexed(notes=tuple(self._notes))

    def _is_unusable(self) -> bool:
        """Return True if the store is damaged, or one of another version."""
        if is_damaged(self._store.path):
            return True
        try:
            with self._adapter() as adapter:
                _runs(adapter)
        except StoreError:
            return True
        except WarehouseError:
            return False
        return False

    def _adapter(self) -> UnifiedSqlAdapter:
        return UnifiedSqlAdapter.from_url(self._store.url)

    def _recorded(self, announce: Announce) -> Indexed:
        with self._adapter() as adapter:
            runs = _runs(adapter)
            last = runs[0] if runs else None
            read = partial(
                read_state, self._root, self._environ, _KnownNodes(adapter, last), report=self._report
            )
            try:
                state = read()
            except ManifestUnfinished as unfinished:
                if last is not None:
                    self._notes.append(f"{unfinished.message}; the previous index is used")
                    return self._result(adapter, last, is_new=False)
                self._notes.append(f"{unfinished.message}; only the files were read")
                state = read(reads_manifest=False)
            self._notes += state.project.warnings
            project = _editor_run(state, last)
            if last is not None and _is_same(last, project.run):
                run = last
            else:
                self._report(f"tracing columns of {len(project.nodes):,} nodes")
                run = record_run(adapter, project).run
                announce(self._result(adapter, run, is_new=True))
            self._find_base(adapter, run)
            self._report("looking for the last change of each file")
            update_last_changes(self._root, self._store.path, self._environ)
            self._prune(adapter, run, runs)
            return self._result(adapter, run, is_new=run is not last)

    def _find_base(self, adapter: UnifiedSqlAdapter, run: RunMetadata) -> None:
        """Set the run to compare with, which is copied into the store."""
        self._report("looking for the run to compare with")
        finder = BaseFinder(self._root, run.project_name, adapter, self._options, self._environ, self._notes)
        known = _KnownNodes(adapter, run)
        try:
            found = finder.find(self._base, known, run.adapter_type, is_fresh=self._options.is_fresh)
        except RecceMetaError as error:
            self._notes.append(f"No run to compare with: {error.message}")
            found = ChosenBase()
        if found.run_id == self._base.run_id:
            found = replace(found, previous_id=self._base.previous_id)
        else:
            found = replace(found, previous_id=self._base.run_id)
        self._base = found
        write_choice(self._base_file, found)

    def _prune(self, adapter: UnifiedSqlAdapter, run: RunMetadata, runs: Sequence[RunMetadata]) -> None:
        """Remove runs that neither this indexing nor the server, which may be one behind, uses."""
        kept = {run.run_id, *[one.run_id for one in runs if one.run_id != run.run_id][: RUNS_KEPT - 1]}
        kept |= {run_id for run_id in (self._base.run_id, self._base.previous_id) if run_id is not None}
        with open_store(adapter) as store:
            others = [one for one in find_runs(store, status=None) if one.run_id not in kept]
        for environment in sorted({one.environment for one in others}):
            remove_runs(adapter, lambda one: one.run_id not in kept, environment=environment)

    def _result(self, adapter: UnifiedSqlAdapter, run: RunMetadata, *, is_new: bool) -> Indexed:
        return Indexed(
            run_id=run.run_id,
            run_at=run.run_at,
            project_name=run.project_name,
            is_new=is_new,
            source=_source_of(run),
            models=count_nodes(adapter, run).get("model", 0),
            base_id=self._base.run_id,
            base=self._base.label,
            notes=tuple(dict.fromkeys(self._notes)),
        )


class _KnownNodes:
    """Nodes of the last run, by unique id, loaded if the same fingerprint asks for them."""

    def __init__(self, adapter: UnifiedSqlAdapter, last: RunMetadata | None) -> None:
        self._adapter, self._last = adapter, last

    def __call__(self, project: str, fingerprint: str) -> Mapping[str, NodeMetadata]:
        last = self._last
        if last is None or last.project_name != project or last.invocation_id != fingerprint:
            return {}
        return {node.unique_id: node for node in load_nodes(self._adapter, last)}


def _runs(adapter: UnifiedSqlAdapter) -> list[RunMetadata]:
    """Return the runs of the edited project in the cached store, newest first."""
    path = adapter.place.file_path()
    if path is None or not path.exists():  # a connection would create it
        return []
    try:
        with open_store(adapter) as store:
            return find_runs(store, environment=EDITOR)
    except StoreNotFound:
        return []


def _editor_run(state: ProjectState, last: RunMetadata | None) -> Project:
    """Return the project of *state* as a run after *last* with a new id, which ends with its source.

    The id is new even if an earlier state comes back, because the latest run is that of the current state.
    """
    run = state.project.run
    run_id = f"{EDITOR}-{uuid4().hex}{state.times.mark}-{state.source}"
    now = datetime.now(timezone.utc)
    if last is not None:  # the clock may have been set back
        now = max(now, last.run_at + timedelta(microseconds=1))
    pieces = contents(state.project)
    return replace(
        state.project,
        run=replace(
            run,
            run_id=run_id,
            run_at=now,
            environment=EDITOR,
            graph_id=pieces.graph_id,
            macro_set_id=pieces.macro_set_id,
        ),
    )


def _is_same(one: RunMetadata, other: RunMetadata) -> bool:
    """Return True if both runs are of the same files, at the same commit, read in the same way."""
    return all(getattr(one, name) == getattr(other, name) for name in _IDENTITY) and (
        _source_of(one) == _source_of(other)
    )


def _source_of(run: RunMetadata) -> str:
    return run.run_id.rpartition("-")[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Index a project as the command line says; return the exit code: 0, or 3 if indexing failed."""
    parser = argparse.ArgumentParser(
        prog="recce_meta.lsp.project.indexing", description="Index a dbt project."
    )
    parser.add_argument("root", type=Path, help="Folder of dbt_project.yml.")
    parser.add_argument("--store", required=True, help="URL of the cached store.")
    parser.add_argument("--fresh", action="store_true", help="Ask a configured store at once.")
    for name in BaseOptions.__struct_fields__:
        kind = Path if name == "profiles_dir" else str
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind)
    given = parser.parse_args(arguments)
    named = {name: getattr(given, name) for name in BaseOptions.__struct_fields__}
    options = IndexOptions(is_fresh=given.fresh, **named)
    store = find_store(given.root, os.environ)
    if store.url != given.store:
        store = CachedStore(path=Path(given.store.removeprefix("sqlite:///")))
    found = index_project(given.root, store, options, report=_print, announce=_print_result)
    _print_result(found)
    return 0 if found.problem is None else RecceMetaError.exit_code


def _print_result(found: Indexed) -> None:
    sys.stdout.write(f"{msgspec.json.encode(found).decode()}\n")
    sys.stdout.flush()


def _print(message: str) -> None:
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
