"""Parsers of options of data diffs: columns, percentages, numbers, and values for one node."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

import click

from recce_meta.cli.options import UNITS
from recce_meta.data_diff.names import comma_parts, read_casts
from recce_meta.errors import quoted
from recce_meta.models.data_diff import Moment
from recce_meta.models.moments import utc_time

ByNode = tuple[tuple[str, str], ...]
"""Nodes, or globs of nodes, each with the text after `=`."""


def split_names(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names in an option that may be repeated or hold several names with commas.

    Commas in parentheses or quotes belong to an expression.
    """
    found = tuple(name.strip() for text in given for name in comma_parts(text) if name.strip())
    if given and not found:
        raise click.BadParameter("no column name given")
    return found


def split_key(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Return the columns of a key; None if none are given."""
    return split_names(context, option, given) or None


def split_casts(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Return the column and the type of each part of *given*, as `read_casts` reads them."""
    return read_casts(",".join(given)) if given else ()


def parse_percent(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """Return `10%` or `10` as a number."""
    if value is None:
        return None
    try:
        return float(value.strip().removesuffix("%"))
    except ValueError:
        raise click.BadParameter(f"{quoted(value)} is not a percentage such as 10%") from None


def parse_decimal(_context: click.Context, _option: click.Parameter, value: str | None) -> Decimal | None:
    """Return *value* as a Decimal: a float cannot represent 0.001 exactly."""
    if value is None:
        return None
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        raise click.BadParameter(f"{quoted(value)} is not a number") from None
    # A comparison with NaN is never true, so that every difference would be accepted or none.
    if number.is_nan():
        raise click.BadParameter(f"{quoted(value)} is not a number")
    return number


_BACK = re.compile(r"-(\d{1,5})([mhdw])")


def parse_moment(_context: click.Context, _option: click.Parameter, text: str | None) -> Moment | None:
    """Return a time (UTC without a zone), a time span back from now such as `-2h`, or a version."""
    if text is None:
        return None
    if text.isdecimal():
        return Moment(version=int(text))
    if back := _BACK.fullmatch(text):
        # One moment for all statements.
        return Moment(at=datetime.now(timezone.utc) - timedelta(**{UNITS[back[2]]: int(back[1])}))
    try:
        moment = utc_time(text)
    except ValueError:
        raise click.BadParameter(
            f"{quoted(text)} is not a time such as '2026-11-25 08:00', a time span such as -2h, or a version"
        ) from None
    if moment > datetime.now(timezone.utc):
        raise click.BadParameter(f"{quoted(text)} lies in the future")
    return Moment(at=moment)


def split_by_node(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> ByNode:
    """Return the node and the text of each `NODE=TEXT`; a node may be named once."""
    found: dict[str, str] = {}
    for text in given:
        node, sign, value = (part.strip() for part in text.partition("="))
        if not (node and sign and value):
            raise click.BadParameter(f"{quoted(text)} is not {option.make_metavar(context)}")
        if node in found:
            raise click.BadParameter(f"{node} is named twice")
        found[node] = value
    return tuple(found.items())
