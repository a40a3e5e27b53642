"""Command lines of containers and of bubblewrap; without an engine, those of containers are only compared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from recce_meta.errors import UnknownNameError
from recce_meta.repositories.extraction.isolation import docker
from recce_meta.repositories.extraction.isolation.base import Program, Settings
from recce_meta.repositories.extraction.isolation.docker import Docker, Image, build_command
from recce_meta.repositories.processes import ProcessLimits

SETTINGS = Settings(engine="/usr/bin/no-docker-here")
REGISTRY = Settings(engine="/usr/bin/no-docker-here", image="registry.example.com/data/runner")
PARSE = Program(
    argv=("/opt/dbt/bin/python", "-I", "/opt/dbt/bin/dbt", "parse", "--project-dir", "/srv/job/clone"),
    env={"HOME": "/srv/job/out", "APP_NAME": "a secret, perhaps"},
    writable=Path("/srv/job/out"),
    read_only=(Path("/srv/job/clone"), Path("/opt/dbt"), Path('/srv/job/a "b",c')),
    cwd=Path("/srv/job/out"),
    job="1234567890ab:feature/x:7",
    limits=ProcessLimits(seconds=899.5, memory=2**31, processes=256, niceness=10),
)
DEPS = Program(
    argv=("dbt", "deps"), env={}, writable=Path("/out"), cwd=Path("/out"), job="1:main:1", is_online=True
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fix what command lines take from the worker: its engine, its home, and random names."""
    monkeypatch.setattr(docker, "uuid4", lambda: UUID(int=1))
    monkeypatch.setattr(
        docker.os, "environ", {"HOME": "/srv/recce", "DOCKER_HOST": "unix:///run/engine.sock"}
    )


def lines(command: list[str]) -> str:
    """Return a command with an option and its value in each line."""
    text = ""
    for part in command:
        text += ("\n" if part.startswith("--") or not text else " ") + part
    return text.strip() + "\n"


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("docker_parse", lambda: Docker(SETTINGS, Image("1.10", "snowflake"), user=1000).command(PARSE)),
        ("docker_deps_as_root", lambda: Docker(REGISTRY, Image("1.8", "duckdb"), user=0).command(DEPS)),
        ("build_1.8_databricks", lambda: build_command(SETTINGS, Image("1.8", "databricks"))),
        ("build_1.12_postgres", lambda: build_command(REGISTRY, Image("1.12", "postgres"))),
        ("build_2.0_duckdb", lambda: build_command(SETTINGS, Image("2.0", "duckdb"))),
    ],
)
def test_command_lines_are_as_they_were(
    name: str, command: Callable[[], list[str]], check_golden: Callable[[Path, str], None]
) -> None:
    text = lines(command()).replace(str(docker.IMAGE_FOLDER), "IMAGE_FOLDER")

    assert "a secret, perhaps" not in text
    check_golden(Path(__file__).parent / f"{name}.txt", text)


def test_a_container_of_root_may_write_its_folder_and_read_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user of the container is another one: it owns all below the folder, and no target of a link."""
    out, victim, git = tmp_path / "job" / "out", tmp_path / "victim", tmp_path / "job" / "deps-git"
    (out / "target" / "run").mkdir(parents=True)
    (out / "tmp").mkdir()
    (out / "target" / "manifest.json").touch()
    victim.mkdir()
    (victim / "file").touch()
    (out / "link").symlink_to(victim)
    (out / "file").symlink_to(victim / "file")
    owners: dict[Path, tuple[int, int]] = {}
    monkeypatch.setattr(docker.os, "lchown", lambda path, *owner: owners.update({Path(path): owner}))
    settings = Settings(engine="/bin/true")
    program = msgspec.structs.replace(
        DEPS, writable=out, read_only=(git, victim / "file"), cwd=tmp_path, secrets={git: "token"}
    )

    asyncio.run(Docker(settings, Image("1.8", "duckdb"), user=0).run(program))

    assert owners == dict.fromkeys([git, out, *out.rglob("*")], (65534, 65534))
    assert not git.exists()


def test_unknown_versions_and_adapters_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"dbt version '1\.99'"):
        build_command(SETTINGS, Image("1.99", "duckdb"))
    with pytest.raises(UnknownNameError, match="adapter 'oracle'"):
        build_command(SETTINGS, Image("1.10", "oracle"))


def test_the_dockerfile_is_part_of_the_package() -> None:
    text = (docker.IMAGE_FOLDER / "Dockerfile").read_text(encoding="utf-8")

    assert all(f"ARG {name}" in text for name in ("PYTHON", "REQUIREMENTS", "OPTIONS"))
    assert f"uv venv {docker.FOLDER_IN_IMAGE}" in text
    assert " git " in text.replace("\n", " ")
