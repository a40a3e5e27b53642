"""Options shared by several commands, and output: reports, messages and the progress spinner."""

from __future__ import annotations

import math
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TextIO

import click

from recce_meta.cli.command import ONLY_PARSED, YAML_SELECTOR, ConnectionOption
from recce_meta.cli.command import OUTPUT as OUTPUT
from recce_meta.cli.console import CONFIG, console, is_colored, shows_progress
from recce_meta.cli.console import say as say
from recce_meta.cli.console import warn as warn
from recce_meta.cli.lazy import Decorator, packed, together
from recce_meta.errors import DEFAULT_LOCK_SECONDS, UsageError, quoted
from recce_meta.lazy import load
from recce_meta.redaction import neutralise
from recce_meta.store.sql_files import DEFAULT_SCHEMA

if TYPE_CHECKING:
    from recce_meta.report.addresses import Addresses

PUBLIC_URL = "RECCE_META_PUBLIC_URL"
DIRECTORY = click.Path(file_okay=False, path_type=Path)
EXISTING_DIRECTORY = click.Path(file_okay=False, exists=True, path_type=Path)


MOST = 2**31 - 1
"""Largest number an option accepts: every warehouse has integers of this size."""
NARROWEST = 40
"""Minimum output width in columns; narrower terminals wrap the lines."""

CONNECTION = "recce_meta.cli.connections:Connection"


def not_nan(_: click.Context, parameter: click.Parameter, seconds: float) -> float:
    """Return *seconds*. Raises BadParameter for `nan`, which passes every range check of click."""
    if math.isnan(seconds):
        raise click.BadParameter("nan is not a number of seconds.", param=parameter)
    return seconds


def notify_options(when: str) -> Decorator:
    """Return the options for receivers of notifications, as `receivers`; *when* ends their help."""
    return packed(
        "receivers",
        "recce_meta.cli.notifications:Receivers",
        click.option(
            "--notify",
            multiple=True,
            metavar="ADDRESS",
            help=f"Send a notification {when} to mailto:USER@HOST, or env:VARIABLE for a URL in a variable; "
            "may be repeated.",
        ),
        click.option(
            "--notify-file",
            type=click.Path(path_type=Path, allow_dash=True),
            help="File with URLs of notifications, such as those of Slack or Teams, one in each line.",
        ),
    )


def connection_options(*, target: str, schema: str) -> Decorator:
    """Return the connection options.

    *target* is the help text of --target; *schema* is the option that names the store's schema.
    """
    option = partial(click.option, cls=ConnectionOption)
    return together(
        option("--profiles-dir", type=DIRECTORY, help="Folder of profiles.yml. [env: DBT_PROFILES_DIR]"),
        option("--profile", help="Profile in profiles.yml. [env: DBT_PROFILE]"),
        option("--target", help=f"{target} [env: DBT_TARGET]"),
        option("--url", help="SQLAlchemy URL instead of a profile. [env: RECCE_META_URL]"),
        option(
            "--project-dir",
            type=EXISTING_DIRECTORY,
            help="Folder of dbt_project.yml. [env: DBT_PROJECT_DIR]",
        ),
        option(
            schema,
            "schema",
            default=DEFAULT_SCHEMA,
            show_default=True,
            help="Schema that holds the store. [env: RECCE_META_SCHEMA]",
        ),
        option(
            "--lock-timeout",
            type=click.FloatRange(min=0),
            callback=not_nan,
            default=DEFAULT_LOCK_SECONDS,
            show_default=True,
            help="Seconds to wait for a locked database file, or for another writer of the store.",
        ),
    )


connecting = packed(
    "connection",
    CONNECTION,
    connection_options(target="Target of the profile that holds the store.", schema="--schema"),
)
"""Decorator that adds the connection options and passes them as one argument, `connection`."""

