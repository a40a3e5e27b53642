"""Weight of an installation: the wheel of this checkout in a fresh environment, with bytecode, without pip.

`python -m benchmarks.weight` needs a package registry. Bytes of files count, without those of folders.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, markdown

ROOT = Path(__file__).parents[1]
MOST_OF_PACKAGE, MOST_OF_ALL = 24e6, 150e6


def weight(folder: Path, pattern: str = "*") -> int:
    """Return the bytes of the files below *folder* whose names match *pattern*."""
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file())


def installed(scratch: Path) -> Path:
    """Return the folder of packages of a new environment with recce_meta and what it requires."""
    build = [
        "build",
        "--wheel",
        "--no-isolation",
        "--skip-dependency-check",
        "--outdir",
        str(scratch),
        str(ROOT),
    ]
    subprocess.run([sys.executable, "-m", *build], check=True, capture_output=True)
    (wheel,) = scratch.glob("*.whl")
    environment = scratch / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    pip = ["pip", "--python", str(environment / "bin" / "python"), "install", "--quiet", str(wheel)]
    subprocess.run([sys.executable, "-m", *pip], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    return packages


def run(scratch: Path) -> list[Figure]:
    """Weigh the package next to its sources, and the environment next to its largest file."""
    packages = installed(scratch)
    largest = max(packages.rglob("*.so"), key=lambda path: path.stat().st_size)
    return [
        _figure(
            "installed package, with .pyc",
            weight(packages / "recce_meta"),
            weight(packages / "recce_meta", "*.py"),
            "its Python files",
            MOST_OF_PACKAGE,
        ),
        _figure(
            "environment, without pip and setuptools",
            weight(packages),
            largest.stat().st_size,
            f"its largest file, {largest.name.partition('.')[0]}",
            MOST_OF_ALL,
        ),
    ]


def _figure(what: str, ours: int, floor: int, against: str, most: float) -> Figure:
    return Figure(
        what,
        f"{ours / 1e6:.1f} MB",
        f"{against}: {floor / 1e6:.1f} MB",
        f"{ours / floor:.2f}",
        f"≤ {most / 1e6:.0f} MB",
        ours <= most,
    )


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as scratch:
        print(markdown(run(Path(scratch))))


if __name__ == "__main__":
    main()
