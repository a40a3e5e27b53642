"""What Databricks refuses, and how it is told: asked of its emulator, which knows four tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import (
    AuthenticationFailed,
    MissingRelation,
    PermissionDenied,
    TransientFailure,
    WarehouseError,
)
from recce_meta.store.session import init_store
from tests.emulators.databricks.emulator import BUSY_TOKEN, READER_TOKEN

Connect = Callable[..., UnifiedSqlAdapter]


@pytest.fixture
def connect(backend: Any, tmp_path: Path) -> Connect:
    """Another connection to the emulator, with other fields in its profile."""
    if backend.name != "databricks" or "emulated" not in backend.arguments:
        pytest.skip("about the emulator of Databricks")
    given = dict(zip(backend.arguments[::2], backend.arguments[1::2], strict=True))
    profiles = yaml.safe_load((Path(given["--profiles-dir"]) / "profiles.yml").read_text("utf-8"))
    (output,) = profiles["emulated"]["outputs"].values()

    def other(**fields: Any) -> UnifiedSqlAdapter:
        parameters = {**output["connection_parameters"], **fields.pop("connection_parameters", {})}
        changed = {**output, "connection_parameters": parameters, **fields}
        path = tmp_path / "profiles.yml"
        path.write_text(yaml.safe_dump({"p": {"target": "t", "outputs": {"t": changed}}}), encoding="utf-8")
        return UnifiedSqlAdapter.from_dbt_profile(path, "p")

    return other


@pytest.mark.parametrize(
    ("fields", "kind", "code"),
    [
        ({"token": "another"}, AuthenticationFailed, "HTTP 403"),
        (
            {"token": BUSY_TOKEN, "connection_parameters": {"_retry_delay_max": 5}},
            TransientFailure,
            "MaxRetryError",
        ),
        ({"catalog": "nowhere"}, MissingRelation, "NO_SUCH_CATALOG_EXCEPTION"),
    ],
)
def test_who_does_not_come_in_is_told(
    connect: Connect, fields: dict[str, Any], kind: type[WarehouseError], code: str
) -> None:
    with connect(**fields) as adapter, pytest.raises(kind) as caught:
        adapter.execute("SELECT 1")

    assert caught.value.code == code
    assert fields.get("token", "emulated-token") not in str(caught.value)


def test_a_missing_right_is_told_with_its_grant(connect: Connect, schema_name: str) -> None:
    with connect(token=READER_TOKEN) as adapter, pytest.raises(PermissionDenied) as caught:
        init_store(adapter.at(schema_name))

    assert caught.value.code == "INSUFFICIENT_PERMISSIONS"
    assert "GRANT USE CATALOG, CREATE SCHEMA ON CATALOG `spark_catalog`" in (caught.value.hint or "")


def test_256_parameters_and_no_more(connect: Connect) -> None:
    values = {f"p{number}": number for number in range(257)}
    with connect() as adapter, adapter.session() as session:
        allowed = dict(list(values.items())[:256])
        assert len(session.query(f"SELECT {', '.join(f':{name}' for name in allowed)}", allowed)[0]) == 256
        with pytest.raises(WarehouseError, match="the limit is 256"):
            session.query(f"SELECT {', '.join(f':{name}' for name in values)}", values)


def test_a_session_sees_at_once_what_another_wrote(connect: Connect, schema: str) -> None:
    merge = (
        "MERGE INTO {0}.t AS kept USING (SELECT '{1}' AS id, '{2}' AS who) AS new ON kept.id = new.id"
        " WHEN NOT MATCHED THEN INSERT (id, who) VALUES (new.id, new.who)"
    )
    with connect() as first, connect() as second:
        quoted = first.quote_identifier(schema)
        first.execute(f"CREATE TABLE {quoted}.t (id STRING, who STRING)")
        assert second.execute(f"SELECT * FROM {quoted}.t")[1] == []

        first.execute(f"INSERT INTO {quoted}.t VALUES ('1', 'first')")
        assert second.execute(f"SELECT * FROM {quoted}.t")[1] == [("1", "first")]
        assert second.execute(merge.format(quoted, "1", "second"))[1] == [(0,)]

        assert first.execute(merge.format(quoted, "2", "first"))[1] == [(1,)]
        assert second.execute(merge.format(quoted, "2", "second"))[1] == [(0,)]
        assert sorted(second.execute(f"SELECT * FROM {quoted}.t")[1]) == [("1", "first"), ("2", "first")]
