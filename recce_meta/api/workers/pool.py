"""Pool of this process and worker programs, which analyse queries at the same time.

The first queries are analysed here. If that takes long, the pool starts a worker (`worker.py`) for each
further processor. A query goes to a worker that has little to do; if there is none, this process analyses it.
A worker that ends is not replaced, whatever the reason: its queries are analysed here.

Workers are programs of our own, not of `multiprocessing`, which imports the user's main module again, and
refuses to run in daemons. They inherit the niceness of this process. They are in sessions of their own, so
Ctrl-C reaches only this process. They end when it closes their pipes, or ends itself.
"""

from __future__ import annotations

import logging
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from time import monotonic

import msgspec

from recce_meta._version import __version__
from recce_meta.api.workers.worker import LENGTH, WorkerResult, WorkerTask
from recce_meta.machine import machine_memory, usable_cores
from recce_meta.sql_lineage.project.jobs import (
    INTERNAL,
    AnalysisJob,
    Answer,
    Found,
    analyse_job,
)

log = logging.getLogger(__name__)

MOST_WORKERS = 7
"""More would wait for this process, which prepares their queries and stores their answers."""
MEMORY_EACH = 2**30
"""Bytes of memory of the machine for each worker; it takes a tenth for usual queries."""
FIRST_QUERIES = 100
"""Number of queries that are analysed before workers are started."""
FIRST_SECONDS = 0.3
"""Time for queries before workers are started, which takes as long."""
_WAITING = 8
"""Number of queries that a worker has received and not answered: enough until this process is back."""
_PIECE = 2**18
_PROGRAM = "import sys; sys.path[:] = sys.argv[2:]; from recce_meta.api.workers.worker import main; main()"


