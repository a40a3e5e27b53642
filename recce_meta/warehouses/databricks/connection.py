"""Databricks SQL warehouses and clusters. Supports the fields of dbt-databricks 1.12."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import parse_qs, unquote

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
)
from recce_meta.models.change import Category
from recce_meta.warehouses.base import DUMMY, ConnectionPlan, StoreRights, UrlParts, Warehouse
from recce_meta.warehouses.builds import (
    KEYED_STRATEGIES,
    REMOVED_STAYS,
    BuildRules,
    Edit,
    Outcome,
    SeedLoad,
    Statement,
)
from recce_meta.warehouses.fields import Fields, secret_values

SDK_LOGINS = "recce_meta_sdk_logins"
"""Connect argument with the arguments of `databricks.sdk.Config`, one mapping for each login method.

The first login that the server accepts is used.
"""

DEFAULT_CATALOG = "hive_metastore"
CATALOG_PROPERTY = "databricks.catalog"
DBT_CLIENT = "dbt-databricks"
"""Public OAuth client that dbt uses for user logins, so that a login for dbt is valid for us too."""
MOST_TAGS, LONGEST_TAG = 20, 128
"""https://docs.databricks.com/en/sql/user/queries/query-tags.html"""

TOKEN_USER = "token"
"""User in the URL if a token is used."""

_OIDC = ("env-oidc", "file-oidc")
_AUTH_TYPES = ("oauth", *_OIDC)
_REDIRECT_URL = "http://localhost:8020"

# Arguments that dbt sets itself and rejects in `connection_parameters`.
_RESERVED = (
    "server_hostname", "http_path", "access_token", "client_id", "client_secret", "session_configuration",
    "catalog", "schema", "_user_agent_entry", "user_agent_entry",
)  # fmt: skip
# Arguments that would change the meaning of statements and rows.
_OURS: Mapping[str, str] = {
    "use_inline_params": "values are always bound by the server",
    "_use_arrow_native_complex_types": "arrays, maps and structs are always returned natively",
    "_use_arrow_native_decimals": "decimals are always returned natively",
    "_use_arrow_native_timestamps": "timestamps are always returned natively",
    "ignore_transactions": "each statement is its own transaction",
    "_disable_pandas": "rows are built without pandas",
}
# dbt's own arguments, except that telemetry is off.
_DRIVER_ARGUMENTS: Mapping[str, object] = {
    "_retry_delay_max": 60,
    "_retry_stop_after_attempts_count": 30,
    "_socket_timeout": 600,
    "enable_telemetry": False,
    "user_agent_entry": "recce_meta",
}
_TLS_FILES = ("_tls_trusted_ca_file", "_tls_client_cert_file", "_tls_client_cert_key_file")

_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_]*)(?:\.[A-Z0-9_]+)*\]")
"""Error conditions are in brackets: https://docs.databricks.com/en/error-messages/index.html"""
_STATE = re.compile(r"SQLSTATE: ?([0-9A-Z]{5})")
_CONFLICT = re.compile(
    r"\b(?:Concurrent\w+|MetadataChanged|ProtocolChanged)Exception\b|\bDELTA_CONCURRENT_|\bDELTA_METADATA_CHANGED"
)
_DENIED = re.compile(r"\bPERMISSION_DENIED\b|\bdoes not have (?:permission|privilege)|\bUnauthorizedAccess")
_BUSY = re.compile(r"too many (?:429|503) error responses")
_TIMED_OUT = re.compile(r"(?:Statement|Query)(?: execution)?(?: has)?(?: been)? timed out", re.I)

_MAY_EVOLVE = Outcome(Category.UNKNOWN, "may not get the new column")


