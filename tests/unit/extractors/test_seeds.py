"""Seeds are told apart by their rows: not by line ends, and not blindly where dbt does not look."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from recce_meta.diff.changes import detect_changes
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import CHUNK, extract_project, file_hash
from recce_meta.models import Project, Reason, Status

SEED = "seed.shop.orders"
ROWS = b"id,amount\n1,10\n2,20\n"
LARGE = b"id,amount\n" + b"".join(b"%d,%d\n" % (n, n * 7) for n in range(130_000))


def project(folder: Path, content: bytes | None, *, seen: bytes | None = None, **seed: Any) -> Project:
    """A dbt project with one seed of *content*; *seen* is what dbt parsed."""
    seen = content if seen is None else seen
    large = seen is not None and len(seen) > CHUNK
    (folder / "seeds").mkdir(parents=True)
    (folder / "target").mkdir()
    (folder / "dbt_project.yml").write_text("name: shop\n")
    if content is not None:
        (folder / "seeds" / "orders.csv").write_bytes(content)
    checksum = {"name": "path", "checksum": "seeds/orders.csv"}
    if not large:
        checksum = {"name": "sha256", "checksum": sha256((seen or b"").strip()).hexdigest()}
    node = {
        "unique_id": SEED,
        "name": "orders",
        "resource_type": "seed",
        "package_name": "shop",
        "original_file_path": "seeds/orders.csv",
        "root_path": "/somewhere/else",
        "checksum": checksum,
        **seed,
    }
    (folder / "target" / "manifest.json").write_text(json.dumps({"nodes": {SEED: node}}))
    return extract_project(folder / "target", git=GitState())


def test_a_seed_carries_the_hash_of_its_rows(tmp_path: Path) -> None:
    (node,) = project(tmp_path, ROWS).nodes
    assert node.code_hash == sha256(ROWS.strip()).hexdigest()


@pytest.mark.parametrize("content", [ROWS, LARGE], ids=["small", "large"])
def test_line_ends_are_no_change(content: bytes, tmp_path: Path) -> None:
    base = project(tmp_path / "a", content)
    current = project(tmp_path / "b", content.replace(b"\n", b"\r\n"))
    assert all(change.status is Status.UNCHANGED for change in detect_changes(base, current).values())


@pytest.mark.parametrize("content", [ROWS, LARGE], ids=["small", "large"])
def test_one_value_is_a_change_whatever_the_size(content: bytes, tmp_path: Path) -> None:
    base = project(tmp_path / "a", content)
    current = project(tmp_path / "b", content.replace(b"\n1,", b"\n0,", 1))
    change = detect_changes(base, current)[SEED]
    assert (change.status, change.reasons) == (Status.MODIFIED, (Reason.DATA,))


def test_a_seed_that_grows_past_what_dbt_hashes_is_a_change(tmp_path: Path) -> None:
    base, current = project(tmp_path / "a", ROWS), project(tmp_path / "b", LARGE)
    assert detect_changes(base, current)[SEED].reasons == (Reason.DATA,)


def test_a_large_seed_whose_file_is_not_at_hand_is_not_guessed(tmp_path: Path) -> None:
    base = project(tmp_path / "a", None, seen=LARGE)
    current = project(tmp_path / "b", LARGE)
    assert base.nodes[0].code_hash is None
    assert base.nodes[0].checksum_rule == "path"
    assert detect_changes(base, current) == {}


def test_a_file_that_was_edited_after_dbt_ran_is_not_taken_for_what_dbt_saw(tmp_path: Path) -> None:
    (node,) = project(tmp_path, b"id\n9\n", seen=ROWS).nodes
    assert node.code_hash is None


def test_the_file_of_a_package_is_found_where_dbt_installs_it(tmp_path: Path) -> None:
    installed = tmp_path / "dbt_packages" / "lib" / "seeds"
    installed.mkdir(parents=True)
    (installed / "orders.csv").write_bytes(ROWS)
    (node,) = project(tmp_path, None, seen=ROWS, package_name="lib").nodes
    assert node.code_hash == sha256(ROWS.strip()).hexdigest()


def test_the_file_is_found_where_dbt_parsed_it(tmp_path: Path) -> None:
    elsewhere = tmp_path / "checkout" / "seeds"
    elsewhere.mkdir(parents=True)
    (elsewhere / "orders.csv").write_bytes(ROWS)
    (node,) = project(tmp_path / "a", None, seen=ROWS, root_path=str(elsewhere.parent)).nodes
    assert node.code_hash == sha256(ROWS.strip()).hexdigest()


def test_seed_files_are_left_alone_on_request(tmp_path: Path) -> None:
    project(tmp_path, ROWS)
    (node,) = extract_project(tmp_path / "target", git=GitState(), hash_seed_files=False).nodes
    assert node.code_hash is None


def test_a_folder_in_the_files_place_is_as_good_as_no_file(tmp_path: Path) -> None:
    (tmp_path / "a" / "seeds" / "orders.csv").mkdir(parents=True)
    (tmp_path / "a" / "seeds").rename(tmp_path / "kept")
    project(tmp_path / "a2", None, seen=ROWS)
    (tmp_path / "kept" / "orders.csv").rename(tmp_path / "a2" / "seeds" / "orders.csv")
    (node,) = extract_project(tmp_path / "a2" / "target", git=GitState()).nodes
    assert node.code_hash is None


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("shift", range(-3, 4))
def test_a_line_end_across_two_chunks_is_one_line_end(ending: bytes, shift: int, tmp_path: Path) -> None:
    path = tmp_path / "seed.csv"
    text = b"a" * (CHUNK + shift) + b"\n" + b"b" * 10 + b"\n\n"
    path.write_bytes(text.replace(b"\n", ending))
    assert file_hash(path) == sha256(text.strip()).hexdigest()


def test_white_space_inside_is_kept_and_at_the_end_is_not(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"a\n" + b" " * (2 * CHUNK) + b"b\n\n")
    other.write_bytes(b"a\n" + b" " * (2 * CHUNK) + b"b")
    assert file_hash(one) == file_hash(other)
    other.write_bytes(b"a\n" + b" " * (2 * CHUNK - 1) + b"b")
    assert file_hash(one) != file_hash(other)
