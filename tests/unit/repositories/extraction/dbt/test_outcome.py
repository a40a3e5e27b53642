"""Outcome of commands of dbt: classified failures, and manifests that are accepted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from recce_meta.repositories.extraction.dbt.commands import DbtCommand
from recce_meta.repositories.extraction.dbt.outcome import (
    DbtFailed,
    check_completed,
    take_manifest,
)
from recce_meta.repositories.processes import Completed, ProcessLimits
from recce_meta.repositories.state.types import DbtFailure

DONE = Completed(code=0, output="", errors="", seconds=1, cpu_seconds=1, peak_memory=1)


def command(folder: Path, *, is_online: bool = False) -> DbtCommand:
    return DbtCommand(
        argv=("dbt",),
        env={},
        cwd=folder,
        read_only=(),
        writable=folder,
        target=folder / "target",
        is_online=is_online,
        limits=ProcessLimits(),
    )


START = "04:22:59  Running with dbt=1.11.16\n04:23:00  Registered adapter: duckdb=1.11.1\n"
CORE = f"{START}04:23:01  Encountered an error:\n"
RUST = "dbt-fusion 2.0.0-preview.196\n   Loading profiles.yml\n\n=== Errors and Warnings ===\n"
SUMMARY = "\n\n==================== Execution Summary ====\nFinished 'parse' with 1 error"
FAILURES: list[tuple[str, DbtFailure, str, str | None]] = [
    (
        f"{CORE}Parsing Error\n  Env var required but not provided: 'FOO_X'\n",
        DbtFailure.VARIABLE,
        "The project needs the environment variable 'FOO_X'",
        "set FOO_X in the variables of the connection",
    ),
    (
        f"{RUST}[error] [JinjaError (dbt1501)]: Failed to render SQL invalid operation: 'env_var': "
        f"environment variable 'FOO_X' not found\n(in models/a.sql:1:8)\n  --> models/a.sql:1:8{SUMMARY}",
        DbtFailure.VARIABLE,
        "The project needs the environment variable 'FOO_X'",
        "set FOO_X in the variables of the connection",
    ),
    (
        f"{CORE}Compilation Error in model a (models/a.sql)\n"
        "  Expected an expression, got 'end of statement block'\n    line 1\n      select 1 {% if %}\n",
        DbtFailure.COMPILATION,
        "dbt parse failed: Compilation Error in model a (models/a.sql) Expected an expression, got 'end of "
        "statement block' line 1 select 1 {% if %}",
        "see models/a.sql",
    ),
    (
        f"{RUST}[error] [DependencyNotFound (dbt1048)]: Ref 'nope' not found in project.\n"
        f"  --> models/a.sql:1:15{SUMMARY}",
        DbtFailure.COMPILATION,
        "dbt parse failed: [error] [DependencyNotFound (dbt1048)]: Ref 'nope' not found in project. "
        "--> models/a.sql:1:15",
        "see models/a.sql:1",
    ),
    (
        f"{CORE}Runtime Error\n  This version of dbt is not supported with the 'fp' package.\n"
        "    Installed version of dbt: =1.8.10\n    Required version of dbt for 'fp': ['<1.1.0']\n",
        DbtFailure.VERSION,
        "dbt parse failed: Runtime Error This version of dbt is not supported with the 'fp' package. "
        "Installed version of dbt: =1.8.10 Required version of dbt for 'fp': ['<1.1.0']",
        "set the dbt version of the connection to one that project and packages accept",
    ),
    (
        f"{CORE}Compilation Error\n  dbt found 1 package(s) specified in "
        "packages.yml, but only 0 package(s) installed in dbt_packages.\n",
        DbtFailure.PACKAGE,
        "dbt parse failed: Compilation Error dbt found 1 package(s) specified in packages.yml, but only 0 "
        "package(s) installed in dbt_packages.",
        "check the packages of the project, and whether they need a token",
    ),
    (
        f"{CORE}External connection exception occurred: HTTPSConnectionPool("
        "host='hub.getdbt.com', port=443): Max retries exceeded\n"
        "04:23:36  Traceback (most recent call last):\n  File x\n",
        DbtFailure.HUB,
        "dbt parse failed: External connection exception occurred: HTTPSConnectionPool("
        "host='hub.getdbt.com', port=443): Max retries exceeded",
        "the job is repeated later; commit dbt_packages to need no network",
    ),
    (
        f"{CORE}fatal: unable to access 'https://h/o/r/': The requested URL returned error: 301\n",
        DbtFailure.PACKAGE,
        "dbt parse failed: fatal: unable to access 'https://h/o/r/'",
        "redirects are not followed: name the address that the server has now, with .git at its end",
    ),
    (
        f"{CORE}Database Error\n  250001: Could not connect to Snowflake\n",
        DbtFailure.CONNECTION,
        "dbt parse failed: Database Error 250001: Could not connect to Snowflake",
        "the adapter connects while it parses: set another dbt version for the connection",
    ),
    (
        f'{CORE}Runtime Error\n  Credentials in profile "x", target "dev" '
        "invalid: 'schema' is a required property\n",
        DbtFailure.PROFILE,
        "dbt parse failed: Runtime Error Credentials in profile \"x\", target \"dev\" invalid: 'schema' is a "
        "required property",
        "check adapter, target, schema and database of the connection",
    ),
    (
        "Traceback (most recent call last):\n  File x\nModuleNotFoundError: No module named 'dbt'\n",
        DbtFailure.ENVIRONMENT,
        "dbt does not start: ",
        "the environment is built again for the next job",
    ),
    (
        "Usage: dbt parse [OPTIONS]\nTry 'dbt parse --help' for help.\n\n"
        "Error: Invalid value for '--project-dir': Path '/srv/recce/checkout' does not exist.\n",
        DbtFailure.CHECKOUT,
        "dbt parse failed: Usage: dbt parse [OPTIONS] Try 'dbt parse --help' for help. Error: Invalid value "
        "for '--project-dir': Path '/srv/recce/checkout' does not exist.",
        "build the image again (recce-meta runner build), or choose a folder that every user can enter with "
        "--work-dir, such as /var/lib/recce-meta",
    ),
    (
        f"{CORE}Usage: dbt parse [OPTIONS]\nTry 'dbt parse --help' for help.\n\n"
        "Error: Invalid value for '--project-dir': Path '/x' does not exist.\n",
        DbtFailure.OTHER,
        "dbt parse failed: ",
        None,
    ),
    (f"{START}MemoryError\n", DbtFailure.MEMORY, "dbt parse needs more memory than its limit", None),
    ("", DbtFailure.OTHER, "dbt parse failed: exit code 2", None),
]  # fmt: skip


@pytest.mark.parametrize(("output", "failure", "message", "hint"), FAILURES)
def test_failures_are_classified(
    tmp_path: Path, output: str, failure: DbtFailure, message: str, hint: str | None
) -> None:
    with pytest.raises(DbtFailed) as raised:
        check_completed(replace(DONE, code=2, output=output), command(tmp_path))
    assert raised.value.failure is failure
    assert raised.value.message.startswith(message)
    assert raised.value.hint == hint
    assert raised.value.can_retry == (failure in (DbtFailure.HUB, DbtFailure.CHECKOUT))


def test_the_file_of_a_failure_is_relative_to_the_repository(tmp_path: Path) -> None:
    ran = replace(command(tmp_path / "out"), read_only=(Path("/env"), tmp_path / "clone"))
    output = f"{RUST}[error] [SerializationError]: Invalid\n  --> ../clone/dbt_project.yml:28:19{SUMMARY}"
    with pytest.raises(DbtFailed) as raised:
        check_completed(replace(DONE, code=1, output=output), ran)
    assert raised.value.hint == "see dbt_project.yml:28"


@pytest.mark.parametrize(
    ("completed", "failure", "message"),
    [
        (replace(DONE, code=-9, is_late=True), DbtFailure.TIME, "dbt deps took more than 600 seconds"),
        (replace(DONE, code=-9, is_verbose=True), DbtFailure.OUTPUT, "dbt deps printed too much"),
        (replace(DONE, code=-9, excess="memory"), DbtFailure.MEMORY, "dbt deps needs more memory"),
        (
            replace(DONE, code=-9, excess="folder_size"),
            DbtFailure.OTHER,
            "dbt deps exceeded its limit of folder",
        ),
        (replace(DONE, code=127), DbtFailure.ENVIRONMENT, "dbt does not start: exit code 127"),
        (replace(DONE, code=-11), DbtFailure.OTHER, "dbt deps was ended by signal 11"),
    ],
)
def test_ended_processes_are_classified(
    tmp_path: Path, completed: Completed, failure: DbtFailure, message: str
) -> None:
    with pytest.raises(DbtFailed) as raised:
        check_completed(completed, command(tmp_path, is_online=True))
    assert raised.value.failure is failure
    assert raised.value.message.startswith(message)


def test_the_exit_code_counts_before_the_manifest(tmp_path: Path) -> None:
    ran = command(tmp_path)
    ran.target.mkdir()
    (ran.target / "manifest.json").write_text("{}")
    with pytest.raises(DbtFailed):
        check_completed(replace(DONE, code=1), ran)
    check_completed(DONE, ran)


def test_a_manifest_is_copied_with_its_digest(tmp_path: Path) -> None:
    ran = command(tmp_path / "out")
    ran.target.mkdir(parents=True)
    (ran.target / "manifest.json").write_text("{}")
    taken = take_manifest(ran, tmp_path / "taken")
    assert taken.path.read_text() == "{}"
    assert taken.size == 2
    assert taken.digest == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize("kind", ["missing", "link", "pipe", "folder", "large", "target"])
def test_manifests_that_are_not_accepted(tmp_path: Path, kind: str) -> None:
    ran = command(tmp_path / "out")
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "manifest.json").write_text("secret")
    ran.writable.mkdir()
    if kind == "target":
        ran.target.symlink_to(secret)
    else:
        ran.target.mkdir()
    path = ran.target / "manifest.json"
    if kind == "link":
        path.symlink_to(secret / "manifest.json")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "large":
        path.write_bytes(b"x" * 101)
    with pytest.raises(DbtFailed) as raised:
        take_manifest(ran, tmp_path / "taken", most=100)
    assert raised.value.failure is DbtFailure.MANIFEST
    assert not raised.value.can_retry
    taken = tmp_path / "taken" / "manifest.json"
    assert not taken.exists() or not taken.read_bytes()
