"""The lineage page of the VS Code client in Chromium, under the policy that the extension gives it.

The page is that of the extension, with its scripts and styles. A stub answers in place of the editor.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from recce_meta.models.graph_view import GraphView
from tests.e2e.browser import Browser
from tests.e2e.editor_client.conftest import BuiltClient
from tests.e2e.graph import synthetic
from tests.e2e.graph.conftest import GraphSite
from tests.e2e.graph.driver import GraphUser

pytestmark = pytest.mark.network

SHOWN = {"uri": "file:///shop/models/orders.sql", "title": "orders"}
DATA = {**SHOWN, "follows": True}
FILES = ("graph.js", "page.js", "graph.css", "page.css")
DARK = {
    "editor-background": "#1f1f1f",
    "editor-foreground": "#cccccc",
    "editorWidget-background": "#202020",
    "descriptionForeground": "#9d9d9d",
    "textLink-foreground": "#4daafc",
    "panel-border": "#2b2b2b",
    "list-hoverBackground": "#2a2d2e",
    "editorLineNumber-foreground": "#6e7681",
    "editorWarning-foreground": "#cca700",
    "editorError-foreground": "#f14c4c",
    "charts-green": "#89d185",
    "charts-red": "#f14c4c",
    "charts-blue": "#3794ff",
}
LIGHT = {
    **DARK,
    "editor-background": "#ffffff",
    "editor-foreground": "#3b3b3b",
    "editorWidget-background": "#f8f8f8",
    "descriptionForeground": "#3b3b3b",
    "textLink-foreground": "#005fb8",
    "charts-green": "#388a34",
}
CONTRAST = {
    "editor-background": "#000000",
    "editor-foreground": "#ffffff",
    "contrastBorder": "#6fc3df",
    "textLink-foreground": "#21a6ff",
}
THEMES = {"vscode-light": LIGHT, "vscode-dark": DARK, "vscode-high-contrast": CONTRAST}
EDITOR = """
(() => {
  const kept = sessionStorage.getItem("kept"), { answers, theme, kind } = DATA;
  window.sent = [];
  const answer = ({ id, what, parameters }) => {
    const key = what === "graph" ? what : JSON.stringify([what, ...parameters]);
    window.postMessage(key in answers ? { type: "answer", id, value: answers[key] }
      : { type: "failure", id, message: "The model is not in the recorded project" });
  };
  window.acquireVsCodeApi = () => ({
    getState: () => (kept ? JSON.parse(kept) : undefined),
    setState: (state) => sessionStorage.setItem("kept", JSON.stringify(state)),
    postMessage: (message) => { window.sent.push(message); if (message.type === "ask") answer(message); },
  });
  new MutationObserver((_, observer) => {
    if (!document.body) return;
    document.body.classList.add(kind);
    for (const [name, colour] of Object.entries(theme)) {
      document.documentElement.style.setProperty(`--vscode-${name}`, colour);
    }
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
  let graphs;
  Object.defineProperty(window, "RecceGraph", {
    get: () => graphs,
    set: ({ mount, ...rest }) => {
      const watch = (element, options) => {
        element.graph = mount(element, options);
        const { graph } = element.graph, see = () => {
          if (!graph.isReady || graph.frame) requestAnimationFrame(see);
          else window.drawnAt ??= performance.now();
        };
        see();
        return element.graph;
      };
      graphs = { ...rest, mount: watch };
    },
  });
})();
"""


@dataclass(frozen=True)
class PageSite(GraphSite):
    """A site that serves the page of the extension and its files."""

    texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Media type and text by path."""


@pytest.fixture(scope="module")
def site(client: BuiltClient) -> Iterator[PageSite]:
    """Yield a site with the files of the extension; `/` is its page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            media_type, text = found.texts.get(self.path, ("text/plain", ""))
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", f"{media_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_port}"
    found = PageSite(address)
    addresses = {
        "graphScript": f"{address}/graph.js",
        "pageScript": f"{address}/page.js",
        "graphStyle": f"{address}/graph.css",
        "pageStyle": f"{address}/page.css",
    }
    found.texts["/"] = ("text/html", client.page("0123456789abcdef", address, addresses, DATA))
    for name in FILES:
        media_type = "text/css" if name.endswith(".css") else "text/javascript"
        found.texts[f"/{name}"] = (media_type, (client.folder / "out" / name).read_text("utf-8"))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


class PageUser(GraphUser):
    """User of the lineage page."""

    def begin(self) -> None:
        """Open the page, and return if it is drawn."""
        self.browser.look(1000)
        self.browser.console()
        self.browser.visit(f"{self.site.address}/")
        self.until("graph.isReady && !graph.frame")

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of one *kind* that the page sent to the editor."""
        script = "return window.sent.filter(({ type }) => type === arguments[0])"
        return list(self.browser.run(script, kind))

    def soon(self, condition: Callable[[], object]) -> None:
        """Return as soon as *condition* holds."""
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.02)

    def receive(self, message: Mapping[str, object]) -> None:
        """Let the page receive a message of the extension."""
        self.browser.run("window.postMessage(arguments[0])", message)


@pytest.fixture
def opened(browser: Browser, site: PageSite) -> Iterator[Callable[..., PageUser]]:
    """Yield a function that opens the page with a graph, other answers and a theme."""
    added = []

    def begin(
        view: GraphView | None, answers: Mapping[str, object] | None = None, theme: str = "vscode-dark"
    ) -> PageUser:
        known = {**({"graph": synthetic.tree(view)} if view else {}), **(answers or {})}
        data = json.dumps({"answers": known, "theme": THEMES[theme], "kind": theme})
        script = EDITOR.replace("DATA", data, 1)
        found = browser.command("Page.addScriptToEvaluateOnNewDocument", source=script)
        added.append(found["identifier"])
        user = PageUser(browser, site)
        browser.visit(f"{site.address}/page.css")  # the same origin, without scripts
        browser.run("sessionStorage.clear()")
        user.begin() if view else browser.visit(f"{site.address}/")
        return user

    yield begin
    for identifier in added:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=identifier)


