"""Projects that are open in the editor: their folders, their indexes, and the process that indexes them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Timer
from typing import TypeVar

import msgspec
from lsprotocol.types import MessageType

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.errors import RecceMetaError, plural
from recce_meta.lsp.client import EditorClient, Json
from recce_meta.lsp.project.cache import StoreUse, find_store
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.project.index_process import EDITOR, Indexed, IndexOptions, index_command, indexed_of
from recce_meta.models import RunMetadata
from recce_meta.profiles import read_target_path
from recce_meta.store.read import find_runs, run_by_id
from recce_meta.store.session import open_store

PROJECT_FILE = "dbt_project.yml"
INSTALLED = frozenset(("dbt_packages", "dbt_modules", "node_modules", "site-packages"))
"""Folders whose projects are installed, and not those of the user."""
GENERATED = frozenset((*INSTALLED, "target", "logs", ".git", ".venv", "venv", "env"))
"""Folders whose files do not change a project."""
ARTIFACTS = ("manifest.json", "catalog.json")
"""Names of artifacts, which a suffix such as `.gz` may follow."""
READ_SUFFIXES = frozenset((".sql", ".yml", ".yaml", ".csv", ".py", ".md"))
CALM = 1.0
"""Seconds without a change after which a project is indexed again."""
LOOK_SECONDS = 2.0
LOW_PRIORITY = 10
LONGEST_PROCESS = 900.0
"""Seconds after which a process is stopped: a store that never answers must not stop all later indexing."""

Found = TypeVar("Found")


class CachedBase(msgspec.Struct, frozen=True):
    """Part of the file next to the cached store that names the run to compare with."""

    run_id: str | None = None
    label: str | None = None


def project_root(path: Path) -> Path | None:
    """Return the folder of the nearest dbt_project.yml in or above *path*; None outside a project.

    Projects inside of installed packages, virtual environments and `target` are those of the outer project.
    """
    roots = (folder for folder in (path, *path.parents) if _is_file(folder / PROJECT_FILE))
    return next((root for root in roots if not _is_installed(root)), None)


def _is_installed(root: Path) -> bool:
    for folder in (root, *root.parents):
        if folder.name in INSTALLED or _is_file(folder / "pyvenv.cfg"):
            return True
        if folder.name == "target" and _is_file(folder.parent / PROJECT_FILE):
            return True
    return False


def _is_file(path: Path) -> bool:
    """Return True for a file that this user can find."""
    with suppress(OSError):
        return path.is_file()
    return False


def changes_index(root: Path, path: Path) -> bool:
    """Return True if the project in *root* must be read again after a change of the file *path*."""
    if path.name.startswith(ARTIFACTS):
        return not INSTALLED.intersection(path.relative_to(root).parts)
    if GENERATED.intersection(path.relative_to(root).parts[:-1]):
        return False
    return path.suffix.lower() in READ_SUFFIXES


class Workers:
    """Threads of the server: one for short requests, one for long analyses, some that wait for processes."""

    def __init__(self) -> None:
        self.quick = ThreadPoolExecutor(1, "recce_meta quick")
        self.slow = ThreadPoolExecutor(1, "recce_meta slow")
        self.waiting = ThreadPoolExecutor(4, "recce_meta waiting")

    async def run(self, executor: Executor, function: Callable[[], Found]) -> Found:
        """Return the result of *function*, which runs in a thread of *executor*."""
        return await asyncio.get_running_loop().run_in_executor(executor, function)

    def close(self) -> None:
        """Accept no more work; running work is not waited for."""
        for executor in (self.quick, self.slow, self.waiting):
            executor.shutdown(wait=False, cancel_futures=True)


def open_index(
    root: Path, run_id: str | None = None, base_id: str | None = None, *, like: ProjectIndex | None = None
) -> ProjectIndex | None:
    """Return the index of the cached run *run_id*, by default the latest one; None without a run.

    *like* is the index of the same run for another thread, which has read the names and edges of the nodes.
    A store that cannot be read is None, too: indexing builds it again, and reports problems.
    """
    store = find_store(root, os.environ)
    if not store.path.exists():  # a connection would create it
        return None
    adapter = UnifiedSqlAdapter.from_url(store.url)
    try:
        with open_store(adapter) as session:
            if run_id is None:
                run = next(iter(find_runs(session, environment=EDITOR, most=1)), None)
            else:
                run = run_by_id(session, run_id)
            base = run_by_id(session, base_id) if base_id is not None else None
    except RecceMetaError:
        run = None
    if run is None:
        adapter.close()
        return None

    def reader(of: RunMetadata) -> StoredRunReader:
        return StoredRunReader(adapter, of)

    found = reader(run)
    is_like = like is not None and like.run.run_id == run.run_id
    if like is not None and is_like:
        # They are a tenth of the server's memory, and never change.
        found.names, found.edges = like.reader.names, like.reader.edges
    else:
        # Read here, because the first request would wait for it, and the event loop may.
        _ = found.names, found.edges
    compared = reader(base) if base is not None else None
    return ProjectIndex(found, root, compared, like=like if is_like else None)


def _runs_of(index: ProjectIndex | None) -> tuple[str | None, str | None]:
    """Return the ids of both runs of *index*."""
    if index is None:
        return None, None
    return index.run.run_id, index.base.run.run_id if index.base is not None else None


def close_index(index: ProjectIndex | None) -> None:
    """Close the connection of *index*."""
    if index is not None and isinstance(index.reader, StoredRunReader):
        index.reader.adapter.close()


_CHILD = """\
import sys
sys.path[:] = filter(None, sys.path)
import json, os, signal, threading
sys.argv[1:] = json.loads(sys.stdin.buffer.readline())
stream = os.dup(0)
null = os.open(os.devnull, os.O_RDONLY)
os.dup2(null, 0)
os.close(null)
def wait():
    os.read(stream, 1)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
