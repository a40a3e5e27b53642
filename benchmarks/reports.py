"""Reports of a diff of 5,000 changed nodes, in every format."""

from __future__ import annotations

from datetime import datetime, timezone

from benchmarks.measure import Figure, in_turns, within
from recce_meta.models import Change, ChangeDetail, Impact, LineageEdge, Reason, RunDiff, RunMetadata, Status
from recce_meta.report import diff_json, diff_markdown, diff_text

RUN = RunMetadata(run_id="r1", run_at=datetime(2026, 11, 19, tzinfo=timezone.utc), project_name="shop")
NODES = 5_000
LINES = 50_000


def modified(index: int) -> Change:
    """Return a change of two lines in sixty."""
    old = "".join(f"line {number} of {index}\n" for number in range(60))
    new = old.replace("line 7 ", "line seven ").replace("line 40 ", "line forty ")
    return body_change(f"model.shop.model_{index:05}", old, new)


def body_change(unique_id: str, old: str, new: str) -> Change:
    """Return a node with its code changed from *old* to *new*."""
    return Change(
        unique_id=unique_id,
        name=unique_id.rsplit(".", 1)[-1],
        resource_type="model",
        status=Status.MODIFIED,
        reasons=(Reason.BODY,),
        details=(ChangeDetail(Reason.BODY, "raw_code", old, new),),
    )


def large_diff() -> RunDiff:
    """Return a diff of 5,000 changed nodes that affect 5,000 other nodes."""
    changes = tuple(map(modified, range(NODES)))
    origin = changes[0].unique_id
    impacted = tuple(
        Impact(unique_id=f"model.shop.m{i}", name=f"m{i}", resource_type="model", distance=1, origin=origin)
        for i in range(NODES)
    )
    children = tuple(LineageEdge(impact.unique_id, origin) for impact in impacted)
    return RunDiff(base=RUN, current=RUN, changes=changes, impacted=impacted, children=children)


def run() -> list[Figure]:
    """Measure each format of a large diff, and two long texts without common lines."""
    large = large_diff()
    old, new = ("".join(f"{word} {number}\n" for number in range(LINES)) for word in ("old", "new"))
    apart = RunDiff(base=RUN, current=RUN, changes=(body_change("model.shop.a", old, new),))
    works = {
        "as text": lambda: diff_text(large, width=100, color=True),
        "as Markdown": lambda: diff_markdown(large),
        "as JSON": lambda: diff_json(large),
    }
    told = in_turns(*works.values(), rounds=3)
    (long,) = in_turns(lambda: diff_text(apart, width=80, color=False), rounds=3)
    return [
        *(
            within(f"report 5,000 changes {how}", timing, 0.1)
            for how, timing in zip(works, told, strict=True)
        ),
        within("compare two texts of 50,000 lines that share none", long, 2),
    ]