def question(what: str, *parameters: object) -> str:
    """Return the key of an answer of the stub."""
    return json.dumps([what, *parameters], separators=(",", ":"))


def test_five_thousand_models_are_drawn_within_the_policy(
    opened: Callable[..., PageUser], capsys: pytest.CaptureFixture[str]
) -> None:
    user = opened(synthetic.view(5000))

    milliseconds = user.browser.run("return window.drawnAt")
    with capsys.disabled():
        print(f"\nlineage page with 5,000 models: drawn after {milliseconds:.0f} ms")
    assert user.run("return graph.scene.boxes.length") == 5000
    assert user.faults() == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_graph_has_the_colours_of_the_theme(opened: Callable[..., PageUser], theme: str) -> None:
    user = opened(synthetic.view(100), theme=theme)

    colours = user.run("return [graph.colours.page, graph.colours.ink]")

    expected = (THEMES[theme][name] for name in ("editor-background", "editor-foreground"))
    rgb = [[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in expected]
    assert colours == [f"rgb({', '.join(map(str, one))})" for one in rgb]
    assert all(user.run("return Object.values(graph.colours)"))
    assert user.faults() == []


def test_a_change_of_the_theme_changes_the_graph(opened: Callable[..., PageUser]) -> None:
    user = opened(synthetic.view(3))

    user.browser.run("document.documentElement.style.setProperty('--vscode-editor-background', '#123456')")

    user.until("graph.colours.page === 'rgb(18, 52, 86)'")


def test_the_page_asks_for_the_graph_of_the_file(opened: Callable[..., PageUser]) -> None:
    user = opened(synthetic.view(3))

    [asked] = user.sent("ask")

    assert (asked["what"], asked["shown"], asked["parameters"]) == ("graph", SHOWN["uri"], [""])
    assert user.browser.run("return document.querySelector('h1').textContent") == "orders"


def test_a_click_on_a_model_opens_its_file_and_a_drag_does_not(opened: Callable[..., PageUser]) -> None:
    view = synthetic.view(3)
    user = opened(view)
    x, y = user.place(view.nodes[0].id)

    user.drag(x, y, 40, 10)
    assert user.sent("open") == []
    user.click(*user.place(view.nodes[0].id))

    user.soon(lambda: user.sent("open"))
    assert [one["address"] for one in user.sent("open")] == [view.nodes[0].href]


def test_a_link_in_the_details_opens_the_file_instead_of_leaving_the_page(
    opened: Callable[..., PageUser],
) -> None:
    view = synthetic.view(3)
    user = opened(view)
    user.run("graph.select(arguments[0]); graph.panel.querySelector('h3 a').click()", view.nodes[1].id)

    user.soon(lambda: user.sent("open"))
    assert user.sent("open")[0]["address"].endswith(view.nodes[1].href)
    assert user.run("return graph.scene.boxes.length") == 3


def test_columns_and_paths_come_from_the_extension(opened: Callable[..., PageUser]) -> None:
    view = synthetic.view(100)
    node = next(node for node in view.nodes if node.columns > 10)
    answers = {
        question("columns", node.id, "", 1): synthetic.tree(synthetic.columns(node)),
        question("path", node.id, "column_1"): synthetic.tree(
            synthetic.column_path(view, node.id, "column_1")
        ),
    }
    user = opened(view, answers)

    user.run("graph.toggle(arguments[0])", node.id)
    user.until("graph.box(arguments[0]).rows.columns.length === 10", node.id)
    user.run("graph.lock(arguments[0], 'column_1')", node.id)
    user.until("graph.path")

    assert "column_1" in user.panel()
    assert user.faults() == []


def test_a_failure_shows_the_reason_of_the_server(opened: Callable[..., PageUser]) -> None:
    user = opened(None)

    user.until("!graph.message.hidden && graph.message.innerText.includes('not in the recorded project')")

    assert user.faults() == []


def test_the_button_for_following_reports_its_state_and_survives_a_hidden_page(
    opened: Callable[..., PageUser],
) -> None:
    user = opened(synthetic.view(3))
    pressed = "return document.querySelector('#follow').getAttribute('aria-pressed')"
    assert user.browser.run(pressed) == "true"

    user.browser.run("document.querySelector('#follow').click()")

    assert [one["on"] for one in user.sent("follow")] == [False]
    user.begin()
    assert user.browser.run(pressed) == "false"


def test_a_page_that_was_hidden_shows_the_last_model_with_its_selection(
    opened: Callable[..., PageUser],
) -> None:
    view = synthetic.view(3)
    user = opened(view)
    user.receive({"type": "show", "shown": {"uri": "file:///shop/models/payments.sql", "title": "payments"}})
    user.until("graph.title === 'Lineage of payments' && graph.isReady")
    user.run("graph.select(arguments[0]); graph.writeState()", view.nodes[2].id)

    user.begin()

    assert user.sent("ask")[0]["shown"] == "file:///shop/models/payments.sql"
    user.until(f"graph.selected === {json.dumps(view.nodes[2].id)}")
    assert user.faults() == []


def test_the_graph_of_the_same_model_keeps_the_selection_if_the_project_changes(
    opened: Callable[..., PageUser],
) -> None:
    view = synthetic.view(3)
    user = opened(view)
    user.run("graph.select(arguments[0])", view.nodes[2].id)

    user.receive({"type": "show", "shown": SHOWN})

    user.soon(lambda: len(user.sent("ask")) == 2)
    user.until("graph.isReady && graph.selected === arguments[0]", view.nodes[2].id)


def test_hostile_names_are_text(opened: Callable[..., PageUser]) -> None:
    user = opened(synthetic.hostile())
    for name in synthetic.HOSTILE:
        user.run("graph.jump(arguments[0]); graph.hover(arguments[0]); graph.paint()", f"model.{name}")

    assert user.browser.run("return document.querySelectorAll('main img, main script').length") == 0
    assert user.faults() == []


def test_the_page_loads_nothing_but_its_own_files(opened: Callable[..., PageUser], browser: Browser) -> None:
    browser.requests()
    user = opened(synthetic.view(3))

    paths = {address.removeprefix(user.site.address) for address in browser.requests()}

    assert paths <= {"/", "/favicon.ico", *(f"/{name}" for name in FILES)}
