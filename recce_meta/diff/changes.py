"""What changed between two sides, node by node, with every reason.

A node is *modified* when something changed for a reader of the warehouse or of the documentation.
Differences that an edit cannot have caused (another target, another dbt) or that mean nothing
(comments, white space, a moved file) leave it *unchanged*. Each kind of reason is found by one
function that yields details; `recce_meta.diff.causes` tells edits from environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from recce_meta.diff.causes import Causes
from recce_meta.diff.code import branches, same_code
from recce_meta.diff.columns import column_details, contract_details, description_details
from recce_meta.diff.config import config_details, property_details
from recce_meta.diff.places import relation_details
from recce_meta.diff.scanned import scanned_details
from recce_meta.diff.side import Side
from recce_meta.models import (
    COSMETIC,
    Change,
    ChangeDetail,
    NodeMetadata,
    Project,
    Reason,
    Status,
)
from recce_meta.models.kinds import SCANNED

Source = Project | Mapping[str, NodeMetadata] | Iterable[NodeMetadata]

REASONS = tuple(Reason)
READERS = frozenset(["model", "snapshot"])
"""What builds a relation from what it reads, and so changes when a source is pointed elsewhere."""


def detect_changes(base: Source, current: Source) -> dict[str, Change]:
    """How each node that differs at all has changed from *base* to *current*, by unique id, sorted.

    Both are extracted or loaded projects, or collections of nodes; without runs and macros some causes
    (a macro, dbt's version) cannot be told. Nodes are compared by unique id.
    """
    return compare(Side.of(base), Side.of(current))


def compare(base: Side, current: Side) -> dict[str, Change]:
    """`detect_changes` of two sides."""
    causes = Causes(base, current)
    found: dict[str, Change] = {}
    renamed = renamed_by_dbt(base, current)
    for unique_id in (base.nodes.keys() | current.nodes.keys()) - set(renamed.values()):
        before, after = base.nodes.get(renamed.get(unique_id, unique_id)), current.nodes.get(unique_id)
        if before is None and after is not None:
            found[unique_id] = _change(after, Status.ADDED)
        elif after is None and before is not None:
            found[unique_id] = _change(before, Status.REMOVED)
        elif before is not None and after is not None:
            details = list(node_details(before, after, causes))
            if details:
                found[unique_id] = _modified(after, details)
    for unique_id, details in _consequences(found, causes).items():
        earlier = found.get(unique_id)
        if earlier is None or earlier.status in (Status.MODIFIED, Status.UNCHANGED):
            found[unique_id] = _modified(
                current.nodes[unique_id], [*(earlier.details if earlier else ()), *details]
            )
    return dict(sorted(found.items()))


def renamed_by_dbt(base: Side, current: Side) -> dict[str, str]:
    """Unique ids of *current* that were others in *base* though the project named nothing anew.

    The unit test of a versioned model is `….test_v3` to dbt-core, and `….test.v3` to dbt's Rust engine.
    """
    if base.dbt_version == current.dbt_version:
        return {}
    sides = [
        {
            (node.fqn, node.version): unique_id
            for unique_id, node in side.nodes.items()
            if node.resource_type == "unit_test" and node.version is not None and unique_id not in other.nodes
        }
        for side, other in ((base, current), (current, base))
    ]
    return {after: sides[0][key] for key, after in sides[1].items() if key in sides[0]}


def node_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Every difference between two states of one node."""
    if before == after:  # the same entry, though perhaps not the same macros behind it
        yield from causes.macro_details(before, after)
        return
    if after.resource_type in SCANNED:
        yield from scanned_details(before, after, causes)
        return
    yield from code_details(before, after, causes)
    yield from seed_details(before, after, causes)
    yield from config_details(before, after, causes)
    yield from property_details(before, after, causes)
    yield from relation_details(before, after, causes)
    yield from column_details(before, after, causes)
    yield from contract_details(before, after, causes)
    yield from description_details(before, after)
    for parent in sorted(set(before.parents) ^ set(after.parents)):
        added = parent in after.parents
        yield ChangeDetail(Reason.PARENTS, parent, None if added else True, True if added else None)
    if before.path != after.path and before.resource_type != "test":
        yield ChangeDetail(Reason.FORMATTING, "path", before.path, after.path)


def code_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Body, compiled, macros, and what of it is formatting or environment."""
    if before.resource_type == "seed":
        yield from causes.macro_details(before, after)
        return
    same_source = _same_source(before, after, causes)
    texts = (before.raw_code, after.raw_code)
    if not same_source and not _compiles_to_the_same(before, after, causes):
        yield ChangeDetail(Reason.BODY, "raw_code", *texts)
    else:
        if texts[0] != texts[1]:
            yield ChangeDetail(Reason.FORMATTING, "raw_code", *texts)
        yield from compiled_details(before, after, causes)
    yield from causes.macro_details(before, after)


def compiled_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """The same source compiled to other SQL; a Python model's compiled text is dbt's wrapper."""
    if "python" in (before.language, after.language) or causes.same_compiled(before, after):
        return
    texts = (causes.base.compiled(before), causes.current.compiled(after))
    yield ChangeDetail(causes.of_compiled(before, after), "compiled_code", *texts)


def seed_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """A seed's rows, from its file where that was hashed on both sides, else from dbt's checksum."""
    if before.resource_type != "seed":
        return
    if before.code_hash and after.code_hash:
        if before.code_hash != after.code_hash:
            yield ChangeDetail(Reason.DATA, "code_hash", before.code_hash, after.code_hash)
        elif before.checksum != after.checksum and before.checksum_rule == after.checksum_rule != "path":
            yield ChangeDetail(Reason.FORMATTING, "checksum", before.checksum, after.checksum)
        return
    rules = {before.checksum_rule, after.checksum_rule}
    if before.checksum == after.checksum or rules == {"path"}:
        return
    # A seed that crossed 1 MiB has other rows.
    if "path" in rules or causes.same_checksum_rule(before, after):
        yield ChangeDetail(Reason.DATA, "checksum", before.checksum, after.checksum)


def _same_source(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> bool:
    if before.raw_code is None or after.raw_code is None:
        # Not written by this dbt, or known to be equal and not fetched.
        return before.code_hash == after.code_hash or None in (before.code_hash, after.code_hash)
    return same_code(before.raw_code, after.raw_code, language=after.language, adapter=causes.adapter)


def _compiles_to_the_same(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> bool:
    """Whether the compiled SQL proves that another source means the same.

    It does not where Jinja branches: an incremental model is compiled for one branch only.
    """
    if before.compiled_code is None or after.compiled_code is None or after.language == "python":
        return False
    if branches(before.raw_code or "") or branches(after.raw_code or ""):
        return False
    return causes.same_compiled(before, after)


def _consequences(found: Mapping[str, Change], causes: Causes) -> dict[str, list[ChangeDetail]]:
    """Changes that a node's own entry cannot show: it reads a source that was pointed elsewhere, or uses
    a measure that was redefined."""
    moved = {
        unique_id
        for unique_id, change in found.items()
        if change.resource_type == "source" and Reason.RELATION in change.reasons
    }
    measures = {
        unique_id: {
            detail.key.split(".")[1]
            for detail in change.details
            if detail.key.startswith("measures.") and detail.reason is Reason.BODY
        }
        for unique_id, change in found.items()
        if change.resource_type == "semantic_model" and change.status is Status.MODIFIED
    }
    details: dict[str, list[ChangeDetail]] = {}
    if not moved and not measures:
        return details
    for unique_id, node in causes.current.nodes.items():
        keys = sorted(moved.intersection(node.parents)) if node.resource_type in READERS else []
        if node.resource_type == "metric":
            used = _measures(node)
            keys = [
                f"measures.{name}"
                for parent in node.parents
                for name in sorted(measures.get(parent, set()) & used)
            ]
        if keys and unique_id in causes.base.nodes:
            details[unique_id] = [ChangeDetail(Reason.COMPILED, key, True, True) for key in keys]
    return details


def _measures(metric: NodeMetadata) -> set[str]:
    """Names of the measures that a metric is made of."""
    params = metric.properties.get("type_params") or {}
    conversion = params.get("conversion_type_params") or {}
    used = [
        *(params.get(key) for key in ("measure", "numerator", "denominator")),
        *(params.get("input_measures") or ()),
        *(conversion.get(key) for key in ("base_measure", "conversion_measure")),
    ]
    return {item["name"] if isinstance(item, dict) else item for item in used if item}


def _modified(node: NodeMetadata, details: Iterable[ChangeDetail]) -> Change:
    details = tuple(details)
    reasons = {detail.reason for detail in details}
    status = Status.UNCHANGED if reasons <= COSMETIC else Status.MODIFIED
    return _change(node, status, tuple(reason for reason in REASONS if reason in reasons), details)


def _change(
    node: NodeMetadata,
    status: Status,
    reasons: tuple[Reason, ...] = (),
    details: tuple[ChangeDetail, ...] = (),
) -> Change:
    return Change(
        unique_id=node.unique_id,
        name=node.label,
        resource_type=node.resource_type,
        path=node.path,
        status=status,
        reasons=reasons,
        details=details,
    )
