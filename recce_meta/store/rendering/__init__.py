"""Renders the canonical SQL files for every dialect. Development alone needs this: it is what needs sqlglot.

A dialect is one module here, named as its folder in `sql/dialects/`, with one class; `base` says what that
may override. Nothing else asks which dialect it is.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from recce_meta.store.files import HAND_WRITTEN, KINDS
from recce_meta.store.rendering.base import Rendering


def rendering_of(dialect: str) -> Rendering:
    """How *dialect* is rendered."""
    import_module(f"{__name__}.{dialect}")
    return Rendering.by_dialect[dialect]()


def render(text: str, dialect: str) -> str:
    """Canonical *text* for *dialect*: its opening comment as it stands, every table in the schema."""
    return rendering_of(dialect).render(text)


def stale(root: Path) -> dict[Path, str]:
    """What rendering would change: each path under *root* and the text that belongs there."""
    changes: dict[Path, str] = {}
    for folder in sorted((root / "dialects").iterdir()):
        rendering = rendering_of(folder.name)
        for source in sorted(path for kind in KINDS for path in (root / kind).glob("*.sql")):
            target = folder / source.parent.name / source.name
            now = target.read_text(encoding="utf-8") if target.exists() else ""
            if now.startswith(HAND_WRITTEN) or not _concerns(rendering, source):
                continue
            wanted = rendering.render(source.read_text(encoding="utf-8"))
            if wanted != now:
                changes[target] = wanted
    return changes


def orphans(root: Path) -> list[Path]:
    """Rendered files whose canonical file is gone, and that nobody wrote by hand."""
    return [
        path
        for path in sorted((root / "dialects").glob("*/*/*.sql"))
        if not (root / path.parent.name / path.name).exists()
        and not path.read_text(encoding="utf-8").startswith(HAND_WRITTEN)
    ]


def _concerns(rendering: Rendering, source: Path) -> bool:
    """Whether a store in this dialect can ever need *source*: not so a migration to its first version."""
    return source.parent.name != "migrations" or int(source.name.split("_")[0]) > rendering.first_version
