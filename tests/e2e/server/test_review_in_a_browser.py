"""The review page in a real browser: every state on a desk and on a phone, clicks, history and keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.reviews import list_reviews
from recce_meta.report.addresses import Addresses
from tests.contract.server.rich_store import SHOP
from tests.contract.server.small_store import file_url, record_side
from tests.e2e.server.conftest import Served, serving
from tests.e2e.server.test_keyboard import until
from tests.e2e.server.test_pages_in_a_browser import AUDIT, AXE, FAULTS, NARROW, TEXT, WIDE

TO = Addresses("default")
STATES = (
    "",
    "?view=graph",
    "?view=graph&around=orders&up=2&q=orders",
    "?view=graph&select=nothing",
    "?view=graph&node=orders&tab=columns",
    "?view=graph&node=orders&tab=columns&column=orders.amount",
    "?node=customers",
    "?node=payment_mix",
    "?node=customers&tab=data",
    "?node=orders&tab=profile",
    "?node=orders&tab=query",
    "?node=orders&tab=notes",
    "?panel=checks",
    "?panel=query",
    "?only=partial&q=orders",
    "?node=nothing",
)
OPEN = "return document.querySelector('#drawer > .node')?.dataset.node"
MARKED = "return window.isSamePage && document.querySelector('.row.on')?.dataset.node"


@pytest.fixture(scope="module")
def review(served: Served) -> str:
    """Return the address of the review of the demo's runs."""
    rows = json.loads(served.get(f"{TO.runs()}.json?project_name={SHOP}").text)
    ids = {row["environment"]: row["run_id"] for row in reversed(rows)}
    return served.address + TO.diff(ids["base"], ids["current"])


@pytest.fixture
def window(browser: Any, review: str) -> Iterator[Any]:
    """Yield the browser at the review, whose console and whose policy must stay silent."""
    browser.look(WIDE)
    browser.console()
    browser.visit(review)
    # A history of 50 entries, which other tests leave, loses those that scripts add without a person's click.
    browser.command("Page.resetNavigationHistory")
    browser.run("window.isSamePage = true")
    yield browser
    assert browser.console() == []
    assert browser.run("return window.violations") == []


@pytest.mark.parametrize("state", STATES)
def test_no_state_has_a_fault(browser: Any, review: str, state: str) -> None:
    found: dict[str, Any] = {}
    browser.console()
    for width, dark in product((NARROW, WIDE, 2000), (False, True)):
        browser.look(width, dark=dark)
        browser.visit(review + state)
        found[f"{width} {dark}"] = browser.run(FAULTS)
        browser.run(AXE)
        found[f"{width} {dark} audit"] = browser.wait(AUDIT, None)
    text = browser.run(TEXT)
    messages = [one for one in browser.console() if "404" not in one]
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.visit(review + state)
        assert browser.run(TEXT) == text
    finally:
        browser.command("Emulation.setScriptExecutionDisabled", value=False)

    assert not any(found.values()) and messages == [], found


def test_clicks_stay_on_the_page_and_the_history_holds_them(window: Any) -> None:
    def click(selector: str) -> None:
        # Elements of SVG have no method `click`.
        event = "new MouseEvent('click', {bubbles: true, cancelable: true})"
        window.run(f"document.querySelector(arguments[0]).dispatchEvent({event})", selector)

    click('.row[data-node="customers"] .name a')
    until(window, f"{MARKED} === 'customers'".replace("return ", "return (", 1) + ")")
    click('#drawer .tabs a[data-tab="data"]')
    until(window, "return document.querySelector('.panel.on')?.dataset.tab === 'data'")
    click('.seg a[data-view="graph"]')
    until(window, "return document.querySelector('#review').dataset.view === 'graph'")
    assert window.run(OPEN) == "customers"
    assert set(window.run("return location.search")[1:].split("&")) == {
        "view=graph",
        "node=customers",
        "tab=data",
    }
    click('.box[data-node="orders"]')
    until(window, "return document.querySelector('.box.on')?.dataset.node === 'orders'")

    for address in ("?view=graph&node=customers&tab=data", "?node=customers&tab=data"):
        window.run("history.back()")
        until(window, f"return location.search === '{address}'")
    until(window, "return document.querySelector('#review').dataset.view === 'list'")
    until(window, f"{OPEN} === 'customers'".replace("return ", "return (", 1) + ")")
    window.run("history.forward()")
    until(window, "return document.querySelector('#review').dataset.view === 'graph'")
    click("#drawer .close")
    until(window, "return document.querySelector('#drawer').hidden")
    assert window.run("return window.isSamePage")


