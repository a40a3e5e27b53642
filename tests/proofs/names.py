"""Proof that readers by name, disabled nodes and functions are judged, with dbt on PostgreSQL as the judge.

    python -m tests.proofs.names PYTHON URL [--seconds 600] [--seed 1]

PYTHON is that of an environment with dbt 1.11 and dbt-postgres. Schemas are created in the database of URL
and dropped. A case draws models, a function and disabled models, and their readers by `ref`, by name and as
sources. One of them has other values, a comment, another schema or alias, or is deleted or disabled. dbt
builds each version twice, anew. Prints each node that fails, or has other rows, without a report, each one
that is reported as failing and works, and each edit that is not reported; exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import yaml
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.api.run_reader import read_run
from recce_meta.models import Project, RunDiff
from recce_meta.models.change import Category
from tests.proofs.clock import Clock

SCHEMA = f"proof_names_{os.getpid()}"
JUDGE = """
import json
from dbt.cli.main import dbtRunner

options = ["--profiles-dir", ".", "--quiet", "--no-use-colors"]
for _ in range(2):  # a reader by name may be built before what it reads
    done = dbtRunner().invoke(["build", *options])
    if done.exception is not None:
        raise done.exception
print("states:" + json.dumps({one.node.unique_id: str(one.status) for one in done.result}))
dbtRunner().invoke(["compile", *options])
"""
READERS = {
    "r_ref": "select id, v from {{{{ ref('{0}') }}}}",
    "r_name": "select id, v from {1}.{0}",
    "r_whole": "select * from {{{{ target.database }}}}.{{{{ target.schema }}}}.{0}",
    "r_quoted": 'select id, v as w from "{1}"."{0}" where id > 0',
    "r_bare": "select id, v from {0}",
    "r_source": "select id, v from {{{{ source('s', '{0}') }}}}",
    "r_inside": "with x as (select id from b) select x.id, (select max(v) from {1}.{0}) as m from x",
    "r_other": "with {0} as (select 1 as id, 2 as v) select id, v from {0}",
    "r_below": "select count(*) as n, sum(v) as v from {{{{ ref('r_name') }}}}",
    "r_calls": "select id, {{{{ function('twice') }}}}(v) as v from {{{{ ref('b') }}}}",
    "r_calls_below": "select sum(v) as v from {{{{ ref('r_calls') }}}}",
}
EDITS = ("values", "comment", "schema", "alias", "gone", "disabled")
NODES = ("a", "b", "off", "twice")


class State(NamedTuple):
    """What dbt built: results by unique id, and rows of what works."""

    statuses: Mapping[str, str]
    rows: Mapping[str, list[Any]]
    project: Project


def config(**values: Any) -> str:
    """Return a call of `config` in Jinja."""
    return "{{ config(" + ", ".join(f"{name}={value!r}" for name, value in values.items()) + ") }} "


def files(draw: random.Random, edited: str, edit: str) -> dict[str, str]:
    """Return the files of a project with one *edit* of a node; the same draws for any edit."""
    read = draw.choice("ab")
    kinds = {name: {"materialized": draw.choice(["table", "view"])} for name in (*READERS, *NODES)}
    codes = {name: f"select 1 as id, {2 + at} as v" for at, name in enumerate(NODES)}
    codes["twice"] = "select x * 2"
    given: dict[str, dict[str, Any]] = {name: dict(kinds[name]) for name in NODES}
    if edit == "values":
        codes[edited] = "select x * 3" if edited == "twice" else "select 1 as id, 7 as v"
    elif edit == "comment":
        codes[edited] += " /* why */"
    elif edit in ("schema", "alias"):
        given[edited][edit] = "moved"
    elif edit == "disabled":
        given[edited]["enabled"] = False
    texts = {f"models/{name}.sql": config(**given[name]) + codes[name] for name in ("a", "b")}
    off = {**given["off"], "enabled": "on"} if edited != "off" or edit != "disabled" else given["off"]
    texts["models/off.sql"] = config(**off).replace("'on'", "(target.name == 'prod')") + codes["off"]
    is_lost = edit in ("gone", "disabled")
    for name, code in READERS.items():
        if "calls" in name and edited == "twice" and is_lost:
            continue
        # dbt refuses a reference to what is not there.
        other = "ab".replace(read, "") if name == "r_ref" and edited == read and is_lost else read
        if name == "r_calls" and edited == "b" and is_lost:
            code = code.replace("'b'", "'a'")
        texts[f"models/{name}.sql"] = config(**kinds[name]) + code.format(other, SCHEMA)
    options = {key: value for key, value in given["twice"].items() if key != "materialized"}
    texts["functions/twice.sql"] = codes["twice"]
    twice = {"name": "twice", "arguments": [{"name": "x", "data_type": "integer"}], "config": options}
    texts["functions/twice.yml"] = yaml.safe_dump(
        {"functions": [{**twice, "returns": {"data_type": "integer"}}]}
    )
    source = {"name": "s", "schema": SCHEMA, "tables": [{"name": "a"}, {"name": "b"}]}
    texts["models/s.yml"] = yaml.safe_dump({"sources": [source]})
    if edit == "gone":
        texts = {name: code for name, code in texts.items() if Path(name).stem != edited}
    return texts


def built(python: str, url: str, folder: Path, texts: Mapping[str, str]) -> State:
    """Return what dbt builds of the files *texts*, anew."""
    at = make_url(url).set(drivername="postgresql+psycopg")
    profile = {"type": "postgres", "host": at.host, "port": at.port or 5432, "user": at.username,
               "password": at.password or "x", "dbname": at.database, "schema": SCHEMA, "threads": 1,
               "search_path": SCHEMA}  # fmt: skip
    settings = {"name": "shop", "profile": "shop"}
    profiles = {"shop": {"target": "dev", "outputs": {"dev": profile}}}
    more = {"dbt_project.yml": yaml.safe_dump(settings), "profiles.yml": yaml.safe_dump(profiles)}
    for name, code in {**texts, **more}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(code)
    with create_engine(at, isolation_level="AUTOCOMMIT").connect() as session:
        drop(session)
        done = subprocess.run([python, "-c", JUDGE], cwd=folder, capture_output=True, text=True, check=False)
        lines = [line for line in done.stdout.splitlines() if line.startswith("states:")]
        if not lines:
            raise RuntimeError(f"dbt failed: {done.stdout[-1500:]}{done.stderr[-1500:]}")
        statuses = json.loads(lines[-1].removeprefix("states:"))
        project = read_run(folder / "target", hash_seed_files=False)
        names = {one.unique_id: one.relation_name for one in project.nodes if one.resource_type == "model"}
        rows = {
            one: sorted(map(repr, session.execute(text(f"select * from {names[one]}")).all()))
            for one, status in statuses.items()
            if status == "success" and names.get(one)
        }
        drop(session)
    return State(statuses, rows, project)


def drop(session: Connection) -> None:
    for name in (SCHEMA, f"{SCHEMA}_moved"):
        session.execute(text(f"drop schema if exists {name} cascade"))


def wrong(base: State, now: State, diff: RunDiff, edited: str, edit: str) -> Iterator[str]:
    """Yield what *diff* says otherwise than dbt."""
    reports = {one.unique_id: one for one in (*diff.impacted, *diff.changed)}
    fails = {key for key, one in reports.items() if one.fails}
    may_fail = {key for key, one in reports.items() if one.may_fail}
    changed = {one.unique_id: one for one in diff.changed}
    for key, status in now.statuses.items():
        was = base.statuses.get(key, "success")
        if status == "error" and was == "success" and key not in fails | may_fail:
            yield f"{key} fails and is not reported"
        if status == "success" and key in fails:
            yield f"{key} is reported as failing and works"
        rows = base.rows.get(key), now.rows.get(key)
        if None in rows or rows[0] == rows[1]:
            continue
        if key not in reports or (key in changed and changed[key].category is Category.NONE):
            yield f"{key} has other rows and is not reported"
    known = [one for one in changed if one.rsplit(".", 1)[-1] == edited]
    if not known and edit != "comment":
        yield "the edit is not reported"


def main() -> int:
    """Run cases until the time is over; return 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("python")
    parser.add_argument("url")
    clock, given = Clock.of(parser)
    counts: Counter[str] = Counter()
    failed = 0
    for seed in clock.seeds():
        edited = NODES[seed % len(NODES)]
        base: State | None = None
        for edit in ("", *EDITS):
            if edited == "off" and edit in ("schema", "alias"):
                continue
            with TemporaryDirectory() as folder:
                texts = files(random.Random(seed), edited, edit)
                now = built(given.python, given.url, Path(folder), texts)
            if base is None:
                base = now
                continue
            diff = whole_diff(base.project, now.project, NOTHING_MORE)
            counts[f"{edited} {edit}"] += 1
            counts["failures"] += sum(one == "error" for one in now.statuses.values())
            counts["reported"] += sum(one.fails for one in (*diff.impacted, *diff.changed))
            for one in wrong(base, now, diff, edited, edit):
                failed += 1
                print(f"case {seed}, {edited}, {edit}: {one}", flush=True)
    print(dict(counts))
    print(clock.report(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
