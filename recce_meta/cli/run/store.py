"""Implementation of the commands of `store`: they show runs, render templates, or maintain the store.

`render`, `fsck`, `doctor` and `demo` load parts themselves that the other commands do not need.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, TextIO

import click
from msgspec.structs import replace

from recce_meta import report
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.cli.connections import Connection
from recce_meta.cli.options import LISTS, emit, progress, say, screen, warn
from recce_meta.cli.options import show as present
from recce_meta.errors import RecceMetaError, SelectorError, UsageError
from recce_meta.lazy import LazyModule, load
from recce_meta.models import Check
from recce_meta.models.lineage import Direction
from recce_meta.models.rows import ResultList
from recce_meta.store import read
from recce_meta.store.sql_files import DEFAULT_SCHEMA

if TYPE_CHECKING:
    from recce_meta.api import impact as impact_api
    from recce_meta.api import run_reader
    from recce_meta.api import runs as runs_api
    from recce_meta.store import prune as pruning
    from recce_meta.store.select import RunSelector
else:
    impact_api = LazyModule("recce_meta.api.impact")
    run_reader = LazyModule("recce_meta.api.run_reader")
    runs_api = LazyModule("recce_meta.api.runs")
    pruning = LazyModule("recce_meta.store.prune")


def runs(
    connection: Connection, project: str | None, environment: str | None, limit: int, style: str
) -> None:
    """Print the recorded runs, newest first."""
    with connection.open_existing() as adapter:
        found = read.list_runs(adapter, project=project, environment=environment, status=None, limit=limit)
    present(found, style)


@contextmanager
def one_run(
    connection: Connection,
    selector: str | None,
    project: str | None,
    *,
    is_shown: bool = False,
    writes: bool = False,
) -> Iterator[tuple[Callable[[], UnifiedSqlAdapter], RunSelector, str | None]]:
    """Yield a function that connects, the run that a command reads, and the project."""
    name = connection.project_of(project, selector)
    with ExitStack() as stack:
        # Artifacts on disk need no store, which is therefore opened on first use.
        connect = cache(lambda: stack.enter_context(connection.open_existing(writes=writes)))
        yield connect, connection.only_run(connect, selector, name, is_shown=is_shown), name


def show(connection: Connection, run: str | None, project: str | None, style: str) -> None:
    """Print the contents and results of one run."""
    with one_run(connection, run, project, is_shown=True) as (connect, selector, name):
        found = runs_api.show(connect, selector, project=name)
    present(found, style)


def lineage(
    connection: Connection,
    node: str,
    selector: str | None,
    direction: str | None,
    depth: int | None,
    project: str | None,
    style: str,
) -> None:
    """Print the upstream and downstream nodes of a node."""
    with one_run(connection, selector, project) as (connect, run, name):
        view = runs_api.load_lineage(
            connect, run, node, direction=Direction(direction or "both"), depth=depth, project=name
        )
    present(view, style)


def impact(
    connection: Connection,
    node: str,
    direction: str,
    depth: int | None,
    selector: str | None,
    project: str | None,
    style: str,
) -> None:
    """Print the nodes and columns affected by a change to a node or column."""
    with one_run(connection, selector, project) as (connect, run, name), _without_collector():
        try:
            view = impact_api.load_impact(
                connect, run, node, direction=Direction(direction), depth=depth, project=name
            )
        except SelectorError as error:
            # A node that the change removed is in base alone.
            if "not found" in error.message and _is_in_base(connect, node, selector, name):
                raise SelectorError(error.message, hint="it is in base: add --run base") from error
            raise
    present(view, style)
    for note in view.notes if style in LISTS else ():
        say(f"note: {note}")


def _is_in_base(
    connect: Callable[[], UnifiedSqlAdapter], node: str, selector: str | None, project: str | None
) -> bool:
    """Return True if *node*, `NODE` or `NODE.COLUMN`, is in the latest stored run of base."""
    if selector == "base" or run_reader.folder_of(selector):
        return False
    try:
        run = run_reader.open_run(connect, "base", project=project)
        with run.session():
            impact_api.find_address(node, run.names, cache(partial(impact_api.column_names, run)))
    except RecceMetaError:
        return False
    return True


@contextmanager
def _without_collector() -> Iterator[None]:
    """Disable Python's cyclic garbage collector: the result is many small tuples without cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def prune(
    connection: Connection,
    keep_last: int | None,
    older_than: timedelta | None,
    environment: str | None,
    project: str | None,
    dry_run: bool,
    local: bool,
    style: str,
) -> None:
    """Remove old runs and print them."""
    retention = pruning.Retention(
        keep_last=keep_last, older_than=older_than, environment=environment, project=project
    )
    author = connection.author()
    with connection.open_existing(writes=not dry_run) as adapter:
        result = pruning.prune(adapter, retention, dry_run=dry_run, local=local, deleted_by=author)
    present(result, style)


