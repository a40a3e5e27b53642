"""Fixtures of tests with a real sandbox."""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import structs

from recce_meta.repositories.extraction.isolation.base import Program, ProgramSandbox, Settings
from recce_meta.repositories.extraction.isolation.bubblewrap import Bubblewrap, missing
from recce_meta.repositories.extraction.isolation.docker import Docker, Image, client, engine_missing
from recce_meta.repositories.processes import Completed, ProcessLimits
from tests.support import needs

READ_ONLY = tuple({Path(sys.prefix), Path(sys.base_prefix)})
"""Folders of the interpreter of the tests."""


@pytest.fixture(scope="session")
def bubblewrap() -> Bubblewrap:
    """Return bubblewrap; skip the test if it does not work."""
    reason = asyncio.run(missing(Settings()))
    if reason is not None:
        needs.missing("bubblewrap", f"{reason[0]}, see `{reason[1]}`")
    return Bubblewrap(Settings())


ENGINE = os.environ.get("RECCE_META_TEST_ENGINE", "docker")
HOSTILE = Settings(engine=ENGINE, image="recce-meta-hostile")
JOB = f"connection:main:{os.getpid()}"


@pytest.fixture(
    scope="session", params=["bubblewrap", pytest.param("container", marks=pytest.mark.extensive)]
)
def sandbox(request: pytest.FixtureRequest) -> Iterator[ProgramSandbox]:
    """Yield bubblewrap, and containers of an engine; skip the test if it does not work."""
    if request.param == "bubblewrap":
        yield request.getfixturevalue("bubblewrap")
        return
    if sys.platform != "linux":
        needs.missing("Docker", "the small image has programs of this machine, which must be Linux")
    reason = asyncio.run(engine_missing(HOSTILE))
    if reason is not None:
        needs.missing("Docker", f"{reason[0]}, see `{reason[1]}`")
    # A tag of this process: other tests may remove theirs at the same time.
    image = Image(str(os.getpid()), "python")
    name = image.reference(HOSTILE)
    imported = [*client(HOSTILE), "import", "--change", "ENV PATH=/usr/bin:/bin", "-", name]
    subprocess.run(imported, input=small_image(), capture_output=True, check=True)
    yield Docker(HOSTILE, image)
    subprocess.run([*client(HOSTILE), "rmi", "--force", name], capture_output=True, check=True)


def small_image() -> bytes:
    """Return the files of an image that runs the interpreter of the tests, whose folders programs mount.

    It has the libraries of the interpreter, and `timeout`, at their places on this machine: 20 MB, since an
    engine without layers copies the image for each container.
    """
    needed = {str(Path(sys.executable).resolve()), shutil.which("timeout") or "", shutil.which("env") or ""}
    modules = [str(path) for path in Path(sys.base_prefix).glob("lib/python3*/lib-dynload/*.so")]
    found = subprocess.run(["ldd", *needed, *modules], capture_output=True, text=True, check=False).stdout
    libraries = {*re.findall(r"(/\S+) \(0x", found)}
    places = {Path(path).parent.resolve() / Path(path).name for path in needed | libraries if path}
    folders = {folder for place in places for folder in place.parents} | {Path("/usr/sbin"), Path("/tmp")}
    with io.BytesIO() as written:
        with tarfile.open(fileobj=written, mode="w") as image:
            # The engine would create missing folders for root alone.
            for folder in sorted(folders - {Path("/")}):
                made = tarfile.TarInfo(str(folder)[1:])
                made.type, made.mode = tarfile.DIRTYPE, 0o1777 if folder == Path("/tmp") else 0o755
                image.addfile(made)
            for top in ("bin", "lib", "lib64", "sbin"):
                if Path("/", top).is_symlink():
                    image.add(f"/{top}", top, recursive=False)
            for place in sorted(places):
                if not _is_mounted(place):
                    content = place.read_bytes()
                    made = tarfile.TarInfo(str(place)[1:])
                    made.size, made.mode = len(content), 0o755
                    image.addfile(made, io.BytesIO(content))
        return written.getvalue()


def _is_mounted(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in READ_ONLY)


def containers() -> list[str]:
    """List the containers of these tests."""
    command = [*client(HOSTILE), "ps", "--all", "--quiet", "--filter", f"label=recce-meta.job={JOB}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def program(folder: Path, code: str, *arguments: str | Path, **changes: object) -> Program:
    """Return a program of Python that may write *folder*."""
    made = Program(
        argv=(sys.executable, "-I", "-S", "-c", code, *map(str, arguments)),
        env={},
        writable=folder,
        read_only=READ_ONLY,
        cwd=folder,
        job=JOB,
        limits=limited(),
    )
    return structs.replace(made, **changes)


def run(sandbox: ProgramSandbox, made: Program, on_line: Callable[[str], None] | None = None) -> Completed:
    """Run *made* and return its outcome."""
    return asyncio.run(sandbox.run(made, on_line=on_line))


def limited(**limits: object) -> ProcessLimits:
    """Return limits for quick tests."""
    return ProcessLimits(**{"seconds": 60, **limits})  # type: ignore[arg-type]
