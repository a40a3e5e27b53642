"""Start of the Databricks emulator: a server in front of Spark, in a separate environment, on Java 17."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from tests.emulators.install import is_installed, python_of

SERVER = Path(__file__).with_name("server.py")
TOKEN = "emulated-token"
READER_TOKEN = "emulated-reader"
"""Token of a user without the privilege to create schemas."""
BUSY_TOKEN = "emulated-busy"
"""Token that always gets HTTP 503."""


def problem() -> str | None:
    """Return the reason why it cannot run, or None."""
    if find_spec("databricks") is None or find_spec("databricks.sqlalchemy") is None:
        return "no module databricks.sqlalchemy (pip install -e '.[databricks]')"
    if which("java") is None:
        return "no Java (17 or newer)"
    return None if is_installed("databricks") else "Spark is not installed"


@contextmanager
def running(scratch: Path) -> Iterator[Mapping[str, object]]:
    """Run the server in the block; yield its profiles.yml output."""
    log = scratch / "databricks_emulator.log"
    command = [str(python_of("databricks")), str(SERVER), "--warehouse", str(scratch / "spark")]
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        told = process.stdout.readline().decode().split()
        if len(told) != 2:
            raise RuntimeError(log.read_text(encoding="utf-8"))
        try:
            yield output(int(told[1]))
        finally:
            process.stdin.close()  # which stops it
            process.wait(timeout=60)


def output(port: int, token: str = TOKEN) -> Mapping[str, object]:
    """Return the fields of a profiles.yml output for the server at *port*."""
    path = "/sql/1.0/warehouses/emulated"
    return {
        "type": "databricks",
        "host": "localhost",
        "http_path": path,
        "token": token,
        "catalog": "spark_catalog",
        "schema": "default",
        "threads": 4,
        "connection_parameters": {
            "_connection_uri": f"http://localhost:{port}{path}",
            "_retry_stop_after_attempts_count": 1,
        },
    }
