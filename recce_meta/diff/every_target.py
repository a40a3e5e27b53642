"""Comparison of the templates of a node for every target, variable and branch, not only those of the run.

dbt compiles both sides for one target. An edit that only acts in `{% if target.name == 'prod' %}` does not
change compiled SQL. `recce_meta.render.variants` renders both templates for all values that lead
to different results.

dbt compiles an incremental model for the first build or for a later one, by what it finds in the database.
If each side shows another one, both are rendered, with the values that compiled SQL shows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import cached_property, partial
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.diff.code import (
    STEADY,
    branch_tokens,
    construct_places,
    differing_expressions,
    edited_constructs,
    jinja_names,
    outside_names,
    sql_pieces,
    tokens,
    with_packages,
)
from recce_meta.diff.project_side import ProjectSide, templates_of
from recce_meta.diff.same_sql import BRANCH, Dependence, SqlInputs
from recce_meta.lazy import LazyModule
from recce_meta.models import Json, MacroMetadata, NodeMetadata
from recce_meta.models.adapters import base_name, is_builtin
from recce_meta.models.relation_tokens import CLOSING, OPENING
from recce_meta.provisional import note_provisional

if TYPE_CHECKING:
    from recce_meta.render import symbols, variants
    from recce_meta.render.variants import TemplateComparer, Variant, VariantComparison, WorldText
else:
    # Most diffs compare no templates.
    symbols, variants = LazyModule("recce_meta.render.symbols"), LazyModule("recce_meta.render.variants")

Result = TypeVar("Result")
MOST_SECONDS = 20.0
"""Time for the templates of a diff; what remains is unknown."""
EVERYWHERE = STEADY | frozenset("adapter api exceptions log print dict namespace zip set loop".split())
"""Names with the same value for every target of one adapter."""
_OF_TARGET = re.compile(r"target\.(name|schema|database|dataset|project|user|role|warehouse|profile_name)")
"""Members of `target` that are plain names."""
_WITH_PACKAGE = re.compile(r"\bref\('(\w+)\.(\w+)'")
_REF = re.compile(r"ref\('((?:[^'\\]|\\.)*)'(?:, (?:v|version)=(?:'([^']*)'|(\d+)))?\)")
_SOURCE = re.compile(r"source\('([^']*)', '([^']*)'\)")
_FREE = re.compile(r"(?:env_)?var\('[^']*'\)|(?:target|this)\.\w+")
"""Beginning of an expression with a value that no edit of the code changes."""
MOST_PAIRS = 16
"""Most pairs of texts that may be the compiled SQL of both sides."""
_BETWEEN = "\x1f"
"""Character between two tokens of SQL."""
_VALUE = rf"(?:[-+]{_BETWEEN})?[^{_BETWEEN}]+(?:{_BETWEEN}\.{_BETWEEN}[^{_BETWEEN}]+)*"
"""Pattern of the tokens of a value: a literal, a number with a sign, or a name with dots."""


class Branches(Struct, frozen=True, kw_only=True):
    """SQL of both sides for both values of `is_incremental()`, with tokens of relations."""

    first: tuple[str, str]
    """SQL of base and of current where it is false."""
    later: tuple[str, str]
    """SQL of base and of current where it is true."""
    is_equal: bool
    """Whether both sides have equivalent SQL in each branch."""


class WorldSql(Struct, frozen=True):
    """SQL of a node in one world, with tokens of relations."""

    conditions: tuple[str, ...]
    sql: str
    has_values: bool
    """Whether values of variables in it are made up."""


class EveryTarget:
    """Comparison of templates of two sides, for all nodes."""

    def __init__(
        self, base: ProjectSide, current: ProjectSide, changed_macros: Callable[[], Collection[str]]
    ) -> None:
        self._sides = (base, current)
        self._changed_macros = changed_macros
        self._adapter = current.adapter or base.adapter
        self.inputs = (SqlInputs(base), SqlInputs(current))
        self._seconds = 0.0
        self._found: dict[str, VariantComparison | None] = {}
        self._branches: dict[str, Branches | None] = {}
        self._world_texts: dict[tuple[int, str, str | None], list[WorldText]] = {}

    def compare(self, before: NodeMetadata, after: NodeMetadata) -> VariantComparison | None:
        """Return the variants in which the code of a node differs; None if compiled SQL shows all of it."""
        key = after.unique_id
        if key not in self._found:
            self._found[key] = self._compare(before, after)
        return self._found[key]

    def writes_otherwise(self, code: str, package: str | None) -> bool:
        """Return True if the macros of both sides may write other text for *code* on some target."""
        compare = partial(self._templates.compare, (code, code), package, opaque=lambda macro: False)
        found = self._timed(compare)
        return found is None or not found.is_equal

    def hides(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Return True if the code may differ where compiled SQL and rendered configuration do not show it."""
        found = self.compare(before, after)
        if found is None or found.undecided:
            return found is not None
        return any(one.has_other_text or hidden_settings(one, before, after) for one in found.variants)

    def branches(self, before: NodeMetadata, after: NodeMetadata) -> Branches | None:
        """Return the SQL of a node for both values of `is_incremental()`, if compiled SQL shows two of them.

        None if it shows the same branch on both sides, or perhaps another template.
        """
        key = after.unique_id
        if key not in self._branches:
            self._branches[key] = self._timed(lambda: self._both_branches(before, after))
        return self._branches[key]

    def worlds(self, index: int, node: NodeMetadata) -> list[WorldSql]:
        """Return the SQL of a node of one side in each world; none if it needs a value that is not known."""
        return self._timed(lambda: self._in_worlds(index, node)) or []

    def _in_worlds(self, index: int, node: NodeMetadata) -> list[WorldSql]:
        key = (0 if self._has_same_macros else index, node.raw_code or "", node.package_name)
        if key not in self._world_texts:
            self._world_texts[key] = self._texts_of(*key)
        return [
            WorldSql(one.world.conditions(), sql, any(_written(key, node) is None for key in _keys(one)))
            for one in self._world_texts[key]
            if (sql := self._filled(one, node, {})) is not None
        ]

    def _texts_of(self, index: int, code: str, package: str | None) -> list[WorldText]:
        for opaque in (lambda macro: False, self._is_of_dbt):
            with suppress(symbols.Undecidable):
                return self._templates.texts(index, code, package, symbols.World(()), opaque=opaque)
        return []

    @cached_property
    def _has_same_macros(self) -> bool:
        """Return True if a template has the same texts on both sides."""
        base, current = self._sides
        return _root(base) == _root(current) and base.macros == current.macros

    def shows_later(self, index: int, node: NodeMetadata) -> bool:
        """Return True if the compiled SQL of one side is that of a later build, not of a first one."""
        shown = self._timed(lambda: self._shown(index, node))
        return shown is not None and shown.is_incremental

    def _timed(self, work: Callable[[], Result | None]) -> Result | None:
        """Return the result of *work*; None if the time for the templates of a diff is over."""
        if _is_over(self._seconds):
            return None
        start = monotonic()
        try:
            return work()
        finally:
            self._seconds += monotonic() - start

    def _both_branches(self, before: NodeMetadata, after: NodeMetadata) -> Branches | None:
        nodes = (before, after)
        if "python" in (before.language, after.language) or not all(
            inputs.has_branches(node) for inputs, node in zip(self.inputs, nodes, strict=True)
        ):
            return None
        base, current = (self._shown(index, node) for index, node in enumerate(nodes))
        if base is None or current is None or base.is_incremental is current.is_incremental:
            return None
        if len(base.found) * len(current.found) > MOST_PAIRS:
            return None
        texts: dict[bool, list[str]] = {False: [], True: []}
        for index, one, other in ((0, base, current), (1, current, base)):
            rendered, values = one.found[0]
            filled = self._filled(rendered, nodes[index], values)
            unseen = self._other_branch(index, nodes[index], one, other)
            if filled is None or unseen is None:
                return None
            texts[one.is_incremental].append(filled)
            texts[other.is_incremental].append(unseen)
        first, later = ((some[0], some[1]) for some in texts.values())
        is_equal = self._is_same_sql(*first) and self._is_same_sql(*later)
        return Branches(first=first, later=later, is_equal=is_equal)

    def _shown(self, index: int, node: NodeMetadata) -> _Shown | None:
        """Return what the compiled SQL of one side shows; None if it may be of each branch, or of none."""
        compiled = self._sides[index].compiled_tokens(node, self._adapter) or ()
        for opaque in (lambda macro: False, self._is_of_dbt):
            try:
                found = [
                    (branch, one, values)
                    for branch in (False, True)
                    for one in self._templates.texts(
                        index, node.raw_code or "", node.package_name, _world(node, branch), opaque=opaque
                    )
                    if (values := _values(one, node, compiled, self._adapter)) is not None
                ]
            except symbols.Undecidable:
                continue
            if len({branch for branch, _, _ in found}) == 1:
                return _Shown(found[0][0], opaque, [(one, values) for _, one, values in found])
        return None

    def _other_branch(self, index: int, node: NodeMetadata, shown: _Shown, other: _Shown) -> str | None:
        """Return the SQL of the branch that compiled SQL does not show; None if there may be several.

        What only this branch reads of variables and of the target has the value that the *other* side shows.
        """
        texts = set[str | None]()
        for like, own in shown.found:
            for there, theirs in other.found:
                values = {key: value for key, value in theirs.items() if _is_free(key)} | own
                world = _world(node, other.is_incremental, like.world)
                _adopt(world, there.world)
                try:
                    found = self._templates.texts(
                        index, node.raw_code or "", node.package_name, world, opaque=shown.opaque
                    )
                except symbols.Undecidable:
                    return None
                texts.update(self._filled(one, node, values) for one in found)
        return texts.pop() if len(texts) == 1 else None

    def _filled(self, rendered: WorldText, node: NodeMetadata, values: Mapping[str, str]) -> str | None:
        """Return the SQL of *rendered* with *values*; None if another value than a variable's is unknown."""
        if not all(
            key in values or _is_free(key) or _written(key, node) is not None for key in _keys(rendered)
        ):
            return None
        return self._sql(rendered.text, rendered.expressions, node, values)

    def _compare(self, before: NodeMetadata, after: NodeMetadata) -> VariantComparison | None:
        codes = templates_of(self._sides[0], before, after)
        # The macros of both sides are read only if the edit is in Jinja.
        is_touched = self._is_touched(*codes) or bool(self.changed_macros_of(before, after))
        if not is_touched or not any(map(self._depends, self.inputs, (before, after))):
            return None
        if _is_over(self._seconds):
            return variants.VariantComparison(undecided=f"more code than is rendered in {MOST_SECONDS:g} s")
        return self._timed(lambda: self._of_templates(codes, after.package_name))

    def changed_macros_of(self, before: NodeMetadata, after: NodeMetadata) -> frozenset[str]:
        """Return the changed macros that the code of a node may call in any branch."""
        changed = self._changed_macros()
        codes = (before.raw_code or "", after.raw_code or "")
        if not changed or not any(name in code for name in self._names_of_changed for code in codes):
            return frozenset()
        called = [
            one
            for inputs, node in zip(self.inputs, (before, after), strict=True)
            for one in inputs.macros(node)
        ]
        return frozenset(changed).intersection(called)

    @cached_property
    def _names_of_changed(self) -> frozenset[str]:
        """Return the names of macros that lead to a changed one."""
        changed = frozenset(self._changed_macros())
        return frozenset(
            base_name(macro.name)
            for side, inputs in zip(self._sides, self.inputs, strict=True)
            for macro in side.macros.values()
            if not changed.isdisjoint(inputs.behind(macro.unique_id))
        )

    def _of_templates(self, codes: tuple[str, str], package: str | None) -> VariantComparison | None:
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
        """Return True if the edit is in a branch, or in or around Jinja other than `ref` and the like.

        Text around Jinja can make a comment or a literal of a branch.
        """
        for construct in edited_constructs(base, current):
            is_config = construct.startswith("{{ config (")
            names = outside_names(construct) - EVERYWHERE if is_config else jinja_names(construct)
            if names - {"ref", "source"}:
                return True
        branches, places = (
            [part(code, self._adapter) for code in (base, current)]
            for part in (branch_tokens, construct_places)
        )
        return branches[0] != branches[1] or places[0] != places[1]

    @staticmethod
    def _depends(inputs: SqlInputs, node: NodeMetadata) -> bool:
        return inputs.dependence(node) is not Dependence.CODE

    def _is_same_sql(self, old: str, new: str) -> bool:
        return tokens(old, self._adapter, jinja=False) == tokens(new, self._adapter, jinja=False)

    @cached_property
    def _templates(self) -> TemplateComparer:
        base, current = self._sides
        macros = [
            [replace(one, macro_sql=with_packages(one.macro_sql, one.package_name)) for one in each.values()]
            for each in (base.macros, current.macros)
        ]
        return variants.TemplateComparer(
            (macros[0], macros[1]),
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
    ) -> tuple[tuple[str, str], str, bool]:
        """Return the SQL of both sides in *variant*, with tokens of relations, and an expression.

        The expression has an unknown value: it is outside of quotes, and not equally often on both sides.
        The SQL is then that of one value, as for expressions that both sides have. It may be empty. Last is
        whether the sides differ in such values alone.
        """
        unknown = ""
        bare: list[list[str]] = [[], []]
        counts = [
            Counter(token for kind, token in sql_pieces(text or "", self._adapter) if kind == "literal")
            for text in variant.texts
        ]
        found = []
        for text, node, pieces in zip(variant.texts, (before, after), bare, strict=True):
            for kind, piece in sql_pieces(text or "", self._adapter):
                pieces.append(piece)
                if kind == "literal" and piece.startswith(symbols.MARK):
                    key = variant.expressions[int(piece[len(symbols.MARK) : -len(CLOSING)])]
                    if counts[0][piece] != counts[1][piece] and _written(key, node) is None:
                        unknown = key
                        pieces[-1] = symbols.MARK
            found.append(self._sql(text or "", variant.expressions, node, {}))
        return (found[0], found[1]), unknown, bool(unknown) and bare[0] == bare[1]

    def _sql(
        self, text: str, expressions: tuple[str, ...], node: NodeMetadata, values: Mapping[str, str]
    ) -> str:
        """Return the SQL of *text* with *values* in place of symbols, and with a made-up value for others."""
        pieces: list[str] = []
        for kind, piece in sql_pieces(text, self._adapter):
            if kind == "comment":
                pieces.append(" ")
            elif not piece.startswith(symbols.MARK):
                pieces.append(
                    symbols.TOKEN.sub(lambda match: _inner(expressions[int(match[1])], values), piece)
                )
            else:
                key = expressions[int(piece[len(symbols.MARK) : -len(CLOSING)])]
                pieces.append(_written(key, node) or values.get(key) or _value(key, pieces))
        return "".join(pieces)


