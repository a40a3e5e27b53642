"""`preview`: what edits of files do to the data, over the relations of base, which are those of the demo."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta import ComparisonOptions, UnifiedSqlAdapter, preview_edits, render_report
from recce_meta.api.data.preview import WHOLE
from recce_meta.api.edited_project import GONE, OTHER_CONFIG, SNAPSHOT
from recce_meta.cli.run.preview import COMPILED
from recce_meta.errors import UsageError
from recce_meta.lsp.features.commands import UNSAVED
from recce_meta.mcp.data_tools import DataTools
from recce_meta.mcp.questions import AgentSettings, Questions
from recce_meta.mcp.stores import AgentStore
from recce_meta.models.data_diff import SchemaDiff, ValueDiff
from recce_meta.quality.masking import privacy_of
from recce_meta.report.data.preview import NOTHING_EDITED, NOTHING_SELECTED
from tests.e2e.conftest import DEMO, Cli
from tests.e2e.lsp.editor import Editor
from tests.support.once import built_once

ORDERS, CUSTOMERS = "models/marts/orders.sql", "models/marts/customers.sql"


@pytest.fixture(scope="session")
def _database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's database, with a store in it; tests take a copy."""
    return built_once(tmp_path_factory, "previews", _make_demo) / "recce-meta-demo" / "jaffle_shop.duckdb"


def _make_demo(folder: Path) -> None:
    ran = Cli(folder)("demo")
    assert ran.code == 0, ran.err


class Shop:
    """The demo's project, as dbt left it after it built base."""

    def __init__(self, cli: Cli, database: Path) -> None:
        self.root = cli.folder / "shop"
        shutil.copytree(DEMO / "project" / "base", self.root)
        shutil.copytree(DEMO / "base", self.root / "target")
        shutil.copy(database, self.root / "jaffle_shop.duckdb")
        for path in self.root.rglob("*"):
            # dbt wrote the artifacts of the demo later than this.
            os.utime(path, (1e9, 1e9))
        self.cli = cli.within("shop")

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        """Write a file with the text that *change* makes of it; of a new file, of nothing."""
        file = self.root / path
        file.write_text(change(file.read_text() if file.exists() else ""))

    def replace(self, path: str, old: str, new: str) -> None:
        """Write *new* for *old* in a file, which has it."""
        assert old in (self.root / path).read_text()
        self.edit(path, lambda text: text.replace(old, new))

    def rebuild(self, name: str, sql: str) -> None:
        """Let base have built the model *name* from *sql*, as its file, its manifest and its relation say."""
        path = self.root / "target" / "manifest.json.gz"
        manifest = json.loads(gzip.decompress(path.read_bytes()))
        (node,) = (one for one in manifest["nodes"].values() if one["name"] == name)
        node["raw_code"] = node["compiled_code"] = sql
        node["depends_on"]["nodes"] = []
        path.write_bytes(gzip.compress(json.dumps(manifest).encode()))
        (self.root / node["original_file_path"]).write_text(sql)

    def preview(self, *options: str) -> Any:
        return self.cli("preview", *options)

    def results(self, *options: str) -> dict[str, Any]:
        """The results of the JSON document, by node."""
        ran = self.preview("--format", "json", *options)
        return {one["subject"]["name"]: one for one in json.loads(ran.out)["results"]}


@pytest.fixture
def shop(cli: Cli, _database: Path) -> Shop:
    return Shop(cli, _database)


def count_payments_once(shop: Shop) -> None:
    shop.replace(ORDERS, "attempted_amount as amount", "paid_amount as amount")


def test_an_edit_shows_the_rows_that_change_and_the_columns_that_cannot(shop: Shop) -> None:
    count_payments_once(shop)

    ran = shop.preview()

    assert (ran.code, ran.err) == (0, "")
    header, *lines = ran.out.splitlines()
    assert header.startswith("base target/ (built 2026-11-") and "target prod" in header
    assert header.endswith("1 edited model, previewed, not built")
    assert lines == [
        "orders · 76 of 900 rows change (8.4%)",
        "  rows matched by order_id · 0 added · 0 removed",
        "  amount  76 different, mean change -31.7224, largest change 62.75",
        "      order_id=45: 26.00 → 13.00",
        "      order_id=874: 65.50 → 32.75",
        "  cannot differ, by the SQL: the other 10 columns",
        "3 readers affected: daily_revenue, customers, store_performance (--downstream)",
    ]


