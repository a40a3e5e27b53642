"""Jobs are read from the variables of their orchestrator, and pages never have credentials."""

from __future__ import annotations

import re

import pytest
from msgspec import to_builtins
from msgspec.structs import asdict

from recce_meta.extractors.git import git_output
from recce_meta.extractors.job import JOBS, commit_page, commit_url, detect_job
from recce_meta.models.run import BuildJob


@pytest.mark.parametrize(("variable", "template"), JOBS, ids=[job.orchestrator for _, job in JOBS])
def test_a_job_has_what_its_variables_say_and_no_more(variable, template):
    texts = " ".join(text for text in asdict(template).values() if text)
    values = {name: name.lower() for name in re.findall(r"\{(\w+)\}", texts)}
    pages = {name: f"https://host/{name.lower()}/" for name in values if re.search(r"UR[LI]$", name)}

    found = detect_job({**values, **pages, variable: values.get(variable, "true")})

    assert found.orchestrator == template.orchestrator
    assert set(to_builtins(found)) == set(to_builtins(template))
    assert found.job_run_url is None or found.job_run_url.startswith("https://")
    assert "{" not in str(found)
    plain = {"orchestrator", "job_id", "job_name", "job_run_id"}
    assert to_builtins(detect_job({variable: "1"})).keys() <= plain
    assert detect_job({}) is None


def test_parts_of_a_page_are_escaped_and_an_orchestrator_comes_before_its_ci_service():
    environ = {
        "GITHUB_ACTIONS": "true",
        "AIRFLOW_CTX_DAG_ID": "daily",
        "AIRFLOW_CTX_DAG_RUN_ID": "manual__2026-11-01T10:00:00+00:00",
        "AIRFLOW__WEBSERVER__BASE_URL": "https://airflow.acme.com/",
    }

    assert detect_job(environ) == BuildJob(
        orchestrator="airflow",
        job_id="daily",
        job_run_id="manual__2026-11-01T10:00:00+00:00",
        job_run_url="https://airflow.acme.com/dags/daily/grid?dag_run_id=manual__2026-11-01T10%3A00%3A00%2B00%3A00",
    )


@pytest.mark.parametrize(
    ("given", "page"),
    [
        ("https://ci.acme.com/runs/1", "https://ci.acme.com/runs/1"),
        ("https://ada:S3cret@ci.acme.com/runs/1", "https://ci.acme.com/runs/1"),
        ("https://ci.acme.com/?token=S3cret", "https://ci.acme.com/?token=***"),
        ("javascript:alert(1)", None),
        ("https://[S3cret", None),
        ("S3cret", None),
    ],
)
def test_the_page_of_a_variable_has_no_credentials_and_is_a_page(given, page):
    found = detect_job({"RECCE_META_JOB_URL": given, "GITLAB_CI": "true", "CI_JOB_ID": "7"})

    assert found == BuildJob(orchestrator="gitlab", job_run_id="7", job_run_url=page)
    alone = detect_job({"RECCE_META_JOB_URL": given})
    assert alone == (BuildJob(job_run_url=page) if page else None)


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("https://x-access-token:S3cret@github.com/acme/shop.git", "https://github.com/acme/shop/commit/abc"),
        ("git@github.com:acme/shop.git", "https://github.com/acme/shop/commit/abc"),
        ("ssh://git@git.acme.com:2222/data/shop", "https://git.acme.com/data/shop/commit/abc"),
        ("https://git.acme.com:8443/data/shop.git/", "https://git.acme.com:8443/data/shop/commit/abc"),
        ("https://oauth2:S3cret@gitlab.com/a/b/c.git", "https://gitlab.com/a/b/c/-/commit/abc"),
        ("git@bitbucket.org:acme/shop.git", "https://bitbucket.org/acme/shop/commits/abc"),
        ("git@ssh.dev.azure.com:v3/acme/data/shop", "https://dev.azure.com/acme/data/_git/shop/commit/abc"),
        ("git@ssh.dev.azure.com:v3/acme", None),
        ("/srv/git/shop.git", None),
        ("../shop.git", None),
        ("file:///srv/git/shop.git", None),
        ("C:/git/shop", None),
    ],
)
def test_a_commit_has_a_page_if_its_remote_is_a_host(remote, page):
    assert commit_page(remote, "abc") == page


def test_the_remote_of_a_repository_is_read(tmp_path):
    git_output(tmp_path, {}, ("init", "-q"))
    git_output(tmp_path, {}, ("remote", "add", "origin", "https://u:S3cret@github.com/acme/shop"))

    assert commit_url(tmp_path, {}, "abc") == "https://github.com/acme/shop/commit/abc"
    assert commit_url(tmp_path, {}, None) is None
    assert commit_url(tmp_path / "nowhere", {}, "abc") is None
