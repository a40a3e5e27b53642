"""Static files of the pages: their addresses change with their bytes, so browsers keep them for a year."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from recce_meta.report.html.templates import PACKAGE as REPORT
from recce_meta.report.html.templates import static_file

OWN = "recce_meta.server"
"""Package of the templates and static files of the server."""
STATIC = {
    "report.css": (REPORT, "text/css"),
    "graph.css": (REPORT, "text/css"),
    "graph.js": (REPORT, "text/javascript"),
    "graph_page.js": (REPORT, "text/javascript"),
    "server.css": (OWN, "text/css"),
    "code.css": (OWN, "text/css"),
    "theme.js": (OWN, "text/javascript"),
    "server.js": (OWN, "text/javascript"),
    "review.css": (REPORT, "text/css"),
    "review.js": (OWN, "text/javascript"),
    "connections.js": (OWN, "text/javascript"),
    "htmx.js": (OWN, "text/javascript"),
    "icon.svg": (OWN, "image/svg+xml"),
}
"""Package and media type of each static file."""


@cache
def static_body(name: str) -> tuple[bytes, str]:
    """Return the bytes of a static file, and their digest."""
    body = static_file(name, STATIC[name][0]).encode()
    return body, sha256(body).hexdigest()[:32]


def static_address(name: str) -> str:
    """Return the address of a static file, which names its bytes."""
    return f"/static/{name}?v={static_body(name)[1]}"
