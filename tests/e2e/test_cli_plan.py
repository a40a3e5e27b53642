"""`plan`: what dbt must build after a change, as text and as a command, for artifacts on disk."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

from tests.e2e.conftest import DEMO, Cli


def test_the_nodes_to_build_have_their_reasons(cli: Cli) -> None:
    ran = cli("plan", "--base", f"path:{DEMO / 'base'}", "--current", f"path:{DEMO / 'current'}")

    assert ran.code == 0, ran.err
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert "Build 5 of 13 nodes, with their tests" in lines
    for line in (
        "customer_segments added",
        "customers modified",
        "orders modified",
        "store_performance modified",
        "daily_revenue after orders",
        "note: New data of sources are not considered",
    ):
        assert line in lines


def test_the_command_defers_to_the_state_that_is_written(cli: Cli, project: Path) -> None:
    (project / "target-base").rename(project / "base")

    ran = cli.within("shop")("plan", "--base", "path:base", "--format", "command")

    words = shlex.split(ran.out)
    assert ran.code == 0 and words[:3] == ["dbt", "build", "--select"], ran.err
    assert "jaffle_shop.marts.daily_revenue" in words and "New data" not in ran.out
    state = json.loads((project / words[-1] / "manifest.json").read_bytes())
    assert state["nodes"]["model.jaffle_shop.orders"]["relation_name"] == '"jaffle_shop"."prod"."orders"'


def test_without_a_change_there_is_no_command(cli: Cli) -> None:
    shutil.copytree(DEMO / "base", cli.folder / "same")
    sides = ("--base", f"path:{DEMO / 'base'}", "--current", "path:same")

    text, command = cli("plan", *sides), cli("plan", *sides, "--format", "command")

    assert "Nothing to build" in text.out
    assert (command.code, command.out) == (0, "") and "Nothing to build" in command.err
    assert not (cli.folder / "target").exists()
