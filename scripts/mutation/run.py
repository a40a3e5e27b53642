"""Copies of the checkout and its environment, in which mutants run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING, ClassVar

import cosmic_ray.plugins
from cosmic_ray.mutating import use_mutation

if TYPE_CHECKING:
    from scripts.mutation.sample import Mutant

OPTIONS = (
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
    "-p",
    "scripts.mutation.plugin",
    "--hypothesis-seed=0",
)
SILENCE = 120.0
"""Seconds after which a test hangs, or ten times its usual time; tests may have their own limit."""


Known = Mapping[str, float]
"""Seconds of each test without a mutant."""


@dataclass(frozen=True)
class Suite:
    """What of the suite is run."""

    tests: list[str]
    budget: float
    """Seconds for the tests of one mutant in the core, and again in the rest."""

    @property
    def everything(self) -> list[str]:
        return ["--all", *self.tests]


@dataclass(frozen=True)
class Ended:
    """How a run of tests ended."""

    failed: str | None = None
    how: str | None = None
    is_finished: bool = True


class Copy:
    """A copy of the checkout, and of the environment that runs this, with links to its files."""

    _sound: ClassVar[dict[str, bool]] = {}
    """Whether tests that failed on a mutant pass without it."""
    _lock = Lock()
    _mutations = 0

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self.folder = folder
        self.checkout = folder / "checkout"
        self.venv = folder / "venv"
        self._scratch = folder / "tmp"
        self._log = folder / "tests.log"
        self.clean()
        if not (folder / "venv.ready").exists():
            self._copy_environment()
        shutil.rmtree(self.checkout, ignore_errors=True)
        for name in files(root):
            target = self.checkout / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target, follow_symlinks=False)

    def _copy_environment(self) -> None:
        """Link the files of the environment, and write those that have paths of the original."""
        source = Path(sys.prefix)
        if sys.prefix == sys.base_prefix:
            sys.exit("run this in a virtual environment with an editable install")
        shutil.rmtree(self.venv, ignore_errors=True)
        shutil.copytree(source, self.venv, symlinks=True, copy_function=_link)
        for path in [*self.venv.glob("bin/*"), *self.venv.glob("lib/*/site-packages/*.pth")]:
            old = b"" if path.is_symlink() or path.is_dir() else path.read_bytes()
            new = old.replace(bytes(source), bytes(self.venv))
            if path.suffix == ".pth":
                new = new.replace(bytes(self._root), bytes(self.checkout))
            if new != old:
                mode = path.stat().st_mode
                path.unlink()
                path.write_bytes(new)
                path.chmod(mode)
        (self.folder / "venv.ready").touch()

    @cached_property
    def python(self) -> str:
        return str(self.venv / "bin" / "python")

    @property
    def _environ(self) -> dict[str, str]:
        left_out = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
        kept = {name: value for name, value in os.environ.items() if name not in left_out}
        path = f"{self.venv / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return {**kept, "PATH": path, "VIRTUAL_ENV": str(self.venv), "TMPDIR": str(self._scratch)}

    def start(self, *command: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        """Start a process of the environment's Python in the copy."""
        self._scratch.mkdir(exist_ok=True)
        with (log or self.folder / "output.log").open("wb") as output:
            return subprocess.Popen(
                [self.python, *command],
                cwd=self.checkout,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def pytest(self, *arguments: str) -> int:
        """Run pytest and wait for it."""
        try:
            return self.start("-m", "pytest", *OPTIONS, *arguments).wait()
        finally:
            self.clean()

    @contextmanager
    def mutant(self, mutant: Mutant) -> Iterator[None]:
        """Apply a mutant within the block.

        Bytecode is valid for a size and a second of modification, so each mutant gets a time of its own.
        """
        path = self.checkout / mutant.file
        self._original = path.read_bytes()
        with use_mutation(path, cosmic_ray.plugins.get_operator(mutant.operator)(), mutant.occurrence):
            with self._lock:
                Copy._mutations += 1
                time = 1_000_000_000 + 10 * Copy._mutations
            os.utime(path, (time, time))
            yield

    def judge(self, suite: Suite, stages: list[list[str]], known: Known, mutant: Mutant) -> Ended:
        """Run tests on the mutant that is applied, until one fails that passes without it."""
        deadline = monotonic() + suite.budget
        for stage in stages:
            while tests := [test for test in stage if self._sound.get(test, True)]:
                ended = self.run(suite, tests, known, deadline - monotonic())
                if (
                    ended.failed
                    and ended.failed in known
                    and not self._passes_without(suite, ended.failed, known, mutant)
                ):
                    continue
                if ended.failed or not ended.is_finished:
                    return ended
                break
        return Ended()

    def _passes_without(self, suite: Suite, test: str, known: Known, mutant: Mutant) -> bool:
        if test not in self._sound:
            path = self.checkout / mutant.file
            changed, time = path.read_bytes(), path.stat().st_mtime
            path.write_bytes(self._original)
            ended = self.run(suite, [test], known, 10 * SILENCE)
            path.write_bytes(changed)
            os.utime(path, (time, time))
            self._sound[test] = ended == Ended()
        return self._sound[test]

    def passing(self, suite: Suite, tests: list[str]) -> set[str]:
        """Return those of *tests* that pass if they run alone, without a mutant."""
        if not tests:
            return set()
        options = self._options(tests)
        self.pytest("-q", "-n0", *options, "--all", *_modules(tests))
        lines = [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]
        started, failed = ({test for event, test in lines if event == kind} for kind in ("start", "failed"))
        return started - failed

    def _options(self, tests: list[str]) -> list[str]:
        ids = self.folder / "ids.json"
        ids.write_text(json.dumps(tests))
        self._log.unlink(missing_ok=True)
        return [f"--mutation-ids={ids}", f"--mutation-log={self._log}"]

    def run(self, suite: Suite, tests: list[str], known: Known, budget: float) -> Ended:
        """Run *tests* until one fails, hangs, or the budget in seconds is spent."""
        log = self._log
        limit = max(SILENCE, *(10 * known[test] for test in tests))
        options = ["-x", "-q", "-n0", f"--timeout={limit:.0f}", *self._options(tests), "--all"]
        process = self.start("-m", "pytest", *OPTIONS, *options, *_modules(tests))
        deadline, changed, size = monotonic() + budget, monotonic(), -1
        try:
            while process.poll() is None:
                sleep(0.1)
                if log.exists() and log.stat().st_size != size:
                    changed, size = monotonic(), log.stat().st_size
                if monotonic() - changed > limit + SILENCE:
                    return Ended(_last(log)[1] or "collection", "hangs")
                if monotonic() > deadline:
                    return Ended(is_finished=False)
        finally:
            self.clean(process)
        event, test = _last(log)
        if process.returncode in (0, 5):
            return Ended()
        if event == "failed" or process.returncode < 0:
            return Ended(
                test or "collection", "fails" if event == "failed" else f"signal {-process.returncode}"
            )
        return Ended("collection", f"exit code {process.returncode}")

    def clean(self, process: subprocess.Popen[bytes] | None = None) -> None:
        """End the processes of this copy that still run, and remove their files."""
        if process and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        marks = (
            bytes(self.venv) + b"/",
            bytes(self._scratch) + b"/",
            b"TMPDIR=" + bytes(self._scratch) + b"\0",
        )
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                about = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes() + b"\0"
                if int(entry.name) != os.getpid() and any(mark in about for mark in marks):
                    os.kill(int(entry.name), signal.SIGKILL)
        shutil.rmtree(self._scratch, ignore_errors=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target)


def _modules(tests: list[str]) -> list[str]:
    return list(dict.fromkeys(test.partition("::")[0] for test in tests))


def _last(log: Path) -> tuple[str | None, str | None]:
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    failed = [event for event in map(json.loads, lines) if event[0] == "failed"]
    event, test = failed[0] if failed else json.loads(lines[-1]) if lines else (None, None)
    return event, test


def files(root: Path) -> list[str]:
    """Return the files of the checkout that git does not ignore."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted({name for name in listed if name and (root / name).is_file()})


def fingerprint(root: Path) -> str:
    """Return a hash of all Python files of the package and the tests."""
    digest = hashlib.sha256()
    for name in files(root):
        if name.startswith(("recce_meta/", "tests/")):
            digest.update(name.encode() + b"\0" + (root / name).read_bytes() + b"\0")
    return digest.hexdigest()
