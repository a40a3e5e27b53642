"""The commands and the code of the page about export run as they stand, and print what is shown."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from recce_meta.api.export import RELATIONS
from recce_meta.cli.main import run_command_line
from recce_meta.store.export_document import Document
from tests.docs.test_pages import ROOT, blocks, follows, sessions

pytestmark = pytest.mark.extensive

PAGE = "docs/guides/export.md"


def ran(command: str) -> str:
    """What *command* prints: our own in this process, which is quicker."""
    words = shlex.split(command)
    if words[0] != "recce-meta":
        # The receiver is not there; the shell and its loop over the events are.
        command = re.sub(r"\bpython\b", sys.executable, command).replace("curl -s", "echo")
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
        return done.stdout
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run_command_line(words[1:])
    assert code == 0, (command, err.getvalue())
    out.flush()
    return out.buffer.getvalue().decode()


def test_the_page_of_export_runs_and_prints_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("RECCE_META_", "DBT_"))]:
        monkeypatch.delenv(name)
    for command, shown in sessions(PAGE):
        if found := re.fullmatch(r"export (\w+)=(\S+)", command):
            monkeypatch.setenv(found[1], found[2])
            continue
        printed = [line.rstrip() for line in ran(command).splitlines() if line.strip()]
        assert not shown or follows(shown, printed), (command, shown, printed)

    exporter, code = blocks(PAGE, "python")
    told = io.StringIO()
    with redirect_stdout(told):
        exec(code, {})
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert f"This prints `{told.getvalue().strip()}`" in page
    compile(exporter, PAGE, "exec")


def test_the_page_of_export_names_every_relation_and_member() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    of_tables = page.partition("### CSV and Parquet")[2].partition("\n## ")[0]
    of_json = (ROOT / "docs/reference/export.md").read_text(encoding="utf-8").partition("## JSON")[2]
    of_json = of_json.partition("\n## ")[0]

    assert {name for name in RELATIONS if f"`{name}`" not in of_tables} == set()
    named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", of_json, re.MULTILINE)))
    assert named == list(Document.__struct_fields__)
