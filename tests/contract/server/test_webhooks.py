"""Deliveries of forges through the server, on both states: what each causes, and what none reveals."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from recce_meta.models.run import Trigger
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.connections import (
    add_connection,
    get_connection,
    read_secret,
    remove_connection,
    update_connection,
)
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import finish_job, list_jobs, request_job, set_stage, start_job
from recce_meta.repositories.state.pull_requests import get_pull_request, list_pull_requests
from recce_meta.repositories.state.secrets import read_keys
from recce_meta.repositories.state.tokens import TokenScope, add_token
from recce_meta.repositories.state.types import (
    ExtractionJob,
    JobOutcome,
    JobRequest,
    JobStatus,
    PullRequestState,
    RepositoryConnection,
    Stage,
    Webhook,
)
from recce_meta.repositories.state.webhooks import (
    MOST_DELIVERIES,
    get_webhook,
    list_deliveries,
    list_stale,
    put_webhook,
)
from recce_meta.server.access.sessions import Access
from recce_meta.server.api import webhook_routes as webhooks
from recce_meta.server.app import create_app
from recce_meta.server.main import access_rules
from tests.contract.server.api_shop import check, described
from tests.deliveries import (
    AFTER,
    BEFORE,
    HOSTS,
    OTHER_SECRET,
    REPOSITORY_IDS,
    SECRET,
    Recorded,
    recorded,
    standard_signature,
)
from tests.support import states
from tests.support.forge_names import FORGES, Forge

ENVIRON = {"RECCE_META_KEY": states.KEY}
PULL_REQUESTS = {
    Forge.GITHUB: ("pull_request_opened", "pull_request_merged", 2),
    Forge.GITLAB: ("merge_request_open", "merge_request_merge", 7),
    Forge.BITBUCKET: ("pullrequest_created", "pullrequest_fulfilled", 3),
    Forge.GITEA: ("pull_request_opened", "pull_request_merged", 2),
}


@dataclass(frozen=True)
class Hooked:
    """A server with connections that have webhooks."""

    client: TestClient
    state: State

    def connect(self, forge: Forge, secret: str | None = SECRET, **fields: Any) -> RepositoryConnection:
        """Store a connection of the repository of the recorded deliveries of *forge*."""
        given = {
            "name": forge.value,
            "type": forge,
            "repo_url": f"https://{HOSTS[forge]}/acme/shop",
            **fields,
        }
        connection = add_connection(self.state, states.shop(**given))
        if secret is not None:
            update_connection(
                self.state,
                connection.id,
                keys=read_keys(ENVIRON, self.state),
                secrets={"webhook_secret": secret},
            )
        return connection

    def deliver(
        self,
        one: Recorded,
        headers: dict[str, str] | None = None,
        *,
        connection: str | None = None,
        forge: Forge | None = None,
    ) -> httpx.Response:
        """Send a delivery, by default with its right signature."""
        sent = one.signed() if headers is None else headers
        return self.client.post(
            f"/api/webhooks/{(forge or one.forge).value}",
            params={} if connection is None else {"connection": connection},
            content=one.body,
            headers=[(name, value.encode("latin-1")) for name, value in sent.items()],
        )

    def jobs(self, connection: RepositoryConnection) -> list[ExtractionJob]:
        """Return the jobs of *connection*, the newest first."""
        return list_jobs(self.state, connection.id)


@pytest.fixture(scope="module", params=states.DATABASES)
def hooked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooked]:
    """Yield a server without connections."""
    postgres = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    folder = tmp_path_factory.mktemp("webhooks")
    with states.state_address(request.param, folder, postgres) as url, states.opened(url) as state:
        service = RepositoryService(state, environ=ENVIRON)
        # A token is required from all others.
        access = Access("the token of the serving command")
        with TestClient(create_app({}, access, service), base_url="http://127.0.0.1") as client:
            yield Hooked(client, state)


@pytest.fixture(autouse=True)
def _without_connections(hooked: Hooked) -> Iterator[None]:
    yield
    for found in RepositoryService(hooked.state, environ=ENVIRON).list():
        remove_connection(hooked.state, found.id)
    _forget_failures(hooked)


def _forget_failures(hooked: Hooked) -> None:
    api = next(route.app for route in hooked.client.app.routes if getattr(route, "path", "") == "/api")
    api.state.deliveries = webhooks.Deliveries()


def answer(response: httpx.Response, status: int) -> dict[str, Any]:
    """Return the answer to a delivery, after it was checked against the OpenAPI document."""
    assert response.status_code == status, response.text
    operation = described()["paths"]["/api/webhooks/{forge}"]["post"]
    check(response.json(), operation["responses"][str(status)]["content"]["application/json"]["schema"])
    found: dict[str, Any] = response.json()
    return found


def end(hooked: Hooked, job_id: str, sha: str, status: JobStatus = JobStatus.SUCCESS) -> None:
    """End a job that has extracted the commit *sha*."""
    start_job(hooked.state, job_id, "worker")
    finish_job(
        hooked.state,
        job_id,
        status,
        JobOutcome(commit_sha=sha, failure="network" if status.value == "failed" else None),
    )


@pytest.mark.cases(2)
@pytest.mark.parametrize("forge", FORGES)
def test_a_push_requests_one_job_however_often_it_is_sent(hooked: Hooked, forge: Forge) -> None:
    shop, push = hooked.connect(forge), recorded(forge, "push")

    answers = [answer(hooked.deliver(push), 202) for _ in range(20)]

    (job,) = hooked.jobs(shop)
    assert {(one["status"], one["job_id"], one["reason"]) for one in answers} == {("queued", job.id, None)}
    assert (job.branch, job.trigger, job.requested_by) == ("main", Trigger.WEBHOOK, "webhook")
    deliveries = list_deliveries(hooked.state, shop.id)
    assert len(deliveries) == 20 and {one.outcome for one in deliveries} == {"queued"}
    assert deliveries[0].delivery_id and deliveries[0].event and deliveries[0].job_id == job.id
    assert get_connection(hooked.state, shop.id).repository_id == REPOSITORY_IDS[forge]


@pytest.mark.parametrize("forge", FORGES)
def test_a_pull_request_is_noted_and_closed(hooked: Hooked, forge: Forge) -> None:
    shop = hooked.connect(forge)
    opened, merged, number = PULL_REQUESTS[forge]

    found = answer(hooked.deliver(recorded(forge, opened), connection=shop.id), 202)

    stored = get_pull_request(hooked.state, shop.id, number)
    assert found["job_id"] in {job.id for job in hooked.jobs(shop)}
    assert (stored.base_branch, stored.head_branch, stored.state) == (
        "main",
        "changes",
        PullRequestState.OPEN,
    )
    assert {job.pull_request for job in hooked.jobs(shop)} == {number}
    found = answer(hooked.deliver(recorded(forge, merged)), 200)
    assert (found["status"], found["reason"]) == ("noted", f"pull request {number} is no longer compared")
    assert get_pull_request(hooked.state, shop.id, number).state is PullRequestState.MERGED
    assert {job.status for job in hooked.jobs(shop)} == {JobStatus.CANCELLED}


@pytest.mark.parametrize("forge", FORGES)
def test_a_deleted_branch_is_stale_until_it_exists_again(hooked: Hooked, forge: Forge) -> None:
    shop = hooked.connect(forge)
    waiting = answer(hooked.deliver(recorded(forge, "push")), 202)["job_id"]

    deleted = recorded(forge, "delete" if forge is Forge.GITEA else "push_deleted")
    for _ in range(2):
        found = answer(hooked.deliver(deleted), 200)
        assert (found["status"], found["job_id"]) == ("noted", None)

    assert list_stale(hooked.state, [shop.id]) == {shop.id: {"main"}}
    assert {job.id: job.status for job in hooked.jobs(shop)} == {waiting: JobStatus.CANCELLED}
    # Deliveries arrive in any order, so the poller looks at once.
    after = get_connection(hooked.state, shop.id)
    assert after.next_check_at is not None and after.next_check_at <= datetime.now(timezone.utc)
    answer(hooked.deliver(recorded(forge, "push")), 202)
    assert list_stale(hooked.state, [shop.id]) == {}
    assert len(hooked.jobs(shop)) == 2


def test_a_job_of_a_deleted_branch_that_has_its_commit_goes_on(hooked: Hooked) -> None:
    shop = hooked.connect(Forge.GITHUB)
    job = answer(hooked.deliver(recorded(Forge.GITHUB, "push")), 202)["job_id"]
    start_job(hooked.state, job, "worker")
    set_stage(hooked.state, job, Stage.CLONE, commit_sha=BEFORE)

    answer(hooked.deliver(recorded(Forge.GITHUB, "push_deleted")), 200)

    assert [one.status for one in hooked.jobs(shop)] == [JobStatus.RUNNING]


def test_a_delivery_is_served_again_after_a_failure_and_not_after_a_success(hooked: Hooked) -> None:
    shop, push = hooked.connect(Forge.GITHUB), recorded(Forge.GITHUB, "push")
    first = answer(hooked.deliver(push), 202)["job_id"]
    end(hooked, first, AFTER, JobStatus.FAILED)

    second = answer(hooked.deliver(push), 202)["job_id"]
    assert second != first
    start_job(hooked.state, second, "worker")
    set_stage(hooked.state, second, Stage.CLONE, commit_sha=AFTER)
    assert answer(hooked.deliver(push), 202)["job_id"] == second
    end(hooked, second, AFTER)
    found = answer(hooked.deliver(push), 200)

    assert (found["status"], found["reason"]) == (
        "ignored", f"the commit {AFTER[:10]} of main was extracted before",
    )  # fmt: skip
    assert len(hooked.jobs(shop)) == 2
    # The head is known: the next look waits for its interval.
    after = get_connection(hooked.state, shop.id).next_check_at
    assert after is not None and after > datetime.now(timezone.utc) + timedelta(minutes=10)
    # An older push that arrives late still leads to the head.
    answer(hooked.deliver(push.changed(after=BEFORE)), 202)


def test_a_push_during_a_job_waits_for_it(hooked: Hooked) -> None:
    shop, push = hooked.connect(Forge.GITHUB), recorded(Forge.GITHUB, "push")
    first = answer(hooked.deliver(push), 202)["job_id"]
    start_job(hooked.state, first, "worker")
    set_stage(hooked.state, first, Stage.CLONE, commit_sha=BEFORE)

    found = {answer(hooked.deliver(push), 202)["job_id"] for _ in range(5)}

    assert len(found) == 1 and first not in found
    assert len(hooked.jobs(shop)) == 2


def test_all_changes_of_one_push_count(hooked: Hooked) -> None:
    shop = hooked.connect(Forge.BITBUCKET, branches=("main", "feature/x/y", "old"))

    found = answer(hooked.deliver(recorded(Forge.BITBUCKET, "push_several")), 202)

    assert {job.branch for job in hooked.jobs(shop)} == {"main", "feature/x/y"}
    assert found["job_id"] == f"{shop.id}:main:1"
    assert "refs/tags/v1 is a tag" in found["reason"]
    assert list_stale(hooked.state, [shop.id]) == {shop.id: {"old"}}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("push_tag", "refs/tags/v1.0 is a tag"),
        ("push_forced", "the branch feature/x/y is not followed"),
        ("star", "the event star is not used"),
        ("pull_request_labeled", "pull request 2: labeled changes no commit"),
    ],
)
def test_other_events_are_ignored_with_the_reason(hooked: Hooked, name: str, reason: str) -> None:
    shop = hooked.connect(Forge.GITHUB)

    assert answer(hooked.deliver(recorded(Forge.GITHUB, name)), 200) == {
        "status": "ignored", "reason": reason, "job_id": None,
    }  # fmt: skip

    assert hooked.jobs(shop) == []
    assert [one.reason for one in list_deliveries(hooked.state, shop.id)] == [reason]


def test_a_ping_confirms_the_webhook(hooked: Hooked) -> None:
    shop = hooked.connect(Forge.GITHUB)
    hook = Webhook(
        connection_id=shop.id, url="https://x", events=("push",), error="no right", created_at=shop.created_at
    )
    put_webhook(hooked.state, hook)

    assert answer(hooked.deliver(recorded(Forge.GITHUB, "ping")), 200)["status"] == "ping"

    after = get_webhook(hooked.state, shop.id)
    assert after is not None and (after.is_active, after.error) == (True, None)


def test_pull_requests_of_other_branches_and_of_unwatched_connections_are_ignored(hooked: Hooked) -> None:
    shop = hooked.connect(Forge.GITHUB, branches=("trunk",))
    opened = recorded(Forge.GITHUB, "pull_request_opened")
    assert "base branch main is not followed" in answer(hooked.deliver(opened), 200)["reason"]
    update_connection(hooked.state, shop.id, branches=("main",), watches_pull_requests=False)
    assert "are not compared" in answer(hooked.deliver(opened), 200)["reason"]
    update_connection(hooked.state, shop.id, watches_pull_requests=True, is_paused=True)
    assert "is paused" in answer(hooked.deliver(opened), 200)["reason"]
    update_connection(hooked.state, shop.id, is_paused=False, is_upload_only=True)
    assert "only come from uploads" in answer(hooked.deliver(opened), 200)["reason"]

    assert list_pull_requests(hooked.state, shop.id) == [] and hooked.jobs(shop) == []


def test_a_pull_request_with_a_new_base_that_is_not_followed_is_no_longer_compared(hooked: Hooked) -> None:
    shop = hooked.connect(Forge.GITHUB)
    opened = recorded(Forge.GITHUB, "pull_request_opened")
    answer(hooked.deliver(opened), 202)
    moved = json.loads(opened.body)["pull_request"] | {"base": {"ref": "dev"}}

    answer(hooked.deliver(opened.changed(action="edited", changes={"base": {}}, pull_request=moved)), 200)

    assert get_pull_request(hooked.state, shop.id, 2).state is PullRequestState.CLOSED
    assert {job.status for job in hooked.jobs(shop)} == {JobStatus.CANCELLED}


def test_the_fork_of_a_pull_request_must_be_on_the_same_host(hooked: Hooked) -> None:
    shop = hooked.connect(Forge.BITBUCKET)
    one = recorded(Forge.BITBUCKET, "pullrequest_fork")
    for host, expected in (("bitbucket.org", "https://bitbucket.org/bob/shop"), ("169.254.169.254", None)):
        body = one.body.replace(b"https://bitbucket.org/bob", f"https://{host}/bob".encode())
        hooked.deliver(one._replace(body=body))
        assert get_pull_request(hooked.state, shop.id, 3).head_url == expected


Change = Callable[[Recorded], tuple[Recorded, dict[str, str]]]
UNPROVEN: dict[str, Change] = {
    "missing": lambda one: (one, one.headers),
    "wrong": lambda one: (one, one.signed(OTHER_SECRET)),
    "of another body": lambda one: (one.changed(ref="refs/heads/main"), one.signed()),
    "empty": lambda one: (one, one.headers | {"x-hub-signature-256": ""}),
    "not ASCII": lambda one: (one, one.headers | {"x-hub-signature-256": "sha256=é"}),
    "of SHA-1": lambda one: (one, one.headers | {"x-hub-signature": "sha1=" + "0" * 40}),
    "unknown repository": lambda one: _resigned(one.changed(repository={"id": 1})),
    "no repository": lambda one: _resigned(one._replace(body=b'{"ref": "refs/heads/main"}')),
    "not JSON": lambda one: _resigned(one._replace(body=b"\xff{")),
    "nested": lambda one: _resigned(one._replace(body=b'{"a":' + b"[" * 100_000)),
    "no body": lambda one: _resigned(one._replace(body=b"")),
}


def _resigned(one: Recorded) -> tuple[Recorded, dict[str, str]]:
    return one, one.signed()


def test_every_delivery_that_is_not_proven_has_the_same_answer(hooked: Hooked) -> None:
    shop, push = hooked.connect(Forge.GITHUB), recorded(Forge.GITHUB, "push")
    hooked.connect(Forge.GITLAB, None)
    token, secret = recorded(Forge.GITLAB, "push"), {"x-gitlab-token": SECRET}
    found = {name: hooked.deliver(*change(push)) for name, change in UNPROVEN.items()}
    found["unknown connection"] = hooked.deliver(push, connection="0" * 12)
    found["no connection"] = hooked.deliver(push, connection="")
    found["connection that no database stores"] = hooked.deliver(push, connection="\x00")
    found["wrong forge"] = hooked.deliver(push, forge=Forge.GITEA)
    found["wrong forge of the connection"] = hooked.deliver(push, forge=Forge.GITEA, connection=shop.id)
    found["without a webhook"] = hooked.deliver(token, token.headers | secret)

    bodies = {response.content for response in found.values()}
    assert {name: response.status_code for name, response in found.items()} == dict.fromkeys(found, 401)
    assert len(bodies) == 1
    volatile = {"date", "x-request-id"}
    headers = [{k: v for k, v in one.headers.items() if k not in volatile} for one in found.values()]
    assert headers == [headers[0]] * len(headers)
    assert answer(found["wrong"], 401)["error"]["code"] == "unauthorized"
    assert hooked.jobs(shop) == [] and list_deliveries(hooked.state, shop.id) == []
    assert get_connection(hooked.state, shop.id).repository_id is None


def test_gitlab_signs_with_standard_webhooks_which_cannot_be_replayed_later(hooked: Hooked) -> None:
    shop, push = hooked.connect(Forge.GITLAB), recorded(Forge.GITLAB, "push")
    now = time.time()

    fresh = standard_signature(push.body, now)
    answer(hooked.deliver(push, push.headers | fresh), 202)
    assert list_deliveries(hooked.state, shop.id)[0].delivery_id == "msg_1"
    for old in (now - 3_600, now + 3_600):
        replayed = standard_signature(push.body, old) | {"x-gitlab-token": SECRET}
        answer(hooked.deliver(push, push.headers | replayed), 401)
    answer(hooked.deliver(push, push.headers | fresh | {"webhook-timestamp": f"{now + 9:.0f}"}), 401)
    assert len(hooked.jobs(shop)) == 1


def test_both_secrets_are_valid_until_the_new_one_was_used(hooked: Hooked) -> None:
    shop, push = hooked.connect(Forge.GITHUB), recorded(Forge.GITHUB, "push")
    keys = read_keys(ENVIRON, hooked.state)
    update_connection(hooked.state, shop.id, keys=keys, secrets={"former_webhook_secret": SECRET})
    update_connection(hooked.state, shop.id, keys=keys, secrets={"webhook_secret": OTHER_SECRET})

    answer(hooked.deliver(push, push.signed(SECRET)), 202)
    answer(hooked.deliver(push, push.signed(OTHER_SECRET)), 202)

    assert read_secret(hooked.state, keys, shop.id, "former_webhook_secret") is None
    answer(hooked.deliver(push, push.signed(SECRET)), 401)
    answer(hooked.deliver(push, push.signed(OTHER_SECRET)), 202)


def test_connections_of_one_repository_have_their_own_secrets(hooked: Hooked) -> None:
    first = hooked.connect(Forge.GITHUB, name="first", subdirectory="a")
    second = hooked.connect(Forge.GITHUB, OTHER_SECRET, name="second", subdirectory="b")
    push = recorded(Forge.GITHUB, "push")

    answer(hooked.deliver(push), 202)
    assert (len(hooked.jobs(first)), len(hooked.jobs(second))) == (1, 0)
    answer(hooked.deliver(push, push.signed(OTHER_SECRET), connection=second.id), 202)
    assert (len(hooked.jobs(first)), len(hooked.jobs(second))) == (1, 1)
    answer(hooked.deliver(push, push.signed(SECRET), connection=second.id), 401)


def test_a_repository_is_found_by_its_id_after_it_was_renamed(hooked: Hooked) -> None:
    shop, push = hooked.connect(Forge.GITHUB), recorded(Forge.GITHUB, "push")
    repository = json.loads(push.body)["repository"]
    renamed = {"id": repository["id"], "html_url": "https://github.com/acme/store"}
    answer(hooked.deliver(push.changed(repository=renamed)), 401)

    answer(hooked.deliver(push), 202)

    answer(hooked.deliver(push.changed(repository=renamed)), 202)
    # The webhook of an organisation sends deliveries of its other repositories, too.
    other = {"id": 1, "html_url": "https://github.com/acme/other"}
    found = answer(hooked.deliver(push.changed(repository=other), connection=shop.id), 200)
    assert found["reason"] == "the delivery is about another repository"
    assert get_connection(hooked.state, shop.id).repository_id == REPOSITORY_IDS[Forge.GITHUB]


@pytest.mark.extensive
def test_the_last_deliveries_are_kept(hooked: Hooked) -> None:
    shop, star = hooked.connect(Forge.GITHUB), recorded(Forge.GITHUB, "star")
    other = hooked.connect(Forge.GITLAB)
    answer(hooked.deliver(recorded(Forge.GITLAB, "push")), 202)

    for number in range(MOST_DELIVERIES + 3):
        assert hooked.deliver(star, star.signed() | {"x-github-delivery": f"{number}"}).status_code == 200

    kept = [one.delivery_id for one in list_deliveries(hooked.state, shop.id, limit=1_000)]
    assert kept == [f"{number}" for number in reversed(range(3, MOST_DELIVERIES + 3))]
    assert len(list_deliveries(hooked.state, other.id)) == 1


def test_a_form_is_refused_with_what_to_change(hooked: Hooked) -> None:
    hooked.connect(Forge.GITHUB)
    push = recorded(Forge.GITHUB, "push")
    form = push.signed() | {"content-type": "application/x-www-form-urlencoded"}

    error = answer(hooked.deliver(push, form), 415)["error"]
    assert "application/json" in error["hint"]


def test_a_large_delivery_is_refused_by_its_length_and_by_its_bytes(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "LARGEST_DELIVERY", 100_000)
    headers = recorded(Forge.GITHUB, "push").headers

    def parts() -> Iterator[bytes]:
        yield from [b"x" * 50_000] * 3

    for content in (b"x" * 100_001, parts()):
        found = hooked.client.post("/api/webhooks/github", content=content, headers=headers)
        assert answer(found, 413)["error"]["code"] == "too_large"


def test_many_failures_of_one_address_are_limited_and_right_deliveries_still_pass(hooked: Hooked) -> None:
    hooked.connect(Forge.GITHUB)
    push = recorded(Forge.GITHUB, "push")
    found = [hooked.deliver(push, push.headers).status_code for _ in range(webhooks.MOST_FAILURES + 2)]

    assert found == [401] * webhooks.MOST_FAILURES + [429] * 2
    answer(hooked.deliver(push), 202)
    large = push._replace(body=b"x" * (webhooks.LARGEST_OF_FAILING + 1))
    assert hooked.deliver(large, push.headers).status_code == 413


def test_only_deliveries_need_no_token(hooked: Hooked) -> None:
    shop, push = hooked.connect(Forge.GITHUB), recorded(Forge.GITHUB, "push")
    foreign = push.signed() | {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    answer(hooked.deliver(push, foreign), 202)

    client = hooked.client
    assert client.get("/api/webhooks/github").status_code == 401
    for path in (
        "/api/webhooks/git",
        "/api/webhooks/github/",
        "/api/webhooks/github/setup",
        "/api/webhooks/",
    ):
        found = client.post(path, json={"connectionId": shop.id}, headers=push.signed())
        assert found.json()["error"]["message"] == "A token is required"
    bearer = {"Authorization": "Bearer the token of the serving command"}
    assert client.post("/api/webhooks/git", headers=bearer, json={}).status_code == 422
    assert client.get("/api/webhooks/github", headers=bearer).status_code == 405


def test_the_host_of_the_public_address_is_answered_and_no_other(hooked: Hooked) -> None:
    hooked.connect(Forge.GITHUB)
    push = recorded(Forge.GITHUB, "push")
    access = access_rules("127.0.0.1", None, "https://recce.example.com")
    service = RepositoryService(hooked.state, environ=ENVIRON)
    for host, status in (("recce.example.com", 202), ("evil.example", 400)):
        with TestClient(create_app({}, access, service), base_url=f"http://{host}") as client:
            found = client.post("/api/webhooks/github", content=push.body, headers=push.signed())
            assert found.status_code == status
    assert service.public_url == "https://recce.example.com"


def test_a_secret_that_no_key_opens_is_logged_once_and_proves_nothing(
    hooked: Hooked, caplog: pytest.LogCaptureFixture
) -> None:
    shop, push = hooked.connect(Forge.GITHUB), recorded(Forge.GITHUB, "push")
    service = RepositoryService(hooked.state, environ={"RECCE_META_KEY": states.OTHER_KEY})
    with TestClient(create_app({}, Access(), service), base_url="http://127.0.0.1") as client:
        for _ in range(3):
            found = client.post("/api/webhooks/github", content=push.body, headers=push.signed())
            assert found.status_code == 401

    (line,) = [one.getMessage() for one in caplog.records if "Deliveries" in one.getMessage()]
    assert shop.id in line and "wrong key" in line and SECRET not in line


def test_a_server_without_a_state_says_so() -> None:
    push = recorded(Forge.GITHUB, "push")
    with TestClient(create_app({}, Access()), base_url="http://127.0.0.1") as client:
        found = client.post("/api/webhooks/github", content=push.body, headers=push.signed())

    assert (found.status_code, found.json()["error"]["code"]) == (503, "no_state")


def test_a_manual_job_that_waits_is_joined(hooked: Hooked) -> None:
    shop = hooked.connect(Forge.GITHUB)
    waiting = request_job(
        hooked.state, shop.id, JobRequest(branch="main", trigger=Trigger.MANUAL, requested_by="ann")
    ).job

    assert answer(hooked.deliver(recorded(Forge.GITHUB, "push")), 202)["job_id"] == waiting.id


def test_the_set_up_answers_with_steps_and_a_secret_that_is_shown_once(hooked: Hooked) -> None:
    shop = hooked.connect(Forge.GITLAB, None)
    service = RepositoryService(hooked.state, environ=ENVIRON)
    tokens = {scope: add_token(hooked.state, f"hooks-{scope.value}", [scope])[1] for scope in TokenScope}
    access = access_rules("127.0.0.1", None, "https://recce.example.com")
    with TestClient(create_app({}, access, service), base_url="http://127.0.0.1") as client:

        def post(forge: str = "gitlab", scope: TokenScope = TokenScope.WRITE, **body: Any) -> httpx.Response:
            headers = {"Authorization": f"Bearer {tokens[scope]}"}
            given = {"connectionId": shop.id} | body
            return client.post(f"/api/webhooks/{forge}/setup", json=given, headers=headers)

        first, second = post(), post(connectionId="gitlab", rotate=True)
        operation = described()["paths"]["/api/webhooks/{forge}/setup"]["post"]
        for found in (first, second):
            assert (found.status_code, found.headers["cache-control"]) == (200, "no-store"), found.text
            check(found.json(), operation["responses"]["200"]["content"]["application/json"]["schema"])
        answered = first.json()
        assert answered["url"] == f"https://recce.example.com/api/webhooks/gitlab?connection={shop.id}"
        assert answered["active"] is False and "no token" in answered["error"]
        assert answered["manual"]["secret"] != second.json()["manual"]["secret"]
        # What a person has entered works at once.
        push = recorded(Forge.GITLAB, "push")
        sent = standard_signature(push.body, time.time(), answered["manual"]["secret"])
        delivered = client.post(
            answered["url"].removeprefix("https://recce.example.com"),
            content=push.body,
            headers=push.headers | sent,
        )
        assert delivered.status_code == 202
        assert service.webhook(shop.id).last_delivery is not None

        assert post("github").json()["error"]["hint"] == "POST /api/webhooks/gitlab/setup"
        assert post(connectionId="nothing").status_code == 404
        assert post(other=1).status_code == 400
        refused = {scope for scope in TokenScope if post("github", scope).status_code == 403}
        assert refused == set(TokenScope) - {TokenScope.WRITE, TokenScope.ADMIN}


def test_the_set_up_names_the_setting_that_is_missing(hooked: Hooked) -> None:
    shop = hooked.connect(Forge.GITLAB, None)
    bearer = {"Authorization": "Bearer the token of the serving command"}
    sent = {"connectionId": shop.id}

    found = hooked.client.post("/api/webhooks/gitlab/setup", json=sent, headers=bearer)

    assert (found.status_code, found.json()["error"]["code"]) == (400, "bad_request")
    assert "RECCE_META_PUBLIC_URL" in found.json()["error"]["hint"]
