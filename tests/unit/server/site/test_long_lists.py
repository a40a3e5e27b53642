"""Lists of 20,000 rows: only the rows of one page are rendered, and filters find the same rows as before."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from recce_meta.server.site.listing import ListColumn, Listing, ListQuery, list_view, matching, shown
from recce_meta.server.site.rendering import Page, cell, render_page

START = datetime(2026, 11, 1, tzinfo=timezone.utc)
KINDS = ("model", "test", "source")
COLUMNS = (
    ListColumn("name", "name", "code", link=lambda row: f"/nodes/{row['name']}"),
    ListColumn("kind", "kind", "tag", has_facets=True),
    ListColumn("seconds", "seconds", "seconds"),
    ListColumn("at", "time", "time"),
    ListColumn("is_new", "new", "flag"),
)
ROWS = [
    {
        "name": f"stg_orders_{number:05}",
        "kind": KINDS[number % 3],
        "seconds": None if number % 10 == 0 else number / 7,
        "at": START + timedelta(minutes=number),
        "is_new": number % 2 == 0,
    }
    for number in range(20_000)
]
LISTING = Listing("Nodes", COLUMNS, ROWS)


def found(**parameters: str) -> list[str]:
    """Return the names of the rows that match the parameters of an address."""
    query = ListQuery.parse(parameters, LISTING)
    return [row["name"] for row in matching(LISTING, query)]


def test_words_may_be_in_several_columns_and_never_across_two():
    assert found(q="ORDERS_0001 model") == [
        f"stg_orders_{number:05}" for number in range(10, 20) if number % 3 == 0
    ]
    assert found(q="2026-11-01t00:07 true") == []
    assert found(q="2026-11-01t00:06 true") == ["stg_orders_00006"]
    assert found(q="00006model") == []


def test_empty_values_are_last_in_both_directions():
    ascending, descending = found(sort="seconds"), found(sort="-seconds")
    assert ascending[:2] == ["stg_orders_00001", "stg_orders_00002"]
    assert descending[0] == "stg_orders_19999"
    assert ascending[-2_000:] == descending[-2_000:] == [f"stg_orders_{n:05}" for n in range(0, 20_000, 10)]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("a", "a"), (3, "3"), (0.5, "0.5"), (True, "true"), (START, START.isoformat())],
)
def test_values_are_filtered_by_their_text(value, text):
    assert shown(value) == text


def test_a_page_has_the_cells_of_its_own_rows_only(monkeypatch):
    rendered = []

    def counted(column, row):
        rendered.append(row["name"])
        return cell(column, row)

    from recce_meta.server.site import rendering

    monkeypatch.setitem(rendering.environment().globals, "cell", counted)
    view = list_view(LISTING, {"page": "3", "sort": "-name", "kind": "test"}, "/s/default/nodes")
    monkeypatch.setattr(rendering.environment(), "cache", {})
    html = render_page(
        Page("list.html", "Nodes", {"list": view}),
        version="1", stores=[], to=None, read_at=None, has_login=False, has_connections=False,
    )  # fmt: skip
    assert sorted(set(rendered)) == sorted(row["name"] for row in view.rows)
    assert len(rendered) == len(view.rows) * len(COLUMNS) == 500
    assert view.count == 6_667
    assert len(html) < 200_000
