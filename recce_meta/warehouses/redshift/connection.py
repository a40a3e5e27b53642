"""Amazon Redshift, provisioned and serverless: connection fields of dbt-redshift, and facts about its SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from string import ascii_lowercase, ascii_uppercase
from typing import ClassVar
from urllib.parse import parse_qsl

from recce_meta.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryCancelled,
    SyntaxFailed,
    TransientFailure,
    WarehouseError,
)
from recce_meta.warehouses.base import LOCAL_LOGIN, ConnectionPlan, UrlParts, Warehouse
from recce_meta.warehouses.builds import DEFAULT_BY_KEY, KEYED_STRATEGIES, BuildRules, Statement
from recce_meta.warehouses.error_position import line_and_column
from recce_meta.warehouses.fields import Fields
from recce_meta.warehouses.postgres.connection import quoted_role

DEFAULT_PORT = 5439
DEFAULT_CONNECT_SECONDS = 30
DEFAULT_LISTEN_PORT = 7890
DEFAULT_IDP_SECONDS = 60
DEFAULT_DISPLAY_NAME = "Amazon Redshift driver"

AUTOCOMMIT = "autocommit"
TOKEN_ENDPOINT = "token_endpoint"
"""With `AUTOCOMMIT`, a connect argument for our own driver, which removes it."""

METHODS = ("database", "iam", "iam_role", "browser_identity_center", "oauth_token_identity_center")
# dbt-redshift 1.11, connections.py: SSL_MODE_TRANSLATION
_SSL_MODES: Mapping[str, str | None] = {
    "disable": None,
    "allow": "verify-ca",
    "prefer": "verify-ca",
    "require": "verify-ca",
    "verify-ca": "verify-ca",
    "verify-full": "verify-full",
}
_KEEPALIVES = {"tcp_keepalive_idle": 30, "tcp_keepalive_interval": 10, "tcp_keepalive_count": 3}
"""Fields and their defaults: a broken connection is closed after a minute."""
_ENDPOINT_KEYS = ("type", "request_url", "request_data")
# Login fields and the methods that use them. dbt ignores fields of other methods; we warn.
_READ_BY: Mapping[str, tuple[str, ...]] = {
    "user": ("database", "iam"),
    "password": ("database",),
    "cluster_id": ("iam", "iam_role"),
    "serverless_work_group": ("iam", "iam_role"),
    "serverless_acct_id": ("iam", "iam_role"),
    "iam_profile": ("iam", "iam_role"),
    "access_key_id": ("iam",),
    "secret_access_key": ("iam",),
    "autocreate": ("iam", "iam_role"),
    "db_groups": ("iam", "iam_role"),
    "idc_region": ("browser_identity_center",),
    "issuer_url": ("browser_identity_center",),
    "idp_listen_port": ("browser_identity_center",),
    "idc_client_display_name": ("browser_identity_center",),
    "idp_response_timeout": ("browser_identity_center",),
    TOKEN_ENDPOINT: ("oauth_token_identity_center",),
}
# `max_prepared_statements`: unnamed statements are discarded by the next statement.
_DRIVER_ARGUMENTS: Mapping[str, object] = {"application_name": "recce_meta", "max_prepared_statements": 0}

_FOLDED = str.maketrans(ascii_uppercase, ascii_lowercase)

# Messages of errors with SQLSTATE XX000, or without any response from a server.
_BY_MESSAGE: tuple[tuple[re.Pattern[str], type[WarehouseError]], ...] = (
    # https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
    (re.compile(r"\A1023\b|[Ss]erializable isolation violation"), TransientFailure),
    (re.compile(r"conflict with concurrent transaction|could not open relation with OID"), TransientFailure),
    (
        re.compile(r"authentication failed|no pg_hba\.conf entry|user \".*\" does not exist"),
        AuthenticationFailed,
    ),
    # Messages of boto3 if no login is available.
    (
        re.compile(
            r"Unable to locate credentials|ExpiredToken|InvalidClientTokenId|AccessDenied|UnrecognizedClient"
            r"|SignatureDoesNotMatch|config profile .* could not be found|[Aa]uthentication|NoCredentials"
        ),
        AuthenticationFailed,
    ),
    (re.compile(r"cancelled on user's request|statement timeout|cancelled by WLM"), QueryCancelled),
    (re.compile(r"[Pp]ermission denied|must be owner of"), PermissionDenied),
)


class Redshift(Warehouse):
    """Redshift through redshift_connector, Amazon's own driver, which also supports IAM."""

    name = "redshift"
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW.html
    zone_sql = "SHOW timezone"
    enforced_constraints = frozenset(["not_null"])
    default_port = DEFAULT_PORT
    bracketed_queries = frozenset(["table", "view"])
    build_rules = BuildRules({**KEYED_STRATEGIES, "microbatch": Statement.WINDOW}, *DEFAULT_BY_KEY)
    dialect = "redshift"
    url_schemes: ClassVar[tuple[str, ...]] = ("redshift",)
    own_configs: ClassVar[frozenset[str]] = frozenset(["dist", "sort_type", "diststyle"])
    distributions: ClassVar[tuple[str, ...]] = ("redshift-connector", "sqlalchemy-redshift")
    # https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
    max_identifier_length = 127
    # https://docs.aws.amazon.com/redshift/latest/dg/r_BEGIN.html: READ ONLY
    has_read_only_transactions = True
    # https://docs.aws.amazon.com/redshift/latest/dg/c_System_administration_functions.html
    changing_functions: ClassVar[tuple[str, ...]] = (
        *("pg_cancel_backend", "pg_terminate_backend", "set_config", "nextval", "setval"),
    )
    # https://docs.aws.amazon.com/redshift/latest/dg/c_intro_system_tables.html, and PostgreSQL's catalogs
    host_functions: ClassVar[tuple[str, ...]] = (
        *("stl_*", "stv_*", "svl_*", "svcs_*", "svv_external_*", "sys_query_*", "sys_session_*"),
        *("sys_connection_log", "pg_shadow", "pg_user_info", "pg_settings", "pg_stat_activity"),
        *("pg_read_*", "pg_ls_*", "current_setting"),
    )
    has_unsure_escapes = True
    # A transaction that has read the catalog conflicts with concurrent writers. One that locks before it
    # reads anything waits for them.
    creates_store_apart = True
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html: only the same set of columns
    replaces_views = False
    # https://docs.getdbt.com/docs/core/connect-data-platform/redshift-setup
    aliases: ClassVar[Mapping[str, str]] = {"pass": "password", "dbname": "database"}
    # Redshift uses PostgreSQL's codes: https://www.postgresql.org/docs/8.0/errcodes-appendix.html
    error_classes: ClassVar[Mapping[str, type[WarehouseError]]] = {
        "08": ConnectionFailed,
        # Two sessions created the same object concurrently: CREATE … IF NOT EXISTS checks before it
        # creates. The code depends on the progress of the slower session; only the catalog has unique keys.
        "23505": TransientFailure,
        "42710": TransientFailure,
        "42P06": TransientFailure,
        "42P07": TransientFailure,
        "28": AuthenticationFailed,
        "3D000": ConnectionFailed,
        "3F000": MissingRelation,
        "40": TransientFailure,
        "42501": PermissionDenied,
        "42601": SyntaxFailed,
        "42703": MissingRelation,
        "42704": MissingRelation,
        "42883": MissingRelation,
        "42P01": MissingRelation,
        "53300": TransientFailure,
        "55P03": TransientFailure,
        "57014": QueryCancelled,
        "57P": ConnectionFailed,
        # The driver's own classes: no server responded, or the connection is lost.
        "InterfaceError": ConnectionFailed,
        "OperationalError": ConnectionFailed,
        "ConnectionResetError": ConnectionFailed,
        "BrokenPipeError": ConnectionFailed,
        "TimeoutError": ConnectionFailed,
        "gaierror": ConnectionFailed,
        "error": ConnectionFailed,
    }

    def parse_fields(self, database: str, schema: str) -> Mapping[str, object]:
        return {**LOCAL_LOGIN, "port": DEFAULT_PORT, "dbname": database, "schema": schema}

    def reading_statements(self, quoted_schema: str) -> tuple[str, ...]:
        """Return the statement that searches names in *quoted_schema* first."""
        return (f"SET search_path TO {quoted_schema}, '$user', public",)

    def folded(self, name: str) -> str:
        """Return *name* with ASCII letters in lower case, even if it is quoted.

        https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
        """
        return name.translate(_FOLDED)

    def error_code(self, error: BaseException) -> str | None:
        """Return the SQLSTATE, or the driver's class name if no server responded."""
        code = _error_details(error).get("C")
        return code if code is not None else type(error).__name__

    def error_position(self, error: BaseException, sql: str) -> tuple[int, int] | None:
        """Return the position of the character that the server reports."""
        offset = _error_details(error).get("P", "")
        return line_and_column(int(offset), sql) if offset.isdigit() else None

    def error_message(self, error: BaseException) -> str:
        """Return the server's message with its detail and the position in the statement."""
        details = _error_details(error)
        if "M" not in details:
            return ": ".join(str(part) for part in error.args) or type(error).__name__
        parts = [details["M"]]
        if details.get("D"):
            parts.append(" ".join(details["D"].split()))
        if details.get("P"):
            parts.append(f"at character {details['P']}")
        return "; ".join(parts)

    def error_class(self, code: str | None, message: str = "") -> type[WarehouseError]:
        """Return the class for *code*; Redshift's own errors share one code (XX000), so the message
        decides.
        """
        found = super().error_class(code, message)
        if found in (WarehouseError, ConnectionFailed):
            found = next((kind for pattern, kind in _BY_MESSAGE if pattern.search(message)), found)
        return found

    def plan(self, fields: Fields) -> ConnectionPlan:
        """Return the connection plan for one output of `profiles.yml`."""
        method = _method(fields)
        is_database = method == "database"
        url = UrlParts(
            "redshift+redshift_connector",
            username=fields.required_text("user") if is_database else None,
            password=fields.required_text("password") if is_database else None,
            host=fields.required_text("host"),
            port=fields.integer("port") or DEFAULT_PORT,
            database=fields.required_text("database"),
        )
        connect_args = {**_DRIVER_ARGUMENTS, **_reach(fields), **_login(fields, method, url.host or "")}
        statements = _session_statements(fields, self)
        schema = fields.required_text("schema")
        retries = fields.integer("retries", 1) or 0
        unread = [name for name, methods in _READ_BY.items() if method not in methods]
        warnings = (
            *fields.not_honoured(*unread, because=f"method '{method}' does not use it"),
            *fields.not_honoured("retry_all", because="only temporary errors are retried"),
        )
        # Names of other databases are sent unchanged for every node type, and nothing is dropped.
        fields.without_meaning_here(
            "ra3_node", "datasharing", "allow_concurrent_drops", "drop_without_cascade"
        )
        fields.without_meaning_here("threads", "type")
        return ConnectionPlan(
            url,
            database=url.database,
            schema=schema,
            connect_args=connect_args,
            statements=statements,
            warnings=(*warnings, *fields.leftovers()),
            secrets=tuple({*fields.secrets(), *_endpoint_secrets(connect_args.get(TOKEN_ENDPOINT))}),
            connect_attempts=1 + max(0, retries),
        )

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """Return the connection plan for `redshift://user:password@host:5439/database?sslmode=require`.

        Query parameters are fields of a profile: `?method=iam&cluster_id=c&region=eu-west-1`.
        """
        given: dict[str, object] = {
            "host": url.host,
            "port": url.port,
            "database": url.database,
            "user": url.username,
            "password": url.password,
        }
        values: dict[str, object] = {"schema": "public", **url.query}
        if isinstance(groups := values.get("db_groups"), str):
            values["db_groups"] = groups.split(",")
        values |= {name: value for name, value in given.items() if value is not None}
        plan = self.plan(Fields(values, aliases=self.aliases, where="the URL"))
        return plan if "schema" in url.query else replace(plan, schema=None)


