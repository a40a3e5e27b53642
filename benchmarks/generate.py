"""A synthetic dbt project's artifacts, in the shape and about the size that dbt 1.11 writes them.

`python -m benchmarks.generate FOLDER --models 5000 --tests 3534` writes manifest.json and catalog.json.
The same arguments always give the same project.
"""

from __future__ import annotations

import argparse
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PROJECT = "shop"
DATABASE = "analytics"
MACROS = 488
SHOWN = {"show": True, "node_color": None}
CONTRACT = {"enforced": False, "alias_types": True, "checksum": None}
NEVER = {"count": None, "period": None}
TABLE_FRESHNESS = {"warn_after": NEVER, "error_after": NEVER, "filter": None}
MODEL_CONFIG: Json = {
    "enabled": True, "alias": None, "schema": None, "database": None, "tags": [], "meta": {}, "group": None,
    "static_analysis": None, "materialized": "view", "incremental_strategy": None, "batch_size": None,
    "lookback": 1, "begin": None, "persist_docs": {}, "post-hook": [], "pre-hook": [], "quoting": {},
    "column_types": {}, "full_refresh": None, "unique_key": None, "on_schema_change": "ignore",
    "on_configuration_change": "apply", "grants": {}, "packages": [], "docs": SHOWN,
    "contract": {"enforced": False, "alias_types": True}, "event_time": None, "concurrent_batches": None,
    "access": "protected", "freshness": None,
}  # fmt: skip
TEST_CONFIG: Json = {
    "enabled": True, "alias": None, "schema": "dbt_test__audit", "database": None, "tags": [], "meta": {},
    "group": None, "static_analysis": None, "materialized": "test", "severity": "ERROR",
    "store_failures": None, "store_failures_as": None, "where": None, "limit": None, "fail_calc": "count(*)",
    "warn_if": "!= 0", "error_if": "!= 0",
}  # fmt: skip
TYPES = ("BIGINT", "BIGINT", "VARCHAR", "DECIMAL(18,2)", "DECIMAL(38,2)", "DOUBLE", "TIMESTAMP", "INTEGER")
TESTS = ("unique", "not_null", "accepted_values", "relationships")

JOINED = """with left_side as (\n\n    select * from {left}\n\n),\n\nright_side as (\n\n    select
        parent_id,\n        sum(amount) as b_amount,\n        max(created_at) as b_created_at,
        count(*) as n_rows\n    from {right}\n    group by parent_id\n\n),\n\njoined as (\n\n    select
        l.{key},\n        l.parent_id,\n        case
            when l.status in ('v1', 'v2') then 'open'
            when l.status = 'v3' and l.amount > {number} then 'large'
            else coalesce(l.status, 'unknown')\n        end as status_group,
        l.amount as amount,\n        coalesce(r.b_amount, 0) as b_amount,\n        {ratio} as amount_ratio,
        sum(l.amount) over (partition by l.parent_id order by l.created_at) as running_amount,
        row_number() over (partition by l.parent_id order by l.created_at desc) as row_num{more}
    from left_side as l\n    left join right_side as r\n        on l.parent_id = r.parent_id\n\n)

select * from joined\nwhere row_num <= {number}"""
MORE = ",\n        nullif(trim(l.note_{n}), '') as note_{n}, l.score_{n} * 100.0 / {number} as score_{n}"
TEST_CODE = """\n    \n    \n\nselect\n    {column} as unique_field,\n    count(*) as n_records\n
from {relation}\nwhere {column} is not null\ngroup by {column}\nhaving count(*) > 1\n\n\n"""


