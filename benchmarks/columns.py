"""Column lineage of one model, compared with sqlglot's parse and qualify, and of a hundred models of a
project.

`python -m benchmarks.columns` prints the table for the current Python, and whether its sqlglot is compiled
(`sqlglotc`). Models are from the artifacts in `tests/data`, which include packages of dbt's hub.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import msgspec
from msgspec.structs import replace

from benchmarks.measure import Figure, Timing, in_turns, markdown, quickest, within
from recce_meta.api.workers.pool import AnalysisPool, worker_count
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import NodeMetadata, Project
from recce_meta.sql_lineage.project.columns import analyse_project
from recce_meta.sql_lineage.project.names import RelationFinder, dialect_of

ARTIFACTS = Path(__file__).parents[1] / "tests" / "data" / "artifacts"
HUB = ARTIFACTS / "real" / "fivetran" / "hubspot"
LINES = range(100, 201)
MODELS = 100
ROUNDS = 5
Schemas = Mapping[str, Mapping[str, str]]

PROGRAM = """
import sys, time
import msgspec
from recce_meta.models import Project
shop, known = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=tuple[Project, dict[str, tuple[str, ...]]])
cpu, wall = time.process_time(), time.perf_counter()
from recce_meta.sql_lineage.project.columns import analyse_project
graph = analyse_project(shop, known)
print(time.perf_counter() - wall, time.process_time() - cpu, 'sqlglot' in sys.modules, len(graph.analyses))
"""


def extracted(folder: Path) -> Project:
    """Extract the project in *folder*."""
    return extract_project(folder, git=GitState(), environ={}, hash_seed_files=False)


def sqlglot_name() -> str:
    """Return sqlglot's name with its version, and whether it is compiled."""
    try:
        compiled = f"sqlglotc {version('sqlglotc')}"
    except PackageNotFoundError:
        compiled = "pure Python"
    return f"sqlglot {version('sqlglot')}, {compiled}"


def models_of(project: Project) -> list[NodeMetadata]:
    """Return the models with compiled SQL."""
    return [node for node in project.nodes if node.resource_type == "model" and node.compiled_code]


def with_models(project: Project, most: int) -> Project:
    """Return *project* with only *most* of its models and their ancestors, without tests."""
    nodes = {node.unique_id: node for node in project.nodes}
    kept: dict[str, NodeMetadata] = {}

    def keep(unique_id: str) -> None:
        if unique_id in nodes and unique_id not in kept:
            kept[unique_id] = nodes[unique_id]
            for parent in nodes[unique_id].parents:
                keep(parent)

    for model in models_of(project):
        if sum(node.resource_type == "model" for node in kept.values()) < most:
            keep(model.unique_id)
    return replace(project, nodes=tuple(kept[unique_id] for unique_id in sorted(kept)))


def known_to(project: Project) -> dict[str, tuple[str, ...]]:
    """Return the column names, by lineage id, that a store has after *project* was recorded."""
    return {lineage_id: columns.names for lineage_id, columns in analyse_project(project).analyses.items()}


def queries() -> Iterator[tuple[str, str, Schemas]]:
    """Yield the SQL of every real model of 100 to 200 lines, its dialect, and the columns in the catalog."""
    for folder in sorted({path.parent for path in ARTIFACTS.rglob("manifest.json*")}):
        project = extracted(folder)
        names = RelationFinder(project.nodes)
        nodes = {node.unique_id: node for node in project.nodes}
        for node in models_of(project):
            if (node.compiled_code or "").count("\n") + 1 in LINES and node.language != "python":
                found = names.of(node)
                schemas = {
                    key: {column.name: column.type or "" for column in nodes[unique_id].columns}
                    for unique_id, keys in found.keys().items()
                    for key in keys
                    if unique_id in nodes and nodes[unique_id].columns_from == "catalog"
                }
                yield found.sql, dialect_of(project.run.adapter_type) or "", schemas


def timed(sql: str, dialect: str, schemas: Schemas) -> list[Timing]:
    """Time our analysis, sqlglot's parse and qualify, and its parse alone; empty if sqlglot fails."""
    import sqlglot
    from sqlglot.optimizer.qualify import qualify

    from recce_meta.sql_lineage import analyse_query
    from recce_meta.sql_lineage.parse import tokens_of

    nested = _nested(schemas)

    def qualified() -> object:
        tree = sqlglot.parse_one(sql, dialect=dialect)
        return qualify(tree, dialect=dialect, schema=nested, validate_qualify_columns=False)

    try:
        qualified()
    except sqlglot.errors.SqlglotError:
        return []
    # Tokens are cached for comparisons. A query of a project is tokenized once.
    return in_turns(
        lambda: analyse_query(sql, dialect, schemas),
        qualified,
        lambda: sqlglot.parse_one(sql, dialect=dialect),
        rounds=ROUNDS,
        before=tokens_of.cache_clear,
    )


