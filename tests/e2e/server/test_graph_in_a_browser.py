"""The lineage graph on the server's pages in a real browser, by mouse and keyboard, and without scripts."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from recce_meta.report.addresses import Addresses
from tests.contract.server.rich_store import SHOP
from tests.e2e.server.conftest import Served
from tests.e2e.server.test_keyboard import ENTER, at, until
from tests.e2e.server.test_pages_in_a_browser import AUDIT, AXE, FAULTS, NARROW, WIDE

TO = Addresses("default")
ORDERS = f"model.{SHOP}.orders"
DOWN = "\ue015"
READY = "return document.querySelector('.graph-mounted')?.graph?.graph.isReady"
TABLE = (
    "const table = document.querySelector('.graph-table');"
    "const links = [...table.querySelectorAll('a')].map((link) => link.href);"
    "return [table.querySelector('.list-head').textContent, ...links]"
)
GRAPH = "const {graph} = document.querySelector('.graph').graph; "


@pytest.fixture(scope="module")
def runs(served: Served) -> dict[str, str]:
    """Return the ids of the latest runs of the demo by environment."""
    rows = json.loads(served.get(f"{TO.runs()}.json?project_name={SHOP}").text)
    return {row["environment"]: row["run_id"] for row in reversed(rows)}


@pytest.fixture
def window(browser: Any) -> Iterator[Any]:
    """Yield the browser, whose console and whose policy must stay silent."""
    browser.look(WIDE)
    browser.console()
    yield browser
    assert browser.console() == []
    assert browser.run("return window.violations") == []


def opened(window: Any, served: Served, address: str) -> Any:
    """Open *address*, and return when its graph is drawn."""
    window.visit(served.address + address)
    until(window, READY)
    return window


def click(window: Any, script: str) -> None:
    """Click at the position on the canvas that *script* returns."""
    x, y = window.run(
        GRAPH
        + "graph.field.scrollIntoView({block: 'center', behavior: 'instant'});"
        + "const frame = graph.field.getBoundingClientRect(), at = (x, y) => {"
        + "const [left, top] = graph.toScreen(x, y); return [frame.left + left, frame.top + top]; };"
        + "const box = (id) => graph.scene.byId.get(id);"
        + script
    )
    move = {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)}
    actions = [move, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
    window._ask("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})


def query(window: Any) -> dict[str, list[str]]:
    """Return the parameters of the browser's address."""
    return urllib.parse.parse_qs(urllib.parse.urlsplit(window.run("return location.href")).query)


def texts(window: Any, selector: str) -> list[str]:
    """Return the texts of the elements that match *selector*."""
    found = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
    return window.run(found, selector)  # type: ignore[no-any-return]


def nodes(window: Any) -> int:
    return int(window.run(GRAPH + "return graph.scene.boxes.length"))


def test_a_click_shows_details_that_open_the_node(window: Any, served: Served, runs: dict[str, str]) -> None:
    opened(window, served, TO.graph(runs["current"]))

    click(window, f"const {{x, y}} = box('{ORDERS}'); return at(x + 60, y + 12)")
    until(window, "return document.querySelector('.graph-panel h3')?.textContent === 'orders'")
    window.run("document.querySelector('.graph-panel h3 a').click()")

    assert at(window, "/nodes/[^/]+$").endswith(ORDERS)


def test_a_node_is_expanded_and_a_reload_restores_the_view(
    window: Any, served: Served, runs: dict[str, str]
) -> None:
    opened(window, served, TO.node(runs["current"], ORDERS, "lineage"))
    before = nodes(window)

    click(window, f"const {{x, y}} = box('model.{SHOP}.customers'); return at(x + 222, y + 22)")
    until(window, GRAPH + "return graph.scene.boxes.length > arguments[0]", before)
    until(window, "return location.search.includes('expand=')")
    wider = nodes(window)
    until(window, "return document.querySelectorAll('.graph-table tbody tr').length === arguments[0]", wider)
    table = window.run(TABLE)
    window.run("location.reload()")
    until(window, READY)
    until(window, GRAPH + "return graph.scene.boxes.length === arguments[0]", wider)

    expansion = f"model.{SHOP}.customers:down"
    assert query(window)["expand"] == [expansion]
    assert window.run(TABLE) == table
    assert table[0].startswith(f"{wider} of ")
    exports = [
        urllib.parse.parse_qs(urllib.parse.urlsplit(link).query) for link in table[1:] if "/graph/" in link
    ]
    assert [one["expand"] for one in exports] == [[expansion]] * 2


