"""Build docs/schemas: the JSON Schema of every document that a command prints with `--format json`.

Also build the schemas of the HTTP API's answers, recce_meta/server/api/schemas.json.

    python scripts/build_schemas.py            write them
    python scripts/build_schemas.py --check    exit with 1 if one is stale

Each schema is made from the type of its document. A type is encoded in one of two ways. msgspec encodes its
fields. `report.json.data_tree` also writes its published properties, and a number as a string if no float is
equal to it. Descriptions are the docstrings of types and fields. export.v1.json and export.v2.json describe
documents of earlier versions, which `import` reads, and are not built.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
import textwrap
import types
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct, UnsetType

from recce_meta.cli.run import connection_report
from recce_meta.models import stored as statistics
from recce_meta.models.rows import published
from recce_meta.report import json as documents
from recce_meta.report.json import EncodedAs
from recce_meta.report.quality_history import QualityHistoryDocument, QualityRunsDocument
from recce_meta.report.review.notes import NotesDocument
from recce_meta.report.run_choice import BaseCheckDocument
from recce_meta.report.runs import ImportDocument, RecceImportDocument
from recce_meta.report.scan import ScanDocument
from recce_meta.report.settings import FsckDocument, SettingsDocument
from recce_meta.report.tabular.rows import QueryDocument
from recce_meta.server.api import schemas
from recce_meta.store.export_document import SCHEMA as EXPORT_ID
from recce_meta.store.export_document import Document
from recce_meta.sync.reporting import SyncDocument, SyncStatusDocument

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "schemas"
API = ROOT / "recce_meta" / "server" / "api" / "schemas.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


class Published(NamedTuple):
    """One published schema."""

    type: type[Struct]
    title: str
    is_tree: bool = False
    """True if `data_tree` encodes the document."""


PUBLISHED: dict[str, Published] = {
    "runs.v1.json": Published(documents.RunsDocument, "Recorded runs"),
    "run.v1.json": Published(documents.RunDocument, "One recorded run"),
    "diff.v1.json": Published(documents.DiffDocument, "Differences between two runs"),
    "data-diff-2.json": Published(documents.DataDocument, "Results of data diffs", is_tree=True),
    "check-run.v1.json": Published(documents.CheckRunDocument, "Results of checks", is_tree=True),
    "check-base.v1.json": Published(BaseCheckDocument, "Freshness of base"),
    "config.v1.json": Published(SettingsDocument, "Effective settings and their sources"),
    "lineage.v1.json": Published(documents.LineageDocument, "Upstream and downstream nodes"),
    "impact.v1.json": Published(documents.ImpactDocument, "Impact of a change to a node or column"),
    "notes.v1.json": Published(NotesDocument, "Notes, tags and owners"),
    "scan.v1.json": Published(ScanDocument, "One scan of a live database"),
    "quality.v1.json": Published(documents.QualityDocument, "One measurement of quality", is_tree=True),
    "quality-runs.v1.json": Published(QualityRunsDocument, "Measurements of quality", is_tree=True),
    "quality-history.v1.json": Published(QualityHistoryDocument, "Figures over time", is_tree=True),
    "query.v1.json": Published(QueryDocument, "Rows of a query"),
    "checks.v1.json": Published(documents.ChecksDocument, "Results of doctor"),
    "connections.v1.json": Published(connection_report.ConnectionsDocument, "Connected repositories"),
    "connection.v1.json": Published(connection_report.ConnectionDocument, "One connected repository"),
    "connection-test.v1.json": Published(connection_report.ConnectionTestDocument, "Test of a connection"),
    "extract.v1.json": Published(connection_report.ExtractDocument, "Requested extraction"),
    "extraction-job.v1.json": Published(connection_report.JobDocument, "One extraction with its log"),
    "webhook.v1.json": Published(connection_report.WebhookDocument, "Webhook of a connection"),
    "tokens.v1.json": Published(connection_report.TokensDocument, "API tokens"),
    "sync.v1.json": Published(SyncDocument, "One push, pull or sync"),
    "sync-status.v1.json": Published(SyncStatusDocument, "Last exchanges and conflicts of a store"),
    "fsck.v1.json": Published(FsckDocument, "Check of the contents of a store"),
    "import.v1.json": Published(ImportDocument, "Imported runs"),
    "import-recce.v1.json": Published(RecceImportDocument, "Import of a recce_state.json"),
}
"""The schemas that are built by `Builder`, by file."""

_LATE = {**vars(statistics), **vars(documents)}
"""Names that annotations use and their modules import only for type checkers."""
_FIGURES = documents.FIGURES
_TEXT_OF_FLOAT = "^(NaN|-?Infinity)$"
_TEXT_OF_DECIMAL = r"^(NaN|-?Infinity|-?[0-9]+(\.[0-9]+)?)$"
_SIMPLE: dict[object, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    type(None): {"type": "null"},
    Path: {"type": "string"},
    bytes: {"type": "string"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    timedelta: {"type": "string", "format": "duration"},
    Any: {},
    object: {},
    msgspec.Raw: {},
}


class Builder:
    """Builder of one schema; collects the definitions that it refers to."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self._kinds: dict[str, tuple[type, bool]] = {}

    def document(self, identifier: str, published: Published) -> Schema:
        """Return the schema of a published document."""
        body = self._object(published.type, published.is_tree)
        return {
            "$schema": DRAFT,
            "$id": identifier,
            "title": published.title,
            **body,
            "$defs": dict(sorted(self.definitions.items())),
        }

    def schema(self, kind: Any, is_tree: bool) -> Schema:
        """Return the schema of values of *kind*."""
        if isinstance(kind, str):
            kind = _LATE[kind]
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Annotated:
            encoded = next((one for one in arguments[1:] if isinstance(one, EncodedAs)), None)
            return self.schema(arguments[0], is_tree) if encoded is None else self._encoded(encoded)
        if kind in _SIMPLE:
            return dict(_SIMPLE[kind])
        if origin in (Union, types.UnionType):
            return self._union(arguments, is_tree)
        if origin is Literal:
            return {"enum": list(arguments)}
        if kind is float:
            return self._number(_TEXT_OF_FLOAT) if is_tree else {"type": "number"}
        if kind is Decimal:
            return {"type": "string", "pattern": _TEXT_OF_DECIMAL}
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"enum": [member.value for member in kind]}
        if isinstance(kind, type) and issubclass(kind, (Struct, tuple)) and hasattr(kind, "__annotations__"):
            return self._reference(kind, is_tree)
        return self._container(origin or kind, arguments, is_tree)

    def _encoded(self, encoded: EncodedAs) -> Schema:
        return self.schema(encoded.of, encoded.is_tree)

    def _number(self, pattern: str) -> Schema:
        return {"type": ["number", "string"], "pattern": pattern}

    def _container(self, origin: Any, arguments: Sequence[Any], is_tree: bool) -> Schema:
        if issubclass(origin, Mapping):
            key, value = arguments or (str, Any)
            table = {"type": "object", "additionalProperties": self.schema(value, is_tree)}
            return {"type": ["object", "array"]} if is_tree and key is not str else table
        if issubclass(origin, (Sequence, AbstractSet)):
            if origin is tuple and arguments[1:] != (...,) and arguments:
                return {"type": "array", "prefixItems": [self.schema(one, is_tree) for one in arguments]}
            return {"type": "array", "items": self.schema(arguments[0], is_tree) if arguments else {}}
        raise TypeError(f"no schema for {origin}")

    def _union(self, members: Sequence[Any], is_tree: bool) -> Schema:
        present = [member for member in members if member is not UnsetType]
        if len(present) > 2 and all(_tag(member) for member in present):
            options = [self.schema(member, is_tree) for member in present]
            self.definitions["result"] = {"type": "object", "required": ["type"], "oneOf": options}
            return {"$ref": "#/$defs/result"}
        parts: list[Schema] = []
        for member in present:
            part = self.schema(member, is_tree)
            parts += [one for one in part.get("anyOf", [part]) if one not in parts]
        if len(parts) == 1 or {} in parts:
            return {} if {} in parts else parts[0]
        if all(set(part) == {"type"} and isinstance(part["type"], str) for part in parts):
            return {"type": [part["type"] for part in parts]}
        return {"anyOf": parts}

    def _reference(self, kind: type, is_tree: bool) -> Schema:
        name = _name_of(kind)
        if self._kinds.setdefault(name, (kind, is_tree)) != (kind, is_tree):
            name = f"{name}_{'tree' if is_tree else 'plain'}"
            self._kinds.setdefault(name, (kind, is_tree))
        if name not in self.definitions:
            self.definitions[name] = {}  # a type may contain itself
            self.definitions[name] = self._object(kind, is_tree)
        return {"$ref": f"#/$defs/{name}"}

    def _object(self, kind: type, is_tree: bool) -> Schema:
        hints = get_type_hints(kind, localns=_LATE, include_extras=True)
        if not issubclass(kind, Struct):  # a NamedTuple is an array
            items = [self.schema(hints[name], is_tree) for name in kind._fields]  # type: ignore[attr-defined]
            return {**_described(kind), "type": "array", "prefixItems": items}
        texts = _field_texts(kind)
        properties: dict[str, Schema] = {}
        required: list[str] = []
        is_document = "schema" in kind.__struct_fields__
        if tag := _tag(kind):
            properties["type"] = {"const": tag}
            required.append("type")
        for field in msgspec.structs.fields(kind):
            hint = hints[field.name]
            if is_tree and field.name in _FIGURES and Decimal in (hint, *get_args(hint)):
                found = self._figure(hint)
            else:
                found = self.schema(hint, is_tree)
            if is_document and field.name in _CONSTANTS and isinstance(field.default, (str, int)):
                found = {"const": field.default}
            properties[field.encode_name] = _with_text(found, texts.get(field.name))
            if not _may_be_absent(kind, field, hint):
                required.append(field.encode_name)
        if is_tree:
            for name, (hint, text) in _computed(kind).items():
                properties[name] = _with_text(self.schema(hint, is_tree), text)
                required.append(name)
        return {
            **_described(kind),
            "type": "object",
            "required": list(dict.fromkeys(required)),
            "properties": properties,
        }

    def _figure(self, hint: Any) -> Schema:
        """Return the schema of a computed decimal: a number if a float can represent it."""
        names = ["number", "string", *(["null"] if type(None) in get_args(hint) else [])]
        return {"type": names, "pattern": _TEXT_OF_DECIMAL}


