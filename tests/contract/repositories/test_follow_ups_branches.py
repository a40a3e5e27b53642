"""What follows jobs of branches and closed pull requests: events, checks, quality, and removed runs."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from recce_meta.models.run import ExtractionTier
from recce_meta.repositories.options.values import ProfileTarget
from recce_meta.repositories.state import connections
from recce_meta.repositories.state.jobs import get_job, read_job_files
from recce_meta.repositories.state.tasks import add_follow_up
from recce_meta.repositories.state.types import TaskStatus, head_environment_of
from recce_meta.store.check_results import list_checks
from recce_meta.store.prune import find_tombstones
from recce_meta.store.quality import list_quality_runs
from recce_meta.store.session import open_store
from tests.contract.repositories.followed_shop import (
    AMOUNT,
    COMMENTED,
    FEWER_ROWS,
    PUBLIC,
    SCHEMA,
    WITHOUT_AMOUNT,
    FollowedShop,
    followed_shop,
)
from tests.support import states

CHECKS = """\
checks:
  - name: rows
    type: row_count_diff
    params: {select: orders}
    expect: equal
  - name: amounts
    type: query
    params: {sql_template: "select sum(amount) as total from {{ ref('orders') }}"}
"""
HOSTILE = """\
checks:
  - name: key
    type: query
    params: {{sql_template: "select * from read_text('{file}')"}}
  - name: variable
    type: query
    params: {{sql_template: "select '{{{{ env_var('RECCE_META_KEY', 'nothing') }}}}' as key"}}
  - name: drop
    type: query
    params: {{sql_template: "drop table shop.orders"}}
  - name: condition
    type: value_diff
    params: {{model: orders, primary_key: id, where: "getenv('HOME') is not null"}}
"""
QUALITY = """\
tables:
  - name: orders
    expect: {row_count: "> 5"}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[FollowedShop]:
    """Return a connection with two addresses of notifications."""
    with states.opened(f"sqlite:///{tmp_path / 'state.db'}") as opened:
        stored = connections.add_connection(opened, states.shop(notify=("slack one", "mail two")))
        # Checks of branches query tables beside the store, in a schema of their own.
        with followed_shop(opened, stored, tmp_path, "duckdb") as found:
            yield found


def events(shop: FollowedShop) -> list[tuple[str, str]]:
    """Return kind and title of what was sent to the first address, and forget it."""
    found = [(one["kind"], one["title"]) for one in shop.notified if one["index"] == 0]
    assert len(shop.notified) == 2 * len(found)
    shop.notified.clear()
    return found


def pushed(shop: FollowedShop, code: str | None, **fields: object) -> list[tuple[str, str]]:
    """Return the events of a job of main."""
    shop.push(code, **fields)
    shop.follow()
    return events(shop)


def test_failure_and_recovery_are_sent_once_and_the_first_job_sends_nothing(shop: FollowedShop) -> None:
    failed = ("failure", "shop: the extraction of main failed in parse")
    recovered = ("recovery", "shop: the extraction of main works again")

    assert pushed(shop, None) == []
    assert pushed(shop, AMOUNT) == []
    assert pushed(shop, COMMENTED) == []
    assert pushed(shop, None) == [failed]
    assert pushed(shop, None) == []
    assert pushed(shop, COMMENTED) == [recovered]


@pytest.mark.extensive
def test_breaking_changes_of_a_branch_are_sent_with_their_page(shop: FollowedShop) -> None:
    first = shop.push(AMOUNT)
    shop.follow()
    assert shop.notified == []

    second = shop.push(FEWER_ROWS)
    shop.follow()
    payload = shop.notified[0]
    assert (payload["kind"], payload["title"]) == ("breaking", "shop: 1 breaking change on main")
    assert payload["url"] == f"{PUBLIC}/s/default/diff/{first.run_id}/{second.run_id}"
    assert "orders modified" in payload["text"]

    # A removed column that another model reads.
    shop.notified.clear()
    assert pushed(shop, WITHOUT_AMOUNT)[0][0] == "breaking"


def test_a_repeated_follow_up_sends_nothing_again(shop: FollowedShop) -> None:
    shop.push(AMOUNT)
    failed = shop.push(None, error="https://u:S3cretS3cret@host refuses")
    shop.follow()
    assert shop.notified[0]["text"] == "https://u:***@host refuses\nHint: correct ref('c')"
    assert len(events(shop)) == 1

    add_follow_up(shop.state, failed)
    shop.follow()

    assert shop.notified == []


