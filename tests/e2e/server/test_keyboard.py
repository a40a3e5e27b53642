"""The server's pages by keyboard alone, and lists that change without a new page."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.e2e.server.conftest import Served

WIDE = 1400
ENTER, ESCAPE, TAB = "\ue007", "\ue00c", "\ue004"
WITHIN = 60.0
"""Seconds."""


@pytest.fixture
def page(browser: Any, served: Served) -> Any:
    """Return the browser at the overview, with an empty console."""
    browser.look(WIDE)
    browser.console()
    browser.visit(served.address + "/")
    browser.command("Page.resetNavigationHistory")  # at its limit of 50 entries, `history.back` is not exact
    return browser


def until(browser: Any, script: str, *arguments: Any) -> Any:
    """Return what *script* returns as soon as it is true."""
    limit = time.monotonic() + WITHIN
    while time.monotonic() < limit:
        try:
            found = browser.run(script, *arguments)
        except OSError:  # the page is changing
            found = None
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError((script, arguments, browser.run("return location.href")))


def at(browser: Any, pattern: str) -> str:
    """Return the browser's address as soon as it matches *pattern* and the page is complete."""
    script = (
        "return new RegExp(arguments[0]).test(location.pathname + location.search)"
        " && document.readyState === 'complete' && location.href"
    )
    return str(until(browser, script, pattern))


def open_row(browser: Any, part: str) -> None:
    """Go down the rows until a link with *part* in its address has the focus, and open it."""
    for _row in range(60):
        browser.press("j")
        if browser.run(
            "return (document.activeElement.getAttribute('href') || '').includes(arguments[0])", part
        ):
            browser.press(ENTER)
            return
    raise AssertionError(f"no row leads to {part} at {browser.run('return location.href')}")


def tab_to(browser: Any, text: str) -> None:
    """Press Tab until the link called *text* has the focus."""
    for _press in range(60):
        browser.press(TAB)
        if browser.run("return document.activeElement.textContent") == text:
            return
    raise AssertionError(f"no link {text} at {browser.run('return location.href')}")


def test_from_the_overview_to_a_column_and_back(page: Any) -> None:
    page.press("gr")
    at(page, "/runs$")
    page.press("f")
    page.press("count-payments-once")
    at(page, r"/runs\?q=count-payments-once")
    until(page, "return document.querySelectorAll('tbody tr').length === 1")
    page.press(ESCAPE)
    open_row(page, "/runs/")
    at(page, "/runs/[^/]+$")

    page.press("/")
    page.press("orders")
    page.press(ENTER)
    at(page, r"/search\?q=orders")
    page.press(ESCAPE)
    open_row(page, "/nodes/")
    node = at(page, "/nodes/[^/]+$")
    tab_to(page, "Columns")
    page.press(ENTER)
    at(page, "/nodes/[^/]+/columns$")
    open_row(page, "/columns/")
    at(page, "/columns/[^/]+$")

    page.press(ESCAPE)
    assert at(page, "/nodes/[^/]+(/columns)?$").startswith(node)
    page.press("gh")
    at(page, "^/$")
    assert page.console() == []


def test_a_list_is_filtered_while_one_types(page: Any, served: Served) -> None:
    page.visit(f"{served.address}/s/default/runs")
    page.run("window.sameDocument = true")
    before = page.run("return document.querySelectorAll('tbody tr').length")
    page.press("f")
    page.press("live")
    at(page, r"/runs\?q=live$")
    until(page, "return document.querySelectorAll('tbody tr').length < arguments[0]", before)

    assert page.run("return document.activeElement.id") == "list-q"
    assert page.run("return document.querySelector('#list-q').value") == "live"
    assert page.run("return window.sameDocument")
    assert page.run("return document.querySelector('.exports a').getAttribute('href')").endswith("?q=live")
    assert page.console() == []


def test_facets_and_orders_change_the_list_and_the_history(page: Any, served: Served) -> None:
    page.visit(f"{served.address}/s/default/runs")
    page.run("window.sameDocument = true")
    page.run("document.querySelector('.chip[href*=\"environment=prod\"]').click()")
    at(page, r"/runs\?environment=prod$")
    until(page, "return document.querySelectorAll('.chip[aria-current]').length === 1")
    page.run(
        "const link = document.querySelector('thead a[href*=\"node_count\"]'); link.focus(); link.click()"
    )
    at(page, r"sort=node_count")
    until(page, "return document.querySelector('thead th[aria-sort=ascending]')")

    assert page.run("return window.sameDocument")
    assert page.run("return document.activeElement.textContent") == "nodes"
    assert page.run("return document.querySelector('.chip[aria-current]').textContent").startswith("prod")

    page.run("history.back()")
    at(page, r"/runs\?environment=prod$")
    until(page, "return !document.querySelector('thead th[aria-sort]')")
    page.run("history.back()")
    at(page, r"/runs$")
    until(page, "return !document.querySelector('.chip[aria-current]')")
    assert page.console() == []


def test_a_wrong_address_of_a_list_shows_its_error(page: Any, served: Served) -> None:
    page.visit(f"{served.address}/s/default/runs")
    page.run("document.querySelector('thead a').setAttribute('href', '/s/default/runs?sort=nothing')")
    page.run("document.querySelector('thead a').click()")

    until(page, "return document.querySelector('.trouble')")
    assert page.run("return location.search") == "?sort=nothing"


def test_searching_is_one_step_of_the_history(page: Any) -> None:
    page.press("/")
    page.press("cust")
    at(page, r"/search\?q=cust$")
    page.press("omers")
    at(page, r"/search\?q=customers$")
    until(page, "return document.querySelector('h1').textContent !== 'Overview'")

    assert page.run("return document.activeElement.id") == "search"
    assert page.run("return document.title").startswith(
        page.run("return document.querySelector('h1').textContent")
    )
    page.run("history.back()")
    at(page, "^/$")
    until(page, "return document.title.startsWith('Overview')")
    assert page.console() == []


def test_help_and_theme(page: Any, served: Served) -> None:
    page.press("?")
    assert page.run("return document.querySelector('#help').open")
    page.press("gr")  # no key acts behind the dialog
    page.press(ESCAPE)
    assert page.run("return [document.querySelector('#help').open, location.pathname]") == [False, "/"]

    ground = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(ground)
    page.run("document.querySelector('#theme').click(); document.querySelector('#theme').click()")
    dark = page.run(ground)
    page.visit(f"{served.address}/help")

    assert page.run(ground) == dark != light
    page.run("document.querySelector('#theme').click()")
    assert page.run(ground) == light
    assert page.console() == []


def test_the_skip_link_and_the_focus_are_visible(page: Any) -> None:
    page.press(TAB)
    skip = page.run(
        "const at = document.activeElement; return [at.className, at.getBoundingClientRect().left >= 0]"
    )
    page.press(TAB)
    outline = page.run("return getComputedStyle(document.activeElement).outlineStyle")

    assert skip == ["skip", True]
    assert outline == "solid"


def test_a_printed_page_has_no_tools(page: Any, served: Served) -> None:
    page.look(WIDE, media="print")
    page.visit(f"{served.address}/s/default/runs")

    shown = page.run(
        "return ['.search', '.sections', '.filters', '.exports', 'table'].filter("
        "(selector) => document.querySelector(selector).checkVisibility())"
    )
    assert shown == ["table"]
