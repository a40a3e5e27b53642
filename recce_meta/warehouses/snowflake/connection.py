"""Snowflake: connection fields of dbt-snowflake, and facts about its SQL."""

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
    SyntaxFailed,
    TransientFailure,
    WarehouseError,
    did_you_mean,
    quoted,
)
from recce_meta.models.change import Category
from recce_meta.warehouses.base import DUMMY, ConnectionPlan, StoreRights, UrlParts, Warehouse
from recce_meta.warehouses.builds import KEYED_STRATEGIES, BuildRules, Edit, Outcome, Statement, failing
from recce_meta.warehouses.fields import Fields

LOGIN_SECONDS = 60
"""Timeout of a login that needs no user interaction; the driver's default is five minutes."""

PROVIDERS = ("OIDC", "AZURE", "GCP", "AWS")
"""Values of `workload_identity_provider`."""

# Inputs from which the driver file computes driver arguments: it loads keys and requests tokens.
KEY_TEXT, KEY_PATH, KEY_PASSPHRASE = "private_key_text", "private_key_path", "private_key_passphrase"
REFRESH_TOKEN = "oauth_refresh_token"

_INTERACTIVE = ("externalbrowser", "username_password_mfa", "oauth_authorization_code")
_WITH_CLIENT = ("oauth_client_credentials", "oauth_authorization_code")
_AUTHENTICATORS = (
    "externalbrowser",
    "jwt",
    "oauth",
    "oauth_authorization_code",
    "oauth_client_credentials",
    "programmatic_access_token",
    "snowflake",
    "snowflake_jwt",
    "username_password_mfa",
    "workload_identity",
)
_WITH_TOKEN = ("oauth", "jwt", "programmatic_access_token", "workload_identity")
"""Authenticators that use `token` and need no user."""

