"""Every forge does the same for a pull request, in its own words and within its own limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from recce_meta.repositories.forges.base import ForgeClient, ForgeFailureKind, StatusState
from recce_meta.repositories.forges.registry import forge_named
from tests.contract.repositories.forges.conftest import Forged
from tests.support.forge_names import Forge
from tests.support.git_server import Answer

MARKER = "<!-- recce_meta shop -->"
HOOK_URL = "https://meta.example.com/api/webhooks/forge"
SECRET = "whsec_" + "c2VjcmV0" * 5 + "c2U="
OTHER_SECRET = "whsec_" + "b3RoZXIh" * 5 + "b3Q="
CHANGE = {"models/a.sql": "select 1 as id\n"}
Ask = Callable[[ForgeClient], Awaitable[object]]
ASKS: dict[str, tuple[str, Ask]] = {
    "comment": ("comment", lambda client: client.write_comment(1, "hello")),
    "status": ("status", lambda client: client.set_status("0" * 40, StatusState.PENDING, "x", url=None)),
    "hook": ("hook", lambda client: client.set_hook(HOOK_URL, SECRET)),
    "pull_requests": ("pull_requests", lambda client: client.pull_requests()),
}


def texts(forged: Forged, number: int = 1) -> list[str]:
    return [comment.text for comment in forged.repository.comments[number]]


def test_the_id_of_a_repository_is_that_of_its_forge(steady: Forged) -> None:
    assert steady.run(lambda client: client.repository_id()) == steady.repository.id


def test_one_comment_is_found_again_and_changed(forged: Forged) -> None:
    number = forged.repository.open_pull_request("feature", CHANGE)

    async def find(client: ForgeClient) -> str | None:
        return await client.find_comment(number, MARKER)

    assert forged.run(find) is None
    first = forged.run(lambda client: client.write_comment(number, f"{MARKER}\nfirst"))
    assert forged.run(find) == first
    again = forged.run(lambda client: client.write_comment(number, f"{MARKER}\nsecond", comment_id=first))
    assert again == first and len(texts(forged)) == 1 and "second" in texts(forged)[0]


def test_the_marker_is_not_shown(forged: Forged) -> None:
    number = forged.repository.open_pull_request("feature", CHANGE)
    forged.run(lambda client: client.write_comment(number, f"{MARKER}\ntext"))
    hidden = "[//]: # (recce_meta shop)" if forged.forge is Forge.BITBUCKET else MARKER
    assert texts(forged) == [f"{hidden}\ntext"]


def test_a_comment_of_another_user_is_not_taken(forged: Forged) -> None:
    number = forged.repository.open_pull_request("feature", CHANGE)
    forged.run(lambda client: client.write_comment(number, f"{MARKER}\nours"))
    ours = forged.repository.comments[number].pop()
    forged.repository.add_comment(number, ours.text, user=8)
    assert forged.run(lambda client: client.find_comment(number, MARKER)) is None
    forged.repository.comments[number].append(ours)
    assert forged.run(lambda client: client.find_comment(number, MARKER)) == str(ours.id)


@pytest.mark.parametrize("forged", [Forge.GITLAB, Forge.BITBUCKET, Forge.GITEA], indirect=True)
def test_a_comment_is_found_if_the_user_is_not_known(forged: Forged) -> None:
    number = forged.repository.open_pull_request("feature", CHANGE)
    token = forged.repository.add_token("comment", "pull_requests")
    written = forged.run(lambda client: client.write_comment(number, f"{MARKER}\nours"), token)
    assert forged.run(lambda client: client.find_comment(number, MARKER), token) == written


def test_a_comment_is_found_on_a_later_page(forged: Forged) -> None:
    number = forged.repository.open_pull_request("feature", CHANGE)
    forged.repository.most_rows = 3
    for count in range(7):
        forged.repository.add_comment(number, f"talk {count}")
    written = forged.run(lambda client: client.write_comment(number, f"{MARKER}\nours"))
    assert forged.run(lambda client: client.find_comment(number, MARKER)) == written


def test_a_deleted_comment_is_gone_and_can_be_written_again(forged: Forged) -> None:
    number = forged.repository.open_pull_request("feature", CHANGE)
    first = forged.run(lambda client: client.write_comment(number, "first"))
    forged.repository.comments[number].clear()
    failure = forged.failure(lambda client: client.write_comment(number, "second", comment_id=first))
    assert failure.kind is ForgeFailureKind.GONE and not failure.can_retry
    assert forged.run(lambda client: client.write_comment(number, "second")) != first


def test_a_comment_of_an_unknown_pull_request_is_gone(steady: Forged) -> None:
    assert steady.failure(lambda client: client.write_comment(99, "text")).kind is ForgeFailureKind.GONE


def test_a_long_comment_is_cut_at_a_line(forged: Forged) -> None:
    number = forged.repository.open_pull_request("feature", CHANGE)
    text = "one line of the report\n" * 50_000
    forged.run(lambda client: client.write_comment(number, text))
    written = texts(forged)[0]
    assert len(written) <= forge_named(forged.forge).longest_comment and written.endswith("has been cut.")
    assert "report\n\nThis comment" in written


@pytest.mark.cases(8)
@pytest.mark.parametrize("state", StatusState)
def test_a_status_has_the_words_of_the_forge(forged: Forged, state: StatusState) -> None:
    sha = forged.repository.sha
    forged.run(lambda client: client.set_status(sha, state, "x" * 400, url="https://meta.example.com/d"))
    (status,) = forged.repository.statuses
    assert (status.sha, status.context, status.url) == (sha, "recce_meta", "https://meta.example.com/d")
    assert status.description.endswith("x…")


def test_a_status_is_set_twice_without_an_address(forged: Forged) -> None:
    sha = forged.repository.sha
    for state in (StatusState.PENDING, StatusState.PENDING, StatusState.SUCCESS):
        forged.run(lambda client, state=state: client.set_status(sha, state, "text", url=None))
    states = [status.state for status in forged.repository.statuses]
    assert states[0] in ("pending", "INPROGRESS") and states[-1] in ("success", "SUCCESSFUL")


def test_an_address_that_gitlab_refuses_is_left_out(forged: Forged) -> None:
    url = "https://meta.example.com/" + "x" * 300
    forged.run(lambda client: client.set_status(forged.repository.sha, StatusState.SUCCESS, "x", url=url))
    assert forged.repository.statuses[0].url == (None if forged.forge is Forge.GITLAB else url)


def test_a_status_of_an_unknown_commit_fails_for_good(steady: Forged) -> None:
    failure = steady.failure(lambda client: client.set_status("1" * 40, StatusState.ERROR, "x", url=None))
    assert failure.kind in (ForgeFailureKind.GONE, ForgeFailureKind.REFUSED) and not failure.can_retry


def test_a_webhook_is_created_once_and_changed(forged: Forged) -> None:
    first = forged.run(lambda client: client.set_hook(HOOK_URL, SECRET))
    assert (first.url, first.events, first.is_active) == (
        HOOK_URL,
        forge_named(forged.forge).hook_events,
        True,
    )
    again = forged.run(lambda client: client.set_hook(HOOK_URL, OTHER_SECRET))
    moved = forged.run(lambda client: client.set_hook(f"{HOOK_URL}2", OTHER_SECRET, hook_id=again.hook_id))
    # Gitea changes no secret, so a new webhook replaces the one before.
    number = 3 if forged.forge is Forge.GITEA else 1
    assert len({first.hook_id, again.hook_id, moved.hook_id}) == number and moved.url == f"{HOOK_URL}2"
    (hook,) = forged.repository.hooks
    assert OTHER_SECRET in str(hook.settings) and SECRET not in str(hook.settings)


def test_a_webhook_checks_certificates_and_sends_json(forged: Forged) -> None:
    forged.run(lambda client: client.set_hook(HOOK_URL, SECRET))
    settings = forged.repository.hooks[0].settings
    if forged.forge is Forge.GITHUB:
        assert settings["config"] == {
            "url": HOOK_URL, "content_type": "json", "secret": SECRET, "insecure_ssl": "0",
        }  # fmt: skip
    elif forged.forge is Forge.GITLAB:
        assert (
            settings["token"] == settings["signing_token"] == SECRET and settings["enable_ssl_verification"]
        )
    elif forged.forge is Forge.BITBUCKET:
        assert settings["secret"] == SECRET and settings["skip_cert_verification"] is False
    else:
        assert settings["config"]["secret"] == SECRET and settings["config"]["content_type"] == "json"


def test_a_webhook_that_was_deleted_is_created_again(forged: Forged) -> None:
    first = forged.run(lambda client: client.set_hook(HOOK_URL, SECRET))
    forged.repository.hooks.clear()
    again = forged.run(lambda client: client.set_hook(HOOK_URL, SECRET, hook_id=first.hook_id))
    assert again.hook_id != first.hook_id and len(forged.repository.hooks) == 1


def test_a_webhook_is_removed_and_may_be_missing(forged: Forged) -> None:
    hook = forged.run(lambda client: client.set_hook(HOOK_URL, SECRET))
    for _ in range(2):
        forged.run(lambda client: client.remove_hook(hook.hook_id))
    assert forged.repository.hooks == []
    token = forged.repository.add_token("comment")
    failure = forged.failure(lambda client: client.remove_hook(hook.hook_id), token)
    assert failure.kind is ForgeFailureKind.SCOPE


def test_open_pull_requests_are_listed_page_by_page(forged: Forged) -> None:
    repository = forged.repository
    repository.most_rows = 2
    for number in range(1, 6):
        repository.open_pull_request(f"feature/{number}", {f"models/m{number}.sql": "select 1\n"})
    repository.open_pull_request("fork", CHANGE, is_fork=True, title="")
    repository.close_pull_request(2)
    repository.close_pull_request(3, is_merged=True)
    found = {event.number: event for event in forged.run(lambda client: client.pull_requests())}
    assert sorted(found) == [1, 4, 5, 6]
    own, fork = found[1], found[6]
    assert (own.base_branch, own.head_branch, own.is_fork) == ("main", "feature/1", False)
    assert own.head_sha and repository.pull_requests[1].sha.startswith(own.head_sha)
    assert own.updated_at.tzinfo is not None and own.url and own.url.startswith(repository.url)
    assert fork.is_fork and own.head_url is None
    fork_url = repository.git.url(str(repository.pull_requests[6].fork))
    assert fork.head_url == (fork_url if forged.forge is Forge.BITBUCKET else None)


def test_a_deleted_fork_stays_a_fork(forged: Forged) -> None:
    number = forged.repository.open_pull_request("feature", CHANGE, is_fork=True)
    forged.repository.pull_requests[number].fork = None
    (event,) = forged.run(lambda client: client.pull_requests())
    assert event.is_fork and event.head_branch == "feature" and event.head_url is None


@pytest.mark.parametrize("name", ASKS)
def test_a_missing_right_is_named(steady: Forged, name: str) -> None:
    needed, ask = ASKS[name]
    failure = steady.failure(ask, steady.repository.add_token(*({*ASKS} - {needed})))
    assert failure.kind is ForgeFailureKind.SCOPE and not failure.can_retry
    assert "give it the" in (failure.hint or "")
    if steady.forge is Forge.BITBUCKET:
        assert "the server names" in (failure.hint or "")


@pytest.mark.parametrize("forged", [Forge.GITHUB], indirect=True)
def test_github_hides_what_a_classic_token_may_not_do(forged: Forged) -> None:
    token = forged.repository.add_token("comment", "pull_requests", is_classic=True)
    failure = forged.failure(ASKS["hook"][1], token)
    assert failure.kind is ForgeFailureKind.SCOPE and "admin:repo_hook" in (failure.hint or "")
    assert "may hide" in failure.message


@pytest.mark.parametrize("name", ASKS)
def test_a_revoked_token_is_reported(steady: Forged, name: str) -> None:
    failure = steady.failure(ASKS[name][1], "revoked-token-0123456789")
    assert failure.kind is ForgeFailureKind.TOKEN and "status 401" in failure.message
    assert "revoked-token" not in failure.message


@pytest.mark.parametrize("is_secondary", [False, True])
def test_a_limit_of_requests_has_a_time_to_wait(steady: Forged, is_secondary: bool) -> None:
    steady.repository.limit_rate(seconds=40, is_secondary=is_secondary)
    failure = steady.failure(ASKS["pull_requests"][1])
    assert failure.kind is ForgeFailureKind.RATE_LIMIT and failure.can_retry
    assert failure.retry_after is not None and 30 <= failure.retry_after <= 60


@pytest.mark.parametrize("status", [500, 503, 408])
def test_an_outage_can_be_retried(steady: Forged, status: int) -> None:
    steady.repository.fail(Answer(status, {"Retry-After": "7"}, b"<html>down</html>"), method="POST")
    failure = steady.failure(ASKS["comment"][1])
    assert failure.kind is ForgeFailureKind.OUTAGE and failure.can_retry and failure.retry_after == 7
    assert steady.run(ASKS["comment"][1])


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(200, {}, b"<html>sign in</html>"), ForgeFailureKind.REFUSED),
        (Answer(200, {}, b'{"id": {}}'), ForgeFailureKind.REFUSED),
        (Answer(200, {}, b'{"id": 1', is_cut=True), ForgeFailureKind.OUTAGE),
        (Answer(301, {"Location": "https://localhost:1/"}), ForgeFailureKind.GONE),
        (Answer(405, {}, b'{"message": "Non GET methods are not allowed"}'), ForgeFailureKind.GONE),
        (Answer(410, {}), ForgeFailureKind.GONE),
        (Answer(422, {}, b'{"message": "Validation Failed"}'), ForgeFailureKind.REFUSED),
        (
            Answer(403, {}, b'{"message": "Repository was archived so is read-only."}'),
            ForgeFailureKind.REFUSED,
        ),
        (Answer(403, {}, b'\xff\xfe{"message"'), ForgeFailureKind.SCOPE),
        (Answer(400, {}, b'{"message": ["a", {"title": ["is too long"]}]}'), ForgeFailureKind.REFUSED),
    ],
    ids=lambda value: value.value if isinstance(value, ForgeFailureKind) else str(value.status),
)
def test_every_answer_has_a_cause(steady: Forged, answer: Answer, kind: ForgeFailureKind) -> None:
    steady.repository.fail(answer)
    failure = steady.failure(ASKS["comment"][1])
    assert failure.kind is kind and failure.hint


def test_a_refusal_never_quotes_a_secret(steady: Forged) -> None:
    said = f'{{"message": "{steady.token} and {SECRET} are wrong"}}'.encode()
    steady.repository.fail(Answer(422, {}, said), method="POST", part="hooks")
    failure = steady.failure(ASKS["hook"][1])
    assert "are wrong" in failure.message and SECRET not in failure.message


def test_concurrent_requests_share_a_client(forged: Forged) -> None:
    numbers = [forged.repository.open_pull_request(f"b{one}", {f"m{one}.sql": "x"}) for one in range(3)]

    async def write_all(client: ForgeClient) -> list[str]:
        return await asyncio.gather(*(client.write_comment(number, MARKER) for number in numbers))

    assert len(set(forged.run(write_all))) == 3
