"""Tables to measure, and plans whose every answer is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.quality_tables import EXACT, TableRequest, measure_tables
from recce_meta.data_diff.plan import Answer, Queries, run_plan
from recce_meta.data_diff.source import SideRelation, table
from recce_meta.errors import RecceMetaError
from recce_meta.models.data_diff import DataSide
from recce_meta.models.quality import TableQuality
from recce_meta.quality.measure import QualitySettings, QualityTarget, table_quality
from recce_meta.warehouses.dialect import dialect_named
from tests.spelling import spelling_of


class Shop:
    """A schema of one warehouse, and what is measured there."""

    def __init__(self, adapter: UnifiedSqlAdapter, schema: str) -> None:
        self.adapter, self.schema = adapter, schema
        self.answers: list[object] = []
        self.ignores_case = dialect_named(adapter.warehouse.dialect).ignores_case_of_columns

    def quoted(self, name: str) -> str:
        """The relation *name* as SQL names it."""
        return self.adapter.quote_table(self.schema, name)

    def fill(self, name: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]] = ()) -> str:
        """The table *name*, anew; gives its quoted name."""
        spelling_of(self.adapter.warehouse.name).create_table(self.adapter, self.quoted(name), columns, rows)
        return self.quoted(name)

    def view(self, name: str, query: str) -> str:
        """The view *name* of *query*; gives its quoted name."""
        self.adapter.execute(f"CREATE VIEW {self.quoted(name)} AS {query}")
        return self.quoted(name)

    def measure(self, relation: str, settings: QualitySettings = EXACT, **wanted: Any) -> TableQuality:
        """What is found of *relation*."""
        (found,) = measure_tables(self.adapter, [TableRequest(relation=relation, **wanted)], settings)
        return found

    def ask(self, relation: str, settings: QualitySettings = EXACT, **others: Any) -> TableQuality:
        """The same, a statement at a time; `answers` then has all that left the warehouse."""
        dialect = dialect_named(self.adapter.warehouse.dialect)
        source = SideRelation(
            relation=table(dialect, relation), dialect=dialect, side=DataSide.CURRENT, name=relation
        )
        plan = table_quality(
            QualityTarget(source=source, unique_id=relation, name=relation, **others),
            settings,
            measured_at=datetime.now(timezone.utc),
        )
        self.answers.clear()
        return run_plan(plan, self._answer)

    def _answer(self, queries: Queries) -> list[Answer]:
        answers: list[Answer] = []
        for query in queries:
            try:
                found = (self.adapter.describe if query.describes else self.adapter.answer)(query.sql)
            except RecceMetaError as error:
                answers.append(error)
            else:
                answers.append(found)
                self.answers += [] if query.describes else [cell for row in found for cell in row]
        return answers


@pytest.fixture
def shop(adapter: UnifiedSqlAdapter, schema: str) -> Shop:
    """Each warehouse in turn."""
    return Shop(adapter, schema)
