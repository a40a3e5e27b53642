"""Remarks on the lines of files: which changes have one, where it is, and how each forge reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone

import pytest

from recce_meta.models import RunMetadata
from recce_meta.models.change import (
    Category,
    Change,
    ChangeDetail,
    Impact,
    Reach,
    ReachedBy,
    Reason,
    RunDiff,
    Status,
)
from recce_meta.report import diff_codequality, diff_github, diff_markdown, diff_text
from recce_meta.report.review.remarks import MOST_OF_A_LEVEL, Remark, remarks

RUN = RunMetadata(run_id="1", project_name="shop", run_at=datetime(2026, 11, 1, tzinfo=timezone.utc))


def changed(
    name: str,
    before: str = "select 1",
    after: str = "select 2",
    category: Category | None = Category.BREAKING,
    package: str = "shop",
    status: Status = Status.MODIFIED,
    reached: ReachedBy | None = None,
) -> Change:
    return Change(
        unique_id=f"model.{package}.{name}",
        name=name,
        resource_type="model",
        path=f"models/{name}.sql",
        status=status,
        reasons=(Reason.BODY,),
        details=(ChangeDetail(Reason.BODY, "raw_code", before, after),),
        category=category,
        category_reasons=("filter changed",),
        reached=reached,
    )


def impact(name: str, origin: str, *, fails: bool = False, may_fail: str = "") -> Impact:
    return Impact(
        unique_id=f"model.shop.{name}",
        name=name,
        resource_type="model",
        distance=1,
        origin=f"model.shop.{origin}",
        fails=fails,
        may_fail=may_fail,
    )


def found(*changes: Change, impacted: tuple[Impact, ...] = (), files: Mapping[str, str] = {}) -> list[Remark]:
    diff = RunDiff(base=RUN, current=RUN, changes=changes, impacted=impacted)
    return list(remarks(diff, files.get, "dbt/"))


def test_the_level_says_whether_something_fails() -> None:
    changes = [
        changed("partial", category=Category.PARTIAL_BREAKING),
        changed("fine", category=Category.NON_BREAKING),
        changed("gone", status=Status.REMOVED),
        changed("theirs", package="dbt_utils"),
        changed("fatal"),
        changed("worse"),
        changed(
            "broken",
            category=Category.NONE,
            reached=ReachedBy(origins=("model.shop.fatal",), reach=Reach.ROWS, fails=True),
        ),
    ]
    impacted = (
        impact("a", "fatal", fails=True),
        impact("b", "fatal"),
        impact("c", "worse", may_fail="a star"),
    )

    said = {one.title.partition(":")[0]: (one.level, one.text) for one in found(*changes, impacted=impacted)}

    assert list(said) == ["broken", "fatal", "worse", "partial"]
    assert said["fatal"] == (
        "error",
        "breaking: filter changed\n2 nodes affected\na fails because of the change of fatal",
    )
    assert said["worse"] == ("warning", "breaking: filter changed\n1 node affected\nmay fail: c")
    assert (said["broken"][0], said["partial"]) == ("error", ("notice", "partial breaking"))


@pytest.mark.parametrize(
    ("before", "after", "text", "lines"),
    [
        ("a\nb\nc", "a\nx\ny\nc", "\n\na\nx\ny\nc\n", (4, 5)),
        ("a\nb\nc", "a\nc", "a\nc\n", (2, 2)),
        ("a\nb", "a", "a\n", (1, 1)),
        ("a\nb", "a\nz", "{% snapshot s %}\r\na\r\nz\r\n{% endsnapshot %}", (3, 3)),
        ("a\nb", "a\nz", "another file", (2, 2)),
        ("a", "a", "a", (1, 1)),
    ],
)
def test_the_lines_are_those_of_the_file(before: str, after: str, text: str, lines: tuple[int, int]) -> None:
    (remark,) = found(changed("m", before, after), files={"models/m.sql": text})

    assert (remark.path, remark.line, remark.end_line) == ("dbt/models/m.sql", *lines)


def test_github_reads_names_of_any_kind_and_ten_of_a_level() -> None:
    odd = changed("a,b:c%\nd")
    many = [changed(f"m{number}") for number in range(MOST_OF_A_LEVEL + 3)]
    diff = RunDiff(base=RUN, current=RUN, changes=(odd, *many))

    lines = diff_github(diff, {}.get).splitlines()

    assert len(lines) == MOST_OF_A_LEVEL
    assert lines[0] == (
        "::warning file=models/a%2Cb%3Ac%25%0Ad.sql,line=1,endLine=1,"
        "title=a%2Cb%3Ac%25%0Ad%3A breaking::breaking: filter changed"
    )


def test_gitlab_gets_each_remark_with_a_fingerprint_of_its_own() -> None:
    diff = RunDiff(base=RUN, current=RUN, changes=tuple(changed(f"m{number}") for number in range(20)))

    report = json.loads(diff_codequality(diff, {}.get, "dbt/"))

    assert len({one["fingerprint"] for one in report}) == 20
    assert report[0]["location"] == {"path": "dbt/models/m0.sql", "lines": {"begin": 1, "end": 1}}
    assert report[0]["severity"] == "major" and report[0]["description"].startswith("m0: breaking. ")
    assert json.loads(diff_codequality(RunDiff(base=RUN, current=RUN, changes=()), {}.get)) == []


def test_what_fails_and_may_fail_comes_before_what_only_changes() -> None:
    impacted = (
        *(impact(name, "fatal") for name in "abcdefgh"),
        impact("perhaps", "fatal", may_fail="a star"),
        impact("sure", "fatal", fails=True),
    )
    diff = RunDiff(base=RUN, current=RUN, changes=(changed("fatal"),), impacted=impacted)
    listed = next(
        line for line in diff_text(diff, width=80, color=False).splitlines() if "1 step away" in line
    )
    in_comment = next(line for line in diff_markdown(diff).splitlines() if "1 step away:" in line)

    for line in (listed, in_comment):
        assert re.findall(r"sure|perhaps|\bb\b", line)[:2] == ["sure", "perhaps"], line
