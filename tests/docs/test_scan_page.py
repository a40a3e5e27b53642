"""The page on scans: its session prints what it shows, its words are those of the diff, and its code runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recce_meta.diff.scan import ATTRIBUTES
from recce_meta.models import Reason
from tests.docs.test_pages import EXIT, ROOT, blocks, follows, sessions, shell

pytestmark = pytest.mark.extensive

__all__ = ["shell"]
PAGE = "docs/guides/scan.md"


@pytest.mark.skipif(os.name == "nt", reason="the examples are for a POSIX shell")
def test_the_session_of_the_page_prints_what_it_shows(tmp_path: Path, shell: dict[str, str]) -> None:
    for text in blocks(PAGE, "sql"):
        name = re.match(r"-- (\w+\.sql)\n", text)
        assert name is not None
        (tmp_path / name[1]).write_text(text, encoding="utf-8")

    for command, shown in sessions(PAGE):
        if name := re.fullmatch(r"export (\w+)=(\S+)", command):
            shell[name[1]] = name[2]
            continue
        ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=shell, capture_output=True, check=False)
        expected = EXIT.search(command)
        assert ran.returncode == (int(expected[1]) if expected else 0), (command, ran.stderr.decode())
        printed = [line.rstrip() for line in ran.stdout.decode("utf-8").splitlines() if line.strip()]
        assert follows(shown, printed), (command, shown, printed)

    (code,) = blocks(PAGE, "python")
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=shell, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["3", "0", "0"]


def test_the_page_names_every_attribute_of_a_column_and_every_reason_that_a_scan_can_have() -> None:
    text = (ROOT / "docs/reference/scan.md").read_text(encoding="utf-8")
    never = {Reason.COMPILED, Reason.RELATION, Reason.MACROS, Reason.DATA}

    assert all(f"`price.{attribute}`" in text for attribute in ATTRIBUTES)
    assert all(f"`{reason.value}`" in text for reason in Reason if reason not in never)
