"""dbt parses hostile projects in bubblewrap: nothing leaks, nothing is written, and each parse ends."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from msgspec import Struct, structs

from recce_meta.repositories.extraction.dbt.commands import (
    DbtCommand,
    InstalledDbt,
    PackageAccess,
    deps_command,
    parse_command,
)
from recce_meta.repositories.extraction.dbt.outcome import DbtFailed, check_completed, take_manifest
from recce_meta.repositories.extraction.dbt.profile import write_profile
from recce_meta.repositories.extraction.dbt.project import read_dbt_project
from recce_meta.repositories.extraction.isolation.base import Program
from recce_meta.repositories.extraction.isolation.bubblewrap import Bubblewrap
from recce_meta.repositories.options.values import ProfileTarget
from recce_meta.repositories.processes import Completed, ProcessLimits
from recce_meta.repositories.state.types import DbtFailure
from tests.contract.repositories.programs import running_with
from tests.support.dbt_environments import dbt_environment

pytestmark = pytest.mark.network

CANARY = "canary-7d20"
ENDLESS = "{{% for i in range(99999) %}}{{% for j in range(99999) %}}{}{{% endfor %}}{{% endfor %}}"
PYTHON = "import pathlib\npathlib.Path({path!r}).touch()\ndef model(dbt, session):\n    return 1\n"


class Hostile(Struct, frozen=True):
    """A hostile repository, with a victim outside it."""

    dbt: InstalledDbt
    sandbox: Bubblewrap
    folder: Path

    @property
    def clone(self) -> Path:
        """Folder of the repository."""
        return self.folder / "clone"

    @property
    def victim(self) -> Path:
        """Folder with a secret that the project wants to read and to remove."""
        return self.folder / "victim"

    def command(self, files: dict[str, str], limits: ProcessLimits) -> DbtCommand:
        """Write *files* into the repository, and return the command that parses it."""
        settings = {"name": "shop", "version": "1.0", "config-version": 2, "profile": "shop"}
        files = {"dbt_project.yml": yaml.safe_dump(settings), **files}
        self.victim.mkdir(parents=True)
        (self.victim / "state").write_text(CANARY)
        for name, text in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        project = read_dbt_project(self.clone, clone=self.clone)
        profile = write_profile(self.folder / "profile", "shop", "duckdb", ProfileTarget())
        out = self.folder / "out"
        return parse_command(self.dbt, project, self.clone, profile, out, variables={}, limits=limits)

    async def run(self, command: DbtCommand, on_line: Callable[[str], None] | None = None) -> Completed:
        """Run *command* in the sandbox."""
        program = Program(
            argv=command.argv,
            env=command.env,
            writable=command.writable,
            read_only=command.read_only,
            cwd=command.cwd,
            job="hostile:main:1",
            is_online=command.is_online,
            limits=command.limits,
        )
        return await self.sandbox.run(program, on_line=on_line)

    def digest(self) -> str:
        """Return a digest of repository and victim."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        watched = [path for path in files if not path.is_relative_to(self.folder / "out")]
        text = [f"{path} {path.read_bytes()!r}" for path in watched]
        return hashlib.sha256("\n".join(text).encode()).hexdigest()


@pytest.fixture(scope="module")
def dbt(bubblewrap: Bubblewrap) -> InstalledDbt:
    """Return an installed dbt."""
    return dbt_environment("1.11", "duckdb").dbt


@pytest.fixture
def hostile(dbt: InstalledDbt, bubblewrap: Bubblewrap, tmp_path: Path) -> Hostile:
    """Return a repository without files."""
    return Hostile(dbt, bubblewrap, tmp_path)


