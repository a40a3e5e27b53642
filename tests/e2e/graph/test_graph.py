"""The lineage graph in a real browser: mouse, keyboard, touch, columns, paths, exports and the address.

Needs Chromium and its driver (Debian: `apt-get install chromium chromium-driver`).
"""

from __future__ import annotations

import csv
import io
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import axe_core_python
import pytest
from msgspec import to_builtins

from recce_meta.api.browse.graph_columns import PAGE
from recce_meta.graph.hidden_paths import DrawnEdge
from recce_meta.models.graph_view import BOX_HEIGHT, BOX_WIDTH, GraphNode
from recce_meta.report.html.graph import placed
from recce_meta.server.site.handlers import MOST_PARAMETERS
from tests.e2e.graph import synthetic
from tests.e2e.graph.conftest import STATIC, GraphSite
from tests.e2e.graph.driver import DOWN, ENTER, ESCAPE, LEFT, RIGHT, SPACE, TAB, UP, GraphUser
from tests.unit.report.html.test_drawing import points

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
AUDIT = """
const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then((found) => done(found.violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" ; ")}`)),
  (error) => done([String(error)]));
"""
SVG = "{http://www.w3.org/2000/svg}"
WIDE, NARROW = (1400, False), (400, True)
"""Width of the window, and whether the scheme is dark."""
VIEWS = [(name, *WIDE) for name in ("3", "100", "1000", "5000", "hub3500", "hostile", "cut", "empty")]
VIEWS += [(name, *NARROW) for name in ("100", "hostile", "empty")]
HUNDRED = synthetic.view(100)
ROOT = HUNDRED.nodes[0].id
CHANGED = next(node for node in HUNDRED.nodes if node.status == "modified" and node.columns > 10)
PARENT, CHILD = next((HUNDRED.nodes[edge.parent].id, HUNDRED.nodes[edge.child].id) for edge in HUNDRED.edges)
WITH_HIDDEN = next(node for node in HUNDRED.nodes if node.children and node.layer == 2)


@pytest.fixture
def user(browser: Any, site: GraphSite) -> GraphUser:
    return GraphUser(browser, site)


def test_the_script_is_small() -> None:
    assert len((STATIC / "graph.js").read_bytes()) < 61_000


def test_the_script_and_the_server_have_one_page_size() -> None:
    assert re.findall(r"PER_PAGE = (\d+)", (STATIC / "graph.js").read_text("utf-8")) == [str(PAGE)]


@pytest.mark.parametrize(("name", "width", "dark"), VIEWS)
def test_every_view_is_drawn_without_a_fault(user: GraphUser, name: str, width: int, dark: bool) -> None:
    user.visit(name, width=width, dark=dark)

    assert user.faults() == []
    if name != "empty":
        node = user.run("return graph.scene.boxes[0].node.id")
        user.run("graph.jump(arguments[0], true)", node)
        inside, outside = user.pixel(node, 195, 40), user.pixel(node, -40, -14)
        assert inside != outside
        assert user.faults() == []


def test_hostile_names_are_text(user: GraphUser) -> None:
    user.visit("hostile")
    for name in synthetic.HOSTILE:
        user.run("graph.jump(arguments[0]); graph.hover(arguments[0]); graph.paint()", f"model.{name}")
    user.run("graph.input.value = '<'; graph.find(); graph.table.open = true")

    elements = user.run(
        "return [...document.querySelector('.graph').querySelectorAll('*')].map((e) => e.localName)"
    )
    addresses = user.run("return [...document.querySelectorAll('.graph a')].map((e) => e.protocol)")
    assert not {"img", "script"} & set(elements)
    assert set(addresses) <= {"http:"}
    assert "\u202e" not in user.run("return document.querySelector('main').textContent")
    assert user.faults() == []


def test_designed_states_have_a_sentence(user: GraphUser) -> None:
    user.visit("empty")
    assert "The graph has no nodes" in user.run("return graph.message.innerText")
    assert "The filter matches no node." in user.run("return graph.notes.innerText")

    user.visit("cut")
    assert "The view is cut: 100 of 5,000 nodes" in user.run("return graph.notes.innerText")


