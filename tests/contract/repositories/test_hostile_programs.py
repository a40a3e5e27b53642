"""Hostile programs in bubblewrap and containers: what they can see, write and reach, and whether they end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from recce_meta.errors import ConfigurationError
from recce_meta.repositories.extraction.isolation.base import ProgramSandbox, Settings
from recce_meta.repositories.extraction.isolation.bubblewrap import Bubblewrap
from recce_meta.repositories.extraction.isolation.docker import Docker
from recce_meta.repositories.processes import kill_left
from tests.contract.repositories.programs import PATIENCE, forks, running_with, wait_until, wait_until_ended
from tests.support.sandboxes import READ_ONLY, containers, limited, program, run

CANARY = "canary-9c1f"
NOT_STARTED = (125, 126, 127)
"""Exit codes of an engine that could not start the program."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "writable"
    made.mkdir()
    return made


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file with a secret, outside the folder of the program; the environment has the secret, too."""
    monkeypatch.setenv("APP_TOKEN", CANARY)
    path = tmp_path / "state.sqlite"
    path.write_text(CANARY)
    return path


SEES = """
import json, os, pathlib, sys
def read(path):
    try:
        return pathlib.Path(path).read_bytes().decode(errors="replace")
    except OSError as error:
        return type(error).__name__
def files(top):
    found = []
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if f"{folder}/{name}" not in sys.argv[3:]]
        found += names
    return found
link = pathlib.Path("link")
link.symlink_to(sys.argv[1])
processes = [name for name in os.listdir("/proc") if name.isdigit()]
print(json.dumps({
    "environment": dict(os.environ),
    "processes": len(processes),
    "of processes": [read(f"/proc/{name}/{file}") for name in processes for file in ("environ", "cmdline")],
    "files": [read(path) for path in (sys.argv[1], link, "/etc/passwd", "/etc/shadow", "/etc/ssl/private/x",
              "/proc/1/root" + sys.argv[1], "/proc/kcore", "/root" + "/.ssh/id_rsa",
              "/sys/kernel/uevent_seqnum")],
    "home": files(sys.argv[2]),
    "root": os.listdir("/"),
    "user": [os.getuid(), os.getgid(), os.getgroups()],
    "host": os.uname().nodename,
    "capabilities": [line.split()[1] for line in read("/proc/self/status").splitlines() if line[:3] == "Cap"],
    "privileges": [line.split()[1] for line in read("/proc/self/status").splitlines() if "NoNewPriv" in line],
}))
"""


def test_environment_host_files_and_other_processes_are_invisible(
    sandbox: ProgramSandbox, folder: Path, secret: Path
) -> None:
    home, is_container = Path.home(), isinstance(sandbox, Docker)

    ended = run(sandbox, program(folder, SEES, secret, home, *READ_ONLY, env={"GIVEN": "yes"}))

    seen = json.loads(ended.output)
    assert CANARY not in ended.output
    assert seen["environment"].keys() <= {"GIVEN", "HOME", "TMPDIR", "PATH", "PWD", "LC_CTYPE"} | (
        {"HOSTNAME"} if is_container else set()
    )
    assert seen["environment"]["GIVEN"] == "yes"
    assert 1 <= seen["processes"] <= 3
    assert not any("PYTEST_" in text for text in seen["of processes"])
    # An engine hides kernel memory behind an empty file, and shows numbers of the kernel read-only.
    *files, kernel_memory, own, kernel = seen["files"]
    none = {"FileNotFoundError", "PermissionError", "NotADirectoryError"}
    assert {*files, own} <= none
    assert kernel_memory in none or (is_container and kernel_memory == "")
    assert kernel in none or (is_container and kernel.strip().isdecimal())
    assert seen["home"] == []
    hidden = {"sys", "home", "var", "srv", "mnt", "boot"} - ({"sys"} if is_container else set())
    assert not hidden & {*seen["root"]} - {folder.parts[1]}
    assert (seen["user"][:2], seen["host"]) == ([65534, 65534], "sandbox")
    assert {*seen["user"][2]} <= {65534}
    assert {*seen["capabilities"]} == {"0" * 16}
    assert seen["privileges"] == ["1"]


def test_values_of_variables_are_not_in_the_command_line(bubblewrap: Bubblewrap, folder: Path) -> None:
    made = program(folder, "import os; print(os.environ['TOKEN'])", env={"TOKEN": CANARY})

    assert CANARY not in " ".join(bubblewrap.command(made))
    assert run(bubblewrap, made).output == f"{CANARY}\n"


@pytest.mark.parametrize(
    "name", ["LD_PRELOAD", "ld_library_path", "GLIBC_TUNABLES", "DOCKER_HOST", "A B", "A=B"]
)
def test_variables_that_change_the_builder_of_the_sandbox_are_refused(folder: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be passed"):
        Bubblewrap(Settings()).command(program(folder, "", env={name: "x"}))


def test_a_folder_that_contains_something_private_is_refused(folder: Path, secret: Path) -> None:
    sandbox = Bubblewrap(Settings(private=(secret,)))
    (folder / "link").symlink_to(folder.parent)

    sandbox.command(program(folder, ""))
    for shown in (folder.parent, folder / "link", secret):
        with pytest.raises(ConfigurationError, match=r"it contains .*state\.sqlite"):
            sandbox.command(program(folder, "", read_only=(shown,)))
        with pytest.raises(ConfigurationError, match=r"it contains .*state\.sqlite"):
            sandbox.command(program(folder, "", writable=shown))


WRITES = """
import json, os, pathlib, sys
written = []
places = [folder for top in ("/dev", "/etc", "/tmp", *sys.argv[1:]) for folder, _, _ in os.walk(top)]
for place in ["/", "/usr", "/usr/bin", "/usr/lib", "/proc", "/proc/sys/kernel", *places]:
    for write in (
        lambda path: path.write_text("x"),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("/"),
        lambda path: os.link("/usr/bin/env", path),
        lambda path: os.mknod(path, 0o20666, os.makedev(1, 1)),
    ):
        try:
            write(pathlib.Path(place, "evil"))
            written.append(place)
        except OSError:
            pass
        try:
            os.unlink(pathlib.Path(place, "evil"))
        except OSError:
            pass
