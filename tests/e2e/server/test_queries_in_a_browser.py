"""The page of a query in a browser: it updates itself, cancels, and its end ends the query."""

from __future__ import annotations

import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recce_meta.server.access.problems import TooManyQueries
from recce_meta.server.stores import queries
from recce_meta.server.stores.stores import Store
from tests.contract.server.small_store import file_url, record_side
from tests.e2e.server.conftest import serving
from tests.e2e.server.test_keyboard import until

HEARTBEAT = 6.0
"""Seconds; a page that updates itself asks every second."""
ENDLESS = "SELECT count(*) AS n FROM range(100000000) a(i) CROSS JOIN range(100000) b(i)"


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, str]]:
    """Yield a store that is served in this process, and the address of an endless query."""
    monkeypatch.setattr(queries, "HEARTBEAT_SECONDS", HEARTBEAT)
    url = file_url(tmp_path / "demo.duckdb")
    record_side(url, "base", "current")
    # One text for both sides would read one relation, so it would not run.
    sides = {"base_sql": "SELECT 1 AS n", "current_sql": ENDLESS}
    form = {"kind": "query", "base": "base", "current": "current", **sides}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with serving(url) as (store, root):
        body = urllib.parse.urlencode(form).encode()
        with opener.open(f"{root}/s/default/queries", body, timeout=60) as answer:
            address = answer.url
        yield store, address


def test_the_page_updates_itself_and_cancels(browser: Any, started: tuple[Store, str]) -> None:
    store, address = started
    browser.visit(address)
    browser.run("window.isSamePage = true")
    text = "return document.querySelector('#query [role=status]').textContent"
    first = browser.run(text)

    until(browser, f"{text} !== arguments[0]", first)
    time.sleep(HEARTBEAT + 1)  # an open page keeps the query
    (job,) = store.queries.jobs()
    assert job.state.value == "running"
    heading = "document.querySelector('#query h3').textContent"
    assert browser.run(f"return window.isSamePage && {heading}").endswith("is running")

    browser.run("document.querySelector('form[action$=cancel] button').click()")
    until(browser, f"return {heading}.endsWith('was cancelled')")
    assert job.state.value == "cancelled"
    assert not browser.run("return document.querySelector('#query[hx-trigger]')")
    assert browser.run("return window.violations || []") == []


@pytest.mark.parametrize(
    ("sql", "shown"),
    [("SELECT 1 AS n,\\n  nothing AS m", ".at-fault mark"), ("SELECT 2 AS n", "#offers details.add")],
)
def test_an_answer_that_arrives_later_shows_all_of_it(
    browser: Any, started: tuple[Store, str], sql: str, shown: str
) -> None:
    """The line at fault, and the check that it offers, as after a reload."""
    store, address = started
    browser.visit(address)
    browser.run(
        f"document.querySelector('#current-sql').value = '{sql}';"
        "document.querySelector('#start-query').requestSubmit()"
    )
    until(browser, "return document.querySelector('#query h3')?.textContent.includes('waits')")
    store.queries.cancel(store.queries.jobs()[-1], "it has taken long enough")
    until(browser, f"return document.querySelector('{shown}')")
    assert browser.run("return window.violations || []") == []


def test_a_closed_page_ends_the_query(browser: Any, started: tuple[Store, str]) -> None:
    store, address = started
    browser.visit(address)
    until(browser, "return document.querySelector('#query h3')")
    (job,) = store.queries.jobs()
    assert not job.state.is_over

    browser.visit("about:blank")
    closed = time.monotonic()
    while not job.state.is_over:
        assert time.monotonic() - closed < HEARTBEAT + 30, "the query still runs"
        time.sleep(0.1)

    assert job.state.value == "cancelled" and "its page was closed" in (job.message or "")


def test_a_busy_server_does_not_end_the_updates(
    browser: Any, started: tuple[Store, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, address = started
    browser.visit(address)
    browser.run("window.isSamePage = true")
    text = "return document.querySelector('#query [role=status]').textContent"
    refused = threading.Semaphore(0)

    def busy(*_arguments: Any, **_options: Any) -> None:
        refused.release()
        raise TooManyQueries("The server is busy", hint="try again")

    with monkeypatch.context() as patch:
        patch.setattr(store.queries, "job", busy)
        assert all(refused.acquire(timeout=30) for _ in range(2))
    first = browser.run(text)

    until(browser, f"{text} !== arguments[0]", first)
    assert browser.run("return window.isSamePage")
    browser.visit("about:blank")  # its updates would fail in the next test


def test_the_page_reports_that_it_is_in_the_background_and_closed(
    browser: Any, started: tuple[Store, str]
) -> None:
    store, address = started
    browser.visit(address)
    (job,) = store.queries.jobs()

    def until_lease(low: float, high: float) -> None:
        limit = time.monotonic() + 30
        while not low < job.lease - time.monotonic() <= high:
            assert time.monotonic() < limit, job.leases
            time.sleep(0.05)

    until(browser, "return document.querySelector('#query h3')")
    browser.run(
        "Object.defineProperty(document, 'hidden', {get: () => window.isHidden, configurable: true});"
        "window.isHidden = true; document.dispatchEvent(new Event('visibilitychange'))"
    )
    until_lease(queries.HIDDEN_SECONDS - 60, queries.HIDDEN_SECONDS)
    browser.run("window.isHidden = false; document.dispatchEvent(new Event('visibilitychange'))")
    until_lease(0, HEARTBEAT)
    browser.run("window.isHidden = true; document.dispatchEvent(new Event('visibilitychange'))")
    until_lease(queries.HIDDEN_SECONDS - 60, queries.HIDDEN_SECONDS)
    browser.visit("about:blank")
    until_lease(-1, HEARTBEAT)
    assert browser.run("return window.violations || []") == []
