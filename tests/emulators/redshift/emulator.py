"""Start of the Redshift emulator: a proxy between redshift_connector and a PostgreSQL server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

POSTGRES = os.environ.get("RECCE_META_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
DATABASE = "redshift_emulator"
ROOT = Path(__file__).parents[3]


def problem() -> str | None:
    """Return the reason why it cannot run, or None."""
    missing = [name for name in ("redshift_connector", "sqlalchemy_redshift") if find_spec(name) is None]
    if missing:
        return f"no module {missing[0]} (pip install -e '.[redshift]')"
    place = urlsplit(POSTGRES)
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 5432), timeout=30).close()
    except OSError:
        return "no PostgreSQL at RECCE_META_TEST_POSTGRES_URL (127.0.0.1:5432 unless set)"
    return None


@contextmanager
def running(scratch: Path) -> Iterator[Mapping[str, object]]:
    """Run the proxy in the block; yield its profiles.yml output."""
    command = [
        sys.executable,
        "-m",
        "tests.emulators.redshift.proxy",
        "--postgres",
        POSTGRES,
        "--database",
        DATABASE,
    ]
    with (
        (scratch / "redshift_emulator.log").open("wb") as log,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        ) as process,
    ):
        assert process.stdin is not None and process.stdout is not None
        port = process.stdout.readline().decode().strip()
        if not port:
            raise RuntimeError((scratch / "redshift_emulator.log").read_text(encoding="utf-8"))
        try:
            yield {
                "type": "redshift",
                "host": "127.0.0.1",
                "port": int(port),
                "user": urlsplit(POSTGRES).username or "postgres",
                "password": "redshift",
                "dbname": DATABASE,
                "schema": "public",
                "sslmode": "disable",
                "threads": 4,
            }
        finally:
            process.stdin.close()
            process.wait(timeout=60)
