"""Code lenses of models and of their output columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from lsprotocol.types import Hover, MarkupContent

from recce_meta.lsp.documents import TextView
from recce_meta.lsp.features.hover import hover
from recce_meta.lsp.features.lenses import PREVIEW_DATA, dependents, lenses
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.project.live import effect_on_base, live_model
from recce_meta.models import NodeMetadata
from tests.unit.lsp.conftest import RecordProject, ViewOf, view

ORDERS, STORES = "models/marts/orders.sql", "models/staging/stg_stores.sql"


@pytest.fixture
def compared(shop_index: ProjectIndex) -> Iterator[ProjectIndex]:
    """Index of the shop, compared with its own run."""
    yield ProjectIndex(shop_index.reader, shop_index.root, shop_index.reader)


def analysed(index: ProjectIndex, path: str, text: str) -> TextView:
    node = index.node_of_file(index.root / path)
    assert node is not None
    live = live_model(index, node, text)
    return view(index, index.root / path, text, live=live, effect=effect_on_base(index, node, live))


def titles(view: TextView) -> list[tuple[str, str]]:
    """Return the text below each lens and its title."""
    found = []
    for lens in lenses(view):
        assert lens.command is not None
        line = view.document.text.splitlines()[lens.range.start.line] if view.document.text else ""
        found.append((line[lens.range.start.character : lens.range.end.character], lens.command.title))
    return found


def since(index: ProjectIndex) -> str:
    assert index.base is not None
    return f"{index.base.run.environment} ({index.base.run.run_at:%Y-%m-%d})"


def test_the_model_has_its_dependents_and_each_column_its_readers(view_of: ViewOf) -> None:
    assert titles(view_of(path=STORES)) == [
        ("", "1 dependent"),
        ("store_id", "1 reader"),
        ("store_name", "1 reader"),
        ("city", "1 reader"),
        ("opened_on", "no known readers"),
    ]


def test_columns_of_a_model_without_readers_have_no_lens(view_of: ViewOf) -> None:
    assert titles(view_of(path="models/marts/payment_mix.sql")) == [("", "no known dependents")]


SELF_READING = {
    "models/sums.sql": "select 1 as day, 2 as total where 1 > (select max(day) from {{ this }})",
    "models/days.sql": "select day from {{ ref('sums') }}",
}


def test_a_model_is_no_reader_of_itself(
    record_project: RecordProject, write_project: Callable[[Mapping[str, str]], Path]
) -> None:
    root = write_project(SELF_READING)
    place = root / "models/sums.sql"
    opened = view(record_project(root), place, place.read_text())
    assert [title for _, title in titles(opened)] == [
        "1 dependent",
        "day: 1 reader",
        "total: no known readers",
    ]
    shown = hover(opened, opened.document.text.index("day"))
    assert isinstance(shown, Hover) and isinstance(shown.contents, MarkupContent)
    assert "1 reader of `sums.day`: `days`" in shown.contents.value


def test_exposures_and_metrics_are_counted_apart() -> None:
    kinds = ["model", "snapshot", "exposure", "exposure", "metric", "test", "unit_test"]
    nodes = [NodeMetadata(unique_id=kind, name=kind, resource_type=kind) for kind in kinds]
    assert dependents(nodes) == "2 dependents · 2 exposures · 1 metric"
    assert dependents(nodes[2:3]) == "no known dependents · 1 exposure"
    assert dependents([]) == "no known dependents"


def test_columns_of_one_line_are_named(view_of: ViewOf) -> None:
    found = titles(view_of("select 1 as store_id, 2 as city", path=STORES))
    assert found[1:] == [("store_id", "store_id: 1 reader"), ("city", "city: 1 reader")]


def test_the_lenses_run_commands_with_the_text_and_the_column(view_of: ViewOf) -> None:
    opened = view_of(path=STORES)
    commands = [lens.command for lens in lenses(opened)]
    assert [(one.command, one.arguments) for one in commands[:2] if one is not None] == [
        ("recce-meta.lineage", [opened.document.uri]),
        ("recce-meta.impact", [opened.document.uri, "store_id"]),
    ]


def test_readers_of_an_ephemeral_model_are_counted(view_of: ViewOf) -> None:
    found = titles(view_of(path="models/intermediate/int_order_payments.sql"))
    assert {title for _, title in found[1:]} == {"1 reader", "no known readers"}


def test_an_unchanged_text_has_no_change_since_base(compared: ProjectIndex) -> None:
    text = (compared.root / STORES).read_text("utf-8")
    found = titles(analysed(compared, STORES, text))
    assert found[1] == ("", f"no change since {since(compared)}")
    assert ("", PREVIEW_DATA) not in found


def test_a_change_of_an_earlier_version_is_marked_as_such(compared: ProjectIndex) -> None:
    path = compared.root / STORES
    saved = path.read_text("utf-8")
    earlier = analysed(compared, STORES, saved)
    edited = view(compared, path, saved + "\nwhere 1 = 0", live=earlier.live, effect=earlier.effect)
    assert titles(edited)[1] == ("", f"no change since {since(compared)} · last edit not compared yet")


def test_a_change_has_its_columns_and_the_nodes_that_it_affects(compared: ProjectIndex) -> None:
    text = (compared.root / STORES).read_text("utf-8").replace("    city,\n", "    1 as size,\n")
    opened = analysed(compared, STORES, text)
    (lens,) = (one.command for one in lenses(opened) if one.command and one.command.title == PREVIEW_DATA)
    assert (lens.command, lens.arguments) == ("recce-meta.preview", [opened.document.uri])
    found = dict(reversed(titles(opened)[1:]))
    assert found[""] == (
        "store_performance fails: it references city, which stg_stores no longer has · 1 node fails "
        "· 1 partial breaking change (1 node changed, 1 downstream node) "
        f"· since {since(compared)}: removes 1 column, adds 1 column"
    )
    assert compared.base is not None
    assert found["size"] == f"no known readers · added since {compared.base.run.environment}"


def test_changed_and_renamed_columns_are_marked(compared: ProjectIndex) -> None:
    text = (compared.root / STORES).read_text("utf-8")
    edited = text.replace("    city,\n", "    upper(city) as city,\n").replace("as store_name", "as title")
    found = dict(titles(analysed(compared, STORES, edited)))
    assert compared.base is not None
    assert found["city"] == f"1 reader · changed since {compared.base.run.environment}"
    assert found["title"] == "no known readers · renamed from store_name"
    assert "renames 1 column, changes 1 column" in titles(analysed(compared, STORES, edited))[1][1]


def test_a_change_of_rows_has_its_reason(compared: ProjectIndex) -> None:
    text = (compared.root / ORDERS).read_text("utf-8").replace("left join", "inner join")
    assert titles(analysed(compared, ORDERS, text))[1][1] == (
        f"1 breaking change (1 node changed, 4 downstream nodes) · since {since(compared)}: join changed"
    )


def test_a_text_that_was_not_compared_says_why(compared: ProjectIndex) -> None:
    title = titles(analysed(compared, ORDERS, "select * from {{ ref('nothing') }}"))[1][1]
    assert title.startswith(f"not compared with {since(compared)}: not rendered: Model, seed")


def test_a_new_file_and_a_file_of_no_project_have_no_lenses(view_of: ViewOf, tmp_path: Path) -> None:
    assert lenses(view_of("select 1 as one")) == []
    assert lenses(view(None, tmp_path / "a.sql", "select 1 as one")) == []