def _method(fields: Fields) -> str:
    method = fields.text("method") or "database"
    if method not in METHODS:
        raise fields.error(f"Unknown method '{method}'", hint=f"one of: {', '.join(METHODS)}")
    return method


def _reach(fields: Fields) -> dict[str, object]:
    """Return the arguments for reaching the server, independent of the login."""
    mode = fields.text("sslmode") or "prefer"
    if mode not in _SSL_MODES:
        raise fields.error(f"Unknown sslmode '{mode}'", hint=f"one of: {', '.join(_SSL_MODES)}")
    keepalive = fields.boolean("tcp_keepalive", True)
    arguments: dict[str, object] = {
        "ssl": _SSL_MODES[mode] is not None,
        "sslmode": _SSL_MODES[mode],
        # Only for connecting: our driver resets it afterwards. dbt's lasts as long as the session.
        "timeout": fields.integer("connect_timeout") or DEFAULT_CONNECT_SECONDS,
        "tcp_keepalive": keepalive,
        "region": fields.text("region"),
        AUTOCOMMIT: fields.boolean(AUTOCOMMIT, True),
    }
    for name, default in _KEEPALIVES.items():
        seconds = fields.integer(name) or default
        arguments[name] = seconds if keepalive else None
    return {name: value for name, value in arguments.items() if value is not None or name == "sslmode"}


