"""Words that complete selectors, and how bash's pieces of words are joined."""

from __future__ import annotations

from pathlib import Path

import pytest

from recce_meta.cli import completion
from recce_meta.cli.completion import FIXED, METHODS, SELECTOR, RecceBash, joined_words, kept_by_bash
from recce_meta.cli.known_names import KnownNode, KnownRun, location_of
from recce_meta.cli.main import cli
from recce_meta.diff.dbt_state import STATES
from recce_meta.graph import selection

NODES = [
    KnownNode("orders", "model", None, "shop", "models/marts/orders.sql", ("nightly",), "table", "finance"),
    KnownNode("raw_orders", "source", "erp", "shop", "models/sources.yml", (), None, None),
    KnownNode("unique_orders_id", "test", None, "shop", "models/marts/marts.yml", (), "test", None),
]
RUNS = [
    KnownRun("0829a5f9", "pr-42", "fix/orders", "shop", "2026-11-20 08:43:36+00:00"),
    KnownRun("bc1c9a92", "base", "main", "shop", "2026-11-20 08:43:29+00:00"),
]


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "known_nodes", lambda _: NODES)
    monkeypatch.setattr(completion, "known_runs", lambda _: RUNS)


def selectors(incomplete: str) -> list[str]:
    return [str(item.value) for item in completion.complete_selectors({}, incomplete)]


def test_methods_and_states_are_those_of_the_grammar() -> None:
    assert {method.partition(".")[0] for method in METHODS} <= {*selection.METHODS, SELECTOR}
    assert set(FIXED) <= set(METHODS)
    assert set(FIXED["state"]) == set(STATES)


@pytest.mark.parametrize(
    ("incomplete", "expected"),
    [
        ("or", ["orders"]),
        ("+or", ["+orders"]),
        ("2+or", ["2+orders"]),
        ("@or", ["@orders"]),
        ("tag:x,or", ["tag:x,orders"]),
        ("stg or", ["stg orders"]),
        ("uni", ["unique_orders_id"]),
        ("ta", ["tag:"]),
        ("tag:", ["tag:nightly"]),
        ("state:ne", ["state:new"]),
        ("config.m", ["config.materialized:"]),
        ("config.materialized:", ["config.materialized:table", "config.materialized:test"]),
        ("source:", ["source:erp", "source:erp.raw_orders"]),
        (
            "path:models/m",
            ["path:models/marts", "path:models/marts/orders.sql", "path:models/marts/marts.yml"],
        ),
        ("group:", ["group:finance"]),
        ("nothing:", []),
    ],
)
def test_the_last_term_of_a_selector_is_completed(incomplete: str, expected: list[str]) -> None:
    assert selectors(incomplete) == expected


def test_tests_are_offered_only_for_a_typed_prefix() -> None:
    assert "unique_orders_id" not in selectors("")
    assert [item.value for item in completion.complete_nodes({}, "")] == ["orders", "erp.raw_orders"]


def test_runs_are_environments_branches_and_typed_ids() -> None:
    found = [str(item.value) for item in completion.complete_runs({}, "")]

    assert found == ["pr-42", "base", "latest", "branch:fix/orders", "branch:main", "path:"]
    assert [item.value for item in completion.complete_runs({}, "08")] == ["0829a5f9"]


def test_folders_follow_path(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "file").touch()

    found = completion.complete_runs({}, f"path:{tmp_path}/t")
    assert [item.value for item in found] == [f"path:{tmp_path}/target"]


@pytest.mark.parametrize(
    ("pieces", "line", "expected"),
    [
        (["x", "-s", "tag", ":", "n"], "x -s tag:n", ["x", "-s", "tag:n"]),
        (["x", "-s", "tag", ":"], "x -s tag:", ["x", "-s", "tag:"]),
        (["x", "--select", "=", "a"], "x --select=a", ["x", "--select=a"]),
        (["x", "-s", "a", ""], "x -s a ", ["x", "-s", "a", ""]),
        (["x", "", "-s"], "x  -s", ["x", "", "-s"]),
    ],
)
def test_pieces_of_words_are_joined_where_the_line_has_no_blank(
    pieces: list[str], line: str, expected: list[str]
) -> None:
    assert joined_words(pieces, line) == expected


@pytest.mark.parametrize(
    ("word", "piece", "kept"),
    [
        ("tag:n", "n", "tag:"),
        ("tag:", ":", "tag:"),
        ("--select=tag:n", "n", "tag:"),
        ("or", "or", ""),
        ("", "", ""),
    ],
)
def test_bash_keeps_all_but_the_last_piece(word: str, piece: str, kept: str) -> None:
    assert kept_by_bash(word, piece, "=:") == kept


def test_a_name_that_bash_would_execute_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = RecceBash(cli, {}, "recce-meta", "_RECCE_META_COMPLETE")
    monkeypatch.setenv("COMP_WORDS", "recce-meta\ndiff\nbr")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert shell.get_completion_args() == (["diff"], "br")

    items = completion._items([("branch:$(touch x)'s", ""), ("branch:a\nb", ""), ("branch:a/b~1", "")], "br")
    assert [shell.format_completion(item) for item in items] == [
        "plain,'branch:$(touch x)'\\''s'",
        "plain,branch:a/b~1",
    ]


def test_the_store_is_that_of_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECCE_META_URL", "duckdb:///env.duckdb")

    assert location_of({"url": "duckdb:///given.duckdb"}).url == "duckdb:///given.duckdb"
    assert location_of({}).url == "duckdb:///env.duckdb"
    assert location_of({"target": "prod"}).url is None
    assert location_of({"url": "mysql://h/db", "store": "duckdb:///s.duckdb"}).url == "duckdb:///s.duckdb"
    assert location_of({"url": "mysql://h/db", "store": "prod"})[0::3] == (None, "prod")
