"""Comparison of the templates of a node for every target, variable and branch, not only those of the run.

dbt compiles both sides for one target. An edit that only acts in `{% if target.name == 'prod' %}` does not
change compiled SQL. `recce_meta.render.variants` renders both templates for all values that lead
to different results.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from functools import cached_property, partial
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING

from recce_meta.diff.code import (
    STEADY,
    branch_tokens,
    differing_expressions,
    edited_constructs,
    jinja_names,
    outside_names,
    sql_pieces,
    tokens,
)
from recce_meta.diff.project_side import ProjectSide, base_name
from recce_meta.diff.same_sql import Dependence, SqlInputs
from recce_meta.lazy import LazyModule
from recce_meta.models import Json, MacroMetadata, NodeMetadata
from recce_meta.models.adapters import is_builtin
from recce_meta.models.relation_tokens import CLOSING, OPENING

if TYPE_CHECKING:
    from recce_meta.render import symbols, variants
    from recce_meta.render.variants import Comparison, TemplateComparer, Variant
else:
    # Most diffs compare no templates.
    symbols, variants = LazyModule("recce_meta.render.symbols"), LazyModule("recce_meta.render.variants")

MOST_SECONDS = 20.0
"""Time for the templates of a diff; what remains is unknown."""
EVERYWHERE = STEADY | frozenset("adapter api exceptions log print dict namespace zip set loop".split())
"""Names with the same value for every target of one adapter."""
_OF_TARGET = re.compile(r"target\.(name|schema|database|dataset|project|user|role|warehouse|profile_name)")
"""Members of `target` that are plain names."""
_REF = re.compile(r"ref\('((?:[^'\\]|\\.)*)'(?:, (?:v|version)=(?:'([^']*)'|(\d+)))?\)")
_SOURCE = re.compile(r"source\('([^']*)', '([^']*)'\)")


class EveryTarget:
    """Comparison of templates of two sides, for all nodes."""

    def __init__(
        self, base: ProjectSide, current: ProjectSide, changed_macros: Callable[[], Collection[str]]
    ) -> None:
        self._sides = (base, current)
        self._changed_macros = changed_macros
        self._adapter = current.adapter or base.adapter
        self._inputs = (SqlInputs(base), SqlInputs(current))
        self._seconds = 0.0
        self._found: dict[str, Comparison | None] = {}

    def compare(self, before: NodeMetadata, after: NodeMetadata) -> Comparison | None:
        """Return the variants in which the code of a node differs; None if compiled SQL shows all of it."""
        key = after.unique_id
        if key not in self._found:
            self._found[key] = self._compare(before, after)
        return self._found[key]

    def hides(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Return True if the code may differ where compiled SQL and rendered configuration do not show it."""
        found = self.compare(before, after)
        if found is None or found.undecided:
            return found is not None
        return any(one.has_other_text or hidden_settings(one, before, after) for one in found.variants)

    def _compare(self, before: NodeMetadata, after: NodeMetadata) -> Comparison | None:
        codes = (before.raw_code or "", after.raw_code or "")
        # The macros of both sides are read only if the edit is in Jinja.
        is_touched = self._is_touched(*codes) or bool(self.changed_macros_of(before, after))
        if not is_touched or not any(map(self._depends, self._inputs, (before, after))):
            return None
        if self._seconds > MOST_SECONDS:
            return variants.Comparison(undecided=f"more code than is rendered in {MOST_SECONDS:g} s")
        start = monotonic()
        try:
            return self._of_templates(codes, after.package_name)
        finally:
            self._seconds += monotonic() - start

    def changed_macros_of(self, before: NodeMetadata, after: NodeMetadata) -> frozenset[str]:
        """Return the changed macros that the code of a node may call in any branch."""
        changed = self._changed_macros()
        codes = (before.raw_code or "", after.raw_code or "")
        if not changed or not any(name in code for name in self._names_of_changed for code in codes):
            return frozenset()
        called = [
            one
            for inputs, node in zip(self._inputs, (before, after), strict=True)
            for one in inputs.macros(node)
        ]
        return frozenset(changed).intersection(called)

    @cached_property
    def _names_of_changed(self) -> frozenset[str]:
        """Return the names of macros that lead to a changed one."""
        changed = frozenset(self._changed_macros())
        return frozenset(
            base_name(macro.name)
            for side, inputs in zip(self._sides, self._inputs, strict=True)
            for macro in side.macros.values()
            if not changed.isdisjoint(inputs.behind(macro.unique_id))
        )

    def _of_templates(self, codes: tuple[str, str], package: str | None) -> Comparison | None:
        local = differing_expressions(*codes)
        # The code that both sides have in common may call a changed macro.
        if (
            local is not None
            and not self._changed_macros()
            and self._templates.compare(local, package, opaque=self._is_same).is_equal
        ):
            return None
        compare = partial(self._templates.compare, codes, package, is_same=self._is_same_sql)
        found = compare(opaque=self._is_same)
        if found.is_equal:
            return None
        # The SQL of a variant needs what the macros write.
        whole = compare(opaque=self._is_of_dbt)
        return found if whole.undecided and not found.undecided else whole

    def _is_touched(self, base: str, current: str) -> bool:
        """Return True if the edit is in a branch, or in Jinja other than `ref`, `source`, plain `config`."""
        for construct in edited_constructs(base, current):
            is_config = construct.startswith("{{ config (")
            names = outside_names(construct) - EVERYWHERE if is_config else jinja_names(construct)
            if names - {"ref", "source"}:
                return True
        return branch_tokens(base, self._adapter) != branch_tokens(current, self._adapter)

    @staticmethod
    def _depends(inputs: SqlInputs, node: NodeMetadata) -> bool:
        return inputs.dependence(node) is not Dependence.CODE

    def _is_same_sql(self, old: str, new: str) -> bool:
        return tokens(old, self._adapter, jinja=False) == tokens(new, self._adapter, jinja=False)

    @cached_property
    def _templates(self) -> TemplateComparer:
        base, current = self._sides
        return variants.TemplateComparer(
            (base.macros.values(), current.macros.values()),
            adapter_type=self._adapter,
            roots=(_root(base), _root(current)),
        )

    def _is_same(self, macro: MacroMetadata) -> bool:
        """Return True if *macro* and all macros that it calls are equal on both sides.

        A macro of dbt may call one of the project that is in its place: `duckdb__length`.
        """
        changed = self._changed_macros()
        return not changed or all(side.closure([macro.unique_id]).isdisjoint(changed) for side in self._sides)

    def _is_of_dbt(self, macro: MacroMetadata) -> bool:
        return is_builtin(macro.package_name) and self._is_same(macro)

    def sql_of(
        self, variant: Variant, before: NodeMetadata, after: NodeMetadata
    ) -> tuple[tuple[str, str], str]:
        """Return the SQL of both sides in *variant*, with tokens of relations, and an expression.

        The expression has an unknown value: it is outside of quotes, and not equally often on both sides.
        The SQL is then that of one value, as for expressions that both sides have. It may be empty.
        """
        unknown = ""
        counts = [
            Counter(token for kind, token in sql_pieces(text or "", self._adapter) if kind == "literal")
            for text in variant.texts
        ]
        found = []
        for text, node in zip(variant.texts, (before, after), strict=True):
            pieces: list[str] = []
            for kind, piece in sql_pieces(text or "", self._adapter):
                if kind == "comment":
                    pieces.append(" ")
                elif not piece.startswith(symbols.MARK):
                    pieces.append(
                        symbols.TOKEN.sub(lambda match: _word(variant.expressions[int(match[1])]), piece)
                    )
                else:
                    key = variant.expressions[int(piece[len(symbols.MARK) : -len(CLOSING)])]
                    written = _written(key, node)
                    if written is None and counts[0][piece] != counts[1][piece]:
                        unknown = key
                    pieces.append(written or _value(key, pieces))
            found.append("".join(pieces))
        return (found[0], found[1]), unknown