def one_model() -> Figure:
    """Measure real models of 100 to 200 lines, each against sqlglot's parse and qualify of the same text."""
    pairs = [pair for query in queries() if (pair := timed(*query))]
    ours, floors, parses = ([pair[place].cpu for pair in pairs] for place in range(3))
    parsing = median(parse / mine for mine, parse in zip(ours, parses, strict=True))
    ratio = median(mine / theirs for mine, theirs in zip(ours, floors, strict=True))
    return Figure(
        f"lineage of a real model of 100 to 200 lines, median of {len(pairs)} ({sqlglot_name()})",
        f"{median(ours) * 1e3:.1f} ms of cpu (a parse alone: {parsing:.0%})",
        f"parse and qualify: {median(floors) * 1e3:.1f} ms",
        f"{ratio:.2f} (of the sums {sum(ours) / sum(floors):.2f})",
        "≤ 1.3",
        ratio <= 1.3,
    )


def _nested(schemas: Schemas) -> dict[str, object]:
    """Return *schemas* in sqlglot's nested format."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for name, columns in schemas.items():
        first, _, last = name.rpartition(".")
        if first and "." not in first:
            found.setdefault(first, {})[last] = dict.fromkeys(columns, "text")
    return {**found}


def hundred_models() -> list[Figure]:
    """Measure a hundred models in a fresh process, with the import of sqlglot: cold, and without changes."""
    project = with_models(extracted(HUB), MODELS)
    count = sum(node.resource_type == "model" for node in project.nodes)
    cold = _best(project, {})
    again = _best(project, known_to(project))
    what = f"column lineage of {count} models of a real project"
    return [
        within(f"{what}, nothing known ({sqlglot_name()})", cold, 3),
        within(f"{what}, nothing changed", again, 0.3),
    ]


def large_project(folder: Path) -> list[Figure]:
    """Measure a synthetic project of 5,000 models and their tests: cold, and with one model changed."""
    from benchmarks.recording import (
        with_changed_models,
    )  # loads drivers, which this module needs nowhere else

    project = extracted(folder)
    processes = worker_count() + 1

    def together() -> None:
        with AnalysisPool() as pool:
            analyse_project(project, analyst=pool)

    whole, all_cores = in_turns(lambda: analyse_project(project), together, rounds=2)
    known = known_to(project)
    changed = with_changed_models(project, 1)
    (one,) = in_turns(lambda: analyse_project(changed, known), rounds=ROUNDS)
    what = "column lineage of 5,000 models"
    share = all_cores.wall / whole.wall
    return [
        *(
            Figure(f"{what}, {how}", f"{timing.wall * 1e3:.0f} ms (cpu {timing.cpu * 1e3:.0f})")
            for how, timing in (("nothing known", whole), ("one of them changed", one))
        ),
        Figure(
            f"{what}, nothing known, by {processes} processes",
            f"{all_cores.wall * 1e3:.0f} ms",
            f"by one: {whole.wall * 1e3:.0f} ms",
            f"{share:.2f}",
            "≤ 0.6",
            share <= 0.6 if processes > 1 else None,
        ),
    ]


def _best(project: Project, known: Mapping[str, tuple[str, ...]]) -> Timing:
    """Return the best timing of several fresh processes, which report the time themselves."""
    given = msgspec.msgpack.encode((project, known))
    found = []
    for _ in range(ROUNDS):
        ran = subprocess.run([sys.executable, "-c", PROGRAM], input=given, capture_output=True, check=True)
        wall, cpu, loaded, analysed = ran.stdout.split()
        if known and (loaded == b"True" or analysed != b"0"):
            raise RuntimeError(f"what was known was analysed again: {ran.stdout!r}")
        found.append(Timing(float(wall), float(cpu)))
    return quickest(found)


def run(large: Path) -> list[Figure]:
    """Run all measurements; *large* has the artifacts of 5,000 models."""
    return [one_model(), *hundred_models(), *large_project(large)]


if __name__ == "__main__":
    print(markdown([one_model(), *hundred_models()]))