_DBT_ALONE = (
    "connect_timeout",
    "retry_all",
    "retry_on_database_errors",
    "reuse_connections",
    "threads",
    "type",
)
"""Fields that control dbt's waits, retries and reuse of connections."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_SQLSTATE = re.compile(r"\A\d{6} \((\w{5})\)")
_REFUSED = re.compile(
    r"(?i)incorrect username or password|authentication failed|JWT token is invalid|"
    r"role '.*' specified in the connect string|not allowed to access Snowflake|"
    r"token (?:is invalid|has expired)"
)

_BY_POSITION = failing("insert_overwrite writes columns by position")
_SHIFTED = Outcome(Category.BREAKING, "are replaced by position: values get into other columns")


class Snowflake(Warehouse):
    """Snowflake, through snowflake-sqlalchemy and snowflake-connector-python 4 or 5."""

    name = "snowflake"
    enforced_constraints = frozenset(["not_null"])
    quotes_relations = False
    bracketed_queries = frozenset(["table", "view"])
    build_rules = BuildRules(
        {**KEYED_STRATEGIES, "microbatch": Statement.WINDOW, "insert_overwrite": Statement.WHOLE},
        exceptions={
            ("insert_overwrite", Edit.ADDED): _BY_POSITION,
            ("insert_overwrite", Edit.REMOVED): _BY_POSITION,
            ("insert_overwrite", Edit.MOVED): _SHIFTED,
        },
        config={"table_format": failing("the table has another format")},
    )
    dialect = "snowflake"
    joins_databases = True
    url_schemes: ClassVar[tuple[str, ...]] = ("snowflake",)
    has_server_in_url = False
    own_configs: ClassVar[frozenset[str]] = frozenset(
        ["snowflake_warehouse", "query_tag", "transient", "copy_grants", "automatic_clustering", "target_lag"]
    )
    distributions: ClassVar[tuple[str, ...]] = ("snowflake-connector-python", "snowflake-sqlalchemy")
    version_sql = "SELECT CURRENT_VERSION()"
    # https://docs.snowflake.com/en/sql-reference/sql/show-parameters
    zone_sql = "SHOW PARAMETERS LIKE 'TIMEZONE' IN SESSION"
    position_pattern = re.compile(r"line (?P<line>\d+) at position (?P<column>\d+)")
    first_column = 1
    # https://docs.snowflake.com/en/sql-reference/identifiers-syntax
    max_identifier_length = 255
    quotes_keep_case = True
    # https://docs.snowflake.com/en/sql-reference/functions-system: many of them control sessions and tasks
    changing_functions: ClassVar[tuple[str, ...]] = ("system$*",)
    # https://docs.snowflake.com/en/sql-reference/transactions#ddl: DDL commits the open transaction
    has_transactional_ddl = False
    # Snowflake's own codes, and SQLSTATEs for the rest. No page lists all codes: these are from the
    # drivers' and dbt's source code and https://community.snowflake.com.
    error_classes: ClassVar[Mapping[str, type[WarehouseError]]] = {
        "000604": QueryCancelled,
        "000606": ConnectionFailed,  # no active warehouse
        "000625": TransientFailure,  # too many sessions wait for a lock
        "000629": QueryCancelled,
        "000630": QueryCancelled,  # STATEMENT_TIMEOUT_IN_SECONDS
        "000904": MissingRelation,  # a column
        "001003": SyntaxFailed,
        "002003": MissingRelation,
        "002037": MissingRelation,  # of the query of a view
        "002043": MissingRelation,
        "002140": MissingRelation,  # a function
        "003001": PermissionDenied,
        "003030": PermissionDenied,
        "090105": MissingRelation,  # no current database
        "090106": MissingRelation,  # no current schema
        "250": ConnectionFailed,
        "251": ConnectionFailed,
        "251005": AuthenticationFailed,  # no user
        "251006": AuthenticationFailed,  # no password
        "251008": AuthenticationFailed,  # no usable key
        "251012": TransientFailure,
        "251018": AuthenticationFailed,  # no workload credentials
        "254": ConnectionFailed,  # OCSP
        "290": ConnectionFailed,
        "29050": TransientFailure,  # HTTP 500 to 509
        "390": AuthenticationFailed,
        "390104": ConnectionFailed,  # the session has expired
        "390111": ConnectionFailed,
        "390112": ConnectionFailed,
        "390201": ConnectionFailed,  # no such database
        "394": AuthenticationFailed,
        "02000": MissingRelation,
        "08": ConnectionFailed,
        "28": AuthenticationFailed,
        "42501": PermissionDenied,
        "42601": SyntaxFailed,
        "42S02": MissingRelation,
        "57014": QueryCancelled,
    }

    def parse_fields(self, database: str, schema: str) -> Mapping[str, object]:
        login = dict.fromkeys(["account", "user", "password", "role", "warehouse"], DUMMY)
        return {**login, "database": database, "schema": schema}

    def error_code(self, error: BaseException) -> str | None:
        """Return Snowflake's own six-digit code, or the SQLSTATE if there is none."""
        number = getattr(error, "errno", None)
        if isinstance(number, int) and number > 0:
            return f"{number:06d}"
        return super().error_code(error)

    def error_message(self, error: BaseException) -> str:
        """Return the message in one line, since the first one may only say "SQL compilation error:"."""
        return " ".join(map(str.strip, str(error).splitlines()))

    def error_class(self, code: str | None, message: str = "") -> type[WarehouseError]:
        """Return the class for *code*, else for the SQLSTATE in the *message*.

        A failed login has the same code for a rejected password and for an unreachable server.
        """
        if code is not None and code.startswith("25") and _REFUSED.search(message):
            return AuthenticationFailed
        found = super().error_class(code, message)
        state = _SQLSTATE.match(message)
        return found if found is not WarehouseError or state is None else super().error_class(state[1])

    def grant_to_create_schema(self, database: str | None, role: str | None) -> str | None:
        """https://docs.snowflake.com/en/sql-reference/sql/create-schema#access-control-requirements"""
        where = self.as_written(database) if database else "the_database"
        return f"GRANT CREATE SCHEMA ON DATABASE {where} TO {self._role(role)}"

    def grant_to_create_table(self, schema: str | None, role: str | None) -> str | None:
        """https://docs.snowflake.com/en/user-guide/security-access-control-privileges#schema-privileges"""
        where, who = self._schema(schema), self._role(role)
        return f"GRANT USAGE, CREATE TABLE, CREATE VIEW ON SCHEMA {where} TO {who}"

    def _schema(self, name: str | None) -> str:
        return self.as_written(name) if name else "the_schema"

    def store_grants(self, rights: StoreRights) -> tuple[str, ...]:
        """Return the statements that give a role *rights* on a store.

        https://docs.snowflake.com/en/sql-reference/sql/grant-privilege
        """
        where, who = rights.schema, self._role(rights.role)
        database = self.as_written(rights.database) if rights.database else "your_database"
        return (
            "-- The role also needs USAGE on a virtual warehouse.",
            f"GRANT USAGE ON DATABASE {database} TO {who}",
            f"GRANT USAGE ON SCHEMA {where} TO {who}",
            *(f"GRANT SELECT ON ALL {kind} IN SCHEMA {where} TO {who}" for kind in ("TABLES", "VIEWS")),
            "-- Only with the global privilege MANAGE GRANTS, for relations that a later migration adds:",
            *(f"-- GRANT SELECT ON FUTURE {kind} IN SCHEMA {where} TO {who}" for kind in ("TABLES", "VIEWS")),
            *(
                f"GRANT {privilege} ON TABLE {table} TO {who}"
                for privilege, tables in rights.changes
                for table in tables
            ),
        )

    def _role(self, name: str | None) -> str:
        return f"ROLE {self.as_written(name) if name else 'the_role'}"

    def folded(self, name: str) -> str:
        """Return *name* in upper case, unless it requires quotes or is quoted in the profile."""
        if len(name) > 2 and name.startswith('"') and name.endswith('"'):
            return name[1:-1].replace('""', '"')
        return name.upper() if _PLAIN.fullmatch(name) else name

    def as_written(self, name: str) -> str:
        """Return *name*, from a profile, for SQL: dbt writes it unquoted, and Snowflake folds it to
        upper case.
        """
        if _PLAIN.fullmatch(name) or (len(name) > 2 and name.startswith('"') and name.endswith('"')):
            return name
        return self.quote_identifier(name)

    def plan(self, fields: Fields) -> ConnectionPlan:
        """Return the connection plan for one output of `profiles.yml`."""
        place = (fields.required_text("database"), fields.required_text("schema"))
        return _plan(fields, _account(fields), *place)

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """Return the connection plan for
        `snowflake://user:password@account/database/schema?warehouse=w&role=r`.

        Query parameters are fields of a profile.
        """
        database, _, schema = (url.database or "").partition("/")
        given: dict[str, object] = {
            "account": (url.host or "").removesuffix(".snowflakecomputing.com"),
            "user": url.username,
            "password": url.password,
            "port": url.port,
            "database": database or None,
            "schema": schema.strip("/") or None,
        }
        fields = Fields({**{name: value for name, value in given.items() if value}, **url.query}, where="URL")
        return _plan(fields, _account(fields), fields.text("database"), fields.text("schema"))


