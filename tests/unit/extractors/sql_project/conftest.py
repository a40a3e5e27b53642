"""Projects written for one test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recce_meta.api.record_sql import SqlOptions, extract_sql_project
from recce_meta.models import NodeMetadata, Project


class Written:
    """A project that was read, by what tests ask of it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.nodes: dict[str, NodeMetadata] = {node.unique_id: node for node in project.nodes}

    def __getitem__(self, name: str) -> NodeMetadata:
        """The one node whose unique id is so, after type and package."""
        (found,) = [node for unique_id, node in self.nodes.items() if unique_id.split(".", 2)[2] == name]
        return found


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Written]:
    """Writes files into a folder of their own and reads them as `record --from sql` does."""

    def read(files: dict[str, str | bytes], folder: str = "", known: Any = None, **options: Any) -> Written:
        for path, content in files.items():
            place = tmp_path / "shop" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content if isinstance(content, bytes) else content.encode())
        given = SqlOptions(environ={"HOME": str(tmp_path)}, **options)
        return Written(extract_sql_project(tmp_path / "shop" / folder, given, known=known))

    return read
