"""Exporter of a run as a Mermaid flowchart: all nodes, and an arrow from each parent to its child."""

from collections.abc import Sequence
from pathlib import Path

from recce_meta.models.export import Export


def export(run: Export, path: Path) -> Sequence[Path]:
    """Write *run* to the file *path*."""
    nodes = run.project.nodes
    ids = {node.unique_id: f"n{number}" for number, node in enumerate(nodes)}
    lines = ["flowchart LR"]
    for node in nodes:
        lines.append(f'  {ids[node.unique_id]}["{node.name.replace(chr(34), "#quot;")}"]')
    for node in nodes:
        lines += [f"  {ids[parent]} --> {ids[node.unique_id]}" for parent in node.parents if parent in ids]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [path]
