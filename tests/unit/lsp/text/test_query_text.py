"""Queries in templates: positions, sources, half-typed SQL, and models of real projects."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recce_meta.errors import SqlNotAnalysed
from recce_meta.lsp.text.file_texts import read_query, tables_of
from recce_meta.lsp.text.query_text import (
    Columns,
    QueryText,
    TextOrigin,
    TextOutput,
    TextQuality,
    moved,
    output_origins,
)
from recce_meta.lsp.text.template import read_template
from recce_meta.sql_lineage import column_lineage
from tests.proofs import sampled
from tests.unit.lsp.real_models import RealModel, real_models


def query(text: str, dialect: str = "", columns: dict[str, list[str]] | None = None) -> QueryText:
    """Return the query of *text*; *columns* are those of the tables by the first argument of their `ref`."""
    template = read_template(text)
    schemas: dict[str, Columns] = {}
    for mask, call in template.masks.items():
        name = call.arguments[0].value if call is not None and call.arguments else None
        if columns is not None and name in columns:
            schemas[mask] = dict.fromkeys(columns[str(name)])
    return read_query(template, dialect, schemas)


def shown(text: str, origin: TextOrigin) -> str:
    """Return a source as `table.column` as written, with the name of `ref` for its tag."""
    table = origin.table
    if table is None:
        return f".{origin.column}"
    call = table.call
    name = call.arguments[-1].value if call is not None and call.arguments else text[slice(*table.span)]
    return f"{name}.{origin.column}"


def sources(text: str, found: QueryText, name: str) -> list[list[str]]:
    """Return the sources of every reference to the column *name*."""
    columns = [column for column in found.columns if column.name == name]
    return [[shown(text, origin) for origin in column.origins] for column in columns]


def outputs(text: str, found: QueryText) -> list[tuple[str, str, str]]:
    """Return the name of each output, and the text of its name and of its expression."""
    return [(one.name, text[slice(*one.span)], text[slice(*one.expression)]) for one in found.outputs]


def test_outputs_have_the_positions_of_their_names_and_expressions() -> None:
    text = (
        "select distinct id, o.b as c, coalesce(a, (select 1)) d, case when a then 1 end as e,\n"
        "  sum(x) over (partition by y order by z) as f, null as g, 'x, y' -- a comment, too\n"
        "  , x is distinct from y as h, listagg(a, ',') within group (order by b) as i\n"
        "from {{ ref('t') }} o where a = 1"
    )
    found = query(text)
    assert found.quality is TextQuality.STRICT
    assert outputs(text, found) == [
        ("id", "id", "id"),
        ("c", "c", "o.b"),
        ("d", "d", "coalesce(a, (select 1))"),
        ("e", "e", "case when a then 1 end"),
        ("f", "f", "sum(x) over (partition by y order by z)"),
        ("g", "g", "null"),
        ("", "'x, y'", "'x, y'"),
        ("h", "h", "x is distinct from y"),
        ("i", "i", "listagg(a, ',') within group (order by b)"),
    ]
    assert found.final is not None
    assert text[slice(*found.final)].startswith("id, o.b")
    assert text[slice(*found.final)].endswith("as i")


def test_offsets_are_code_points_after_wide_characters_and_crlf() -> None:
    text = "select\r\n  'é😀' as \"ä😀\",\r\n\tb\r\nfrom {{ ref('t') }}"
    found = query(text)
    assert outputs(text, found) == [("ä😀", '"ä😀"', "'é😀'"), ("b", "b", "b")]


def test_tables_have_their_tag_and_alias() -> None:
    text = "with c as (select 1 as x) select * from {{ ref('a') }} as t, db.s.u join c k on 1 = 1"
    tables = query(text).tables
    assert [(text[slice(*one.span)], one.alias, one.cte) for one in tables] == [
        ("{{ ref('a') }}", "t", None),
        ("db.s.u", None, None),
        ("c", "k", "c"),
    ]
    assert tables[0].call is not None
    assert tables[0].call.mask == tables[0].name
    assert tables[0].alias_span is not None
    assert text[slice(*tables[0].alias_span)] == "t"


def test_a_quoted_path_of_bigquery_is_one_name() -> None:
    text = "select `a b`, t.`c` from `p.d.t` t"
    found = query(text, "bigquery")
    assert [text[slice(*one.span)] for one in found.tables] == ["`p.d.t`"]
    assert outputs(text, found) == [("a b", "`a b`", "`a b`"), ("c", "`c`", "t.`c`")]


def test_ctes_have_their_name_body_and_outputs() -> None:
    text = "with a (k) as (select (1) as x), b as not materialized ( select k from a ) select * from b"
    found = query(text, "postgres")
    assert [(one.name, text[slice(*one.body)]) for one in found.ctes] == [
        ("a", "select (1) as x"),
        ("b", " select k from a "),
    ]
    assert [(out.name, text[slice(*out.span)]) for out in found.ctes[0].outputs] == [("k", "k")]
    assert sources(text, found, "k") == [["a.k"]]


def test_a_star_yields_its_columns_at_its_own_place() -> None:
    text = "with a as (select id, n from {{ ref('t') }}) select a.*, b.*, 1 as z from a join {{ ref('u') }} b"
    found = query(text, columns={"u": ["p"]})
    assert [(one.name, text[slice(*one.span)], one.is_star) for one in found.outputs] == [
        ("id", "*", True),
        ("n", "*", True),
        ("p", "*", True),
        ("z", "z", False),
    ]
    stars = [found.outputs[place].span.start for place in range(3)]
    assert stars == [text.index("a.*") + 2, text.index("a.*") + 2, text.index("b.*") + 2]
    assert [[shown(text, one) for one in output_origins(found, out)] for out in found.outputs] == [
        ["a.id"],
        ["a.n"],
        ["u.p"],
        [],
    ]


def test_a_star_over_unknown_columns_stays_a_star() -> None:
    found = query("select * from {{ ref('t') }}")
    assert [(one.name, one.is_star, one.origins) for one in found.outputs] == [("*", True, ())]


def test_a_column_comes_from_its_cte_with_the_output_there() -> None:
    text = "with a as (select x as id from {{ ref('t') }}) select a.id from a where id > 1"
    found = query(text)
    assert sources(text, found, "id") == [["a.id"], ["a.id"]]
    output = found.columns[-1].origins[0].output
    assert output is not None
    assert output.span == found.ctes[0].outputs[0].span


def test_columns_of_using_and_of_unknown_tables_have_all_possible_sources() -> None:
    text = "select id, x from {{ ref('t') }} join {{ ref('u') }} using (id)"
    found = query(text)
    assert sources(text, found, "id") == [["t.id", "u.id"], ["t.id", "u.id"]]
    assert sources(text, found, "x") == [["t.x", "u.x"]]


def test_a_lateral_alias_and_qualify_mean_the_output() -> None:
    text = "select a + 1 as b, b * 2 as c from {{ ref('t') }} qualify row_number() over (order by c) = 1"
    found = query(text, "snowflake", {"t": ["a"]})
    assert sources(text, found, "b") == [[".b"]]
    assert sources(text, found, "c") == [[".c"]]
    output = found.columns[-1].origins[0].output
    assert output is not None
    assert text[slice(*output.span)] == "c"


def test_columns_of_subqueries_and_outer_queries_are_found() -> None:
    text = (
        "select s.a, (select max(v) from {{ ref('u') }} u where u.k = s.a) m "
        "from (select a from {{ ref('t') }}) s where exists (select 1 from {{ ref('w') }} w where w.k = s.a)"
    )
    found = query(text)
    assert sources(text, found, "a") == [[".a"], [".a"], ["t.a"], [".a"]]
    assert sources(text, found, "k") == [["u.k"], ["w.k"]]


def test_columns_that_only_filter_or_sort_are_no_values() -> None:
    text = (
        "select a, (select u.v from {{ ref('u') }} u where u.k = t.b order by u.s limit 1) m "
        "from {{ ref('t') }} t where t.c = 1"
    )
    found = query(text)
    assert [one.name for one in found.columns if one.is_value] == ["a", "v"]
    assert [shown(text, one) for one in output_origins(found, found.outputs[1])] == ["u.v"]


def test_outputs_of_a_union_have_the_names_of_its_first_query() -> None:
    text = "select a, b from {{ ref('t') }} union all select c, {{ x }} as d from {{ ref('u') }}"
    found = query(text)
    assert outputs(text, found) == [("a", "a", "a"), ("b", "b", "b")]
    assert [one.is_opaque for one in found.outputs] == [False, True]


def test_a_field_of_a_struct_means_the_column() -> None:
    text = "select payload.user.id from {{ ref('t') }}"
    found = query(text, "bigquery", {"t": ["payload"]})
    assert sources(text, found, "payload") == [["t.payload"]]


def test_an_unknown_qualifier_has_no_source() -> None:
    text = "select b.id from {{ ref('t') }} a"
    for dialect in ("", "bigquery", "duckdb", "snowflake"):
        assert sources(text, query(text, dialect), "id") in ([[]], [])


def test_a_missing_column_is_reported_with_the_columns_searched() -> None:
    text = "with c as (select id from {{ ref('t') }}) select t.nope, c.x, gone from c join {{ ref('t') }} t"
    found = query(text, columns={"t": ["id", "n"]})
    missing = {one.name: one.candidates for one in found.columns if one.is_missing}
    assert missing == {"nope": ("id", "n"), "x": ("id",), "gone": ("id", "n")}
    assert all(one.origins == () for one in found.columns if one.is_missing)


@pytest.mark.parametrize(
    "text",
    [
        "select t.nope from {{ ref('unknown') }} t",
        "select gone from {{ ref('t') }} join {{ ref('unknown') }} on 1 = 1",
        "with c as (select {{ star() }} from {{ ref('t') }}) select c.gone from c",
        "with c as (select id {{ more() }} from {{ ref('t') }}) select c.gone from c",
        "with c as (select id {% if x %}, gone{% endif %} from {{ ref('t') }}) select c.gone from c",
        "with c as (select {% if x %}id{% else %}gone{% endif %} from {{ ref('t') }}) select c.gone from c",
        "with c as ({{ my_macro() }}) select c.gone from c",
        "with c as (select {{ star() }} from {{ ref('t') }}), d as (select * from c) select gone from d",
        "select gone from {{ ref('t') }} {{ joins() }}",
        "select gone from {{ ref('t') }} {% if x %}join {{ ref('unknown') }} on true{% endif %}",
        "select gone from {{ my_macro() }}",
        "select x.gone from {{ ref('t') }}",
        "select (select gone from {{ ref('t') }} a) from {{ ref('unknown') }}",
        "select {{ ref('unknown') }}.gone from {{ ref('t') }}",
    ],
)
def test_no_column_is_missing_if_a_source_may_have_further_columns(text: str) -> None:
    found = query(text, columns={"t": ["id"]})
    assert found.quality is TextQuality.STRICT
    assert [one.name for one in found.columns if one.is_missing] == []


@pytest.mark.parametrize(
    "name", ["_PARTITIONTIME", "_table_suffix", "rowid", "metadata$filename", "current_date"]
)
def test_a_column_that_no_table_lists_is_not_missing(name: str) -> None:
    for dialect in ("bigquery", "snowflake", "duckdb"):
        found = query(f"select t.id, {name} from {{{{ ref('t') }}}} t", dialect, {"t": ["id"]})
        assert [one.name for one in found.columns if one.is_missing] == []


def test_a_condition_in_a_where_does_not_hide_a_missing_column() -> None:
    text = "select gone from {{ ref('t') }} {% if is_incremental() %} where id > {{ x }} {% endif %}"
    found = query(text, columns={"t": ["id"]})
    assert [one.name for one in found.columns if one.is_missing] == ["gone"]


def test_a_tag_is_never_a_name_or_a_source() -> None:
    text = (
        "with c as (select {{ a }}, {{ b }} as x, y as {{ d }}, {{ q }}.z from {{ ref('t') }}) "
        "select *, {{ e }} as w, tbl_{{ f }} from c join {{ g() }} on c.x = {{ h }}"
    )
    found = query(text)
    template = read_template(text)
    assert [out.name for out in found.ctes[0].outputs] == ["", "x", "", "z"]
    assert [out.is_opaque for out in found.ctes[0].outputs] == [True, True, True, True]
    names = [out.name for out in (*found.outputs, *found.ctes[0].outputs)]
    names += [name for one in found.columns for name in (one.name, *(each.column for each in one.origins))]
    names += [one.name for one in found.tables if one.call is None or one.call.name != "ref"]
    assert not any(mask in name for mask in template.masks for name in names)
    assert "{{ g() }}" in names


def test_an_appended_tag_is_no_alias() -> None:
    text = "select a from {{ ref('t') }} {{ limits() }}"
    found = query(text)
    assert [one.alias for one in found.tables] == [None]
    assert [one.name for one in found.outputs] == ["a"]


@pytest.mark.parametrize(
    "text",
    [
        "select a, row_number() over (partition by a {{ more() }} order by b) as n from {{ ref('t') }}",
        "select a from {{ ref('t') }} where a = 1\n{{ group_by(1) }}\norder by 1",
        "{% for x in y %}select a, {{ x }} as b from {{ ref('t') }} union all {% endfor %}",
        "select a {% for x in y %}, {{ x }} as b_{{ x }}{% endfor %} from {{ ref('t') }}",
        "select {% for x in y %}{{ x }} as b{{ ',' if not loop.last }}{% endfor %} from {{ ref('t') }}",
        "select a from {{ ref('t') }} {{ union_distinct() }} select b from {{ ref('u') }}",
        "select cast(a as {{ dbt.type_string() }}), b::{{ x }} from {{ ref('t') }} limit {{ n }}",
        "select '{{ run_started_at }}' as d, \"{{ c }}\" from {{ target.schema }}.tbl_{{ x }}",
    ],
)
def test_templates_that_are_no_sql_as_masked_still_parse(text: str) -> None:
    assert query(text, "duckdb").quality is TextQuality.STRICT


def test_names_of_tables_are_the_masks_of_references() -> None:
    text = "-- {{ ref('no') }}\nselect {{ x }} from {{ ref('a') }} join {{ source('b', 'c') }} where a. "
    template = read_template(text)
    written = [template.masks[name] for name in tables_of(template, "")]
    assert [call.arguments[-1].value for call in written if call is not None] == ["a", "c"]


# Half-typed SQL


HALF = "with a as (select id, n from {{ ref('t') }}), b as (select a.| from a) select b.id from b"


def half(text: str, earlier: QueryText | None = None) -> tuple[str, QueryText]:
    """Return *text* without the `|`, which is the cursor, and its query."""
    cursor = text.index("|")
    text = text.replace("|", "")
    return text, read_query(read_template(text), "", {}, earlier=earlier, cursor=cursor)


def test_a_dot_at_the_cursor_leaves_the_rest_readable() -> None:
    text, found = half(HALF)
    assert found.quality is TextQuality.PARTS
    assert [cte.name for cte in found.ctes] == ["a", "b"]
    assert [one.name for one in found.outputs] == ["id"]
    assert sources(text, found, "id") == [["t.id"], ["b.id"]] or sources(text, found, "id") == [["t.id"], []]


@pytest.mark.parametrize(
    "text",
    [
        "select a.id, a.| from {{ ref('t') }} a",
        "select id, | from {{ ref('t') }} a",
        "select id from {{ ref('t') }} a where |",
        "select id from {{ ref('t') }} a where id = |",
        "select id from {{ ref('t') }} a whe|",
        "select id, coalesce(|) as c from {{ ref('t') }} a",
        "select id from {{ ref('t') }} a where x = 'b|\nand y = 1",
        "with c as (select 1 as x), d as (selec|) select id from {{ ref('t') }} a",
        "with c as (select 1 as x), d as (select (1 +|, e as (select 2 as y) select id from {{ ref('t') }} a",
    ],
)
def test_outputs_are_known_while_something_is_typed(text: str) -> None:
    text, found = half(text)
    assert "id" in [one.name for one in found.outputs]
    assert ["t.id"] in sources(text, found, "id")
    assert not any("typed" in one.name for one in (*found.outputs, *found.columns, *found.tables))


@pytest.mark.parametrize(
    "text", ["select a from|\nleft join {{ ref('t') }} t", "select a.| from {{ ref('t') }}"]
)
def test_a_keyword_is_no_name(text: str) -> None:
    _, found = half(text)
    assert not {"left", "from"} & {
        one.name.lower() for one in (*found.outputs, *found.columns, *found.tables)
    }


def test_a_table_that_is_being_typed_is_no_source() -> None:
    text, found = half("select name from {{ ref('t') }} join cus|")
    assert sources(text, found, "name") == [[]]


def test_a_part_that_does_not_parse_is_taken_from_the_earlier_text() -> None:
    text = "with a as (\nselect id, n from {{ ref('t') }} where n > 1\n)\nselect a.id from a"
    before = read_query(read_template(text), "", {})
    place = text.index(" > 1")
    earlier = moved(before, place, 0, 3)
    edited = text[:place] + " ((" + "|" + text[place:]
    edited, found = half(edited, earlier)
    assert found.quality is TextQuality.PARTS
    assert sources(edited, found, "n") == [["t.n"], ["t.n"]]
    assert [out.name for out in found.ctes[0].outputs] == ["id", "n"]
    assert [out.name for out in found.outputs] == ["id"]


def test_without_a_part_that_parses_the_earlier_query_stays_at_its_new_place() -> None:
    text = "select id, n from {{ ref('t') }}"
    before = read_query(read_template(text), "", {})
    edited, found = half("select id, ((|n from {{ ref('t') }}", moved(before, 11, 0, 2))
    assert found.quality is TextQuality.EARLIER
    assert outputs(edited, found) == [("id", "id", "id"), ("n", "n", "n")]
    assert sources(edited, found, "n") == [["t.n"]]


def test_an_earlier_source_is_gone_with_its_table() -> None:
    text = "select id, n from {{ ref('t') }}"
    before = read_query(read_template(text), "", {})
    place = text.index("t'")
    edited, found = half("select id, n from {{ ref('|') }} where ((", moved(before, place, 1, 0))
    assert sources(edited, found, "n") in ([[]], [])


def test_names_that_an_edit_changes_are_dropped() -> None:
    text = "select abc, def as x from {{ ref('t') }}"
    found = moved(query(text), text.index("bc"), 2, 1)
    assert [one.name for one in found.columns] == ["def"]
    assert [one.name for one in found.outputs] == ["x"]
    edited = "select aZ, def as x from {{ ref('t') }}"
    assert edited[slice(*found.columns[0].span)] == "def"
    assert found.columns[0].origins[0].table is not None
    assert edited[slice(*found.columns[0].origins[0].table.span)] == "{{ ref('t') }}"


def test_text_without_a_query_has_nothing() -> None:
    for text in ("", "{{ my_macro() }}", "{% macro a() %}select 1{% endmacro %}", "not sql at all ("):
        assert query(text) == QueryText(TextQuality.NOTHING)


def test_a_text_that_takes_too_long_has_nothing() -> None:
    template = read_template("select 1 as a")
    assert read_query(template, "", {}, timeout=0.0).quality is TextQuality.NOTHING


WORDS = "select from where with as ( ) , . a b * 1 'x ' \" {{ ref('t') }} {{ m() }} {% if %} join on union by"


@settings(max_examples=sampled(60, 15), deadline=None)
@given(
    st.lists(st.sampled_from(WORDS.split(" ")), max_size=25).map(" ".join),
    st.integers(0, 60),
)
def test_any_text_can_be_read(text: str, cursor: int) -> None:
    found = read_query(read_template(text), "", {}, cursor=min(cursor, len(text)))
    assert all(0 <= one.span.start <= one.span.end <= len(text) for one in found.columns)


# Models of real projects


PLAIN = {"ref", "source", "config"}


def has_select(model: RealModel) -> bool:
    """Return whether *model* has a SELECT of its own outside of tags and comments."""
    words = read_template(model.raw).masked.lower().split()
    return "select" in words


def is_at(text: str, span: tuple[int, int], name: str) -> bool:
    return text[slice(*span)].strip('"`[]').lower() == name.strip('"`[]').lower()


def test_names_of_real_models_are_at_their_positions() -> None:
    strict = total = 0
    for model in filter(has_select, real_models()):
        found = read_query(read_template(model.raw), model.dialect, {})
        total, strict = total + 1, strict + (found.quality is TextQuality.STRICT)
        outs = [*found.outputs, *(out for cte in found.ctes for out in cte.outputs)]
        assert all(is_at(model.raw, one.span, one.name) for one in outs if one.name and not one.is_star)
        assert all(is_at(model.raw, one.span, one.name) for one in found.columns)
        assert all(is_at(model.raw, one.span, one.name) for one in found.ctes)
        aliases = [(one.alias_span, one.alias) for one in found.tables if one.alias_span and one.alias]
        assert all(is_at(model.raw, span, alias) for span, alias in aliases)
        assert not any("q0_" in one.name for one in (*outs, *found.columns))
    print(f"{strict} of {total} models parse strictly")
    assert strict > 0.95 * total


def final_sources(model: RealModel, found: QueryText, output: TextOutput) -> set[tuple[str, str]]:
    """Return the tables' columns that *output* is made of, through CTEs and subqueries of the text."""
    sources: set[tuple[str, str]] = set()
    stack, seen = [output], set[int]()
    while stack:
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        for origin in output_origins(found, one):
            if origin.output is not None:
                stack.append(origin.output)
            elif origin.table is not None and origin.table.call is not None:
                values = [each.value for each in origin.table.call.arguments if each.name is None]
                versions = [each.value for each in origin.table.call.arguments if each.name is not None]
                is_ref = origin.table.call.name == "ref"
                name = str(values[-1]) if is_ref else ".".join(map(str, values))
                name = f"{name}.v{versions[0]}" if versions else name
                sources.add((model.relations.get(name, name), origin.column.lower()))
            elif origin.table is not None:
                sources.add((origin.table.name.split(".")[-1].strip('"`').lower(), origin.column.lower()))
    return sources


def test_sources_of_real_models_are_those_of_their_compiled_sql() -> None:
    same = total = 0
    different: list[tuple[str, str]] = []
    for model in real_models():
        template = read_template(model.raw)
        is_plain = not template.opaque and {call.name for call in template.calls} <= PLAIN
        # The compiled SQL has CTEs for ephemeral models, and files for external sources.
        compiled = (model.compiled or "__dbt__cte__").lower()
        if not is_plain or "{%" in model.raw or "__dbt__cte__" in compiled or "read_csv(" in compiled:
            continue
        try:
            truth = column_lineage(str(model.compiled), model.dialect)
        except SqlNotAnalysed:
            continue
        found = read_query(template, model.dialect, {})
        for output in found.outputs:
            if output.name in truth and output.name != "*":
                wanted = {
                    (name.split(".")[-1].lower(), column.lower()) for name, column in truth[output.name]
                }
                total += 1
                if final_sources(model, found, output) == wanted:
                    same += 1
                else:
                    different.append((model.unique_id, output.name))
    print(f"{same} of {total} outputs have the same sources; not {different}")
    assert total > 300
    assert same >= 0.99 * total