def test_a_failed_load_can_be_tried_again(user: GraphUser) -> None:
    user.browser.look(1400)
    user.browser.visit(user.site.page("failing"))
    user.until("graph.message.querySelector('button')")
    assert "could not be loaded: the server answered 503" in user.run("return graph.message.innerText")

    user.run("graph.message.querySelector('button').click()")

    user.until("graph.isReady")
    assert user.run("return [graph.scene.boxes.length, graph.message.hidden]") == [3, True]
    user.browser.console()  # the refused request


def test_the_fallback_stays_and_a_missing_one_is_written(user: GraphUser) -> None:
    user.visit("3")
    assert user.run("return graph.table.contains(document.getElementById('fallback'))")

    user.visit("plain3")
    user.run("graph.table.open = true; graph.fillTable()")
    text = user.run("return graph.table.innerText")
    assert all(node.name in text for node in synthetic.view(3, is_diff=False).nodes)


def test_the_mouse_hovers_selects_and_follows_neighbours(user: GraphUser) -> None:
    user.visit("100")
    user.run("graph.jump(arguments[0], true); graph.select('')", CHANGED.id)
    user.mouse("mouseMoved", *user.place(CHANGED.id))
    user.until("!graph.tip.hidden")
    tip = user.run("return graph.tip.innerText")
    assert CHANGED.name in tip and CHANGED.words in tip

    user.click(*user.place(CHANGED.id))

    panel = user.panel()
    assert CHANGED.name in panel and CHANGED.words in panel and CHANGED.path in panel and "Row count" in panel
    actions = user.run("return [...graph.panel.querySelectorAll('.graph-actions a')].map((a) => a.search)")
    assert actions == [f"?kind=row_count&node={CHANGED.id}"]
    exposure = next(node for node in HUNDRED.nodes if node.type == "exposure")
    user.run("graph.select(arguments[0])", exposure.id)
    assert exposure.name in user.panel() and "Row count" not in user.panel()
    user.run(
        "Object.assign(graph.box(arguments[0]).node, { status: 'added' }); graph.select(arguments[0])", PARENT
    )
    assert "Row count" not in user.panel(), "only current has it"
    user.run("graph.select(arguments[0])", CHANGED.id)
    user.run("graph.panel.querySelector('ul button').click()")
    assert user.run("return graph.selected") != CHANGED.id
    assert user.faults() == []


def test_drag_and_wheel_move_the_view(user: GraphUser) -> None:
    user.visit("100")
    user.run("graph.jump(arguments[0], true)", ROOT)
    x, y = user.place(ROOT)
    user.drag(x, y - 60, 70, 40)
    assert user.place(ROOT) == pytest.approx((x + 70, y + 40), abs=1)

    user.mouse("mouseWheel", x, y, deltaX=0, deltaY=100)
    user.until("Math.abs(graph.toScreen(...arguments[0])[1] - arguments[1]) > 50", [0, 0], -1e6)
    assert user.place(ROOT) == pytest.approx((x + 70, y - 60), abs=1)

    zoom = user.run("return graph.zoom")
    x, y = user.place(ROOT)
    user.mouse("mouseWheel", x, y, deltaX=0, deltaY=-60, modifiers=2)
    user.until("graph.zoom > arguments[0]", zoom)
    assert user.place(ROOT) == pytest.approx((x, y), abs=1)
    assert user.run("return window.scrollY") == 0


def test_a_drag_whose_end_is_lost_is_over(user: GraphUser) -> None:
    user.visit("100")
    user.run("graph.jump(arguments[0], true)", ROOT)
    x, y = user.place(ROOT)
    user.mouse("mouseMoved", x, y - 60)
    user.mouse("mousePressed", x, y - 60, button="left", clickCount=1)
    user.mouse("mouseMoved", x + 40, y - 60, button="left", buttons=1)
    dragged = user.place(ROOT)

    user.mouse("mouseMoved", x + 90, y - 20, buttons=0)
    user.mouse("mouseMoved", x + 140, y, buttons=0)

    assert dragged == pytest.approx((x + 40, y), abs=1)
    assert user.place(ROOT) == dragged
    user.mouse("mouseReleased", x, y, button="left", clickCount=1)
    user.run(
        "const send = (name) => graph.field.dispatchEvent("
        "new PointerEvent(name, { pointerId: 1, buttons: 1, clientX: arguments[0], clientY: 300 }));"
        "send('pointerdown'); send('lostpointercapture'); arguments[0] += 50; send('pointermove')",
        x,
    )
    assert user.place(ROOT) == dragged


