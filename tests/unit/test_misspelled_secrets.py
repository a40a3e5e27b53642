"""No secret is shown of a URL or a profile that is misspelled: what is wrong is what an error quotes."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import pytest
import yaml

import recce_meta.demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.cli.main import COMMANDS, cli, run_command_line
from recce_meta.errors import ProfileError, RecceMetaError, UsageError
from recce_meta.redaction import (
    MASK,
    is_secret,
    passwords_in,
    presentable,
    secrets_of_arguments,
    without_passwords,
)
from tests.unit.profiles.test_fields import ADAPTERS, PROFILES

CANARY = "Canary-4711-sings"
SCHEMES = ("postgresql", "postgres", "redshift+redshift_connector", "snowflake", "bigquery", "databricks",
           "duckdb", "mysql", "sqlite", "trino", "pstgresql")  # fmt: skip
SHAPES = (
    "{scheme}//u:{secret}@127.0.0.1:1/x",
    "{scheme}:/u:{secret}@127.0.0.1:1/x",
    "{scheme}:u:{secret}@127.0.0.1:1/x",
    "{scheme};//u:{secret}@127.0.0.1:1/x",
    "{scheme}:///u:{secret}@127.0.0.1:1/x",
    "{scheme}://u;{secret}@127.0.0.1:x/x",
    "{scheme}://u:{secret}127.0.0.1:1/x",
    "{scheme} ://u:{secret}@127.0.0.1:1/x",
    "{scheme}//u:p@ss/{secret}@127.0.0.1:1/x",
    "{scheme}//u:p ss {secret}@127.0.0.1:1/x",
    "{scheme}//u:'{secret}@127.0.0.1:1/x",
    "{scheme}//u:{secret}%40@127.0.0.1:1/x",
    "u:{secret}@127.0.0.1:1/x",
    "{scheme}//u@127.0.0.1:1/x?password={secret}",
    "{scheme}//u@127.0.0.1:1/x?pasword={secret}",
    "{scheme}//u@127.0.0.1:1/x?private_key={secret}&token={secret}",
    "host=127.0.0.1 port=1 password = '{secret} y'",
    "host=127.0.0.1 port=1 passwrod={secret} y dbname=x",
)
URLS = [shape.format(scheme=scheme, secret=CANARY) for shape, scheme in zip(SHAPES, cycle(SCHEMES))]
URLS += [SHAPES[0].format(scheme=scheme, secret=CANARY) for scheme in SCHEMES]
URLS += [quote(URLS[0], safe=""), quote(URLS[0], safe="/@")]


def spelled(name: str) -> Iterator[str]:
    """Yield *name* as people mistype it."""
    middle = len(name) // 2
    yield name[:middle] + name[middle + 1 :]
    yield name[:middle] + name[middle] + name[middle:]
    yield name[: middle - 1] + name[middle] + name[middle - 1] + name[middle + 1 :]
    yield name.replace("_", "")
    yield name.title()


MISSPELLED = [
    (adapter, name, wrong)
    for adapter, known in ADAPTERS.items()
    for name in known["fields"]
    for wrong in spelled(name)
    if wrong not in known["fields"] and wrong not in known["aliases"] and wrong not in ("type", "threads")
]


@pytest.mark.parametrize("adapter", sorted(PROFILES))
def test_values_of_misspelled_fields_are_masked(tmp_path: Path, adapter: str) -> None:
    output: dict[str, Any] = {**PROFILES[adapter], "type": adapter}
    wrong = [one for known, _, one in MISSPELLED if known == adapter]
    assert len(wrong) > 10
    output |= dict.fromkeys(wrong, CANARY)
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"shop": {"outputs": {"default": output}}}))

    made = UnifiedSqlAdapter.from_dbt_profile(tmp_path, "shop", project_dir=tmp_path)

    assert made.target is not None and set(wrong) <= set(made.target.settings)
    shown = repr(made) + repr(made._plan) + repr(made.target) + "".join(made.warnings)
    assert CANARY not in shown


@pytest.mark.parametrize(
    ("adapter", "name", "wrong"), [row for row in MISSPELLED if is_secret(row[1]) and row[0] != "duckdb"][::5]
)
def test_a_misspelled_field_of_a_secret_is_not_in_any_message(
    tmp_path: Path, adapter: str, name: str, wrong: str
) -> None:
    """The right field is missing, and the wrong one cannot be rendered or has another kind."""
    for value in (CANARY, [CANARY], f"{{{{ '{CANARY}' | as_number }}}}"):
        output = {**PROFILES[adapter], "type": adapter, wrong: value}
        output.pop(name, None)
        (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"shop": {"outputs": {"default": output}}}))
        try:
            made = UnifiedSqlAdapter.from_dbt_profile(tmp_path, "shop", project_dir=tmp_path)
        except ProfileError as error:
            assert CANARY not in str(error)
        else:
            assert CANARY not in repr(made.target) + "".join(made.warnings)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two recorded runs, whose profile misspells its secrets."""
    folder = tmp_path_factory.mktemp("recorded")
    demo = Path(recce_meta.demo_data.__file__).parent
    output = {"type": "duckdb", "path": "shop.duckdb", "pasword": CANARY, "motherduck_tokn": CANARY}
    (folder / "profiles.yml").write_text(yaml.safe_dump({"jaffle": {"outputs": {"default": output}}}))
    (folder / "dbt_project.yml").write_text("{name: jaffle_shop, profile: jaffle}")
    (folder / "template.sql").write_text("select 1")
    (folder / "checks.yml").write_text("checks: [{name: a, type: row_count, params: {node_names: [orders]}}]")
    places = ["--profiles-dir", str(folder), "--project-dir", str(folder)]
    for name in ("base", "current"):
        shutil.copytree(demo / name, folder / "target", dirs_exist_ok=True)
        assert (
            run_command_line(["record", *places, "--target-path", str(folder / "target"), "--no-columns"])
            == 0
        )
    return folder


