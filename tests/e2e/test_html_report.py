"""The HTML report in a real browser: it looks after itself, on any screen, and nothing in it comes alive.

Needs Chromium and its driver (Debian: `apt-get install chromium chromium-driver`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recce_meta.models import Change, Impact, LineageEdge, RunDiff, Status
from recce_meta.models.change import Category
from recce_meta.models.data_diff import Failed, RowCount, RowCountDiff, Subject
from recce_meta.report import html_report
from tests.e2e.server.test_pages_in_a_browser import AUDIT, AXE
from tests.support.needs import missing

GOLDEN = Path(__file__).parents[1] / "golden" / "report"
WIDE, NARROW = 1400, 400


def module(path: Path) -> Any:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


driving = module(Path(__file__).parent / "browser.py")
cases = module(GOLDEN / "data" / "data_cases.py")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if driving.programs() is None:
        missing("browser")
    with driving.browser(tmp_path_factory.mktemp("browser")) as session:
        yield session


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything on it."""
    diff = msgspec.json.decode((GOLDEN / "pull_request" / "input.json").read_bytes(), type=RunDiff)
    page = tmp_path_factory.mktemp("page") / "full.html"
    shown = [*cases.PULL_REQUEST, cases.QUERY, cases.EVERY_TYPE, cases.WIDE_DETAIL]
    page.write_text(html_report("jaffle_shop", diff, shown, cases.CHECKS), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page on which every name and value wants to be more than text."""
    page = tmp_path_factory.mktemp("page") / "hostile.html"
    shown = [*cases.HOSTILE_RESULTS, cases.EVERY_TYPE]
    page.write_text(html_report(cases.HOSTILE, None, shown), encoding="utf-8")
    return page


def opened(browser: Any, page: Path, width: int = WIDE, *, dark: bool = False) -> None:
    browser.look(width, dark=dark)
    browser.console()
    browser.requests()
    browser.open(page)


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", ["full", "hostile"])
def test_the_console_is_silent_and_nothing_is_asked_for(
    browser: Any, request: pytest.FixtureRequest, name: str, width: int
) -> None:
    page: Path = request.getfixturevalue(name)

    opened(browser, page, width)

    assert browser.console() == []
    asked = [url for url in browser.requests() if not url.startswith(("chrome:", "data:"))]
    assert asked == [page.as_uri()]


@pytest.mark.parametrize("width", [WIDE, NARROW, 320])
@pytest.mark.parametrize("name", ["full", "hostile"])
def test_the_page_is_never_wider_than_the_screen(
    browser: Any, request: pytest.FixtureRequest, name: str, width: int
) -> None:
    opened(browser, request.getfixturevalue(name), width)
    browser.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")

    assert browser.run("return document.documentElement.scrollWidth") <= width


OPEN = """
  const open = [...document.querySelectorAll("#drawer > .node")].filter((one) => one.offsetParent !== null);
  const panels = [...document.querySelectorAll(".panel")].filter((one) => one.offsetParent !== null);
  const names = open.map((one) => one.querySelector("h2").innerText.slice(2));
  return [names, panels.map((one) => one.id.split("-")[2]),
    document.querySelector(".row.on a")?.innerText, document.querySelector(".list").offsetParent !== null];
"""
CLICK = """
  const event = new MouseEvent("click", {bubbles: true, cancelable: true});
  document.querySelector(arguments[0]).dispatchEvent(event);
"""


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_node_opens_in_the_drawer_and_the_history_holds_it(browser: Any, full: Path, width: int) -> None:
    opened(browser, full, width)
    assert browser.run(OPEN) == [[], [], None, True]

    browser.run(CLICK, ".row[data-node=orders] .name a")
    until(browser, OPEN, [["orders"], ["code"], "orders", True])
    browser.run(CLICK, ".row[data-node=orders] .datacell a")
    until(browser, OPEN, [["orders"], ["data"], "orders", True])
    browser.run(CLICK, ".box[data-node=legacy_orders]")
    until(browser, OPEN, [["legacy_orders"], ["code"], "legacy_orders", True])
    browser.run("history.back()")
    until(browser, OPEN, [["orders"], ["data"], "orders", True])
    browser.press("k1")
    until(browser, "return document.querySelector('.drawer > .on .tabs .on').innerText", "Code")
    browser.press("\ue00c")
    until(browser, OPEN, [[], [], None, True])

    assert browser.console() == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_state_of_the_drawer_has_a_fault(browser: Any, full: Path, width: int, dark: bool) -> None:
    opened(browser, full, width, dark=dark)
    browser.run(AXE)
    nodes = browser.run("return [...document.querySelectorAll('#drawer > .node')].map((one) => one.id)")

    found = []
    for fragment in ("", *nodes[:4], f"{nodes[0]}-data"):
        browser.run("location.hash = arguments[0]", fragment)
        found += browser.wait(AUDIT, None)
        assert browser.run("return document.documentElement.scrollWidth") <= width

    assert not found


def until(browser: Any, script: str, expected: Any) -> None:
    """Wait until *script* returns *expected*."""
    end = time.monotonic() + 10
    while (found := browser.run(script)) != expected and time.monotonic() < end:
        time.sleep(0.05)
    assert found == expected


def test_a_dark_screen_gets_other_colours(browser: Any, full: Path) -> None:
    script = """
      const of = (element) => getComputedStyle(element);
      const [row, bar] = [document.querySelector(".row"), document.querySelector("rect.current")];
      const page = of(document.body);
      return [page.backgroundColor, page.color, of(row).backgroundColor, of(bar).fill];
    """
    opened(browser, full)
    light = browser.run(script)
    opened(browser, full, dark=True)
    dark = browser.run(script)

    assert not set(zip(light, dark, strict=True)) & {(colour, colour) for colour in light}


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_can_be_told_from_its_ground(browser: Any, full: Path, dark: bool) -> None:
    """4.5 to 1, as https://www.w3.org/TR/WCAG22/#contrast-minimum asks of text."""
    opened(browser, full, dark=dark)
    browser.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")

    faint = browser.run(
        """
        const parts = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
        const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
          .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
          .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const ground = (element) => {
          for (let at = element; at; at = at.parentElement) {
            const found = parts(getComputedStyle(at).backgroundColor);
            if (found.length === 3 || found[3] === 1) return found;
          }
          return [255, 255, 255];
        };
        const faint = new Set();
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
          const element = walker.currentNode.parentElement;
          if (!walker.currentNode.data.trim() || element.closest("svg, script, style, .skip")) continue;
          const colours = [parts(getComputedStyle(element).color), ground(element)];
          const [a, b] = colours.map(light).sort((x, y) => y - x);
          if ((a + 0.05) / (b + 0.05) < 4.5) faint.add(`${element.tagName}.${element.className}`);
        }
        return [...faint];
        """
    )

    assert faint == []


NAMES = (
    "stg_orders",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "int_customers_with_lifetime_value_by_region",
    "名前" * 12,
)


def lineage_of(count: int) -> tuple[RunDiff, list[Any]]:
    """A diff of *count* nodes with every status and kind of edge, and row counts with every outcome."""
    statuses = [Status.MODIFIED, Status.ADDED, Status.REMOVED]
    names = [f"{NAMES[index % len(NAMES)]}_{index}" for index in range(count)]
    ids = [f"model.shop.{name}" for name in names]
    half = count // 2
    changes = tuple(
        Change(
            unique_id=ids[index],
            name=names[index],
            resource_type="model",
            status=statuses[index % 3],
            category=Category.BREAKING if index == 0 else None,
        )
        for index in range(half)
    )
    impacted = tuple(
        Impact(
            unique_id=ids[index],
            name=names[index],
            resource_type="model",
            distance=1 + index % 3,
            origin=ids[index - half],
        )
        for index in range(half, count)
    )
    children: list[LineageEdge] = []
    for impact in impacted:
        parent = impact.origin
        for step in range(1, impact.distance):  # through nodes that are not affected, so not drawn
            children.append(LineageEdge(between := f"{impact.unique_id}_{step}", parent))
            parent = between
        children.append(LineageEdge(impact.unique_id, parent))
    diff = msgspec.json.decode((GOLDEN / "pull_request" / "input.json").read_bytes(), type=RunDiff)
    shown = [
        RowCountDiff(counts=(RowCount(subject=Subject(name=names[0], unique_id=ids[0]), base=1, current=2),)),
        RowCountDiff(counts=(RowCount(subject=Subject(name=names[3], unique_id=ids[3]), base=1, current=1),)),
        Failed(subject=Subject(name=names[6], unique_id=ids[6]), diff="value_diff", error="no such table"),
    ]
    names_of = dict(zip(ids, names, strict=True))
    return msgspec.structs.replace(
        diff, changes=changes, impacted=impacted, edges=tuple(children), names=names_of
    ), shown


@pytest.mark.parametrize("count", [23, 100])
def test_labels_fit_their_boxes_and_the_legend_explains_every_line(
    browser: Any, tmp_path: Path, count: int
) -> None:
    diff, shown = lineage_of(count)
    page = tmp_path / "lineage.html"
    page.write_text(html_report("shop", diff, shown), encoding="utf-8")
    opened(browser, page)

    boxes = browser.run(
        """
        return [...document.querySelectorAll("svg.graph .box")].map((box) => {
          const [outer, label] = [box.querySelector("rect"), box.querySelector("foreignObject")];
          const [around, frame] = [outer.getBoundingClientRect(), label.getBoundingClientRect()];
          const lines = [...label.querySelectorAll(".t, .s")].map((line) => line.getBoundingClientRect());
          return {
            left: frame.left - around.left, right: around.right - frame.right,
            above: lines[0].top - around.top, below: around.bottom - lines[1].bottom,
            clips: getComputedStyle(label).overflow !== "visible",
            text: label.querySelector(".s").textContent,
          };
        })
        """
    )
    lines = browser.run(
        "return [...document.querySelectorAll('svg.graph .edge')].map((one) => one.getAttribute('class'))"
    )
    text = browser.run("return document.querySelector('#lineage').textContent")

    assert len(boxes) > 20
    for box in boxes:
        assert min(box["left"], box["right"], box["above"] + 1, box["below"] + 1) >= 0, box
        assert box["clips"], box
    words = {word for box in boxes for word in box["text"].replace("·", " ").split()}
    assert {"breaking", "added", "removed", "affected"} <= words
    assert any("far" in line for line in lines) and "dashed line: through other nodes" in text
    assert "line with +" not in text


def test_a_hostile_value_is_inert(browser: Any, hostile: Path) -> None:
    opened(browser, hostile)

    told = browser.run("return [document.scripts.length, document.body.innerText, document.title]")

    assert told[0] == 1
    assert "<script>alert(1)</script>" in told[1]
    assert told[2].startswith("</script><script>alert(1)</script>")


def test_the_policy_stops_a_script_that_is_not_ours(browser: Any, full: Path) -> None:
    opened(browser, full)

    ran = browser.run(
        """
        const script = document.createElement("script");
        script.textContent = "window.foreign = true";
        document.body.append(script);
        return window.foreign === true;
        """
    )

    assert ran is False


def test_a_heading_sorts_its_table_there_and_back(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "data.html"
    page.write_text(html_report("jaffle_shop", None, cases.PULL_REQUEST), encoding="utf-8")
    opened(browser, page)
    names = "return [...document.querySelectorAll('#row-counts tbody th')].map((cell) => cell.innerText);"
    press = "document.querySelectorAll('#row-counts thead th button')[1].click();"

    orders = [browser.run(names), *(browser.run(press + names) for _press in range(3))]

    assert orders[1][:2] == ["stg_payments", "orders"]
    assert orders[2][:2] == ["payment_fees", "legacy_orders"]
    assert orders[3] == orders[0]
    assert orders[1][-2:] == ["stg_refunds", "int_orders_joined"]


def test_nodes_are_found_by_the_keyboard(browser: Any, full: Path) -> None:
    opened(browser, full)
    shown = (
        "return [...document.querySelectorAll('.list .row')].filter((row) => !row.hidden)"
        ".map((row) => row.querySelector('.name a').innerText);"
    )

    browser.press("/refund")
    found = browser.run(shown)
    browser.press("\ue00c")  # Escape

    # Names, columns and phrases are searched.
    assert {"raw.refunds", "stg_refunds"} <= {*found}
    assert len(found) < len(browser.run(shown))


def test_a_chip_leaves_the_nodes_of_its_kind(browser: Any, full: Path) -> None:
    opened(browser, full)

    states = browser.run(
        """
        document.querySelector("[data-filter=differs]").click();
        return [...document.querySelectorAll("[data-state]")].filter((one) => !one.hidden)
          .map((one) => one.dataset.state);
        """
    )

    assert states and all("differs" in state.split() for state in states)


def test_it_can_be_read_without_its_script(browser: Any, full: Path, tmp_path: Path) -> None:
    before, rest = full.read_text(encoding="utf-8").split("<script>", 1)
    page = tmp_path / "without.html"
    page.write_text(before + rest.split("</script>", 1)[1], encoding="utf-8")
    opened(browser, page)

    told = browser.run("return document.body.innerText")

    assert "1 of 4 checks failed, 1 in error" in told
    assert "12,840 changed" in told
    assert "Filter" not in told and "Expand all" not in told


def test_everything_is_open_on_paper(browser: Any, full: Path) -> None:
    opened(browser, full)

    folded = browser.run(
        """
        dispatchEvent(new Event("beforeprint"));
        const open = document.querySelectorAll("details:not([open])").length;
        dispatchEvent(new Event("afterprint"));
        return [open, document.querySelectorAll("details:not([open])").length];
        """
    )

    assert folded[0] == 0 and folded[1] > 0
