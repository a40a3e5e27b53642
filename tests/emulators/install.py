"""Installer of emulators: `python -m tests.emulators.install snowflake bigquery …`; all if none is named.

Each emulator has its own virtual environment below `.emulators/` or RECCE_META_EMULATORS, because its
requirements clash with those of the tests. This file only needs Python, so
`python tests/emulators/install.py` works before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

FOLDERS = Path(__file__).parent


def home() -> Path:
    """Return the folder of installed emulators."""
    default = Path(__file__).resolve().parents[2] / ".emulators"
    return Path(os.environ.get("RECCE_META_EMULATORS", default))


def python_of(name: str) -> Path:
    """Return the Python interpreter of the environment *name*."""
    return home() / name / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def is_installed(name: str) -> bool:
    """Return True if *name* is installed with its current requirements."""
    return _mark(name).exists() and _mark(name).read_text(encoding="utf-8") == _wanted(name)


def install(name: str) -> None:
    """Install the requirements of *name* into its own environment, anew if they have changed."""
    if is_installed(name):
        return
    # The newest pip installs in less time than the one that Python brings.
    made = [sys.executable, "-m", "venv", "--clear", "--upgrade-deps", str(home() / name)]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    requirements = FOLDERS / name / "requirements.txt"
    command = [str(python_of(name)), "-m", "pip", "install", "-q", "-r", str(requirements)]
    subprocess.run(command, check=True)
    if (program := FOLDERS / name / "prepare.py").exists():
        subprocess.run([str(python_of(name)), str(program)], check=True)
    _mark(name).write_text(_wanted(name), encoding="utf-8")


def _mark(name: str) -> Path:
    return home() / name / "installed"


def _wanted(name: str) -> str:
    return hashlib.sha256((FOLDERS / name / "requirements.txt").read_bytes()).hexdigest()


def main() -> None:
    """Install the emulators on the command line, if they need an environment."""
    needing = sorted(path.parent.name for path in FOLDERS.glob("*/requirements.txt"))
    for name in needing:
        if name in (sys.argv[1:] or needing):
            install(name)


if __name__ == "__main__":
    main()
