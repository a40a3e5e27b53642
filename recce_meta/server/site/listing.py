"""Lists: every list is a table that is sorted, filtered and paged by its address, and is also CSV and JSON.

Parameters of the address: `sort=NAME` or `sort=-NAME` (descending); `q=TEXT` keeps rows in which a column
contains the text; `NAME=VALUE` keeps rows with this value in a column with facets; `page=2`; `size=100`.
CSV and JSON have all rows that match, with the values of the columns as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from math import isfinite
from operator import itemgetter
from typing import Any, Literal, TypeAlias

from markupsafe import Markup

from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.rows import RowTable
from recce_meta.report.addresses import with_query
from recce_meta.tables.rows import scalar, text

Row = Mapping[str, Any]
Parameter: TypeAlias = str | tuple[str, ...]
"""Value of a parameter of an address; a tuple is a repeated one."""
Kind = Literal["text", "code", "number", "share", "time", "seconds", "bytes", "tag", "flag", "bar"]
"""How a column is shown; sorting and CSV use the values.

`share` is a number from 0 to 1, `tag` is a word with a colour of the reports, and `bar` is a score from 0 to
100.
"""

PAGE_ROWS = 100
MOST_ROWS = 500
"""Largest number of rows on a page, so that a page stays below 200 kB."""
FACET_VALUES = 12
"""Number of values of a column that are shown as filters."""
RESERVED = frozenset(["sort", "q", "page", "size"])


@dataclass(frozen=True)
class ListColumn:
    """Column of a list."""

    name: str
    """Key of its value in a row, and its name in the address, CSV and JSON."""
    title: str
    kind: Kind = "text"
    link: Callable[[Any], str | None] | None = None
    """Address of the page that a cell leads to."""
    has_facets: bool = False
    """Whether its most frequent values are filters."""
    tone: Callable[[Any], str | None] | None = None
    """Class of the report's style sheet: same, differs, failed, added, removed, one-sided, …"""
    about: str = ""
    """Sentence on what the column means, or how it is computed."""
    body: Callable[[Any], Markup] | None = None
    """Content of a cell on the page, if its kind does not show it; sorting and CSV use the value."""
    of: Callable[[Any], Any] | None = None
    """Its value in an item of `Listing.of`; by default, the attribute with its name."""

    def value(self, item: Any) -> Any:
        """Return the value in *item*; members of enums are their values."""
        found = self.of(item) if self.of else getattr(item, self.name)
        return found.value if isinstance(found, Enum) else found

    def through(self, part: Callable[[Any], Any]) -> ListColumn:
        """Return the column for items of which *part* returns what this column is about."""
        given: dict[str, Any] = {name: getattr(self, name) for name in ("link", "tone", "body")}
        changed: dict[str, Any] = {name: _after(part, act) for name, act in given.items() if act}
        return replace(self, of=lambda item: self.value(part(item)), **changed)


ITEM = ""
"""Key of the item in a row of `Listing.of`; no column has it."""


