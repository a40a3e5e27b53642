"""Pages of connections with pull requests, a webhook, tasks and workers, on SQLite and PostgreSQL states."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import delete
from starlette.testclient import TestClient

from recce_meta.repositories.polling import UNLISTED
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.connections import update_connection
from recce_meta.repositories.state.tables import webhooks
from recce_meta.repositories.state.tokens import TokenScope, add_token
from recce_meta.repositories.state.webhooks import get_webhook
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.pages.connections.routing import address_of
from tests.contract.server.rich_store import parsed
from tests.contract.server.small_store import file_url, record_side, store_at
from tests.contract.server.watched_shop import (
    FORK,
    HOSTILE_ADDRESS,
    MERGED,
    OPEN,
    STALE_BRANCH,
    Watched,
    fill,
)
from tests.support import states

ADMIN = "/connections/admin"
PARTS = ("jobs", "workers", "tasks", "environments", "disk", "seconds")
SECRET = "https://hooks.slack.com/services/T0/B0/verysecret"


@dataclass(frozen=True)
class Pages:
    """A server whose state has everything."""

    client: TestClient
    service: RepositoryService
    watched: Watched
    run_id: str
    work: Path
    reader: dict[str, str]
    """Header of a request that is no administrator's."""

    @property
    def own(self) -> str:
        """Address of the watched connection."""
        return f"/connections/{self.watched.shop.id}"

    def text(self, path: str) -> str:
        """Return the page at *path*."""
        found = self.client.get(path)
        assert found.status_code == 200, (path, found.text)
        return found.text


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of a store with one run."""
    url = file_url(tmp_path_factory.mktemp("store") / "shop.duckdb")
    record_side(url)
    return url


@pytest.fixture(scope="module", params=states.DATABASES)
def pages(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, store_url: str
) -> Iterator[Pages]:
    """Yield a server with a full state."""
    folder = tmp_path_factory.mktemp("watched")
    server = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with states.state_address(request.param, folder, server) as url, states.opened(url) as state:
        store = store_at(store_url)
        with store.view() as view:
            run_id = view.run("latest").run_id
        work = folder / "work"
        (work / "mirrors" / "a.git").mkdir(parents=True)
        (work / "mirrors" / "a.git" / "pack").write_bytes(b"x" * 2048)
        watched = fill(state, run_id)
        environ = {"RECCE_META_KEY": states.KEY}
        service = RepositoryService(state, environ=environ, stores=["default"], work=work)
        reader = {"Authorization": f"Bearer {add_token(state, 'reader', [TokenScope.WRITE])[1]}"}
        app = create_app({store.name: store}, Access(), service)
        with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
            yield Pages(client, service, watched, run_id, work, reader)


def words(html: str) -> str:
    """Return the text of a page on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def row_of(pages: Pages, path: str, **wanted: object) -> dict[str, object]:
    """Return the only row of a list with the *wanted* values."""
    found = pages.client.get(f"{path}.json").json()
    (row,) = [one for one in found if all(one[name] == value for name, value in wanted.items())]
    return dict(row)


def test_the_list_says_how_fresh_each_connection_is(pages: Pages) -> None:
    def freshness(name: str) -> str:
        return str(row_of(pages, "/connections", name=name)["freshness"])

    assert freshness("watched").startswith("extracting: clone, ")
    assert freshness("new") == "never extracted, next check due"
    assert re.fullmatch("updated .* ago, automatic refresh off", freshness("paused"))
    assert re.fullmatch("uploads only, updated .* ago", freshness("uploads"))
    row = row_of(pages, "/connections", name="watched")
    assert (row["pull_requests"], row["webhook"]) == (3, "active")
    assert str(row["error"]).startswith("GitHub refuses")
    shown = words(pages.text("/connections"))
    assert re.search("push .* ago", shown) and "next check due" in shown


