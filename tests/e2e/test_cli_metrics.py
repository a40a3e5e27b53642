"""`/metrics` of processes that share a state, read with the parsers of Prometheus' own client."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping
from urllib.error import HTTPError
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models.run import ExtractionTier
from tests.e2e.conftest import Cli, ProcessCli
from tests.e2e.served_shop import Running, connected_shop, running
from tests.support.git_server import GitServer, git_backend, git_server
from tests.support.line import Line

pytestmark = pytest.mark.extensive

__all__ = ["git_backend", "git_server"]

TOKEN = "token-of-serve-0123456789"
KEY = "x5k3Zb0mXl1yqk8b8m4B0Ew7m1o2yGkq0JmCk0dZb5A="
OPEN = "application/openmetrics-text; version=1.0.0"
Series = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, cli: Cli, git_server: GitServer) -> Iterator[Cli]:
    """The command with the connection `shop` in a state of either kind."""
    if request.param == "sqlite":
        yield connected_shop(cli.within(RECCE_META_TOKEN=TOKEN), git_server)
        return
    url, schema = request.getfixturevalue("postgres_url"), f"metrics_{uuid4().hex[:8]}"
    state = {"RECCE_META_STATE_URL": f"{url}?schema={schema}", "RECCE_META_KEY": KEY}
    try:
        yield connected_shop(cli.within(RECCE_META_TOKEN=TOKEN, **state), git_server)
    finally:
        with UnifiedSqlAdapter.from_url(url) as adapter:
            adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            adapter.execute(f"DROP SCHEMA IF EXISTS {schema}_jobs CASCADE")


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def read(address: str, *, accept: str = "", token: str | None = TOKEN, host: str | None = None) -> str:
    """Return the answer of /metrics at *address*."""
    headers = {"Accept": accept} if accept else {}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Host": host} if host else {}
    with urllib.request.urlopen(
        urllib.request.Request(f"http://{address}/metrics", headers=headers), timeout=60
    ) as got:
        return str(got.read().decode())


def series(text: str, parser: object = plain_text) -> Series:
    """Return the samples of a text by name and labels."""
    samples = (one for family in parser(text) for one in family.samples)  # type: ignore[operator]
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for one in samples}


def summed(*texts: str) -> Series:
    """Return the sum of the samples of several processes, as a query of Prometheus has it."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = defaultdict(float)
    for text in texts:
        for name, value in series(text).items():
            found[name] += value
    return found


def place_of(serving: Running) -> str:
    return serving.until(lambda: re.findall(r"http://(\S+)/ ", serving.log.read_text()))[0]


def wait_for_job(shop: Cli, worker: Running) -> int:
    """Return the number of jobs that have run: the worker may have begun one by itself."""
    assert shop("connection", "extract", "shop").code == 0

    def ended() -> int:
        jobs = json.loads(shop("connection", "show", "shop", "--format", "json").out)["jobs"]
        return len(jobs) if all(job["status"] == "success" for job in jobs) else 0

    return worker.until(ended)


def test_a_sum_over_processes_is_right_also_after_a_kill(shop: Cli) -> None:
    address = free_address()
    arguments = ("--metrics-address", address, "--work-dir", str(shop.folder / "work"))
    with (
        running(shop, "serve", "--port", "0", "--web-only") as serving,
        running(shop, "worker", *arguments) as worker,
    ):
        place = place_of(serving)
        worker.until(lambda: "runs the jobs of" in worker.log.read_text())
        jobs = wait_for_job(shop, worker)
        texts = read(place), read(address, token=None)

        total = summed(*texts)
        assert total["recce_meta_connected_repositories", ()] == 1
        tiers = [total["recce_meta_connection_tiers", (("tier", tier.value),)] for tier in ExtractionTier]
        assert tiers == [tier is ExtractionTier.BRONZE for tier in ExtractionTier]
        assert total["recce_meta_state_exporter", ()] == 1
        assert total["recce_meta_workers", (("state", "live"),)] == 1
        assert total["recce_meta_jobs", (("stage", ""), ("status", "pending"))] == 0
        assert total["recce_meta_job_seconds_count", (("status", "success"),)] == jobs
        stages = {dict(labels)["stage"] for name, labels in total if name == "recce_meta_stage_seconds_count"}
        assert {"resolve", "clone", "extract", "store"} <= stages
        own = series(texts[1])
        assert own["recce_meta_job_seconds_bucket", (("le", "+Inf"), ("status", "success"))] == jobs
        assert own["process_start_time_seconds", ()] > time.time() - 600
        # No name, branch or address of a repository, and no id.
        text = "".join(texts)
        for unbounded in ("main", "shop", "127.0.0.1", "localhost", str(shop.folder)):
            assert unbounded not in re.sub(r"^#.*$", "", text, flags=re.MULTILINE), unbounded
        assert {*series(read(place, accept=OPEN), open_metrics)} >= {
            ("recce_meta_state_up", ()),
            ("recce_meta_build_info", next(labels for name, labels in total if name.endswith("build_info"))),
        }

        # The server was asked first, so it held the lease.
        assert series(texts[0])["recce_meta_state_exporter", ()] == 1
        serving.process.kill()
        serving.process.wait()
        assert worker.until(lambda: series(read(address))["recce_meta_state_exporter", ()] == 1)
        assert series(read(address))["recce_meta_connected_repositories", ()] == 1
        assert worker.end()[0] == 0


