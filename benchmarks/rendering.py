"""Share of dbt's compiled SQL that the renderer reproduces, and its duration.

    python -m benchmarks.rendering [--blind] [--without-project] [FOLDER …]

Reads every manifest below the folders (default: those of the tests), and renders the code of each SQL node
without its compiled code. With `--blind` the renderer has no compiled code at all. Variables are those of a
dbt_project.yml of the same project, if one is below the folders and `--without-project` is not given, and
those that the renderer infers. A pair counts as equal if the two texts are equal except for white space. An
incremental model counts as equal if it matches in one of its two states, since a manifest does not record the
state that dbt compiled. Shares are reported for models, snapshots and analyses, for tests, and for all; the
rest by reason.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import process_time

from msgspec.structs import replace

from recce_meta.errors import ArtifactError, TemplateError
from recce_meta.extractors.project import extract_project
from recce_meta.models import NodeMetadata, Project
from recce_meta.profiles import read_project_settings
from recce_meta.render import Limits, SimpleTemplateRenderer, TemplateContext

HERE = Path(__file__).parent
DEFAULT = [HERE.parent / "tests/data/artifacts"]
ARTIFACTS = ("manifest.", "catalog.", "run_results.")
AROUND_SIGNS = re.compile(r"\s*([(),])\s*")
"""White space that does not separate words: dbt's versions place it differently around CTEs."""
QUOTES = str.maketrans("", "", '"`')


@dataclass
class Tally:
    """Outcome of the pairs of one kind."""

    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.reasons.values())

    @property
    def equal(self) -> int:
        return self.reasons["equal"]

    def add(self, reason: str, example: str, seconds: float) -> None:
        self.reasons[reason] += 1
        self.examples.setdefault(reason, example)
        self.seconds.append(seconds)


def projects(folders: list[Path]) -> Iterator[tuple[str, Project]]:
    """Yield every manifest below *folders*, with the catalog next to it if there is one."""
    for folder in folders:
        loose = [path for path in folder.glob("*.json.gz") if not path.name.startswith(ARTIFACTS)]
        for path in sorted([*folder.rglob("manifest.json*"), *loose]):
            try:
                if path not in loose:
                    yield str(path.parent), extract_project(path.parent, hash_seed_files=False)
                else:
                    yield str(path), extract_project(path.parent, manifest_path=path, hash_seed_files=False)
            except ArtifactError as error:
                print(f"skipped {path}: {error.message}")


def sort_of(node: NodeMetadata) -> str:
    """Return `generic test`, `singular test`, or one of the kinds of models with and without macros."""
    if node.resource_type == "test":
        return "generic tests" if node.properties.get("test_metadata") else "singular tests"
    macros = [macro for macro in node.macros if macro != "macro.dbt.is_incremental"]
    return "models with macros" if macros and _calls_macros(node) else "models without macros"


def _calls_macros(node: NodeMetadata) -> bool:
    """Return True if the code itself calls a macro: dbt up to 1.1 also lists the materialization's macros."""
    code = node.raw_code or ""
    return any(re.search(rf"\b{re.escape(macro.rsplit('.', 1)[-1])}\b", code) for macro in node.macros)


def reason_of(error: TemplateError) -> str:
    """Return the failure in a few words, the same for all failures of its kind."""
    if error.problem.startswith("Variable '"):
        return "variable not in the artifacts"
    if error.problem.startswith("Environment variable"):
        return "environment variable not in the artifacts"
    if error.needs_database:
        return f"needs the database: {error.name}"
    return error.problem


def outcome(renderer: SimpleTemplateRenderer, node: NodeMetadata, expected: str) -> tuple[str, float]:
    """Return `equal` or the reason for a difference, and the seconds of the first rendering."""
    started = process_time()
    try:
        text = renderer.render_node(node.unique_id)
    except TemplateError as error:
        return reason_of(error), process_time() - started
    seconds = process_time() - started
    if _same(text, expected):
        return "equal", seconds
    if "is_incremental" in (node.raw_code or "") or "incremental" in str(node.materialized):
        try:
            if _same(renderer.render_node(node.unique_id, incremental=True), expected):
                return "equal", seconds
        except TemplateError as error:
            return reason_of(error), seconds
    return why_different(renderer, text, expected), seconds


def why_different(renderer: SimpleTemplateRenderer, text: str, expected: str) -> str:
    """Return the known reason of a difference: missing in the artifacts, or added by dbt 2."""
    if renderer.assumed_variables:
        return "differs; a variable's default was taken, its value is not in the artifacts"
    if "--EPHEMERAL-SELECT-WRAPPER-START" in expected:
        return "differs: dbt 2 writes a query with ephemeral parents within another query"
    if _same(text.translate(QUOTES), expected.translate(QUOTES)):
        return "differs in quotes: dbt compiled another relation than its relation_name"
    return "differs"


def _same(left: str, right: str) -> bool:
    return AROUND_SIGNS.sub(r"\1", left).split() == AROUND_SIGNS.sub(r"\1", right).split()


def measure(folders: list[Path], *, is_seeing: bool = True, reads_project: bool = True) -> dict[str, Tally]:
    """Return the outcome of every pair, by sort.

    The renderer sees other nodes' compiled code if *is_seeing*, dbt_project.yml if *reads_project*.
    """
    tallies: dict[str, Tally] = {}
    settings = {
        found.name: found
        for folder in folders
        for path in folder.rglob("dbt_project.yml")
        for found in [read_project_settings(path.parent)]
        if reads_project
    }
    for place, project in projects(folders):
        nodes = project.nodes if is_seeing else [replace(node, compiled_code=None) for node in project.nodes]
        renderer = SimpleTemplateRenderer(
            None,
            nodes,
            macros=project.macros,
            run=project.run,
            context=TemplateContext(settings=settings.get(project.run.project_name)),
            limits=Limits(seconds=60),  # so that the load of the machine does not matter
        )
        for node in project.nodes:
            if node.raw_code and node.compiled_code and node.language != "python":
                reason, seconds = outcome(renderer, node, node.compiled_code)
                tallies.setdefault(sort_of(node), Tally()).add(reason, f"{place} {node.unique_id}", seconds)
    return tallies


def show(tallies: dict[str, Tally]) -> None:
    """Print shares, reasons and times."""
    for sort, tally in sorted(tallies.items()):
        share = 100 * tally.equal / tally.total
        print(f"{sort}: {tally.equal:,} of {tally.total:,} equal ({share:.1f} %)")
        for reason, count in tally.reasons.most_common():
            if reason != "equal":
                print(f"  {count:6,}  {reason[:100]}   e.g. {tally.examples[reason]}")
    seconds = sorted(1000 * value for tally in tallies.values() for value in tally.seconds)
    print(
        f"CPU time per template, first rendering, ms: median {median(seconds):.2f}, "
        f"99 % {seconds[len(seconds) * 99 // 100]:.2f}, longest {seconds[-1]:.2f}, of {len(seconds):,}; "
        f"{sum(value > 10 for value in seconds):,} take more than 10 ms"
    )


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("--")]
    show(
        measure(
            given or DEFAULT,
            is_seeing="--blind" not in sys.argv,
            reads_project="--without-project" not in sys.argv,
        )
    )
