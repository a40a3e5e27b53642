"""What stands in for dbt, gh and curl where the recipes for CI are run: nothing else of them is replaced.

    python ci_stubs.py dbt build --target ci      leaves the demo's artifacts and tables behind, as dbt would
    python ci_stubs.py gh api … | gh run …        answers from, and writes to, the folder that CI_STUBS names
    python ci_stubs.py curl …                     likewise, for the notes of a merge request on GitLab

`gh --jq` is answered by jq.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

from recce_meta import UnifiedSqlAdapter, demo_data

STATE = Path(os.environ["CI_STUBS"])
COMMENTS = STATE / "comments.json"
ARTIFACTS = STATE / "artifacts"
BOT = {"login": "github-actions[bot]"}


def dbt(arguments: list[str]) -> int:
    """`dbt build` of production, or of a pull request where DBT_SCHEMA says so."""
    if arguments[:1] != ["build"]:
        return 2
    code = int(os.environ.get("DBT_EXITS_WITH", "0"))
    if code and os.environ.get("DBT_STOPS_AT") == "parsing":
        return code
    is_change = os.environ.get("DBT_SCHEMA", "prod").startswith(("pr_", "mr_"))
    shutil.copytree(demo_data.artifacts("current" if is_change else "base"), "target", dirs_exist_ok=True)
    for artifact in Path("target").iterdir():
        artifact.touch()
    with UnifiedSqlAdapter.from_url(os.environ["RECCE_META_URL"]) as adapter:
        demo_data.load_tables(adapter.execute)
    if code:
        metadata = json.loads(gzip.decompress(Path("target/manifest.json.gz").read_bytes()))["metadata"]
        schema = "https://schemas.getdbt.com/dbt/run-results/v6.json"
        failed = {"unique_id": "model.jaffle_shop.orders", "status": "error", "message": "division by zero"}
        failed |= {"timing": [], "thread_id": "Thread-1", "execution_time": 0.1, "adapter_response": {}}
        results = {"metadata": metadata | {"dbt_schema_version": schema}, "results": [failed]}
        results |= {"elapsed_time": 0.1, "args": {"which": "build"}}
        Path("target/run_results.json").write_text(json.dumps(results))
    return code


def gh(arguments: list[str]) -> int:
    """GitHub's comments, pull requests, workflow runs and artifacts."""
    command, options, paths = _read(arguments)
    if command == "run list":
        runs = [{"databaseId": 7}] if (ARTIFACTS / "recce-meta-store").exists() else []
        return _answer(runs, options["jq"])
    if command == "run download":
        source = ARTIFACTS / options["name"]
        if source.exists():
            shutil.copytree(source, ".", dirs_exist_ok=True)
        return 0 if source.exists() else 1
    (path,) = paths
    if path.endswith("/pulls"):
        head = {"sha": (STATE / "head_sha").read_text()}
        is_asked = options["head"] == "somebody:count-payments-once" and options["state"] == "open"
        return _answer([{"number": 42, "head": head}] if is_asked else [], options["jq"])
    if "method" not in options:
        return _answer(_comments(), options["jq"])
    _write(path, options["method"], Path(options["body"].removeprefix("@")).read_text())
    return 0


def curl(arguments: list[str]) -> int:
    """GitLab's notes."""
    if not {"--fail", "--silent", "--show-error"} <= set(arguments):
        return 2
    rest = [word for word in arguments if word not in ("--fail", "--silent", "--show-error")]
    options = {name: value for name, value in pairwise(rest) if name.startswith("--")}
    if options["--header"] != "PRIVATE-TOKEN: glpat-1":
        return 22
    if "--request" not in options:
        print(json.dumps(_comments()))
        return 0
    body = Path(options["--data-urlencode"].removeprefix("body@")).read_text()
    _write(rest[-1], {"PUT": "PATCH"}.get(options["--request"], options["--request"]), body)
    return 0


def _read(arguments: list[str]) -> tuple[str, dict[str, str], list[str]]:
    """The command, its options (fields of a request among them), and what else is named."""
    words = iter(arguments[2:] if arguments[0] == "run" else arguments[1:])
    options: dict[str, str] = {}
    others = []
    for word in words:
        if word in ("-f", "-F"):
            name, _, value = next(words).partition("=")
            options[name] = value
        elif word in ("--silent", "--paginate"):
            continue
        elif word.startswith("--"):
            options[word.removeprefix("--")] = next(words)
        else:
            others.append(word)
    return " ".join(arguments[:2]) if arguments[0] == "run" else "api", options, others


def _answer(value: Any, expression: str) -> int:
    return subprocess.run(
        ["jq", "-r", expression], input=json.dumps(value), text=True, check=False
    ).returncode


def _comments() -> list[dict[str, Any]]:
    return json.loads(COMMENTS.read_text()) if COMMENTS.exists() else []


def _write(path: str, method: str, body: str) -> None:
    comments = _comments()
    if method == "POST":
        comments.append({"id": 100 + len(comments), "user": BOT, "body": body})
    else:
        assert method == "PATCH", method
        (comment,) = [one for one in comments if one["id"] == int(path.rpartition("/")[2])]
        comment["body"] = body
    COMMENTS.write_text(json.dumps(comments))


if __name__ == "__main__":
    sys.exit({"dbt": dbt, "gh": gh, "curl": curl}[sys.argv[1]](sys.argv[2:]))
