"""Options of data diffs combined with the settings of a node: an option takes precedence over a setting.

The nodes of the command line (`--key orders=id`) are globs with settings, after those of the configuration.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.config.nodes import (
    NO_SETTINGS,
    EffectiveSettings,
    InvalidNodeSettings,
    NodeGlobs,
    settings_of,
)
from recce_meta.data_diff.options import FigureScope, ValueOptions
from recce_meta.models import NodeMetadata
from recce_meta.models.data_diff import COMPARE_REASON

SETTING = "setting"
"""Origin of a key that is a setting."""
NOT_EXPLAINED = "the rows are not explained: that needs a key"
EXACT = "numbers were compared exactly: a tolerance requires a key"
_COUNTING = frozenset(["row_count_diff", "schema_diff"])
"""Diffs of a node with `compare: counts`."""


class ResolvedSettings(Struct, frozen=True, kw_only=True):
    """Settings of one node, or the error in its meta."""

    settings: EffectiveSettings = NO_SETTINGS
    problem: InvalidNodeSettings | None = None
    is_named: bool = False
    """True if the user names the node: then it is compared, whatever its `compare` is."""

    def skip_reason(self, diff: str) -> str | None:
        """Return why `compare` excludes the node from diffs of the type *diff*; None if it does not."""
        mode = self.settings.compare
        is_skipped = mode == "none" or (mode == "counts" and diff not in _COUNTING)
        return f"{COMPARE_REASON}{mode}" if is_skipped and not self.is_named else None

    @property
    def for_check(self) -> ResolvedSettings:
        """Return the settings that apply to a check: the key alone.

        A pull request can edit a node's meta, so no other setting may limit what a check compares.
        """
        return replace(self, settings=EffectiveSettings(key=self.settings.key))

    @property
    def reads_whole_rows(self) -> bool:
        """Return True if the node is compared as whole rows although it may have a key."""
        return self.settings.compare == "rows"


UNSET = ResolvedSettings()


def resolve_settings(node: NodeMetadata | None, globs: NodeGlobs, *, is_named: bool) -> ResolvedSettings:
    """Return the settings of *node* after *globs*; none for a relation given by name."""
    if node is None:
        return UNSET
    try:
        return ResolvedSettings(settings=settings_of(node, globs), is_named=is_named)
    except InvalidNodeSettings as error:
        # Returned and not raised: one malformed node must not end the comparison of all others.
        return ResolvedSettings(problem=error, is_named=is_named)


def figure_scope(scope: FigureScope, settings: EffectiveSettings) -> FigureScope:
    """Return *scope* with the *settings* for what the options leave open."""
    where = settings.where if scope.where is None else scope.where
    # Columns that the user names are wanted, even if the settings exclude them.
    if scope.exclude_columns or scope.columns or settings.exclude is None:
        return replace(scope, where=where)
    return replace(scope, where=where, exclude_columns=settings.exclude, may_lack_excluded=settings.is_broad)


def value_options(options: ValueOptions, settings: EffectiveSettings) -> ValueOptions:
    """Return *options* with the *settings* for what they leave open.

    Raises UsageError if a setting is invalid, such as a tolerance with too many digits.
    """
    # The origin changes together with the key: messages name where a key comes from.
    key = options.key is None and settings.key is not None
    excludes = not options.exclude_columns and not options.columns and settings.exclude is not None
    return replace(
        options,
        key=settings.key if key else options.key,
        key_source=SETTING if key else options.key_source,
        exclude_columns=settings.exclude if excludes else options.exclude_columns,
        may_lack_excluded=settings.is_broad if excludes else options.may_lack_excluded,
        where=settings.where if options.where is None else options.where,
        sample=settings.sample if options.sample is None else options.sample,
        tolerance=settings.tolerance if options.tolerance is None else options.tolerance,
        relative_tolerance=settings.relative_tolerance
        if options.relative_tolerance is None
        else options.relative_tolerance,
    )