def test_another_density_of_the_screen_is_drawn_sharp(user: GraphUser) -> None:
    user.visit("3")
    user.browser.look(1400, height=1500)
    user.until("graph.height === 960")  # the largest height: only the density changes
    width = user.run("return graph.canvas.width")
    for density in (2, 3):
        metrics = {"width": 1400, "height": 1500 + density, "deviceScaleFactor": density, "mobile": False}
        user.browser.command("Emulation.setDeviceMetricsOverride", **metrics)
        user.until("graph.canvas.width === arguments[0]", density * width)


@pytest.mark.parametrize("way", ["pill", "double click", "panel"])
def test_expanding_shows_neighbours_and_holds_the_node_in_place(user: GraphUser, way: str) -> None:
    user.visit("100")
    node = WITH_HIDDEN
    user.run("graph.jump(arguments[0], true)", node.id)
    before = user.place(node.id)
    if way == "pill":
        user.click(*user.place(node.id, 220, 22))
    elif way == "double click":
        user.click(*before, times=2)
    else:
        user.run(
            "[...graph.panel.querySelectorAll('button')]"
            ".find((element) => /^Show \\d+ more chil/.test(element.innerText)).click()"
        )
    user.until("graph.scene.boxes.length > 100")

    assert user.place(node.id) == pytest.approx(before, abs=1)
    user.until("location.search.includes('expand=')")
    assert (
        user.run("return new URLSearchParams(location.search).getAll('expand')").count(f"{node.id}:down") == 1
    )
    user.run("graph.reset()")
    user.until("graph.scene.boxes.length === 100")


def test_expansions_in_quick_succession_are_all_made(user: GraphUser) -> None:
    user.visit("100")
    wanted = [f"{PARENT}:down", f"{CHILD}:up", f"{CHANGED.id}:down"]
    user.run("for (const one of arguments[0]) graph.expandBy([one])", wanted[:2])
    user.until("graph.scene.boxes.length === 102")
    assert user.run("return graph.state().getAll('expand')") == wanted[:2]

    user.run("graph.load = graph.can.load; graph.can.load = () => Promise.reject(new Error('no'))")
    user.run("graph.expandBy([arguments[0]])", wanted[2])
    user.until("graph.message.innerText.includes('could not be loaded: no')")
    user.run("graph.can.load = graph.load; graph.expandBy([`${arguments[0]}:up`])", CHANGED.id)
    user.until("graph.scene.boxes.length === 103")
    assert user.run("return graph.state().getAll('expand')") == [*wanted[:2], f"{CHANGED.id}:up"]


def test_a_long_path_asks_for_each_neighbour_once_and_not_for_too_many(user: GraphUser) -> None:
    user.visit("100")
    path = {
        "node": ROOT,
        "column": "id",
        "columns": [{"node": "model.hidden", "name": "hidden", "column": "id", "side": "up"}]
        + [{"node": ROOT, "name": "root", "column": f"c{place}", "side": "up"} for place in range(3)],
        "edges": [[0, place] for place in (1, 2, 3)],
    }
    user.run("graph.lockPath(arguments[0])", path)
    assert user.run("return graph.missing(graph.path)") == {
        "hidden": ["model.hidden"],
        "wanted": [f"{ROOT}:up"],
    }

    user.run("graph.can.load = (query) => { graph.sent = query.size; return new Promise(() => {}); }")
    user.run("graph.expandBy(Array.from({ length: 300 }, (_, place) => `model.${place}:up`))")
    assert user.run("return graph.sent") < MOST_PARAMETERS - 20
    user.run("graph.expandBy(['model.more:up'])")
    assert "too many expansions" in user.run("return graph.message.innerText")


