"""DuckDB, embedded: a file, memory, or MotherDuck. Fields as dbt-duckdb understands them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import ClassVar

from recce_meta.errors import (
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryCancelled,
    StoreLocked,
    SyntaxFailed,
    TransientFailure,
    WarehouseError,
)
from recce_meta.warehouses.base import ConnectionPlan, UrlParts, Warehouse
from recce_meta.warehouses.fields import Fields, secret_values

MEMORY = ":memory:"

# TIMESTAMPTZ comes back in the connection's time zone. The progress bar would be drawn on standard
# output, among our data, for statements over two seconds.
_FIRST_STATEMENTS = ("SET TimeZone = 'UTC'", "SET enable_progress_bar = false")


class DuckDB(Warehouse):
    """DuckDB 1.1 and later."""

    name = "duckdb"
    dialect = "duckdb"
    url_schemes = ("duckdb",)
    distributions = ("duckdb", "duckdb-engine")
    is_in_process = True
    # DuckDB has no codes: the names of the driver's exception classes serve.
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

    def error_code(self, error: BaseException) -> str | None:
        """The name of the driver's exception class."""
        return type(error).__name__

    def error_class(self, code: str | None, message: str = "") -> type[WarehouseError]:
        """What the class of the exception means; a locked or read-only file, or a full disk, by its message.

        A commit that the disk refuses has the class of one that another transaction is in the way of.
        """
        if code == "IOException" and _LOCKED.search(message):
            return StoreLocked
        if _READ_ONLY.search(message):
            return PermissionDenied
        if _NOT_WRITTEN.search(message):
            return WarehouseError
        return super().error_class(code, message)

    def plan(self, fields: Fields) -> ConnectionPlan:
        """How to connect, from one output of `profiles.yml`."""
        fields.refuse(
            "remote",
            because="it is a Postgres server",
            hint="use an output of 'type: postgres' for this server",
        )
        path = database_path(fields.text("path") or MEMORY, fields)
        attachments = [_Attachment(entry, fields) for entry in fields.sequence("attach")]
        settings = fields.mapping("settings")
        warnings = _warnings(fields)
        return ConnectionPlan(
            UrlParts("duckdb", database=path),
            database=_default_database(fields, path, attachments),
            schema=fields.text("schema") or "main",
            connect_args={"config": _config(fields, path, settings)},
            statements=(
                *_FIRST_STATEMENTS,
                *_extensions(fields),
                *_secrets(fields, self),
                *(attachment.sql(self) for attachment in attachments),
                *_settings(settings, self),
            ),
            warnings=(*warnings, *fields.leftovers()),
            secrets=fields.secrets(),
            is_shareable=path != MEMORY,
            timezone_is_utc="timezone" not in {name.lower() for name in settings},
        )

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """How to connect, from `duckdb:///relative.duckdb`, `duckdb:////absolute.duckdb?threads=4`."""
        path = url.database or MEMORY
        config: dict[str, object] = {name: str(value) for name, value in url.query.items()}
        if str(config.pop("read_only", "false")).lower() in ("true", "1"):
            config["access_mode"] = "read_only"
        return ConnectionPlan(
            UrlParts("duckdb", database=path),
            database=database_name(path),
            schema="main",
            connect_args={"config": config},
            statements=_FIRST_STATEMENTS,
            is_shareable=path != MEMORY,
            secrets=tuple(secret_values(config)),
        )


_READ_ONLY = re.compile(r"attached in read-only mode", re.I)
_NOT_WRITTEN = re.compile(r"Could not (?:write|sync|truncate) |No space left on device", re.I)
_LOCKED = re.compile(r"Could not set lock on file|used by another process", re.I)


def is_file(path: str) -> bool:
    """Whether *path* names a file on this machine: not memory, MotherDuck, DuckLake or a URL."""
    return path != MEMORY and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", path) is None


def database_path(path: str, fields: Fields) -> str:
    """*path* as DuckDB takes it; a relative file is found from the project's directory."""
    return fields.resolve(path) if is_file(path) else path