threading.Thread(target=wait, daemon=True).start()
"""
"""Start of a child: its arguments come from a pipe, and it ends when the server's end of this pipe closes.

Other users see the arguments of a process, which may be a URL with a password. The current folder leaves the
search path before anything is imported: it has files of the project.
"""


class Processes:
    """Child processes, which end with the server, even if that is killed."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._is_closed = False

    def run(
        self, command: Sequence[str], folder: Path, read: Callable[[str], None] | None = None
    ) -> tuple[int, str, str]:
        """Run *command*, code of Python, in *folder*; return its exit code, output and messages. Blocks.

        With *read*, which is called with each line of output, it leaves the processor to other programs.
        """
        python, option, code, *arguments = command
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as messages:
            process = subprocess.Popen(
                [python, option, _CHILD + code],
                cwd=folder,
                start_new_session=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=messages,
                encoding="utf-8",
                errors="replace",
            )
            self._running.add(process)
            if self._is_closed:
                _kill(process)
            elif read is not None and sys.platform != "win32":
                with suppress(OSError):  # it has ended
                    os.setpriority(os.PRIO_PROCESS, process.pid, LOW_PRIORITY)
            lines = []
            limit = Timer(LONGEST_PROCESS, _kill, [process])
            limit.daemon = True
            limit.start()
            with process:
                if process.stdin is not None:
                    with suppress(BrokenPipeError):
                        # A lone surrogate stands for a byte of a path.
                        process.stdin.write(f"{json.dumps(arguments)}\n")
                        process.stdin.flush()
                for line in process.stdout or ():
                    lines.append(line)
                    if read is not None:
                        read(line)
            limit.cancel()
            self._running.discard(process)
            messages.seek(0)
            return process.returncode, "".join(lines), messages.read()

    def kill(self) -> None:
        """End all processes at once, and those that are started later."""
        self._is_closed = True
        for process in tuple(self._running):
            _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    """End *process* with all that it has started."""
    with suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        elif process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


