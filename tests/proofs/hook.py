"""Proof that `hook` never hurts the job: a seeded series of broken configurations, stores and disks.

    python -m tests.proofs.hook [--seconds 600] [--seed 1]

Each case breaks one to three things at random, and runs a job that counts its runs. The job must run once,
with its own arguments, streams and exit code, and recce_meta must not end with a traceback. Prints each case
that fails, and exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tests.proofs.clock import Clock

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "recce_meta" / "demo_data" / "base"
SECONDS = 120
"""Limit of one case, which includes the 60 s that a store may take."""

JOB = """
import pathlib, shutil, sys
open("runs", "a").write("ran ")
shutil.copytree(sys.argv[2], "target", dirs_exist_ok=True, copy_function=shutil.copyfile)
print("output of the job", sys.argv[3:], sys.stdin.read())
sys.exit(int(sys.argv[1]))
"""
GARBAGE = (
    "nonsense",
    "",
    "\\0",
    "-1",
    "nan",
    "yes",
    "true;false",
    "a: [",
    "${HOME}",
    "é\N{SNOWMAN}",
    "9" * 400,
    "//",
    "%s",
)


class Place(NamedTuple):
    """What a case may break."""

    folder: Path
    environ: dict[str, str]
    draw: random.Random

    def write(self, name: str, text: str | bytes) -> None:
        """Replace the file *name* by *text*."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def folder_instead(self, name: str) -> None:
        """Put a folder in place of the file *name*."""
        (self.folder / name).unlink(missing_ok=True)
        (self.folder / name).mkdir(parents=True, exist_ok=True)


CONFIGURATIONS: tuple[str | bytes, ...] = (
    "store: [",
    "strore: {target: prod}",
    "store: {tarbet: prod}",
    "store: 5",
    "- a\n- b",
    "store: a\nstore: b",
    "store: postgresql://u:hunter2@h/x",
    "privacy: maybe",
    "environments: {current: {target: 7}}",
    "fail_on: {diff: {}}",
    "threads: many",
    "nodes: [1]",
    "? [a, b]\n: c",
    "store: !!python/object:os.system {}",
    "a: &a [*a]",
    "\t- x",
    "store: {url: 'sqlite://nowhere'}",
    "project: " + "[" * 400,
    "store: " + "x" * 100_000,
    b"\xff\xfe\x00s",
    b"store: \x00",
)
PROFILES: tuple[str, ...] = (
    "shop: [",
    "shop: {target: nowhere, outputs: {}}",
    "shop: {target: dev, outputs: {dev: {type: nosuch}}}",
    "shop: {target: dev, outputs: {dev: {type: duckdb, path: \"{{ env_var('NOT_SET') }}\"}}}",
    "shop: {target: dev, outputs: {dev: {type: duckdb, path: '{{'}}}",
    "shop: {target: dev, outputs: {dev: {type: postgres, host: 127.0.0.1, port: 1, user: u, pass: p}}}",
    "shop: {target: dev, outputs: {dev: {type: postgres}}}",
    "shop: {target: dev, outputs: {dev: {type: snowflake, account: a}}}",
    "",
)
STORES = (
    "nonsense",
    "://",
    "duckdb:///nowhere/store.duckdb",
    "duckdb:////proc/store.duckdb",
    "duckdb:///target",
    "duckdb:///garbage.duckdb",
    "sqlite:///garbage.duckdb",
    "postgresql://u:hunter2@127.0.0.1:1/x",
    "postgresql://u:hunter2@host.invalid/x",
    "postgresql://127.0.0.1:99999/x",
    "mysql://u@127.0.0.1:1/x",
    "nosuch://h/x",
    "duckdb:///:memory:",
)
VARIABLES = (
    *("URL", "TARGET", "PROFILE", "PROFILES_DIR", "PROJECT_DIR", "SCHEMA", "LOCK_TIMEOUT", "TARGET_PATH"),
    *(
        "ENVIRONMENT",
        "RUN_ID",
        "TARGET_NAME",
        "GIT_SHA",
        "BRANCH",
        "PULL_REQUEST",
        "STATS",
        "NO_VALUES",
        "VALUES",
    ),
    *("PRIVATE", "DATA_TARGET", "GIT_DIRTY", "GIT_CLEAN", "NO_COLUMNS", "COLUMN_TIMEOUT", "HOOK_TO", "TO"),
    *(
        "CONNECTION",
        "ACCEPT_PROJECT",
        "QUIET",
        "VERBOSE",
        "DEBUG",
        "LOG_FILE",
        "COLOR",
        "HOOK_STRICT",
        "UNKNOWN",
    ),
)
OTHER_VARIABLES = (
    *(
        "DBT_PROFILES_DIR",
        "DBT_PROJECT_DIR",
        "DBT_TARGET_PATH",
        "DBT_TARGET",
        "DBT_PROFILE",
        "COLUMNS",
        "NO_COLOR",
    ),
    *(
        "FORCE_COLOR",
        "TERM",
        "LANG",
        "LC_ALL",
        "HOME",
        "XDG_CACHE_HOME",
        "GIT_DIR",
        "GIT_CONFIG_GLOBAL",
        "CI",
        "TZ",
    ),
    *(
        "GITHUB_ACTIONS",
        "GITHUB_EVENT_PATH",
        "GITHUB_SHA",
        "GITHUB_REF",
        "GITLAB_CI",
        "CI_COMMIT_SHA",
        "TMPDIR",
    ),
)


