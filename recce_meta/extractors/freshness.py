"""Reader of sources.json: the freshness of sources that `dbt source freshness` measured."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct, ValidationError, field

from recce_meta.errors import ArtifactError, plural
from recce_meta.extractors.artifact import (
    Metadata,
    RawFreshness,
    RawSources,
    check_header,
    decode,
    not_a,
    read_artifact,
)
from recce_meta.models.moments import utc_time
from recce_meta.models.node import SourceFreshness

_RESULT = msgspec.json.Decoder(RawFreshness)


class FoundFreshness(Struct, frozen=True):
    """Content of sources.json."""

    results: tuple[SourceFreshness, ...] = ()
    """Sorted by unique id."""
    warnings: tuple[str, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)
    elapsed_time: float | None = None


def read_freshness(path: Path | None, sources: Collection[str]) -> FoundFreshness:
    """Return the results at *path* of the *sources* of the manifest; a file of another project has none."""
    if path is None:
        return FoundFreshness()
    try:
        raw = decode(read_artifact(path), path, "sources.json", RawSources)
        check_header(raw.metadata, path, "sources.json")
        if raw.results is None:
            raise not_a("sources.json", path, "it has no 'results'")
    except ArtifactError as error:
        return FoundFreshness(warnings=(f"sources.json was skipped: {error.message}",))
    found, unreadable = {}, 0
    for entry in raw.results:
        try:
            result = _RESULT.decode(entry)
            found[result.unique_id] = _freshness(result)
        except ValidationError:
            unreadable += 1
    known = tuple(found[one] for one in sorted(found) if one in sources)
    if len(found) - len(known) > len(known):
        return FoundFreshness(warnings=("sources.json belongs to another project or commit and was skipped",))
    lost = len(found) - len(known) + unreadable
    text = f"sources.json has {plural(lost, 'result')} that cannot be read, or of sources without a node"
    return FoundFreshness(known, (text,) if lost else (), raw.metadata or Metadata(), raw.elapsed_time)


def _freshness(raw: RawFreshness) -> SourceFreshness:
    loaded = _moment(raw.max_loaded_at)
    # Adapters report the first day of the calendar for a table without rows.
    is_empty = loaded is None or loaded.year == 1
    return SourceFreshness(
        unique_id=raw.unique_id,
        status=raw.status,
        max_loaded_at=None if is_empty else loaded,
        snapshotted_at=_moment(raw.snapshotted_at),
        max_loaded_at_time_ago_in_s=None if is_empty else raw.max_loaded_at_time_ago_in_s,
        criteria=raw.criteria,
        error=None if raw.error is None else str(raw.error),
    )


def _moment(text: str | None) -> datetime | None:
    try:
        return utc_time(text) if text else None
    except ValueError:
        return None
