"""Reports: results as text for a terminal, Markdown, JSON, HTML, CSV, TSV and JUnit XML.

Every function takes a result and returns text; none does I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recce_meta.lazy import lazy_names

if TYPE_CHECKING:
    from recce_meta.report.checks import check_report_junit, check_report_text
    from recce_meta.report.data.markdown import data_markdown
    from recce_meta.report.data.text import data_text
    from recce_meta.report.html.page import html_report
    from recce_meta.report.json import (
        check_report_json,
        checks_json,
        data_json,
        diff_json,
        impact_json,
        lineage_json,
        quality_json,
        run_json,
        runs_json,
    )
    from recce_meta.report.lineage import impact_markdown, impact_text, lineage_markdown, lineage_text
    from recce_meta.report.markdown import diff_markdown
    from recce_meta.report.pull_request import pull_request_markdown, whole_text
    from recce_meta.report.quality import quality_markdown, quality_text
    from recce_meta.report.quality_history import (
        quality_history_json,
        quality_history_markdown,
        quality_history_text,
        quality_runs_json,
        quality_runs_markdown,
        quality_runs_text,
    )
    from recce_meta.report.review.notes import note_history_text, notes_json, notes_text
    from recce_meta.report.review.remarks import diff_codequality, diff_github
    from recce_meta.report.run_choice import base_check_json, base_check_text, choice_text
    from recce_meta.report.runs import (
        checks_text,
        prune_text,
        record_text,
        run_markdown,
        run_text,
        runs_markdown,
        runs_text,
    )
    from recce_meta.report.scan import scan_json, scan_markdown, scan_text
    from recce_meta.report.settings import fsck_json, fsck_text
    from recce_meta.report.tabular.data import data_table
    from recce_meta.report.tabular.delimited import delimited
    from recce_meta.report.tabular.rows import rows_delimited, rows_json, rows_markdown, rows_text
    from recce_meta.report.text import diff_text

__all__ = [
    "base_check_json",
    "base_check_text",
    "check_report_json",
    "check_report_junit",
    "check_report_text",
    "checks_json",
    "checks_text",
    "choice_text",
    "data_json",
    "data_markdown",
    "data_table",
    "data_text",
    "delimited",
    "diff_codequality",
    "diff_github",
    "diff_json",
    "diff_markdown",
    "diff_text",
    "fsck_json",
    "fsck_text",
    "html_report",
    "impact_json",
    "impact_markdown",
    "impact_text",
    "lineage_json",
    "lineage_markdown",
    "lineage_text",
    "note_history_text",
    "notes_json",
    "notes_text",
    "prune_text",
    "pull_request_markdown",
    "quality_history_json",
    "quality_history_markdown",
    "quality_history_text",
    "quality_json",
    "quality_markdown",
    "quality_runs_json",
    "quality_runs_markdown",
    "quality_runs_text",
    "quality_text",
    "record_text",
    "rows_delimited",
    "rows_json",
    "rows_markdown",
    "rows_text",
    "run_json",
    "run_markdown",
    "run_text",
    "runs_json",
    "runs_markdown",
    "runs_text",
    "scan_json",
    "scan_markdown",
    "scan_text",
    "whole_text",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "checks": "check_report_junit check_report_text",
        "data.markdown": "data_markdown",
        "data.text": "data_text",
        "html.page": "html_report",
        "json": "check_report_json checks_json data_json diff_json impact_json lineage_json quality_json "
        "run_json runs_json",
        "lineage": "impact_markdown impact_text lineage_markdown lineage_text",
        "markdown": "diff_markdown",
        "pull_request": "pull_request_markdown whole_text",
        "quality": "quality_markdown quality_text",
        "quality_history": "quality_history_json quality_history_markdown quality_history_text "
        "quality_runs_json quality_runs_markdown quality_runs_text",
        "review.remarks": "diff_codequality diff_github",
        "review.notes": "note_history_text notes_json notes_text",
        "run_choice": "base_check_json base_check_text choice_text",
        "tabular.rows": "rows_delimited rows_json rows_markdown rows_text",
        "runs": "checks_text prune_text record_text run_markdown run_text runs_markdown runs_text",
        "scan": "scan_json scan_markdown scan_text",
        "settings": "fsck_json fsck_text",
        "tabular.data": "data_table",
        "tabular.delimited": "delimited",
        "text": "diff_text",
    },
)
