"""Data diffs from a page in a real browser: start, see the result, cancel; on a phone, dark, with labels."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import axe_core_python
import psycopg
import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.report.addresses import Addresses
from tests.contract.server import data_shop
from tests.contract.server.data_shop import BASE, CURRENT, ORDERS, SLOW

TO = Addresses("default")
NARROW = 400
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
AUDIT = """
const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then((found) => done(found.violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" ; ")}`)),
  (error) => done([String(error)]));
"""
PRESS = """
const [form, button] = arguments;
const found = document.querySelector(form);
if (!found) return false;
found.querySelector(button).click();
return true;
"""


@pytest.fixture(scope="module")
def schema() -> str:
    return f"forms_{uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def address(schema: str, postgres_url: str, browser: Any) -> Iterator[str]:
    """Yield the address of a server that starts data diffs on PostgreSQL."""
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        data_shop.build(adapter, schema)
    command = ["serve", "--url", postgres_url, "--schema", schema, "--port", "0", "--no-open"]
    process = subprocess.Popen(
        [sys.executable, "-m", "recce_meta", *command, "--allow-queries", "--allow-writes"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said.startswith("Serving on "), said
        yield said.split()[2].rstrip("/")
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
        with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
            data_shop.drop(adapter, schema)


def wait(condition: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "the time is over"
        time.sleep(0.1)
    return found


def docked(browser: Any) -> str:
    """Return the text of a result that is complete; empty while it is awaited."""
    return str(
        browser.run(
            "const found = document.querySelector('#query:not([hx-get])'); return found?.textContent || ''"
        )
    )


def test_from_the_diff_to_results_on_a_phone_in_the_dark(browser: Any, address: str) -> None:
    browser.look(NARROW, dark=True)
    for kind in ("row_count", "value"):
        browser.visit(address + TO.diff(BASE, CURRENT, node=ORDERS, tab="data"))
        assert browser.run(PRESS, f"#start-{kind} form", "button")
        text = wait(lambda: docked(browser))
        width = browser.run("return document.documentElement.scrollWidth")
        assert width <= NARROW
        assert ("103" in text) if kind == "row_count" else ("state" in text)
        assert browser.run("return window.violations") == []


def active(postgres_url: str, schema: str) -> int:
    with psycopg.connect(postgres_url, autocommit=True) as server:
        found = server.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'active'"
            " AND query LIKE %s",
            [f"%{schema}_p%slow%"],
        ).fetchone()
    assert found is not None
    return int(found[0])


def test_a_slow_data_diff_is_cancelled_in_the_warehouse(
    browser: Any, address: str, postgres_url: str, schema: str
) -> None:
    browser.look(1400)
    browser.visit(address + TO.node(CURRENT, SLOW, "data"))
    assert browser.run(PRESS, "#start-profile form", "button")
    wait(lambda: active(postgres_url, schema))
    wait(lambda: browser.run(PRESS, "#query form[action$='/cancel']", "button"))
    wait(lambda: "was cancelled" in docked(browser))

    wait(lambda: not active(postgres_url, schema), 10)


def test_the_editor_shows_the_sql_and_compares(browser: Any, address: str) -> None:
    for width, dark in ((1400, False), (NARROW, True)):
        browser.look(width, dark=dark)
        browser.visit(address + TO.query_editor(BASE, CURRENT))
        browser.run(
            "document.querySelector('#current-sql').value = arguments[0]",
            '\nselect id, state\nfrom {{ ref("orders") }}',
        )
        assert browser.run(PRESS, "form.query", "button[formaction]")
        wait(lambda: browser.run("return document.querySelectorAll('#sql pre').length === 2"))
        assert "ref%28" in browser.run("return location.search")
        held = browser.run("return document.querySelector('#current-sql').value")
        assert held == '\nselect id, state\nfrom {{ ref("orders") }}'
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.wait(AXE + AUDIT) == []
    browser.run("document.querySelector('#query-key').value = 'id'")
    assert browser.run(PRESS, "form.query", "button.primary")
    assert "state" in wait(lambda: docked(browser))


def test_pages_with_forms_are_accessible(browser: Any, address: str) -> None:
    pages = (
        TO.node(CURRENT, ORDERS, "data"),
        TO.column(CURRENT, ORDERS, "amount"),
        TO.diff(BASE, CURRENT, node=ORDERS, tab="data"),
    )
    for page in pages:
        for width, dark in ((1400, False), (NARROW, True)):
            browser.look(width, dark=dark)
            browser.visit(address + page)
            browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            assert browser.run("return document.documentElement.scrollWidth") <= width, page
            assert browser.wait(AXE + AUDIT) == [], page
            assert browser.run("return window.violations") == []
