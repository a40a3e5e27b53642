"""A dialect that sqlglot knows and that has no file here: the defaults, untried."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from recce_meta.dialects.base import Dialect
from recce_meta.dialects.types import Sql
from recce_meta.errors import UsageError


class Standard(Dialect):
    """The SQL standard, in sqlglot's words for one database."""

    name = "standard"
    has_approximate_distinct = False

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """No hash is known that all databases have."""
        raise UsageError(
            f"Whole rows cannot be compared, or sampled, on {self.name}", hint="name a key, take all"
        )

    def without_trailing_blanks(self, value: Sql) -> Sql:
        """As the standard has it: what RTRIM takes away differs."""
        return exp.Trim(this=value, expression=exp.Literal.string(" "), position="TRAILING")

    def hex_number(self, digits: Sql) -> Sql:
        """Likewise."""
        raise UsageError(f"Rows of {self.name} cannot be compared across two targets", hint="compare figures")


def standard_dialect(name: str) -> Dialect:
    """The defaults, under sqlglot's *name*."""
    made: Dialect = type(name.capitalize(), (Standard,), {"name": name, "__doc__": f"{name}, untried."})()
    return made