def _after(part: Callable[[Any], Any], act: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda item: act(part(item))


@dataclass(frozen=True)
class Listing:
    """A list: title, columns and all of its rows in their usual order."""

    title: str
    columns: Sequence[ListColumn]
    rows: Sequence[Row]
    empty: str = "There are no rows."
    """Sentence for a list without rows, with a next step."""
    notes: Sequence[str] = ()
    crumbs: Sequence[tuple[str, str]] = ()
    """Text and address of the pages above this one."""
    total: int | None = None
    """Number of rows there are, if *rows* were cut."""
    sql: str | None = None
    """Query of a public view that returns the same rows, for readers who want to compute further."""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    """Parameters of the address that determine the rows and are not filters."""
    template: str = "list.html"
    """Template of the page, which shows `list`."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Further values of the template."""
    is_kept: bool = True
    """False for a list that changes without a write to the store."""

    @classmethod
    def of(cls, title: str, columns: Sequence[ListColumn], items: Iterable[Any], **given: Any) -> Listing:
        """Return a list of *items*, which the functions of *columns* take in place of rows."""
        rows = [{ITEM: item} | {one.name: one.value(item) for one in columns} for item in items]
        return cls(title, [one.through(itemgetter(ITEM)) for one in columns], rows, **given)

    def column(self, name: str) -> ListColumn:
        """Return the column *name*. Raises UnknownNameError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise UnknownNameError("column", name, [column.name for column in self.columns])

    def narrowed(self, names: Sequence[str]) -> Listing:
        """Return the list with the columns *names* only, for a preview."""
        return replace(self, columns=[self.column(name) for name in names])

    def to_table(self, rows: Sequence[Row]) -> RowTable:
        """Return *rows* for CSV and JSON."""
        types: dict[str, type] = {column.name: object for column in self.columns}
        names = tuple(types)
        return RowTable(types, [tuple(scalar(row.get(name)) for name in names) for row in rows])


@dataclass(frozen=True)
class ListQuery:
    """What an address asks of a list."""

    sort: str | None = None
    q: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    page: int = 1
    size: int = PAGE_ROWS
    fixed: Mapping[str, Parameter] = field(default_factory=dict)
    """Parameters of the list, which are not filters."""

    @classmethod
    def parse(cls, parameters: Mapping[str, str], listing: Listing) -> ListQuery:
        """Return the query of the *parameters* of an address.

        Raises UsageError for a number that is none, and UnknownNameError for an unknown column.
        """
        sort = parameters.get("sort") or None
        if sort is not None:
            listing.column(sort.removeprefix("-"))
        # Any other name must be a column: a misspelt filter would otherwise show all rows.
        others = RESERVED.union(listing.parameters)
        filters = {name: value for name, value in parameters.items() if name not in others}
        for name in filters:
            listing.column(name)
        return cls(
            sort=sort,
            q=parameters.get("q", "").strip(),
            filters=filters,
            page=whole_number(parameters, "page", 1, 10**6),
            size=whole_number(parameters, "size", PAGE_ROWS, MOST_ROWS),
            fixed=listing.parameters,
        )

    def parameters(self, **changes: Parameter | int | None) -> dict[str, Parameter | int]:
        """Return the parameters of the address after *changes*; None removes one."""
        given: dict[str, Parameter | int | None] = {**self.fixed, "q": self.q or None, "sort": self.sort}
        given |= self.filters
        given["page"] = self.page if self.page != 1 else None
        given["size"] = self.size if self.size != PAGE_ROWS else None
        return {name: value for name, value in {**given, **changes}.items() if value is not None}


def whole_number(parameters: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Return the number *name*, *default* if it is empty. Raises UsageError unless it is 1 to *most*."""
    given = parameters.get(name)
    if not given:
        return default
    if (
        not given.isascii()
        or not given.isdecimal()
        # Before `int`, which is slow for long texts and refuses more than 4,300 digits.
        or len(given) > len(str(most))
        or not 1 <= int(given) <= most
    ):
        raise UsageError(
            f"{name} must be a number from 1 to {most:,}", hint=f"remove {name} from the address"
        )
    return int(given)


def matching(listing: Listing, query: ListQuery) -> list[Row]:
    """Return the rows that *query* asks for, in its order: empty values last."""
    rows: list[Row] = [
        row
        for row in listing.rows
        if all(shown(row.get(name)) == value for name, value in query.filters.items())
    ]
    words = query.q.casefold().split()
    if words:
        names = [column.name for column in listing.columns]
        rows = [row for row in rows if _contains(row, names, words)]
    if query.sort:
        name, is_descending = query.sort.removeprefix("-"), query.sort.startswith("-")
        # Empty values are last in both directions: they are never what a reader sorts for.
        there = [row for row in rows if row.get(name) is not None]
        there.sort(key=lambda row: sort_key(row[name]), reverse=is_descending)
        rows = there + [row for row in rows if row.get(name) is None]
    return rows


def _contains(row: Row, names: Sequence[str], words: Sequence[str]) -> bool:
    # A word has no white space, so it cannot match across two columns.
    joined = "\n".join([shown(row.get(name)) for name in names]).casefold()
    return all(word in joined for word in words)


def sort_key(value: Any) -> tuple[int, Any]:
    """Return a key that orders values of several types: numbers, times, then texts."""
    if isinstance(value, (int, float)):
        return (0, value)
    if isinstance(value, datetime):
        # Not the value: times with and without a zone cannot be compared.
        return (1, value.timestamp())
    return (2, shown(value).casefold())


def shown(value: Any) -> str:
    """Return *value* as text for filters; empty for None."""
    if type(value) is str:
        return value
    kind = type(value)  # the hot path of filters: most values have one of these types
    if kind is int or kind is float:
        return str(value)
    return "" if value is None else text(scalar(value))


@dataclass(frozen=True)
class Facet:
    """Filters of one column."""

    column: ListColumn
    values: Sequence[tuple[str, int, str, bool]]
    """Value, number of rows, address with or without the filter, and whether it is set."""


@dataclass(frozen=True)
class ListView:
    """One page of a list, as a template shows it."""

    listing: Listing
    query: ListQuery
    path: str
    rows: Sequence[Row]
    """Rows on this page."""
    count: int
    """Number of matching rows on all pages."""
    facets: Sequence[Facet]

    @property
    def pages(self) -> int:
        """Number of pages."""
        return max(1, -(-self.count // self.query.size))

    @property
    def unfiltered(self) -> str:
        """Address of the list without filters."""
        return with_query(self.path, **self.query.fixed)

    @property
    def hidden(self) -> Sequence[tuple[str, str | int]]:
        """Names and values that the filter form must send in addition to its field."""
        return [
            (name, value)
            for name, values in self.query.parameters(q=None, page=None).items()
            for value in (values if isinstance(values, tuple) else (values,))
        ]

    def address(self, suffix: str = "", **changes: str | int | None) -> str:
        """Return the address of this list after *changes* of its parameters, with *suffix*: `.csv`."""
        parameters = self.query.parameters(**changes)
        # Files have all matching rows, whichever page shows the link.
        if suffix:
            parameters = {name: value for name, value in parameters.items() if name not in ("page", "size")}
        return with_query(self.path + suffix, **parameters)

    def sort_address(self, column: ListColumn) -> str:
        """Return the address of the list sorted by *column*: descending if it is ascending already."""
        is_ascending = self.query.sort == column.name
        return self.address(sort=f"-{column.name}" if is_ascending else column.name, page=None)

    def direction(self, column: ListColumn) -> str | None:
        """Return `ascending` or `descending` if the list is sorted by *column*."""
        if self.query.sort == column.name:
            return "ascending"
        return "descending" if self.query.sort == f"-{column.name}" else None


def list_view(listing: Listing, parameters: Mapping[str, str], path: str) -> ListView:
    """Return the page of *listing* that the *parameters* of an address ask for."""
    query = ListQuery.parse(parameters, listing)
    # A page after the last one is empty, without an error: rows may have gone since the link was made.
    rows = matching(listing, query)
    first = (query.page - 1) * query.size
    return ListView(
        listing,
        query,
        path,
        rows[first : first + query.size],
        len(rows),
        tuple(_facets(listing, query, path)),
    )


def _counts(rows: Sequence[Row], name: str) -> Counter[str]:
    """Return the number of rows by the text of the value in *name*: each value is formatted once."""
    values = [row.get(name) for row in rows]
    try:
        found = Counter(values)
    except TypeError:  # a list or a dict
        return Counter(map(shown, values))
    counts: Counter[str] = Counter()
    for value, number in found.items():
        counts[shown(value)] += number
    return counts


def _facets(listing: Listing, query: ListQuery, path: str) -> Iterator[Facet]:
    for column in listing.columns:
        chosen = query.filters.get(column.name)
        if not column.has_facets and chosen is None:
            continue
        # Of all rows, not of those that match: a reader can replace one filter by another.
        counts = _counts(listing.rows, column.name)
        # An empty value cannot be a filter: empty parameters of an address are dropped.
        best = [value for value, _ in counts.most_common(FACET_VALUES) if value]
        # The filter that is set must be there to be removed.
        if chosen is not None and chosen not in best:
            best.append(chosen)
        # A single value cannot narrow the list.
        if len(best) < 2 and chosen is None:
            continue
        yield Facet(
            column,
            [
                (
                    value,
                    counts[value],
                    with_query(
                        path,
                        **query.parameters(**{column.name: None if value == chosen else value}, page=None),
                    ),
                    value == chosen,
                )
                for value in best
            ],
        )


def plain_row(row: Row) -> dict[str, Any]:
    """Return *row* with values of JSON: a number that JSON does not have is text."""
    return {name: value if _is_plain(value) else text(value) for name, value in row.items()}


def _is_plain(value: Any) -> bool:
    return (
        value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and isfinite(value))
    )
