"""Remarks on changed lines of files, which GitHub and GitLab show in a pull or merge request.

Each changed node with an effect on others has one remark, at the first changed line of its file, and the most
harmful come first. GitHub reads workflow commands in the output of a job, and shows ten of a level per step:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
GitLab reads a report of the job, whose fields it documents:
https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import NamedTuple, TypeAlias

import msgspec

from recce_meta.errors import first_of, plural
from recce_meta.models.change import Category, Change, Impact, Reason, RunDiff, Status
from recce_meta.report.diff_details import FAILS, changed_regions, code_lines, effect_label, effect_phrases
from recce_meta.report.labels import by_harm, more_phrase, node_label
from recce_meta.report.review.phrases import failures

MOST_OF_A_LEVEL = 10
"""Remarks of one level that GitHub shows for a step."""
LEVELS = {"error": "critical", "warning": "major", "notice": "minor"}
"""Levels of GitHub, with the severities of GitLab."""
NAMES_SHOWN = 5
ReadFile: TypeAlias = Callable[[str], str | None]
"""Returns the text of a file of the project, by its path in the project; None if it cannot be read."""


class Remark(NamedTuple):
    """Remark on the lines of a file, counted from 1."""

    path: str
    line: int
    end_line: int
    level: str
    title: str
    text: str


def remarks(diff: RunDiff, read: ReadFile, prefix: str = "") -> Iterator[Remark]:
    """Yield the remarks on *diff*, the most harmful first; *read* returns the files of the project.

    *prefix* is the path of the project in its repository, such as `dbt/`. Nodes of packages and removed files
    have no line.
    """
    failing: dict[str, list[Impact]] = {}
    for impact in diff.impacted:
        if impact.fails or impact.may_fail:
            failing.setdefault(impact.origin, []).append(impact)
    sentences = failures(diff)
    affected = Counter(impact.origin for impact in diff.impacted)
    for change in by_harm(diff.changed):
        package = change.unique_id.split(".")[1:2]
        if change.status is Status.REMOVED or package != [diff.current.project_name] or not change.path:
            continue
        found = failing.get(change.unique_id, [])
        level = _level(change, found)
        if level is None:
            continue
        start, end = _lines(change, read)
        own = sentences.get(change.unique_id, "")
        phrases = [own, *([] if change.build_failure else effect_phrases(change))]
        phrases = phrases if any(phrases) else [effect_label(change)]
        if affected[change.unique_id]:
            phrases.append(f"{plural(affected[change.unique_id], 'node')} affected")
        certain = [sentences[one.unique_id] for one in found if one.fails]
        phrases += [
            *certain[:NAMES_SHOWN],
            *([more_phrase(len(certain) - NAMES_SHOWN)] if certain[NAMES_SHOWN:] else []),
        ]
        possible = [node_label(one) for one in found if not one.fails]
        phrases += [f"may fail: {first_of(possible, NAMES_SHOWN)}"] if possible else []
        title = f"{node_label(change)}: {FAILS if own else effect_label(change) or change.status.value}"
        yield Remark(f"{prefix}{change.path}", start, end, level, title, "\n".join(filter(None, phrases)))


def _level(change: Change, failing: list[Impact]) -> str | None:
    """Return the level of the remark on *change*; None if it has no effect to remark on."""
    if change.fails or any(one.fails for one in failing):
        return "error"
    if change.category is Category.BREAKING or failing:
        return "warning"
    return "notice" if change.category in (Category.PARTIAL_BREAKING, Category.UNKNOWN) else None


def _lines(change: Change, read: ReadFile) -> tuple[int, int]:
    """Return the first and last line of the first change in the file of *change*; 1 for other changes."""
    code = next((one for one in change.details if one.reason is Reason.BODY and one.key == "raw_code"), None)
    if code is None or not isinstance(code.base, str) or not isinstance(code.current, str):
        return 1, 1
    regions = changed_regions(code_lines(code.base), code_lines(code.current))
    if not regions:
        return 1, 1
    # dbt strips the file's text, and a block of a snapshot is a part of it.
    text = (read(change.path) or "").replace("\r\n", "\n")
    place = text.find(code.current.replace("\r\n", "\n").strip("\n"))
    above = text.count("\n", 0, place) if place > 0 else 0
    first = regions[0]
    # Lines that were removed are missing: the line that follows them is next to the change.
    start = min(first.current_start, len(code_lines(code.current)) - 1)
    return above + start + 1, above + max(first.current_end, start + 1)


def diff_github(diff: RunDiff, read: ReadFile, prefix: str = "") -> str:
    """Return the remarks on *diff* as workflow commands of GitHub Actions."""
    shown: Counter[str] = Counter()
    lines = []
    for one in remarks(diff, read, prefix):
        shown[one.level] += 1
        if shown[one.level] <= MOST_OF_A_LEVEL:
            where = f"file={_property(one.path)},line={one.line},endLine={one.end_line}"
            lines.append(f"::{one.level} {where},title={_property(one.title)}::{_data(one.text)}\n")
    return "".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def diff_codequality(diff: RunDiff, read: ReadFile, prefix: str = "") -> str:
    """Return the remarks on *diff* as a code quality report of GitLab, in JSON."""
    found = [
        {
            "description": f"{one.title}. {one.text}".replace("\n", "; "),
            "check_name": "recce_meta",
            "fingerprint": sha256(f"{one.path}\0{one.title}\0{one.text}".encode()).hexdigest(),
            "severity": LEVELS[one.level],
            "location": {"path": one.path, "lines": {"begin": one.line, "end": one.end_line}},
        }
        for one in remarks(diff, read, prefix)
    ]
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"