def worker_count() -> int:
    """Return the number of workers for this machine, or the container around this process."""
    if os.name != "posix" or not sys.executable:
        return 0  # the pipes of other systems cannot be waited for
    return min(usable_cores() - 1, MOST_WORKERS, machine_memory() // MEMORY_EACH)


def worker_command() -> list[str]:
    """Return the command of a worker, which imports from the same folders as this process."""
    return [sys.executable, "-c", _PROGRAM, __version__, *sys.path]


class PooledAnswer:
    """Columns of a query that a worker may analyse."""

    def __init__(self, pool: AnalysisPool, query: AnalysisJob, timeout: float | None) -> None:
        self._pool, self._query, self._timeout = pool, query, timeout
        self._found: Found | None = None
        self.is_ready = False

    def result(self) -> Found:
        """Return the columns of the query; analyse it here if no worker did."""
        while not self.is_ready:
            self._pool.exchange(None)
        if self._found is None:
            self._found = analyse_job(self._query, self._timeout)
        return self._found

    def set(self, found: Found | None) -> None:
        """Take the answer of the worker; None if it has ended, or if this process may have another answer."""
        self._found, self.is_ready = found, True


class AnalysisWorker:
    """A running worker, with the queries that it has not answered."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.pid = self._process.pid
        self.input, self.output = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self.input, False)
        os.set_blocking(self.output, False)
        self.waiting: deque[PooledAnswer] = deque()
        self.unsent = bytearray()
        self._received = bytearray()
        self._decoder = msgspec.msgpack.Decoder(WorkerResult)

    def send(self) -> bool:
        """Write what the pipe takes; return False if the worker has ended."""
        try:
            while self.unsent:
                del self.unsent[: os.write(self.input, self.unsent)]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            return False
        return True

    def receive(self) -> bool:
        """Read the answers in the pipe; return False if the worker has ended."""
        try:
            piece = os.read(self.output, _PIECE)
        except BlockingIOError:
            return True
        self._received += piece
        while (answer := self._next_answer()) is not None:
            failure = answer.failure
            is_lost = failure is not None and failure.reason.startswith(INTERNAL)
            self.waiting.popleft().set(None if is_lost else answer.columns or failure)
        return bool(piece)

    def _next_answer(self) -> WorkerResult | None:
        if len(self._received) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(self._received)[0]
        if len(self._received) < end:
            return None
        answer = self._decoder.decode(bytes(self._received[LENGTH.size : end]))
        del self._received[:end]
        return answer

    def end(self) -> int:
        """Kill the worker, leave its queries to this process, and return its exit code."""
        self._process.kill()
        with self._process:  # closes the pipes and waits
            pass
        while self.waiting:
            self.waiting.popleft().set(None)
        return self._process.returncode


class AnalysisPool:
    """Analysis of queries by this process and, if it takes long, by workers, which end with the `with` block.

    An instance is an `Analyst` of `analyse_project`.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        command: Sequence[str] = (),
        first_queries: int = FIRST_QUERIES,
        first_seconds: float = FIRST_SECONDS,
    ) -> None:
        """Create the pool; start *workers* (default: `worker_count`) with *command*, after *first_queries*
        that took *first_seconds*.
        """
        self._most, self._command = workers, command
        self._queries_before, self._seconds_before = first_queries, first_seconds
        self._workers: dict[int, AnalysisWorker] = {}
        self._selector: selectors.BaseSelector | None = None
        self._encode = msgspec.msgpack.Encoder().encode

    def __enter__(self) -> AnalysisPool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in list(self._workers.values()):
            self._end(worker)
        if self._selector is not None:
            self._selector.close()

    def __call__(self, query: AnalysisJob, timeout: float | None) -> Answer:
        """Start the analysis of *query*; finish it if no worker has time."""
        answer = PooledAnswer(self, query, timeout)
        if self._selector is None and self._queries_before <= 0 and self._seconds_before <= 0:
            self._start_workers()
        if self._workers:
            self.exchange(0)
        idle = min(self._workers.values(), key=lambda one: len(one.waiting), default=None)
        if idle is None or len(idle.waiting) >= _WAITING or not self._send(idle, query, timeout, answer):
            self._answer_here(answer)
        return answer

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that run."""
        return [worker.pid for worker in self._workers.values()]

    def _answer_here(self, answer: PooledAnswer) -> None:
        start = monotonic()
        answer.set(None)
        answer.result()
        self._queries_before -= 1
        self._seconds_before -= monotonic() - start

    def _start_workers(self) -> None:
        self._selector = selectors.DefaultSelector()
        for _ in range(worker_count() if self._most is None else self._most):
            try:
                worker = AnalysisWorker(self._command or worker_command())
            except OSError as error:
                log.info("no worker for the analysis of queries could be started: %s", error)
                return
            self._workers[worker.output] = worker
            self._selector.register(worker.output, selectors.EVENT_READ, worker)
        log.debug("%s workers analyse queries", len(self._workers))

    def _send(
        self, worker: AnalysisWorker, query: AnalysisJob, timeout: float | None, answer: PooledAnswer
    ) -> bool:
        """Give *query* to *worker*; return False if it cannot be written as a message."""
        try:
            message = self._encode(WorkerTask(query, timeout))
        except UnicodeEncodeError:  # lone surrogates from a damaged file
            return False
        worker.waiting.append(answer)
        worker.unsent += LENGTH.pack(len(message)) + message
        self._write(worker)
        return True

    def exchange(self, timeout: float | None) -> None:
        """Send to workers and take their answers; wait *timeout* seconds for one, without end if None."""
        assert self._selector is not None
        for key, _ in self._selector.select(timeout):
            worker: AnalysisWorker = key.data
            if worker.output not in self._workers:
                continue  # it has ended, as another of its pipes has shown
            if key.fd == worker.input:
                self._selector.unregister(worker.input)
                self._write(worker)
            elif not worker.receive():
                self._end(worker)

    def _write(self, worker: AnalysisWorker) -> None:
        assert self._selector is not None
        if not worker.send():
            self._end(worker)
        elif worker.unsent and worker.input not in self._selector.get_map():
            self._selector.register(worker.input, selectors.EVENT_WRITE, worker)

    def _end(self, worker: AnalysisWorker) -> None:
        assert self._selector is not None
        del self._workers[worker.output]
        for pipe in (worker.input, worker.output):
            if pipe in self._selector.get_map():
                self._selector.unregister(pipe)
        waiting = len(worker.waiting)
        code = worker.end()
        if waiting:
            log.info("a worker ended with code %s; its %s queries are analysed here", code, waiting)
