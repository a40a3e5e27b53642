"""Diffs of column figures, such as profiles and top values, limited by the settings of a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from recce_meta.api.data.node_settings import figure_scope
from recce_meta.config.nodes import EffectiveSettings
from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.options import FigureScope
from recce_meta.data_diff.plan import Plan
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.source import Pair
from recce_meta.data_diff.top_k import top_k_diff
from recce_meta.models.data_diff import FiguresDiff
from recce_meta.models.diff_kinds import HISTOGRAM, PROFILE, TOP_K, DiffKind

_PLANS: Mapping[DiffKind, Callable[..., Any]] = {
    PROFILE: lambda pair, columns, approximate, *, guard, **scope: profile_diff(
        pair, columns, approximate=approximate, **scope
    ),
    TOP_K: top_k_diff,
    HISTOGRAM: histogram_diff,
}


def figures_within(
    pair: Pair,
    settings: EffectiveSettings,
    kind: DiffKind,
    scope: FigureScope,
    number: int | None = None,
    approximate: bool = False,
) -> Plan[Any]:
    """Compare the figures of *kind* for the columns of *scope*, limited by *settings*.

    *number* is the number of values or bins, by default that of *kind*. *approximate* estimates distinct
    counts of a profile.
    """
    wanted = figure_scope(scope, settings)
    option = approximate if kind.number is None else number or kind.number.default
    found: FiguresDiff = yield from _PLANS[kind](
        pair,
        wanted.columns,
        option,
        where=wanted.where,
        exclude=wanted.exclude_columns,
        may_lack_excluded=wanted.may_lack_excluded,
        guard=wanted.guard,
    )
    return found
