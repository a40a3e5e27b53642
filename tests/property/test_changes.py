"""Laws of change detection."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recce_meta.diff.changes import detect_changes
from recce_meta.diff.code import same_code
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import NodeMetadata, Project, Reason, Status
from recce_meta.models.relation_tokens import resolve, tokenise
from tests.conftest import applied
from tests.proofs import sampled

DATA = Path(__file__).parents[1] / "data"
NODE = NodeMetadata(unique_id="model.p.m", name="m", resource_type="model", language="sql")

WORDS = [
    "select",
    "from",
    "where",
    "orders",
    "amount",
    "case",
    "when",
    "and",
    "sum",
    "1",
    "2.5",
    "(",
    ")",
    ",",
]
LITERALS = [
    "'a'",
    "'it''s  here'",
    "'-- no comment'",
    "'/* nor this */'",
    '"Quoted Name"',
    "{{ ref('orders') }}",
]
PIECES = st.lists(st.sampled_from(WORDS + LITERALS), min_size=1, max_size=25)
GAPS = st.sampled_from(
    [" ", "\n", "\t  ", "\r\n", " -- a note\n", " /* a\nnote */ ", "  {# note #} ", "\n\n"]
)
TEXT = st.text(st.characters(exclude_characters="'", exclude_categories=["Cs", "Cc"]), max_size=12).filter(
    lambda text: not any(mark in text for mark in ("{{", "{%", "{#", "}}", "%}", "#}"))
)


@cache
def variants() -> list[Project]:
    """Some projects that differ in many ways, from the recorded variants of one."""
    folder = DATA / "state_cases"
    base = json.loads(gzip.decompress((folder / "base.json.gz").read_bytes()))
    recorded = json.loads(gzip.decompress((folder / "variants.json.gz").read_bytes()))
    names = [
        "target_ci",
        "macro_override_schema",
        "semantic_measure",
        "test_args",
        "latest_version",
        "source_quoting",
    ]
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "manifest.json"
        found = []
        for manifest in (base, *(applied(base, recorded[name]) for name in names)):
            path.write_text(json.dumps(manifest), encoding="utf-8")
            found.append(extract_project(path, git=GitState(), hash_seed_files=False))
    return found


PROJECTS = st.builds(
    lambda which, drop: without(variants()[which], drop),
    st.integers(0, 6),
    st.sets(st.integers(0, 80), max_size=8),
)


def without(project: Project, drop: set[int]) -> Project:
    kept = tuple(node for index, node in enumerate(project.nodes) if index not in drop)
    return replace(project, nodes=kept)


@given(PROJECTS)
@settings(deadline=None, max_examples=sampled(25, 8))
def test_nothing_differs_from_itself(project: Project) -> None:
    assert detect_changes(project, project) == {}


@given(PROJECTS, PROJECTS)
@settings(deadline=None, max_examples=sampled(60, 15))
def test_swapping_the_sides_swaps_added_and_removed_and_keeps_the_rest(one: Project, other: Project) -> None:
    there, back = detect_changes(one, other), detect_changes(other, one)
    opposite = {Status.ADDED: Status.REMOVED, Status.REMOVED: Status.ADDED}
    assert {key: opposite.get(change.status, change.status) for key, change in there.items()} == {
        key: change.status for key, change in back.items()
    }
    assert {key: change.reasons for key, change in there.items()} == {
        key: change.reasons for key, change in back.items()
    }


@given(PROJECTS, PROJECTS)
@settings(deadline=None, max_examples=sampled(40, 10))
def test_every_change_is_of_a_known_node_and_says_why(one: Project, other: Project) -> None:
    ids = [{node.unique_id for node in (*side.nodes, *side.groups)} for side in (one, other)]
    changes = detect_changes(one, other)
    assert list(changes) == sorted(changes)
    for unique_id, change in changes.items():
        assert (unique_id in ids[0], unique_id in ids[1]) == {
            Status.ADDED: (False, True),
            Status.REMOVED: (True, False),
        }.get(change.status, (True, True))
        if change.status in (Status.ADDED, Status.REMOVED):
            assert change.reasons == ()
        else:
            assert set(change.reasons) == {detail.reason for detail in change.details} != set()


@given(PIECES, st.data())
@settings(deadline=None)
def test_formatting_never_modifies(pieces: list[str], data: st.DataObject) -> None:
    gaps = [data.draw(GAPS) for _ in pieces]
    cases: list[Callable[[str], str]] = [str, str.upper]
    written = [data.draw(st.sampled_from(cases))(piece) if piece in WORDS[:3] else piece for piece in pieces]
    base = " ".join(pieces)
    current = "".join(piece + gap for piece, gap in zip(written, gaps, strict=True))
    changes = detect_changes([replace(NODE, raw_code=base)], [replace(NODE, raw_code=current)])
    assert [change for change in changes.values() if change.status is not Status.UNCHANGED] == []


@given(PIECES, TEXT, TEXT, st.sampled_from([None, "duckdb", "postgres", "redshift"]))
@settings(deadline=None)
def test_an_edit_inside_a_string_literal_always_modifies(
    pieces: list[str], one: str, other: str, adapter: str | None
) -> None:
    if adapter == "redshift":
        one, other = one.replace("\\", "/"), other.replace("\\", "/")
    before = " ".join([*pieces, f"'{one}'", *pieces])
    after = " ".join([*pieces, f"'{other}'", *pieces])
    assert same_code(before, after, adapter=adapter) is (one == other)


@given(PIECES, st.integers(0, 24), st.sampled_from(WORDS + LITERALS))
@settings(deadline=None)
def test_a_piece_more_is_an_edit_of_the_body(pieces: list[str], at: int, piece: str) -> None:
    longer = [*pieces[:at], piece, *pieces[at:]]
    changes = detect_changes(
        [replace(NODE, raw_code=" ".join(pieces))], [replace(NODE, raw_code=" ".join(longer))]
    )
    assert changes["model.p.m"].reasons == (Reason.BODY,)


RELATIONS = {
    '"db"."shop"."orders"': "model.p.orders",
    '"db"."shop"."orders_v2"': "model.p.orders_v2",
    "db.shop.orders": "source.p.s.orders",
    "db.shop.orders_v2": "source.p.s.orders_v2",
    "`proj`.`d`.`t`": "model.p.t",
    "shop.orders": "model.p.bare",
}
CODE = st.lists(
    st.sampled_from(
        [*RELATIONS, "select ", " ", "\n", "'x'", "⟦", "⟧", "⟦⟧", "_v2", ".", "a", "⟦model.p.orders⟧"]
    )
    | st.text(max_size=3),
    max_size=20,
).map("".join)


@given(CODE)
def test_compiled_code_comes_back_to_the_byte(code: str) -> None:
    back = {unique_id: relation for relation, unique_id in RELATIONS.items()}
    assert resolve(tokenise(code, RELATIONS), back) == code


@given(CODE.filter(lambda code: "⟦" not in code and "⟧" not in code))
def test_another_environment_gives_the_same_tokens(code: str) -> None:
    moved = {relation.replace("db", "db_ci"): unique_id for relation, unique_id in RELATIONS.items()}
    quoted = {key: value for key, value in RELATIONS.items() if key[0] in '"`'}
    there = {key: value for key, value in moved.items() if key[0] in '"`'}
    elsewhere = code
    for old, new in zip(quoted, there, strict=True):
        elsewhere = elsewhere.replace(old, new)
    assert tokenise(code, quoted) == tokenise(elsewhere, there)