def test_tables_that_cannot_be_read_are_written(user: GraphUser) -> None:
    user.visit("100")
    user.run("graph.table.open = true; graph.can.tables = () => Promise.reject(new Error('no'))")
    user.run("graph.expand(arguments[0])", WITH_HIDDEN.id)
    user.until("graph.table.querySelectorAll('tbody tr').length > 100")

    text = user.run("return graph.table.innerText")
    assert f"new down of {WITH_HIDDEN.name}" in text and "approved by Ann" in text


def test_the_keyboard_reaches_everything(user: GraphUser) -> None:
    user.visit("100")
    user.run("graph.field.focus(); graph.jump(arguments[0])", PARENT)
    user.browser.press(RIGHT)
    child = user.run("return graph.selected")
    assert (PARENT, child) in {(HUNDRED.nodes[e.parent].id, HUNDRED.nodes[e.child].id) for e in HUNDRED.edges}
    name = next(node.name for node in HUNDRED.nodes if node.id == child)
    said = user.run("return graph.live.textContent")
    assert name in said and "parent" in said and "child" in said

    user.browser.press(DOWN + UP)
    assert user.run("return graph.selected") == child
    user.browser.press(LEFT)
    assert user.run("return graph.selected") != child

    user.run("graph.jump(arguments[0])", CHANGED.id)
    user.browser.press(SPACE)
    user.until("graph.scene.byId.get(arguments[0]).rows?.columns.length === 10", CHANGED.id)
    zoom = user.run("return graph.zoom")
    user.browser.press("+")
    assert user.run("return graph.zoom") > zoom
    user.browser.press("0" + ESCAPE)
    assert user.run("return [graph.selected, document.activeElement === graph.field]") == ["", True]
    assert user.run("return getComputedStyle(graph.field).outlineStyle") == "solid"


def test_tab_enters_and_leaves_and_enter_opens_the_node(user: GraphUser) -> None:
    user.visit("3")
    user.run("document.querySelector('.graph-exports summary').focus()")
    user.browser.press(TAB)
    assert user.run("return document.activeElement === graph.field")
    user.browser.press(TAB)
    assert user.run("return document.activeElement !== graph.field")

    user.run("graph.field.focus(); graph.jump(graph.scene.boxes[1].node.id)")
    user.browser.press(ENTER)
    assert user.browser.run("return location.pathname") == "/s/shop/runs/1/nodes/1"


def test_touch_selects_pans_and_pinches(user: GraphUser) -> None:
    user.visit("100", width=400)
    user.run("graph.jump(arguments[0], true); graph.select('')", CHANGED.id)
    x, y = user.place(CHANGED.id)
    user.touch("touchStart", (x, y))
    user.touch("touchEnd")
    user.until("graph.selected === arguments[0]", CHANGED.id)

    user.run("graph.select('')")
    user.touch("touchStart", (x, y))
    user.touch("touchMove", (x + 30, y + 10))
    user.touch("touchMove", (x + 50, y + 20))
    user.touch("touchEnd")
    assert user.place(CHANGED.id) == pytest.approx((x + 50, y + 20), abs=1)
    assert user.run("return graph.selected") == ""

    zoom = user.run("return graph.zoom")
    user.touch("touchStart", (150, y), (250, y))
    user.touch("touchMove", (120, y), (280, y))
    user.touch("touchMove", (100, y), (300, y))
    user.touch("touchEnd")
    assert user.run("return graph.zoom") == pytest.approx(2 * zoom, rel=0.02)
    assert user.faults() == []


