"""Proof that no node that fails without a removed column is missed, with dbt on DuckDB as the judge.

    python -m tests.proofs.consumers PYTHON [--seconds 600] [--seed 1]

PYTHON is that of an environment with dbt 1.11 and dbt-duckdb. A case draws the columns that consumers of one
model name: arguments of tests, unit tests, contracts, constraints, keys of incremental models and snapshots,
indexes, hooks, a Python model. dbt builds the project, removes one column of the model, and builds it again.
`diff` compares both manifests. Prints each node that fails without being reported as `fails` or `may_fail`,
and each node that is reported as `fails` and works; exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import yaml

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.api.run_reader import read_run
from recce_meta.models import Project
from tests.proofs.clock import Clock

JUDGE = """
import json, sys
from dbt.cli.main import dbtRunner

states = {}
for command in (["run"], ["snapshot"], ["test"], ["compile"]):
    done = dbtRunner().invoke([*command, "--profiles-dir", ".", "--quiet", "--no-use-colors"])
    if done.exception is not None:
        raise done.exception
    if command != ["compile"]:
        states.update({one.node.unique_id: [str(one.status), str(one.message)] for one in done.result})
print("states:" + json.dumps(states))
"""
PROFILE = {
    "shop": {"target": "dev", "outputs": {"dev": {"type": "duckdb", "path": "shop.duckdb", "threads": 1}}}
}
UP = {
    **{"id": "1", "code": "'a'", "kind": "'b'", "amount": "2", "made_at": "timestamp '2024-01-01'"},
    **{"flag": "true", "dim_id": "3", "note": "'n'", "size": "9"},
}
TYPES = {"made_at": "timestamp", "flag": "boolean", "code": "varchar", "kind": "varchar", "note": "varchar"}
NUMBERS = ("id", "dim_id", "size")
TEXTS = ("code", "kind", "note")
TESTS = {
    "expression_is_true": "(model, expression) %} select * from {{ model }} where not ({{ expression }})",
    "unique_combination": "(model, combination_of_columns) %}"
    "{% set names = combination_of_columns | join(', ') %}"
    "select {{ names }} from {{ model }} group by {{ names }} having count(*) > 1",
    "has_rows": "(model) %} select 1 from (select count(*) as n from {{ model }}) where n = 0",
}
DIM = {"to": "ref('dim')", "field": "dim_id"}
STAR = "select * from {{ ref('up') }}"


def config(**values: Any) -> str:
    """Return a call of `config` in Jinja."""
    return "{{ config(" + ", ".join(f"{name}={value!r}" for name, value in values.items()) + ") }} "


def snapshot(name: str, **values: Any) -> str:
    """Return a snapshot of all columns."""
    return f"{{% snapshot {name} %}}{config(target_schema='main', **values)}{STAR} {{% endsnapshot %}}"


class Shop:
    """One drawn project: a model `up` and consumers of its columns."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        one, two = self._one, self._two
        updates = f"update {{{{ this }}}} set {(hooked := one())} = {hooked}"
        kept = {"materialized": "incremental", "unique_key": "id"}
        batches = {"incremental_strategy": "microbatch", "begin": "2024-01-01", "batch_size": "year"}
        self.files = {
            "models/dim.sql": "select 3 as dim_id, 1 as up_id",
            "models/named.sql": STAR.replace("*", f"{one()} as a"),
            "models/starred.sql": STAR,
            "models/either.sql": f"{STAR} except select * from {{{{ ref('starred') }}}}",
            "models/matched.sql": f"select {one()} from ({STAR} union all by name select 1 as {one()})",
            "models/constant.sql": f"{STAR} union all select {', '.join(UP.values())}",
            "models/patterned.sql": STAR.replace("*", f"columns('^({one()}|{one()})$')"),
            "models/chosen.sql": STAR.replace("*", f"columns(lambda c: c in {(one(), one())})"),
            "models/sorted.sql": STAR.replace("*", "1 as a") + f" order by columns('^{one()}$')",
            "models/grouped.sql": f"{STAR} group by {', '.join(str(at + 1) for at in range(len(UP)))}",
            "models/renamed.sql": STAR.replace("*", f"* rename ({one()} as other)"),
            "models/reads_renamed.sql": "select other from {{ ref('renamed') }}",
            "models/promised.sql": config(materialized="table") + STAR,
            "models/keyed.sql": config(**{**kept, "unique_key": one()}) + STAR,
            "models/keyed_twice.sql": config(
                **{**kept, "unique_key": two()}, on_schema_change="append_new_columns"
            )
            + STAR,
            "models/appended.sql": config(**kept, on_schema_change="append_new_columns") + STAR,
            "models/reads_appended.sql": f"select {one()} from {{{{ ref('appended') }}}}",
            "models/shows_appended.sql": "select * from {{ ref('appended') }}",
            "models/reads_shown.sql": f"select {one()} from {{{{ ref('shows_appended') }}}}",
            "models/merged.sql": config(**kept, incremental_strategy="merge") + STAR,
            "models/reads_merged.sql": f"select {one()} from {{{{ ref('merged') }}}}",
            "models/predicated.sql": config(
                **kept, on_schema_change="sync_all_columns", incremental_predicates=[f"{one()} is not null"]
            )
            + STAR,
            "models/batched.sql": config(materialized="incremental", event_time="made_at", **batches) + STAR,
            "models/indexed.sql": config(materialized="table", indexes=[{"columns": [one()]}]) + STAR,
            "models/hooked.sql": config(materialized="table", post_hook=updates) + STAR,
            "models/touched.sql": config(materialized="table") + STAR,
            "models/touches_up.sql": "select count(*) as n from {{ ref('up') }}",
            "models/documented.sql": config(materialized="table", persist_docs={"columns": True}) + STAR,
            "models/hidden.sql": config(materialized="ephemeral")
            + STAR.replace("*", f"{one()} as a, 1 as b"),
            "models/shows_hidden.sql": "select b from {{ ref('hidden') }}",
            # dbt builds nodes without a ref by their names.
            "models/zz_named.sql": f"select {one()} as a from main.up",
            "models/zz_sends.py": "def model(dbt, session):\n    dbt.config(materialized='table')\n"
            f"    return session.sql('select {(sent := one())} from main.up')\n",
            "models/zz_reads_sends.sql": f"select {sent} from {{{{ ref('zz_sends') }}}}",
            "models/py.py": "def model(dbt, session):\n    dbt.config(materialized='table')\n"
            f"    return dbt.ref('up').project('{one()}')\n",
            "snapshots/timed.sql": snapshot(
                "timed", strategy="timestamp", unique_key="id", updated_at="made_at"
            ),
            "snapshots/checked.sql": snapshot("checked", strategy="check", unique_key="id", check_cols=two()),
            "snapshots/all.sql": snapshot(
                "all_checked", strategy="check", unique_key=one(), check_cols="all"
            ),
            "tests/names_one.sql": f"{STAR} where {one()} is null",
            "tests/names_none.sql": f"{STAR} where false",
        }
        for name, text in TESTS.items():
            self.files[f"macros/{name}.sql"] = f"{{% test {name}{text} {{% endtest %}}"
        touched = one()
        update = f"update {{{{ relation }}}} set {touched} = {touched}"
        self.files["macros/touch.sql"] = f"{{% macro touch(relation) %}}{update}{{% endmacro %}}"
        self.yaml = {
            "dbt_project.yml": {
                **{"name": "shop", "version": "1.0", "profile": "shop"},
                "flags": {"require_generic_test_arguments_property": True},
            },
            "profiles.yml": PROFILE,
            "models/shop.yml": {"models": self._models(), "unit_tests": self._unit_tests()},
        }

    def _one(self) -> str:
        return self._draw.choice([*UP])

    def _two(self) -> list[str]:
        return self._draw.sample([*UP], 2)

    def _models(self) -> list[dict[str, Any]]:
        draw, one = self._draw, self._one
        of_columns: list[tuple[str, dict[str, Any]]] = [
            (one(), {"unique": {"name": "unique_one"}}),
            (one(), {"not_null": {"name": "some", "config": {"where": f"{one()} is not null"}}}),
            (draw.choice(TEXTS), {"accepted_values": {"name": "known", "arguments": {"values": ["x"]}}}),
            (draw.choice(NUMBERS), {"relationships": {"name": "to_dim", "arguments": DIM}}),
        ]
        tests: dict[str, list[Any]] = {}
        for column, test in of_columns:
            tests.setdefault(column, []).append(test)
        field = {"to": "ref('up')", "field": draw.choice(NUMBERS)}
        holds, combined = {"expression": f"{one()} is not null"}, {"combination_of_columns": self._two()}
        typed = [{"name": name, "data_type": TYPES.get(name, "integer")} for name in UP]
        return [
            {
                **{"name": "up", "config": {"event_time": "made_at"}},
                "columns": [{"name": column, "data_tests": listed} for column, listed in tests.items()],
                "data_tests": [
                    {"expression_is_true": {"name": "holds", "arguments": holds}},
                    {"unique_combination": {"name": "combined", "arguments": combined}},
                    {"has_rows": {"name": "filled"}},
                ],
            },
            {
                "name": "dim",
                "columns": [
                    {
                        "name": "up_id",
                        "data_tests": [{"relationships": {"name": "from_dim", "arguments": field}}],
                    }
                ],
            },
            {"name": "promised", "config": {"contract": {"enforced": True}}, "columns": typed},
            {"name": "touched", "config": {"post_hook": "{{ touch(this) }}"}},
            {"name": "touches_up", "config": {"pre_hook": "{{ touch(ref('up')) }}"}},
            {"name": "documented", "columns": [{"name": name, "description": "x"} for name in UP]},
        ]

    def _unit_tests(self) -> list[dict[str, Any]]:
        given = {"input": "ref('up')", "rows": [dict.fromkeys(self._two())]}
        as_text = {"input": "ref('up')", "format": "csv", "rows": f"{self._one()}\n"}
        expect = {"rows": [dict.fromkeys([self._one()])]}
        return [
            {"name": "of_reader", "model": "starred", "given": [given], "expect": expect},
            {"name": "of_named", "model": "named", "given": [as_text], "expect": {"rows": [{"a": None}]}},
            {"name": "of_up", "model": "up", "given": [], "expect": {"rows": [dict.fromkeys([self._one()])]}},
        ]

    def write(self, folder: Path) -> None:
        """Write the project to *folder*."""
        for name, text in {
            **self.files,
            **{one: yaml.safe_dump(it) for one, it in self.yaml.items()},
        }.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        write_up(folder, "")


