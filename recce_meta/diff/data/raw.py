"""Values as they are stored, beside the form in which they are compared."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from recce_meta.diff.data.keyed import Keyed


def raw_columns(sides: Keyed, wanted: Iterable[int]) -> list[int]:
    """Those of the *wanted* columns that are compared in another form than they are stored in."""
    return [
        index
        for index in wanted
        if not all(
            isinstance(value, exp.Column)
            for value in (sides.compared[index].base_value("t"), sides.compared[index].current_value("t"))
        )
    ]
