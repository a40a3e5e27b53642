"""Environments of dbt: built by uv from wheels, cached, shared by all processes, and removed when unused.

A folder of the cache holds an environment per minor version and adapter. It is built aside and renamed into
place. A user holds a shared lock on it, so that the removal of others passes it by. uv gets the settings of
the package index from those of pip, because it does not read pip's.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import sys
import sysconfig
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from configparser import ConfigParser, Error
from pathlib import Path
from uuid import uuid4

import msgspec
from msgspec import Struct

from recce_meta.errors import ConfigurationError, did_you_mean, install_hint, shorten
from recce_meta.redaction import redact
from recce_meta.repositories.extraction.dbt.commands import InstalledDbt
from recce_meta.repositories.extraction.dbt.outcome import is_full_disk
from recce_meta.repositories.extraction.dbt.versions import RUST, is_before
from recce_meta.repositories.processes import ProcessLimits, run_process
from recce_meta.warehouses import available

MARK = "environment.json"
_LAYOUT = 1
"""Number of the way environments are built; those built in another way are built again."""
_PYTHONS = {
    **dict.fromkeys(["1.0"], ">=3.7,<3.10"),
    **dict.fromkeys(["1.1", "1.2", "1.3"], ">=3.7,<3.11"),
    **dict.fromkeys(["1.4", "1.5"], ">=3.7,<3.12"),
    **dict.fromkeys(["1.6", "1.7"], ">=3.8,<3.12"),
    **dict.fromkeys(["1.8"], ">=3.8,<3.13"),
    **dict.fromkeys(["1.9"], ">=3.9,<3.13"),
    **dict.fromkeys(["1.10"], ">=3.9,<3.14"),
    **dict.fromkeys(["1.11", "1.12", RUST], ">=3.10,<3.14"),
}
"""Versions of Python that each minor version of dbt supports."""
_FIRST_WITH_OWN_ADAPTERS = 8
"""Adapters have versions of their own since dbt 1.8; older ones require the same minor version."""
_LIMITS = ProcessLimits(seconds=1_200)
_PAUSE = 0.1
_DOWNLOADS = ".uv"
_ERROR_LENGTH = 4000
_REPORT = """
import importlib, importlib.metadata, json, sys
importlib.import_module("dbt.adapters." + sys.argv[1])
version = importlib.metadata.version
print(json.dumps([version("dbt-core"), version("dbt-" + sys.argv[1]), sys.base_prefix]))
"""


class Environment(Struct, frozen=True, kw_only=True):
    """Installed dbt."""

    folder: Path
    minor: str
    """Minor version, such as `1.10`."""
    version: str
    """Version of dbt."""
    adapter: str
    adapter_version: str
    interpreter: Path
    """Folder of the Python installation that the environment uses."""

    @property
    def is_rust(self) -> bool:
        """True for the Rust engine of dbt 2."""
        return self.minor == RUST

    @property
    def dbt(self) -> InstalledDbt:
        """dbt of this environment, for commands."""
        program = str(self.folder / "bin" / "dbt")
        python = str(self.folder / "bin" / "python")
        return InstalledDbt(
            argv=(program,) if self.is_rust else (python, "-I", program),
            minor=self.minor,
            version=self.version,
            adapter=self.adapter,
            adapter_version=self.adapter_version,
            read_only=(self.folder,) if self.is_rust else (self.folder, self.interpreter),
        )


class EnvironmentFailed(ConfigurationError):
    """An environment that cannot be built; *can_retry* if the package index may answer later."""

    def __init__(self, message: str, *, hint: str | None = None, can_retry: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.can_retry = can_retry


@contextlib.asynccontextmanager
async def use_environment(
    cache: Path, minor: str, adapter: str, *, environ: Mapping[str, str], limit: int | None = None
) -> AsyncIterator[Environment]:
    """Yield the environment, built if it is missing or broken. It is not removed before the block ends.

    Processes may share *cache*, the folder of all environments. *minor* is a version that `choose_version`
    returns, and *adapter* a built-in warehouse. Settings of uv and pip are taken from *environ*. After a
    build, the least recently used environments are removed until the rest fits in *limit* bytes. Raises
    EnvironmentFailed if the adapter is not supported, uv is missing, or uv cannot build the environment.
    """
    if adapter not in available():
        raise EnvironmentFailed(
            f"The adapter '{adapter}' is not supported",
            hint=did_you_mean(adapter, available()) or f"supported are {', '.join(available())}",
        )
    cache = cache.absolute()
    cache.mkdir(parents=True, exist_ok=True)
    # The Rust engine has all adapters in one program.
    key = minor if minor == RUST else f"{minor}-{adapter}"
    lock = cache / f".{key}.lock"
    while True:
        async with _locked(lock, is_shared=True):
            environment = _read(cache / key, adapter)
            if environment is not None:
                os.utime(lock)
                yield environment
                return
        # Not under the shared lock: others may still run dbt from the folder that is replaced.
        async with _locked(lock):
            if _read(cache / key, adapter) is None:
                await _build(cache / key, minor, adapter, environ)
                os.utime(lock)
                if limit is not None:
                    await _shrink(cache, limit, environ)


def discard(environment: Environment) -> None:
    """Mark an environment that does not start, so that its next use builds it again."""
    (environment.folder / MARK).unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def _locked(path: Path, *, is_shared: bool = False) -> AsyncIterator[None]:
    """Hold a lock across processes; wait for it without blocking the event loop."""
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_PAUSE)
        yield


def _read(folder: Path, adapter: str) -> Environment | None:
    """Return the environment in *folder*; None if it is missing, broken, or built in another way."""
    try:
        content = json.loads((folder / MARK).read_bytes())
        fields = {**content["environment"], "folder": str(folder)}
        environment = msgspec.convert(fields, Environment, dec_hook=lambda kind, value: kind(value))
    except (OSError, ValueError, KeyError, TypeError, msgspec.ValidationError):
        return None
    programs = [folder / "bin" / "dbt", *([] if environment.is_rust else [folder / "bin" / "python"])]
    if content.get("layout") != _LAYOUT or not all(os.access(program, os.X_OK) for program in programs):
        return None
    return msgspec.structs.replace(environment, adapter=adapter)


async def _build(folder: Path, minor: str, adapter: str, environ: Mapping[str, str]) -> Environment:
    """Build the environment aside, check that dbt starts, and rename it into place."""
    for left in folder.parent.glob(f".draft-{folder.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    draft = folder.parent / f".draft-{folder.name}-{uuid4().hex[:8]}"
    try:
        uv = find_uv(environ)
        env = {"UV_CACHE_DIR": str(folder.parent / _DOWNLOADS), **uv_environment(environ)}
        await _make(uv, env, draft, minor)
        await _install(uv, env, draft, minor, adapter, uv_index_options(environ))
        environment = await _inspect(draft, folder, minor, adapter, env)
        fields = {name: getattr(environment, name) for name in Environment.__struct_fields__}
        mark = {"layout": _LAYOUT, "environment": {**fields, "folder": "", "adapter": adapter}}
        # Last: a folder without the mark counts as missing.
        (draft / MARK).write_bytes(msgspec.json.encode(mark, enc_hook=str))
        if folder.exists():
            # Moved and not removed, so that the place is empty for a moment only.
            folder.rename(folder.parent / f".draft-{folder.name}-{uuid4().hex[:8]}")
        draft.rename(folder)
        return environment
    finally:
        for left in folder.parent.glob(f".draft-{folder.name}-*"):
            shutil.rmtree(left, ignore_errors=True)


def find_uv(environ: Mapping[str, str]) -> str:
    """Return the path of uv: that of the Python package, else that on PATH.

    Raises EnvironmentFailed if there is neither.
    """
    folders = [sysconfig.get_path("scripts"), environ.get("PATH", os.defpath)]
    found = shutil.which("uv", path=os.pathsep.join(folders))
    if found is None:
        raise EnvironmentFailed("uv is not installed", hint=install_hint("server"))
    return found


async def _make(uv: str, env: Mapping[str, str], draft: Path, minor: str) -> None:
    wanted = _PYTHONS[minor]
    # Relocatable, because the folder is renamed when it is complete.
    command = [uv, "venv", "--quiet", "--relocatable", "--no-project", "--python", wanted, str(draft)]
    made = await run_process(command, env=env, cwd=draft.parent, limits=_LIMITS)
    if made.code:
        raise EnvironmentFailed(
            f"No Python {wanted} for dbt {minor}: {_last_words(made.errors)}",
            hint=f"uv python install {newest_python(minor)}",
            can_retry=_may_heal(made.errors),
        )


def newest_python(minor: str) -> str:
    """Return the newest version of Python that a minor version of dbt supports.

    >>> newest_python("1.7")
    '3.11'
    """
    return f"3.{int(_PYTHONS[minor].rpartition('<3.')[2]) - 1}"


def requirements(minor: str, adapter: str) -> tuple[str, ...]:
    """Return the requirements of an environment, for pip or uv.

    >>> requirements("1.10", "snowflake")
    ('dbt-core==1.10.*', 'dbt-snowflake>=1.8,<1.11')
    """
    if minor == RUST:
        return ("dbt>=2.0.0rc1,<3",)
    if is_before(minor, _FIRST_WITH_OWN_ADAPTERS):
        # Old versions import pytz and pkg_resources without requiring them; newer setuptools lack the latter.
        return (f"dbt-core=={minor}.*", f"dbt-{adapter}=={minor}.*", "pytz", "setuptools<81")
    return (f"dbt-core=={minor}.*", f"dbt-{adapter}>=1.8,<1.{int(minor[2:]) + 1}")


def built_from_source(minor: str, adapter: str) -> tuple[str, ...]:
    """Return the packages without wheels that an environment needs; all others are installed from wheels."""
    conditions = {
        ("logbook", "minimal-snowplow-tracker"): is_before(minor, 9),
        ("parsedatetime",): is_before(minor, 6),
        ("betterproto", "stringcase"): minor == "1.4",
        ("thrift",): adapter == "databricks" and is_before(minor, 10),
    }
    return tuple(name for names, is_needed in conditions.items() if is_needed for name in names)


async def _install(
    uv: str, env: Mapping[str, str], draft: Path, minor: str, adapter: str, index: Sequence[str]
) -> None:
    wanted = requirements(minor, adapter)
    # Building from source runs setup.py on the worker, outside of any sandbox.
    options = [*index, "--only-binary", ":all:"]
    for name in built_from_source(minor, adapter):
        options += ["--no-binary", name]
    if minor == RUST:
        options += ["--prerelease", "allow"]
    start = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python"]
    done = await run_process(
        [*start, str(draft / "bin" / "python"), *options, *wanted],
        env={**env, "VIRTUAL_ENV": str(draft)},
        cwd=draft.parent,
        limits=_LIMITS,
    )
    if done.code:
        shown = " ".join(f"'{part}'" if set(part) & set("<>*") else part for part in [*options, *wanted])
        what = "took too long" if done.is_late else _last_words(done.errors)
        raise EnvironmentFailed(
            f"uv cannot install {' and '.join(wanted)}: {what}",
            hint=f"uv pip install --dry-run {shown}",
            can_retry=done.is_late or _may_heal(done.errors),
        )


async def _inspect(
    draft: Path, folder: Path, minor: str, adapter: str, env: Mapping[str, str]
) -> Environment:
    """Return the environment in *draft*, as it will be in *folder*, after importing the adapter."""
    if minor == RUST:
        command = [str(draft / "bin" / "dbt"), "--version"]
    else:
        # The import finds broken wheels now, and not in the first job.
        command = [str(draft / "bin" / "python"), "-I", "-c", _REPORT, adapter]
    done = await run_process(command, env=env, cwd=draft.parent, limits=_LIMITS)
    if done.code:
        raise EnvironmentFailed(
            f"dbt {minor} with the adapter {adapter} is installed, but does not start: "
            f"{_last_words(done.errors or done.output)}"
        )
    version, adapter_version, prefix = (
        (done.output.split()[-1], "", str(folder)) if minor == RUST else json.loads(done.output)
    )
    return Environment(
        folder=folder,
        minor=minor,
        version=version,
        adapter=adapter,
        adapter_version=adapter_version,
        interpreter=Path(prefix),
    )


def _last_words(errors: str) -> str:
    """Return what uv said, in one line without credentials."""
    lines = [line.strip() for line in redact(errors).splitlines() if line.strip()]
    return shorten(" ".join(lines[-3:]), _ERROR_LENGTH)


def _may_heal(errors: str) -> bool:
    """Return True if a network or a full disk was the cause."""
    text = errors.lower()
    return is_full_disk(errors) or any(
        sign in text for sign in ("failed to fetch", "dns error", "timed out", "connection")
    )


async def _shrink(cache: Path, limit: int, environ: Mapping[str, str]) -> None:
    """Remove uv's cache, then the least recently used environments, until the rest fits *limit*."""
    sizes = await asyncio.to_thread(lambda: {folder: _size(folder) for folder in _environments(cache)})
    total, downloads = sum(sizes.values()), cache / _DOWNLOADS
    if total + await asyncio.to_thread(_size, downloads) > limit:
        command = [find_uv(environ), "cache", "clean", "--quiet", "--cache-dir", str(downloads)]
        await run_process(command, env=uv_environment(environ), limits=_LIMITS)
    for folder in sorted(sizes, key=_last_use):
        if total <= limit:
            return
        with _unused(folder) as is_unused:
            if is_unused:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                total -= sizes[folder]


