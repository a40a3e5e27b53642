"""Choice of the isolation, and reasons why a kind does not work."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from recce_meta.models.run import IsolationKind
from recce_meta.repositories.extraction.isolation import bubblewrap, docker, sandbox
from recce_meta.repositories.extraction.isolation.base import ProgramSandbox, Settings
from recce_meta.repositories.extraction.isolation.docker import Image
from recce_meta.repositories.extraction.isolation.sandbox import NoSandbox, choose
from recce_meta.repositories.processes import Completed

DOCKER, BUBBLEWRAP, PROCESS = IsolationKind
IMAGE = Image("1.10", "duckdb")
Missing = tuple[str, str] | None


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[IsolationKind, Missing]:
    """Return what is missing for each kind, and replace the trials by that."""
    found: dict[IsolationKind, Missing] = {DOCKER: ("d", "docker info"), BUBBLEWRAP: ("b", "bwrap --version")}

    async def of_docker(settings: Settings, image: Image) -> Missing:
        return found[DOCKER]

    async def of_bubblewrap(settings: Settings) -> Missing:
        return found[BUBBLEWRAP]

    monkeypatch.setattr(docker, "missing", of_docker)
    monkeypatch.setattr(bubblewrap, "missing", of_bubblewrap)
    monkeypatch.setattr(sandbox, "_WORKS", {})
    return found


def chosen(kind: IsolationKind | None = None, *, is_trusted: bool = False) -> ProgramSandbox:
    return asyncio.run(choose(kind, is_trusted=is_trusted, settings=Settings(), image=IMAGE))


def test_the_strongest_that_works_is_chosen(machine: dict[IsolationKind, Missing]) -> None:
    assert chosen(is_trusted=True).kind is PROCESS
    machine[BUBBLEWRAP] = None
    assert chosen(is_trusted=True).kind is BUBBLEWRAP
    assert chosen().kind is BUBBLEWRAP
    machine[DOCKER] = None
    assert chosen().kind is DOCKER
    assert chosen(BUBBLEWRAP).kind is BUBBLEWRAP
    assert chosen(PROCESS, is_trusted=True).kind is PROCESS


def test_what_works_is_tried_again_later(
    machine: dict[IsolationKind, Missing], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 10.0
    monkeypatch.setattr(sandbox, "time", SimpleNamespace(monotonic=lambda: now))
    machine[BUBBLEWRAP] = machine[DOCKER] = None
    assert chosen().kind is DOCKER
    machine[DOCKER] = ("the image is gone", "docker images")
    assert chosen().kind is DOCKER
    now += sandbox.REMEMBERED

    assert chosen().kind is BUBBLEWRAP


def test_without_any_the_message_says_what_is_missing(machine: dict[IsolationKind, Missing]) -> None:
    with pytest.raises(NoSandbox) as raised:
        chosen()

    assert raised.value.message == "No isolation to run dbt in (docker: d; bubblewrap: b)"
    assert raised.value.hint is not None
    assert "`docker info` or `bwrap --version`" in raised.value.hint
    assert "SILVER" in raised.value.hint


@pytest.mark.parametrize("kind", [DOCKER, BUBBLEWRAP])
def test_a_required_isolation_has_no_substitute(
    machine: dict[IsolationKind, Missing], kind: IsolationKind
) -> None:
    machine[BUBBLEWRAP if kind is DOCKER else DOCKER] = None

    with pytest.raises(NoSandbox, match=rf"\({kind.value}: "):
        chosen(kind, is_trusted=True)


def test_plain_processes_are_for_trusted_repositories(machine: dict[IsolationKind, Missing]) -> None:
    with pytest.raises(NoSandbox, match="trusted repositories only"):
        chosen(PROCESS)


def failed(errors: str) -> Completed:
    return Completed(code=1, output="", errors=errors, seconds=0, cpu_seconds=0, peak_memory=0)


@pytest.mark.parametrize(
    ("errors", "reason", "command"),
    [
        ("bwrap: execvp prlimit: No such file or directory", "prlimit is not installed", "util-linux"),
        (
            "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
            "hides parts of /proc",
            "findmnt",
        ),
        ("bwrap: setting up uid map: Permission denied\nmore", "map: Permission denied)", "unshare --user"),
        ("", "ended with 1", "unshare --user"),
    ],
)
def test_a_failure_of_bubblewrap_is_explained(
    monkeypatch: pytest.MonkeyPatch, errors: str, reason: str, command: str
) -> None:
    monkeypatch.setattr(bubblewrap, "SWITCHES", ())

    found = bubblewrap.explain(failed(errors))

    assert reason in found[0]
    assert command in found[1]


def test_a_switch_of_the_kernel_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    switch = tmp_path / "max_user_namespaces"
    switch.write_text("0\n")
    monkeypatch.setattr(bubblewrap, "SWITCHES", ((str(switch), "0", "sysctl user.max_user_namespaces"),))

    found = bubblewrap.explain(failed("bwrap: No permissions to create new namespace"))

    assert found[0].startswith("unprivileged user namespaces are off (bwrap: No permissions")
    assert found[1] == "sysctl user.max_user_namespaces"


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert asyncio.run(bubblewrap.missing(Settings())) == (
        "bubblewrap is not installed",
        "apt-get install bubblewrap",
    )
    assert asyncio.run(docker.missing(Settings(), IMAGE)) == ("docker is not installed", "docker version")


ENGINE = """#!/bin/sh
shift 4
case "$1 $2" in
  "version --format") exit {version};;
  "image inspect") exit {inspect};;
  "pull --quiet") echo "denied" >&2; exit {pull};;
esac
exit 9
"""


@pytest.mark.parametrize(
    ("version", "inspect", "pull", "image", "reason"),
    [
        (1, 0, 0, "runner", "the engine does not work (it does not answer)"),
        (0, 0, 9, "runner", None),
        (0, 1, 9, "runner", "the image runner:dbt1.10-duckdb is missing"),
        (0, 1, 0, "registry.example.com/runner", None),
        (0, 1, 1, "registry.example.com/runner", "cannot be pulled (denied)"),
    ],
)
def test_engine_and_image_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    version: int,
    inspect: int,
    pull: int,
    image: str,
    reason: str | None,
) -> None:
    program = tmp_path / "docker"
    program.write_text(ENGINE.format(version=version, inspect=inspect, pull=pull))
    program.chmod(0o755)
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/engine.sock")
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)

    found = asyncio.run(docker.missing(Settings(engine=str(program), image=image), IMAGE))

    assert (found is None) == (reason is None)
    assert reason is None or reason in found[0]  # type: ignore[index]
    assert found is None or found[1]