def _account(fields: Fields) -> str:
    """Return the account as in its host name, with hyphens instead of underscores, as dbt does."""
    return fields.required_text("account").replace("_", "-")


def _plan(fields: Fields, account: str, database: str | None, schema: str | None) -> ConnectionPlan:
    authenticator = _authenticator(fields)
    user, password, role = fields.text("user"), fields.text("password"), fields.text("role")
    login, warnings = _login(fields, authenticator, user)
    host, port = fields.text("host"), fields.integer("port")
    arguments: dict[str, object | None] = {
        "account": account,
        "user": user,
        "password": password,
        "database": database,
        "schema": schema,
        "warehouse": fields.text("warehouse"),
        "role": role,
        "host": host,
        "port": port,
        "protocol": fields.text("protocol"),
        "proxy_host": fields.text("proxy_host"),
        "proxy_port": fields.integer("proxy_port"),
        "insecure_mode": fields.boolean("insecure_mode") or None,
        "platform_detection_timeout_seconds": _seconds(fields, "platform_detection_timeout_seconds"),
        "login_timeout": None if authenticator in _INTERACTIVE else LOGIN_SECONDS,
        **login,
    }
    retries = fields.integer("connect_retries", 1) or 0
    keep_alive = fields.boolean("client_session_keep_alive")
    session = _session_parameters(fields)
    fields.without_meaning_here(*_DBT_ALONE)
    return ConnectionPlan(
        UrlParts("snowflake", user, None, host or account, port, database, {"role": role or ""}),
        database=database,
        schema=schema,
        role=role,
        connect_args={
            **{name: value for name, value in arguments.items() if value is not None},
            "application": "recce_meta",
            "autocommit": True,
            "client_session_keep_alive": keep_alive,
            "session_parameters": session,
        },
        warnings=(*warnings, *fields.leftovers()),
        secrets=fields.secrets(),
        connect_attempts=1 + max(0, retries),
    )


def _authenticator(fields: Fields) -> str | None:
    """Return the authenticator in lower case, unless it is an Okta URL.

    Raises ProfileError if it is unknown.
    """
    given = fields.text("authenticator")
    if not given or given.lower().startswith("https://"):
        return given or None
    known = given.lower()
    if known not in _AUTHENTICATORS:
        hint = did_you_mean(known, _AUTHENTICATORS)
        raise fields.error(
            f"Unknown authenticator '{given}'",
            hint=hint or f"one of {', '.join(_AUTHENTICATORS)}, or https://<organisation>.okta.com",
        )
    return known