def test_another_type_is_shown_where_all_values_are_equal(shop: Shop) -> None:
    shop.replace(ORDERS, "attempted_amount as amount", "attempted_amount::varchar as amount")

    ran = shop.preview("--downstream")

    assert "orders · 0 of 900 rows change" in ran.out and "  amount  type DECIMAL" in ran.out
    assert "hint: check the function, and the types of its arguments" in ran.out

    shop.replace("models/marts/payment_mix.sql", "count(*) as", "count(*)::integer as")
    ran = shop.preview("--select", "payment_mix")
    assert "all equal; 1 column of other types" in ran.out
    assert "Values of other types compared: payments (BIGINT → INTEGER)" in ran.out
    assert "Equal data of other types" in shop.preview("--select", "payment_mix", "--format", "markdown").out


def test_a_column_with_the_time_is_not_said_to_stay(shop: Shop) -> None:
    count_payments_once(shop)
    shop.replace(ORDERS, "paid_amount as amount", "paid_amount as amount, current_timestamp as loaded_at")

    assert "cannot differ" not in shop.preview().out


def test_readers_have_the_figures_of_a_build_of_both_sides(shop: Shop) -> None:
    count_payments_once(shop)

    found = shop.results("--downstream")
    built = shop.cli("value", *found, "--base", "base", "--current", "current", "--format", "json")

    wanted = {one["subject"]["name"]: one for one in json.loads(built.out)["results"]}
    figures = ("key", "base", "current", "added", "removed", "common", "changed")
    assert {name: one["changed"] for name, one in found.items()} == {
        "orders": 76,
        "daily_revenue": 73,
        "customers": 56,
        "store_performance": 4,
    }
    for name, one in found.items():
        assert [one[part] for part in figures] == [wanted[name][part] for part in figures], name
    assert WHOLE in found["daily_revenue"]["notes"] and WHOLE not in found["customers"]["notes"]


def test_without_artifacts_base_is_a_run_of_the_store(shop: Shop) -> None:
    count_payments_once(shop)
    shutil.rmtree(shop.root / "target")

    ran = shop.preview()

    assert ran.code == 0, ran.err
    assert "(latest run of base)" in ran.out and "76 of 900 rows change" in ran.out


@pytest.mark.parametrize("text", ["", "\n-- a remark", "{# a remark #}"])
def test_formatting_is_not_previewed_and_asks_no_query(shop: Shop, text: str) -> None:
    shop.edit(ORDERS, lambda code: code.replace("select\n", f"select {text}\n") if text else code)
    (shop.root / "jaffle_shop.duckdb").unlink()

    ran = shop.preview()

    assert (ran.code, ran.err) == (0, "") and NOTHING_EDITED in ran.out


def test_an_edited_parent_is_part_of_the_sql_of_an_edited_model(shop: Shop) -> None:
    shop.replace("models/staging/stg_orders.sql", "status", "status, 'x' as origin")
    shop.edit(ORDERS, lambda code: code.replace("orders.status,", "orders.status, orders.origin,"))

    found = shop.results()

    assert set(found) == {"stg_orders", "orders"}
    assert [one["current_only"] for one in found.values()] == [["origin"], ["origin"]]
    assert all(one["changed"] == 0 for one in found.values())


def test_a_changed_macro_edits_the_models_that_call_it(shop: Shop) -> None:
    shop.replace("macros/cents_to_dollars.sql", "100.0", "1000.0")

    found = shop.results()

    assert set(found) == {"stg_payments"} and found["stg_payments"]["changed"] > 0


def test_a_macro_that_is_gone_leaves_its_callers_without_sql(shop: Shop) -> None:
    (shop.root / "macros/cents_to_dollars.sql").unlink()

    ran = shop.preview()

    assert ran.code == 2 and "stg_payments · not previewed: not rendered: " in ran.out
    assert "cents_to_dollars" in ran.out


def test_a_new_macro_may_take_over_the_name_of_another_one(shop: Shop) -> None:
    dispatched = "{{ return(adapter.dispatch('cents_to_dollars')(column)) }}"
    body = "(column) %}cast({{ column }} / 100.0 as decimal(16, 2)){% endmacro %}"
    default = f"{{% macro default__cents_to_dollars{body}"
    macro = f"{{% macro cents_to_dollars(column) %}}{dispatched}{{% endmacro %}}\n{default}"
    shop.edit("macros/cents_to_dollars.sql", lambda _: macro)

    assert NOTHING_EDITED in shop.preview().out
    shop.edit("macros/duckdb.sql", lambda _: default.replace("default", "duckdb").replace("100.0", "1.0"))
    assert shop.results()["stg_payments"]["changed"] > 0


