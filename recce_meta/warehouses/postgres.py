"""PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from recce_meta.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryCancelled,
    QueryTimeout,
    SyntaxFailed,
    TransientFailure,
    WarehouseError,
)
from recce_meta.warehouses.base import ConnectionPlan, UrlParts, Warehouse
from recce_meta.warehouses.fields import Fields
from recce_meta.warehouses.position import place_of

DEFAULT_PORT = 5432
DEFAULT_CONNECT_SECONDS = 10

# Seconds, a number of probes, and milliseconds: a connection whose other end is gone ends after a minute.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-KEEPALIVES
KEEPALIVES: Mapping[str, object] = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

SSL_FILES = ("sslcert", "sslkey", "sslrootcert")
# https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SYSTEM = "system"
"""As `sslrootcert`: the certificates that the system trusts."""
# `prepare_threshold`: a pooler in transaction mode (PgBouncer) gives each transaction another server
# connection, which does not know what an earlier one has prepared.
_DRIVER_ARGUMENTS: Mapping[str, object] = {
    "application_name": "recce_meta",
    "client_encoding": "utf8",
    "connect_timeout": DEFAULT_CONNECT_SECONDS,
    **KEEPALIVES,
    "prepare_threshold": None,
}
_ENGINE_ARGUMENTS: Mapping[str, object] = {"use_native_hstore": False}


# What servers and libpq say, in English, of a user or password that does not serve.
_REFUSED = re.compile(
    r"authentication failed|no password supplied|role \".*\" does not exist|no pg_hba\.conf entry"
)

_SERVER_LIMIT = "statement timeout"
"""Of what 57014 means, this alone is a limit, in English; in other languages it passes for a wish."""


class Postgres(Warehouse):
    """PostgreSQL 12 and later, through psycopg 3."""

    name = "postgres"
    dialect = "postgres"
    url_schemes: ClassVar[tuple[str, ...]] = ("postgresql", "postgres")
    distributions: ClassVar[tuple[str, ...]] = ("psycopg",)
    version_sql = "SHOW server_version"
    stores_changes = True
    read_only_codes = frozenset({"25006"})
    # https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
    max_identifier_length = 63
    quotes_keep_case = True
    # https://docs.getdbt.com/docs/core/connect-data-platform/postgres-setup
    aliases: ClassVar[Mapping[str, str]] = {"pass": "password", "dbname": "database"}
    # https://www.postgresql.org/docs/current/errcodes-appendix.html
    error_classes: ClassVar[Mapping[str, type[WarehouseError]]] = {
        "08": ConnectionFailed,
        "28": AuthenticationFailed,
        "25006": PermissionDenied,
        "3D000": ConnectionFailed,
        "3F000": MissingRelation,
        "40001": TransientFailure,
        "40P01": TransientFailure,
        "42501": PermissionDenied,
        "42601": SyntaxFailed,
        "42703": MissingRelation,
        "42883": MissingRelation,
        "42P01": MissingRelation,
        "53300": TransientFailure,  # too many connections; a full disk (53100) does not pass
        "55P03": TransientFailure,
        "57014": QueryCancelled,
        "57P": ConnectionFailed,
        # The driver's own, which carry no SQLSTATE: nobody answers, or the connection is lost.
        "ConnectionTimeout": ConnectionFailed,
        "OperationalError": ConnectionFailed,
    }

    def error_code(self, error: BaseException) -> str | None:
        """The SQLSTATE; where there is none, because no server spoke, the name of the driver's class."""
        return super().error_code(error) or type(error).__name__

    def error_position(self, error: BaseException, sql: str) -> tuple[int, int] | None:
        """Where the server says that the fault is: the number of a character."""
        offset = getattr(getattr(error, "diag", None), "statement_position", None)
        return place_of(int(offset), sql) if offset and str(offset).isdigit() else None

    def error_class(self, code: str | None, message: str = "") -> type[WarehouseError]:
        """What *code* means; at login the server's code is not passed on, and the message must tell."""
        if code == "OperationalError" and _REFUSED.search(message):
            return AuthenticationFailed
        if code == "57014" and _SERVER_LIMIT in message:
            return QueryTimeout
        return super().error_class(code, message)

    def plan(self, fields: Fields) -> ConnectionPlan:
        """How to connect, from one output of `profiles.yml`."""
        url = UrlParts(
            "postgresql+psycopg",
            username=fields.required_text("user"),
            password=fields.text("password"),
            host=fields.required_text("host"),
            port=fields.integer("port", DEFAULT_PORT),
            database=fields.required_text("database"),
        )
        connect_args = _connect_args(fields)
        statements = _session_statements(fields.text("search_path"), fields.text("role"), self)
        retries = fields.integer("retries") or 0
        schema = fields.required_text("schema")
        fields.without_meaning_here("autocommit", "threads", "type")
        return ConnectionPlan(
            url,
            database=url.database,
            schema=schema,
            role=fields.text("role"),
            connect_args=connect_args,
            engine_args=_ENGINE_ARGUMENTS,
            statements=statements,
            warnings=fields.leftovers(),
            secrets=fields.secrets(),
            connect_attempts=1 + max(0, retries),
        )

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """How to connect, from `postgresql://user:password@host:port/database?sslmode=require`."""
        whole = UrlParts(
            "postgresql+psycopg", url.username, url.password, url.host, url.port, url.database, url.query
        )
        named = (url.password, url.query.get("password"), url.query.get("sslpassword"))
        return ConnectionPlan(
            whole,
            database=url.database,
            connect_args={key: value for key, value in _DRIVER_ARGUMENTS.items() if key not in url.query},
            engine_args=_ENGINE_ARGUMENTS,
            statements=_session_statements(None, None, self),
            secrets=tuple(str(secret) for secret in named if secret and secret != url.username),
        )


