"""Job of the orchestrator or CI service that runs dbt, from its variables, and the page of a commit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from msgspec.structs import asdict

from recce_meta.extractors.git import git_output
from recce_meta.models.run import BuildJob
from recce_meta.redaction import without_passwords

JOB_URL = "RECCE_META_JOB_URL"
"""Variable with the page of the job's run, which replaces that of the orchestrator."""

JOBS: tuple[tuple[str, BuildJob], ...] = (
    # https://docs.getdbt.com/docs/build/environment-variables#special-environment-variables
    (
        "DBT_CLOUD_RUN_ID",
        BuildJob(
            orchestrator="dbt_cloud",
            job_id="{DBT_CLOUD_JOB_ID}",
            job_run_id="{DBT_CLOUD_RUN_ID}",
            cause="{DBT_CLOUD_RUN_REASON}|{DBT_CLOUD_RUN_REASON_CATEGORY}",
        ),
    ),
    # https://airflow.apache.org/docs/apache-airflow/stable/templates-ref.html
    (
        "AIRFLOW_CTX_DAG_ID",
        BuildJob(
            orchestrator="airflow",
            job_id="{AIRFLOW_CTX_DAG_ID}",
            job_name="{AIRFLOW_CTX_TASK_ID}",
            job_run_id="{AIRFLOW_CTX_DAG_RUN_ID}",
            job_run_url="{AIRFLOW__API__BASE_URL}/dags/{AIRFLOW_CTX_DAG_ID}/runs/{AIRFLOW_CTX_DAG_RUN_ID}"
            "|{AIRFLOW__WEBSERVER__BASE_URL}/dags/{AIRFLOW_CTX_DAG_ID}/grid?dag_run_id={AIRFLOW_CTX_DAG_RUN_ID}",
            dbt_user="{AIRFLOW_CTX_DAG_OWNER}",
        ),
    ),
    (
        "DAGSTER_RUN_JOB_NAME",
        BuildJob(orchestrator="dagster", job_name="{DAGSTER_RUN_JOB_NAME}", job_run_id="{DAGSTER_RUN_ID}"),
    ),
    (
        "PREFECT__FLOW_RUN_ID",
        BuildJob(
            orchestrator="prefect",
            job_run_id="{PREFECT__FLOW_RUN_ID}",
            job_run_url="{PREFECT_UI_URL}/runs/flow-run/{PREFECT__FLOW_RUN_ID}",
        ),
    ),
    # https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    (
        "GITHUB_ACTIONS",
        BuildJob(
            orchestrator="github_actions",
            job_id="{GITHUB_JOB}",
            job_name="{GITHUB_WORKFLOW}",
            job_run_id="{GITHUB_RUN_ID}",
            job_run_url="{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
            cause="{GITHUB_EVENT_NAME}",
            dbt_user="{GITHUB_ACTOR}",
        ),
    ),
    # https://docs.gitlab.com/ci/variables/predefined_variables/
    (
        "GITLAB_CI",
        BuildJob(
            orchestrator="gitlab",
            job_name="{CI_JOB_NAME}",
            job_run_id="{CI_JOB_ID}",
            job_run_url="{CI_JOB_URL}",
            cause="{CI_PIPELINE_SOURCE}",
            dbt_user="{GITLAB_USER_LOGIN}",
        ),
    ),
    # https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
    (
        "TF_BUILD",
        BuildJob(
            orchestrator="azure",
            job_id="{SYSTEM_DEFINITIONID}",
            job_name="{BUILD_DEFINITIONNAME}",
            job_run_id="{BUILD_BUILDID}",
            job_run_url="{SYSTEM_COLLECTIONURI}/{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
            cause="{BUILD_REASON}",
            dbt_user="{BUILD_REQUESTEDFOR}",
        ),
    ),
    # https://circleci.com/docs/reference/variables/
    (
        "CIRCLECI",
        BuildJob(
            orchestrator="circleci",
            job_id="{CIRCLE_PROJECT_REPONAME}",
            job_name="{CIRCLE_JOB}",
            job_run_id="{CIRCLE_BUILD_NUM}",
            job_run_url="{CIRCLE_BUILD_URL}",
            dbt_user="{CIRCLE_USERNAME}",
        ),
    ),
    # https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    (
        "BITBUCKET_BUILD_NUMBER",
        BuildJob(
            orchestrator="bitbucket",
            job_run_id="{BITBUCKET_BUILD_NUMBER}",
            job_run_url="https://bitbucket.org/{BITBUCKET_REPO_FULL_NAME}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
        ),
    ),
    # https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
    (
        "JENKINS_URL",
        BuildJob(
            orchestrator="jenkins",
            job_name="{JOB_NAME}",
            job_run_id="{BUILD_NUMBER}",
            job_run_url="{BUILD_URL}",
            cause="{BUILD_CAUSE}",
            dbt_user="{BUILD_USER_ID}",
        ),
    ),
)
"""Jobs by the variable that each has. Of texts between `|`, the first with all of its variables counts.

An orchestrator comes before a CI service, which may have started it."""
_VARIABLE = re.compile(r"\{(\w+)\}")
_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://)?(?:[^@/]*@)?(?P<host>[\w.-]+)(?P<port>:\d+(?=/))?[:/](?P<path>.+)"
)