_CONSTANTS = ("schema", "schema_version", "kind")
"""Fields of a document that have one value."""


def _tag(kind: Any) -> str | None:
    is_struct = isinstance(kind, type) and issubclass(kind, Struct)
    tag = kind.__struct_config__.tag if is_struct else None
    return tag if isinstance(tag, str) else None


def _name_of(kind: type) -> str:
    """Return the tag of *kind*, or its name in snake case."""
    return _tag(kind) or re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _may_be_absent(kind: type[Struct], field: Any, hint: Any) -> bool:
    has_default = field.default is not msgspec.NODEFAULT or field.default_factory is not msgspec.NODEFAULT
    return UnsetType in get_args(hint) or (kind.__struct_config__.omit_defaults and has_default)


def _computed(kind: type[Struct]) -> dict[str, tuple[Any, str | None]]:
    found: dict[str, tuple[Any, str | None]] = {}
    for base in reversed(kind.__mro__):
        for name, member in vars(base).items():
            getter: Callable[..., Any] | None = member.fget if isinstance(member, published) else None
            if getter is not None and name not in kind.__struct_fields__:
                hints = get_type_hints(getter, localns=_LATE, include_extras=True)
                found[name] = (hints["return"], _sentence(getter.__doc__))
    return found


def _described(kind: type) -> Schema:
    text = _sentence(kind.__doc__)
    return {"description": text} if text else {}


