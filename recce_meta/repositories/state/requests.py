"""Requests of users: a new connection, changes of one, and who asks; checked before anything is stored.

Fields come from the command line, the API or a page, and are not trusted: names end up in git's command line,
in paths of a work folder, and in environment variables.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from recce_meta.api.diff import parse_fail_on
from recce_meta.errors import UnknownNameError, UsageError, quoted
from recce_meta.models.run import IsolationKind
from recce_meta.redaction import passwords_in
from recce_meta.repositories.options.connections import ConnectionOptions, DatabaseSettings
from recce_meta.repositories.options.declaring import CHANGE, MINUTES, MOST_MINUTES, NEW, NUMBER, options_of
from recce_meta.repositories.options.values import GitHubApp, ProfileTarget
from recce_meta.repositories.state.secrets import SecretField
from recce_meta.repositories.state.types import ForgeName, RepositoryConnection, with_options
from recce_meta.warehouses import available

SECRET_FIELDS: Mapping[str, SecretField] = {"access_token": "token", "private_key": "private_key"}
"""Stored secret of each field with one."""
_OPTIONS = options_of(ConnectionOptions)
OWNER_FIELDS = tuple(name for name, one in _OPTIONS.items() if one.is_of_owner)
"""Fields that only an administrator sets: the first gives a variable of the server to the repository's host,
the second runs the repository's files without isolation, the third its SQL in the warehouse."""
MOST_BRANCHES = 20
MOST_VARIABLES = 100
MOST_ADDRESSES = 10
MOST_ADDRESS = 2_000
"""Characters of an address of notifications."""
LONGEST = 200
"""Characters of a name."""


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks for an operation."""

    name: str
    """Name of the user or of the API token, stored with jobs."""
    is_admin: bool = False
    is_remote: bool = False
    """Whether the request arrives over the network."""


class PermissionRefused(UsageError):
    """An operation that the caller may not ask for."""


class NotARepository(UsageError):
    """An operation on repositories that was asked of a database."""


def refuse_database(connection: RepositoryConnection) -> None:
    """Raise NotARepository if *connection* is to a database."""
    if connection.database is not None:
        raise NotARepository(
            f"{connection.name} is a database, not a repository",
            hint=f"recce-meta connection show {connection.name} shows what it has",
        )


@with_options(NEW)
class NewDatabase(DatabaseSettings, Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Database to connect: a target of the worker's profiles.yml, a URL in a variable, or a URL."""

    url: str | None = None
    """URL with its password, which is stored encrypted."""

    def __repr__(self) -> str:
        return f"NewDatabase({', '.join(name for name in self.__struct_fields__ if getattr(self, name))})"


