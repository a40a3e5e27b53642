"""Proof that partial runs change no answer: random sequences of builds with a real dbt on DuckDB.

    python -m tests.proofs.partial_runs DBT_PYTHON [--seconds 600] [--seed 1]

A sequence edits models and runs `dbt build`, `run -s`, `test`, `retry`, `show`, builds that fail, and builds
with `--empty`, in one of two targets. Each run is recorded, and old runs are pruned now and then. After each,
the column impacts of the run and its diff against the oldest run are compared with those of a second store,
in which the same files are recorded after `dbt compile`. Where dbt never compiled an edit, or the code reads
its environment, an answer may be `unknown` or less certain, but never milder. A table that was last built
from other code, or with `--empty`, must be stale. Prints each wrong answer and the shares of equal and
unproven ones; exits with 1 if an answer is wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import recce_meta as api
from recce_meta.api.diff import diff
from recce_meta.api.run_reader import open_run
from recce_meta.errors import RecceMetaError
from recce_meta.models.lineage import ImpactView
from tests.proofs.clock import Clock
from tests.proofs.previews import dbt_engine

FILES = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nmodels: {+materialized: table}\n"
    "vars: {low: 1}\n",
    "profiles.yml": "shop: {target: dev, outputs: {dev: {type: duckdb, path: dev.duckdb, threads: 2}, "
    "ci: {type: duckdb, path: dev.duckdb, schema: ci, threads: 2}}}\n",
    "seeds/raw_stores.csv": "id,name,city\n1,a,x\n2,b,y\n",
    "seeds/raw_orders.csv": "id,store_id,amount\n1,1,10\n2,2,20\n",
    "macros/clean.sql": "{% macro clean(c) %}{{ shorten(c) }}{% endmacro %}\n"
    "{% macro shorten(c) %}trim({{ c }}){% endmacro %}",
    "models/stg_stores.sql": "select id as store_id, name, {{ clean('city') }} as city\n"
    "from {{ ref('raw_stores') }}",
    "models/stg_orders.sql": "select id as order_id, store_id, amount from {{ ref('raw_orders') }}",
    "models/totals.sql": "{{ config(materialized='ephemeral') }}\n"
    "select store_id, sum(amount) as amount from {{ ref('stg_orders') }} group by store_id",
    "models/stores.sql": "select s.store_id, s.city, t.amount from {{ ref('stg_stores') }} as s\n"
    "left join {{ ref('totals') }} as t on t.store_id = s.store_id",
    "models/cities.sql": "select city, count(*) as n from {{ ref('stores') }} group by city",
    "models/big_orders.sql": "select * from {{ ref('stg_orders') }} where amount > {{ var('low') }}",
    "models/schema.yml": "models:\n"
    "  - name: stg_stores\n    columns: [{name: store_id, data_tests: [unique, not_null]}]\n"
    "  - name: stores\n    columns: [{name: store_id, data_tests: [not_null]}, {name: city}]\n",
    "tests/no_negative.sql": "select * from {{ ref('big_orders') }} where amount < 0",
}
EDITS = (
    ("models/stg_stores.sql", "id as store_id", "id + 0 as store_id"),
    ("models/stg_stores.sql", ", name", ", upper(name) as name"),
    ("models/stg_orders.sql", "amount from", "amount * 2 as amount from"),
    ("models/stg_orders.sql", "select id", "select id as order_id, 1 as one, id"),
    ("models/totals.sql", "sum(amount)", "max(amount)"),
    ("models/stores.sql", "s.city", "upper(s.city) as city"),
    ("models/stores.sql", "left join", "inner join"),
    ("models/cities.sql", "count(*) as n", "count(*) as n, min(city) as first_city"),
    ("macros/clean.sql", "trim(", "lower("),
    ("models/big_orders.sql", "select *", "select order_id, amount"),
    ("models/schema.yml", "{name: city}", "{name: city, description: Where it is.}"),
)
FAILING = ("models/stg_orders.sql", "store_id", "cast('a' as int) as store_id")
VARYING = frozenset(["model.shop.big_orders", "test.shop.no_negative"])
"""Nodes with code that reads a variable, or that reads such a node: no artifact proves their SQL."""
MODELS = ("stg_stores", "stg_orders", "stores", "cities", "big_orders")
ASKED = ("raw_stores.city", "raw_stores.id", "raw_orders.amount", "raw_orders.id", "stg_orders.amount")
SEVERITY = {None: 0, "none": 0, "non_breaking": 1, "partial_breaking": 2, "breaking": 3, "unknown": 4}


class Answers(NamedTuple):
    """What a store answers about one run."""

    impacts: dict[str, dict[str, tuple[object, ...]]]
    """Affected nodes of each asked column, with their columns and whether they fail."""
    changes: dict[str, str | None]
    """Category of each changed node."""
    affected: dict[str, tuple[object, ...]]
    unproven: frozenset[str]
    """Nodes with unknown columns, or with lineage that is less than certain."""
    stale: frozenset[str]
    """Nodes with data of an earlier build."""


class Sequence:
    """One project, its store, and the store of the oracle."""

    def __init__(self, engine: subprocess.Popen[str], folder: Path, draw: random.Random) -> None:
        self.engine, self.folder, self.draw = engine, folder, draw
        self.counts: Counter[str] = Counter()
        for name, text in FILES.items():
            path = folder / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            # dbt takes a relative path from the current folder, where all sequences would share the database.
            path.write_text(
                text.replace("path: dev.duckdb", f"path: '{folder / 'dev.duckdb'}'"), encoding="utf-8"
            )
        self.project = folder / "project"
        self.edits = list(EDITS)
        self.told: list[str] = []
        self.target = "dev"
        self.built: dict[tuple[str, str], str] = {}
        """What each node of each target was last built from."""
        self.oracles: dict[str, str] = {}
        """Run of the oracle for each run."""
        self.noted: object = None
        self.last: str | None = None

    def dbt(self, *arguments: str, target: str = "target") -> None:
        """Run dbt, whether it succeeds or not."""
        assert self.engine.stdin is not None
        assert self.engine.stdout is not None
        places = ["--project-dir", self.project, "--profiles-dir", self.project]
        quiet = ["--no-send-anonymous-usage-stats", "--no-version-check", "--quiet"]
        words = [*quiet, *arguments, *places, "--target", self.target, "--target-path", self.project / target]
        self.engine.stdin.write(json.dumps([str(word) for word in words]) + "\n")
        self.engine.stdin.flush()
        self.engine.stdout.readline()

    def step(self) -> list[str]:
        """Edit at random, run dbt, record, and return what is answered wrongly."""
        while self.edits and self.draw.random() < 0.5:
            path, before, after = self.edits.pop(self.draw.randrange(len(self.edits)))
            self.edit(path, before, after)
        fails = self.draw.random() < 0.2
        if fails:
            self.edit(*FAILING)
        command = self.draw.choice(
            [
                ("build",),
                ("test",),
                ("run", "-s", self.draw.choice(MODELS)),
                ("build", "-s", f"{self.draw.choice(MODELS)}+"),
                ("retry",),
                ("compile",),
                ("show", "-s", self.draw.choice(MODELS)),
                ("build", "--empty"),
                ("run", "--empty", "-s", self.draw.choice(MODELS)),
            ]
        )
        self.target = self.draw.choice(("dev", "dev", "ci"))
        self.told.append(f"{' '.join(command)} in {self.target}{' (fails)' if fails else ''}")
        self.dbt(*command)
        # `retry` takes the target of the command before it.
        run = self.extracted("target").run
        if run.invocation_id == self.last:  # `retry` had nothing to do
            return []
        self.last = run.invocation_id
        self.target = "ci" if run.target_schema == "ci" else "dev"
        return self.compare()

    def edit(self, path: str, before: str, after: str) -> None:
        """Edit a file, if an earlier edit left the text that is replaced."""
        file = self.project / path
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(before, after, 1), encoding="utf-8")
        self.told.append(f"{path}: {after}")

    def compare(self) -> list[str]:
        """Record the run in both stores, and return the answers that differ in a wrong way."""
        self.dbt("compile", target="oracle")
        ours, truth = self.answers()
        wrong = [f"{one} is not stale" for one in sorted(self.outdated() - ours.stale)]
        self.counts["stale"] += len(self.outdated())
        self.counts["stale without a change"] += len(ours.stale - self.outdated())
        for column, reached in truth.impacts.items():
            found = ours.impacts[column]
            differing = {one for one in found.keys() | reached.keys() if found.get(one) != reached.get(one)}
            self.count(differing, found.keys() & ours.unproven)
            for unique_id in reached.keys() - found.keys():
                wrong.append(f"impact {column}: {unique_id} is missing")
            for unique_id in reached.keys() & found.keys():
                if reached[unique_id] != found[unique_id] and unique_id not in ours.unproven:
                    wrong.append(
                        f"impact {column}: {unique_id} is {found[unique_id]}, not {reached[unique_id]}"
                    )
        pairs = ((ours.changes, truth.changes), (ours.affected, truth.affected))
        differing = {one for mine, its in pairs for one in {**mine, **its} if mine.get(one) != its.get(one)}
        self.count(differing, ours.unproven)
        for unique_id in ours.changes.keys() ^ truth.changes.keys():
            wrong.append(f"diff: {unique_id} is changed on one side only")
        for unique_id, category in truth.changes.items():
            if SEVERITY[ours.changes.get(unique_id)] < SEVERITY[category] and category != "unknown":
                wrong.append(f"diff: {unique_id} is {ours.changes.get(unique_id)}, not {category}")
        wrong += [f"diff: {one} is not affected" for one in truth.affected.keys() - ours.affected.keys()]
        return [f"{'; '.join(self.told)}: {one}" for one in wrong]

    def count(self, differing: set[str], unproven: object) -> None:
        """Count one answer, which is not that of the oracle for the nodes *differing*."""
        word = "unproven" if unproven else "different"
        if unproven and differing <= VARYING:
            word = "unproven for a variable"
        self.counts[word if differing else "equal"] += 1

    def outdated(self) -> set[str]:
        """Return the built nodes of the target that were last built from other code than that of now."""
        manifest = json.loads((self.project / "oracle" / "manifest.json").read_text(encoding="utf-8"))
        nodes = {key: node for key, node in manifest["nodes"].items() if not key.startswith("test.")}

        def code(unique_id: str) -> str:
            node = nodes[unique_id]
            above = sorted(set(node.get("depends_on", {}).get("nodes", ())))
            return "\n".join([node.get("compiled_code") or unique_id, *map(code, above)])

        self._note_builds({unique_id: code(unique_id) for unique_id in nodes})
        return {
            unique_id
            for unique_id in nodes
            if self.built.get((self.target, unique_id), code(unique_id)) != code(unique_id)
        }

    def _note_builds(self, codes: dict[str, str]) -> None:
        """Remember what the last command built."""
        path = self.project / "target" / "run_results.json"
        if not path.exists():
            return
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["args"]["which"] not in ("build", "run", "seed", "retry") or found == self.noted:
            return
        self.noted = found
        for result in found["results"]:
            if result["status"] == "success" and result["unique_id"] in codes:
                rows = "none" if found["args"].get("empty") else codes[result["unique_id"]]
                self.built[self.target, result["unique_id"]] = rows

    def answers(self) -> tuple[Answers, Answers]:
        """Record the run in both stores, prune now and then, and return what both answer."""
        with self.store("target") as ours, self.store("oracle") as oracle:
            last, compiled = self.record(ours, "target"), self.record(oracle, "oracle")
            self.oracles[last] = compiled
            if self.draw.random() < 0.3:
                removed = api.prune(ours, api.Retention(keep_last=self.draw.choice((1, 2))), local=True).runs
                self.told += ["prune"] if removed else []
            base = min(api.list_runs(ours), key=lambda run: run.run_at).run_id
        found = []
        for name, one, other in (("target", base, last), ("oracle", self.oracles[base], compiled)):
            with self.store(name) as adapter:
                found.append(_answers(adapter, one, other))
        return found[0], found[1]

    def store(self, name: str) -> api.UnifiedSqlAdapter:
        """Return the adapter of the store of runs in the target folder *name*."""
        return api.UnifiedSqlAdapter.from_url(f"duckdb:///{self.folder / name}.duckdb")

    def record(self, adapter: api.UnifiedSqlAdapter, target: str) -> str:
        """Record the artifacts in *target*, and return the id of the run."""
        return api.record_run(adapter, self.extracted(target)).run.run_id

    def extracted(self, target: str) -> api.Project:
        """Return the artifacts in *target*."""
        return api.extract_project(
            self.project / target, environment=self.target, project_dir=self.project, environ={}
        )


def _answers(adapter: api.UnifiedSqlAdapter, base: str, last: str) -> Answers:
    impacts: dict[str, dict[str, tuple[object, ...]]] = {}
    unproven: set[str] = set()
    for asked in ASKED:
        try:
            view = api.impact(adapter, asked, last)
        except RecceMetaError as error:
            impacts[asked] = {str(error): ()}
            continue
        impacts[asked] = _reached(view)
        unproven |= {node.unique_id for node in view.nodes if node.reason or node.confidence < 0.9}
    found = diff(lambda: adapter, base, last)
    changes = {one.unique_id: one.category and one.category.value for one in found.changed}
    affected = {one.unique_id: (one.columns, one.fails) for one in found.impacted}
    stale = open_run(lambda: adapter, last, project=None).stale
    return Answers(impacts, changes, affected, frozenset(unproven), frozenset(stale))


def _reached(view: ImpactView) -> dict[str, tuple[object, ...]]:
    failing = {node.unique_id for node in view.fails or ()}
    return {
        node.unique_id: (tuple(column.name for column in node.columns), node.unique_id in failing)
        for node in view.nodes
    }


def run_sequence(engine: subprocess.Popen[str], seed: int, steps: int = 6) -> tuple[list[str], Counter[str]]:
    """Run the sequence of *seed*. Return the wrong answers, and how many are equal or unproven."""
    with tempfile.TemporaryDirectory() as temporary:
        sequence = Sequence(engine, Path(temporary), random.Random(seed))
        sequence.dbt("build")
        wrong = sequence.compare()
        for _ in range(steps):
            wrong += sequence.step()
        shutil.rmtree(sequence.project)
        return [f"sequence {seed}: {one}" for one in wrong], sequence.counts


def main() -> None:
    """Run the sequences and print what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="interpreter with dbt-core and dbt-duckdb")
    clock, chosen = Clock.of(parser)
    wrong = 0
    counts: Counter[str] = Counter()
    with dbt_engine(chosen.python) as engine:
        for seed in clock.seeds():
            found, counted = run_sequence(engine, seed)
            counts += counted
            wrong += bool(found)
            print(*found, sep="\n", end="\n" if found else "", flush=True)
    print(f"{clock.report(wrong)}; answers: {dict(counts)}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
