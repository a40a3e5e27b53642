"""Analyses of edited models: their columns, what they remove, and the same effect that a diff shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.diff import diff
from recce_meta.api.record import record_run
from recce_meta.api.record_sql import SqlOptions, read_sql_project
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.lsp.live import LiveModel, effect_on_base, live_model, removed_columns
from recce_meta.lsp.project import ProjectIndex
from recce_meta.models.change import Category, RunDiff
from tests.unit.lsp.conftest import SCHEMA, RecordProject

SHOP = "jaffle_shop"
STAGING, MARTS = "models/staging", "models/marts"


class Edit(NamedTuple):
    """Edit of one file of the shop."""

    path: str
    old: str
    new: str

    @property
    def unique_id(self) -> str:
        return f"model.{SHOP}.{Path(self.path).stem}"


EDITS = {
    "remove a column": Edit(f"{STAGING}/stg_orders.sql", "    status\n", "    1 as one\n"),
    "remove a column that a test reads": Edit(f"{MARTS}/orders.sql", "    orders.customer_id,\n", ""),
    "rename a column": Edit(f"{STAGING}/stg_stores.sql", "name as store_name", "name as title"),
    "add a column": Edit(f"{STAGING}/stg_stores.sql", "    city,\n", "    city,\n    id as number,\n"),
    "add a column of a reader's other parent": Edit(
        f"{STAGING}/stg_customers.sql", "    first_name,\n", "    first_name,\n    1 as first_order_on,\n"
    ),
    "filter the rows": Edit(
        f"{STAGING}/stg_orders.sql", "from {{ ref('raw_orders') }}", "from {{ ref('raw_orders') }} where id > 1"
    ),
    "change a filter": Edit(f"{MARTS}/customers.sql", "<> 'returned'", "<> 'lost'"),
    "change a join": Edit(f"{MARTS}/orders.sql", "left join payments", "inner join payments"),
    "read another model": Edit(f"{MARTS}/payment_mix.sql", "'stg_payments'", "'raw_payments'"),
    "add a comment": Edit(f"{MARTS}/customers.sql", "with history", "-- their orders\nwith history"),
    "change white space": Edit(f"{MARTS}/orders.sql", "    orders.", "  orders."),
    "rename a CTE": Edit(f"{MARTS}/customers.sql", "history", "past"),
    "cast a column": Edit(f"{STAGING}/stg_orders.sql", "    status\n", "    cast(status as text) as status\n"),
    "reorder columns": Edit(
        f"{STAGING}/stg_stores.sql", "    name as store_name,\n    city,\n", "    city,\n    name as store_name,\n"
    ),
    "change an expression": Edit(f"{MARTS}/customers.sql", "lifetime_value, 0)", "lifetime_value, 1)"),
    "change the call of a macro": Edit(
        f"{STAGING}/stg_payments.sql", "{{ cents_to_dollars('amount_cents') }}", "amount_cents"
    ),
    "change an incremental filter": Edit(f"{MARTS}/daily_revenue.sql", "select max(", "select min("),
    "change an incremental model": Edit(f"{MARTS}/daily_revenue.sql", "sum(amount)", "sum(amount + 1)"),
    "group by another column": Edit(f"{MARTS}/payment_mix.sql", "group by 1, 2", "group by 2, 1"),
    "keep distinct rows": Edit(f"{STAGING}/stg_customers.sql", "select\n", "select distinct\n"),
    "remove a column that a star selects": Edit(
        f"{MARTS}/orders.sql", "payments.attempted_amount as amount", "payments.paid_amount as amount"
    ),
    "break the syntax": Edit(f"{MARTS}/orders.sql", "select\n    orders.order_id,", "selec orders.order_id,,"),
    "add a model": Edit(f"{MARTS}/order_count.sql", "", "select count(*) as orders from {{ ref('orders') }}\n"),
    "use an unknown ref": Edit(f"{MARTS}/orders.sql", "'stg_orders'", "'stg_order'"),
    "change the configuration": Edit(f"{MARTS}/store_performance.sql", "'view'", "'table'"),
    "edit an ephemeral model": Edit(
        "models/intermediate/int_order_payments.sql", "count(*) as attempts", "count(*) + 1 as attempts"
    ),
}
UNKNOWN = {"break the syntax", "use an unknown ref", "change the configuration", "edit an ephemeral model"}


class Shop:
    """The shop in a folder of its own, recorded in a store as it is."""

    def __init__(self, root: Path, adapter: UnifiedSqlAdapter) -> None:
        self.root, self._adapter = root, adapter
        self.reader = self._recorded("base")

    def _recorded(self, environment: str) -> StoredRunReader:
        project = read_sql_project(
            self.root, SqlOptions(environ={}, dialect="duckdb", environment=environment)
        )
        return StoredRunReader(
            self._adapter, record_run(self._adapter, project, schema=SCHEMA).run, SCHEMA
        )

    @property
    def index(self) -> ProjectIndex:
        return ProjectIndex(self.reader, self.root, self.reader)

    def edited(self, edit: Edit) -> str:
        path = self.root / edit.path
        if not path.exists():
            return edit.new
        text = path.read_text("utf-8")
        assert edit.old in text
        return text.replace(edit.old, edit.new)

    def diff(self, edit: Edit) -> RunDiff:
        """Return the diff after the edit is saved and recorded."""
        path = self.root / edit.path
        before = path.read_text("utf-8") if path.exists() else None
        path.write_text(self.edited(edit), "utf-8")
        try:
            current = self._recorded("edited").run
        finally:
            path.unlink() if before is None else path.write_text(before, "utf-8")
        return diff(lambda: self._adapter, self.reader.run.run_id, current.run_id, schema=SCHEMA)


@pytest.fixture
def shop(shop_root: Path, tmp_path: Path) -> Iterator[Shop]:
    import shutil

    root = tmp_path / "shop"
    shutil.copytree(shop_root, root)
    with UnifiedSqlAdapter.from_url(f"sqlite:///{tmp_path / 'store.db'}") as adapter:
        yield Shop(root, adapter)


@pytest.mark.parametrize("name", EDITS)
def test_the_effect_of_an_edit_is_that_of_the_diff_after_it_is_saved(shop: Shop, name: str) -> None:
    edit = EDITS[name]
    index, text = shop.index, shop.edited(edit)
    from recce_meta.models import NodeMetadata

    node = index.node(edit.unique_id) or NodeMetadata(
        unique_id=edit.unique_id, name=edit.unique_id, resource_type="model", package_name=SHOP
    )
    live = live_model(index, node, text)
    effect = effect_on_base(index, node, live)
    assert effect is not None
    if name in UNKNOWN:
        assert effect.change.category is Category.UNKNOWN
        assert effect.change.reasons
        return
    found = shop.diff(edit)
    change = next((one for one in found.changes if one.unique_id == edit.unique_id), None)
    expected = Category.NONE if change is None or change.category is None else change.category
    columns = () if change is None else change.columns
    assert (effect.change.category, effect.change.columns) == (expected, columns)
    assert effect.change.reasons == (() if change is None else change.category_reasons)
    assert effect.impacted == found.impacted