@pytest.fixture
def shop(tmp_path: Path, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(recorded, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


PLACES = ("--url", "--target", "--store", "--to", "--data-target", "--base-target", "--profile",
          "--profiles-dir", "--project-dir", "--target-path", "-o", "--output")  # fmt: skip
ARGUMENTS = {
    "hook": ["--", "true"],
    "query-diff": ["select 1"],
    "check run": ["checks.yml"],
    "lineage": ["customers"],
    "impact": ["customers"],
    "render": ["template.sql"],
    "import": ["template.sql"],
    "sql": ["views"],
    "serve": ["--host", "192.0.2.1"],  # which is refused without a token: no URL makes it serve
    "lsp": ["--help"],  # it waits for an editor
}


def commands() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        if isinstance(command, click.Group):
            for inner in command.list_commands(click.Context(command)):
                found = command.get_command(click.Context(command), inner)
                assert found is not None
                yield f"{name} {inner}", found
        elif command is not None:
            yield name, command


def places_of(command: click.Command) -> list[str]:
    """Return the options of *command* that say where something is."""
    names = [option.opts[0] for option in command.params if isinstance(option, click.Option)]
    return [name for name in names if name in PLACES]


@pytest.mark.parametrize("name", [name for name, _ in commands()])
@pytest.mark.extensive
def test_no_command_shows_the_password_of_a_misspelled_url(
    shop: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    """In whichever option it is given, as one argument or after an equals sign."""
    command = dict(commands())[name]
    urls = cycle(URLS)
    for option in places_of(command):
        for joined in (False, True):
            url = next(urls)
            given = [f"{option}={url}"] if joined else [option, url]
            run_command_line([*name.split(), *given, *ARGUMENTS.get(name, [])])
            said = capfd.readouterr()
            assert CANARY not in said.out + said.err, given
    for url in (next(urls), next(urls)):
        run_command_line([*name.split(), url])
        said = capfd.readouterr()
        assert CANARY not in said.out + said.err, url
    for path in shop.rglob("shop.duckdb*"):
        assert CANARY.encode() not in path.read_bytes()


@pytest.mark.extensive
@pytest.mark.parametrize("command", ["runs --url", "diff --data --format json --data-target"])
def test_no_spelling_of_a_url_shows_its_password(
    shop: Path, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    for url in URLS:
        run_command_line([*command.split(), url])

        said = capfd.readouterr()
        assert CANARY not in said.out + said.err, url


def test_a_url_of_the_environment_is_not_shown_either(
    shop: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in URLS[::3]:
        monkeypatch.setenv("RECCE_META_URL", url)
        monkeypatch.setenv("RECCE_META_STORE", url)
        assert run_command_line(["scan"]) != 0
        said = capfd.readouterr()
        assert CANARY not in said.out + said.err, url


@pytest.mark.cases(6)
@pytest.mark.parametrize(
    "argument",
    [
        f"{{'password': '{CANARY}'}}",
        f'{{"x": 1, "token": "{CANARY}"}}',
        f"password: {CANARY}",
        f"x: 1\n  db_password: '{CANARY}'",
    ],
)
@pytest.mark.parametrize("command", ["show", "render", "impact", "runs --project"])
def test_no_error_shows_the_password_in_an_argument_of_another_kind(
    shop: Path, capfd: pytest.CaptureFixture[str], command: str, argument: str
) -> None:
    run_command_line([*command.split(), argument])

    said = capfd.readouterr()
    assert CANARY not in said.out + said.err


@pytest.mark.parametrize(
    "token", ["dapi0123456789abcdef0123456789abcdef", "ghp_" + "a1B2" * 9, "glpat-" + "x_Y-9" * 4]
)
def test_a_token_is_masked_wherever_it_stands(token: str) -> None:
    assert without_passwords(f"cannot reach databricks://{token}@h") == f"cannot reach databricks://{MASK}@h"


def test_names_within_the_value_of_another_name_are_found() -> None:
    text = f"""Invalid value for 'FILE': '{{"password": "{CANARY}"}}': a=b&token={CANARY}"""
    assert (
        without_passwords(text) == f"""Invalid value for 'FILE': '{{"password": {MASK}}}': a=b&token={MASK}"""
    )


def test_recorded_texts_hold_no_password(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    target = shop / "target"
    results = json.loads(gzip.decompress((target / "run_results.json.gz").read_bytes()))
    results["results"][0]["message"] = f"cannot connect to postgresql://u:{CANARY}@h/x"
    (target / "run_results.json.gz").write_bytes(gzip.compress(json.dumps(results).encode()))
    branch = f"postgresql://u:{CANARY}@h/x"
    given = ["--run-id", "secret", "--no-columns", "--target-path", str(target), "--pull-request", branch]
    assert run_command_line(["record", *given, "--branch", branch]) == 0

    run_command_line(["runs"])
    run_command_line(["runs", "--format", "json"])
    run_command_line(["show", "secret", "--format", "json"])
    run_command_line(["export", "secret", "--format", "json", "-o", str(shop / "export.json")])

    said = capfd.readouterr()
    assert "postgresql://u:***@h/x" in said.out
    assert CANARY not in said.out + said.err + (shop / "export.json").read_text()
    assert CANARY.encode() not in (shop / "shop.duckdb").read_bytes()


def test_doctor_masks_entries_of_any_name(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    output = {
        "type": "duckdb",
        "path": "shop.duckdb",
        "plugins": [{"module": "excel", "config": {"pw": CANARY, "list": [CANARY]}}],
        "filesystems": [{"fs": "memory", "kee": CANARY, "client_kwargs": {"endpoint": CANARY}}],
    }
    (shop / "profiles.yml").write_text(yaml.safe_dump({"jaffle": {"outputs": {"default": output}}}))

    run_command_line(["doctor"])

    said = capfd.readouterr()
    assert "excel" in said.out and "memory" in said.out
    assert CANARY not in said.out + said.err


def test_doctor_masks_what_it_does_not_know(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_command_line(["doctor"])

    said = capfd.readouterr()
    assert "pasword=***" in said.out and CANARY not in said.out + said.err
    assert "path=shop.duckdb" in said.out


@pytest.mark.parametrize(
    "text",
    [f"password: *{CANARY}", f"password: !{CANARY} x", f"password: &{CANARY}\nx: &{CANARY}\ny: *{CANARY}x"],
)
def test_no_error_of_yaml_shows_a_password(tmp_path: Path, text: str) -> None:
    (tmp_path / "profiles.yml").write_text(f"{text}\n")

    with pytest.raises(ProfileError) as caught:
        UnifiedSqlAdapter.from_dbt_profile(tmp_path, "shop", project_dir=tmp_path)

    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("url", URLS)
def test_python_shows_no_password_of_a_url(url: str) -> None:
    try:
        made = UnifiedSqlAdapter.from_url(url)
    except RecceMetaError as error:
        assert CANARY not in str(error) + repr(error) and error.__cause__ is None
        return

    assert CANARY not in repr(made)
    assert [secret for secret in made._plan.secrets if CANARY in secret]


@pytest.mark.parametrize(
    "text",
    [
        "No file at /data/a:b/c.csv, nor at C:\\x",
        "Unknown node 'tag:nightly,@orders'",
        "check host:5432 and http://localhost:8020/x, or ask me@example.com",
        "Field 'password' is missing (profile 'p')",
        "the row a = 1, b = 'x' of orders at 10:05",
        "postgresql://localhost:5432/test",
    ],
)
def test_texts_without_a_secret_stay_as_they_are(text: str) -> None:
    assert without_passwords(text) == text
    assert not [secret for secret in secrets_of_arguments([text]) if "=" in secret or len(secret) < 2]


def test_a_text_of_many_colons_and_signs_takes_no_long() -> None:
    for piece in (":", "a:", "://u:", "=", "password=", "'", "//", "x@", "%3A"):
        presentable(piece * 5_000 + "@")
        list(passwords_in(piece * 5_000 + "@"))


def test_an_unfinished_scheme_is_named_and_nothing_else() -> None:
    with pytest.raises(UsageError, match=r"(?m)\AInvalid database URL: 'postgresql' is not followed by ://$"):
        UnifiedSqlAdapter.from_url(f"postgresql//u:{CANARY}@h/x")
    with pytest.raises(UsageError) as caught:
        UnifiedSqlAdapter.from_url(f"postgrsql//u:{CANARY}@h/x")
    assert caught.value.hint is not None and "did you mean 'postgresql'" in caught.value.hint
