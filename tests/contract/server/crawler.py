"""A crawler of the server's pages: it follows links from `/`, with a bound for each kind of page."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from starlette.routing import Match, Route

from recce_meta.report.addresses import segment_text
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from tests.contract.server.rich_store import ParsedPage, parsed

MOST_OF_A_KIND = 3
"""Ordinary pages of a kind that are asked for; and as many hostile ones."""
MOST_VIEWS = 3
"""Views of one list that are asked for: its filters, orders and pages."""
HOSTILE_PART = re.compile(r"<|\.\./|\x07|^\.\.$")


@dataclass(frozen=True)
class Answer:
    """Answer of the server to one address."""

    status: int
    media_type: str
    body: bytes
    location: str = ""

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode()


@dataclass(frozen=True)
class Visited:
    """One address that was asked for."""

    address: str
    kind: str
    """Path of the route, such as `/s/{store}/runs/{run}`; empty without one."""
    origin: str
    """Page with the link."""
    answer: Answer

    @property
    def is_page(self) -> bool:
        """Return True if the answer is HTML."""
        return self.answer.media_type == "text/html"

    @property
    def is_hostile(self) -> bool:
        """Return True if the address has a hostile name."""
        parts = urlsplit(self.address).path.split("/")[3:]
        return any(HOSTILE_PART.search(segment_text(part)) for part in parts)

    def parsed(self) -> ParsedPage:
        """Return the parts of the page."""
        return parsed(self.answer.text)


@dataclass
class Crawl:
    """Addresses that were asked for, and links that lead elsewhere."""

    visited: list[Visited] = field(default_factory=list)
    foreign: list[tuple[str, str]] = field(default_factory=list)
    """Page and link for each link that does not lead to this server."""

    @property
    def pages(self) -> list[Visited]:
        """Pages with content."""
        return [one for one in self.visited if one.is_page and one.answer.status == 200]

    def samples(self) -> list[Visited]:
        """Return two pages of each kind: an ordinary one and a hostile one, if there are."""
        chosen: dict[tuple[str, bool], Visited] = {}
        for page in self.pages:
            if not urlsplit(page.address).query or page.kind.endswith("/search"):
                known = chosen.get((page.kind, page.is_hostile))
                if known is None or _substance(page) > _substance(known):
                    chosen[page.kind, page.is_hostile] = page
        return list(chosen.values())


def _substance(page: Visited) -> int:
    """Return how much there is on a page to go wrong."""
    return len(page.answer.body)


def kind_finder() -> Callable[[str], str]:
    """Return a function that names the route of a path; empty if there is none."""
    routes = [route for route in create_app({}, Access()).router.routes if isinstance(route, Route)]

    def kind(path: str) -> str:
        scope = {"type": "http", "path": path, "method": "GET", "headers": [], "root_path": ""}
        return next((route.path for route in routes if route.matches(scope)[0] is Match.FULL), "")

    return kind


def crawl(fetch: Callable[[str], Answer], start: Sequence[str] = ("/",), most: int = MOST_OF_A_KIND) -> Crawl:
    """Ask for the addresses in *start*, and for all that their pages link to: *most* of each kind."""
    kind_of, found = kind_finder(), Crawl()
    known: set[str] = set(start)
    kinds: Counter[tuple[str, bool]] = Counter()
    views: Counter[str] = Counter()
    waiting = deque((address, "") for address in start)
    while waiting:
        address, origin = waiting.popleft()
        path = urlsplit(address).path
        one = Visited(address, kind_of(path), origin, Answer(0, "", b""))
        if urlsplit(address).query and views[path] >= MOST_VIEWS:
            continue
        if kinds[one.kind, one.is_hostile] >= most and one.kind:
            continue
        views[path] += bool(urlsplit(address).query)
        kinds[one.kind, one.is_hostile] += 1
        visited = Visited(address, one.kind, origin, fetch(address))
        found.visited.append(visited)
        links = visited.parsed().links if visited.is_page else []
        for link in [*links, *filter(None, [visited.answer.location])]:
            target = urljoin(address, link)
            if urlsplit(target).netloc or not target.startswith("/"):
                found.foreign.append((address, link))
                continue
            target = target.partition("#")[0]
            if target not in known:
                known.add(target)
                waiting.append((target, address))
    return found
