"""Record the answers of dbt's adapters to the queries of tests/data/dbt_answers/queries.yml.

    python -m venv /tmp/dbt && /tmp/dbt/bin/pip install 'dbt-core>=1.11,<1.12' dbt-duckdb dbt-postgres
    /tmp/dbt/bin/python scripts/build_dbt_answers.py
    python -m tests.support.folded_json tests/data/dbt_answers/*.json
Writes tests/data/dbt_answers/<warehouse>.json. Each query runs twice: through the adapter's own cursor, as in
macros, and through `dbt show --inline … --limit -1 --output json`, which passes the answer through agate.
PostgreSQL is taken from RECCE_META_TEST_POSTGRES_URL.

Values are JSON if possible, else an object with one member named after the type: {"decimal": "1.50"}.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import yaml
from dbt.adapters.factory import get_adapter, register_adapter, reset_adapters
from dbt.cli.main import dbtRunner
from dbt.config.runtime import RuntimeConfig
from dbt.flags import set_from_args
from dbt.mp_context import get_mp_context
from dbt.version import __version__ as dbt_version
from dbt_common.clients.system import get_env
from dbt_common.context import set_invocation_context
from dbt_common.exceptions import DbtRuntimeError
from dbt_common.exceptions.base import NotImplementedError as NotOfThisAdapter

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "dbt_answers"
POSTGRES_URL = os.environ.get("RECCE_META_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")
ZONE = "Asia/Kathmandu"
"""Time zone of the session, unusual so that local time cannot pass for UTC."""


def main() -> None:
    """Write the answers of both warehouses."""
    queries = yaml.safe_load((DATA / "queries.yml").read_text(encoding="utf-8"))
    for warehouse in ("duckdb", "postgres"):
        asked = {**queries["both"], **queries[warehouse]}
        with tempfile.TemporaryDirectory() as folder:
            write_project(Path(folder), warehouse)
            shown = dict(answers_of_show(Path(folder), asked))
            answers = dict(answers_of_cursor(Path(folder), asked))
        found = {name: {"sql": sql, **answers[name], "show": shown[name]} for name, sql in asked.items()}
        text = json.dumps({"dbt": dbt_version, "zone": ZONE, "answers": found}, indent=1, ensure_ascii=False)
        (DATA / f"{warehouse}.json").write_text(text + "\n", encoding="utf-8")
        sys.stdout.write(f"{warehouse}: {len(found)} answers\n")


def write_project(folder: Path, warehouse: str) -> None:
    """Create an empty project with a profile for *warehouse*."""
    place = urlsplit(POSTGRES_URL)
    output: dict[str, object] = {"type": "duckdb", "path": ":memory:", "settings": {"TimeZone": ZONE}}
    if warehouse == "postgres":
        output = {
            "type": "postgres",
            "host": place.hostname,
            "port": place.port or 5432,
            "user": place.username,
            "password": place.password or "",
            "dbname": place.path.strip("/"),
            "schema": "public",
        }
        os.environ["PGTZ"] = ZONE
    profiles = {"answers": {"target": "dev", "outputs": {"dev": {**output, "threads": 1}}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
    (folder / "dbt_project.yml").write_text(
        "name: answers\nprofile: answers\nversion: '1.0'\n", encoding="utf-8"
    )


def answers_of_show(folder: Path, queries: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Yield the output of `dbt show`: rows as JSON, or the error."""
    for name, sql in queries.items():
        previews: list[str] = []

        def keep(event: Any, previews: list[str] = previews) -> None:
            if event.info.name == "ShowNode":
                previews.append(event.data.preview)

        arguments = ["show", "--inline", sql, "--output", "json", "--limit", "-1", "--quiet"]
        places = [
            "--project-dir",
            str(folder),
            "--profiles-dir",
            str(folder),
            "--log-path",
            str(folder / "logs"),
        ]
        result = dbtRunner(callbacks=[keep]).invoke([*arguments, *places, "--no-send-anonymous-usage-stats"])
        preview = re.sub("<memory at 0x[0-9a-f]+>", "<memory>", previews[0]) if previews else ""
        yield name, json.loads(preview) if result.success and preview else "no answer"


@contextmanager
def adapter_of(folder: Path) -> Iterator[Any]:
    """Yield dbt's own adapter for the profile in *folder*."""
    args = Namespace(
        project_dir=str(folder), profiles_dir=str(folder), profile=None, target=None, threads=1, vars={}
    )
    set_from_args(args, None)
    set_invocation_context(get_env())
    config = RuntimeConfig.from_args(args)
    reset_adapters()
    register_adapter(config, get_mp_context())
    adapter = get_adapter(config)
    with adapter.connection_named("answers"):
        yield adapter
    adapter.cleanup_connections()


def answers_of_cursor(folder: Path, queries: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield columns, types and rows from the adapter's cursor."""
    with adapter_of(folder) as adapter:
        for name, sql in queries.items():
            try:
                _, cursor = adapter.connections.add_query(sql, auto_begin=False)
                columns = [column[0] for column in cursor.description]
                types = [type_name(adapter, column[1]) for column in cursor.description]
                rows = [[typed(value) for value in row] for row in cursor.fetchall()]
            except (DbtRuntimeError, ValueError) as error:  # an error of dbt is recorded as its answer
                adapter.connections.rollback_if_open()
                yield name, {"error": type(error).__name__}
            else:
                yield name, {"columns": columns, "types": types, "rows": rows}


def type_name(adapter: Any, code: Any) -> str:
    """Return the adapter's name of a column type, else the driver's."""
    try:
        return str(adapter.connections.data_type_code_to_name(code))
    except NotOfThisAdapter:
        return str(code)


def typed(value: Any) -> Any:
    """Return *value* as JSON that includes its type."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        return {"map": [[typed(key), typed(item)] for key, item in value.items()]}
    if isinstance(value, float):
        return {"float": repr(value) if math.isfinite(value) else str(value)}
    for kind, types, text in (
        ("int", int, str),
        ("decimal", Decimal, str),
        ("timestamp", datetime, datetime.isoformat),
        ("date", date, date.isoformat),
        ("time", time, time.isoformat),
        ("interval", timedelta, lambda value: f"{value.days} {value.seconds} {value.microseconds}"),
        ("uuid", UUID, str),
        ("bytes", (bytes, bytearray, memoryview), lambda value: bytes(value).hex()),
    ):
        if isinstance(value, types):
            return {kind: text(value)}
    return {type(value).__name__: str(value)}


if __name__ == "__main__":
    main()
