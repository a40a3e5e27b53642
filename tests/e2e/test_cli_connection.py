"""Commands that connect repositories, against a real git server."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from recce_meta.repositories.state.connections import get_connection
from recce_meta.repositories.state.projects import claim_project, owned_projects
from tests.e2e.conftest import Cli
from tests.support.forge_names import Forge
from tests.support.git_server import GitServer, git_backend, git_server
from tests.support.receivers import Answer, receiver
from tests.support.states import opened
from tests.support.states import shop as shop_connection

__all__ = ["git_backend", "git_server"]

CANARY = "canary-0123456789-abcdefghij"
PROJECT = "name: shop\nversion: '1.0'\nprofile: shop\n"
PROFILES = "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb}\n"
SHOP = {"dbt_project.yml": PROJECT, "profiles.yml": PROFILES, "models/a.sql": "select 1 as id\n"}


@pytest.fixture
def cli(cli: Cli, git_server: GitServer) -> Cli:
    return cli.within(**git_server.environ, USER="ann", LOGNAME="ann")


@pytest.fixture
def shop(git_server: GitServer) -> str:
    """A public repository with a dbt project."""
    name = git_server.unused_name("shop")
    git_server.create_repository(name, SHOP)
    return name


@pytest.fixture
def private(git_server: GitServer) -> str:
    """A repository that requires the canary as its token."""
    name = git_server.unused_name("private")
    git_server.create_repository(name, SHOP)
    git_server.require(name, CANARY)
    return name


def everything(folder: Path) -> Iterator[tuple[Path, bytes]]:
    return ((path, path.read_bytes()) for path in folder.rglob("*") if path.is_file())


def shown(cli: Cli, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(cli("connection", "show", name, "--format", "json").out)
    return found


@pytest.mark.extensive
def test_a_repository_is_connected_listed_shown_and_removed(
    cli: Cli, git_server: GitServer, shop: str
) -> None:
    added = cli("connection", "add", git_server.url(shop), "--name", "shop")

    assert added.code == 0, added.err
    assert [line.split()[:2] for line in added.out.splitlines()[:6]] == [
        ["ok", name] for name in ("address", "token", "branch", "project", "adapter", "dbt")
    ]
    assert "no worker runs" in added.err
    listed = json.loads(cli("connection", "list", "--format", "json").out)["connections"]
    assert [(one["name"], one["branch"], one["adapter"], one["created_by"]) for one in listed] == [
        ("shop", "main", "duckdb", "ann")
    ]
    document = shown(cli, "shop")
    assert [(job["trigger"], job["status"]) for job in document["jobs"]] == [("connect", "pending")]  # type: ignore[attr-defined, index]
    assert git_server.url(shop) in cli("connection", "list").out
    assert cli("connection", "list", "--format", "csv").out.splitlines()[0].startswith("id,name,type")
    assert cli("connection", "test", "shop").code == 0
    assert cli("connection", "pause", "shop").code == 0
    assert ", paused" in cli("connection", "show", "shop").out
    assert cli("connection", "resume", "shop").code == 0
    assert ", paused" not in cli("connection", "list").out
    assert cli("connection", "remove", "shop").code == 0
    assert "No connections" in cli("connection", "list").out


def test_the_audit_lists_what_users_did_and_forgets_on_request(
    cli: Cli, private: str, git_server: GitServer
) -> None:
    (cli.folder / "token").write_text(CANARY)
    url = git_server.url(private)
    assert cli("connection", "add", url, "--name", "shop", "--token-file", "token").code == 0
    assert cli("connection", "set", "shop", "--poll-minutes", "60").code == 0
    assert cli("token", "add", "ci", "--scope", "read").code == 0

    table, lines = cli("audit", "--actor", "ann"), cli("audit", "--format", "jsonl", "--within", "1h")

    events = [json.loads(line) for line in lines.out.splitlines()]
    assert [(one["action"], one["object"]) for one in events] == [
        ("token.add", "ci"),
        ("connection.set", "shop"),
        ("job.request", events[2]["object"]),
        ("connection.add", "shop"),
    ]
    assert {(one["actor"], one["origin"]) for one in events} == {("ann", "command")}
    assert "poll_minutes 15.0 → 60.0" in table.out
    assert CANARY not in table.out + lines.out and CANARY[-4:] not in lines.out
    assert cli("audit", "--action", "connection", "--object", "shop", "--limit", "1").out.count("shop") == 1
    assert "Removed 0 events" in cli("audit", "--remove-older-than", "1d").err
    assert cli("audit", "--remove-older-than", "x").code == 2


def test_nothing_is_created_before_a_repository_is_connected(cli: Cli) -> None:
    lines = [
        ["connection", *line]
        for line in (["list"], ["show", "x"], ["extract", "x"], ["rotate"], ["remove", "x"], ["test", "x"])
    ]
    for line in (*lines, ["worker"], ["audit"]):
        ran = cli(*line)

        assert (ran.code, ran.err.splitlines()[0]) == (3, "error: No repository is connected yet")
    assert list(everything(cli.folder)) == []


def test_requests_join_the_waiting_job(cli: Cli, git_server: GitServer, shop: str) -> None:
    assert cli("connection", "add", git_server.url(shop), "--name", "shop").code == 0

    joined = cli("connection", "extract", "shop", "--format", "json")

    assert json.loads(joined.out)["requested"] == {
        "job_id": shown(cli, "shop")["progress"]["job_id"],  # type: ignore[index]
        "status": "pending",
        "joined": True,
    }
    assert cli("connection", "extract", "shop", "--branch", "mian").code == 2


WRONG: Mapping[str, tuple[dict[str, str], list[str], str, str]] = {
    "branch": (SHOP, ["--branch", "mian"], "error: branch: Branch 'mian'", "did you mean 'main'"),
    "no project": ({"a.sql": "select 1"}, [], "error: project: Branch main has no", "--branch"),
    "several projects": (
        {"a/dbt_project.yml": PROJECT, "b/dbt_project.yml": PROJECT},
        [],
        "error: project: The repository has 2 dbt projects: a, b",
        "--subdirectory FOLDER",
    ),
    "subdirectory": (
        {"core/dbt_project.yml": PROJECT},
        ["--subdirectory", "cor"],
        "error: project: No dbt_project.yml in cor",
        "did you mean 'core'",
    ),
    "adapter": ({"dbt_project.yml": PROJECT}, [], "error: adapter:", "--adapter"),
    "dbt": (SHOP, ["--dbt-version", "9.9"], "error: dbt: dbt 9.9 is not supported", "1.12"),
    "project file": ({"dbt_project.yml": "name: [", "profiles.yml": PROFILES}, [], "error: project:", ""),
    "escape": (
        {**SHOP, "dbt_project.yml": PROJECT + "packages-install-path: ../../x\n"},
        [],
        "error: project: dbt_project.yml:4: packages-install-path leaves the project",
        "",
    ),
}
"""Files of a repository, options, the error and the hint."""


@pytest.mark.cases(3)
@pytest.mark.parametrize("problem", WRONG)
def test_a_test_names_what_is_wrong_and_the_next_step(cli: Cli, git_server: GitServer, problem: str) -> None:
    files, options, error, hint = WRONG[problem]
    name = git_server.unused_name()
    git_server.create_repository(name, files)

    ran = cli("connection", "add", git_server.url(name), *options)

    assert ran.code == 3
    assert ran.err.startswith(error), ran.err
    assert hint in ran.err
    assert "No connections" in cli("connection", "list").out


def test_one_project_in_a_subdirectory_is_found(cli: Cli, git_server: GitServer) -> None:
    name = git_server.unused_name()
    git_server.create_repository(name, {f"dbt/{path}": text for path, text in SHOP.items()})

    assert cli("connection", "add", git_server.url(name), "--name", "inner").code == 0
    assert shown(cli, "inner")["connection"]["subdirectory"] == "dbt"  # type: ignore[index]


def test_a_repository_that_has_moved_takes_its_project_with_it(
    cli: Cli, git_server: GitServer, tmp_path: Path
) -> None:
    """The new address is added while the project belongs to the former one."""
    name = git_server.unused_name()
    git_server.create_repository(name, SHOP)
    state = f"sqlite:///{tmp_path / 'moved.db'}"
    former = shop_connection(type=Forge.GIT, repo_url="https://git.example.com/a/former")
    with opened(state) as found:
        claim_project(found, former, "shop", "prod")
    add = ("connection", "add", git_server.url(name), "--state", state, "--name", "moved")

    refused = cli(*add)

    assert refused.code == 3 and "belongs to https://git.example.com/a/former" in refused.err
    assert "recce-meta connection add --claim" in refused.err
    untested = cli(*add, "--claim", "--no-test", "--branch", "main")
    assert untested.code == 2 and "Only a test finds the project" in untested.err
    added = cli(*add, "--claim")
    assert added.code == 0, added.err
    with opened(state) as found:
        assert owned_projects(found, get_connection(found, "moved")) == {"shop"}
        assert owned_projects(found, former) == frozenset()


ADDRESSES = [
    "http://127.0.0.1/a/b",
    "file:///etc/passwd",
    "ext::sh -c id",
    "git@github.com:a/b.git",
    "https://me:hunter2secret@github.com/a/b",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/a/b",
    "https://localhost/a/b",
    "--upload-pack=id",
    "https://github.com/a/b\n--x",
    "",
    "x" * 3_000,
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_hostile_address_is_an_error_with_a_hint(cli: Cli, address: str) -> None:
    ran = cli("connection", "add", "--", address)

    assert ran.code in (2, 3)
    assert ran.err.startswith("error: ")
    assert "hint: " in ran.err
    assert "bug" not in ran.err
    assert "hunter2secret" not in ran.err + ran.out


HOSTILE = [
    ["--name", "../x"],
    ["--name", "a\x1b[2Jb"],
    ["--branch", "--upload-pack=id"],
    ["--branch", "a..b"],
    ["--subdirectory", "../.."],
    ["--subdirectory", "/etc"],
    ["--subdirectory", ".git"],
    ["--var", "LD_PRELOAD=x"],
    ["--var", "GIT_SSH=x"],
    ["--var", "novalue"],
    ["--token-env", "RECCE_META_KEY"],
    ["--token-env", CANARY],
    ["--target-schema", "a\nb"],
    ["--dbt-version", "1.x"],
    ["--environment", "\x00"],
    ["--github-app", "12"],
    ["--github-app", "12:34"],
    ["--token-file", "/nonexistent"],
    ["--token-env", "A_TOKEN", "--token-file", "/dev/null"],
]


@pytest.mark.parametrize("options", HOSTILE, ids=repr)
def test_a_hostile_option_is_an_error_without_a_traceback(cli: Cli, options: list[str]) -> None:
    if any("\0" in option for option in options):
        options = [option.replace("\0", "\x7f") for option in options]

    ran = cli("connection", "add", "https://127.0.0.1/a/b", "--no-test", "--branch", "main", *options)

    assert ran.code in (2, 3), ran
    assert ran.err.startswith("error: ")
    assert "bug" not in ran.err
    assert "\x1b" not in ran.err


@pytest.mark.extensive
@pytest.mark.parametrize("way", ["file", "standard input", "prompt without a terminal", "variable"])
def test_a_token_is_never_shown_or_stored_in_plain_text(
    cli: Cli, git_server: GitServer, private: str, way: str
) -> None:
    folder = cli.folder / "secret"
    folder.mkdir()
    (folder / "token").write_text(f"{CANARY}\n")
    cli = cli.within(FORGE_TOKEN=CANARY) if way == "variable" else cli
    option, given = {
        "file": (["--token-file", str(folder / "token")], None),
        "standard input": (["--token-file", "-"], CANARY),
        "prompt without a terminal": (["--ask-token"], CANARY),
        "variable": (["--token-env", "FORGE_TOKEN"], None),
    }[way]
    url = git_server.url(private)
    argv = [*cli.argv, "connection", "add", url, "--name", "private", *option, "--debug", "--log-file", "log"]

    ran = subprocess.run(
        argv, cwd=cli.folder, env=cli.variables, input=given, capture_output=True, text=True, timeout=120
    )

    assert ran.returncode == 0, ran.stderr
    said = ran.stdout + ran.stderr
    for line in (["show", "private"], ["show", "private", "--format", "json"], ["list", "--format", "csv"]):
        said += "".join(map(str, cli("connection", *line)))
    assert CANARY not in said
    (folder / "token").unlink()
    assert [path for path, content in everything(cli.folder) if CANARY.encode() in content] == []
    state = cli.folder / "home" / ".local" / "share" / "recce_meta" / "state.db"
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    if way != "variable":
        key = state.with_name("state.db.key")
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert str(key) in ran.stderr
    assert cli("connection", "test", "private").code == 0


def test_an_upload_only_connection_has_no_job_that_waits_and_an_interval_has_its_range(cli: Cli) -> None:
    added = cli("connection", "add", "--upload-only", "--name", "shop")
    assert (added.code, "worker" in added.err) == (0, False), added.err

    refused = cli("connection", "set", "shop", "--poll-minutes", "0.5")
    assert refused.code == 2 and "1 to 10080; for never --poll-minutes 0" in refused.err


def test_notifications_are_tried_without_showing_their_addresses(cli: Cli) -> None:
    (cli.folder / "state").mkdir()
    with receiver() as webhooks:
        slack, other = webhooks.url(f"slack/{CANARY}"), webhooks.url(f"json/{CANARY}")
        (cli.folder / "addresses").write_text(f"slack+{slack}\nslack+{other}\n")
        cli = cli.within(**webhooks.environ, CHAT=other)
        state = ("--state", "sqlite:///state/state.db")
        given = ("--upload-only", "--name", "shop", "--notify-file", "addresses", "--notify", "env:CHAT")
        added = cli("connection", "add", *state, *given)
        assert added.code == 0, added.err

        ran = cli("connection", "notify", *state, "shop", "--test")
        assert ran.code == 0, ran.err
        assert [one.body.get("event") for one in webhooks.accepted] == ["test", None, None]
        webhooks.answers.append(Answer(404, b"no_service"))
        failed = cli("connection", "notify", *state, "shop", "--test")
        assert failed.code == 3
        host = f"127.0.0.1:{webhooks.server_port}"
        assert "variable CHAT" in ran.out and f"slack {host}" in ran.out
        assert "status 404 (no_service)" in failed.out
        listed = cli("connection", "show", *state, "shop")
        assert f"variable CHAT, slack {host}, slack {host}" in listed.out
    missing = cli("connection", "notify", *state, "shop")
    assert missing.code == 2 and "--test" in missing.err
    assert CANARY not in "".join(map(str, (added, ran, failed, listed, missing)))
    (cli.folder / "addresses").unlink()
    assert [path for path, content in everything(cli.folder) if CANARY.encode() in content] == []


def test_a_wrong_token_is_named_but_not_shown(cli: Cli, git_server: GitServer, private: str) -> None:
    (cli.folder / "token").write_text("wrong-0123456789-secret")

    ran = cli("connection", "add", git_server.url(private), "--token-file", "token")

    assert ran.code == 3
    assert ran.err.startswith("error: token: ")
    assert "wrong-0123456789-secret" not in ran.err


def test_a_revoked_token_is_refused_and_not_accepted_as_well(
    cli: Cli, git_server: GitServer, private: str
) -> None:
    (cli.folder / "token").write_text(CANARY)
    given = ("--name", "p", "--token-file", "token")
    assert cli("connection", "add", git_server.url(private), *given).code == 0
    git_server.require(private, "another")

    ran = cli("connection", "test", "p")

    assert ran.code == 3
    checks = [line.split()[:2] for line in ran.out.splitlines() if line.startswith(("ok", "failed"))]
    assert checks == [["failed", "token"]]


def test_only_a_trusted_repository_runs_as_a_plain_process(
    cli: Cli, git_server: GitServer, shop: str
) -> None:
    url = git_server.url(shop)
    refused = cli("connection", "add", url, "--name", "shop", "--isolation", "process")
    assert refused.code == 2 and "--trusted" in refused.err
    assert cli("connection", "add", url, "--name", "shop", "--isolation", "process", "--trusted").code == 0
    assert cli("connection", "set", "shop", "--not-trusted").code == 2
    assert cli("connection", "set", "shop", "--not-trusted", "--isolation", "bubblewrap").code == 0
    assert cli("connection", "set", "shop", "--isolation", "process").code == 2


def test_a_private_repository_without_a_token_asks_for_one(
    cli: Cli, git_server: GitServer, private: str
) -> None:
    ran = cli("connection", "add", git_server.url(private))

    assert ran.code == 3
    assert "--ask-token" in ran.err


def test_set_changes_what_is_given_and_keeps_the_rest(cli: Cli, git_server: GitServer, private: str) -> None:
    (cli.folder / "token").write_text(CANARY)
    url = git_server.url(private)
    added = cli("connection", "add", url, "--name", "p", "--token-file", "token", "--target-schema", "raw")
    assert added.code == 0, added.err

    changed = cli(
        *("connection", "set", "p", "--target-database", "db", "--poll-minutes", "0", "--branch", "main"),
        *("--branch", "next", "--var", "A=1", "--require-dbt"),
    )
    assert changed.code == 0, changed.err
    connection = shown(cli, "p")["connection"]
    assert isinstance(connection, dict)
    assert connection["profile"] == {"target": None, "schema": "raw", "database": "db"}
    assert (connection["poll_minutes"], connection["branches"]) == (None, ["main", "next"])
    assert (connection["variables"], connection["requires_dbt"]) == ({"A": "1"}, True)
    assert (connection["has_token"], connection["token_hint"]) == (True, CANARY[-4:])

    assert cli("connection", "set", "p", "--token-env", "FORGE_TOKEN").code == 0
    assert shown(cli, "p")["connection"]["has_token"] is False  # type: ignore[index]
    assert cli("connection", "set", "p", "--no-token").code == 0
    assert shown(cli, "p")["connection"]["token_env"] is None  # type: ignore[index]
    assert cli("connection", "set", "p").code == 2


@pytest.mark.extensive
def test_keys_are_rotated(cli: Cli, git_server: GitServer, private: str) -> None:
    make = "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"
    old, new = (
        subprocess.run(
            [sys.executable, "-c", make], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    )
    (cli.folder / "token").write_text(CANARY)
    before = cli.within(RECCE_META_KEY=old)
    assert (
        before("connection", "add", git_server.url(private), "--name", "p", "--token-file", "token").code == 0
    )

    assert cli.within(RECCE_META_KEY=f"{new},{old}")("connection", "rotate").code == 0

    assert cli.within(RECCE_META_KEY=new)("connection", "test", "p").code == 0
    refused = before("connection", "test", "p")
    assert (refused.code, "wrong key" in refused.err) == (3, True)
    assert old not in refused.err


def test_a_webhook_is_set_up_by_hand_with_a_secret_that_is_shown_once(cli: Cli) -> None:
    added = cli(
        "connection", "add", "https://gitlab.com/acme/shop", "--name", "shop", "--branch", "main", "--no-test"
    )
    assert added.code == 0, added.err
    without = cli("connection", "webhook", "shop")
    assert (without.code, without.out) == (2, "") and "RECCE_META_PUBLIC_URL" in without.err

    public = cli.within(RECCE_META_PUBLIC_URL="https://recce.example.com")
    first, second = (public("connection", "webhook", "shop") for _ in range(2))

    assert first.code == 0, first.err
    assert "webhook: not confirmed" in first.out
    assert "  1. Open https://gitlab.com/acme/shop/-/hooks" in first.out
    assert "has no token for GitLab" in first.out
    (secret,) = re.findall(r"^secret, shown only now: (whsec_\S{44})$", first.out, re.MULTILINE)
    assert secret not in second.out and secret not in public("connection", "show", "shop").out
    assert not [path for path, content in everything(cli.folder) if secret.encode() in content]
    found = json.loads(public("connection", "webhook", "shop", "--rotate", "--format", "json").out)["webhook"]
    connection = shown(cli, "shop")["connection"]["id"]  # type: ignore[index]
    assert found["url"] == f"https://recce.example.com/api/webhooks/gitlab?connection={connection}"
    assert (found["active"], found["last_delivery"]) == (False, None)


def test_tokens_of_the_api_are_shown_once(cli: Cli) -> None:
    made = cli("token", "add", "ci", "--scope", "read", "--scope", "extract", "--expires", "30")

    assert made.code == 0, made.err
    text = made.out.strip()
    assert text.startswith("rm_")
    (listed,) = json.loads(cli("token", "list", "--format", "json").out)["tokens"]
    assert (listed["name"], listed["scopes"]) == ("ci", ["read", "extract"])
    assert text[-40:] not in cli("token", "list").out  # a token may contain "_"
    assert [path for path, content in everything(cli.folder) if text[-40:].encode() in content] == []
    assert cli("token", "add", "ci", "--scope", "read").code == 2
    assert cli("token", "remove", "ci").code == 0
    assert cli("token", "remove", "ci").code == 2


def test_the_state_comes_from_the_option_or_the_variable(cli: Cli, git_server: GitServer, shop: str) -> None:
    url = f"sqlite:///{cli.folder / 'other.db'}"
    assert cli("connection", "add", git_server.url(shop), "--name", "shop", "--state", url).code == 0

    assert "shop" in cli.within(RECCE_META_STATE_URL=url)("connection", "list").out
    assert cli("connection", "list").code == 3
    assert cli("connection", "list", "--state", "mysql://me:hunter2@h/x").err.count("hunter2") == 0
