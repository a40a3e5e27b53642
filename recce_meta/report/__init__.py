"""Results as text for a terminal, Markdown for a pull request, and JSON for programs: values in, text out."""

from recce_meta.report.as_json import checks_json, diff_json, lineage_json, run_json, runs_json
from recce_meta.report.lineage_text import lineage_text
from recce_meta.report.markdown import diff_markdown
from recce_meta.report.markdown_runs import lineage_markdown, run_markdown, runs_markdown
from recce_meta.report.run_text import run_text, runs_text
from recce_meta.report.store_text import checks_text, prune_text, record_text
from recce_meta.report.text import diff_text

__all__ = [
    "checks_json",
    "checks_text",
    "diff_json",
    "diff_markdown",
    "diff_text",
    "lineage_json",
    "lineage_markdown",
    "lineage_text",
    "prune_text",
    "record_text",
    "run_json",
    "run_markdown",
    "run_text",
    "runs_json",
    "runs_markdown",
    "runs_text",
]
