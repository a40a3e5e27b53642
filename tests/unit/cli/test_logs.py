"""The log of a command: masked messages, tracebacks without messages of drivers, totals."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest

from recce_meta.cli.console import console, is_colored, new_console, say, warn
from recce_meta.cli.logs import Log, traceback_text
from recce_meta.errors import UsageError, WarehouseError
from recce_meta.redaction import hide_secrets

LOGGER = logging.getLogger("recce_meta.adapter.connection")


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "run.log"


def test_a_log_file_is_private_appended_to_and_masked(log_file: Path) -> None:
    for _ in range(2):
        with hide_secrets(["postgresql://u:S3cret@h/db"]):
            log = Log()
            log.append_to(log_file)
            LOGGER.debug("SELECT 'S3cret'\nFROM \x1b[31mt password=hunter2")
            log.close(0)
    text = log_file.read_text(encoding="utf-8")

    assert stat.S_IMODE(log_file.stat().st_mode) == 0o600
    assert text.count("SELECT '***'\n    FROM \\x1b[31mt password=***\n") == 2
    assert "S3cret" not in text and "hunter2" not in text
    assert text.count("exit code 0\n") == 2


def test_an_existing_log_file_keeps_its_mode(log_file: Path) -> None:
    log_file.touch()
    log_file.chmod(0o644)
    log = Log()
    log.append_to(log_file)
    log.append_to(log_file)
    LOGGER.debug("once")
    log.close(3)

    assert stat.S_IMODE(log_file.stat().st_mode) == 0o644
    assert log_file.read_text(encoding="utf-8").count("once") == 1


def test_closing_the_log_leaves_no_handler(log_file: Path) -> None:
    root = logging.getLogger("recce_meta")
    before = (root.level, [*root.handlers])
    log = Log()
    log.append_to(log_file)
    log.close(0)

    assert (root.level, root.handlers) == before


def test_statements_are_counted_and_printed_only_when_debugging(capsys: pytest.CaptureFixture[str]) -> None:
    for is_debug in (False, True):
        log = Log()
        log.print_at(is_debug=is_debug)
        LOGGER.debug("SELECT 1", extra={"statement_seconds": 0.25})
        LOGGER.info("Connected")
        log.close(0)
        shown = capsys.readouterr().err
        assert ("SELECT 1" in shown) is is_debug
        assert "Connected" in shown and "1 statement in 0.25 s" in shown


def test_a_traceback_names_causes_without_their_messages() -> None:
    message = "line 3: password is hunter" + "2"
    try:
        try:
            raise ValueError(message)
        except ValueError as error:
            raise WarehouseError("Cannot connect", sql=None) from error
    except WarehouseError as error:
        text = traceback_text(error)

    assert text.count("Traceback (most recent call last):") == 2
    assert "hunter2" not in text
    assert text.index("\nValueError\n") < text.index("\nWarehouseError: Cannot connect")


def test_quiet_keeps_errors_and_the_log(capsys: pytest.CaptureFixture[str], log_file: Path) -> None:
    with new_console() as made:
        made.set_flag("quiet", is_given=True)
        made.log_to(log_file)
        say("Saved 1 result")
        warn("old data")
        made.fail(UsageError("wrong"), "error: wrong")
        made.close(2)

    assert capsys.readouterr().err == "error: wrong\n"
    logged = log_file.read_text(encoding="utf-8")
    assert all(
        text in logged for text in ("Saved 1 result", "warning: old data", "error: wrong", "UsageError")
    )


def test_an_option_wins_over_the_environment() -> None:
    with new_console() as made:
        made.set_flag("quiet", is_given=False)
        made.set_flag("verbose", is_given=True)
        assert made.has_details and not made.is_quiet
        made.set_flag("quiet", is_given=False)
        assert not made.is_quiet
        with pytest.raises(UsageError, match="--quiet cannot be combined with --verbose"):
            made.set_flag("quiet", is_given=True)
        made.close(0)


@pytest.mark.parametrize(
    ("choice", "environ", "is_terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_color_is_chosen_by_option_then_variables_then_terminal(
    monkeypatch: pytest.MonkeyPatch, choice: str, environ: dict[str, str], is_terminal: bool, expected: bool
) -> None:
    monkeypatch.setattr(os, "environ", environ)
    with new_console() as made:
        made.color = choice
        assert is_colored(is_terminal=is_terminal) is expected
    assert console() is not made
