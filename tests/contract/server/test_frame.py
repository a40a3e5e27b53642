"""The frame of every page: top bar, breadcrumbs, footer, and the form and facets of lists."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from recce_meta.report.html.templates import static_file
from recce_meta.server.site.rendering import OWN
from tests.contract.server.rich_store import parsed


@pytest.mark.parametrize(
    ("address", "section"),
    [
        ("/s/default/runs", "Runs"),
        ("/s/default/runs/shop-3", "Runs"),
        ("/s/default/builds", "Builds"),
        ("/s/default/checks", "Checks"),
        ("/s/default/quality", "Quality"),
        ("/help", None),
    ],
)
def test_the_section_of_a_page_is_marked(client: TestClient, address: str, section: str | None) -> None:
    html = client.get(address).text
    marked = re.findall(r'<a href="[^"]*"[^>]* aria-current="true">(\w+)</a>', html.split("</nav>")[0])

    assert marked == ([section] if section else [])


def test_a_page_that_fails_still_leads_on(client: TestClient) -> None:
    found = client.get("/s/default/nowhere")

    assert found.status_code == 404
    assert parsed(found.text).title == "Not found"
    assert "/s/default/runs" in parsed(found.text).links


def test_a_failure_of_json_is_json(client: TestClient) -> None:
    found = client.get("/s/default/runs/nothing/nodes.json")

    assert found.status_code == 404
    assert found.json()["error"]["code"] == "run_not_found"


def test_the_page_of_the_login_has_no_links_into_the_store(client: TestClient) -> None:
    assert not [link for link in parsed(client.get("/login").text).links if link.startswith("/s/")]


def test_the_search_field_shows_the_text_of_the_search_page(client: TestClient) -> None:
    def text(address: str) -> str:
        (field,) = [
            one for one in parsed(client.get(address).text).elements("input") if one.get("id") == "search"
        ]
        return field["value"]

    assert text('/s/default/search?q=<b>"orders') == '<b>"orders'
    assert text("/s/default/runs?q=orders") == ""


def test_the_keys_of_the_help_are_those_of_the_script(client: TestClient) -> None:
    text, _, graph = client.get("/help").text.partition('data-keys="graph"')
    pages, _, review = text.partition('data-keys="review"')
    shown = set(re.findall(r"<kbd>(.)</kbd>", pages))
    script = static_file("server.js", OWN)
    acting = set(re.findall(r'^    "?([^\s"])"?: ', script, re.MULTILINE))
    (places,) = re.findall(r'const places = "(\w+)"', script)

    assert shown == acting | set(places) | {"g"}
    (acts,) = re.findall(r"const keys = \{(.*?)\n  \};", static_file("review.js", OWN), re.DOTALL)
    named = set(re.findall(r'(?:^|[{,]) *"?([^\s"])"?: \(\)', acts, re.MULTILINE))
    assert set(re.findall(r"<kbd>([^<])</kbd>", review)) == named | {"1", "6"}
    (acts,) = re.findall(r"const act = \{(.*?)\}\[", static_file("graph.js"), re.DOTALL)
    graph_keys = set(re.findall(r"<kbd>([^<])</kbd>", graph.partition("</dl>")[0])) - set("←→↑↓")
    assert graph_keys == set("+-0") and all(f'"{key}"' in acts or f"{key}:" in acts for key in graph_keys)


def test_filtering_keeps_the_order_and_the_facets_of_a_list(client: TestClient) -> None:
    page = parsed(client.get("/s/default/runs?environment=prod&sort=-node_count&page=1").text)
    kept = {one["name"]: one["value"] for one in page.elements("input") if one.get("form") == "filter"}

    assert kept == {"environment": "prod", "sort": "-node_count"}
    assert [
        one["href"] for one in page.elements("a") if one.get("class") == "chip" and "aria-current" in one
    ] == ["/s/default/runs?sort=-node_count"]


def test_no_script_is_inline_and_none_is_evaluated(client: TestClient) -> None:
    scripts = parsed(client.get("/").text).elements("script")

    assert all(one["src"].startswith("/static/") for one in scripts)
    for name in ("server.js", "theme.js"):
        assert not re.search(r"\beval\(|new Function|innerHTML|\.style\b", static_file(name, OWN))
