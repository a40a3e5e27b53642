"""Documentation of macros: the signature, and the description in the property files of their package.

Runs store the code of macros alone, so descriptions are read from the files.
https://docs.getdbt.com/reference/macro-properties
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from recce_meta.errors import ConfigurationError
from recce_meta.extractors.sql_project.files import find_files
from recce_meta.extractors.sql_project.settings import read_settings
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.models import MacroMetadata
from recce_meta.profiles.yaml_file import read_mapping

_SIGNATURE = re.compile(
    r"""\{%[-+]?\s*(?:macro|test|data_test|materialization)\s+((?:'[^']*'|"[^"]*"|[^'"%]|%(?!\}))*?)[-+]?%\}"""
)
_COMMENT_BEFORE = re.compile(r"\{#-?((?:(?!#\}).)*?)-?#\}\s*\{%[-+]?\s*\w+\s+$", re.DOTALL)


class MacroArgument(Struct, frozen=True):
    """Documented argument of a macro."""

    name: str
    type: str = ""
    description: str = ""


class MacroDocs(Struct, frozen=True):
    """Documentation of a macro."""

    signature: str
    """Name with arguments and their defaults, as written."""
    description: str = ""
    arguments: tuple[MacroArgument, ...] = ()


def macro_docs(index: ProjectIndex, macro: MacroMetadata) -> MacroDocs:
    """Return the documentation of *macro*; a comment before its definition if no file describes it."""
    found = _SIGNATURE.search(macro.macro_sql)
    signature = " ".join(found[1].split()) if found is not None else macro.name
    entry = _entry(index, macro)
    description = str(entry.get("description") or "").strip()
    arguments = entry.get("arguments")
    return MacroDocs(
        signature=signature,
        description=description or _comment(index, macro),
        arguments=tuple(
            MacroArgument(str(one["name"]), str(one.get("type") or ""), str(one.get("description") or ""))
            for one in (arguments if isinstance(arguments, list) else ())
            if isinstance(one, dict) and one.get("name")
        ),
    )


def _comment(index: ProjectIndex, macro: MacroMetadata) -> str:
    place = index.macro_place(macro)
    if place is None:
        return ""
    path, offset = place
    before = path.read_bytes().decode("utf-8-sig", "replace")[:offset]
    found = _COMMENT_BEFORE.search(before, before.rfind("{#")) if "{#" in before else None
    return " ".join(found[1].split()) if found is not None else ""


def _entry(index: ProjectIndex, macro: MacroMetadata) -> Mapping[str, object]:
    settings = index.settings
    folders = settings.folders if settings is not None else {}
    root = index.root if macro.package_name == index.run.project_name else folders.get(macro.package_name)
    if root is None:
        return {}
    for path in _property_files(root):
        stat = path.stat()
        found = _described(path, stat.st_mtime_ns, stat.st_size).get(macro.name)
        if found is not None:
            return found
    return {}


def _property_files(root: Path) -> Sequence[Path]:
    try:
        folders = read_settings(root, []).paths["macros"]
    except ConfigurationError:
        return ()
    return list(find_files(root, folders, (".yml", ".yaml")))


@lru_cache(maxsize=256)
def _described(path: Path, modified: int, size: int) -> Mapping[str, Mapping[str, object]]:
    """Return the macros that a file describes, by name; *modified* and *size* change with the file."""
    try:
        entries = read_mapping(path, ConfigurationError).get("macros")
    except ConfigurationError:
        return {}
    listed = entries if isinstance(entries, list) else ()
    return {str(entry["name"]): entry for entry in listed if isinstance(entry, dict) and entry.get("name")}