def test_sql_that_fails_is_an_answer_for_its_node_alone(shop: Shop) -> None:
    count_payments_once(shop)
    shop.edit(CUSTOMERS, lambda code: code.replace("sum(amount)", "sum(amout)"))

    ran = shop.preview()

    assert ran.code == 2 and "1 of 2 nodes not previewed: customers" in ran.err
    assert "customers · the new SQL fails: " in ran.out and "amout" in ran.out
    assert "orders · 76 of 900 rows change" in ran.out


def test_an_error_of_new_sql_is_shown_at_its_node_and_not_at_its_readers(shop: Shop) -> None:
    shop.edit("models/staging/stg_payments.sql", lambda code: code + "\nwhere no_column = 1")

    ran = shop.preview("--downstream")

    assert ran.code == 2 and ran.out.count("no_column") == 1
    assert "stg_payments · the new SQL fails: " in ran.out
    assert "orders · not previewed: it reads stg_payments, whose new SQL fails\n" in ran.out


BROKEN = {
    "an unknown macro": ("{{ nowhere() }}", "not rendered: "),
    "a macro of a package that is not installed": ("{{ dbt_utils.star(ref('orders')) }}", "not rendered: "),
    "an endless template": ("{% for i in range(10 ** 9) %}{{ i }}{% endfor %}", "not rendered: "),
    "invalid Jinja": ("{{ ref('orders' }}", "Not valid Jinja"),
    "SQL that writes": ("drop table prod.orders", "Not a query"),
    "two statements": ("select 1; select 2", "several statements"),
    "settings of the host": ("select * from duckdb_settings()", "is refused"),
}


@pytest.mark.cases(3)
@pytest.mark.parametrize("name", BROKEN)
def test_a_node_without_a_preview_has_a_line_and_the_others_proceed(shop: Shop, name: str) -> None:
    text, words = BROKEN[name]
    count_payments_once(shop)
    shop.edit(CUSTOMERS, lambda _: text)

    ran = shop.preview()

    (line,) = [line for line in ran.out.splitlines() if line.startswith("customers ·")]
    assert words in ran.out and ran.code == 2, ran.out
    assert "1 of 2 nodes not previewed: customers" in ran.err and "Traceback" not in ran.err
    assert "orders · 76 of 900 rows change" in ran.out and line


def test_files_without_sql_have_a_line_with_the_reason(shop: Shop) -> None:
    (shop.root / CUSTOMERS).write_bytes(b"select 'caf\xe9' as name")
    shop.edit(
        "models/marts/scores.py", lambda _: "def model(dbt, session):\n    return session.sql('select 1')\n"
    )
    shop.edit("seeds/raw_stores.csv", lambda text: text.replace("Hamburg", "Bremen"))
    (shop.root / ORDERS).unlink()

    ran = shop.preview()

    assert ran.code == 2 and "4 of 4 nodes not previewed" in ran.err
    for words in (
        "customers · not previewed: models/marts/customers.sql is not UTF-8",
        "scores · not previewed: a Python model",
        "raw_stores · not previewed: a seed",
        f"orders · not previewed: {GONE}, and these still read it: ",
    ):
        assert words in ran.out, ran.out


def test_a_reader_of_an_edited_seed_is_not_previewed(shop: Shop) -> None:
    shop.edit("seeds/raw_stores.csv", lambda text: text.replace("Hamburg", "Bremen"))
    shop.replace("models/staging/stg_stores.sql", "city", "upper(city) as city")

    ran = shop.preview()

    assert "stg_stores · not previewed: it reads raw_stores, which cannot be previewed: a seed" in ran.out


def test_readers_of_an_edited_seed_are_named(shop: Shop) -> None:
    shop.edit("seeds/raw_stores.csv", lambda text: text.replace("Hamburg", "Bremen"))

    ran, downstream = shop.preview(), shop.preview("--downstream")

    assert "2 readers affected: stg_stores, store_performance" in ran.out
    assert "stg_stores · not previewed: it reads raw_stores" in downstream.out and downstream.code == 2


