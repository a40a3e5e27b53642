"""Base class of warehouses: facts about a warehouse's SQL, and the mapping of profile fields to a connection.

A warehouse is one folder of this package, named after the `type:` of `profiles.yml`. Its module `connection`
defines one class that overrides the defaults below. Nothing here imports a driver or connects to a database:
the functions map values to values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import ClassVar

from recce_meta.errors import ProfileError, UsageError, WarehouseError, quoted
from recce_meta.warehouses.builds import BuildRules
from recce_meta.warehouses.fields import Fields, secret_values


@dataclass(frozen=True, slots=True)
class UrlParts:
    """Parts of a SQLAlchemy URL. The repr omits the password."""

    scheme: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    database: str | None = None
    query: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """Parameters for opening one connection. The repr omits fields that may contain secrets."""

    url: UrlParts
    database: str | None = None
    """Database (catalog, project) of unqualified names; None if the plan does not set it."""
    schema: str | None = None
    role: str | None = None
    """Role whose privileges apply, if it is not the user of the URL."""
    connect_args: Mapping[str, object] = field(default_factory=dict, repr=False)
    engine_args: Mapping[str, object] = field(default_factory=dict)
    statements: tuple[str, ...] = field(default=(), repr=False)
    """SQL statements to run on the new connection, in order."""
    warnings: tuple[str, ...] = ()
    """One sentence for each field that is recognized but ignored."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values that must not appear in any message."""
    connect_attempts: int = 1
    """Number of attempts while the server cannot be reached."""
    may_create: bool = True
    """True to create a database file that does not exist."""
    is_shareable: bool = True
    """True if two connections see the same data; false for a database in memory."""
    is_read_only: bool = False
    """True if transactions only read, in a warehouse that has read-only transactions."""
    statement_seconds: float | None = None
    """Time limit of each statement without one of its own; None for no limit."""


class OneMoment(Enum):
    """How the queries of one diff see one moment."""

    NEVER = "it is not supported"
    ALWAYS = "no other process can write meanwhile"
    EXPORTED = "transactions read the snapshot that another one exports"
    ONE_TRANSACTION = "one transaction runs all of them"


