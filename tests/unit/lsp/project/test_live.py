"""Analyses of edited models: their columns, what they remove, and the same effect that a diff shows."""

from __future__ import annotations

import gc
import shutil
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.diff import diff
from recce_meta.api.record import record_run
from recce_meta.api.record_sql import SqlOptions, extract_sql_project
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.graph import parents_first
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.project.live import LiveModel, effect_on_base, live_model, removed_columns
from recce_meta.models import NodeMetadata, Status
from recce_meta.models.change import Category, RunDiff
from tests.unit.lsp.conftest import SCHEMA, RecordProject, write_files

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
        f"{STAGING}/stg_orders.sql",
        "from {{ ref('raw_orders') }}",
        "from {{ ref('raw_orders') }} where id > 1",
    ),
    "change a filter": Edit(f"{MARTS}/customers.sql", "<> 'returned'", "<> 'lost'"),
    "change a join": Edit(f"{MARTS}/orders.sql", "left join payments", "inner join payments"),
    "read another model": Edit(f"{MARTS}/payment_mix.sql", "'stg_payments'", "'raw_payments'"),
    "add a comment": Edit(f"{MARTS}/customers.sql", "with history", "-- their orders\nwith history"),
    "change white space": Edit(f"{MARTS}/orders.sql", "    orders.", "  orders."),
    "rename a CTE": Edit(f"{MARTS}/customers.sql", "history", "past"),
    "cast a column": Edit(
        f"{STAGING}/stg_orders.sql", "    status\n", "    cast(status as text) as status\n"
    ),
    "reorder columns": Edit(
        f"{STAGING}/stg_stores.sql",
        "    name as store_name,\n    city,\n",
        "    city,\n    name as store_name,\n",
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
    "break the syntax": Edit(
        f"{MARTS}/orders.sql", "select\n    orders.order_id,", "selec orders.order_id,,"
    ),
    "add a model": Edit(
        f"{MARTS}/order_count.sql", "", "select count(*) as orders from {{ ref('orders') }}\n"
    ),
    "use an unknown ref": Edit(f"{MARTS}/orders.sql", "'stg_orders'", "'stg_order'"),
    "change the configuration": Edit(f"{MARTS}/store_performance.sql", "'view'", "'table'"),
    "add a comment to an ephemeral model": Edit(
        "models/intermediate/int_order_payments.sql", "count(*) as", "/* all */ count(*) as"
    ),
    "filter an ephemeral model": Edit(
        "models/intermediate/int_order_payments.sql", "group by", "where amount > 0 group by"
    ),
    "remove a column of an ephemeral model": Edit(
        "models/intermediate/int_order_payments.sql", "as attempted_amount", "as tried_amount"
    ),
    "edit an ephemeral model": Edit(
        "models/intermediate/int_order_payments.sql", "count(*) as attempts", "count(*) + 1 as attempts"
    ),
}
UNKNOWN = {"use an unknown ref", "change the configuration"}


