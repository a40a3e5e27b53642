"""DuckDB, embedded: a file, memory, or MotherDuck. Supports the fields of dbt-duckdb."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import ClassVar
from urllib.parse import unquote

from recce_meta.errors import (
    ConfigurationError,
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryCancelled,
    StoreLocked,
    SyntaxFailed,
    TransientFailure,
    UsageError,
    WarehouseError,
)
from recce_meta.warehouses.base import ConnectionPlan, OneMoment, StoreRights, UrlParts, Warehouse
from recce_meta.warehouses.builds import (
    DEFAULT_BY_KEY,
    KEYED_STRATEGIES,
    REMOVED_STAYS,
    BuildRules,
    Edit,
    SeedLoad,
    Statement,
    failing,
)
from recce_meta.warehouses.error_position import line_and_column, place_by_caret
from recce_meta.warehouses.fields import Fields, secret_values

MEMORY = ":memory:"
"""Path of a database in memory. A name may follow."""

# The progress bar of queries over two seconds would be printed to standard output, between our data.
_FIRST_STATEMENTS = ("SET enable_progress_bar = false",)


_MOTHERDUCK = ("motherduck_token", "motherduck_attach_mode", "motherduck_saas_mode")
"""Options of MotherDuck, in the order in which they must be set: the last one locks the rest."""

_ATTACHMENT = ("path", "type", "alias", "secret", "read_only", "options", "is_ducklake")
"""Keys of an entry of `attach:`."""

_STOPS_AT_NEW = failing("MERGE writes by name a column that the table lacks")

_FILE_NAME = re.compile(r"[\w$ -][\w$ .-]*")
"""Names of databases that a file of the same name can have."""


class DuckDB(Warehouse):
    """DuckDB 1.1 and later."""

    name = "duckdb"
    enforced_constraints = frozenset(["check", "not_null", "unique", "primary_key", "foreign_key"])
    build_rules = BuildRules(
        {**KEYED_STRATEGIES, "microbatch": Statement.WINDOW},
        *DEFAULT_BY_KEY,
        exceptions={("merge", Edit.ADDED): _STOPS_AT_NEW, ("merge", Edit.REMOVED): REMOVED_STAYS},
        seed_load=SeedLoad.BY_POSITION,
    )
    sends_scripts = True
    renames_repeated_columns = True
    dialect = "duckdb"
    url_schemes: ClassVar[tuple[str, ...]] = ("duckdb",)
    distributions: ClassVar[tuple[str, ...]] = ("duckdb", "duckdb-engine")
    is_in_process = True
    stores_changes = True
    has_read_only_transactions = True
    zone_sql = "SELECT current_setting('TimeZone')"
    # Table functions of extensions run statements in other databases: postgres_execute, mysql_execute.
    changing_functions: ClassVar[tuple[str, ...]] = (
        *("*_execute", "*_logging", "checkpoint", "force_checkpoint", "nextval", "query", "setseed"),
        *("truncate_duckdb_logs", "write_log", "setval", "json_execute_*", "*_external_resource*"),
    )
    # Settings and secrets may contain passwords. The guarding statement refuses functions that read files.
    host_functions: ClassVar[tuple[str, ...]] = (
        *(
            "getenv",
            "which_secret",
            "duckdb_settings",
            "duckdb_secrets",
            "pg_settings",
            "current_setting",
            "duckdb_logs*",
        ),
        *("duckdb_databases", "pragma_database_list", "duckdb_extensions", "duckdb_temporary_files"),
        *("duckdb_external_*", "query_table"),
    )
    guarding_statements: ClassVar[tuple[str, ...]] = ("SET enable_external_access = false",)
    # DuckDB has no error codes, so the names of the driver's exception classes are used.
    error_classes: ClassVar[Mapping[str, type[WarehouseError]]] = {
        "BinderException": MissingRelation,
        "CatalogException": MissingRelation,
        "ConnectionException": ConnectionFailed,
        "IOException": ConnectionFailed,
        "InterruptException": QueryCancelled,
        "ParserException": SyntaxFailed,
        "PermissionException": PermissionDenied,
        "TransactionException": TransientFailure,
    }

    refused_hint = "open the file for writing: no other access_mode, no read_only; or use another target"

    def parse_fields(self, database: str, schema: str) -> Mapping[str, object]:
        if database == "memory":
            return {"path": MEMORY, "schema": schema}
        if _FILE_NAME.fullmatch(database) is None:
            raise ConfigurationError(f"'{database}' cannot be the name of a DuckDB database")
        return {"path": f"{database}.duckdb", "schema": schema}

    def place_in_profile(self, fields: Mapping[str, str | None]) -> tuple[str | None, str | None]:
        # The defaults of dbt-duckdb, which decide the names of relations.
        path = fields.get("path", MEMORY)
        return path and database_name(path), fields.get("schema", "main")

    def one_moment(self, plan: ConnectionPlan) -> OneMoment:
        """A process that writes to a file is the only one: https://duckdb.org/docs/stable/connect/concurrency.

        Others may write to an attached database of another type meanwhile, and to MotherDuck.
        """
        is_local = not plan.is_shareable or is_file(plan.url.database or MEMORY)
        attached = (text for text in plan.statements if text.startswith("ATTACH "))
        is_local = is_local and not any(_OF_OTHERS.search(text) for text in attached)
        return OneMoment.ALWAYS if is_local else OneMoment.NEVER

    def reading_plan(self, plan: ConnectionPlan, schema: str) -> ConnectionPlan:
        """Return *plan* with the file opened read-only, so that other readers can open it as well."""
        return self.file_reading_plan(super().reading_plan(plan, schema))

    def file_reading_plan(self, plan: ConnectionPlan) -> ConnectionPlan:
        """https://duckdb.org/docs/stable/connect/concurrency"""
        if not is_file(plan.url.database or MEMORY):
            return plan
        config = plan.connect_args.get("config", {})
        assert isinstance(config, Mapping)
        arguments = {**plan.connect_args, "config": {**config, "access_mode": "read_only"}}
        return replace(plan, is_read_only=True, may_create=False, connect_args=arguments)

    def guarded_plan(self, plan: ConnectionPlan) -> ConnectionPlan:
        """Return *plan* with the file opened read-only, and no access to other files.

        Raises UsageError for another database than a file, such as MotherDuck, which needs the network.
        """
        if not is_file(plan.url.database or MEMORY):
            raise UsageError(
                "Queries of users cannot be confined in this DuckDB database: it is not a file",
                hint="run the data diff with recce-meta on the command line",
            )
        return self.file_reading_plan(super().guarded_plan(plan))

    def reading_statements(self, quoted_schema: str) -> tuple[str, ...]:
        """Return the statement that searches names in *quoted_schema*, then in `main`."""
        path = quoted_schema.replace("'", "''")
        return (f"SET search_path = '{path},main'",)

    def grant_to_create_schema(self, database: str | None, role: str | None) -> None:
        """Return None: DuckDB has no privileges, so an error means the database is read-only."""

    def grant_to_create_table(self, schema: str | None, role: str | None) -> None:
        """Return None: DuckDB has no privileges."""

    def grant_to_read(self, schema: str | None, role: str | None) -> None:
        """Return None: DuckDB has no privileges."""

    def store_grants(self, rights: StoreRights) -> tuple[str, ...]:
        """Return a comment: DuckDB has no users."""
        return (
            "-- DuckDB has no users and no privileges: the permissions of the file decide.",
            "-- A reader needs to read the file, a recorder to write the file and its folder.",
        )

    def error_position(self, error: BaseException, sql: str) -> tuple[int, int] | None:
        """Return the position of the caret in the message; DuckDB 1.1 may only name a word instead."""
        found = place_by_caret(str(error), sql)
        # A word that occurs twice would show no certain place.
        word = _NEAR.search(str(error)) if found is None else None
        return line_and_column(sql.index(word[1]) + 1, sql) if word and sql.count(word[1]) == 1 else found

    def error_message(self, error: BaseException) -> str:
        """Return the message; of a locked file, who holds it, and that reading is possible if it is."""
        found = _HELD.search(message := str(error))
        if found is None:
            return message
        reading = "; it only reads, so others may read as well" if "read-only mode" in message else ""
        return f"Database file {found['file']} is locked by {found['holder']}{reading}"

    def error_code(self, error: BaseException) -> str | None:
        """Return the name of the driver's exception class."""
        return type(error).__name__

    def error_class(self, code: str | None, message: str = "") -> type[WarehouseError]:
        """Return the class for the exception; a locked or read-only file and a full disk by the message.

        A commit that fails because of the disk has the same class as a commit in conflict with another
        transaction.
        """
        if code == "IOException" and _LOCKED.search(message):
            return StoreLocked
        if code in ("BinderException", "CatalogException") and not _MISSING.search(message):
            return WarehouseError
        if _READ_ONLY.search(message):
            return PermissionDenied
        if _NOT_WRITTEN.search(message):
            return WarehouseError
        return super().error_class(code, message)

    def plan(self, fields: Fields) -> ConnectionPlan:
        """Return the connection plan for one output of `profiles.yml`."""
        fields.refuse(
            "remote",
            because="it is a Postgres server",
            hint="use an output of 'type: postgres' for this server",
        )
        motherduck = _MotherDuck(fields)
        path = database_path(motherduck.path, fields)
        attachments = [_Attachment(entry, fields) for entry in fields.sequence("attach")]
        settings = fields.mapping("settings")
        warnings = _warnings(fields)
        return ConnectionPlan(
            UrlParts("duckdb", database=path),
            database=_default_database(fields, path, attachments),
            schema=fields.text("schema") or "main",
            connect_args=_connect_args(fields, motherduck),
            statements=(
                *_FIRST_STATEMENTS,
                *_extensions(fields),
                *_secrets(fields, self),
                *motherduck.statements(),
                *(attachment.sql(self) for attachment in attachments),
                *_settings(settings, self),
            ),
            warnings=(*warnings, *motherduck.warnings(fields), *fields.leftovers()),
            secrets=tuple(dict.fromkeys([*fields.secrets(), *motherduck.secrets()])),
            is_shareable=not path.startswith(MEMORY),
        )

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """Return the connection plan for `duckdb:///relative.duckdb` or
        `duckdb:////absolute.duckdb?threads=4`.
        """
        path = url.database or MEMORY
        path, options = _path_and_options(path) if is_motherduck(path) else (path, {})
        config: dict[str, object] = {**options, **{name: str(value) for name, value in url.query.items()}}
        # DuckDB has no such setting; `read_only` is an argument of its Python API.
        if str(config.pop("read_only", "false")).lower() in ("true", "1"):
            config["access_mode"] = "read_only"
        return ConnectionPlan(
            UrlParts("duckdb", database=path),
            database=database_name(path),
            schema="main",
            connect_args={"config": config},
            statements=_FIRST_STATEMENTS,
            is_shareable=not path.startswith(MEMORY),
            secrets=tuple(secret_values(config)),
        )


