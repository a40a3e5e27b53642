"""What of a database two scans looked at: only what both did can be compared.

A run keeps the scope of its scan as the options that asked for it (`RunMetadata.command`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import UnknownNameError
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.kinds import SCHEMA
from recce_meta.warehouses import warehouse_named
from recce_meta.warehouses.catalogs import catalog_of

DATABASE = "database"
"""The extractor of scans."""

Seen = Callable[[str], bool]
"""Whether both scans looked at the node of a unique id."""

_OPTIONS = re.compile(r" --(schema|include|exclude|unread) ")


class Looked(Struct, frozen=True):
    """What one scan looked at."""

    schemas: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Schemas that it could not read."""
    hidden: tuple[str, ...] = ()
    """Names or globs of schemas that it left out as none was named: the warehouse's own, and the store's."""

    @classmethod
    def of(cls, run: RunMetadata, store_schema: str | None = None) -> Looked:
        """The scope that *run* was recorded with, where the store is kept in *store_schema*."""
        _, *parts = _OPTIONS.split(run.command or "")
        found: dict[str, list[str]] = {"schema": [], "include": [], "exclude": [], "unread": []}
        for option, text in zip(parts[::2], parts[1::2], strict=True):
            found[option].append(text)
        left_out = (
            () if found["schema"] else (*_system_schemas(run), *([store_schema] if store_schema else []))
        )
        schemas, include, exclude, unread = map(tuple, found.values())
        return cls(schemas, include, exclude, unread, left_out)

    def sees(self, schema: str, name: str | None) -> bool:
        """Whether it looked at a schema, or at relation *name* in it."""
        if schema in self.unread:
            return False
        if self.schemas and not any(_is_named(schema, text) for text in self.schemas):
            return False
        if any(_is_named(schema, text) for text in self.hidden):
            return False
        if name is None:
            return True
        names = (name, f"{schema}.{name}")
        return (not self.include or _fits(names, self.include)) and not _fits(names, self.exclude)


def _system_schemas(run: RunMetadata) -> tuple[str, ...]:
    try:
        return catalog_of(warehouse_named(run.adapter_type or "")).system_schemas
    except UnknownNameError:
        return ()


def _is_named(schema: str, text: str) -> bool:
    return schema == text or fnmatchcase(schema, text) or schema.casefold() == text.casefold()


def _fits(names: Iterable[str], globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for name in names for glob in globs)


def is_scan(run: RunMetadata) -> bool:
    """Whether *run* is a scan of a live database."""
    return run.extractor == DATABASE


def asked_scope(run: RunMetadata) -> str:
    """What the scan *run* was asked to look at, whatever of it could be read.

    A name that holds ` --unread ` is cut there: such scopes are taken for one, and what both looked at is
    compared.
    """
    return (run.command or "scan").partition(" --unread ")[0]


def scan_before(run: RunMetadata, earlier: Sequence[RunMetadata]) -> RunMetadata | None:
    """The one of *earlier* scans, newest first, that *run* differs from; None where there is none.

    A scan of another scope in between tells nothing of the rest, so that changes there would be told by no
    scan: the last of the same asked scope comes first, if it read all that *run* read. Then comes the last
    of that scope, then the last of any.
    """
    alike = [other for other in earlier if asked_scope(other) == asked_scope(run)]
    unread = set(Looked.of(run).unread)
    whole = [other for other in alike if set(Looked.of(other).unread) <= unread]
    return next(iter([*whole, *alike, *earlier]), None)


def seen_by_both(base: RunMetadata, current: RunMetadata, store_schema: str | None = None) -> Seen | None:
    """What both scans looked at; None where they looked at the same, or where one is no scan.

    *store_schema* is where the store is kept: a scan that names no schema looks there as little as at the
    warehouse's own.
    """
    if not (is_scan(base) and is_scan(current)) or base.command == current.command:
        return None
    both = Looked.of(base, store_schema), Looked.of(current, store_schema)

    def seen(unique_id: str) -> bool:
        place = place_of(unique_id)
        return place is None or all(looked.sees(*place) for looked in both)

    return seen


def scope_note(base: RunMetadata, current: RunMetadata) -> str:
    """That the scans looked at different parts."""
    return (
        f"The scans looked at different parts of the database ('{base.command}' and '{current.command}'): "
        "only what both looked at is compared"
    )


def narrowed(nodes: Iterable[NodeMetadata], seen: Seen) -> list[NodeMetadata]:
    """Those of *nodes* that were *seen*, without parents that were not."""
    return [
        replace(node, parents=tuple(parent for parent in node.parents if seen(parent)))
        if not all(map(seen, node.parents))
        else node
        for node in nodes
        if seen(node.unique_id)
    ]


def place_of(unique_id: str) -> tuple[str, str | None] | None:
    """The schema that the id of a scanned node names, and the relation in it; None for any other id.

    >>> place_of("relation.public.film"), place_of('relation.public."a.b"'), place_of("schema.public")
    (('public', 'film'), ('public', 'a.b'), ('public', None))
    """
    kind, _, rest = unique_id.partition(".")
    if kind not in ("relation", SCHEMA) or not rest:
        return None
    schema, rest = _part(rest)
    if kind == SCHEMA:
        return schema, None
    return (schema, _part(rest[1:])[0]) if rest.startswith(".") else None


def _part(text: str) -> tuple[str, str]:
    """The first part of *text*, and what is behind it."""
    if not text.startswith('"'):
        head, dot, rest = text.partition(".")
        return head, dot + rest
    name, end = json.JSONDecoder().raw_decode(text)
    return str(name), text[end:]
