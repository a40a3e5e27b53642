"""Steps of a user on the page of a graph."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from tests.e2e.browser import Browser
from tests.e2e.graph.conftest import GraphSite

LEFT, UP, RIGHT, DOWN = "\ue012", "\ue013", "\ue014", "\ue015"
TAB, ENTER, ESCAPE, SPACE = "\ue004", "\ue007", "\ue00c", " "
GRAPH = "const graph = document.querySelector('.graph').graph.graph;"
PLACE = """
const box = graph.scene.byId.get(arguments[0]);
const frame = graph.field.getBoundingClientRect();
const [x, y] = graph.toScreen(box.x + arguments[1], box.y + arguments[2]);
return [frame.left + x, frame.top + y];
"""


@dataclass(frozen=True)
class GraphUser:
    """User of the graph in *browser*."""

    browser: Browser
    site: GraphSite

    def visit(self, name: str, query: str = "", *, width: int = 1400, dark: bool = False) -> None:
        """Open the page of the view *name*, and return if it is drawn."""
        self.browser.look(width, dark=dark)
        self.browser.console()
        self.browser.visit(self.site.page(name, query))
        self.until("graph.isReady && !graph.frame")

    def run(self, script: str, *arguments: Any) -> Any:
        """Return the result of *script*, in which `graph` is the graph."""
        return self.browser.run(GRAPH + script, *arguments)

    def until(self, condition: str, *arguments: Any, seconds: float = 10) -> None:
        """Return as soon as *condition* holds."""
        end = time.monotonic() + seconds
        while not self.run(f"return Boolean({condition})", *arguments):
            assert time.monotonic() < end, condition
            time.sleep(0.02)

    def place(self, node: str, x: float = 60, y: float = 12) -> tuple[float, float]:
        """Return the position in the window of a part of the box of *node*."""
        left, top = self.run(PLACE, node, x, y)
        return left, top

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """Send an event of the mouse."""
        self.browser.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float, times: int = 1) -> None:
        """Click *times* times."""
        self.mouse("mouseMoved", x, y)
        for count in range(1, times + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.mouse(kind, x, y, button="left", clickCount=count)

    def drag(self, x: float, y: float, dx: float, dy: float) -> None:
        """Drag the canvas."""
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, button="left", clickCount=1)
        for step in (0.5, 1):
            self.mouse("mouseMoved", x + dx * step, y + dy * step, button="left", buttons=1)
        self.mouse("mouseReleased", x + dx, y + dy, button="left", clickCount=1)

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        """Send an event of the touch screen."""
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.browser.command("Input.dispatchTouchEvent", type=kind, touchPoints=touches)

    def panel(self) -> str:
        """Return the text of the panel; empty if it is hidden."""
        text: str = self.run("return graph.panel.hidden ? '' : graph.panel.innerText")
        return text

    def pixel(self, node: str, x: float, y: float) -> list[int]:
        """Return the colour of the canvas within the box of *node*."""
        script = (
            "graph.paint(); const box = graph.scene.byId.get(arguments[0]);"
            "const [x, y] = graph.toScreen(box.x + arguments[1], box.y + arguments[2]);"
            "const at = [x, y].map((value) => Math.round(value * graph.ratio));"
            "const copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true });"
            "copy.drawImage(graph.canvas, ...at, 1, 1, 0, 0, 1, 1);"
            "return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);"
        )
        colour: list[int] = self.run(script, node, x, y)
        return colour

    def faults(self) -> list[str]:
        """Return errors of the console, violations of the policy, and a page wider than the window."""
        found = self.browser.run(
            "const root = document.documentElement; const wide = root.scrollWidth > root.clientWidth;"
            "return [...window.violations, ...(wide ? [`${root.scrollWidth} wide`] : []),"
            " ...(window.hacked ? ['hacked'] : [])]"
        )
        return [*self.browser.console(), *found]