def attacks(victim: Path, clone: Path) -> dict[str, str]:
    """Return files that try to read the victim and the environment, and to write."""
    evil = str(victim / "evil")
    plugin = {"module": "evil", "alias": "evil"}
    output = {"type": "duckdb", "path": evil, "plugins": [plugin]}
    return {
        "models/environment.sql": "{{ log('found ' ~ env_var('APP_TOKEN', 'nothing'), true) }} select 1 as a",
        "models/reads.sql": "{% if execute %}"
        f"{{{{ log(run_query(\"select * from read_text('{victim}/state')\").columns[1].values(), true) }}}}"
        "{% endif %} select 1 as a",
        "models/writes.sql": f"{{% if execute %}}{{% do run_query(\"copy (select 1) to '{evil}'\") %}}"
        "{% endif %} select 1 as a",
        "models/classes.sql": "{% if ''.__class__ is defined %}{{ log('escaped', true) }}{% endif %}",
        "models/python.py": PYTHON.format(path=evil),
        "macros/hooks.sql": f"{{% macro hook() %}}{{% do run_query(\"copy (select 1) to '{evil}'\") %}}"
        "{% endmacro %}",
        "evil.py": PYTHON.format(path=evil),
        "sitecustomize.py": PYTHON.format(path=evil),
        "dbt/__init__.py": PYTHON.format(path=evil),
        "profiles.yml": yaml.safe_dump({"shop": {"target": "dev", "outputs": {"dev": output}}}),
        ".env": f"PYTHONPATH={clone}\nDBT_TARGET_PATH={victim}\n",
        "dbt_project.yml": yaml.safe_dump(
            {
                "name": "shop", "version": "1.0", "config-version": 2, "profile": "shop",
                "on-run-start": "{{ hook() }}", "on-run-end": "{{ hook() }}",
                "log-path": str(victim), "target-path": str(victim), "clean-targets": [str(victim)],
            }
        ),
    }  # fmt: skip


def test_a_parse_leaks_and_writes_nothing(hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_TOKEN", CANARY)
    command = hostile.command(attacks(hostile.victim, hostile.clone), ProcessLimits(seconds=300))
    before = hostile.digest()

    completed = asyncio.run(hostile.run(command))

    check_completed(completed, command)
    taken = take_manifest(command, hostile.folder / "out" / "taken")
    nodes = json.loads(taken.path.read_bytes())["nodes"]
    assert {node["name"] for node in nodes.values()} >= {"environment", "reads", "writes", "classes"}
    assert "found nothing" in completed.output
    assert "escaped" not in completed.output
    assert hostile.digest() == before
    written = [path.read_bytes() for path in (hostile.folder / "out").rglob("*") if path.is_file()]
    assert not any(CANARY.encode() in content for content in [*written, completed.output.encode()])


def test_an_endless_parse_with_endless_logs_is_stopped(hostile: Hostile) -> None:
    loop = ENDLESS.format("{{ log('x' * 10000, true) }}")
    command = hostile.command({"models/a.sql": loop}, ProcessLimits(seconds=300, output=2**15))

    completed = asyncio.run(hostile.run(command))

    assert completed.is_verbose
    with pytest.raises(DbtFailed) as raised:
        check_completed(completed, command)
    assert raised.value.failure is DbtFailure.OUTPUT
    assert running_with(hostile.folder) == []


def test_an_endless_parse_ends_when_it_is_cancelled(hostile: Hostile) -> None:
    loop = "{{ log('looping', true) }}" + ENDLESS.format("")
    command = hostile.command({"models/a.sql": loop}, ProcessLimits(seconds=300))

    async def cancel() -> None:
        is_looping = asyncio.Event()
        task = asyncio.ensure_future(
            hostile.run(command, lambda line: is_looping.set() if "looping" in line else None)
        )
        await asyncio.wait([task, asyncio.ensure_future(is_looping.wait())], return_when="FIRST_COMPLETED")
        assert not task.done(), task.result()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())

    assert running_with(hostile.folder) == []


def test_packages_are_installed_nowhere_else(hostile: Hostile) -> None:
    command = hostile.command({}, ProcessLimits(seconds=300))
    project = command.writable / "deps" / "project"
    (project / "other").mkdir(parents=True)
    settings = {"name": "shop", "version": "1.0", "config-version": 2, "profile": "shop"}
    installed = {**settings, "packages-install-path": str(hostile.victim)}
    (project / "dbt_project.yml").write_text(yaml.safe_dump(installed))
    (project / "other" / "dbt_project.yml").write_text(yaml.safe_dump({**settings, "name": "other"}))
    (project / "packages.yml").write_text("packages: [{local: other}]\n")
    profile = write_profile(hostile.folder / "profile", "shop", "duckdb", ProfileTarget())
    access = PackageAccess(git_config=hostile.folder / "git")
    access.git_config.touch()
    deps = deps_command(hostile.dbt, project, profile, command.writable, variables={}, access=access)
    before = hostile.digest()

    asyncio.run(hostile.run(structs.replace(deps, is_online=False)))

    assert hostile.digest() == before