class Shop:
    """A project of *models*, a fifth of them on sources, the rest on earlier models."""

    def __init__(self, models: int, tests: int, schema: str = "prod") -> None:
        self.schema = schema
        self.sources = {f"source.{PROJECT}.raw.t{i}": self.source(i) for i in range(max(1, models // 5))}
        self.names = [self.name(i, models) for i in range(models)]
        self.models = {f"model.{PROJECT}.{name}": self.model(i) for i, name in enumerate(self.names)}
        self.tests = dict(self.test(i) for i in range(tests))

    @staticmethod
    def name(i: int, models: int) -> str:
        layer = ("stg", "int", "dim", "fct")[min(3, 5 * i // max(1, models) if 5 * i < models else 1 + i % 3)]
        return f"{layer}_subscription_{i:05}"

    def relation(self, name: str) -> str:
        return f'"{DATABASE}"."{self.schema}"."{name}"'

    def source(self, i: int) -> Json:
        return {
            **self._common(f"t{i}", "source", "models/sources.yml", ["raw", f"t{i}"]),
            **{"schema": "raw", "unique_id": f"source.{PROJECT}.raw.t{i}", "source_name": "raw"},
            **{"source_description": "landed tables", "loader": "", "identifier": f"src_{i}"},
            "quoting": dict.fromkeys(("database", "schema", "identifier", "column")),
            **{"loaded_at_field": None, "loaded_at_query": None, "freshness": TABLE_FRESHNESS},
            **{"external": None, "description": f"source table number {i}", "source_meta": {}},
            "columns": {"id": column("id", "primary key")},
            "config": {"enabled": True, "event_time": None, "freshness": TABLE_FRESHNESS,
                       "loaded_at_field": None, "loaded_at_query": None, "meta": {}, "tags": []},
            **{"patch_path": None, "unrendered_config": {"loaded_at_field": None, "meta": {}, "tags": []}},
            **{"relation_name": f'"{DATABASE}"."raw"."src_{i}"', "unrendered_schema": "raw"},
        }  # fmt: skip

    def parents(self, i: int) -> list[tuple[str, str, str]]:
        """Return unique id, relation and spelling of the two nodes that model *i* reads."""
        if i < len(self.sources):
            source = f"source.{PROJECT}.raw.t{i}"
            return [(source, f'"{DATABASE}"."raw"."src_{i}"', f"{{{{ source('raw', 't{i}') }}}}")] * 2
        chosen = (self.names[i * 7 // 11], self.names[i * 5 // 13 + 1])
        return [(f"model.{PROJECT}.{n}", self.relation(n), f"{{{{ ref('{n}') }}}}") for n in chosen]

    def model(self, i: int) -> Json:
        name, parents = self.names[i], self.parents(i)
        folder = f"{name[:3]}/g{i // 80}"
        more = "".join(MORE.format(n=n, number=i) for n in range(i % 9 - 6))
        key = f"subscription_{i % 97}_id"
        words = {"key": key, "number": i % 89 + 1, "more": more}
        ratio = "case when r.b_amount = 0 then null else l.amount / r.b_amount end"
        left, right = parents
        raw = JOINED.format(left=left[2], right=right[2], ratio="{{ safe_div('l.amount') }}", **words)
        names = [key, "parent_id", "status_group", "amount", "b_amount", "amount_ratio"]
        names += ["running_amount", "row_num", "last_created_at", "quantity"]
        names = names[: 4 + i % 7]
        unrendered = {"materialized": "view", "schema": name[:3]}
        config = {**MODEL_CONFIG, "schema": name[:3], "materialized": "table" if i % 4 == 0 else "view"}
        return {
            **self._common(name, "model", f"models/{folder}/{name}.sql", [name[:3], f"g{i // 80}", name]),
            **{"unique_id": f"model.{PROJECT}.{name}", "alias": name, "config": config},
            "checksum": {"name": "sha256", "checksum": sha256(raw.strip().encode()).hexdigest()},
            "description": f"{name}: one row per {key}, refreshed nightly by the data team.",
            "columns": {n: column(n, f"{n.replace('_', ' ')} of {name}") for n in names},
            **{"patch_path": f"{PROJECT}://models/{folder}/_models.yml", "unrendered_config": unrendered},
            **{"relation_name": self.relation(name), "raw_code": raw, "language": "sql"},
            **self._reads([parent for parent, _, _ in parents], [f"macro.{PROJECT}.safe_div"]),
            **self._compiled(
                f"{folder}/{name}.sql", JOINED.format(left=left[1], right=right[1], ratio=ratio, **words)
            ),
            **{"access": "protected", "constraints": [], "version": None, "latest_version": None},
            **{"deprecation_date": None, "primary_key": [], "time_spine": None, "contract": CONTRACT},
        }

    def test(self, i: int) -> tuple[str, Json]:
        tested, kind = self.names[i % len(self.names)], TESTS[i // len(self.names) % 4]
        columns = list(self.models[f"model.{PROJECT}.{tested}"]["columns"])
        named = columns[i // (4 * len(self.names)) % len(columns)]
        name = f"{kind}_{tested}_{named}"
        unique_id = f"test.{PROJECT}.{name}.{sha256(name.encode()).hexdigest()[:10]}"
        parent = f"model.{PROJECT}.{tested}"
        where = f"{{{{ get_where_subquery(ref('{tested}')) }}}}"
        folder = f"models/{tested[:3]}/_models.yml"
        code = TEST_CODE.format(column=named, relation=self.relation(tested))
        return unique_id, {
            **self._common(name, "test", folder, [tested[:3], name]),
            **{"schema": f"{self.schema}_dbt_test__audit", "unique_id": unique_id, "alias": name},
            **{"checksum": {"name": "none", "checksum": ""}, "config": TEST_CONFIG, "patch_path": None},
            **{"columns": {}, "unrendered_config": {}, "relation_name": None, "language": "sql"},
            "raw_code": f"{{{{ test_{kind}(**_dbt_generic_test_kwargs) }}}}",
            **self._reads([parent], [f"macro.dbt.test_{kind}", "macro.dbt.get_where_subquery"]),
            **self._compiled(f"{folder}/{name}.sql", code),
            **{"contract": CONTRACT, "column_name": named, "file_key_name": f"models.{tested}"},
            "attached_node": parent,
            "test_metadata": {"name": kind, "kwargs": {"column_name": named, "model": where}},
        }

    def _common(self, name: str, kind: str, path: str, fqn: list[str]) -> Json:
        return {
            **{"database": DATABASE, "schema": self.schema, "name": name, "resource_type": kind},
            **{"package_name": PROJECT, "path": path.removeprefix("models/"), "original_file_path": path},
            **{"fqn": [PROJECT, *fqn], "tags": [], "description": "", "meta": {}, "group": None},
            **{"docs": SHOWN, "created_at": 1795158232.7857935, "doc_blocks": [], "build_path": None},
        }

    @staticmethod
    def _reads(parents: list[str], macros: list[str]) -> Json:
        refs = [{"name": p.rsplit(".", 1)[-1], "package": None, "version": None} for p in parents]
        depends_on = {"macros": macros, "nodes": list(dict.fromkeys(parents))}
        return {"refs": refs, "sources": [], "metrics": [], "functions": [], "depends_on": depends_on}

    @staticmethod
    def _compiled(path: str, code: str) -> Json:
        compiled = {"compiled": True, "compiled_path": f"target/compiled/{PROJECT}/{path}"}
        return {**compiled, "compiled_code": code, "extra_ctes_injected": True, "extra_ctes": []}

    def manifest(self, invocation_id: str) -> Json:
        nodes = {**self.models, **self.tests}
        parent_map: dict[str, list[str]] = {unique_id: [] for unique_id in self.sources}
        parent_map |= {unique_id: node["depends_on"]["nodes"] for unique_id, node in nodes.items()}
        child_map: dict[str, list[str]] = {unique_id: [] for unique_id in parent_map}
        for unique_id, parents in parent_map.items():
            for parent in parents:
                child_map[parent].append(unique_id)
        return {
            "metadata": {
                "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
                **{"dbt_version": "1.11.15", "generated_at": "2026-11-20T07:03:09.301539Z", "env": {}},
                **{"invocation_id": invocation_id, "project_name": PROJECT, "adapter_type": "duckdb"},
            },
            **{"nodes": nodes, "sources": self.sources, "macros": dict(map(macro, range(MACROS)))},
            "docs": {"doc.dbt.__overview__": {"name": "__overview__", "block_contents": "Welcome! " * 200}},
            **{"exposures": {}, "metrics": {}, "groups": {}, "selectors": {}, "disabled": {}},
            **{"parent_map": parent_map, "child_map": child_map, "group_map": {}, "saved_queries": {}},
            **{"semantic_models": {}, "unit_tests": {}, "functions": {}},
        }

    def catalog(self) -> Json:
        return {
            "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json"},
            "nodes": {unique_id: table(node, unique_id) for unique_id, node in self.models.items()},
            "sources": {unique_id: table(node, unique_id) for unique_id, node in self.sources.items()},
        }


def column(name: str, description: str) -> Json:
    return {
        **{"name": name, "description": description, "meta": {}, "data_type": None, "constraints": []},
        **{"quote": None, "config": {"meta": {}, "tags": []}, "tags": [], "granularity": None},
        "doc_blocks": [],
    }


def macro(i: int) -> tuple[str, Json]:
    unique_id = f"macro.{PROJECT}.safe_div" if i == 0 else f"macro.dbt.macro_{i}"
    text = f"{{% macro m{i}(a, b) %}}\n" + f"    {{# step {i} of many #}} coalesce(a, b)\n" * (i % 25)
    return unique_id, {
        **{"name": unique_id.rsplit(".", 1)[-1], "resource_type": "macro", "package_name": "dbt"},
        **{"path": f"macros/m{i}.sql", "original_file_path": f"macros/m{i}.sql", "unique_id": unique_id},
        **{"macro_sql": text + "{% endmacro %}", "depends_on": {"macros": []}, "description": ""},
        **{"meta": {}, "docs": SHOWN, "config": {"meta": {}, "docs": SHOWN}, "patch_path": None},
        **{"arguments": [], "created_at": 1795158192.0652833, "supported_languages": None},
    }


def table(node: Json, unique_id: str) -> Json:
    names = {key: node[key] for key in ("schema", "name", "database")}
    columns = {
        name: {"type": TYPES[i % len(TYPES)], "index": i + 1, "name": name, "comment": None}
        for i, name in enumerate(node["columns"])
    }
    stats = {"has_stats": {"id": "has_stats", "label": "Has Stats?", "value": False, "include": False}}
    metadata = {"type": "VIEW", **names, "comment": None, "owner": None}
    return {"metadata": metadata, "columns": columns, "stats": stats, "unique_id": unique_id}


def write(folder: Path, models: int, tests: int, *, schema: str = "prod", run: str = "run-1") -> Path:
    """Write manifest.json and catalog.json of a project into *folder*, unless they exist; return *folder*."""
    if not (folder / "catalog.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shop = Shop(models, tests, schema)
        (folder / "manifest.json").write_text(json.dumps(shop.manifest(run)))
        (folder / "catalog.json").write_text(json.dumps(shop.catalog()))
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=int, default=5_000)
    parser.add_argument("--tests", type=int, default=3_534)
    options = parser.parse_args()
    print(write(options.folder, options.models, options.tests))