class Shop:
    """The shop in a folder of its own, recorded in a store as it is."""

    def __init__(self, root: Path, adapter: UnifiedSqlAdapter) -> None:
        self.root, self._adapter = root, adapter
        self.reader = self._recorded("base")

    def _recorded(self, environment: str) -> StoredRunReader:
        project = extract_sql_project(
            self.root, SqlOptions(environ={}, dialect="duckdb", environment=environment)
        )
        return StoredRunReader(self._adapter.at(SCHEMA), record_run(self._adapter.at(SCHEMA), project).run)

    @property
    def index(self) -> ProjectIndex:
        return ProjectIndex(self.reader, self.root, self.reader)

    @property
    def ephemeral(self) -> set[str]:
        return {one for one, node in self.reader.names.items() if node.is_ephemeral}

    def edited(self, edit: Edit) -> str:
        path = self.root / edit.path
        if not path.exists():
            return edit.new
        text = path.read_text("utf-8")
        assert edit.old in text
        return text.replace(edit.old, edit.new)

    @contextmanager
    def _saved(self, edit: Edit) -> Iterator[None]:
        """Have the edit in its file in the block."""
        path = self.root / edit.path
        before = path.read_text("utf-8") if path.exists() else None
        path.write_text(self.edited(edit), "utf-8")
        try:
            yield
        finally:
            path.unlink() if before is None else path.write_text(before, "utf-8")

    def diff(self, edit: Edit) -> RunDiff:
        """Return the diff after the edit is saved and recorded."""
        with self._saved(edit):
            current = self._recorded("edited").run
        return diff(lambda: self._adapter.at(SCHEMA), self.reader.run.run_id, current.run_id)

    def not_built(self, edit: Edit) -> tuple[set[str], set[str]]:
        """Return the nodes that DuckDB cannot build after the edit, and those below, which are not tried."""
        with self._saved(edit):
            project = extract_sql_project(self.root, SqlOptions(environ={}, dialect="duckdb"))
        nodes = {node.unique_id: node for node in project.nodes}
        failed, below = set[str](), set[str]()
        with duckdb.connect() as connection:
            connection.execute(f"create schema {SHOP}")
            for unique_id in parents_first({one: node.parents for one, node in nodes.items()})[0]:
                node = nodes[unique_id]
                if not (failed | below).isdisjoint(node.parents):
                    below.add(unique_id)
                elif not node.is_ephemeral:
                    try:
                        connection.execute(f"create table {node.relation_name} as {node.compiled_code}")
                    except (duckdb.BinderException, duckdb.ParserException):
                        failed.add(unique_id)
        return failed, below


@pytest.fixture
def shop(shop_root: Path, tmp_path: Path) -> Iterator[Shop]:
    root = tmp_path / "shop"
    shutil.copytree(shop_root, root)
    with UnifiedSqlAdapter.from_url(f"sqlite:///{tmp_path / 'store.db'}") as adapter:
        yield Shop(root, adapter)


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.extensive
def test_the_effect_of_an_edit_is_that_of_the_diff_after_it_is_saved(shop: Shop, name: str) -> None:
    edit = EDITS[name]
    index, text = shop.index, shop.edited(edit)
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
    reasons = () if change is None else change.category_reasons
    if name == "break the syntax":
        assert effect.change.reasons[-1].startswith("the build fails: syntax error")
        assert reasons[0].startswith("the build fails: DuckDB")
    else:
        assert effect.change.reasons == reasons
    assert effect.diff is not None and effect.diff.impacted == found.impacted


