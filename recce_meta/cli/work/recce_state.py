"""`import recce_state.json`."""

from __future__ import annotations

from pathlib import Path

from recce_meta.api.importing_recce import check_file_of, import_recce_state
from recce_meta.cli.options import Connection, emit, screen
from recce_meta.cli.progress import progress
from recce_meta.extractors.recce_state import recce_state_of
from recce_meta.report.recce_import_text import recce_import_json, recce_import_text
from recce_meta.store.migrate import refuse_memory


def import_state(connection: Connection, file: Path, check_file: Path | None, style: str) -> None:
    """Import the state in *file*, write its checks to *check_file*, and report what was left out."""
    state = recce_state_of(file.read_bytes(), str(file))
    with progress("importing"), connection.open() as adapter:
        refuse_memory(adapter)
        found = import_recce_state(adapter, state, str(file), schema=connection.schema)
    if check_file is not None:
        check_file.write_text(check_file_of(state), encoding="utf-8")
    emit(recce_import_json(found) if style == "json" else recce_import_text(found, **screen()))
