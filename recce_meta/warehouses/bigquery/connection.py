"""BigQuery: connection fields of dbt-bigquery, and facts about its SQL."""

from __future__ import annotations

import base64
import binascii
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar
from urllib.parse import parse_qsl

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
from recce_meta.warehouses.base import DUMMY, ConnectionPlan, StoreRights, UrlParts, Warehouse
from recce_meta.warehouses.builds import BuildRules, SeedLoad, Statement, failing
from recce_meta.warehouses.fields import Fields

# https://github.com/dbt-labs/dbt-adapters/blob/main/dbt-bigquery/src/dbt/adapters/bigquery/credentials.py
SCOPES = (
    "https://www.googleapis.com/auth/bigquery",
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/drive",
    "https://www.googleapis.com/auth/userinfo.email",
)
PRIORITIES = ("interactive", "batch")

_FIELDS_OF_METHOD: Mapping[str, tuple[str, ...]] = {
    "oauth": (),
    "oauth-secrets": ("token", "refresh_token", "client_id", "client_secret", "token_uri"),
    "service-account": ("keyfile",),
    "service-account-json": ("keyfile_json",),
    "external-oauth-wif": (
        "workload_pool_provider_path",
        "token_endpoint",
        "service_account_impersonation_url",
    ),
}
METHODS = tuple(_FIELDS_OF_METHOD)

_REFRESHING = ("refresh_token", "client_id", "client_secret", "token_uri")
_TOKEN_ENDPOINT = ("type", "request_url", "request_data")
_OF_PYTHON_MODELS = (
    "compute_region",
    "dataproc_batch",
    "dataproc_cluster_name",
    "gcs_bucket",
    "submission_method",
)
_PUBLIC_IN_KEYFILE = frozenset(
    {
        "auth_provider_x509_cert_url",
        "auth_uri",
        "client_email",
        "client_id",
        "client_x509_cert_url",
        "project_id",
        "token_uri",
        "type",
        "universe_domain",
    }
)
"""Fields of a service account key that are not secret: messages may name the project."""
_OF_URL: Mapping[str, str] = {
    "billing_project_id": "execution_project",
    "credentials_base64": "keyfile_json",
    "credentials_path": "keyfile",
}
"""Names of fields in sqlalchemy-bigquery's URLs, mapped to ours."""


@dataclass(frozen=True, slots=True)
class Key:
    """Authentication method and its settings. The repr shows only the method."""

    method: str
    settings: Mapping[str, object] = field(default_factory=dict, repr=False)
    """Fields of the method; `keyfile_json` decoded."""
    scopes: tuple[str, ...] = SCOPES
    impersonate: str | None = None
    """The service account to act as."""


@dataclass(frozen=True, slots=True)
class Place:
    """Location of jobs, and the default project and dataset of names."""

    project: str | None
    """Project of the data; None for the one in the credentials."""
    dataset: str | None
    execution_project: str | None
    """Project that runs and pays for jobs; None for the data's project."""
    location: str | None = None
    quota_project: str | None = None
    api_endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Jobs:
    """Settings for running jobs."""

    priority: str = "interactive"
    maximum_bytes_billed: int | None = None
    reservation: str | None = None
    seconds: int | None = None
    """Maximum run time of a job."""
    creation_seconds: int | None = None
    """Timeout of the request that creates a job."""
    retries: int = 1
    """Number of retries of a job after a temporary failure."""
    retry_seconds: int | None = None
    """Time after the first attempt in which another one may start."""