def _with_text(schema: Schema, text: str | None) -> Schema:
    return {"description": text, **schema} if text else schema


def _sentence(text: str | None) -> str | None:
    """Return the paragraphs of a docstring before its examples, on one line."""
    if not text:
        return None
    before = " ".join(inspect.cleandoc(text).partition("\n>>>")[0].split())
    return re.sub(r"\bNone\b", "null", re.sub(r"(?:^|(?<=[.:] ))None\b", "Null", before))


@cache
def _field_texts(kind: type) -> dict[str, str]:
    """Return the docstrings of the fields of *kind* and its bases."""
    found: dict[str, str] = {}
    # A struct with options names the class that declares them.
    declared = [kind.declared] if hasattr(kind, "declared") else []
    bases = [base for base in reversed(kind.__mro__) if issubclass(base, Struct) and base is not Struct]
    for base in (*declared, *bases):
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(definition, ast.ClassDef)
        for field, text in zip(definition.body, definition.body[1:], strict=False):
            if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                continue
            if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                found[field.target.id] = _sentence(str(text.value.value)) or ""
    return found


def export_schema() -> Schema:
    """Return the schema of an exported run, which msgspec makes: the document is read with the same types."""
    kinds = msgspec.json.schema(Document)["$defs"]
    for kind in kinds.values():
        if text := _sentence(kind.get("description")):  # releases of msgspec differ in its indentation
            kind["description"] = text
    document = kinds.pop("Document")
    document["properties"]["schema"] = {"const": EXPORT_ID}
    document["properties"]["sha256"] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    return {
        "$schema": DRAFT,
        "$id": EXPORT_ID,
        "title": "One recorded run with all that is kept with it",
        "description": "What `recce-meta export --format json` writes and `recce-meta import` reads.",
        "type": "object",
        "required": document["required"],
        "properties": document["properties"],
        "$defs": kinds,
    }


