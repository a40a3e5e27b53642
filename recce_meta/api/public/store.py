"""Functions about stores: create, copy runs, import, print SQL, find problems."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api import demo as demo_api
from recce_meta.api import import_recce as import_api
from recce_meta.api.export import JSON, exporter_of, load_export, write_exports
from recce_meta.api.import_recce import ImportedState
from recce_meta.api.public.runs import LATEST, terms_of
from recce_meta.api.record import compare_codes, fill_derived
from recce_meta.extractors.recce_state import recce_state_of
from recce_meta.models import Check
from recce_meta.models.export import Export
from recce_meta.models.rows import ResultList
from recce_meta.store import session
from recce_meta.store.export import Written, write_export
from recce_meta.store.session import InitResult, refuse_memory, schema_text
from recce_meta.store.sql_files import DEFAULT_SCHEMA, script
from recce_meta.warehouses import warehouse_of_store


def init_store(adapter: UnifiedSqlAdapter) -> InitResult:
    """Create the store of *adapter*, or migrate it to the current version.

    Safe to repeat. A newer store is not changed. Raises StoreError for a database in memory.
    """
    refuse_memory(adapter)
    result = session.init_store(adapter)
    # A newer store must not be changed.
    if result.remedy is None:
        fill_derived(adapter)
    return result


def export(
    adapter: UnifiedSqlAdapter,
    path: str | Path,
    runs: str | Sequence[str] = LATEST,
    *,
    format: str = JSON,
    select: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    overwrite: bool = False,
    project: str | None = None,
) -> tuple[Path, ...]:
    """Write *runs*, one run selector or several, to *path*, and return the written paths.

    *format* is json or openlineage (a file, compressed if its name ends in `.gz`), csv or parquet (a folder
    with a file for each relation, of any number of runs), or the name of an exporter from another package.
    *select* and *exclude* choose nodes in dbt's grammar. Existing files are replaced only with *overwrite*.
    *adapter* connects to the store. *project* limits the selectors to one project.

    Raises SelectorError if a run does not exist or the selection matches no node, UnknownNameError for an
    unknown *format*, UsageError if *path* exists, OSError if it cannot be written, PluginError if another
    package's exporter fails.
    """
    # An unknown format is an error before any run is read.
    exporter_of(format)
    exports = _exports(adapter, runs, select, exclude, project)
    return write_exports(exports, Path(path), format, adapter.place.dataset_namespace, overwrite=overwrite)


def copy_runs(
    adapter: UnifiedSqlAdapter,
    to: UnifiedSqlAdapter,
    runs: str | Sequence[str] = LATEST,
    *,
    select: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    project: str | None = None,
) -> ResultList[Written]:
    """Write *runs*, one run selector or several, of one store into another, each in one transaction.

    *adapter* connects to the store to read; *to* connects to the store to write, which is created if needed.
    *select* and *exclude* choose nodes in dbt's grammar. *project* limits the selectors to one project.
    """
    exports = _exports(adapter, runs, select, exclude, project)
    refuse_memory(to)
    written = [write_export(to, one) for one in exports]
    compare_codes(to)
    return ResultList(Written, written)


def _exports(
    adapter: UnifiedSqlAdapter,
    runs: str | Sequence[str],
    select: str | Sequence[str],
    exclude: str | Sequence[str],
    project: str | None,
) -> list[Export]:
    return [
        load_export(adapter, run, select=terms_of(select), exclude=terms_of(exclude), project=project)
        for run in terms_of(runs)
    ]


def import_recce_state(
    adapter: UnifiedSqlAdapter,
    path: str | Path,
) -> ImportedState:
    """Write the runs, results and checks of the recce_state.json *path* to a store.

    The store is that of *adapter*, and is created if needed. `left_out` of the result lists the parts without
    an equivalent. Raises ArtifactError if the file has no artifacts, or is not in recce's format.
    """
    refuse_memory(adapter)
    state = recce_state_of(Path(path).read_bytes(), str(path))
    return import_api.import_recce_state(adapter, state, str(path))


def store_sql(kind: str, dialect: str, *, name: str | None = None, schema: str = DEFAULT_SCHEMA) -> str:
    """Return the SQL of the store for the warehouse *dialect*, in *schema*.

    *kind* is ddl, views, queries, cookbook or migrations; *name* is one file of them (default: all). Raises
    UnknownNameError for an unknown kind, warehouse or name.
    """
    return script(kind, dialect, schema_text(warehouse_of_store(dialect), schema), name)


def doctor(adapter: UnifiedSqlAdapter) -> ResultList[Check]:
    """Check connection, rights and store of *adapter*; the adapter is closed.

    `ok` of a check is False if it failed, and None if it was skipped.
    """
    return ResultList(Check, demo_api.doctor(lambda: adapter))
