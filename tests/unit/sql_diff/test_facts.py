"""Edits that are harmless only as long as facts about the rows hold; the proof `facts` executes both."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest
from msgspec.structs import replace

from recce_meta.models.change import Category, DataFact, FactKind, FactSource, SqlChange, TableFacts
from recce_meta.sql_diff import compare_sql
from tests.proofs.facts import Proof

SCHEMAS = {
    "orders": {
        "id": "int",
        "customer_id": "int",
        "amount": "decimal(18,3)",
        "status": "text",
        "rate": "double",
    },
    "customers": {"id": "int", "name": "text", "code": "text", "country": "text"},
    "lines": {"order_id": "int", "line": "int", "qty": "int"},
}


def fact(table: str, kind: FactKind, *columns: str) -> DataFact:
    """A fact from a test of the usual name."""
    name = f"{kind.value}_{table}_{'_'.join(columns)}"
    return DataFact(name=name, unique_id=table, kind=kind, columns=columns, source=FactSource.TEST)


OF_CUSTOMERS = replace(
    fact("lines", FactKind.REFERENCE, "qty"),
    name="relationships",
    other_id="customers",
    other_columns=("id",),
)
UNIQUE, NOT_NULL = FactKind.UNIQUE, FactKind.NOT_NULL
FACTS = {
    "orders": [
        fact("orders", UNIQUE, "id"),
        *(fact("orders", NOT_NULL, one) for one in ("id", "amount", "rate")),
    ],
    "customers": [
        fact("customers", UNIQUE, "id"),
        fact("customers", UNIQUE, "code"),
        fact("customers", NOT_NULL, "name"),
    ],
    "lines": [fact("lines", UNIQUE, "line", "order_id"), fact("lines", NOT_NULL, "qty"), OF_CUSTOMERS],
}


def compared(old: str, new: str, *, is_typed: bool = True, dialect: str = "duckdb") -> SqlChange:
    """The change from *old* to *new* if all of FACTS hold."""

    def find(tables: Collection[str]) -> Mapping[str, TableFacts]:
        return {one: TableFacts(unique_id=one, facts=tuple(FACTS[one]), is_typed=is_typed) for one in tables}

    return compare_sql(old, new, dialect, SCHEMAS, facts=find)


ORDERS = "select o.id from orders o"
JOINED = f"{ORDERS} left join customers c on c.id = o.customer_id"
OF_CTE, OVER_CTE = JOINED.replace("customers", "c"), JOINED.replace("orders", "f")
RIGHT = "right join lines l on l.qty = o.id"
HARMLESS = [
    (
        "select amount from orders",
        "select coalesce(amount, 0) as amount from orders",
        "not_null_orders_amount",
    ),
    (
        "select sum(amount) as a from orders",
        "select sum(ifnull(amount, 0)) as a from orders",
        "not_null_orders_amount",
    ),
    ("select rate from orders", "select coalesce(rate, 0.5) as rate from orders", "not_null_orders_rate"),
    ("select count(*) as n from orders", "select count(id) as n from orders", "not_null_orders_id"),
    (ORDERS, f"{ORDERS} where o.id is not null", "not_null_orders_id"),
    (f"{ORDERS} where o.rate > 1", f"{ORDERS} where o.rate > 1 or o.id is null", "not_null_orders_id"),
    (
        f"{ORDERS} where not (o.rate > 1 and o.id is not null)",
        f"{ORDERS} where o.rate <= 1",
        "not_null_orders_id",
    ),
    (
        "select id, status from orders",
        "select distinct id, status from orders",
        "not_null_orders_id and unique_orders_id",
    ),
    (ORDERS, JOINED, "unique_customers_id"),
    (
        ORDERS,
        f"{ORDERS} left join customers c on c.code = o.status and c.country = 'NL'",
        "unique_customers_code",
    ),
    (ORDERS, f"{ORDERS} left join lines l on l.order_id = o.id and l.line = 1", "unique_lines_line_order_id"),
    (
        f"{ORDERS} where o.rate > 1",
        f"with c as (select id from customers where name <> '') {OF_CTE} where o.rate > 1",
        "unique_customers_id",
    ),
    (
        ORDERS,
        f"with f as (select id, customer_id from orders), g as ({OVER_CTE}) select * from g",
        "unique_customers_id",
    ),
    (
        "with f as (select name from customers) select coalesce(name, '') as name from f",
        "select name from customers",
        "not_null_customers_name",
    ),
]


@pytest.mark.parametrize(("old", "new", "named"), HARMLESS)
def test_a_harmless_edit_is_none_and_names_the_facts(old: str, new: str, named: str) -> None:
    for one, other in ((old, new), (new, old)):
        assert compare_sql(one, other, "duckdb", SCHEMAS).category is not Category.NONE

        change = compared(one, other)

        assert change.category is Category.NONE
        assert change.reasons == (f"as long as {named} {'hold' if ' and ' in named else 'holds'}",)
        assert sorted(fact.name for fact in change.facts) == sorted(named.split(" and "))


BY_NAME = "select qty, line, line as id from lines"
USED = f"select l.line, id from ({BY_NAME}) l left join customers c using (id)"


def test_the_column_of_using_is_that_of_the_left_side() -> None:
    change = compared(f"select l.line, id from ({BY_NAME}) l", USED)

    assert (change.category, change.reasons) == (Category.NONE, ("as long as unique_customers_id holds",))
    for other in (USED.replace(", id from", ", c.id from"), USED.replace(" left ", " ")):
        assert compared(f"select l.line, id from ({BY_NAME}) l", other).category is not Category.NONE


def test_a_star_over_using_and_another_join_is_not_read_from_one_row() -> None:
    twice = "select * from lines l join lines m using (order_id)"

    assert compared(twice, f"{twice} left join customers c on c.id = l.qty").category is Category.BREAKING


LINES = "select l.line from lines l"
OF_CTES = "select x.line from x join y on x.qty = y.k"
MATCHED = f"{LINES} join customers c on c.id = l.qty"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LINES, MATCHED),
        (MATCHED, MATCHED.replace("join", "left join")),
        (
            LINES,
            "with x as (select * from lines), y as (select id as k from customers) "
            "select x.line from x join y on x.qty = y.k",
        ),
        (LINES, f"{MATCHED} and true"),
    ],
)  # fmt: skip
def test_an_inner_join_in_which_each_row_finds_one_keeps_the_rows(old: str, new: str) -> None:
    assert compared(old, new).category is Category.NONE
    assert compared(new, old).category is Category.NONE


def test_an_inner_join_names_three_facts() -> None:
    change = compared(LINES, MATCHED.replace("l.line from", "l.line, c.name from"))

    assert change.category is Category.NON_BREAKING
    assert change.reasons[-1] == "as long as not_null_lines_qty, relationships and unique_customers_id hold"


@pytest.mark.parametrize(
    "new",
    [
        f"{MATCHED} and c.country = 'NL'",
        f"{MATCHED} and l.line > 1",
        MATCHED.replace("l.qty", "l.line"),
        MATCHED.replace("l.qty", "l.qty + 0"),
        f"with c as (select id from customers where id > 1) {MATCHED.replace('customers', 'c')}",
        f"with c as (select id from customers limit 5) {MATCHED.replace('customers', 'c')}",
        f"with c as (select id from customers tablesample 10%) {MATCHED.replace('customers', 'c')}",
    ],
)
def test_an_inner_join_that_may_find_no_row_is_breaking(new: str) -> None:
    assert compared(LINES, new).category is Category.BREAKING
    assert compared(new, LINES).category is Category.BREAKING


def test_an_inner_join_on_a_column_below_an_outer_join_removes_rows() -> None:
    outer = f"{ORDERS} left join lines l on l.line = o.id"

    assert compared(outer, f"{outer} join customers c on c.id = l.qty").category is Category.BREAKING


def test_a_left_join_on_groups_needs_no_fact() -> None:
    sums = "select customer_id, sum(amount) as total from orders group by customer_id"

    change = compared(
        "select id from customers",
        f"select c.id, s.total from customers c left join ({sums}) s on s.customer_id = c.id",
    )

    assert (change.category, change.facts, change.reasons) == (
        Category.NON_BREAKING,
        (),
        ("column added: total",),
    )


def test_a_joined_column_that_is_added_is_not_breaking() -> None:
    change = compared(ORDERS, JOINED.replace("o.id from", "o.id, c.name from"))

    assert change.category is Category.NON_BREAKING
    assert change.reasons == ("column added: name", "as long as unique_customers_id holds")


NOT_PROVEN = [
    ("select status from orders", "select coalesce(status, '') as status from orders"),
    ("select amount from orders", "select coalesce(amount, 0.00001) as amount from orders"),
    ("select count(*) as n from orders", "select count(status) as n from orders"),
    ("select count(*) as n from orders", "select count(distinct id) as n from orders"),
    (
        JOINED.replace("o.id from", "c.name from"),
        JOINED.replace("o.id from", "coalesce(c.name, '') as name from"),
    ),
    (JOINED, f"{JOINED} where c.name is not null"),
    ("select max(id) as id from orders", "select coalesce(max(id), 0) as id from orders"),
    (
        "select id from orders group by rollup(id)",
        "select coalesce(id, 0) as id from orders group by rollup(id)",
    ),
    ("select id from orders group by cube(id)", "select coalesce(id, 0) as id from orders group by cube(id)"),
    (
        "select id from orders group by grouping sets ((id), ())",
        "select coalesce(id, 0) as id from orders group by grouping sets ((id), ())",
    ),
    (ORDERS, f"{ORDERS} left join (select id from orders group by rollup(id, id)) c on c.id = o.id"),
    ("select status from orders", "select distinct status from orders"),
    ("select code from customers", "select distinct code from customers"),
    (ORDERS, JOINED.replace("left join", "join")),
    (ORDERS, JOINED.replace("c.id =", "c.country =")),
    (ORDERS, JOINED.replace("c.id =", "c.id <")),
    (ORDERS, f"{ORDERS} left join customers c on c.code = o.customer_id"),
    (ORDERS, f"{ORDERS} left join customers c on c.id = o.rate"),
    (ORDERS, f"{ORDERS} left join customers c on c.id = o.customer_id or c.id = o.id"),
    (ORDERS, f"{ORDERS} left join customers c on c.id = c.id"),
    (ORDERS, f"{ORDERS} left join lines l on l.order_id = o.id"),
    (ORDERS, f"{ORDERS} left join (select id from customers union all select 1) c on c.id = o.customer_id"),
    (f"{ORDERS} limit 3", f"{JOINED} limit 3"),
    (
        f"{ORDERS} {RIGHT}",
        f"{ORDERS} left join customers c on c.id = coalesce(o.customer_id, 0) {RIGHT}",
    ),
]


@pytest.mark.parametrize(("old", "new"), NOT_PROVEN)
def test_what_facts_do_not_prove_stays_as_it_is(old: str, new: str) -> None:
    for one, other in ((old, new), (new, old)):
        assert compared(one, other) == compare_sql(one, other, "duckdb", SCHEMAS)


def test_a_join_whose_types_are_only_documented_may_find_several_rows() -> None:
    assert compared(ORDERS, JOINED, is_typed=False).category is Category.BREAKING
    assert compared(ORDERS, f"{ORDERS} where o.id is not null", is_typed=False).category is Category.NONE


def test_texts_are_not_keys_if_letters_of_another_case_are_equal() -> None:
    joined = f"{ORDERS} left join customers c on c.code = o.status"

    assert compared(ORDERS, joined).category is Category.NONE
    assert compared(ORDERS, joined, dialect="mysql").category is Category.BREAKING


def test_what_reads_a_joined_row_in_from_decides_over_the_rows() -> None:
    read = f"{JOINED}, unnest(string_to_array(c.name, ',')) as u (w)"
    other = read.replace("o.customer_id", "o.id")
    lateral = f"{JOINED} join lateral (select l.qty from lines l where l.line = c.id) x on true"

    for old, new in ((read, other), (lateral, lateral.replace("o.customer_id", "o.id"))):
        assert compared(old, new).category is Category.BREAKING


def test_facts_are_not_looked_up_if_they_cannot_matter() -> None:
    def find(tables: Collection[str]) -> Mapping[str, TableFacts]:
        pytest.fail(f"facts of {tables} are not needed")

    for new in (
        "select ID from orders",
        "select id + 1 as id from orders",
        "select id from orders where rate > 1",
    ):
        compare_sql("select id from orders", new, "duckdb", SCHEMAS, facts=find)


@pytest.mark.parametrize(
    "seeds", [range(410, 500), pytest.param(range(1, 500), marks=pytest.mark.extensive)], ids=str
)
def test_rows_with_the_named_facts_contradict_no_answer(seeds: range) -> None:
    proof = Proof()

    wrong = [problem for seed in seeds for problem in proof.failures(seed)]

    assert not wrong, "\n\n".join(wrong[:6])
    needed = [proof.counts[f"{kind} is named, and needed"] for kind in FactKind]
    assert all(needed), proof.counts
