"""What artifacts hold of a node, beside what rendering it comes to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from recce_meta.models import MacroMetadata, NodeMetadata

Key = tuple[str | None, str]
"""A variable: the package that asks, and the name."""
READ = re.compile(r"\bvar\s*\(\s*(['\"])([^'\"]+)\1")
"""Where a text reads a variable that it names: the quote, and the name."""
MARK = "\ue0f4recce\ue0f5"
"""Text that no template holds, in the place of a value that is looked for."""
_COMPARED = ("enabled", "materialized", "schema", "alias", "database")
_NOT_SAID: Any = object()
_GRAPH = ("model.", "seed.", "snapshot.", "source.")


class Observation(Struct, frozen=True):
    """What rendering the code of a node came to."""

    text: str
    parents: frozenset[str]
    configured: Mapping[str, Any]
    read: frozenset[Key]


def settings_of(node: NodeMetadata) -> Iterator[tuple[str, str, Any]]:
    """Settings of *node* that hold Jinja: name, as written, as rendered."""
    properties = node.properties
    places = [
        ("unrendered_schema", properties.get("unrendered_schema"), node.schema_name),
        ("unrendered_database", properties.get("unrendered_database"), node.database_name),
    ]
    places += [(key, written, node.config.get(key)) for key, written in node.unrendered_config.items()]
    for name, written, rendered in places:
        if isinstance(written, str) and "{" in written and isinstance(rendered, (str, bool, int)):
            yield name, written, rendered


def variables_of_macros(macros: Mapping[str, MacroMetadata]) -> Mapping[str, frozenset[str]]:
    """The variables that each macro reads, or those that it calls."""
    own = {
        unique_id: {name for _, name in READ.findall(macro.macro_sql)} for unique_id, macro in macros.items()
    }
    readers: dict[str, list[str]] = defaultdict(list)
    for unique_id, macro in macros.items():
        for called in macro.macros:
            readers[called].append(unique_id)
    pending = [unique_id for unique_id, names in own.items() if names]
    while pending:
        unique_id = pending.pop()
        for reader in readers[unique_id]:
            if not own[unique_id] <= own[reader]:
                own[reader] |= own[unique_id]
                pending.append(reader)
    return {unique_id: frozenset(names) for unique_id, names in own.items() if names}


def parents_of(node: NodeMetadata) -> set[str]:
    return {parent for parent in node.parents if parent.startswith(_GRAPH)}


def agrees(node: NodeMetadata, seen: Observation, by_code: bool) -> bool:
    """Whether *seen* is what the artifacts hold of *node*."""
    if by_code:
        return plain(seen.text) == plain(node.compiled_code or "")
    shape = shape_of(node, seen)
    return has_shape(node, shape, shape)


def shape_of(node: NodeMetadata, seen: Observation) -> Mapping[str, Any]:
    """The parents and settings that *seen* gives *node*, as far as the artifacts say what they are."""
    settings = {name: seen.configured.get(name, _NOT_SAID) for name in _COMPARED if name in node.config}
    return {"parents": seen.parents, **settings}


def has_shape(node: NodeMetadata, shape: Mapping[str, Any], aspects: Iterable[str]) -> bool:
    """Whether *shape* is what the artifacts hold of *node*, in *aspects*; what code leaves open fits."""
    return all(
        shape[aspect] == parents_of(node)
        if aspect == "parents"
        else shape[aspect] in (_NOT_SAID, node.config[aspect])
        for aspect in aspects
    )


def plain(text: str) -> str:
    return " ".join(text.split())


def values_in(marked: str, text: str) -> Iterator[Any]:
    """What stands in *text* where the mark stands in *marked*, as the values that are written so."""
    count = marked.count(MARK)
    length, rest = divmod(len(text) - len(marked) + count * len(MARK), count)
    if rest or length < 0:
        return
    start = marked.index(MARK)
    written = text[start : start + length]
    if marked.replace(MARK, written) != text:
        return
    if written in ("True", "False"):
        yield written == "True"
    elif re.fullmatch(r"-?(?:0|[1-9]\d{0,17})", written):
        yield int(written)
    yield written


def reference_to(node: NodeMetadata) -> str:
    """Jinja that names *node*."""
    if node.resource_type == "source":
        return f"{{{{ source({node.source_name!r}, {node.name!r}) }}}}"
    version = f", v={node.version!r}" if node.version is not None else ""
    return f"{{{{ ref({node.package_name!r}, {node.name!r}{version}) }}}}"
