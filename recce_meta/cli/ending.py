"""End of a command that serves: in time, although a thread may wait for a server that is silent."""

from __future__ import annotations

import os
import time
from threading import Thread

from recce_meta.cli.console import print_error

STOP_SECONDS = 9.0
"""Seconds in which `serve` and `worker` end; `docker stop` kills what has not ended after ten."""


def exit_within(seconds: float, code: int, warning: str = "") -> None:
    """Exit the process with *code* after *seconds*, if it still runs then, and print *warning* before.

    The system then closes all connections, and launchers kill the programs of running jobs.
    """

    def wait() -> None:
        time.sleep(seconds)
        if warning:
            print_error(f"warning: {warning}")
        os._exit(code)

    # A daemon: it must not delay an end that comes earlier.
    Thread(target=wait, name="recce_meta exit", daemon=True).start()


def stop_in_time() -> None:
    """Let the process end in time, because a signal has asked for it."""
    exit_within(STOP_SECONDS, 0, f"A connection did not close within {STOP_SECONDS:g} s; it is abandoned")
