"""The reference lists every address that exists, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.routing import Mount, Route

from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "server.md"
PREFIX = "/s/{store}"
ROW = re.compile(r"^\| `([^`]+)` \| (.+) \|$", re.MULTILINE)
UNLISTED = {
    "/static/{name}",
    "/logout",
    "/api/docs/{kind}",
    "/api/",
    PREFIX,
    "/healthz",
    "/readyz",
    "/metrics",
}
"""Addresses that no user types; the overview of a store is in the text, and probes are in a later section."""


def name(path: str) -> str:
    """Return *path* with the names of the page: `runs/RUN`."""
    below = path.removeprefix(f"{PREFIX}/").replace("databases/{project}", "databases/{database}")
    return re.sub(r"{(\w+)}", lambda found: found[1].upper(), below)


def test_the_page_lists_every_address() -> None:
    app = create_app({}, Access())
    paths = {route.path for route in app.routes if isinstance(route, Route)}
    (api,) = [route for route in app.routes if isinstance(route, Mount)]
    paths |= {f"/api{route.path}" for route in api.routes if type(route) is Route}
    lists = {path.removesuffix(".csv") for path in paths if path.endswith(".csv")}
    files = {f"{path}{suffix}" for path in lists for suffix in (".csv", ".json")}
    text = PAGE.read_text(encoding="utf-8").split("## Queries and writes")[0]
    documented = dict(ROW.findall(text))

    assert set(documented) == {name(path) for path in (paths | lists) - files - UNLISTED}
    assert {one for one, about in documented.items() if "*(list)*" in about} == set(map(name, lists))
    assert "`/s/STORE`" in text
    assert {"/healthz", "/readyz", "/metrics"} <= set(dict(ROW.findall(PAGE.read_text(encoding="utf-8"))))