SILVER = {"tier": ExtractionTier.SILVER}
EDITS = "select id, 2 * amount as amount from {{ source('raw', 'items') }}"
READING = "select id, amount from {{ source('raw', 'items') }}"
BY_VARIABLE = "select id, {{ var('factor', 2) }} * amount as amount from {{ source('raw', 'items') }}"
HEADING = "Data of the edits, before a build"


@pytest.mark.parametrize(
    ("head", "fields", "expected"),
    [
        (EDITS, {}, "orders: 1 row added and 1 removed"),
        (READING.replace("items", "gone"), {}, "orders: not counted: "),
        (READING.replace("amount", "amuont"), {}, "orders: the new SQL fails"),
        (BY_VARIABLE, {}, "orders: not counted: it reads variables"),
        (READING + " where read_text('/etc/hosts') is null", {}, "orders: the new SQL fails"),
        ("select 1 as id, content as amount from read_text('/etc/hosts')", {}, "orders: not counted: "),
        (EDITS, {"is_fork": True}, "not counted: the SQL of a fork is not run"),
        (EDITS, {"schema": None}, "not counted: the schema of the target is not set"),
        (EDITS, {"read": SILVER, "base_read": SILVER}, "not counted: without dbt, macros are guessed"),
        (EDITS, {"previews_data": False}, ""),
    ],
)
def test_a_comment_counts_the_rows_that_edits_change_where_that_is_allowed(
    shop: FollowedShop, head: str, fields: dict[str, Any], expected: str
) -> None:
    gold = {"tier": ExtractionTier.GOLD}
    given = {"schema": "shop", "previews_data": True, "read": gold, "base_read": gold} | fields
    profile = ProfileTarget(schema=given.pop("schema"))
    connections.update_connection(
        shop.state, shop.id, previews_data=given.pop("previews_data"), profile=profile
    )
    shop.fill()
    shop.propose(head, READING, **given)
    shop.follow()

    text = unescape(shop.forge.texts()[0])
    assert expected in text and "hosts" not in text.partition(HEADING)[2]
    assert (HEADING in text) == (expected.startswith("orders"))
    assert shop.forge.statuses[-1][1] in ("success", "neutral")


def test_a_repeated_report_counts_no_rows_again(shop: FollowedShop) -> None:
    gold = {"tier": ExtractionTier.GOLD}
    profile = ProfileTarget(schema="shop")
    connections.update_connection(shop.state, shop.id, previews_data=True, profile=profile)
    shop.fill()
    found = shop.propose(EDITS, READING, read=gold, base_read=gold)
    tasks = shop.runner()
    shop.follow(tasks)
    first = shop.forge.texts()
    with shop.adapter.sibling() as adapter:
        adapter.execute("delete from shop.items")
    add_follow_up(shop.state, get_job(shop.state, str(found.head_job)))
    shop.follow(tasks)

    assert HEADING in first[0] and shop.forge.texts() == first


@pytest.mark.extensive
def test_checks_and_quality_of_a_branch_are_stored_with_its_run(shop: FollowedShop) -> None:
    connections.update_connection(shop.state, shop.id, runs_checks=True)
    shop.fill()
    files = {"checks.yml": CHECKS, "quality.yml": QUALITY}
    first = shop.push(AMOUNT, files=files)
    shop.follow()
    second = shop.push(COMMENTED, files=files)
    shop.follow()
    add_follow_up(shop.state, second)
    shop.follow()

    assert [task.error for task in shop.ended() if task.error] == []
    stored = list_checks(shop.adapter.at(SCHEMA))
    assert sorted((one.check_name, one.status, one.base_run_id, one.current_run_id) for one in stored) == [
        ("amounts", "passed", first.run_id, second.run_id),
        # Both runs were only parsed, and name one table.
        ("rows", "failed", first.run_id, second.run_id),
    ]
    measured = list_quality_runs(shop.adapter.at(SCHEMA))
    assert sorted(one.run_id for one in measured) == sorted([str(first.run_id), str(second.run_id)])