def test_columns_unfold_in_pages_and_push_the_boxes_below(user: GraphUser) -> None:
    user.visit("100")
    user.run("graph.jump(arguments[0], true); graph.select('')", CHANGED.id)
    user.click(*user.place(CHANGED.id, 180, 34))
    user.until("graph.scene.byId.get(arguments[0]).rows?.columns.length === 10", CHANGED.id)

    gaps = (
        "const layer = graph.scene.layers.get(graph.scene.byId.get(arguments[0]).x);"
        "return layer.slice(1).map((box, i) => box.y - layer[i].y - layer[i].height)"
    )
    assert min(user.run(gaps, CHANGED.id)) >= 16
    user.click(*user.place(CHANGED.id, 200 - 54, 44 + 8 + 220 + 12))
    user.until("graph.scene.byId.get(arguments[0]).rows.page === 2", CHANGED.id)

    user.until("graph.unfolded.get(arguments[0]).columns[0].name === 'column_10'", CHANGED.id)
    user.click(
        *user.place(CHANGED.id, 200 - 18, user.run("return graph.box(arguments[0]).height - 14", CHANGED.id))
    )
    assert user.run("return document.activeElement.getAttribute('aria-label')") == "Search columns"
    user.browser.press("column_12")
    user.until("graph.scene.byId.get(arguments[0]).rows.total === 1", CHANGED.id)
    assert user.run("return document.activeElement.value") == "column_12"
    assert user.faults() == []


def test_columns_that_decide_over_rows_are_drawn_dashed_and_named(user: GraphUser) -> None:
    user.visit("100")
    rows = [{"node": PARENT, "column": "status", "reader": CHILD, "usage": "filter"}]
    data = {"node": PARENT, "column": "id", "columns": [], "edges": [], "rows": rows}
    user.run("graph.lockPath({ ...arguments[0], columns: [arguments[0]] })", data)

    shown = user.run("return graph.scene.boxes.filter((box) => !graph.isDim(box)).map((box) => box.node.id)")
    assert set(shown) == {PARENT, CHILD}
    assert "column that decides which rows there are 1" in user.run("return graph.legend.innerText")
    lines = ElementTree.fromstring(user.run("return graph.svg()")).findall(f"{SVG}path[@d]")
    colour = user.run("return graph.colours['one-sided']")
    assert [line.get("stroke-dasharray") for line in lines if line.get("stroke") == colour] == ["5 4"]
    assert [line for line in lines if line.get("fill") == colour]  # the arrow

    user.run("graph.unlock()")
    assert "decides" not in user.run("return graph.legend.innerText")


