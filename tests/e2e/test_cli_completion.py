"""Completion as shells ask for it: click's protocol, and bash, zsh and fish on a terminal."""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.cli.known_names import known_nodes, known_runs, location_of

pytestmark = [pytest.mark.skipif(os.name == "nt", reason="shells as POSIX has them"), pytest.mark.extensive]

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source ./script"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; source ./script"),
    "fish": (["fish", "--no-config", "-i"], "source ./script"),
}


def completed(cli: Any, line: str, **environ: str) -> list[str]:
    """The words that bash would offer at the end of *line*, which bash splits at : and =."""
    pieces = []
    for word in line.split(" "):
        pieces += word.replace(":", "\n:\n").replace("=", "\n=\n").strip("\n").split("\n")
    ran = subprocess.run(
        cli.argv,
        cwd=cli.folder,
        env={
            **cli.variables,
            **environ,
            "_RECCE_META_COMPLETE": "bash_complete",
            "COMP_WORDS": "\n".join(pieces),
            "COMP_CWORD": str(len(pieces) - 1),
            "_RECCE_META_LINE": line,
            "_RECCE_META_BREAKS": " \t\n\"'><=;|&(:",
        },
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert ran.stderr == b""
    return [answer.partition(",")[2] for answer in ran.stdout.decode().splitlines() if answer]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("recce-meta ru", ["runs", "runner"]),
        ("recce-meta diff --like", ["--like-dbt"]),
        ("recce-meta diff --color ", ["auto", "always", "never"]),
        ("recce-meta diff b", ["base", "bc1c9a92-00fe-41e5-8a07-006ea22a20ff"]),
        ("recce-meta diff base cu", ["current"]),
        ("recce-meta show --run", []),
        ("recce-meta lineage ord", ["orders", "orders_are_paid_once"]),
        ("recce-meta lineage orders --run cu", ["current"]),
        ("recce-meta value ord", ["orders", "orders_are_paid_once"]),
        ("recce-meta diff -s orders payment_m", ["payment_mix"]),
        ("recce-meta diff base current -s orders payment_m", ["payment_mix"]),
        ("recce-meta diff --select=payment_m", ["payment_mix"]),
        ("recce-meta diff --select=state:ne", ["new"]),
        ("recce-meta diff -s state:modified.b", ["modified.body"]),
        ("recce-meta diff -s +resource_type:mo", ["model"]),
        ("recce-meta runs -e ba", ["base"]),
        ("recce-meta runs --project jaffle", ["jaffle_shop"]),
        ("recce-meta nope ", []),
        ("recce-meta check ru", ["run"]),
        ("recce-meta connection add --adapter re", ["redshift"]),
    ],
)
def test_words_come_from_commands_and_the_store(store: Any, line: str, expected: list[str]) -> None:
    assert completed(store, line) == expected


def test_nothing_is_created_or_locked(store: Any) -> None:
    """A completion leaves the folder as it was, and answers while another process writes."""
    file = store.folder / "store.duckdb"
    before = (sorted(os.listdir(store.folder)), file.stat().st_mtime_ns, file.read_bytes())
    assert completed(store, "recce-meta lineage payment_m") == ["payment_mix"]
    assert (sorted(os.listdir(store.folder)), file.stat().st_mtime_ns, file.read_bytes()) == before

    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; c = duckdb.connect('store.duckdb'); print(flush=True); input()",
        ],
        cwd=store.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        assert completed(store, "recce-meta lineage payment_m") == []
    finally:
        holder.communicate(b"\n")


@pytest.mark.parametrize(
    "url",
    [
        "duckdb:///missing.duckdb",
        "duckdb:///broken.duckdb",
        "snowflake://a/b",
        "postgresql://h@127.0.0.1:1/d",
        ":",
    ],
)
def test_a_store_that_cannot_be_read_gives_no_names_and_no_message(cli: Any, url: str) -> None:
    (cli.folder / "broken.duckdb").write_bytes(b"no database")

    assert completed(cli, "recce-meta diff -s ord", RECCE_META_URL=url) == []
    assert not (cli.folder / "missing.duckdb").exists()


def test_the_profile_names_the_store(store: Any) -> None:
    (store.folder / "dbt_project.yml").write_text("name: jaffle_shop\nprofile: shop\n")
    (store.folder / "profiles.yml").write_text(
        "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: store.duckdb}\n"
    )
    here = type(store)(store.folder)

    assert completed(here, "recce-meta lineage payment_m") == ["payment_mix"]
    assert completed(here, "recce-meta lineage payment_m", RECCE_META_SCHEMA="other") == []