@pytest.mark.extensive
def test_checks_of_a_pull_request_are_in_its_comment_and_those_of_a_fork_are_not_run(
    shop: FollowedShop,
) -> None:
    connections.update_connection(shop.state, shop.id, runs_checks=True)
    shop.fill()
    files = {"checks.yml": CHECKS, "quality.yml": QUALITY}
    shop.propose(COMMENTED, files=files)
    shop.propose(COMMENTED, files=files, number=8, sha="e" * 40, is_fork=True)
    shop.follow()

    (text,) = shop.forge.texts(7)
    assert "#### Checks" in text
    assert "`amounts`" in text
    assert "❌ 1 expectation not met (1 table measured)" in text
    statuses = {sha: (state, description) for sha, state, description, _ in shop.forge.statuses}
    assert statuses == {
        "a" * 40: ("failure", "1 of 2 checks did not pass: rows"),
        "e" * 40: ("success", "No changes"),
    }
    (text,) = shop.forge.texts(8)
    assert "#### Checks" not in text
    assert "- Checks, quality rules and conditions in files of this fork were not applied" in text
    assert {one.current_run_id for one in list_checks(shop.adapter.at(SCHEMA))} == {
        f"run-{shop.id}-pull-request-7-1"
    }


def test_hostile_checks_read_no_file_no_variable_and_change_nothing(
    shop: FollowedShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections.update_connection(shop.state, shop.id, runs_checks=True)
    shop.fill()
    monkeypatch.setenv("RECCE_META_KEY", "canary-of-the-key")
    secret = tmp_path / "secret.txt"
    secret.write_text("canary-of-the-file")
    shop.propose(AMOUNT, files={"checks.yml": HOSTILE.format(file=secret)})
    shop.follow()

    (text,) = shop.forge.texts()
    found = {one.check_name: one for one in list_checks(shop.adapter.at(SCHEMA))}
    assert "canary" not in text + repr(found)
    assert {name: one.status for name, one in found.items()} == {
        "key": "error",
        "variable": "passed",
        "drop": "error",
        "condition": "error",
    }
    with shop.adapter.sibling() as adapter:
        assert adapter.execute("select count(*) from shop.orders")[1] == [(1,)]


def test_a_file_of_checks_that_cannot_be_read_is_a_note(shop: FollowedShop) -> None:
    connections.update_connection(shop.state, shop.id, runs_checks=True)
    shop.fill()
    shop.propose(AMOUNT, files={"checks.yml": "cheks: []\n", "quality.yml": "tables: 5\n"})
    shop.follow()

    text = unescape(shop.forge.texts()[0])
    assert "checks.yml could not be run: checks.yml has no list" in text
    assert "quality.yml could not be run: quality.yml" in text
    assert "/tmp" not in text
    assert shop.forge.statuses[-1][1] == "error"


@pytest.mark.extensive
def test_runs_of_a_closed_pull_request_are_removed_and_others_stay(shop: FollowedShop) -> None:
    kept = str(shop.push(AMOUNT).run_id)
    found = shop.propose(FEWER_ROWS, files={"checks.yml": CHECKS})
    # A run of another connection with a pull request of this number, whose name was once ours.
    other = shop.record("run-other", AMOUNT, head_environment_of(7, "prod"), "ffff00001111:pull request 7:1")
    shop.follow()
    assert len(shop.runs()) == 4

    shop.close()
    shop.follow()

    assert shop.runs() == sorted([kept, other])
    assert shop.pull_request().pruned_at is not None
    with shop.adapter.sibling() as adapter, open_store(adapter.at(SCHEMA)) as store:
        assert find_tombstones(store) == [], "the runs may return with the pull request"
    assert read_job_files(shop.state, str(found.head_job)) == {}
    assert [task.status for task in shop.ended()] == [TaskStatus.DONE] * len(shop.ended())


def test_a_reopened_pull_request_keeps_its_runs(shop: FollowedShop) -> None:
    shop.propose(FEWER_ROWS)
    shop.close()
    shop.event("a" * 40)
    shop.follow()

    assert len(shop.runs()) == 2
    assert shop.pull_request().pruned_at is None


def test_a_missing_store_ends_the_removal(shop: FollowedShop) -> None:
    shop.propose(FEWER_ROWS)
    connections.update_connection(shop.state, shop.id, store="elsewhere")
    shop.close()
    shop.follow()

    assert "not one of this worker" in (shop.ended()[0].error or "")
