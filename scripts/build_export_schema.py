"""Build docs/schemas/export.v2.json from the types that make an export: run it when one of these has changed.

A test says when that is so. export.v1.json describes documents of version 1, which are read too, and stays.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from recce_meta.store.export_document import SCHEMA, Document

FILE = Path(__file__).resolve().parents[1] / "docs" / "schemas" / "export.v2.json"


def main() -> None:
    """Write the file."""
    types = msgspec.json.schema(Document)["$defs"]
    document = types.pop("Document")
    document["properties"]["schema"] = {"const": SCHEMA}
    document["properties"]["sha256"] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "One recorded run with all that is kept with it",
        "description": "What `recce-meta export --format json` writes and `recce-meta import` reads.",
        "type": "object",
        "required": document["required"],
        "properties": document["properties"],
        "$defs": types,
    }
    FILE.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