def _login(fields: Fields, method: str, host: str) -> dict[str, object]:
    """Return the login arguments, as in dbt-redshift's `get_connection_method`."""
    serverless = fields.boolean("is_serverless") or "serverless" in host
    if method == "database":
        return {"is_serverless": serverless}
    login: dict[str, object] = {"user": "", "password": "", "is_serverless": serverless}
    if method == "browser_identity_center":
        return login | {"iam": False, **_browser(fields)}
    if method == "oauth_token_identity_center":
        return login | {"iam": False, TOKEN_ENDPOINT: _token_endpoint(fields)}
    login |= {"iam": True, **_cluster(fields, serverless)}
    login["auto_create"] = fields.boolean("autocreate")
    login["db_groups"] = [str(group) for group in fields.sequence("db_groups")]
    if method == "iam":
        return login | {"db_user": fields.required_text("user"), **_keys(fields)}
    profile = fields.text("iam_profile")
    login |= {"db_user": None, "group_federation": not serverless}
    return login if profile is None else login | {"profile": profile}


def _cluster(fields: Fields, serverless: bool) -> dict[str, object]:
    """Return the cluster or workgroup to request credentials for."""
    cluster = fields.text("cluster_id")
    group, account = fields.text("serverless_work_group"), fields.text("serverless_acct_id")
    if serverless:
        return {"serverless_work_group": group, "serverless_acct_id": account}
    if not cluster:
        raise fields.error(
            "Field 'cluster_id' is missing",
            hint="add 'cluster_id:', or 'is_serverless: true' for a workgroup",
        )
    return {"cluster_identifier": cluster}