def _connect_args(fields: Fields) -> dict[str, object]:
    given: dict[str, object] = {
        "application_name": fields.text("application_name"),
        "connect_timeout": fields.integer("connect_timeout"),
        "keepalives_idle": fields.integer("keepalives_idle") or None,
        "sslmode": fields.choice("sslmode", SSL_MODES),
    }
    given |= {
        name: SYSTEM if fields.text(name) == SYSTEM else fields.path(name) or None for name in SSL_FILES
    }
    return {**_DRIVER_ARGUMENTS, **{name: value for name, value in given.items() if value is not None}}


def _session_statements(search_path: str | None, role: str | None, warehouse: Postgres) -> tuple[str, ...]:
    """What to set on a new connection; not as start-up `options`, which poolers refuse."""
    settings = {"TimeZone": "UTC"}
    if search_path is not None:
        settings["search_path"] = search_path
    calls = ", ".join(
        f"set_config({_literal(name)}, {_literal(value)}, false)" for name, value in settings.items()
    )
    calls += _END_WITH_CLIENT
    roles = () if role is None else (f"SET ROLE {_role(role, warehouse)}",)
    return (f"SELECT {calls}", *roles)


# A server that runs a statement looks for a client that was killed, where it can: PostgreSQL 14 and later on
# Linux. https://www.postgresql.org/docs/current/runtime-config-connection.html
_END_WITH_CLIENT = (
    ", CASE WHEN current_setting('client_connection_check_interval', true) = '0' AND version() LIKE '%linux%'"
    " THEN set_config('client_connection_check_interval', '2s', false) END"
)


def _role(name: str, warehouse: Postgres) -> str:
    """The role that dbt, which sends *name* unquoted, would get."""
    if name.startswith('"') and name.endswith('"') and len(name) > 2:
        return warehouse.quote_identifier(name[1:-1].replace('""', '"'))
    is_plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", name) is not None
    return warehouse.quote_identifier(name.lower() if is_plain else name)


def _literal(text: str) -> str:
    # E'' strings read the same whatever `standard_conforming_strings` says.
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
