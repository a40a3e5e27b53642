"""Columns of a node as its readers see them, from the catalog, its query, a contract or documentation."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from itertools import chain

import msgspec
from msgspec import Struct

from recce_meta.models.lineage import EVERYTHING
from recce_meta.models.node import SEED_HEADER, NodeMetadata

_encode = msgspec.json.Encoder(order="deterministic").encode


class ReadableColumns(Struct, frozen=True):
    """Known columns of a node, as its readers see them."""

    names: tuple[str, ...] | None
    """All columns, in order; None if unknown."""
    types: Mapping[str, str]
    """Types by name, in the order of the names. Includes `*` if there may be more columns."""
    documented: tuple[str, ...]
    """Documented columns, possibly incomplete, used if `names` is None."""
    digest: str


def listed_names(node: NodeMetadata) -> tuple[str, ...]:
    """Return the names of the columns that the artifacts list for *node*."""
    return tuple(column.name for column in node.columns)


def offered_columns(node: NodeMetadata, inferred: tuple[str, ...]) -> ReadableColumns:
    """Return the columns that readers of *node* see if its own query has the columns *inferred*.

    These are the catalog's columns. Additional columns in the query are newer than the catalog. Without a
    catalog, return the columns of the query, of the file of a seed, or of a contract. Documentation alone may
    be incomplete.
    """
    header = node.properties.get(SEED_HEADER)
    inferred = tuple(map(str, header)) if isinstance(header, list) else inferred
    complete = () if EVERYTHING in inferred else tuple(dict.fromkeys(inferred))
    types = {column.name: column.type or "" for column in node.columns}
    if node.columns_from == "catalog":
        known = {name.lower() for name in types}
        names = (*types, *(name for name in complete if name.lower() not in known))
    elif complete:
        names = complete
    elif node.contract:
        names = tuple(types)
    else:
        documented = tuple(dict.fromkeys(chain(types, (name for name in inferred if name != EVERYTHING))))
        some = {name: types.get(name, "") for name in (*documented, EVERYTHING)}
        return ReadableColumns(None, some, documented, digest_of((None, *documented)))
    return ReadableColumns(names, {name: types.get(name, "") for name in names}, (), digest_of(names))


def digest_of(content: object) -> str:
    """Return a short hash of *content*."""
    return sha256(_encode(content)).hexdigest()[:32]


NOTHING_KNOWN = ReadableColumns(None, {}, (), digest_of((None,)))