def break_configuration(place: Place) -> str:
    """Write a recce_meta.yml that is wrong."""
    text = place.draw.choice(CONFIGURATIONS)
    place.write("recce_meta.yml", text)
    return f"recce_meta.yml {text[:40]!r}"


def break_pyproject(place: Place) -> str:
    """Write a pyproject.toml whose table is wrong."""
    text = place.draw.choice(("x = 1", "store = [", "threads = 'many'", "privacy = 3"))
    place.write("pyproject.toml", f"[tool.recce-meta]\n{text}\n")
    return f"pyproject.toml {text!r}"


def break_profiles(place: Place) -> str:
    """Write a profiles.yml that is wrong, and let the store be its target."""
    text = place.draw.choice(PROFILES)
    place.write("profiles.yml", text)
    place.environ.pop("RECCE_META_URL", None)
    return f"profiles.yml {text[:60]!r}"


def break_project(place: Place) -> str:
    """Write a dbt_project.yml that is wrong."""
    text = place.draw.choice(("name: [", "", "name: 5", "- x", "name: ../../x\nprofile: shop"))
    place.write("dbt_project.yml", text)
    return f"dbt_project.yml {text!r}"


def break_variable(place: Place) -> str:
    """Set a variable of recce_meta to nonsense."""
    name, value = f"RECCE_META_{place.draw.choice(VARIABLES)}", place.draw.choice(GARBAGE).replace("\0", "0")
    place.environ[name] = value
    return f"{name}={value[:20]!r}"


def break_other_variable(place: Place) -> str:
    """Set a variable of others to nonsense."""
    name, value = (
        place.draw.choice(OTHER_VARIABLES),
        place.draw.choice(("/nowhere/x", "nonsense", "", "é", "-3", "/dev/null")),
    )
    place.environ[name] = value
    return f"{name}={value!r}"


def break_store(place: Place) -> str:
    """Name a store that cannot be used."""
    url = place.environ["RECCE_META_URL"] = place.draw.choice(STORES)
    return f"store {url}"


def break_output(place: Place) -> str:
    """Let the log be written where nothing can be written."""
    file = place.environ["RECCE_META_LOG_FILE"] = place.draw.choice(
        ("/dev/full", "/nowhere/log", "home", "/proc/log")
    )
    return f"log {file}"


def break_file(place: Place) -> str:
    """Put a folder or a pipe where a file is expected."""
    name = place.draw.choice(
        (
            "recce_meta.yml",
            "dbt_project.yml",
            "profiles.yml",
            "store.duckdb",
            ".env",
            ".git",
            "pyproject.toml",
        )
    )
    if place.draw.random() < 0.5 or not hasattr(os, "mkfifo"):
        place.folder_instead(name)
        return f"folder {name}"
    path = place.folder / name
    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    os.mkfifo(path)
    return f"pipe {name}"


def break_artifacts(place: Place) -> str:
    """Let the job leave artifacts that cannot be read."""
    text = place.draw.choice(('{"nodes": ', "[]", "", '{"metadata": 5}', '{"nodes": {"a": 1}}', "\\ufeff{}"))
    place.write("broken/manifest.json", text)
    place.environ["ARTIFACTS"] = "broken"
    return f"artifacts {text!r}"


def break_catalog(place: Place) -> str:
    """Let one of the other artifacts be wrong."""
    shutil.copytree(DEMO, place.folder / "half", dirs_exist_ok=True)
    name = place.draw.choice(("catalog.json", "run_results.json"))
    place.write(f"half/{name}", place.draw.choice(("{", "[]", '{"results": 3, "nodes": []}')))
    place.environ["ARTIFACTS"] = "half"
    return f"half artifacts, {name}"