def identifier_of(kind: type[Struct]) -> str:
    """Return the value of the field `schema` of a document."""
    (field,) = (field for field in msgspec.structs.fields(kind) if field.name == "schema")
    assert isinstance(field.default, str)
    return field.default


def built() -> dict[str, str]:
    """Return the text of every file that is built."""
    found = {
        name: Builder().document(identifier_of(published.type), published)
        for name, published in PUBLISHED.items()
    }
    found["export.v3.json"] = export_schema()
    return {name: text_of(schema) for name, schema in found.items()}


def api_schemas() -> str:
    """Return the schemas of the HTTP API's answers by name, as components of its OpenAPI document."""
    builder = Builder()
    for is_tree, types_ in ((False, schemas.PLAIN), (True, schemas.TREES)):
        for kind in types_:
            builder.schema(kind, is_tree)
    text = text_of(dict(sorted(builder.definitions.items())))
    return text.replace('"#/$defs/', '"#/components/schemas/')


def text_of(schema: Mapping[str, Any]) -> str:
    """Return *schema* with a line for each type, so that a review shows the types that changed."""
    lines = []
    for name, value in schema.items():
        inner = (
            f"{{\n{text_of(value)[2:-3]}\n}}" if name == "$defs" else json.dumps(value, ensure_ascii=False)
        )
        lines.append(f"{json.dumps(name)}: {inner}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> int:
    """Write stale files, or with --check only report them."""
    files = {**{FOLDER / name: text for name, text in built().items()}, API: api_schemas()}
    stale = [
        (path, text)
        for path, text in files.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        print(f"stale: {path.name}")
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
