"""Streams, colours, widths, encodings, interruptions: how the command behaves beside other programs."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from recce_meta.cli import options

pytestmark = pytest.mark.extensive

posix_only = pytest.mark.skipif(os.name == "nt", reason="shells, signals and terminals as POSIX has them")

ESCAPE = "\x1b["
LOCKER = """
import duckdb, sys
connection = duckdb.connect("store.duckdb")
print("locked", flush=True)
sys.stdin.readline()
"""


def sides(project: Path) -> list[str]:
    return [f"path:{project / name}" for name in ("target-base", "target")]


@pytest.fixture
def locked(store: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the store's file until it reads a line."""
    holder = subprocess.Popen(
        [sys.executable, "-c", LOCKER],
        cwd=store.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None and holder.stdout.readline() == "locked\n"
    yield holder
    holder.kill()
    holder.communicate()


def on_terminal(cli: Any, arguments: Sequence[str], *, until: str | None = None) -> tuple[int, str]:
    """Exit code and everything shown by a command on a terminal; Ctrl-C once *until* is shown."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [*cli.argv, *arguments],
        cwd=cli.folder,
        env={**cli.variables, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, deadline = b"", time.monotonic() + 120
    try:
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 0.1)[0]:
                continue
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so when the last program has left the terminal
                break
            if not piece:
                break
            shown += piece
            if until is not None and until in shown.decode("utf-8", "replace"):
                process.send_signal(signal.SIGINT)
                until = None
        return process.wait(60), shown.decode("utf-8")
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_data_goes_to_stdout_and_talk_to_stderr(store: Any) -> None:
    fine, failing = store("diff", "--format", "json"), store("diff", "--format", "json", "--fail-on", "any")

    assert fine.err == ""
    assert json.loads(failing.out) == json.loads(fine.out)
    assert failing.err.startswith("error: --fail-on ")


@pytest.mark.parametrize("command", [["runs"], ["show"], ["diff"], ["lineage", "orders"], ["doctor"]])
def test_nothing_is_coloured_in_a_pipe(store: Any, command: list[str]) -> None:
    ran = store(*command)

    assert ran.code == 0
    assert ESCAPE not in ran.out + ran.err


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
    ],
)
def test_colours_follow_the_usual_variables(
    cli: Any, project: Path, environ: dict[str, str], coloured: bool
) -> None:
    ran = cli.within(**environ)("diff", *sides(project))

    assert (ESCAPE in ran.out) is coloured
    assert "4 modified" in re.sub(r"\x1b\[\d*m", "", ran.out)


@posix_only
@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_told_otherwise(
    store: Any, environ: dict[str, str], coloured: bool
) -> None:
    code, shown = on_terminal(store.within(**environ), ["diff"])

    assert code == 0
    assert ("\x1b[36m" in shown) is coloured


@pytest.mark.parametrize("columns", ["50", "80", "200"])
def test_lines_keep_within_the_width_that_is_asked_for(store: Any, columns: str) -> None:
    ran = store.within(COLUMNS=columns)("diff")

    assert max(map(len, ran.out.splitlines())) <= int(columns)


@pytest.mark.parametrize("columns", ["", "0", "1", "wide"])
def test_a_senseless_width_is_no_reason_to_fail(store: Any, columns: str) -> None:
    ran = store.within(COLUMNS=columns)("diff")

    assert ran.code == 0
    assert "customers" in ran.out


@pytest.mark.parametrize(
    "environ",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "cp1252"},
    ],
)
def test_output_is_utf_8_whatever_the_locale(cli: Any, project: Path, environ: dict[str, str]) -> None:
    strange = cli.folder / "prüf-été"
    shutil.copytree(project / "target", strange)

    diff = cli.within(**environ)("diff", *sides(project))
    failing = cli.within(**environ)("diff", f"path:{strange}", "path:⟦nowhere⟧")

    assert diff.code == 0 and "4 modified · 6 added (5 tests) · 1 removed" in diff.out
    assert failing.code == 3 and "nowhere" in failing.err and "Traceback" not in failing.err


@posix_only
@pytest.mark.parametrize(
    "command",
    [
        "sql cookbook --dialect duckdb | head -n 1",
        "sql cookbook --dialect duckdb | true",
        "--help | head -n 1",
        "init --sql --url duckdb:// | true",
    ],
)
def test_a_reader_that_leaves_early_is_no_error(cli: Any, command: str) -> None:
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{shlex.join(cli.argv)} {command}"],
        cwd=cli.folder,
        env=cli.variables,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (0, "")


@posix_only
@pytest.mark.parametrize(
    ("redirection", "code", "said"), [(">&-", 0, ""), (">/dev/full", 3, "No space left")]
)
def test_an_output_that_takes_nothing_is_told_plainly(
    cli: Any, project: Path, redirection: str, code: int, said: str
) -> None:
    if "/dev/full" in redirection and not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    ran = subprocess.run(
        ["bash", "-c", f"{shlex.join([*cli.argv, 'diff', *sides(project)])} {redirection}"],
        cwd=cli.folder,
        env=cli.variables,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == code, ran.stderr
    assert said in ran.stderr and "bug" not in ran.stderr and "Traceback" not in ran.stderr


def test_a_locked_file_is_waited_for_and_then_told(store: Any, locked: subprocess.Popen[str]) -> None:
    ran = store("runs", "--lock-timeout", "4")

    assert (ran.code, ran.out) == (3, "")
    first, rest = ran.err.split("\n", 1)
    assert first.startswith("Waiting up to 4 s: ")
    assert rest.startswith("error: ") and "lock" in rest
    assert rest.rstrip().endswith("hint: end the other program, or wait longer with --lock-timeout SECONDS")


def test_a_lock_that_is_released_in_time_does_no_harm(store: Any, locked: subprocess.Popen[str]) -> None:
    waiting = subprocess.Popen(
        [*store.argv, "runs"],
        cwd=store.folder,
        env=store.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None and waiting.stderr.readline().startswith("Waiting up to 60 s: ")
    locked.communicate("release\n")
    out, err = waiting.communicate(timeout=120)

    assert (waiting.returncode, err) == (0, "")
    assert "0829a5f9" in out


@posix_only
def test_ctrl_c_ends_with_130_and_one_word(store: Any, locked: subprocess.Popen[str]) -> None:
    code, shown = on_terminal(store, ["runs"], until="Waiting up to")

    assert code == 130
    assert "Interrupted" in shown and "Traceback" not in shown


@posix_only
def test_work_over_a_second_shows_a_sign_of_life_and_takes_it_back(
    store: Any, locked: subprocess.Popen[str]
) -> None:
    code, shown = on_terminal(store, ["diff", "--lock-timeout", "2.5"])

    assert code == 3
    assert "⠋ comparing" in shown
    assert shown.rindex("\r\x1b[K") > shown.rindex(" comparing")
    assert "error: " in shown[shown.rindex("\r\x1b[K") :]


def test_quick_work_shows_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(options, "shows_progress", lambda: True)
    monkeypatch.setattr(options, "AFTER", 600.0)
    with options.progress("comparing"):
        pass

    assert capsys.readouterr().err == ""


def test_no_sign_of_life_is_drawn_outside_a_terminal(store: Any, locked: subprocess.Popen[str]) -> None:
    ran = store("diff", "--lock-timeout", "2.5")

    assert "comparing" not in ran.out + ran.err
    assert "\r" not in ran.err


def test_the_demo_tells_the_whole_story_and_again(cli: Any) -> None:
    first, second = cli("demo"), cli("demo")

    assert (first.code, first.err) == (second.code, second.err) == (0, "")
    assert first.out == second.out
    assert "4 modified · 6 added (5 tests) · 1 removed" in first.out
    assert "900 rows on both sides: 824 equal, 76 changed" in first.out
    assert [path.name for path in cli.folder.iterdir()] == ["recce-meta-demo"]


@pytest.mark.parametrize("style", ["json", "markdown"])
def test_the_demo_speaks_every_format(cli: Any, style: str) -> None:
    ran = cli("demo", "--format", style)

    assert ran.code == 0
    assert json.loads(ran.out)["changes"] if style == "json" else "mermaid" in ran.out


@posix_only
def test_what_the_demo_says_to_try_works_as_it_stands(cli: Any) -> None:
    told = cli("demo", "--dir", 'it\'s a "demo" $HOME; é 100%')
    commands = [line.strip() for line in told.out.splitlines() if line.startswith("  recce-meta ")]

    assert told.code == 0 and len(commands) == 4
    # test_cli_serve.py runs serve, which does not end by itself.
    (review,) = [line.partition(": ")[2] for line in told.out.splitlines() if line.startswith("Review: ")]
    options = ["--allow-queries", "--allow-writes", "--open", "/s/default/pr/42"]
    assert shlex.split(review) == ["recce-meta", "serve", *shlex.split(commands[-1])[-2:], *options]
    for command in commands:
        ran = cli(*shlex.split(command)[1:])
        assert (ran.code, ran.err) == (0, ""), command
        assert ran.out
