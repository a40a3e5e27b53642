"""Names of runs and nodes for completion in a shell, from the store or from target/manifest.json.

Completion must be fast and must change nothing. A DuckDB file is therefore opened read-only by DuckDB itself,
without the adapter, and a locked file gives no names. A PostgreSQL store gets a short time. Other warehouses
are not queried, because a login may take long or open a browser.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from recce_meta.errors import RecceMetaError
from recce_meta.lazy import LazyModule
from recce_meta.store.sql_files import DEFAULT_SCHEMA, query

if TYPE_CHECKING:
    from recce_meta import adapter, profiles
    from recce_meta.store import session
    from recce_meta.warehouses import fields
else:  # none of them is needed for a DuckDB file in a URL
    adapter = LazyModule("recce_meta.adapter")
    profiles = LazyModule("recce_meta.profiles")
    session = LazyModule("recce_meta.store.session")
    fields = LazyModule("recce_meta.warehouses.fields")

SERVER_SECONDS = 3.0
"""Time limit for names from a server."""
LARGEST_MANIFEST = 200_000_000
"""Size in bytes above which a manifest takes too long to read."""
DUCKDB = "duckdb:///"
_SERVERS = ("postgres", "postgresql")
_SETTINGS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
"""Settings of DuckDB: reading names must not download an extension."""


class KnownRun(NamedTuple):
    """One recorded run."""

    run_id: str
    environment: str
    branch: str | None
    project: str
    run_at: Any


class KnownNode(NamedTuple):
    """One node of a latest run."""

    name: str
    resource_type: str
    source: str | None = None
    package: str = ""
    path: str = ""
    tags: Sequence[str] = ()
    materialized: str | None = None
    group: str | None = None

    @property
    def label(self) -> str:
        """Name as commands accept it: `orders`, `shop.raw_orders` for a source."""
        return f"{self.source}.{self.name}" if self.source else self.name


class StoreLocation(NamedTuple):
    """Location of the store, from the options of the command line."""

    url: str | None
    profiles_dir: Path | None
    profile: str | None
    target: str | None
    project_dir: Path | None
    schema: str


def location_of(options: Mapping[str, Any]) -> StoreLocation:
    """Return the location of the store that *options* name."""
    url, target = options.get("url"), options.get("target")
    store = options.get("store")
    if isinstance(store, str):  # `scan` and `quality` read another database than the store's
        url, target = (store, None) if "://" in store else (None, store)
    return StoreLocation(
        # Completion does not process defaults, so that the variables are read here.
        url=url or (None if target else os.environ.get("RECCE_META_URL")),
        profiles_dir=options.get("profiles_dir"),
        profile=options.get("profile"),
        target=target,
        project_dir=options.get("project_dir"),
        schema=str(options.get("schema") or os.environ.get("RECCE_META_SCHEMA") or DEFAULT_SCHEMA),
    )


def known_runs(location: StoreLocation) -> list[KnownRun]:
    """Return the newest runs of the store; none if it cannot be read."""
    return [KnownRun(*row) for row in _rows(location, "completion_runs")]


def known_nodes(location: StoreLocation) -> list[KnownNode]:
    """Return the nodes of the latest runs; without a store, those of target/manifest.json."""
    rows = _rows(location, "completion_nodes")
    if not rows:
        return list(_nodes_of_manifest(location.project_dir))
    return [
        KnownNode(name, kind, source, package, path, _decoded(tags), materialized, group)
        for name, kind, source, package, path, tags, materialized, group in rows
    ]


def _decoded(tags: Any) -> Sequence[str]:
    found = json.loads(tags) if isinstance(tags, str) else tags
    return found if isinstance(found, list) else ()


def _rows(location: StoreLocation, name: str) -> list[Any]:
    """Return the rows of the query *name*; none if the store is missing, locked or on another warehouse."""
    with suppress(RecceMetaError, OSError, ValueError):
        url = location.url
        if url is not None and url.startswith(DUCKDB):
            return _rows_of_file(url.removeprefix(DUCKDB).partition("?")[0], location.schema, name)
        if url is not None:
            is_server = url.partition("://")[0].partition("+")[0] in _SERVERS
            return _rows_of_server(location, name) if is_server else []
        loaded = profiles.load_profile(
            location.profiles_dir, location.profile, location.target, project_dir=location.project_dir
        )
        if loaded.type == "duckdb":
            given = fields.Fields(loaded.fields, where=loaded.where, base_dir=loaded.project_dir)
            return _rows_of_file(given.resolve(given.text("path") or ""), location.schema, name)
        if loaded.type in _SERVERS:
            return _rows_of_server(location, name)
    return []


def _rows_of_file(path: str, schema: str, name: str) -> list[Any]:
    # A missing file must not cost the import of DuckDB.
    if not Path(path).is_file():
        return []
    duckdb = _duckdb()
    # Quoted here: the adapter's functions would import the whole package.
    (statement,) = query(name, "duckdb").statements('"' + schema.replace('"', '""') + '"')
    with suppress(duckdb.Error), closing(duckdb.connect(path, read_only=True, config=_SETTINGS)) as opened:
        rows: list[Any] = opened.execute(statement).fetchall()
        return rows
    return []


def _duckdb() -> Any:
    """Return DuckDB's extension module, which loads in a quarter of the time of its package."""
    with suppress(ImportError, AttributeError):
        module = import_module("_duckdb")
        if module.connect and module.Error:
            return module
    return import_module("duckdb")


