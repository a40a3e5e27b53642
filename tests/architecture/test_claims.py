"""Words for equality have one source: the verdicts, which know what was not compared."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.shape import PACKAGE, read_modules

HOMES = frozenset(PACKAGE / name for name in ("report/data/verdicts.py", "report/labels.py"))
"""Modules with the words for equal data, and for unchanged nodes."""
CLAIMING = ("report", "server", "lsp", "checks")
CLAIM = re.compile(
    r"\b(no (change|difference)s?|equal|unchanged|identical"
    r"|same (code|figures|values|rows|data|types?|meaning))\b|✅",
    re.IGNORECASE,
)
NO_CLAIMS = {
    "may count as equal": "warns that values may differ",
    "No change is known": "precedes what was not compared",
    "unchanged line": "counts the hidden lines of two texts",
    "The same rows with": "names a command for a list",
    "has the same meaning on both sides": "follows a change that is only in formatting, with its reasons",
}
"""Texts with such words that say something else."""


def texts_of(package: Path) -> Iterator[tuple[Path, str]]:
    """Yield the texts in modules and templates that users may read, without docstrings and one-word keys."""
    for module in read_modules(package):
        path = package / module.path
        docstrings = {id(node.value) for node in module.nodes if isinstance(node, ast.Expr)}
        constants = [
            node for node in module.nodes if isinstance(node, ast.Constant) and id(node) not in docstrings
        ]
        texts = [node.value for node in constants if isinstance(node.value, str)]
        yield from ((path, text) for text in texts if not text.isidentifier())
    for path in sorted(package.rglob("*.html")):
        # Strings in expressions are texts, too; comments and tags are not.
        text = re.sub(r"\{#.*?#\}|<[^>]*>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for part in re.split(r"(\{[{%].*?[%}]\})", text, flags=re.DOTALL):
            strings = re.findall(r'"([^"\n]*)"', part) if part.startswith("{") else [part]
            yield from ((path, one) for one in strings if not one.isidentifier())


def test_claims_of_equality_have_one_source() -> None:
    texts = (found for name in CLAIMING for found in texts_of(PACKAGE / name))
    claims = [(path, text) for path, text in texts if CLAIM.search(text)]

    elsewhere = [
        (str(path.relative_to(PACKAGE)), text)
        for path, text in claims
        if path not in HOMES and not any(phrase in text for phrase in NO_CLAIMS)
    ]
    assert not elsewhere, "take these words from a verdict"
    assert {path for path, _ in claims} >= HOMES
    assert all(any(phrase in text for _, text in claims) for phrase in NO_CLAIMS)
