"""Worker program: it reads queries from standard input, and writes their columns to standard output.

Each message is the number of its bytes (4 bytes, the greatest first) and a value as MessagePack. Answers have
the order of the queries. The program ends at the end of its input, so it never outlives the process that
started it.
"""

from __future__ import annotations

import gc
import os
import signal
import struct
import sys
from contextlib import suppress
from math import ceil
from typing import BinaryIO

import msgspec
from msgspec import Struct

from recce_meta import sql_lineage
from recce_meta._version import __version__
from recce_meta.sql_lineage.project.jobs import AnalysisJob, Failure, Found, analyse_job
from recce_meta.sql_lineage.query import QueryColumns

LENGTH = struct.Struct(">I")
"""Number of bytes of the message after it."""
MEMORY = 2**31
"""Bytes of address space of a worker. Queries that need more are analysed by the process that started it."""
PATIENCE = 30
"""Seconds after the time limit of a query at which the system ends a worker whose parser does not return."""
_NEW_OBJECTS = 10_000
"""Number of new objects after which Python searches them for garbage."""


class WorkerTask(Struct, frozen=True, array_like=True):
    """Query for a worker."""

    query: AnalysisJob
    timeout: float | None


class WorkerResult(Struct, frozen=True, array_like=True):
    """Columns of a query, or the reason for a failure."""

    columns: QueryColumns | None = None
    failure: Failure | None = None

    @classmethod
    def of(cls, found: Found) -> WorkerResult:
        """Return *found* as a message."""
        return cls(failure=found) if isinstance(found, Failure) else cls(found)


def main() -> None:
    """Answer queries until the end of the input."""
    if sys.argv[1] != __version__:  # another version was installed while the other process ran
        sys.exit(1)
    _limit_memory()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
    # What a library prints must not get between the messages.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(BrokenPipeError):  # the process that started this one has ended
        work(sys.stdin.buffer, output)
    os._exit(0)  # without a search for garbage


def work(source: BinaryIO, output: BinaryIO) -> None:
    """Write the answers to all queries of *source* to *output*."""
    sql_lineage.analyse_query  # noqa: B018 - loads the parser while the first query is on its way
    decoder, encoder = msgspec.msgpack.Decoder(WorkerTask), msgspec.msgpack.Encoder()
    while header := source.read(LENGTH.size):
        (length,) = LENGTH.unpack(header)
        task = decoder.decode(source.read(length))
        # Compiled code reaches no Python instruction, and the process that started this one may have ended.
        signal.alarm(0 if task.timeout is None else ceil(task.timeout + PATIENCE))
        answer = encoder.encode(WorkerResult.of(analyse_job(task.query, task.timeout)))
        signal.alarm(0)
        output.write(LENGTH.pack(len(answer)) + answer)
        output.flush()


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
    with suppress(OSError, ValueError):  # macOS refuses it
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))