def test_an_affected_snapshot_and_its_readers_are_not_previewed(shop: Shop) -> None:
    path = shop.root / "target" / "manifest.json.gz"
    manifest = json.loads(gzip.decompress(path.read_bytes()))
    (node,) = (one for one in manifest["nodes"].values() if one["name"] == "customers")
    node |= {"resource_type": "snapshot", "original_file_path": "snapshots/history.sql"}
    path.write_bytes(
        gzip.compress(
            json.dumps(manifest)
            .replace("model.jaffle_shop.customers", "snapshot.jaffle_shop.customers")
            .encode()
        )
    )
    (shop.root / CUSTOMERS).unlink()
    count_payments_once(shop)

    ran = shop.preview("--downstream")

    assert f"customers · not previewed: {SNAPSHOT}" in ran.out and ran.code == 2
    assert "daily_revenue · 73 of 635 rows change" in ran.out


def test_a_new_model_has_its_rows_columns_and_first_rows(shop: Shop) -> None:
    shop.edit(
        "models/marts/big.sql",
        lambda _: "select order_id, amount from {{ ref('orders') }} where amount > 60",
    )
    shop.edit(
        CUSTOMERS,
        lambda code: f"{code} where customers.customer_id in (select order_id from {{{{ ref('big') }}}})",
    )

    ran = shop.preview("--limit", "2")

    assert ran.code == 0, ran.err
    assert "big · new: 88 rows, 2 columns" in ran.out
    assert "customers · " in ran.out and "rows removed" in ran.out


def test_a_moved_file_is_the_same_model(shop: Shop) -> None:
    shutil.move(shop.root / ORDERS, shop.root / "models" / "orders.sql")

    ran = shop.preview()

    assert ran.code == 0 and NOTHING_EDITED in ran.out


def test_another_config_is_a_remark(shop: Shop) -> None:
    count_payments_once(shop)
    shop.edit(ORDERS, lambda code: f"{{{{ config(materialized='view') }}}}\n{code}")

    assert OTHER_CONFIG[1:] in shop.preview().out


@pytest.mark.parametrize("key", [[], ["-k", "i"]])
def test_rows_that_differ_each_time_are_not_of_the_edit(shop: Shop, key: list[str]) -> None:
    shop.rebuild("payment_mix", "select i, random() as score from range(500) as t(i)")
    shop.edit(
        "models/marts/payment_mix.sql", lambda _: "select u.i, random() as score from range(500) as u(i)"
    )

    ran = shop.preview(*key)

    assert ran.code == 0, ran.err
    assert "payment_mix · 500 rows differ, not by this edit: the SQL gives other results each time" in ran.out


@pytest.mark.extensive
def test_models_that_dbt_did_not_compile_have_the_same_preview(shop: Shop) -> None:
    count_payments_once(shop)
    whole = shop.preview("--downstream").out
    path = shop.root / "target" / "manifest.json.gz"
    manifest = json.loads(gzip.decompress(path.read_bytes()))
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model":
            node.pop("compiled_code"), node.pop("compiled", None)
    path.write_bytes(gzip.compress(json.dumps(manifest).encode()))

    assert shop.preview("--downstream").out == whole


def test_an_edit_that_dbt_compiled_already_is_part_of_base(shop: Shop) -> None:
    path = shop.root / "target" / "run_results.json.gz"
    results = json.loads(gzip.decompress(path.read_bytes()))
    results["args"]["which"] = "compile"
    path.write_bytes(gzip.compress(json.dumps(results).encode()))

    ran = shop.preview()

    assert ran.code == 0 and COMPILED in " ".join(ran.out.split())
    assert "(written 2026-11-" in ran.out


def test_settings_that_changed_since_are_named(shop: Shop) -> None:
    count_payments_once(shop)
    os.utime(shop.root / "dbt_project.yml")

    assert "Saved since dbt read base, and not considered: dbt_project.yml" in shop.preview().out


def test_sql_is_printed_and_not_run(shop: Shop) -> None:
    count_payments_once(shop)

    ran = shop.preview("--sql")

    assert ran.code == 0 and "paid_amount as amount" in ran.out and "rows change" not in ran.out


def test_a_selection_limits_what_is_previewed(shop: Shop) -> None:
    count_payments_once(shop)

    assert list(shop.results("--downstream", "-s", "customers")) == ["customers"]


