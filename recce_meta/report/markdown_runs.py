"""Runs and lineages as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recce_meta.models.lineage import LineageView
from recce_meta.models.node import NodeResult
from recce_meta.models.run import RunMetadata
from recce_meta.models.statistics import StatisticsKept
from recce_meta.report.characters import one_line
from recce_meta.report.escape import code, prose, words
from recce_meta.report.lineage_text import joined_columns
from recce_meta.report.mermaid import lineage_flowchart
from recce_meta.report.run_text import failures, outcome, run_facts, slowest
from recce_meta.report.wording import (
    dirty_legend,
    moment,
    more,
    node_label,
    node_part,
    run_problem,
    short_run_id,
    short_sha,
)

FAILURES_SHOWN = 50


def runs_markdown(runs: Sequence[RunMetadata]) -> str:
    """A table of *runs* in the order given."""
    if not runs:
        return "No runs recorded\n"
    head = "| run | project | environment | run at | branch | sha | PR | nodes | dbt | status |\n"
    legend = dirty_legend(*runs)
    notes = f"\n{prose(legend)}\n" if legend else ""
    return head + "|---" * 10 + "|\n" + "".join(_run_row(run) for run in runs) + notes


def _run_row(run: RunMetadata) -> str:
    sha = short_sha(run.git_sha) + ("*" if run.git_dirty and run.git_sha else "")
    cells = [short_run_id(run.run_id), run.project_name, run.environment, moment(run.run_at), run.branch, sha]
    cells += [run.pull_request, f"{run.node_count:,}", run.dbt_version, run_problem(run)]
    return f"| {' | '.join(code(cell) if cell else '' for cell in cells)} |\n"


def run_markdown(
    run: RunMetadata,
    counts: Mapping[str, int],
    results: Sequence[NodeResult] = (),
    kept: StatisticsKept | None = None,
) -> str:
    """One run: where it comes from, what it holds, what failed and what took longest."""
    facts = "".join(f"- {label}: {code(value)}\n" for label, value in run_facts(run, counts, kept) if value)
    text = f"### {code(run.project_name)} {code(run.environment)}\n\n{facts}"
    if run.warnings:
        text += "\n**Warnings**\n\n" + "".join(f"- {prose(warning)}\n" for warning in run.warnings)
    if results:
        text += f"\n**Results**: {code(outcome(results))}\n"
    return text + _failures(failures(results)) + _slowest(slowest(results))


def _failures(failed: Sequence[NodeResult]) -> str:
    if not failed:
        return ""
    rows = [_failure_row(result) for result in failed[:FAILURES_SHOWN]]
    rest = f"\n{more(len(failed) - len(rows))}\n" if len(rows) < len(failed) else ""
    return "\n| status | failed | message |\n|---|---|---|\n" + "".join(rows) + rest


def _failure_row(result: NodeResult) -> str:
    message = code(one_line(result.message), 160) if result.message else ""
    return f"| {words(result.status)} | {code(node_part(result.unique_id))} | {message} |\n"


def _slowest(results: Sequence[NodeResult]) -> str:
    rows = [f"| {result.seconds or 0:,.2f} | {code(node_part(result.unique_id))} |\n" for result in results]
    return "\n| seconds | slowest |\n|---:|---|\n" + "".join(rows) if rows else ""


def lineage_markdown(view: LineageView) -> str:
    """*view* as a Mermaid graph, with its size where not every node is drawn."""
    root = next(node for node in view.nodes if node.unique_id == view.root)
    chart = lineage_flowchart(view)
    text = f"### {code(node_label(root))}\n\n```mermaid\n{chart.text}\n```\n"
    if chart.drawn < chart.total:
        text += f"\nThe graph shows the {chart.drawn} nearest of {chart.total:,} nodes.\n"
    if view.foreign_keys:
        text += "\n| foreign key of | to | columns |\n|---|---|---|\n"
        text += "".join(
            f"| {code(node_part(key.node_id))} | {code(node_part(key.parent_id))} "
            f"| {code(joined_columns(key))} |\n"
            for key in view.foreign_keys
        )
    return text