def test_a_connection_shows_freshness_buttons_and_failures_first(pages: Pages) -> None:
    html = pages.text(pages.own)
    shown = words(html)

    for label in ("Refresh now", "Cancel", "Settings", "Webhook", "View lineage", "Test", "Remove"):
        assert re.search(rf"<(button|a)[^>]*>{label}</", html), label
    assert "Turn off automatic refresh" in shown
    assert shown.index("extracting: clone") < shown.index("GitHub refuses") < shown.index("Progress")
    assert "read and write Pull requests, Commit statuses and Webhooks" in shown
    assert "could not be written: GitHub refuses" in shown
    assert f"/s/default/runs/{pages.run_id}/graph" in parsed(html).links
    assert "slack hooks.slack.com" in shown
    uploads = words(pages.text(f"/connections/{pages.watched.uploads.id}"))
    assert "Refresh now" not in uploads and "recce-meta record --to" in uploads


def test_a_connection_without_checks_and_webhook_says_how_commits_are_found(pages: Pages) -> None:
    watched = pages.watched
    # Another test tries to set it up.
    with pages.service.state.write() as session:
        session.execute(delete(webhooks).where(webhooks.c.connection_id == watched.paused.id))
    found = {one.name: words(pages.text(f"/connections/{one.id}")) for one in (watched.paused, watched.new)}
    assert "No webhook is set up: commits are only found by Refresh now." in found["paused"]
    assert "No webhook is set up: commits are found by the next check." in found["new"]


def test_an_outage_of_the_forge_asks_for_no_other_token_at_first(pages: Pages) -> None:
    error = f"{UNLISTED}GitHub does not work: status 503"
    update_connection(pages.service.state, pages.watched.new.id, forge_error=error)
    try:
        shown = words(pages.text(f"/connections/{pages.watched.new.id}"))
    finally:
        update_connection(pages.service.state, pages.watched.new.id, forge_error=None)
    assert f"Failure: {error} Next: the next check asks again." in shown
    assert "could not be written" not in shown


def test_pull_requests_lead_to_their_diffs_and_to_the_forge(pages: Pages) -> None:
    links = parsed(pages.text(pages.own)).links
    assert f"/s/default/diff/{pages.run_id}/{pages.run_id}" in links
    assert "https://github.com/acme/shop/pull/40" in links
    # The forge sends the address, and a browser would run it.
    assert not [link for link in links if "javascript" in link.lower()]
    path = f"{pages.own}/pull-requests"
    reported = row_of(pages, path, number=OPEN)
    assert (reported["status"], reported["comment"], reported["state"]) == ("failure", "written", "open")
    assert row_of(pages, path, number=FORK)["is_fork"] is True
    assert row_of(pages, path, number=MERGED)["state"] == "merged"
    assert row_of(pages, path, number=HOSTILE_ADDRESS)["diff"] is None
    assert f"#{OPEN}</a>" in pages.text(path)


def test_hostile_text_is_shown_and_not_obeyed(pages: Pages) -> None:
    job = row_of(pages, f"{pages.own}/jobs", status="failed")["id"]
    address = address_of(pages.watched.shop.id, "jobs", str(job))
    parts = ("", "/pull-requests", "/deliveries", "/webhook", "/edit", "/jobs")
    for path in ("/connections", ADMIN, address, *(pages.own + part for part in parts)):
        html = pages.text(path)
        assert "<script>alert" not in html and "\u202e" not in html and "<b>x</b>" not in html
        assert not re.search(r" style=| on\w+=\"", html)


def test_a_job_says_what_it_extracts(pages: Pages) -> None:
    requests = {one["source"]: one for one in pages.client.get(f"{pages.own}/jobs.json").json()}
    shown = {
        source: words(pages.text(address_of(pages.watched.shop.id, "jobs", one["id"])))
        for source, one in requests.items()
        if source != "branch"
    }
    assert f"head of pull request {OPEN}" in shown["pull_request"]
    assert f"merge base of pull request {OPEN}" in shown["merge_base"]
    assert "The recorded run" in shown["pull_request"]


