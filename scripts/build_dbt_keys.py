"""List the keys of manifests and catalogs, from the schemas of every version of dbt's artifacts.

    python -m venv /tmp/keys && /tmp/keys/bin/pip install dbt-artifacts-parser
    /tmp/keys/bin/python scripts/build_dbt_keys.py
Writes tests/data/dbt_keys.tsv, one key on a line: its path, two values, and the resource types that have it,
each with its first and last version. `*` is any key of an object, `[]` any item of a list.
"""

from __future__ import annotations

import importlib
import json
from collections import defaultdict
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

OUTPUT = Path(__file__).parents[1] / "tests" / "data" / "dbt_keys.tsv"
SECTIONS = {
    "saved_queries": "saved_query",
    **{f"{one}s": one for one in "node source exposure metric semantic_model unit_test function".split()},
    **{f"{one}s": one for one in "group macro doc".split()},
}
VERSIONS = {"manifest": range(1, 13), "catalog": range(1, 2)}
NOT_STORED = frozenset(["rpc", "sql", "sql operation", "sql_operation", "node"])
"""Types of queries of dbt's former server, which no project has."""
DEPTH = 9
SAMPLES: tuple[tuple[str, Any, Any], ...] = (
    ("List[List[", [["a"]], [["b"]]),
    ("List[str", ["a"], ["b"]),
    ("List[", [{"name": "a"}], [{"name": "b"}]),
    ("Dict[str, dbt_art", {"a": {"name": "a"}}, {"b": {"name": "b"}}),
    ("Dict[", {"a": 1}, {"a": 2}),
    ("_v", {"a": 1}, {"a": 2}),
    ("str", "a", "b"),
    ("bool", True, False),
    ("int", 7, 8),
    ("float", 7.5, 8.5),
    ("", "a", "b"),
)
"""Two values for the first part of a type's name that fits."""


def literals(annotation: Any) -> list[Any]:
    """Return the values of each Literal and Enum in *annotation*."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [member.value for member in annotation]
    return [value for one in get_args(annotation) for value in literals(one)]


def samples(name: str, annotation: Any) -> tuple[Any, Any]:
    """Return two values of the type; in `meta`, users choose the keys."""
    if name in ("meta", "hooks"):
        return {"a": 1}, {"a": 2}
    if name in ("pre-hook", "post-hook"):
        return [{"sql": "a", "transaction": True}], [{"sql": "b", "transaction": True}]
    known = literals(annotation)
    text = str(annotation)
    return tuple(known[:2]) if len(known) > 1 else next((a, b) for part, a, b in SAMPLES if part in text)


def walk(annotation: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the path and type of each key in *annotation*."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items() if len(path) < DEPTH else ():
            inner = (*path, field.alias or name)
            yield inner, field.annotation
            yield from walk(field.annotation, inner)
    elif origin is dict and arguments:
        yield from walk(arguments[1], (*path, "*"))
    elif origin is list and arguments:
        yield from walk(arguments[0], (*path, "[]"))
    else:
        for argument in arguments:
            yield from walk(argument, path)


def classes(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the types of the members of a section."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from classes(argument)


def entries(artifact: str, number: int) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the resource types of one version and their types; tables of a catalog are `catalog`."""
    package = f"dbt_artifacts_parser.parsers.{artifact}.{artifact}_v{number}"
    root = getattr(importlib.import_module(package), f"{artifact.title()}V{number}").model_fields
    if artifact == "catalog":
        yield from (("catalog", one) for one in classes(root["nodes"].annotation))
        return
    for section, name in SECTIONS.items():
        for one in classes(root[section].annotation) if section in root else ():
            field = one.model_fields.get("resource_type")
            known = literals(field.annotation) if field else []
            kind = known[0] if len(known) == 1 else name
            if kind == "test":
                kind = f"{'generic' if 'test_metadata' in one.model_fields else 'singular'} test"
            if kind not in NOT_STORED:
                yield kind, one


def main() -> None:
    """Write the list."""
    values: dict[tuple[str, str], tuple[Any, Any]] = {}
    versions: dict[tuple[str, str], list[int]] = defaultdict(list)
    for artifact, numbers in VERSIONS.items():
        for number in numbers:
            for kind, one in entries(artifact, number):
                for path, annotation in walk(one):
                    key = ".".join(path), kind
                    values[key] = samples(path[-1], annotation)
                    versions[key].append(number)
    lines: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (path, kind), pair in sorted(values.items()):
        found = versions[path, kind]
        lines[path, json.dumps(pair)].append(f"{kind} v{min(found)}-v{max(found)}")
    text = "".join(f"{path}\t{pair}\t{', '.join(kinds)}\n" for (path, pair), kinds in lines.items())
    OUTPUT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