def render(
    connection: Connection,
    file: TextIO,
    selector: str | None,
    node: str | None,
    incremental: bool,
    variables: str | None,
    target_name: str | None,
    project: str | None,
) -> None:
    """Print the SQL that a template renders to."""
    render_api = load("recce_meta.api.render")
    template = render_api.Template(
        sql=_read(file),
        path=None if file.name in ("-", "<stdin>") else Path(file.name),
        node=node,
        incremental=incremental,
        variables=load("recce_meta.profiles.project_file:parse_variables")(variables),
        project_dir=connection.project_dir,
        environ=os.environ,
        target_name=target_name,
    )
    with one_run(connection, selector, project) as (connect, run, name):
        rendered = render_api.render(connect, run, template, project=name)
    for text in rendered.warnings:
        warn(text)
    emit(rendered.sql)


def _read(file: TextIO) -> str:
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{file.name} is not UTF-8: byte {error.start + 1} is 0x{error.object[error.start]:02x}",
            hint="save the file as UTF-8, which dbt requires",
        ) from None


EXAMPLES = ("runs", "diff base current --data", "value orders --detail", "lineage orders")
"""Commands to try on the demo."""


def demo(folder: Path, style: str) -> None:
    """Build the demo in *folder*, and print the diff of its two runs and of their data."""
    with progress("building the shop"):
        result = load("recce_meta.api.demo:demo")(folder)
    if style in ("json", "markdown"):
        present(result, style)
        return
    emit(report.whole_text(result.diff, result.data, None, **screen()))
    emit(f"\nThe store is in schema {DEFAULT_SCHEMA} of {result.database}. Try:")
    for command in EXAMPLES:
        emit(f"  recce-meta {command} --url {quote(f'duckdb:///{result.database}')}")
    allowed = "--allow-queries --allow-writes --open /s/default/pr/42"
    emit(f"\nReview: recce-meta serve --url {quote(f'duckdb:///{result.database}')} {allowed}")


def check_base(
    connection: Connection, base: str | None, max_age: timedelta | None, project: str | None, style: str
) -> None:
    """Print whether base is fresh; exit with 1 if it is missing, 2 if it is stale."""
    with ExitStack() as stack:
        connect = cache(lambda: stack.enter_context(connection.open_existing()))
        found = load("recce_meta.api.base_check:check_base")(
            connect,
            base,
            defaults=connection.run_defaults(),
            max_age=max_age,
            project=connection.project_of(project, base),
        )
    present(found, style)
    raise click.exceptions.Exit(found.exit_code)


def fsck(connection: Connection, repair: bool, style: str) -> None:
    """Check the contents of the store and print the problems; exit with 1 if any is left."""
    # Only this command needs the parts of an exchange.
    check = load("recce_meta.sync.fsck:fsck")
    with connection.open_existing(writes=repair) as adapter:
        result = check(adapter, repair=repair)
    present(result, style)
    if not result.is_sound:
        raise click.exceptions.Exit(1)


def doctor(connection: Connection, is_server: bool, state: str | None, machine: Any, style: str) -> None:
    """Print the result of each check; exit with 3 if one failed."""
    check = load("recce_meta.api.demo:doctor")
    if is_server:
        checks = list(load("recce_meta.cli.run.worker:check_server")(state, machine))
        stores = load("recce_meta.cli.run.serve:stores_of")(connection, click.get_current_context())
        for name, store in stores.items():
            found = check(partial(store.open_existing, writes=True))
            # Each line names its store if there are several.
            checks += [replace(one, name=f"{name}: {one.name}") if len(stores) > 1 else one for one in found]
    else:
        checks = check(partial(connection.open_existing, writes=True))
    present(ResultList(Check, checks), style)
    if any(check.ok is False for check in checks):
        raise click.exceptions.Exit(RecceMetaError.exit_code)
