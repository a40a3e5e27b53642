"""Diffs of column figures, such as profiles and top values, limited by the settings of a node."""

from __future__ import annotations

from recce_meta.api.data.node_settings import figure_scope
from recce_meta.config.nodes import EffectiveSettings
from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.options import FigureScope
from recce_meta.data_diff.plan import Plan
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.source import Pair
from recce_meta.data_diff.top_k import top_k_diff
from recce_meta.models.data_diff import HistogramDiff, ProfileDiff, TopKDiff


def profile_within(
    pair: Pair, settings: EffectiveSettings, scope: FigureScope, *, approximate: bool = False
) -> Plan[ProfileDiff]:
    """Profile the columns of *scope* now, limited by *settings*; *approximate* estimates distinct counts."""
    wanted = figure_scope(scope, settings)
    return (
        yield from profile_diff(
            pair,
            wanted.columns,
            wanted.exclude_columns,
            wanted.where,
            approximate,
            may_lack_excluded=wanted.may_lack_excluded,
        )
    )


def top_k_within(pair: Pair, settings: EffectiveSettings, scope: FigureScope, *, k: int) -> Plan[TopKDiff]:
    """Return the *k* most frequent values of the columns of *scope*, limited by *settings*."""
    wanted = figure_scope(scope, settings)
    return (
        yield from top_k_diff(
            pair,
            wanted.columns,
            k,
            wanted.where,
            exclude=wanted.exclude_columns,
            may_lack_excluded=wanted.may_lack_excluded,
            guard=wanted.guard,
        )
    )


def histogram_within(
    pair: Pair, settings: EffectiveSettings, scope: FigureScope, *, num_bins: int
) -> Plan[HistogramDiff]:
    """Return the distributions of the columns of *scope* in *num_bins* bins, limited by *settings*."""
    wanted = figure_scope(scope, settings)
    return (
        yield from histogram_diff(
            pair,
            wanted.columns,
            num_bins,
            wanted.where,
            exclude=wanted.exclude_columns,
            may_lack_excluded=wanted.may_lack_excluded,
            guard=wanted.guard,
        )
    )
