"""The recipes of examples/ci are sound, and their steps do what docs/guides/ci.md says, on the demo.

Every `run:` and `script:` is executed as a runner does it. Only dbt, gh and curl are stand-ins (ci_stubs.py).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import string
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.support.dbt_environments import dbt_environment

pytestmark = pytest.mark.extensive

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "examples" / "ci"
GITHUB = sorted((RECIPES / "github").glob("*.yml"))
COMPONENT = ROOT / "templates" / "recce-meta" / "template.yml"
GITLAB = sorted((RECIPES / "gitlab").glob("*.yml"))
SCHEMAS = ROOT / "tests" / "data" / "ci_schemas"
PAGE = (ROOT / "docs" / "guides" / "ci.md").read_text(encoding="utf-8")

STORE = "duckdb:///jaffle_shop.duckdb"
KNOWN = {
    "secrets.RECCE_META_URL": STORE,
    "github.token": "ghs-1",
    "github.event.number": "42",
    "github.repository": "shop/jaffle",
    "github.event.workflow_run.id": "7",
    "github.event.workflow_run.head_repository.owner.login": "somebody",
    "github.event.workflow_run.head_branch": "count-payments-once",
    "github.event.workflow_run.head_sha": "fb5abbe",
}
"""What GitHub puts into expressions."""

MARKER = "<!-- recce_meta diff -->"
FAILED_BUILD = {
    "a node": ["build failed, 1 error", "orders", "division by zero"],
    "parsing": ["The build failed, and nothing was compared", "exit code 1"],
}
"""What a comment says, by where dbt stops."""
PASSING = "checks:\n- {name: orders, type: row_count_diff, params: {node_names: [orders]}, expect: equal}\n"

runs_recipes = pytest.mark.skipif(
    os.name == "nt" or shutil.which("jq") is None or shutil.which("bash") is None,
    reason="the recipes need bash, and the stand-in for gh needs jq",
)


class Runner:
    """A machine on which the steps of a job run, in a checkout of the demo's project."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self.state = folder / "checkout", folder / "state"
        self.programs = folder / "bin"
        for place in (self.checkout, self.state / "artifacts", self.programs):
            place.mkdir(parents=True)
        shutil.copytree(ROOT / "recce_meta/demo_data/project/base", self.checkout, dirs_exist_ok=True)
        shutil.copy(RECIPES / "checks.yml", self.checkout)
        (self.state / "head_sha").write_text("fb5abbe")
        python = shlex.quote(sys.executable)
        stubs = f"{python} {shlex.quote(str(Path(__file__).with_name('ci_stubs.py')))}"
        self.program("pip", "exit 0")
        self.program("python", f'exec {python} "$@"')
        self.program("recce-meta", f'exec {python} -m recce_meta "$@"')
        for name in ("dbt", "gh", "curl"):
            self.program(name, f'exec {stubs} {name} "$@"')
        self.variables = {"DBT_EXITS_WITH": "0"}
        self.base_sha = ""

    def program(self, name: str, line: str) -> None:
        """Put a program *name* on the PATH that runs *line*."""
        (self.programs / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (self.programs / name).chmod(0o755)

    def shell(
        self, options: str, script: str, variables: dict[str, str], folder: str = "."
    ) -> subprocess.CompletedProcess[str]:
        """*script* in a bash with *options*, in *folder* of the checkout."""
        foreign = ("RECCE_META_", "GITHUB_", "CI_", "DBT_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return subprocess.run(
            ["bash", *options.split(), "-c", script],
            cwd=self.checkout / folder,
            env={
                **inherited,
                "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "CI_STUBS": str(self.state),
                **self.variables,
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def github(self, recipe: str) -> dict[str, int]:
        """Run the only job of *recipe*: the exit code of each step that ran, by its name or command."""
        (job,) = _loaded(RECIPES / "github" / recipe)["jobs"].values()
        codes: dict[str, int] = {}
        for step in job["steps"]:
            condition = step.get("if", "success()")
            if any(codes.values()) and "!cancelled()" not in condition:
                continue
            if "hashFiles('diff.md')" in condition and not (self.checkout / "diff.md").exists():
                continue
            if "run" in step:
                given = {**job.get("env", {}), **step.get("env", {})}
                variables = {name: _expanded(value) for name, value in given.items()}
                variables["GITHUB_REPOSITORY"] = "shop/jaffle"
                variables["GITHUB_STEP_SUMMARY"] = str(self.state / "summary.md")
                ran = self.shell("-e", step["run"], variables)
                codes[step.get("name", step["run"].split("\n")[0])] = ran.returncode
                print(step["run"], ran.stdout, ran.stderr, sep="\n")
            elif step["uses"].startswith("actions/upload-artifact@"):
                self._upload(step["with"])
        return codes

    def action(self, pull_request: str = "", *, head: str = "shop/jaffle", **inputs: str) -> dict[str, int]:
        """Run the steps of action.yml for a push, or for a pull request from the repository *head*."""
        action = _loaded(ROOT / "action.yml")
        given = {name: str(one.get("default", "")) for name, one in action["inputs"].items()} | inputs
        known = {
            **{f"inputs.{name}": value for name, value in given.items()},
            "inputs.name && '-'": "-" if given["name"] else "",
            "github.action_path": str(ROOT),
            "github.event.pull_request.number": pull_request,
            "github.event.pull_request.head.repo.full_name": head if pull_request else "",
            "github.event.pull_request.base.sha": self.base_sha if pull_request else "",
            "runner.temp": str(self.state),
        }
        exported = self.state / "env"
        event = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "shop/jaffle",
            "GITHUB_SHA": self._git("rev-parse", "HEAD"),
            "GITHUB_REF": f"refs/pull/{pull_request}/merge" if pull_request else "refs/heads/main",
            "GITHUB_STEP_SUMMARY": str(self.state / "summary.md"),
            "GITHUB_ENV": str(exported),
            **({"GITHUB_BASE_REF": "main", "GITHUB_HEAD_REF": "change"} if pull_request else {}),
        }
        exported.write_text("")
        codes: dict[str, int] = {}
        for step in action["runs"]["steps"]:
            condition = step.get("if", "success()")
            if any(codes.values()) and "!cancelled()" not in condition:
                continue
            if "github.event.pull_request" in condition and not pull_request:
                continue
            if "run" in step:
                added = dict(line.split("=", 1) for line in exported.read_text().splitlines())
                own = {name: _expanded(value, known) for name, value in step["env"].items()}
                folder = _expanded(step.get("working-directory", "."), known)
                ran = self.shell("-eo pipefail", step["run"], {**event, **added, **own}, folder)
                codes[step["name"]] = ran.returncode
                print(step["name"], ran.stdout, ran.stderr, sep="\n")
            elif step["uses"].startswith("actions/upload-artifact@"):
                self._upload({name: _expanded(str(value), known) for name, value in step["with"].items()})
        return codes

    def check_out(self, ref: str, change: str) -> None:
        """Check out *ref*, at depth 1 as GitHub does: of a *change* of a model, or its merge with main."""
        origin, model = self.state / "origin", self.checkout / "models/marts/orders.sql"
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message=base")
        self._git("clone", "--quiet", "--bare", ".", str(origin))
        self._git("checkout", "--quiet", "-b", "change")
        model.write_text(model.read_text() + change)
        self._git("commit", "--quiet", "--all", "--message=change")
        self._git("checkout", "--quiet", "--detach", "main")
        self._git("merge", "--quiet", "--no-ff", "--message=merge", "change")
        self._git("push", "--quiet", str(origin), "change:refs/pull/42/head", "HEAD:refs/pull/42/merge")
        self.base_sha = self._git("rev-parse", "main")
        shutil.rmtree(self.checkout)
        self.checkout.mkdir()
        self._git("init", "--quiet")
        self._git("remote", "add", "origin", f"file://{origin}")
        self._git("fetch", "--quiet", "--depth=1", "origin", ref)
        self._git("checkout", "--quiet", "--detach", "FETCH_HEAD")

    def _git(self, *arguments: str) -> str:
        if not (self.checkout / ".git").exists() and arguments[0] != "init":
            return "0" * 40
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        ran = subprocess.run(
            ["git", *identity, *arguments], cwd=self.checkout, capture_output=True, text=True, check=True
        )
        return ran.stdout.strip()

    def _upload(self, given: dict[str, str]) -> None:
        folder = self.state / "artifacts" / given["name"]
        if (whole := Path(given["path"])).is_dir():
            shutil.copytree(whole, folder, dirs_exist_ok=True)
            return
        found = [path for name in given["path"].split() if (path := self.checkout / name).exists()]
        assert found or given.get("if-no-files-found") != "error"
        folder.mkdir(exist_ok=True)
        for path in found:
            shutil.copy(path, folder)

    def gitlab(self, recipe: str, job: str, predefined: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run *job* of *recipe* with GitLab's *predefined* variables."""
        whole = _loaded(RECIPES / "gitlab" / recipe)
        parent = whole[whole[job]["extends"]]
        given = {**parent.get("variables", {}), **whole[job].get("variables", {})}
        predefined = {"CI_PROJECT_DIR": str(self.checkout), **predefined}
        variables = {
            name: string.Template(value).safe_substitute(predefined) for name, value in given.items()
        }
        script = "\n".join([*parent["before_script"], *whole[job]["script"]])
        return self.shell("-eo pipefail", script, {**predefined, **variables})

    def component(
        self, job: str, predefined: dict[str, str], **inputs: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the *job* of GitLab's component, such as `diff`, with its *inputs*."""
        whole = component_jobs(**{name.replace("_", "-"): value for name, value in inputs.items()})
        name = inputs.get("name", "recce-meta")
        parent, own = whole[f".{name}"], whole[f"{name}-{job}"]
        predefined = {"CI_PROJECT_DIR": str(self.checkout), **predefined}
        variables = {
            key: string.Template(value).safe_substitute(predefined)
            for key, value in {**parent["variables"], **own["variables"]}.items()
        }
        script = "\n".join([*parent["before_script"], *own["script"]])
        return self.shell("-eo pipefail", script, {**variables, **predefined})

    def fresh_checkout(self) -> None:
        """What another machine would have: the project, and nothing that a job left behind."""
        for name in ("diff.md", "checks.md", "checks.xml", "comment.md", "jaffle_shop.duckdb"):
            (self.checkout / name).unlink(missing_ok=True)

    @property
    def comments(self) -> list[dict[str, Any]]:
        """All comments, or notes."""
        path = self.state / "comments.json"
        return json.loads(path.read_text()) if path.exists() else []

    @comments.setter
    def comments(self, comments: list[dict[str, Any]]) -> None:
        (self.state / "comments.json").write_text(json.dumps(comments))


def _loaded(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def component_jobs(**inputs: str) -> dict[str, Any]:
    """Return the jobs of GitLab's component with *inputs*, as an `include:` makes them."""
    header, jobs = yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8"))
    specified = header["spec"]["inputs"]
    values = {name: one["default"] for name, one in specified.items()} | inputs
    assert values.keys() == specified.keys()
    assert all(re.search(one.get("regex", ""), values[name]) for name, one in specified.items())

    def interpolated(value: Any) -> Any:
        if isinstance(value, dict):
            return {interpolated(key): interpolated(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [interpolated(inner) for inner in value]
        if isinstance(value, str):
            return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: values[found[1]], value)
        return value

    made: dict[str, Any] = interpolated(jobs)
    return made


def _expanded(text: str, known: Mapping[str, str] = KNOWN) -> str:
    """*text* with each of GitHub's expressions replaced; one that is not known is a KeyError."""
    return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: {**KNOWN, **known}[found[1]], text)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@runs_recipes
def test_a_pull_request_is_recorded_compared_checked_and_told_in_one_comment(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(runner.action(store=STORE).values()) == {0}
    runner.comments = [
        {"id": 1, "user": {"login": "somebody"}, "body": f"> {MARKER}\nwhat is this?"},
        {"id": 2, "user": {"login": "github-actions[bot]"}, "body": "Deployed"},
    ]

    first = runner.action("42", store=STORE)
    bodies = [comment["body"] for comment in runner.comments]
    (runner.checkout / "checks.yml").write_text(PASSING)
    second = runner.action("42", store=STORE)

    assert first == {**dict.fromkeys(first, 0), "Compare and check": 1}
    assert set(second.values()) == {0}
    assert re.search(
        r"^::(error|warning|notice) file=models/.+\.sql,line=\d+,", capsys.readouterr().out, re.M
    )
    assert bodies[2].startswith(f"{MARKER}\n### ") and bodies[2].count(MARKER) == 1
    assert "data differs in 4 of 6 nodes" in bodies[2] and "❌ 1 of 3 checks failed" in bodies[2]
    assert [comment["id"] for comment in runner.comments] == [1, 2, 102]
    assert [comment["body"] for comment in runner.comments][:2] == bodies[:2]
    assert "checks failed" not in runner.comments[2]["body"]
    assert "❌ 1 of 3 checks failed" in (runner.state / "summary.md").read_text()
    assert (runner.state / "artifacts/recce-meta-report/checks.xml").exists()


@runs_recipes
@pytest.mark.parametrize("stops_at", ["a node", "parsing"])
def test_a_pull_request_that_does_not_build_fails_as_dbt_does_and_has_a_report(
    runner: Runner, stops_at: str
) -> None:
    runner.action(store=STORE)
    runner.action("42", store=STORE)
    runner.variables |= {"DBT_EXITS_WITH": "1", "DBT_STOPS_AT": stops_at}

    codes = runner.action("42", store=STORE)

    assert codes == {"Install": 0, "Build and record": 0, "Compare and check": 1, "Comment": 0}
    (comment,) = runner.comments
    assert [words for words in FAILED_BUILD[stops_at] if words not in comment["body"]] == []


@runs_recipes
def test_a_comment_that_would_be_too_long_leaves_the_checks_to_the_summary(runner: Runner) -> None:
    runner.action(store=STORE)
    (runner.programs / "wc").write_text("#!/bin/sh\necho 70000\n")
    (runner.programs / "wc").chmod(0o755)

    runner.action("42", store=STORE)

    assert "data differs" in runner.comments[0]["body"]
    assert "checks failed" not in runner.comments[0]["body"]


@runs_recipes
def test_two_projects_of_a_repository_have_a_comment_each(runner: Runner) -> None:
    runner.action(store=STORE)

    for name in ("shop", "finance", "shop"):
        runner.action("42", store=STORE, name=name)

    starts = [comment["body"].splitlines()[0] for comment in runner.comments]
    assert starts == ["<!-- recce_meta diff: shop -->", "<!-- recce_meta diff: finance -->"]
    assert {path.name for path in (runner.state / "artifacts").iterdir()} == {
        "recce-meta-report-shop",
        "recce-meta-report-finance",
    }


@runs_recipes
@pytest.mark.dbt
@pytest.mark.parametrize(
    ("head", "store", "ref"),
    [
        ("shop/jaffle", STORE, "refs/pull/42/merge"),
        ("shop/jaffle", "", "refs/pull/42/head"),  # with `ref` of actions/checkout
        ("somebody/jaffle", "", "refs/pull/42/merge"),
    ],
)
def test_without_history_the_code_of_both_commits_is_compared(
    runner: Runner, head: str, store: str, ref: str
) -> None:
    dbt = shlex.join(dbt_environment("1.11", "duckdb").dbt.argv)
    runner.program("dbt", f'exec {dbt} "$@"')
    runner.check_out(ref, "\nwhere amount > 0\n")

    codes = runner.action("42", head=head, store=store)
    again = runner.action("42", head=head, store=store)

    assert set(codes.values()) == set(again.values()) == {0}, codes
    told = runner.comments[0]["body"] if head == "shop/jaffle" else ""
    assert len(runner.comments) == (1 if head == "shop/jaffle" else 0)
    report = (runner.state / "artifacts/recce-meta-report/diff.md").read_text()
    assert report.startswith(MARKER) and "orders" in report and told in ("", report)
    assert "1 modified" in report and "removed" not in report


@runs_recipes
def test_a_fork_is_compared_without_secrets_in_a_copy_of_production(runner: Runner) -> None:
    assert set(runner.github("duckdb-production.yml").values()) == {0}
    runner.fresh_checkout()
    assert set(runner.github("duckdb-production.yml").values()) == {0}
    runner.fresh_checkout()

    compared = runner.github("duckdb-pull-request.yml")
    runner.fresh_checkout()
    posted = [runner.github("comment.yml") for _ in range(2)]

    assert compared == {**dict.fromkeys(compared, 0), "Check": 1}
    assert posted == [{"Comment": 0}] * 2
    (comment,) = runner.comments
    assert comment["body"].startswith(MARKER) and "❌ 1 of 3 checks failed" in comment["body"]


@runs_recipes
def test_no_report_of_an_older_commit_is_posted(runner: Runner) -> None:
    runner.github("duckdb-production.yml")
    runner.github("duckdb-pull-request.yml")
    runner.fresh_checkout()
    (runner.state / "head_sha").write_text("0829a5f")

    assert runner.github("comment.yml") == {"Comment": 0}
    assert runner.comments == []


@runs_recipes
def test_without_a_report_there_is_no_comment(runner: Runner) -> None:
    assert runner.github("comment.yml") == {"Comment": 0}
    assert runner.comments == []


def test_jobs_for_forks_use_no_secret_and_cannot_write() -> None:
    text = (RECIPES / "github" / "duckdb-pull-request.yml").read_text(encoding="utf-8")

    assert "secrets." not in text
    assert set(_loaded(RECIPES / "github" / "duckdb-pull-request.yml")["permissions"].values()) == {"read"}


def test_nothing_of_a_pull_request_is_pasted_into_a_script() -> None:
    jobs = [job for path in GITHUB for job in _loaded(path)["jobs"].values()]
    for job in [*jobs, _loaded(ROOT / "action.yml")["runs"]]:
        assert not any("${{" in step.get("run", "") for step in job["steps"])


MERGE_REQUEST = {
    "RECCE_META_URL": STORE,
    "CI_API_V4_URL": "https://gitlab.example/api/v4",
    "CI_PROJECT_ID": "a fork",
    "CI_MERGE_REQUEST_PROJECT_ID": "9",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "9",
    "CI_MERGE_REQUEST_IID": "42",
    "GITLAB_API_TOKEN": "glpat-1",
}


@runs_recipes
def test_a_merge_request_has_one_note_and_a_report_of_its_checks(runner: Runner) -> None:
    production = runner.gitlab("gitlab-ci.yml", "production", {"RECCE_META_URL": STORE})
    assert production.returncode == 0, production.stderr
    runner.comments = [{"id": 100, "body": "Looks good"}]

    first = runner.gitlab("gitlab-ci.yml", "data-diff", MERGE_REQUEST)
    noted = runner.comments[1]["body"]
    (runner.checkout / "checks.yml").write_text(PASSING)
    second = runner.gitlab("gitlab-ci.yml", "data-diff", MERGE_REQUEST)

    assert (first.returncode, second.returncode) == (1, 0), (first.stderr, second.stderr)
    assert noted.startswith(MARKER) and noted.count(MARKER) == 1
    assert "data differs in 4 of 6 nodes" in noted and "❌ 1 of 3 checks failed" in noted
    assert [comment["id"] for comment in runner.comments] == [100, 101]
    assert "checks failed" not in runner.comments[1]["body"]
    assert len(ET.parse(runner.checkout / "checks.xml").findall(".//testcase")) == 1
    remarks = json.loads((runner.checkout / "remarks.json").read_text())
    assert all((runner.checkout / one["location"]["path"]).is_file() for one in remarks) and remarks


@runs_recipes
def test_a_merge_request_without_a_token_is_checked_all_the_same(runner: Runner) -> None:
    runner.gitlab("gitlab-ci.yml", "production", {"RECCE_META_URL": STORE})

    ran = runner.gitlab("gitlab-ci.yml", "data-diff", {**MERGE_REQUEST, "GITLAB_API_TOKEN": ""})

    assert ran.returncode == 1
    assert runner.comments == []
    assert (runner.checkout / "checks.xml").exists()


@runs_recipes
def test_the_component_records_production_and_keeps_one_note_up_to_date(runner: Runner) -> None:
    production = runner.component("production", {"RECCE_META_URL": STORE})
    assert production.returncode == 0, production.stderr
    runner.comments = [{"id": 100, "body": "Looks good"}]

    first = runner.component("diff", MERGE_REQUEST)
    noted = runner.comments[1]["body"]
    (runner.checkout / "checks.yml").write_text(PASSING)
    second = runner.component("diff", MERGE_REQUEST)

    assert (first.returncode, second.returncode) == (1, 0), (first.stderr, second.stderr)
    assert noted.startswith(MARKER) and noted.count(MARKER) == 1
    assert "data differs in 4 of 6 nodes" in noted and "❌ 1 of 3 checks failed" in noted
    assert [comment["id"] for comment in runner.comments] == [100, 101]
    assert "checks failed" not in runner.comments[1]["body"]
    reports = runner.checkout / "recce-meta-report"
    assert len(ET.parse(reports / "checks.xml").findall(".//testcase")) == 1
    remarks = json.loads((reports / "remarks.json").read_text())
    assert all((runner.checkout / one["location"]["path"]).is_file() for one in remarks) and remarks


@runs_recipes
def test_two_components_of_a_repository_have_jobs_and_a_note_each(runner: Runner) -> None:
    runner.component("production", {"RECCE_META_URL": STORE})

    codes = [
        runner.component("diff", MERGE_REQUEST, name=name, fail_on="breaking").returncode
        for name in ("shop", "finance", "shop")
    ]

    starts = [comment["body"].splitlines()[0] for comment in runner.comments]
    assert starts == ["<!-- recce_meta diff: shop -->", "<!-- recce_meta diff: finance -->"]
    assert codes == [1, 1, 1]
    assert component_jobs(name="shop").keys().isdisjoint(component_jobs(name="finance"))


@runs_recipes
@pytest.mark.parametrize("stops_at", ["a node", "parsing"])
def test_a_component_without_a_store_records_nothing_and_a_failed_build_has_a_note(
    runner: Runner, stops_at: str
) -> None:
    nothing = runner.component("production", {})
    runner.component("production", {"RECCE_META_URL": STORE})
    runner.component("diff", MERGE_REQUEST)
    failed = runner.component("diff", {**MERGE_REQUEST, "DBT_EXITS_WITH": "1", "DBT_STOPS_AT": stops_at})

    assert nothing.returncode == 0 and "Nothing is recorded" in nothing.stdout
    assert failed.returncode == 1, failed.stderr
    (note,) = runner.comments
    assert [words for words in FAILED_BUILD[stops_at] if words not in note["body"]] == []


@runs_recipes
@pytest.mark.dbt
@pytest.mark.parametrize(
    ("source", "url", "ref"),
    [
        ("9", STORE, "refs/pull/42/merge"),  # a merged results pipeline
        ("9", "", "refs/pull/42/head"),
        ("10", STORE, "refs/pull/42/head"),  # a fork, in a pipeline of the parent project
    ],
)
def test_a_component_without_history_compares_the_code_of_both_commits(
    runner: Runner, source: str, url: str, ref: str
) -> None:
    dbt = shlex.join(dbt_environment("1.11", "duckdb").dbt.argv)
    runner.program("dbt", f'exec {dbt} "$@"')
    runner.check_out(ref, "\nwhere amount > 0\n")
    request = {
        **MERGE_REQUEST,
        "RECCE_META_URL": url,
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": source,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": runner.base_sha,
        "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result" if ref.endswith("merge") else "detached",
    }

    ran = [runner.component("diff", request, target="") for _ in range(2)]

    assert [one.returncode for one in ran] == [0, 0], ran[0].stderr
    (note,) = runner.comments
    assert note["body"].startswith(MARKER) and "orders" in note["body"]
    assert "1 modified" in note["body"] and "removed" not in note["body"]
    assert (runner.checkout / "jaffle_shop.duckdb").exists() == (source == "9" and bool(url))


def test_the_component_meets_the_published_schema_of_headers_and_jobs() -> None:
    schema = json.loads((SCHEMAS / "gitlab-ci.json").read_text(encoding="utf-8"))
    header, _ = yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8"))

    for content in (header, component_jobs()):
        jsonschema.Draft7Validator(schema).validate(content)


@pytest.mark.parametrize("path", [*GITHUB, *GITLAB], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_recipe_meets_the_published_schema(path: Path) -> None:
    name = "github-workflows.json" if path in GITHUB else "gitlab-ci.json"
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    recipe = {
        "on" if key is True else key: value for key, value in _loaded(path).items()
    }  # YAML 1.1 reads on

    jsonschema.Draft7Validator(schema).validate(recipe)


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_finds_nothing() -> None:
    subprocess.run(["actionlint", *map(str, GITHUB)], check=True)


def test_the_page_shows_recipes_as_they_are_and_names_every_one() -> None:
    shown = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    files = {path.read_text(encoding="utf-8"): path for path in [*GITHUB, *GITLAB, RECIPES / "checks.yml"]}

    whole = [block for block in shown if block in files]
    assert {files[block].name for block in whole} >= {"recce_meta.yml"}
    header, _ = yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8"))
    (included,) = [yaml.safe_load(block)["include"][0] for block in shown if block.startswith("include:")]
    assert included["inputs"].keys() <= header["spec"]["inputs"].keys()
    section = PAGE.partition("## GitLab\n")[2].partition("\n- **")[0]
    assert set(header["spec"]["inputs"]) <= set(re.findall(r"`([\w-]+)`", section))
    assert f"templates/{COMPONENT.parent.name}/{COMPONENT.name}" in PAGE
    assert [path for path in files.values() if f"examples/ci/{path.relative_to(RECIPES)}" not in PAGE] == []
