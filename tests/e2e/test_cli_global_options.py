"""Global options: before and after every command, on standard error and in the log file alone."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

ESCAPE = "\x1b["


@pytest.mark.parametrize(
    "arguments", [["-v", "runs"], ["runs", "-v"], ["--verbose", "runs", "--format", "csv"]]
)
def test_verbose_prints_what_is_read_before_and_after_the_command(store: Any, arguments: list[str]) -> None:
    plain, ran = store(*(word for word in arguments if word not in ("-v", "--verbose"))), store(*arguments)

    assert (ran.code, ran.out, plain.err) == (0, plain.out, "")
    assert "Connected to duckdb store.duckdb in " in ran.err
    assert "Use the store in schema recce_metadata of store, version " in ran.err
    assert "SELECT" not in ran.err
    last = ran.err.splitlines()[-1]
    assert " statements in " in last and last.endswith("exit code 0")


def test_verbose_prints_the_files_that_are_read(cli: Any, project: Path) -> None:
    ran = cli.within(project)("diff", "path:target-base", "path:target", "-v")

    assert ran.code == 0
    assert ran.err.count("manifest.json.gz (") == 2


def test_debug_prints_statements_and_tracebacks_but_no_secret(store: Any) -> None:
    ran = store("--debug", "lineage", "ordrs", "--format", "json")

    assert (ran.code, ran.out) == (2, "")
    assert "SELECT" in ran.err and "Traceback (most recent call last):" in ran.err
    assert "SelectorError: Node 'ordrs' not found\nerror: Node 'ordrs' not found\nhint: " in ran.err
    by_variable = store.within(RECCE_META_DEBUG="1")("lineage", "ordrs")
    assert by_variable.code == 2 and "Traceback" in by_variable.err

    url = "postgresql://someone:S3cretPassw0rd@127.0.0.1:1/db"
    failed = store("runs", "--url", url, "--debug", "--log-file", "log.txt")
    log = (store.folder / "log.txt").read_text(encoding="utf-8")
    assert failed.code == 3 and "Traceback" in failed.err and "Traceback" in log
    assert "S3cretPassw0rd" not in failed.err + log


@pytest.mark.extensive
def test_quiet_leaves_the_result_and_errors(store: Any) -> None:
    saved = store("schema", "orders", "--stored", "--save", "-q")
    assert saved.code == 0 and saved.err == "" and "orders" in saved.out
    warned = store("schema", "--stored", "-s", "orders", "ordrs", "-q")
    assert warned.code == 0 and warned.err == ""
    failed = store("-q", "diff", "--fail-on", "any")
    assert failed.code == 1 and failed.err.startswith("error: --fail-on ")
    assert failed.out == store("diff").out


def test_quiet_and_verbose_exclude_each_other(store: Any) -> None:
    ran = store("-q", "runs", "-v")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error: --quiet cannot be combined with --verbose\nhint: use one of them\n"
    assert store.within(RECCE_META_QUIET="1")("runs", "-v").err


def test_a_quiet_hook_still_reports_that_nothing_was_recorded(cli: Any) -> None:
    ran = cli("hook", "-q", "--url", "duckdb:///s.duckdb", "--", "true", "-v")

    assert ran.code == 0
    assert ran.err.startswith("warning: Run not recorded: ")


def test_the_log_file_has_everything_of_every_command(store: Any) -> None:
    arguments = ["--log-file", "recce.log"]
    first, second = store("runs", *arguments), store(*arguments, "diff", "--fail-on", "any")
    lines = (store.folder / "recce.log").read_text(encoding="utf-8").splitlines()

    assert (first.code, first.err, second.code) == (0, "", 1)
    assert stat.S_IMODE((store.folder / "recce.log").stat().st_mode) == 0o600
    assert sum(line.endswith("exit code 0") for line in lines) == 1
    assert sum(line.endswith("exit code 1") for line in lines) == 1
    assert any("DEBUG   recce_meta.adapter.connection: Statement done in " in line for line in lines)
    assert any(" ERROR   recce_meta.cli: error: --fail-on" in line for line in lines)
    assert all(line[:2] == "20" or line.startswith("    ") for line in lines)


def test_a_log_file_that_cannot_be_written_is_an_error_before_the_work(store: Any) -> None:
    ran = store("runs", "--log-file", "no/such/folder.log")

    assert (ran.code, ran.out) == (3, "")
    hint = "hint: create the folder no/such"
    assert ran.err == f"error: no/such/folder.log: No such file or directory\n{hint}\n"
    assert store("runs", "--log-file", ".").code == 2


@pytest.mark.parametrize(
    ("options", "environ", "colored"),
    [
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--color", "auto"], {"FORCE_COLOR": "1"}, True),
        ([], {"RECCE_META_COLOR": "always"}, True),
        (["--color", "never"], {"RECCE_META_COLOR": "always"}, False),
    ],
)
def test_color_wins_over_the_variables(
    store: Any, options: list[str], environ: dict[str, str], colored: bool
) -> None:
    ran = store.within(**environ)("runs", *options)

    assert ran.code == 0 and (ESCAPE in ran.out) is colored


def test_a_report_in_a_file_is_never_colored(store: Any) -> None:
    assert store("diff", "--color", "always", "-o", "report.txt").code == 0
    assert ESCAPE not in (store.folder / "report.txt").read_text(encoding="utf-8")


def test_options_after_two_dashes_belong_to_the_command_that_hook_runs(cli: Any) -> None:
    script = cli.folder / "show"
    script.write_text('#!/bin/sh\necho "$@" > given\n')
    os.chmod(script, 0o755)
    cli("hook", "--url", "duckdb:///s.duckdb", "--", "./show", "build", "-s", "a", "b", "-q", "--debug")

    assert (cli.folder / "given").read_text() == "build -s a b -q --debug\n"


@pytest.mark.extensive
def test_several_words_after_select_are_a_union(store: Any) -> None:
    def names(*arguments: str) -> set[str]:
        ran = store("diff", "--format", "json", *arguments)
        assert ran.code == 0, ran.err
        return {change["name"] for change in json.loads(ran.out)["changes"]}

    both = names("-s", "orders", "-s", "payment_mix")
    assert (
        names("-s", "orders", "payment_mix") == names("base", "current", "-s", "orders payment_mix") == both
    )
    assert names("-s", "orders", "payment_mix", "--exclude", "payment_mix", "customers") == {"orders"}
    assert names("-s", "orders", "payment_mix", "--", "base", "current") == both


def test_runs_after_select_are_an_error(store: Any) -> None:
    ran = store("diff", "-s", "orders", "base", "current")

    assert (ran.code, ran.out) == (2, "")
    assert "'base' after --select is a run selector" in ran.err
    assert "hint: write the runs first: recce-meta diff BASE CURRENT --select …, or after --" in ran.err
