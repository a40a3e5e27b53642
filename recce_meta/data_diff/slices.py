"""Slices of a value diff: which conditions the rows that differ meet, and others do not.

Three queries follow the join of `value`, which has counted the differences of each column:

1. A sample of differing rows and one of equal rows are turned into counts by feature and value, or by feature
   and one of 64 bins of equal size. `slice_search.propose` finds conditions in them.
2. The rows that differ are counted by the pattern of conditions that they meet, with the figures of shapes.
3. So are all rows of base, in a scan without a join. The others are equal, so every slice has exact counts.

Values are those of base, or those of current if rows were added, as they are stored. Only counts, the most
frequent values and the edges of ranges leave the warehouse. Private columns are only tested for NULL.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import NamedTuple

from msgspec.structs import replace
from sqlglot import exp, parse_one

from recce_meta.data_diff.keyed import BASE, CURRENT, KeyedSides, KeyFacts, is_missing
from recce_meta.data_diff.parents import SORTED, Parent
from recce_meta.data_diff.plan import Answer, Plan, Query, Rows, failure, rows_of
from recce_meta.data_diff.shapes import ShapeFigures
from recce_meta.data_diff.slice_features import (
    FORMS,
    SliceProperty,
    number_literal,
    properties_of,
)
from recce_meta.data_diff.slice_search import (
    ADDED,
    CHANGED,
    MOST_VALUES,
    REMOVED,
    Feature,
    FoundSlice,
    Group,
    Pattern,
    SliceTarget,
    SliceTest,
    propose,
    search,
)
from recce_meta.data_diff.source import is_not_null, negation, select_of, with_alias
from recce_meta.errors import QueryTimeout, first_line, plural
from recce_meta.models.data_diff import ColumnValues, DataSide
from recce_meta.models.explanations import Slice, SliceCondition, ValueShape, Why
from recce_meta.warehouses.arithmetic import all_of, any_of
from recce_meta.warehouses.dialect import SAMPLE_SLICES, Dialect
from recce_meta.warehouses.types import Kind, Sql

BINS = 64
MOST_ROWS = 2_000
"""Rows of each sample, those that differ and those that do not."""
FEWEST_ROWS = 1_000
MOST_CELLS = 150_000
"""Rows of both samples times features, above which the samples are smaller."""
FEWEST_CHANGED = 3
MOST_COLUMNS = 5
"""Columns with differences that are explained by themselves, those with most differences."""
SLICES_SHOWN = 3


class _RowsChanged(Exception):
    """A table was written between two queries."""


def explain(
    sides: KeyedSides,
    facts: KeyFacts,
    targets: Sequence[SliceTarget],
    columns: Sequence[ColumnValues],
    is_private: Callable[[str], bool],
    parents: Sequence[Parent] = (),
) -> Plan[Why]:
    """Return slices and shapes of *targets*, from `targets_of`; *columns* are the compared ones with counts.

    A slice rests on exact counts of all compared rows. A query that takes too long leaves a note instead.
    Values of *parents* are searched if no condition on the columns is met by exactly the rows of a target.
    """
    differing = [index for index, one in enumerate(columns) if one.mismatched]
    figures = ShapeFigures(
        sides, columns, [index for index in differing if not is_private(columns[index].name)]
    )
    many = tuple(one for one in targets if one.changed >= FEWEST_CHANGED)
    note = _not_searched(sides.dialect, targets, many)
    if note is not None:
        return Why(note=note, shapes=(yield from figures.read(facts)))
    try:
        own = yield from _SliceSearch(sides, facts, many, differing, is_private, figures).slices()
        exact = {name for one in own.slices if _score(one) == 1 for name in one.targets}
        others = tuple(one for one in many if one.name not in exact)
        if not (parents and others):
            return own
        more = yield from _SliceSearch(sides, facts, others, differing, is_private, None, parents).slices()
        found = sorted((*own.slices, *more.slices), key=lambda one: -_score(one))
        return replace(own, slices=tuple(found), searched=own.searched + more.searched)
    except _RowsChanged:
        return Why(note="not searched: rows changed while they were read")
    except QueryTimeout as error:
        return Why(note=f"not searched: {first_line(error)}", shapes=(yield from figures.read(facts)))


def _not_searched(
    dialect: Dialect, targets: Sequence[SliceTarget], many: Sequence[SliceTarget]
) -> str | None:
    """Return why no slices are searched; None if they are. *many* are the targets with enough rows."""
    if not dialect.has_slices:
        return f"not searched: not supported in {dialect.name}"
    if not many:
        most = max((one.changed for one in targets), default=0)
        return f"not searched: {plural(most, 'differing row')} {'is' if most == 1 else 'are'} too few"
    return "every compared row differs" if all(one.changed == one.compared for one in many) else None


def _score(one: Slice) -> float:
    """Return F1 of the share of the target in the slice, and that of the slice in the target."""
    return 2 * one.changed_in_slice / (one.changed + one.in_slice)


def targets_of(
    added: int, removed: int, changed: int, common: int, columns: Sequence[ColumnValues]
) -> list[SliceTarget]:
    """Return what is explained: added, removed and changed rows, and the columns with most differences."""
    found = [SliceTarget(ADDED, added, common + added), SliceTarget(REMOVED, removed, common + removed)]
    found.append(SliceTarget(CHANGED, changed, common))
    ranked = sorted((one for one in columns if one.mismatched), key=lambda one: -(one.mismatched or 0))
    found += [SliceTarget(one.name, one.mismatched or 0, common) for one in ranked[:MOST_COLUMNS]]
    return [one for one in found if one.changed]


@dataclass(frozen=True)
class _SliceSearch:
    """Search of one pair of relations."""

    sides: KeyedSides
    facts: KeyFacts
    targets: tuple[SliceTarget, ...]
    differing: Sequence[int]
    is_private: Callable[[str], bool]
    figures: ShapeFigures | None
    """What is read of shapes with the second query."""
    parents: Sequence[Parent] = ()
    """Parents whose values are searched instead of those of the node."""

    def slices(self) -> Plan[Why]:
        properties = list(
            properties_of(self.sides, self.targets, self.differing, self.is_private, self.parents)
        )
        features = [one.feature for one in properties]
        rates = self._rates(len(features))
        (answer,) = yield [self._query(self._sample(properties, rates), "values of differing rows")]
        groups = _groups(rows_of(answer), len(self.targets), rates)
        conditions = propose(features, groups, self.targets)
        searched = len({one.column for one in features})
        if not conditions:
            shapes = () if self.figures is None else (yield from self.figures.read(self.facts))
            return Why(searched=searched, shapes=shapes)
        patterns, shapes = yield from self._counted(properties, conditions)
        found: list[Slice] = []
        for place, target in enumerate(self.targets):
            slices = search(place, target, patterns, conditions, features)[:SLICES_SHOWN]
            found += [self._slice(target, one, properties) for one in slices]
        return Why(slices=_merged(found), searched=searched, shapes=shapes)

    def _counted(
        self, properties: Sequence[SliceProperty], conditions: Sequence[SliceTest]
    ) -> Plan[tuple[list[Pattern], tuple[ValueShape, ...]]]:
        """Return the rows by conditions, and the shapes, none if their figures cannot be computed."""
        rest = self._query(self._of_base(properties, conditions), "rows of base by conditions")
        about = "differing rows by conditions"
        shapes: tuple[ValueShape, ...] = ()
        answer: Answer
        (answer, whole) = yield [
            self._query(self._differing(properties, conditions, self.figures), about),
            rest,
        ]
        if self.figures is not None and not isinstance(answer, QueryTimeout) and failure(answer):
            (answer,) = yield [self._query(self._differing(properties, conditions, None), about)]
        elif self.figures is not None:
            shapes = self.figures.shapes(row[4:] for row in rows_of(answer))
        patterns = [_pattern(row[:4]) for row in rows_of(answer)]
        equal = {int(bits): int(number) for bits, number in rows_of(whole)}
        for side, _, bits, number in patterns:
            if side is not DataSide.CURRENT:
                equal[bits] = equal.get(bits, 0) - number
        if any(number < 0 for number in equal.values()):
            raise _RowsChanged
        return [*patterns, *((None, 0, bits, number) for bits, number in equal.items() if number)], shapes

    def _query(self, expression: exp.Select, about: str) -> Query:
        dialect = self.sides.dialect
        return Query(
            expression=expression, dialect=dialect, about=f"{about} of {self.sides.name}", assumed=[]
        )

    # Queries

    def _joined(
        self,
        *expressions: Sql,
        where: Sql | None = None,
        keep: Callable[[DataSide], Sql] | None = None,
    ) -> exp.Select:
        """Select *expressions* from the full join of both sides, and what these and *where* read.

        With *keep*, each side has only the rows that meet its condition.
        """
        read = _columns_read([*expressions, *([] if where is None else [where])])
        select = self.sides.join(
            *(
                self._rows(side, read.get(alias, set()), None if keep is None else keep(side))
                for side, alias in ((DataSide.BASE, BASE), (DataSide.CURRENT, CURRENT))
            )
        )
        select = self._with_parents(select, self.sides.joined_key()).select(*expressions, copy=False)
        return select if where is None else select.where(where, copy=False)

    def _with_parents(self, select: exp.Select, key: Sequence[Sql]) -> exp.Select:
        for place, parent in enumerate(self.parents):
            alias = f"p{place}"
            equal = (
                exp.EQ(this=one.copy(), expression=other)
                for one, other in zip(key, self.sides.key_columns(alias), strict=True)
            )
            figures = self._figures_of(parent).subquery(alias, copy=False)
            select = select.join(figures, on=all_of(equal), join_type="left", copy=False)
        return select

    def _figures_of(self, parent: Parent) -> exp.Select:
        """Select the figures of `_parent_sources` by key."""
        columns = [(f"x{i}", one.of("t")) for i, one in enumerate(parent.columns) if one.type.kind in SORTED]
        rows = parent.rows(self.sides, parent.base, columns).subquery("g", copy=False)
        figures = [with_alias(exp.Count(this=exp.Star()), "n")]
        for name, _ in columns:
            value = exp.column(name, table="g")
            figures += [
                with_alias(exp.Min(this=value), f"a{name[1:]}"),
                with_alias(exp.Max(this=value.copy()), f"z{name[1:]}"),
            ]
        keys = self.sides.key_columns("g")
        select = select_of(*keys, *figures).from_(rows, copy=False)
        return select.group_by(*(key.copy() for key in keys), copy=False)

    def _rows(self, side: DataSide, names: set[str], keep: Sql | None = None) -> exp.Select:
        """Select the key and the columns *names*: a join of wide rows is slow."""
        extra = [
            (f"v{index}", (how.pair.base if side is DataSide.BASE else how.pair.current).of("t"))
            for index, how in enumerate(self.sides.compared)
        ]
        extra += [
            (f"u{index}", column.of("t"))
            for index, (own, column) in enumerate(self.sides.alone)
            if own is side
        ]
        wanted = [index for index in self.differing if f"c{index}" in names]
        extra = [(name, value) for name, value in extra if name in names]
        return self.sides.rows(side, wanted, extra=extra, excluded=self.facts.excluded, keep=keep)

    def _is_target(self, target: SliceTarget) -> Sql:
        if target.name in (ADDED, REMOVED):
            return is_missing(BASE if target.name == ADDED else CURRENT)
        on_both = [negation(is_missing(BASE)), negation(is_missing(CURRENT))]
        if target.name == CHANGED:
            return all_of([*on_both, any_of(self.sides.differ(index) for index in self.differing)])
        index = next(i for i, how in enumerate(self.sides.compared) if how.pair.name == target.name)
        return all_of([*on_both, self.sides.differ(index)])

    def _rates(self, features: int) -> _Rates:
        rows = max(FEWEST_ROWS, min(MOST_ROWS, MOST_CELLS // max(1, features) // 2))
        by_name = {one.name: one for one in self.targets}
        differing = sum(by_name[name].changed for name in (ADDED, REMOVED, CHANGED) if name in by_name)
        equal = max(one.compared for one in self.targets) - differing
        # The sample of the user's option takes the same keys first.
        taken = (self.sides.options.sample or 100) / 100
        return _Rates(_rate(rows, differing), _rate(rows, equal), taken)

    def _sample(self, properties: Sequence[SliceProperty], rates: _Rates) -> exp.Select:
        differs = self.sides.row_differs(self.differing)
        where: Sql | None = None
        keep: Callable[[DataSide], Sql] | None = None
        if rates.is_sampled:
            parts = [
                all_of([differs.copy(), *self._sampled(rates.differing, rates)]),
                all_of([negation(differs.copy()), *self._sampled(rates.equal, rates)]),
            ]
            where = any_of(parts)
        if rates.most < 1:
            keep = partial(self.sides.sampled, percent=100 * rates.most * rates.taken)
        columns = [with_alias(_one_if(self._is_target(one)), f"t{i}") for i, one in enumerate(self.targets)]
        columns += [
            with_alias(_one_if(differs.copy()), "df"),
            with_alias(_one_if(is_missing(BASE)), "ad"),
            with_alias(_one_if(is_missing(CURRENT)), "rm"),
        ]
        columns += [
            with_alias(one.sql, f"{'n' if one.feature.is_number else 'x'}{index}")
            for index, one in enumerate(properties)
        ]
        text = _COUNTS.format(**_parts([one.feature for one in properties], len(self.targets)))
        select = parse_one(text, dialect="duckdb")
        assert isinstance(select, exp.Select)
        ctes = select.ctes
        rows = exp.CTE(
            this=self._joined(*columns, where=where, keep=keep),
            alias=exp.TableAlias(this=exp.to_identifier("d")),
        )
        select = self.sides.with_repeated(_without_ctes(select), self.facts.excluded)
        for cte in (rows, *ctes):
            select = select.with_(cte.alias, as_=cte.this, copy=False)
        return select

    def _sampled(self, rate: float, rates: _Rates) -> list[Sql]:
        if rate == rates.most:  # of which the rows are before the join
            return []
        keys = [
            self.sides.dialect.hashable(value, part.common.type or part.pair.current.type)
            for part, value in zip(self.sides.key, self.sides.joined_key(), strict=True)
        ]
        return [self.sides.dialect.sampled(keys, 100 * rate * rates.taken)]

    def _differing(
        self,
        properties: Sequence[SliceProperty],
        conditions: Sequence[SliceTest],
        figures: ShapeFigures | None,
    ) -> exp.Select:
        """Count the rows that differ by side, and by targets and conditions, each as bits of a number."""
        lone = exp.Case().when(is_missing(BASE), number_literal(1), copy=False)
        lone = lone.when(is_missing(CURRENT), number_literal(2), copy=False).else_(
            number_literal(0), copy=False
        )
        inner = self._joined(
            with_alias(lone, "lone"),
            with_alias(_bits(map(self._is_target, self.targets)), "hits"),
            with_alias(_bits(properties[one.feature].test(one) for one in conditions), "bits"),
            *(figures.expressions if figures else ()),
            where=self.sides.row_differs(self.differing),
        )
        return self._grouped(inner, ("lone", "hits", "bits"), figures.totals if figures else ())

    def _of_base(self, properties: Sequence[SliceProperty], conditions: Sequence[SliceTest]) -> exp.Select:
        """Count the rows of base by conditions; current is joined if one reads a column of it alone."""
        tested = [(one, properties[one.feature]) for one in conditions]
        if any(of.source.of_base is None for _, of in tested):
            bits = with_alias(_bits(of.test(one) for one, of in tested), "bits")
            inner = self._joined(bits, where=negation(is_missing(BASE)))
        else:
            bits = with_alias(_bits(of.test(one, of.source.of_base) for one, of in tested), "bits")
            rows = self._rows(DataSide.BASE, _columns_read([bits]).get(BASE, set()))
            inner = exp.Select().from_(rows.subquery(BASE, copy=False), copy=False)
            inner = self._with_parents(inner, self.sides.key_columns(BASE)).select(bits, copy=False)
        return self._grouped(inner, ("bits",))

    def _grouped(self, inner: exp.Select, names: Sequence[str], more: Sequence[Sql] = ()) -> exp.Select:
        groups: list[Sql] = [exp.column(name, table="z") for name in names]
        select = select_of(*groups, with_alias(exp.Count(this=exp.Star()), "n"), *more)
        select = select.from_(inner.subquery("z", copy=False), copy=False)
        select = select.group_by(*(group.copy() for group in groups), copy=False)
        return self.sides.with_repeated(select, self.facts.excluded)

    # Results

    def _slice(self, target: SliceTarget, found: FoundSlice, properties: Sequence[SliceProperty]) -> Slice:
        sql = all_of(self._condition(one, properties[one.feature]) for one in found.conditions)

        def described(conditions: Sequence[SliceTest]) -> tuple[SliceCondition, ...]:
            return tuple(_described(one, properties[one.feature]) for one in conditions)

        own = described(found.conditions)
        # One value of a number is also a range of one value.
        same = {tuple(one.text for one in other): other for other in map(described, found.same)}
        same.pop(tuple(one.text for one in own), None)
        return Slice(
            targets=(target.name,),
            conditions=own,
            sql=self.sides.dialect.render(sql),
            changed=target.changed,
            compared=target.compared,
            in_slice=found.met,
            changed_in_slice=found.hit,
            same_rows=tuple(islice(same.values(), 8)),
        )

    def _condition(self, condition: SliceTest, of: SliceProperty) -> Sql:
        """Return *condition* on the stored columns; on a parent, as one on the key."""
        parent, aggregate = of.source.parent, of.source.aggregate
        if parent is None or aggregate is None:
            return of.test(condition, _named(of.source.name))
        # Keys without rows in the parent meet a negative condition.
        opposite = _OPPOSITES.get(condition.operator)
        asked = condition if opposite is None else condition._replace(operator=opposite)
        keys = [part.pair.base.of("t") for part in self.sides.key]
        met = parent.base.select(*keys).where(*(is_not_null(key.copy()) for key in keys), copy=False)
        met = met.group_by(*(key.copy() for key in keys), copy=False)
        met = met.having(of.test(asked, aggregate), copy=False)
        own = [_named(name) for name in self.sides.key_names]
        found = exp.In(this=own[0] if len(own) == 1 else exp.Tuple(expressions=own), query=met.subquery())
        return found if opposite is None else negation(found)


_OPPOSITES = {"null": "not null", "not in": "in"}


class _Rates(NamedTuple):
    """Shares of the rows that are sampled."""

    differing: float
    equal: float
    taken: float

    @property
    def is_sampled(self) -> bool:
        return self.differing < 1 or self.equal < 1

    @property
    def most(self) -> float:
        return max(self.differing, self.equal)


def _rate(wanted: int, rows: int) -> float:
    """Return the share of *rows* to sample, which `Dialect.sampled` can take."""
    return 1.0 if rows <= wanted else max(1, round(wanted / rows * SAMPLE_SLICES)) / SAMPLE_SLICES


def _one_if(test: Sql) -> Sql:
    return exp.Case().when(test, number_literal(1), copy=False).else_(number_literal(0), copy=False)


def _named(name: str) -> Sql:
    return exp.column(exp.to_identifier(name, quoted=True))


def _bits(tests: Iterable[Sql]) -> Sql:
    total: Sql = exp.cast(number_literal(0), "BIGINT")
    for place, test in enumerate(tests):
        bit = (
            exp.Case().when(test, number_literal(1 << place), copy=False).else_(number_literal(0), copy=False)
        )
        total = exp.Add(this=total, expression=bit)
    return total


_COUNTS = """
with m as (
    select g.f as f, {flags}, df, ad, rm, {numbers} as num, {texts} as txt
    from d cross join (values {ids}) as g(f)
),
b as (
    select m.*, case when num is null then null
        else floor(percent_rank() over (
            partition by f, case when num is null then 1 else 0 end order by num
        ) * {bins}) end as bin
    from m
),
c as (
    select f, bin, txt, min(num) as low, max(num) as high, sum(1 - df) as eq, sum(df) as df, sum(ad) as ad,
        sum(rm) as rm, {sums}, {hulls}, count(*) over (partition by f) as groups,
        row_number() over (
            partition by f, case when txt is null then 1 else 0 end order by {order} desc, count(*) desc
        ) as place
    from b group by f, bin, txt
)
select f, bin, txt, low, high, eq, df, ad, rm, groups, {names}
from c where txt is null or place <= {most}
"""


def _parts(features: Sequence[Feature], targets: int) -> dict[str, str]:
    """Return the parts of `_COUNTS`."""
    numbers = [f"when {i} then n{i}" for i, one in enumerate(features) if one.is_number]
    texts = [f"when {i} then x{i}" for i, one in enumerate(features) if not one.is_number]
    every = range(targets)
    return {
        "flags": ", ".join(f"t{i}" for i in every),
        "numbers": f"case g.f {' '.join(numbers)} end" if numbers else "cast(null as double)",
        "texts": f"case g.f {' '.join(texts)} end" if texts else "cast(null as varchar)",
        "ids": ", ".join(f"({i})" for i in range(len(features))),
        "bins": str(BINS),
        "sums": ", ".join(f"sum(t{i}) as s{i}" for i in every),
        "hulls": ", ".join(
            f"{figure}(case when t{i} = 1 then num end) as {name}{i}"
            for i in every
            for figure, name in (("min", "a"), ("max", "z"))
        ),
        "order": " + ".join(f"sum(t{i})" for i in every),
        "names": ", ".join(f"s{i}, a{i}, z{i}" for i in every),
        "most": str(MOST_VALUES),
    }


def _columns_read(expressions: Sequence[Sql]) -> dict[str, set[str]]:
    """Return the names of the columns in *expressions* by their table."""
    found: dict[str, set[str]] = {}
    for one in (column for each in expressions for column in each.find_all(exp.Column)):
        found.setdefault(one.table, set()).add(one.name)
    return found


def _without_ctes(select: exp.Select) -> exp.Select:
    for name in ("with", "with_"):
        select.set(name, None)
    return select


def _groups(rows: Rows, targets: int, rates: _Rates) -> dict[int, list[Group]]:
    """Return the groups of each feature, as estimates for all rows."""
    found: dict[int, list[Group]] = {}
    for feature, bin_, text, low, high, equal, *counts in rows:
        differing, added, removed, groups = counts[:4]
        triples = [counts[4 + 3 * place : 7 + 3 * place] for place in range(targets)]
        numbers = [one for one in (low, high) if one is not None]
        if not all(math.isfinite(float(one)) for one in numbers):
            continue
        group = Group(
            bin=None if bin_ is None else int(bin_),
            text=None if text is None else str(text),
            low=_float(low),
            high=_float(high),
            equal=float(equal) / rates.equal,
            differing=float(differing) / rates.differing,
            added=float(added) / rates.differing,
            removed=float(removed) / rates.differing,
            hits=tuple(float(hit) / rates.differing for hit, _, _ in triples),
            hulls=tuple((_float(one), _float(other)) for _, one, other in triples),
            groups=int(groups),
        )
        found.setdefault(int(feature), []).append(group)
    return found


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))


def _pattern(row: Sequence[object]) -> Pattern:
    lone, hits, bits, number = (int(str(one)) for one in row)
    side = {0: None, 1: DataSide.CURRENT, 2: DataSide.BASE}[lone]
    return side, hits, bits, number


def _merged(slices: Iterable[Slice]) -> tuple[Slice, ...]:
    """Return *slices*; equal ones of several columns, or of all, are one."""
    found: dict[object, Slice] = {}
    for one in slices:
        is_side = one.targets[0] in (ADDED, REMOVED)
        key = one.conditions, one.changed, one.in_slice, one.changed_in_slice, one.targets if is_side else ()
        known = found.get(key)
        if known is None:
            found[key] = one
        else:
            found[key] = replace(known, targets=(*known.targets, *one.targets))
    return tuple(found.values())


# Words


def _described(condition: SliceTest, of: SliceProperty) -> SliceCondition:
    feature, values = of.feature, _shown(condition, of)
    return SliceCondition(
        column=feature.column,
        figure=feature.figure,
        operator=condition.operator,
        values=values,
        text=_words(condition, of, values),
        relation=of.source.parent.name if of.source.parent else "",
    )


def _shown(condition: SliceTest, of: SliceProperty) -> tuple[str, ...]:
    """Return the operands as text; an open end of a range is empty."""
    if condition.operator != "between":
        return tuple(map(str, condition.values))
    return tuple("" if one is None else _edge(float(str(one)), of) for one in condition.values[:2])


def _edge(value: float, of: SliceProperty) -> str:
    if not of.feature.is_time:
        return f"{value:.0f}" if value == round(value) else repr(value)
    moment = datetime(1970, 1, 1) + timedelta(seconds=value)
    is_day = of.source.type.kind is Kind.DATE or moment.time() == datetime.min.time()
    return moment.date().isoformat() if is_day else moment.isoformat(" ")


_FIGURES = {"length": "length of {}", "hour": "hour of {}", "day": "day of the month of {}"}


def _words(condition: SliceTest, of: SliceProperty, values: Sequence[str]) -> str:
    column, figure = of.feature.column, of.feature.figure
    name = _FIGURES.get(figure, "{}").format(column)
    if condition.operator in ("null", "not null"):
        return f"{column} is {condition.operator}"
    if figure == "null":
        is_null_ = (values == ("yes",)) is (condition.operator == "in")
        return f"{column} is {'null' if is_null_ else 'not null'}"
    if condition.operator == "between":
        low, high = values
        below = "below " if condition.values[2] else ""
        if low == high:
            return f"{name} = {low}"
        if low and high:
            return f"{name} from {low} to {below}{high}"
        return f"{name} >= {low}" if low else f"{name} {'<' if below else '<='} {high}"
    is_negated = condition.operator == "not in"
    or_null = " or null" if is_negated else ""
    if figure == "form":
        forms = [_NOT_FORMS[FORMS.index(one)] if is_negated else one for one in values]
        return f"{column} {(' and ' if is_negated else ' or ').join(forms)}{or_null}"
    is_quoted = of.source.type.kind not in _UNQUOTED
    shown = [f"'{one}'" if is_quoted else one for one in values]
    listed = shown[0] if len(shown) == 1 else f"({', '.join(shown)})"
    if figure == "prefix":
        verb = "does not start with" if is_negated else "starts with"
        return f"{column} {verb} {listed if len(shown) == 1 else ' or '.join(shown)}{or_null}"
    if len(shown) == 1:
        return f"{name} {'is distinct from' if is_negated else '='} {listed}"
    return f"{name} {condition.operator} {listed}{or_null}"


_NOT_FORMS = ("is not empty", "has no blanks around", "is not in lower case", "is not in upper case")
_UNQUOTED = frozenset([Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN])