def database_name(path: str) -> str:
    """The name under which DuckDB knows the database at *path*.

    As dbt-duckdb derives it: the first non-empty part of the file's name between dots.
    """
    if path == MEMORY:
        return "memory"
    scheme, _, rest = path.partition(":")
    if not is_file(path) and scheme in ("md", "motherduck"):
        return rest.partition("?")[0] or "my_db"
    name = PurePath(path.partition("?")[0].rpartition(":")[2] if not is_file(path) else path).name
    return next((part for part in name.split(".") if part), name)


class _Attachment:
    """One entry of `attach:`."""

    def __init__(self, entry: object, fields: Fields) -> None:
        if not isinstance(entry, Mapping) or not entry.get("path"):
            raise fields.error("Every entry of 'attach' needs a 'path'")
        path = str(entry["path"])
        if path.startswith(("md:", "motherduck:")):
            path = path.partition("?")[0]
        self.path = database_path(path, fields)
        self.alias = None if entry.get("alias") is None else str(entry["alias"])
        self.options = dict(_attach_options(entry))

    def sql(self, warehouse: DuckDB) -> str:
        """The ATTACH statement."""
        alias = "" if self.alias is None else f" AS {warehouse.quote_identifier(self.alias)}"
        options = ", ".join(
            name if value is None else f"{name} {value}" for name, value in self.options.items()
        )
        return f"ATTACH IF NOT EXISTS {_literal(self.path)}{alias}" + (f" ({options})" if options else "")


def _attach_options(entry: Mapping[str, object]) -> Iterator[tuple[str, str | None]]:
    kind = entry.get("type") or ("ducklake" if entry.get("is_ducklake") else None)
    if kind is not None and not str(entry["path"]).startswith("ducklake:"):
        yield "TYPE", _word(kind)
    if entry.get("secret"):
        yield "SECRET", _word(entry["secret"])
    if entry.get("read_only"):
        yield "READ_ONLY", None
    options = entry.get("options")
    if isinstance(options, Mapping):
        for name, value in options.items():
            yield _word(name).upper(), None if value is True else _value(value)


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


def _config(fields: Fields, path: str, settings: Mapping[str, object]) -> dict[str, object]:
    config = dict(fields.mapping("config_options"))
    token = fields.text("motherduck_token") or settings.get("motherduck_token")
    if token is not None and not is_file(path):
        config["motherduck_token"] = str(token)
    return config


def _extensions(fields: Fields) -> Iterator[str]:
    for entry in fields.sequence("extensions"):
        name, repository = entry, None
        if isinstance(entry, Mapping):
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
        raise fields.error(f"Unknown credential provider '{provider}'", hint="'aws' is the only one")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping) or not entry.get("type"):
            raise fields.error("Every entry of 'secrets' needs a 'type'")
        yield _secret(entry, f"_dbt_secret_{number}", warehouse)


def _secret(entry: Mapping[str, object], default_name: str, warehouse: DuckDB) -> str:
    name = warehouse.quote_identifier(str(entry.get("name") or default_name))
    persistent = "PERSISTENT " if entry.get("persistent") else ""
    parts = [f"TYPE {_word(entry['type'])}"]
    for key, value in entry.items():
        if key == "scope":
            parts.append(f"SCOPE {_scope(value)}")
        elif key not in ("name", "persistent", "type") and value is not None:
            parts.append(f"{_word(key).upper()} {_value(value)}")
    return f"CREATE OR REPLACE {persistent}SECRET {name} ({', '.join(parts)})"


def _scope(value: object) -> str:
    """One scope, or several in parentheses: DuckDB 1.1 knows no `[…]` there."""
    if not isinstance(value, list):
        return _value(value)
    scopes = ", ".join(_literal(str(entry)) for entry in value)
    return f"({scopes})" if len(value) > 1 else scopes


def _settings(settings: Mapping[str, object], warehouse: DuckDB) -> Iterator[str]:
    for name, value in settings.items():
        if name != "motherduck_token":
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
    return (
        *fields.not_honoured("plugins", "module_paths", because="dbt-duckdb's plugins run in dbt alone"),
        *fields.not_honoured("filesystems", because="views over such files cannot be read"),
    )


def _word(value: object) -> str:
    """*value* as a bare word of SQL, or as a quoted identifier where it is not one."""
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