class Databricks(Warehouse):
    """SQL warehouses and clusters, through databricks-sql-connector and databricks-sqlalchemy."""

    name = "databricks"
    enforced_constraints = frozenset(["check", "not_null"])
    build_rules = BuildRules(
        {**KEYED_STRATEGIES, "insert_overwrite": Statement.PARTITIONS, "microbatch": Statement.WINDOW},
        exceptions={
            ("append", Edit.REMOVED): REMOVED_STAYS,
            ("merge", Edit.ADDED): _MAY_EVOLVE,
            ("delete+insert", Edit.ADDED): _MAY_EVOLVE,
            ("insert_overwrite", Edit.ADDED): _MAY_EVOLVE,
            ("microbatch", Edit.ADDED): _MAY_EVOLVE,
        },
        seed_load=SeedLoad.REBUILT,
        applies_queries=True,
    )
    dialect = "databricks"
    joins_databases = True
    url_schemes: ClassVar[tuple[str, ...]] = ("databricks",)
    own_configs: ClassVar[frozenset[str]] = frozenset(
        ["liquid_clustered_by", "databricks_compute", "databricks_tags"]
    )
    distributions: ClassVar[tuple[str, ...]] = ("databricks-sql-connector", "databricks-sqlalchemy")
    quote_character = "`"
    # https://docs.databricks.com/en/sql/language-manual/functions/java_method.html
    changing_functions: ClassVar[tuple[str, ...]] = ("java_method", "reflect", "try_reflect")
    version_sql = "SELECT version()"
    zone_sql = "SELECT current_timezone()"
    # https://docs.databricks.com/en/sql/language-manual/sql-ref-names.html
    max_identifier_length = 255
    # https://docs.databricks.com/en/transactions/: only single statements are atomic.
    has_transactions = False
    has_transactional_ddl = False
    position_pattern = re.compile(r"line (?P<line>\d+),? pos (?P<column>\d+)")
    first_column = 1
    # dbt-databricks 1.12 `DatabricksCredentials._ALIASES`
    aliases: ClassVar[Mapping[str, str]] = {"catalog": "database", "target_catalog": "target_database"}
    # https://docs.databricks.com/en/error-messages/error-classes.html, its SQLSTATEs, HTTP status codes,
    # and the driver's class names if no server responded
    error_classes: ClassVar[Mapping[str, type[WarehouseError]]] = {
        "08": ConnectionFailed,
        "28": AuthenticationFailed,
        "2D521": TransientFailure,  # DELTA_CONCURRENT_…: another writer was faster
        "2D52": TransientFailure,
        "40": TransientFailure,
        "42501": PermissionDenied,
        "42601": SyntaxFailed,
        "42703": MissingRelation,
        "42704": MissingRelation,
        "42883": MissingRelation,
        "42P01": MissingRelation,
        "57014": QueryCancelled,
        "57KD0": QueryTimeout,
        "HY008": QueryCancelled,
        "CANCELED": QueryCancelled,
        "INSUFFICIENT_PERMISSIONS": PermissionDenied,
        "NO_SUCH_CATALOG_EXCEPTION": MissingRelation,
        "OPERATION_CANCELED": QueryCancelled,
        "PARSE_": SyntaxFailed,
        "PERMISSION_DENIED": PermissionDenied,
        "QUERY_EXECUTION_TIMEOUT_EXCEEDED": QueryTimeout,
        "QUERY_TIMEOUT": QueryTimeout,
        "SCHEMA_NOT_FOUND": MissingRelation,
        "TABLE_OR_VIEW_NOT_FOUND": MissingRelation,
        "UNRESOLVED_": MissingRelation,
        "HTTP 401": AuthenticationFailed,
        "HTTP 403": AuthenticationFailed,
        "HTTP 404": ConnectionFailed,
        "HTTP 429": TransientFailure,
        "HTTP 503": TransientFailure,
        "RequestError": ConnectionFailed,
        "MaxRetryDurationError": ConnectionFailed,
        "NonRecoverableNetworkError": ConnectionFailed,
        "MaxRetryError": ConnectionFailed,
        "ConnectTimeoutError": ConnectionFailed,
        "ReadTimeoutError": ConnectionFailed,
        "NewConnectionError": ConnectionFailed,
        "NameResolutionError": ConnectionFailed,
        "ProtocolError": ConnectionFailed,
        "ConnectionError": ConnectionFailed,
        "SSLError": ConnectionFailed,
    }

    # https://docs.databricks.com/en/sql/language-manual/sql-ref-privileges.html

    def parse_fields(self, database: str, schema: str) -> Mapping[str, object]:
        login = {"host": "recce-meta.invalid", "http_path": "/sql/1.0/warehouses/0", "token": DUMMY}
        return {**login, "catalog": database, "schema": schema}

    def grant_to_create_schema(self, database: str | None, role: str | None) -> str | None:
        """Return the SQL that lets *role* create a schema in the catalog *database*."""
        catalog = self.quote_identifier(database or DEFAULT_CATALOG)
        return f"GRANT USE CATALOG, CREATE SCHEMA ON CATALOG {catalog} TO {self._role(role)}"

    def grant_to_create_table(self, schema: str | None, role: str | None) -> str | None:
        """Return the SQL that lets *role* create tables and views in *schema*."""
        return f"GRANT USE SCHEMA, CREATE TABLE ON SCHEMA {self._schema(schema)} TO {self._role(role)}"

    def grant_to_read(self, schema: str | None, role: str | None) -> str | None:
        """Return the SQL that lets *role* read the tables of *schema*."""
        return f"GRANT USE SCHEMA, SELECT ON SCHEMA {self._schema(schema)} TO {self._role(role)}"

    def store_grants(self, rights: StoreRights) -> tuple[str, ...]:
        """Return the statements that give a role *rights* on a store; tables inherit them from the schema.

        https://docs.databricks.com/en/data-governance/unity-catalog/manage-privileges/privileges.html
        """
        who = self._role(rights.role)
        catalog = self.quote_identifier(rights.database) if rights.database else "your_catalog"
        right = "USE SCHEMA, SELECT, MODIFY" if rights.changes else "USE SCHEMA, SELECT"
        remark = ("-- MODIFY includes DELETE: Unity Catalog has no narrower privilege.",)
        return (
            f"GRANT USE CATALOG ON CATALOG {catalog} TO {who}",
            *(remark if rights.changes else ()),
            f"GRANT {right} ON SCHEMA {rights.schema} TO {who}",
        )

    def _role(self, name: str | None) -> str:
        return super()._role(None if name == TOKEN_USER else name)  # a token does not identify its user

    def folded(self, name: str) -> str:
        """Return *name* in lower case: catalogs, schemas and tables are stored so, even if quoted."""
        return name.lower()

    def error_code(self, error: BaseException) -> str | None:
        """Return the error condition, such as TABLE_OR_VIEW_NOT_FOUND; else the SQLSTATE, HTTP status
        or class.
        """
        message = str(error)
        if (named := _CONDITION.search(message)) is not None:
            return named[1]
        if (state := _STATE.search(message)) is not None:
            return state[1]
        context = getattr(error, "context", None)
        if isinstance(context, Mapping) and context.get("http-code") not in (None, 200):
            return f"HTTP {context['http-code']}"
        return type(error).__name__

    def error_class(self, code: str | None, message: str = "") -> type[WarehouseError]:
        """Return the class for the condition or SQLSTATE; older servers only send text."""
        if _CONFLICT.search(message) or _BUSY.search(message):
            return TransientFailure
        if (known := super().error_class(code, message)) is not WarehouseError:
            return known
        if (state := _STATE.search(message)) is not None:
            known = super().error_class(state[1], message)
        if known is WarehouseError and _DENIED.search(message):
            return PermissionDenied
        if known is WarehouseError and _TIMED_OUT.search(message):
            return QueryTimeout
        return known

    def plan(self, fields: Fields) -> ConnectionPlan:
        """Return the connection plan for one output of `profiles.yml`."""
        host = _host(fields.required_text("host"))
        if port := re.search(r":([^/]*)", host):
            raise fields.error(
                f"Field 'host' contains a port: {port[1] or 'an empty one'}",
                hint="remove it: dbt always connects to port 443; a URL may hold another port",
            )
        http_path = fields.required_text("http_path")
        schema = fields.required_text("schema")
        if "." in schema:
            raise fields.error(
                f"Field 'schema' contains a period: '{schema}'", hint="name the catalog in 'catalog:'"
            )
        properties = dict(fields.mapping("session_properties"))
        catalog = _catalog(fields, properties)
        parameters, warnings, secrets = _connection_parameters(fields)
        token, login, not_used = _login(fields, host, http_path)
        if login and parameters.get("use_kernel"):
            raise fields.error(
                "'use_kernel' in 'connection_parameters' only works with a token",
                hint="remove use_kernel, or set 'token:'",
            )
        configuration = _session_configuration(properties, _query_tags(fields), http_path)
        retries = fields.integer("connect_retries", 1) or 0
        fields.mapping("compute")
        # `compute` holds paths for models that name one; dbt's own queries use `http_path`.
        fields.without_meaning_here("compute", "connect_max_idle", "target_database", "threads", "type")
        return ConnectionPlan(
            _url(host, http_path, token, catalog, schema),
            database=catalog,
            schema=schema,
            connect_args={
                **_DRIVER_ARGUMENTS,
                **parameters,
                **login,
                "session_configuration": configuration,
            },
            role=_principal(fields),
            warnings=(
                *warnings,
                *not_used,
                *fields.not_honoured(
                    "connect_timeout", because="in dbt it is the pause between attempts to connect"
                ),
                *fields.not_honoured("retry_all", because="only temporary errors are retried"),
                *fields.leftovers(),
            ),
            secrets=(*fields.secrets(), *secrets),
            connect_attempts=1 + max(0, retries),
        )

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """Return the connection plan for
        `databricks://token:dapi…@host?http_path=/sql/1.0/warehouses/…&catalog=…`.

        All other query parameters are passed to the driver.
        """
        options = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
        http_path = options.pop("http_path", None)
        if not url.host or not http_path:
            raise UsageError(
                "A Databricks URL needs a host and an http_path",
                hint="databricks://token:TOKEN@HOST?http_path=/sql/1.0/warehouses/ID&catalog=main&schema=default",
            )
        if url.username not in (None, TOKEN_USER) or not url.password:
            raise UsageError(
                "A Databricks URL needs a token", hint="databricks://token:TOKEN@HOST?http_path=…"
            )
        catalog, schema = options.pop("catalog", None), options.pop("schema", None)
        for name in (*_RESERVED, *_OURS):
            if name in options:
                raise UsageError(f"Option '{name}' is not allowed in a Databricks URL", hint="remove it")
        ports = {} if url.port is None else {"_port": url.port}
        return ConnectionPlan(
            _url(_host(url.host), http_path, url.password, catalog, schema),
            database=catalog,
            schema=schema,
            connect_args={
                **_DRIVER_ARGUMENTS,
                **ports,
                **{name: _typed(value) for name, value in options.items()},
                "session_configuration": _session_configuration({}, {}, http_path),
            },
            secrets=(url.password, *secret_values(options)),
        )


