"""Manifests and projects that are built to break their reader, read in bubblewrap: the reader ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recce_meta.repositories.extraction.isolation.base import Program
from recce_meta.repositories.extraction.isolation.bubblewrap import Bubblewrap
from recce_meta.repositories.extraction.reading import FAILED, ReadRequest, command_of, python_folders
from recce_meta.repositories.processes import Completed, ProcessLimits
from tests.support.sandboxes import run

PROJECT = "name: shop\nversion: '1.0'\nconfig-version: 2\nprofile: shop\n"
SCHEMA = "https://schemas.getdbt.com/dbt/manifest/v12.json"
LIMITS = ProcessLimits(seconds=120, memory=3 * 2**30, output=2**16)


@pytest.fixture
def read(bubblewrap: Bubblewrap, tmp_path: Path) -> Callable[..., Completed]:
    """Return a function that writes files of a repository, and perhaps its manifest, and reads them."""

    def read(
        files: dict[str, str], manifest: bytes | None = None, limits: ProcessLimits = LIMITS
    ) -> Completed:
        clone, target, out = tmp_path / "clone", tmp_path / "target", tmp_path / "out"
        for folder in (clone, target, out):
            folder.mkdir()
        for name, text in {"dbt_project.yml": PROJECT, **files}.items():
            path = clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if manifest is not None:
            (target / "manifest.json").write_bytes(manifest)
        request = ReadRequest(
            output=out / "project.json",
            folder=clone,
            target=None if manifest is None else target,
            environment="prod",
            run_id="run",
            sha="0" * 40,
            branch="main",
            adapter="duckdb",
        )
        made = Program(
            argv=command_of(request, out / "request.json"),
            env={"HOME": str(out), "LANG": "C.UTF-8"},
            writable=out,
            read_only=(*python_folders(), clone, target),
            cwd=out,
            job="hostile:main:1",
            limits=limits,
        )
        return run(bubblewrap, made)

    return read


def manifest(**fields: object) -> bytes:
    """Return a manifest with *fields*."""
    return json.dumps({"metadata": {"dbt_schema_version": SCHEMA}, "nodes": {}, **fields}).encode()


MALFORMED = {
    "cut": manifest()[:-5],
    "null": manifest(nodes={"model.shop.a": None}),
    "surrogate": '{"metadata": "\ud800"}'.encode("utf-8", "surrogatepass"),
}
MORE_MALFORMED = {
    "empty": b"",
    "zeros": b"\0" * 1000,
    "arrays": b"[" * 1_000_000,
    "objects": b'{"nodes": ' * 100_000,
    "list": manifest(nodes=[1]),
    "version": manifest(metadata={"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v999.json"}),
    "number": b'{"metadata": {"dbt_schema_version": ' + b"9" * 5_000 + b"}}",
}


@pytest.mark.parametrize(
    "content",
    [
        *(pytest.param(content, id=name) for name, content in MALFORMED.items()),
        *(
            pytest.param(content, id=name, marks=pytest.mark.extensive)
            for name, content in MORE_MALFORMED.items()
        ),
    ],
)
def test_a_malformed_manifest_is_an_error(read: Callable[..., Completed], content: bytes) -> None:
    ended = read({}, content)

    assert ended.code == FAILED, (ended.code, ended.output, ended.errors)
    assert ended.excess is None
    assert json.loads(ended.output.strip().rpartition("\n")[2])["message"]


@pytest.mark.extensive
def test_a_manifest_that_needs_more_memory_than_allowed_ends_the_reader(
    read: Callable[..., Completed],
) -> None:
    columns = {str(number): {"name": str(number)} for number in range(100)}
    node = json.dumps({"resource_type": "model", "columns": columns}).encode()
    nodes = b",".join(b'"model.shop.%d": %b' % (number, node) for number in range(20_000))

    ended = read(
        {}, b'{"metadata": {}, "nodes": {%b}}' % nodes, ProcessLimits(seconds=120, memory=350_000_000)
    )

    assert ended.code != 0
    assert "MemoryError" in ended.errors


ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
ENDLESS = "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}"


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    "files",
    [
        {"models/a.sql": "select 1 as id", "models/schema.yml": ALIASES},
        {"models/a.sql": ENDLESS},
        {"models/a.sql": "select " + "(" * 50_000 + "1" + ")" * 50_000},
        {"models/a.sql": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"},
        {"models/a.sql": "{{ 'x' * 100000000000 }}"},
    ],
    ids=["aliases", "endless", "parentheses", "recursion", "memory"],
)
def test_the_reader_of_files_ends(read: Callable[..., Completed], files: dict[str, str]) -> None:
    ended = read(files)

    assert not ended.is_late
    assert ended.code in (0, FAILED) or ended.excess == "memory", (ended.code, ended.errors[-2000:])