def write_up(folder: Path, without: str) -> None:
    """Write the model, without one column."""
    columns = ", ".join(f"{value} as {name}" for name, value in UP.items() if name != without)
    (folder / "models/up.sql").write_text(f"{{{{ config(materialized='table') }}}} select {columns}")


class State(NamedTuple):
    """Result of a node, as dbt reports it."""

    status: str
    message: str


class Case:
    """One project, built by dbt."""

    def __init__(self, seed: int, python: Path, folder: Path) -> None:
        self._python, self._base = python, folder / "base"
        self._folder = folder
        self._base.mkdir()
        Shop(seed).write(self._base)
        states, self.project = self._built(self._base)
        errors = {name: state for name, state in states.items() if state.status in ("error", "skipped")}
        if errors:
            raise RuntimeError(f"dbt fails in case {seed} before a column is removed: {errors}")

    def _built(self, folder: Path) -> tuple[dict[str, State], Project]:
        done = subprocess.run(
            [str(self._python), "-c", JUDGE], cwd=folder, capture_output=True, text=True, check=False
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("states:")]
        if not lines:
            raise RuntimeError(f"dbt failed: {done.stdout[-1500:]}{done.stderr[-1500:]}")
        found = json.loads(lines[-1].removeprefix("states:"))
        states = {unique_id: State(*state) for unique_id, state in found.items()}
        return states, read_run(folder / "target", hash_seed_files=False)

    def without(self, column: str) -> Iterator[tuple[str, State, bool, str]]:
        """Yield each node with its result without *column*, and `fails` and `may_fail` of a diff."""
        folder = self._folder / column
        shutil.copytree(self._base, folder)
        write_up(folder, column)
        states, current = self._built(folder)
        found = whole_diff(self.project, current, NOTHING_MORE)
        reported = {one.unique_id: (one.fails, one.may_fail) for one in found.impacted}
        for unique_id, state in states.items():
            if state.status != "skipped":
                yield unique_id, state, *reported.get(unique_id, (False, ""))
        shutil.rmtree(folder)


def outcome(state: State, fails: bool, may_fail: str) -> str:
    """Return how the report of a node agrees with its result."""
    if state.status == "error":
        return "right" if fails else "unsure" if may_fail else "missed"
    return "false alarm" if fails else "unsure: works" if may_fail else "right: works"


def main() -> None:
    """Run the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("python", type=Path)
    clock, given = Clock.of(parser)
    counts: Counter[str] = Counter()
    for seed in clock.seeds():
        with TemporaryDirectory() as folder:
            case = Case(seed, given.python, Path(folder))
            for column in UP:
                for unique_id, state, fails, may_fail in case.without(column):
                    found = outcome(state, fails, may_fail)
                    counts[found] += 1
                    if not found.startswith("right"):
                        line = " ".join(state.message.split())[:200]
                        print(
                            f"{found}: case {seed}: {unique_id} without {column}: {may_fail} | {line}",
                            flush=True,
                        )
    print(", ".join(f"{count:,} {name}" for name, count in sorted(counts.items())))
    wrong = counts["missed"] + counts["false alarm"]
    print(clock.report(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
