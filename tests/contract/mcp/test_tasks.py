"""Tasks of an agent that edits the demo's files: each takes at most four calls, in the order of the skill."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from recce_meta.api.demo import demo
from tests.contract.mcp.test_mcp import VALUES, Agent
from tests.e2e.conftest import DEMO
from tests.support.once import built_once

MOST_CALLS = 4
TREE: dict[str, Any] = {"base": "base", "current": "working tree"}
PERFORMANCE = "models/marts/store_performance.sql"
ORDERS, CUSTOMERS, STG_ORDERS, STORES = (
    f"models/{name}.sql"
    for name in ("marts/orders", "marts/customers", "staging/stg_orders", "staging/stg_stores")
)


class Edit(NamedTuple):
    """Replacement in a file of the project."""

    path: str
    old: str
    new: str


class Call(NamedTuple):
    """Call of a tool, and words that its answer has, or after `not ` lacks."""

    tool: str
    arguments: dict[str, Any]
    words: Sequence[str]


def changed(*words: str) -> Call:
    return Call("what_changed", TREE, words)


def preview(node: str, *words: str, **more: Any) -> Call:
    return Call("compare_data", {"kind": "preview", "node": node, "base": "base", **more}, words)


TASKS: dict[str, list[Edit | Call]] = {
    "rename a column with its readers": [
        Call("impact", {"target": "stg_stores.city", "run": "base"}, ["store_performance", "_removed"]),
        Edit(STORES, "city", "city as town"),
        changed("store_performance fails", "city renamed to town"),
        Edit(PERFORMANCE, "stores.city,", "stores.town as city,"),
        Edit(PERFORMANCE, "stores.store_name, stores.city", "stores.store_name, stores.town"),
        changed("not fails"),
    ],
    "say who reads a column before it goes": [
        Call("impact", {"target": "stg_orders.status", "run": "base"}, ["orders", '"fails_if_removed":true']),
        Edit(STG_ORDERS, "    status\n", "    1 as one\n"),
        changed("fails", "status removed"),
    ],
    "change how an amount is counted, and say which rows": [
        Edit(ORDERS, "attempted_amount as amount", "paid_amount as amount"),
        changed("amount modified", "not fails"),
        preview("orders", "76 of 900 rows", '"mismatched":76'),
        preview("orders", "gives all 76 changed values of amount", why=True),
    ],
    "add a column without a break": [
        Edit(CUSTOMERS, "customers.email,", "customers.email, upper(customers.email) as mail,"),
        changed("mail added", "none of 4 downstream nodes affected", "not fails"),
    ],
    "find a syntax error before a build": [
        Edit(ORDERS, "payments.attempted_amount as amount", "payments.attempted_amount as amount,,"),
        changed("orders fails", "syntax error"),
        Edit(ORDERS, "as amount,,", "as amount"),
        changed("No changes"),
    ],
    "find a wrong type before a build": [
        Edit(CUSTOMERS, "sum(amount)", "sum(amount || 'x')"),
        changed("customers fails", "No function matches"),
    ],
    "find an aggregate without its key": [
        Edit(CUSTOMERS, "    group by customer_id\n", ""),
        changed("customers fails", "GROUP BY"),
    ],
    "format without a change": [
        Edit(CUSTOMERS, "with history as (", "-- customers\nWITH history AS ("),
        changed("not breaking", "not fails"),
    ],
    "remove rows on purpose": [
        Edit(CUSTOMERS, "where status <> 'returned'", "where status = 'completed'"),
        changed("breaking", "customers"),
        preview("customers", "rows"),
        Call("code", {"node": "customers", **TREE}, ["working tree"]),
    ],
    "say what a macro's edit reaches": [
        Call("find", {"text": "cents_to_dollars", "run": "base"}, ["macro.jaffle_shop", "stg_payments"]),
        Edit("macros/cents_to_dollars.sql", "100", "1000"),
        changed("stg_payments"),
        Call("impact", TREE, ["orders", "customers"]),
    ],
}  # fmt: skip


def build(folder: Path) -> None:
    shutil.copytree(DEMO / "project" / "base", folder, dirs_exist_ok=True)
    shutil.copy(demo(folder / "demo").database, folder / "jaffle_shop.duckdb")


@pytest.mark.extensive
@pytest.mark.parametrize("name", TASKS)
@pytest.mark.cases(3)
def test_a_task_ends_in_four_calls(
    name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(built_once(tmp_path_factory, "tasks", build), folder)
    agent = Agent(folder / "jaffle_shop.duckdb", VALUES)
    for step in TASKS[name]:
        if isinstance(step, Edit):
            file = folder / step.path
            assert step.old in file.read_text("utf-8")
            file.write_text(file.read_text("utf-8").replace(step.old, step.new, 1), "utf-8")
            continue
        text = agent.ask(step.tool, **step.arguments)
        for words in step.words:
            assert (words.removeprefix("not ") in text) is not words.startswith("not "), text
    agent.close()
    assert sum(isinstance(step, Call) for step in TASKS[name]) <= MOST_CALLS