def _login(
    fields: Fields, authenticator: str | None, user: str | None
) -> tuple[dict[str, object | None], tuple[str, ...]]:
    """Return the login arguments, and warnings for fields that are not used."""
    if not user and authenticator not in _WITH_TOKEN and authenticator not in _WITH_CLIENT:
        raise fields.error("Field 'user' is missing", hint="add 'user:' to this output")
    arguments: dict[str, object | None] = {"authenticator": authenticator}
    if authenticator is not None:  # as in dbt: keep tokens between logins on Linux too
        arguments |= {"client_store_temporary_credential": True, "client_request_mfa_token": True}
    keys = _key(fields)
    if keys and authenticator in (None, "snowflake_jwt"):
        arguments["authenticator"] = "SNOWFLAKE_JWT"
    elif authenticator == "snowflake_jwt":
        raise fields.error(
            "Authenticator 'snowflake_jwt' needs a private key", hint="add 'private_key_path:' to this output"
        )
    token, warnings = _token(fields, authenticator)
    workload = _workload(fields, authenticator)
    return arguments | keys | token | workload, warnings


def _key(fields: Fields) -> dict[str, object | None]:
    text, path = fields.text("private_key"), fields.path("private_key_path")
    passphrase = fields.text("private_key_passphrase")
    if text and path:
        raise fields.error(
            "Fields 'private_key' and 'private_key_path' contradict each other", hint="keep one of them"
        )
    if not text and not path:
        return {}
    return {KEY_TEXT: text or None, KEY_PATH: path or None, KEY_PASSPHRASE: passphrase or None}


def _token(fields: Fields, authenticator: str | None) -> tuple[dict[str, object | None], tuple[str, ...]]:
    token = fields.text("token")
    client, secret = fields.text("oauth_client_id"), fields.text("oauth_client_secret")
    if authenticator in _WITH_CLIENT:
        return {"oauth_client_id": client, "oauth_client_secret": secret}, ()
    if authenticator != "oauth":
        unused = [("oauth_client_id", client), ("oauth_client_secret", secret)]
        if authenticator not in _WITH_TOKEN:
            unused.append(("token", token))
        wanted = "set authenticator: oauth to use it"
        names = [name for name, value in unused if value]
        warnings = fields.not_honoured(*names, because=wanted)
    else:
        warnings = ()
        if bool(client) != bool(secret):
            lacking = "oauth_client_secret" if client else "oauth_client_id"
            present = "oauth_client_id" if client else "oauth_client_secret"
            because = f"'{lacking}' is missing, so 'token' is used as an access token, as in dbt"
            warnings = fields.not_honoured(present, because=because)
    if not token and authenticator in ("oauth", "jwt", "programmatic_access_token"):
        raise fields.error(
            f"Authenticator '{authenticator}' needs a token", hint="add 'token:' to this output"
        )
    if authenticator == "oauth" and client and secret:
        return {REFRESH_TOKEN: token, "oauth_client_id": client, "oauth_client_secret": secret}, warnings
    kind = "oauth" if authenticator == "jwt" else authenticator
    return ({"token": token, "authenticator": kind} if authenticator in _WITH_TOKEN else {}), warnings


def _workload(fields: Fields, authenticator: str | None) -> dict[str, object | None]:
    provider = fields.text("workload_identity_provider")
    resource = fields.text("workload_identity_entra_resource")
    if authenticator != "workload_identity":
        if provider or resource:
            raise fields.error(
                "Fields of 'workload_identity' are set, but the authenticator is different",
                hint="set authenticator: workload_identity, or remove them",
            )
        return {}
    if (provider or "").upper() not in PROVIDERS:
        raise fields.error(
            f"Field 'workload_identity_provider' is {provider or 'missing'}",
            hint=f"one of {', '.join(PROVIDERS)}",
        )
    if resource and (provider or "").upper() != "AZURE":
        raise fields.error(
            "Field 'workload_identity_entra_resource' is only valid with the provider AZURE", hint="remove it"
        )
    return {
        "authenticator": "WORKLOAD_IDENTITY",
        "workload_identity_provider": (provider or "").upper(),
        "workload_identity_entra_resource": resource,
    }


def _session_parameters(fields: Fields) -> dict[str, object]:
    """https://docs.snowflake.com/en/sql-reference/parameters"""
    endpoint = fields.text("s3_stage_vpce_dns_name")
    return {
        "QUERY_TAG": fields.text("query_tag") or "recce_meta",
        # Queries of a lost connection would otherwise go on, and cost credits.
        "ABORT_DETACHED_QUERY": True,
        **({"S3_STAGE_VPCE_DNS_NAME": endpoint} if endpoint else {}),
    }


def _seconds(fields: Fields, name: str) -> float:
    """Return the field as seconds; 0 if it is absent, as in dbt."""
    text = fields.text(name)
    try:
        return 0.0 if text is None else float(text)
    except ValueError:
        raise fields.error(f"Field '{name}' is not a number: {quoted(text)}") from None