_OF_OTHERS = re.compile(r"\AATTACH IF NOT EXISTS '[A-Za-z][A-Za-z0-9+.-]+:|[(,] ?TYPE (?!duckdb\b)", re.I)
"""ATTACH of a URL, or of a database of another type."""
_MISSING = re.compile(
    r"not found|does not exist|does not have a column|No function matches|No catalog \+ schema named", re.I
)
_NEAR = re.compile(r'at or near "(.+)"')
_READ_ONLY = re.compile(r"attached in read-only mode", re.I)
_NOT_WRITTEN = re.compile(r"Could not (?:write|sync|truncate) |No space left on device", re.I)
_HELD = re.compile(r'set lock on file "(?P<file>.+)": Conflicting lock is held in (?P<holder>.+ \(PID \d+\))')
_LOCKED = re.compile(r"Could not set lock on file|used by another process|is locked by .+ \(PID ", re.I)


def is_file(path: str) -> bool:
    """Return True if *path* is a file on this machine: not memory, MotherDuck, DuckLake or a URL."""
    return not path.startswith(MEMORY) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", path) is None


def is_motherduck(path: str) -> bool:
    """Return True if *path* is a MotherDuck database."""
    return path.startswith(("md:", "motherduck:"))


def database_path(path: str, fields: Fields) -> str:
    """Return *path* as DuckDB accepts it; a relative file is relative to the project's directory."""
    return fields.resolve(path) if is_file(path) else path