def is_sql_warehouse(http_path: str) -> bool:
    """Return True if *http_path* is of a SQL warehouse, not of a cluster (`sql/protocolv1/o/…`)."""
    return not re.match(r"/?sql/protocolv1/o/", http_path)


def _host(text: str) -> str:
    """Return the host name without `https://` and trailing slash, which are often copied along."""
    return re.sub(r"\Ahttps://", "", text.strip(), flags=re.I).rstrip("/")


def _url(host: str, http_path: str, token: str | None, catalog: str | None, schema: str | None) -> UrlParts:
    named = {"http_path": http_path, "catalog": catalog, "schema": schema}
    return UrlParts(
        "databricks",
        username=None if token is None else TOKEN_USER,
        password=token,
        host=host,
        query={name: value for name, value in named.items() if value is not None},
    )


def _catalog(fields: Fields, properties: dict[str, object]) -> str:
    """Return the catalog; dbt also reads it from *properties*, from which it is then removed."""
    named = fields.text("database")
    if CATALOG_PROPERTY in properties:
        if named is not None:
            raise fields.error(
                f"Fields 'catalog' and '{CATALOG_PROPERTY}' in 'session_properties' mean the same",
                hint="keep 'catalog' and remove the other",
            )
        named = str(properties.pop(CATALOG_PROPERTY))
    if named is None:
        return DEFAULT_CATALOG
    if not named.strip():
        raise fields.error("Field 'catalog' is empty", hint="name a catalog, such as 'main'")
    return named.strip()