class OpenProject:
    """Project with its index for each thread; a process reads its files again after changes."""

    def __init__(
        self,
        root: Path,
        client: EditorClient,
        workers: Workers,
        processes: Processes,
        options: Sequence[str],
        swapped: Callable[[OpenProject], None],
    ) -> None:
        """Open the project in *root*; *swapped* is called after the index was replaced.

        *options* are connection options of the configured store.
        """
        self.root, self.options = root, tuple(options)
        self.quick: ProjectIndex | None = None
        """Index for the thread of short requests."""
        self.slow: ProjectIndex | None = None
        """Index for the thread of long analyses."""
        self.models = 0
        self.base: str | None = None
        """Name of the run to compare with."""
        self.state, self.message, self.is_first = "indexing", "", False
        self._client, self._workers, self._processes, self._swapped = client, workers, processes, swapped
        self._use: StoreUse | None = None
        self._cached = CachedBase()
        self._due: float | None = None
        self._is_fresh = False
        self._lock, self._alone = asyncio.Lock(), asyncio.Lock()
        self._swapping: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._opening: asyncio.Future[None] | None = None
        self._looked_at, self._manifest_time = 0.0, self._time_of_manifest()
        self._is_closed = False
        self._available = asyncio.Event()

    @property
    def is_due(self) -> bool:
        """True if files changed since the project was last read."""
        return self._due is not None

    async def opened(self) -> None:
        """Wait until there is an index, or the first indexing has failed."""
        await self._available.wait()

    def open(self) -> None:
        """Open the cached index, if there is one, and read the project."""
        opened = self._workers.run(self._workers.quick, self._open_cached)
        # Submitted now: requests that follow have the index.
        self._opening = asyncio.ensure_future(self._open(asyncio.ensure_future(opened)))

    def _open_cached(self) -> None:
        with suppress(OSError):
            self._use = StoreUse(find_store(self.root, os.environ), self.root)
            # The file is read again with each indexing.
            chosen = find_store(self.root, os.environ).path.with_suffix(".base").read_bytes()
            with suppress(ValueError):
                self._cached = msgspec.json.decode(chosen, type=CachedBase)
        self.quick = open_index(self.root, base_id=self._cached.run_id)
        self.is_first = self.quick is None
        if self.quick is not None:
            self.models = sum(node.resource_type == "model" for node in self.quick.names.values())
            self.base = self._cached.label if self.quick.base is not None else None

    async def _open(self, cached: asyncio.Future[None]) -> None:
        await cached
        if self.quick is not None:
            workers = self._workers
            opening = partial(open_index, self.root, *_runs_of(self.quick), like=self.quick)
            self.slow = await workers.run(workers.slow, opening)
        if self.slow is None:
            self.refresh()
            return
        self._available.set()
        self._report("ready", "")
        self._swapped(self)
        # The first requests come first.
        self.refresh(CALM)

    def refresh(self, delay: float = 0.0, *, is_fresh: bool = False) -> asyncio.Task[None]:
        """Read the project again after *delay* seconds without a further call; return the work.

        With *is_fresh*, a configured store is asked for a new run to compare with.
        """
        self._is_fresh |= is_fresh
        self._due = asyncio.get_running_loop().time() + delay
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._index())
        return self._task

    def look(self) -> None:
        """Read the project again if dbt has written its manifest, for an editor that does not watch files."""
        now = asyncio.get_running_loop().time()
        if now < self._looked_at + LOOK_SECONDS:
            return
        self._looked_at, before = now, self._manifest_time
        self._manifest_time = self._time_of_manifest()
        if self._manifest_time != before:
            self.refresh(CALM)

    def _time_of_manifest(self) -> float | None:
        with suppress(OSError, RecceMetaError):  # an invalid project names no folder
            return (read_target_path(self.root) / ARTIFACTS[0]).stat().st_mtime
        return None

    async def _index(self) -> None:
        loop = asyncio.get_running_loop()
        while self._due is not None and not self._is_closed:
            if (wait := self._due - loop.time()) > 0:
                await asyncio.sleep(wait)
                continue
            self._due = None
            await self._index_once()

    async def _index_once(self) -> None:
        is_fresh, self._is_fresh = self._is_fresh, False
        self._report("indexing", "")
        progress = None
        if self.is_first:
            progress = asyncio.ensure_future(self._client.begin(f"recce_meta: reading {self.root.name}"))
        loop = asyncio.get_running_loop()

        def announce(line: str) -> None:
            loop.call_soon_threadsafe(self._announced, line)

        found = await self.alone(partial(self._run, announce, is_fresh))
        if self._is_closed:
            return
        if found.problem is None:
            await self._take(found)
        else:
            self._fail(found)
        if progress is not None:
            self._client.end(await progress, self.message)

    async def alone(self, work: Callable[[], Found]) -> Found:
        """Return the result of *work*, which waits for a process of the project, one after the other.

        Indexing and exchanges open the same store, and only one process can open a DuckDB file.
        """

        async def run() -> Found:
            async with self._alone:
                return await self._workers.run(self._workers.waiting, work)

        # The process of a cancelled request goes on.
        return await asyncio.shield(asyncio.ensure_future(run()))

    def _run(self, announce: Callable[[str], None], is_fresh: bool) -> Indexed:
        """Index in a process of its own, and wait for it. Each line of its output goes to *announce*."""
        try:
            store = find_store(self.root, os.environ)
            command = index_command(self.root, store.url, self._options(is_fresh))
            return indexed_of(*self._processes.run(command, self.root, announce))
        except OSError as error:  # such as a folder that was deleted
            return Indexed(problem=f"{error.filename or self.root}: {error.strerror}")

    def _announced(self, line: str) -> None:
        """Use a new index while the run to compare with is still read."""
        with suppress(ValueError):
            found = msgspec.json.decode(line, type=Indexed)
            if found.problem is None and not self._is_closed:
                self._swapping = asyncio.ensure_future(self._use_index(found))

    def _options(self, is_fresh: bool) -> IndexOptions:
        given = dict(zip(self.options[::2], self.options[1::2], strict=True))
        folder = given.get("--profiles-dir")
        return IndexOptions(
            url=given.get("--url"),
            profile=given.get("--profile"),
            target=given.get("--target"),
            profiles_dir=Path(folder) if folder else None,
            schema=given.get("--schema"),
            is_fresh=is_fresh,
        )

    async def _take(self, found: Indexed) -> None:
        """Replace the index by that of *found*, and report what was read."""
        await self._use_index(found)
        text = read_sentence(found)
        for note in found.notes:
            self._client.log(f"{self.root.name}: {note}")
        self._report("ready", text)
        if self.is_first:
            self._client.show(text)
        else:
            self._client.log(text)
        self.is_first = False

    async def _use_index(self, found: Indexed) -> None:
        """Open the index of *found* for both threads, and close the previous ones, if it is another run."""
        async with self._lock:
            before, workers = (self.quick, self.slow), self._workers
            self.models, self.base = found.models, found.base
            if all(_runs_of(index) == (found.run_id, found.base_id) for index in before):
                return
            opening = partial(open_index, self.root, found.run_id, found.base_id)
            quick = await workers.run(workers.quick, opening)
            slow = await workers.run(workers.slow, partial(opening, like=quick))
            self.quick, self.slow = quick, slow
        self._available.set()
        # Each connection belongs to one thread, and earlier work there may still need it.
        workers.quick.submit(close_index, before[0])
        workers.slow.submit(close_index, before[1])
        self._swapped(self)

    def _fail(self, found: Indexed) -> None:
        """Report why the project could not be read; the index stays."""
        text = f"{self.root.name} cannot be read: {found.problem}"
        text = f"{text} ({found.hint})" if found.hint else text
        is_new = text != self.message
        self._report("failed", text)
        self._available.set()
        if is_new and self.quick is None:
            self._client.show(text, MessageType.Warning)
        else:
            self._client.log(text, MessageType.Warning)

    def _report(self, state: str, message: str) -> None:
        self.state, self.message = state, message
        self._client.status(self.status())

    def status(self) -> Json:
        """Return the parameters of `recceMeta/status`."""
        index = self.quick
        run_at = index.run.run_at if index is not None else None
        # The cached run has its source in its id.
        source = index.run.run_id.rpartition("-")[2] if index is not None else None
        return {
            "project": str(self.root),
            "name": index.run.project_name if index is not None else self.root.name,
            "state": self.state,
            "models": self.models,
            "source": source,
            "run_at": run_at.isoformat() if run_at is not None else None,
            "base": self.base,
            "message": self.message,
            "first": self.is_first,
        }

    def close(self) -> None:
        """Start no more indexing."""
        self._is_closed, self._due = True, None
        if self._use is not None:
            self._use.close()


def read_sentence(found: Indexed) -> str:
    """Return what was read, and what it is compared with, in one sentence."""
    places = {
        "manifest": "target/manifest.json",
        "files": "its files",
        "both": "target/manifest.json and the files that changed since",
    }
    read = f"recce_meta read {plural(found.models, 'model')} of {found.project_name} from "
    compared = f"comparing with {found.base}" if found.base else "found no run to compare with"
    return f"{read}{places.get(found.source, 'its files')}; {compared}"


def named_projects(folders: Sequence[Path]) -> Iterator[Path]:
    """Yield the projects that the folders of the editor are, or are in."""
    for folder in folders:
        root = project_root(folder)
        if root is not None:
            yield root