print(json.dumps(sorted({*written})))
"""


def test_nothing_is_written_outside_the_writable_folder(sandbox: ProgramSandbox, folder: Path) -> None:
    clone = folder.parent / "clone"
    (clone / "models").mkdir(parents=True)
    clone.chmod(0o777)

    made = program(folder, WRITES, clone, folder, read_only=(*READ_ONLY, clone))
    written = {Path(place) for place in json.loads(run(sandbox, made).output)}

    assert folder in written
    assert {place for place in written if place.is_relative_to("/dev")} <= {
        Path("/dev/shm"),
        Path("/dev/pts"),
        Path("/dev/mqueue"),
    }
    others = {place for place in written if not place.is_relative_to("/dev")}
    hidden = {place for place in others if place.is_relative_to("/tmp")} - {folder}
    assert others - hidden == {folder}
    assert list(clone.rglob("evil")) == []
    assert not any((place / "evil").exists() for place in hidden)


CONNECTS = """
import socket, sys
for family, address in (
    (socket.AF_INET, ("127.0.0.1", int(sys.argv[1]))),
    (socket.AF_INET, ("169.254.169.254", 80)),
    (socket.AF_UNIX, chr(0) + sys.argv[2]),
):
    connection = socket.socket(family)
    connection.settimeout(5)
    try:
        connection.connect(address)
        print("connected")
    except OSError as error:
        print("refused")
    if len(sys.argv) == 4:
        break
"""


@pytest.fixture
def port() -> Iterator[int]:
    """Return the port of a server on this machine; it also listens on an abstract socket."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        number = server.getsockname()[1]
        abstract.bind(f"\0recce-meta-{number}")
        abstract.listen()
        yield number


def test_only_an_online_program_has_a_network(sandbox: ProgramSandbox, folder: Path, port: int) -> None:
    offline = program(folder, CONNECTS, str(port), f"recce-meta-{port}")
    online = program(folder, CONNECTS, str(port), "", "local", is_online=True)
    names = "import socket; print(*(name for _, name in socket.if_nameindex()))"

    assert run(sandbox, offline).output.split() == ["refused"] * 3
    # The network of a container is its own, so services of this machine's localhost are out of reach.
    is_container = isinstance(sandbox, Docker)
    assert run(sandbox, online).output.split() == ["refused" if is_container else "connected"]
    assert {*run(sandbox, program(folder, names)).output.split()} == {"lo"}
    assert {*run(sandbox, program(folder, names, is_online=True)).output.split()} > {"lo"}


ESCAPES = """
import ctypes, os, subprocess
libc = ctypes.CDLL(None, use_errno=True)
results = [libc.unshare(flag) for flag in (0x10000000, 0x20000, 0x40000000)]
results.append(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
results.append(libc.chroot(b"/tmp"))
results.append(libc.setuid(0))
print(results)
"""


def test_privileges_cannot_be_gained(sandbox: ProgramSandbox, folder: Path) -> None:
    results = json.loads(run(sandbox, program(folder, ESCAPES)).output)

    assert results == [-1] * 6


def test_a_program_kills_only_itself(sandbox: ProgramSandbox, folder: Path) -> None:
    code = "import os, signal; os.kill(-1, signal.SIGKILL); os.kill(1, signal.SIGKILL); print('done')"

    with subprocess.Popen(["sleep", "1000"]) as other:
        assert run(sandbox, program(folder, code)).code not in NOT_STARTED
        assert other.poll() is None
        other.kill()


