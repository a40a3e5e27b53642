"""Isolation by containers: one per program, of an image with one minor version of dbt and one adapter.

The container has no network unless it is online, no capabilities, and limits of memory, processes and time.
Its file system is read-only but for /tmp and one folder. The engine removes the container when it ends.
Folders are mounted from the machine of the engine under their own paths, so engine and worker share them.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from shlex import quote
from uuid import uuid4

import msgspec
from msgspec import Struct

from recce_meta.errors import ConfigurationError, UnknownNameError, first_line
from recce_meta.models.run import IsolationKind
from recce_meta.repositories.extraction.dbt.environments import (
    built_from_source,
    newest_python,
    requirements,
    uv_environment,
)
from recce_meta.repositories.extraction.dbt.versions import MINORS, RUST
from recce_meta.repositories.extraction.isolation.base import (
    TEMPORARY_SIZE,
    Program,
    ProgramSandbox,
    Settings,
    check,
    limits_of,
    mounts,
)
from recce_meta.repositories.processes import Completed, ProcessLimits, finish, run_process
from recce_meta.warehouses import available

FOLDER_IN_IMAGE = Path("/opt/dbt")
"""Folder of the environment of dbt in an image."""
IMAGE_FOLDER = Path(__file__).with_name("image")
"""Folder of the Dockerfile."""
_LABEL = "recce-meta.job"
_NOBODY = 65534
_QUICK = ProcessLimits(seconds=60)
_LONG = ProcessLimits(seconds=1_800)
_LATER = 30
"""Seconds after its time limit in which a container that has lost its worker ends."""


class Image(Struct, frozen=True):
    """Image with a minor version of dbt and an adapter."""

    minor: str
    """Minor version, such as `1.10`."""
    adapter: str

    @property
    def tag(self) -> str:
        """Tag of the image."""
        return f"dbt{self.minor}-{self.adapter}"

    def reference(self, settings: Settings) -> str:
        """Return its name with the tag."""
        return f"{settings.image}:{self.tag}"


class Docker(ProgramSandbox):
    """A container of an image."""

    kind = IsolationKind.DOCKER

    def __init__(self, settings: Settings, image: Image, *, user: int | None = None) -> None:
        super().__init__(settings)
        self._image = image.reference(settings)
        self._user = os.getuid() if user is None else user

    def command(self, program: Program) -> list[str]:
        """Return the command line of the engine."""
        check(program, self.settings)
        limits = limits_of(program)
        # The worker's own user, so that the worker can read and remove what the container writes; never root.
        user = f"{self._user or _NOBODY}:{self._user or _NOBODY}"
        # `missing` pulls the image before; a pull here would count as time of dbt.
        command = [*client(self.settings), "run", "--rm", "--init", "--pull", "never"]
        command += ["--name", f"recce-meta-{uuid4().hex}", "--label", f"{_LABEL}={program.job}"]
        command += ["--network", "bridge" if program.is_online else "none", "--hostname", "sandbox"]
        command += ["--user", user, "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
        command += ["--read-only", "--tmpfs", f"/tmp:rw,nosuid,nodev,mode=1777,size={TEMPORARY_SIZE}"]
        # Equal values allow no swap.
        command += ["--memory", str(limits.memory), "--memory-swap", str(limits.memory), "--cpus", "1"]
        command += ["--pids-limit", str(limits.processes), "--ulimit", f"fsize={limits.file_size}"]
        if limits.cpu_seconds is not None:
            # For each process: the descendants of the engine are not those of its client.
            command += ["--ulimit", f"cpu={math.ceil(limits.cpu_seconds)}"]
        if limits.niceness:
            # The shares of a program that has nice's weight; a container has 1,024 by default.
            command += ["--cpu-shares", str(round(1024 / 1.25**limits.niceness))]
        # The engine would otherwise store all output in a file without limit.
        command += ["--ulimit", "nofile=1024", "--ulimit", "core=0", "--log-driver", "none"]
        command += ["--workdir", str(program.cwd)]
        for path, is_writable in mounts(program):
            # The image has these files, and a mount from the machine would hide them.
            if not path.is_relative_to(FOLDER_IN_IMAGE):
                command += ["--mount", _mount(path, is_writable=is_writable)]
        for name in program.env:
            # Only the name: the client takes the value from its environment, and `ps` shows none.
            command += ["--env", name]
        if "HOME" not in program.env:
            command += ["--env", "HOME=/tmp"]
        # The engine keeps the container running when the client is killed with its worker.
        seconds = math.ceil(limits.seconds) + _LATER
        return [*command, self._image, "timeout", "--signal=KILL", str(seconds), *program.argv]

    def limits(self, program: Program) -> ProcessLimits:
        """Return the limits of the client; the engine limits what runs in the container."""
        found = limits_of(program)
        return msgspec.structs.replace(found, memory=None, processes=None, file_size=None, cpu_seconds=None)

    async def run(
        self,
        program: Program,
        *,
        on_line: Callable[[str], None] | None = None,
        pid_file: Path | None = None,
    ) -> Completed:
        """Run *program* in a container, which is gone when the call ends. See `Sandbox.run`."""
        has_ended = False
        try:
            ran = await super().run(program, on_line=on_line, pid_file=pid_file)
            has_ended = ran.excess is None
            return ran
        finally:
            if not has_ended:
                # Killing the client does not stop the container; a second cancellation must not skip this.
                await finish(self.remove(program.job))

    def hand_over(self, program: Program) -> None:
        """Give the user of a container all that it writes, and the files of its job that it reads.

        Links are not followed.
        """
        if self._user != 0:
            return
        for place, folders, names in os.walk(program.writable):
            for name in (".", *folders, *names):
                os.lchown(Path(place, name), _NOBODY, _NOBODY)
        for file in program.read_only:
            if file.parent == program.writable.parent and file.is_file():
                os.lchown(file, _NOBODY, _NOBODY)

    async def remove(self, job: str) -> None:
        """Remove the containers of a job; without an engine, none runs."""
        docker = client(self.settings)
        label = f"label={_LABEL}={job}"
        found = await run_process(
            [*docker, "ps", "--all", "--quiet", "--filter", label], env={}, limits=_QUICK
        )
        if identities := found.output.split():
            await run_process([*docker, "rm", "--force", *identities], env={}, limits=_QUICK)


def client(settings: Settings) -> list[str]:
    """Return the command of the engine's client, with the engine that the worker's environment names."""
    environ = os.environ
    # As options, because the client gets the environment of the program instead of the worker's.
    config = environ.get("DOCKER_CONFIG") or str(Path(environ.get("HOME", "/"), ".docker"))
    command = [shutil.which(settings.engine) or settings.engine, "--config", config]
    for name, option in (("DOCKER_HOST", "--host"), ("DOCKER_CONTEXT", "--context")):
        if environ.get(name):
            command += [option, environ[name]]
    return command


def _mount(path: Path, *, is_writable: bool) -> str:
    """Return the value of `--mount`, which is a line of CSV."""
    if "\n" in str(path):
        raise ConfigurationError(f"{str(path)!r} cannot be mounted: its name has a line break")
    fields = ["type=bind", f"source={path}", f"target={path}", *([] if is_writable else ["readonly"])]
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


class BuildInput(Struct, frozen=True):
    """Folder of a Dockerfile, and files that the build reads and that stay in no layer."""

    folder: Path = IMAGE_FOLDER
    secrets: Mapping[str, Path] = {}
    """Files by id; an engine needs BuildKit for them."""


def build_input(draft: Path, environ: Mapping[str, str]) -> BuildInput:
    """Return the input of a build that uses the package index and the certificates of *environ*.

    They are those of environments that uv builds on this machine. Without any, it is the Dockerfile of this
    package; else files in the folder *draft*, whose addresses may contain passwords.
    """
    found = {
        name: " ".join(word for word in value.split() if not word.startswith(("/", "file:")))
        for name, value in uv_environment(environ).items()
        if name in _INDEX_SETTINGS or _INDEX_LOGIN.fullmatch(name)
    }
    found = {name: value for name, value in found.items() if value}
    # pip installs uv.
    if index := found.get("UV_DEFAULT_INDEX") or found.get("UV_INDEX_URL"):
        found["PIP_INDEX_URL"] = index
    certificates = Path(uv_environment(environ).get("SSL_CERT_FILE", ""))
    has_certificates = certificates.is_file()
    if not found and not has_certificates:
        return BuildInput()
    if has_certificates:
        found |= dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT"), "/run/secrets/certificates")
    secret, folder = draft / "index", draft / "image"
    secret.touch(mode=0o600)
    secret.write_text("".join(f"export {name}={quote(value)}\n" for name, value in found.items()))
    folder.mkdir()
    text = (IMAGE_FOLDER / "Dockerfile").read_text(encoding="utf-8")
    mounts = "--mount=type=secret,id=index --mount=type=secret,id=certificates"
    (folder / "Dockerfile").write_text(text.replace(_INSTALL, f"RUN {mounts} . /run/secrets/index && pip "))
    files = {"index": secret} | ({"certificates": certificates} if has_certificates else {})
    return BuildInput(folder, files)


_INSTALL = "RUN pip "
"""Beginning of the only line of the Dockerfile that reads the package index."""
_INDEX_SETTINGS = frozenset(
    [f"UV_{name}" for name in ("DEFAULT_INDEX", "INDEX_URL", "INDEX", "EXTRA_INDEX_URL", "INDEX_STRATEGY")]
    + ["UV_INSECURE_HOST", "UV_HTTP_TIMEOUT", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
    + ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]
)
_INDEX_LOGIN = re.compile(r"UV_INDEX_\w+_(USERNAME|PASSWORD)")
_NO_INPUT = BuildInput()


def build_command(settings: Settings, image: Image, given: BuildInput = _NO_INPUT) -> list[str]:
    """Return the command that builds *image*, with the packages of an environment that uv builds.

    Raises UnknownNameError if the version or the adapter is not supported.
    """
    if image.minor not in (*MINORS, RUST):
        raise UnknownNameError("dbt version", image.minor, (*MINORS, RUST))
    if image.adapter not in available():
        raise UnknownNameError("adapter", image.adapter, available())
    # Building a package from source runs its setup.py.
    options = ["--only-binary :all:"]
    options += [f"--no-binary {name}" for name in built_from_source(image.minor, image.adapter)]
    options += ["--prerelease allow"] if image.minor == RUST else []
    arguments = {
        "PYTHON": newest_python(image.minor),
        "OPTIONS": " ".join(options),
        "REQUIREMENTS": " ".join(requirements(image.minor, image.adapter)),
    }
    command = [*client(settings), "build", "--tag", image.reference(settings)]
    for name, value in arguments.items():
        command += ["--build-arg", f"{name}={value}"]
    for name, file in given.secrets.items():
        command += ["--secret", f"id={name},src={file}"]
    return [*command, str(given.folder)]


async def missing(settings: Settings, image: Image) -> tuple[str, str] | None:
    """Ask the engine, and get the image. Return None if both are there, else the reason and a command.

    The command shows the reason, or removes it.
    """
    reason = await engine_missing(settings)
    return reason or await _image_missing(settings, image)


async def engine_missing(settings: Settings) -> tuple[str, str] | None:
    """Ask the engine. Return None if it works, else the reason and a command that shows it."""
    docker = client(settings)
    if shutil.which(settings.engine) is None:
        return f"{settings.engine} is not installed", f"{settings.engine} version"
    version = [*docker, "version", "--format", "{{.Server.Version}}"]
    # The version of the server: the client alone answers without an engine.
    asked = await run_process(version, env={}, limits=_QUICK)
    if asked.code:
        reason = first_line(asked.errors) or "it does not answer"
        return f"the engine does not work ({reason})", f"{settings.engine} info"
    return None


async def image_tags(settings: Settings) -> list[str]:
    """Return the tags of the images of dbt that the engine has."""
    command = [*client(settings), "image", "ls", "--format", "{{.Tag}}", settings.image]
    return sorted((await run_process(command, env={}, limits=_QUICK)).output.split())


async def _image_missing(settings: Settings, image: Image) -> tuple[str, str] | None:
    docker = client(settings)
    reference = image.reference(settings)
    if not (await run_process([*docker, "image", "inspect", reference], env={}, limits=_QUICK)).code:
        return None
    if "/" not in settings.image:
        build = f"recce-meta runner build --dbt {image.minor} --adapter {image.adapter}"
        return f"the image {reference} is missing", build
    pulled = await run_process([*docker, "pull", "--quiet", reference], env={}, limits=_LONG)
    if pulled.code:
        return (
            f"the image {reference} cannot be pulled ({first_line(pulled.errors)})",
            f"docker pull {reference}",
        )
    return None
