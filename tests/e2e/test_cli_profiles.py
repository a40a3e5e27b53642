"""Where the command finds its connection, and what it says where it finds none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.extensive

PROFILES = """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: dev.duckdb}
    other: {type: duckdb, path: "{{ env_var('OTHER_FILE', 'other.duckdb') }}"}
    strict: {type: duckdb, path: "{{ env_var('STRICT_FILE') }}"}
    old: {type: oracle}
    server:
      type: postgres
      host: 127.0.0.1
      port: 1
      user: someone
      password: "{{ env_var('DBT_ENV_SECRET_PASSWORD', 'hunter2secret') }}"
      dbname: nowhere
      schema: public
second:
  outputs:
    default: {type: duckdb, path: second.duckdb}
"""


@pytest.fixture
def shop(cli: Any, project: Path) -> Any:
    """The command in a project with a profiles.yml beside dbt_project.yml."""
    (project / "profiles.yml").write_text(PROFILES)
    return cli.within(project)


def recorded_in(shop: Any) -> set[str]:
    return {file.name for file in shop.folder.rglob("*.duckdb")}


def test_the_projects_profile_and_default_target_are_used(shop: Any) -> None:
    assert shop("record").code == 0
    assert recorded_in(shop) == {"dev.duckdb"}


@pytest.mark.parametrize(
    ("options", "environ", "file"),
    [
        (["--target", "other"], {}, "other.duckdb"),
        ([], {"DBT_TARGET": "other"}, "other.duckdb"),
        (["--target", "dev"], {"DBT_TARGET": "other"}, "dev.duckdb"),
        (["--target", "other"], {"OTHER_FILE": "named.duckdb"}, "named.duckdb"),
        (["--profile", "second"], {}, "second.duckdb"),
        ([], {"DBT_PROFILE": "second"}, "second.duckdb"),
        (["--url", "duckdb:///by_url.duckdb"], {}, "by_url.duckdb"),
        ([], {"RECCE_META_URL": "duckdb:///by_url.duckdb"}, "by_url.duckdb"),
    ],
)
def test_options_win_over_variables_and_variables_over_files(
    shop: Any, options: list[str], environ: dict[str, str], file: str
) -> None:
    ran = shop.within(**environ)("record", *options)

    assert (ran.code, ran.err) == (0, "")
    assert recorded_in(shop) == {file}


def test_a_dotenv_file_sets_what_the_environment_does_not(shop: Any) -> None:
    (shop.folder / ".env").write_text("STRICT_FILE=from_dotenv.duckdb\n")

    assert shop("record", "--target", "strict").code == 0
    assert shop.within(STRICT_FILE="from_shell.duckdb")("record", "--target", "strict").code == 0
    assert recorded_in(shop) == {"from_dotenv.duckdb", "from_shell.duckdb"}


def test_profiles_are_found_where_dbt_finds_them(cli: Any, project: Path) -> None:
    home = Path(cli.variables["HOME"]) / ".dbt"
    for folder, file in ((home, "home.duckdb"), (project / "conf", "conf.duckdb")):
        folder.mkdir(parents=True)
        (folder / "profiles.yml").write_text(PROFILES.replace("dev.duckdb", file))
    shop = cli.within(project)

    shop("record")
    shop.within(DBT_PROFILES_DIR="conf")("record")
    assert recorded_in(shop) == {"home.duckdb", "conf.duckdb"}

    (project / "profiles.yml").write_text(PROFILES)
    shop("record")
    assert recorded_in(shop) == {"home.duckdb", "conf.duckdb", "dev.duckdb"}
    assert cli.within(project)("record", "--profiles-dir", "conf").out.endswith("nothing written\n")


@pytest.mark.parametrize(
    ("options", "environ", "message", "hint"),
    [
        (
            ["--target", "nosuch"],
            {},
            "has no target 'nosuch'",
            "available targets: dev, old, other, server, strict",
        ),
        (["--profile", "nosuch"], {}, "Profile 'nosuch' not found in", "available profiles: second, shop"),
        (
            ["--target", "strict"],
            {},
            "Environment variable 'STRICT_FILE' is not set",
            "set it, or add a default",
        ),
        (
            ["--profiles-dir", "nosuch"],
            {},
            "No profiles.yml at",
            "pass --profiles-dir DIRECTORY or --url URL",
        ),
        (
            [],
            {"DBT_PROFILES_DIR": "nosuch"},
            "the directory in DBT_PROFILES_DIR",
            "pass --profiles-dir",
        ),
        (
            ["--target", "old"],
            {},
            "Unknown warehouse type 'oracle'",
            "one of: bigquery, databricks, duckdb, postgres",
        ),
        (["--target", "server"], {}, "Connection refused", "check host, port, path and database"),
    ],
)
def test_what_cannot_be_used_is_told_with_what_there_is(
    shop: Any, options: list[str], environ: dict[str, str], message: str, hint: str
) -> None:
    ran = shop.within(**environ)("runs", *options)

    assert ran.code in (2, 3) and ran.out == ""
    assert ran.err.startswith("error: ") and message in ran.err
    assert f"\nhint: {hint}" in ran.err
    assert "Traceback" not in ran.err


def test_no_profile_at_all_says_what_to_pass(cli: Any) -> None:
    ran = cli("runs")

    assert ran.code == 3
    assert ran.err.startswith("error: No profiles.yml at ")
    assert "\nhint: pass --profiles-dir DIRECTORY or --url URL" in ran.err


def test_without_a_project_the_profile_must_be_named(cli: Any) -> None:
    (cli.folder / "profiles.yml").write_text(PROFILES)

    unnamed, named = cli("runs"), cli("record", "--profile", "shop", "--target-path", "nowhere")

    assert unnamed.code == 3
    assert "pass --profile NAME" in unnamed.err and "second, shop" in unnamed.err
    assert "nowhere" in named.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shop: [", "is not valid YAML"),
        ("shop:\n  target: {{ x\n", "is not valid YAML"),
        ("", "is empty"),
        ("shop: 3", "has no 'outputs:'"),
        ("shop:\n  outputs:\n    default: 3", "is not a mapping"),
        ("shop:\n  outputs:\n    default: {path: x}", "No 'type:' in"),
        ("shop:\n  outputs:\n    default: {type: postgres}", "Field 'user' is missing"),
        ('shop:\n  target: "{{ nosuch() }}"\n  outputs: {default: {type: duckdb}}', "nosuch"),
        ("- shop", "profiles.yml"),
    ],
)
def test_a_damaged_profiles_file_is_told_by_its_place(shop: Any, text: str, message: str) -> None:
    (shop.folder / "profiles.yml").write_text(text)

    ran = shop("runs")

    assert ran.code == 3, ran
    assert ran.err.startswith("error: ") and message in ran.err and "profiles.yml" in ran.err
    assert "Traceback" not in ran.err and "this is a bug" not in ran.err


@pytest.mark.parametrize("command", [["runs"], ["doctor"], ["doctor", "--format", "json"], ["init"]])
def test_no_output_ever_shows_a_password(shop: Any, command: list[str]) -> None:
    secret = {"DBT_ENV_SECRET_PASSWORD": "hunter3secret"}

    by_default = shop(*command, "--target", "server")
    by_variable = shop.within(**secret)(*command, "--target", "server")
    by_url = shop(*command, "--url", "postgresql://me:hunter4secret@127.0.0.1:1/db?password=hunter5secret")

    for ran in (by_default, by_variable, by_url):
        assert ran.code == 3
        assert "secret" not in (ran.out + ran.err).replace("DBT_ENV_SECRET_PASSWORD", "")


def test_doctor_shows_what_was_resolved_and_how_far_it_got(shop: Any) -> None:
    server, file, nothing = (
        shop("doctor", "--target", "server"),
        shop("doctor"),
        shop("doctor", "--target", "x"),
    )

    assert server.code == 3 and "failed   connection" in server.out and "skipped  store" in server.out
    assert (
        file.code == 3 and "profile 'shop', target 'dev'" in file.out and "DuckDB file not found" in file.out
    )
    assert (shop("init").code, shop("doctor").code) == (0, 0)
    assert nothing.code == 3 and "has no target 'x'" in nothing.out
    assert [ran.err for ran in (server, file, nothing)] == [""] * 3


def test_doctor_never_cuts_off_what_is_wrong(shop: Any) -> None:
    ran = shop.within(COLUMNS="60")("doctor", "--target", "server")

    assert "Connection refused" in " ".join(ran.out.split())
