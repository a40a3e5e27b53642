"""Asks dbt itself what each template in `answers.jsonl` reads, and writes its answers there again.

    python tests/data/jinja_cases/ask_dbt.py /path/to/dbt

dbt (with dbt-duckdb) parses a project in which every template is a model, and its manifest says which `ref`
and `source` calls it saw. What it refuses has the answer null.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).parent / "answers.jsonl"
MODELS = "a b c dead stg_a int_a stg_b int_b n1 n2 ver_v1 ver_v2".split()
PROJECT = "name: p\nprofile: p\nvars: {model_name: a, model_names: [a, b]}\n"
PROFILES = "p: {target: dev, outputs: {dev: {type: duckdb, path: ':memory:', threads: 1}}}\n"
PROPERTIES = """
sources:
  - {name: raw, tables: [{name: t}, {name: u}]}
  - {name: raw2, tables: [{name: v}]}
models:
  - {name: ver, latest_version: 2, versions: [{v: 1}, {v: 2}]}
"""
MACROS = """
{% macro reads_a() %}{{ ref('a') }}{% endmacro %}
{% macro reads(n) %}{{ ref(n) }}{% endmacro %}
{% macro named(n) %}{{ return('stg_' ~ n) }}{% endmacro %}
{% macro dispatched() %}{{ return(adapter.dispatch('dispatched')()) }}{% endmacro %}
{% macro default__dispatched() %}{{ ref('dead') }}{% endmacro %}
{% macro duckdb__dispatched() %}{{ ref('b') }}{% endmacro %}
{% macro listed() %}{{ return(['a', 'b']) }}{% endmacro %}
"""


def write_project(root: Path, templates: dict[str, str]) -> None:
    """The project, with *templates* as models called `t_…`."""
    (root / "models" / "t").mkdir(parents=True)
    (root / "macros").mkdir()
    (root / "dbt_project.yml").write_text(PROJECT)
    (root / "profiles.yml").write_text(PROFILES)
    (root / "models" / "properties.yml").write_text(PROPERTIES)
    (root / "macros" / "macros.sql").write_text(MACROS)
    for name in MODELS:
        (root / "models" / f"{name}.sql").write_text("select 1 as id")
    for name, text in templates.items():
        (root / "models" / "t" / f"t_{name}.sql").write_text(text)


def ask(dbt: str, root: Path) -> dict[str, Any]:
    """What dbt saw in each template; templates that it refuses are taken out one by one."""
    environment = {**os.environ, "DBT_PROFILES_DIR": str(root), "DO_NOT_TRACK": "1"}
    command = [dbt, "--no-use-colors", "parse", "--no-partial-parse"]
    while True:
        ran = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        if ran.returncode == 0:
            break
        refused = re.search(r"models/t/(t_\w+)\.sql", ran.stdout + ran.stderr)
        if refused is None:
            raise SystemExit(ran.stdout + ran.stderr)
        (root / "models" / "t" / f"{refused[1]}.sql").unlink()
    nodes = json.loads((root / "target" / "manifest.json").read_text())["nodes"].values()
    return {node["name"][2:]: node for node in nodes if node["name"].startswith("t_")}


def answer_of(node: dict[str, Any] | None) -> dict[str, Any]:
    """References and sources, each once, sorted."""
    if node is None:
        return {"refs": None, "sources": None}
    refs = {(r["package"], r["name"], r["version"] and str(r["version"])) for r in node["refs"]}
    return {"refs": sorted(refs, key=str), "sources": sorted(set(map(tuple, node["sources"])))}


def main() -> None:
    """Ask about every template."""
    rows = [json.loads(line) for line in ANSWERS.read_text().splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_project(root, {row["name"]: row["template"] for row in rows})
        found = ask(sys.argv[1], root)
    lines = [json.dumps({**row, **answer_of(found.get(row["name"]))}) for row in rows]
    ANSWERS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