LOUD = "import sys\nwhile True: sys.stdout.write('x' * 100_000)"
ENDLESS = "while True: pass"
FILES = "n = 0\nwhile True: open(str(n), 'w').write('x' * 10_000_000); n += 1"
# They grow steadily: one that doubles would take the machine from the other tests before it is noticed, as
# the system does not limit the processes of root.
BOMB = """
import os, time
for _ in range(500):
    if not os.fork(): time.sleep(600)
    time.sleep(0.005)
time.sleep(600)
"""
SESSIONS = BOMB.replace("if not os.fork(): ", "if not os.fork(): os.setsid(); ")
THREADS = """
import threading, time
threading.stack_size(2**16)
while True: threading.Thread(target=time.sleep, args=[1000]).start()
"""
HUNGRY = "import os, time\nfor _ in range(3): os.fork()\nkept = b'x' * 100_000_000\ntime.sleep(1000)"
FILLS = "for n in range(700): open(f'/tmp/{n}', 'wb').write(bytes(2**20))"


@pytest.mark.parametrize(
    ("code", "limits", "excess"),
    [
        (LOUD, {}, "output"),
        (ENDLESS, {"seconds": 1}, "seconds"),
        (FILES, {"folder_size": 50_000_000}, "folder_size"),
        (BOMB, {"processes": 50}, "processes"),
        (SESSIONS, {"processes": 50}, "processes"),
        (THREADS, {"processes": 50}, "processes"),
        (HUNGRY, {"memory": 300_000_000}, "memory"),
    ],
    ids=["output", "endless", "files", "bomb", "sessions", "threads", "memory"],
)
def test_a_program_that_exceeds_a_limit_is_gone(
    sandbox: ProgramSandbox, folder: Path, code: str, limits: dict[str, float], excess: str
) -> None:
    is_container = isinstance(sandbox, Docker)
    wanted = {"seconds": 20, **limits} if is_container else limits
    ended = run(sandbox, program(folder, code, limits=limited(**wanted)))

    assert running_with(folder) == []
    if is_container:
        assert containers() == []
    if is_container and excess in ("processes", "memory"):
        # The engine holds these limits: the program fails, or waits for what it does not get.
        assert ended.code not in (0, *NOT_STARTED) and ended.excess in (None, "seconds")
        return
    assert ended.excess in {excess, "seconds"} if os.getuid() else ended.excess == excess
    assert ended.code == -signal.SIGKILL


def test_one_file_and_temporary_files_are_limited(sandbox: ProgramSandbox, folder: Path) -> None:
    fill = "import sys; open(sys.argv[1], 'wb').write(b'x' * 3_000_000)"

    large = run(sandbox, program(folder, fill, "large", limits=limited(file_size=1_000_000)))
    temporary = run(
        sandbox,
        program(folder, "import os\nfor n in range(700): open(f'/tmp/{n}', 'wb').write(bytes(2**20))"),
    )

    assert large.code != 0
    assert (folder / "large").stat().st_size <= 1_000_000
    assert "No space left" in temporary.errors


def test_cancelling_ends_a_program_that_ignores_signals(sandbox: ProgramSandbox, folder: Path) -> None:
    async def cancel() -> None:
        ready = asyncio.Event()
        made = program(folder, forks(20, "os.setsid()"))
        task = asyncio.ensure_future(sandbox.run(made, on_line=lambda line: "ready" in line and ready.set()))
        await asyncio.wait_for(ready.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())

    assert running_with(folder) == []
    assert not isinstance(sandbox, Docker) or containers() == []


WORKER = """
import asyncio, sys
from pathlib import Path
from tests.support.sandboxes import program
from recce_meta.repositories.extraction.isolation.base import Settings
from recce_meta.repositories.extraction.isolation.bubblewrap import Bubblewrap
folder, code, pid_file = sys.argv[1:]
made = program(Path(folder), code)
show = lambda line: print(line, flush=True)
asyncio.run(Bubblewrap(Settings()).run(made, on_line=show, pid_file=Path(pid_file)))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_nothing_remains_of_a_worker(
    bubblewrap: Bubblewrap, folder: Path, tmp_path: Path, number: signal.Signals
) -> None:
    pid_file = tmp_path / "pid"
    code = forks(20, "os.setsid()")
    worker = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WORKER), folder, code, pid_file],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert worker.stdout is not None
    with worker.stdout:
        assert worker.stdout.readline() == b"ready\n"
    assert running_with("--ro-bind")
    identity = pid_file.read_text()

    worker.send_signal(number)
    if number is signal.SIGSTOP:
        assert kill_left(pid_file)
        worker.kill()
    worker.wait()

    wait_until(lambda: not running_with(f"--chdir {folder}"), "the sandbox of the worker is gone")
    wait_until_ended(identity)
    assert not kill_left(pid_file)
