"""Messages about every error that a file of checks can have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recce_meta.checks.file import read_check_file
from recce_meta.errors import ConfigurationError
from recce_meta.models.checks import AnyCheck, BrokenCheck

HERE = Path(__file__).parent

UNREADABLE = {
    "empty": "",
    "a text": "checks",
    "a list": "- name: orders\n  type: schema_diff\n",
    "another key": "check:\n  - name: orders\n",
    "no list": "checks: {name: orders}\n",
    "no YAML": "checks:\n\t- name: orders\n",
    "two lists": "checks:\n  - name: orders\n    type: simple\nchecks: []\n",
    "recce's own part twice": "checks: []\ncloud:\n  host: a\n  host: b\n",
    "two documents": "checks: []\n---\nchecks: []\n",
    "a control character": "checks: [\0]\n",
    "nested without end": "checks: " + "[" * 100_000,
}


def problem_report(checks: tuple[AnyCheck, ...]) -> str:
    lines = []
    for check in checks:
        lines.append(f"{check.name} [{check.type}] line {check.line}")
        if isinstance(check, BrokenCheck):
            for problem in check.problems:
                lines.append(f"  {problem.message}")
                lines += [f"  hint: {problem.hint}"] if problem.hint else []
        else:
            lines.append("  is sound")
    return "\n".join(lines) + "\n"


def test_each_broken_check_is_told_with_its_line(
    check_golden: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HERE / "broken")

    check_golden(HERE / "broken" / "expected.txt", problem_report(read_check_file(Path("checks.yml"))))


def test_a_file_that_holds_no_checks_is_refused(
    check_golden: Callable[[Path, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = []
    for case, content in UNREADABLE.items():
        Path("checks.yml").write_text(content, encoding="utf-8")
        with pytest.raises(ConfigurationError) as caught:
            read_check_file(Path("checks.yml"))
        lines.append(f"{case}:\n{caught.value!s}\n\n")

    check_golden(HERE / "broken" / "unreadable.txt", "".join(lines))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"Cannot read .*checks\.yml: No such file"):
        read_check_file(tmp_path / "checks.yml")