@with_options(CHANGE)
class DatabaseChange(
    DatabaseSettings, Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Fields of a database to change; the others stay. Another way to log in replaces the one before."""

    url: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"DatabaseChange({', '.join(self.given())})"

    def given(self) -> dict[str, Any]:
        """Return the fields to change with their values."""
        return _given(self)


def _given(change: Struct) -> dict[str, Any]:
    pairs = ((name, getattr(change, name)) for name in change.__struct_fields__)
    return {name: value for name, value in pairs if value is not UNSET}


@with_options(NEW, after="subdirectory")
class NewConnection(ConnectionOptions, Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Connection to add; None for what is found out, or has a default."""

    repo_url: str
    """Empty for uploads only, and for a database."""
    name: str | None = None
    database: NewDatabase | None = None
    """Database to connect in place of a repository; the connection then needs a name."""
    type: ForgeName | None = None
    """Default: from the host."""
    branch: str | None = None
    """Main branch. Default: that of the repository."""
    branches: tuple[str, ...] = ()
    """Further branches to follow."""
    subdirectory: str = ""
    required_dbt_version: str | UnsetType | None = UNSET
    """Minor version of dbt; None for what the project requires."""
    dbt_version: str | None = None
    """Deprecated name of `required_dbt_version`."""

    def __repr__(self) -> str:
        return f"NewConnection(repo_url={self.repo_url!r})"


@with_options(CHANGE, after="subdirectory")
class ConnectionChange(
    ConnectionOptions, Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Fields of a connection to change; the others stay.

    The address stays: the stored token must not be sent to another host.
    """

    name: str | UnsetType = UNSET
    branch: str | UnsetType = UNSET
    """Main branch; the former one is no longer followed unless `branches` has it."""
    branches: tuple[str, ...] | UnsetType = UNSET
    """Further branches to follow."""
    subdirectory: str | UnsetType = UNSET
    required_dbt_version: str | UnsetType | None = UNSET
    """Minor version of dbt; None for what the project requires."""
    dbt_version: str | UnsetType | None = UNSET  # type: ignore[assignment]
    """Deprecated name of `required_dbt_version`."""
    database: DatabaseChange | UnsetType = UNSET
    """Fields of a database to change."""

    def __repr__(self) -> str:
        return f"ConnectionChange({', '.join(self.given())})"

    def given(self) -> dict[str, Any]:
        """Return the fields to change with their values."""
        return _given(self)


def refuse_owner_fields(request: NewConnection | ConnectionChange, caller: Caller) -> None:
    """Raise PermissionRefused if *request* sets a field that only an administrator may set."""
    if caller.is_admin:
        return
    if request.database not in (None, UNSET):
        raise PermissionRefused(
            "Only an administrator may connect a database", hint="use a token with the scope admin"
        )
    is_new = isinstance(request, NewConnection)
    for name in OWNER_FIELDS:
        # Removing the variable or the trust only takes rights away, so every caller may do that.
        if getattr(request, name) not in (None, False, UNSET, _OPTIONS[name].default if is_new else None):
            usage = _OPTIONS[name].flags[0].usage
            raise PermissionRefused(
                f"Only an administrator may set {name}",
                hint=f"use a token with the scope admin, or: recce-meta connection set NAME {usage}",
            )


def refuse_untrusted(isolation: IsolationKind | None, *, is_trusted: bool | None) -> None:
    """Raise UsageError for `process`, which hides no files, unless the repository is trusted."""
    if isolation is IsolationKind.PROCESS and not is_trusted:
        raise UsageError(
            "Isolation process requires a trusted repository",
            hint="use docker or bubblewrap, or mark the repository with --trusted",
        )


def check_request(
    request: NewConnection | ConnectionChange, *, stores: Collection[str] | None = None
) -> None:
    """Check every given field of *request*; *stores* are the names of known stores, None for any.

    Raises UsageError, which names the field and what it may be.
    """
    is_database = request.database not in (None, UNSET)
    given: dict[str, Any] = {"repo_url": UNSET, "access_token": UNSET}
    # A change has no address; the default lets one loop and `_check_credentials` serve both types.
    given |= {name: getattr(request, name) for name in request.__struct_fields__}
    for name, value in given.items():
        # An empty string removes an optional field, but a required one must not become empty.
        if value in (None, UNSET, "") or value == ():
            if value == "" and name in _REQUIRED:
                raise UsageError(f"{name} is empty", hint=_FORMS[name][1])
            continue
        if name in _FORMS and not _FORMS[name][0].fullmatch(str(value)):
            raise UsageError(f"Invalid {name}: {quoted(value)}", hint=_FORMS[name][1])
    for branch in (given["branch"], *(given["branches"] or ())):
        if branch not in (None, UNSET):
            check_branch(branch)
    if given["branches"] and len(given["branches"]) > MOST_BRANCHES:
        raise UsageError(f"More than {MOST_BRANCHES} branches", hint="follow fewer branches")
    _check_credentials(given)
    _check_subdirectory(given["subdirectory"] or "")
    _check_variables(given["variables"] or {})
    _check_profile(given["profile"])
    if given["adapter"] and given["adapter"] not in available():
        raise UnknownNameError("adapter", given["adapter"], available())
    if stores is not None and given["store"] and given["store"] not in stores:
        raise UnknownNameError("store", given["store"], sorted(stores))
    # Conditions of a database are those of quality.
    if given["fail_on"] and not is_database:
        parse_fail_on(",".join(given["fail_on"]))
    if given["notify"] and len(given["notify"]) > MOST_ADDRESSES:
        raise UsageError(f"More than {MOST_ADDRESSES} addresses of notifications", hint="use fewer")
    for address in given["notify"] or ():
        notify_hint(address)
    if given.get("is_upload_only") and given["access_token"] not in (None, UNSET):
        raise UsageError("A connection that is only uploaded to needs no token", hint="leave it out")
    for name in options_of(ConnectionOptions, of=MINUTES):
        flag = _OPTIONS[name].flags[0].usage
        check_minutes(name, given[name], never=f"{flag} 0")
    for name, option in options_of(ConnectionOptions, of=NUMBER).items():
        if given[name] not in (None, UNSET) and not 1 <= given[name] <= option.most:
            raise UsageError(f"Invalid {name}: {given[name]}", hint=f"1 to {option.most}")


def check_minutes(name: str, minutes: Any, *, never: str) -> None:
    """Raise UsageError if the interval *name* is out of range; *never* is the value that turns it off."""
    if minutes not in (None, UNSET) and not 1 <= minutes <= MOST_MINUTES:
        raise UsageError(
            f"Invalid {name}: {minutes:g}", hint=f"1 to {MOST_MINUTES}; for never {never}, or null in the API"
        )


# Without a slash, so that a name can be one part of an address of the API.
_NAME = re.compile(rf"[\w.-]{{1,{LONGEST}}}")
# Runs of pull requests have environments of these names, and must not be the latest of a connection.
_ENVIRONMENT = re.compile(rf"(?!(?:.+-)?pull-request-\d+(?:-base)?$)\w[\w.+ /-]{{0,{LONGEST - 1}}}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_REQUIRED = ("name", "store", "environment")
_FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "name": (_NAME, "use letters, digits, _, - and ."),
    "store": (_NAME, "use a name in `stores` of recce_meta.yml, or default"),
    "environment": (_ENVIRONMENT, "use a name such as prod"),
    "dbt_version": (re.compile(r"\d{1,2}\.\d{1,3}"), "use a minor version such as 1.10"),
    "token_env": (VARIABLE, "use the name of an environment variable, not the token"),
    "repo_url": (re.compile(r"[^\x00-\x20\x7f]{1,2000}"), "use an address such as https://github.com/o/r"),
}
"""Form of each field, and the hint for a value that has another one."""


_CHANNELS = {"slack": "slack", "teams": "teams", "": "webhook"}
_ADDRESS = re.compile(
    r"(?:(?P<format>slack|teams)\+)?(?P<scheme>https?)://(?P<host>[^/@?#\s]+)(?P<rest>[/?#]\S*)?"
)
_MAIL = re.compile(r"mailto:(?P<user>[\w.+-]{1,64})@(?P<domain>[\w-]+(?:\.[\w-]+)+)")
_FROM_VARIABLE = re.compile(r"env:(?P<name>[A-Za-z_][A-Za-z0-9_]{0,99})")


def notify_hint(address: str) -> str:
    """Return what is shown of an address of notifications: its path may be a secret.

    >>> notify_hint("https://hooks.slack.com/services/T0/B0/secret")
    'slack hooks.slack.com'
    >>> notify_hint("mailto:data@acme.com"), notify_hint("env:TEAMS_URL")
    ('email data@acme.com', 'variable TEAMS_URL')

    Raises UsageError, without the address, for another form.
    """
    if found := _MAIL.fullmatch(address):
        return f"email {found['user']}@{found['domain']}"
    if (found := _FROM_VARIABLE.fullmatch(address)) and not found["name"].startswith("RECCE_META_"):
        return f"variable {found['name']}"
    if len(address) > MOST_ADDRESS or not (found := _ADDRESS.fullmatch(address)):
        raise UsageError(
            "Invalid address of notifications",
            hint="use https://…, slack+https://…, teams+https://…, mailto:USER@HOST, or env:VARIABLE",
        )
    return f"{_CHANNELS[found['format'] or channel_of(found['host'])]} {found['host'].lower()}"


def channel_of(host: str) -> str:
    """Return the format that the *host* of a notification expects: `slack`, `teams`, or none."""
    name = host.lower().partition(":")[0]
    if name == "hooks.slack.com":
        return "slack"
    # Incoming webhooks, and workflows of Power Automate, which replace them.
    is_teams = name.endswith((".webhook.office.com", ".logic.azure.com", ".powerplatform.com"))
    return "teams" if is_teams else ""


def check_branch(branch: str) -> None:
    """Raise UsageError if *branch* cannot be the name of a branch: rules of `git check-ref-format`."""
    parts = branch.split("/")
    is_valid = (
        0 < len(branch) <= LONGEST
        # A colon would also end the name within job ids, and split a refspec.
        and not re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{", branch)
        and branch != "@"
        # git would read it as an option.
        and not branch.startswith("-")
        and not branch.endswith(".")
        and all(part and not part.startswith(".") and not part.endswith(".lock") for part in parts)
    )
    if not is_valid:
        raise UsageError(f"Invalid branch: {quoted(branch)}", hint="use its name without refs/heads/")


def normal_subdirectory(subdirectory: str) -> str:
    """Return *subdirectory* without slashes at its ends, and without `.` parts.

    >>> normal_subdirectory("./dbt/shop/")
    'dbt/shop'
    """
    path = PurePosixPath(subdirectory)
    # The top has one spelling, because the folder is part of a run's id.
    return "" if str(path) == "." else str(path)


def _check_subdirectory(subdirectory: str) -> None:
    path = PurePosixPath(subdirectory)
    # Checked before anything is fetched; links in the checkout are checked when it is read.
    is_inside = not path.is_absolute() and ".." not in path.parts and ".git" not in path.parts
    if not is_inside or re.search(r"[\x00-\x1f\x7f\\]", subdirectory) or len(subdirectory) > LONGEST:
        raise UsageError(
            f"Invalid subdirectory: {quoted(subdirectory)}", hint="use a folder of the repository"
        )


def _check_variables(variables: Mapping[str, str]) -> None:
    if len(variables) > MOST_VARIABLES:
        raise UsageError(f"More than {MOST_VARIABLES} variables", hint="set fewer variables")
    for name, value in variables.items():
        if not VARIABLE.fullmatch(name):
            raise UsageError(f"Invalid variable: {quoted(name)}", hint="use letters, digits and _")
        # A null byte ends a variable in the system, and all variables together have to fit into `execve`.
        if "\0" in value or len(value) > 10_000:
            raise UsageError(f"Invalid value of the variable {name}", hint="use at most 10,000 characters")
        # Some programs read the lower-case spelling as well, such as curl with http_proxy.
        if RESERVED.fullmatch(name.upper()):
            raise UsageError(
                f"The variable {name} cannot be set",
                hint="variables are for env_var() in the project; dbt's own settings are fixed",
            )


RESERVED = re.compile(
    r"PATH|HOME|TMPDIR|SHELL|IFS|BASH_.*|LANG|LC_.*|LD_.*|DYLD_.*|GLIBC_.*|GCONV_.*|MALLOC_.*|XDG_.*"
    r"|PYTHON.*|PIP_.*|UV_.*|GIT_.*|DOCKER_.*|CONTAINER_.*|RECCE_META_.*"
    r"|.*_PROXY|SSL_.*|OPENSSL_.*|CURL_.*|REQUESTS_.*|NETRC|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS"
    r"|DBT_(?:PACKAGE_HUB|CDN|BUILD_CACHE_.*|TASK_CACHE)_URL|DBT_DOWNLOADS_DIR"
    r"|DBT_(?:ENGINE|ENV_PRIVATE|RECORDER|SEND|UPLOAD|OTEL|EXPORT_TO)_.*|OTEL_.*"
)
"""Names, in upper case, of variables that change programs, or the servers that they reach."""


def _check_profile(profile: ProfileTarget | UnsetType) -> None:
    if isinstance(profile, UnsetType):
        return
    for name in profile.__struct_fields__:
        value = getattr(profile, name)
        if value is not None and not re.fullmatch(rf"[^\x00-\x1f\x7f]{{1,{LONGEST}}}", value):
            raise UsageError(f"Invalid {name} of the profile: {quoted(value)}", hint="use one line of text")


def _check_credentials(given: Mapping[str, Any]) -> None:
    """Raise UsageError if there are several ways to log in, or a secret is not one."""
    ways = [name for name in ("access_token", "token_env", "github_app") if given[name] not in (None, UNSET)]
    if len(ways) > 1:
        raise UsageError(f"{ways[0]} and {ways[1]} exclude each other", hint="give one of them")
    token = given["access_token"]
    # A line break would end the header, and begin another one.
    if token not in (None, UNSET) and not re.fullmatch(r"[\x21-\x7e]{1,4000}", token):
        raise UsageError("The token has characters that a header cannot contain", hint="copy it again")
    variable = given["token_env"]
    # Otherwise the server would send its encryption key to the host of the repository.
    if variable not in (None, UNSET) and variable.startswith("RECCE_META_"):
        raise UsageError(f"The variable {variable} is a setting of recce-meta", hint="use one of its own")
    has_key = given["private_key"] not in (None, UNSET)
    if has_key and "PRIVATE KEY-----" not in given["private_key"]:
        raise UsageError("The private key is not a PEM file", hint="download it from the GitHub App")
    app = given["github_app"]
    is_new = given["repo_url"] is not UNSET
    # A change may replace the key alone.
    if is_new and has_key is not (app is not None):
        raise UsageError(
            "A GitHub App needs its ids and its private key",
            hint="give both --github-app APP:INSTALLATION and --private-key-file FILE",
        )
    # The ids become parts of an address of the API.
    if isinstance(app, GitHubApp) and not all(
        re.fullmatch(r"\w{1,40}", text) for text in (app.app_id, app.installation_id)
    ):
        raise UsageError("Invalid GitHub App", hint="give the app id and the installation id, both numbers")


_Request = TypeVar("_Request", NewConnection, ConnectionChange)


def decode_new_connection(body: bytes) -> NewConnection:
    """Return the request in *body*, JSON. Raises UsageError, which names the field, for another form."""
    return _decode(body, NewConnection)


def decode_change(body: bytes) -> ConnectionChange:
    """Return the change in *body*, JSON. Raises UsageError, which names the field, for another form."""
    return _decode(body, ConnectionChange)


def _with_version(request: _Request) -> _Request:
    """Return *request* with the required version of dbt in the field that connections have."""
    required, former = request.required_dbt_version, request.dbt_version
    if required is UNSET:
        return request
    if former not in (None, UNSET, required):
        raise UsageError(
            "dbt_version and required_dbt_version differ",
            hint="give required_dbt_version alone: dbt_version is its deprecated name",
        )
    return replace(request, dbt_version=required, required_dbt_version=UNSET)


def _decode(body: bytes, kind: type[_Request]) -> _Request:
    try:
        return _with_version(msgspec.json.decode(body, type=kind))
    except msgspec.DecodeError as error:  # its text names the field, and never quotes a value
        raise UsageError(f"Invalid request: {error}", hint="see docs/reference/http-api.md") from None
    except UnicodeDecodeError:
        raise UsageError("Invalid request: the text is not UTF-8", hint="send JSON") from None


def secrets_of(request: NewConnection | ConnectionChange) -> list[str]:
    """Return what errors must not show of *request*."""
    url = _url(request)
    addresses = request.notify if isinstance(request.notify, tuple) else ()
    values = (*(getattr(request, field) for field in SECRET_FIELDS), *addresses, *secrets_in(url))
    return [value for value in values if isinstance(value, str)]


def secrets_in(url: str | None) -> tuple[str, ...]:
    """Return what no message may show of the *url* of a database."""
    if url is None:
        return ()
    # The URL of a file without parameters is its name, which says what failed.
    is_file = "@" not in url and "?" not in url
    found = passwords_in(url)
    return tuple(found) if is_file else (url, *found)


def _url(request: NewConnection | ConnectionChange) -> str | None:
    url = getattr(request.database, "url", None)
    return url if isinstance(url, str) else None


def given_secrets(request: NewConnection | ConnectionChange) -> dict[SecretField, str | None]:
    """Return the secrets of *request* that are stored, by the names that they are stored under."""
    found: dict[SecretField, str | None] = {}
    for field, stored in SECRET_FIELDS.items():
        if isinstance(value := getattr(request, field), str) and value:
            found[stored] = value
    if isinstance(request.notify, tuple) and request.notify:
        found["notify"] = msgspec.json.encode(request.notify).decode()
    if url := _url(request):
        found["url"] = url
    return found


def is_replaced(field: str, given: Mapping[str, Any]) -> bool:
    """Return True if another way to log in replaces the secret *field*."""
    if field == "access_token":
        return bool(given.get("token_env") or given.get("github_app"))
    is_without_app = "github_app" in given and given["github_app"] is None
    return is_without_app or bool(given.get("token_env") or given.get("access_token"))
