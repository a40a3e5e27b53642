"""`--notify` of `scan`, `quality` and `check run`, against receivers that check messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from tests.e2e.conftest import Cli
from tests.support.receivers import Answer, Webhooks, mail_server, receiver

pytestmark = pytest.mark.extensive

HOOK = "services/T0/B0/canaryHook0123456789"
SHOP = """
CREATE TABLE film (film_id INTEGER, title VARCHAR, rate DECIMAL(4, 2));
INSERT INTO film VALUES (1, 'Alien', 0.5), (2, NULL, 2);
"""
RULES = """
tables:
  - name: film
    expect: {row_count: "> 0"}
    columns:
      - {name: title, expect: {null_share: "<= 20%"}}
"""
CHECKS = """
checks:
  - {name: structure, type: lineage_diff}
  - {name: columns, type: schema_diff, params: {node_names: [film]}}
"""


@pytest.fixture
def webhooks() -> Iterator[Webhooks]:
    with receiver() as server:
        yield server


@pytest.fixture
def shop(cli: Cli, webhooks: Webhooks) -> Cli:
    """The command beside a scanned DuckDB file, with addresses of Slack and of another program."""
    sql(cli, SHOP)
    cli = cli.within(
        RECCE_META_URL="duckdb:///dvd.duckdb",
        RECCE_META_PUBLIC_URL="https://recce.example.com",
        CHAT=f"slack+{webhooks.url(f'slack/{HOOK}')}",
        PROGRAM=webhooks.url(f"json/{HOOK}"),
        **webhooks.environ,
    )
    assert cli("scan", "--notify", "env:CHAT").code == 0
    assert webhooks.accepted == []
    return cli


def sql(cli: Cli, statements: str) -> None:
    with duckdb.connect(str(cli.folder / "dvd.duckdb")) as database:
        database.execute(statements)


def body(webhooks: Webhooks) -> dict[str, Any]:
    """Return the only message, which is removed."""
    (posted,) = webhooks.accepted
    webhooks.accepted.clear()
    assert webhooks.refused == []
    return posted.body  # type: ignore[no-any-return]


def test_a_scan_sends_changes_once(shop: Cli, webhooks: Webhooks) -> None:
    assert shop("scan", "--notify", "env:PROGRAM").code == 0
    assert webhooks.accepted == []

    sql(shop, "ALTER TABLE film DROP COLUMN rate")
    ran = shop("scan", "--notify", "env:PROGRAM", "--notify", "env:CHAT", "--fail-on", "any")
    assert ran.code == 1 and HOOK not in ran.out + ran.err
    assert [one.path for one in webhooks.accepted] == [f"/json/{HOOK}", f"/slack/{HOOK}"]
    webhooks.accepted.pop()
    sent = body(webhooks)
    assert (sent["event"], sent["connection"], sent["branch"]) == ("schema_change", "dvd", "current")
    assert sent["title"] == "dvd: 1 relation changed in current"
    assert "film modified: " in sent["text"]
    assert sent["url"].startswith("https://recce.example.com/s/default/diff/")
    assert shop("scan", "--notify", "env:PROGRAM").code == 0 and webhooks.accepted == []


def test_quality_sends_failed_expectations(shop: Cli, webhooks: Webhooks) -> None:
    (shop.folder / "quality.yml").write_text(RULES)
    ran = shop("quality", "--notify", "env:PROGRAM")
    assert ran.code == 1
    sent = body(webhooks)
    assert (sent["event"], sent["title"], sent["url"]) == ("quality", "dvd: 1 expectation is not met", None)
    assert sent["text"] == "main.film.title: null_share is 50%, expected <= 20%"

    sql(shop, "DELETE FROM film WHERE title IS NULL")
    assert shop("quality", "--notify", "env:PROGRAM").code == 0
    assert webhooks.accepted == []


def test_checks_send_what_failed_or_differs(shop: Cli, webhooks: Webhooks) -> None:
    (shop.folder / "checks.yml").write_text(CHECKS)
    arguments = ("check", "run", "--base", "latest~1", "--current", "latest", "--notify", "env:PROGRAM")
    assert shop("scan").code == 0
    assert shop(*arguments).code == 0 and webhooks.accepted == []

    sql(shop, "ALTER TABLE film DROP COLUMN rate")
    assert shop("scan").code == 0
    assert shop(*arguments).code == 0
    sent = body(webhooks)
    assert (sent["event"], sent["title"]) == ("checks", "dvd: 1 of 2 checks differs, 1 not compared")
    assert sent["text"].startswith("structure: ")

    # Both runs are of one relation, so its rows cannot be compared.
    rows = "  - {name: rows, type: row_count_diff, params: {node_names: [film]}, expect: {max_increase: 0}}\n"
    (shop.folder / "checks.yml").write_text(CHECKS + rows)
    assert shop(*arguments).code == 1
    sent = body(webhooks)
    assert sent["title"] == "dvd: 1 of 3 checks failed, 1 differs, 1 not compared"
    assert [line.partition(":")[0] for line in sent["text"].splitlines()] == ["rows", "structure"]


def test_a_notification_that_is_not_sent_is_an_error_without_the_address(
    shop: Cli, webhooks: Webhooks
) -> None:
    (shop.folder / "quality.yml").write_text(RULES)
    (shop.folder / "addresses").write_text(webhooks.url(f"json/{HOOK}"))
    webhooks.answers += [Answer(503), Answer(404)]
    ran = shop("quality", "--notify-file", "addresses", "--notify", "env:CHAT")
    # The second attempt reaches the first receiver; the failed expectation decides the exit code.
    assert ran.code == 1
    assert "Notification not sent: variable CHAT: the server answers with status 404" in ran.err
    assert body(webhooks)["event"] == "quality"

    sql(shop, "ALTER TABLE film DROP COLUMN rate")
    webhooks.answers += [Answer(404)]
    refused = shop("scan", "--notify", "env:CHAT")
    assert refused.code == 3 and "error: 1 of 1 notification could not be sent" in refused.err
    assert HOOK not in ran.out + ran.err + refused.out + refused.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--notify", "https://chat.example.com/hook"], "--notify takes no URL"),
        (["--notify", "env:NOTHING"], "variable NOTHING: it is not set for this process"),
        (["--notify", "mailto:data@example.com"], "No mail can be sent: RECCE_META_SMTP_URL is not set"),
        (["--notify", "data@example.com"], "Invalid address of notifications"),
        (["--notify", "env:CHAT", "--dry-run"], "--notify cannot be combined with --dry-run"),
    ],
)
def test_an_address_that_cannot_be_used_is_an_error_before_the_scan(
    shop: Cli, arguments: list[str], says: str
) -> None:
    before = shop("runs", "--format", "json").out
    ran = shop("scan", *arguments)
    assert ran.code in (2, 3) and says in ran.err, ran.err
    assert shop("runs", "--format", "json").out == before


def test_an_internal_address_is_refused(shop: Cli, webhooks: Webhooks) -> None:
    sql(shop, "ALTER TABLE film DROP COLUMN rate")
    ran = shop.within(RECCE_META_ALLOWED_HOSTS="")("scan", "--notify", "env:PROGRAM")
    assert ran.code == 3 and webhooks.accepted == []
    assert "Notification not sent: variable PROGRAM" in ran.err and HOOK not in ran.err


def test_a_mail_is_sent(shop: Cli, tmp_path_factory: pytest.TempPathFactory) -> None:
    sql(shop, "ALTER TABLE film DROP COLUMN rate")
    with mail_server(tmp_path_factory.mktemp("mail"), kind="plain", has_login=False) as server:
        address = f"smtp://127.0.0.1:{server.port}"
        sender = shop.within(RECCE_META_SMTP_URL=address, RECCE_META_SMTP_FROM="recce@example.com")
        ran = sender("scan", "--notify", "mailto:data@example.com")
        assert ran.code == 0, ran.err
        (mail,) = server.box.mails
    assert mail["Subject"] == "[recce_meta] dvd: 1 relation changed in current"