def _rows_of_server(location: StoreLocation, name: str) -> list[Any]:
    """Return the rows of a query on a server, or none after `SERVER_SECONDS`."""
    found: list[Any] = []
    connecting = _adapter(location)

    def read() -> None:
        with suppress(RecceMetaError, OSError), connecting as opened:
            place = session.schema_text(opened.warehouse, location.schema)
            (statement,) = query(name, "postgres").statements(place)
            found.extend(opened.execute_with_cancel(statement, SERVER_SECONDS)[1])

    # A daemon, because the process must end even while the server is silent.
    reader = Thread(target=read, daemon=True)
    reader.start()
    reader.join(SERVER_SECONDS)
    # A copy, because the thread may still add rows.
    return list(found)


def _adapter(location: StoreLocation) -> adapter.UnifiedSqlAdapter:
    if location.url is not None:
        return adapter.UnifiedSqlAdapter.from_url(location.url, may_create=False)
    return adapter.UnifiedSqlAdapter.from_dbt_profile(
        location.profiles_dir,
        location.profile,
        location.target,
        project_dir=location.project_dir,
        may_create=False,
    )


def _nodes_of_manifest(project_dir: Path | None) -> Iterator[KnownNode]:
    """Yield the nodes of the project's manifest; none without a readable manifest."""
    try:
        root = profiles.find_project_dir(project_dir) or project_dir or Path()
        named = os.environ.get("DBT_ENGINE_TARGET_PATH") or os.environ.get("DBT_TARGET_PATH")
        file = root / (named or "target") / "manifest.json"
        if file.stat().st_size > LARGEST_MANIFEST:
            return
        manifest = json.loads(file.read_bytes())
    except (RecceMetaError, OSError, ValueError):
        return
    for kind in ("nodes", "sources", "exposures") if isinstance(manifest, dict) else ():
        entries = manifest.get(kind)
        for entry in entries.values() if isinstance(entries, dict) else ():
            with suppress(AttributeError, TypeError):  # an entry that is not as dbt writes it
                config = entry.get("config") or {}
                yield KnownNode(
                    str(entry["name"]) if "name" in entry else "",
                    str(entry.get("resource_type") or ""),
                    entry.get("source_name"),
                    str(entry.get("package_name") or ""),
                    str(entry.get("original_file_path") or "").replace("\\", "/"),
                    entry.get("tags") or (),
                    config.get("materialized"),
                    config.get("group"),
                )
