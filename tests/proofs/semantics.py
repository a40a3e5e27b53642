"""Proof that no metric or saved query that needs a removed column is missed, with MetricFlow as the judge.

    python -m tests.proofs.semantics PYTHON [--seconds 600] [--seed 1]

PYTHON is that of an environment with dbt 1.12 or later and dbt-duckdb, whose dependencies include MetricFlow.
A case draws a project: facts that join dimensions, measures, filters, metrics of each type, saved queries.
dbt parses it, and MetricFlow writes the SQL of each metric, with and without a group by time, and of each
saved query. For each column of each model, DuckDB plans these queries without the column, and `diff` compares
the project with one whose model lacks it. Prints each query that fails without being reported as `fails` or
`may_fail`, and each report of a query that works; exits with 1 if one is missed, or if more than 2 % of the
reports of failures are false.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import yaml
from msgspec.structs import replace

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.api.run_reader import read_run
from recce_meta.models import Project
from recce_meta.models.node import NodeMetadata
from tests.proofs.clock import Clock

JUDGE = """
import json, sys
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

class Client:
    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = DuckDbSqlPlanRenderer()

manifest = parse_manifest_from_dbt_generated_manifest(open(sys.argv[1]).read())
engine = MetricFlowEngine(SemanticManifestLookup(manifest), Client())

def sql(**asked):
    try:
        return engine.explain(MetricFlowQueryRequest.create(**asked)).sql_statement.sql
    except Exception as error:
        print(asked, str(error)[:1500], file=sys.stderr)
        return None

found = {}
for name in sys.argv[2].split(","):
    both = [sql(metric_names=[name]), sql(metric_names=[name], group_by_names=["metric_time"])]
    found["metric." + name] = [one for one in both if one]
for query in manifest.saved_queries:
    found["saved_query." + query.name] = [one for one in [sql(saved_query_name=query.name)] if one]
