"""Reports to pull requests: what is compared, what the comment says, and what the forge is asked for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recce_meta.errors import PermissionDenied
from recce_meta.models.run import ExtractionTier
from recce_meta.repositories.forges.base import ForgeFailureKind
from recce_meta.repositories.recording import TargetStores
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state import connections, tables
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import get_job, request_cancel
from recce_meta.repositories.state.requests import Caller, ConnectionChange
from recce_meta.repositories.state.tasks import add_follow_up, add_report
from recce_meta.repositories.state.types import PullRequestState, TaskStatus, base_environment_of
from tests.contract.repositories.followed_shop import (
    AMOUNT,
    COMMENTED,
    FEWER_ROWS,
    PUBLIC,
    FollowedShop,
    followed_shop,
)
from tests.support import states
from tests.support.forge_names import Forge

HEAD, NEXT_HEAD = "a" * 40, "c" * 40


@pytest.fixture
def shop(state: State, tmp_path: Path) -> Iterator[FollowedShop]:
    """Return a connection with an empty store."""
    stored = connections.add_connection(state, states.shop())
    with followed_shop(state, stored, tmp_path) as found:
        yield found


@pytest.fixture
def quick_shop(tmp_path: Path) -> Iterator[FollowedShop]:
    """Return a connection whose state is in SQLite."""
    with states.opened(f"sqlite:///{tmp_path / 'state.db'}") as opened:
        stored = connections.add_connection(opened, states.shop())
        with followed_shop(opened, stored, tmp_path) as found:
            yield found


def report_again(shop: FollowedShop, number: int = 7) -> None:
    """Request another report, as a repeated event does."""
    with shop.state.write() as session:
        add_report(shop.state, session, shop.id, number)
    shop.follow()


@pytest.mark.extensive
def test_a_pull_request_gets_one_comment_that_is_kept_up_to_date(shop: FollowedShop) -> None:
    proposed = shop.propose(FEWER_ROWS)
    shop.follow()

    (text,) = shop.forge.texts()
    first, title = text.splitlines()[:2]
    assert first == f"<!-- recce_meta connection={shop.id} -->"
    assert title.startswith("### ❌ 1 breaking change")
    assert "<!-- recce_meta diff -->" not in text
    head, base = (get_job(shop.state, str(job)) for job in (proposed.head_job, proposed.base_job))
    page = f"{PUBLIC}/s/default/diff/{base.run_id}/{head.run_id}"
    assert f"[Open this diff in recce_meta]({page})" in text
    assert "`orders`" in text and "`revenue`" in text
    assert shop.forge.statuses[-1][:2] == (HEAD, "success")
    assert shop.forge.statuses[-1][2].startswith("1 breaking change")
    assert shop.forge.statuses[-1][3] == page
    reported = shop.pull_request()
    assert reported.reported == f"{base.run_id} {head.run_id}"
    assert (reported.comment_id, reported.error, reported.base_sha) == ("1", None, "b" * 40)
    assert (reported.status_sha, reported.status_state) == (HEAD, "success")

    shop.propose(COMMENTED, sha=NEXT_HEAD)
    shop.follow()
    (text,) = shop.forge.texts()
    assert "breaking" not in text.splitlines()[1]
    assert shop.forge.statuses[-1][0] == NEXT_HEAD
    assert shop.forge.calls.count("create") == 1


GOLD = {"tier": ExtractionTier.GOLD}
REFUSED = {
    "tier": ExtractionTier.SILVER,
    "fallback": "dbt parse failed: Model 'b' (models/b.sql) depends on 'c' which was not found",
    "failure": "compilation",
}
WITHOUT_ADAPTER = {"tier": ExtractionTier.SILVER, "fallback": "uv is not installed", "failure": "environment"}


ESCAPED = {
    "tier": ExtractionTier.SILVER,
    "fallback": "dbt_project.yml:4: target-path leaves the project: '../../models/b.sql'",
    "failure": "dependencies",
}
GONE = {
    "tier": ExtractionTier.BRONZE,
    "fallback": "dbt_project.yml is missing",
    "failure": "no_project",
}


@pytest.mark.parametrize(
    ("head", "base", "state", "said"),
    [
        (REFUSED, GOLD, "failure", "models/b.sql"),
        (REFUSED, REFUSED, "error", "models/b.sql"),
        (ESCAPED, GOLD, "failure", "dbt_project.yml:4: target-path"),
        (GONE, GOLD, "failure", "dbt_project.yml is gone"),
        (ESCAPED, GONE, "error", "dbt_project.yml:4: target-path"),
    ],
)
def test_a_commit_that_dbt_does_not_read_is_never_green(
    quick_shop: FollowedShop, head: dict[str, Any], base: dict[str, Any], state: str, said: str
) -> None:
    quick_shop.propose(AMOUNT, read=head, base_read=base)
    quick_shop.follow()

    title = quick_shop.forge.texts()[0].splitlines()[1]
    assert title.startswith("### ❌ dbt cannot read this commit") and said in title
    assert quick_shop.forge.statuses[-1][:2] == (HEAD, state)
    assert said in quick_shop.forge.statuses[-1][2]


def test_runs_of_unequal_tiers_are_not_compared(quick_shop: FollowedShop) -> None:
    quick_shop.propose(FEWER_ROWS, read=GOLD, base_read=REFUSED)
    quick_shop.follow()

    (text,) = quick_shop.forge.texts()
    assert "Base was read without dbt" in text and "models/b" in text and "breaking" not in text
    assert quick_shop.forge.statuses[-1][:2] == (HEAD, "error")
    assert quick_shop.forge.statuses[-1][2].startswith("Not compared: base was read without dbt: dbt parse")


@pytest.mark.parametrize(
    ("is_accepted", "read", "state"),
    [
        (False, WITHOUT_ADAPTER, "neutral"),
        (True, WITHOUT_ADAPTER, "success"),
        (False, ESCAPED, "neutral"),
        (False, GONE, "neutral"),
    ],
)
def test_two_runs_without_dbt_are_compared_and_say_so(
    quick_shop: FollowedShop, is_accepted: bool, read: dict[str, Any], state: str
) -> None:
    connections.update_connection(quick_shop.state, quick_shop.id, accepts_without_dbt=is_accepted)
    quick_shop.propose(FEWER_ROWS, read=read, base_read=read)
    quick_shop.follow()

    (text,) = quick_shop.forge.texts()
    assert text.splitlines()[1].startswith("### ❌ Read without dbt · 1 breaking change")
    assert read["fallback"].partition(":")[0] in text.splitlines()[-1]
    assert quick_shop.forge.statuses[-1][:2] == (HEAD, state)
    assert quick_shop.forge.statuses[-1][2].startswith("Read without dbt: 1 breaking change")


def test_the_base_is_read_again_if_the_head_was_read_without_dbt(shop: FollowedShop) -> None:
    """The base began before it was known that the head has a lower tier."""
    found = shop.event(HEAD)
    head, base = (get_job(shop.state, str(job)) for job in (found.head_job, found.base_job))
    shop.end(base, AMOUNT, sha="b" * 40, environment=base_environment_of(7, "prod"), read=GOLD)
    shop.end(head, FEWER_ROWS, sha=HEAD, environment="pull-request-7", read=WITHOUT_ADAPTER)
    shop.follow()

    again = get_job(shop.state, str(shop.pull_request().base_job))
    assert again.id != base.id
    assert again.requested_at == base.requested_at  # it waits behind none that was requested later
    assert (again.branch, again.source, again.wanted_sha) == (base.branch, base.source, "b" * 40)
    assert [status[:2] for status in shop.forge.statuses] == [(HEAD, "pending")]

    shop.end(again, AMOUNT, sha="b" * 40, environment=base_environment_of(7, "prod"), read=WITHOUT_ADAPTER)
    shop.follow()
    assert shop.pull_request().base_job == again.id
    assert "1 breaking change" in shop.forge.texts()[0]
    assert shop.forge.statuses[-1][:2] == (HEAD, "neutral")


def test_a_base_that_has_the_higher_tier_again_is_an_error(quick_shop: FollowedShop) -> None:
    """Such as by a worker of an earlier version: the two sides take no turns without end."""
    shop = quick_shop
    shop.propose(AMOUNT, read=WITHOUT_ADAPTER, base_read=GOLD)
    shop.follow()

    assert shop.pull_request().base_job == f"{shop.id}:base of pull request 7:1"
    assert shop.forge.statuses[-1][:2] == (HEAD, "error")
    assert "Not compared: head was read without dbt: uv is not installed" in shop.forge.statuses[-1][2]


def test_a_repeated_report_needs_no_request(shop: FollowedShop) -> None:
    shop.propose(FEWER_ROWS)
    shop.follow()
    shop.forge.calls.clear()

    report_again(shop)
    shop.event(HEAD)
    shop.follow()

    assert shop.forge.calls == []
    assert [task.status for task in shop.ended()] == [TaskStatus.DONE] * len(shop.ended())


@pytest.mark.extensive
def test_a_comment_deleted_by_hand_comes_again_with_the_next_event(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    shop.propose(FEWER_ROWS)
    shop.follow()
    shop.forge.comments[7].clear()
    shop.propose(AMOUNT, sha=NEXT_HEAD)
    shop.follow()

    assert len(shop.forge.texts()) == 1
    assert shop.pull_request().comment_id == "2"


def test_a_comment_whose_answer_was_lost_is_found_again(shop: FollowedShop) -> None:
    shop.propose(FEWER_ROWS)
    shop.forge.dies_after_writing = True
    shop.follow()

    assert len(shop.forge.texts()) == 1
    assert shop.forge.calls.count("create") == 1
    assert shop.pull_request().error is None


@pytest.mark.extensive
def test_an_outage_is_caught_up_once(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    shop.forge.fail("*", ForgeFailureKind.OUTAGE, times=6)
    shop.propose(FEWER_ROWS)
    shop.propose(AMOUNT, sha=NEXT_HEAD)
    shop.follow()

    assert len(shop.forge.texts()) == 1
    assert {status[0] for status in shop.forge.statuses} == {NEXT_HEAD}
    assert shop.forge.calls.count("create") == 1
    assert (shop.pull_request().error, shop.connection.forge_error) == (None, None)


def test_a_commit_is_pending_once_while_its_jobs_run(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    shop.event(HEAD)
    report_again(shop)
    report_again(shop)
    job = shop.pull_request().head_job
    page = f"{PUBLIC}/connections/{shop.id}/jobs/{shop.id}~3Apull~20request~207~3A1"

    assert job == f"{shop.id}:pull request 7:1"
    assert shop.forge.statuses == [(HEAD, "pending", "The commit is extracted", page)]
    assert shop.forge.texts() == []


def test_a_failed_job_is_a_comment_with_its_step_and_cause(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    shop.propose(None)
    shop.follow()

    (text,) = shop.forge.texts()
    said = "Model 'b' depends on a node named 'c' which was not found"
    assert f"### ❗ The extraction of the head failed in parse: `{said}`" in text
    assert "Hint: correct ref('c')" in text
    assert "[Open the job in recce_meta](https://recce.example.com/connections/" in text
    assert shop.forge.statuses[-1][:3] == (
        HEAD,
        "error",
        f"The extraction of the head failed in parse: {said}",
    )

    shop.propose(AMOUNT, None, sha=NEXT_HEAD)
    shop.follow()
    assert "The extraction of the base failed" in shop.forge.texts()[0]


def test_an_error_cannot_mention_people_or_show_a_secret(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    found = shop.event(HEAD)
    hostile = "cannot clone https://u:S3cretS3cret@host/x @everyone\n# heading <script>"
    shop.end(get_job(shop.state, str(found.head_job)), None, sha=HEAD, error=hostile)
    shop.end(
        get_job(shop.state, str(found.base_job)),
        AMOUNT,
        environment=base_environment_of(found.number, "prod"),
    )
    shop.follow()

    (text,) = shop.forge.texts()
    assert "S3cret" not in text
    assert "`cannot clone https://u:***@host/x @everyone # heading <script>`" in text


def test_a_cancelled_job_is_an_error(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    found = shop.event(HEAD)
    request_cancel(shop.state, str(found.head_job))
    shop.end(
        get_job(shop.state, str(found.base_job)),
        AMOUNT,
        environment=base_environment_of(found.number, "prod"),
    )
    shop.follow()

    assert "was cancelled" in shop.forge.texts()[0]
    assert shop.forge.statuses[-1][1] == "error"


def test_a_commit_whose_last_job_is_cancelled_does_not_stay_pending(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    found = shop.event(HEAD)
    shop.end(
        get_job(shop.state, str(found.base_job)),
        AMOUNT,
        environment=base_environment_of(found.number, "prod"),
    )
    shop.follow()
    assert shop.forge.statuses[-1][1] == "pending"

    add_follow_up(shop.state, request_cancel(shop.state, str(found.head_job)))
    shop.follow()
    assert shop.forge.statuses[-1][1] == "error"


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    ("own", "file", "is_fork", "expected"),
    [
        (("breaking",), None, False, "failure"),
        ((), "fail_on: breaking\n", False, "failure"),
        ((), "fail_on: breaking\n", True, "success"),
        (("added",), "fail_on: breaking\n", False, "success"),
        ((), "fail_on: braking\n", False, "error"),
        ((), "fail_onn: breaking\n", False, "error"),
        ((), "fail_on: [not-compared, breaking]\n", False, "failure"),
    ],
)
def test_conditions_of_the_connection_or_of_the_repository_fail_the_status(
    quick_shop: FollowedShop, own: tuple[str, ...], file: str | None, is_fork: bool, expected: str
) -> None:
    shop = quick_shop
    connections.update_connection(shop.state, shop.id, fail_on=own)
    shop.propose(FEWER_ROWS, files={"recce_meta.yml": file} if file else {}, is_fork=is_fork)
    shop.follow()

    _, state, description, _ = shop.forge.statuses[-1]
    assert state == expected
    if state == "failure":
        assert description == "--fail-on breaking found 1 change: orders"
    if state == "error":
        assert "fail_on cannot be read" in shop.forge.texts()[0]


@pytest.mark.extensive
def test_a_missing_right_is_shown_on_the_connection_and_logged_once(
    quick_shop: FollowedShop, caplog: pytest.LogCaptureFixture
) -> None:
    shop = quick_shop
    caplog.set_level(logging.INFO)
    shop.forge.fail("find", ForgeFailureKind.SCOPE, times=2)
    shop.propose(FEWER_ROWS)
    shop.follow()
    shop.propose(AMOUNT, sha=NEXT_HEAD)
    shop.follow()

    # The token may still be allowed to set a status.
    assert [status[0] for status in shop.forge.statuses] == [HEAD, NEXT_HEAD]
    assert shop.forge.texts() == []
    assert shop.connection.forge_error == "scope of the forge; ask ada"
    assert shop.pull_request().error == "scope of the forge"
    assert [task.status for task in shop.ended()] == [TaskStatus.FAILED] * 2
    logged = [record.message for record in caplog.records if "follow_ups" in record.name]
    assert logged == ["connection shop cannot report: scope of the forge"]

    shop.propose(FEWER_ROWS, sha="d" * 40)
    shop.follow()
    assert len(shop.forge.texts()) == 1
    assert (shop.connection.forge_error, shop.pull_request().error) == (None, None)


@pytest.mark.extensive
def test_a_status_that_is_set_does_not_hide_that_comments_are_refused(
    quick_shop: FollowedShop, caplog: pytest.LogCaptureFixture
) -> None:
    shop = quick_shop
    for sha in (HEAD, NEXT_HEAD):
        shop.event(sha)
        shop.follow()  # the commit is pending
        shop.forge.fail("find", ForgeFailureKind.SCOPE)
        shop.propose(FEWER_ROWS, sha=sha)
        shop.follow()

        assert shop.connection.forge_error == "scope of the forge; ask ada"
    assert sum("cannot report" in message for message in caplog.messages) == 1

    report_again(shop)
    assert (len(shop.forge.texts()), shop.connection.forge_error) == (1, None)


@pytest.mark.extensive
def test_a_new_login_repeats_the_reports_that_were_refused(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    shop.forge.fail("find", ForgeFailureKind.SCOPE)
    shop.propose(FEWER_ROWS)
    shop.follow()
    assert (shop.forge.texts(), shop.connection.forge_error is None) == ([], False)

    service = RepositoryService(shop.state, environ={})
    service.set(
        shop.connection.name, ConnectionChange(access_token="another-token"), caller=Caller(name="ada")
    )
    assert shop.connection.forge_error is None
    shop.follow()

    assert (len(shop.forge.texts()), shop.pull_request().error) == (1, None)


@pytest.mark.parametrize("failure", [None, ForgeFailureKind.GONE])
def test_the_status_of_a_former_head_does_not_stay_pending(
    quick_shop: FollowedShop, failure: ForgeFailureKind | None
) -> None:
    shop = quick_shop
    shop.event(HEAD)
    shop.follow()
    assert shop.forge.statuses[-1][:2] == (HEAD, "pending")

    if failure is not None:
        shop.forge.fail("status", failure)
    shop.propose(FEWER_ROWS, sha=NEXT_HEAD)
    shop.follow()
    states = {sha: state for sha, state, *_ in shop.forge.statuses}
    assert states == {HEAD: "error" if failure is None else "pending", NEXT_HEAD: "success"}


def test_the_status_of_a_commit_follows_its_comparison(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    shop.propose(FEWER_ROWS)
    shop.follow()
    first = shop.forge.statuses[-1]

    shop.forge.fail("status", ForgeFailureKind.OUTAGE)
    shop.propose(FEWER_ROWS, FEWER_ROWS, base_branch="release")
    shop.follow()

    assert shop.forge.statuses[-1][:2] == first[:2]
    assert shop.forge.statuses[-1][2:] != first[2:]


def test_a_repository_that_is_gone_ends_the_task(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    shop.forge.fail("*", ForgeFailureKind.GONE)
    shop.propose(FEWER_ROWS)
    shop.follow()

    assert shop.pull_request().error == "gone of the forge"
    assert shop.ended()[0].status is TaskStatus.FAILED


def test_nothing_is_reported_to_closed_requests_or_without_a_forge(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    found = shop.propose(FEWER_ROWS)
    shop.event(HEAD, state=PullRequestState.MERGED)
    shop.follow()
    assert shop.forge.calls == []

    async def none(_: object) -> None:
        return None

    shop.propose(AMOUNT, number=8)
    shop.follow(shop.runner(forge=none))
    assert shop.pull_request(8).reported is not None
    assert shop.forge.calls == []
    assert found.number == 7


@pytest.mark.extensive
def test_connections_of_one_repository_have_comments_of_their_own(
    quick_shop: FollowedShop, tmp_path: Path
) -> None:
    shop = quick_shop
    other = connections.add_connection(shop.state, states.shop(name="finance|x"))
    with followed_shop(shop.state, other, tmp_path) as second:
        second.adapter, second.forge = shop.adapter, shop.forge
        shop.propose(FEWER_ROWS)
        second.propose(AMOUNT)
        shop.follow()

    texts = shop.forge.texts()
    assert len(texts) == 2
    titles = sorted(text.splitlines()[1] for text in texts)
    assert titles[0].startswith("### <code>finance&#124;x</code> · ")
    assert titles[1].startswith("### `shop` · ❌ 1 breaking change")


def test_runs_that_cannot_be_compared_are_an_error(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    found = shop.propose(FEWER_ROWS)
    shop.event(HEAD, state=PullRequestState.CLOSED)
    shop.bring_forward()
    shop.follow()
    assert shop.runs() == []
    # Reopened, but the jobs have not run again.
    with shop.state.write() as session:
        session.execute(tables.pull_requests.update().values(state="open", head_job=found.head_job))
    report_again(shop)

    assert "Not compared: " in shop.forge.texts()[0]
    assert shop.forge.statuses[-1][1] == "error"


def test_a_pull_request_that_is_reopened_while_its_removal_waits_keeps_its_runs(
    quick_shop: FollowedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, use = quick_shop, TargetStores.use
    shop.propose(FEWER_ROWS)
    shop.follow()
    runs = shop.runs()
    shop.event(HEAD, state=PullRequestState.CLOSED)
    shop.bring_forward()

    async def waited(*given: Any, **options: Any) -> Any:
        if shop.pull_request().state is PullRequestState.CLOSED:
            shop.event(HEAD)
        return await use(*given, **options)

    monkeypatch.setattr(TargetStores, "use", waited)
    shop.follow()

    assert shop.runs() == runs != []
    assert shop.pull_request().pruned_at is None


def test_a_store_that_refuses_is_not_described_to_readers_of_the_forge(
    quick_shop: FollowedShop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise PermissionDenied("permission denied for db.internal:5432", hint="ask the admin of db.internal")

    monkeypatch.setattr("recce_meta.repositories.follow_ups.context.diff_runs", refused)
    quick_shop.propose(FEWER_ROWS)
    quick_shop.follow()

    (text,) = quick_shop.forge.texts()
    assert "The store of the connection could not be read" in text
    assert "db.internal" not in text + repr(quick_shop.forge.statuses)
    assert "db.internal" in caplog.text


def test_a_long_comment_fits_the_forge(quick_shop: FollowedShop) -> None:
    shop = quick_shop
    connections.update_connection(shop.state, shop.id, type=Forge.BITBUCKET)
    wide = "select id, amount, " + ", ".join(f"'{'x' * 200}' as c{n}" for n in range(200)) + " from {raw}"
    shop.propose(wide)
    shop.follow()

    assert len(shop.forge.texts()[0]) <= 32_768
