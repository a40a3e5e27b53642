"""`DatabasePlace`: the server or the file of a database, which needs no connection."""

from __future__ import annotations

import time
from collections.abc import Hashable
from pathlib import Path

from recce_meta.errors import StoreLocked, WarehouseError
from recce_meta.redaction import without_passwords
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.driver import BaseDriver

LOCK_RETRY_SECONDS = 0.1


class DatabasePlace:
    """Server or file of the database that *plan* connects to."""

    def __init__(self, driver: BaseDriver, plan: ConnectionPlan) -> None:
        self._driver = driver
        self._warehouse = driver.warehouse
        self._plan = plan

    @property
    def address(self) -> str:
        """Warehouse, host and database, to name this place without user and password."""
        url, file = self._plan.url, self.file_path()
        place = str(file) if file is not None else url.database or self._plan.database or ""
        port = f":{url.port}" if url.port else ""
        return f"{self._warehouse.name}://{url.host or ''}{port}/{without_passwords(place)}"

    @property
    def server(self) -> tuple[str, int | None] | None:
        """Host, and port if the driver does not choose it; None for a file, or if it chooses the host."""
        url = self._plan.url
        host = url.host if self._warehouse.has_server_in_url else None
        # A host with a slash is the folder of a socket.
        return (host, url.port or self._warehouse.default_port) if host and "/" not in host else None

    @property
    def dataset_namespace(self) -> str:
        """Namespace of its relations in OpenLineage: `postgres://host:5432`, `duckdb:///folder/file.duckdb`."""
        url, file = self._plan.url, self.file_path()
        port = url.port or self._warehouse.default_port
        host = f"{url.host or 'localhost'}{f':{port}' if port else ''}"
        return self._warehouse.dataset_namespace.format(name=self._warehouse.name, place=file or host)

    def file_path(self) -> Path | None:
        """Return the path of the database file; None if the database is not a file."""
        is_file = self._warehouse.is_called_by_file and self._plan.is_shareable
        return Path(self._plan.url.database or "").absolute() if is_file or self.file_state() else None

    def file_state(self) -> Hashable | None:
        """Return a value that changes when a process changes the database file; None if it is not a file."""
        return self._driver.file_state(self._plan)

    def copied_plan(self, folder: str, seconds: float) -> ConnectionPlan:
        """Copy the database file to *folder*, and return the plan of the copy; try again for *seconds*."""
        until = time.monotonic() + seconds
        while True:
            try:
                return self._driver.copy_file(self._plan, folder)
            except StoreLocked:
                if time.monotonic() >= until:
                    raise
                time.sleep(LOCK_RETRY_SECONDS)

    def has_raised(self, error: WarehouseError) -> bool:
        """Return True if this database has raised *error*; False if another one did, or it is unknown."""
        return error.url == self._plan.url

    def reaches_same(self, other: DatabasePlace) -> bool:
        """Return True if *other* has the same file, or the same URL and on a server the same search path."""
        is_one = self._warehouse.is_in_process or self._plan.statements == other._plan.statements
        mine, others = self.file_path(), other.file_path()
        is_place = other._plan.url == self._plan.url
        if mine is not None and others is not None and mine.exists() and others.exists():
            is_place = mine.samefile(others)
        return is_one and is_place and self._warehouse.name == other._warehouse.name

    def shares_server_with(self, other: DatabasePlace) -> bool:
        """Return True if one connection can name the tables of both this place and *other*.

        Both must be on one server, and in one database unless statements can name another database.
        Privileges are not checked.
        """
        mine, others = self._plan.url, other._plan.url
        is_same = self._warehouse.name == other._warehouse.name and mine.host is not None
        is_same = is_same and (mine.host, mine.port) == (others.host, others.port)
        return is_same and (self._warehouse.joins_databases or mine.database == others.database)
