"""`diff` of two recorded runs between which models were only written otherwise: shown, and no change."""

from __future__ import annotations

import gzip
import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

WRAPPED = ("model.jaffle_shop.customers", "model.jaffle_shop.orders", "model.jaffle_shop.stg_orders")


def wrapped(sql: str) -> str:
    """*sql*, which may begin with a WITH, as the most common edit leaves it."""
    return f"with final as (\n\n{sql}\n\n)\n\nselect * from final"


def edited(folder: Path, *, extra: str = "", description: str = "") -> Path:
    """The artifacts of another run of the project in *folder*, in which models are wrapped."""
    current = folder.with_name("target-wrapped")
    shutil.copytree(folder, current)
    manifest = json.loads(gzip.decompress((current / "manifest.json.gz").read_bytes()))
    for unique_id in WRAPPED:
        node = manifest["nodes"][unique_id]
        for text in ("raw_code", "compiled_code"):
            node[text] = wrapped(node[text]) + extra
        node["checksum"]["checksum"] = sha256(node["raw_code"].encode()).hexdigest()
        node["description"] += description
    earlier = manifest["metadata"]["invocation_id"]
    (current / "manifest.json.gz").write_bytes(gzip.compress(json.dumps(manifest).encode()))
    for file in current.iterdir():  # another run has another id in all of its artifacts
        text = gzip.decompress(file.read_bytes()).decode()
        file.write_bytes(gzip.compress(text.replace(earlier, str(UUID(int=5))).encode()))
    return current


@pytest.mark.extensive
def test_a_wrapped_model_is_shown_and_is_not_any_change(cli: Any, project: Path) -> None:
    store = cli.within(RECCE_META_URL="duckdb:///wrapped.duckdb")
    for side, path in (("base", project / "target"), ("current", edited(project / "target"))):
        ran = store("record", "-e", side, "--target-path", path)
        assert ran.code == 0, ran.err

    found = json.loads(store("diff", "--format", "json", "--fail-on", "any").out)
    changes = [change for change in found["changes"] if change["status"] != "unchanged"]
    assert {change["unique_id"] for change in changes} == set(WRAPPED)
    assert {change["category"] for change in changes} == {"none"}
    assert not any(change["columns"] or change["category_reasons"] for change in changes)
    assert found["impacted"] == []

    for style in ("table", "markdown"):
        shown = store("diff", "--format", style).out
        assert "3 modified" in shown
        assert "no effect" in shown
        assert "columns modified" not in shown
        assert "breaking" not in shown
    for conditions, code in (("any", 0), ("any,breaking,unknown", 0), ("modified", 1), ("any,body", 1)):
        assert store("diff", "--fail-on", conditions).code == code


@pytest.mark.parametrize("edit", [{"extra": " where 1 = 0"}, {"description": " Wrapped."}])
def test_a_wrapped_model_with_another_edit_is_a_change(cli: Any, project: Path, edit: dict[str, str]) -> None:
    sides = [f"path:{project / 'target'}", f"path:{edited(project / 'target', **edit)}"]

    ran = cli("diff", *sides, "--fail-on", "any")

    assert (ran.code, ran.err.count("found 3")) == (1, 1)
