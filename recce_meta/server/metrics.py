"""Metrics for Prometheus: what this process did, its connections, and figures of the state.

Every process shows its own part. The figures of the state are the same in all processes that share it, so
only the one that holds a lease shows them: a sum over processes is right.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from recce_meta._version import __version__
from recce_meta.errors import ConfigurationError, RecceMetaError, UsageError, first_line, install_hint, quoted
from recce_meta.lazy import LazyModule
from recce_meta.models.run import ExtractionTier
from recce_meta.redaction import presentable
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.workers import STALE_SECONDS, MetricsLease, StateFigures, read_figures
from recce_meta.telemetry import COUNTERS, HISTOGRAMS

if TYPE_CHECKING:
    import prometheus_client
    from prometheus_client import core, exposition

    from recce_meta.server.stores.stores import Store
else:
    # Packages of an extra, which most servers do not use.
    prometheus_client = LazyModule("prometheus_client")
    core = LazyModule("prometheus_client.core")
    exposition = LazyModule("prometheus_client.exposition")

PATIENCE = 5.0
"""Seconds after which a state that does not answer counts as down; Prometheus itself waits for 10."""
LEASE_SECONDS = 150.0
"""Seconds after the last request in which another process shows the figures of the state."""
INSTALL = install_hint("server")

log = logging.getLogger(__name__)


def require_client() -> None:
    """Raise ConfigurationError if the client of Prometheus is not installed."""
    if find_spec("prometheus_client") is None:
        raise ConfigurationError(
            "Metrics need the package prometheus-client, which is not installed", hint=INSTALL
        )


class Metrics:
    """Metrics of this process, and of its state if it holds the lease."""

    def __init__(self, state: State | None, stores: Collection[Store] = ()) -> None:
        """*state* is None without one. Raises ConfigurationError if the client is not installed."""
        require_client()
        self._stores = stores
        self._state = None if state is None else _StateAnswers(state)
        self.registry = core.CollectorRegistry()
        for collector in (
            prometheus_client.ProcessCollector,
            prometheus_client.PlatformCollector,
            prometheus_client.GCCollector,
        ):
            collector(registry=self.registry)
        self.registry.register(self)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the text of all metrics and its media type, in the format that the header *accept* names."""
        encoder, media_type = exposition.choose_encoder(accept)
        return encoder(self.registry), media_type

    def describe(self) -> list[core.Metric]:
        """Return nothing: registration must not read the state."""
        return []

    def collect(self) -> Iterator[core.Metric]:
        """Yield the metrics that are ours."""
        yield core.InfoMetricFamily("recce_meta_build", "Version of recce-meta", {"version": __version__})
        for counter in COUNTERS:
            counted = core.CounterMetricFamily(counter.name, counter.help_text, labels=counter.labels)
            for values, count in counter.samples().items():
                counted.add_metric(values, count)
            yield counted
        for histogram in HISTOGRAMS:
            bounds = [*map(str, histogram.bounds), "+Inf"]
            durations = core.HistogramMetricFamily(
                histogram.name, histogram.help_text, labels=histogram.labels
            )
            for values, (counts, total) in histogram.samples().items():
                # Each bucket includes those below it.
                buckets = [*zip(bounds, accumulate(counts), strict=True)]
                durations.add_metric(values, buckets, total)
            yield durations
        if self._stores:
            yield from self._of_stores()
        if self._state is not None:
            yield from self._state.families()

    def _of_stores(self) -> Iterator[core.Metric]:
        used, most = zip(*(store.connections() for store in self._stores), strict=True)
        text = "Connections to all stores that requests use, and their limit"
        family = core.GaugeMetricFamily("recce_meta_store_connections", text, labels=("state",))
        family.add_metric(("used",), sum(used))
        family.add_metric(("limit",), sum(most))
        yield family