def job_fields(start: Path, environ: Mapping[str, str], sha: str | None) -> dict[str, Any]:
    """Return the fields of a run about its recording: the job, and the page of its commit."""
    return {"job": detect_job(environ), "commit_url": commit_url(start, environ, sha)}


def detect_job(environ: Mapping[str, str]) -> BuildJob | None:
    """Return the job that *environ* describes; None outside a job."""
    template = next((job for name, job in JOBS if environ.get(name)), None)
    given = page(environ.get(JOB_URL, ""))
    if template is None:
        return BuildJob(job_run_url=given) if given else None
    fields = {name: text and _filled(text, environ) for name, text in asdict(template).items()}
    return BuildJob(**{**fields, "job_run_url": given or page(fields["job_run_url"] or "")})


def _filled(text: str, environ: Mapping[str, str]) -> str | None:
    for choice in text.split("|"):
        names = _VARIABLE.findall(choice)
        values = {name: environ.get(name, "").strip() for name in names}
        if all(values.values()):
            parts = {name: _part(value) for name, value in values.items()} if "/" in choice else values
            return choice.format_map(parts)
    return None


def _part(value: str) -> str:
    """Return *value* as a part of a page, which it may start."""
    return value.rstrip("/") if "://" in value else quote(value)


def page(text: str) -> str | None:
    """Return the URL *text* without user and secrets; None if no browser should open it."""
    try:
        found = urlsplit(text.strip())
    except ValueError:
        return None
    if found.scheme not in ("http", "https") or not found.netloc:
        return None
    return without_passwords(found._replace(netloc=found.netloc.rpartition("@")[2]).geturl())


def commit_url(start: Path, environ: Mapping[str, str], sha: str | None) -> str | None:
    """Return the page of the commit *sha* at the remote `origin` of the folder *start*."""
    remote = git_output(start, environ, ("config", "--get", "remote.origin.url")).strip() if sha else ""
    return (remote and commit_page(remote, sha or "")) or None


def commit_page(remote: str, sha: str) -> str | None:
    """Return the page of the commit *sha* in the repository *remote*; None for a folder.

    >>> commit_page("git@github.com:acme/shop.git", "3f2a1c9")
    'https://github.com/acme/shop/commit/3f2a1c9'
    """
    found = _REMOTE.fullmatch(remote)
    if found is None or "." not in found["host"] or found["host"].startswith("."):
        return None
    host, path = found["host"], found["path"].strip("/").removesuffix(".git")
    if host == "ssh.dev.azure.com":
        if (parts := re.fullmatch("v3/([^/]+/[^/]+)/([^/]+)", path)) is None:
            return None
        host, path = "dev.azure.com", f"{parts[1]}/_git/{parts[2]}"
    port = found["port"] or "" if remote.startswith("http") else ""
    commits = "commits" if host == "bitbucket.org" else "-/commit" if "gitlab" in host else "commit"
    return f"https://{host}{port}/{path}/{commits}/{sha}"
