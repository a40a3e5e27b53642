"""PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping

from recce_meta.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryCancelled,
    SyntaxFailed,
    TransientFailure,
)
from recce_meta.warehouses.base import ConnectionPlan, UrlParts, Warehouse


class Postgres(Warehouse):
    """PostgreSQL 12 and later, through psycopg 3."""

    name = "postgres"
    dialect = "postgres"
    url_schemes = ("postgresql", "postgres")
    # https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
    max_identifier_length = 63
    # https://www.postgresql.org/docs/current/errcodes-appendix.html
    error_classes = {
        "08": ConnectionFailed,
        "28": AuthenticationFailed,
        "3D000": ConnectionFailed,
        "3F000": MissingRelation,
        "40": TransientFailure,
        "42501": PermissionDenied,
        "42601": SyntaxFailed,
        "42703": MissingRelation,
        "42P01": MissingRelation,
        "53": TransientFailure,
        "55P03": TransientFailure,
        "57014": QueryCancelled,
        "57P": ConnectionFailed,
    }

    def plan(self, fields: Mapping[str, object]) -> ConnectionPlan:
        """How to connect, from one output of `profiles.yml`."""
        database = str(fields.get("dbname", fields.get("database")))
        password = fields.get("pass", fields.get("password"))
        url = UrlParts(
            "postgresql+psycopg",
            username=str(fields["user"]),
            password=None if password is None else str(password),
            host=str(fields["host"]),
            port=int(str(fields.get("port", 5432))),
            database=database,
        )
        return ConnectionPlan(
            url,
            database=database,
            schema=str(fields["schema"]),
            connect_args={"application_name": "recce_meta", "options": "-c timezone=UTC"},
            secrets=() if url.password is None else (url.password,),
        )

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """How to connect, from `postgresql://user:password@host:port/database`."""
        whole = UrlParts(
            "postgresql+psycopg", url.username, url.password, url.host, url.port, url.database, url.query
        )
        args = {"application_name": "recce_meta", "options": "-c timezone=UTC"}
        return ConnectionPlan(
            whole,
            database=url.database,
            connect_args={key: value for key, value in args.items() if key not in url.query},
            secrets=() if url.password is None else (url.password,),
        )