@pytest.mark.extensive
def test_administration_shows_all_lists_and_their_exports(pages: Pages) -> None:
    html = pages.text(ADMIN)
    for part in PARTS:
        assert f"{ADMIN}/{part}" in parsed(html).links
        rows = pages.client.get(f"{ADMIN}/{part}.json").json()
        lines = list(csv.DictReader(io.StringIO(pages.client.get(f"{ADMIN}/{part}.csv").text)))
        assert len(rows) == len(lines) > 0, part
        assert 'role="status"' in pages.text(f"{ADMIN}/{part}?sort=-{next(iter(rows[0]))}")
    assert row_of(pages, f"{ADMIN}/workers", name="dead-1")["status"] == "stale"
    assert row_of(pages, f"{ADMIN}/workers", name="host-1")["status"] == "running"
    assert row_of(pages, f"{ADMIN}/jobs", connection="watched")["stage"] == "clone"
    assert {one["status"] for one in pages.client.get(f"{ADMIN}/tasks.json").json()} == {"failed", "pending"}
    (folder,) = pages.client.get(f"{ADMIN}/disk.json").json()
    assert (folder["folder"], folder["size"], folder["files"]) == ("mirrors", 2048, 1)
    assert str(pages.work) in pages.text(ADMIN)


def test_environments_are_current_stale_or_pruned(pages: Pages) -> None:
    path = f"{ADMIN}/environments"
    assert row_of(pages, path, connection="watched", branch="main")["state"] == "current"
    assert row_of(pages, path, connection="watched", branch=STALE_BRANCH)["state"] == "stale"
    head = row_of(pages, path, environment=f"pull-request-{MERGED}")
    assert (head["state"], head["connection"]) == ("pruned", "watched")
    assert row_of(pages, path, environment=f"pull-request-{OPEN}-base")["state"] == "current"


def test_seconds_of_connections_are_added_up(pages: Pages) -> None:
    own = row_of(pages, f"{ADMIN}/seconds", connection="watched")
    paused = row_of(pages, f"{ADMIN}/seconds", connection="paused")
    assert (paused["seconds"], paused["jobs"], paused["failed"], paused["fetched"]) == (12.5, 1, 0, 10**6)
    assert own["jobs"] == 12 and own["failed"] == 1 and own["peak_memory"] == 2 * 10**8


def test_a_server_without_a_worker_says_so(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages.service, "work", None)
    assert "This server runs no worker" in pages.text(ADMIN)


def test_only_administrators_see_administration_and_the_webhook(pages: Pages) -> None:
    for path in (ADMIN, *(f"{ADMIN}/{part}" for part in PARTS), f"{ADMIN}/jobs.csv", f"{pages.own}/webhook"):
        assert pages.client.get(path, headers=pages.reader).status_code == 403, path
    foreign = {"Origin": "https://evil.example"}
    for form in ("automatic", "webhook", "extract"):
        assert pages.client.post(f"{pages.own}/{form}", headers=pages.reader).status_code == 403
        assert pages.client.post(f"{pages.own}/{form}", headers=foreign).status_code == 403
    seen = pages.client.get(pages.own, headers=pages.reader).text
    assert '<form method="post"' not in seen and "View lineage" in seen


def test_automatic_refresh_is_turned_off_and_on(pages: Pages) -> None:
    own = f"/connections/{pages.watched.new.id}"
    assert pages.client.post(f"{own}/automatic").headers["location"] == own
    assert pages.service.get("new").poll_minutes is None
    assert "never extracted, automatic refresh off" in words(pages.text(own))
    pages.client.post(f"{own}/automatic", data={"minutes": "15"})
    assert pages.service.get("new").poll_minutes == 15
    assert pages.client.post(f"{own}/automatic", data={"minutes": "often"}).status_code == 400


