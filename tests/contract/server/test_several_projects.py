"""Selectors that match several projects, and failures of one of several stores, lead on."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.contract.server.rich_store import SHOP
from tests.contract.server.small_store import client_of, file_url, store_at


@pytest.mark.parametrize(
    "path",
    [
        "runs/latest",
        "runs/latest/nodes?q=orders",
        "runs/latest/nodes/model.jaffle_shop.orders",
        "runs/latest/nodes/model.jaffle_shop.orders/code",
        "runs/latest/impact/model.jaffle_shop.orders?column=amount",
        "diff/latest~1/latest",
        "diff/latest~1/latest/changes",
    ],
)
def test_an_ambiguous_selector_leads_to_a_page_by_links(client: TestClient, path: str) -> None:
    asked = client.get(f"/s/default/{path}")
    assert asked.status_code == 404 and "--project" not in asked.text
    choices = {
        unescape(name): unescape(address)
        for address, name in re.findall(r'<li><a href="([^"]+)">([^<]+)</a></li>', asked.text)
    }
    answer = client.get(choices[SHOP])
    assert answer.status_code == 200, answer.text
    if "column=" in path:
        assert answer.url.params["column"] == "amount"


def test_an_unknown_project_is_a_page_and_not_a_loop(client: TestClient) -> None:
    assert client.get("/s/default/runs/latest/nodes/x?project=nope").status_code == 404


def test_the_api_names_its_parameter(client: TestClient) -> None:
    found = client.get("/api/stores/default/run").json()["error"]
    assert found["hint"] == "choose one with the parameter project"


def test_examples_of_the_guide_have_answers(client: TestClient) -> None:
    text = client.get("/api/docs").text
    examples = [unescape(one) for one in re.findall(r'<a href="([^"]+)">Try it</a>', text)]
    assert len(examples) > 15
    refused = {
        one: answer.text
        for one in examples
        if "/diff" not in one
        if (answer := client.get(one)).status_code != 200
    }
    assert not refused


def test_the_frame_of_a_failure_is_that_of_its_store(tmp_path: Path) -> None:
    stores = [store_at(file_url(tmp_path / "none.duckdb"), name=name) for name in ("first", "second")]
    with client_of(*stores) as client:
        failed = client.get("/s/second/runs")
        unknown = client.get("/s/third/runs")

    assert failed.status_code == 503 and 'href="/s/second"' in failed.text
    assert unknown.status_code == 404 and 'href="/s/' not in unknown.text
