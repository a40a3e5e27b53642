"""The VS Code client, built by npm in a copy of its folder: nothing is written to the checkout.

Needs Node.js 20 or newer with npm, and the registry of npm for the first run. Packages stay in the temporary
folder, one folder for each state of `package-lock.json`.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.server.conftest import browser  # noqa: F401
from tests.support.needs import missing
from tests.support.once import built_once

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "editors" / "vscode"
STATIC = "recce_meta/report/html/static"
BUILT = shutil.ignore_patterns("node_modules", "out", "out-test", "LICENSE", "*.vsix")
OLDEST = 20
"""Major version of Node.js."""
UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "E403", "E404", "E503")
"""Errors of npm if packages cannot be downloaded. Others, such as a lock that does not match, fail."""


@dataclass(frozen=True)
class BuiltClient:
    """The extension in a folder of its own, built and packaged."""

    folder: Path

    @property
    def package(self) -> Path:
        """The file that users install."""
        return self.folder / "recce-meta.vsix"

    def page(self, nonce: str, source: str, files: dict[str, str], data: dict[str, object]) -> str:
        """Return the HTML of the lineage page, as the extension makes it."""
        module = (self.folder / "out-test" / "webview.mjs").as_uri()
        arguments = ", ".join(json.dumps(one) for one in (nonce, source, files, data))
        script = f"import {{ html }} from {json.dumps(module)}; process.stdout.write(html({arguments}));"
        return _ran(["node", "--input-type=module", "--eval", script], self.folder)


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> BuiltClient:
    """Return the built extension; skip without npm or its registry."""
    reason = _missing()
    packages = None if reason else _packages()
    if isinstance(packages, str) or packages is None:
        missing("Node.js", reason or str(packages))

    def build(folder: Path) -> None:
        target = folder / "editors" / "vscode"
        shutil.copytree(SOURCES, target, ignore=BUILT)
        shutil.copytree(ROOT / STATIC, folder / STATIC)
        shutil.copy(ROOT / "LICENSE", folder / "LICENSE")
        (target / "node_modules").symlink_to(packages, target_is_directory=True)
        _ran(["npm", "run", "package"], target)
        _ran(["npm", "run", "build", "--", "--tests"], target)

    return BuiltClient(built_once(tmp_path_factory, "editor-client", build) / "editors" / "vscode")


def _missing() -> str | None:
    """Return what this machine lacks."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "no Node.js with npm on this machine"
    version = _ran(["node", "--version"], ROOT).strip()
    return None if int(version[1:].split(".")[0]) >= OLDEST else f"Node.js {OLDEST} is needed, not {version}"


def _packages() -> Path | str:
    """Return the folder of the locked packages, installed by the first process; else why it is missing."""
    lock = (SOURCES / "package-lock.json").read_bytes()
    digest = hashlib.sha256(lock).hexdigest()[:16]
    home = Path(tempfile.gettempdir()) / f"recce-meta-editor-client-{getpass.getuser()}-{digest}"
    home.mkdir(mode=0o700, exist_ok=True)
    assert home.stat().st_uid == os.getuid(), f"{home} belongs to another user"
    with (home / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if (home / "complete").exists():
            return home / "node_modules"
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, home / name)
        ran = _npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], home)
        if ran.returncode:
            assert any(code in ran.stderr for code in UNREACHABLE), ran.stderr
            return f"no packages of npm: {ran.stderr.strip().splitlines()[0]}"
        (home / "complete").touch()
    return home / "node_modules"


def _npm(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["npm", "--loglevel=error", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def _ran(command: list[str], folder: Path) -> str:
    """Return what *command* prints; fail with all its output if it fails."""
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