def _values(
    rendered: WorldText, node: NodeMetadata, compiled: tuple[str, ...], adapter: str | None
) -> dict[str, str] | None:
    """Return the values of expressions in compiled SQL; None if *rendered* is not its text."""
    groups: dict[int, str] = {}

    def pattern(piece: str) -> str:
        whole = symbols.TOKEN.fullmatch(piece) is not None
        parts = symbols.TOKEN.split(piece)
        for place, part in enumerate(parts):
            if place % 2 == 0:
                parts[place] = re.escape(part)
            elif int(part) in groups:
                parts[place] = f"(?P=v{part})"
            else:
                groups[int(part)] = rendered.expressions[int(part)]
                parts[place] = f"(?P<v{part}>{_VALUE if whole else f'[^{_BETWEEN}]*'})"
        return "".join(parts)

    def written(match: re.Match[str]) -> str:
        found = _written(rendered.expressions[int(match[1])], node)
        return found if found is not None and found.startswith(OPENING) else match[0]

    pieces = tokens(symbols.TOKEN.sub(written, rendered.text), adapter, jinja=False)
    match = re.fullmatch(_BETWEEN.join(map(pattern, pieces)), _BETWEEN.join(compiled))
    if match is None:
        return None
    return {key: match[f"v{place}"].replace(_BETWEEN, "") for place, key in groups.items()}