def test_a_webhook_that_the_forge_refuses_has_steps_with_a_secret_that_is_shown_once(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = f"/connections/{pages.watched.paused.id}"
    monkeypatch.setattr(pages.service, "public_url", None)
    assert "RECCE_META_PUBLIC_URL" in pages.text(f"{own}/webhook")
    monkeypatch.setattr(pages.service, "public_url", "https://recce.example.com")
    assert "Set up webhook" in pages.text(f"{own}/webhook")

    # Without a token, nothing can be asked of the forge.
    answer = pages.client.post(f"{own}/webhook")
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    (secret,) = re.findall(r'id="secret" value="([^"]+)"', answer.text)
    assert "https://recce.example.com/api/webhooks/github?connection=" in words(answer.text)
    assert "/settings/hooks/new" in answer.text
    after = pages.text(f"{own}/webhook")
    assert secret not in after and secret not in pages.text(own) and "failed" in words(after)
    found = get_webhook(pages.service.state, pages.watched.paused.id)
    assert found is not None and not found.is_active
    assert row_of(pages, "/connections", name="paused")["webhook"] == "failed"


def test_the_form_sets_what_follows_an_extraction_and_never_shows_addresses(pages: Pages) -> None:
    sent = {
        "repo_url": "https://github.com/example/form", "branch": "main", "store": "default",
        "environment": "prod", "poll_minutes": "15", "is_untested": "on", "watches_pull_requests": "on",
        "fail_on": "breaking, removed", "runs_checks": "on", "notify": f"{SECRET}\nmailto:data@acme.com",
    }  # fmt: skip
    own = pages.client.post("/connections", data=sent).headers["location"]
    found = pages.service.get(own.rpartition("/")[2])
    assert (found.watches_pull_requests, found.fail_on, found.runs_checks) == (
        True,
        ("breaking", "removed"),
        True,
    )
    assert found.notify == ("slack hooks.slack.com", "email data@acme.com")
    edit = pages.text(f"{own}/edit")
    assert "verysecret" not in edit and "slack hooks.slack.com" in edit

    kept = {name: value for name, value in sent.items() if name not in ("notify", "runs_checks", "fail_on")}
    assert pages.client.post(f"{own}/edit", data=kept).status_code == 303
    found = pages.service.get(found.id)
    assert (found.fail_on, found.runs_checks, len(found.notify)) == ((), False, 2)
    pages.client.post(f"{own}/edit", data={**kept, "removes_notify": "on"})
    assert pages.service.get(found.id).notify == ()
    pages.service.remove(found.id)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("fail_on", "sometimes", "sometimes"), ("notify", f"ftp+{SECRET}", "Invalid address of notifications")],
)
def test_a_refused_value_is_named_without_secrets(pages: Pages, field: str, value: str, message: str) -> None:
    sent = {"repo_url": "https://github.com/example/x", "branch": "main", "is_untested": "on", field: value}
    answer = pages.client.post("/connections", data=sent)
    assert answer.status_code == 400 and message in answer.text and "verysecret" not in answer.text


def test_a_connection_with_uploads_only_needs_a_name_and_nothing_else(pages: Pages) -> None:
    sent = {"name": "artifacts", "is_upload_only": "on", "watches_pull_requests": "on", "poll_minutes": "15"}
    own = pages.client.post("/connections", data=sent).headers["location"]
    found = pages.service.get("artifacts")
    assert (found.is_upload_only, found.watches_pull_requests, found.poll_minutes) == (True, False, None)
    assert "uploads only, nothing uploaded yet" in words(pages.text(own))
    edit = pages.text(f"{own}/edit")
    assert 'name="access_token"' not in edit and 'name="poll_minutes"' not in edit
    changed = pages.client.post(f"{own}/edit", data={"name": "artifacts", "environment": "ci"})
    assert changed.status_code == 303 and pages.service.get("artifacts").environment == "ci"
    assert pages.service.get("artifacts").poll_minutes is None
    pages.service.remove(found.id)


def test_a_failed_test_shows_each_check_in_the_form(pages: Pages) -> None:
    sent = {"repo_url": "https://127.0.0.1:9/x/y", "type": "git", "schema": "typed"}
    answer = pages.client.post("/connections", data=sent)
    assert answer.status_code == 422 and 'value="typed"' in answer.text
    assert re.search("What was tested.* address failed 127.0.0.1 is not a public host", words(answer.text))


def test_the_progress_of_a_named_job_is_answered(pages: Pages) -> None:
    failed = row_of(pages, f"{pages.own}/jobs", status="failed")["id"]
    path = f"/api/metadata{pages.own}/progress"
    assert pages.client.get(path, params={"job": failed}).json()["status"] == "failed"
    assert pages.client.get(path).json()["job_id"] == pages.watched.running.id
    assert pages.client.get(path, params={"job": "0:main:1"}).status_code == 404
