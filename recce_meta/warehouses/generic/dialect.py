"""SQL of databases that sqlglot supports and that have no folder here; not tested."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from recce_meta.errors import UsageError
from recce_meta.warehouses.dialect import Aggregates, Dialect
from recce_meta.warehouses.types import Sql


class _Aggregates(Aggregates):
    """Aggregates of databases that have no folder here."""

    has_approximate_distinct = False


class Standard(Dialect):
    """The SQL standard, as sqlglot writes it for one database."""

    name = "standard"
    aggregates_type = _Aggregates
    has_slices = False

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """Raise UsageError, since no hash function exists in all databases."""
        raise UsageError(
            f"Comparing or sampling whole rows is not supported on {self.name}",
            hint="pass --key and omit --sample",
        )

    def without_trailing_blanks(self, value: Sql) -> Sql:
        """Use the standard TRIM, since databases differ in what RTRIM removes."""
        return exp.Trim(this=value, expression=exp.Literal.string(" "), position="TRAILING")

    def hex_number(self, digits: Sql) -> Sql:
        """Raise UsageError, since no such function exists in all databases."""
        raise UsageError(
            f"Comparing rows across warehouses is not supported on {self.name}", hint="compare figures"
        )