def break_git(place: Place) -> str:
    """Put a damaged repository around the project."""
    place.write(".git/HEAD", place.draw.choice(("ref: refs/heads/\\0", "", "nonsense")))
    return "damaged .git"


def silence(place: Place) -> str:
    """Name a store that accepts connections and never answers."""
    place.environ["RECCE_META_URL"] = place.environ["SILENT"]
    return "silent store"


BREAKAGES: tuple[tuple[Callable[[Place], str], int], ...] = (
    (break_configuration, 20),
    (break_pyproject, 4),
    (break_profiles, 8),
    (break_project, 5),
    (break_variable, 30),
    (break_other_variable, 10),
    (break_store, 12),
    (break_output, 4),
    (break_file, 8),
    (break_artifacts, 5),
    (break_catalog, 4),
    (break_git, 3),
)
"""Ways to break something, with their weights."""
SILENT_SHARE = 0.01
"""Share of cases with a silent store, each of which takes up to a minute."""


@contextmanager
def silent_server() -> Iterator[str]:
    """Yield the URL of a PostgreSQL that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"postgresql://u:hunter2@127.0.0.1:{server.getsockname()[1]}/x"
        finally:
            # Closing does not end the wait, and the next server may get the same descriptor.
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in held:
                connection.close()


def failure_of(seed: int, silent: str | None) -> tuple[str, str | None]:
    """Run the case of *seed*; return what was broken, and what is wrong with the outcome, if anything is."""
    draw = random.Random(seed)
    kept = {
        name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "shop")
        (folder / "home").mkdir(parents=True)
        (folder / "dbt_project.yml").write_text("name: jaffle_shop\nprofile: shop\n")
        (folder / "profiles.yml").write_text(
            "shop: {target: dev, outputs: {dev: {type: duckdb, path: store.duckdb}}}\n"
        )
        (folder / "garbage.duckdb").write_bytes(b"garbage" * 1000)
        (folder / "job.py").write_text(JOB)
        environ = {
            **kept,
            "HOME": str(folder / "home"),
            "PYTHONPATH": str(ROOT),
            "DBT_PROFILES_DIR": str(folder),
            "RECCE_META_URL": "duckdb:///store.duckdb",
            "ARTIFACTS": str(DEMO),
            "SILENT": silent or "nonsense",
        }
        place = Place(folder, environ, draw)
        kinds, weights = zip(*BREAKAGES, strict=True)
        chosen = draw.choices(kinds, weights, k=draw.randint(1, 3))
        if silent is not None and draw.random() < SILENT_SHARE:
            chosen.append(silence)
        told = "; ".join(breaking(place) for breaking in chosen)
        code, words = draw.choice((0, 0, 1, 2, 77)), ["--vars", "{a: 'b c'}", "--strict", "é"]
        # The job reports its own environment's values, not ours.
        job = [sys.executable, "-E", "-X", "utf8", "job.py", str(code), environ["ARTIFACTS"], *words]
        try:
            ran = subprocess.run(
                [sys.executable, "-m", "recce_meta", "hook", "--", *job],
                cwd=folder,
                env=environ,
                input=b"input",
                capture_output=True,
                check=False,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            return told, f"did not end within {SECONDS} s"
        runs = (folder / "runs").read_text() if (folder / "runs").exists() else ""
        out, err = ran.stdout.decode("utf-8", "replace"), ran.stderr.decode("utf-8", "replace")
        for is_right, what in (
            (runs == "ran ", f"the job ran {runs.count('ran')} times"),
            (ran.returncode == code, f"exit code {ran.returncode}, not {code}"),
            (out.strip() == f"output of the job {words} input", f"output {out!r}"),
            ("Traceback" not in err, "a traceback"),
            ("this is a bug" not in err, "a bug"),
            ("hunter2" not in err, "a password"),
        ):
            if not is_right:
                return told, f"{what}: {err[-400:]}"
        return told, None


def failures(seeds: Iterable[int], *, processes: int = 2) -> Iterator[str]:
    """Run the cases of *seeds*, and yield those that fail with what is wrong."""
    with silent_server() as silent, ThreadPoolExecutor(processes) as pool:
        # A few at a time: the seeds may end with a time limit.
        waiting = iter(seeds)
        while some := list(islice(waiting, 4 * processes)):
            outcomes = pool.map(partial(failure_of, silent=silent), some)
            for seed, (told, wrong) in zip(some, outcomes, strict=True):
                if wrong is not None:
                    yield f"case {seed}: {told}: {wrong}"


def main() -> None:
    """Run the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    clock, _ = Clock.of(parser)
    found = 0
    for failure in failures(clock.seeds()):
        found += 1
        print(failure, flush=True)
    print(clock.report(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