def _keys(fields: Fields) -> dict[str, object]:
    """Return the AWS identity: a pair of keys, a profile of AWS's own files, or the environment's."""
    key, secret = fields.text("access_key_id"), fields.text("secret_access_key")
    profile = fields.text("iam_profile")
    if key and secret:
        return {"access_key_id": key, "secret_access_key": secret}
    if key or secret:
        missing = "secret_access_key" if key else "access_key_id"
        raise fields.error(
            f"Field '{missing}' is missing", hint="set both 'access_key_id' and 'secret_access_key'"
        )
    return {} if profile is None else {"profile": profile}


def _browser(fields: Fields) -> dict[str, object]:
    seconds = fields.integer("idp_response_timeout")
    return {
        "credentials_provider": "BrowserIdcAuthPlugin",
        "issuer_url": fields.required_text("issuer_url"),
        "idc_region": fields.required_text("idc_region"),
        "listen_port": fields.integer("idp_listen_port") or DEFAULT_LISTEN_PORT,
        "idc_client_display_name": fields.text("idc_client_display_name") or DEFAULT_DISPLAY_NAME,
        "idp_response_timeout": DEFAULT_IDP_SECONDS if seconds is None else seconds,
    }


def _token_endpoint(fields: Fields) -> Mapping[str, str]:
    """Return the endpoint for requesting a token, and its parameters; the driver sends the request."""
    endpoint = {key: str(value) for key, value in fields.mapping(TOKEN_ENDPOINT).items() if value is not None}
    kind = endpoint.get("type")
    if kind not in (None, "okta", "entra"):
        raise fields.error(f"Unknown type '{kind}' in 'token_endpoint'", hint="one of: okta, entra")
    needed = (*_ENDPOINT_KEYS, "idp_auth_credentials") if kind == "okta" else _ENDPOINT_KEYS
    missing = [key for key in needed if not endpoint.get(key)]
    if missing:
        names = ", ".join(f"'{key}'" for key in missing)
        raise fields.error(f"Field 'token_endpoint' lacks {names}", hint="add it below 'token_endpoint:'")
    return endpoint


def _endpoint_secrets(endpoint: object) -> Iterator[str]:
    """Yield the secrets of a token endpoint, with each value of its form separately."""
    if isinstance(endpoint, Mapping):
        yield endpoint["request_data"]
        for name, value in parse_qsl(endpoint["request_data"]):
            if name in ("client_secret", "refresh_token", "assertion", "password", "code"):
                yield value
        if credentials := endpoint.get("idp_auth_credentials"):
            yield credentials


def _session_statements(fields: Fields, warehouse: Redshift) -> tuple[str, ...]:
    """Return the statements that set up a new connection."""
    statements = []
    if role := fields.text("role"):
        statements.append(f"SET ROLE {quoted_role(role, warehouse)}")
    if group := fields.text("query_group"):
        statements.append(f"SET query_group TO {_literal(group)}")
    return tuple(statements)


def _literal(text: str) -> str:
    # A backslash is an escape: https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _error_details(error: BaseException) -> Mapping[str, str]:
    """Return the fields of the server's message.

    https://www.postgresql.org/docs/8.0/protocol-error-fields.html
    """
    first = error.args[0] if error.args else None
    return first if isinstance(first, dict) else {}
