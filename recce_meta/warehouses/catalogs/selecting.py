"""The select list of a catalog statement: one value for each field of its part's struct, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from recce_meta.warehouses.catalogs.base import ROWS, Part


def select_list(part: Part, values: Mapping[str, str], quote: Callable[[str], str]) -> str:
    """*values*, SQL by the name of a field, with NULL for every field of *part* that none is given for.

    Raises ValueError for a value that no field takes.
    """
    fields = tuple(ROWS[part].__annotations__)
    unknown = set(values).difference(fields)
    if unknown:
        raise ValueError(f"no field of {part.value}: {', '.join(sorted(unknown))}")
    return ",\n  ".join(f"{values.get(name, 'NULL')} AS {quote(name)}" for name in fields)
