"""What cannot be read is refused with one error that names the file and says what to do."""

from __future__ import annotations

import codecs
import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from recce_meta.diff.changes import detect_changes
from recce_meta.errors import ArtifactError
from recce_meta.extractors.git import GitState
from recce_meta.extractors.manifest import extract_from_manifest
from recce_meta.extractors.project import extract_columns_from_catalog, extract_project
from recce_meta.models import Project

DATA = Path(__file__).parents[2] / "data" / "artifacts" / "generated" / "jaffle_ext_full" / "dbt_1.10"


def unzipped(name: str) -> bytes:
    return gzip.decompress((DATA / f"{name}.gz").read_bytes())


MANIFEST = unzipped("manifest.json")
CATALOG = unzipped("catalog.json")
RESULTS = unzipped("run_results.json").replace(
    json.loads(unzipped("run_results.json"))["metadata"]["invocation_id"].encode(),
    json.loads(MANIFEST)["metadata"]["invocation_id"].encode(),
)

NOT_ARTIFACTS = {
    "empty": b"",
    "blank": b" \n\t",
    "zeros": b"\x00" * 4096,
    "cut": MANIFEST[: len(MANIFEST) // 2],
    "cut at the end": MANIFEST.rstrip()[:-1],
    "cut gzip": gzip.compress(MANIFEST)[:-2000],
    "gzip of nothing": gzip.compress(b""),
    "not gzip": b"\x1f\x8b" + b"garbage" * 50,
    "array": b"[]",
    "number": b"42",
    "null": b"null",
    "object": b"{}",
    "text": b"dbt=ERROR\n",
    "html": b"<html><body>502 Bad Gateway</body></html>",
    "binary": bytes(range(256)) * 20,
    "two documents": b'{"nodes": {}}{"nodes": {}}',
    "utf-16": MANIFEST.decode().encode("utf-16"),
    "bad utf-8": b'{"nodes": {"model.a.b": {"name": "\xff\xfe"}}}',
    "bad utf-8 in code": b'{"nodes": {"model.a.b": {"raw_code": "\xff\xfe"}}}',
    "bad utf-8 in config": b'{"nodes": {"model.a.b": {"config": {"a": "\xff\xfe"}}}}',
    "bad escape in config": b'{"nodes": {"model.a.b": {"config": {"a": "\\q"}}}}',
    "bad escape in name": b'{"nodes": {"model.a.b": {"name": "\\q"}}}',
    "nested too deeply": b'{"nodes": {"model.a.b": {"config": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}}",
    "object nested too deeply": b'{"nodes": {"model.a.b": {"config": '
    + b'{"a":' * 50_000
    + b"1"
    + b"}" * 50_003,
    "nodes an array": b'{"nodes": []}',
    "nodes null": b'{"nodes": null}',
    "node a number": b'{"nodes": {"model.a.b": 1}}',
    "node null": b'{"nodes": {"model.a.b": null}}',
    "source a list": b'{"nodes": {}, "sources": {"source.a.b.c": []}}',
    "fqn a number": b'{"nodes": {"model.a.b": {"fqn": 7}}}',
    "columns a list": b'{"nodes": {"model.a.b": {"columns": []}}}',
    "depends_on a list": b'{"nodes": {"model.a.b": {"depends_on": ["model.a.c"]}}}',
    "parents numbers": b'{"nodes": {"model.a.b": {"depends_on": {"nodes": [1]}}}}',
    "macro a string": b'{"nodes": {}, "macros": {"macro.a.b": "select"}}',
    "exposure a string": b'{"nodes": {}, "exposures": {"exposure.a.b": "text"}}',
    "exposure's parents": b'{"nodes": {}, "exposures": {"exposure.a.b": {"depends_on": {"nodes": 3}}}}',
    "metadata a list": b'{"metadata": [], "nodes": {}}',
    "a manifest of the future": b'{"metadata": {"dbt_schema_version": '
    b'"https://schemas.getdbt.com/dbt/manifest/v13.json"}, "nodes": {}}',
    "a Rust manifest of the future": b'{"metadata": {"dbt_schema_version": '
    b'"https://schemas.getdbt.com/dbt/manifest/v21.json"}, "nodes": {}}',
    "catalog": CATALOG,
    "run results": RESULTS,
    "sources.json": b'{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/sources/v3.json"},'
    b'"results": [], "elapsed_time": 1.0}',
    "semantic manifest": b'{"semantic_models": [], "metrics": [], "project_configuration": {}}',
}


@pytest.mark.parametrize("data", NOT_ARTIFACTS.values(), ids=NOT_ARTIFACTS)
def test_what_is_no_manifest_is_refused_by_name_with_a_hint(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(data)
    for read in (extract_from_manifest, extracted):
        with pytest.raises(ArtifactError) as caught:
            read(path)
        assert str(path) in caught.value.message
        assert caught.value.hint
        assert not caught.value.message.endswith(".")
        assert "\n" not in caught.value.message
        assert len(caught.value.message) < 400


def test_a_file_that_ends_too_early_is_told_from_one_that_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    for data, said in ((MANIFEST[:-9], "is not complete JSON"), (b'{"nodes": NaN}', "is not valid JSON")):
        path.write_bytes(data)
        with pytest.raises(ArtifactError, match=said):
            extract_from_manifest(path)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(codecs.BOM_UTF8 + MANIFEST)
    assert extract_from_manifest(path) == extract_from_manifest(DATA / "manifest.json.gz")


WRONG_COLUMNS = {
    "columns a list": {"nodes": {"model.jaffle_ext.orders": {"columns": []}}, "sources": {}},
    "index text": {"nodes": {"model.jaffle_ext.orders": {"columns": {"a": {"name": "a", "index": "x"}}}}},
    "nodes text": {"nodes": "x", "sources": {}},
}


@pytest.mark.cases(20)
@pytest.mark.parametrize("name", ["catalog.json", "run_results.json"])
@pytest.mark.parametrize(
    "data",
    [data for key, data in NOT_ARTIFACTS.items() if key not in ("catalog", "run results")],
    ids=[key for key in NOT_ARTIFACTS if key not in ("catalog", "run results")],
)
def test_a_damaged_optional_artifact_is_refused_or_holds_nothing(
    name: str, data: bytes, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_bytes(MANIFEST)
    (tmp_path / name).write_bytes(data)
    try:
        project = extracted(tmp_path)
    except ArtifactError as error:
        assert str(tmp_path / name) in error.message
        assert error.hint
    else:
        assert project.results == ()
        assert not any(node.columns_from == "catalog" for node in project.nodes)


@pytest.mark.parametrize("catalog", WRONG_COLUMNS.values(), ids=WRONG_COLUMNS)
def test_a_catalog_with_wrong_types_inside_is_refused(catalog: Any, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(MANIFEST)
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    with pytest.raises(ArtifactError, match="catalog"):
        extracted(tmp_path)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("manifest.json", "catalog.json"),
        ("run_results.json", "catalog.json"),
        ("catalog.json", "run_results.json"),
    ],
)
def test_an_artifact_in_anothers_place_is_refused(given: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(MANIFEST)
    (tmp_path / name).write_bytes(unzipped(given))
    with pytest.raises(ArtifactError, match=rf"{name} is not a dbt") as caught:
        extracted(tmp_path)
    assert caught.value.hint


def test_the_catalog_of_another_project_is_refused(tmp_path: Path) -> None:
    other = json.loads(CATALOG)
    other["nodes"] = {key.replace("jaffle_ext", "other"): value for key, value in other["nodes"].items()}
    other["sources"] = {}
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(other))
    nodes, _ = extract_from_manifest(DATA / "manifest.json.gz")
    with pytest.raises(ArtifactError, match="another project") as caught:
        extract_columns_from_catalog(path, nodes)
    assert str(path) in caught.value.message


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"No manifest\.json in") as caught:
        extracted(tmp_path)
    assert "dbt" in (caught.value.hint or "")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="Folder not found") as caught:
        extracted(tmp_path / "nowhere")
    assert "no dbt_project.yml here or above" in (caught.value.hint or "")
    (tmp_path / "dbt_project.yml").write_text("name: shop")
    with pytest.raises(ArtifactError, match="Folder not found") as caught:
        extracted(tmp_path / "nowhere")
    assert "run `dbt build` first" in (caught.value.hint or "")