class _StateAnswers:
    """Figures of a state, asked once at a time."""

    def __init__(self, state: State) -> None:
        self._source = state
        self._lease = MetricsLease(state, seconds=LEASE_SECONDS)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recce-meta-metrics")
        self._asked: Future[StateFigures | None] | None = None
        self._lock = Lock()

    def families(self) -> Iterator[core.Metric]:
        """Yield the pool of connections, and the figures if this process holds the lease."""
        found, is_up = None, True
        try:
            found = self._answer()
        except FutureTimeout:
            is_up = False
            log.warning("the metrics lack the state, which does not answer within %g s", PATIENCE)
        except (RecceMetaError, SQLAlchemyError) as error:
            is_up = False
            log.warning("the metrics lack the state: %s", presentable(first_line(error)))
        yield _gauge("recce_meta_state_up", "1 if the database of the state answers", is_up)
        yield _gauge(
            "recce_meta_state_exporter", "1 in the process that shows the figures of the state", bool(found)
        )
        pool = self._source.engine.pool
        if isinstance(pool, QueuePool):
            text = "Connections of this process to the database of the state"
            family = core.GaugeMetricFamily("recce_meta_state_connections", text, labels=("state",))
            family.add_metric(("used",), pool.checkedout())
            family.add_metric(("idle",), pool.checkedin())
            yield family
        if found is not None:
            yield from _of_state(found)

    def _answer(self) -> StateFigures | None:
        with self._lock:
            # A thread that hangs stays alone: the next request waits for the same one.
            if self._asked is None:
                self._asked = self._thread.submit(self._read)
            asked = self._asked
        try:
            return asked.result(PATIENCE)
        finally:
            with self._lock:
                if asked.done() and self._asked is asked:
                    self._asked = None

    def _read(self) -> StateFigures | None:
        return read_figures(self._source, stale_seconds=STALE_SECONDS) if self._lease.take() else None


def _of_state(found: StateFigures) -> Iterator[core.Metric]:
    jobs = core.GaugeMetricFamily(
        "recce_meta_jobs", "Jobs that wait or run, by stage", labels=("status", "stage")
    )
    # Zeros, so that an empty queue is not a gap.
    for key in {("pending", ""), ("running", ""), *found.jobs}:
        jobs.add_metric(key, found.jobs.get(key, 0))
    yield jobs
    yield _gauge("recce_meta_queue_age_seconds", "Age of the oldest job that waits", found.queue_seconds)
    tasks = core.GaugeMetricFamily(
        "recce_meta_tasks", "Reports, checks and notifications that are not done", labels=("kind", "status")
    )
    for key, count in found.tasks.items():
        tasks.add_metric(key, count)
    yield tasks
    yield _gauge(
        "recce_meta_task_delay_seconds", "Time since the first waiting task was due", found.task_delay_seconds
    )
    workers = core.GaugeMetricFamily("recce_meta_workers", "Workers, by their heartbeat", labels=("state",))
    workers.add_metric(("live",), found.live_workers)
    workers.add_metric(("stale",), found.stale_workers)
    yield workers
    yield _gauge("recce_meta_connected_repositories", "Connections of repositories", found.connections)
    tiers = core.GaugeMetricFamily(
        "recce_meta_connection_tiers", "Connections, by the tier of their last run", labels=("tier",)
    )
    for tier in ExtractionTier:
        tiers.add_metric((tier.value,), found.tiers.get(tier.value, 0))
    yield tiers


def _gauge(name: str, text: str, value: float) -> core.Metric:
    return core.GaugeMetricFamily(name, text, value=float(value))


def address_of(text: str) -> tuple[str, int]:
    """Return host and port of an address such as `127.0.0.1:9100`. Raises UsageError for another text."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port is None or parts.path or "@" in text:
        raise UsageError(
            f"Invalid address of metrics: {quoted(text)}", hint="use HOST:PORT, such as 127.0.0.1:9100"
        )
    return host, port


@contextmanager
def listening(address: tuple[str, int], metrics: Metrics) -> Iterator[None]:
    """Answer requests for *metrics* at *address*, without a token, within the block.

    Raises ConfigurationError if the address cannot be used.
    """
    host, port = address
    try:
        server, thread = prometheus_client.start_http_server(port, host, metrics.registry)
    except (OSError, socket.gaierror) as error:
        raise ConfigurationError(
            f"Cannot listen on {host}:{port} for metrics: {error.strerror or error}",
            hint="name a free address of this machine with --metrics-address",
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