class _Shown(Struct, frozen=True):
    """What the compiled SQL of one side shows."""

    is_incremental: bool
    opaque: Callable[[MacroMetadata], bool]
    """Macros that were not followed to find it."""
    found: list[tuple[WorldText, dict[str, str]]]
    """Texts that may be it, with the values of the expressions in them."""


def _is_over(seconds: float) -> bool:
    if is_over := seconds > MOST_SECONDS:
        note_provisional()
    return is_over


def _world(node: NodeMetadata, is_incremental: bool, like: symbols.World | None = None) -> symbols.World:
    """Return what *is_incremental* implies for the templates of *node*, with other answers *like* a world's.

    `is_incremental()` is false if `should_full_refresh()` is true, which `--full-refresh` makes true unless
    the configuration says otherwise: `is_incremental.sql` and `configs.sql` of dbt's own macros.
    """
    found = symbols.World(()) if like is None else like.with_answers((), dict(like.places))
    found.truths[f"{BRANCH}()"] = is_incremental
    if is_incremental:
        found.truths["should_full_refresh()"] = False
        if node.config.get("full_refresh") is None:
            found.truths["flags.FULL_REFRESH"] = False
    return found


def _adopt(world: symbols.World, other: symbols.World) -> None:
    """Give *world* the answers of *other* on variables and targets that it has none on."""
    known = {*world.values, *world.truths, *world.others}
    new = {key for key in (*other.values, *other.truths, *other.others) if key not in known and _is_free(key)}
    world.values.update((key, value) for key, value in other.values.items() if key in new)
    world.truths.update((key, truth) for key, truth in other.truths.items() if key in new)
    world.others.update((key, set(constants)) for key, constants in other.others.items() if key in new)


