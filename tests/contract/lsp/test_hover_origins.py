"""Origins in hovers over the models of public projects, against the lineage of the SQL that dbt compiled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.lsp.documents import OpenText, TextView
from recce_meta.lsp.features.hover import MOST_ORIGINS, ColumnHover
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.text.file_texts import FileText, read_query
from recce_meta.lsp.text.positions import Lines
from recce_meta.lsp.text.template import read_template
from recce_meta.models import NodeMetadata

ARTIFACTS = Path(__file__).parents[2] / "data" / "artifacts" / "real"
PROJECTS = {
    "artifacts_parser/v11": 150,
    "colibri/bigquery": 60,
    "datapilot/v12": 100,
    "dbterd/dbt-constraints_1.3": 90,
    "dbterd/dbtresto": 30,
    "fivetran/hubspot": 100,
    "fivetran/jira": 120,
    "recce/pr2": 30,
}
"""Folders of artifacts, with the least number of columns whose origins the text shows completely."""
ORIGIN = re.compile(r"^( *)- `([^`]+)`( \((?:model|source|seed|snapshot)\))?(?: = .*)?$", re.MULTILINE)


def view_of(index: ProjectIndex, node: NodeMetadata) -> TextView:
    """Return the text of *node* without its rendering, and without its recorded lineage."""
    template = read_template(node.raw_code or "")
    schemas: dict[str, Mapping[str, str | None]] = {}
    for mask, call in template.masks.items():
        table = index.relation(call, node.package_name, node)
        known = index.columns(table.unique_id) if table is not None else None
        if known is not None and known.are_all:
            schemas[mask] = known.types
    path = Path("/project/model.sql")
    document = OpenText(path.as_uri(), path, 1, Lines(node.raw_code or ""), template)
    return TextView(document, read_query(template, index.dialect, schemas), index, node)


def origins_in(text: str) -> set[str] | None:
    """Return the columns of nodes in the part `From` of a hover; None unless these are all its sources."""
    parts = text.split("\n\n")
    if "From" not in parts or any(part.startswith(("From, ", "Origin ")) for part in parts):
        return None
    lines = parts[parts.index("From") + 1]
    found = ORIGIN.findall(lines)
    notes = len(found) < len(lines.split("\n")) or len(found) >= MOST_ORIGINS
    leaves = {label.lower() for _, label, kind in found if kind}
    return None if notes or not leaves else leaves


def recorded(index: ProjectIndex, node: NodeMetadata) -> Mapping[str, set[str]]:
    """Return the sources of each output of the compiled SQL, as a hover shows them."""
    lineage = index.lineage(node.unique_id)
    found: dict[str, set[str]] = {}
    for output in lineage.outputs if lineage is not None else ():
        for source in output.sources:
            parent = index.names.get(source.parent)
            label = source.parent if parent is None else parent.label
            if parent is not None and parent.source_name:
                label = f"{parent.source_name}.{parent.name}"
            found.setdefault(output.name.lower(), set()).add(f"{label}.{source.column}".lower())
    return found


def compared(index: ProjectIndex, node: NodeMetadata) -> Iterator[tuple[str, set[str], set[str]]]:
    """Yield the name, the shown origins and the recorded sources of each output with complete origins."""
    view = view_of(index, node)
    truth = recorded(index, node)
    file = FileText.of_view(view)
    for output in view.query.outputs:
        # Most models end in `select * from final`: its columns are hovered as if they were written.
        text = ColumnHover(file, None, output).text()
        assert not [mask for mask in view.document.template.masks if mask in text], (node.name, text)
        shown = origins_in(text)
        if shown is not None and output.name.lower() in truth:
            yield output.name, shown, truth[output.name.lower()]


@pytest.mark.cases(3)
@pytest.mark.parametrize("folder", PROJECTS)
def test_origins_that_a_hover_shows_without_a_note_are_those_of_the_compiled_sql(folder: str) -> None:
    if not (ARTIFACTS / folder).is_dir():
        pytest.skip(f"{ARTIFACTS / folder} is missing")
    project = extract_project(ARTIFACTS / folder, git=GitState(), environment="current")
    index = ProjectIndex(MemoryRunReader(project), Path("/project"))
    count = 0
    for node in project.nodes:
        if node.resource_type != "model":
            continue
        for name, shown, truth in compared(index, node):
            assert shown == truth, (node.unique_id, name)
            count += 1
    assert count >= PROJECTS[folder]
