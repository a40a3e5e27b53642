"""Start of the Snowflake emulator: fakesnow's server, in a separate environment."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.emulators.install import is_installed, python_of

SERVER = Path(__file__).with_name("server.py")


def problem() -> str | None:
    """Return the reason why it cannot run, or None."""
    if find_spec("snowflake") is None or find_spec("snowflake.sqlalchemy") is None:
        return "no module snowflake.sqlalchemy (pip install -e '.[snowflake]')"
    return None if is_installed("snowflake") else "fakesnow is not installed"


@contextmanager
def running(scratch: Path) -> Iterator[Mapping[str, object]]:
    """Run the server in the block; yield its profiles.yml output."""
    log = scratch / "snowflake_emulator.log"
    command = [str(python_of("snowflake")), str(SERVER)]
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdout is not None
        told = process.stdout.readline().decode().split()
        if len(told) != 2:
            raise RuntimeError(log.read_text(encoding="utf-8"))
        try:
            yield {
                "type": "snowflake",
                "account": "emulated",
                "host": "127.0.0.1",
                "port": int(told[1]),
                "protocol": "http",
                "user": "u",
                "password": "p",
                "database": "analytics",
                "schema": "public",
                "warehouse": "wh",
                "role": "developer",
                "threads": 4,
            }
        finally:
            process.terminate()
            process.wait(timeout=60)
