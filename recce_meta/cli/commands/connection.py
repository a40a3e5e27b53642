"""Commands `connection …`, `token …` and `audit`, for connected repositories, and users of the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from recce_meta.cli.lazy import Decorator, lazy, packed
from recce_meta.cli.options import LISTS, MOST, format_option, parse_age
from recce_meta.errors import UsageError, quoted
from recce_meta.plugins import connection_types
from recce_meta.repositories.options.connections import ConnectionOptions, DatabaseSettings
from recce_meta.repositories.options.declaring import FLAG, LIST, MINUTES, MOST_MINUTES, NUMBER, options_of

SCOPES = ("read", "write", "upload", "extract", "query", "admin")
"""Scopes of an API token."""

state_option = click.option(
    "--state",
    metavar="URL",
    help="Database of connections and jobs: sqlite:///FILE or postgresql://… [env: RECCE_META_STATE_URL] "
    "[default: a file in the user's data folder]",
)
NAME = click.argument("name")


def parse_variable(context: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Return `NAME=VALUE` texts as a mapping."""
    for text in given:
        if "=" not in text:
            raise click.BadParameter(f"{quoted(text)} is not NAME=VALUE", ctx=context, param=param)
    pairs = (text.partition("=") for text in given)
    return {name: value for name, _, value in pairs}


def parse_app(context: click.Context, param: click.Parameter, given: str | None) -> tuple[str, str] | None:
    """Return `APP_ID:INSTALLATION_ID` as a pair."""
    if given is None:
        return None
    app, colon, installation = given.partition(":")
    if not colon or not app or not installation:
        raise click.BadParameter(f"{quoted(given)} is not APP_ID:INSTALLATION_ID", ctx=context, param=param)
    return app, installation


_KINDS: Mapping[str, Mapping[str, Any]] = {
    FLAG: {"is_flag": True, "default": None},
    MINUTES: {"type": click.FloatRange(min=0, max=MOST_MINUTES)},
    NUMBER: {"type": click.IntRange(min=1)},
    LIST: {"multiple": True},
    "file": {"type": click.Path(path_type=Path, allow_dash=True)},
    "key": {"type": click.Path(dir_okay=False, path_type=Path)},
    "ask": {"is_flag": True},
    "app": {"callback": parse_app},
    "words": {"multiple": True},
    "variables": {"multiple": True, "callback": parse_variable},
}
"""What click needs to know of the kinds of flags, and of the types of options."""


def _flags(declared: type, *, is_new: bool) -> Iterator[Decorator]:
    """Yield the flags of the options that *declared* declares; with *is_new*, their help has the defaults."""
    for name, one in options_of(declared).items():
        for flag in one.flags:
            usual = flag.default(one.default) if is_new else None
            text = flag.help if usual is None else f"{flag.help} [default: {usual}]"
            settings = dict(_KINDS.get(flag.kind or declared.__annotations__[name], {}))
            if one.choices:
                settings["type"] = click.Choice(one.choices)
            yield click.option(*flag.words, metavar=flag.metavar, help=text, **settings)


def _connection_fields(*, is_new: bool) -> Decorator:
    """Return the options of a connection's fields; with *is_new*, their help has the defaults."""

    def default(text: str) -> str:
        return f" [default: {text}]" if is_new else ""

    return packed(
        "fields",
        "recce_meta.cli.run.connection:ConnectionFields",
        click.option(
            "--name", "new_name", metavar="NAME", help="Unique name." + default("from the repository")
        ),
        click.option(
            "--branch",
            "branches",
            multiple=True,
            help="Branch to follow; repeat it for several, the main one first."
            + default("the repository's default branch"),
        ),
        click.option(
            "--subdirectory",
            metavar="DIR",
            help="Folder of dbt_project.yml in the repository." + default("its top"),
        ),
        *_flags(ConnectionOptions, is_new=is_new),
    )


def _database_fields(*, is_new: bool) -> Decorator:
    """Return the options of a database; with *is_new*, their help has the defaults."""
    target = "recce_meta.cli.run.connection:DatabaseFields"
    return packed("database", target, *_flags(DatabaseSettings, is_new=is_new))