def _login(
    fields: Fields, host: str, http_path: str
) -> tuple[str | None, dict[str, object], tuple[str, ...]]:
    """Return the token or the driver's arguments for another login, and warnings for unused fields."""
    token, auth_type = fields.text("token"), fields.text("auth_type")
    client, secret = fields.text("client_id"), fields.text("client_secret")
    azure, azure_secret = fields.text("azure_client_id"), fields.text("azure_client_secret")
    token_file = fields.path("oidc_token_filepath")
    scopes = fields.sequence("oauth_scopes")
    redirect = fields.text("oauth_redirect_url")
    if not token and auth_type not in _AUTH_TYPES:
        raise fields.error(
            "Field 'token' is missing, and "
            + (f"'auth_type' is '{auth_type}'" if auth_type else "so is 'auth_type'"),
            hint=f"set 'token:', or 'auth_type:' to one of {', '.join(_AUTH_TYPES)}",
        )
    if secret and not client:
        raise fields.error("Field 'client_secret' needs 'client_id'", hint="add 'client_id:'")
    if bool(azure) != bool(azure_secret):
        raise fields.error(
            "Fields 'azure_client_id' and 'azure_client_secret' belong together",
            hint="set both, or neither",
        )
    if token:
        others = ("client_id", "client_secret", "azure_client_id", "azure_client_secret", "auth_type")
        return (
            token,
            {},
            fields.not_honoured(
                *others, "oidc_token_filepath", "oauth_scopes", "oauth_redirect_url",
                because="'token' is set and takes precedence, as in dbt",
            ),
        )  # fmt: skip
    warnings = _unused_oauth(fields, redirect, scopes)
    if auth_type in _OIDC:
        if not client:
            raise fields.error(
                f"'auth_type: {auth_type}' needs 'client_id'", hint="add the service principal's 'client_id:'"
            )
        login = {"client_id": client, "auth_type": auth_type, "oidc_token_filepath": token_file}
        return None, _sdk_logins(host, http_path, login), warnings
    if token_file is not None:
        warnings += fields.not_honoured("oidc_token_filepath", because="it belongs to 'auth_type: file-oidc'")
    if azure and azure_secret:
        return None, {
            "auth_type": "azure-sp-m2m", "azure_client_id": azure, "azure_client_secret": azure_secret,
        }, warnings  # fmt: skip
    return None, _sdk_logins(host, http_path, *_oauth_logins(client, secret)), warnings


