"""The command in a process of its own, as users run it, with no settings but those a test gives."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from recce_meta.cli.main import run

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "recce_meta" / "demo_data"
KEPT = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "LD_LIBRARY_PATH")


class Ran(NamedTuple):
    """How a command ended, and what it said where."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cli:
    """`recce-meta` in *folder*, with an environment that has no settings but those given."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def argv(self) -> list[str]:
        return [sys.executable, "-W", "error", "-m", "recce_meta"]

    @property
    def variables(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        home = self.folder / "home"
        return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), **self.environ}

    def within(self, folder: Path | str = ".", **environ: str) -> Cli:
        """The same, from another folder or with more settings."""
        return type(self)(self.folder / folder, {"HOME": self.variables["HOME"], **self.environ, **environ})

    def __call__(self, *arguments: str | Path, input: str | None = None) -> Ran:
        ran = subprocess.run(
            [*self.argv, *map(str, arguments)],
            cwd=self.folder,
            env=self.variables,
            input=(input or "").encode(),
            capture_output=True,
            check=False,
            timeout=120,
        )
        return Ran(ran.returncode, ran.stdout.decode("utf-8"), ran.stderr.decode("utf-8", "replace"))


class QuickCli(Cli):
    """The same without a process of its own, for the many cases in which nothing depends on one."""

    def __call__(self, *arguments: str | Path, input: str | None = None) -> Ran:
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(os, "environ", self.variables)
            patch.chdir(self.folder)
            code = run([str(argument) for argument in arguments])
        for stream in (out, err):
            stream.flush()
        said = [stream.buffer.getvalue().decode("utf-8") for stream in (out, err)]
        return Ran(code, *said)


@pytest.fixture
def quick_cli(tmp_path: Path) -> QuickCli:
    """The command in an empty folder, run by this process; a module that takes it names it `cli`."""
    return QuickCli(tmp_path)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The command in an empty folder."""
    return Cli(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A dbt project as a pull request leaves it: `target/` built, production's artifacts beside it."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "dbt_project.yml").write_text("name: jaffle_shop\nprofile: shop\nversion: '1.0'\n")
    shutil.copytree(DEMO / "base", folder / "target-base")
    shutil.copytree(DEMO / "current", folder / "target")
    return folder


@pytest.fixture(scope="session")
def _recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with production and the pull request in it; tests take a copy."""
    folder = tmp_path_factory.mktemp("recorded")
    for side in ("base", "current"):
        shutil.copytree(DEMO / side, folder / side)
        url = "duckdb:///store.duckdb"
        ran = Cli(folder)("record", "-e", side, "--target-path", side, "--url", url)
        assert ran.code == 0, ran.err
    return folder / "store.duckdb"


@pytest.fixture
def store(cli: Cli, _recorded: Path) -> Cli:
    """The command in a folder whose store.duckdb holds both runs, and is what it connects to."""
    shutil.copy(_recorded, cli.folder / "store.duckdb")
    return cli.within(RECCE_META_URL="duckdb:///store.duckdb")
