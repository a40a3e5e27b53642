"""Options of the commands that compare data, and what they resolve to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from recce_meta.cli.options import OUTPUT, Connection, connecting, project_name, project_option, together

if TYPE_CHECKING:
    from recce_meta.adapter import UnifiedSqlAdapter
    from recce_meta.api.comparing_data import Comparison
    from recce_meta.api.run_pair import RunPair


class Opened(Struct, frozen=True):
    """What a command works with."""

    comparison: Comparison
    runs: RunPair | None
    """The two runs; None where tables are named."""
    store: Callable[[], UnifiedSqlAdapter]
    """Opens the store, where it is not open yet."""


class DataOptions(Struct, frozen=True, kw_only=True):
    """Which data, where, and how much time it may take."""

    connection: Connection
    base: str
    current: str
    tables: tuple[tuple[str, str], ...]
    data_target: str | None
    base_target: str | None
    threads: int | None
    budget: float | None
    project: str | None

    @contextmanager
    def open(self) -> Iterator[Opened]:
        """Connections and runs; everything is closed afterwards."""
        from recce_meta.api.comparing_data import open_comparison

        with ExitStack() as stack:
            opened: list[UnifiedSqlAdapter] = []

            def store() -> UnifiedSqlAdapter:
                if not opened:
                    opened.append(stack.enter_context(self.connection.open_existing()))
                return opened[0]

            runs = None if self.tables else self._runs(store)
            current = self._target(stack, self.data_target) if self.data_target else store()
            base = self._target(stack, self.base_target) if self.base_target else None
            deadline = None if self.budget is None else time.monotonic() + self.budget
            comparison = open_comparison(
                current, base, threads=self.threads or current.threads, deadline=deadline
            )
            stack.callback(comparison.close)
            yield Opened(comparison, runs, store)

    def _runs(self, store: Callable[[], UnifiedSqlAdapter]) -> RunPair:
        from recce_meta.api.run_pair import load_pair

        name = project_name(self.project, self.connection, self.base, self.current)
        return load_pair(store, self.base, self.current, project=name, schema=self.connection.schema)

    def _target(self, stack: ExitStack, name: str) -> UnifiedSqlAdapter:
        """The target of the profile that *name* is, or the database at that URL."""
        return stack.enter_context(self.connection.at(name).open_existing())


class Output(Struct, frozen=True, kw_only=True):
    """What becomes of the results."""

    style: str
    show_sql: bool
    save: bool
    output: Path | None


def comparing_data(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options that say which data is compared, as one argument `data`."""

    @wraps(command)
    def wrapped(
        connection: Connection,
        base: str,
        current: str,
        tables: tuple[tuple[str, str], ...],
        data_target: str | None,
        base_target: str | None,
        threads: int | None,
        budget: float | None,
        project: str | None,
        **others: Any,
    ) -> Any:
        data = DataOptions(
            connection=connection,
            base=base,
            current=current,
            tables=tables,
            data_target=data_target,
            base_target=base_target,
            threads=threads,
            budget=budget,
            project=project,
        )
        return command(data=data, **others)

    return connecting(project_option(_OPTIONS(wrapped)))


_OPTIONS: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.option("--base", default="base", show_default=True, help="Run selector of base, or path:DIR."),
    click.option("--current", default="current", show_default=True, help="Run selector of current."),
    click.option(
        "--tables",
        nargs=2,
        multiple=True,
        metavar="BASE CURRENT",
        help="Two relations instead of a node: no store is needed.",
    ),
    click.option(
        "--data-target",
        metavar="TARGET",
        help="Target of the profile, or URL, where the data is. [default: where the store is]",
    ),
    click.option("--base-target", metavar="TARGET", help="Where base's data is, if not in the same place."),
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="Statements at once. [default: the profile's threads; 1 on DuckDB]",
    ),
    click.option(
        "--budget",
        type=click.FloatRange(min=0, min_open=True),
        help="Seconds after which queries are stopped.",
    ),
)

output_options: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.option("--sql", "show_sql", is_flag=True, help="Print the statements instead of running them."),
    click.option("--save", is_flag=True, help="Keep the results in the store, with both runs."),
    click.option("-o", "--output", type=OUTPUT, help="Write to a file."),
)
