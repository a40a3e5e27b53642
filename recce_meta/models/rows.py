"""Rows of results: every result is also a table, for data frames, notebooks and CSV.

A cell is a scalar: None, bool, int, float, Decimal, str, bytes, date, time, datetime or timedelta. Lists and
objects of a warehouse are JSON text. The columns of a result depend on its type only, so an empty result has
the same columns; a comparison of rows has the columns of the relations as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, SupportsIndex, TypeAlias, TypeVar, cast, overload

from msgspec import Struct

from recce_meta.lazy import LazyModule

if TYPE_CHECKING:
    import polars
    import pyarrow

Scalar: TypeAlias = Any
"""Value of a cell: a built-in type without parts."""


if TYPE_CHECKING:
    published = property
else:

    class published(property):
        """Property that documents and their schemas have, as they have fields."""


# Not `enum.StrEnum`, which Python 3.10 does not have.
class StringEnum(str, Enum):
    """Enumeration of strings that compare and print as their values."""

    def __str__(self) -> str:
        return str(self.value)


class RowTable(NamedTuple):
    """Columns and rows of a result."""

    types: Mapping[str, type]
    """Type of each column by name: str, int, float, bool or datetime; `object` if the values determine it."""
    rows: Sequence[tuple[Scalar, ...]]

    def to_dicts(self) -> list[dict[str, Scalar]]:
        """Return one dict for each row."""
        names = tuple(self.types)
        return [dict(zip(names, row, strict=True)) for row in self.rows]


class TableWriter(Protocol):
    """What `recce_meta.tables.results`, above this package, does for results."""

    def table_of(self, result: Any, /) -> RowTable: ...

    def column_types(self, kind: type, /) -> Mapping[str, type]: ...

    def html_of(self, result: Tabular | ResultList[Any], /) -> str: ...

    def arrow_table(self, table: RowTable, /) -> pyarrow.Table: ...

    def polars_frame(self, table: RowTable, /) -> polars.DataFrame: ...


# The only way up, because results have methods. Most commands print no table, so it is imported when used.
_tables = cast(TableWriter, LazyModule("recce_meta.tables.results"))


class Tabular(Struct, frozen=True):
    """Result with rows, for data frames and notebooks.

    A cell is a scalar. Lists and objects are JSON text, and several names are joined with semicolons.
    """

    def to_dicts(self) -> list[dict[str, Scalar]]:
        """Return one dict for each row; the keys depend on the type of the result only."""
        return self.to_table().to_dicts()

    def to_arrow(self) -> pyarrow.Table:
        """Return the rows as an Arrow table. Requires the extra `data`.

        Decimals are `decimal128`, and times keep their zone. Columns without any value have the type of the
        result's column. Values of several types in one column are strings.
        """
        return _tables.arrow_table(self.to_table())

    def to_polars(self) -> polars.DataFrame:
        """Return the rows as a Polars data frame. Requires the extra `data`."""
        return _tables.polars_frame(self.to_table())

    def to_table(self) -> RowTable:
        """Return the columns and rows."""
        return _tables.table_of(self)

    def _repr_html_(self) -> str:
        """Return an HTML table for notebooks, with the notes of the result."""
        return _tables.html_of(self)


Item = TypeVar("Item", bound=Tabular)


class ResultList(list[Item]):
    """List of results of one type, which is also one table with the rows of all."""

    def __init__(self, item_type: type[Item], items: Iterable[Item]) -> None:
        """Create the list; *item_type* determines the columns if *items* is empty."""
        super().__init__(items)
        self.item_type = item_type
        """Type of the items."""

    @overload
    def __getitem__(self, place: SupportsIndex) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> ResultList[Item]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Item | ResultList[Item]:
        """Return one item, or a part of the list."""
        if isinstance(place, slice):
            return ResultList(self.item_type, super().__getitem__(place))
        return super().__getitem__(place)

    def to_dicts(self) -> list[dict[str, Scalar]]:
        """Return one dict for each row; the keys depend on the type of the items only."""
        return self.to_table().to_dicts()

    def to_arrow(self) -> pyarrow.Table:
        """Return the rows as an Arrow table. Requires the extra `data`."""
        return _tables.arrow_table(self.to_table())

    def to_polars(self) -> polars.DataFrame:
        """Return the rows as a Polars data frame. Requires the extra `data`."""
        return _tables.polars_frame(self.to_table())

    def to_table(self) -> RowTable:
        """Return the columns and rows."""
        rows = [row for item in self for row in item.to_table().rows]
        return RowTable(_tables.column_types(self.item_type), rows)

    def _repr_html_(self) -> str:
        """Return an HTML table for notebooks."""
        return _tables.html_of(self)
