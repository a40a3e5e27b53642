"""Server time, size and memory of the pages of `recce-meta serve`, on a store of 200 runs of 5,000 models.

`python -m benchmarks.serve --folder FOLDER [duckdb] [postgres]` keeps the stores in FOLDER for the next time.
Each page is measured over HTTP, with keep-alive, in a server that has not answered it before. The floor is a
trivial FastAPI route in the same Python and server.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from benchmarks.large_store import MODELS, RUNS, Stores, name_of
from benchmarks.measure import Figure, markdown
from recce_meta.report.addresses import Addresses

PAGE, FIRST, WARM, CACHED = 0.15, 1.0, 0.3, 0.002
"""Maximum seconds of a list, run or node page; of a diff or impact the first time, and again; in memory."""
ROUNDS = 7
LARGEST = 200_000
MOST_MEMORY = 200e6
REQUESTS = 1_000
CLIENTS = 100
SECONDS = 15.0
FLOOR = """
import sys
import uvicorn
from fastapi import FastAPI
app = FastAPI(openapi_url=None)
@app.get("/")
async def answer() -> dict[str, int]:
    return {"answer": 1}
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
"""


class Kind(NamedTuple):
    """Pages of one kind."""

    name: str
    addresses: Sequence[str]
    most: float = PAGE
    """Maximum seconds."""


class Answer(NamedTuple):
    """Answer of a server."""

    status: int
    seconds: float
    size: int
    etag: str | None


@dataclass
class Server:
    """A running server."""

    port: int
    process: subprocess.Popen[str]
    started: float
    """Seconds to the first answer."""

    def memory(self) -> int:
        """Return the resident memory in bytes (Linux)."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096

    @contextmanager
    def client(self) -> Iterator[Callable[..., Answer]]:
        """Yield a function that reads an address over one connection."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)

        def get(address: str, etag: str | None = None) -> Answer:
            began = time.perf_counter()
            connection.request("GET", address, headers={"If-None-Match": etag} if etag else {})
            answer = connection.getresponse()
            size = len(answer.read())
            return Answer(answer.status, time.perf_counter() - began, size, answer.getheader("ETag"))

        try:
            yield get
        finally:
            connection.close()


def kinds(rounds: int = ROUNDS) -> list[Kind]:
    """Return the kinds of pages, each with *rounds* addresses of different runs and nodes."""
    to, chance = Addresses("default"), random.Random(5)
    runs = [f"run-{number:05}" for number in sorted(chance.sample(range(1, RUNS), rounds))]
    previous = [f"run-{int(run[4:]) - 1:05}" for run in runs]
    # The first fifth of the models reads sources, and is read by the most models.
    nodes = [
        f"model.shop.stg_subscription_{number:05}" for number in chance.sample(range(MODELS // 5), rounds)
    ]
    column = name_of(3)
    pairs = list(zip(runs, nodes, strict=True))
    steps = list(zip(previous, runs, strict=True))

    def of_nodes(*parts: str) -> list[str]:
        return [to.node(run, node, *parts) for run, node in pairs]

    orders = ("name", "-name", "resource_type", "-resource_type", "materialized", "path", "-path")
    return [
        Kind("overview", [to.root]),
        Kind("project", [to.project("shop")]),
        Kind("environments", [to.project("shop", "environments")]),
        Kind("runs", [to.runs(page=page) for page in (1, 2)] + [to.runs(sort="-run_at")]),
        Kind("run", [to.run(run) for run in runs]),
        Kind("nodes of a run", [to.run(run, "nodes") for run in runs]),
        Kind("nodes of a run, filtered", [to.run(runs[0], "nodes", q=f"0{i}1") for i in range(rounds)]),
        Kind("nodes of a run, sorted", [to.run(runs[0], "nodes", sort=name) for name in orders[:2]]),
        Kind("nodes of a run, CSV", [f"{to.run(run, 'nodes')}.csv" for run in runs[:3]], FIRST),
        Kind("results of a run", [to.run(run, "results") for run in runs]),
        Kind("changes of a run", [to.run(run, "changes") for run in runs]),
        Kind("node", of_nodes()),
        Kind("columns of a node", of_nodes("columns")),
        Kind("code of a node", of_nodes("code")),
        Kind("lineage of a node", of_nodes("lineage")),
        Kind("history of a node", of_nodes("history")),
        Kind("quality of a node", of_nodes("quality")),
        Kind("column", [to.column(run, node, column) for run, node in pairs]),
        Kind("diff, first time", [to.diff(*step) for step in steps], FIRST),
        Kind("diff, again: its list of changes", [to.of("diff", *step, "changes") for step in steps], WARM),
        Kind("impact of a node, first time", [to.impact(run, node) for run, node in pairs], FIRST),
        Kind(
            "impact of a node, again: its list of nodes",
            [f"{to.impact(run, node)}/nodes" for run, node in pairs],
            WARM,
        ),
        Kind("impact of a column, first time", [to.impact(run, node, column) for run, node in pairs], FIRST),
        Kind("search of nodes and columns", [to.search(f"created_at_{i}") for i in (3, 11, 19, 27)]),
        Kind("search of a model", [to.search(f"subscription_00{i:03}") for i in range(100, 100 + rounds)]),
        Kind("search that finds nothing", [to.search(f"nothing{i}") for i in range(rounds)]),
        Kind("quality", [to.quality()]),
        Kind("databases", [to.of("databases")]),
        Kind("checks", [to.checks()]),
    ]


@contextmanager
def serving(url: str, schema: str | None, package: Path) -> Iterator[Server]:
    """Run the server of *package* on a store in a process of its own."""
    program = [sys.executable, "-m", "recce_meta", "serve", "--url", url, "--no-open", "--port", "0"]
    program += ["--schema", schema] if schema else []
    began = time.perf_counter()
    process = subprocess.Popen(
        program,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package)},
    )
    try:
        line = next((line for line in process.stdout or () if "http://" in line), "")
        if not line:
            raise RuntimeError(f"{' '.join(program)} exits with {process.wait()}")
        server = Server(int(line.partition("http://127.0.0.1:")[2].split("/")[0]), process, 0.0)
        with server.client() as get:
            get("/static/report.css")
        server.started = time.perf_counter() - began
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@contextmanager
def floor() -> Iterator[tuple[float, float]]:
    """Yield the seconds to the first answer of a trivial application, and the median of later answers."""
    began = time.perf_counter()
    port = 18_000 + os.getpid() % 1_000
    process = subprocess.Popen([sys.executable, "-c", FLOOR, str(port)])
    try:
        server = Server(port, process, 0.0)
        while True:
            try:
                with server.client() as get:
                    get("/")
                    started = time.perf_counter() - began
                    yield started, median(get("/").seconds for _ in range(200))
                return
            except ConnectionRefusedError:
                time.sleep(0.01)
    finally:
        process.terminate()
        process.wait(30)


def page_figures(server: Server, what: str, least: float, all_kinds: Sequence[Kind]) -> Iterator[Figure]:
    """Yield the median of each kind of page, and its largest answer; each address is new to the server."""
    with server.client() as get:
        get(Addresses("default").runs(size=1))
        for kind in all_kinds:
            answers = [get(address) for address in kind.addresses]
            failed = {one.status for one in answers} - {200}
            if failed:
                yield Figure(f"{kind.name}, {what}", f"status {failed}", met=False)
                continue
            seconds, size = median(one.seconds for one in answers), max(one.size for one in answers)
            worst = max(one.seconds for one in answers)
            is_page = not kind.addresses[0].endswith((".csv", ".json"))
            yield Figure(
                f"{kind.name}, {what}",
                f"{seconds * 1e3:.0f} ms (worst {worst * 1e3:.0f}), {size / 1e3:.0f} kB",
                f"{least * 1e3:.1f} ms",
                f"{seconds / least:.0f}",
                f"< {kind.most * 1e3:.0f} ms" + (", < 200 kB" if is_page else ""),
                seconds < kind.most and (size < LARGEST or not is_page),
            )


def memory_figures(server: Server, what: str, least: float, all_kinds: Sequence[Kind]) -> Iterator[Figure]:
    """Yield the cost of pages in memory, and the memory after many requests of varied pages."""
    address = Addresses("default").runs()
    with server.client() as get:
        etag = get(address).etag
        for name, given in (("page in memory", None), ("page that the browser has", etag)):
            seconds = median(get(address, given).seconds for _ in range(200))
            yield Figure(
                f"{name}, {what}",
                f"{seconds * 1e3:.2f} ms",
                f"{least * 1e3:.2f} ms",
                f"{seconds / least:.1f}",
                f"< {CACHED * 1e3:.0f} ms",
                seconds < CACHED,
            )
        before = server.memory()
        addresses = [address for kind in all_kinds for address in kind.addresses]
        random.Random(3).shuffle(addresses)
        failed = sum(get(address).status != 200 for address in islice(cycle(addresses), REQUESTS))
        used = server.memory()
    yield Figure(
        f"memory after {REQUESTS:,} requests of {len(addresses)} pages, {what}",
        f"{used / 1e6:.0f} MB",
        f"before: {before / 1e6:.0f} MB",
        f"{used / before:.2f}",
        "< 200 MB",
        used < MOST_MEMORY and not failed,
    )


async def _client(port: int, addresses: Iterator[str], until: float, found: list[float]) -> int:
    """Read *addresses* over one connection *until* a time; return the number of failures."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    failures = 0
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(f"GET {next(addresses)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        await reader.readexactly(int(head.partition("content-length:")[2].split("\r\n")[0]))
        found.append(time.perf_counter() - began)
        failures += not head.startswith("http/1.1 200")
    writer.close()
    return failures


def load_figure(server: Server, what: str, all_kinds: Sequence[Kind]) -> Figure:
    """Return the figure of many concurrent clients that read varied pages without a pause."""
    addresses = [address for kind in all_kinds for address in kind.addresses]
    found: list[float] = []

    async def run() -> int:
        until = time.perf_counter() + SECONDS
        clients = []
        for number in range(CLIENTS):
            own = random.Random(number).sample(addresses, len(addresses))
            clients.append(_client(server.port, cycle(own), until, found))
        return sum(await asyncio.gather(*clients))

    failures = asyncio.run(run())
    slowest = quantiles(found, n=20)[-1]
    return Figure(
        f"{CLIENTS} clients for {SECONDS:.0f} s, {len(addresses)} pages, {what}",
        f"{len(found) / SECONDS:,.0f} pages/s, 95 % within {slowest * 1e3:.0f} ms, {failures} errors",
        target="95 % < 1000 ms, no error",
        met=slowest < 1 and not failures,
    )


def measured(
    what: str, url: str, schema: str | None, package: Path, floors: tuple[float, float]
) -> list[Figure]:
    """Return all figures of one store."""
    first, least = floors
    with serving(url, schema, package) as server:
        started = Figure(
            f"start to the first answer, {what}",
            f"{server.started * 1e3:.0f} ms",
            f"trivial application: {first * 1e3:.0f} ms",
            f"{server.started / first:.2f}",
        )
        pages = list(page_figures(server, what, least, kinds()))
        # Kinds that fail are already reported.
        good = [kind for kind, figure in zip(kinds(), pages, strict=True) if "status" not in figure.ours]
        memory = list(memory_figures(server, what, least, good))
    with serving(url, schema, package) as server:
        return [started, *pages, *memory, load_figure(server, what, good)]


def run(
    folder: Path,
    stores: Sequence[str] = ("duckdb", "postgres"),
    package: Path | None = None,
    *,
    is_kept: bool = False,
) -> list[Figure]:
    """Run all measurements; the stores are made in *folder* on first use; *is_kept* keeps them."""
    package = package or Path(__file__).parents[1]
    made = Stores(folder) if is_kept else Stores(folder, f"bench_{os.getpid()}_serve")
    figures: list[Figure] = []
    try:
        with floor() as floors:
            if "duckdb" in stores:
                figures += measured("DuckDB", f"duckdb:///{made.duckdb()}", None, package, floors)
            if "postgres" in stores:
                figures += measured("PostgreSQL", made.postgres(), made.schema, package, floors)
    finally:
        if not is_kept and "postgres" in stores:
            made.drop()
    return figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", nargs="*", metavar="STORE", help="duckdb or postgres; default: both")
    parser.add_argument("--folder", type=Path, help="where the stores are kept for the next time")
    parser.add_argument("--package", type=Path, help="checkout whose server is measured; default: this one")
    options = parser.parse_args()
    stores = options.stores or ["duckdb", "postgres"]
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        print(markdown(run(folder, stores, options.package, is_kept=options.folder is not None)))


if __name__ == "__main__":
    main()