def test_the_footer_names_the_columns_of_the_page(user: GraphUser) -> None:
    columns = CHANGED.columns
    user.visit("100")
    found = []
    for page in (1, -(-columns // PAGE)):
        user.run("graph.unfold(arguments[0], { page: arguments[1] })", CHANGED.id, page)
        user.until("graph.unfolded.get(arguments[0]).text !== 'Loading columns…'", CHANGED.id)
        found += user.run("return /[\\d,]+–[\\d,]+ of [\\d,]+/.exec(graph.svg())")

    last = (columns - 1) // PAGE * PAGE + 1
    assert found == [f"1–{PAGE} of {columns}", f"{last}–{columns} of {columns}"]


def test_the_lower_edge_of_a_folded_box_is_outside(user: GraphUser) -> None:
    user.visit("3")
    kinds = user.run(
        "const { x, y } = graph.scene.boxes[0];"
        "return [43.9, 44].map((down) => graph.scene.at(x + 9, y + down)?.kind)"
    )

    assert kinds == ["box", None]


def test_a_column_previews_its_path_and_a_click_locks_it(user: GraphUser) -> None:
    user.visit("100")
    user.run("graph.jump(arguments[0], true); graph.unfold(arguments[0])", CHANGED.id)
    user.until("graph.scene.byId.get(arguments[0]).rows?.columns.length === 10", CHANGED.id)
    row = user.place(CHANGED.id, 60, 44 + 4 + 11)
    user.mouse("mouseMoved", *row)
    user.until("graph.preview")
    user.click(*row)
    user.until("graph.path")

    expected = synthetic.column_path(HUNDRED, CHANGED.id, "column_0")
    panel = user.panel()
    assert "1 node of the path is not shown" in panel
    assert "filters the rows of" in panel and "Columns that decide which rows there are" in panel
    steps = user.run("return graph.panel.querySelectorAll('ol li').length")
    assert steps == len(expected.columns)
    codes = user.run("return [...graph.panel.querySelectorAll('ol code')].map((e) => e.textContent)")
    assert Counter(codes) == Counter(step.expression for step in expected.columns if step.expression)
    shown = user.run(
        "return graph.scene.boxes.filter((box) => box.rows).flatMap((box) =>"
        " [...graph.path.byNode.get(box.node.id).keys()].map((name) => [box.node.id, name]))"
    )
    visible = [(step.node, step.column) for step in expected.columns if step.node != "model.hidden"]
    assert sorted(map(tuple, shown)) == sorted(visible)
    assert "Top values" in panel

    user.run("graph.field.focus()")
    user.browser.press(ESCAPE)
    assert user.run("return [graph.path, graph.scene.boxes.filter((box) => box.rows).length]") == [None, 1]
    assert user.faults() == []


def test_the_address_restores_the_view(user: GraphUser) -> None:
    user.visit("100", "?tab=lineage")
    user.run(
        "graph.jump(arguments[0], true); graph.unfold(arguments[0]); graph.zoomBy(1.3); graph.panBy(31, 17)",
        CHANGED.id,
    )
    user.run("graph.expand(arguments[0])", WITH_HIDDEN.id)
    user.until("graph.scene.boxes.length > 100")
    user.run("graph.lock(arguments[0], 'column_1')", CHANGED.id)
    user.until("graph.path")
    state = (
        "return [graph.state().toString(), graph.scene.boxes.map((box) => [box.node.id, box.y, box.height])]"
    )
    before = user.run(state)
    user.run("graph.writeState()")
    address = user.browser.run("return location.href")
    assert "tab=lineage" in address

    user.browser.visit(address)
    user.until("graph.isReady && graph.path")

    user.until("[...graph.unfolded.values()].every((found) => found.columns)")
    assert user.run(state) == before
    assert user.run("return graph.panel.querySelectorAll('ol li').length") > 3


def test_the_address_restores_pages_searches_the_selection_and_the_legend(user: GraphUser) -> None:
    user.visit("100")
    searched = next(node.id for node in HUNDRED.nodes if node.columns > 12 and node.id != CHANGED.id)
    user.run(
        "graph.unfold(arguments[0], { page: 2 }); graph.unfold(arguments[1], { q: ':2' })", CHANGED.id, ROOT
    )
    user.run("graph.unfold(arguments[0], { q: 'column_1', page: 1 }); graph.select(arguments[0])", searched)
    user.run("graph.legend.querySelector('button').click()")
    user.until("[...graph.unfolded.values()].every((found) => found.total >= 0)")
    shown = (
        "return [graph.selected, graph.dimmed, graph.panel.innerText, graph.state().toString(),"
        " [...graph.unfolded].map(([id, { q, page, total }]) => [id, q, page, total])]"
    )
    before = user.run(shown)
    user.run("graph.writeState()")

    user.browser.run("location.reload()")
    user.until("graph.isReady && graph.unfolded.size === 3")
    user.until("[...graph.unfolded.values()].every((found) => found.total >= 0)")

    assert user.run(shown) == before
    assert before[0] == searched and before[1].startswith("change|")
    assert [one[1:3] for one in before[4]] == [["", 2], [":2", 1], ["column_1", 1]]
    assert user.run("return graph.legend.querySelector('[aria-pressed=true]').name") == before[1]


def test_a_malformed_state_opens_the_graph(user: GraphUser) -> None:
    user.visit("3", "?open=x&open=" + ROOT + "&rows=-1:&rows=99999:a&selected=x&dim=x&at=1,x,2")

    assert user.run("return [graph.selected, graph.dimmed, graph.unfolded.size]") == ["", "", 0]
    assert user.faults() == []


def test_the_svg_has_every_node_and_edge_as_text(user: GraphUser) -> None:
    for name, view in (("100", HUNDRED), ("hostile", synthetic.hostile()), ("1000", synthetic.view(1000))):
        user.visit(name)
        root = ElementTree.fromstring(user.run("return graph.svg()"))
        groups = root.findall(f"{SVG}g")
        ids = user.run("return graph.scene.boxes.map((box) => box.node.id)")
        assert ids == [node.id for node in view.nodes]
        edges = Counter(
            (g.get("data-parent"), g.get("data-child")) for g in groups if g.get("class") == "edge"
        )
        nodes = [g for g in groups if g.get("class") == "node"]
        assert len(nodes) == len(ids)
        assert all(len(node.findall(f"{SVG}text")) >= 2 for node in nodes)
        if name != "hostile":
            assert edges == Counter((view.nodes[e.parent].id, view.nodes[e.child].id) for e in view.edges)
            assert {node.get("data-id") for node in nodes} == set(ids)
        assert sum(edges.values()) == len(view.edges)


def test_png_and_csv(user: GraphUser) -> None:
    user.visit("hostile")
    nodes = list(csv.reader(io.StringIO(user.run("return graph.csv('nodes')"))))
    edges = list(csv.reader(io.StringIO(user.run("return graph.csv('edges')"))))
    assert len(nodes) == 1 + len(synthetic.HOSTILE) and len({len(row) for row in nodes}) == 1
    assert len(edges) == 1 + len(synthetic.hostile().edges)
    assert [row[2] for row in edges if row[2] == "added"] == ["added"]
    assert {row[0] for row in nodes} >= {"id", "model.=1+1,\"a\"\\u000a'b'"}

    user.visit("5000")
    size = user.browser.wait(
        "const done = arguments[0]; document.querySelector('.graph').graph.graph.png()"
        ".then((blob) => createImageBitmap(blob)).then((image) => done([image.width, image.height]))"
    )
    assert max(size) <= 12_000 and size[0] * size[1] <= 4.1e7 and min(size) > 100


def test_the_scheme_changes_the_colours(user: GraphUser) -> None:
    user.visit("100")
    user.run("graph.jump(arguments[0], true)", ROOT)
    light = user.pixel(ROOT, -10, -8)
    user.browser.run("document.documentElement.dataset.theme = 'dark'")
    user.until("graph.colours.page !== arguments[0]", f"rgb({', '.join(map(str, light))})")
    assert sum(user.pixel(ROOT, -10, -8)) < sum(light) / 2


def test_the_legend_counts_what_is_present_and_dims_the_rest(user: GraphUser) -> None:
    user.visit("100")
    entries = user.run("return [...graph.legend.children].map((e) => e.innerText)")
    breaking = sum(node.words == "modified, breaking" for node in HUNDRED.nodes)
    assert entries[0] == f"~ modified, breaking {breaking}"
    assert all("removed, breaking" not in entry for entry in entries)

    user.run("graph.legend.children[0].click()")
    assert user.run("return graph.scene.boxes.filter((box) => !graph.isDim(box)).length") == breaking
    user.run("graph.legend.children[0].click()")
    assert user.run("return graph.scene.boxes.some((box) => graph.isDim(box))") is False


def test_the_search_offers_changes_and_jumps(user: GraphUser) -> None:
    user.visit("1000")
    user.run("graph.input.focus()")
    first = user.run("return graph.hits.querySelector('li').innerText")
    assert "breaking" in first
    wanted = synthetic.view(1000).nodes[777]
    user.browser.press(wanted.name)
    user.browser.press(ENTER)
    assert user.run("return graph.selected") == wanted.id
    x, y = user.place(wanted.id)
    assert 0 < x < 1400 and 0 < y < 900


@pytest.mark.parametrize(("width", "dark"), [WIDE, NARROW])
def test_no_barrier_for_assistive_technology(user: GraphUser, width: int, dark: bool) -> None:
    user.visit("100", width=width, dark=dark)
    user.run("graph.jump(arguments[0], true); graph.unfold(arguments[0])", CHANGED.id)
    user.until("graph.columnList.querySelector('li')")
    user.browser.run(AXE)
    assert user.browser.wait(AUDIT) == []

    user.run("graph.table.open = true; graph.lock(arguments[0], 'column_0')", CHANGED.id)
    user.until("graph.path")
    assert user.browser.wait(AUDIT) == []


RANDOM_STEPS = """
const [count, start, done] = arguments;
const graph = document.querySelector('.graph').graph.graph;
const errors = [];
addEventListener('error', (event) => errors.push(event.message));
addEventListener('unhandledrejection', (event) => errors.push(String(event.reason)));
let seed = start;
const chance = (most) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return Math.floor(seed / 65536) % most;
};
const frame = graph.field.getBoundingClientRect();
const at = () => ({ clientX: frame.left + chance(frame.width), clientY: frame.top + chance(frame.height) });
const point = (...names) => {
  const place = at();
  for (const name of names) send(PointerEvent, name, { ...place, buttons: 1 });
};
const send = (Kind, name, more) => graph.field.dispatchEvent(
  new Kind(name, { bubbles: true, cancelable: true, pointerId: 1, button: 0, ...at(), ...more }));
const some = () => graph.scene.boxes[chance(graph.scene.boxes.length)].node.id;
const keys = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', ' ', '+', '-', '0', 'Escape'];
const steps = [
  () => send(WheelEvent, 'wheel', { deltaX: chance(400) - 200, deltaY: chance(400) - 200 }),
  () => send(WheelEvent, 'wheel', { deltaY: chance(200) - 100, ctrlKey: true }),
  () => { point('pointerdown'); point('pointermove'); point('pointerup'); },
  () => point('pointerdown', 'pointerup'),
  () => send(PointerEvent, 'pointermove'),
  () => send(KeyboardEvent, 'keydown', { key: keys[chance(keys.length)] }),
  () => graph.jump(some(), true),
  () => graph.toggle(some()),
  () => send(MouseEvent, 'dblclick'),
  () => chance(9) || graph.expand(some()),
  () => chance(9) || graph.lock(some(), `column_${chance(3)}`),
  () => chance(40) || graph.reset(),
  () => graph.legend.children[chance(graph.legend.children.length)].click(),
];
const work = async () => {
  for (let step = 0; step < count; step++) {
    try { steps[chance(steps.length)](); } catch (error) { errors.push(`${step}: ${error.stack}`); }
    if (step % 20 === 0) graph.paint();
    if (step % 100 === 0) await new Promise((next) => setTimeout(next));
  }
  setTimeout(() => done([errors.slice(0, 5), graph.scene.boxes.length, graph.zoom, graph.x, graph.y]), 300);
};
work();
"""


def test_ten_thousand_random_steps(user: GraphUser) -> None:
    user.visit("100")
    for seed in range(10):
        errors, boxes, *place = user.browser.wait(RANDOM_STEPS, 1000, seed)
        assert errors == []

    assert boxes >= 100
    assert all(isinstance(value, (int, float)) for value in place)
    assert user.faults() == []


@pytest.mark.parametrize("seed", range(4))
def test_no_line_runs_behind_a_box_that_it_does_not_end_in(user: GraphUser, seed: int) -> None:
    chance = random.Random(seed)
    names = [f"model.shop.m{number:02}" for number in range(40)]
    pairs = {
        (parent, child) for child in range(1, 40) for parent in chance.sample(range(child), min(child, 2))
    }
    nodes = [GraphNode(id=one, name=one, type="model", x=0, y=0) for one in names]
    edges = [DrawnEdge(names[parent], names[child]) for parent, child in sorted(pairs)]
    user.visit("3")
    user.run("graph.setView(arguments[0])", to_builtins(placed(nodes, edges, len(nodes))))
    user.until("graph.isReady && !graph.frame && graph.scene.boxes.length === 40")

    boxes = user.run("return graph.scene.boxes.map(({ node, x, y }) => [node.id, x, y])")
    drawn = ElementTree.fromstring(user.run("return graph.svg()")).iter(f"{SVG}path")
    starts = {(left + BOX_WIDTH, top + BOX_HEIGHT / 2) for _, left, top in boxes}
    # Others are boxes, icons and arrows.
    open_paths = [text for one in drawn if re.fullmatch(r"[MCL\d. -]+", text := one.get("d", ""))]
    lines = [one for one in open_paths if next(points(one), None) in starts]

    assert len(lines) == len(edges) and any(line.count("C") > 2 for line in lines)
    behind = [
        (name, line)
        for line in lines
        for name, left, top in boxes
        if any(left < x < left + BOX_WIDTH and top < y < top + BOX_HEIGHT for x, y in points(line))
    ]
    assert not behind
