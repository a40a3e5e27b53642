"""PostgreSQL: connection fields of dbt-postgres, and facts about its SQL."""

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
from recce_meta.models.change import Category
from recce_meta.warehouses.base import LOCAL_LOGIN, ConnectionPlan, OneMoment, UrlParts, Warehouse
from recce_meta.warehouses.builds import (
    DEFAULT_BY_KEY,
    KEYED_STRATEGIES,
    BuildRules,
    Outcome,
    Statement,
    failing,
)
from recce_meta.warehouses.error_position import line_and_column
from recce_meta.warehouses.fields import Fields

DEFAULT_PORT = 5432
DEFAULT_CONNECT_SECONDS = 10

# Seconds, a number of probes, and milliseconds: a broken connection is closed after a minute.
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
"""Value of `sslrootcert` for the system's trusted certificates."""
# `prepare_threshold`: a pooler in transaction mode (PgBouncer) uses another server connection for each
# transaction, which lacks earlier prepared statements.
_DRIVER_ARGUMENTS: Mapping[str, object] = {
    "application_name": "recce_meta",
    "client_encoding": "utf8",
    "connect_timeout": DEFAULT_CONNECT_SECONDS,
    **KEEPALIVES,
    "prepare_threshold": None,
}
_ENGINE_ARGUMENTS: Mapping[str, object] = {"use_native_hstore": False}


# English messages of servers and libpq for an invalid user or password.
_REFUSED = re.compile(
    r"authentication failed|no password supplied|role \".*\" does not exist|no pg_hba\.conf entry"
)

_SERVER_LIMIT = "statement timeout"
"""English message for code 57014 caused by a timeout; in other languages it counts as a cancellation."""


LOCK_SECONDS = 2.5
"""How long one statement of a writer waits for a lock."""
VANISHED_CLIENT = {
    # The client froze, or its machine went away, between two statements.
    "idle_in_transaction_session_timeout": "45s",
    # It went away during a statement, and the probes of the server get no answer.
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
    "tcp_user_timeout": "35s",
}
"""Settings of the server for a transaction that holds locks of the store."""
_LOCK_LIMIT = """
SELECT set_config('lock_timeout', '{milliseconds}', false) WHERE current_setting('lock_timeout') = '0'
"""
# An older server does not have all of them.
_LIMITS = """
SELECT set_config(name, setting, true) FROM (VALUES {settings}) AS limits (name, setting)
WHERE current_setting(name, true) IS NOT NULL
"""

_REPLACED = Outcome(Category.NON_BREAKING, "are replaced by what the query returns")


