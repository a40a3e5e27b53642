"""The configuration file: keys, both files, problems with lines, refused passwords, and the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from recce_meta.config.discovery import ConfigFiles, find_config_files, has_header
from recce_meta.config.file import (
    NO_CONFIG,
    Config,
    EnvironmentSettings,
    NamedSelection,
    StoreSettings,
    _urls,
    origin_key,
    read_config,
)
from recce_meta.errors import UsageError

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "reference" / "recce_meta.schema.json").read_text(encoding="utf-8")
)

FULL = """\
project: shop
store: {profile: shop, target: metadata, profiles_dir: conf, schema: meta}
environments:
  production: {target: prod, branch: main}
  ci: {target: "duckdb:///ci.duckdb"}
base: production
current: branch:feature
select: tag:nightly
exclude: [tag:slow, stg_*]
selections:
  nightly: tag:nightly
  both: [orders, customers]
  finance: {select: path:models/finance, exclude: tag:legacy}
threads: 8
budget: 1.5
max_rows: 0
privacy: {values: true, columns: [salary, "*note"]}
fail_on: {diff: [breaking, removed], scan: any, quality: ["null_share > 10%"]}
nodes:
  "stg_*": {compare: rows}
  orders: {key: order_id, sample: 10%}
"""


def written(folder: Path, own: str | None = None, pyproject: str | None = None) -> ConfigFiles:
    """The files of *folder* with these contents."""
    if own is not None:
        (folder / "recce_meta.yml").write_text(own, encoding="utf-8")
    if pyproject is not None:
        (folder / "pyproject.toml").write_text(pyproject, encoding="utf-8")
    return find_config_files(None, {}, folder)


def problem(folder: Path, own: str) -> UsageError:
    with pytest.raises(UsageError) as raised:
        read_config(written(folder, own))
    assert raised.value.exit_code == 2
    return raised.value


def test_every_key_is_read(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, FULL))

    assert (config.project, config.base, config.current) == ("shop", "production", "branch:feature")
    assert (config.store.profile, config.store.target, config.store.schema) == ("shop", "metadata", "meta")
    assert config.store.profiles_dir == str(tmp_path / "conf")
    assert config.environments == {
        "production": EnvironmentSettings(target="prod", branch="main"),
        "ci": EnvironmentSettings(target=f"duckdb:///{tmp_path}/ci.duckdb"),
    }
    assert (config.select, config.exclude) == (("tag:nightly",), ("tag:slow", "stg_*"))
    assert config.selections["both"] == NamedSelection(select=("orders", "customers"))
    assert config.selections["finance"].exclude == ("tag:legacy",)
    assert (config.threads, config.budget, config.max_rows) == (8, 1.5, 0)
    assert (config.privacy.values, config.privacy.columns) == (True, ("salary", "*note"))
    assert config.fail_on.diff == ("breaking", "removed")
    assert config.fail_on.quality == ("null_share > 10%",)
    assert [glob for glob, _ in config.nodes] == ["stg_*", "orders"]
    assert config.nodes[1][1].key == ("order_id",)
    assert origin_key(config, "environments.ci.target") == "recce_meta.yml:5"
    assert origin_key(config, "nodes.orders.key") == "recce_meta.yml:21"


def test_no_file_is_the_empty_configuration(tmp_path: Path) -> None:
    assert read_config(find_config_files(tmp_path, {}, tmp_path)) is NO_CONFIG
    assert read_config(written(tmp_path, "")) == Config(files=(tmp_path / "recce_meta.yml",))


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("store: metadata", "target", "metadata"),
        ("store: postgresql://u@h/db", "url", "postgresql://u@h/db"),
        ("store: duckdb:////abs/store.duckdb", "url", "duckdb:////abs/store.duckdb"),
        ("store: 'duckdb:///md:cloud'", "url", "duckdb:///md:cloud"),
    ],
)
def test_a_store_in_one_word_is_a_target_or_a_url(tmp_path: Path, text: str, name: str, value: str) -> None:
    assert getattr(read_config(written(tmp_path, text)).store, name) == value


def test_a_relative_file_of_an_embedded_database_is_next_to_the_configuration(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, "store: 'duckdb:///data/store.duckdb?threads=2'"))

    assert config.store.url == f"duckdb:///{tmp_path}/data/store.duckdb?threads=2"


def test_a_key_of_recce_meta_yml_replaces_that_of_pyproject_toml(tmp_path: Path) -> None:
    files = written(
        tmp_path,
        "store: {target: a}\n",
        '[tool.other]\nx = 1\n\n[tool.recce-meta]\nthreads = 3\n[tool.recce-meta.store]\nschema = "s"\n',
    )
    config = read_config(files)

    assert (config.store.target, config.store.schema, config.threads) == ("a", None, 3)
    assert origin_key(config, "threads") == "pyproject.toml:5"
    assert origin_key(config, "store.schema") == "recce_meta.yml:1"


def test_a_pyproject_of_other_tools_is_not_a_configuration(tmp_path: Path) -> None:
    assert written(tmp_path, None, '[project]\ndependencies = ["recce-meta"]\n').paths == ()
    assert has_header('[ tool . "recce-meta" ]  # ours')


def test_the_files_are_in_the_folder_of_the_dbt_project(tmp_path: Path) -> None:
    models = tmp_path / "dbt" / "models"
    models.mkdir(parents=True)
    (tmp_path / "recce_meta.yml").touch()

    assert find_config_files(None, {}, models).own == tmp_path / "recce_meta.yml"

    (tmp_path / "dbt" / "dbt_project.yml").touch()
    assert find_config_files(None, {}, models).own is None

    (tmp_path / "dbt" / "recce_meta.yml").touch()
    own = tmp_path / "dbt" / "recce_meta.yml"
    assert find_config_files(None, {}, models).own == own
    assert find_config_files(tmp_path / "dbt", {}, tmp_path).own == own
    assert find_config_files(None, {"DBT_PROJECT_DIR": "dbt"}, tmp_path).own == own


def test_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    error = problem(tmp_path, "threads: 2\nbudgt: 3\n")

    assert error.message == f"{tmp_path}/recce_meta.yml:2: unknown key 'budgt' in the file"
    assert error.hint == "did you mean 'budget'?"


def test_all_problems_are_reported_with_their_lines(tmp_path: Path) -> None:
    text = "threads: no\nstore: {urls: x}\nnodes:\n  orders:\n    compare: value\nselections: {a b: orders}\n"
    message = problem(tmp_path, text).message

    assert ":1: threads must be a whole number, 1 or greater, not false" in message
    assert ":2: unknown key 'urls' in store (did you mean 'url'?)" in message
    assert ":5: compare cannot be 'value' (did you mean 'values'?)" in message
    assert ":6: invalid name of a selection: 'a b'" in message


@pytest.mark.parametrize(
    ("text", "hint"),
    [("url: x", "put url under store"), ("key: id", "under nodes"), ("tables: []", "checks.yml")],
)
def test_a_key_in_the_wrong_place_is_sent_to_its_place(tmp_path: Path, text: str, hint: str) -> None:
    assert hint in (problem(tmp_path, text).hint or "")


@pytest.mark.parametrize(
    "text",
    [
        "store: postgresql://u:Hu5hhush@h/db",
        "threads: 1 # postgresql://u:Hu5hhush@h/db",
        "store:\n  url: 'snowflake://u@a/db?password=Hu5hhush'",
        "store: 'bigquery://p?credentials_base64=Hu5hhush'",
        "environments: {ci: {target: 'postgresql://u:Hu5hhush@h/db'}}",
        "store: postgresql://u:Hu5hhush@h/db\n  broken: [",
        'store: "postgresql:\\u002f/u:Hu5hhush@h/db"',
        "nodes: {'postgresql://u:Hu5hhush@h/db': {}}",
        "project: mysql://u:Hu5, hhush@h/db",
    ],
)
def test_a_url_with_a_password_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    error = problem(tmp_path, text)

    assert error.message.endswith("a URL contains a password")
    assert "hush" not in str(error)
    assert "RECCE_META_URL" in (error.hint or "")


def test_a_password_in_pyproject_toml_is_refused_only_in_our_table(tmp_path: Path) -> None:
    other = '[tool.other]\nurl = "postgresql://u:Hu5hhush@h/db"\n[tool.recce-meta]\n'

    assert read_config(written(tmp_path, None, other)).store.url is None

    with pytest.raises(UsageError, match=r"pyproject\.toml:4: a URL contains a password"):
        read_config(written(tmp_path, None, other + 'store = "postgresql://u:Hu5hhush@h/db"\n'))


def test_stores_are_written_like_the_store(tmp_path: Path) -> None:
    text = """\
