"""The data diffs as users call them: on both warehouses, and what they say of what cannot be compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from tests.e2e.conftest import node as manifest_node

COMMANDS = ("row-count", "schema", "value", "profile", "top-k", "histogram")
SECRET = "hunter2secret"

STRANGE = {
    "duckdb": """
        SELECT 1 AS id, 'a'::{base}.mood AS enumerated, {'x': 1, 'y': 'z'} AS struct, MAP {'k': 1} AS map,
            union_value(k := 1) AS either, '101'::BIT AS bits, [1, 2] AS list, [1, 2]::INT[2] AS array_of_two,
            INTERVAL 1 DAY AS span, 'x'::BLOB AS bytes, TIME '12:00' AS at, NULL AS nothing,
            '2026-01-01'::TIMESTAMPTZ AS moment, 'nan'::DOUBLE AS nan, 'infinity'::DATE AS never,
            '{"a": 1}'::JSON AS json, 1::HUGEINT AS huge, 1::UTINYINT AS small, '12:00:00+01'::TIMETZ AS zoned
    """,
    "postgres": """
        SELECT 1 AS id, 'a'::{base}.mood AS enumerated, ROW(1, 'x')::{base}.pair AS composite,
            3::{base}.positive AS domain, '<a/>'::xml AS xml, point(1, 2) AS point,
            'fat cat'::tsvector AS words,
            '1.2.3.4'::inet AS address, '{"a": 1}'::jsonb AS document, '{"a": 1}'::json AS json,
            ARRAY[1, 2] AS list, interval '1 day' AS span, B'101' AS bits, int4range(1, 3) AS range,
            'x'::bytea AS bytes, time '12:00' AS at, 1.5::money AS money, NULL AS nothing,
            '2026-01-01'::timestamptz AS moment, 'NaN'::float8 AS nan, 'infinity'::date AS never,
            '-infinity'::timestamp AS ever, box '((1,1),(0,0))' AS box, pg_lsn '0/1' AS position
    """,
}
"""A row of types that have no order, no equality, or no common text."""

TYPES = {
    "duckdb": ("CREATE TYPE {base}.mood AS ENUM ('a', 'b')",),
    "postgres": (
        "CREATE TYPE {base}.mood AS ENUM ('a', 'b')",
        "CREATE TYPE {base}.pair AS (x int, y text)",
        "CREATE DOMAIN {base}.positive AS int CHECK (value > 0)",
    ),
}


@pytest.fixture
def orders(shop: Any) -> Any:
    """Two nodes: `orders`, of which one row changed and one was added, and `plain`, which is the same."""
    shop.build("orders", "SELECT 1 AS id, 'a' AS v UNION ALL SELECT 2, 'b'", None)
    shop.build("orders", None, "SELECT 1 AS id, 'a' AS v UNION ALL SELECT 2, 'c' UNION ALL SELECT 3, 'd'")
    shop.build("plain", "SELECT 1 AS id", "SELECT 1 AS id")
    shop.write("orders", "plain", "gone", key="id", orders={"sql": "select 2"}, gone={"sql": "select 3"})
    return shop


def results(ran: Any) -> list[dict[str, Any]]:
    """What a command said in JSON."""
    said: list[dict[str, Any]] = json.loads(ran.out)["results"]
    return said


@pytest.mark.extensive
def test_every_command_answers_in_every_format_and_to_a_file(orders: Any) -> None:
    for command in COMMANDS:
        for style in ("table", "json", "markdown", "html"):
            shown = orders(command, "orders", "plain", "--format", style)
            written = orders(command, "orders", "plain", "--format", style, "-o", f"{command}.{style}")
            assert (shown.code, shown.err, written.code, written.out, written.err) == (0, "", 0, "", "")
            file = (orders.cli.folder / f"{command}.{style}").read_text("utf-8")
            assert "orders" in shown.out and "orders" in file
            assert style == "table" or file == shown.out


@pytest.mark.cases(2)
@pytest.mark.parametrize("command", ["row-count", "schema", "value", "profile", "top-k", "histogram"])
def test_a_term_that_selects_nothing_is_named(orders: Any, command: str) -> None:
    ran = orders(command, "--select", "orders ordrs tag:nope")

    assert "warning: 'ordrs' matches no node of either run; did you mean 'orders'" in ran.err
    assert "warning: 'tag:nope' matches no node of either run" in ran.err
    assert "orders" in ran.out


@pytest.mark.cases(2)
@pytest.mark.parametrize("command", ["row-count", "schema", "value", "profile", "top-k", "histogram"])
def test_a_selection_without_nodes_claims_nothing(orders: Any, command: str) -> None:
    ran = orders(command, "--select", "ordrs")

    assert "'ordrs' matches no node" in ran.err and "No node with data is selected" in ran.err
    assert "same" not in ran.out


@pytest.mark.extensive
def test_values_are_the_same_by_node_by_tables_and_from_the_store(orders: Any) -> None:
    names = [f'"{schema}"."orders"' for schema in (orders.base, orders.current)]
    orders.record()

    on_disk = orders("value", "orders", "--format", "json")
    stored = orders.cli("value", "orders", "--format", "json")
    tables = orders.cli("value", "--tables", *names, "-k", "id", "--format", "json")

    assert results(on_disk) == results(stored)
    assert json.loads(on_disk.out)["choice"]["base"]["selector"] == "path:base"
    assert json.loads(stored.out)["choice"]["base"]["reason"] == "latest run of base"
    one, other = results(on_disk)[0], results(tables)[0]
    assert (one["added"], one["changed"], one["removed"]) == (1, 1, 0)
    assert {**one, "subject": None, "key_source": None} == {**other, "subject": None, "key_source": None}


def test_names_that_need_quotes_are_found(shop: Any) -> None:
    table, column = 'Order "lines"; --', 'The "key" % of {{ all }}'
    quoted = column.replace('"', '""')
    for side, value in (("base", 1), ("current", 2)):
        place = table.replace('"', '""')
        shop.sql(f'CREATE TABLE {{{side}}}."{place}" AS SELECT 1 AS "{quoted}", {value} AS "select"')
    shop.write("lines", key=column, lines={"alias": table})
    for side in ("base", "current"):
        manifest = shop.cli.folder / side / "manifest.json"
        content = json.loads(manifest.read_text("utf-8"))
        relation = content["nodes"]["model.shop.lines"]["relation_name"].rpartition(".")[0]
        if side == "base":
            relation = relation.removesuffix('."lines"')
        content["nodes"]["model.shop.lines"] |= {
            "alias": table,
            "relation_name": f'"{shop.database}"."{getattr(shop, side)}"."{place}"',
        }
        manifest.write_text(json.dumps(content), "utf-8")

    for command in COMMANDS:
        ran = shop(command, "lines", "--format", "json")
        assert (ran.code, ran.err) == (0, ""), ran
    ran = shop("value", "lines", "-k", column, "-c", "select", "--where", '"select" > 0')
    assert ran.code == 0 and re.search("1 of [0-9]+ rows? changed", ran.out)


@pytest.mark.cases(3)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_printed_by_sql_is_what_the_warehouse_runs(orders: Any, command: str) -> None:
    ran = orders(command, "orders", "--sql")

    assert (ran.code, ran.err) == (0, "")
    statements = ran.out.split(";\n")[:-1]
    assert statements and all(statement.strip().startswith("-- ") for statement in statements)
    with UnifiedSqlAdapter.from_url(orders.url) as adapter:
        for statement in statements:
            adapter.execute(statement)


class TestNeverBuilt:
    @pytest.mark.cases(2)
    @pytest.mark.parametrize("command", [name for name in COMMANDS if name != "row-count"])
    def test_alone_it_is_an_error(self, orders: Any, command: str) -> None:
        ran = orders(command, "gone")

        assert (ran.code, ran.out) == (3, "")
        assert ran.err.startswith("error: gone in base not found: ")
        assert "\nhint: build it, or check its schema" in ran.err

    @pytest.mark.cases(2)
    @pytest.mark.parametrize("command", [name for name in COMMANDS if name != "row-count"])
    def test_among_others_they_go_on(self, orders: Any, command: str) -> None:
        ran = orders(command, "plain", "gone", "orders", "--format", "json")

        assert ran.code == 3 and ran.err == "error: 1 of 3 comparisons failed\n"
        plain, gone, changed = results(ran)
        assert gone["type"] == "failed"
        assert gone["error"].startswith("gone in base not found: ") and "\n" not in gone["error"]
        assert "failed" not in (plain["type"], changed["type"])

    def test_a_count_has_the_reason(self, orders: Any) -> None:
        ran = orders("row-count", "orders", "gone")

        assert (ran.code, ran.err) == (0, "")
        assert "not built: " in ran.out and "+50.0%" in ran.out

    def test_an_unknown_name_among_others_is_reported_beside_their_counts(self, orders: Any) -> None:
        ran = orders("row-count", "orders", "ordres")
        unknown = orders("row-count", "nope", "ordres")

        assert ran.code == 2 and ran.err.startswith(
            "error: Node 'ordres' not found\nhint: did you mean 'orders'"
        )
        assert "+50.0%" in ran.out and "Node 'ordres' not found" in ran.out and "1 could not" in ran.out
        assert (unknown.code, unknown.out) == (2, "") and "'nope'" in unknown.err

    def test_nothing_counted_at_all_is_no_success(self, orders: Any) -> None:
        ran = orders("row-count", "gone")

        assert ran.code == 3 and "not built: " in ran.out
        assert ran.err == "error: No relation could be counted\n"

    def test_on_one_side_alone_it_is_named(self, orders: Any) -> None:
        orders.build("gone", "SELECT 1 AS id", None)

        assert "error: gone in current not found: " in orders("value", "gone").err
        assert "1 could not" not in orders("row-count", "gone").out


class TestKeys:
    def test_a_column_that_is_not_there_is_told_with_those_that_are(self, orders: Any) -> None:
        ran = orders("value", "orders", "-k", "idd")

        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("error: Unknown key column 'idd' in base of orders\nhint: ")

    def test_several_nodes_fail_one_by_one(self, orders: Any) -> None:
        ran = orders("value", "orders", "plain", "-k", "v")

        assert ran.code == 3 and ran.err == "error: 1 of 2 comparisons failed\n"
        assert "Unknown key column 'v' in base of plain" in ran.out and "2 rows added, 1 removed" in ran.out

    def test_a_key_that_is_not_unique_is_counted_and_the_rest_compared(self, shop: Any) -> None:
        rows = "SELECT 1 AS id, {} AS v UNION ALL SELECT 1, 2 UNION ALL SELECT 2, {} UNION ALL SELECT NULL, 4"
        shop.build("orders", rows.format(1, 3), rows.format(1, 5))
        shop.write("orders", key="id")

        ran = shop("value", "orders", "--format", "json")

        assert ran.code == 0
        found = results(ran)[0]
        assert (found["changed"], found["common"]) == (1, 1)
        assert [found[side]["duplicate_keys"] for side in ("base", "current")] == [1, 1]

    def test_without_any_key_whole_rows_are_compared(self, orders: Any) -> None:
        orders.write("orders")

        ran = orders("value", "orders")

        assert ran.code == 0 and "no key: whole rows of" in ran.out


class TestWrongUse:
    @pytest.mark.cases(5)
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["value"], "error: Missing argument: NODES"),
            (["value", "ordres"], "error: Node 'ordres' not found\nhint: did you mean 'orders'"),
            (["value", "orders", "-c", "nope"], "error: Unknown column 'nope' in orders"),
            (["value", "orders", "--sample", "0%"], "error: Sample size invalid: 0 %"),
            (["value", "orders", "--sample", "few"], "error: Invalid value for '--sample': 'few' is not a"),
            (["value", "orders", "--tolerance", "-1"], "error: Invalid absolute tolerance: -1"),
            (
                ["value", "orders", "--where", "1 = 1; DROP TABLE x"],
                "error: The SQL contains several statements",
            ),
            (["value", "orders", "--budget", "0"], "error: Invalid value for '--budget'"),
            (["value", "orders", "--threads", "0"], "error: Invalid value for '--threads'"),
            (["value", "orders", "--tables", "a", "b"], "error: --tables cannot be combined with NODES"),
            (["value", "orders", "--save"], "error: --save requires a recorded run"),
            (["value", "--tables", "", "b"], "error: Invalid relation name"),
            (["query-diff", ""], "error: No SQL to run"),
            (["query-diff", " ; "], "error: No SQL to run"),
            (["query-diff", "--", "-- a comment"], "error: No SQL to run"),
            (["query-diff", "SELECT 1 AS a", "--base-sql", ""], "error: No SQL to run"),
            (["query-diff", "SELECT 1; SELECT 2"], "error: The SQL contains several statements"),
            (["query-diff", "@missing.sql"], "error: Cannot read missing.sql: No such file or directory"),
            (["query-diff", "SELECT 1", "--vars", "[" * 20_000], "error: --vars is not valid YAML"),
        ],
    )
    def test_it_is_told_in_one_message(self, orders: Any, arguments: list[str], says: str) -> None:
        ran = orders(*arguments)

        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith(says)

    def test_no_runs_are_recorded(self, shop: Any) -> None:
        ran = shop.cli("row-count")

        assert ran.code == 3 and ran.err.startswith("error: No store found in schema")

    def test_there_is_no_profile(self, orders: Any) -> None:
        ran = orders.cli.within(RECCE_META_URL="")("row-count")

        assert ran.code == 3 and ran.err.startswith("error: No profiles.yml at")

    def test_a_condition_that_the_warehouse_refuses(self, orders: Any) -> None:
        ran = orders("value", "orders", "plain", "--where", "nope > 3")

        assert ran.code == 3 and ran.err == "error: 2 of 2 comparisons failed\n"
        assert "nope" in ran.out and "\\n" not in ran.out and "Traceback" not in ran.out


class TestQueries:
    @pytest.mark.cases(4)
    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT 1 AS a;",
            "SELECT 1 AS a -- the end",
            "SELECT 1 AS a; -- the end",
            "/* one */ SELECT ';' AS a /* two */ ; /* three */",
            "WITH x AS (SELECT 1 AS a) SELECT * FROM x",
            "{# a comment #} SELECT {{ 1 + 1 }} AS a -- {{ nothing }}".replace("{{ nothing }}", ""),
            "SELECT * FROM {{ ref('plain') }} ORDER BY id LIMIT 1",
        ],
    )
    def test_a_query_may_end_and_begin_as_queries_do(self, orders: Any, sql: str) -> None:
        ran = orders("query-diff", "--base-sql", f"/* base */ {sql}", "--", sql)

        assert (ran.code, ran.err) == (0, "")
        assert "1 row, equal" in ran.out

    def test_each_side_reads_its_own_relations(self, orders: Any) -> None:
        ran = orders("query-diff", "SELECT * FROM {{ ref('orders') }}", "-k", "id", "--format", "json")

        assert ran.code == 0
        values = results(ran)[0]["values"]
        assert (values["added"], values["changed"]) == (1, 1)

    def test_an_error_in_a_template_has_line_column_and_name(self, orders: Any) -> None:
        ran = orders("query-diff", "SELECT 1\nFROM {{ ref('ordres') }}")

        assert (ran.code, ran.out) == (3, "")
        assert ran.err.startswith("error: line 2, column 14: Model, seed or snapshot 'ordres' not found")
        assert "did you mean 'orders'" in ran.err

    def test_what_is_no_query_changes_nothing(self, orders: Any) -> None:
        for sql in ("DROP TABLE {{ ref('plain') }}", "INSERT INTO {{ ref('plain') }} VALUES (7)"):
            ran = orders("query-diff", sql)
            assert ran.code == 2 and ran.err.startswith("error: Not a query: the statement begins with")
        assert "plain (1)" in orders("row-count", "plain").out


class TestTypes:
    @pytest.mark.cases(3)
    @pytest.mark.parametrize("command", COMMANDS)
    def test_no_type_ends_a_command(self, shop: Any, command: str) -> None:
        shop.sql(*TYPES[shop.warehouse])
        shop.build("strange", STRANGE[shop.warehouse], STRANGE[shop.warehouse])
        shop.write("strange", key="id")

        ran = shop(command, "strange", "--format", "json")

        assert (ran.code, ran.err) == (0, "")
        assert results(ran)[0]["type"] != "failed"
        if shop.warehouse == "postgres":
            shop.sql("DROP TABLE {current}.strange")  # its types go with base's schema

    def test_whole_rows_of_any_type_are_compared(self, shop: Any) -> None:
        shop.sql(*TYPES[shop.warehouse])
        shop.build("strange", STRANGE[shop.warehouse], STRANGE[shop.warehouse])
        shop.write("strange")

        assert "1 row, equal" in shop("value", "strange").out
        if shop.warehouse == "postgres":
            shop.sql("DROP TABLE {current}.strange")

    def test_a_thousand_columns_are_no_obstacle(self, shop: Any) -> None:
        columns = ", ".join(f"{number} AS c{number}" for number in range(1000))
        shop.build("wide", f"SELECT {columns}", f"SELECT {columns}".replace(" 7 AS", " 8 AS"))
        shop.write("wide", key="c0")

        assert "1,000 columns, same types" in shop("schema", "wide").out
        assert re.search("1 of [0-9]+ rows? changed", shop("value", "wide", "-c", "c7", "-c", "c999").out)
        assert shop("row-count", "wide").code == 0


@pytest.mark.extensive
def test_results_are_kept_where_history_is_a_query(orders: Any) -> None:
    orders.record()

    ran = orders.cli("value", "orders", "plain", "--save", "-o", "values.txt")

    assert (ran.code, ran.out, ran.err) == (0, "", "Saved 2 results\n")
    assert orders.cli("row-count", "orders", "--save").err == "Saved 1 result\n"


@pytest.mark.extensive
def test_statistics_answer_when_base_is_gone(orders: Any) -> None:
    for side in ("base", "current"):
        kept = orders.cli("record", "-e", side, "--target-path", side, "--stats", "profile")
        assert kept.code == 0, kept.err
    orders.sql("DROP TABLE {base}.orders")

    counts = orders.cli("row-count", "orders", "--format", "json")
    profile = orders.cli("profile", "orders")
    live = orders.cli("row-count", "orders", "--live")

    assert counts.code == profile.code == 0
    count = results(counts)[0]["counts"][0]
    assert (count["base"], count["current"]) == (2, 3)
    assert "base was saved at " in profile.out
    assert "not built" in live.out


def test_a_sample_is_the_same_keys_on_both_sides(shop: Any) -> None:
    numbers = {"duckdb": "range(2000) AS t(id)", "postgres": "generate_series(0, 1999) AS t(id)"}
    rows = f"SELECT id, id % 7 AS v FROM {numbers[shop.warehouse]}"
    shop.build("many", rows, rows)
    shop.write("many", key="id")

    found = results(shop("value", "many", "--sample", "10%", "--format", "json"))[0]

    assert (found["added"], found["removed"], found["changed"]) == (0, 0, 0)
    assert 100 < found["common"] < 300


@pytest.fixture
def refused(shop: Any, postgres_url: str) -> Iterator[tuple[Any, Any]]:
    """A project on PostgreSQL with `open` and `shut`, as a role that may read the first alone."""
    import psycopg

    if shop.warehouse != "postgres":
        pytest.skip("DuckDB has no roles")
    role = f"reader_{shop.current.rpartition(' ')[2]}"
    for name in ("open", "shut"):
        shop.build(name, "SELECT 1 AS id", "SELECT 1 AS id")
    shop.write("open", "shut", key="id")
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'")
        for schema in (shop.base, shop.current):
            server.execute(f'GRANT USAGE ON SCHEMA "{schema}" TO {role}')
            server.execute(f'GRANT SELECT ON "{schema}".open TO {role}')
        place = server.info
        url = f"postgresql://{role}:{SECRET}@{place.host}:{place.port}/{place.dbname}"
        yield shop.cli.within(RECCE_META_URL=url), (server, role)
        server.execute(f"DROP OWNED BY {role}")
        server.execute(f"DROP ROLE {role}")


ON_DISK = ("--base", "path:base", "--current", "path:current")


def test_what_a_role_may_not_read_stops_nothing_else(refused: tuple[Any, Any]) -> None:
    cli, _ = refused

    values, alone = cli("value", "open", "shut", *ON_DISK), cli("value", "shut", *ON_DISK)
    counts = cli("row-count", "open", "shut", *ON_DISK)

    assert values.code == 3 and values.err == "error: 1 of 2 comparisons failed\n"
    assert "permission denied for table shut" in values.out and "equal data in 1 node" in values.out
    assert alone.code == 3 and alone.err.startswith("error: permission denied for table shut")
    assert counts.code == 0 and "no permission: " in counts.out
    for ran in (values, alone, counts):
        assert SECRET not in ran.out + ran.err


def test_a_limit_of_the_server_ends_one_node_alone(refused: tuple[Any, Any]) -> None:
    cli, (server, role) = refused
    server.execute(f"ALTER ROLE {role} SET statement_timeout = '2s'")
    token = role.removeprefix("reader_")
    schema, base = f"PR 42 {token}", f"Prod's {token}"
    server.execute(f'ALTER TABLE "{schema}".shut RENAME TO kept')
    server.execute(f'CREATE VIEW "{schema}".shut AS SELECT 1 AS id WHERE pg_sleep(30) IS NOT NULL')
    for place in (schema, base):
        server.execute(f'GRANT SELECT ON "{place}".shut TO {role}')

    ran = cli("value", "shut", "open", *ON_DISK)

    assert ran.code == 3 and ran.err == "error: 1 of 2 comparisons failed\n"
    assert "Stopped by the warehouse: canceling statement due to statement timeout" in ran.out
    assert "equal data in 1 node" in ran.out


def test_the_zone_of_a_session_is_reported_with_tables(cli: Any, postgres_url: str) -> None:
    tables = ("row-count", "--tables", "pg_catalog.pg_am", "pg_catalog.pg_namespace", "--url")

    assert "time zone" not in cli(*tables, f"{postgres_url}?options=-ctimezone%3DUTC").out
    assert "dbt's: Asia/Tokyo" in cli(*tables, f"{postgres_url}?options=-ctimezone%3DAsia/Tokyo").out


@pytest.fixture
def contacts(shop: Any) -> Any:
    """A node with an address under another name, one that reads it, and one that is not traced."""
    rows = "SELECT 1 AS id, '{0}1@example.com' AS contact UNION ALL SELECT 2, '{1}2@example.com'"
    for name in ("people", "readers", "untraced"):
        shop.build(name, rows.format("a", "a"), rows.format("a", "b"))
    python = {"language": "python", "sql": "def model(dbt, session): return None"}
    above = manifest_node("people", shop.current, shop.database)
    parents = {"nodes": [above["unique_id"]], "macros": []}
    shop.write(
        "people",
        "readers",
        "untraced",
        key="id",
        people={"sql": "select id, lower(t.email) as contact from t"},
        readers={"sql": f"select p.id, p.contact from {above['relation_name']} as p", "depends_on": parents},
        untraced=python,
    )
    return shop


WITHHOLDING = [
    ("value", "-k", "id"),
    ("value", "-k", "id", "--why"),
    ("profile",),
    ("top-k", "-c", "contact"),
    ("histogram", "-c", "contact"),
]


@pytest.mark.parametrize(
    ("command", "node"),
    [
        pytest.param(
            command,
            node,
            marks=() if node == "readers" or "--why" in command else pytest.mark.extensive,
            id=f"{' '.join(command)} {node}",
        )
        for command in WITHHOLDING
        for node in ("people", "readers", "untraced")
    ],
)
def test_values_computed_of_a_private_column_are_withheld_under_any_name(
    contacts: Any, command: tuple[str, ...], node: str
) -> None:
    name, *options = command
    shown = contacts(name, node, *options, "--format", "json")
    hidden = [contacts(name, node, *options, "--private", "x", *form) for form in ((), ("--format", "json"))]

    assert "@" not in "".join(one.out + one.err for one in hidden)
    assert "withheld" in hidden[0].out, hidden[0]
    assert name == "histogram" or "@" in shown.out


@pytest.mark.parametrize("output", ["max(contact)", "max(contact) as m", "contact"])
def test_outputs_of_queries_that_read_a_private_column_are_withheld(contacts: Any, output: str) -> None:
    query = f"select {output} from {{{{ ref('readers') }}}}"
    shown, hidden = (contacts("query-diff", query, *more) for more in ((), ("--private", "x")))

    assert "@" in shown.out and "@" not in hidden.out and "***" in hidden.out, hidden


def test_checks_statistics_and_stored_results_withhold_them_as_well(contacts: Any) -> None:
    (contacts.cli.folder / "checks.yml").write_text(
        "checks:\n"
        "  - {name: schema, type: schema_diff}\n"
        "  - {name: rows, type: value_diff_detail, params: {model: people, primary_key: id}}\n"
        "  - name: sql\n"
        "    type: query_diff\n"
        "    params: {sql_template: \"select id, contact from {{ ref('readers') }}\", primary_keys: [id]}\n"
        "  - {name: top, type: top_k_diff, params: {model: readers, column_name: contact}}\n"
    )
    contacts.record()
    runs = ("--base", "base", "--current", "current")
    shown, hidden = (
        contacts.cli("check", "run", "checks.yml", *runs, *more, "--format", "json")
        for more in ((), ("--private", "x"))
    )

    assert "@" in shown.out and "@" not in hidden.out and "***" in hidden.out, hidden

    assert contacts.cli("value", "people", "-k", "id", *runs, "--save").code == 0
    shown, hidden = (
        contacts.cli("diff", "base", "current", *more, "--format", "json")
        for more in ((), ("--private", "x"))
    )
    assert "@" in shown.out and "@" not in hidden.out, hidden

    measured, renamed = (contacts.cli("quality", node, "--format", "json") for node in ("people", "untraced"))
    assert '"contact"' in measured.out and "@" not in measured.out, measured
    assert "@" in renamed.out, "an untraced node has private columns by name alone here"


@pytest.mark.parametrize(
    "form",
    [
        "table",
        "json",
        *(pytest.param(form, marks=pytest.mark.extensive) for form in ("markdown", "html")),
    ],
)
def test_sentences_about_violated_checks_withhold_values_in_every_format(contacts: Any, form: str) -> None:
    profile = "type: profile_diff, params: {model: readers}"
    (contacts.cli.folder / "checks.yml").write_text(
        "checks:\n"
        f"  - {{name: max, {profile}, expect: {{columns: {{contact: {{max: 0}}}}}}}}\n"
        f"  - {{name: equal, {profile}, expect: equal}}\n"
        "  - name: one\n"
        "    type: query\n"
        "    params: {sql_template: \"select max(contact) as contact from {{ ref('readers') }}\"}\n"
        "    expect: {value: 5}\n"
        "  - {name: why, type: value_diff, params: {model: readers, primary_key: id, why: true}}\n"
    )
    contacts.record()
    runs, file = ("--base", "base", "--current", "current"), contacts.cli.folder / "junit.xml"
    command = ("check", "run", "checks.yml", *runs, "--format", form, "--junit", file)
    shown = contacts.cli(*command)
    assert shown.code == 1 and "@example" in shown.out and "@example" in file.read_text()
    for option in ("--private=x", "--no-values"):
        hidden = contacts.cli(*command, option)
        assert hidden.code == 1 and "@example" not in hidden.out + file.read_text(), hidden
        for out in (hidden.out, file.read_text()):
            words = " ".join(out.split())
            assert "max of column contact differs, none allowed (its values are withheld)" in words, out
            assert "gives another value, which is withheld, 5 expected" in words, out
        is_searched = "not searched: values are withheld" not in " ".join(hidden.out.split())
        assert is_searched is (option != "--no-values"), hidden

    refused = contacts.cli("value", "readers", "-k", "id", "--why", *runs, "--no-values")
    assert refused.code == 2 and "hint: remove --why, or pass --values" in refused.err, refused
