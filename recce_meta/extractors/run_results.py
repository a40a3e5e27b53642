"""run_results.json: what happened to each node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

from recce_meta.extractors.artifact import (
    RawResult,
    RawRunResults,
    check_header,
    decode,
    not_a,
    read_artifact,
)
from recce_meta.models import Json, NodeResult

NOT_A_RUN = frozenset(["generate", "compile", "parse", "list", "ls", "show"])
"""Commands whose results say "success" of nodes that they did not build."""

BYTES_KEYS = ("bytes_processed", "bytes_billed", "bytes_scanned")


class RunResults(Struct, frozen=True, kw_only=True):
    """run_results.json, read."""

    invocation_id: str | None
    generated_at: str | None
    command: str | None
    """dbt's `args.which`: build, run, test, …"""
    target: str | None
    results: tuple[NodeResult, ...]
    """Sorted by unique id; empty where the command builds nothing."""


def read_run_results(path: Path) -> RunResults:
    """The results at *path*; raises ArtifactError where they are damaged."""
    raw = decode(read_artifact(path), path, "run_results.json", RawRunResults)
    check_header(raw.metadata, path, "run_results.json")
    if raw.results is None:
        raise not_a("run_results.json", path, "it has no 'results'")
    args = raw.args if isinstance(raw.args, dict) else {}
    command = args.get("which") or args.get("rpc_method")
    target = args.get("target")
    results = {} if command in NOT_A_RUN else {result.unique_id: _result(result) for result in raw.results}
    return RunResults(
        invocation_id=raw.metadata.invocation_id if raw.metadata else None,
        generated_at=raw.metadata.generated_at if raw.metadata else None,
        command=command if isinstance(command, str) else None,
        target=target if isinstance(target, str) else None,
        results=tuple(results[unique_id] for unique_id in sorted(results)),
    )


def _result(raw: RawResult) -> NodeResult:
    response: dict[str, Any] = raw.adapter_response if isinstance(raw.adapter_response, dict) else {}
    rows = _integer(response.get("rows_affected"))
    return NodeResult(
        unique_id=raw.unique_id,
        status=raw.status,
        seconds=raw.execution_time,
        rows=rows if rows is not None and rows >= 0 else None,  # Postgres says -1 of a view
        bytes=next((value for key in BYTES_KEYS if (value := _integer(response.get(key))) is not None), None),
        failures=raw.failures,
        message=None if raw.message is None else str(raw.message),
        completed_at=max(
            (timing.completed_at for timing in raw.timing or () if timing.completed_at), default=None
        ),
    )


def _integer(value: Json) -> int | None:
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
