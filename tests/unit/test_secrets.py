"""No secret of a profile or a URL is in what is shown, written or kept, whichever field it stands in."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.doctor import check_connection
from recce_meta.adapter.errors import translate_error
from recce_meta.cli.main import run_command_line
from recce_meta.errors import MESSAGE_LENGTH, ProfileError, RecceMetaError, mask_errors
from recce_meta.redaction import is_secret
from recce_meta.warehouses import Fields, available, masked, warehouse_named
from tests.unit.profiles.test_fields import ADAPTERS, BESIDE, PROFILES, value_of

SECRET = "Hush-4711-hush"

FIELDS_OF_THE_ADAPTERS = [
    (adapter, name)
    for adapter, known in ADAPTERS.items()
    for name in [*known["fields"], *known["aliases"]]
    if is_secret(name) and name != "secrets"
]
NESTED: list[tuple[str, str, Any]] = [
    ("bigquery", "keyfile_json", {"type": "x", "client_email": "c", "token_uri": "t", "private_key": SECRET}),
    ("bigquery", "token_endpoint", {"type": "entra", "request_url": "https://e", "request_data": SECRET}),
    ("databricks", "connection_parameters", {"http_headers": {"Authorization": SECRET}}),
    ("databricks", "session_properties", {"fs.account_key": SECRET, "my.password": SECRET}),
    ("databricks", "compute", {"big": {"http_path": "/x", "token": SECRET}}),
    ("duckdb", "secrets", [{"type": "s3", "key_id": "k", "secret": SECRET}]),
    ("duckdb", "secrets", [{"type": "s3", "session_token": SECRET}]),
    ("duckdb", "secrets", [{"type": "azure", "connection_string": SECRET}]),
    ("duckdb", "secrets", [{"type": "http", "bearer_token": SECRET}]),
    ("duckdb", "secrets", [{"type": "http", "extra_http_headers": {"Authorization": SECRET}}]),
    ("duckdb", "secrets", [{"type": "postgres", "host": "h", "password": SECRET}]),
    ("duckdb", "secrets", [{"type": "quack", "token": SECRET}]),
    ("duckdb", "settings", {"motherduck_token": SECRET}),
    ("duckdb", "settings", {"s3_secret_access_key": SECRET}),
    ("duckdb", "config_options", {"motherduck_token": SECRET}),
    ("duckdb", "attach", [{"path": "x.db", "options": {"encryption_key": SECRET}}]),
    ("duckdb", "attach", [{"path": f"md:x?motherduck_token={SECRET}"}]),
    ("duckdb", "attach", [{"path": f"postgres:host=h password={SECRET} dbname=x"}]),
    ("duckdb", "path", f"md:shop?motherduck_token={SECRET}"),
    ("duckdb", "filesystems", [{"fs": "s3", "key": "k", "secret": SECRET}]),
    ("duckdb", "remote", {"host": "h", "port": 1, "user": "u", "password": SECRET}),
    (
        "redshift",
        "token_endpoint",
        {"type": "okta", "request_url": "https://o", "idp_auth_credentials": SECRET},
    ),
]


def planted() -> Iterator[Any]:
    for adapter, name in FIELDS_OF_THE_ADAPTERS:
        yield pytest.param(adapter, name, SECRET, id=f"{adapter}-{name}")
    for number, (adapter, name, value) in enumerate(NESTED):
        yield pytest.param(adapter, name, value, id=f"{adapter}-{name}-{number}")


PLANTED = list(planted())


def output_of(adapter: str, name: str, value: Any) -> dict[str, Any]:
    canonical = ADAPTERS[adapter]["aliases"].get(name, name)
    fields = {**PROFILES[adapter], **BESIDE[adapter].get(canonical, {})}
    fields = {key: kept for key, kept in fields.items() if kept is not None and key != canonical}
    if value is SECRET and "ict" in ADAPTERS[adapter]["fields"].get(canonical, {}).get("type", ""):
        value = {**value_of(adapter, canonical, {"type": "Dict"}), "private_key": SECRET}
    return {"type": adapter, **fields, name: value}


def texts_of(error: RecceMetaError) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + str(error)


def test_every_secret_field_of_the_adapters_is_known_as_one() -> None:
    """What dbt itself asks to be redacted, and what holds a credential by its name."""
    known = set(FIELDS_OF_THE_ADAPTERS)

    assert known >= {
        *(("bigquery", name) for name in ("token", "refresh_token", "client_secret", "keyfile_json")),
        *(("databricks", name) for name in ("token", "client_secret", "azure_client_secret")),
        *(("duckdb", name) for name in ("motherduck_token",)),
        *(("postgres", name) for name in ("password", "pass")),
        *(("redshift", name) for name in ("password", "pass", "secret_access_key")),
        *(("snowflake", name) for name in ("password", "private_key", "private_key_passphrase", "token")),
        ("snowflake", "oauth_client_secret"),
    }
    assert {adapter for adapter, _ in known} == set(available())


@pytest.mark.parametrize(("adapter", "name", "value"), PLANTED)
def test_a_secret_is_not_in_what_is_made_of_a_profile(
    tmp_path: Path, adapter: str, name: str, value: Any
) -> None:
    profiles = {"shop": {"outputs": {"default": output_of(adapter, name, value)}}}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump(profiles))

    try:
        made = UnifiedSqlAdapter.from_dbt_profile(tmp_path, "shop", project_dir=tmp_path)
    except ProfileError as error:
        assert SECRET not in texts_of(error)
        return

    target = made.target
    assert target is not None
    shown = [repr(made), repr(made._plan), repr(target), str(dict(target.settings)), *made.warnings]
    assert not [text for text in shown if SECRET in text]
    said = translate_error(
        RuntimeError(f"refused: '{SECRET}' is not what it should be"),
        made.warehouse,
        sql=f"SELECT '{SECRET}'",
        secrets=made._plan.secrets,
    )
    assert SECRET not in texts_of(said) + str(said.sql)


@pytest.mark.parametrize(("adapter", "name", "value"), PLANTED)
def test_a_secret_of_the_environment_is_hidden_in_any_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: str, name: str, value: Any
) -> None:
    """`env_var('DBT_ENV_SECRET_…')` marks a secret by itself: here in a field that nobody knows."""
    monkeypatch.setenv("DBT_ENV_SECRET_HUSH", SECRET)
    output = {**PROFILES[adapter], "type": adapter, "flavour": "{{ env_var('DBT_ENV_SECRET_HUSH') }}"}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"shop": {"outputs": {"default": output}}}))

    made = UnifiedSqlAdapter.from_dbt_profile(tmp_path, "shop", project_dir=tmp_path)

    assert made.target is not None
    assert SECRET not in repr(made) + repr(made.target) + "".join(made.warnings)
    assert SECRET in made._plan.secrets


@pytest.mark.parametrize("adapter", sorted(PROFILES))
def test_a_field_of_the_wrong_kind_does_not_show_its_secret(adapter: str) -> None:
    warehouse = warehouse_named(adapter)
    for known, name in FIELDS_OF_THE_ADAPTERS:
        if known != adapter:
            continue
        fields = Fields(
            {**PROFILES[adapter], name: [SECRET]}, aliases=warehouse.aliases if name != "pass" else {}
        )
        with pytest.raises(ProfileError) as caught:
            fields.text(name)
        assert SECRET not in texts_of(caught.value)


AWKWARD = "s3cr3t'ENV\\/p@ss%wörd//x"
POSTGRES = {"type": "postgres", **PROFILES["postgres"], "host": "127.0.0.1"}


@pytest.mark.parametrize("secret", [SECRET, AWKWARD])
@pytest.mark.parametrize("field", ["port", "sslmode", "retries", "threads", "type", "target", "sslrootcert"])
@pytest.mark.parametrize("text", ["{}", "/no/such/{}.pem"])
def test_no_error_about_a_field_shows_a_secret_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, field: str, text: str
) -> None:
    """Fields whose values are shown in the error that refuses them."""
    monkeypatch.setenv("DBT_ENV_SECRET_HUSH", secret)
    value = text.format("{{ env_var('DBT_ENV_SECRET_HUSH') }}")
    profile: dict[str, Any] = {"outputs": {"default": dict(POSTGRES)}}
    (profile if field == "target" else profile["outputs"]["default"])[field] = value
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"shop": profile}))

    with pytest.raises(ProfileError) as caught:
        UnifiedSqlAdapter.from_dbt_profile(tmp_path, "shop", project_dir=tmp_path).connect()

    said = texts_of(caught.value)
    assert "***" in said
    assert not [part for part in (secret, repr(secret)[1:-1], str(Path(secret))) if part in said]


def test_a_password_in_the_wrong_field_too_is_not_shown(tmp_path: Path) -> None:
    output = {**POSTGRES, "port": SECRET, "password": SECRET}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"shop": {"outputs": {"default": output}}}))

    with pytest.raises(ProfileError, match=r"'port' is not a whole number: '\*\*\*'") as caught:
        UnifiedSqlAdapter.from_dbt_profile(tmp_path, "shop", project_dir=tmp_path)

    assert SECRET not in texts_of(caught.value)


CONNECTIONS: Mapping[str, Mapping[str, Any]] = {
    "postgres": {**PROFILES["postgres"], "host": "127.0.0.1", "port": 1, "password": SECRET},
    "duckdb": {
        "path": "nowhere/shop.duckdb",
        "secrets": [{"type": "http", "bearer_token": SECRET}],
        "settings": {"s3_secret_access_key": SECRET},
    },
}


@pytest.mark.parametrize("adapter", sorted(CONNECTIONS))
@pytest.mark.parametrize("command", [["doctor"], ["runs"], ["record"]])
def test_no_command_shows_a_secret_when_it_cannot_connect(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    adapter: str,
    command: list[str],
) -> None:
    output = {"type": adapter, **CONNECTIONS[adapter]}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"shop": {"outputs": {"default": output}}}))
    (tmp_path / "dbt_project.yml").write_text("{name: shop, profile: shop}")
    monkeypatch.chdir(tmp_path)

    code = run_command_line(command)

    said = capsys.readouterr()
    assert code != 0
    assert SECRET not in said.out + said.err


@pytest.mark.extensive
def test_a_secret_in_a_statement_that_fails_is_hidden(tmp_path: Path) -> None:
    output = {
        "type": "duckdb",
        "path": str(tmp_path / "shop.duckdb"),
        "attach": [{"path": str(tmp_path / "no" / "x.db"), "options": {"encryption_key": SECRET}}],
    }
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"shop": {"outputs": {"default": output}}}))

    with (
        UnifiedSqlAdapter.from_dbt_profile(tmp_path, "shop", project_dir=tmp_path) as adapter,
        pytest.raises(RecceMetaError) as caught,
    ):
        adapter.execute("SELECT 1")

    assert SECRET not in texts_of(caught.value) + str(getattr(caught.value, "sql", ""))
    checks = check_connection(adapter.at("s"))
    assert SECRET not in str(checks)


@pytest.mark.extensive
def test_nothing_that_is_recorded_holds_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is a file here, so that every byte of it can be looked through."""
    import shutil

    import recce_meta.demo_data

    demo = Path(recce_meta.demo_data.__file__).parent
    shutil.copytree(demo / "base", tmp_path / "target")
    output = {
        "type": "duckdb",
        "path": "shop.duckdb",
        "secrets": [{"type": "http", "name": "n", "bearer_token": SECRET}],
    }
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"jaffle": {"outputs": {"default": output}}}))
    (tmp_path / "dbt_project.yml").write_text("{name: jaffle_shop, profile: jaffle}")
    monkeypatch.chdir(tmp_path)

    assert run_command_line(["record"]) == 0
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("shop.duckdb*"))
    assert len(kept) > 10_000 and SECRET.encode() not in kept


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{SECRET}@127.0.0.1:1/d",
        f"postgresql://u@127.0.0.1:1/d?password={SECRET}",
        f"mysql://u:{SECRET}@127.0.0.1:1/d",
        f"mysql://u@127.0.0.1:1/d?password={SECRET}",
        f"trino://u:{SECRET}@127.0.0.1:1/d",
        f"duckdb:///nowhere/x.duckdb?motherduck_token={SECRET}",
        f"duckdb:///md:x?motherduck_token={SECRET}",
        f"snowflake://u:{SECRET}@account/d/s",
    ],
)
def test_no_url_shows_its_secret(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    made = UnifiedSqlAdapter.from_url(url)
    assert SECRET not in repr(made) + repr(made._plan) + str(made.target)
    if url.startswith(("snowflake", "duckdb:///md")):  # which would try to reach somebody
        return

    code = run_command_line(["runs", "--url", url])

    said = capsys.readouterr()
    assert code in (2, 3) and SECRET not in said.out + said.err


def test_masking_leaves_no_secret_in_settings() -> None:
    for adapter, name, value in NESTED:
        assert SECRET not in str(masked({name: value})), (adapter, name)


@pytest.mark.parametrize(
    "text",
    [
        "{{ env_var('PLAIN') | as_number }}",
        "{{ env_var('PLAIN') | as_bool }}",
        "{{ 'Hush-4711-hush' | as_number }}",
        "{{ env_var('PLAIN') + 1 }}",
        "{{ {}[env_var('PLAIN')] }}",
        "{{ env_var('PLAIN').x[env_var('PLAIN')] }}",
        "{{ env_var(env_var('PLAIN')) }}",
        "{{ fromjson('{}')[env_var('PLAIN')].x }}",
    ],
)
@pytest.mark.parametrize("field", ["password", "pass", "token"])
def test_an_expression_in_a_secret_field_that_fails_does_not_show_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, field: str
) -> None:
    monkeypatch.setenv("PLAIN", SECRET)
    output = {**POSTGRES, field: text}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"shop": {"outputs": {"default": output}}}))

    with pytest.raises(ProfileError) as caught:
        UnifiedSqlAdapter.from_dbt_profile(tmp_path, "shop", project_dir=tmp_path)

    assert f"at 'shop.outputs.default.{field}'" in caught.value.message
    assert not [line for line in texts_of(caught.value).splitlines() if SECRET in line]


