"""How the command ends when it is told to."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from recce_meta import demo_data


@pytest.mark.parametrize(("number", "word"), [(signal.SIGTERM, "Terminated"), (signal.SIGINT, "Interrupted")])
def test_a_signal_ends_a_waiting_command_with_its_own_exit_code(
    tmp_path: Path, number: signal.Signals, word: str
) -> None:
    file = tmp_path / "held.duckdb"
    with duckdb.connect(str(file)):
        command = [sys.executable, "-m", "recce_meta", "record", "--url", f"duckdb:///{file}"]
        child = subprocess.Popen(
            [*command, "--target-path", str(demo_data.artifacts("base"))],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stderr is not None
        waiting = child.stderr.readline()
        child.send_signal(number)
        out, rest = child.communicate(timeout=30)
    assert "held.duckdb" in waiting
    assert (child.returncode, out, rest.strip()) == (128 + number, "", word)
