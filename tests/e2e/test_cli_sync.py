"""`push`, `pull` and `sync` between stores, with bundle files and with a server, as users run them."""

from __future__ import annotations

import json
import logging
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.server.access.scopes import Permissions
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.stores.stores import Store
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.e2e.conftest import Cli
from tests.e2e.test_cli_upload import running

pytestmark = pytest.mark.extensive

MINE = "duckdb:///mine.duckdb"
KINDS = ("duckdb", "sqlite", "postgres")
SECRET = "hunter2-of-the-team"


@pytest.fixture
def shop(cli: Cli, project: Path, store: Any) -> Cli:
    """The command in a project whose store has a run of base and one of current."""
    shutil.copy(store.folder / "store.duckdb", project / "mine.duckdb")
    return cli.within(project, RECCE_META_URL=MINE)


@pytest.fixture
def schema(request: pytest.FixtureRequest) -> str:
    return f"sync_{abs(hash(request.node.nodeid)):x}"


@contextmanager
def team_of(kind: str, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Yield URL and schema of a store that does not exist yet."""
    if kind != "postgres":
        yield f"{kind}:///team.{'db' if kind == 'sqlite' else 'duckdb'}", DEFAULT_SCHEMA
        return
    url = request.getfixturevalue("postgres_url")
    schema = request.getfixturevalue("schema")
    try:
        yield url, schema
    finally:
        with UnifiedSqlAdapter.from_url(url) as adapter:
            adapter.execute(f"DROP SCHEMA IF EXISTS {adapter.quote_identifier(schema)} CASCADE")


@pytest.fixture(params=KINDS)
def team(request: pytest.FixtureRequest) -> Iterator[tuple[str, ...]]:
    """REMOTE and options that name the team's store, which does not exist yet."""
    with team_of(request.param, request) as (url, schema):
        yield (url, "--remote-schema", schema)


def runs(shop: Cli, url: str = MINE, schema: str = DEFAULT_SCHEMA) -> list[dict[str, Any]]:
    """The runs of a store, the newest first."""
    ran = shop("runs", "--url", url, "--schema", schema, "--format", "json")
    found: list[dict[str, Any]] = json.loads(ran.out)["runs"] if ran.code == 0 else []
    return found


def contents(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs without the ids of their column lineage, which are computed again if it comes from outside."""
    return [{name: value for name, value in run.items() if name != "column_graph_id"} for run in found]


def done(ran: Any, code: int = 0) -> dict[str, Any]:
    """The document of an exchange that ended with *code*."""
    assert ran.code == code, (ran.code, ran.out, ran.err)
    document: dict[str, Any] = json.loads(ran.out)
    return document


def moved(document: dict[str, Any], status: str = "sent") -> dict[str, int]:
    """Numbers of objects with *status* by kind."""
    return {one["kind"]: one["count"] for one in document["counts"] if one["status"] == status}


def test_what_was_pushed_is_pulled_elsewhere_and_gives_the_same_diff(
    shop: Cli, team: tuple[str, ...]
) -> None:
    url, _, schema = team
    pushed = shop("push", *team)
    again = shop("push", *team)
    pulled = shop("pull", *team, "--url", "duckdb:///theirs.duckdb")

    assert (pushed.code, pushed.err) == (0, "")
    assert pushed.out.startswith("Sent to ") and "2 runs, 2 column lineages" in pushed.out
    assert again.code == 0 and again.out.startswith("Nothing to push to ")
    assert "both have the same 4 objects" in again.out
    assert pulled.code == 0 and "2 runs, 2 column lineages" in pulled.out
    assert runs(shop) == runs(shop, url, schema) == runs(shop, "duckdb:///theirs.duckdb")
    diffs = [
        shop("diff", "base", "current", "--url", place, "--schema", name, "--format", "json").out
        for place, name in (
            (MINE, DEFAULT_SCHEMA),
            (url, schema),
            ("duckdb:///theirs.duckdb", DEFAULT_SCHEMA),
        )
    ]
    assert diffs[0] == diffs[1] == diffs[2] and "modified" in diffs[0]


def test_a_sync_goes_both_ways(shop: Cli, team: tuple[str, ...]) -> None:
    url, _, schema = team
    assert shop("push", *team, "--select", "base").code == 0
    here = shop("record", "-e", "ci", "--run-id", "here", "--target-path", "target")
    there = shop(
        *("record", "-e", "ci", "--run-id", "there", "--target-path", "target"),
        *("--url", url, "--schema", schema),
    )
    assert here.code == there.code == 0, (here.err, there.err)

    document = done(shop("sync", *team, "--format", "json"))

    sent = {one["object_id"]: one["direction"] for one in document["outcomes"] if one["kind"] == "run"}
    assert sent["there"] == "pull" and sent["here"] == "push"
    assert {run["run_id"] for run in runs(shop)} == {run["run_id"] for run in runs(shop, url, schema)}
    assert len(runs(shop)) == 4
    assert shop("sync", *team).out.startswith("Nothing to exchange with ")


def test_a_dry_run_writes_nothing(shop: Cli, team: tuple[str, ...]) -> None:
    url, _, schema = team
    before = set(shop.folder.iterdir())
    would = shop("push", *team, "--dry-run")

    assert would.code == 0 and would.out.startswith("Would send to ") and "2 runs" in would.out
    assert runs(shop, url, schema) == [] and set(shop.folder.iterdir()) == before
    assert "No exchange" in shop("sync", "--status").out


@pytest.mark.parametrize(
    ("select", "count"),
    [
        (["base"], 1),
        (["latest"], 1),
        (["project:jaffle_shop"], 2),
        (["base", "current"], 2),
        (["base~0"], 1),
    ],
)
def test_runs_are_selected(shop: Cli, select: list[str], count: int) -> None:
    options = [part for text in select for part in ("--select", text)]
    document = done(shop("push", "out.zip", *options, "--format", "json"))

    assert moved(document)["run"] == count


def test_all_runs_of_a_branch_and_an_environment_are_selected(shop: Cli) -> None:
    for name in ("one", "two"):
        ran = shop("record", "-e", "ci", "--branch", "fix", "--run-id", name, "--target-path", "target")
        assert ran.code == 0, ran.err

    assert moved(done(shop("push", "a.zip", "--select", "branch:fix", "--format", "json")))["run"] == 2
    assert moved(done(shop("push", "b.zip", "--select", "ci", "--format", "json")))["run"] == 2
    assert moved(done(shop("push", "c.zip", "--select", "branch:fix~1", "--format", "json")))["run"] == 1
    pulled = shop("pull", "a.zip", "--select", "one", "--url", "duckdb:///x.duckdb", "--format", "json")
    assert moved(done(pulled))["run"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["push"], 2, "No remote store is given or configured"),
        (["push", MINE], 2, "The remote is the local store"),
        (["pull", f"duckdb:///./{'mine'}.duckdb"], 2, "The remote is the local store"),
        (["push", "out.zip", "--select", "nope"], 2, "Run 'nope' not found"),
        (["push", "out.zip", "--select", ""], 2, "Run selector is empty"),
        (["push", "out.zip", "--select", "sha:"], 2, "Missing value after 'sha:'"),
        (["push", "out.zip", "--remote-schema", "x"], 2, "has no schema"),
        (["pull", "missing.zip"], 3, "missing.zip not found"),
        (["pull", "duckdb:///missing.duckdb"], 3, "DuckDB file not found"),
        (["push", "postgresql://postgres@127.0.0.1:1/x"], 3, "Connection refused"),
        (["push", "http://example.com"], 2, "Plain HTTP is refused"),
        (["push", "https://example.com?shop=a"], 2, "only ?store=NAME"),
        (["sync", "--status", "out.zip"], 2, "--status cannot be combined"),
        (["sync", "--conflict", "a", "out.zip"], 2, "--conflict cannot be combined"),
        (["sync", "--conflict", "a"], 2, "--conflict requires -o"),
        (["sync", "-o", "x.zip"], 2, "-o requires --conflict"),
        (["sync", "--conflict", "a", "-o", "x.zip"], 2, "Conflict 'a' not found"),
    ],
)
def test_mistakes_are_named(shop: Cli, arguments: list[str], code: int, message: str) -> None:
    ran = shop(*arguments)

    assert ran.code == code and message in ran.err, ran.err
    assert "hint: " in ran.err and "Traceback" not in ran.err
    assert not (shop.folder / "x.zip").exists() and not (shop.folder / "out.zip").exists()


def test_the_password_of_the_default_remote_is_not_shown(shop: Cli) -> None:
    within = shop.within(shop.folder, RECCE_META_REMOTE=f"postgresql://ada:{SECRET}@db.example/shop")

    for style in ("table", "json"):
        ran = within("sync", "--status", "--format", style)
        assert ran.code == 0 and "postgresql://ada:***@db.example/shop" in ran.out, ran.err
        assert SECRET not in ran.out + ran.err


@pytest.mark.parametrize("spelling", ["../{folder}/mine.duckdb", "link.duckdb", "hard.duckdb"])
def test_the_local_store_by_another_path_is_refused(shop: Cli, spelling: str) -> None:
    (shop.folder / "link.duckdb").symlink_to("mine.duckdb")
    (shop.folder / "hard.duckdb").hardlink_to(shop.folder / "mine.duckdb")

    ran = shop("push", f"duckdb:///{spelling.format(folder=shop.folder.name)}")

    assert ran.code == 2 and "The remote is the local store" in ran.err, ran.err


def test_a_damaged_bundle_changes_nothing(shop: Cli) -> None:
    assert shop("push", "out.zip").code == 0
    content = (shop.folder / "out.zip").read_bytes()
    (shop.folder / "out.zip").write_bytes(content[: len(content) // 2])

    ran = shop("pull", "out.zip", "--url", "duckdb:///x.duckdb")

    assert ran.code == 3 and "Traceback" not in ran.err
    assert runs(shop, "duckdb:///x.duckdb") == []
    assert not (shop.folder / "x.duckdb").exists()


def test_an_unreachable_remote_is_in_the_history_without_its_password(shop: Cli) -> None:
    ran = shop("push", f"postgresql://ada:{SECRET}@127.0.0.1:1/x")
    status = shop("sync", "--status")

    assert ran.code == 3
    assert "push" in status.out and "failed" in status.out
    assert SECRET not in ran.out + ran.err + status.out
    assert SECRET.encode() not in (shop.folder / "mine.duckdb").read_bytes()


def test_the_same_id_with_other_contents_is_a_conflict(shop: Cli, team: tuple[str, ...]) -> None:
    url, _, schema = team
    other = ("--url", url, "--schema", schema)
    assert shop("record", "--run-id", "same", "-e", "ci", "--target-path", "target").code == 0
    assert shop("record", "--run-id", "same", "-e", "ci", "--target-path", "target-base", *other).code == 0
    before = [shop("show", "same", *options, "--format", "json").out for options in ((), other)]

    first = shop("pull", *team)
    second = shop("pull", *team)
    status = shop("sync", "--status")
    document = json.loads(shop("sync", "--status", "--format", "json").out)
    (conflict,) = (one for one in document["conflicts"] if one["kind"] == "run")
    written = shop("sync", "--conflict", conflict["conflict_id"][:12], "-o", "arrived.zip")

    assert first.code == 1 and "conflict: receiving run same" in first.out
    assert f"kept as conflict {conflict['conflict_id'][:12]}" in first.out
    assert second.code == 0 and "known from an earlier exchange" in second.out
    after = [shop("show", "same", *options, "--format", "json").out for options in ((), other)]
    assert before == after
    assert "conflict" in status.out and conflict["conflict_id"][:12] in status.out
    assert written.code == 0 and "arrived.zip" in written.err
    assert "tables/runs.ndjson" in zipfile.ZipFile(shop.folder / "arrived.zip").namelist()
    received = shop("pull", "arrived.zip", "--url", "duckdb:///other.duckdb")
    assert "is on neither side" not in received.out, "the bundle has the run itself"


def test_a_deletion_reaches_the_other_store_and_stays(shop: Cli, team: tuple[str, ...]) -> None:
    url, _, schema = team
    assert shop("push", *team).code == 0
    gone = next(run["run_id"] for run in runs(shop) if run["environment"] == "current")
    assert shop("prune", "--keep-last", "0", "-e", "current").code == 0

    pulled = shop("pull", *team)
    pushed = shop("push", *team)

    assert pulled.code == 0 and "skipped 1 run: the run was deleted" in pulled.out
    assert pushed.code == 0 and f"run {gone} of jaffle_shop deleted in " in pushed.out
    assert [run["environment"] for run in runs(shop)] == ["base"]
    assert [run["environment"] for run in runs(shop, url, schema)] == ["base"]
    again = shop("record", "--target-path", "target", "--url", url, "--schema", schema)
    assert again.code == 3 and f"Run {gone} was pruned on" in again.err


def test_a_run_that_was_pruned_from_one_store_only_comes_back(shop: Cli) -> None:
    assert shop("push", "team.zip").code == 0
    assert shop("prune", "--keep-last", "0", "-e", "current", "--local").code == 0
    assert len(runs(shop)) == 1

    assert shop("pull", "team.zip").code == 0
    assert len(runs(shop)) == 2


def test_notes_are_exchanged_and_a_conflict_lasts_until_the_next_edit(
    shop: Cli, team: tuple[str, ...]
) -> None:
    url, _, schema = team
    other = ("--url", url, "--schema", schema)
    assert shop("push", *team).code == 0
    assert shop("note", "orders", "mine", "--author", "Ada").code == 0
    assert shop("note", "orders", "theirs", "--author", "Grace", *other).code == 0

    synced = shop("sync", *team)

    assert synced.code == 0
    assert "conflict: note of model.jaffle_shop.orders: 'theirs' by Grace" in synced.out
    assert "is shown, 'mine' by Ada" in synced.out
    for options in ((), other):
        assert "theirs" in shop("notes", "orders", *options).out
    assert "mine" in shop("notes", "orders", "--history").out

    assert shop("note", "orders", "ours", "--author", "Ada").code == 0
    pushed = shop("push", *team)

    assert "note of model.jaffle_shop.orders: 'ours' by Ada" in pushed.out
    assert "replaced 'theirs' by Grace" in pushed.out
    assert "conflict" not in shop("notes", "orders", *other).out


def test_a_bundle_is_the_same_if_nothing_changed(shop: Cli) -> None:
    assert shop("push", "one.zip").code == 0
    first = (shop.folder / "one.zip").read_bytes()
    assert shop("push", "one.zip").out.startswith("Nothing to push")
    assert shop("push", "two.zip").code == 0

    assert first == (shop.folder / "one.zip").read_bytes() == (shop.folder / "two.zip").read_bytes()
    assert shop("sync", "one.zip", "--url", "duckdb:///x.duckdb").code == 0
    assert contents(runs(shop)) == contents(runs(shop, "duckdb:///x.duckdb"))
    assert shop("sync", "one.zip", "--url", "duckdb:///x.duckdb").out.startswith("Nothing to exchange")


def configure(shop: Cli, text: str) -> None:
    (shop.folder / "recce_meta.yml").write_text(text, encoding="utf-8")


def test_the_remote_comes_from_the_configuration_or_a_variable(shop: Cli) -> None:
    configure(shop, "stores:\n  team: {url: 'duckdb:///team.duckdb', schema: shared}\nremote: team\n")
    sub = shop.folder / "models"
    sub.mkdir()

    pushed = shop.within("models", RECCE_META_URL=f"duckdb:///{shop.folder}/mine.duckdb")("push")
    shown = json.loads(shop("config", "--format", "json").out)["settings"]
    by_variable = shop.within(RECCE_META_REMOTE="bundle.zip")
    status = json.loads(by_variable("sync", "--status", "--format", "json").out)

    assert pushed.code == 0, pushed.err
    assert len(runs(shop, "duckdb:///team.duckdb", "shared")) == 2
    (remote,) = (one for one in shown if one["key"] == "remote")
    assert (remote["value"], remote["origin"]) == ("team", "recce_meta.yml:3")
    assert status["remote"] == "bundle.zip"
    assert by_variable("push").code == 0 and (shop.folder / "bundle.zip").is_file()
    shown = json.loads(by_variable("config", "--format", "json").out)["settings"]
    (remote,) = (one for one in shown if one["key"] == "remote")
    assert remote["origin"] == "environment RECCE_META_REMOTE"
    assert shop("push", "team", "--remote-schema", "second").code == 0
    assert len(runs(shop, "duckdb:///team.duckdb", "second")) == 2


def test_a_remote_with_a_password_in_the_file_is_refused(shop: Cli) -> None:
    configure(shop, f"remote: postgresql://ada:{SECRET}@host/db\n")
    ran = shop("push")

    assert ran.code == 2 and "a URL contains a password" in ran.err and SECRET not in ran.err


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server whose store does not exist yet."""
    url = f"duckdb:///{tmp_path / 'served.duckdb'}"
    store = Store(
        "default",
        lambda: UnifiedSqlAdapter.from_url(url),
        permissions=Permissions(writes=True),
    )
    with running(create_app({"default": store}, Access(SECRET))) as address:
        yield address


def test_a_server_is_a_remote(shop: Cli, server: str) -> None:
    client = shop.within(RECCE_META_TOKEN=SECRET, RECCE_META_REMOTE=server)
    assert client("note", "orders", "checked", "--author", "Ada").code == 0

    pushed = client("push")
    again = client("push", "--format", "json")
    pulled = client("pull", "--url", "duckdb:///theirs.duckdb")
    selected = client("pull", "--url", "duckdb:///one.duckdb", "--select", "base")
    named = client("sync", f"{server}?store=default")

    assert pushed.code == 0, pushed.err
    assert "2 runs, 2 column lineages, 1 annotation" in pushed.out
    assert moved(done(again)) == {}
    assert pulled.code == 0, pulled.err
    assert contents(runs(shop)) == contents(runs(shop, "duckdb:///theirs.duckdb"))
    assert selected.code == 0 and len(runs(shop, "duckdb:///one.duckdb")) == 1
    assert named.code == 0 and "Nothing to exchange" in named.out
    assert SECRET not in "".join(ran.out + ran.err for ran in (pushed, again, pulled, selected, named))


def test_a_server_refuses_a_wrong_token(shop: Cli, server: str) -> None:
    ran = shop.within(RECCE_META_TOKEN="wrong")("push", server)

    assert ran.code == 3 and "RECCE_META_TOKEN" in ran.err


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_do_costs_three_statements_for_each_side(
    shop: Cli, kind: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    with team_of(kind, request) as (url, schema):
        assert shop("push", url, "--remote-schema", schema).code == 0
        with caplog.at_level(logging.DEBUG, logger="recce_meta.adapter.connection"):
            assert shop("sync", url, "--remote-schema", schema).code == 0
    statements = [record.getMessage() for record in caplog.records]

    # Of each side: its version, its objects. Of the local one: the entry in the history.
    assert sum(text.startswith("Statement done") for text in statements) == 5, statements
