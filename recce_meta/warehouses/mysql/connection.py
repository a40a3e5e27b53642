"""MySQL 8 and MariaDB 10.6 and later, through PyMySQL. Run on MariaDB 10.11."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
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
    UsageError,
    WarehouseError,
    quoted,
)
from recce_meta.warehouses.base import ConnectionPlan, OneMoment, UrlDatabase, UrlParts, url_secrets

SCHEME = "mysql+pymysql"
CONNECT_SECONDS = 10

# https://mariadb.com/kb/en/sql-mode/, https://dev.mysql.com/doc/refman/8.0/en/sql-mode.html
_OTHER_SYNTAX = (
    *("EMPTY_STRING_IS_NULL", "HIGH_NOT_PRECEDENCE", "NO_BACKSLASH_ESCAPES", "NO_ZERO_DATE"),
    *("NO_ZERO_IN_DATE", "ONLY_FULL_GROUP_BY", "ORACLE"),
)
_FIRST_STATEMENTS = (
    # The server's own modes, without those in which our statements would mean something else, or NULL.
    f"SET SESSION sql_mode = REGEXP_REPLACE(@@sql_mode, '{'|'.join(_OTHER_SYNTAX)}', '')",
    "SET SESSION group_concat_max_len = 1048576",
)


class Database(UrlDatabase):
    """MySQL and MariaDB."""

    name = "mysql"
    default_port = 3306
    tls_sql = "SHOW SESSION STATUS LIKE 'Ssl_version'"
    zone_sql = "SELECT IF(@@time_zone = 'SYSTEM', @@system_time_zone, @@time_zone)"
    dialect = "mysql"
    joins_databases = True
    url_schemes: ClassVar[tuple[str, ...]] = ("mysql", "mariadb")
    distributions: ClassVar[tuple[str, ...]] = ("pymysql",)
    quote_character = "`"
    # https://dev.mysql.com/doc/refman/8.0/en/identifier-length.html: characters, of up to three bytes each
    max_identifier_length = 64
    # https://dev.mysql.com/doc/refman/8.0/en/implicit-commit.html
    has_transactional_ddl = False
    # https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html; the driver's own from 2000 on
    error_classes: ClassVar[Mapping[str, type[WarehouseError]]] = {
        "1040": TransientFailure,  # too many connections
        "1044": PermissionDenied,  # a database
        "1045": AuthenticationFailed,
        "1049": ConnectionFailed,  # database not found
        "1054": MissingRelation,  # a column
        "1064": SyntaxFailed,
        "1142": PermissionDenied,
        "1143": PermissionDenied,
        "1146": MissingRelation,
        "1205": TransientFailure,
        "1213": TransientFailure,
        "1227": PermissionDenied,
        "1305": MissingRelation,  # a function
        "1317": QueryCancelled,
        "1698": AuthenticationFailed,
        "1927": ConnectionFailed,  # killed
        "1969": QueryTimeout,  # MariaDB's max_statement_time
        "2003": ConnectionFailed,
        "2006": ConnectionFailed,
        "2013": ConnectionFailed,
        "3024": QueryTimeout,  # MySQL's max_execution_time
        "4031": ConnectionFailed,
    }
    position_pattern = re.compile(r"at line (?P<line>\d+)(?P<column>)")

    def error_position(self, error: BaseException, sql: str) -> tuple[int, int] | None:
        """Return the position of the text that the message quotes, since the server only reports the line."""
        found = re.search(r"near '(?P<rest>.+?)' at line \d+", str(error), re.DOTALL)
        start = sql.find(found["rest"]) if found else -1
        if start < 0:
            return None
        before = sql[:start]
        return before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1

    def error_code(self, error: BaseException) -> str | None:
        """Return the number that the driver puts before the message."""
        number = error.args[0] if error.args else None
        return str(number) if isinstance(number, int) else None

    def error_message(self, error: BaseException) -> str:
        """Return the message without that number."""
        return str(error.args[1]) if len(error.args) > 1 else str(error)

    def quote_table(self, schema: str, table: str, database: str | None = None) -> str:
        """Return the name of a table. A database is a schema, so *database* must be None."""
        if database is not None:
            raise UsageError(f"{self.name} has no databases above schemas: '{database}'")
        return super().quote_table(schema, table)

    def quote_identifier(self, name: str) -> str:
        """Quote *name*. Raises UsageError for characters beyond the basic plane and trailing blanks.

        https://dev.mysql.com/doc/refman/8.0/en/identifiers.html
        """
        identifier = super().quote_identifier(name)
        if name.endswith(" ") or any(ord(character) > 0xFFFF for character in name):
            raise UsageError(
                f"Invalid MySQL identifier: {quoted(name)}",
                hint="use a name without a trailing blank and without characters beyond U+FFFF",
            )
        return identifier

    def grant_to_read(self, schema: str | None, role: str | None) -> str | None:
        """https://dev.mysql.com/doc/refman/8.0/en/grant.html"""
        where = self.quote_identifier(schema) if schema else "the_database"
        who = self.quote_identifier(role) if role else "the_user"
        return f"GRANT SELECT ON {where}.* TO {who}"

    def one_moment(self, plan: ConnectionPlan) -> OneMoment:
        """A transaction of one connection, since MySQL has no names of snapshots."""
        return OneMoment.ONE_TRANSACTION

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """Return the connection plan for `mysql://user:password@host:3306/database?ssl_ca=…`.

        Parameters are PyMySQL's. `mysql` and `mariadb`, with or without driver, all use it.
        """
        driver = url.scheme.partition("+")[2]
        if driver not in ("", "pymysql"):
            raise UsageError(
                f"Driver '{driver}' of {url.scheme}:// is not supported", hint=f"use {SCHEME}://…"
            )
        given: dict[str, object] = {"charset": "utf8mb4", "connect_timeout": CONNECT_SECONDS}
        return ConnectionPlan(
            replace(url, scheme=SCHEME, host=url.host or "127.0.0.1"),
            database=url.database,
            schema=url.database,
            connect_args={name: value for name, value in given.items() if name not in url.query},
            statements=_FIRST_STATEMENTS,
            secrets=url_secrets(url),
        )