@pytest.mark.parametrize(
    "password", ["p@ss/word", "p@ss@word", "p@ss?word", "p/a@ss:word", "p'x@ss/word", "p@ss:w"]
)
def test_a_password_that_is_not_escaped_is_refused_without_a_piece_of_it(
    password: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_command_line(["runs", "--url", f"postgresql://postgres:{password}@127.0.0.1/test"])

    said = capsys.readouterr()
    assert code == 2
    assert "/ as %2F" in said.err and "ss" not in said.err.replace("password", "")


@pytest.mark.parametrize(
    ("url", "host", "database"),
    [
        ("postgresql://u:p%40ss%2Fw@h/d", "h", "d"),
        ("postgresql://me@corp:p/w@h:1/d?options=a@b", "h", "d"),
        ("duckdb:////tmp/a:b@c@d.duckdb", None, "/tmp/a:b@c@d.duckdb"),
    ],
)
def test_an_at_sign_elsewhere_in_a_url_is_no_password(url: str, host: str | None, database: str) -> None:
    plan = UnifiedSqlAdapter.from_url(url)._plan
    assert (plan.url.host, plan.url.database) == (host, database)


@pytest.mark.parametrize("cut", [1, 5, len(SECRET) - 1])
def test_a_secret_that_the_limit_of_messages_cuts_leaves_nothing(cut: int) -> None:
    text = "." * (MESSAGE_LENGTH - 1 - cut) + SECRET + "." * 100
    with pytest.raises(RecceMetaError) as caught, mask_errors(lambda: [SECRET]):
        raise RecceMetaError(text, hint=text)
    for shown in (caught.value.message, caught.value.hint or "", *caught.value.args):
        assert shown == "." * (MESSAGE_LENGTH - 1 - cut) + "…"
