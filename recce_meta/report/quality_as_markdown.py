"""Quality as Markdown for a pull request: what failed, a table of the tables, worst first, and notes."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.diff.quality_change import table_labels
from recce_meta.diff.quality_result import QualityResult
from recce_meta.diff.quality_verdict import failed_text
from recce_meta.models.quality import ColumnQuality, TableQuality
from recce_meta.report.data.figures import count, percent
from recce_meta.report.escape import code, prose
from recce_meta.report.quality_wording import (
    bases,
    by_id,
    changes_text,
    headline,
    issues_of,
    notes_of,
    range_text,
    rows_text,
    score_change,
    score_text,
    sorted_tables,
    table_issues,
    top_text,
)
from recce_meta.report.wording import more, short_run_id

TABLES_LISTED = 100
COLUMNS_LISTED = 200
VIOLATIONS_LISTED = 50
CELL = 160
"""Characters of a cell; longer ones are cut."""


def quality_markdown(result: QualityResult) -> str:
    """*result* as a heading, what failed, and a table of tables; one that is alone by its columns."""
    run, tables = result.quality.run, sorted_tables(result)
    text = f"### Quality of {code(run.project_name)}\n\n"
    environment, *facts = headline(result)
    facts = [code(environment), *facts, f"score {score_text(run.score)}"]
    text += f"{' · '.join(facts)} · {code(short_run_id(run.quality_run_id))}\n"
    text += _violations(result)
    if len(tables) == 1 and tables[0].reason is None:
        text += _columns(tables[0])
    else:
        text += _tables(tables, result)
    if result.changes:
        told = ", ".join(f"{at} ({code(run_id)})" for at, run_id in bases(result.changes))
        text += f"\nCompared with {told}\n"
    return text + "".join(f"\n> {prose(note)}\n" for note in notes_of(result))


def _violations(result: QualityResult) -> str:
    found = result.violations
    if not found:
        return ""
    lines = "".join(f"- {prose(violation.message)}\n" for violation in found[:VIOLATIONS_LISTED])
    rest = len(found) - VIOLATIONS_LISTED
    return f"\n**Failed: {failed_text(found)}**\n\n{lines}" + (f"- {more(rest)}\n" if rest > 0 else "")


def _tables(tables: Sequence[TableQuality], result: QualityResult) -> str:
    labels, changes = table_labels(tables), by_id(result)
    text = "\n| table | rows | score | | columns | issues | changed |\n|---|---:|---:|---:|---:|---|---|\n"
    for table in tables[:TABLES_LISTED]:
        change = changes.get(table.unique_id)
        cells = [
            code(labels[table.unique_id]),
            rows_text(table),
            score_text(table.score),
            _figure(score_change(change)),
            "" if table.reason is not None else count(table.column_count),
            _cell(table_issues(table)),
            _cell(changes_text(change)),
        ]
        text += f"| {' | '.join(cells)} |\n"
    rest = len(tables) - TABLES_LISTED
    return text + (f"\n{more(rest)}\n" if rest > 0 else "")


def _columns(table: TableQuality) -> str:
    text = f"\n{code(table.name)}: rows: {rows_text(table)}, columns: {count(table.column_count)}\n"
    text += "\n| column | type | NULL | distinct | min | max | mean | top | score | issues |\n"
    text += "|---|---|---:|---:|---|---|---|---|---:|---|\n"
    text += "".join(_column(column) for column in table.columns[:COLUMNS_LISTED])
    rest = len(table.columns) - COLUMNS_LISTED
    return text + (f"\n{more(rest)}\n" if rest > 0 else "")


def _column(column: ColumnQuality) -> str:
    profile, issues = column.profile, [one for one in issues_of(column) if not one.endswith(" NULL")]
    cells = [code(column.name)]
    if profile is None:
        cells += [""] * 7
    else:
        distinct = "" if profile.distinct_count is None else count(profile.distinct_count)
        cells += [
            code(profile.type.lower()),
            _figure(percent(column.null_share)) if column.null_share else "",
            ("≈ " if profile.is_approximate and distinct else "") + distinct,
            *(_cell(one) for one in range_text(column)),
            _cell(top_text(column)),
        ]
    return f"| {' | '.join([*cells, score_text(column.score), _cell('; '.join(issues))])} |\n"


def _cell(text: str) -> str:
    return code(text, CELL) if text else ""


def _figure(text: str) -> str:
    """A figure of ours, such as `<0.1%`."""
    return text.replace("<", "&lt;").replace(">", "&gt;")