def test_a_selection_without_an_edited_node_says_so(shop: Shop) -> None:
    count_payments_once(shop)

    ran = shop.preview("-s", "nope")

    assert ran.code == 0 and NOTHING_SELECTED in ran.out and NOTHING_EDITED not in ran.out
    assert "'nope' matches no node" in ran.err


def test_time_that_is_up_is_not_a_fault_of_the_sql(shop: Shop) -> None:
    count_payments_once(shop)

    ran = shop.preview("--budget", "0.00001")

    assert ran.code == 2 and "orders · The time budget is used up" in ran.out


def test_without_any_base_the_way_to_one_is_named(shop: Shop) -> None:
    shutil.rmtree(shop.root / "target")

    ran = shop.preview("--schema", "nowhere")

    assert ran.code == 3 and "build the project with dbt, which writes " in ran.err


def test_artifacts_that_are_cut_short_are_an_error(shop: Shop) -> None:
    (shop.root / "target" / "manifest.json").write_text('{"metadata": {')

    ran = shop.preview()

    assert ran.code == 3 and "is not complete JSON" in ran.err and "Traceback" not in ran.err


def test_options_of_value_limit_the_rows(shop: Shop) -> None:
    count_payments_once(shop)

    assert (
        "where order_id < 100 · a sample of 50% of the keys"
        in shop.preview("--where", "order_id < 100", "--sample", "50%").out
    )
    assert "Unknown key column 'nope'" in shop.preview("-k", "nope").out


def test_an_edit_that_breaks_ends_with_1(shop: Shop) -> None:
    shop.edit(ORDERS, lambda code: f"{code}\nwhere orders.status <> 'returned'")

    ran = shop.preview("--fail-on", "breaking")

    assert ran.code == 1 and "--fail-on breaking found 1 change: orders" in ran.err
    assert "rows removed" in ran.out


def test_values_are_withheld_as_value_withholds_them(shop: Shop) -> None:
    shop.replace(CUSTOMERS, "customers.email", "upper(customers.email) as email")

    shown, hidden, private = (
        shop.preview(*options).out for options in ((), ("--no-values",), ("--private", "x"))
    )

    assert "@" in shown
    assert "@" not in hidden and "150 of 150 rows change" in hidden
    assert "@" not in private and "Values of private columns are withheld: email" in private


FORMS = [
    "customers.email as {}",
    "lower(customers.email) as {}",
    "max(customers.email) over (partition by customers.first_name) as {}",
    "length(customers.email) as {}",
    "to_json({{'a': customers.email}})::varchar as {}",
    "md5(customers.email) as {}",
    "case when customers.email like 'a%' then 'yes' else 'no' end as {}",
    "count(*) over (partition by customers.email) as {}",
    "(select max(c.email) from {{{{ ref('stg_customers') }}}} as c) as {}",
]
"""Forms of a column that shows values of another one."""


def test_a_column_with_values_of_a_private_one_is_private_whatever_its_name(shop: Shop) -> None:
    columns = ", ".join(form.format(f"contact_{number}") for number, form in enumerate(FORMS))
    shop.replace(CUSTOMERS, "customers.email,", f"customers.email, {columns},")
    read = {f"words_{number}": f"contact_{number}" for number in range(len(FORMS))}
    read |= {f"number_{number}": f"count(contact_{number}) over ()" for number in range(len(FORMS))}
    selected = ", ".join(f"{of} as {name}" for name, of in read.items())
    (shop.root / "models/marts/reader.sql").write_text(
        f"select customer_id, {selected} from {{{{ ref('customers') }}}}"
    )
    shop.edit(
        "models/marts/counted.sql", lambda _: "select count(email) as words from {{ ref('customers') }}"
    )

    found = shop.results("--private", "x")
    page = shop.preview("--private", "x", "--format", "html").out

    assert found["reader"]["columns"] == ["customer_id", *read]
    assert {(*row["current"][1:],) for row in found["reader"]["rows"]} == {("***",) * len(read)}
    assert [row["current"] for row in found["counted"]["rows"]] == [[150]]
    assert "@example" not in json.dumps(found) + page and "***" in page