print(json.dumps(found))
"""
PROFILE = {"shop": {"target": "dev", "outputs": {"dev": {"type": "duckdb", "path": "shop.duckdb"}}}}
TYPES = {"id": "1", "text": "'a'", "number": "1.5", "time": "DATE '2024-01-01'", "flag": "true"}
MOST_ALARMS = 0.02
"""Part of the reports that may be false, as DuckDB plans the query."""
OWN = ("base", "measures")
"""Keys of a drawn metric that dbt does not read: the semantic model of its measures, if one, and these."""


class Shop:
    """One drawn project: the columns of each model, and the YAML of its semantic layer."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self.models: dict[str, dict[str, str]] = {"spine": {"date_day": TYPES["time"]}}
        self.semantic_models: list[dict[str, Any]] = []
        self.metrics: list[dict[str, Any]] = []
        self.saved_queries: list[dict[str, Any]] = []
        self._measures: list[tuple[str, int]] = []
        self._facts: list[dict[str, Any]] = []
        self._dimensions = self._draw.randint(2, 4)
        for at in range(self._dimensions):
            self._add_model(f"dim{at}", range(at + 1, min(at + 2, self._dimensions)))
        for at in range(self._draw.randint(1, 3)):
            self._add_model(f"fact{at}", self._draw.sample(range(self._dimensions), 2))
        for at in range(self._draw.randint(6, 10)):
            self._add_metric(f"metric{at}")
        for at in range(self._draw.randint(2, 4)):
            self._add_saved_query(f"saved{at}")

    def _name(self, column: str, prefix: str) -> dict[str, Any]:
        """Return an element of a column, under its own or another name."""
        if self._draw.random() < 0.5:
            return {"name": column}
        expression = self._draw.choice([column, f"coalesce({column}, null)"])
        return {"name": f"{prefix}_{column}", "expr": expression}

    def _add_model(self, name: str, keys: Any) -> None:
        draw = self._draw
        columns = {f"{name}_id": TYPES["id"], **{f"{name}_{kind}_{at}": TYPES[kind]
                   for kind in ("text", "number", "time", "flag") for at in range(2)}}  # fmt: skip
        # DuckDB would take a removed column from another table of the same join that has one of this name.
        taken = {column for model in self.models.values() for column in model}
        names = {f"key{at}": f"key{at}" if f"key{at}" not in taken else f"{name}_key{at}" for at in keys}
        columns |= dict.fromkeys(names.values(), TYPES["id"])
        self.models[name] = columns
        is_named = name.startswith("dim") or draw.random() < 0.7
        entity = name.replace("dim", "key")
        entities = [{"name": entity, "type": draw.choice(["primary", "unique"]), "expr": f"{name}_id"}]
        entities += [
            {"name": key, "type": "foreign", **({} if key == column else {"expr": column})}
            for key, column in names.items()
        ]
        times = [f"{name}_time_{at}" for at in range(2)]
        dimensions = [{**self._name(column, "is"), "type": "categorical"} for column in columns
                      if "text" in column or "flag" in column]  # fmt: skip
        dimensions += [
            {"name": time, "type": "time", "type_params": {"time_granularity": "day"}} for time in times
        ]
        measures: list[dict[str, Any]] = []
        for at in range(draw.randint(1, 3)):
            number = f"{name}_number_{draw.randrange(2)}"
            case = f"case when {name}_flag_{draw.randrange(2)} then {number} end"
            both = f"{name}_number_0 - {name}_number_1"
            measure: dict[str, Any] = {"name": f"{name}_measure_{at}"}
            measure |= {"agg": draw.choice(["sum", "max", "average", "median"])}
            measure |= {"expr": draw.choice([number, number, case, both])}
            if draw.random() < 0.3:
                measure |= draw.choice([
                    {"agg": "sum_boolean", "expr": f"{name}_flag_0"},
                    {"agg": "count_distinct", "expr": f"{name}_text_1"},
                    {"agg": "percentile", "agg_params": {"percentile": 0.9}},
                ])  # fmt: skip
            if draw.random() < 0.2:
                measure = {"name": measure["name"], "agg": "count", "expr": "1"}
            if draw.random() < 0.2:
                measure["agg_time_dimension"] = times[1]
            if draw.random() < 0.15:
                groups = {"window_groupings": [entity]} if draw.random() < 0.5 else {}
                measure["non_additive_dimension"] = {"name": times[0], "window_choice": "max", **groups}
            measures.append(measure)
            self._measures.append((measure["name"], len(self.semantic_models)))
        found: dict[str, Any] = {
            "name": f"{name}s", "model": f"ref('{name}')", "defaults": {"agg_time_dimension": times[0]},
            "entities": entities, "dimensions": dimensions, "measures": measures,
        }  # fmt: skip
        if entities[0]["type"] != "primary":
            if is_named:
                entities[0]["type"] = "primary"
            else:
                found["primary_entity"] = f"{name}_row"
        self.semantic_models.append(found)

    def _elements(self, base: int) -> list[str]:
        """Return calls that name elements which a metric of the semantic model *base* can reach."""
        model = self.semantic_models[base]
        first = model.get("primary_entity") or model["entities"][0]["name"]
        found = [(one, first, ()) for one in model["dimensions"]]
        waiting: list[tuple[dict[str, Any], tuple[str, ...]]] = [(model, ())]
        for model, path in waiting:
            for entity in model["entities"]:
                named = [
                    one
                    for one in self.semantic_models
                    if one["entities"][0]["name"] == entity["name"] and one is not model
                ]
                other = named[0] if named else None
                if other is not None and entity["type"] == "foreign" and len(path) < 2:
                    found += [(one, entity["name"], path) for one in other["dimensions"]]
                    if not path:
                        waiting.append((other, (entity["name"],)))
        calls = []
        for dimension, link, path in found:
            name, ends = f"{link}__{dimension['name']}", f", entity_path={list(path)}" if path else ""
            is_time = dimension["type"] == "time"
            calls.append(f"TimeDimension('{name}', 'day'{ends})" if is_time else f"Dimension('{name}'{ends})")
        calls += [f"Entity('{one['name']}')" for one in self.semantic_models[base]["entities"]]
        return [*calls, "TimeDimension('metric_time', 'day')"]

    def _filter(self, base: int, chance: float = 0.4) -> dict[str, Any]:
        if base < 0 or self._draw.random() > chance:
            return {}
        called = self._draw.sample(self._elements(base), self._draw.randint(1, 2))
        return {"filter": " and ".join(f"{{{{ {call} }}}} is not null" for call in called)}

    def _add_metric(self, name: str) -> None:
        draw = self._draw
        kind = draw.choice(["simple", "simple", "ratio", "derived", "cumulative", "conversion"])
        # MetricFlow takes no metric that reads one measure with unequal filters.
        above = (
            self.metrics if draw.random() < 0.4 else [one for one in self.metrics if one["type"] == "simple"]
        )
        pairs = [(one, other) for one in above for other in above
                 if one["measures"].isdisjoint(other["measures"])]  # fmt: skip
        if kind in ("ratio", "derived") and not pairs:
            kind = "simple"
        measure, base = draw.choice(self._measures)
        params: dict[str, Any] = {}
        measures = frozenset([measure])
        own = self._filter(base)
        if kind == "simple":
            params = {"measure": {"name": measure, **self._filter(base, 0.2)}}
            if draw.random() < 0.2:
                params["measure"] |= {"join_to_timespine": True, "fill_nulls_with": 0}
        elif kind == "cumulative":
            more = draw.choice([{}, {"window": "7 days"}, {"grain_to_date": "month"}])
            params = {"measure": measure, "cumulative_type_params": more}
        elif kind == "conversion":
            both = [one for one in self._measures if one[1] >= self._dimensions]
            one, other = draw.choice(both), draw.choice(both)
            shared = {each["name"] for each in self.semantic_models[one[1]]["entities"]}
            shared &= {each["name"] for each in self.semantic_models[other[1]]["entities"]}
            if not shared or any(self._aggregation(each) != "count" for each in (one, other)):
                return
            params = {"conversion_type_params": {
                "base_measure": one[0], "conversion_measure": other[0],
                "entity": draw.choice(sorted(shared)), "window": "7 days",
            }}  # fmt: skip
            own, measures = {}, frozenset([one[0], other[0]])
        else:
            one, other = draw.choice(pairs)
            own, measures = {}, one["measures"] | other["measures"]
            inputs = [{"name": each["name"], **self._filter(each["base"], 0.3)} for each in (one, other)]
            if kind == "ratio":
                params = {"numerator": inputs[0], "denominator": inputs[1]}
            else:
                inputs[0]["alias"] = "first_one"
                if draw.random() < 0.4:
                    inputs[0]["offset_window"] = "1 month"
                params = {"expr": f"first_one - {other['name']}", "metrics": inputs}
            base = one["base"] if one["base"] == other["base"] else -1
        self.metrics.append(
            {"name": name, "label": name, "type": kind, "type_params": params, **own}
            | {"base": base, "measures": measures}
        )

    def _aggregation(self, measure: tuple[str, int]) -> str:
        found = self.semantic_models[measure[1]]["measures"]
        (own,) = [one for one in found if one["name"] == measure[0]]
        return str(own["agg"]) if "non_additive_dimension" not in own else ""

    def _add_saved_query(self, name: str) -> None:
        base = self._draw.choice([metric["base"] for metric in self.metrics])
        if base < 0:
            return
        of_base = [metric["name"] for metric in self.metrics if metric["base"] == base]
        calls = self._elements(base)
        groups = [call for call in self._draw.sample(calls, 2) if "metric_time" not in call]
        groups += ["TimeDimension('metric_time', 'month')"] if self._draw.random() < 0.7 else []
        chosen = self._draw.sample(of_base, min(len(of_base), self._draw.randint(1, 2)))
        params = {"metrics": chosen, "group_by": groups}
        if self._draw.random() < 0.4:
            params["where"] = [f"{{{{ {self._draw.choice(calls)} }}}} is not null"]
        self.saved_queries.append({"name": name, "query_params": params})

    def write(self, folder: Path) -> None:
        """Write the project to *folder*."""
        (folder / "models").mkdir()
        for name, columns in self.models.items():
            (folder / "models" / f"{name}.sql").write_text(select(columns))
        spine = {"name": "spine", "time_spine": {"standard_granularity_column": "date_day"},
                 "columns": [{"name": "date_day", "granularity": "day"}]}  # fmt: skip
        texts = {
            "dbt_project.yml": {"name": "shop", "version": "1.0", "profile": "shop"},
            "profiles.yml": PROFILE,
            "models/shop.yml": {
                "models": [spine],
                "semantic_models": self.semantic_models,
                "metrics": [{key: one[key] for key in one if key not in OWN} for one in self.metrics],
                "saved_queries": self.saved_queries,
            },
        }
        for name, content in texts.items():
            (folder / name).write_text(yaml.safe_dump(content, sort_keys=False))