def hidden_settings(variant: Variant, before: NodeMetadata, after: NodeMetadata) -> list[str]:
    """Return the settings that differ in *variant*, but not in the rendered configuration."""
    return sorted(name for name in variant.settings if _rendered(name, before) == _rendered(name, after))


def _rendered(name: str, node: NodeMetadata) -> Json:
    # Hooks have two spellings.
    return node.config.get(name, node.config.get(name.replace("_", "-")))


def _written(key: str, node: NodeMetadata) -> str | None:
    """Return what the expression *key* is in SQL: a relation's token, or a name for one of `target`."""
    if key == "this":
        return f"{OPENING}{node.unique_id}{CLOSING}"
    if _OF_TARGET.fullmatch(key):
        return _word(key)
    if (source := _SOURCE.fullmatch(key)) is not None:
        ending = f".{source[1]}.{source[2]}"
        found = [one for one in node.parents if one.startswith("source.") and one.endswith(ending)]
    elif (ref := _REF.fullmatch(key)) is not None:
        version = ref[2] or ref[3]
        name = f"{ref[1]}.v{version}" if version else ref[1]
        found = [one for one in node.parents if ".".join(one.split(".")[2:]) == name]
        found = found or [one for one in node.parents if one.split(".")[2:3] == [ref[1]]]
    else:
        return None
    return f"{OPENING}{found[0]}{CLOSING}" if len(found) == 1 else None


def _word(key: str) -> str:
    return f"v{sha256(key.encode()).hexdigest()[:12]}"


def _value(key: str, before: list[str]) -> str:
    """Return a value for the expression *key* after the pieces *before*: a name after `from` and dots."""
    words = [piece.strip().lower() for piece in before if piece.strip()]
    if words and words[-1] in (".", "from", "join"):
        return _word(key)
    return str(int(sha256(key.encode()).hexdigest()[:7], 16))


def _root(side: ProjectSide) -> str | None:
    return side.run.project_name if side.run is not None else None