def test_a_changed_private_value_is_counted_and_not_shown(shop: Shop) -> None:
    shop.rebuild("payment_mix", "select customer_id, email as contact from prod.stg_customers")
    shop.replace("models/marts/payment_mix.sql", "email as contact", "upper(email) as contact")

    ran = shop.preview("-k", "customer_id", "--private", "x")

    assert "150 of 150 rows change" in ran.out and "@" not in ran.out
    assert "Values of private columns are withheld: contact" in ran.out


def test_an_error_quotes_no_private_value(shop: Shop) -> None:
    shop.replace(CUSTOMERS, "customers.email,", "cast(customers.email as integer) as email,")

    shown, hidden = shop.preview(), shop.preview("--private", "x")

    assert "@" in shown.out and shown.code == 2
    assert "@" not in hidden.out + hidden.err and "withheld" in hidden.out and hidden.code == 2


def test_another_project_is_refused(shop: Shop) -> None:
    shop.replace("dbt_project.yml", "name: jaffle_shop", "name: other_shop")

    ran = shop.preview()

    assert ran.code == 2 and "is other_shop, but base is a run of jaffle_shop" in ran.err


def test_outside_of_a_project_the_folder_is_asked_for(cli: Cli) -> None:
    ran = cli("preview")

    assert ran.code == 2 and "--project-dir" in ran.err


def ask(shop: Shop, settings: AgentSettings, **arguments: Any) -> dict[str, Any]:
    """The answer of an agent's tool `compare_data` of kind `preview`."""
    with (
        closing(UnifiedSqlAdapter.from_url(f"duckdb:///{shop.root / 'jaffle_shop.duckdb'}")) as adapter,
        closing(AgentStore(lambda: adapter.at("recce_meta"))) as store,
    ):
        tools = DataTools(Questions(store, replace(settings, project_dir=shop.root, allows_queries=True)))
        found: dict[str, Any] = json.loads(tools.compare_data(kind="preview", **arguments))
        return found


def test_agents_and_python_get_the_figures_of_the_command(shop: Shop) -> None:
    count_payments_once(shop)

    listed = shop.results("--downstream")
    answer = ask(shop, AgentSettings(), node="orders")
    reader = ask(shop, AgentSettings(), node="customers")
    with closing(UnifiedSqlAdapter.from_url(f"duckdb:///{shop.root / 'jaffle_shop.duckdb'}")) as adapter:
        found = preview_edits(adapter, project_dir=shop.root, select="*")

    assert (answer["changed"], answer["current"]) == (76, "working tree")
    assert (reader["changed"], "76 of 900 rows changed (8.4%)") == (56, answer["verdict"])
    assert {one.subject.name: one.changed for one in found.data if isinstance(one, ValueDiff)} == {
        name: one["changed"] for name, one in listed.items()
    }
    assert [change.name for change in found.diff.changed] == ["orders"]


def test_an_editor_shows_the_preview_of_the_saved_file(shop: Shop, tmp_path: Path) -> None:
    count_payments_once(shop)

    with Editor(tmp_path / "home", shop.root) as editor:
        editor.status("ready")
        uri = editor.open(shop.root / ORDERS)
        found = editor.command("preview", uri)
        editor.edit(uri, 2, "select 1")
        unsaved = editor.command("preview", uri)
        other = editor.command("preview", editor.open(shop.root / "models/staging/stg_orders.sql"))

    assert found == shop.preview("--select", "orders").out and "76 of 900 rows change" in found
    assert unsaved == found + UNSAVED
    assert NOTHING_SELECTED in other


def test_columns_are_compared_without_a_scan_in_every_door(shop: Shop) -> None:
    shop.edit(ORDERS, lambda code: code.replace("orders.status,", "1::smallint as status,\n    2 as extra,"))
    shop.edit(CUSTOMERS, lambda code: code.replace("sum(amount)", "sum(amout)"))
    shop.edit("models/marts/visits.sql", lambda _: "select 1 as id, 'x' as page")

    ran = shop.preview("--compare", "schema")
    statements = shop.preview("--compare", "schema", "--sql", "--select", "orders")
    answer = ask(shop, AgentSettings(), node="orders", compare="schema")
    with closing(UnifiedSqlAdapter.from_url(f"duckdb:///{shop.root / 'jaffle_shop.duckdb'}")) as adapter:
        found = preview_edits(adapter, project_dir=shop.root, select="orders", rows=None)

    assert ran.code == 2 and "customers · the new SQL fails: " in ran.out and "amout" in ran.out
    assert "orders · 2 of 12 columns differ: 1 with another type, 1 added\n" in ran.out
    assert "  ~ status  VARCHAR → SMALLINT\n  + extra   INTEGER\n" in ran.out
    assert "visits · new: 2 columns\n  + id    INTEGER\n  + page  VARCHAR\n" in ran.out
    assert statements.out.count("-- columns of the ") == statements.out.count(";\n") == 2
    assert answer["verdict"] == "2 of 12 columns differ: 1 with another type, 1 added"
    (of_python,) = found.data
    assert isinstance(of_python, SchemaDiff)
    assert [one.name for one in of_python.changed] == ["status", "extra"]