def _is_free(key: str) -> bool:
    """Return True if the value of the expression *key* follows from a variable, or from the environment."""
    found = _FREE.match(key)
    return found is not None and "(" not in key[found.end() :]


def _keys(rendered: WorldText) -> set[str]:
    """Return the expressions that are in the text."""
    return {rendered.expressions[int(place)] for place in symbols.TOKEN.findall(rendered.text)}


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
        # `with_packages` puts the package into the name.
        found = [one for one in node.parents if name in (one.split(".", 2)[-1], one.split(".", 1)[-1])]
        found = found or [one for one in node.parents if one.split(".")[2:3] == [ref[1]]]
    else:
        return None
    return f"{OPENING}{found[0]}{CLOSING}" if len(found) == 1 else None


def _inner(key: str, values: Mapping[str, str]) -> str:
    """Return what the expression *key* is inside of a literal or a quoted name."""
    return _word(key) if _OF_TARGET.fullmatch(key) else values.get(key, _word(key))


def with_expressions(text: str, expressions: Iterable[str]) -> str:
    """Return *text* with *expressions* in place of the names that were made up for their values."""
    for key in expressions:
        text = text.replace(_word(key), f"{{{{ {shown_expression(key)} }}}}")
    return text


def shown_expression(key: str) -> str:
    """Return the expression *key* as its template has it."""
    return _WITH_PACKAGE.sub(r"ref('\1', '\2'", key)


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
