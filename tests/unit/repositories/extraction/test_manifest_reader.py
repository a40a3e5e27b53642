"""What the child that reads an upload refuses."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from recce_meta.errors import RecceMetaError, UsageError
from recce_meta.models.run import BuildJob
from recce_meta.repositories.extraction import manifest_reader


def test_a_large_answer_is_refused_before_it_is_read(tmp_path: Path) -> None:
    answer = tmp_path / "answer.msgpack"
    with answer.open("wb") as file:
        file.truncate(manifest_reader.LARGEST_ANSWER + 1)
    with pytest.raises(UsageError, match="The upload is too large: as a run it has 268,435,457 bytes"):
        manifest_reader._read_answer(answer)


def test_an_unknown_key_of_an_upload_is_refused(tmp_path: Path) -> None:
    (tmp_path / manifest_reader.UPLOAD).write_text('{"manifest": {}, "brnch": "x"}', encoding="utf-8")
    with pytest.raises(UsageError, match="unknown field `brnch`"):
        manifest_reader._split(tmp_path)


@pytest.mark.parametrize(
    ("limits", "error", "said"),
    [
        ({"seconds": 0.1}, RecceMetaError, r"had no time to read the upload: it got \d+ s of CPU in \d+ s"),
        ({"cpu_seconds": 0.05}, UsageError, "Reading the upload took too long"),
    ],
)
def test_a_busy_server_is_not_the_fault_of_the_sender(
    limits: dict[str, float],
    error: type[RecceMetaError],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(manifest_reader, "LIMITS", replace(manifest_reader.LIMITS, **limits))
    (tmp_path / manifest_reader.UPLOAD).write_text('{"manifest": {}}')
    request = manifest_reader.ReadingRequest(environment="prod", branches=("main",), most_nodes=9)

    with pytest.raises(RecceMetaError, match=said) as refused:
        asyncio.run(manifest_reader.read_upload(tmp_path, request))

    assert type(refused.value) is error


@pytest.mark.parametrize("missing", ["package_name", "original_file_path", "fqn"])
def test_nodes_without_what_dbt_writes_for_each_are_refused(missing: str, tmp_path: Path) -> None:
    node = {"package_name": "shop", "original_file_path": "models/a.sql", "fqn": ["shop", "a"], "name": "a"}
    schema = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "shop",
    }
    request = manifest_reader.ReadingRequest(
        environment="prod", branches=("main",), details=manifest_reader.UploadDetails(), most_nodes=9
    )

    errors = []
    for own in (node, {key: value for key, value in node.items() if key != missing}):
        nodes = {"model.shop.a": own}
        (tmp_path / "manifest.json").write_text(json.dumps({"metadata": schema, "nodes": nodes}))
        (tmp_path / "request.json").write_bytes(msgspec.json.encode(request))
        manifest_reader.main(tmp_path)
        errors.append(manifest_reader._read_answer(tmp_path / "answer.msgpack").error)

    assert not errors[0]
    assert "1 node of the manifest lacks the package, the file or the fqn: model.shop.a" in str(errors[1])


def test_an_upload_has_the_freshness_and_the_job_of_its_sender_without_credentials(tmp_path: Path) -> None:
    schema = "https://schemas.getdbt.com/dbt/manifest/v12.json"
    name = {"package_name": "shop", "original_file_path": "s.yml", "fqn": ["shop", "s"], "name": "s"}
    manifest = {
        "metadata": {"dbt_schema_version": schema, "project_name": "shop"},
        "nodes": {},
        "sources": {"source.shop.s": {**name, "resource_type": "source"}},
    }
    upload = {
        "manifest": manifest,
        "sources": {"results": [{"unique_id": "source.shop.s", "status": "pass"}]},
        "job": {"orchestrator": "x" * 999, "job_run_url": "https://ada:S3cret@ci.acme.com/1"},
        "commit_url": "javascript:alert(1)",
    }
    request = manifest_reader.ReadingRequest(environment="prod", branches=("main",), most_nodes=9)
    (tmp_path / manifest_reader.UPLOAD).write_text(json.dumps(upload))
    (tmp_path / "request.json").write_bytes(msgspec.json.encode(request))

    manifest_reader.main(tmp_path)

    answer = manifest_reader._read_answer(tmp_path / "answer.msgpack")
    assert answer.read is not None, answer.error
    project = answer.read.project
    assert [one.status for one in project.freshness] == ["pass"]
    assert project.run.job == BuildJob(
        orchestrator="x" * manifest_reader.LONGEST_NAME, job_run_url="https://ci.acme.com/1"
    )
    assert project.run.commit_url is None


@pytest.mark.parametrize(
    ("manifest", "count"),
    [
        ({"nodes": dict.fromkeys("abc", 1), "macros": {"d": {}}}, 4),
        ({"nodes": dict.fromkeys("abcd", 1), "metrics": [], "disabled": None}, 4),
        ({"nodes": dict.fromkeys("abc", 1), "parent_map": dict.fromkeys("abc", ())}, 3),
        ([1, 2, 3, 4], 0),
    ],
)
def test_a_manifest_with_more_nodes_than_its_connection_accepts_is_refused(
    manifest: object, count: int
) -> None:
    if count <= 3:
        manifest_reader._refuse_many(msgspec.Raw(json.dumps(manifest).encode()), 3)
        return
    with pytest.raises(UsageError, match="has 4 nodes and macros, the connection accepts 3") as refused:
        manifest_reader._refuse_many(msgspec.Raw(json.dumps(manifest).encode()), 3)
    assert "--upload-nodes" in str(refused.value.hint)
