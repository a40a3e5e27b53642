"""DuckDB, embedded: a file, or memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from recce_meta.errors import (
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryCancelled,
    SyntaxFailed,
    TransientFailure,
)
from recce_meta.warehouses.base import ConnectionPlan, UrlParts, Warehouse


class DuckDB(Warehouse):
    """DuckDB 1.1 and later."""

    name = "duckdb"
    dialect = "duckdb"
    url_schemes = ("duckdb",)
    folds_to = "as is"
    quoted_case_is_significant = False
    error_classes = {
        "BinderException": MissingRelation,
        "CatalogException": MissingRelation,
        "ConnectionException": ConnectionFailed,
        "InterruptException": QueryCancelled,
        "IOException": ConnectionFailed,
        "ParserException": SyntaxFailed,
        "PermissionException": PermissionDenied,
        "TransactionException": TransientFailure,
    }

    def error_code(self, error: BaseException) -> str | None:
        """The name of the driver's exception class: DuckDB has no codes."""
        return type(error).__name__

    def plan(self, fields: Mapping[str, object]) -> ConnectionPlan:
        """How to connect, from one output of `profiles.yml`."""
        path = str(fields.get("path", ":memory:"))
        return ConnectionPlan(
            UrlParts("duckdb", database=path),
            database=_database_name(path),
            schema=str(fields.get("schema", "main")),
        )

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """How to connect, from `duckdb:///relative.duckdb`, `duckdb:////absolute` or `duckdb:///:memory:`."""
        path = url.database or ":memory:"
        return ConnectionPlan(
            UrlParts("duckdb", database=path), database=_database_name(path), connect_args={"config": dict(url.query)}
        )


def _database_name(path: str) -> str:
    if path == ":memory:":
        return "memory"
    return next(part for part in PurePath(path).name.split(".") if part)