SMALL: Mapping[str, str] = {
    "dbt_project.yml": f"name: {SHOP}\n",
    "models/src.sql": "select 1 as id, 2 as k, 3 as city, 4 as size",
    "models/a.sql": "select id, k, city from {{ ref('src') }}",
    "models/b.sql": "select id as bid, size from {{ ref('src') }}",
    "models/un.sql": "select id, city, size from {{ ref('a') }} join {{ ref('b') }} on id = bid",
    "models/star.sql": "select * from {{ ref('a') }}",
    "models/star2.sql": "select a.*, size from {{ ref('star') }} as a join {{ ref('b') }} on id = bid",
    "models/star3.sql": "select id, city from {{ ref('star2') }}",
    "models/dist.sql": "select distinct * from {{ ref('star') }}",
    "models/uni.sql": "select * from {{ ref('a') }} union all select * from {{ ref('star') }}",
    "models/wide.sql": "select * from {{ ref('star') }}",
    "models/both.sql": "select * from {{ ref('wide') }} union select * from {{ ref('star') }}",
    "models/three.sql": "select * from {{ ref('star') }} intersect select 1, 2, 3",
    "models/named.sql": "select * from {{ ref('wide') }} union by name select * from {{ ref('a') }}",
    "models/cnt.sql": "select count(*) as n from {{ ref('a') }}",
    "models/eph.sql": "{{ config(materialized='ephemeral') }} select id, city from {{ ref('a') }}",
    "models/eph2.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('eph') }}",
    "models/reph.sql": "select id, city from {{ ref('eph2') }}",
    "models/reph2.sql": "select e.id, e.city, b.size from {{ ref('eph') }} e "
    "join {{ ref('b') }} b on b.bid = e.id",
    "models/reph3.sql": "select city as c from {{ ref('reph') }}",
    "models/inc.sql": "{{ config(materialized='incremental') }} select id, city from {{ ref('a') }} "
    "{% if is_incremental() %} where id > 3 {% endif %}",
}
"""Columns passed on by stars, sets, unqualified names, ephemeral models and incremental models."""
SMALL_EDITS = (
    ("b", "size", "size, 5 as city"),
    ("b", "size", "size, 5 as id"),
    ("a", "city", "city, 7 as zip"),
    ("a", "city", "city as town"),
    ("a", ", city", ""),
    ("a", "k, city", "city, k"),
    ("a", "{{ ref('src') }}", "{{ ref('src') }} as s"),
    ("a", "{{ ref('src') }}", "{{ ref('b') }} as s"),
    ("star", "*", "id, city"),
    ("star", "*", "city, id, k"),
    ("wide", "*", "id, k"),
    ("star2", "a.*", "a.id, a.city"),
    ("star2", "a.*", "a.*, 1 as one"),
    ("eph", "id, city", "id, city, k"),
    ("eph", "id, city", "id"),
    ("eph", "id, city", "city, id"),
    ("eph", "id, city from", "id, upper(city) as city from"),
    ("eph", "{{ ref('a') }}", "{{ ref('a') }} where k > 1"),
    ("eph2", "*", "id, city"),
    ("eph2", "*", "id"),
    ("inc", "id > 3", "id > 4"),
    ("inc", "id, city", "id, city, 1 as x"),
    ("src", "3 as city", "4 as city"),
    ("src", "3 as city", "3 as town"),
    ("cnt", "count(*)", "count(id)"),
    ("uni", "union all", "union"),
    ("dist", "distinct", ""),
    ("un", "join", "left join"),
    ("un", "id, city", "a.id, city"),
    ("reph", "id, city", "*"),
    ("reph2", "e.city,", ""),
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    root = write_files(tmp_path_factory.mktemp("small") / "project", SMALL)
    with UnifiedSqlAdapter.from_url(f"sqlite:///{root.parent / 'store.db'}") as adapter:
        yield Shop(root, adapter)


@pytest.mark.parametrize(("name", "old", "new"), SMALL_EDITS)
@pytest.mark.extensive
def test_the_affected_nodes_are_those_of_the_diff_however_columns_are_passed_on(
    small: Shop, name: str, old: str, new: str
) -> None:
    edit = Edit(f"models/{name}.sql", old, new)
    index = small.index
    node = index.node(edit.unique_id)
    assert node is not None
    effect = effect_on_base(index, node, live_model(index, node, small.edited(edit)))
    found = small.diff(edit)
    [change] = [one for one in found.changes if one.unique_id == edit.unique_id] or [None]
    assert effect is not None
    assert effect.change.category is ((change and change.category) or Category.NONE)
    assert effect.change.columns == (change.columns if change else ())
    assert effect.diff is not None and effect.diff.impacted == found.impacted


@pytest.mark.extensive
def test_the_nodes_that_fail_without_a_column_are_those_that_duckdb_cannot_build(
    small: Shop, subtests: pytest.Subtests
) -> None:
    tried = 0
    for name, old, new in SMALL_EDITS:
        edit = Edit(f"models/{name}.sql", old, new)
        node = small.index.node(edit.unique_id)
        assert node is not None
        effect = effect_on_base(small.index, node, live_model(small.index, node, small.edited(edit)))
        assert effect is not None
        failed, below = small.not_built(edit)
        is_removal = any(column.status is Status.REMOVED for column in effect.change.columns)
        if not is_removal or edit.unique_id in failed | below:
            continue
        tried += 1
        tables = [one for one in effect.diff.impacted if one.unique_id not in below]
        fails = {one.unique_id for one in tables if one.fails} - small.ephemeral
        with subtests.test(f"{name}: {old} → {new}"):
            assert fails <= failed <= fails | {one.unique_id for one in tables if one.may_fail}
    assert tried == 9


def live_of(
    index: ProjectIndex, name: str, text: str, others: Mapping[str, LiveModel] | None = None
) -> LiveModel:
    node = index.node(f"model.{SHOP}.{name}")
    assert node is not None
    return live_model(index, node, text, others or {})


def removals(
    index: ProjectIndex, live: LiveModel, *others: LiveModel
) -> list[tuple[str, str | None, list[str]]]:
    """Return name, new name and failing nodes of each removed column."""
    node = index.node(live.unique_id)
    assert node is not None
    found = removed_columns(index, node, live, {other.unique_id: other for other in others})
    return [(one.name, one.renamed_to, [failing.name for failing in one.fails]) for one in found]


def saved(index: ProjectIndex, name: str) -> str:
    node = index.node(f"model.{SHOP}.{name}")
    assert node is not None and node.raw_code is not None
    return node.raw_code


def test_a_saved_text_has_the_recorded_columns_and_removes_none(shop_index: ProjectIndex) -> None:
    for unique_id, known in shop_index.names.items():
        node = shop_index.node(unique_id)
        lineage = shop_index.lineage(unique_id)
        if known.resource_type != "model" or node is None or lineage is None:
            continue
        live = live_model(shop_index, node, node.raw_code or "")
        assert live.reason is None
        assert live.sql == node.compiled_code
        assert live.columns is not None
        assert live.names == lineage.names
        places = [[(s.parent, s.column) for s in output.sources] for output in live.columns.outputs]
        assert places == [[(s.parent, s.column) for s in output.sources] for output in lineage.outputs]
        assert removed_columns(shop_index, node, live) == ()


def test_the_columns_of_an_ephemeral_model_are_those_of_its_readers(shop_index: ProjectIndex) -> None:
    live = live_of(shop_index, "orders", "select paid_amount from {{ ref('int_order_payments') }}")
    assert live.columns is not None
    parents = {source.parent for source in live.columns.outputs[0].sources}
    assert parents == {f"model.{SHOP}.int_order_payments"}


def test_a_macro_of_a_package_that_is_missing_is_replaced_by_a_call(shop_index: ProjectIndex) -> None:
    live = live_of(
        shop_index, "orders", "select {{ elsewhere.masked('status') }} as s from {{ ref('stg_orders') }}"
    )
    assert live.reason is None
    assert live.columns is not None
    assert [source.column for source in live.columns.outputs[0].sources] == ["status"]


def test_the_columns_of_a_star_are_those_of_the_open_parent(shop_index: ProjectIndex) -> None:
    parent = live_of(shop_index, "stg_stores", "select 1 as store_id, 2 as size")
    child = "select * from {{ ref('stg_stores') }}"
    assert live_of(shop_index, "orders", child).names == shop_index.lineage(f"model.{SHOP}.stg_stores").names  # type: ignore[union-attr]
    assert live_of(shop_index, "orders", child, {parent.unique_id: parent}).names == ("store_id", "size")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("select {{ ref('nothing') }}", "not rendered: Model, seed or snapshot 'nothing' not found"),
        ("select {{ var('nothing') }}", "not rendered: Variable 'nothing' has neither a value nor a default"),
        ("select {{ graph.nodes }}", "not rendered: 'graph' may read all nodes of the project"),
        (
            "select {% if %}",
            "not rendered: Not valid Jinja: Expected an expression, got 'end of statement block'",
        ),
        ("{# nothing #}", "it renders to no SQL"),
        ("{% for i in range(10000000) %}{{ i }}{% endfor %}", "not rendered: "),
        ("select from where", "does not parse"),
    ],
)
def test_a_text_that_cannot_be_analysed_has_a_reason(
    shop_index: ProjectIndex, text: str, reason: str
) -> None:
    live = live_of(shop_index, "orders", text)
    assert live.columns is None
    assert live.names is None
    assert reason in (live.reason or "")
    assert removals(shop_index, live) == []


