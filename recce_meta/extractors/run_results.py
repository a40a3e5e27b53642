"""run_results.json: what happened to each node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct, ValidationError, convert

from recce_meta.errors import first_of
from recce_meta.extractors.artifact import (
    RawResult,
    RawRunResults,
    check_header,
    decode,
    not_a,
    read_artifact,
    refusing,
)
from recce_meta.models import Json, NodeResult
from recce_meta.models.run import UNKNOWN_STATUS

NOT_A_RUN = frozenset(["generate", "compile", "parse", "list", "ls", "show"])
"""Commands whose results have the status "success" for nodes that they did not build."""

BYTES_KEYS = ("bytes_processed", "bytes_billed", "bytes_scanned")
_DIGITS = re.compile(r"-?[0-9]{1,19}")
_RESULT = msgspec.json.Decoder(RawResult)


class RunResults(Struct, frozen=True, kw_only=True):
    """run_results.json, read."""

    invocation_id: str | None
    generated_at: str | None
    command: str | None
    """dbt's `args.which`: build, run, test, …"""
    target: str | None
    results: tuple[NodeResult, ...]
    """Sorted by unique id; empty if the command builds nothing."""
    warnings: tuple[str, ...] = ()
    """What could not be read, one sentence each."""


def read_run_results(path: Path) -> RunResults:
    """Return the results at *path*, without the values that cannot be read, which `warnings` names.

    Raises ArtifactError if the file is damaged or of another kind.
    """
    raw = decode(read_artifact(path), path, "run_results.json", RawRunResults)
    check_header(raw.metadata, path, "run_results.json")
    if raw.results is None:
        raise not_a("run_results.json", path, "it has no 'results'")
    args = raw.args if isinstance(raw.args, dict) else {}
    command, target = (
        value if isinstance(value, str) else None
        for value in (args.get("which") or args.get("rpc_method"), args.get("target"))
    )
    skipped: list[str] = []
    with refusing(path, "run_results.json"):
        found = [] if command in NOT_A_RUN else list(_results(raw.results, skipped))
    results = {result.unique_id: result for result in found}
    return RunResults(
        invocation_id=raw.metadata.invocation_id if raw.metadata else None,
        generated_at=raw.metadata.generated_at if raw.metadata else None,
        command=command,
        target=target,
        results=tuple(results[unique_id] for unique_id in sorted(results)),
        warnings=_warnings(skipped),
    )


def _results(entries: list[Raw], skipped: list[str]) -> Iterator[NodeResult]:
    """Yield each entry that names its node; add to *skipped* what of them cannot be read."""
    for position, entry in enumerate(entries):
        try:
            raw: RawResult | None = _RESULT.decode(entry)
        except ValidationError:
            raw = _readable(msgspec.json.decode(entry), skipped)
        if raw is None:
            skipped.append(f"entry {position + 1}")
        else:
            yield _result(raw, skipped)


def _readable(entry: Json, skipped: list[str]) -> RawResult | None:
    """Return the fields of *entry* that have the right type; None if it does not name its node."""
    if not isinstance(entry, dict) or not isinstance(entry.get("unique_id"), str):
        return None
    fields: dict[str, Json] = {"status": UNKNOWN_STATUS, "unique_id": entry["unique_id"]}
    if not isinstance(entry.get("status"), str):
        skipped.append(f"status of {entry['unique_id']}")
    for name in RawResult.__struct_fields__:
        if name in entry and name != "unique_id":
            try:
                convert({**fields, name: entry[name]}, RawResult)
            except ValidationError:
                if name != "status":
                    skipped.append(f"{name} of {entry['unique_id']}")
            else:
                fields[name] = entry[name]
    return convert(fields, RawResult)


def _result(raw: RawResult, skipped: list[str]) -> NodeResult:
    response: dict[str, Any] = raw.adapter_response if isinstance(raw.adapter_response, dict) else {}
    rows = _integer(response.get("rows_affected"))
    failures = _integer(raw.failures)
    if failures is None and raw.failures is not None:
        skipped.append(f"failures of {raw.unique_id}")
    return NodeResult(
        unique_id=raw.unique_id,
        status=raw.status,
        seconds=raw.execution_time,
        rows=rows if rows is not None and rows >= 0 else None,  # Postgres says -1 of a view
        bytes=next((value for key in BYTES_KEYS if (value := _integer(response.get(key))) is not None), None),
        failures=failures,
        message=None if raw.message is None else str(raw.message),
        completed_at=max(
            (timing.completed_at for timing in raw.timing or () if timing.completed_at), default=None
        ),
    )


def _warnings(skipped: list[str]) -> tuple[str, ...]:
    if not skipped:
        return ()
    return (f"run_results.json has values that cannot be read and were skipped: {first_of(skipped, 5)}",)


def _integer(value: Json) -> int | None:
    """Return *value* as a number that a BIGINT column can hold; None if it is none."""
    is_digits = isinstance(value, str) and _DIGITS.fullmatch(value)
    if not is_digits and (isinstance(value, bool) or not isinstance(value, (int, float))):
        return None
    return found if abs(found := int(value)) < 2**63 else None