class BigQuery(Warehouse):
    """BigQuery, through google-cloud-bigquery and sqlalchemy-bigquery."""

    name = "bigquery"
    enforced_constraints = frozenset(["not_null"])
    dataset_namespace = "bigquery"
    bracketed_queries = frozenset(["table"])
    build_rules = BuildRules(
        {
            "merge": Statement.KEYED,
            "insert_overwrite": Statement.PARTITIONS,
            "microbatch": Statement.PARTITIONS,
        },
        replacements={("table", "view"): failing("a table is not replaced by a view")},
        seed_load=SeedLoad.REBUILT,
    )
    dialect = "bigquery"
    joins_databases = True
    url_schemes: ClassVar[tuple[str, ...]] = ("bigquery",)
    has_server_in_url = False
    quote_character = "`"
    # https://cloud.google.com/bigquery/docs/tables#table_naming: 1,024 bytes for a table or a dataset
    max_identifier_length = 1024
    own_configs: ClassVar[frozenset[str]] = frozenset(
        [
            "kms_key_name",
            "hours_to_expiration",
            "require_partition_filter",
            "grant_access_to",
            "maximum_bytes_billed",
        ]
    )
    distributions: ClassVar[tuple[str, ...]] = ("google-cloud-bigquery", "sqlalchemy-bigquery")
    version_sql = "SELECT @@project_id"  # BigQuery has no version; this project runs and pays for jobs
    # "Syntax error: Unexpected identifier \"FORM\" at [2:3]"
    position_pattern = re.compile(r"at \[(?P<line>\d+):(?P<column>\d+)\]")
    has_transactional_ddl = False
    aliases: ClassVar[Mapping[str, str]] = {
        "project": "database",
        "dataset": "schema",
        "target_project": "target_database",
        "target_dataset": "target_schema",
        "retries": "job_retries",
        "timeout_seconds": "job_execution_timeout_seconds",
        "dataproc_region": "compute_region",
    }
    # https://cloud.google.com/bigquery/docs/error-messages; capitalized codes are class names
    error_classes: ClassVar[Mapping[str, type[WarehouseError]]] = {
        "accessDenied": PermissionDenied,
        "authError": AuthenticationFailed,
        "backendError": TransientFailure,
        "badGateway": TransientFailure,
        "billingNotEnabled": PermissionDenied,
        "internalError": TransientFailure,
        "jobBackendError": TransientFailure,
        "jobInternalError": TransientFailure,
        "jobRateLimitExceeded": TransientFailure,
        "notFound": MissingRelation,
        "quotaExceeded": TransientFailure,
        "rateLimitExceeded": TransientFailure,
        "required": AuthenticationFailed,
        "stopped": QueryCancelled,
        "tableUnavailable": TransientFailure,
        "timeout": QueryTimeout,
        "ConnectionError": ConnectionFailed,
        "DefaultCredentialsError": AuthenticationFailed,
        "GoogleAuthError": AuthenticationFailed,
        "InvalidValue": AuthenticationFailed,
        "MalformedError": AuthenticationFailed,
        "OAuthError": AuthenticationFailed,
        "RefreshError": AuthenticationFailed,
        "RetryError": ConnectionFailed,
        "SSLError": ConnectionFailed,
        "Timeout": ConnectionFailed,
        "TransportError": ConnectionFailed,
    }

    def parse_fields(self, database: str, schema: str) -> Mapping[str, object]:
        return {"method": "oauth-secrets", "token": DUMMY, "project": database, "dataset": schema}

    def quote_identifier(self, name: str) -> str:
        """Return *name* in backticks, with backslashes and backticks escaped.

        https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#quoted_identifiers
        """
        super().quote_identifier(name)  # raises if the name is invalid
        return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"

    def plan(self, fields: Fields) -> ConnectionPlan:
        """Return the connection plan for one output of `profiles.yml`."""
        method = fields.text("method")
        if method not in METHODS:
            problem = "Field 'method' is missing" if not method else f"Unknown method '{method}'"
            raise fields.error(problem, hint=f"one of: {', '.join(METHODS)}")
        dataset = fields.required_text("schema")
        return _plan(fields, method, dataset)

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """Return the connection plan for `bigquery://project/dataset?location=EU`.

        By default it uses the application default credentials. Other fields of `profiles.yml` may follow as
        parameters.
        """
        if url.username or url.password or url.port:
            raise UsageError(
                "A BigQuery URL must not have a user or a port",
                hint="bigquery://PROJECT/DATASET?location=EU&keyfile=/path/key.json",
            )
        given: dict[str, object] = {"database": url.host or None, "schema": url.database or None}
        given |= {_OF_URL.get(name, name): value for name, value in url.query.items()}
        fields = Fields(given, aliases=self.aliases, where="in the URL")
        return _plan(fields, fields.text("method") or _method_of(given), fields.text("schema"))

    def reading_plan(self, plan: ConnectionPlan, schema: str) -> ConnectionPlan:
        """Return *plan* with *schema* as the default dataset of its jobs."""
        place = plan.connect_args["place"]
        assert isinstance(place, Place)
        arguments = {**plan.connect_args, "place": replace(place, dataset=schema)}
        return replace(plan, is_read_only=True, may_create=False, connect_args=arguments)

    def grant_to_create_schema(self, database: str | None, role: str | None) -> str | None:
        """Return a gcloud command, since no SQL grants privileges on a project.

        https://cloud.google.com/bigquery/docs/datasets#required_permissions
        """
        return (
            f"gcloud projects add-iam-policy-binding {database or 'PROJECT'}"
            f" --member={role or 'user:EMAIL'} --role=roles/bigquery.user"
        )

    def grant_to_create_table(self, schema: str | None, role: str | None) -> str | None:
        """https://cloud.google.com/bigquery/docs/reference/standard-sql/data-control-language#grant_statement"""
        return self._granted("roles/bigquery.dataEditor", schema, role)

    def grant_to_read(self, schema: str | None, role: str | None) -> str | None:
        """Return the grant of the reader role."""
        return self._granted("roles/bigquery.dataViewer", schema, role)

    def store_grants(self, rights: StoreRights) -> tuple[str, ...]:
        """Return the statement that gives a principal *rights* on a store; tables inherit them.

        https://cloud.google.com/bigquery/docs/reference/standard-sql/data-control-language
        """
        who = rights.role
        if ":" not in who:
            who = f"{'serviceAccount' if who.endswith('.gserviceaccount.com') else 'user'}:{who}"
        editor = "-- dataEditor may also create and drop tables: BigQuery has no narrower predefined role."
        name = "roles/bigquery.dataEditor" if rights.changes else "roles/bigquery.dataViewer"
        return (
            "-- The principal also needs roles/bigquery.jobUser in the project that pays for its jobs:",
            f"-- gcloud projects add-iam-policy-binding {rights.database or 'your_project'}"
            f" --member={shlex.quote(who)} --role=roles/bigquery.jobUser",
            *((editor,) if rights.changes else ()),
            f"GRANT `{name}` ON SCHEMA {rights.schema} TO {json.dumps(who)}",
        )

    def _granted(self, right: str, schema: str | None, role: str | None) -> str:
        where = self.quote_identifier(schema) if schema else "the_dataset"
        return f'GRANT `{right}` ON SCHEMA {where} TO "{role or "user:EMAIL"}"'

    def error_code(self, error: BaseException) -> str | None:
        """Return BigQuery's reason, such as `notFound`; the driver's class name if no server responded."""
        reason = getattr(error, "reason", None)
        if isinstance(reason, str) and reason:
            return reason
        known = (kind.__name__ for kind in type(error).__mro__ if kind.__name__ in self.error_classes)
        return next(known, type(error).__name__)

    def error_class(self, code: str | None, message: str = "") -> type[WarehouseError]:
        """Return the class for the reason *code*; `invalidQuery` and `stopped` depend on the *message*."""
        if code in ("invalidQuery", "invalid"):
            return next((kind for pattern, kind in _INVALID if pattern.search(message)), WarehouseError)
        if code == "stopped" and "timed out" in message:
            return QueryTimeout
        return super().error_class(code, message)