def select(columns: dict[str, str]) -> str:
    """Return a query of one row with *columns*."""
    return "select " + ", ".join(f"{value} as {name}" for name, value in columns.items())


class Case:
    """One project, parsed by dbt, with the queries that MetricFlow writes."""

    def __init__(self, seed: int, python: Path, folder: Path) -> None:
        self.shop = Shop(seed)
        self.shop.write(folder)
        asked = [str(python.with_name("dbt")), "parse", "--profiles-dir", ".", "--quiet"]
        done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"dbt parse failed in case {seed}: {done.stdout[-1500:]}{done.stderr[-500:]}")
        names = ",".join(metric["name"] for metric in self.shop.metrics)
        asked = [str(python), "-c", JUDGE, str(folder / "target" / "semantic_manifest.json"), names]
        done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"MetricFlow failed in case {seed}: {done.stderr[-1500:]}")
        self.refused = done.stderr
        self.queries: dict[str, list[str]] = json.loads(done.stdout)
        project = read_run(folder / "target", hash_seed_files=False)
        nodes = [replace(node, compiled_code=node.raw_code) for node in project.nodes]
        self.base = replace(project, nodes=tuple(nodes))

    def failing(self, model: str, column: str) -> dict[str, list[bool]]:
        """Return for each query of each definition whether it fails without *column* of *model*."""
        with duckdb.connect() as connection:
            connection.execute("ATTACH ':memory:' AS shop; USE shop")
            for name, columns in self.shop.models.items():
                left = {key: sql for key, sql in columns.items() if (name, key) != (model, column)}
                connection.execute(f"CREATE TABLE {name} AS {select(left or {'nothing': '1'})}")

            def fails(query: str) -> bool:
                try:
                    connection.execute(f"EXPLAIN {query}")
                except duckdb.BinderException:
                    return True
                return False

            return {name: [fails(query) for query in queries] for name, queries in self.queries.items()}

    def reported(self, model: str, column: str) -> dict[str, tuple[bool, str]]:
        """Return `fails` and `may_fail` of each affected definition, without *column* of *model*."""

        def edited(node: NodeMetadata) -> NodeMetadata:
            if node.name != model or node.resource_type != "model":
                return node
            columns = self.shop.models[model]
            left = {name: sql for name, sql in columns.items() if name != column} or {"nothing": "1"}
            return replace(node, raw_code=select(left), compiled_code=select(left), code_hash=column)

        current: Project = replace(self.base, nodes=tuple(map(edited, self.base.nodes)))
        found = whole_diff(self.base, current, NOTHING_MORE)
        return {f"{one.resource_type}.{one.name}": (one.fails, one.may_fail) for one in found.impacted}


