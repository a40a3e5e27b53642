"""Pages of a list have every item once, also if the list grows between two requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.errors import UsageError
from recce_meta.server.api.paging import ItemList, page_of

texts = st.lists(st.text(max_size=5), unique=True, max_size=20)


def listed(items: list[str]) -> ItemList:
    return ItemList(items, str)


@given(texts, st.integers(1, 7))
def test_pages_have_every_item_once(items, limit):
    found, cursor = [], None
    while True:
        page = page_of(listed(items), "list", limit, cursor)
        assert page.total == len(items) and len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
        assert cursor.isascii() and len(cursor) == 32, "as short for long names"
    assert found == items


@given(texts.filter(lambda items: len(items) > 1), st.lists(st.integers(0, 100)), st.data())
def test_items_added_between_pages_repeat_and_hide_nothing(items, added, data):
    first = page_of(listed(items), "list", data.draw(st.integers(1, len(items) - 1)), None)
    grown = list(items)
    for number in added:
        grown.insert(number % (len(grown) + 1), f"new {len(grown)}")
    rest = page_of(listed(grown), "list", 500, first.next_cursor).items
    assert [item for item in (*first.items, *rest) if not item.startswith("new ")] == items


@pytest.mark.parametrize("cursor", ["", "x", "é", "A" * 31, "A" * 33, "=" * 32, "A" * 10_000])
def test_a_cursor_that_the_server_did_not_make_is_refused(cursor):
    with pytest.raises(UsageError, match="cursor is invalid"):
        page_of(listed(["a", "b"]), "list", 1, cursor)


def test_a_cursor_of_another_list_or_of_an_item_that_is_gone_is_refused():
    cursor = page_of(listed(["a", "b", "c"]), ("runs", "x"), 1, None).next_cursor
    with pytest.raises(UsageError, match="another list"):
        page_of(listed(["a", "b", "c"]), ("runs", "y"), 1, cursor)
    with pytest.raises(UsageError, match="gone"):
        page_of(listed(["b", "c"]), ("runs", "x"), 1, cursor)


def test_details_are_read_for_one_page_only():
    asked = []

    def details(page):
        asked.append(list(page))
        return [item.upper() for item in page]

    found = ItemList(["a", "b", "c"], str, details=details)
    assert page_of(found, "list", 2, None).items == ["A", "B"]
    assert page_of(ItemList([], str, details=details), "list", 2, None).items == []
    assert asked == [["a", "b"]]
