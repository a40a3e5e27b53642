"""How the command ends when it is told to."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest
from sqlalchemy import make_url

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from tests.support.line import Line


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
        out, rest = child.communicate(timeout=120)
    assert "held.duckdb" in waiting
    assert (child.returncode, out, rest.strip()) == (128 + number, "", word)


@pytest.fixture
def line(postgres_url: str) -> Iterator[Line]:
    place = make_url(postgres_url)
    line = Line(place.host or "127.0.0.1", place.port or 5432, freeze_at=40_000)
    yield line
    line.close()


@pytest.mark.extensive
@pytest.mark.parametrize("presses", ["one", "several"])
def test_ctrl_c_ends_a_recording_over_a_frozen_network_and_leaves_nothing_half_visible(
    postgres_url: str, line: Line, presses: str
) -> None:
    schema = f"frozen_{uuid4().hex[:12]}"
    url = make_url(postgres_url).set(host="127.0.0.1", port=line.port).render_as_string(hide_password=False)
    command = [sys.executable, "-m", "recce_meta", "record", "--url", url, "--schema", schema]
    child = subprocess.Popen(
        [*command, "--target-path", str(demo_data.artifacts("base"))], stderr=subprocess.PIPE, text=True
    )
    assert line.frozen.wait(120)
    time.sleep(0.5)
    pressed = time.monotonic()
    child.send_signal(signal.SIGINT)
    while presses == "several" and child.poll() is None:  # two at once may arrive as one
        time.sleep(0.1)
        child.send_signal(signal.SIGINT)
    _, rest = child.communicate(timeout=120)

    assert time.monotonic() - pressed < 25, "a new connection is tried after 30 s"
    assert child.returncode == 128 + signal.SIGINT
    if presses == "one":
        assert rest.strip().startswith("Interrupted\nhint: the server did not confirm"), rest
    else:
        assert rest == "", "the second one ends the process at once"
    line.close()
    with UnifiedSqlAdapter.from_url(postgres_url) as other:
        found = f"SELECT count(*) FROM information_schema.tables WHERE table_schema = '{schema}'"
        assert other.execute(found)[1] == [(0,)], "creating the store is a part of the transaction"
