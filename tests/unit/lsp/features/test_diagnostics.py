"""Diagnostics of edited texts: what they remove, and names that do not exist."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from lsprotocol.types import Diagnostic, DiagnosticSeverity
from msgspec.structs import replace

from recce_meta.api.record_sql import SqlOptions, extract_sql_project
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.lsp.documents import TextView
from recce_meta.lsp.features.diagnostics import diagnostics
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.project.live import NO_OTHERS, LiveModel, live_model, removed_columns
from tests.unit.lsp.conftest import RecordProject, view, write_files

STORES, ORDERS = "models/staging/stg_stores.sql", "models/marts/orders.sql"
Analysed = Callable[..., TextView]


def analysed(
    index: ProjectIndex, path: str, text: str | None = None, others: Mapping[str, LiveModel] = NO_OTHERS
) -> TextView:
    """Return the view of a text as the server analyses it."""
    place = index.root / path
    written = place.read_text("utf-8") if text is None else text
    node = index.node_of_file(place)
    if node is None:
        return view(index, place, written)
    live = live_model(index, node, written, others)
    removed = removed_columns(index, node, live, others)
    return view(index, place, written, live=live, removed=removed, others=dict(others))


def edited(index: ProjectIndex, path: str, old: str, new: str) -> TextView:
    text = (index.root / path).read_text("utf-8")
    assert old in text
    return analysed(index, path, text.replace(old, new))


def found(view: TextView, texts: Mapping[Path, str] | None = None) -> list[Diagnostic]:
    shown = diagnostics(view, texts or {})
    assert shown is not None
    return shown


def text_at(view: TextView, diagnostic: Diagnostic) -> str:
    lines, place = view.document.lines, diagnostic.range
    start = lines.offset(place.start.line, place.start.character)
    return view.document.text[start : lines.offset(place.end.line, place.end.character)]


def shown(view: TextView, texts: Mapping[Path, str] | None = None) -> list[tuple[object, str, str]]:
    """Return code, marked text and message of each diagnostic."""
    return [(one.code, text_at(view, one), one.message) for one in found(view, texts)]


def test_the_saved_files_have_no_diagnostics(shop_index: ProjectIndex) -> None:
    for path in sorted((shop_index.root / "models").rglob("*.sql")):
        assert shown(analysed(shop_index, path.relative_to(shop_index.root).as_posix())) == []


def test_a_removed_column_is_reported_at_the_final_select_with_its_users(shop_index: ProjectIndex) -> None:
    view = edited(shop_index, STORES, "    city,\n", "")
    [one] = found(view)
    assert one.message == "Removes column city, used in store_performance"
    assert (one.code, one.source, one.severity) == (
        "removed-column",
        "recce-meta",
        DiagnosticSeverity.Warning,
    )
    assert text_at(view, one) == "id as store_id,"


@pytest.mark.parametrize(
    ("new", "line", "said", "severity"),
    [
        ("(city,", "cast(opened_on as date) as opened_on", "syntax error", DiagnosticSeverity.Error),
        ("city, count(*) as n,", "id as store_id,", "GROUP BY", DiagnosticSeverity.Error),
        ("city, sum(name) as s,", "id as store_id,", "GROUP BY", DiagnosticSeverity.Error),
        ("own(city) as city,", "own(city) as city,", "with name own", DiagnosticSeverity.Warning),
    ],
)
def test_what_a_database_refuses_is_said_at_its_line(
    shop_index: ProjectIndex, new: str, line: str, said: str, severity: DiagnosticSeverity
) -> None:
    view = edited(shop_index, STORES, "city,", new)
    [one] = found(view)
    assert (one.code, one.severity, text_at(view, one).strip()) == ("fails", severity, line)
    assert said in one.message


def test_a_database_is_not_asked_below_a_model_that_was_edited_since(
    record_project: RecordProject, tmp_path: Path
) -> None:
    index = record_project(
        write_files(
            tmp_path,
            {"models/a.sql": "select 1 as x\n", "models/b.sql": "select x from {{ ref('a') }} group by x\n"},
        )
    )
    refused = ("x from", "x, count(*) as n, sum(x) over (order by y) as y from")
    assert [one.code for one in found(edited(index, "models/b.sql", *refused))] != []
    (index.root / "models/a.sql").write_text("select 1 as x, 2 as y\n")
    assert "fails" not in [one.code for one in found(edited(index, "models/b.sql", *refused))]


def test_the_places_in_the_files_of_dependents_are_related(shop_index: ProjectIndex) -> None:
    [one] = found(edited(shop_index, STORES, "    city,\n", ""))
    path = shop_index.root / "models/marts/store_performance.sql"
    lines = path.read_text("utf-8").splitlines()
    assert one.related_information is not None
    places = [info.location for info in one.related_information]
    assert {place.uri for place in places} == {path.as_uri()}
    marked = [
        lines[place.range.start.line][place.range.start.character : place.range.end.character]
        for place in places
    ]
    assert marked == ["city", "city"]
    assert {info.message for info in one.related_information} == {"store_performance uses city"}


def test_related_places_are_those_of_the_open_text(shop_index: ProjectIndex) -> None:
    path = shop_index.root / "models/marts/store_performance.sql"
    texts = {path: "\n\n" + path.read_text("utf-8")}
    before = found(edited(shop_index, STORES, "    city,\n", ""))[0].related_information
    after = diagnostics(edited(shop_index, STORES, "    city,\n", ""), texts)
    assert before is not None and after is not None and after[0].related_information is not None
    first, moved = (
        before[0].location.range.start.line,
        after[0].related_information[0].location.range.start.line,
    )
    assert moved == first + 2


def test_a_renamed_column_is_reported_at_its_new_name(shop_index: ProjectIndex) -> None:
    assert shown(edited(shop_index, STORES, "as store_name", "as title")) == [
        (
            "removed-column",
            "title",
            "Renames column store_name to title; store_performance fails until it uses the new name",
        )
    ]


def test_more_users_than_two_are_counted(record_project: RecordProject, tmp_path: Path) -> None:
    root = tmp_path / "many"
    (root / "models").mkdir(parents=True)
    (root / "dbt_project.yml").write_text("name: many\n", "utf-8")
    (root / "models/a.sql").write_text("select 1 as x, 2 as y", "utf-8")
    for name in "bcde":
        (root / f"models/{name}.sql").write_text("select x from {{ ref('a') }}", "utf-8")
    index = record_project(root)
    [one] = found(analysed(index, "models/a.sql", "select 2 as y"))
    assert one.message == "Removes column x, used in b and c (2 more)"
    [one] = found(analysed(index, "models/a.sql", "select 1 as z, 2 as y"))
    # Two constants may be equal by chance, and a new name is then a guess.
    assert one.message in {
        "Renames column x to z; b and c (2 more) fail until they use the new name",
        "Removes column x, used in b and c (2 more)",
    }


def test_a_column_without_known_users_is_not_reported(shop_index: ProjectIndex) -> None:
    assert shown(edited(shop_index, STORES, ",\n    cast(opened_on as date) as opened_on", "")) == []


def test_an_unknown_ref_is_an_error_with_the_nearest_name(shop_index: ProjectIndex) -> None:
    view = edited(shop_index, ORDERS, "ref('stg_orders')", "ref('stg_order')")
    assert shown(view) == [
        (
            "unknown-ref",
            "stg_order",
            "Model, seed or snapshot 'stg_order' not found; dbt cannot compile this file. "
            "Did you mean 'stg_orders' or 'stg_stores' or 'orders'?",
        )
    ]
    assert found(view)[0].severity is DiagnosticSeverity.Error


def test_what_dbt_cannot_build_is_an_error_on_its_line(copied: ProjectIndex) -> None:
    view = analysed(copied, ORDERS, "select 1 as order_id,\n{{ nope() }} as b")
    doubt = ", unless dbt or its adapter does"
    said = f"the build may fail: it uses 'nope', which no file defines{doubt}"
    assert shown(view) == [("fails", "{{ nope() }} as b", said)]
    macros = copied.root / "macros"
    assert not diagnostics(view, {macros / "new.sql": "{% macro nope() %}1{% endmacro %}"})
    later = copied.run.run_at.timestamp() + 60
    (macros / "new.sql").write_text("{% macro nope() %}1{% endmacro %}", "utf-8")
    os.utime(macros / "new.sql", (later, later))
    assert not diagnostics(view, {})
    assert not diagnostics(analysed(copied, ORDERS, "select {{ ref('stg_orders' }}"), {})


def test_an_unknown_source_is_an_error(shop_index: ProjectIndex) -> None:
    view = analysed(shop_index, ORDERS, "select id from {{ source('crm', 'customer') }}")
    assert shown(view) == [
        (
            "unknown-source",
            "customer",
            "Source 'crm' has no table 'customer'; dbt cannot compile this file. Did you mean 'customers'?",
        )
    ]


def test_a_branch_that_is_not_taken_may_name_anything(shop_index: ProjectIndex) -> None:
    text = "{% if false %}{{ ref('nothing') }}{% endif %}select 1 as price_id, cast(2 as numeric) as price"
    assert [code for code, _, _ in shown(analysed(shop_index, "models/marts/prices_v1.sql", text))] == []


def test_a_model_whose_file_was_deleted_after_dbt_ran_is_unknown(shop_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "shop"
    shutil.copytree(shop_root, root)
    write_files(
        root,
        {"models/marts/a.sql": "select order_id, tool_id from {{ ref('orders') }}, {{ ref('tool_log') }}"},
    )
    project = extract_sql_project(root, SqlOptions(environ={}, dialect="duckdb"))
    kept = (
        replace(node, checksum="4f3a", checksum_rule="file")
        for node in project.nodes
        if node.name not in ("orders", "tool_log")
    )
    (root / ORDERS).unlink()
    index = ProjectIndex(MemoryRunReader(replace(project, nodes=tuple(kept))), root)

    view = analysed(index, "models/marts/a.sql")

    # The package may be incomplete in the manifest; the project's own file is certainly missing.
    assert view.live is not None and view.live.sql is not None
    assert [name for _, name, _ in shown(view)] == ["orders"]


@pytest.fixture
def copied(shop_root: Path, tmp_path: Path, record_project: RecordProject) -> ProjectIndex:
    """Index of a shop in a folder that the test may change."""
    root = tmp_path / "copied"
    shutil.copytree(shop_root, root)
    return record_project(root)


@pytest.mark.parametrize("path", ["models/marts/fresh.sql", "seeds/fresh.csv", "models/deep/down/fresh.py"])
def test_a_new_file_that_the_index_lacks_is_not_unknown(copied: ProjectIndex, path: str) -> None:
    view = analysed(copied, ORDERS, "select * from {{ ref('fresh') }}")
    assert [code for code, _, _ in shown(view)] == ["unknown-ref"]
    (copied.root / path).parent.mkdir(parents=True, exist_ok=True)
    (copied.root / path).write_text("id\n", "utf-8")
    assert shown(view) == []


def test_a_new_file_that_is_not_saved_is_not_unknown(copied: ProjectIndex) -> None:
    view = analysed(copied, ORDERS, "select * from {{ ref('fresh') }}")
    assert shown(view, {copied.root / "models/fresh.sql": ""}) == []


def test_a_newer_properties_file_may_declare_a_source(copied: ProjectIndex) -> None:
    view = analysed(copied, ORDERS, "select * from {{ source('crm', 'deals') }}")
    assert [code for code, _, _ in shown(view)] == ["unknown-source"]
    path = copied.root / "models/sources.yml"
    later = copied.run.run_at.timestamp() + 60
    os.utime(path, (later, later))
    assert shown(view) == []


def test_an_unsaved_properties_file_may_declare_a_source(copied: ProjectIndex) -> None:
    view = analysed(copied, ORDERS, "select * from {{ source('crm', 'deals') }}")
    path = copied.root / "models/sources.yml"
    text = path.read_text("utf-8")
    assert [code for code, _, _ in shown(view, {path: text})] == ["unknown-source"]
    assert shown(view, {path: text + "      - name: deals\n"}) == []


def test_packages_that_are_not_installed_may_have_the_model(copied: ProjectIndex) -> None:
    view = analysed(copied, ORDERS, "select * from {{ ref('fresh') }}")
    (copied.root / "packages.yml").write_text("packages: []\n", "utf-8")
    assert [code for code, _, _ in shown(view)] == ["unknown-ref"]
    shutil.rmtree(copied.root / "dbt_packages")
    assert shown(view) == []


def test_an_unknown_column_is_reported_with_the_nearest_name(shop_index: ProjectIndex) -> None:
    view = edited(shop_index, "models/marts/payment_mix.sql", "sum(amount)", "sum(amout)")
    assert shown(view) == [
        (
            "unknown-column",
            "amout",
            "Column 'amout' not found in the tables of this query; the query fails. Did you mean 'amount'?",
        )
    ]


def test_similar_names_may_differ_by_case(shop_index: ProjectIndex) -> None:
    column = edited(shop_index, "models/marts/payment_mix.sql", "sum(amount)", "sum(AMOUT)")
    ref = edited(shop_index, ORDERS, "ref('stg_orders')", "ref('STG_ORDERS')")
    assert shown(column)[0][2].endswith(" Did you mean 'amount'?")
    assert "Did you mean 'stg_orders' or" in shown(ref)[0][2]


def test_a_column_of_a_table_with_unknown_columns_is_not_unknown(shop_index: ProjectIndex) -> None:
    text = "select anything from {{ source('crm', 'contacts') }}"
    assert shown(analysed(shop_index, "models/marts/crm_customers.sql", text)) == []


def test_half_typed_templates_keep_the_diagnostics_before(shop_index: ProjectIndex) -> None:
    assert diagnostics(analysed(shop_index, ORDERS, "{{ config( }} selec"), {}) is None


def test_half_typed_sql_ends_too_early(shop_index: ProjectIndex) -> None:
    [one] = found(analysed(shop_index, ORDERS, "select ("))
    assert "the build fails: syntax error at the end (models/marts/orders.sql:1" in one.message


def test_an_analysis_of_an_earlier_text_is_not_used(shop_index: ProjectIndex) -> None:
    before = edited(shop_index, STORES, "    city,\n", "")
    now = view(
        shop_index, before.document.path, "select 1 as store_id", live=before.live, removed=before.removed
    )
    assert shown(now) == []


def test_a_file_outside_of_any_project_has_no_diagnostics(tmp_path: Path) -> None:
    assert diagnostics(view(None, tmp_path / "a.sql", "select x from {{ ref('y') }}"), {}) == []
