"""Files of a commit as a project, read from git's objects: nothing is checked out, no hook or filter runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from recce_meta.errors import UsageError
from recce_meta.extractors.history import CheckoutHistory
from recce_meta.extractors.sql_project.inputs import INSTALLED
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.temporary import temporary_folder


def files_at(history: CheckoutHistory, sha: str) -> tuple[Mapping[str, bytes], list[str]]:
    """Return the files of the commit *sha*, and links out of the project; raise UsageError without any."""
    files, links = history.files_at(sha)
    if not files:
        raise UsageError(
            f"git cannot read the files of commit {sha[:7]} here",
            hint="fetch the whole commit if the clone is partial, or name a commit with this folder as BASE",
        )
    if PROJECT_FILE not in files:
        raise UsageError(f"No {PROJECT_FILE} of this folder in commit {sha[:7]}", hint="name a later commit")
    return files, links


@contextmanager
def files_folder(files: Mapping[str, bytes], root: Path) -> Iterator[Path]:
    """Yield a temporary folder named as *root*, with *files* and the packages installed in *root*."""
    with temporary_folder() as name:
        folder = Path(name, root.resolve().name)
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        _link_packages(root, folder)
        yield folder


def _link_packages(root: Path, folder: Path) -> None:
    """Let the project in *folder* use the packages that are installed in *root*; git ignores them.

    A package that is a folder of the project is that of *folder*.
    """
    for name in INSTALLED:
        if not (root / name).is_dir() or (folder / name).exists():
            continue
        (folder / name).mkdir()
        for package in (root / name).iterdir():
            own = own_folder(package, root)
            with suppress(OSError):  # Windows may not allow links
                (folder / name / package.name).symlink_to(folder / own if own else package.resolve())


def own_folder(package: Path, root: Path) -> Path | None:
    """Return the folder of the project in *root* to which *package* is a link."""
    target, project = package.resolve(), root.resolve()
    is_own = package.is_symlink() and target.is_relative_to(project)
    return target.relative_to(project) if is_own else None