def _principal(fields: Fields) -> str | None:
    """Return the service principal whose privileges apply, if the profile names one."""
    if fields.text("token"):
        return None
    return fields.text("azure_client_id") or fields.text("client_id")


def _oauth_logins(client: str | None, secret: str | None) -> tuple[dict[str, object], ...]:
    """Return logins with a browser if there is no secret, else for a service principal of Databricks or
    Azure.

    The prefix of a secret shows which one to try first, as in dbt; the other comes second.
    """
    if not secret:
        return ({"client_id": client or DBT_CLIENT, "auth_type": "external-browser"},)
    ours: dict[str, object] = {"client_id": client, "client_secret": secret, "auth_type": "oauth-m2m"}
    azure: dict[str, object] = {
        "azure_client_id": client,
        "azure_client_secret": secret,
        "auth_type": "azure-client-secret",
    }
    return (ours, azure) if secret.startswith("dose") else (azure, ours)


def _sdk_logins(host: str, http_path: str, *logins: Mapping[str, object]) -> dict[str, object]:
    # Account-level hosts identify the workspace by `?o=` in the path.
    workspace = parse_qs(http_path.partition("?")[2]).get("o", [None])[0]
    shared = {"host": f"https://{host}", "workspace_id": workspace}
    return {
        SDK_LOGINS: tuple(
            {name: value for name, value in {**shared, **login}.items() if value is not None}
            for login in logins
        )
    }


