"""Stored diffs of two runs: derived answers that take long to compute.

A row is used if all that its answer follows from is equal: the inputs, of which the caller gives a key, and
the code that computes it. It dies with its runs, and is never exchanged or exported.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from datetime import datetime, timezone
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec

import recce_meta
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import MissingRelation, PermissionDenied, RecceMetaError
from recce_meta.models import RunDiff
from recce_meta.plugins import DIALECTS, WAREHOUSES
from recce_meta.store.change_counter import change_counter, counter_text
from recce_meta.store.content import digest
from recce_meta.store.session import SCHEMA_VERSION, open_store

MOST_KEPT = 200
"""Number of diffs that a store keeps, the newest."""
MOST_BYTES = 4 * 2**20
"""Size of the largest answer that is kept."""
COLUMNS = ("inputs_id", "analysis_id", "base_run_id", "current_run_id", "kept_at", "answer")
ENGINES = ("sqlglot", "sqlglotc", "sqlglotrs", "duckdb", "jinja2", "msgspec")
"""Packages that decide what a diff says."""

_LOG = logging.getLogger(__name__)
_decode = msgspec.json.Decoder(RunDiff).decode


@cache
def analysis_id() -> str:
    """Return an id of all code that computes diffs: of this package, of the engines, and of Python."""
    from importlib.metadata import PackageNotFoundError, entry_points, version

    engines = [
        (one.value, one.dist.version if one.dist is not None else "")
        for group in (WAREHOUSES, DIALECTS)
        for one in sorted(entry_points(group=group))
    ]
    for name in ENGINES:
        with suppress(PackageNotFoundError):
            engines.append((name, version(name)))
    found = sha256(msgspec.json.encode([engines, sys.version_info[:2], sys.platform]))
    folder = Path(recce_meta.__file__).parent
    # All modules, since which of them matter is not known, and an edit of the package keeps its version.
    for path in sorted(folder.rglob("*.py")):
        found.update(f"\n{path.relative_to(folder).as_posix()}\n".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def find_diff(adapter: UnifiedSqlAdapter, key: bytes) -> tuple[str, RunDiff | None]:
    """Return the change counter of the store of *adapter*, and the stored diff with the inputs *key*.

    It is None if this code has stored none, or if the role may not read the table.
    """
    rows: list[tuple[object, ...]] = []
    with suppress(PermissionDenied, MissingRelation), open_store(adapter) as store:
        rows = store.query("kept_diff", inputs_id=digest(key))
    if not rows:
        return change_counter(adapter), None
    ((write, written_at, analysis, answer),) = rows
    counter = counter_text(write, written_at)
    # The id takes some milliseconds, and few diffs are stored.
    if analysis is not None and str(analysis) == analysis_id():
        with suppress(msgspec.DecodeError):
            return counter, _decode(str(answer))
    return counter, None


def keep_diff(adapter: UnifiedSqlAdapter, key: bytes, diff: RunDiff) -> bool:
    """Store *diff*, which has the inputs *key*; return False if it cannot be stored here.

    *adapter* is that of the store. If it may not write, or another process has locked the file, the diff is
    computed again. Another writer of the same diff stores an equal row.
    """
    try:
        answer = msgspec.json.encode(diff)
    except UnicodeEncodeError:
        return False
    # Of a value that JSON does not keep exactly, a reader would get another answer.
    if len(answer) > MOST_BYTES or _decode(answer) != diff:
        return False
    row = (
        digest(key), analysis_id(), diff.base.run_id, diff.current.run_id,
        datetime.now(timezone.utc), answer.decode(),
    )  # fmt: skip
    try:
        # Not a session that writes: those wait for recorders, and make readers read all again.
        with open_store(adapter) as store:
            if adapter.store_versions.get(adapter.schema) != SCHEMA_VERSION:
                return False
            kept = [str(one) for (one,) in store.query("kept_diff_ids")]
            store.execute("delete_kept_diffs", ids="\n".join({str(row[0]), *kept[MOST_KEPT - 1 :]}))
        # DuckDB before 1.2 refuses a key that the same transaction has deleted.
        with open_store(adapter) as store:
            store.insert("kept_diffs", COLUMNS, [row])
    except RecceMetaError as error:
        _LOG.debug("The diff is not stored: %s", error.message)
        return False
    return True
