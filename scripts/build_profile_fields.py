"""List the profile fields of dbt's adapters, from the source code in their wheels.

    pip download --no-deps --dest WHEELS dbt-bigquery dbt-databricks dbt-duckdb dbt-postgres dbt-redshift \
        dbt-snowflake
    python scripts/build_profile_fields.py WHEELS
Nothing is imported or installed, so adapters with conflicting requirements can be listed together. Writes
`tests/data/profiles/fields.json`: for each adapter its version, and for each class of its credentials the
fields with type, default, and known values.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

OUTPUT = Path(__file__).parents[1] / "tests" / "data" / "profiles" / "fields.json"
ADAPTERS = ("bigquery", "databricks", "duckdb", "postgres", "redshift", "snowflake")
NESTED = ("Attachment", "Extension", "FlightConfig", "PluginConfig", "Remote", "Retries", "Secret")
"""Classes of nested fields."""
CHOICES = ("auth_type", "authenticator", "use_credential_provider", "workload_identity_provider")
"""Fields whose values are found by comparisons in the code."""
BASE = {"database": {"type": "str", "default": None}, "schema": {"type": "str", "default": None}}
"""Fields of the base class of all credentials."""


def main(folder: Path) -> None:
    """Read every adapter wheel in *folder*, and write the list."""
    found = {}
    for name in ADAPTERS:
        (wheel,) = folder.glob(f"dbt_{name}-*.whl")
        found[name] = {"version": wheel.name.split("-")[1], **adapter(wheel, name)}
        print(f"{name}: {len(found[name]['fields'])} fields, {len(found[name]['aliases'])} aliases")
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def adapter(wheel: Path, name: str) -> dict[str, Any]:
    """Return fields and aliases of the credentials and nested classes, and the values compared with them."""
    modules = list(trees(wheel, name))
    classes = {node.name: node for tree in modules for node in tree.body if isinstance(node, ast.ClassDef)}
    enums = {
        name: [value for _, value in assignments(node) if isinstance(value, str)]
        for name, node in classes.items()
        if any("Enum" in ast.unparse(base) for base in node.bases)
    }
    (credentials,) = (
        node for node in classes.values() if [ast.unparse(base) for base in node.bases] == ["Credentials"]
    )
    fields = {**BASE, **declared(credentials, enums)}
    for tree in modules:
        for field, value in compared(tree):
            if (
                field in CHOICES
                and field in fields
                and value not in (known := fields[field].setdefault("values", []))
            ):
                known.append(value)
    for field in fields.values():
        if "values" in field:
            field["values"] = sorted(field["values"])
    aliases = next((value for key, value in assignments(credentials) if key == "_ALIASES"), {})
    nested = {key: declared(classes[key], enums) for key in NESTED if key in classes}
    return {"fields": fields, "aliases": aliases, **({"nested": nested} if nested else {})}


def trees(wheel: Path, name: str) -> Iterator[ast.Module]:
    """Yield the modules at the adapter's top level."""
    with ZipFile(wheel) as archive:
        for path in sorted(archive.namelist()):
            if path.startswith(f"dbt/adapters/{name}/") and path.count("/") == 3 and path.endswith(".py"):
                yield ast.parse(archive.read(path))


def assignments(node: ast.ClassDef) -> Iterator[tuple[str, Any]]:
    """Yield the names to which a class assigns literal values."""
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                yield statement.targets[0].id, ast.literal_eval(statement.value)
            except ValueError:
                continue


def declared(node: ast.ClassDef, enums: dict[str, list[str]]) -> dict[str, dict[str, Any]]:
    """Return the fields of a dataclass."""
    fields: dict[str, dict[str, Any]] = {}
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if statement.target.id.startswith("_"):
            continue
        kind = ast.unparse(statement.annotation)
        field: dict[str, Any] = {"type": kind}
        if statement.value is not None:
            field["default"] = default(statement.value)
        told = f"{kind} {field.get('default')}"
        values = [value for enum, members in enums.items() if enum in told for value in members]
        if values:
            field["values"] = values
        fields[statement.target.id] = field
    return fields


def default(value: ast.expr) -> Any:
    """Return a default: the value of a literal, else its source code."""
    try:
        return ast.literal_eval(value)
    except ValueError:
        return ast.unparse(value)


def compared(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each field, as an attribute of `self`, with each string that it is compared with."""
    constants = {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.List)
        and all(isinstance(entry, ast.Constant) for entry in statement.value.elts)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        fields = [
            part.attr
            for part in ast.walk(node.left)
            if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "self"
        ]
        for other in node.comparators:
            values = constants.get(ast.unparse(other), [])
            values += [part.value for part in ast.walk(other) if isinstance(part, ast.Constant)]
            yield from ((field, value) for field in fields for value in values if isinstance(value, str))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
