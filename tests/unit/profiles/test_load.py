"""profiles.yml is found, selected and rendered as dbt does it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.errors import ConfigurationError, ProfileError
from recce_meta.profiles import (
    RenderedProfile,
    find_project_dir,
    load_profile,
    read_project_name,
    read_target_path,
)
from recce_meta.profiles.discovery import parse_dotenv, with_dotenv
from recce_meta.profiles.rendering import Renderer, RenderingError

ENVIRONMENT = {
    "PORT": "5432",
    "FLAG": "true",
    "NUMSTR": "00123",
    "LST": "['a','b']",
    "EMPTY": "",
    "DBT_ENV_SECRET_PW": "s3cr%t{{x}}",
    "DBT_ENV_SECRET_OTHER": "other",
}

PROFILES = """
config:
  send_anonymous_usage_stats: false
shop:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: dev.duckdb
      threads: 4
    prod:
      type: postgres
      host: "{{ env_var('PROD_HOST') }}"
      password: "{{ env_var('DBT_ENV_SECRET_PROD') }}"
other:
  outputs:
    default: {type: duckdb, path: "other.duckdb"}
"""


def repeating(wrapped: str) -> str:
    """Nine aliases in each value of the value before it: half a kilobyte, 387 million values."""
    levels = (wrapped.format(", ".join([f"*a{level - 1}"] * 9)) for level in range(1, 10))
    return "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {text}\n" for n, text in enumerate(levels, start=1))


def render(
    value: object, path: tuple[str, ...] = (), variables: Mapping[str, object] | None = None
) -> object:
    return Renderer(ENVIRONMENT, variables or {}).render(value, path)


# --- rendering: what dbt-core 1.11 and 1.12 give ------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ env_var('PORT') }}", "5432"),
        ("{{ env_var('PORT') | as_number }}", 5432),
        ("{{ env_var('PORT') | int }}", 5432),
        ("{{ '1.5' | as_number }}", 1.5),
        ("{{ 'True' | as_bool }}", True),
        ("{{ 'False' | as_bool }}", False),
        ("{{ env_var('LST') | as_native }}", ["a", "b"]),
        ("{{ 'not a literal' | as_native }}", "not a literal"),
        ("{{ env_var('NUMSTR') }}", "00123"),
        ("{{ env_var('PORT') | as_text }}", "5432"),
        ("{{ env_var('NOPE', 'dflt') }}", "dflt"),
        ("{{ env_var('EMPTY', 'd') }}", ""),
        ("x{{ env_var('DBT_ENV_SECRET_PW') }}y", "xs3cr%t{{x}}y"),
        ("{{ env_var('DBT_ENV_SECRET_PW') | upper }}", "s3cr%t{{x}}"),
        ("{{ env_var('DBT_ENV_SECRET_PW') | lower }}", "s3cr%t{{x}}"),
        ("{{ env_var('DBT_ENV_SECRET_PW') }}:{{ env_var('DBT_ENV_SECRET_OTHER') }}", "s3cr%t{{x}}:other"),
        ("{{ env_var('DBT_ENV_SECRET_ABSENT', 'd') }}", "d"),
        ("{{ var('v') }}", "vv"),
        ("{{ var('w', 'dd') }}", "dd"),
        ("{{ 1+1 }}", "2"),
        ("{{ true }}", "True"),
        ("{% if env_var('FLAG')=='true' %}A{% else %}B{% endif %}", "A"),
        ("port {{ env_var('PORT') | as_number }}", "port 5432"),
        ("{% set p = env_var('PORT') %}{{ p }}", "5432"),
        ("{# nothing #}", ""),
        ("no jinja: 100%", "no jinja: 100%"),
        (5, 5),
        (True, True),
        (None, None),
        (1.5, 1.5),
        (datetime.date(2026, 11, 20), "2026-11-20"),
        (["{{ env_var('PORT') }}", {"{{ key }}": "{{ env_var('PORT') }}"}], ["5432", {"{{ key }}": "5432"}]),
    ],
)
def test_a_value_renders_as_dbt_renders_it(template: object, value: object) -> None:
    rendered = render(template, variables={"v": "vv"})

    assert rendered == value
    assert type(rendered) is type(value)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ env_var('FLAG') | as_bool }}", "as_bool: 'true' is not a truth value"),
        ("{{ 'abc' | as_number }}", "as_number: 'abc' is not a number"),
        ("{{ 'True' | as_number }}", "as_number: 'True' is not a number"),
        ("{{ env_var('NOPE') }}", "Environment variable 'NOPE' is not set"),
        ("{{ env_var('NOPE', None) }}", "Environment variable 'NOPE' is not set"),
        ("{{ env_var('DBT_ENV_SECRET_ABSENT') }}", "'DBT_ENV_SECRET_ABSENT' is not set"),
        ("{{ var('w') }}", "Variable 'w' is not set"),
        ("{{ target.name }}", "'target' is undefined"),
        ("{{ ref('x') }}", "'ref' is undefined"),
        ("{{ nope }}", "'nope' is undefined"),
        ("{{ unclosed", "Not valid Jinja"),
        ("{% if x %}", "Not valid Jinja"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ 'a' + 1 }}", "TypeError"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
    ],
)
def test_a_value_that_cannot_be_rendered_says_why(template: str, message: str) -> None:
    with pytest.raises(RenderingError, match=message):
        render(template)


def test_a_password_that_is_not_jinja_is_kept() -> None:
    assert render("ab{{c", ("shop", "outputs", "dev", "password")) == "ab{{c"
    with pytest.raises(RenderingError):
        render("ab{{c", ("shop", "outputs", "dev", "user"))
    with pytest.raises(RenderingError, match="not set"):
        render("{{ env_var('NOPE') }}", ("shop", "outputs", "dev", "password"))


@given(st.text().filter(lambda text: "{{" not in text and "{%" not in text and "{#" not in text))
def test_text_without_jinja_is_never_touched(text: str) -> None:
    assert render(text) == text


@given(st.text(min_size=1))
def test_a_secret_arrives_whole_whatever_it_holds(secret: str) -> None:
    renderer = Renderer({"DBT_ENV_SECRET_X": secret}, {})

    assert renderer.render("<{{ env_var('DBT_ENV_SECRET_X') }}>") == f"<{secret}>"
    assert renderer.secrets == (secret,)


# --- choosing a profile and a target ------------------------------------------------------------------

Load = Callable[..., RenderedProfile]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """load_profile in an empty directory with PROFILES and an environment of its own."""
    (tmp_path / "profiles.yml").write_text(PROFILES)

    def load(
        *arguments: Any, environment: Mapping[str, str] | None = None, **keywords: Any
    ) -> RenderedProfile:
        return load_profile(
            *arguments,
            environment={"HOME": str(tmp_path / "home"), **(environment or {})},
            **{"directory": tmp_path, **keywords},
        )

    return load


def write_project(directory: Path, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "dbt_project.yml").write_text(text)
    return directory


def test_the_profiles_own_target_is_the_default(load: Load) -> None:
    profile = load(None, "shop")

    assert (profile.name, profile.target, profile.type, profile.threads) == ("shop", "dev", "duckdb", 4)
    assert profile.fields == {"path": "dev.duckdb"}


def test_of_duplicate_keys_the_last_counts_as_in_dbt(load: Load, tmp_path: Path) -> None:
    (tmp_path / "profiles.yml").write_text(
        "shop:\n  target: dev\n  target: prod\n"
        "  outputs: {dev: {type: duckdb, path: a}, prod: {type: duckdb, path: b, path: c}}\n"
    )

    assert load(profile="shop").target == "prod"


def test_without_a_target_it_is_named_default(load: Load) -> None:
    profile = load(None, "other")

    assert (profile.target, profile.threads) == ("default", 1)


def test_a_named_target_wins_over_environment_and_profile(load: Load) -> None:
    environment = {"DBT_TARGET": "missing", "PROD_HOST": "h", "DBT_ENV_SECRET_PROD": "pw"}

    profile = load(None, "shop", "prod", environment=environment)

    assert profile.fields == {"host": "h", "password": "pw"}
    assert profile.secrets == ("pw",)


@pytest.mark.parametrize(
    ("environment", "target"),
    [
        ({"DBT_TARGET": "prod"}, "prod"),
        ({"DBT_ENGINE_TARGET": "prod", "DBT_TARGET": "dev"}, "prod"),
        ({"DBT_TARGET": ""}, "dev"),
    ],
)
def test_the_environment_names_a_target(load: Load, environment: dict[str, str], target: str) -> None:
    known = {"PROD_HOST": "h", "DBT_ENV_SECRET_PROD": "pw"}

    assert load(None, "shop", environment={**known, **environment}).target == target


def test_variables_that_only_another_output_needs_may_be_missing(load: Load) -> None:
    assert load(None, "shop", "dev").type == "duckdb"
    with pytest.raises(ProfileError, match="'PROD_HOST' is not set"):
        load(None, "shop", "prod")


def test_a_rendering_error_names_field_file_and_line(load: Load, tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        load(None, "shop", "prod")

    assert f"'shop.outputs.prod.host', {tmp_path / 'profiles.yml'}:13" in caught.value.message
    assert "env_var('PROD_HOST'" in (caught.value.hint or "")


def test_the_profile_of_the_project_is_the_default(load: Load, tmp_path: Path) -> None:
    write_project(tmp_path, "name: jaffle\nprofile: \"{{ env_var('WHICH', 'shop') }}\"\n")

    assert load().name == "shop"
    assert load(environment={"WHICH": "other"}).name == "other"
    assert load(environment={"DBT_PROFILE": "other"}).name == "other"
    assert load(environment={"DBT_ENGINE_PROFILE": "other", "DBT_PROFILE": "shop"}).name == "other"
    assert load(None, "other", environment={"DBT_PROFILE": "shop"}).name == "other"


def test_a_project_may_choose_its_profile_by_a_variable(load: Load, tmp_path: Path) -> None:
    write_project(tmp_path, "name: jaffle\nprofile: \"{{ var('which') }}\"\n")

    assert load(variables={"which": "other"}).name == "other"


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ((None, "shp"), "Profile 'shp' not found", "other, shop"),
        ((None, "shop", "staging"), "has no target 'staging'", "dev, prod"),
        ((None, "config"), "has no 'outputs:'", "outputs"),
        ((), "Missing profile", "--profile NAME"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(
    load: Load, arguments: tuple[Any, ...], message: str, hint: str
) -> None:
    with pytest.raises(ProfileError, match=message) as caught:
        load(*arguments)

    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("- a\n- b\n", "does not contain a mapping"),
        ("shop:\n  outputs: [\n", r"profiles\.yml:3 is not valid YAML"),
        ("shop:\n\toutputs: {}\n", r"profiles\.yml:2 is not valid YAML"),
        ("shop: {target: dev}\n", "has no 'outputs:'"),
        ("shop: {target: dev, outputs: {dev: duckdb}}\n", "is not a mapping"),
        ("shop: {target: dev, outputs: {dev: {path: x}}}\n", "No 'type:'"),
        ("shop: {target: dev, outputs: {dev: {type: duckdb, threads: many}}}\n", "'threads' is not a whole"),
        ("shop: {target: dev, outputs: {dev: {type: duckdb, threads: 0}}}\n", "'threads' is less than 1: 0"),
        ("shop: {target: dev, outputs: {dev: {type: 5}}}\n", "'type' is not a string: 5"),
        ("shop: {target: '{{ nope }}', outputs: {dev: {type: duckdb}}}\n", "'nope' is undefined"),
        ("shop: !!python/object:os.system {}\n", "not valid YAML"),
        ("a: 1\nshop: " + "[" * 200_000, r"profiles\.yml:2 is nested more than 50 levels deep"),
        ("shop:\n" + "".join(f"{'  ' * level}- a:\n" for level in range(60)), "is nested more than 50"),
        ("shop: {since: 2024-13-01}\n", r"yml:1 contains an invalid value: month must be in 1..12"),
        ("a: 1\nshop: !!int ''\n", r"yml:2 contains an invalid value: it does not fit its tag"),
        ("shop: &a {outputs: *a}\n", r"yml:1 repeats 'a' inside itself"),
        ("shop: &a 1\nb: &a 2\n", r"yml:2 is not valid YAML: found duplicate anchor"),
        (repeating("[{}]"), r"yml:\d repeats more than 500,000 values by aliases"),
        (repeating("{{<<: [{}]}}"), r"profiles\.yml:\d+ repeats more than 500,000 values by aliases"),
        ("a0: &a0 {}\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 60)), "nested more than 50"),
        ("shop: 1:" + "59:" * 30_000 + "1\n", r"yml:1 contains a number of 90,003 digits"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(
    load: Load, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "profiles.yml").write_text(text)

    with pytest.raises(ProfileError, match=message) as caught:
        load(None, "shop")

    assert str(tmp_path) in caught.value.message


def test_long_texts_and_ordinary_anchors_are_read(load: Load, tmp_path: Path) -> None:
    fields = ", ".join(f"k{number}: {number}" for number in range(50))
    outputs = "".join(f"    o{number}: {{<<: *all, threads: 1}}\n" for number in range(500))
    text = "1" * 100_000
    (tmp_path / "profiles.yml").write_text(
        f"all: &all {{type: duckdb, threads: 2, {fields}}}\n"
        f"shop:\n  target: o7\n  outputs:\n{outputs}    long: {{<<: *all, path: '{text}'}}\n"
    )

    assert load(None, "shop").threads == 1
    assert load(None, "shop", "long").fields["path"] == text


def test_a_file_that_is_not_text_is_refused(load: Load, tmp_path: Path) -> None:
    (tmp_path / "profiles.yml").write_bytes(b"\xff\xfe\x00shop")

    with pytest.raises(ProfileError, match="not UTF-8"):
        load(None, "shop")


def test_threads_given_as_text_are_a_number(load: Load, tmp_path: Path) -> None:
    (tmp_path / "profiles.yml").write_text("shop: {outputs: {default: {type: duckdb, threads: '8'}}}")

    assert load(None, "shop").threads == 8


def test_the_repr_of_a_profile_shows_no_secret(load: Load) -> None:
    profile = load(None, "shop", "prod", environment={"PROD_HOST": "h", "DBT_ENV_SECRET_PROD": "hush-hush"})

    assert "hush-hush" not in repr(profile)
    assert "hush-hush" not in profile.where


# --- finding files ------------------------------------------------------------------------------------


def write_profiles(directory: Path, path: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "profiles.yml").write_text(f"shop: {{outputs: {{default: {{type: duckdb, path: {path}}}}}}}")
    return directory


def test_profiles_are_looked_for_in_dbts_order(load: Load, tmp_path: Path) -> None:
    for name in ("given", "engine", "variable"):
        write_profiles(tmp_path / name, name)
    write_profiles(tmp_path / "home" / ".dbt", "home")
    work = write_profiles(tmp_path / "work", "here")
    both = {
        "DBT_ENGINE_PROFILES_DIR": str(tmp_path / "engine"),
        "DBT_PROFILES_DIR": str(tmp_path / "variable"),
    }

    def found(*arguments: Any, **keywords: Any) -> object:
        first = arguments[0] if arguments else None
        return load(first, "shop", directory=work, **keywords).fields["path"]

    assert found(tmp_path / "given", environment=both) == "given"
    assert found(str(tmp_path / "given" / "profiles.yml"), environment=both) == "given"
    assert found(environment=both) == "engine"
    assert found(environment={"DBT_PROFILES_DIR": str(tmp_path / "variable")}) == "variable"
    assert found(environment={"DBT_PROFILES_DIR": "../variable"}) == "variable"
    assert found() == "here"
    (work / "profiles.yml").unlink()
    assert found() == "home"


@pytest.mark.parametrize("environment", [{}, {"DBT_PROFILES_DIR": "nowhere"}])
def test_where_there_are_no_profiles_the_error_says_where_it_looked(
    load: Load, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(ProfileError, match=r"No profiles\.yml at") as caught:
        load(None, "shop", directory=tmp_path / "empty", environment=environment)

    assert "--profiles-dir" in (caught.value.hint or "")
    with pytest.raises(ProfileError, match=r"No profiles\.yml at"):
        load(tmp_path / "nowhere", "shop")


def test_a_project_is_found_here_or_above_or_by_the_environment(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", "name: a")
    other = write_project(tmp_path / "other", "name: b")
    below = project / "models" / "deep"
    below.mkdir(parents=True)

    assert find_project_dir(directory=below, environment={}) == project
    assert find_project_dir(directory=project, environment={}) == project
    for variable in ("DBT_PROJECT_DIR", "DBT_ENGINE_PROJECT_DIR"):
        environment = {variable: str(other)}
        assert find_project_dir(directory=below, environment=environment) == other
        assert find_project_dir(below, environment=environment) == project
    assert find_project_dir(directory=tmp_path, environment={}) is None
    with pytest.raises(ConfigurationError, match=r"No dbt_project\.yml in"):
        find_project_dir(directory=tmp_path, environment={"DBT_PROJECT_DIR": str(tmp_path)})


def test_the_projects_name_is_rendered(tmp_path: Path) -> None:
    write_project(tmp_path, "name: \"{{ env_var('TEAM', 'x') }}_shop\"\nmodels: {x: '{{ unknown }}'}")

    assert read_project_name(tmp_path, environment={"TEAM": "blue"}) == "blue_shop"


@pytest.mark.parametrize("key", ["name", "target-path"])
def test_a_secret_that_would_be_printed_is_refused(tmp_path: Path, key: str) -> None:
    write_project(tmp_path, f"{key}: \"x_{{{{ env_var('DBT_ENV_SECRET_X') }}}}\"")
    read = read_project_name if key == "name" else read_target_path

    with pytest.raises(ConfigurationError, match="A secret cannot be used") as raised:
        read(tmp_path, environment={"DBT_ENV_SECRET_X": "hunter2secret"})

    assert "hunter2secret" not in str(raised.value) + str(raised.value.hint)


def test_a_project_without_a_name_is_refused(tmp_path: Path) -> None:
    write_project(tmp_path, "version: 2\n")

    with pytest.raises(ConfigurationError, match="No 'name:'"):
        read_project_name(tmp_path, environment={})


def test_no_project_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Cannot read"):
        read_project_name(tmp_path, environment={})


# --- .env ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1", {"A": "1"}),
        ("A = 1 \nB=2", {"A": "1", "B": "2"}),
        ("export A=1", {"A": "1"}),
        ("# comment\n\nA=1 # rest\n", {"A": "1"}),
        ("A=a#b", {"A": "a#b"}),
        ("A='single # ${B} \\n'", {"A": "single #  \\n"}),
        ('A="double # \\n\\t\\"q\\""', {"A": 'double # \n\t"q"'}),
        ("A='it\\'s'", {"A": "it's"}),
        ("A=", {"A": ""}),
        ("A=''", {"A": ""}),
        ("A", {}),
        ('A="two\nlines"\nB=1', {"A": "two\nlines", "B": "1"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=1\nB=${A}2\nC=${NOPE:-d}\nD=${HOME}", {"A": "1", "B": "12", "C": "d", "D": "/h"}),
        ("= broken\nA=1", {"A": "1"}),
        ("A=x=y", {"A": "x=y"}),
        ("A=with space", {"A": "with space"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A= # nothing", {"A": ""}),
        ("A=#nothing", {"A": "#nothing"}),
        ("A='open\nB=1", {"B": "1"}),
        ('A="so" much\nB=1', {"B": "1"}),
        ("'a key'=1\ntwo.dots=2\né=3", {"a key": "1", "two.dots": "2", "é": "3"}),
        ("A=1\nA", {}),
        ("export =1\nB=1", {"B": "1"}),
        ("", {}),
    ],
)
def test_a_dotenv_file_sets_variables(text: str, values: dict[str, str]) -> None:
    assert parse_dotenv(text, {"HOME": "/h"}) == values


@given(st.text(max_size=60))
def test_no_dotenv_file_is_too_strange_to_read(text: str) -> None:
    assert all(isinstance(value, str) for value in parse_dotenv(text, {}).values())


def test_the_nearest_dotenv_adds_to_the_environment_and_never_overrides_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=far\nB=far\n")
    below = tmp_path / "below"
    below.mkdir()

    assert with_dotenv({"A": "real"}, below) == {"A": "real", "B": "far"}
    (below / ".env").write_text("C=near\n")
    assert with_dotenv({"A": "real"}, below) == {"A": "real", "C": "near"}


def test_variables_of_a_dotenv_file_reach_the_profile(load: Load, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROD_HOST=from-dotenv\nDBT_ENV_SECRET_PROD=pw\nDBT_TARGET=prod\n")

    assert load(None, "shop").fields["host"] == "from-dotenv"


@pytest.mark.parametrize(
    ("project", "environment", "folder"),
    [
        ("", {}, "target"),
        ("target-path: ../docs", {}, "../docs"),
        ("target-path: \"target_{{ env_var('TEAM') }}\"", {"TEAM": "blue"}, "target_blue"),
        ("target-path: ../docs", {"DBT_TARGET_PATH": "build"}, "build"),
        ("target-path: ../docs", {"DBT_TARGET_PATH": "build", "DBT_ENGINE_TARGET_PATH": "/new"}, "/new"),
        (None, {}, "target"),
    ],
)
def test_the_target_path_is_dbts(
    tmp_path: Path, project: str | None, environment: dict[str, str], folder: str
) -> None:
    if project is not None:
        (tmp_path / "dbt_project.yml").write_text(f"name: shop\n{project}\n")

    assert read_target_path(tmp_path, environment) == tmp_path / folder
