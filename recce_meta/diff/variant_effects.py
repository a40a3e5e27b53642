"""Effects of an edit on targets, with variables and in branches other than those that dbt compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from recce_meta.diff.causes import Causes
from recce_meta.diff.every_target import hidden_settings, shown_expression, with_expressions
from recce_meta.diff.materializations import table_effects
from recce_meta.diff.project_side import new_failure
from recce_meta.errors import first_of, plural
from recce_meta.models import Change, ChangeDetail, NodeMetadata
from recce_meta.models.change import BUILD_FAILS, EXISTING, UNCHANGED_HERE, Category, SqlChange

if TYPE_CHECKING:
    from recce_meta.render.variants import VariantComparison

CompareSql: TypeAlias = Callable[[NodeMetadata, str, NodeMetadata, str], SqlChange]
"""Compares two versions of a node's compiled SQL: base's node and SQL, current's node and SQL."""

MAY_ACT = "{{{{ {} }}}} may act on other targets"
"""Reason of an effect that is not known, with the expression."""
MOST_NODES = 25
"""Maximum number of nodes by which a macro that acts on other targets is judged."""
NODES_SHOWN = 5
MOST_VARIANTS = 8
"""Maximum number of variants of a node whose SQL is compared."""


def caller_effects(
    macro: str, ids: Sequence[str], causes: Causes, compare: CompareSql
) -> Iterator[tuple[str, list[SqlChange]]]:
    """Yield the nodes *ids*, which reach *macro*, each with the macro's effects on other targets."""
    placed = causes.placing_elsewhere.get(macro, frozenset())
    for place, unique_id in enumerate(ids):
        if unique_id in placed:
            yield unique_id, [unknown_effect("relations may move on other targets")]
            continue
        before, after = causes.base.nodes[unique_id], causes.current.nodes[unique_id]
        found = causes.every_target.compare(before, after) if place < MOST_NODES else None
        if found is None:
            yield unique_id, [unknown_effect(f"judged in {MOST_NODES} of them")]
        elif after.resource_type in ("model", "snapshot"):
            yield unique_id, list(_effects(found, (), before, after, causes, compare))
        else:
            yield unique_id, [unknown_effect(f"{after.name} may differ on other targets")]


def macro_effects(callers: Mapping[str, Sequence[SqlChange]], causes: Causes) -> Iterator[SqlChange]:
    """Yield the effects on other targets of a macro from those on its *callers*."""
    names = [causes.current.nodes[one].name for one in callers]
    where = f"in {plural(len(names), 'node')} that {'reaches' if len(names) == 1 else 'reach'} it"
    effects = list(chain.from_iterable(callers.values()))
    reason = ", ".join([*_shown(effects, causes), f"{where}: {first_of(names, NODES_SHOWN)}"])
    yield SqlChange(category=Category.NONE, reasons=(reason,))
    yield from effects


def variant_effects(
    shown: SqlChange,
    details: Sequence[ChangeDetail],
    before: NodeMetadata,
    after: NodeMetadata,
    causes: Causes,
    compare: CompareSql,
) -> Iterator[SqlChange]:
    """Yield the effects that compiled SQL cannot show: on other targets, variables and branches of Jinja.

    *shown* is the effect that it shows.
    """
    if None in (causes.base.compiled(before), causes.current.compiled(after)):
        return
    found = causes.every_target.compare(before, after)
    if found is None:
        return
    effects = [
        # A variant with the same effect as the run needs no reason of its own.
        effect if replace(effect, reasons=()) != replace(shown, reasons=()) else replace(effect, reasons=())
        for effect in _effects(found, details, before, after, causes, compare)
    ]
    if any(effect.category is not Category.NONE for effect in effects) and causes.same_compiled(
        before, after
    ):
        yield SqlChange(category=Category.NONE, reasons=_shown(effects, causes))
    yield from effects


def _shown(effects: Iterable[SqlChange], causes: Causes) -> tuple[str, ...]:
    """Return what equal SQL proves: nothing if a stand-in may write the same for all arguments."""
    is_open = any(
        # An effect without a condition is one on this target, too.
        effect.category is Category.UNKNOWN
        or not all(reason.startswith(("if ", EXISTING)) for reason in effect.reasons)
        for effect in effects
    )
    return () if is_open and not causes.is_compiled_by_dbt else (UNCHANGED_HERE,)


def _effects(
    found: VariantComparison,
    details: Sequence[ChangeDetail],
    before: NodeMetadata,
    after: NodeMetadata,
    causes: Causes,
    compare: CompareSql,
) -> Iterator[SqlChange]:
    if found.undecided:
        yield unknown_effect(MAY_ACT.format(shown_expression(found.undecided)))
        return
    seen: set[tuple[str, str]] = set()
    known: set[tuple[str, ...]] = set()
    # Equal effects have one reason: that of the case with the fewest conditions.
    for variant in sorted(found.variants, key=lambda one: len(one.conditions)):
        when = f"if {' and '.join(variant.conditions)}: " if variant.conditions else ""
        if settings := hidden_settings(variant, before, after):
            is_new = (*settings,) not in known
            known.add((*settings,))
            yield unknown_effect(*([f"{when}other {', '.join(settings)}"] if is_new else ()))
        if not variant.has_other_text:
            continue
        if None in variant.texts:
            yield unknown_effect(f"{when}compiled on one side only")
            continue
        texts, expression, is_value = causes.every_target.sql_of(variant, before, after)
        if texts in seen:
            continue
        if len(seen) == MOST_VARIANTS:
            yield unknown_effect(f"more than {MOST_VARIANTS} other targets, variables or branches")
            return
        seen.add(texts)
        nodes = [replace(node, compiled_code=text) for node, text in zip((before, after), texts, strict=True)]
        effect = compare(nodes[0], texts[0], nodes[1], texts[1])
        # With another value, the effect may be worse, unless it is the worst already; two may have one value.
        if expression and (is_value or effect.category is not Category.BREAKING):
            yield unknown_effect(MAY_ACT.format(shown_expression(expression)))
            continue
        if effect.category is Category.NONE:
            continue
        reasons = effect.reasons or tuple(f"{column.name} {column.status}" for column in effect.columns)
        shown = () if reasons in known else reasons or (str(effect.category),)
        known.add(reasons)
        texts_shown = (with_expressions(f"{when}{reason}", variant.expressions) for reason in shown)
        yield replace(effect, reasons=tuple(texts_shown))
        words = causes.deciding_words(before, after)
        yield from table_effects(before, after, effect, details, causes.adapter, *words)


def unknown_effect(*reasons: str) -> SqlChange:
    """Return an effect that is not known, for *reasons*."""
    return SqlChange(category=Category.UNKNOWN, reasons=reasons)


def failure_effects(change: Change, causes: Causes) -> list[SqlChange]:
    """Return the effect of a build that fails, or may fail: the old content stays, whatever else changed."""
    after = causes.current.nodes.get(change.unique_id)
    reason = after and new_failure(causes.base.nodes.get(change.unique_id), after, causes.base)
    if not reason:
        return []
    is_sure = reason.startswith(f"{BUILD_FAILS}:")
    return [SqlChange(category=Category.BREAKING if is_sure else Category.UNKNOWN, reasons=(reason,))]