def test_the_graph_grows_and_narrows_in_place(window: Any) -> None:
    window.run("document.querySelector('.seg a[data-view=graph]').click()")
    until(window, "return document.querySelector('.graph .more')")
    boxes = "return document.querySelectorAll('.graph .box').length"
    before = window.run(boxes)
    assert window.run("return document.querySelector('.box[data-node$=stg_orders]')") is None
    window.run(
        "document.querySelector('.box[data-node=orders] + .more')"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
    )
    until(window, "return document.querySelector('.box[data-node$=stg_orders]')")
    assert window.run(boxes) > before
    window.run(
        "const form = document.querySelector('.graph-tools form'); form.elements.around.value = 'orders';"
        "form.elements.down.value = 0; form.elements.up.value = 0; form.requestSubmit()"
    )
    until(window, "return location.search.includes('around=orders')")
    until(window, f"{boxes} < {before}")
    window.run("history.back()")
    until(window, f"{boxes} > {before}")
    assert window.run("return window.isSamePage")


def test_keys_walk_through_the_nodes(window: Any) -> None:
    window.press("jj3")
    until(window, "return document.querySelector('.panel.on')?.dataset.tab === 'data'")
    assert window.run(MARKED) == "customers"
    assert "tab=data" in window.run("return location.search")
    window.press("k1")
    until(window, "return document.querySelector('.row.on')?.dataset.node === 'payment_mix'")
    window.press("v")
    until(window, "return document.querySelector('#review').dataset.view === 'graph'")
    assert window.run(OPEN) == "payment_mix"


SLOW = (
    "const fetched = window.fetch; window.waits = [];"
    "window.fetch = async (...given) => {"
    " if (String(given[0]).includes('/drawer')) await new Promise((go) => window.waits.push(go));"
    " return fetched(...given); }"
)
"""Holds back each drawer until a function of `window.waits` is called."""
PRESS = "document.querySelector('.foot button[value={}]').click()"
FIELD = "document.querySelector('.foot input[name={}]').value"


def test_a_mark_is_of_the_node_on_the_screen_and_needs_a_name(browser: Any, tmp_path: Path) -> None:
    url = file_url(tmp_path / "demo.duckdb")
    record_side(url, "base", "current")

    def marks() -> list[tuple[str, str, str]]:
        with UnifiedSqlAdapter.from_url(url) as adapter:
            found = list_reviews(adapter)
        return [(str(one.unique_id).split(".")[-1], one.status, one.reviewer) for one in found]

    with serving(url) as (_, address):
        browser.look(NARROW)
        browser.visit(f"{address}/s/default/diff/base/current?node=customers")
        browser.run("localStorage.clear(); document.querySelector('.foot input[name=reviewer]').value = ''")
        browser.run(PRESS.format("approved"))
        assert browser.run(
            "const fields = [...document.querySelectorAll('.foot input:not([type])')];"
            "return fields.every((field) => field.offsetWidth > 200)"
        )
        browser.run(
            f"{FIELD.format('comment')} = 'half a sentence'; const name = document.activeElement;"
            "name.value = 'Ann'; name.dispatchEvent(new Event('change', {bubbles: true}));"
            f"name.blur(); {SLOW}"
        )

        browser.press("k")
        until(browser, "return window.waits.length")
        browser.press("a")
        browser.run(PRESS.format("seen"))
        browser.run("window.waits.pop()()")
        until(browser, f"{OPEN} !== 'customers'".replace("return ", "return (", 1) + ")")
        assert browser.run(f"return {FIELD.format('comment')} === '' && {FIELD.format('reviewer')} === 'Ann'")
        for key in ("j", "2"):
            browser.press(key)
            until(browser, "return window.waits.length")
            browser.run("window.waits.pop()()")
            until(browser, "return !document.querySelector('#drawer[aria-busy]')")
        assert browser.run(f"return {FIELD.format('comment')}") == "half a sentence"
        browser.press("a")
        until(browser, "return document.querySelector('.foot .ok')")
        assert browser.run(f"return {FIELD.format('comment')}") == ""

    assert marks() == [("customers", "approved", "Ann")]


def test_the_list_is_filtered_while_one_types(window: Any) -> None:
    window.press("/")
    window.press("average_order")
    until(window, "return document.querySelectorAll('.list .row').length === 1")
    assert window.run("return document.activeElement.id") == "filter"
    assert window.run("return location.search") == "?q=average_order"


def test_links_of_earlier_comments_open_their_node(window: Any, review: str) -> None:
    window.visit("about:blank")
    window.visit(f"{review}#node-model.{SHOP}.orders")
    until(window, "return document.querySelector('#drawer > .node')?.dataset.node === 'orders'")


def test_a_chosen_pair_is_computed_before_its_button_is_pressed(
    window: Any, served: Served, review: str
) -> None:
    """One run alone requests nothing."""
    window.visit(served.address)
    choose = (
        "const field = document.querySelector(`.pair input[name=${arguments[0]}]`);"
        "field.value = arguments[1];"
        "field.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    asked = (
        "return performance.getEntriesByType('resource').filter((one) => one.name.includes('/diff?')).length"
    )
    base, current = review.split("/")[-2:]
    window.run(choose, "base", base)
    assert window.run(asked) == 0
    window.run(choose, "current", current)
    until(window, f"{asked} === 1")
    window.run(
        "document.querySelector('.pair').addEventListener('submit', (event) => event.preventDefault())"
    )
    window.run("document.querySelector('.pair button').click()")
    assert window.run("return document.querySelector('.pair').ariaBusy") == "true"
