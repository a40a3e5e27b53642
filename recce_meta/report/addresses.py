"""Addresses of the server's pages. They are stable: pull request comments and bookmarks contain them.

`/s/STORE/runs/RUN/nodes/NODE` addresses one node. A part of a path may contain any text: see `segment`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from recce_meta.errors import UsageError

_UNSAFE = re.compile(r"~([0-9A-Fa-f]{2})")


def segment(text: str) -> str:
    """Return *text* as one part of a path, which no browser or proxy changes.

    Letters, digits and `-._` stay; every other byte of UTF-8 is `~` and two hexadecimal digits. Percent
    encoding would not do: servers decode `%2F` before they split a path, and browsers remove `.` and `..`.

    >>> segment("model.shop.orders"), segment("a/b c"), segment(".."), segment("")
    ('model.shop.orders', 'a~2Fb~20c', '~2E~2E', '~')
    """
    if not text:
        return "~"
    encoded = quote(text, safe="", errors="surrogateescape").replace("~", "%7E").replace("%", "~")
    return encoded.replace(".", "~2E") if set(text) == {"."} else encoded


def segment_text(part: str) -> str:
    """Return the text that `segment` encoded; bytes that are not UTF-8 are replaced.

    >>> segment_text("a~2Fb~20c")
    'a/b c'
    """
    if part == "~":
        return ""
    pieces = re.split(_UNSAFE, part)
    found = bytearray()
    for index, piece in enumerate(pieces):
        found += bytes.fromhex(piece) if index % 2 else piece.encode("utf-8", "surrogateescape")
    return found.decode("utf-8", "replace")


def with_query(path: str, /, **parameters: object) -> str:
    """Return *path* with those of *parameters* that are not None; a tuple is a repeated parameter.

    >>> with_query("/runs", q="a b", tag=("x", "y"), page=None)
    '/runs?q=a+b&tag=x&tag=y'
    """
    given = {name: value for name, value in parameters.items() if value is not None and value != ()}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


DEFAULT_STORE = "default"
"""Name of the store that a server without named stores serves."""
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def server_addresses(url: str) -> Addresses:
    """Return the addresses on the server at *url*: `https://HOST`, or `https://HOST/s/STORE` for one store.

    Raises UsageError for another address.

    >>> server_addresses("https://recce.example.com/s/warehouse/").runs()
    'https://recce.example.com/s/warehouse/runs'
    """
    scheme, separator, rest = url.strip().partition("://")
    host, _, path = rest.partition("/")
    parts = path.rstrip("/").split("/") if path.rstrip("/") else []
    is_valid = bool(separator) and scheme.lower() in ("http", "https") and _HOST.fullmatch(host) is not None
    is_store = len(parts) == 2 and parts[0] == "s" and re.fullmatch(r"[A-Za-z0-9._~-]+", parts[1]) is not None
    if not is_valid or not (is_store or not parts):
        raise UsageError(
            "The public URL is not https://HOST or https://HOST/s/STORE",
            hint="write it like https://recce.example.com",
        )
    store = segment_text(parts[1]) if is_store else DEFAULT_STORE
    return Addresses(store, f"{scheme.lower()}://{host}")


@dataclass(frozen=True)
class Addresses:
    """Addresses of the pages of one store."""

    store: str
    """Name of the store."""
    server: str = ""
    """Address of the server, such as `https://recce.example.com`; empty for links within a page."""

    @property
    def root(self) -> str:
        """Overview of the store."""
        return f"{self.server}/s/{segment(self.store)}"

    def of(self, *parts: str, **parameters: object) -> str:
        """Return the address below `root` of *parts*, which may be any text."""
        return with_query("/".join((self.root, *map(segment, parts))), **parameters)

    def project(self, project: str, *parts: str) -> str:
        """Return the page of a project, or a list of it, such as `branches`."""
        return self.of("projects", project, *parts)

    def runs(self, **filters: object) -> str:
        """Return the list of runs."""
        return self.of("runs", **filters)

    def run(self, run_id: str, *parts: str, **parameters: object) -> str:
        """Return the page of a run, or a list of it: `nodes`, `results`, `changes`."""
        return self.of("runs", run_id, *parts, **parameters)

    def node(self, run_id: str, unique_id: str, *parts: str, **parameters: object) -> str:
        """Return the page of a node, or one of its parts: `code`, `columns`, `history`, `quality`."""
        return self.of("runs", run_id, "nodes", unique_id, *parts, **parameters)

    def column(self, run_id: str, unique_id: str, column: str) -> str:
        """Return the page of a column."""
        return self.of("runs", run_id, "nodes", unique_id, "columns", column)

    def impact(self, run_id: str, unique_id: str, column: str | None = None) -> str:
        """Return the page of what a change of a node, or of its *column*, affects."""
        return self.of("runs", run_id, "impact", unique_id, **({"column": column} if column else {}))

    def impact_list(self, run_id: str, unique_id: str, name: str, **parameters: object) -> str:
        """Return the list *name* of an impact: `nodes` or `columns`."""
        return self.of("runs", run_id, "impact", unique_id, name, **parameters)

    def diff(self, base: str, current: str, **view: object) -> str:
        """Return the page that reviews two runs; *view* has what it shows, such as `node` and `tab`."""
        return self.of("diff", base, current, **view)

    def graph(self, run_id: str, **view: object) -> str:
        """Return the page of the lineage graph of a run; *view* has the parameters of `GraphQuery`."""
        return self.of("runs", run_id, "graph", **view)

    def diff_graph(self, base: str, current: str, **view: object) -> str:
        """Return the page with the whole lineage graph of a diff."""
        return self.of("diff", base, current, "graph", **view)

    def queries(self, *parts: str) -> str:
        """Return the list of started data diffs, or one of them."""
        return self.of("queries", *parts)

    def query_editor(self, base: str, current: str, **values: object) -> str:
        """Return the page of the query editor for two runs; *values* has the texts and options."""
        return self.diff(base, current, panel="query", **values)

    def database(self, project: str, *parts: str, **parameters: object) -> str:
        """Return the page of a database's latest scan, or a list of it: `schemas`, `tables`, `changes`."""
        return self.of("databases", project, *parts, **parameters)

    def quality(self, *parts: str, **parameters: object) -> str:
        """Return the list of measured tables, of *parts*: a project, and a node of it."""
        return self.of("quality", *parts, **parameters)

    def checks(self, **filters: object) -> str:
        """Return the list of stored check results."""
        return self.of("checks", **filters)

    def check(self, name: str, **filters: object) -> str:
        """Return the page of a check, with its results over time."""
        return self.of("checks", name, "history", **filters)

    def reviews(self, **filters: object) -> str:
        """Return the list of marks of reviewers."""
        return self.of("reviews", **filters)

    def notes(self, **filters: object) -> str:
        """Return the list of notes, tags and owners with their history."""
        return self.of("notes", **filters)

    def edge(self, run_id: str, parent: str, unique_id: str, **columns: str | None) -> str:
        """Return the page of the edge from *parent* to a node; *columns* names the columns of an edge."""
        return self.node(run_id, unique_id, "edges", parent, **columns)

    def search(self, text: str | None = None) -> str:
        """Return the search page."""
        return self.of("search", q=text)