def outcomes(case: Case, seed: int) -> Iterator[tuple[str, str]]:
    """Yield the outcome of each column and definition, and where it is: right, missed, unsure, …"""
    for model, columns in case.shop.models.items():
        for column in columns:
            reported = case.reported(model, column)
            for name, fails in case.failing(model, column).items():
                says_fails, may_fail = reported.get(name, (False, ""))
                place = f"case {seed}: {name} without {model}.{column}: {fails}, {says_fails}, {may_fail!r}"
                if not fails:
                    continue
                if any(fails) and not (says_fails or may_fail):
                    yield "missed", place
                elif (says_fails and not all(fails)) or (may_fail and not any(fails)):
                    yield "false alarm", place
                elif all(fails) and not says_fails:
                    yield "unsure", place
                else:
                    yield "right" if any(fails) else "right: not affected", place


def main() -> None:
    """Run the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("python", type=Path)
    clock, given = Clock.of(parser)
    counts: Counter[str] = Counter()
    for seed in clock.seeds():
        with TemporaryDirectory() as folder:
            case = Case(seed, given.python, Path(folder))
            for outcome, place in outcomes(case, seed):
                counts[outcome] += 1
                if not outcome.startswith("right"):
                    print(f"{outcome}: {place}", flush=True)
    print(", ".join(f"{count:,} {outcome}" for outcome, count in sorted(counts.items())))
    print(clock.report(counts["missed"]))
    false_alarms = counts["false alarm"]
    sys.exit(counts["missed"] > 0 or false_alarms > MOST_ALARMS * (counts["right"] + false_alarms))


if __name__ == "__main__":
    main()
