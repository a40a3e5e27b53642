"""Every kind of page in a real browser: on a desk and on a phone, light and dark, with and without scripts.

Needs Chromium and its driver (Debian: `apt-get install chromium chromium-driver`). The pages are those that a
crawl finds, an ordinary and a hostile one of each kind.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import axe_core_python
import pytest

from tests.contract.server.crawler import Crawl
from tests.e2e.server.conftest import Served

WIDE, NARROW = 1400, 400
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
FAULTS = """
const faults = [...window.violations];
const [root, width] = [document.documentElement, document.documentElement.clientWidth];
if (root.scrollWidth > width) faults.push(`the page is ${root.scrollWidth} wide`);
const named = (element) => element.cloneNode(false).outerHTML.slice(0, 120);
// An element may leave the screen only inside one that scrolls or cuts it.
const isHeld = (element) => {
  for (let at = element; at && at !== root; at = at.parentElement) {
    if (at.matches(".skip, svg *") || getComputedStyle(at).overflowX !== "visible") return true;
  }
  return false;
};
const isOutside = (element) => {
  const { left, right } = element.getBoundingClientRect();
  return (right > width + 1 || left < -1) && element.checkVisibility() && !isHeld(element);
};
const everything = [...document.querySelectorAll("*")];
faults.push(...everything.filter(isOutside).slice(0, 3).map((element) => `outside: ${named(element)}`));
for (const script of document.scripts) {
  if (!new URL(script.src || "x:").pathname.startsWith("/static/")) faults.push(named(script));
}
const acts = (element) => [...element.attributes].some(({ name }) => name.startsWith("on"));
faults.push(...everything.filter(acts).map((element) => `acts: ${named(element)}`));
faults.push(...[...document.querySelectorAll("main :is(img, iframe, style, object, base)")].map(named));
return faults;
"""
TEXT = """
const main = document.querySelector("main").cloneNode(true);
// The script of a graph adds its tools, and moves what is there without it into a table that unfolds.
for (const graph of main.querySelectorAll(".graph-mounted")) {
  const table = graph.querySelector(":scope > .graph-table");
  table.firstChild.remove();
  graph.replaceChildren(...table.childNodes);
}
return main.textContent;
"""
AGES = re.compile(r"\d+ (s|min|h|days?)\b")
"""Texts that depend on the time of asking."""
AUDIT = """
const [only, done] = arguments;
const options = only ? { runOnly: { type: "rule", values: only } } : { resultTypes: ["violations"] };
axe.run(document, options).then((found) => done(found.violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" ; ")}`)),
  (error) => done([String(error)]));
"""


@pytest.fixture(scope="module")
def found(browser: Any, served: Served, crawled: Crawl) -> dict[str, dict[str, Any]]:
    """Return what each page has wrong, by address and by view, and its text.

    A hostile page is audited only if it is the only one of its kind: it has the elements and the colours of
    the ordinary one.
    """
    samples = crawled.samples()
    ordinary = {page.kind for page in samples if not page.is_hostile}
    return {
        page.address: _seen(
            browser,
            served.address + page.address,
            is_audited=not page.is_hostile or page.kind not in ordinary,
        )
        for page in samples
    }


def _seen(browser: Any, address: str, *, is_audited: bool) -> dict[str, Any]:
    seen: dict[str, Any] = {"audit": [], "dark audit": []}
    browser.look(WIDE)
    browser.console()
    browser.visit(address)
    seen["wide"] = browser.run(FAULTS)
    seen["text"] = browser.run(TEXT)
    if is_audited:
        browser.run(AXE)
        seen["audit"] = browser.wait(AUDIT, None)
    browser.look(NARROW, dark=True)
    seen["narrow"] = browser.run(FAULTS)
    if is_audited:
        seen["dark audit"] = browser.wait(AUDIT, ["color-contrast"])
    seen["console"] = browser.console()
    return seen


@pytest.mark.journey
def test_each_kind_of_page_opens(browser: Any, served: Served, crawled: Crawl) -> None:
    pages = [page for page in crawled.samples() if not page.is_hostile]
    assert len({page.kind for page in pages}) > 10
    wrong = {}
    browser.look(WIDE)
    browser.console()
    for page in pages:
        browser.visit(served.address + page.address)
        if faults := [*browser.run(FAULTS), *browser.console()]:
            wrong[page.address] = faults

    assert wrong == {}


@pytest.mark.parametrize("view", ["console", "wide", "narrow", "audit", "dark audit"])
def test_no_page_has_a_fault(found: dict[str, dict[str, Any]], view: str) -> None:
    wrong = {address: seen[view] for address, seen in found.items() if seen[view]}

    assert wrong == {}


def test_the_audit_finds_what_is_wrong(browser: Any, served: Served) -> None:
    browser.look(WIDE)
    browser.visit(f"{served.address}/help")
    browser.run(AXE)
    browser.run("document.querySelector('main').append(document.createElement('button'))")

    assert [fault.partition(":")[0] for fault in browser.wait(AUDIT, None)] == ["button-name"]


def test_every_page_is_complete_without_scripts(
    browser: Any, served: Served, found: dict[str, dict[str, Any]]
) -> None:
    different = []
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        for address, seen in found.items():
            browser.visit(served.address + address)
            assert browser.run("return document.querySelector('#theme').hidden")
            text = browser.run(TEXT)
            if AGES.sub("", text) != AGES.sub("", seen["text"]):
                different.append(address)
    finally:
        browser.command("Emulation.setScriptExecutionDisabled", value=False)

    assert different == []
