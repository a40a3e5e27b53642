"""Extractors of other packages in `record --from`: found by name, and named in every error."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Cli

EXTRACTOR = """
from datetime import datetime, timezone
from recce_meta import NodeMetadata, Project, RunMetadata

def node(folder, name):
    code = (folder / f"{name}.sql").read_text()
    return NodeMetadata(
        unique_id=f"model.tiny.{name}", name=name, resource_type="model", relation_name=f"main.{name}",
        compiled_code=code, raw_code=code, parents=("model.tiny.a",) if name == "b" else (),
    )

def extract(folder):
    now = datetime.now(timezone.utc)
    run = RunMetadata(run_id="", run_at=now, project_name="tiny", adapter_type="duckdb")
    return Project(run=run, nodes=(node(folder, "b"), node(folder, "a")))

def fail(folder):
    return 1 / 0

def twice(folder):
    project = extract(folder)
    return type(project)(run=project.run, nodes=project.nodes * 2)

def nothing(folder):
    return None

number = 5
"""
ENTRY_POINTS = """
[recce_meta.extractors]
tiny = tiny_extractor:extract
fails = tiny_extractor:fail
twice = tiny_extractor:twice
nothing = tiny_extractor:nothing
number = tiny_extractor:number
sql = tiny_extractor:fail
database = tiny_extractor:fail
"""


@pytest.fixture
def tiny(process_cli: Cli, tmp_path: Path) -> Cli:
    """The command, with a package of extractors, and a folder `project` of two files."""
    site = tmp_path / "site"
    info = site / "tiny_extractor-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "tiny_extractor.py").write_text(EXTRACTOR, encoding="utf-8")
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: tiny-extractor\nVersion: 1.0\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.sql").write_text("select 1 as x", encoding="utf-8")
    (project / "b.sql").write_text("select x from main.a", encoding="utf-8")
    path = os.pathsep.join([str(site), str(ROOT)])
    return process_cli.within(PYTHONPATH=path, RECCE_META_URL="duckdb:///store.duckdb")


@pytest.mark.extensive
def test_a_plugin_s_project_is_recorded_once_compared_and_traced(tiny: Cli, tmp_path: Path) -> None:
    source = ("--from", "tiny", "project")
    first = tiny("record", *source, "-e", "base")
    again = tiny("record", *source, "-e", "base")
    (tmp_path / "project" / "a.sql").write_text("select 2 as x", encoding="utf-8")
    edited = tiny("record", *source, "--branch", "feature", "--format", "json")
    diff = tiny("diff", "base", "current", "--format", "json")
    lineage = tiny("lineage", "a", "--format", "json")

    assert [ran.code for ran in (first, again, edited, diff, lineage)] == [0] * 5, edited.err + diff.err
    assert "was already recorded; nothing written" in again.out
    run = json.loads(edited.out)["run"]
    assert (run["extractor"], run["environment"], run["branch"]) == ("tiny", "current", "feature")
    assert (run["node_count"], run["edge_count"]) == (2, 1)
    assert [one["unique_id"] for one in json.loads(diff.out)["changes"]] == ["model.tiny.a"]
    assert [one["unique_id"] for one in json.loads(lineage.out)["nodes"]] == ["model.tiny.a", "model.tiny.b"]


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("fails", 3, "Cannot use extractor 'fails' of tiny-extractor: ZeroDivisionError: division by zero"),
        ("twice", 3, "'twice' of tiny-extractor: ValueError: several nodes have the unique id model.tiny.a"),
        ("nothing", 3, "'nothing' of tiny-extractor: TypeError: it returned NoneType instead of"),
        ("number", 3, "Cannot use extractor 'number' of tiny-extractor: 5 is not callable"),
        ("tinny", 2, "Unknown extractor 'tinny'\nhint: did you mean 'tiny'?"),
        ("database", 2, "Unknown extractor 'database'"),
    ],
)
def test_an_error_names_the_extractor_and_its_package(
    tiny: Cli, source: str, code: int, message: str
) -> None:
    ran = tiny("record", "--from", source, "project")

    assert ran.code == code
    assert message in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.extensive
def test_options_of_other_sources_are_refused(tiny: Cli) -> None:
    assert (
        "--dialect requires --from sql" in tiny("record", "--from", "tiny", "project", "--dialect", "x").err
    )
    ran = tiny("record", "--from", "tiny", "project", "--target-path", "x")
    assert (ran.code, ran.err.splitlines()[0]) == (
        2,
        "error: --target-path cannot be combined with --from tiny",
    )
    assert "Folder not found: nowhere" in tiny("record", "--from", "tiny", "nowhere").err


def test_doctor_reports_an_extractor_with_a_built_in_name(tiny: Cli) -> None:
    out = tiny("doctor").out

    assert "Plugin 'sql' of tiny-extractor is ignored: recce_meta has an extractor of that name" in out