@pytest.mark.parametrize("way", ["chip", "form", "table"])
def test_the_form_and_the_links_keep_what_the_script_shows(
    way: str, window: Any, served: Served, runs: dict[str, str]
) -> None:
    opened(window, served, f"{TO.graph(runs['current'])}?node={ORDERS}&most=50")
    before = nodes(window)
    window.run(GRAPH + "graph.expand(arguments[0])", f"model.{SHOP}.customers")
    until(window, GRAPH + "return graph.scene.boxes.length > arguments[0]", before)
    until(window, "return document.querySelectorAll('.graph-table tbody tr').length > arguments[0]", before)
    window.run(GRAPH + "graph.unfold(arguments[0]); graph.lock(arguments[0], 'amount')", ORDERS)
    until(window, GRAPH + "return graph.path && graph.unfolded.get(arguments[0]).total", ORDERS)
    window.run(GRAPH + "graph.zoomBy(1.1)")
    state = urllib.parse.parse_qs(window.run(GRAPH + "return graph.state().toString()"))
    window.run(
        {
            "chip": "[...document.querySelectorAll('.graph-form .chip')]"
            ".find((one) => one.textContent.startsWith('finance')).click()",
            "form": "const form = document.querySelector('.graph-form');"
            "form.elements.tag.value = 'finance'; form.requestSubmit()",
            "table": "document.querySelector('.graph-table a[href*=\"expand=\"]').click()",
        }[way]
    )
    at(window, "finance" if way != "table" else "expand=.*expand=")
    until(window, READY)

    kept = query(window)
    names = ("expand", "most", "open", "rows", "column", "of", "selected", "at")
    assert set(names) <= set(state)
    for name in names[way == "table" :]:
        assert kept[name] == state[name], name
    assert kept["expand"][: len(state["expand"])] == state["expand"]


def test_columns_unfold_and_a_click_locks_the_path(window: Any, served: Served, runs: dict[str, str]) -> None:
    opened(window, served, TO.node(runs["current"], ORDERS, "lineage"))

    click(window, f"const {{x, y}} = box('{ORDERS}'); return at(x + 180, y + 34)")
    names = GRAPH + f"return (graph.unfolded.get('{ORDERS}')?.columns || []).map((one) => one.name)"
    until(window, f"return (() => {{ {names} }})().length === 10")
    window.run(GRAPH + f"graph.turnPage('{ORDERS}', 1)")
    until(window, f"return (() => {{ {names} }})().includes('amount')")
    place = window.run(names).index("amount")
    click(window, f"const {{x, y}} = box('{ORDERS}'); return at(x + 60, y + 48 + ({place} + 0.5) * 22)")
    until(window, "return document.querySelector('.graph-panel h3')?.textContent === 'orders.amount'")
    until(window, "return location.search.includes('column=amount')")
    window.run("location.reload()")
    until(window, "return document.querySelector('.graph-panel h3')?.textContent === 'orders.amount'")

    assert query(window)["of"] == [ORDERS] and query(window)["open"] == [ORDERS]
    steps = texts(window, ".graph-panel ol b")
    assert "stg_payments.amount" in steps and "daily_revenue.revenue" in steps


def test_the_keyboard_reaches_the_graph_and_a_node(window: Any, served: Served, runs: dict[str, str]) -> None:
    window.visit(served.address + TO.node(runs["current"], ORDERS))
    window.press("gl")
    at(window, "/lineage$")
    until(window, READY)
    window.run("document.querySelector('.graph-field').focus()")
    window.press(DOWN)
    until(window, GRAPH + "return graph.selected")
    chosen = window.run(GRAPH + "return graph.selected")
    window.press(ENTER)

    assert urllib.parse.unquote(at(window, "/nodes/[^/]+$")).endswith(chosen)


def test_the_form_and_the_script_hold_one_address(window: Any, served: Served, runs: dict[str, str]) -> None:
    opened(window, served, TO.graph(runs["current"]))
    window.run(
        "const form = document.querySelector('.graph-form'); form.elements.select.value = '+customers';"
        "form.elements.up.value = '2'; form.requestSubmit()"
    )
    at(window, "select=%2Bcustomers")
    until(window, READY)
    expected = json.loads(served.get(f"{TO.graph(runs['current'])}.json?select=%2Bcustomers").text)
    until(window, GRAPH + "return graph.scene.boxes.length === arguments[0]", len(expected["nodes"]))

    assert query(window)["up"] == ["2"]


@pytest.mark.parametrize("kind", ["run", "node"])
def test_a_page_with_a_graph_has_no_fault(
    kind: str, window: Any, served: Served, runs: dict[str, str]
) -> None:
    address = {
        "run": TO.graph(runs["current"]),
        "node": TO.node(runs["current"], ORDERS, "lineage"),
    }[kind]
    opened(window, served, address)
    click(window, f"const {{x, y}} = box('{ORDERS}'); return at(x + 60, y + 12)")
    wide = window.run(FAULTS)
    window.run(AXE)
    audit = window.wait(AUDIT, None)
    window.look(NARROW, dark=True)
    time.sleep(0.2)
    narrow, dark = window.run(FAULTS), window.wait(AUDIT, ["color-contrast"])

    assert (wide, audit, narrow, dark) == ([], [], [], [])
    painted = window.run(
        "const canvas = document.querySelector('.graph canvas'); const {data} = canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height); const found = new Set();"
        "for (let i = 0; i < data.length; i += 4) found.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);"
        "return found.size"
    )
    assert painted > 5


def test_the_graph_is_a_table_without_a_script(window: Any, served: Served, runs: dict[str, str]) -> None:
    address = TO.graph(runs["current"], node=ORDERS)
    opened(window, served, address)
    fallback = "return document.querySelector('.graph .cards').textContent"
    with_script = window.run(fallback)
    window.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        window.visit(served.address + address)
        assert not window.run("return document.querySelector('canvas')")
        assert window.run("return document.querySelector('.graph .cards').checkVisibility()")
        without = window.run(fallback)
    finally:
        window.command("Emulation.setScriptExecutionDisabled", value=False)

    assert without == with_script
    assert "stg_orders" in without