@click.group(invoke_without_command=True)
@click.pass_context
def connection(context: click.Context) -> None:
    """Connect repositories once, and extract their dbt projects automatically."""
    show_help(context)


def show_help(context: click.Context) -> None:
    """Print the help of a group that is called without a command, and exit."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(UsageError.exit_code)


@connection.command()
@state_option
@click.argument("url", required=False, default="")
@click.option(
    "--upload-only", "is_upload_only", is_flag=True, help="Runs only come from uploads; needs --name."
)
@click.option(
    "--database",
    "database_name",
    metavar="NAME",
    help="Connect a database under this name, not a repository.",
)
@_database_fields(is_new=True)
@click.option(
    "--type",
    "forge",
    type=click.Choice(connection_types()),
    help="Kind of the server. [default: by its host]",
)
@_connection_fields(is_new=True)
@click.option("--no-test", "is_tested", flag_value=False, default=True, help="Do not test the connection.")
@click.option(
    "--claim",
    "has_claim",
    is_flag=True,
    help="Hand the project over to this repository, such as after its move to this address.",
)
@lazy("recce_meta.cli.run.connection:add")
def add() -> None:
    """Test a connection, store it, and request its first extraction.

    URL is the https address of a repository, without a token; --upload-only needs none. With --database, a
    database is scanned and measured instead; give one of --ask-url, --url-file, --url-env and --target-name.
    Creates the database of connections and jobs if it does not exist. Exits with 3 if the test fails; nothing
    is stored then.
    """


@connection.command("list")
@state_option
@format_option("table", "json", *LISTS)
@lazy("recce_meta.cli.run.connection:list_all")
def list_connections() -> None:
    """List all connections with their status."""


@connection.command()
@state_option
@NAME
@click.option("--job", "job_id", metavar="ID", help="Show the log of this job, `last` for the last one.")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, MOST),
    default=10,
    show_default=True,
    help="Maximum number of jobs to list.",
)
@format_option("table", "json")
@lazy("recce_meta.cli.run.connection:show")
def show() -> None:
    """Show a connection with its jobs, or the steps and the log of one job.

    NAME is a name or an id.
    """


@connection.command()
@state_option
@NAME
@format_option("table", "json")
@lazy("recce_meta.cli.run.connection:test")
def test() -> None:
    """Test a connection: address, token, branch, dbt project and adapter.

    Exits with 3 if a check fails.
    """


@connection.command()
@state_option
@NAME
@click.option("--test", "is_test", is_flag=True, help="Send a test to each address of notifications.")
@format_option("table", "json")
@lazy("recce_meta.cli.run.connection:notify")
def notify() -> None:
    """Send a test of the notifications of a connection, and print for each address if it was accepted.

    Mail needs RECCE_META_SMTP_URL and RECCE_META_SMTP_FROM, as in the environment of the workers. Exits with
    3 if an address fails.
    """


@connection.command()
@state_option
@NAME
@click.option(
    "--branch", help="Branch to extract; of a database scan or quality. [default: the main one, scan]"
)
@click.option("--force", "is_forced", is_flag=True, help="Extract the commit again if its run is stored.")
@click.option("--wait", "is_awaited", is_flag=True, help="Show the progress until the job ends.")
@format_option("table", "json")
@lazy("recce_meta.cli.run.connection:extract")
def extract() -> None:
    """Request an extraction, which a worker runs.

    A request joins a job of the branch that waits already. With --wait, exits with 0 if the job succeeds, and
    with 3 if it fails or is cancelled.
    """


@connection.command("set")
@state_option
@NAME
@_database_fields(is_new=False)
@_connection_fields(is_new=False)
@click.option("--no-token", "is_token_removed", is_flag=True, help="Remove the token.")
@lazy("recce_meta.cli.run.connection:change")
def set_fields() -> None:
    """Change a connection; options that are not given stay as they are."""


@connection.command()
@state_option
@NAME
@click.option("--rotate", "is_rotated", is_flag=True, help="Give the webhook a new secret.")
@format_option("table", "json")
@lazy("recce_meta.cli.run.connection:webhook")
def webhook() -> None:
    """Show the webhook of a connection, or set it up if it does not work yet.

    If the token may not create it, prints the steps for a person, with a secret that is shown only once.
    Requires RECCE_META_PUBLIC_URL, the address of the server.
    """


@connection.command()
@state_option
@NAME
@click.argument("project")
@lazy("recce_meta.cli.run.connection:claim")
def claim() -> None:
    """Hand PROJECT over to the repository of a connection, in its store and environment.

    Within a store, the runs of a project and environment come from one repository: the one that recorded it
    first. From then on, only the connections of the new repository may record it; recorded runs stay. Also
    accepts the new name of a project for uploads. Requests an extraction of the main branch.
    """


@connection.command()
@state_option
@lazy("recce_meta.cli.run.connection:rotate")
def rotate() -> None:
    """Encrypt all stored secrets again with the first key.

    Put the new key before the old one: RECCE_META_KEY=NEW,OLD, or two lines in the key file. Remove the old
    key afterwards.
    """


@connection.command()
@state_option
@NAME
@lazy("recce_meta.cli.run.connection:pause")
def pause() -> None:
    """Read a repository or a database only on request, until it is resumed.

    Deliveries of webhooks are ignored meanwhile. Jobs that wait or run go on.
    """


@connection.command()
@state_option
@NAME
@lazy("recce_meta.cli.run.connection:resume")
def resume() -> None:
    """Resume a paused connection, whose repository or database is then looked at."""


@connection.command()
@state_option
@NAME
@lazy("recce_meta.cli.run.connection:remove")
def remove() -> None:
    """Remove a connection with its secrets and its history; recorded runs stay in their store."""


@click.group(invoke_without_command=True)
@click.pass_context
def token(context: click.Context) -> None:
    """Manage API tokens with scopes, for programs that use the server."""
    show_help(context)


@token.command("add")
@state_option
@NAME
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="What the token allows; repeat it for several.",
)
@click.option(
    "--connection",
    "only_connection",
    metavar="NAME",
    help="Connection that the token is bound to: it may read, upload to and extract only this one.",
)
@click.option("--expires", "days", type=click.IntRange(1, 3650), metavar="DAYS", help="Days it is valid.")
@lazy("recce_meta.cli.run.tokens:add")
def add_token() -> None:
    """Create a token and print it; it cannot be shown again."""


@token.command("list")
@state_option
@format_option("table", "json")
@lazy("recce_meta.cli.run.tokens:list_all")
def list_tokens() -> None:
    """List the tokens, without their secrets."""


@token.command("remove")
@state_option
@NAME
@lazy("recce_meta.cli.run.tokens:remove")
def remove_token() -> None:
    """Remove a token, which is refused from then on."""


@click.command()
@state_option
@click.option("--within", type=parse_age, metavar="AGE", help="Only events of the last days: 30d, 8w, 12h.")
@click.option("--actor", metavar="NAME", help="Only events of this user, token or session.")
@click.option(
    "--action",
    metavar="ACTION",
    help="Only this action, such as connection.set, or all of connection, token, job, project, webhook.",
)
@click.option("--object", "object_name", metavar="NAME", help="Only events of this connection, token or job.")
@click.option("--limit", type=click.IntRange(1, MOST), default=100, show_default=True, help="Most events.")
@click.option(
    "--remove-older-than",
    "remove_older",
    type=parse_age,
    metavar="AGE",
    help="Remove the events from before, instead of listing. The removal is an event.",
)
@format_option("table", "jsonl")
@lazy("recce_meta.cli.run.tokens:audit")
def audit() -> None:
    """List who changed connections, tokens and jobs of the server, from where, and how.

    So are owners of projects, webhooks, and secrets that were encrypted again. The newest event comes first.
    Events name secrets and variables, and never have their values. Refused tokens are events as well: the
    first ten of an address in each minute.
    """
