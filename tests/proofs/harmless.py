"""Proof that no harmless edit of a template is called a failure, with dbt as the judge of the kinds of edits.

    python -m tests.proofs.harmless PYTHON [--seconds 600] [--seed 1]

PYTHON is that of an environment with dbt and dbt-duckdb, which first builds a model with each kind of edit. A
case draws a manifest of a real project, and edits up to twenty of its models and tests three times each. Both
versions are read twice: as artifacts of `dbt parse`, and as files of a project. Prints each edited node that
is reported as `fails`, and was not broken before; exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from msgspec.structs import replace

from recce_meta.api.build_failures import with_build_failures
from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.api.record_sql import SqlOptions, extract_sql_project
from recce_meta.api.run_reader import read_run
from recce_meta.models import Project
from recce_meta.models.adapters import is_builtin, macros_of_dbt
from recce_meta.models.node import BUILD_FAILURE
from recce_meta.models.run import DBT
from tests.proofs.clock import Clock

ARTIFACTS = Path(__file__).parents[1] / "data" / "artifacts"
MOST, EDITS = 20, 3
"""Edited templates of a case, and edits of each."""
SNIPPETS = """
{# a comment #}
{#- {{ nope() }} -#}
{% set own = 1 %}
{%- set own = 'a,b'.split(',') | map('upper') | join('-') -%}
{% set own %}select {{ 1 + 1 }}{% endset %}
{% set own = {'a': [1, none]}['a'][0] | string | trim %}
{% set own = namespace(found=false) %}{% set own.found = true %}
{% do log('harmless', info=false) %}
{{ log('harmless') }}
{{ '' }}
{% if execute %}{% set own = 2 %}{% endif %}
{% if target.name == 'nowhere' %}{{ nope() }}{% endif %}
{% if var('not_there', false) %}{{ nope() }}{% endif %}
{% if nope is defined %}{{ nope() }}{% endif %}
{% for one in range(2) %}{% if not loop.last %}{% endif %}{% endfor %}
{% macro own_macro(a, b=1) %}{{ a }}{% endmacro %}
{% set own = env_var('NOT_THERE', 'x') %}
{% set own = dbt.current_timestamp() ~ dbt.type_string() ~ dbt.string_literal('a') %}
{% set own = dbt.date_trunc('day', 'a') ~ dbt.datediff('a', 'b', 'day') ~ type_int() %}
{% set own = dbt.hash('a') ~ dbt.concat(['a', 'b']) ~ dbt.safe_cast('a', 'int') ~ dbt.listagg('a') %}
{% set own = adapter.quote('a') ~ api.Column.translate_type('string') %}
{% set own = modules.datetime.datetime(2024, 1, 1).strftime('%Y') ~ modules.re.sub('a', 'b', 'a') %}
{% set own = fromjson('{"a": 1}').a ~ tojson([1]) ~ fromyaml('a: 1')['a'] %}
{% set own = run_started_at.strftime('%Y') ~ invocation_id ~ dbt_version ~ target.schema ~ flags.WHICH %}
{% set own = run_query('select 1 as a') %}
{% set own = dbt_utils_like | default('x') %}
{% set own = adapter.get_relation(this.database, this.schema, this.identifier) %}
{% set own = load_relation(this) %}
{% set own = api.Relation.create(database='a', schema='b', identifier='c').include(database=false) %}
{% set own = model.name ~ this.identifier ~ (graph.nodes.values() | list | length) %}
{% set own = zip([1], [2]) | list ~ set([1]) | list %}
{% set own = local_md5('a') ~ project_name ~ selected_resources %}
{% call statement('own', fetch_result=true) %}select 1 as a{% endcall %}
{% set own = load_result('own') %}
{% set own = diff_columns([], []) ~ should_full_refresh() ~ is_incremental() %}
{% set own = cast_bool_to_text('true') ~ dbt.escape_single_quotes("it's") ~ dbt.any_value('a') %}
{% set own = exceptions.warn('harmless') %}
{% raw %}{% endraw %}
-- a comment
/* {{ target.name }} */
""".strip().split("\n")


def edited(code: str, draw: random.Random, name: str) -> tuple[str, str]:
    """Return *code* with one harmless edit, and what was edited."""
    kind = draw.choice(["before", "before", "after", "blank", "lines", "around", "name"])
    if kind in ("before", "after"):
        text = draw.choice(SNIPPETS)
        return (f"{text}\n{code}" if kind == "before" else f"{code}\n{text}"), text
    if kind == "name":
        text = f"{{% set own = {name} %}}"
        return f"{text}\n{code}", text
    if kind == "blank":
        return f"\n \t\n{code.rstrip()}\n\n", kind
    if kind == "lines":
        return code.replace("\r\n", "\n").replace("\n", "\r\n"), kind
    text = "with own_cte as (select 1 as own_one) select * from (\n"
    return (f"{text}{code}\n) as own_query", kind) if ";" not in code else (code, "nothing")


def judge(python: str, folder: Path) -> None:
    """Raise AssertionError if dbt cannot build a model with each snippet."""
    profile = {"shop": {"target": "dev", "outputs": {"dev": {"type": "duckdb", "path": "shop.duckdb"}}}}
    texts = {f"models/m{at}.sql": f"{one}\nselect 1 as a" for at, one in enumerate(SNIPPETS)}
    texts |= {f"models/n{at}.sql": f"select 1 as a\n{one}" for at, one in enumerate(SNIPPETS)}
    texts["models/o.sql"] = "with own_cte as (select 1 as own_one) select * from (\nselect 1) as own_query"
    write(folder, {**texts, "dbt_project.yml": yaml.safe_dump({"name": "shop", "profile": "shop"}),
                   "profiles.yml": yaml.safe_dump(profile)})  # fmt: skip
    command = [python, "-m", "dbt.cli.main", "--no-use-colors", "run", "--profiles-dir", "."]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")


def files_of(manifest: dict[str, Any]) -> dict[str, str]:
    """Return the files of the project and packages of *manifest*, without what it does not contain."""
    root = manifest["metadata"].get("project_name") or next(iter(manifest["nodes"].values()))["package_name"]
    texts: dict[str, list[str]] = defaultdict(list)
    packages = {root}
    for one in (*manifest["nodes"].values(), *manifest.get("macros", {}).values()):
        package, kind = one["package_name"], one.get("resource_type")
        code = one.get("macro_sql") or one.get("raw_code") or one.get("raw_sql")
        if is_builtin(package) or not one["original_file_path"].endswith((".sql", ".csv")):
            continue
        packages.add(package)
        place = "" if package == root else f"dbt_packages/{package}/"
        if kind == "snapshot":
            code = f"{{% snapshot {one['name']} %}}{code}{{% endsnapshot %}}"
        texts[place + one["original_file_path"].replace("\\", "/")].append(code or "id\n1\n")
    named: dict[str, list[str]] = defaultdict(list)
    for one in manifest.get("sources", {}).values():
        named[one["source_name"]].append(one["name"])
    sources = [{"name": key, "tables": [{"name": one} for one in all_of]} for key, all_of in named.items()]
    files = {name: "\n".join(dict.fromkeys(parts)) for name, parts in texts.items()}
    files["models/all_sources.yml"] = yaml.safe_dump({"sources": sources})
    for package in packages:
        place = "" if package == root else f"dbt_packages/{package}/"
        files[f"{place}dbt_project.yml"] = yaml.safe_dump({"name": package, "profile": "shop"})
    return files


def of_files(manifest: dict[str, Any], codes: Mapping[str, str], folder: Path) -> list[Project]:
    """Return the projects of the files of *manifest*, without and with edited *codes* by path."""
    found = []
    for side, more in (("base", {}), ("current", codes)):
        write(folder / side, {**files_of(manifest), **more})
        options = SqlOptions(dialect=manifest["metadata"].get("adapter_type"), environ={}, project="shop")
        found.append(extract_sql_project(folder / side, options))
    return found


def of_artifacts(project: Project, codes: Mapping[str, str]) -> list[Project]:
    """Return *project* as `dbt parse` writes it, without and with edited *codes* by path."""
    bare = replace(project.run, command="parse")
    nodes = [replace(one, compiled_code=None) for one in project.nodes]
    now = [
        replace(one, raw_code=codes[one.path], code_hash=None) if one.path in codes else one for one in nodes
    ]
    sides = [replace(project, run=bare, nodes=tuple(all_of), results=()) for all_of in (nodes, now)]
    # Alone, so that what fails in both has its reason.
    before = with_build_failures(sides[:1], [None], {})
    return [*before, with_build_failures(sides, [None, None], {})[1]]


def failures(path: Path, draw: random.Random, counts: Counter[str]) -> Iterator[tuple[str, str, str]]:
    """Yield how the manifest *path* was read, each edited node that fails, and its edit."""
    manifest = json.loads(gzip.decompress(path.read_bytes()))
    if "macro.dbt.hash" not in manifest.get("macros", {}):
        return  # written before dbt 1.2
    project = read_run(path.parent, hash_seed_files=False)
    root = project.run.project_name
    own = (one for one in project.nodes if one.package_name == root and one.language == "sql")
    known = {
        one.path: one.raw_code
        for one in own
        if one.path and one.raw_code and one.path.endswith(".sql") and one.resource_type in ("model", "test")
    }
    names = sorted(macros_of_dbt())
    chosen = draw.sample(sorted(known), min(len(known), MOST))
    codes = {name: known[name] for name in chosen}
    edits: dict[str, list[str]] = {name: [] for name in chosen}
    for name in chosen * EDITS:
        codes[name], what = edited(codes[name], draw, draw.choice(names))
        edits[name].append(what)
    with TemporaryDirectory() as folder:
        pairs = {"files": of_files(manifest, codes, Path(folder))} if project.run.extractor == DBT else {}
    pairs["artifacts"] = of_artifacts(project, codes)
    for kind, sides in pairs.items():
        broken = {one.path for one in sides[0].nodes if BUILD_FAILURE in one.properties}
        counts[f"{kind}, edits"] += EDITS * len(codes.keys() - broken)
        counts[f"{kind}, edits of broken templates"] += EDITS * len(codes.keys() & broken)
        for one in whole_diff(*sides, NOTHING_MORE).changed:
            if one.path in codes and one.path not in broken:
                counts[f"{kind}, may fail"] += bool(one.may_fail)
                if one.fails:
                    yield kind, one.name, f"{edits[one.path]}: {one.build_failure}"


def main() -> int:
    """Run cases until the time is over; return 1 if there is a false failure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("python")
    clock, given = Clock.of(parser)
    paths = sorted(ARTIFACTS.rglob("manifest.json.gz"))
    counts: Counter[str] = Counter()
    wrong = 0
    with TemporaryDirectory() as folder:
        judge(given.python, Path(folder))
    for seed in clock.seeds():
        draw = random.Random(seed)
        path = draw.choice(paths)
        for kind, name, edit in failures(path, draw, counts):
            wrong += 1
            print(f"seed {seed}: {path.parent}: {kind}: {name} after {edit!r}")
    print(dict(counts))
    print(clock.report(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
