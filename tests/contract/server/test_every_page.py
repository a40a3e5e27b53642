"""Every page that a link leads to: it answers, it is sound HTML, and its lists agree with their exports."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from starlette.testclient import TestClient

from tests.contract.server.crawler import Answer, Crawl, Visited, crawl
from tests.contract.server.rich_store import ParsedPage

LARGEST = 200_000
"""Bytes of a page."""
OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
"""Characters that a browser or a reader's eye obeys."""
FOREIGN_TAGS = frozenset(
    ["base", "embed", "frame", "iframe", "object", "style", "template", "textarea", "video"]
)


@pytest.fixture(scope="module")
def crawled(client: TestClient) -> Crawl:
    """Return what a crawl from the overview finds."""

    def fetch(address: str) -> Answer:
        found = client.get(address, follow_redirects=False)
        kind = found.headers.get("content-type", "").partition(";")[0]
        return Answer(found.status_code, kind, found.content, found.headers.get("location", ""))

    return crawl(fetch)


@pytest.mark.extensive
def test_every_link_leads_to_an_answer(crawled: Crawl) -> None:
    dead = {
        one.address: (one.answer.status, f"linked from {one.origin}")
        for one in crawled.visited
        if one.answer.status not in (200, 307) and not _is_example(one)
    }

    assert dead == {}
    assert crawled.foreign == []
    assert len({one.kind for one in crawled.pages}) > 3


def _is_example(one: Visited) -> bool:
    """Return True for an example of the guide of the API, of a node that the store may not have."""
    return one.origin.startswith("/api/docs") and "hint" in json.loads(one.answer.text).get("error", {})


@pytest.mark.extensive
def test_every_page_is_small_and_sound(crawled: Crawl) -> None:
    wrong = {page.address: found for page in crawled.pages if (found := list(_faults(page)))}

    assert wrong == {}


def _faults(visited: Visited) -> Iterator[str]:
    html = visited.answer.text
    page = visited.parsed()
    if len(visited.answer.body) > LARGEST:
        yield f"{len(visited.answer.body):,} bytes"
    headings = [text for level, text in page.headings if level == 1]
    if len(headings) != 1 or not headings[0].strip():
        yield f"{len(headings)} headings of level 1"
    yield from (f"id {name!r} {count} times" for name, count in Counter(page.ids).items() if count > 1)
    if match := OBEYED.search(html):
        yield f"control character {match.group()!r} after {html[: match.start()][-40:]!r}"
    for link in page.links:
        if link.startswith("#") and len(link) > 1 and unescape(link[1:]) not in page.ids:
            yield f"no {link} on the page"
    yield from _foreign(page)
    yield from _unlabelled(page)


def _foreign(page: ParsedPage) -> Iterator[str]:
    """Yield markup that is not the server's own, as a name of a store might bring it."""
    for tag, attributes in page.tags:
        if tag in FOREIGN_TAGS:
            yield f"<{tag}>"
        if tag in ("script", "img", "link") and not re.match(
            "/static/", attributes.get("src", attributes.get("href", ""))
        ):
            yield f"<{tag}> of {attributes}"
        for name, value in attributes.items():
            if name.startswith("on") or name == "style":
                yield f"attribute {name} of <{tag}>"
            if name in ("href", "src", "action") and not re.match(r"/(?!/)|#|\?|$", value):
                yield f"{name}={value!r}"


def _unlabelled(page: ParsedPage) -> Iterator[str]:
    """Yield fields, tables and regions without a name."""
    labels = {attributes.get("for") for attributes in page.elements("label")}
    for tag in ("input", "select"):
        for attributes in page.elements(tag):
            kind = attributes.get("type")
            if (
                kind not in ("hidden", "submit")
                and not attributes.get("aria-label")
                and attributes.get("id") not in labels
            ):
                yield f"<{tag} name={attributes.get('name')}> has no label"
    for tag, attributes in page.tags:
        if attributes.get("role") == "region" and not (
            attributes.get("aria-label") or attributes.get("aria-labelledby")
        ):
            yield f"a region <{tag}> has no name"


@pytest.mark.extensive
def test_every_list_and_its_exports_have_the_same_rows(crawled: Crawl, client: TestClient) -> None:
    wrong, lists = {}, 0
    for page in crawled.pages:
        parts = page.parsed()
        if "list" not in parts.ids or "review" in parts.ids:  # the review has a list of its own
            continue
        lists += 1
        exports = [
            urljoin(page.address, link) for link in parts.links if re.search(r"\.(csv|json)(\?|$)", link)
        ]
        own = [
            link for link in exports if urlsplit(link).path.rpartition(".")[0] == urlsplit(page.address).path
        ]
        counts = {}
        for link in own:
            found = client.get(link)
            rows = (
                json.loads(found.text) if ".json" in link else list(csv.DictReader(io.StringIO(found.text)))
            )
            counts[link] = len(rows)
        (shown,) = re.findall(r'role="status">([\d,]+)', page.answer.text)
        if len(counts) != 2 or {*counts.values()} != {int(shown.replace(",", ""))}:
            wrong[page.address] = (shown, counts)

    assert wrong == {}
    assert lists
