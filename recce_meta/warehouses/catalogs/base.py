"""What a scan asks of a warehouse's catalog: a fixed number of statements, whatever it holds.

A catalog is one file in this package, named as the warehouse, with one class `Catalog`. Each statement gives
the columns of one struct of `models.catalog`, in order, for all schemas that it is asked about: the number of
statements does not grow with the number of tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar

from recce_meta.models.catalog import ColumnRow, ConstraintRow, IndexRow, RelationRow, SchemaRow


class Part(str, Enum):
    """What one statement tells of."""

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
"""What each row of a part is."""


class BaseCatalog:
    """The defaults of a warehouse's catalog."""

    settings: ClassVar[tuple[str, ...]] = ()
    """Statements at the beginning of the scan's transaction: they make definitions come out qualified."""
    system_schemas: ClassVar[tuple[str, ...]] = ()
    """Globs of schemas that are the warehouse's own, and scanned only where they are named."""
    default_schema: ClassVar[str | None] = None
    """Where an unqualified name in a view's SQL is looked for after the view's own schema."""
    has_databases: ClassVar[bool] = True
    """Whether a relation's name may have a database before the schema."""
    reads_one_moment: ClassVar[bool] = True
    """Whether the statements of one transaction see the catalog as it was at one moment."""
    is_by_schema: ClassVar[bool] = False
    """Whether a statement can tell of one schema alone."""
    views_can_break: ClassVar[bool] = False
    """Whether a view stays, in the catalog, when what it reads is gone."""
    types_have_case: ClassVar[bool] = True
    """Whether types that are told in other cases of letters may be others: `enum('a')`, `enum('A')`."""
    uses_inspector: ClassVar[bool] = False
    """Whether SQLAlchemy's inspector tells what there is, in place of `statements`."""
    needs_region: ClassVar[bool] = False
    """Whether a statement has to name the region that it asks about: `region`, set before the first one."""
    region: str | None = None

    def statements(self, part: Part, schemas: Sequence[str], database: str | None) -> tuple[str, ...]:
        """The SQL that tells *part* of *schemas*, of *database*; none where the warehouse has no such thing.

        All but the last are there to be run, and have no rows; `Part.SCHEMAS` is asked without schemas.
        """
        raise NotImplementedError

    def columns_sql(self, schema: str, name: str) -> str | None:
        """The statement that tells the columns of one relation, for those that `statements` told none of.

        It may fail, as a view is broken then. None where the first answer is all that there is.
        """
        return None

    def rows(self, part: Part, answer: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        """The rows of *part* that the *answer* to its last statement tells; some catalogs tell in text."""
        return answer

    def literal(self, text: str) -> str:
        """*text* as a literal of this warehouse's SQL."""
        return "'" + text.replace("'", "''") + "'"

    def listed(self, texts: Sequence[str]) -> str:
        """*texts* as a list of literals, to stand in `IN (…)`."""
        return ", ".join(map(self.literal, texts))
