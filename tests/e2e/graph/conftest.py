"""A page with the graph alone, served with the security policy of the server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from recce_meta.models.graph_view import GraphEdge, GraphNode, GraphView
from recce_meta.server.access.sessions import HEADERS
from tests.e2e.graph import synthetic
from tests.e2e.server.conftest import browser  # noqa: F401

STATIC = Path(__file__).parents[3] / "recce_meta/report/html/static"
SERVER_CSS = Path(__file__).parents[3] / "recce_meta/server/static/server.css"
FALLBACK = '<p id="fallback">A <a href="/nodes">table of the nodes</a>.</p>'


@dataclass(frozen=True)
class GraphSite:
    """A running site of synthetic graphs."""

    address: str
    """Address of the site, without a slash at its end."""

    def page(self, name: str, query: str = "") -> str:
        """Return the address of the page with the view *name*."""
        return f"{self.address}/page/{name}{query}"


def view_of(name: str, query: dict[str, list[str]]) -> GraphView:
    """Return the view *name*, with one more node for each expansion of *query*."""
    if name.isdigit():
        found = synthetic.view(int(name))
    elif name.startswith("plain"):
        found = synthetic.view(int(name[5:]), is_diff=False)
    elif name.startswith("hub"):
        found = synthetic.hub(int(name[3:]))
    elif name == "hostile":
        found = synthetic.hostile()
    elif name == "cut":
        found = replace(synthetic.view(100), total=5000, is_cut=True, notes=("Tests are left out.",))
    elif name == "empty":
        found = GraphView(nodes=(), edges=(), total=12, notes=("The filter matches no node.",))
    else:
        raise KeyError(name)
    index = {node.id: place for place, node in enumerate(found.nodes)}
    nodes, edges = list(found.nodes), list(found.edges)
    for expansion in query.get("expand", []):
        unique_id, _, side = expansion.rpartition(":")
        place = index[unique_id]
        node = nodes[place]
        new = GraphNode(
            id=f"model.new.{side}.{place}",
            name=f"new {side} of {node.name}",
            type="model",
            x=node.x + (-280 if side == "up" else 280),
            y=node.y + 7,
        )
        edges.append(GraphEdge(len(nodes), place) if side == "up" else GraphEdge(place, len(nodes)))
        # The positions of all nodes change: the page holds the expanded one where it is.
        nodes = [replace(found, x=found.x + 33, y=found.y + 55) for found in [*nodes, new]]
        nodes[place] = replace(nodes[place], **{"parents" if side == "up" else "children": 0})
    return replace(found, nodes=tuple(nodes), edges=tuple(edges))


class GraphHandler(BaseHTTPRequestHandler):
    """Answers with pages, views, columns and paths."""

    failures = 0

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = parse_qs(address.query, keep_blank_values=True)
        kind, _, name = address.path.strip("/").partition("/")
        if kind == "static":
            path = SERVER_CSS if name == "server.css" else STATIC / name
            self.answer(path.read_text("utf-8"), "text/css" if name.endswith(".css") else "text/javascript")
        elif kind == "page":
            self.answer(_page(name), "text/html; charset=utf-8")
        elif kind in ("view", "columns", "path"):
            self.answer_data(kind, name, query)
        else:
            self.answer("<!doctype html><title>Page</title><h1>Page</h1>", "text/html; charset=utf-8")

    def answer_data(self, kind: str, name: str, query: dict[str, list[str]]) -> None:
        if name == "failing":
            type(self).failures += 1
            if type(self).failures % 2:
                self.answer("{}", "application/json", status=503)
                return
            name = "3"
        found = view_of(name, query)
        if kind == "columns":
            unknown = GraphNode(id=query["node"][0], name="", type="", x=0, y=0)
            node = next((node for node in found.nodes if node.id == unknown.id), unknown)
            data: Any = synthetic.columns(node, query["q"][0], int(query["page"][0]))
        elif kind == "path":
            data = synthetic.column_path(found, query["node"][0], query["column"][0])
        else:
            data = found
        self.answer(json.dumps(synthetic.tree(data)), "application/json")

    def answer(self, text: str, media_type: str, status: int = 200) -> None:
        body = text.encode()
        self.send_response(status)
        for header, value in HEADERS.items():
            self.send_header(header, value)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Log nothing."""


def _page(name: str) -> str:
    fallback = "" if name.startswith("plain") else FALLBACK
    actions = json.dumps(
        [
            {"label": "Row count", "href": "/queries/new?kind=row_count&node={node}"},
            {"label": "Top values", "href": "/queries/new?kind=top_k&node={node}&column={column}"},
        ]
    ).replace('"', "&quot;")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Graph</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/static/report.css">'
        '<link rel="stylesheet" href="/static/server.css"><link rel="stylesheet" href="/static/graph.css">'
        '<script src="/static/graph.js" defer></script><script src="/static/graph_page.js" defer></script>'
        '<main id="main"><h1>Lineage</h1>'
        f'<div class="graph" aria-label="Lineage of {name}" data-graph="/view/{name}"'
        f' data-columns="/columns/{name}" data-path="/path/{name}" data-actions="{actions}">'
        f"{fallback}</div></main></html>"
    )


@pytest.fixture(scope="session")
def site() -> Iterator[GraphSite]:
    """Yield a site of synthetic graphs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), GraphHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield GraphSite(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