def test_the_own_address_needs_a_token_and_no_name(cli: Cli) -> None:
    cli = cli.within(RECCE_META_TOKEN=TOKEN, RECCE_META_URL=f"duckdb:///{cli.folder / 'store.duckdb'}")
    with running(cli, "serve", "--port", "0", "--public-url", "https://recce.example.com") as serving:
        place = place_of(serving)
        for token, status in ((None, 400), ("wrong-token-0123456789", 401)):
            with pytest.raises(HTTPError) as refused:
                read(place, token=token, host="10.0.0.7:8765")
            with refused.value as answer:
                assert answer.code == status
        found = series(read(place, host="10.0.0.7:8765"))
        assert found["recce_meta_store_connections", (("state", "limit"),)] >= 1
        labels = (("kind", "probe"), ("method", "GET"), ("status", "401"))
        assert found["recce_meta_request_seconds_count", labels] == 1
        assert not any(name.startswith("recce_meta_state") for name, _ in found)
        assert serving.end()[0] == 0


def test_a_silent_state_is_down_and_the_rest_is_there(cli: Cli, postgres_url: str) -> None:
    place = urlsplit(postgres_url)
    line = Line(place.hostname or "127.0.0.1", place.port or 5432)
    schema = f"metrics_{uuid4().hex[:8]}"
    state = place._replace(netloc=f"{place.username}@127.0.0.1:{line.port}").geturl()
    cli = cli.within(
        RECCE_META_STATE_URL=f"{state}?schema={schema}",
        RECCE_META_KEY=KEY,
        RECCE_META_URL=f"duckdb:///{cli.folder / 'store.duckdb'}",
    )
    try:
        with running(cli, "serve", "--port", "0", "--web-only") as serving:
            address = place_of(serving)
            assert series(read(address))["recce_meta_state_up", ()] == 1
            line.freeze()
            began = time.monotonic()
            found = series(read(address))
            assert found["recce_meta_state_up", ()] == 0 and time.monotonic() - began < 10
            assert ("recce_meta_jobs", (("stage", ""), ("status", "pending"))) not in found
            line.thaw()
            assert serving.until(lambda: series(read(address))["recce_meta_state_up", ()] == 1)
            assert serving.end()[0] == 0
    finally:
        line.close()
        with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
            adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_wrong_address_is_an_error(process_cli: ProcessCli, command: str) -> None:
    url = f"duckdb:///{process_cli.folder / 'store.duckdb'}"
    state = f"sqlite:///{process_cli.folder / 'state.db'}"
    options = ("--url", url, "--state", state, *(("--port", "0") if command == "serve" else ()))
    for wrong in ("9100", "127.0.0.1", "127.0.0.1:x", "http://127.0.0.1:9100/x", "user@127.0.0.1:9100"):
        ran = process_cli(command, *options, "--metrics-address", wrong)
        assert ran.code == 2 and "HOST:PORT, such as 127.0.0.1:9100" in ran.err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ran = process_cli(command, *options, "--metrics-address", address)
    assert ran.code == 3 and f"Cannot listen on {address} for metrics" in ran.err


def test_only_metrics_import_their_client() -> None:
    code = (
        "import sys, recce_meta.server.main, recce_meta.server.metrics, recce_meta.cli.run.worker\n"
        "assert 'prometheus_client' not in sys.modules\n"
        "print(len(recce_meta.server.metrics.Metrics(None).render('')[0]) > 100)\n"
        "assert 'prometheus_client' in sys.modules"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "True\n"
