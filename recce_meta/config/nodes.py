"""Settings of nodes for data diffs, from a node's `meta.recce_meta` and from `nodes:` of the configuration.

The globs of the configuration take precedence over the meta, key by key, because people who cannot edit a
model use them. Among the globs that match a node, the last one that has a key wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from recce_meta.errors import UsageError, did_you_mean
from recce_meta.models import NodeMetadata
from recce_meta.profiles.lined_yaml import (
    Lined,
    LinedReader,
    MalformedValue,
    describe_value,
    number,
    one_of,
    sample,
    string,
    strings,
)

META_KEY = "recce_meta"
"""Key of a node's `meta` that holds its settings."""
COMPARE_MODES = ("values", "rows", "counts", "none")
"""How to compare a node: by key, as whole rows, only schema and row counts, or not at all."""


class NodeSettings(Struct, frozen=True, kw_only=True):
    """Settings of one node for data diffs; None for a setting that is not given."""

    key: tuple[str, ...] | None = None
    """Columns that identify a row."""
    where: str | None = None
    """Condition on the rows of both sides, in the warehouse's SQL."""
    sample: float | None = None
    """Share of keys to compare, in per cent."""
    tolerance: Decimal | None = None
    """Largest absolute difference at which two numbers are equal."""
    relative_tolerance: Decimal | None = None
    """Largest difference, as a share of the larger number, at which two numbers are equal."""
    exclude: tuple[str, ...] | None = None
    """Columns that are not compared."""
    compare: str | None = None
    """One of COMPARE_MODES; None for the default, `values`."""


class EffectiveSettings(NodeSettings, frozen=True, kw_only=True):
    """Settings of one node, merged from globs and meta."""

    is_broad: bool = False
    """True if `exclude` comes from a pattern, whose nodes need not have all of these columns."""


NO_SETTINGS = EffectiveSettings()

NodeGlobs: TypeAlias = Sequence[tuple[str, NodeSettings]]
"""Globs and their settings, in the order of the file."""


class InvalidNodeSettings(UsageError):
    """A node's `meta.recce_meta` has an unknown key or a malformed value."""


def read_node_settings(reader: LinedReader, given: object, of: str) -> NodeSettings:
    """Return the settings in *given*, a mapping of a file or of a node's meta, called *of* in messages.

    *reader* collects the problems; a malformed setting is None.
    """
    if given is None:
        return NO_SETTINGS
    if not isinstance(given, Mapping):
        names = ", ".join(_READERS)
        reader.report(f"{of} must be a mapping, not {describe_value(given)}", hint=f"it can have: {names}")
        return NO_SETTINGS
    lined = given if isinstance(given, Lined) else _without_lines(given)
    reader.refuse_unknown(lined, tuple(_READERS), of)
    return NodeSettings(
        **{name: reader.convert_optional(lined, name, read) for name, read in _READERS.items()}
    )


def settings_of(node: NodeMetadata, globs: NodeGlobs = ()) -> EffectiveSettings:
    """Return the settings of *node*: those of the matching *globs*, then those of its meta.

    Raises InvalidNodeSettings, with the node and the keys, if `meta.recce_meta` is malformed.
    """
    # The meta comes first, because later settings replace earlier ones.
    found = [(False, _settings_of_meta(node))]
    found += [(is_pattern(glob), given) for glob, given in globs if matches_glob(glob, node)]
    merged = {
        name: value for _, given in found for name in _READERS if (value := getattr(given, name)) is not None
    }
    is_broad = next((is_glob for is_glob, given in reversed(found) if given.exclude is not None), False)
    return EffectiveSettings(**merged, is_broad=is_broad)


def is_pattern(glob: str) -> bool:
    """Return True if *glob* may match several names."""
    return any(sign in glob for sign in "*?[")


def matches_glob(glob: str, node: NodeMetadata) -> bool:
    """Return True if *glob* matches the name, unique id or path of *node*; `*` matches `/` and `.`, too.

    A source also has the name `source.table`, a versioned model `name.v2`.
    """
    return any(fnmatchcase(name, glob) for name in names_for_globs(node))


def names_for_globs(node: NodeMetadata) -> tuple[str, ...]:
    """Return the names of *node* that a glob can match; the path is last."""
    names = [node.name, node.label, node.unique_id]
    names += [f"{node.source_name}.{node.name}"] if node.source_name else []
    return tuple(dict.fromkeys([*names, *([node.path] if node.path else [])]))


def unmatched_globs(globs: Iterable[str], nodes: Iterable[NodeMetadata]) -> dict[str, str | None]:
    """Return those of *globs* that match none of *nodes*, with a hint that has the nearest names."""
    listed = [names_for_globs(node) for node in nodes]
    known = {name for names in listed for name in names}
    # Most globs are plain names, for which no pattern needs to be matched.
    missing = (glob for glob in globs if glob not in known)
    return {
        glob: did_you_mean(glob, sorted(known))
        for glob in missing
        if not any(fnmatchcase(name, glob) for name in known)
    }


def _settings_of_meta(node: NodeMetadata) -> NodeSettings:
    given = node.meta.get(META_KEY)
    if given is None:
        # dbt accepts the meta in both places.
        meta = node.config.get("meta")
        given = meta.get(META_KEY) if isinstance(meta, dict) else None
    if given is None:
        return NO_SETTINGS
    reader = LinedReader(Path(node.path))
    settings = read_node_settings(reader, given, f"meta.{META_KEY} of {node.label}")
    if reader.problems:
        problems = "; ".join(problem.message for problem in reader.problems)
        hint = next((problem.hint for problem in reader.problems if problem.hint), None)
        prefix = f"meta.{META_KEY} of {node.label}"
        message = problems if prefix in problems else f"{prefix} is invalid: {problems}"
        raise InvalidNodeSettings(message, hint=hint)
    return settings


def _without_lines(given: Mapping[str, Any]) -> Lined:
    lined = Lined()
    lined.update({str(key): value for key, value in given.items()})
    return lined


def _columns(value: object) -> tuple[str, ...]:
    """Return column names: a list, or a string that separates them with commas, as on the command line."""
    if isinstance(value, str):
        value = [name.strip() for name in string(value).split(",") if name.strip()]
    return strings(value)


def _key(value: object) -> tuple[str, ...]:
    columns = _columns(value)
    if not columns:
        raise MalformedValue("must name at least one column")
    return columns


_READERS = {
    "key": _key,
    "where": string,
    "sample": sample,
    "tolerance": number,
    "relative_tolerance": number,
    "exclude": _columns,
    "compare": one_of(*COMPARE_MODES),
}
