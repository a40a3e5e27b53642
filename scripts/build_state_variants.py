"""Compile the project in tests/data/state_variants with dbt, once per entry of `edits.yaml`.

    python scripts/build_state_variants.py WORK_FOLDER [NAME …]
needs dbt-core 1.10 and dbt-duckdb in the interpreter's environment. Writes `base.json.gz` and, as differences
from it, `variants.json.gz` (for the format see tests/data/state_cases/README.md). With names, only those
variants are compiled and replaced.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml
from dbt.cli.main import dbtRunner

DATA = Path(__file__).parents[1] / "tests" / "data" / "state_variants"
VOLATILE = frozenset(["created_at", "root_path", "invocation_id", "invocation_started_at", "generated_at"])
UNUSED = frozenset(["docs", "parent_map", "child_map", "group_map", "selectors", "disabled"])
BIG_SEED_ROWS = 34_000  # more than 1 MiB, which dbt does not hash


def main(work: Path, names: list[str]) -> None:
    """Compile the base and the variants, and write their differences."""
    edits = yaml.safe_load((DATA / "edits.yaml").read_text(encoding="utf-8"))
    base = compiled(work, {})
    store("base.json.gz", base)
    path = DATA / "variants.json.gz"
    found = json.loads(gzip.decompress(path.read_bytes())) if names and path.exists() else {}
    for name, variant in edits.items():
        if names and name not in names:
            continue
        try:
            found[name] = difference(base, compiled(work, variant)) or {"-": [], "+": {}}
            print(name)
        except (RuntimeError, ValueError) as error:
            print(f"{name}: {error}", file=sys.stderr)
    store("variants.json.gz", {name: found[name] for name in edits if name in found})


def compiled(work: Path, variant: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest of the project after the variant's edits, without parts that change in every
    run.
    """
    project = work / "project"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(DATA / "project", project)
    write_big_seed(project / "seeds" / "big_seed.csv")
    for step in variant.get("do", ()):
        edit(project, *step)
    run = variant.get("run", {})
    os.environ |= run.get("env", {})
    arguments = ["--target", run.get("target", "prod"), "--vars", json.dumps(run.get("vars", {}))]
    folders = ["--project-dir", str(project), "--profiles-dir", str(project)]
    before = Path.cwd()
    os.chdir(project)
    try:
        for command in (["deps"], ["compile", "--no-partial-parse", "--no-populate-cache", *arguments]):
            result = dbtRunner().invoke(["--quiet", *command, *folders])
            if not result.success:
                raise RuntimeError(f"dbt {command[0]} failed: {result.exception or result.result}")
    finally:
        os.chdir(before)
        for key in run.get("env", {}):
            del os.environ[key]
    manifest = json.loads((project / "target" / "manifest.json").read_text(encoding="utf-8"))
    return {key: steady(value) for key, value in manifest.items() if key not in UNUSED}


def edit(project: Path, kind: str, file: str, *texts: str) -> None:
    """Apply one step of a variant, as described at the top of `edits.yaml`."""
    path = project / file
    if kind in ("write", "move"):
        (project / texts[0] if kind == "move" else path).parent.mkdir(parents=True, exist_ok=True)
    if kind == "write":
        path.write_text(texts[0], encoding="utf-8")
    elif kind == "append":
        path.write_text(path.read_text(encoding="utf-8") + texts[0], encoding="utf-8")
    elif kind == "move":
        path.rename(project / texts[0])
    elif kind == "delete":
        path.unlink()
    elif kind == "crlf":
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    else:
        text = path.read_text(encoding="utf-8")
        if texts[0] not in text:
            raise ValueError(f"{file} has no {texts[0]!r}")
        path.write_text(text.replace(texts[0], texts[1], 1 if kind == "replace" else -1), encoding="utf-8")


def write_big_seed(path: Path) -> None:
    """Write a seed that is too large for dbt to hash."""
    rows = [
        f"{i},event_{i % 7},2018-01-{1 + i % 28:02d} 10:00:00,{i * 13 % 997}" for i in range(BIG_SEED_ROWS)
    ]
    path.write_text("\n".join(["id,event_name,event_ts,amount", *rows]) + "\n", encoding="utf-8")


def steady(value: Any) -> Any:
    """Return *value* without members that differ between any two runs."""
    if isinstance(value, dict):
        return {key: steady(member) for key, member in value.items() if key not in VOLATILE}
    return [steady(item) for item in value] if isinstance(value, list) else value


def difference(base: Any, variant: Any) -> dict[str, Any] | None:
    """Return the difference that turns *base* into *variant*; None if they are equal."""
    if base == variant:
        return None
    if not isinstance(base, dict) or not isinstance(variant, dict):
        return {"=": variant}
    inner = {
        key: {"=": value} if key not in base else difference(base[key], value)
        for key, value in variant.items()
    }
    return {
        "-": [key for key in base if key not in variant],
        "+": {key: value for key, value in inner.items() if value is not None},
    }


def store(name: str, value: Any) -> None:
    """Write *value* gzipped, the same bytes for the same value."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    (DATA / name).write_bytes(gzip.compress(text, 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