@pytest.mark.parametrize("more", [["--where", "1 = 1"], ["--why"], ["-k", "order_id"], ["-c", "amount"]])
def test_options_about_rows_are_refused_for_columns(shop: Shop, more: list[str]) -> None:
    ran = shop.preview("--compare", "schema", *more)

    assert (ran.code, ran.out) == (2, "") and "reads no rows" in ran.err


def test_an_agent_is_told_what_it_cannot_preview(shop: Shop) -> None:
    count_payments_once(shop)

    for arguments, message in (
        ({"node": "stg_orders"}, "is not edited, and no edit affects it"),
        ({"node": "orders", "current": "base"}, "has no current"),
        ({"node": "orders", "base": "path:target"}, "path: is not available here"),
        ({"node": "orders", "where": "1 = 1"}, "private values"),
        ({"node": "orders", "compare": "types"}, "Unknown compare 'types'"),
        ({"node": "orders", "compare": "schema", "key": "order_id"}, "reads no rows"),
    ):
        with pytest.raises(UsageError, match=message):
            ask(shop, AgentSettings(), **arguments)
    host = "(select count(*) from read_text('/etc/hosts')) > 0"
    refused = ask(shop, AgentSettings(privacy=None), node="orders", where=host)
    assert refused["outcome"] == "failed" and "disabled by configuration" in refused["verdict"]


def test_private_values_of_a_preview_reach_no_agent_and_no_caller_of_the_function(shop: Shop) -> None:
    shop.replace(CUSTOMERS, "customers.email,", "upper(customers.email) as email, lower(email) as contact,")
    private = privacy_of(no_values=False, private=("x",))

    counts = ask(shop, AgentSettings(), node="customers")
    masked = ask(shop, AgentSettings(privacy=private), node="customers")
    shown = ask(shop, AgentSettings(privacy=None), node="customers")
    with closing(UnifiedSqlAdapter.from_url(f"duckdb:///{shop.root / 'jaffle_shop.duckdb'}")) as adapter:
        options = ComparisonOptions(privacy=private)
        found = preview_edits(adapter, project_dir=shop.root, options=options)

    assert "@EXAMPLE" in json.dumps(shown).upper()
    assert counts["changed"] == masked["changed"] == shown["changed"] > 0
    for text in (json.dumps(counts), json.dumps(masked), render_report(found.data[0], "json")):
        assert "@" not in text
    shop.replace(CUSTOMERS, "upper(customers.email)", "customers.email::date")
    failed = ask(shop, AgentSettings(), node="customers")
    assert failed["outcome"] == "failed" and "@" not in json.dumps(failed)


def test_edits_of_a_preview_are_tried_one_by_one(shop: Shop) -> None:
    count_payments_once(shop)
    shop.replace(ORDERS, "orders.status,", "upper(orders.status) as status,")

    ran = shop.preview("--why")
    answer = ask(shop, AgentSettings(privacy=None), node="orders", why=True)
    with closing(UnifiedSqlAdapter.from_url(f"duckdb:///{shop.root / 'jaffle_shop.duckdb'}")) as adapter:
        found = preview_edits(adapter, project_dir=shop.root, options=ComparisonOptions(why=True))

    said = " ".join(ran.out.split())
    assert "gives all 76 changed values of amount" in said, ran.out + ran.err
    assert "gives all 900 changed values of status" in said and "status: letter case only" in said
    assert sum(one.startswith("edit: ") for one in answer["why"]) == 2
    (result,) = (one for one in found.data if isinstance(one, ValueDiff))
    assert result.why is not None and result.why.edits is not None
    assert [one.gives for edit in result.why.edits.edits for one in edit.effects] in ([76, 900], [900, 76])
