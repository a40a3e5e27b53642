"""Search for the slice of rows with the differences: conditions that most changed rows meet, and few others.

1. `propose` finds conditions in the counts of a sample by value and by bin. A condition is rated by the bits
   that it saves to name the changed rows (minimum description length): log2 C(n,t) - log2 C(s,k) -
   log2 C(n-s,t-k) less its own length. Of n rows, t changed; s rows meet it, of which k changed. The length
   grows with the number of columns and values, which corrects for chance.
2. `search` combines conditions by exact counts of all rows. A slice of up to three conditions is claimed if
   it saves more than `CLAIM_BITS` and its rows changed `MIN_LIFT` times as often as all rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, zip_longest
from typing import NamedTuple, TypeAlias

from recce_meta.models.data_diff import DataSide

CLAIM_BITS = 10.0
MIN_LIFT = 1.5
MOST_CONDITIONS = 32
MOST_VALUES = 40
"""Distinct values up to which a feature is a category; the most frequent ones of others are fetched."""
_PAIR_BITS, _TRIPLE_BITS = 3.0, 6.0
_IS_PURE = 0.95

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
"""Targets that are not columns."""


class Feature(NamedTuple):
    """Property of a row: a value of a column, or a figure of it."""

    column: str
    figure: str
    """`value`, `range`, `length`, `prefix`, `form`, `hour`, `day` or `null`."""
    is_number: bool
    is_time: bool = False
    differs: bool = False
    """True if the column may have another value in current."""


OTHER_FORM = "mixed"
"""Value of `form` that is none of the named forms."""
_DERIVED = frozenset(["length", "prefix", "form", "hour", "day"])


class SliceTest(NamedTuple):
    """SliceTest on one feature: its index, an operator and the operands."""

    feature: int
    operator: str
    """`null`, `not null`, `in`, `not in`, or `between`: of low, high, and True if high is out."""
    values: tuple[object, ...] = ()
    bits: float = 0.0

    @property
    def test(self) -> tuple[object, ...]:
        """Return all but the length."""
        return self[:3]


class SliceTarget(NamedTuple):
    """Rows to explain: `changed` of `compared` ones."""

    name: str
    changed: int
    compared: int


class Group(NamedTuple):
    """Rows of the sample with one value, or in one bin, of a feature."""

    bin: int | None
    text: str | None
    low: float | None
    high: float | None
    equal: float
    """Rows that do not differ, as an estimate for all rows; so are the next figures."""
    differing: float
    added: float
    removed: float
    hits: tuple[float, ...]
    """Rows of each target."""
    hulls: tuple[tuple[float | None, float | None], ...]
    """Smallest and largest number among the rows of each target."""
    groups: int
    """Number of groups of the feature, fetched or not."""


class Rated(NamedTuple):
    """SliceTest with estimated or exact counts."""

    gain: float
    conditions: tuple[SliceTest, ...]
    hit: float
    """Rows of the target that meet the conditions."""
    met: float
    """Rows that meet the conditions."""


Pattern: TypeAlias = tuple[DataSide | None, int, int, int]
"""Side that alone has the rows, bits of the targets, bits of the conditions, and the number of rows."""


def saved_bits(rows: float, changed: float, met: float, hit: float) -> float:
    """Return the bits that a slice saves to name *changed* of *rows*, if *hit* of its *met* rows changed.

    >>> round(saved_bits(900, 76, 76, 76))
    371
    >>> saved_bits(900, 90, 100, 10)
    0.0
    """
    if met <= 0 or met * changed >= rows * hit:
        return 0.0
    return _choices(rows, changed) - _choices(met, hit) - _choices(rows - met, changed - hit)


def _choices(rows: float, chosen: float) -> float:
    """Return log2 of the number of ways to choose."""
    if not 0 <= chosen <= rows:
        return math.inf
    log = math.lgamma(rows + 1) - math.lgamma(chosen + 1) - math.lgamma(rows - chosen + 1)
    return log / math.log(2)


def propose(
    features: Sequence[Feature], groups: Mapping[int, Sequence[Group]], targets: Sequence[SliceTarget]
) -> list[SliceTest]:
    """Return the conditions to count exactly, those of all targets in turn, the best first."""
    sizes = {index: found[0].groups for index, found in groups.items() if found}
    small = {one.column for i, one in enumerate(features) if one.figure == "value" and _is_small(sizes, i)}
    lists: list[list[SliceTest]] = []
    for place, target in enumerate(targets):
        if not 0 < target.changed < target.compared:
            continue
        found: list[Rated] = []
        for index, feature in enumerate(features):
            if feature.figure in ("length", "prefix") and feature.column in small:
                continue
            rater = _Rater(index, target, math.log2(max(2, len(features))), found)
            known = groups.get(index, ())
            if feature.figure == "form":
                known = [group for group in known if group.text != OTHER_FORM]
            counts = [_Counts.of(group, place, target.name) for group in known]
            if feature.is_number:
                _ranges(rater, counts, may_be_null=feature.figure == "range")
            else:
                _values(rater, counts, max(2, sizes.get(index, 2)))
        lists.append(_chosen(found, features, target))
    in_turn = (one for row in zip_longest(*lists) for one in row if one is not None)
    unique = {one.test: one for one in in_turn}
    return list(unique.values())[:MOST_CONDITIONS]


def _is_small(sizes: Mapping[int, int], index: int) -> bool:
    return 0 < sizes.get(index, 0) <= MOST_VALUES


class _Counts(NamedTuple):
    """Estimated counts of one group for one target."""

    group: Group
    hit: float
    met: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, group: Group, place: int, target: str) -> _Counts:
        hit = group.hits[place]
        # Rows that are only on the other side are not among those of the target.
        foreign = (0.0 if target == ADDED else group.added) + (0.0 if target == REMOVED else group.removed)
        return cls(group, hit, group.equal + group.differing - foreign, *group.hulls[place])


class _Rater(NamedTuple):
    """Rates conditions on one feature for one target."""

    feature: int
    target: SliceTarget
    bits: float
    """Length of the name of a feature."""
    found: list[Rated]

    def add(self, operator: str, values: tuple[object, ...], length: float, hit: float, met: float) -> None:
        """Rate a condition, and add it if it may be worth an exact count."""
        rows, changed = self.target.compared, self.target.changed
        hit = min(hit, changed)
        met = min(rows, max(hit, met))
        met = rows - (changed - hit) if rows - met < changed - hit else met
        condition = SliceTest(self.feature, operator, values, self.bits + length)
        gain = saved_bits(rows, changed, met, hit) - condition.bits
        if hit > 0 and gain > -5:
            self.found.append(Rated(gain, (condition,), hit, met))


def _values(rater: _Rater, counts: Sequence[_Counts], size: int) -> None:
    """Propose single values, all but a few, and the few values with the largest share of changed rows."""
    rows, changed = rater.target.compared, rater.target.changed
    length = math.log2(size)
    for one in counts:
        if one.group.text is None:
            rater.add("null", (), 1, one.hit, one.met)
        else:
            rater.add("in", (one.group.text,), length, one.hit, one.met)
    named = [one for one in counts if one.group.text is not None]
    if size <= MOST_VALUES:
        without = [one for one in named if one.hit <= 0.01 * one.met * changed / rows]
        without = sorted(without, key=lambda one: -one.met)[:3]
        for number in range(1, len(without) + 1):
            few = without[:number]
            hit, met = changed - sum(one.hit for one in few), rows - sum(one.met for one in few)
            rater.add("not in", tuple(one.group.text for one in few), length * number + 1, hit, met)
    dense = sorted(
        (one for one in named if one.hit), key=lambda one: (-one.hit / max(one.met, 1e-9), -one.hit)
    )
    for number in range(2, min(5, len(dense)) + 1):
        few = dense[:number]
        hit, met = sum(one.hit for one in few), sum(one.met for one in few)
        rater.add("in", tuple(one.group.text for one in few), length * number, hit, met)


def _ranges(rater: _Rater, counts: Sequence[_Counts], *, may_be_null: bool) -> None:
    """Propose NULL, and ranges of bins narrowed to the changed rows in them."""
    rows, changed = rater.target.compared, rater.target.changed
    for one in counts:
        if one.group.bin is None:
            rater.add("null", (), 1, one.hit, one.met)
            if may_be_null:
                rater.add("not null", (), 1, changed - one.hit, rows - one.met)
    bins = sorted((one for one in counts if one.group.bin is not None), key=lambda one: one.group.bin or 0)
    if len(bins) < 2 or not any(one.hit for one in bins):
        return
    seen = set()
    smallest, largest = bins[0].group.low, bins[-1].group.high
    for first, last, is_hull in _spans(bins, rows, changed):
        within = [one for one in bins[first : last + 1] if one.hit]
        if not within:
            continue
        low = within[0].low if first or is_hull else None
        high = within[-1].high if last < len(bins) - 1 or is_hull else None
        low = None if low is None or smallest is None or low <= smallest else low
        high = None if high is None or largest is None or high >= largest else high
        if (low, high) in seen or (low is None and high is None):
            continue
        seen.add((low, high))
        length = math.log2(len(bins)) * ((low is not None) + (high is not None))
        inner = bins[bins.index(within[0]) : bins.index(within[-1]) + 1]
        hit, met = sum(one.hit for one in inner), sum(one.met for one in inner)
        rater.add("between", (low, high, False), length, hit, met)


def _spans(bins: Sequence[_Counts], rows: int, changed: int) -> Iterator[tuple[int, int, bool]]:
    """Yield first and last bins: the hull of the changed rows, then runs with many of them."""
    last = len(bins) - 1
    hits = [index for index, one in enumerate(bins) if one.hit]
    yield hits[0], hits[-1], True
    excess = [one.hit / changed - (one.met - one.hit) / max(1, rows - changed) for one in bins]
    best, start, total = (0, last), 0, 0.0
    most = -math.inf
    for index, weight in enumerate(excess):  # the run with the largest sum (Kadane)
        if total <= 0:
            start, total = index, 0.0
        total += weight
        if total > most:
            most, best = total, (start, index)
    sums = list(accumulate(excess))
    prefix = max(range(len(bins)), key=sums.__getitem__)
    suffix = max(range(len(bins)), key=lambda index: sums[-1] - (sums[index - 1] if index else 0.0))
    dense = max(
        hits, key=lambda index: bins[index].hit / max(bins[index].met, 1e-9) * min(1, bins[index].hit / 5)
    )
    for span in {best, (0, hits[-1]), (hits[0], last), (0, prefix), (suffix, last), (dense, dense)}:
        if span != (0, last):
            yield (*span, False)


def _chosen(found: Sequence[Rated], features: Sequence[Feature], target: SliceTarget) -> list[SliceTest]:
    """Return the best of *found*, and narrow ones that all changed rows meet, which pairs need."""
    best = sorted(found, key=lambda one: -one.gain)

    def column(one: Rated) -> str:
        return features[one.conditions[0].feature].column

    singles = _first_of_each(best, column, 3)[:12]
    necessary = [one for one in best if one.hit > 0.97 * target.changed and one.met < 0.9 * target.compared]
    narrow = _first_of_each(sorted(necessary, key=lambda one: one.met), column, 1)
    hulls = [one for one in necessary if None not in one.conditions[0].values[:2] and _is_range(one)]
    full = [*_first_of_each(hulls, column, 1)[:6], *narrow[:16]]
    pure = sorted((one for one in best if one.hit > 0.9 * max(one.met, 1e-9)), key=lambda one: -one.hit)[:3]
    ordered = [*singles[:4], *full[:4], *singles[4:], *full[4:], *pure]
    conditions = [one.conditions[0] for one in ordered]
    rounded = [other for one in conditions if (other := _rounded(one, features[one.feature])) is not None]
    in_turn = zip_longest(conditions, rounded[:8])
    return [one for pair in in_turn for one in pair if one is not None]


def _is_range(one: Rated) -> bool:
    return one.conditions[0].operator == "between"


def _first_of_each(rated: Iterable[Rated], key: Callable[[Rated], str], most: int) -> list[Rated]:
    """Return the first *most* of each *key*."""
    taken: dict[str, int] = {}
    found = []
    for one in rated:
        name = key(one)
        if taken.get(name, 0) < most:
            taken[name] = taken.get(name, 0) + 1
            found.append(one)
    return found


_UNITS_OF_TIME = (86400.0, 3600.0)
_UNITS = tuple(10.0**power * half for power in range(9, -4, -1) for half in (1.0, 0.5))


def _rounded(condition: SliceTest, feature: Feature) -> SliceTest | None:
    """Return a range with round edges near its own, such as midnight; None if there are none."""
    if condition.operator != "between" or feature.figure != "range":
        return None
    low, high = (None if one is None else float(str(one)) for one in condition.values[:2])
    span = high - low if low is not None and high is not None and high > low else abs(high or low or 0.0)
    room = min(43200.0, span * 0.02) if feature.is_time else span * 0.005
    units = _UNITS_OF_TIME if feature.is_time else _UNITS
    below = None if low is None else _near(low, room, units, math.floor)
    above = None if high is None else _near(high, room, units, math.ceil)
    if below is None and above is None:
        return None
    values = (low if below is None else below, high if above is None else above, above is not None)
    return SliceTest(condition.feature, "between", values, condition.bits)


def _near(value: float, room: float, units: Iterable[float], to: Callable[[float], int]) -> float | None:
    for unit in units:
        edge = to(value / unit) * unit
        if edge == value:
            return None
        if abs(edge - value) <= room:
            return edge
    return None


class FoundSlice(NamedTuple):
    """Slice of the rows of a target, with exact counts."""

    conditions: tuple[SliceTest, ...]
    hit: int
    met: int
    same: tuple[tuple[SliceTest, ...], ...]
    """Other conditions with equal counts."""


def search(
    place: int,
    target: SliceTarget,
    patterns: Iterable[Pattern],
    conditions: Sequence[SliceTest],
    features: Sequence[Feature],
) -> list[FoundSlice]:
    """Return the slices of the target at *place*, the best first.

    Added rows have values of current, others those of base: only columns without differences count for them.
    """
    rows = [
        (target_bits >> place & 1, bits, number)
        for side, target_bits, bits, number in patterns
        if side is None
        or (
            side is DataSide.CURRENT
            if target.name == ADDED
            else side is DataSide.BASE and target.name == REMOVED
        )
    ]
    total = sum(number for *_, number in rows)
    changed = sum(number for is_hit, _, number in rows if is_hit)
    if not 0 < changed < total:
        return []

    def counted(ids: tuple[int, ...], extra: float) -> _Combination | None:
        mask = sum(1 << index for index in ids)
        met = sum(number for _, bits, number in rows if bits & mask == mask)
        hit = sum(number for is_hit, bits, number in rows if is_hit and bits & mask == mask)
        gain = saved_bits(total, changed, met, hit) - sum(conditions[i].bits for i in ids) - extra
        return _Combination(ids, met, hit, gain) if hit else None

    usable = [
        index
        for index, one in enumerate(conditions)
        if not (target.name == ADDED and features[one.feature].differs)
    ]
    singles = [one for index in usable if (one := counted((index,), 0.0))]
    best = sorted(singles, key=lambda one: -one.gain)[:10] + [one for one in singles if one.hit == changed]
    wanted = {
        tuple(sorted((one.ids[0], other.ids[0])))
        for one in best
        for other in singles
        if conditions[one.ids[0]].feature != conditions[other.ids[0]].feature
    }
    pairs = [one for ids in sorted(wanted) if (one := counted(ids, _PAIR_BITS))]
    triples = []
    for pair in sorted(pairs, key=lambda one: -one.gain)[:4]:
        for other in singles:
            if other.ids[0] in pair.ids:
                continue
            one = counted(tuple(sorted((*pair.ids, other.ids[0]))), _TRIPLE_BITS)
            # It keeps nearly all changed rows, and drops others.
            if one and pair.hit - one.hit < 0.02 * changed and pair.met - one.met > 0.02 * changed:
                triples.append(one)
    derived = [features[one.feature].figure in _DERIVED for one in conditions]
    return _claimed([*singles, *pairs, *triples], conditions, derived, total, changed)


class _Combination(NamedTuple):
    """Conditions by their indexes, with exact counts."""

    ids: tuple[int, ...]
    met: int
    hit: int
    gain: float


def _claimed(
    combined: Iterable[_Combination],
    conditions: Sequence[SliceTest],
    derived: Sequence[bool],
    total: int,
    changed: int,
) -> list[FoundSlice]:
    """Return the combinations that are worth a claim, each set of rows once, by values rather than forms."""

    def score(one: _Combination) -> float:
        coverage, purity = one.hit / changed, one.hit / one.met
        return 2 * coverage * purity / (coverage + purity) - 0.03 * (len(one.ids) - 1)

    good = [
        one
        for one in combined
        if one.gain > CLAIM_BITS
        and (one.hit * total >= MIN_LIFT * one.met * changed or one.hit >= _IS_PURE * one.met)
    ]
    good.sort(
        key=lambda one: (-round(score(one), 3), len(one.ids), sum(derived[i] for i in one.ids), -one.gain)
    )
    by_rows: dict[tuple[int, int], list[_Combination]] = {}
    for one in good:
        by_rows.setdefault((one.met, one.hit), []).append(one)
    return [
        FoundSlice(
            tuple(conditions[i] for i in first.ids),
            first.hit,
            first.met,
            tuple(tuple(conditions[i] for i in one.ids) for one in same if len(one.ids) <= len(first.ids)),
        )
        for first, *same in by_rows.values()
    ]
