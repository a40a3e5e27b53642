"""What a warehouse is: facts about its SQL, and how a profile's fields become a connection.

A warehouse is one file in this package, named after the `type:` of `profiles.yml`, with one class that
overrides what differs from the documented defaults below. Nothing here imports a driver or talks to a
database: the functions take mappings and give values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from recce_meta.errors import UsageError, WarehouseError, quoted
from recce_meta.warehouses.fields import Fields

REGISTRY: dict[str, type[Warehouse]] = {}
"""Warehouse classes by name; a class enters by being defined."""


@dataclass(frozen=True, slots=True)
class UrlParts:
    """The pieces of a SQLAlchemy URL; the password never shows in its repr."""

    scheme: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    database: str | None = None
    query: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """Everything that is needed to open one connection; what may hold secrets never shows in its repr."""

    url: UrlParts
    database: str | None = None
    """The database (catalog, project) that unqualified names live in, where the plan tells."""
    schema: str | None = None
    role: str | None = None
    """Whose rights count, where that is not the URL's user."""
    connect_args: Mapping[str, object] = field(default_factory=dict, repr=False)
    engine_args: Mapping[str, object] = field(default_factory=dict)
    statements: tuple[str, ...] = field(default=(), repr=False)
    """SQL to run on the new connection, in order."""
    warnings: tuple[str, ...] = ()
    """One sentence for each field that is understood but not honoured."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values that no message may show."""
    connect_attempts: int = 1
    """How often to try while the server cannot be reached."""
    may_create: bool = True
    """Whether a database file that does not exist is created."""
    is_shareable: bool = True
    """Whether two connections see the same data: not so for a database in memory."""
    timezone_is_utc: bool = True
    """Whether the connection's time zone is UTC; the profile may set another."""