def test_a_folder_in_the_manifests_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is a folder") as caught:
        extract_from_manifest(tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize("option", ["manifest_path", "catalog_path", "run_results_path"])
def test_a_file_that_was_named_must_exist(option: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="Artifact not found") as caught:
        extract_project(DATA, git=GitState(), **{option: tmp_path / "gone.json"})  # type: ignore[arg-type]
    assert "gone.json" in caught.value.message


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    loop = tmp_path / "manifest.json"
    loop.symlink_to(loop)
    with pytest.raises(ArtifactError) as caught:
        extract_from_manifest(loop)
    assert caught.value.hint


@pytest.mark.extensive
def test_wrong_types_anywhere_in_a_node_end_in_one_error_or_in_none(tmp_path: Path) -> None:
    manifest = json.loads(MANIFEST)
    sections = ("nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests")
    path = tmp_path / "manifest.json"
    names = ("model.jaffle_ext.orders", "model.jaffle_ext.dim_versioned.v1", "seed.jaffle_ext.raw_orders")
    for section in sections:
        for unique_id, node in manifest[section].items():
            if section == "nodes" and unique_id not in names:
                continue
            for field in node:
                for wrong in (None, 7, "text", ["text"], [{"a": 1}], {"a": {"b": [None]}}, [[1]], True):
                    damaged = {
                        "metadata": manifest["metadata"],
                        "nodes": {},
                        section: {unique_id: {**node, field: wrong}},
                    }
                    path.write_text(json.dumps(damaged))
                    try:
                        extracted(path)
                    except ArtifactError as error:
                        assert str(path) in error.message
                        assert error.hint


@pytest.mark.parametrize("section", ["metadata", "results", "args"])
@pytest.mark.parametrize("wrong", [None, 7, "text", ["text"], [{"a": 1}], {"a": {"b": 1}}, True])
def test_wrong_types_in_run_results_end_in_one_error_or_in_none(
    section: str, wrong: Any, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_bytes(MANIFEST)
    (tmp_path / "run_results.json").write_text(json.dumps({**json.loads(RESULTS), section: wrong}))
    try:
        extracted(tmp_path)
    except ArtifactError as error:
        assert "run_results.json" in error.message


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\x00", "a\x00b", "\ufeff", "\u2028", "𝔘𝔫𝔦"])
def test_odd_characters_are_read_as_text_that_can_be_written_again(text: str, tmp_path: Path) -> None:
    manifest = json.loads(MANIFEST)
    node = copy.deepcopy(manifest["nodes"]["model.jaffle_ext.orders"])
    node |= {"description": text, "raw_code": f"select '{text}'", "meta": {"odd": text, text: 1}}
    node["columns"] = {text: {"name": text, "description": text}}
    manifest["nodes"]["model.jaffle_ext.orders"] = node
    manifest["macros"]["macro.jaffle_ext.odd"] = {
        "name": "odd",
        "macro_sql": text,
        "package_name": "jaffle_ext",
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest))
    try:
        project = extracted(path)
    except ArtifactError as error:
        assert str(path) in error.message
        assert error.hint
    else:
        found = {one.unique_id: one for one in project.nodes}["model.jaffle_ext.orders"]
        repr(found).encode()
        assert found.description == text.replace("\0", "\ufffd")  # no warehouse can store it


ODD_RESULTS: dict[str, tuple[Any, str | None]] = {
    "status": (5, "status of seed.jaffle_ext.raw_customers"),
    "timing": ([None], "timing of seed.jaffle_ext.raw_customers"),
    "execution_time": ("1 s", "execution_time of seed.jaffle_ext.raw_customers"),
    "failures": (10**30, "failures of seed.jaffle_ext.raw_customers"),
    "unique_id": (None, "entry 1"),
    "message": ({"a": 1}, None),
    "adapter_response": ({"rows_affected": "9" * 5000, "bytes_processed": "²"}, None),
}


@pytest.mark.parametrize("field", ODD_RESULTS)
def test_an_odd_value_of_a_result_is_skipped_and_the_rest_is_read(field: str, tmp_path: Path) -> None:
    wrong, skipped = ODD_RESULTS[field]
    content = json.loads(RESULTS)
    content["results"].sort(key=lambda result: result["unique_id"] != "seed.jaffle_ext.raw_customers")
    content["results"][0][field] = wrong
    (tmp_path / "manifest.json").write_bytes(MANIFEST)
    (tmp_path / "run_results.json").write_text(json.dumps(content))
    project = extracted(tmp_path)
    warning = f"run_results.json has values that cannot be read and were skipped: {skipped}"
    assert project.warnings == ((warning,) if skipped else ())
    assert len(project.results) == len(content["results"]) - (field == "unique_id")
    by_id = {result.unique_id: result for result in project.results}
    if field == "status":
        assert by_id["seed.jaffle_ext.raw_customers"].status == "unknown"
        assert project.run.build_status != "success"
    elif field == "adapter_response":
        assert by_id["seed.jaffle_ext.raw_customers"].rows is None


def test_a_result_that_is_not_an_object_is_skipped(tmp_path: Path) -> None:
    content = json.loads(RESULTS)
    content["results"] += [None, "text"]
    (tmp_path / "manifest.json").write_bytes(MANIFEST)
    (tmp_path / "run_results.json").write_text(json.dumps(content))
    project = extracted(tmp_path)
    assert len(project.results) == len(content["results"]) - 2
    (warning,) = project.warnings
    assert warning.endswith(f"entry {len(content['results']) - 1}, entry {len(content['results'])}")


def changed_orders(tmp_path: Path, **fields: Any) -> Project:
    manifest = json.loads(MANIFEST)
    manifest["nodes"]["model.jaffle_ext.orders"] |= fields
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest))
    return extracted(path)


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("field", ["meta", "config", "constraints"])
def test_what_is_nested_500_deep_is_read_compared_and_never_lost(field: str, tmp_path: Path) -> None:
    deep = nested(500)
    deeper = json.loads(json.dumps(deep).replace("{}", '{"b": 1}'))
    base, current, same = (
        changed_orders(tmp_path, **{field: [value] if field == "constraints" else value})
        for value in (deep, deeper, deep)
    )
    assert set(detect_changes(base, current)) == {"model.jaffle_ext.orders"}
    assert not detect_changes(base, same)