def database_name(path: str) -> str:
    """Return DuckDB's name of the database at *path*.

    Like dbt-duckdb, it is the first non-empty part of the file name between dots.
    """
    if path == MEMORY:
        return "memory"
    if is_motherduck(path):
        return path.partition(":")[2].partition("?")[0] or "my_db"
    name = PurePath(path.partition("?")[0].rpartition(":")[2] if not is_file(path) else path).name
    return next((part for part in name.split(".") if part), name)


class _MotherDuck:
    """MotherDuck settings of a profile, notably the token, which is removed from paths.

    dbt-duckdb takes it from four places: dbt/adapters/duckdb/plugins/motherduck.py.
    """

    def __init__(self, fields: Fields) -> None:
        path = fields.text("path") or MEMORY
        paths = [str(entry.get("path")) for entry in fields.sequence("attach") if isinstance(entry, Mapping)]
        self.path, options = _path_and_options(path) if is_motherduck(path) else (path, {})
        token = fields.text("motherduck_token")
        given = [options, {} if token is None else {"motherduck_token": token}]
        given += [_path_and_options(path)[1] for path in paths if is_motherduck(path)]
        given += [_options(fields.mapping(name)) for name in ("settings", "config_options")]
        self.options: dict[str, str] = {}
        for name in _MOTHERDUCK:
            values = {options[name] for options in given if name in options}
            if len(values) > 1:
                raise fields.error(f"'{name}' is set to different values", hint="keep one of them")
            self.options |= dict.fromkeys([name], *values) if values else {}
        self.is_main = is_motherduck(self.path)
        self.is_attached = any(map(is_motherduck, paths))

    def config(self) -> dict[str, str]:
        """Return the options for `duckdb.connect`."""
        return self.options if self.is_main else {}

    def statements(self) -> Iterator[str]:
        """Yield the statements to run before an ATTACH."""
        if self.options and self.is_attached and not self.is_main:
            yield "INSTALL motherduck"
            yield "LOAD motherduck"
            for name, value in self.options.items():
                yield f"SET {name} = {_literal(value)}"

    def secrets(self) -> Iterator[str]:
        """Yield the values that must not appear in any message."""
        yield from secret_values(self.options)

    def warnings(self, fields: Fields) -> Iterator[str]:
        """Yield a warning for options that no database uses: other databases do not have them."""
        if self.options and not (self.is_main or self.is_attached):
            names = " and ".join(f"'{name}'" for name in self.options)
            yield fields.error(f"Field {names} is not honoured: no database is in MotherDuck").message