@dataclass(frozen=True, slots=True)
class StoreRights:
    """Rights of a role on a store. Names of tables are qualified and quoted."""

    schema: str
    """Quoted schema of the store."""
    role: str
    """Name of the role, as the user gave it."""
    database: str | None = None
    inserted: tuple[str, ...] = ()
    """Tables into which the role inserts rows; empty for a role that only reads."""
    updated: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The privileges to change rows, each with its tables; empty for a role that only reads."""
        named = (("INSERT", self.inserted), ("UPDATE", self.updated), ("DELETE", self.deleted))
        return tuple((privilege, tables) for privilege, tables in named if tables)


DUMMY = "recce_meta"
"""User, password, account or token of a target that is never logged in to."""
# This machine refuses at once if an adapter connects after all; another host could hang.
LOCAL_LOGIN: Mapping[str, object] = {"host": "127.0.0.1", "user": DUMMY, "password": DUMMY}


class Warehouse:
    """Default warehouse, which follows the SQL standard and PostgreSQL."""

    name: ClassVar[str] = ""
    """The `type:` of `profiles.yml`, and the name of the folder."""
    dialect: ClassVar[str] = ""
    """sqlglot's name of the dialect."""
    url_schemes: ClassVar[tuple[str, ...]] = ()
    """Schemes before `://` (or before `+driver://`) in a URL."""
    quote_character: ClassVar[str] = '"'
    """Character around a quoted identifier, doubled inside it."""
    max_identifier_length: ClassVar[int | None] = None
    """Maximum length of an identifier in bytes; None if no limit is documented."""
    error_classes: ClassVar[Mapping[str, type[WarehouseError]]] = {}
    """Error classes by error code or its prefix; the longest match wins."""
    aliases: ClassVar[Mapping[str, str]] = {}
    """Other spellings of profile fields: alias to canonical name."""
    distributions: ClassVar[tuple[str, ...]] = ()
    """Python packages of the driver, the driver first."""
    position_pattern: ClassVar[re.Pattern[str] | None] = None
    """Pattern for the position of an error in a message: groups `line` and `column`."""
    first_column: ClassVar[int] = 0
    """Offset that makes the columns in messages start at 1."""
    refused_hint: ClassVar[str] = "grant the role this right, or use another target"
    """Hint for a missing privilege if no grant statement is known."""
    driver: ClassVar[str] = ""
    """Folder of the driver, if it has another name; for a package `package.module:Class`."""
    catalog: ClassVar[str] = ""
    """Folder of the catalog, if it has another name; for a package `package.module:Class`."""
    store_dialect: ClassVar[str] = ""
    """Folder of `sql/dialects` with the store's SQL, if it is another warehouse's."""
    has_store: ClassVar[bool] = True
    """True if the metadata store can be in this warehouse."""
    shared_schema: ClassVar[str | None] = None
    """Only schema of a database, which holds the store among a user's relations; None if it has several."""
    read_only_codes: ClassVar[frozenset[str]] = frozenset()
    """Error codes of a read-only database, whatever the user's privileges."""
    dataset_namespace: ClassVar[str] = "{name}://{place}"
    """OpenLineage's namespace of its relations; `place` is a file, or host and port."""
    default_port: ClassVar[int | None] = None
    """Port in this namespace if the URL has none."""
    has_server_in_url: ClassVar[bool] = True
    """True if the host of a URL is that of the server; false for the name of an account or a project."""
    clock_sql: ClassVar[str] = "SELECT CURRENT_TIMESTAMP"
    """Query for the server's current time: with a time zone, or in UTC."""
    version_sql: ClassVar[str] = "SELECT version()"
    """Query for the server's version."""
    tls_sql: ClassVar[str | None] = None
    """Query with the version of TLS of the connection in its last column, empty without TLS; None if every
    connection has it, or none."""
    zone_sql: ClassVar[str | None] = None
    """Query with the time zone of the session in its column `value`, or the first; None if always UTC."""
    quotes_keep_case: ClassVar[bool] = False
    """True if quoted names are case-sensitive and unquoted names are folded."""
    is_called_by_file: ClassVar[bool] = False
    """True if the databases of all files have the same name, so that the file name identifies them."""
    joins_databases: ClassVar[bool] = False
    """True if one connection can read the tables of every database of the server."""
    is_in_process: ClassVar[bool] = False
    """True if it runs in this process and uses all cores for one query, so concurrent queries are slower."""
    has_transactions: ClassVar[bool] = True
    """True if several statements can form one transaction."""
    has_transactional_ddl: ClassVar[bool] = True
    """True if ROLLBACK undoes a CREATE in the transaction."""
    writers_sql: ClassVar[str | None] = None
    """Query for the sessions that write to the table `:relation`, as fields of `store.session.Writer`."""
    sends_scripts: ClassVar[bool] = False
    """True if several statements can be sent at once, separated by semicolons."""
    creates_store_apart: ClassVar[bool] = False
    """True if the store is nevertheless created statement by statement, before the writing transaction."""
    stores_changes: ClassVar[bool] = False
    """True if the store saves the differences between two graphs; its view `node_changes` reads them
    first.
    """
    replaces_views: ClassVar[bool] = True
    """True if CREATE OR REPLACE VIEW can change the columns of a view."""
    has_read_only_transactions: ClassVar[bool] = False
    """True if the driver opens read-only transactions for a plan that `is_read_only`."""
    changing_functions: ClassVar[tuple[str, ...]] = ()
    """Patterns of functions that change something although a query calls them: sessions, files, sequences."""
    host_functions: ClassVar[tuple[str, ...]] = ()
    """Patterns of functions and relations that show files, settings or sessions of the warehouse's host, or
    relations that a string names.
    """
    has_unsure_escapes: ClassVar[bool] = False
    """True if a setting that no statement can fix decides about backslashes in strings."""
    guarding_statements: ClassVar[tuple[str, ...]] = ()
    """Statements after which a connection only reads, and reads nothing of the host: see `guarded_plan`."""
    bracketed_queries: ClassVar[frozenset[str]] = frozenset()
    """Relations, `table` and `view`, whose query dbt's adapter puts into parentheses; tests are as tables."""
    build_rules: ClassVar[BuildRules | None] = None
    """How dbt builds incremental models here; None if unknown."""

    renames_repeated_columns: ClassVar[bool] = False
    """True if a relation can be built from a query that repeats a column name."""

    enforced_constraints: ClassVar[frozenset[str] | None] = None
    """Kinds of constraints that dbt creates here and the warehouse enforces: `CONSTRAINT_SUPPORT` of the
    adapter. None if unknown."""

    quotes_relations: ClassVar[bool] = True
    """True if dbt quotes relations by default:
    https://docs.getdbt.com/reference/project-configs/quoting"""

    own_configs: ClassVar[frozenset[str]] = frozenset()
    """Configurations of nodes that no other adapter of the built-in warehouses has."""

    def parse_fields(self, database: str, schema: str) -> Mapping[str, object]:
        """Return fields of a target with which `dbt parse` runs: it names relations, and logs in nowhere.

        Raises ConfigurationError if *database* cannot be a name here.
        """
        return {**LOCAL_LOGIN, "database": database, "schema": schema}

    def place_in_profile(self, fields: Mapping[str, str | None]) -> tuple[str | None, str | None]:
        """Return the database and the schema that *fields* of a target set; None stands for a template."""
        canonical = {self.aliases.get(name, name): value for name, value in fields.items() if value}
        return canonical.get("database"), canonical.get("schema")

    def quote_identifier(self, name: str) -> str:
        """Quote *name* for SQL. Raises UsageError if it is empty or has control characters."""
        if not name or any(ord(character) < 32 or ord(character) == 127 for character in name):
            raise UsageError(
                f"Invalid identifier: {quoted(name)}",
                hint="use a name with at least one character and no control characters",
            )
        return self.quote_name(name)

    def quote_name(self, name: str) -> str:
        """Quote *name*, an existing identifier, which may contain any character."""
        quote = self.quote_character
        return f"{quote}{name.replace(quote, quote * 2)}{quote}"

    def folded(self, name: str) -> str:
        """Return the name that the catalog stores if a statement uses *name* without quotes.

        A name that requires quotes is unchanged.
        """
        return name

    def quote_table(self, schema: str, table: str, database: str | None = None) -> str:
        """Return the qualified and quoted name of a table; without *database*, in the connection's
        database.
        """
        parts = [schema, table] if database is None else [database, schema, table]
        return ".".join(self.quote_identifier(part) for part in parts)

    def plan(self, fields: Fields) -> ConnectionPlan:
        """Return the connection plan for the rendered fields of one output in `profiles.yml`."""
        raise NotImplementedError

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """Return the connection plan for a URL."""
        raise NotImplementedError

    def one_moment(self, plan: ConnectionPlan) -> OneMoment:
        """Return how the queries of one diff over connections of *plan* see one moment."""
        return OneMoment.NEVER if plan.is_shareable else OneMoment.ALWAYS

    def reading_plan(self, plan: ConnectionPlan, schema: str) -> ConnectionPlan:
        """Return *plan* for a connection that only reads.

        Names without a schema are those of *schema* first.
        """
        # A new connection to a database in memory finds it empty.
        quoted_schema = self.quote_identifier(self.folded(schema))
        statements = self.reading_statements(quoted_schema) if plan.is_shareable else ()
        return replace(plan, is_read_only=True, may_create=False, statements=(*plan.statements, *statements))

    def file_reading_plan(self, plan: ConnectionPlan) -> ConnectionPlan:
        """Return *plan* for a command that only reads a file, which others can read as well."""
        return plan

    def guarded_plan(self, plan: ConnectionPlan) -> ConnectionPlan:
        """Return *plan* for queries of users of a server, who do not own the connection: it only reads.

        Names without a schema keep their meaning. Raises UsageError if such queries cannot be confined.
        """
        statements = (*plan.statements, *self.guarding_statements)
        return replace(plan, is_read_only=True, may_create=False, statements=statements)

    def reading_statements(self, quoted_schema: str) -> tuple[str, ...]:
        """Return the statements that make *quoted_schema* the default schema of a connection."""
        return (f"USE SCHEMA {quoted_schema}",)

    def grant_to_create_schema(self, database: str | None, role: str | None) -> str | None:
        """Return the SQL that lets *role* create a schema in *database*; None if no grant does."""
        where = self.quote_identifier(database) if database else "the_database"
        return f"GRANT CREATE ON DATABASE {where} TO {self._role(role)}"

    def may_create_schema_sql(self, database: str | None) -> str | None:
        """Return a query for whether the role may create a schema in *database*; None if no query can tell.

        Used if `has_transactional_ddl` is false, because trying a CREATE would leave a schema behind.
        """
        return None

    def grant_to_create_table(self, schema: str | None, role: str | None) -> str | None:
        """Return the SQL that lets *role* create tables and views in *schema*; None if no grant does."""
        return f"GRANT USAGE, CREATE ON SCHEMA {self._schema(schema)} TO {self._role(role)}"

    def grant_to_read(self, schema: str | None, role: str | None) -> str | None:
        """Return the SQL that lets *role* read the tables of *schema*; None if no grant does."""
        where, who = self._schema(schema), self._role(role)
        return (
            f"GRANT USAGE ON SCHEMA {where} TO {who}; GRANT SELECT ON ALL TABLES IN SCHEMA {where} TO {who}"
        )

    def store_grants(self, rights: StoreRights) -> tuple[str, ...]:
        """Return the statements, without semicolons, and the comments that give a role *rights* on a store.

        Relations that a later migration adds are readable as well.
        """
        where, who = rights.schema, self._role(rights.role)
        return (
            f"GRANT USAGE ON SCHEMA {where} TO {who}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {where} TO {who}",
            "-- Only for relations that the user who runs this statement creates later:",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {where} GRANT SELECT ON TABLES TO {who}",
            *(f"GRANT {privilege} ON\n  {_listed(tables)}\nTO {who}" for privilege, tables in rights.changes),
        )

    def _schema(self, name: str | None) -> str:
        return self.quote_identifier(name) if name else "the_schema"

    def _role(self, name: str | None) -> str:
        return self.quote_identifier(name) if name else "the_role"

    def error_position(self, error: BaseException, sql: str) -> tuple[int, int] | None:
        """Return the line and column in *sql*, both counted from 1, of the driver's *error*.

        The default searches the message for `position_pattern`, whose groups are `line` and `column`.
        """
        found = self.position_pattern and self.position_pattern.search(str(error))
        return (int(found["line"]), int(found["column"]) + self.first_column) if found else None

    def error_code(self, error: BaseException) -> str | None:
        """Return the code of the driver's *error*: its SQLSTATE, unless a warehouse has another."""
        code = getattr(error, "sqlstate", None)
        return code if isinstance(code, str) else None

    def error_message(self, error: BaseException) -> str:
        """Return the message of the driver's *error*, with the position in the statement if available."""
        return str(error)

    def lock_statements(self, seconds: float) -> tuple[str, ...]:
        """Return the statements of a new connection that limit how long it waits for locks of the server."""
        return ()

    def writing_statements(self, lock_seconds: float) -> tuple[str, ...]:
        """Return the first queries of a transaction that writes to the store.

        They let the server end it if the client vanishes, and stop waiting for locks after *lock_seconds*.
        """
        return ()

    def error_hint(self, code: str | None, message: str) -> str | None:
        """Return what to do about an error that its class does not explain; None if nothing is known."""
        return None

    def error_class(self, code: str | None, message: str = "") -> type[WarehouseError]:
        """Return the class for *code*, or for the *message* if codes are ambiguous; else WarehouseError."""
        if code is not None:
            for length in range(len(code), 0, -1):
                if (found := self.error_classes.get(code[:length])) is not None:
                    return found
        return WarehouseError


def _listed(tables: tuple[str, ...]) -> str:
    return ",\n  ".join(tables)


class UrlDatabase(Warehouse):
    """A database for comparing data, without the store."""

    has_store = False

    def plan(self, fields: Fields) -> ConnectionPlan:
        """Raise ProfileError: profiles do not support this database."""
        raise ProfileError(f"'{self.name}' is not supported in profiles", hint="use --url URL")

    def grant_to_create_schema(self, database: str | None, role: str | None) -> str | None:
        """Return None: nothing is ever created in this database."""
        return None

    def grant_to_create_table(self, schema: str | None, role: str | None) -> str | None:
        """Return None: nothing is ever created in this database."""
        return None

    def grant_to_read(self, schema: str | None, role: str | None) -> str | None:
        """Return None: the SQL differs between databases."""
        return None


def url_secrets(url: UrlParts) -> tuple[str, ...]:
    """Return the secrets in *url*: its password, and secret parameters."""
    named = (url.password, *secret_values(dict(url.query)))
    # Local databases often have a password that equals the user, and masking it would hide every user.
    return tuple(secret for secret in named if secret and secret != url.username)
