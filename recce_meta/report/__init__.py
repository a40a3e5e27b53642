"""Results as text for a terminal, Markdown for a pull request, and JSON for programs: values in, text out.

What tells of data is imported when it is first used: most commands never need it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from recce_meta.report.as_json import checks_json, diff_json, lineage_json, run_json, runs_json
from recce_meta.report.lineage_text import lineage_text
from recce_meta.report.markdown import diff_markdown
from recce_meta.report.markdown_runs import lineage_markdown, run_markdown, runs_markdown
from recce_meta.report.run_text import run_text, runs_text
from recce_meta.report.store_text import checks_text, prune_text, record_text
from recce_meta.report.text import diff_text

if TYPE_CHECKING:
    from recce_meta.report.check_run_json import check_report_json
    from recce_meta.report.check_run_text import check_report_text
    from recce_meta.report.data.as_json import data_json
    from recce_meta.report.data.markdown import data_markdown
    from recce_meta.report.data.text import data_summary_text, data_text
    from recce_meta.report.html.page import html_report
    from recce_meta.report.impact_as_json import impact_json
    from recce_meta.report.impact_as_markdown import impact_markdown
    from recce_meta.report.impact_as_text import impact_text
    from recce_meta.report.junit import check_report_junit
    from recce_meta.report.pull_request import pull_request_markdown
    from recce_meta.report.quality_as_json import quality_json
    from recce_meta.report.quality_as_markdown import quality_markdown
    from recce_meta.report.quality_as_text import quality_text
    from recce_meta.report.quality_over_time import (
        quality_history_json,
        quality_history_markdown,
        quality_history_text,
        quality_runs_json,
        quality_runs_markdown,
        quality_runs_text,
    )
    from recce_meta.report.scan_formats import scan_json, scan_markdown
    from recce_meta.report.scan_screen import scan_text

__all__ = [
    "check_report_json",
    "check_report_junit",
    "check_report_text",
    "checks_json",
    "checks_text",
    "data_json",
    "data_markdown",
    "data_summary_text",
    "data_text",
    "diff_json",
    "diff_markdown",
    "diff_text",
    "html_report",
    "impact_json",
    "impact_markdown",
    "impact_text",
    "lineage_json",
    "lineage_markdown",
    "lineage_text",
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
    "run_json",
    "run_markdown",
    "run_text",
    "runs_json",
    "runs_markdown",
    "runs_text",
    "scan_json",
    "scan_markdown",
    "scan_text",
]

_MODULES = {
    "check_report_json": "check_run_json",
    "check_report_junit": "junit",
    "check_report_text": "check_run_text",
    "data_json": "data.as_json",
    "data_markdown": "data.markdown",
    "data_summary_text": "data.text",
    "data_text": "data.text",
    "html_report": "html.page",
    "impact_json": "impact_as_json",
    "impact_markdown": "impact_as_markdown",
    "impact_text": "impact_as_text",
    "pull_request_markdown": "pull_request",
    "quality_history_json": "quality_over_time",
    "quality_history_markdown": "quality_over_time",
    "quality_history_text": "quality_over_time",
    "quality_json": "quality_as_json",
    "quality_markdown": "quality_as_markdown",
    "quality_runs_json": "quality_over_time",
    "quality_runs_markdown": "quality_over_time",
    "quality_runs_text": "quality_over_time",
    "quality_text": "quality_as_text",
    "scan_json": "scan_formats",
    "scan_markdown": "scan_formats",
    "scan_text": "scan_screen",
}
"""Where each name is that is imported when it is first used."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'recce_meta.report' has no attribute {name!r}")
    return getattr(import_module(f"recce_meta.report.{_MODULES[name]}"), name)