stores:
  prod: metadata
  local: duckdb:///data/store.duckdb
  other.one: {profile: shop, target: dev, profiles_dir: conf, schema: meta}
"""
    config = read_config(written(tmp_path, text))

    assert config.stores == {
        "prod": StoreSettings(target="metadata"),
        "local": StoreSettings(url=f"duckdb:///{tmp_path}/data/store.duckdb"),
        "other.one": StoreSettings(
            profile="shop", target="dev", profiles_dir=str(tmp_path / "conf"), schema="meta"
        ),
    }
    assert origin_key(config, "stores.local.url") == "recce_meta.yml:3"
    assert Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("team", "team"),
        ("https://recce.example.com?store=team", "https://recce.example.com?store=team"),
        ("duckdb:///team.duckdb", "duckdb:///{folder}/team.duckdb"),
        ("bundles/runs.zip", "{folder}/bundles/runs.zip"),
    ],
)
def test_files_of_the_remote_are_relative_to_the_configuration(
    tmp_path: Path, text: str, remote: str
) -> None:
    config = read_config(written(tmp_path, f"remote: {text}\n"))

    assert config.remote == remote.replace("{folder}", str(tmp_path))
    assert origin_key(config, "remote") == "recce_meta.yml:1"


@pytest.mark.parametrize("text", ["remote: 5", "remote: []", "remote: ''"])
def test_a_malformed_remote_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"recce_meta\.yml:1: remote"):
        read_config(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stores:\n  a: {urls: x}", ":2: unknown key 'urls' in stores.a"),
        ("stores:\n  a: {url: 'duckdb:///a', target: b}", ":2: stores.a has both url and target"),
        ("stores:\n  a: {url: a}", ":2: stores.a.url is not a URL"),
        ("stores:\n  a: 5", ":2: stores.a must be a mapping"),
        ("stores:\n  a/b: prod", ":2: invalid name of a store: 'a/b'"),
        ("stores: prod", ":1: stores must be a mapping by name"),
        ("stores:\n  a: postgresql://u:Hu5hhush@h/db", ":2: a URL contains a password"),
        ("store:\n  a: prod", "unknown key 'a' in store"),
    ],
)
def test_malformed_stores_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(UsageError) as found:
        read_config(written(tmp_path, text))

    assert problem in str(found.value) and "Hu5hhush" not in str(found.value)
    assert not Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text)) or "url" in text or "Hu5" in text


@pytest.mark.parametrize("text", ["store: [", "- a", "just text", "threads: 1\nthreads: 2"])
def test_a_file_that_is_not_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "recce_meta.yml" in problem(tmp_path, text).message


def test_malformed_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not valid TOML"):
        read_config(written(tmp_path, None, "[tool.recce-meta]\nthreads = \n"))


GOOD = [
    FULL,
    "",
    "store: prod",
    "fail_on: [breaking]",
    "fail_on: breaking",
    "project:\nstore:\nnodes:\nselections:\nfail_on:\n",
    "nodes: {a: {tolerance: 0.5, relative_tolerance: 1e-9, exclude: a, where: x > 1}}",
    "nodes: {a: }",
    "select: []",
]
BAD = [
    "store: 5",
    "store: {url: notaurl}",
    "store: {url: 'a://b', target: c}",
    "project: ' '",
    "threads: 0",
    "threads: true",
    "threads: '4'",
    "budget: 0",
    "budget: fast",
    "max_rows: -1",
    "select: {a: b}",
    "select: [1]",
    "environments: [a]",
    "environments: {a: prod}",
    "environments: {a: {targets: prod}}",
    "selections: {a: 5}",
    "selections: {a: }",
    "selections: {a+b: orders}",
    "privacy: {values: yes please}",
    "privacy: {column: a}",
    "fail_on: {check: a}",
    "fail_on: 5",
    "nodes: {a: {keys: b}}",
    "nodes: {a: {key: []}}",
    "nodes: {a: {sample: 10}}",
    "nodes: {a: {compare: some}}",
    "nodes: {a: {tolerance: -1}}",
    "unknown: 1",
    "[]",
]


@pytest.mark.parametrize("text", [*GOOD, *BAD])
def test_the_published_schema_accepts_what_the_reader_accepts(tmp_path: Path, text: str) -> None:
    document: Any = yaml.safe_load(text)
    is_valid = Draft202012Validator(SCHEMA).is_valid(document)

    assert is_valid is (text in GOOD)
    if is_valid:
        read_config(written(tmp_path, text))
    else:
        problem(tmp_path, text)


def test_the_schema_is_valid_and_describes_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert all(one["description"] for one in SCHEMA["properties"].values())


def test_unknown_keys_are_left_out_and_listed_if_asked(tmp_path: Path) -> None:
    files = written(tmp_path, "project: shop\nprivcy: {values: false}\nenvironments: {ci: {trget: x}}\n")

    config = read_config(files, ignores_unknown=True)

    assert (config.project, config.privacy.values) == ("shop", None)
    (ignored,) = config.ignored
    assert "recce_meta.yml:2: unknown key 'privcy'" in ignored.message
    assert "recce_meta.yml:3: unknown key 'trget'" in ignored.message


def test_other_problems_are_errors_even_then(tmp_path: Path) -> None:
    for text in ("privcy: 1\nthreads: many\n", "store: {shema: meta}\n", "strore: {target: prod}\n"):
        with pytest.raises(UsageError, match=r"threads|shema|strore"):
            read_config(written(tmp_path, text), ignores_unknown=True)


@pytest.mark.parametrize("unit", ["a://", "a://b:c d@e ", "://@", "'://\"", "x@y://z/"])
def test_the_search_for_urls_takes_work_in_proportion_to_the_text(unit: str) -> None:
    text = unit * 2_000

    assert sum(map(len, _urls(text))) <= 40 * len(text)
