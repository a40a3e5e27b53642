"""Commands of dbt, our profile, and settings of the package index, as they are given to programs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from recce_meta.errors import ConfigurationError, UsageError
from recce_meta.repositories.extraction.dbt.commands import (
    InstalledDbt,
    PackageAccess,
    check_variables,
    deps_command,
    parse_command,
)
from recce_meta.repositories.extraction.dbt.environments import (
    built_from_source,
    requirements,
    uv_environment,
)
from recce_meta.repositories.extraction.dbt.profile import merge_targets, write_profile
from recce_meta.repositories.extraction.dbt.project import DbtProject, read_dbt_project
from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git.environment import package_config, package_environment
from recce_meta.repositories.options.values import ProfileTarget
from recce_meta.repositories.state.requests import ConnectionChange, check_request
from recce_meta.warehouses import available


def dbt(version: str) -> InstalledDbt:
    minor = ".".join(version.split(".")[:2])
    return InstalledDbt(
        argv=("/env/dbt",), minor=minor, version=version, adapter="duckdb", adapter_version="1.0",
        read_only=(Path("/env"),),
    )  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> DbtProject:
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "dbt_project.yml").write_text("name: shop\nprofile: shop\nrequire-dbt-version: '=1.11.2'\n")
    return read_dbt_project(folder)


def test_parse_reads_our_profile_and_writes_to_one_folder(tmp_path: Path, shop: DbtProject) -> None:
    profile = write_profile(tmp_path / "profile", "shop", "duckdb", ProfileTarget(target="prod"))
    command = parse_command(
        dbt("1.11.2"), shop, shop.folder, profile, tmp_path / "out", variables={"REGION": "eu"}
    )
    out = tmp_path / "out"
    assert command.argv == (
        *("/env/dbt", "parse", "--project-dir", f"{shop.folder}", "--profiles-dir", f"{tmp_path}/profile"),
        *(
            "--profile",
            "shop",
            "--target",
            "prod",
            "--log-path",
            f"{out}/logs",
            "--target-path",
            f"{out}/target",
        ),
        *("--no-send-anonymous-usage-stats", "--no-use-colors"),
    )
    assert not command.is_online
    assert command.writable == out
    assert command.read_only == (Path("/env"), shop.folder, tmp_path / "profile")
    assert command.env["REGION"] == "eu"
    assert command.env["HOME"] == str(out)
    # dbt 1.12 reads the first .env in the working folder or above it
    assert (command.cwd / ".env").read_bytes() == b""


def test_the_version_is_not_checked_if_only_the_patch_differs(tmp_path: Path, shop: DbtProject) -> None:
    profile = write_profile(tmp_path, "shop", "duckdb", ProfileTarget())
    command = parse_command(dbt("1.11.9"), shop, shop.folder, profile, tmp_path / "out", variables={})
    assert "--no-version-check" in command.argv


def test_options_of_old_versions_and_of_the_rust_engine(tmp_path: Path, shop: DbtProject) -> None:
    profile = write_profile(tmp_path, "shop", "duckdb", ProfileTarget())
    old = parse_command(dbt("1.3.1"), shop, shop.folder, profile, tmp_path / "out", variables={})
    assert old.argv[1:5] == (
        "--no-anonymous-usage-stats", "--no-use-colors", "--no-version-check", "parse"
    )  # fmt: skip
    assert old.argv[-1] == "--write-manifest"
    assert old.env["DBT_TARGET_PATH"] == f"{tmp_path}/out/target"
    assert old.target == tmp_path / "out" / "target"
    oldest = parse_command(dbt("1.0.1"), shop, shop.folder, profile, tmp_path / "oldest", variables={})
    assert oldest.target == tmp_path / "oldest" / "clone" / "target"
    assert (oldest.target.parent / "dbt_project.yml").is_file()
    rust = parse_command(dbt("2.0.0"), shop, shop.folder, profile, tmp_path / "out", variables={})
    assert "--no-use-colors" not in rust.argv
    assert "--no-version-check" not in rust.argv


def test_deps_has_the_network_and_not_the_project(tmp_path: Path, shop: DbtProject) -> None:
    profile = write_profile(tmp_path / "profile", "shop", "duckdb", ProfileTarget())
    command = deps_command(
        dbt("1.11.2"), tmp_path / "out" / "project", profile, tmp_path / "out",
        variables={},
        access=PackageAccess(
            git_config=Path("/job/git"), env={"NO_PROXY": "a"}, certificates=(Path("/ca"),),
            hub="http://127.0.0.1:1",
        ),
    )  # fmt: skip
    assert command.is_online
    assert shop.folder not in command.read_only
    assert command.env["GIT_ALLOW_PROTOCOL"] == "https"
    assert command.env["GIT_CONFIG_GLOBAL"] == "/job/git"
    assert command.env["NO_PROXY"] == "a"
    assert command.read_only == (Path("/env"), profile.folder, Path("/job/git"), Path("/ca"))
    assert command.env["DBT_PACKAGE_HUB_URL"] == "http://127.0.0.1:1"
    assert command.argv[1] == "deps"


def test_deps_gets_proxies_and_certificates_of_the_worker(tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.touch()
    (tmp_path / "link.pem").symlink_to(certificate)  # bubblewrap cannot mount a link
    environ = {
        "HTTPS_PROXY": "http://user:c@n/ary@proxy:3128", "https_proxy": "", "no_proxy": "git.internal",
        "REQUESTS_CA_BUNDLE": f"{certificate}", "GIT_SSL_CAINFO": f"{tmp_path}/link.pem",
        "APP_TOKEN": "canary", "SSL_CERT_FILE": f"{tmp_path}/missing",
    }  # fmt: skip
    assert package_environment(environ) == (
        {
            "HTTPS_PROXY": "http://proxy:3128",
            "no_proxy": "git.internal",
            "REQUESTS_CA_BUNDLE": f"{certificate}",
            "GIT_SSL_CAINFO": f"{certificate}",
        },
        (certificate,),
    )
    address = parse_address("https://git.example.com:8443/shop")
    config = package_config(address, "canary", environ)
    assert '[http]\n\tproxy = "http://user:c@n/ary@proxy:3128"\n' in config
    assert '[http]\n\tfollowRedirects = "false"\n' in config
    assert '[http "https://git.example.com:8443/"]\n\textraHeader = "Authorization: Basic ' in config
    assert "proxy" not in package_config(address, None, {"HTTPS_PROXY": "http://proxy:3128"})


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "LD_PRELOAD", "PYTHONPATH", "GIT_SSH_COMMAND", "DBT_PACKAGE_HUB_URL", "PIP_PROXY"),
        *(
            "HTTPS_PROXY",
            "https_proxy",
            "All_Proxy",
            "DBT_ENV_PRIVATE_GIT_PROVIDER_INFO",
            "REQUESTS_CA_BUNDLE",
            "SSL_CERT_FILE",
            "UV_DEFAULT_INDEX",
        ),
    ],
)
def test_variables_of_programs_and_servers_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="reserved"):
        check_variables({name: "x"})
    with pytest.raises(UsageError, match=f"{name} cannot be set"):
        check_request(ConnectionChange(variables={name: "x"}))


def test_variables_of_projects_are_accepted() -> None:
    given = {"DBT_SCHEMA": "x", "PATHS": "y", "DBT_ENV_SECRET_TOKEN": "z", "ENV": "prod"}
    check_variables(given)
    check_request(ConnectionChange(variables=given))


@pytest.mark.parametrize("name", ["A B", "=", ""])
def test_invalid_names_of_variables_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="not a valid"):
        check_variables({name: "x"})


@pytest.mark.parametrize("adapter", available())
def test_profiles_have_the_names_of_the_user_and_no_credentials(tmp_path: Path, adapter: str) -> None:
    target = ProfileTarget(target="prod", schema="marts", database="lake")
    profile = write_profile(tmp_path, "shop", adapter, target)
    content = yaml.safe_load((profile.folder / "profiles.yml").read_text())
    output = content["shop"]["outputs"]["prod"]
    assert output["type"] == adapter
    assert {"marts", "lake"} <= {str(value).removesuffix(".duckdb") for value in output.values()}
    assert content["shop"]["target"] == "prod"


@pytest.mark.parametrize(
    ("adapter", "database"), [("trino", "a"), ("duckdb", "../a"), ("snowflake", "{{ env_var('A') }}")]
)
def test_profiles_that_cannot_be_written(tmp_path: Path, adapter: str, database: str) -> None:
    with pytest.raises(ConfigurationError):
        write_profile(tmp_path, "shop", adapter, ProfileTarget(database=database))


def test_the_first_target_that_sets_a_name_counts() -> None:
    merged = merge_targets(ProfileTarget(schema="s"), ProfileTarget(schema="x", database="d"), None)
    assert merged == ProfileTarget(target="dev", schema="s", database="d")


def test_adapters_are_pinned_to_the_minor_version() -> None:
    assert requirements("1.10", "snowflake") == ("dbt-core==1.10.*", "dbt-snowflake>=1.8,<1.11")
    assert requirements("1.7", "postgres")[:2] == ("dbt-core==1.7.*", "dbt-postgres==1.7.*")
    assert requirements("2.0", "postgres") == ("dbt>=2.0.0rc1,<3",)
    assert built_from_source("1.11", "databricks") == ()
    assert built_from_source("1.8", "duckdb") == ("logbook", "minimal-snowplow-tracker")


def test_uv_gets_the_index_settings_of_pip(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nextra-index-url = https://one/simple\n  https://two/simple\n"
        "[install]\nfind-links = /a /b\n"
    )
    environ = {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_INDEX_URL": "https://main/simple",
        "KEY": "x",
    }
    found = uv_environment({**environ, "XDG_CONFIG_DIRS": str(tmp_path)})
    assert found["UV_DEFAULT_INDEX"] == "https://main/simple"
    assert found["UV_EXTRA_INDEX_URL"] == "https://one/simple https://two/simple"
    assert found["UV_FIND_LINKS"] == "/a,/b"
    assert found["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert "KEY" not in found


def test_settings_of_uv_win_over_those_of_pip() -> None:
    environ = {
        "PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "https://pip", "UV_DEFAULT_INDEX": "https://uv",
        "PIP_EXTRA_INDEX_URL": "https://a", "UV_INDEX_STRATEGY": "first-index",
    }  # fmt: skip
    found = uv_environment(environ)
    assert found["UV_DEFAULT_INDEX"] == "https://uv"
    assert found["UV_INDEX_STRATEGY"] == "first-index"
