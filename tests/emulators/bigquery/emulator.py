"""Start of the BigQuery emulator: our own server, and GoogleSQL in a separate environment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.emulators.install import is_installed

ROOT = Path(__file__).parents[3]
PROJECT = "recce-emulated"
DATASET = "dbt_ci"
LOCATION = "EU"


def problem() -> str | None:
    """Return the reason why it cannot run, or None."""
    if find_spec("google.cloud.bigquery") is None or find_spec("sqlalchemy_bigquery") is None:
        return "no module sqlalchemy_bigquery (pip install -e '.[bigquery]')"
    return None if is_installed("bigquery") else "GoogleSQL is not installed"


@contextmanager
def running(scratch: Path) -> Iterator[Mapping[str, object]]:
    """Run the server in the block; yield its profiles.yml output."""
    log = scratch / "bigquery_emulator.log"
    command = [sys.executable, "-m", "tests.emulators.bigquery.server", "0", PROJECT, DATASET, LOCATION]
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdout is not None
        told = process.stdout.readline().decode().split()
        if len(told) != 2:
            raise RuntimeError(log.read_text(encoding="utf-8"))
        try:
            yield {
                "type": "bigquery",
                "method": "oauth-secrets",
                "token": "a-token-of-the-emulator",
                "project": PROJECT,
                "dataset": DATASET,
                "api_endpoint": f"http://127.0.0.1:{told[1]}",
                "threads": 4,
            }
        finally:
            process.terminate()
            process.wait(timeout=60)
