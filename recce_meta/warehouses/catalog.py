"""Base class of catalogs: the queries of a scan, a fixed number whatever the warehouse contains.

A catalog is the module `catalog` of a warehouse's folder, with one class `Catalog`. Each query returns the
columns of one struct of `models.catalog`, in order, for all requested schemas. The number of queries does not
grow with the number of tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar

from recce_meta.models.catalog import ColumnRow, ConstraintRow, IndexRow, RelationRow, SchemaRow
from recce_meta.warehouses.base import Warehouse
from recce_meta.warehouses.registry import GENERIC, built_in, class_at_reference


class Part(str, Enum):
    """Subject of one catalog query."""

    SCHEMAS = "schemas"
    RELATIONS = "relations"
    COLUMNS = "columns"
    CONSTRAINTS = "constraints"
    INDEXES = "indexes"


ROWS: Mapping[Part, type] = {
    Part.SCHEMAS: SchemaRow,
    Part.RELATIONS: RelationRow,
    Part.COLUMNS: ColumnRow,
    Part.CONSTRAINTS: ConstraintRow,
    Part.INDEXES: IndexRow,
}
"""Struct of the rows of each part."""


class BaseCatalog:
    """Default catalog of a warehouse."""

    settings: ClassVar[tuple[str, ...]] = ()
    """Statements at the start of the scan's transaction, which make definitions come out qualified."""
    system_schemas: ClassVar[tuple[str, ...]] = ()
    """Globs of the warehouse's own schemas, which are only scanned if they are named."""
    default_schema: ClassVar[str | None] = None
    """Schema in which to search unqualified names in a view's SQL, after the view's own schema."""
    has_databases: ClassVar[bool] = True
    """True if relation names may include a database before the schema."""
    reads_one_moment: ClassVar[bool] = True
    """True if the queries of one transaction see the catalog at a single moment."""
    is_by_schema: ClassVar[bool] = False
    """True if a query can only read one schema."""
    views_can_break: ClassVar[bool] = False
    """True if a view stays in the catalog after its inputs are dropped."""
    types_have_case: ClassVar[bool] = True
    """True if types that differ in case may be different types: `enum('a')`, `enum('A')`."""
    uses_inspector: ClassVar[bool] = False
    """True to use SQLAlchemy's inspector in place of `statements`."""
    needs_region: ClassVar[bool] = False
    """True if queries must name a region: set `region` before the first one."""
    has_escapes: ClassVar[bool] = False
    """True if a backslash in a literal is an escape."""
    region: str | None = None

    def statements(self, part: Part, schemas: Sequence[str], database: str | None) -> tuple[str, ...]:
        """Return the SQL for *part* of *schemas* in *database*; empty if the warehouse has no such objects.

        All statements except the last only prepare it and return no rows. `Part.SCHEMAS` is queried without
        schemas.
        """
        raise NotImplementedError

    def columns_sql(self, schema: str, name: str) -> str | None:
        """Return the query for the columns of one relation for which `statements` returned none.

        It fails if the relation is a broken view. Returns None if there is nothing more to query.
        """
        return None

    def rows(self, part: Part, answer: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        """Return the rows of *part* from the *answer* to its last statement; some catalogs return text
        to parse.
        """
        return answer

    def literal(self, text: str) -> str:
        """Return *text* as a literal of this warehouse's SQL."""
        text = text.replace("\\", "\\\\") if self.has_escapes else text
        return "'" + text.replace("'", "''") + "'"

    def listed(self, texts: Sequence[str]) -> str:
        """Return *texts* as a list of literals for `IN (…)`."""
        return ", ".join(map(self.literal, texts))


def catalog_of(warehouse: Warehouse) -> BaseCatalog:
    """Return the catalog of *warehouse*: its own, or SQLAlchemy's inspector if it has none."""
    own = class_at_reference("catalog", warehouse.catalog or warehouse.name, BaseCatalog)
    found = own or built_in("catalog", GENERIC, BaseCatalog)
    assert found is not None, "recce_meta.warehouses.generic.catalog is missing"
    return found()


def quoted_name(name: str) -> str:
    """Return *name* in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def select_list(part: Part, values: Mapping[str, str], quote: Callable[[str], str]) -> str:
    """Return the select list of *values*, SQL by field name, with NULL for missing fields of *part*.

    Raises ValueError for an unknown field.
    """
    fields = tuple(ROWS[part].__annotations__)
    unknown = set(values).difference(fields)
    if unknown:
        raise ValueError(f"no field of {part.value}: {', '.join(sorted(unknown))}")
    return ",\n  ".join(f"{values.get(name, 'NULL')} AS {quote(name)}" for name in fields)