project_option = click.option(
    "--project", help="Project of the runs. [default: from dbt_project.yml, or the only project]"
)
ONE_RUN = "[default: latest run of the checked-out branch, else latest]"
run_option = click.option("--run", "selector", help=f"Run selector, or path:DIR. {ONE_RUN}")
BASE_DEFAULT = "run of the merge base, else latest run of base"
CURRENT_DEFAULT = "latest run of the checked-out branch, else of RECCE_META_ENVIRONMENT, else of current"
comparing_runs = together(
    click.option(
        "--base",
        metavar="RUN",
        help=f"Run selector of base, or path:DIR. [default: {BASE_DEFAULT}]",
    ),
    click.option(
        "--current",
        metavar="RUN",
        help=f"Run selector of current, or path:DIR. [default: {CURRENT_DEFAULT}]",
    ),
)
"""Options of every command that compares two runs."""


data_target_option = click.option(
    "--data-target", metavar="TARGET", help="Target or URL that holds the data. [default: the store's]"
)
data_places_options = together(
    data_target_option,
    click.option(
        "--base-target",
        metavar="TARGET",
        help="Target or URL that holds the data of base. [default: that of --data-target]",
    ),
)
"""Options of the places of the data of both sides."""


def _set_log_format(context: click.Context, _option: click.Parameter, value: str) -> None:
    # Completion parses the options of a command that does not run.
    if value == "json" and not context.resilient_parsing and ONLY_PARSED not in context.meta:
        console().log_as_json()


log_format_option = click.option(
    "--log-format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    expose_value=False,
    is_eager=True,
    callback=_set_log_format,
    help="Format of messages on standard error: text, or a JSON object a line, from level INFO.",
)
"""Decorator that adds the format of the log."""


def private_words(context: click.Context, _: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return *words* with those of the configuration, which no option takes away."""
    found = context.meta.get(CONFIG)
    return words if found is None or not words else tuple(dict.fromkeys([*words, *found.privacy.columns]))


privacy_options = together(
    click.option(
        "--no-values/--values",
        "no_values",
        default=False,
        help="Show and store counts only, no values of columns.",
    ),
    click.option(
        "--private",
        multiple=True,
        callback=private_words,
        metavar="WORDS",
        help="Words in names of columns with private values, which are not shown or stored; adds to the "
        "built-in words and the configuration: 'surname', '*note', '!token count' for an exception.",
    ),
)
"""Decorator that adds the options of privacy."""


def _keep_selector(context: click.Context, _: click.Parameter, name: str | None) -> None:
    context.meta[YAML_SELECTOR] = name


def selecting(example: str, *, has_exclude: bool = True) -> Decorator:
    """Return the options that select nodes; *example* is a selection for the help."""
    select = click.option(
        "-s",
        "--select",
        "selection",
        multiple=True,
        help=f"Only these nodes, in dbt's selection grammar: {example}.",
    )
    exclude = click.option("--exclude", multiple=True, help="Skip these nodes.")
    selector = click.option(
        "--selector",
        "selector_name",
        metavar="NAME",
        expose_value=False,
        callback=_keep_selector,
        help="Only the nodes of this YAML selector, from selectors.yml or else the manifest in target/.",
    )
    return together(select, exclude, selector) if has_exclude else together(select, selector)


UNITS = {"d": "days", "w": "weeks", "h": "hours", "m": "minutes"}
LISTS = ("csv", "tsv")
"""Formats of commands that print a list."""
REMARKS = ("github", "codequality")
"""Formats of `diff` for the forge: remarks on changed lines, for GitHub Actions and for GitLab."""


details_option = click.option(
    "--details", is_flag=True, help="Show everything: equal nodes and columns too, and no list cut."
)


def parse_age(text: str) -> timedelta:
    """Return `30d`, `12h` or `8w` as a time span."""
    found = re.fullmatch(r"(\d{1,5})([dwh])", text)
    if found is None:
        raise click.BadParameter(f"{quoted(text)} is not an age such as 30d, 8w or 12h")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def format_option(*formats: str) -> Decorator:
    """Return the `--format` option; the first of *formats* is the default."""
    return click.option(
        "--format",
        "style",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="Output format.",
    )


def screen(stream: TextIO | None = None) -> dict[str, Any]:
    """Return `width` and `color` of *stream*, by default standard output."""
    stream = stream or sys.stdout
    is_terminal = stream is not None and stream.isatty()
    # COLUMNS sets the width of output that is piped.
    width = shutil.get_terminal_size((120, 40)).columns if is_terminal or "COLUMNS" in os.environ else 120
    return {"width": max(width, NARROWEST), "color": is_colored(is_terminal=is_terminal)}


def report_size(file: Path | None) -> dict[str, Any]:
    """Return `width` and `color` of a report in *file*, or of standard output if *file* is None."""
    return screen() if file is None else {"width": 0, "color": False}


def emit(text: str) -> None:
    """Print the command's output as UTF-8 in every locale: names may hold any character."""
    if text:
        emit_bytes([text.rstrip("\n").encode("utf-8", "replace") + b"\n"])


def emit_bytes(pieces: Iterable[bytes]) -> None:
    """Write *pieces* to standard output; ignore a reader that stops early, such as `| head`."""
    if sys.stdout is None:  # the caller closed it (`>&-`)
        return
    try:
        for piece in pieces:
            # Bytes, because the locale may not be able to encode a name.
            sys.stdout.buffer.write(piece)
        sys.stdout.flush()
    except OSError as error:
        # Python flushes the remaining buffer at exit, which would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise


def write(text: str, file: Path | None) -> None:
    """Print *text*, or write it to *file*."""
    if file is None:
        emit(text)
    else:
        file.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def show(result: Any, style: str, output: Path | None = None) -> None:
    """Write *result* in *style*: as a report for people, else as JSON, CSV or TSV."""
    style = "text" if style == "table" else style
    write(load("recce_meta.api.public.reports:render_report")(result, style, **report_size(output)), output)


def sql_argument(sql: str) -> str:
    """Return *sql* itself, the content of the file after `@`, or standard input for `-`."""
    if sql == "-":
        return sys.stdin.read()
    if not sql.startswith("@"):
        return sql
    try:
        return Path(sql[1:]).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"Cannot read {sql[1:]}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{sql[1:]} is not valid UTF-8: {error}") from error


FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
AFTER = 1.0
"""Seconds before the progress spinner appears."""
EVERY = 0.1
"""Seconds between two frames."""


@contextmanager
def progress(message: str) -> Iterator[Callable[[str], None]]:
    """Show *message* with a spinner on standard error while the block runs, on terminals only.

    Yields a function that replaces the message.
    """
    # A list, because the spinner's thread must see later messages.
    shown = [message]

    def tell(text: str) -> None:
        shown[0] = text

    if not shows_progress():
        yield tell
        return
    done = Event()
    # A daemon must not keep the process alive if the block is interrupted.
    spinner = Thread(target=_spin, args=(shown, done), daemon=True)
    spinner.start()
    try:
        yield tell
    finally:
        done.set()
        spinner.join()


def _spin(shown: list[str], done: Event) -> None:
    # Short commands draw nothing, so that their output does not flicker.
    if done.wait(AFTER):
        return
    frame = 0
    while True:
        sys.stderr.write(f"\r{FRAMES[frame % len(FRAMES)]} {neutralise(shown[0])}\x1b[K")
        sys.stderr.flush()
        frame += 1
        if done.wait(EVERY):
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            return


def server_pages() -> Addresses | None:
    """Return the pages of the server in RECCE_META_PUBLIC_URL; None without it.

    An invalid address is ignored with a warning, because a report is useful without links.
    """
    url = os.environ.get(PUBLIC_URL)
    if not url:
        return None
    try:
        found: Addresses = load("recce_meta.report.addresses:server_addresses")(url)
        return found
    except UsageError as error:
        warn(f"No links to {PUBLIC_URL}: {error.message[:1].lower()}{error.message[1:]}")
        return None
