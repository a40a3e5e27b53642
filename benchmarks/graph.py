"""Time of the layout of a graph, and of a part of the graph of 5,000 models with columns and a path.

`python -m benchmarks.graph --folder FOLDER [duckdb] [postgres]` keeps the stores in FOLDER for the next time.
The floor of the layout is one pass in each direction over the same edges that computes the mean of
neighbours, in plain Python. The floor of the server's part is the statements that it sends, sent again.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.large_store import Stores
from benchmarks.measure import Figure, in_turns, markdown
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.graph import run_graph, whole_graph
from recce_meta.api.browse.graph_columns import column_path, graph_columns
from recce_meta.api.browse.graph_query import GraphQuery
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.graph.layout import layout
from recce_meta.models.graph_view import GraphView
from recce_meta.store import session
from recce_meta.store.select import resolve_run
from recce_meta.store.sql_files import DEFAULT_SCHEMA

SIZES = (1_000, 3_000, 5_000, 10_000)
MOST_SWEEPS = 25
"""Maximum time of the layout, as a multiple of one sweep: it makes six, sorts, and spaces the boxes."""
SERVER = 0.1
"""Maximum seconds of a part of the graph with columns."""
NODES = 5
"""Number of nodes whose parts are measured."""
UNFOLDED = 3
"""Number of nodes of a part whose columns are read."""


def random_graph(count: int) -> dict[str, list[str]]:
    """Return the parents of *count* nodes, an eighth of them sources; edges span a sixth of the graph."""
    chance = random.Random(1)
    ids = [f"model.shop.m{number:05}" for number in range(count)]
    return {
        one: [
            ids[chance.randrange(max(0, number - count // 6), number)]
            for _ in range(0 if number < count // 8 else chance.choice((1, 1, 2, 2, 3)))
        ]
        for number, one in enumerate(ids)
    }


def means(parents: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Return the mean place of the neighbours of each node: the least work of one sweep."""
    place = {one: float(number) for number, one in enumerate(parents)}
    children: dict[str, list[str]] = {one: [] for one in parents}
    for child, found in parents.items():
        for parent in found:
            children[parent].append(child)
    for near in (parents, children):
        for one, found in near.items():
            if found:
                place[one] = sum([place[other] for other in found]) / len(found)
    return place


def layout_figures() -> Iterator[Figure]:
    """Yield the time of the layout of random graphs, fresh and with earlier positions."""
    for count in SIZES:
        parents = random_graph(count)
        seed = {one: (place.x, place.y) for one, place in layout(parents, parents).positions.items()}
        fresh, seeded, floor = in_turns(
            lambda parents=parents: layout(parents, parents),
            lambda parents=parents, seed=seed: layout(parents, parents, seed),
            lambda parents=parents: means(parents),
            rounds=5,
        )
        edges = sum(map(len, parents.values()))
        yield Figure(
            f"layout of {count:,} nodes, {edges:,} edges",
            f"{fresh.cpu * 1e3:.0f} ms",
            f"one sweep: {floor.cpu * 1e3:.1f} ms",
            f"{fresh.cpu / floor.cpu:.0f}",
            f"≤ {MOST_SWEEPS}",
            fresh.cpu <= MOST_SWEEPS * floor.cpu,
        )
        yield Figure(
            "the same with earlier positions",
            f"{seeded.cpu * 1e3:.0f} ms",
            f"fresh: {fresh.cpu * 1e3:.0f} ms",
            f"{seeded.cpu / fresh.cpu:.2f}",
            "≤ 1",
            seeded.cpu <= fresh.cpu,
        )


@contextmanager
def recorded_statements() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Record the named statements of the store, with their parameters, within the block."""
    found: list[tuple[str, dict[str, Any]]] = []
    original = session.StoreSession.query

    def query(self: session.StoreSession, name: str, **binds: Any) -> Any:
        found.append((name, binds))
        return original(self, name, **binds)

    session.StoreSession.query = query  # type: ignore[method-assign,assignment]
    try:
        yield found
    finally:
        session.StoreSession.query = original  # type: ignore[method-assign]


def server_figures(what: str, adapter: UnifiedSqlAdapter, schema: str) -> Iterator[Figure]:
    """Yield the time of ±2 steps with columns, and of the path of a column, of several nodes."""
    run = resolve_run(adapter, "run-00150", schema=schema)
    reader = StoredRunReader(adapter, run, schema)
    graph = whole_graph(reader)
    nodes = [
        f"model.shop.stg_subscription_{number:05}" for number in random.Random(5).sample(range(5_000), 400)
    ]
    nodes = [one for one in nodes if one in graph.names and len(graph.children.get(one, ())) > 1][:NODES]

    def part() -> list[GraphView]:
        found = []
        for one in nodes:
            view = run_graph(reader, GraphQuery(node=one, up=2, down=2), graph=graph)
            for node in view.nodes[:UNFOLDED]:
                graph_columns(reader, node.id)
            found.append(view)
        return found

    def path() -> int:
        return sum(len(column_path(reader, one, "amount_0").columns) for one in nodes)

    shown = sum(len(view.nodes) for view in part()) / len(nodes)
    on_path = path() / len(nodes)
    for name, work in (
        (f"±2 steps, {shown:.0f} nodes, columns of {UNFOLDED} of them", part),
        (f"path of a column, {on_path:.0f} columns", path),
    ):
        yield _figure(f"{name}, {what}", work, adapter, schema, len(nodes))


def _figure(
    name: str, work: Callable[[], object], adapter: UnifiedSqlAdapter, schema: str, count: int
) -> Figure:
    with recorded_statements() as statements:
        work()

    def bare() -> None:
        with session.open_store(adapter, schema) as store:
            for statement, binds in statements:
                store.query(statement, **binds)

    ours, floor = in_turns(work, bare, rounds=5)
    return Figure(
        name,
        f"{ours.wall / count * 1e3:.0f} ms (cpu {ours.cpu / count * 1e3:.0f})",
        f"its {len(statements) / count:.0f} statements: {floor.wall / count * 1e3:.0f} ms",
        f"{ours.wall / floor.wall:.2f}",
        f"< {SERVER * 1e3:.0f} ms",
        ours.wall / count < SERVER,
    )


def run(
    folder: Path, stores: Sequence[str] = ("duckdb", "postgres"), *, is_kept: bool = False
) -> list[Figure]:
    """Run all measurements; the stores are made in *folder* on first use; *is_kept* keeps them."""
    made = Stores(folder) if is_kept else Stores(folder, "bench_graph")
    figures = list(layout_figures())
    try:
        if "duckdb" in stores:
            with UnifiedSqlAdapter.from_url(f"duckdb:///{made.duckdb()}") as adapter:
                figures += server_figures("DuckDB", adapter.reader(DEFAULT_SCHEMA), DEFAULT_SCHEMA)
        if "postgres" in stores:
            with UnifiedSqlAdapter.from_url(made.postgres()) as adapter:
                figures += server_figures("PostgreSQL", adapter.reader(made.schema), made.schema)
    finally:
        if not is_kept and "postgres" in stores:
            made.drop()
    return figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", nargs="*", metavar="STORE", help="duckdb or postgres; default: both")
    parser.add_argument("--folder", type=Path, help="where the stores are kept for the next time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        stores = options.stores or ["duckdb", "postgres"]
        print(markdown(run(folder, stores, is_kept=options.folder is not None)))


if __name__ == "__main__":
    main()
