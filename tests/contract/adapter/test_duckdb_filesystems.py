"""File systems of fsspec, as a profile of dbt-duckdb names them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import ConfigurationError


def adapter_with(folder: Path, *filesystems: dict[str, object]) -> UnifiedSqlAdapter:
    output = {"type": "duckdb", "path": ":memory:", "filesystems": list(filesystems)}
    (folder / "profiles.yml").write_text(yaml.safe_dump({"p": {"outputs": {"default": output}}}))
    return UnifiedSqlAdapter.from_dbt_profile(folder, "p", project_dir=folder)


def test_files_of_a_file_system_are_read(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
    with fsspec.filesystem("memory").open("/orders.csv", "wb") as file:
        file.write(b"id,name\n1,a\n2,b\n")

    with adapter_with(tmp_path, {"fs": "memory"}) as adapter:
        assert adapter.warnings == ()
        assert adapter.execute("SELECT * FROM 'memory://orders.csv'")[1] == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"fs": "no_such_thing"}, "Cannot create file system 'no_such_thing' of 'filesystems': ValueError"),
        ({"fs": "zip", "secret": "hush-hush-1"}, "Cannot create file system 'zip' of 'filesystems'"),
    ],
)
def test_a_file_system_that_cannot_be_made_is_told(
    tmp_path: Path, entry: dict[str, object], message: str
) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed")

    with adapter_with(tmp_path, entry) as adapter, pytest.raises(ConfigurationError, match=message) as caught:
        adapter.execute("SELECT 1")
    assert "hush-hush-1" not in str(caught.value)


def test_what_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)

    with (
        adapter_with(tmp_path, {"fs": "memory"}) as adapter,
        pytest.raises(
            ConfigurationError, match="Package fsspec, needed for field 'filesystems', is not installed"
        ) as caught,
    ):
        adapter.execute("SELECT 1")
    assert "pip install fsspec" in (caught.value.hint or "")
