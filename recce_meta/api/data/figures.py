"""Diffs of column figures, such as profiles and top values, limited by the settings of a node."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.config.nodes import EffectiveSettings
from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.plan import Plan
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.source import Guard, Pair
from recce_meta.data_diff.top_k import top_k_diff
from recce_meta.models.data_diff import HistogramDiff, ProfileDiff, TopKDiff


def accept(_expression: str) -> None:
    """Refuse no expression."""


class FigureScope(Struct, frozen=True, kw_only=True):
    """Columns and rows of a diff of column figures: profiles, top values, histograms."""

    columns: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    may_lack_excluded: bool = False
    where: str | None = None
    guard: Guard = accept
    """Refuses expressions among the columns of top values and histograms."""

    def of(self, settings: EffectiveSettings) -> FigureScope:
        """Return the scope with the *settings* for what the options leave open."""
        where = settings.where if self.where is None else self.where
        # Columns that the user names are wanted, even if the settings exclude them.
        if self.exclude or self.columns or settings.exclude is None:
            return replace(self, where=where)
        return replace(self, where=where, exclude=settings.exclude, may_lack_excluded=settings.is_broad)


def profile_within(
    pair: Pair, settings: EffectiveSettings, scope: FigureScope, *, approximate: bool = False
) -> Plan[ProfileDiff]:
    """Profile the columns of *scope* now, limited by *settings*; *approximate* estimates distinct counts."""
    wanted = scope.of(settings)
    return (
        yield from profile_diff(
            pair,
            wanted.columns,
            wanted.exclude,
            wanted.where,
            approximate,
            may_lack_excluded=wanted.may_lack_excluded,
        )
    )


def top_k_within(pair: Pair, settings: EffectiveSettings, scope: FigureScope, *, k: int) -> Plan[TopKDiff]:
    """Return the *k* most frequent values of the columns of *scope*, limited by *settings*."""
    wanted = scope.of(settings)
    return (
        yield from top_k_diff(
            pair,
            wanted.columns,
            k,
            wanted.where,
            exclude=wanted.exclude,
            may_lack_excluded=wanted.may_lack_excluded,
            guard=wanted.guard,
        )
    )


def histogram_within(
    pair: Pair, settings: EffectiveSettings, scope: FigureScope, *, num_bins: int
) -> Plan[HistogramDiff]:
    """Return the distributions of the columns of *scope* in *num_bins* bins, limited by *settings*."""
    wanted = scope.of(settings)
    return (
        yield from histogram_diff(
            pair,
            wanted.columns,
            num_bins,
            wanted.where,
            exclude=wanted.exclude,
            may_lack_excluded=wanted.may_lack_excluded,
            guard=wanted.guard,
        )
    )
