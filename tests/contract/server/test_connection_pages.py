"""Pages of connections: they work without JavaScript, and only administrators see and send forms."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from recce_meta.repositories.state.jobs import add_event, finish_job, request_job, start_job
from recce_meta.repositories.state.tokens import TokenScope
from recce_meta.repositories.state.types import JobRequest, JobStatus, Stage, Trigger
from tests.contract.server.connected_shop import CANARY, CONNECTION, Connected, connected
from tests.contract.server.rich_store import parsed
from tests.contract.server.small_store import file_url, record_side, store_at

OWN = f"/connections/{CONNECTION}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    """Yield a server of a small store, with a state."""
    folder = tmp_path_factory.mktemp("pages")
    url = file_url(folder / "shop.duckdb")
    record_side(url)
    with connected(folder, store_at(url)) as found:
        yield found


@pytest.fixture
def job(shop: Connected) -> Iterator[str]:
    """Yield the address of a running job, which ends after the test."""
    found = request_job(
        shop.state, CONNECTION, JobRequest(branch="main", trigger=Trigger.POLL, requested_by="<b>ann</b>")
    ).job
    start_job(shop.state, found.id, "worker")
    add_event(shop.state, found.id, Stage.CLONE, "started", "<script>alert(1)</script>")
    yield f"{OWN}/jobs/{found.id.replace(':', '~3A')}"
    finish_job(shop.state, found.id, JobStatus.CANCELLED)


def test_pages_lead_from_the_frame_to_a_job(shop: Connected, job: str) -> None:
    assert 'href="/connections"' in shop.client.get("/").text
    path = "/connections"
    for link in (OWN, job, "/connections"):
        page = shop.client.get(path)
        assert page.status_code == 200
        assert link in parsed(page.text).links
        path = link


def test_every_page_is_sound(shop: Connected, job: str) -> None:
    for path in ("/connections", "/connections/new", OWN, f"{OWN}/edit", f"{OWN}/jobs", job):
        page = shop.client.get(path)
        assert page.status_code == 200, path
        found = parsed(page.text)
        assert len([text for level, text in found.headings if level == 1]) == 1
        assert len(found.ids) == len(set(found.ids))
        assert "<script>alert" not in page.text and "<b>ann" not in page.text
        assert not re.search(r" style=| on\w+=\"", page.text)
        labels = {attributes.get("for") for attributes in found.elements("label")}
        for tag in ("select", "textarea"):
            assert all(one["id"] in labels for one in found.elements(tag))


def test_an_active_job_updates_itself(shop: Connected, job: str) -> None:
    for path in (OWN, job):
        page = shop.client.get(path).text
        assert f'data-events="/api/metadata/connections/{CONNECTION}/progress?job=' in page
        assert '<noscript><meta http-equiv="refresh"' in page
    shop.client.post(f"{job}/cancel")
    shown = shop.client.get(job).text
    assert "was cancelled" in shown and "data-events" not in shown and "http-equiv" not in shown


def test_lists_are_csv_and_json_too(shop: Connected, job: str) -> None:
    for path in ("/connections", f"{OWN}/jobs"):
        rows = shop.client.get(f"{path}.json").json()
        assert len(rows) == len(shop.client.get(f"{path}.csv").text.splitlines()) - 1 > 0


def test_forms_change_extract_and_remove(shop: Connected) -> None:
    new = {"repo_url": "https://github.com/example/other", "branch": "main", "store": "default",
           "environment": "prod", "poll_minutes": "15", "is_untested": "on", "access_token": CANARY,
           "variables": "A=1\nB=x=y"}  # fmt: skip
    added = shop.client.post("/connections", data=new)
    own = added.headers["location"]
    assert added.status_code == 303 and own.startswith("/connections/")
    edit = shop.client.get(f"{own}/edit").text
    assert CANARY not in edit and f"ends in {CANARY[-4:]}" in edit and "B=x=y" in edit

    changed = shop.client.post(
        f"{own}/edit", data={**new, "access_token": "", "poll_minutes": "", "schema": "dw"}
    )
    assert changed.headers["location"] == own
    found = shop.service.get(own.rpartition("/")[2])
    assert (found.poll_minutes, found.profile.schema, found.has_token) == (None, "dw", True)
    assert found.variables == {"A": "1", "B": "x=y"}
    asked = shop.client.post(f"{own}/extract")
    assert asked.headers["location"].startswith(f"{own}/jobs/")
    assert shop.client.post(f"{own}/remove", data={"confirm": "shop"}).status_code == 400
    assert shop.client.post(f"{own}/remove", data={"confirm": "other"}).headers["location"] == "/connections"
    assert shop.client.get(own).status_code == 404


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repo_url": "ftp://example.com/x"}, "ftp"),
        ({"poll_minutes": "often"}, "The interval is not a number"),
        ({"variables": "A"}, "A variable has no value"),
        ({"isolation": "none"}, "Invalid field"),
        ({"name": "shop"}, "exists"),
    ],
)
def test_a_refused_form_is_shown_again_without_its_secret(
    shop: Connected, changes: dict[str, str], message: str
) -> None:
    sent = {"repo_url": "https://github.com/example/x", "branch": "main", "access_token": CANARY,
            "is_untested": "on", "schema": "typed"} | changes  # fmt: skip
    page = shop.client.post("/connections", data=sent)

    assert page.status_code == 400 and message in page.text and 'value="typed"' in page.text
    assert CANARY not in page.text and page.headers["cache-control"] == "no-store"


def test_only_administrators_see_and_send_forms(shop: Connected) -> None:
    reader = shop.bearer(TokenScope.WRITE)
    assert '<form method="post"' not in shop.client.get(OWN, headers=reader).text
    for path in ("/connections/new", f"{OWN}/edit"):
        assert shop.client.get(path, headers=reader).status_code == 403
    for path in ("/connections", f"{OWN}/edit", f"{OWN}/extract", f"{OWN}/test", f"{OWN}/remove"):
        assert shop.client.post(path, headers=reader).status_code == 403
        foreign = shop.client.post(path, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403


def test_a_database_is_connected_changed_and_asked_for(shop: Connected) -> None:
    """Its own form and buttons; what is about repositories is neither shown nor answered."""
    given = {"name": "crm", "url": f"postgresql://ann:{CANARY}@8.8.8.8/crm", "schemas": "sales, public",
             "store": "default", "environment": "prod", "scan_minutes": "60", "quality_minutes": "",
             "fail_on": "score < 90, regression", "is_untested": "on"}  # fmt: skip
    refused = shop.client.post("/connections/new-database", data={**given, "scan_minutes": "often"})
    assert refused.status_code == 400 and CANARY not in refused.text and "sales, public" in refused.text
    added = shop.client.post("/connections/new-database", data=given)
    own = added.headers["location"]
    name = own.rpartition("/")[2]
    page = shop.client.get(own)

    assert page.status_code == 200 and CANARY not in page.text
    buttons = {
        text
        for text in ("Scan now", "Measure now", "Upload", "Set up webhook", "Refresh now")
        if text in page.text
    }
    assert buttons == {"Scan now", "Measure now"}
    assert "postgres://8.8.8.8/crm" in page.text and "waiting to scan" in page.text
    assert shop.client.get(f"{own}/edit").headers["location"] == f"{own}/database"
    form = shop.client.get(f"{own}/database").text
    assert CANARY not in form and "stored; empty to keep it" in form
    changed = shop.client.post(f"{own}/database", data={**given, "url": "", "schemas": "", "name": "crm2"})
    assert changed.headers["location"] == own
    found = shop.service.get(name)
    assert found.database is not None
    assert (found.name, found.database.schemas, found.database.has_url) == ("crm2", (), True)
    assert (found.poll_minutes, found.database.quality_minutes) == (60, None)
    shop.client.post(f"{own}/pause")
    assert shop.service.get(name).is_paused and ">Resume</button>" in shop.client.get(own).text
    shop.client.post(f"{own}/pause", data={"is_resumed": "on"})
    assert not shop.service.get(name).is_paused and ">Pause</button>" in shop.client.get(own).text
    shop.client.post(f"{own}/automatic")
    assert shop.service.get(name).poll_minutes is None
    asked = shop.client.post(f"{own}/extract", data={"branch": "quality"})
    assert asked.headers["location"].startswith(f"{own}/jobs/")
    assert [job.branch for job in shop.service.jobs_of(name).newest()] == ["quality", "scan"]
    job = asked.headers["location"]
    assert "Try again" not in shop.client.get(job).text
    shop.client.post(f"{job}/cancel")
    assert ">Try again</button>" in shop.client.get(job).text
    assert shop.client.post(f"{own}/webhook").status_code == 409
    for of_repositories in ("webhook", "pull-requests", "deliveries.csv", "pull-requests.json", "upload"):
        assert shop.client.get(f"{own}/{of_repositories}").status_code == 409
    listed = shop.client.get("/connections.json").json()
    assert [row["type"] for row in listed if row["name"] == "crm2"] == ["database"]
    shop.client.post(f"{own}/remove", data={"confirm": "crm2"})