class Postgres(Warehouse):
    """PostgreSQL 12 and later, through psycopg 3."""

    name = "postgres"
    enforced_constraints = frozenset(["check", "not_null", "unique", "primary_key", "foreign_key"])
    default_port = DEFAULT_PORT
    tls_sql = "SELECT CASE WHEN ssl THEN version END FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    bracketed_queries = frozenset(["table", "view"])
    build_rules = BuildRules(
        {**KEYED_STRATEGIES, "microbatch": Statement.KEYED},
        *DEFAULT_BY_KEY,
        replacements={
            ("table", "materialized_view"): _REPLACED,
            ("materialized_view", "table"): _REPLACED,
            ("view", "materialized_view"): _REPLACED,
            ("materialized_view", "incremental"): failing("a materialized view is not a table"),
        },
        # https://www.postgresql.org/docs/current/sql-createview.html#SQL-CREATEVIEW-UPDATABLE-VIEWS
        writes_views=True,
    )
    sends_scripts = True
    dialect = "postgres"
    url_schemes: ClassVar[tuple[str, ...]] = ("postgresql", "postgres")
    own_configs: ClassVar[frozenset[str]] = frozenset(["unlogged"])
    distributions: ClassVar[tuple[str, ...]] = ("psycopg",)
    version_sql = "SHOW server_version"
    zone_sql = "SHOW timezone"
    stores_changes = True
    # https://www.postgresql.org/docs/current/sql-createview.html: only columns at its end
    replaces_views = False
    read_only_codes = frozenset({"25006"})
    has_read_only_transactions = True
    # https://www.postgresql.org/docs/current/functions-admin.html; a read-only transaction allows these
    changing_functions: ClassVar[tuple[str, ...]] = (
        *("dblink*", "lo_*", "loread", "lowrite", "nextval", "set_config", "setval", "cursor_to_xml*"),
        *("pg_advisory_*", "pg_backup_*", "pg_cancel_backend", "pg_create_*", "pg_copy_*", "pg_drop_*"),
        *("pg_file_*", "pg_log_*", "pg_logical_*", "pg_notify", "pg_promote", "pg_reload_conf"),
        *("pg_replication_*", "pg_rotate_*", "pg_start_backup", "pg_stat_reset*", "pg_stop_backup"),
        *("pg_switch_*", "pg_terminate_backend", "pg_try_advisory_*", "pg_wal_replay_*", "query_to_xml*"),
        *("pg_import_*", "ts_rewrite", "ts_stat"),  # the last two run a query in a string
    )
    # https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-GENFILE, and catalogs with
    # passwords, settings and statements of other sessions
    host_functions: ClassVar[tuple[str, ...]] = (
        *("pg_read_*", "pg_ls_*", "pg_stat_file", "pg_current_logfile*", "pg_stat_get_activity"),
        *("pg_stat_activity", "pg_stat_statements", "pg_authid", "pg_shadow", "pg_user_mapping*"),
        *("pg_hba_file_*", "pg_ident_file_*", "pg_file_settings", "pg_show_all_*", "pg_settings"),
        *("pg_largeobject*", "pg_get_wal_*", "pg_walfile_*", "pg_stat_replication", "pg_subscription"),
        *("pg_stat_wal_receiver", "pg_foreign_server", "pg_options_to_table", "current_setting"),
        *("pg_stat_get_backend_*", "pg_stat_get_wal_*", "pg_db_role_setting", "pg_relation_filepath"),
        *("pg_stat_progress_*", "pg_stat_get_progress_info", "pg_stat_ssl", "pg_stat_gssapi", "pg_config"),
        *("pg_locks", "pg_lock_status", "pg_prepared_xact*"),
        *("user_mapping_options", "_pg_user_mappings", "foreign_server_options", "_pg_foreign_servers"),
        # https://www.postgresql.org/docs/current/functions-xml.html#FUNCTIONS-XML-MAPPING and extensions:
        # a string names the relation, or is a query
        *("table_to_xml*", "schema_to_xml*", "database_to_xml*", "query_to_xml*", "cursor_to_xml*"),
        *("dblink*", "xpath_table", "crosstab", "crosstab[234n]", "crosstab_hash", "connectby"),
        *("run_command_on_*", "pg_background_*", "aws_s3", "aws_lambda"),
    )
    # sqlglot reads strings as with `standard_conforming_strings`, which a role can switch off.
    guarding_statements: ClassVar[tuple[str, ...]] = (
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET standard_conforming_strings = on",
    )
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
        "53300": TransientFailure,  # too many connections; a full disk (53100) is not temporary
        "55P03": TransientFailure,
        "57014": QueryCancelled,
        "57P": ConnectionFailed,
        # The driver's own classes, without SQLSTATE: no server responded, or the connection is lost.
        "ConnectionTimeout": ConnectionFailed,
        "OperationalError": ConnectionFailed,
    }

    # A writer that waits for the row of another one has its lock of the table as well.
    # https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
    writers_sql = """
SELECT pid, usename, host(client_addr), state,
  CAST(coalesce(max(EXTRACT(epoch FROM clock_timestamp() - xact_start)), 0) AS float8)
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE pg_locks.relation = to_regclass(:relation) AND mode <> 'AccessShareLock' AND granted
  AND pid <> pg_backend_pid() AND wait_event_type IS DISTINCT FROM 'Lock'
GROUP BY pid, usename, client_addr, state
ORDER BY 5 DESC, 1
"""

    def parse_fields(self, database: str, schema: str) -> Mapping[str, object]:
        return {**LOCAL_LOGIN, "port": 5432, "dbname": database, "schema": schema}

    def lock_statements(self, seconds: float) -> tuple[str, ...]:
        """Return the query that limits how long statements wait for a lock; a limit of the role stays."""
        milliseconds = max(1, round(seconds * 1000))
        return (_LOCK_LIMIT.replace("{milliseconds}", str(milliseconds)),)

    def writing_statements(self, lock_seconds: float) -> tuple[str, ...]:
        """Return one query that sets limits until the end of the transaction.

        https://www.postgresql.org/docs/current/runtime-config-client.html and
        https://www.postgresql.org/docs/current/runtime-config-connection.html
        """
        # A shorter wait, repeated by the caller: in between, it reports for whom it waits.
        wait = max(1, round(1000 * min(lock_seconds, LOCK_SECONDS)))
        limits = {**VANISHED_CLIENT, "lock_timeout": f"{wait}ms"}
        settings = ", ".join(f"('{name}', '{value}')" for name, value in limits.items())
        return (_LIMITS.replace("{settings}", settings),)

    def one_moment(self, plan: ConnectionPlan) -> OneMoment:
        """Snapshots that a transaction exports for others."""
        return OneMoment.EXPORTED

    def reading_statements(self, quoted_schema: str) -> tuple[str, ...]:
        """Return the statements that make transactions read-only and put the schema first in the path.

        Compilation (`jit`) is switched off: it takes up to a second for queries of a few milliseconds.
        """
        schema = "'" + quoted_schema.replace("'", "''") + "'"
        return (
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "SELECT set_config('search_path',"
            f" concat_ws(', ', {schema}, nullif(current_setting('search_path'), '')), false),"
            " set_config('jit', 'off', false)",
        )

    def error_code(self, error: BaseException) -> str | None:
        """Return the SQLSTATE, or the driver's class name if no server responded."""
        return super().error_code(error) or type(error).__name__

    def error_position(self, error: BaseException, sql: str) -> tuple[int, int] | None:
        """Return the position of the character that the server reports."""
        offset = getattr(getattr(error, "diag", None), "statement_position", None)
        return line_and_column(int(offset), sql) if offset and str(offset).isdigit() else None

    def error_hint(self, code: str | None, message: str) -> str | None:
        # The server has no other code for it.
        is_elsewhere = code == "0A000" and "cross-database" in message
        return "name the other database by --base-target TARGET or URL" if is_elsewhere else None

    def error_class(self, code: str | None, message: str = "") -> type[WarehouseError]:
        """Return the class for *code*; at login the code is not available, so the message decides."""
        if code == "OperationalError" and _REFUSED.search(message):
            return AuthenticationFailed
        if code == "57014" and _SERVER_LIMIT in message:
            return QueryTimeout
        return super().error_class(code, message)

    def plan(self, fields: Fields) -> ConnectionPlan:
        """Return the connection plan for one output of `profiles.yml`."""
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
        """Return the connection plan for `postgresql://user:password@host:port/database?sslmode=require`."""
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
    """Return the settings for a new connection; poolers reject start-up `options`."""
    path = () if search_path is None else (f"set_config('search_path', {_literal(search_path)}, false)",)
    roles = () if role is None else (f"SET ROLE {quoted_role(role, warehouse)}",)
    # dbt's driver sets it, and the order of day and month stays that of the database.
    style = "set_config('datestyle', 'iso', false)"
    return (f"SELECT {', '.join((style, *path, _END_WITH_CLIENT))}", *roles)


# Makes the server detect a killed client while a query runs: PostgreSQL 14 and later on Linux.
# https://www.postgresql.org/docs/current/runtime-config-connection.html
_END_WITH_CLIENT = (
    "CASE WHEN current_setting('client_connection_check_interval', true) = '0' AND version() LIKE '%linux%'"
    " THEN set_config('client_connection_check_interval', '2s', false) END"
)


def quoted_role(name: str, warehouse: Warehouse) -> str:
    """Return the role that dbt would use, which sends *name* unquoted."""
    if name.startswith('"') and name.endswith('"') and len(name) > 2:
        return warehouse.quote_identifier(name[1:-1].replace('""', '"'))
    is_plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", name) is not None
    return warehouse.quote_identifier(name.lower() if is_plain else name)


def _literal(text: str) -> str:
    # E'' strings do not depend on `standard_conforming_strings`.
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
