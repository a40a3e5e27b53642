"""`import`: what `export` wrote as JSON, into a store."""

from __future__ import annotations

import gzip
import zlib
from codecs import BOM_UTF8
from pathlib import Path

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import ArtifactError
from recce_meta.models.export import Export
from recce_meta.store.export_document import export_of
from recce_meta.store.exports import Written, write_export
from recce_meta.store.files import DEFAULT_SCHEMA

GZIP = b"\x1f\x8b"
"""How a compressed file begins, whatever its name."""


def import_run(adapter: UnifiedSqlAdapter, path: str | Path, *, schema: str = DEFAULT_SCHEMA) -> Written:
    """Write the run that is in the JSON file *path*, creating the store where there is none.

    It is the run that was exported, under the same ids, with the times and the recorder that it had. One that
    is there already is left as it is, and given what it lacks of what is kept with a run. One transaction.

    Raises ArtifactError for a file that is none of ours, is damaged, or of a later recce_meta; StoreError
    where the store has a run of this id with other contents.
    """
    return write_export(adapter, read_file(Path(path)), schema=schema)


def read_file(path: Path) -> Export:
    """The export in *path*, compressed or not.

    Raises ArtifactError as `import_run` does, OSError where *path* cannot be read.
    """
    return read_bytes(path.read_bytes(), str(path))


def read_bytes(data: bytes, name: str) -> Export:
    """The export in *data*, which is told as *name* where it cannot be read."""
    try:
        whole = gzip.decompress(data) if data.startswith(GZIP) else data
        return export_of(whole.removeprefix(BOM_UTF8))
    except ArtifactError as error:
        raise ArtifactError(f"{name} cannot be imported: {error.message}", hint=error.hint) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ArtifactError(
            f"{name} cannot be imported: it is damaged: {error}", hint="export the run again"
        ) from error