def test_the_manifest_gives_names_without_a_store(cli: Any, project: Path) -> None:
    with duckdb.connect(str(project / "empty.duckdb")):
        pass
    (project / "target" / "manifest.json").write_text(
        '{"nodes": {"model.shop.orders": {"name": "orders", "resource_type": "model", "tags": ["nightly"]}}}'
    )
    here = cli.within(project, RECCE_META_URL="duckdb:///empty.duckdb")

    assert completed(here, "recce-meta lineage o") == ["orders"]
    assert completed(here, "recce-meta diff -s tag:") == ["nightly"]


def test_yaml_selectors_are_those_of_the_project(cli: Any, project: Path) -> None:
    cli, file = cli.within(project), project / "selectors.yml"
    assert completed(cli, "recce-meta diff --selector n") == []
    file.write_text("selectors: [{name: nightly, definition: 'tag:x'}, {name: finance, definition: 'tag:y'}]")

    assert completed(cli, "recce-meta diff --selector n") == ["nightly"]
    assert completed(cli, "recce-meta diff -s +selector:") == ["nightly", "finance"]
    file.write_text("selectors: [{")
    assert completed(cli, "recce-meta diff --selector n") == []


def test_a_postgres_store_gives_names(cli: Any, project: Path, postgres_url: str) -> None:
    place = cli.within(RECCE_META_URL=postgres_url, RECCE_META_SCHEMA=f"completion {os.getpid()}")
    try:
        recorded = place("record", "--target-path", project / "target")
        assert recorded.code == 0, recorded.err
        location = location_of({"url": postgres_url, "schema": place.environ["RECCE_META_SCHEMA"]})
        assert "stg_stores" in {
            node.name for node in known_nodes(location)
        }  # in this process: it has a limit
        assert [run.environment for run in known_runs(location)] == ["current"]
    finally:
        with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
            adapter.execute(f'DROP SCHEMA IF EXISTS "completion {os.getpid()}" CASCADE')


class Terminal:
    """An interactive shell in which recce-meta completes."""

    def __init__(self, cli: Any, shell: str) -> None:
        argv, setup = SHELLS[shell]
        program = cli.folder / "bin" / "recce-meta"
        program.parent.mkdir(exist_ok=True)
        program.write_text(
            '#!/bin/sh\nif [ -z "$_RECCE_META_COMPLETE" ]; then echo "RAN $*"; exit; fi\n'
            f'exec {sys.executable} -m recce_meta "$@"\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        home = cli.folder / "home"
        home.mkdir()
        env = {**cli.variables, "HOME": str(home), "TERM": "xterm", "PS1": "> "}
        env["PATH"] = f"{program.parent}{os.pathsep}{env['PATH']}"
        script = subprocess.run(
            [program], env={**env, "_RECCE_META_COMPLETE": f"{shell}_source"}, capture_output=True, check=True
        )
        (cli.folder / "script").write_bytes(script.stdout)
        ours, theirs = os.openpty()
        self.process = subprocess.Popen(
            argv,
            cwd=cli.folder,
            env=env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # fish requires a terminal of its own
        )
        os.close(theirs)
        self._terminal = ours
        os.write(ours, f"{setup}; echo REA''DY\r".encode())

    def read(self, *, until: str, seconds: float = 120.0) -> str:
        """Return what is shown until *until* appears."""
        shown, deadline = "", time.monotonic() + seconds
        while until not in shown and time.monotonic() < deadline:
            if select.select([self._terminal], [], [], 0.2)[0]:
                try:
                    shown += os.read(self._terminal, 65536).decode("utf-8", "replace")
                except OSError:  # the shell has ended
                    break
        assert until in shown, shown
        return shown

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._terminal)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_selectors_with_a_colon(store: Any, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    terminal = Terminal(store, shell)
    try:
        terminal.read(until="READY\r\n")
        for typed, line in (
            ("diff -s orders state:modified.b", "diff -s orders state:modified.body"),
            ("diff base curr", "diff base current"),
            ("value --select=payment_m", "value --select=payment_mix"),
            ("diff -s +resource_t\tmod", "diff -s +resource_type:model"),
        ):
            terminal.type(f"recce-meta {typed}\t\r")
            terminal.read(until=f"RAN {line}")
    finally:
        terminal.close()
