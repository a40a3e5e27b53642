"""Drawings of generated runs and diffs have the edges, marks, counts and labels of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recce_meta.api.browse import graph
from recce_meta.graph import hidden_paths
from recce_meta.report import mermaid
from tests.proofs import drawings, sampled


def test_every_drawing_is_that_of_the_store(tmp_path: Path) -> None:
    assert list(drawings.failures(tmp_path, range(1, sampled(1000, 4)))) == []


def without_the_first(*arguments: Any) -> list[hidden_paths.DrawnEdge]:
    return hidden_paths.drawn_edges(*arguments)[1:]


LIES: dict[str, tuple[object, str, object, str]] = {
    "halves of a path": (hidden_paths, "_without", lambda children, *_: children, "is no path"),
    "no marks on pages": (graph, "_one_sided", lambda *_: {}, "page of a diff, "),
    "no marks in Mermaid": (mermaid, "_LINES", dict.fromkeys(mermaid._LINES, "-->"), "Mermaid: "),
    "an edge is left out": (mermaid, "drawn_edges", without_the_first, "Mermaid: "),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_false_drawing_is_found(lie: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, value, words = LIES[lie]
    monkeypatch.setattr(module, name, value)

    found = drawings.failures(tmp_path, range(1, 40))

    assert any(words in failure for failure in found)