def test_a_removed_column_fails_the_nodes_that_name_it(shop_index: ProjectIndex) -> None:
    text = saved(shop_index, "stg_stores").replace("    city,\n", "")
    assert removals(shop_index, live_of(shop_index, "stg_stores", text)) == [
        ("city", None, ["store_performance"])
    ]


def test_a_removed_column_is_followed_through_stars(record_project: RecordProject, tmp_path: Path) -> None:
    root = tmp_path / "stars"
    files = {
        "dbt_project.yml": "name: stars\n",
        "models/a.sql": "select 1 as x, 2 as y",
        "models/b.sql": "select * from {{ ref('a') }}",
        "models/c.sql": "select x from {{ ref('b') }}",
        "models/d.sql": "select y from {{ ref('b') }}",
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    index = record_project(root)
    node = index.node("model.stars.a")
    assert node is not None
    live = live_model(index, node, "select 2 as y")
    assert removals(index, live) == [("x", None, ["c"])]


def test_a_column_whose_expression_has_one_new_name_is_renamed(shop_index: ProjectIndex) -> None:
    text = saved(shop_index, "customers").replace(
        "as lifetime_value\nfrom {{ ref('stg", "as worth\nfrom {{ ref('stg"
    )
    assert [one[:2] for one in removals(shop_index, live_of(shop_index, "customers", text))] == [
        ("lifetime_value", "worth")
    ]
    twice = text.replace("as worth", "as worth, cast(coalesce(history.lifetime_value, 0) as double) as value")
    assert [one[:2] for one in removals(shop_index, live_of(shop_index, "customers", twice))] == [
        ("lifetime_value", None)
    ]


def test_a_column_that_loses_its_alias_is_removed(shop_index: ProjectIndex) -> None:
    text = saved(shop_index, "customers").replace(
        " as lifetime_value\nfrom {{ ref('stg", "\nfrom {{ ref('stg"
    )
    assert text != saved(shop_index, "customers")
    assert [one[:2] for one in removals(shop_index, live_of(shop_index, "customers", text))] == [
        ("lifetime_value", None)
    ]


def test_only_case_differs_and_no_column_is_removed(shop_index: ProjectIndex) -> None:
    text = saved(shop_index, "stg_stores").replace("    city,\n", "    city as CITY,\n")
    assert removals(shop_index, live_of(shop_index, "stg_stores", text)) == []


def test_a_star_over_unknown_columns_removes_nothing(shop_index: ProjectIndex) -> None:
    text = "select * from {{ source('crm', 'contacts') }}"
    assert removals(shop_index, live_of(shop_index, "stg_stores", text)) == []


def test_a_dependent_that_is_fixed_in_its_open_text_does_not_fail(shop_index: ProjectIndex) -> None:
    live = live_of(shop_index, "stg_stores", saved(shop_index, "stg_stores").replace("    city,\n", ""))
    text = saved(shop_index, "store_performance")
    kept = live_of(shop_index, "store_performance", text + " -- city", {live.unique_id: live})
    assert removals(shop_index, live, kept) == [("city", None, ["store_performance"])]
    fixed = text.replace("    stores.city,\n", "").replace(", stores.city", "")
    mended = live_of(shop_index, "store_performance", fixed, {live.unique_id: live})
    assert removals(shop_index, live, mended) == [("city", None, [])]


def test_an_open_text_that_starts_to_read_the_column_fails_too(shop_index: ProjectIndex) -> None:
    live = live_of(shop_index, "stg_stores", saved(shop_index, "stg_stores").replace("    city,\n", ""))
    new = live_of(shop_index, "payment_mix", "select city from {{ ref('stg_stores') }}")
    assert removals(shop_index, live, new) == [("city", None, ["payment_mix", "store_performance"])]


def test_readers_of_an_ephemeral_model_are_not_checked(shop_index: ProjectIndex) -> None:
    node = shop_index.node(f"model.{SHOP}.int_order_payments")
    assert node is not None
    text = (node.raw_code or "").replace("    count(*) as attempts\n", "    1 as one\n")
    [removed] = removed_columns(shop_index, node, live_model(shop_index, node, text))
    assert (removed.name, removed.fails) == ("attempts", ())
    assert removed.unchecked is not None and "ephemeral" in removed.unchecked


def test_without_base_there_is_no_effect(shop_index: ProjectIndex) -> None:
    node = shop_index.node(f"model.{SHOP}.orders")
    assert node is not None
    assert effect_on_base(shop_index, node, live_model(shop_index, node, "select 1 as one")) is None


def test_the_index_is_released_with_its_analyses(
    record_project: RecordProject, shop_root: Path, tmp_path: Path
) -> None:
    index = record_project(shop_root)
    live_of(index, "orders", "select 1 as one")
    gone = weakref.ref(index)
    del index
    gc.collect()
    assert gone() is None
