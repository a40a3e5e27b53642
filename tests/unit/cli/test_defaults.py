"""Defaults of options: their variables, precedence over files, and defaults that other options exclude."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from recce_meta.cli.command import GLOBAL
from recce_meta.cli.defaults import ONLY_OWN, origin_of, variables_of
from recce_meta.cli.main import cli

Parsed = Callable[..., dict[str, Any]]


@pytest.fixture
def parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parsed:
    """A function that parses a command line in an empty folder and returns the options and `origins`."""
    monkeypatch.chdir(tmp_path)

    def parse(*arguments: str, config: str | None = None, **environ: str) -> dict[str, Any]:
        if config is not None:
            (tmp_path / "recce_meta.yml").write_text(config, encoding="utf-8")
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            with cli.make_context("recce-meta", list(arguments)) as root:
                context, command = root, cli
                remaining = [*root._protected_args, *root.args]
                while isinstance(command, click.Group):
                    name, found, remaining = command.resolve_command(context, remaining)
                    assert found is not None
                    context, command = found.make_context(name, remaining, parent=context), found
                    remaining = [*context._protected_args, *context.args]
                origins = {key: origin_of(context, key) for key in context.params}
                return {**context.params, "origins": origins}

    return parse


def every_option() -> Iterator[tuple[str, click.Option, str, bool]]:
    context = click.Context(cli)
    groups: list[tuple[tuple[str, ...], click.Group]] = [((), cli)]
    while groups:
        path, group = groups.pop()
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                groups.append(((*path, name), command))
                continue
            for param in command.params:
                for variable, _, is_positive in variables_of((*path, name), param):
                    assert isinstance(param, click.Option)
                    yield " ".join([*path, name]), param, variable, is_positive


def test_every_option_has_a_variable_of_its_command_that_no_other_option_has() -> None:
    users: dict[str, set[tuple[str, str | None]]] = {}
    for command, param, variable, _ in every_option():
        users.setdefault(variable, set()).add((command, param.name))
    for variable, found in users.items():
        names = {command for command, _ in found}
        assert len(found) == len(names), (variable, found)

    with_variable = {(command, param.name) for command, param, _, _ in every_option()}
    context = click.Context(cli)
    diff = cli.get_command(context, "diff")
    assert diff is not None
    visible = {p.name for p in diff.params if isinstance(p, click.Option) and not p.hidden}
    assert visible - GLOBAL == {name for command, name in with_variable if command == "diff"}


def test_an_option_with_another_meaning_elsewhere_has_only_the_variable_of_its_command() -> None:
    known = {(command, str(param.name)) for command, param, _, _ in every_option()}
    generic = {
        (command, str(param.name))
        for command, param, variable, _ in every_option()
        if not variable.startswith(f"RECCE_META_{command.upper().replace(' ', '_').replace('-', '_')}_")
    }

    assert known >= ONLY_OWN
    assert not generic & (ONLY_OWN - {("scan", "schemas"), ("quality", "schemas")})


def test_the_precedence_is_option_own_variable_variable_file(parsed: Parsed) -> None:
    config = "threads: 1\n"
    both = {"RECCE_META_THREADS": "2", "RECCE_META_ROW_COUNT_THREADS": "3"}

    assert parsed("row-count", config=config)["threads"] == 1
    assert parsed("row-count", RECCE_META_THREADS="2")["threads"] == 2
    found = parsed("row-count", **both)
    assert (found["threads"], found["origins"]["threads"]) == (3, "environment RECCE_META_ROW_COUNT_THREADS")
    found = parsed("row-count", "--threads", "4", **both)
    assert (found["threads"], found["origins"]["threads"]) == (4, None)
    assert parsed("row-count")["origins"]["threads"] == "recce_meta.yml:1"


def test_the_command_of_a_group_has_defaults(parsed: Parsed) -> None:
    found = parsed("check", "run", config="base: prod\n", RECCE_META_CHECK_RUN_SAVE="1")

    assert (found["base"], found["save"]) == ("prod", True)


def test_flags_and_repeated_options_have_variables(parsed: Parsed) -> None:
    found = parsed(
        "value",
        RECCE_META_SELECT="tag:a b; tag:c",
        RECCE_META_KEY="id,line",
        RECCE_META_TABLES="a b; c d",
        RECCE_META_NO_VALUES="yes",
        RECCE_META_PRIVATE="social security\n*note",
        RECCE_META_DETAIL="0",
    )

    assert found["key"] == ("id", "line")
    assert found["tables"] == (("a", "b"), ("c", "d"))
    assert found["selection"] == ()  # --tables excludes it
    assert found["no_values"] is True
    assert found["private"] == ("social security", "*note")
    assert found["detail"] is False
    assert parsed("value", RECCE_META_SELECT="tag:a b; tag:c")["selection"] == ("tag:a b", "tag:c")
    assert parsed("value", RECCE_META_VALUES="1", RECCE_META_VALUE_NO_VALUES="")["no_values"] is False
    assert parsed("lineage", "orders", RECCE_META_UPSTREAM="1")["direction"] == "upstream"
    assert parsed("lineage", "orders", RECCE_META_UPSTREAM="0")["direction"] is None


def test_an_option_overrides_privacy_of_the_file(parsed: Parsed) -> None:
    config = "privacy: {values: false, columns: salary}"

    assert parsed("value", config=config)["no_values"] is True
    assert parsed("value", "--values")["no_values"] is False
    assert parsed("quality")["private"] == ("salary",)
    assert parsed("record", "--stats", "profile")["no_values"] is True


def test_a_format_of_other_commands_is_ignored(parsed: Parsed) -> None:
    assert parsed("doctor", RECCE_META_FORMAT="markdown")["style"] == "table"
    assert parsed("runs", RECCE_META_FORMAT="markdown")["style"] == "markdown"
    with pytest.raises(click.BadParameter):
        parsed("doctor", RECCE_META_DOCTOR_FORMAT="markdown")
    with pytest.raises(click.BadParameter):
        parsed("runs", RECCE_META_FORMAT="pdf")


@pytest.mark.parametrize(
    ("arguments", "environ", "url", "target"),
    [
        ((), {}, "duckdb:////s.duckdb", None),
        (("--target", "x"), {}, None, "x"),
        (("--profile", "x"), {}, None, None),
        (("--profiles-dir", "."), {}, None, None),
        ((), {"RECCE_META_TARGET": "x"}, None, "x"),
        (("--target", "x"), {"RECCE_META_URL": "a://b"}, None, "x"),
        ((), {"RECCE_META_RUNS_TARGET": "x", "RECCE_META_URL": "a://b"}, None, "x"),
        ((), {"RECCE_META_TARGET": "x", "RECCE_META_URL": "a://b"}, "a://b", "x"),
        (("--url", "c://d"), {"RECCE_META_TARGET": "x"}, "c://d", "x"),
        ((), {"DBT_TARGET": "ci", "DBT_PROFILE": "p"}, "duckdb:////s.duckdb", None),
    ],
)
def test_a_stronger_place_replaces_the_url_of_a_weaker_source(
    parsed: Parsed, arguments: tuple[str, ...], environ: dict[str, str], url: str | None, target: str | None
) -> None:
    found = parsed("runs", *arguments, config="store: duckdb:////s.duckdb", **environ)

    assert (found["url"], found["target"]) == (url, target)


@pytest.mark.parametrize(
    ("arguments", "environ", "profile", "target"),
    [
        ((), {}, "shop", "meta"),
        (("--profile", "x"), {}, "x", None),
        (("--target", "x"), {}, "shop", "x"),
        ((), {"DBT_TARGET": "ci"}, "shop", None),
        ((), {"DBT_PROFILE": "x"}, None, None),
        ((), {"DBT_ENGINE_TARGET": "ci", "RECCE_META_TARGET": "y"}, "shop", "y"),
        ((), {"DBT_PROFILES_DIR": "."}, "shop", "meta"),
        (("--url", "a://b"), {}, "shop", "meta"),
    ],
)
def test_dbt_variables_replace_the_profile_of_the_file(
    parsed: Parsed,
    arguments: tuple[str, ...],
    environ: dict[str, str],
    profile: str | None,
    target: str | None,
) -> None:
    found = parsed(
        "runs", *arguments, config="store: {profile: shop, target: meta, profiles_dir: conf}", **environ
    )

    assert (found["profile"], found["target"]) == (profile, target)
    assert (found["profiles_dir"] is None) is ("DBT_PROFILES_DIR" in environ)


def test_the_store_of_the_file_is_not_the_database_that_a_scan_reads(parsed: Parsed) -> None:
    found = parsed("scan", "--url", "a://b", config="store: {target: meta, schema: s}")

    assert (found["url"], found["target"], found["store"], found["schema"]) == ("a://b", None, "meta", "s")
    assert parsed("scan", RECCE_META_SCHEMA="x", RECCE_META_SCAN_SCHEMA="a;b")["schema"] == "x"
    assert parsed("scan", RECCE_META_SCHEMA="x", RECCE_META_SCAN_SCHEMA="a;b")["schemas"] == ("a", "b")


def test_a_plain_diff_has_only_privacy_of_the_defaults_of_data_diffs(parsed: Parsed) -> None:
    config = (
        "threads: 2\nbudget: 9\nmax_rows: 5\nprivacy: {values: false, columns: x}\n"
        "fail_on: [not-compared, any]"
    )
    limits = ("threads", "budget", "max_rows", "no_values")
    plain, with_data = parsed("diff", config=config), parsed("diff", "--data")

    assert [plain[name] for name in limits] == [
        None,
        None,
        None,
        True,
    ]
    assert (plain["private"], plain["fail_on"]) == (("x",), ("any",))
    assert [with_data[name] for name in limits] == [2, 9.0, 5, True]
    assert (with_data["private"], with_data["fail_on"]) == (("x",), ("not-compared", "any"))
    assert parsed("diff", config="fail_on: not-compared")["fail_on"] == ()
    assert parsed("diff", "--budget", "3")["budget"] == 3.0


def test_conditions_belong_to_their_commands(parsed: Parsed) -> None:
    config = "fail_on: {diff: [breaking, removed], quality: ['null_share > 1%', regression]}\nselect: a\n"

    assert parsed("diff", config=config)["fail_on"] == ("breaking", "removed")
    assert parsed("diff", "--fail-on", "removed", "--fail-on", "fails")["fail_on"] == ("removed", "fails")
    words = {"RECCE_META_DIFF_FAIL_ON": "removed;fails\nany,breaking"}
    assert parsed("diff", **words)["fail_on"] == ("removed", "fails", "any", "breaking")
    assert parsed("diff")["selection"] == ("a",)
    assert parsed("scan")["fail_on"] == ()
    assert parsed("quality")["fail_on"] == ("null_share > 1%", "regression")
    assert parsed("quality")["selection"] == ()
    assert parsed("quality", "--history")["fail_on"] == ()
    assert parsed("quality", "--fail-on", "score < 5")["fail_on"] == ("score < 5",)


def test_defaults_of_the_other_source_of_record_are_left_out(parsed: Parsed) -> None:
    config = "project: shop"

    assert parsed("record", config=config, RECCE_META_DIALECT="duckdb")["project_name"] is None
    assert parsed("record", RECCE_META_DIALECT="duckdb")["dialect"] is None
    found = parsed("record", "--from", "sql", "sql", RECCE_META_DIALECT="duckdb")
    assert (found["project_name"], found["dialect"]) == ("shop", "duckdb")


def test_the_help_needs_no_valid_configuration(parsed: Parsed) -> None:
    with pytest.raises(click.exceptions.Exit):
        parsed("runs", "--help", config="nonsense: 1")
