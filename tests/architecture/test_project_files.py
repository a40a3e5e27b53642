"""Files that forges and contributors use: workflows pass actionlint, and hooks name files that exist.

`.ci/actionlint` locks a build of actionlint for Node.js with the hashes of its packages.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.support.needs import missing

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
WORKFLOWS = [".github/workflows/*.yml", "examples/ci/github/*.yml"]
UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "E403", "E404", "E503")
"""Errors of npm if packages cannot be downloaded. Other errors fail, such as a package with another hash."""

FAULTS = {
    "runs-on: ubuntu-24.04": ("runs-on: ubuntu-24.40", 'label "ubuntu-24.40" is unknown'),
    "timeout-minutes: 40": ("timeout-minute: 40", 'unexpected key "timeout-minute"'),
    "contents: read": ("content: read", 'unknown permission scope "content"'),
    "${{ github.ref }}": ("${{ github.reff }}", 'property "reff" is not defined'),
    "${{ matrix.os }} (": ("${{ matrix.system }} (", 'property "system" is not defined'),
}
"""Parts of the workflow with a faulty replacement, and the message of actionlint."""

Lint = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> Lint:
    """Return a function that checks the files of a pattern; skip the test without npm or its registry."""
    if not shutil.which("node") or not shutil.which("npm"):
        missing("Node.js")
    folder = tmp_path_factory.mktemp("actionlint")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / ".ci" / "actionlint" / name, folder / name)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    installed = _ran(["npm", "--loglevel=error", "ci", *options], folder)
    if installed.returncode:
        assert any(code in installed.stderr for code in UNREACHABLE), installed.stderr
        missing("Node.js", installed.stderr.strip().splitlines()[0])
    program = folder / "node_modules" / "@tktco" / "node-actionlint" / "bin" / "node-actionlint.js"
    return lambda pattern: _ran(["node", str(program), pattern], ROOT)


def _ran(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [shutil.which(command[0]) or command[0], *command[1:]]  # npm is a .cmd file on Windows
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "0"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False
    )


@pytest.mark.network
@pytest.mark.parametrize("pattern", WORKFLOWS)
def test_workflows_pass_actionlint(actionlint: Lint, pattern: str) -> None:
    count = len(list(ROOT.glob(pattern)))
    ran = actionlint(pattern)

    assert count and ran.returncode == 0, ran.stdout + ran.stderr
    assert f"Checking {count} workflow file(s)" in ran.stdout


@pytest.mark.network
def test_actionlint_finds_faults_in_the_workflow(actionlint: Lint, tmp_path: Path) -> None:
    text = WORKFLOW.read_text(encoding="utf-8")
    for number, (part, (fault, _)) in enumerate(FAULTS.items()):
        assert part in text
        (tmp_path / f"{number}.yml").write_text(text.replace(part, fault), encoding="utf-8")

    ran = actionlint((tmp_path / "*.yml").as_posix())

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert [message for _, message in FAULTS.values() if message not in ran.stdout] == []


def test_the_workflow_runs_the_script_and_the_core() -> None:
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    commands = {name: [step.get("run") for step in job["steps"]] for name, job in jobs.items()}

    assert commands["ci"][-1] == ".ci/run"
    assert commands["core"][-2:] == ['python -m pip install -e ".[dev]"', "python -m pytest"]


def test_actions_are_pinned_to_commits() -> None:
    used = re.findall(r"uses: (\S+)(.*)", WORKFLOW.read_text(encoding="utf-8"))

    assert used
    assert all(re.search(r"@[0-9a-f]{40}$", action) for action, _ in used)
    assert all(re.fullmatch(r" # v\d+\.\d+\.\d+", version) for _, version in used)


@pytest.mark.parametrize("kind", ["unit", "contract"])
def test_tests_lie_as_what_they_test(kind: str) -> None:
    folders = {path.name for path in (ROOT / "tests" / kind).iterdir() if any(path.rglob("test_*.py"))}
    packages = {path.name for path in (ROOT / "recce_meta").iterdir() if path.is_dir()}

    assert {name for name in folders if not name.endswith(".py")} <= {*packages, "sql", "scripts"}


def test_hooks_name_files_that_exist() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    words = [word for hook in local["hooks"] for word in shlex.split(hook["entry"])]

    assert [word for word in words if "/" in word and not (ROOT / word).exists()] == []
    assert any("/" in word for word in words)


_IMPORT = re.compile(r"^\s*from (recce_meta[\w.]*) import ([\w, ]+?)(?:\s*#.*)?$", re.MULTILINE)


def missing_imports(program: str) -> list[str]:
    """Return what *program*, or a text with programs, imports of our package and what is not there."""
    missing = []
    for module, names in _IMPORT.findall(program):
        for name in (one.partition(" as ")[0].strip() for one in names.split(",")):
            try:
                found = hasattr(import_module(module), name) or find_spec(f"{module}.{name}") is not None
            except ModuleNotFoundError:
                found = False
            if not found:
                missing.append(f"{module}:{name}")
    return missing


@pytest.mark.drivers
def test_programs_within_tests_import_what_exists() -> None:
    """Most of them run in parts, and after a move they would fail there only."""
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")}

    found = {str(path.relative_to(ROOT)): missing_imports(text) for path, text in texts.items()}

    assert {path: names for path, names in found.items() if names} == {}
    assert missing_imports("from recce_meta.models import Nothing, Project") == ["recce_meta.models:Nothing"]
    assert missing_imports("    from recce_meta.no_module import x  # late") == ["recce_meta.no_module:x"]
