"""Texts of the editor: edits as replacements, and paths of URIs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.lsp.documents import EditedRange, EditorText, path_of
from recce_meta.lsp.projects import changes_index, project_root
from recce_meta.lsp.text.positions import Lines

TEXTS = st.text(alphabet="ab \n\r😀é", max_size=12)
PLACES = st.tuples(st.integers(0, 4), st.integers(0, 9))


@given(before=TEXTS, after=TEXTS, place=st.none() | st.tuples(PLACES, PLACES))
def test_a_remembered_edit_makes_the_new_text_of_the_old_one(
    before: str, after: str, place: tuple[tuple[int, int], tuple[int, int]] | None
) -> None:
    text = EditorText("file:///a.sql", 1, before, "utf-16")

    text.change(2, None if place is None else EditedRange(*place), after)

    [(start, removed, inserted)] = text.take_edits()
    changed = text.lines.text
    assert changed == before[:start] + changed[start : start + inserted] + before[start + removed :]
    if place is None:
        assert changed == after
    else:
        assert Lines(before).offset(*place[0]) == start and changed[start : start + inserted] == after
    assert (text.version, text.is_edited, text.take_edits()) == (2, True, ())


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///shop/a%20b.sql", "/shop/a b.sql"),
        ("FILE://localhost/shop/a.sql", "/shop/a.sql"),
        ("file:///sh%C3%B6p/%23%3F%25.sql", "/shöp/#?%.sql"),
        ("file://server/share/a.sql", None),
        ("file:///C:/shop/a.sql", None),
        ("untitled:Untitled-1", None),
        ("file:///a%00b.sql", None),
        ("file://[::1", None),
    ],
)
def test_a_uri_is_a_path_of_this_system_or_none(uri: str, path: str | None) -> None:
    assert path_of(uri) == (None if path is None else Path(path))


def test_a_project_is_the_nearest_one_that_is_not_installed_or_generated(tmp_path: Path) -> None:
    shop, inner = tmp_path / "shop", tmp_path / "shop" / "inner"
    package, environment = shop / "dbt_packages" / "tools", tmp_path / "env" / "dbt"
    for folder in (shop, inner, package, shop / "target" / "copy", environment):
        folder.mkdir(parents=True)
        (folder / "dbt_project.yml").touch()
    (tmp_path / "env" / "pyvenv.cfg").touch()

    found = {
        folder: project_root(folder / "models" / "a.sql")
        for folder in (shop, inner, package, shop / "target" / "copy", environment, tmp_path)
    }

    assert list(found.values()) == [shop, inner, shop, shop, None, None]


def test_files_that_cannot_change_a_project_do_not_start_indexing() -> None:
    root = Path("/shop")
    changing = ("models/a.sql", "models/a.yml", "seeds/a.csv", "target/manifest.json", "dbt_project.yml")
    others = ("target/compiled/a.sql", "dbt_packages/tools/a.sql", "logs/a.sql", "a.txt", ".git/a.yml")

    assert [name for name in (*changing, *others) if changes_index(root, root / name)] == list(changing)