_INVALID: tuple[tuple[re.Pattern[str], type[WarehouseError]], ...] = (
    (re.compile(r"Transaction is aborted|[Cc]oncurrent (?:update|transaction)"), TransientFailure),
    (re.compile(r"could not serialize access", re.I), TransientFailure),
    (re.compile(r"Syntax error|Unclosed|Illegal (?:escape|input character)"), SyntaxFailed),
    (re.compile(r"Unrecognized name|[Ff]unction not found|not found inside"), MissingRelation),
    (re.compile(r"Not found:|was not found|does not (?:exist|have a column)"), MissingRelation),
    (re.compile(r"must be qualified with a dataset"), MissingRelation),
    (re.compile(r"Access Denied"), PermissionDenied),
)
"""Patterns for messages with the reasons `invalidQuery` and `invalid`; an invalid value matches none."""


def _plan(fields: Fields, method: str, dataset: str | None) -> ConnectionPlan:
    key, unused = _key(fields, method)
    project = fields.text("database") or None
    place = Place(
        project=project,
        dataset=dataset,
        execution_project=fields.text("execution_project") or project,
        location=fields.text("location") or None,
        quota_project=fields.text("quota_project") or None,
        api_endpoint=fields.text("api_endpoint") or None,
    )
    jobs = _jobs(fields)
    fields.without_meaning_here(
        "job_link_info_level_log", "method", "target_database", "target_schema", "threads", "type",
        *_OF_PYTHON_MODELS,
    )  # fmt: skip
    return ConnectionPlan(
        UrlParts("bigquery", host=project, database=dataset, query={"user_supplied_client": "True"}),
        database=project,
        schema=dataset,
        connect_args={"key": key, "place": place, "jobs": jobs},
        warnings=(*unused, *fields.leftovers()),
        secrets=tuple(_secrets(fields, key)),
    )


def _method_of(given: Mapping[str, object]) -> str:
    """Return the authentication method that the parameters of a URL imply."""
    if "keyfile" in given:
        return "service-account"
    if "keyfile_json" in given:
        return "service-account-json"
    return "oauth-secrets" if {"token", "refresh_token"} & given.keys() else "oauth"


def _key(fields: Fields, method: str) -> tuple[Key, tuple[str, ...]]:
    """Return the authentication settings, and a warning for each field of another method."""
    if method not in METHODS:
        raise fields.error(f"Unknown method '{method}'", hint=f"one of: {', '.join(METHODS)}")
    settings = {name: value for name, value in _settings(fields, method) if value}
    own = _FIELDS_OF_METHOD[method]
    others = sorted({name for names in _FIELDS_OF_METHOD.values() for name in names} - {*own})
    unused = fields.not_honoured(*others, because=f"method '{method}' does not use it")
    scopes = tuple(str(scope) for scope in fields.sequence("scopes")) or SCOPES
    return Key(method, settings, scopes, fields.text("impersonate_service_account") or None), unused