class Warehouse:
    """The defaults: a warehouse that follows the SQL standard and PostgreSQL."""

    name: ClassVar[str] = ""
    """The `type:` of `profiles.yml`, and the name of this file."""
    dialect: ClassVar[str] = ""
    """sqlglot's name of the dialect."""
    url_schemes: ClassVar[tuple[str, ...]] = ()
    """What may stand before `://` (or before `+driver://`) in a URL."""
    quote_character: ClassVar[str] = '"'
    """What surrounds a quoted identifier; it is doubled inside one."""
    max_identifier_length: ClassVar[int | None] = None
    """The longest identifier that is not cut or refused, in bytes; None where no limit is documented."""
    error_classes: ClassVar[Mapping[str, type[WarehouseError]]] = {}
    """Error codes, or their first characters, and what they mean; the longest that fits wins."""
    aliases: ClassVar[Mapping[str, str]] = {}
    """Other spellings of profile fields: alias to canonical name."""
    distributions: ClassVar[tuple[str, ...]] = ()
    """The Python packages that bring the driver, the driver first."""
    position_pattern: ClassVar[re.Pattern[str] | None] = None
    """How messages tell the line and the column of a fault: groups `line` and `column`."""
    first_column: ClassVar[int] = 0
    """What is added to a column in a message so that the first one is 1."""
    refused_hint: ClassVar[str] = "grant the role this right, or use another target"
    """What to do where a right is missing and no grant is known to give it."""
    driver: ClassVar[str] = ""
    """Its file in `adapter/drivers`, where that has another name; of a package's, `package.module:Class`."""
    catalog: ClassVar[str] = ""
    """Its file in `warehouses/catalogs`, likewise."""
    store_dialect: ClassVar[str] = ""
    """The folder of `sql/dialects` that makes the store, where that is another warehouse's."""
    has_store: ClassVar[bool] = True
    """Whether the metadata store can be kept in it."""
    read_only_codes: ClassVar[frozenset[str]] = frozenset()
    """Codes of errors that say that nobody may write here, whatever his rights."""
    clock_sql: ClassVar[str] = "SELECT CURRENT_TIMESTAMP"
    """What the server takes for now: a moment with a zone, or without one in UTC."""
    version_sql: ClassVar[str] = "SELECT version()"
    """What the server says of itself."""
    quotes_keep_case: ClassVar[bool] = False
    """Whether names in quotes that differ in case alone are two, and those without are folded."""
    is_called_by_file: ClassVar[bool] = False
    """Whether every file's database has the same name, so that the file's own tells one from another."""
    is_in_process: ClassVar[bool] = False
    """Whether it runs within this process and gives one statement all cores: several at once are slower."""
    has_transactions: ClassVar[bool] = True
    """Whether several statements can be one transaction."""
    has_transactional_ddl: ClassVar[bool] = True
    """Whether CREATE within a transaction is undone by ROLLBACK."""
    creates_store_apart: ClassVar[bool] = False
    """Whether the store is created statement by statement even so, ahead of the transaction that writes."""
    stores_changes: ClassVar[bool] = False
    """Whether the store keeps what differs between two graphs: its view `node_changes` reads that first."""
    replaces_wider_views: ClassVar[bool] = True
    """Whether CREATE OR REPLACE VIEW can add columns at the end of a view."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # A class of another package takes no built-in one's place, whatever name it inherits.
        if cls.name not in REGISTRY or cls.__module__.startswith(f"{__package__}."):
            REGISTRY[cls.name] = cls

    def quote_identifier(self, name: str) -> str:
        """*name* as it stands in SQL, whatever characters it holds."""
        if not name or any(ord(character) < 32 or ord(character) == 127 for character in name):
            raise UsageError(
                f"Not an identifier: {quoted(name)}",
                hint="a name has at least one character and no control characters",
            )
        return self.quote_name(name)

    def quote_name(self, name: str) -> str:
        """*name*, of what is there already and so may hold any character, as it stands in SQL."""
        quote = self.quote_character
        return f"{quote}{name.replace(quote, quote * 2)}{quote}"

    def folded(self, name: str) -> str:
        """The name that the catalog keeps where a statement writes *name* without quotes.

        A name that cannot be written without quotes is kept as it is.
        """
        return name

    def quote_table(self, schema: str, table: str, database: str | None = None) -> str:
        """The qualified name of a table, every part quoted; without *database*, the connection's own."""
        parts = [schema, table] if database is None else [database, schema, table]
        return ".".join(self.quote_identifier(part) for part in parts)

    def plan(self, fields: Fields) -> ConnectionPlan:
        """How to connect, from the rendered fields of one output in `profiles.yml`."""
        raise NotImplementedError

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """How to connect, from a URL."""
        raise NotImplementedError

    def grant_to_create_schema(self, database: str | None, role: str | None) -> str | None:
        """The SQL that lets *role* create a schema in *database*; None where no grant does."""
        where = self.quote_identifier(database) if database else "the_database"
        return f"GRANT CREATE ON DATABASE {where} TO {self._role(role)}"

    def may_create_schema_sql(self, database: str | None) -> str | None:
        """A query whose one value says whether the role may create a schema in *database*.

        Asked where `has_transactional_ddl` is false, so that nothing is created to find out. None where no
        query tells.
        """
        return None

    def grant_to_create_table(self, schema: str | None, role: str | None) -> str | None:
        """The SQL that lets *role* create tables and views in *schema*; None where no grant does."""
        return f"GRANT USAGE, CREATE ON SCHEMA {self._schema(schema)} TO {self._role(role)}"

    def grant_to_write(self, schema: str | None, role: str | None) -> str | None:
        """The SQL that lets *role* change rows of the tables of *schema*; None where no grant does."""
        where, who = self._schema(schema), self._role(role)
        return (
            f"GRANT USAGE ON SCHEMA {where} TO {who};"
            f" GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {where} TO {who}"
        )

    def grant_to_read(self, schema: str | None, role: str | None) -> str | None:
        """The SQL that lets *role* read the tables of *schema*; None where no grant does."""
        where, who = self._schema(schema), self._role(role)
        return (
            f"GRANT USAGE ON SCHEMA {where} TO {who}; GRANT SELECT ON ALL TABLES IN SCHEMA {where} TO {who}"
        )

    def _schema(self, name: str | None) -> str:
        return self.quote_identifier(name) if name else "the_schema"

    def _role(self, name: str | None) -> str:
        return self.quote_identifier(name) if name else "the_role"

    def error_position(self, error: BaseException, sql: str) -> tuple[int, int] | None:
        """Line and column in *sql*, both counted from 1, at which *error* of the driver points.

        The default reads the message by `position_pattern`, whose groups are `line` and `column`.
        """
        found = self.position_pattern and self.position_pattern.search(str(error))
        return (int(found["line"]), int(found["column"]) + self.first_column) if found else None

    def error_code(self, error: BaseException) -> str | None:
        """The code that the driver's *error* carries: its SQLSTATE, unless a warehouse has another."""
        code = getattr(error, "sqlstate", None)
        return code if isinstance(code, str) else None

    def error_message(self, error: BaseException) -> str:
        """What the driver's *error* says, with the place in the statement where it tells one."""
        return str(error)

    def error_class(self, code: str | None, message: str = "") -> type[WarehouseError]:
        """What *code* means, or the *message* where codes do not tell; else WarehouseError itself."""
        if code is not None:
            for length in range(len(code), 0, -1):
                if (found := self.error_classes.get(code[:length])) is not None:
                    return found
        return WarehouseError