def _environments(cache: Path) -> Sequence[Path]:
    return [mark.parent for mark in cache.glob(f"*/{MARK}")]


def _last_use(folder: Path) -> float:
    lock = _lock_of(folder)
    return lock.stat().st_mtime if lock.exists() else 0.0


def _lock_of(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.lock"


@contextlib.contextmanager
def _unused(folder: Path) -> Iterator[bool]:
    """Yield True and keep others from using the environment, or False if it is in use."""
    with _lock_of(folder).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _size(folder: Path) -> int:
    """Return the bytes of all files in *folder*."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(place, name).lstat().st_size
    return total


_SECTIONS = ("global", "install")
_NAMES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_EXTRA_INDEX_URL", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
}
"""uv's variable of each of pip's options, and what separates several values in it."""
_PASSED_ON = frozenset(
    ["PATH", "HOME", "TMPDIR", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC"]
    + [f"{kind}_PROXY" for kind in ("HTTP", "HTTPS", "ALL", "NO")]
    + [f"{kind}_proxy" for kind in ("http", "https", "all", "no")]
    + ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "LD_LIBRARY_PATH", "SYSTEMROOT"]
)


def uv_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the complete environment for uv: its own settings in *environ*, else those of pip.

    pip takes the best version of all its indexes, and uv of the first that has the package. uv gets pip's
    rule if the further indexes are pip's.
    """
    kept = {name: value for name, value in environ.items() if name in _PASSED_ON or name.startswith("UV_")}
    options = _pip_options(environ)
    for option, (name, separator) in _NAMES.items():
        values = options.get(option, "").split()
        if not values or name in kept or (option == "index-url" and "UV_INDEX_URL" in kept):
            continue
        kept[name] = separator.join(values)
        if option == "extra-index-url":
            kept.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return kept


def uv_index_options(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return options for `uv pip install` that have no variable: pip's `no-index`."""
    is_set = _pip_options(environ).get("no-index", "").lower() in ("1", "true", "yes", "on")
    return ("--no-index",) if is_set else ()


def _pip_options(environ: Mapping[str, str]) -> dict[str, str]:
    """Return pip's options from its files, and from its variables, which win."""
    options: dict[str, str] = {}
    for path in _pip_files(environ):
        parser = ConfigParser(interpolation=None)
        try:
            parser.read_string(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, Error):
            continue
        for section in _SECTIONS:
            if parser.has_section(section):
                options |= {key.replace("_", "-"): value for key, value in parser.items(section)}
    prefix = "PIP_"
    for name, value in environ.items():
        if name.startswith(prefix):
            options[name.removeprefix(prefix).lower().replace("_", "-")] = value
    # pip has one option with two names: PIP_DEFAULT_TIMEOUT is the documented variable.
    options.setdefault("timeout", options.get("default-timeout", ""))
    return options


def _pip_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield pip's configuration files; later ones win. https://pip.pypa.io/en/stable/topics/configuration/"""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    for folder in reversed(environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    if home := environ.get("HOME"):
        yield Path(home, ".pip", "pip.conf")
        yield Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "pip", "pip.conf")
    yield Path(sys.prefix, "pip.conf")
    if named:
        yield Path(named)