def _settings(fields: Fields, method: str) -> Iterator[tuple[str, object]]:
    if method == "service-account":
        fields.required_text("keyfile")
        yield "keyfile", fields.path("keyfile")
    elif method == "service-account-json":
        yield "keyfile_json", _keyfile_json(fields)
    elif method == "oauth-secrets":
        settings = {name: fields.text(name) for name in _FIELDS_OF_METHOD[method]}
        missing = [name for name in _REFRESHING if not settings[name]]
        if not settings["token"] and missing:
            raise fields.error(
                f"Method 'oauth-secrets' lacks {', '.join(missing)}",
                hint=f"give 'token', or all of {', '.join(_REFRESHING)}",
            )
        yield from settings.items()
    elif method == "external-oauth-wif":
        yield "workload_pool_provider_path", fields.required_text("workload_pool_provider_path")
        yield "token_endpoint", _token_endpoint(fields)
        yield "service_account_impersonation_url", fields.text("service_account_impersonation_url")


def _token_endpoint(fields: Fields) -> Mapping[str, str]:
    """Return the source of the other provider's token: type, URL and request body."""
    endpoint = {name: str(value) for name, value in fields.mapping("token_endpoint").items()}
    missing = [name for name in _TOKEN_ENDPOINT if not endpoint.get(name)]
    if missing:
        raise fields.error(
            f"Field 'token_endpoint' lacks {', '.join(missing)}",
            hint=f"it needs {', '.join(_TOKEN_ENDPOINT)}",
        )
    if endpoint["type"] != "entra":
        raise fields.error(
            f"Unknown type '{endpoint['type']}' of 'token_endpoint'",
            hint="use 'entra', the only supported type",
        )
    return endpoint


def _keyfile_json(fields: Fields) -> Mapping[str, object]:
    """Return the key of a service account: from a mapping, JSON text, or base64 of JSON text."""
    given = fields.value("keyfile_json")
    if not given:
        raise fields.error("Field 'keyfile_json' is missing", hint="add 'keyfile_json:' to this output")
    if not isinstance(given, Mapping):
        given = _decoded(str(given))
    if not isinstance(given, Mapping):
        raise fields.error(
            "Field 'keyfile_json' is neither a mapping nor the base64 of one",
            hint="write the fields of the key file below it, or the output of: base64 -w0 key.json",
        )
    key = {str(name): value for name, value in given.items()}
    missing = [name for name in ("client_email", "private_key", "token_uri") if not key.get(name)]
    if missing:
        raise fields.error(
            f"Field 'keyfile_json' lacks {', '.join(missing)}",
            hint="copy the whole key file",
        )
    # Hand-written profiles often contain the two characters \n instead of a line break.
    return {**key, "private_key": str(key["private_key"]).replace("\\n", "\n")}


def _decoded(text: str) -> object:
    """Return the JSON in *text*, plain or as base64; None if it contains none."""
    for decode in (str, lambda text: base64.b64decode(text, validate=True).decode("utf-8")):
        try:
            return json.loads(decode(text))
        except (ValueError, binascii.Error):
            continue
    return None


def _jobs(fields: Fields) -> Jobs:
    priority = (fields.text("priority") or PRIORITIES[0]).lower()
    if priority not in PRIORITIES:
        raise fields.error(f"Unknown priority '{priority}'", hint=f"one of: {', '.join(PRIORITIES)}")
    return Jobs(
        priority=priority,
        maximum_bytes_billed=fields.integer("maximum_bytes_billed") or None,
        reservation=fields.text("reservation") or None,
        seconds=fields.integer("job_execution_timeout_seconds") or None,
        creation_seconds=fields.integer("job_creation_timeout_seconds") or None,
        retries=max(0, fields.integer("job_retries", 1) or 0),
        retry_seconds=fields.integer("job_retry_deadline_seconds") or None,
    )


def _secrets(fields: Fields, key: Key) -> Iterator[str]:
    """Yield every value that must not appear in any message."""
    keyfile = key.settings.get("keyfile_json")
    public = {}
    if isinstance(keyfile, Mapping):
        public = {name: str(value) for name, value in keyfile.items() if name in _PUBLIC_IN_KEYFILE}
        yield from (str(value) for name, value in keyfile.items() if name not in _PUBLIC_IN_KEYFILE)
    yield from (secret for secret in fields.secrets() if secret not in public.values())
    endpoint = key.settings.get("token_endpoint")
    if isinstance(endpoint, Mapping):
        # A message may quote the whole body or one of its values.
        body = str(endpoint["request_data"])
        yield body
        yield from (value for name, value in parse_qsl(body) if name != "client_id")