def _unused_oauth(fields: Fields, redirect: str | None, scopes: Sequence[object]) -> tuple[str, ...]:
    because = "dbt-databricks 1.12 reads it and does not pass it on"
    unused: tuple[str, ...] = () if redirect in (None, _REDIRECT_URL) else ("oauth_redirect_url",)
    unused += ("oauth_scopes",) if scopes else ()
    return fields.not_honoured(*unused, because=because)


def _connection_parameters(fields: Fields) -> tuple[dict[str, object], tuple[str, ...], tuple[str, ...]]:
    """Return the arguments to pass to the driver, warnings and secrets."""
    given = dict(fields.mapping("connection_parameters"))
    for name in _RESERVED:
        if name in given:
            raise fields.error(
                f"'{name}' in 'connection_parameters' is reserved",
                hint="set host, http_path, catalog, schema and login as fields of the output",
            )
    warnings = tuple(
        f"'{name}' in 'connection_parameters' is not honoured: {_OURS[name]}"
        for name, value in given.items()
        if name in _OURS and value is not None
    )
    secrets: tuple[str, ...] = ()
    if "http_headers" in given:
        headers = given["http_headers"]
        if not isinstance(headers, Mapping) or not all(isinstance(value, str) for value in headers.values()):
            raise fields.error("'http_headers' in 'connection_parameters' is not a mapping of strings")
        given["http_headers"] = [(str(name), value) for name, value in headers.items()]
        secrets = tuple(headers.values())
    for name in _TLS_FILES:
        if isinstance(path := given.get(name), str):
            given[name] = fields.resolve(path)
    return {name: value for name, value in given.items() if name not in _OURS}, warnings, secrets


def _session_configuration(
    properties: Mapping[str, object], tags: Mapping[str, str], http_path: str
) -> dict[str, object]:
    """Return the session configuration: UTC, Databricks' default, unless *properties* set a time zone."""
    # https://docs.databricks.com/en/sql/language-manual/parameters/timezone.html
    timezone = "TIMEZONE" if is_sql_warehouse(http_path) else "spark.sql.session.timeZone"
    has_zone = any(name.lower() in ("timezone", "spark.sql.session.timezone") for name in properties)
    configuration = {} if has_zone else {timezone: "UTC"}
    configuration |= {name: _spelled(value) for name, value in properties.items()}
    if tags:
        configuration["QUERY_TAGS"] = ",".join(f"{_escaped(key)}:{_escaped(tags[key])}" for key in tags)
    return dict(configuration)


def _query_tags(fields: Fields) -> Mapping[str, str]:
    """Return the query tags, which dbt accepts as the text of a JSON object."""
    text = fields.text("query_tags")
    if not text:
        return {}
    try:
        tags = json.loads(text)
    except ValueError:
        tags = None
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise fields.error(
            "Field 'query_tags' is not a JSON object of strings", hint='such as \'{"team": "finance"}\''
        )
    _check_tags(fields, tags)
    return tags


def _check_tags(fields: Fields, tags: Mapping[str, str]) -> None:
    if len(tags) > MOST_TAGS:
        raise fields.error(f"Field 'query_tags' has {len(tags)} tags, but only {MOST_TAGS} are allowed")
    for key, value in tags.items():
        if key.startswith("@@"):
            raise fields.error(f"The query tag '{key}' is reserved")
        if len(_escaped(value)) > LONGEST_TAG:
            raise fields.error(f"The query tag '{key}' is longer than {LONGEST_TAG} characters")


def _escaped(text: str) -> str:
    return re.sub(r"[\\,:]", r"\\\g<0>", text)


def _spelled(value: object) -> str:
    """Return *value*, from YAML, as a Spark setting."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _typed(value: str) -> object:
    """Return *value*, from a URL, as a driver argument: a number or boolean if it looks like one."""
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    return int(value) if re.fullmatch(r"\d+", value) else unquote(value)