def _path_and_options(path: str) -> tuple[str, dict[str, str]]:
    """Return *path*, of MotherDuck, without its token, and the options in it that must be set separately."""
    path, _, query = path.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    kept = "&".join("".join(pair) for pair in pairs if pair[0] != "motherduck_token")
    return path + "?" * bool(kept) + kept, _options({name: unquote(value) for name, _, value in pairs})


def _options(values: Mapping[str, object]) -> dict[str, str]:
    """Return the MotherDuck options in *values*, by their full names."""
    names = {spelling: name for name in _MOTHERDUCK for spelling in (name, name.removeprefix("motherduck_"))}
    return {names[name.lower()]: str(value) for name, value in values.items() if name.lower() in names}


class _Attachment:
    """One entry of `attach:`."""

    def __init__(self, entry: object, fields: Fields) -> None:
        if not isinstance(entry, Mapping) or not entry.get("path"):
            raise fields.error("Every entry of 'attach' needs a 'path'")
        fields.refuse_others("attach", entry, _ATTACHMENT)
        path = str(entry["path"])
        if is_motherduck(path):  # ATTACH takes no parameters for MotherDuck
            path = path.partition("?")[0]
        self.path = database_path(path, fields)
        self.alias = None if entry.get("alias") is None else str(entry["alias"])
        self.options = dict(_attach_options(entry, fields))

    def sql(self, warehouse: DuckDB) -> str:
        """Return the ATTACH statement."""
        alias = "" if self.alias is None else f" AS {warehouse.quote_identifier(self.alias)}"
        options = ", ".join(
            name if value is None else f"{name} {value}" for name, value in self.options.items()
        )
        return f"ATTACH IF NOT EXISTS {_literal(self.path)}{alias}" + (f" ({options})" if options else "")


def _attach_options(entry: Mapping[str, object], fields: Fields) -> Iterator[tuple[str, str | None]]:
    kind = entry.get("type") or ("ducklake" if entry.get("is_ducklake") and _is_bare(entry) else None)
    options = entry.get("options") or {}
    if not isinstance(options, Mapping):
        raise fields.error("'options' of an entry of 'attach' is not a mapping")
    twice = [name for name in ("type", "secret", "read_only") if entry.get(name) and name in options]
    if twice:
        raise fields.error(
            f"{', '.join(twice)} of an entry of 'attach' is set twice", hint="keep it out of 'options'"
        )
    given = {"type": kind, "secret": entry.get("secret"), "read_only": entry.get("read_only"), **options}
    for name, value in given.items():
        if value is None or value is False:
            continue
        if value is True:
            yield _word(name).upper(), None
        elif name in ("type", "secret"):
            yield name.upper(), _word(value)
        else:
            yield _word(name).upper(), _option(value)


def _is_bare(entry: Mapping[str, object]) -> bool:
    """Return True if the path of *entry* does not show the kind of database; MotherDuck knows its
    DuckLakes.
    """
    return is_file(str(entry["path"]))


def _option(value: object) -> str:
    """Return *value* of an ATTACH option; a string already in quotes is used unchanged."""
    if isinstance(value, str) and re.fullmatch(r"\s*'(?:[^']|'')*'\s*", value):
        return value.strip()
    return _value(value)


