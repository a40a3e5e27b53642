"""Reading of deliveries: those that the forges document, and any JSON at all."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.repositories.forges.events import (
    LONGEST_NAME,
    LONGEST_TITLE,
    Delivery,
    Event,
    Ignored,
    Ping,
    PullRequestChange,
    Push,
)
from recce_meta.repositories.forges.registry import (
    read_delivery,
    repository_key,
    repository_path,
    sent_repository,
)
from recce_meta.repositories.state.types import PullRequestEvent, PullRequestState
from tests.deliveries import AFTER, BEFORE, HOSTS, REPOSITORY_IDS, Recorded, all_recorded, recorded
from tests.support.forge_names import FORGES, Forge

NOW = datetime(2026, 11, 22, 10, tzinfo=timezone.utc)
EDITED = datetime(2026, 11, 22, 9, 30, tzinfo=timezone.utc)


def read(one: Recorded) -> Delivery:
    """Return the delivery, read."""
    return read_delivery(one.forge, one.headers, one.body, NOW)


def events(forge: Forge, name: str) -> tuple[Event, ...]:
    """Return the events of a recorded delivery."""
    return read(recorded(forge, name)).events


@pytest.mark.parametrize(("forge", "name"), all_recorded())
def test_every_delivery_has_its_repository_id_and_event(forge: Forge, name: str) -> None:
    found = read(recorded(forge, name))

    assert found.id and found.name and found.events
    if name != "server_push":
        assert found.repository.id == REPOSITORY_IDS[forge]
        keys = {repository_key(url) for url in found.repository.urls}
        assert keys == {f"{HOSTS[forge]}/acme/shop"}


@pytest.mark.parametrize(
    ("forge", "name", "expected"),
    [
        (Forge.GITHUB, "push", [Push("main", AFTER)]),
        (Forge.GITHUB, "push_forced", [Push("feature/x/y", AFTER)]),
        (Forge.GITHUB, "push_deleted", [Push("main", None)]),
        (Forge.GITHUB, "push_tag", [Ignored("refs/tags/v1.0 is a tag")]),
        (Forge.GITHUB, "push_sha256", [Push("main", "b1" * 32)]),
        (Forge.GITHUB, "ping", [Ping()]),
        (Forge.GITHUB, "star", [Ignored("the event star is not used")]),
        (Forge.GITLAB, "push", [Push("main", AFTER)]),
        (Forge.GITLAB, "push_slashes", [Push("feature/x/y", AFTER)]),
        (Forge.GITLAB, "push_deleted", [Push("main", None)]),
        (Forge.GITLAB, "push_tag", [Ignored("the event tag_push is not used")]),
        (Forge.BITBUCKET, "push", [Push("main", AFTER)]),
        (Forge.BITBUCKET, "push_deleted", [Push("main", None)]),
        (
            Forge.BITBUCKET,
            "push_several",
            [
                Push("main", AFTER),
                Push("feature/x/y", BEFORE),
                Push("old", None),
                Ignored("refs/tags/v1 is a tag"),
            ],
        ),
        (Forge.BITBUCKET, "server_push", [Push("main", AFTER), Push("old", None)]),
        (
            Forge.BITBUCKET,
            "pullrequest_comment",
            [Ignored("the event pullrequest:comment_created is not used")],
        ),
        (Forge.GITEA, "push", [Push("main", AFTER)]),
        (Forge.GITEA, "push_forgejo", [Push("feature/x/y", AFTER)]),
        (Forge.GITEA, "delete", [Push("main", None)]),
        (Forge.GITEA, "delete_tag", [Ignored("refs/tags/v1.0 is a tag")]),
    ],
)
def test_pushes(forge: Forge, name: str, expected: list[Event]) -> None:
    assert list(events(forge, name)) == expected


@pytest.mark.parametrize(
    ("forge", "name", "action", "number", "state", "is_fork"),
    [
        (Forge.GITHUB, "pull_request_opened", "opened", 2, "open", False),
        (Forge.GITHUB, "pull_request_synchronize", "synchronize", 2, "open", False),
        (Forge.GITHUB, "pull_request_edited_base", "edited", 2, "open", False),
        (Forge.GITHUB, "pull_request_merged", "closed", 2, "merged", False),
        (Forge.GITHUB, "pull_request_closed", "closed", 2, "closed", False),
        (Forge.GITHUB, "pull_request_fork", "opened", 2, "open", True),
        (Forge.GITHUB, "pull_request_fork_deleted", "closed", 2, "closed", True),
        (Forge.GITLAB, "merge_request_open", "open", 7, "open", False),
        (Forge.GITLAB, "merge_request_update_commits", "update", 7, "open", False),
        (Forge.GITLAB, "merge_request_update_target", "update", 7, "open", False),
        (Forge.GITLAB, "merge_request_merge", "merge", 7, "merged", False),
        (Forge.GITLAB, "merge_request_close", "close", 7, "closed", False),
        (Forge.GITLAB, "merge_request_reopen", "reopen", 7, "open", False),
        (Forge.GITLAB, "merge_request_fork", "open", 7, "open", True),
        (Forge.BITBUCKET, "pullrequest_created", "created", 3, "open", False),
        (Forge.BITBUCKET, "pullrequest_updated", "updated", 3, "open", False),
        (Forge.BITBUCKET, "pullrequest_fork", "created", 3, "open", True),
        (Forge.BITBUCKET, "pullrequest_fulfilled", "fulfilled", 3, "merged", False),
        (Forge.BITBUCKET, "pullrequest_rejected", "rejected", 3, "closed", False),
        (Forge.GITEA, "pull_request_opened", "opened", 2, "open", False),
        (Forge.GITEA, "pull_request_synchronized", "synchronized", 2, "open", False),
        (Forge.GITEA, "pull_request_sync_forgejo", "synchronized", 2, "open", False),
        (Forge.GITEA, "pull_request_edited_base", "edited", 2, "open", False),
        (Forge.GITEA, "pull_request_merged", "closed", 2, "merged", False),
        (Forge.GITEA, "pull_request_fork", "opened", 2, "open", True),
    ],
)
def test_pull_requests(forge: Forge, name: str, action: str, number: int, state: str, is_fork: bool) -> None:
    (found,) = events(forge, name)

    assert isinstance(found, PullRequestChange) and found.action == action
    event = found.event
    assert (event.number, event.state, event.is_fork) == (number, PullRequestState(state), is_fork)
    assert (event.title, event.base_branch) == ("Update the orders", "main")
    assert event.head_branch == ("main" if forge is Forge.GITHUB and is_fork else "changes")
    assert event.url is not None and event.url.startswith(f"https://{HOSTS[forge]}/acme/shop/")
    assert event.updated_at.replace(microsecond=0) == EDITED
    assert event.head_sha or name == "pullrequest_rejected"
    expected = "https://bitbucket.org/bob/shop" if (forge, is_fork) == (Forge.BITBUCKET, True) else None
    assert event.head_url == expected


@pytest.mark.parametrize(
    ("forge", "name"),
    [
        (Forge.GITHUB, "pull_request_edited_title"),
        (Forge.GITHUB, "pull_request_labeled"),
        (Forge.GITLAB, "merge_request_update_title"),
        (Forge.GITLAB, "merge_request_approved"),
        (Forge.GITEA, "pull_request_edited_title"),
    ],
)
def test_changes_of_words_are_ignored(forge: Forge, name: str) -> None:
    (found,) = events(forge, name)

    assert isinstance(found, Ignored) and found.reason.endswith("changes no commit")


def pull_request(**fields: Any) -> PullRequestEvent | None:
    """Return the pull request of a delivery of GitHub with other *fields*; None if it is ignored."""
    one = recorded(Forge.GITHUB, "pull_request_opened")
    (found,) = read(one.changed(pull_request=json.loads(one.body)["pull_request"] | fields)).events
    return found.event if isinstance(found, PullRequestChange) else None


@pytest.mark.parametrize(("label", "branch"), [("", "refs/pull/2/head"), ("bob/changes", "bob/changes")])
def test_a_push_for_review_is_as_foreign_as_a_fork(label: str, branch: str) -> None:
    """Gitea: everyone who can read may push to refs/for/main, and the head names the repository itself."""
    one = recorded(Forge.GITEA, "pull_request_opened")
    sent = json.loads(one.body)["pull_request"]
    head = {**sent["base"], "ref": "refs/pull/2/head", "label": label, "sha": AFTER}
    (found,) = read(one.changed(pull_request={**sent, "head": head})).events

    assert isinstance(found, PullRequestChange)
    assert found.event.is_fork and found.event.head_branch == branch


def test_texts_of_pull_requests_are_cleaned_and_cut() -> None:
    found = pull_request(title="a\x00b\nc\u202e" + "x" * 1_000, html_url="javascript:alert(1)")

    assert found is not None and found.url is None
    assert found.title.startswith("a b c x") and len(found.title) == LONGEST_TITLE
    named = pull_request(title="  ")
    assert named is not None and named.title == "Pull request 2"


@pytest.mark.parametrize("ref", ["--upload-pack=x", "a\x00b", "a..b", "", "a:b", "x" * 300])
def test_a_branch_that_git_would_misread_is_ignored(ref: str) -> None:
    assert pull_request(head={"ref": ref}) is None
    assert pull_request(base={"ref": ref}) is None


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63, 1.5, "2", None])
def test_a_number_that_the_state_cannot_store_is_ignored(number: object) -> None:
    assert pull_request(number=number) is None


@pytest.mark.parametrize("text", ["2030-01-01T00:00:00Z", "yesterday", "", None, "0000-00-00T00:00:00Z"])
def test_a_time_in_the_future_or_a_malformed_one_is_now(text: str | None) -> None:
    found = pull_request(updated_at=text)

    assert found is not None and found.updated_at == NOW


def test_commits_that_are_none_are_refused() -> None:
    found = pull_request(head={"ref": "x", "sha": "--help"})
    assert found is not None and found.head_sha is None
    one = recorded(Forge.GITHUB, "push").changed(after="main")
    assert read(one).events == (Ignored("the commit of main is malformed"),)


def test_a_body_of_another_event_is_ignored_with_the_reason() -> None:
    one = recorded(Forge.GITHUB, "push")
    found = read(one._replace(headers=one.headers | {"x-github-event": "pull_request"}))

    (event,) = found.events
    assert isinstance(event, Ignored) and "required field `action`" in event.reason


def test_ids_and_names_of_headers_are_cleaned() -> None:
    one = recorded(Forge.GITHUB, "push")
    sent = {"x-github-delivery": "a\x00" * 500, "x-github-event": "push\x01" + "é" * 500}
    found = read(one._replace(headers=sent))

    assert found.id.isprintable() and len(found.id) <= LONGEST_NAME
    assert found.name.isprintable() and len(found.name) <= LONGEST_NAME


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = [
    "push",
    "pull_request",
    "delete",
    "repo:push",
    "repo:refs_changed",
    "pullrequest:created",
    "ping",
    "",
]


@given(st.sampled_from(FORGES), st.sampled_from(NAMES), JSON | st.binary())
def test_no_body_makes_the_reader_raise(forge: Forge, name: str, body: object) -> None:
    headers = {"x-github-event": name, "x-gitea-event": name, "x-event-key": name}
    sent = body if isinstance(body, bytes) else json.dumps(body).encode("utf-8", "surrogatepass")

    assert read_delivery(forge, headers, sent, NOW).events


@given(st.sampled_from(all_recorded()), st.data())
def test_no_change_of_a_body_makes_the_reader_raise(which: tuple[Forge, str], data: st.DataObject) -> None:
    one = recorded(*which)
    body = json.loads(one.body)
    # The way to a random field, whose value becomes any JSON.
    place: Any = body
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.integers(0, 3)) == 0:
            place[key] = data.draw(JSON)
            break
        place = inner
    found = read(one._replace(body=json.dumps(body).encode()))

    assert found.events
    for event in found.events:
        if isinstance(event, Ignored):
            assert event.reason.isprintable() and len(event.reason) < 4 * LONGEST_NAME


@pytest.mark.parametrize("body", [b'{"a":' + b"[" * 200_000, b"\xff", b"", b"[]", b"null", b"{}"])
def test_hostile_bodies_name_no_repository(body: bytes) -> None:
    for forge in FORGES:
        assert sent_repository(forge, body).id is None
        assert sent_repository(forge, body).urls == ()


def test_spellings_of_one_repository_have_one_key() -> None:
    spellings = (
        *("https://github.com/acme/shop", "https://GitHub.com/Acme/Shop.git", "http://github.com/acme/shop/"),
        *("https://github.com:443/acme/shop.git/", "https://x@github.com/acme/shop"),
    )
    assert {repository_key(one) for one in spellings} == {"github.com/acme/shop"}
    assert repository_key("https://git.example.com:3000/a/b/c.git") == "git.example.com:3000/a/b/c"
    assert repository_path("https://git.example.com:3000/a/b/c.git") == "b/c"
    for text in ("", "acme/shop", "https://github.com", "https://[::1", "https://x:99999999/a/b"):
        assert repository_key(text) is None and repository_path(text) is None