@pytest.mark.parametrize("written", [["not_null"], "not_null", [{"type": "not_null"}], {"type": "not_null"}])
def test_constraints_in_any_shape_are_compared(written: Any, tmp_path: Path) -> None:
    contract = {"enforced": True}
    base = changed_orders(tmp_path, constraints=[{"type": "not_null"}], contract=contract)
    same = changed_orders(tmp_path, constraints=written, contract=contract)
    odd = changed_orders(tmp_path, constraints=[written, None, 5, {"type": ["x"]}], contract=contract)
    assert not detect_changes(base, same)
    assert set(detect_changes(base, odd)) == {"model.jaffle_ext.orders"}


def test_a_materialization_that_is_a_list_is_compared(tmp_path: Path) -> None:
    config = json.loads(MANIFEST)["nodes"]["model.jaffle_ext.orders"]["config"]
    odd = changed_orders(tmp_path, config={**config, "materialized": ["table", "view"]})
    assert set(detect_changes(changed_orders(tmp_path), odd)) == {"model.jaffle_ext.orders"}


def test_a_nul_in_names_is_replaced_and_an_escaped_backslash_is_not(tmp_path: Path) -> None:
    manifest = json.loads(MANIFEST)
    manifest["metadata"]["project_name"] = "jaffle\0ext"
    manifest["nodes"]["model.jaffle_ext.orders"]["description"] = "\\u0000 \\\0"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    project = extracted(tmp_path)
    assert project.run.project_name == "jaffle\ufffdext"
    found = {node.unique_id: node for node in project.nodes}["model.jaffle_ext.orders"]
    assert found.description == "\\u0000 \\\ufffd"


def extracted(path: Path) -> Project:
    return extract_project(path, git=GitState(), hash_seed_files=False)