def _default_database(fields: Fields, path: str, attachments: list[_Attachment]) -> str:
    derived = database_name(path)
    wanted = fields.text("database") or derived
    known = [derived, *(attachment.alias or database_name(attachment.path) for attachment in attachments)]
    if wanted not in known:
        raise fields.error(
            f"Database '{wanted}' is neither the one at '{path}' nor attached",
            hint=f"remove 'database:', or use one of: {', '.join(known)}",
        )
    return wanted


def _connect_args(fields: Fields, motherduck: _MotherDuck) -> dict[str, object]:
    """Return `config` of duckdb.connect and `filesystems`, which the driver registers."""
    given = fields.mapping("config_options")
    config = {name: value for name, value in given.items() if not _options({name: value})}
    filesystems = []
    for entry in fields.sequence("filesystems"):
        if not isinstance(entry, Mapping) or not entry.get("fs"):
            raise fields.error("Every entry of 'filesystems' needs an 'fs'")
        filesystems.append(dict(entry))
    return {
        "config": {**config, **motherduck.config()},
        **({"filesystems": filesystems} if filesystems else {}),
    }


def _extensions(fields: Fields) -> Iterator[str]:
    for entry in fields.sequence("extensions"):
        name, repository = entry, None
        if isinstance(entry, Mapping):
            fields.refuse_others("extensions", entry, ("name", "repo"))
            name, repository = entry.get("name"), entry.get("repo")
        if not name:
            raise fields.error("Every entry of 'extensions' is a name, or has a 'name'")
        source = ""
        if repository is not None:
            is_word = re.fullmatch(r"\w+", str(repository)) is not None
            source = f" FROM {repository if is_word else _literal(str(repository))}"
        yield f"INSTALL {_word(name)}{source}"
        yield f"LOAD {_word(name)}"


def _secrets(fields: Fields, warehouse: DuckDB) -> Iterator[str]:
    entries = list(fields.sequence("secrets"))
    provider = fields.text("use_credential_provider")
    if provider == "aws":
        entries.append({"type": "s3", "provider": "credential_chain"})
    elif provider is not None:
        raise fields.error(
            f"Unknown credential provider '{provider}' in 'use_credential_provider'",
            hint="use 'aws', the only supported provider",
        )
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping) or not entry.get("type"):
            raise fields.error("Every entry of 'secrets' needs a 'type'")
        yield _secret(entry, f"_dbt_secret_{number}", warehouse)


def _secret(entry: Mapping[str, object], default_name: str, warehouse: DuckDB) -> str:
    name = warehouse.quote_identifier(str(entry.get("name") or default_name))
    persistent = "PERSISTENT " if Fields(entry).boolean("persistent") else ""
    parts = [f"TYPE {_word(entry['type'])}"]
    for key, value in entry.items():
        if key == "scope":
            parts.append(f"SCOPE {_scope(value)}")
        elif key not in ("name", "persistent", "type") and value is not None:
            parts.append(f"{_word(key).upper()} {_value(value)}")
    return f"CREATE OR REPLACE {persistent}SECRET {name} ({', '.join(parts)})"


def _scope(value: object) -> str:
    """Return one scope, or several in parentheses: DuckDB 1.1 does not accept `[…]` there."""
    if not isinstance(value, list):
        return _value(value)
    scopes = ", ".join(_literal(str(entry)) for entry in value)
    return f"({scopes})" if len(value) > 1 else scopes


def _settings(settings: Mapping[str, object], warehouse: DuckDB) -> Iterator[str]:
    for name, value in settings.items():
        if not _options({name: value}):
            yield f"SET {warehouse.quote_identifier(name)} = {_value(value)}"


def _warnings(fields: Fields) -> tuple[str, ...]:
    fields.without_meaning_here(
        "disable_transactions",
        "external_root",
        "flights",
        "is_ducklake",
        "keep_open",
        "retries",
        "threads",
        "type",
    )
    return fields.not_honoured("plugins", "module_paths", because="dbt-duckdb's plugins only run in dbt")


def _word(value: object) -> str:
    """Return *value* as a bare word of SQL, or as a quoted identifier if it is not a word."""
    text = str(value)
    return text if re.fullmatch(r"\w+", text) else DuckDB().quote_identifier(text)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_literal(str(key))}: {_literal(str(entry))}" for key, entry in value.items())
        return f"MAP {{{pairs}}}"
    if isinstance(value, list):
        return f"[{', '.join(_literal(str(entry)) for entry in value)}]"
    return _literal(str(value).lower() if isinstance(value, bool) else str(value))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
