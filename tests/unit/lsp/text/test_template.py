"""Mask and calls of templates, finished or not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.lsp.text.template import ModelTemplate, TagCall, read_template

PIECES = [
    "{{ ref('a') }}", "{{ source(\"s\", 't') }}", "{{ this }}", "{{", "}}", "{%", "%}", "{#", "#}", "{{-",
    "{% if a %}", "{% else %}", "{% elif b %}", "{% endif %}", "{% for x in y %}", "{% endfor %}",
    "{% set a %}", "{% set a = 1 %}", "{% endset %}", "{% macro m(a) %}", "{% endmacro %}", "{% raw %}",
    "{% endraw %}", "{{ config(a='{{ b }}') }}", "'", '"', "`", "select", " ", "\n", "\r\n", "\r", "a", ".",
    "(", ")", ",", "as ", "::", "cast(", "ref(", "\\", "é😀", "--", "/*", "q0_", "{{ ',' if not loop.last }}",
]  # fmt: skip
LINE_END = re.compile(r"\r\n|\n|\r")


def masked(text: str) -> str:
    """Return the mask with each run of fill characters as one `_`, and of spaces as one space."""
    return re.sub(r" +", " ", re.sub(r"_+", "_", read_template(text).masked)).strip()


def names(template: ModelTemplate) -> list[str]:
    return [call.name for call in template.calls]


def written(template: ModelTemplate, call: TagCall) -> str:
    return template.text[call.span.start : call.span.end]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_has_a_mask_of_its_length_with_its_line_ends(text: str) -> None:
    template = read_template(text)
    assert len(template.masked) == len(text)
    ends = [match.span() for match in LINE_END.finditer(text)]
    assert [match.span() for match in LINE_END.finditer(template.masked)] == ends
    for call in template.calls:
        assert text[slice(*call.name_span)].replace(" ", "").startswith(call.name.split(".")[0])
        assert call.tag.start <= call.span.start <= call.span.end <= call.tag.end


@given(st.text(alphabet="abc {}'\"(),.\r\n-%#", max_size=60))
def test_any_characters_have_a_mask(text: str) -> None:
    assert len(read_template(text).masked) == len(text)


@given(st.text(alphabet="abc '\"(),.\r\n-%#_0", max_size=60), st.text(alphabet="abc '\"\n", max_size=20))
def test_text_outside_of_tags_is_unchanged(before: str, after: str) -> None:
    tag = "{{ my_macro(1) }}"
    template = read_template(before + tag + after)
    assert template.masked[: len(before)] == before
    assert template.masked[len(before) + len(tag) :] == after


def test_references_become_identifiers_of_the_length_of_their_tag() -> None:
    text = "select * from {{ ref('orders') }} o join {{ source('raw', 'x') }} s on {{ this }}.a = o.a"
    template = read_template(text)
    assert [call.name for call in template.masks.values() if call] == ["ref", "source", "this"]
    for mask, call in template.masks.items():
        assert call is not None
        assert mask.isidentifier()
        assert template.masked[slice(*call.tag)] == mask
        assert call.mask == mask
    assert template.opaque == ()


def test_equal_tags_share_an_identifier_and_different_ones_do_not() -> None:
    template = read_template("{{ ref('a') }} {{ ref('b') }} {{ ref('a') }}")
    one, two, three = template.masked.split()
    assert one == three != two
    assert [call.mask for call in template.calls] == [one, two, three]


def test_an_identifier_equals_no_word_of_the_text() -> None:
    text = "q0________ Q1________ {{ this }}"
    assert read_template(text).masked.split()[-1] not in ("q0________", "q1________")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{{ ref('a') }}", [(None, "a", "a")]),
        ("{{ref('pkg', \"a\", v=2)}}", [(None, "pkg", "pkg"), (None, "a", "a"), ("v", 2, "2")]),
        ("{{- ref(\n  'a',\n  version = '1'\n) -}}", [(None, "a", "a"), ("version", "1", "1")]),
        ("{{ ref('a' ~ b) }}", [(None, None, "'a' ~ b")]),
        ("{{ ref(name) }}", [(None, None, "name")]),
        (r"{{ ref('it\'s') }}", [(None, "it's", r"it\'s")]),
        ("{{ ref(['a', 'b'], {'c': 'd'}) }}", [(None, None, "['a', 'b']"), (None, None, "{'c': 'd'}")]),
        ("{{ ref() }}", []),
        ("{{ ref('a", [(None, "a", "a")]),
        ("{{ ref('a', '", [(None, "a", "a"), (None, "", "")]),
    ],
)
def test_arguments_are_literals_with_their_spans(
    text: str, values: list[tuple[str | None, str | int | None, str]]
) -> None:
    call = read_template(text).calls[0]
    found = [(each.name, each.value, text[slice(*each.span)]) for each in call.arguments]
    assert found == values


def test_nested_calls_and_those_in_statements_are_found_in_order() -> None:
    text = "{% set a = dbt_utils.star(from=ref('x'), except=f(1)) %}{{ g(this) }}{% if h() %}{% endif %}"
    template = read_template(text)
    assert names(template) == ["dbt_utils.star", "ref", "f", "g", "this", "h"]
    assert written(template, template.calls[0]) == "dbt_utils.star(from=ref('x'), except=f(1))"


def test_the_innermost_call_is_at_an_offset() -> None:
    text = "{{ f(ref('x'), 1) }}"
    template = read_template(text)
    called = {offset: call.name for offset in range(len(text)) if (call := template.call_at(offset))}
    assert called[text.index("f")] == "f"
    assert called[text.index("x")] == "ref"
    assert called[text.index("1")] == "f"
    assert 0 not in called


def test_statements_comments_and_config_become_spaces() -> None:
    text = "{{ config(\n  post_hook='{{ this }} %} }}'\n) }}\n{# {{ ref('x') }}\r\n #}\n{% do f() %}select 1"
    assert masked(text).split() == ["select", "1"]
    assert "this" not in names(read_template(text))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("{% if a %}x{% elif b %}y{% else %}z{% endif %}", "x"),
        ("{% if a %}{% if b %}x{% else %}y{% endif %}{% else %}z{% endif %}", "x"),
        ("{% for a in b %}x{% else %}y{% endfor %}", "x"),
        ("{% for a in b %}x{% if not loop.last %},{% endif %}{% endfor %}", "x"),
        ("{% for a in b %}x{% if loop.last %},{% else %};{% endif %}{% endfor %}", "x ,"),
        ("{% for a in b %}x{{ ',' if not loop.last }}{% endfor %}", "x"),
        ("{% for a in b %}x{{ ';' if loop.last else ',' }}{% endfor %}", "x ;"),
        ("{% set a %}x{% endset %}y", "y"),
        ("{% set a = 1 %}x{% endset %}", "x"),
        ("{%- macro m(a='%}') -%}x{%- endmacro %}y", "y"),
        ("{% call statement('a') %}x{% endcall %}y", "y"),
        ("{% docs d %}x{% enddocs %}y", "y"),
        ("{% snapshot s %}x{% endsnapshot %}", "x"),
        ("{% raw %}{{ x }}{% endraw %}y", "{{ x }} y"),
        ("{% set a %}x", "x"),
        ("{% endif %}x{% else %}y", "x y"),
    ],
)
def test_of_blocks_one_branch_and_one_round_stay(text: str, kept: str) -> None:
    assert masked(text) == kept


def test_loops_and_branches_are_opaque_with_their_tags() -> None:
    text = "a {% for x in y %}b{% endfor %} {% if c %}d{% else %}e{% endif %} {% set f %}g{% endset %}"
    opaque = [text[slice(*span)] for span in read_template(text).opaque]
    assert opaque == ["{% for x in y %}b{% endfor %}", "{% if c %}d{% else %}e{% endif %}"]


@pytest.mark.parametrize(
    "text", ["tbl_{{ x }}", "{{ x }}_tbl", '"{{ x }}"', "`{{ x }}`", "{{ x }}{{ y }}", "{{ ref('a') }}_tmp"]
)
def test_a_tag_that_is_a_part_of_a_name_stands_for_nothing(text: str) -> None:
    template = read_template(text)
    assert template.masks == {}
    assert template.opaque
    assert re.fullmatch(r"[\"`]?\w+[\"`]?", template.masked)


def test_a_tag_in_a_string_reads_no_column() -> None:
    template = read_template("select '{{ var(\"d\") }}'")
    assert re.fullmatch(r"select '\w+'", template.masked)
    assert (template.masks, template.opaque) == ({}, ())


@pytest.mark.parametrize(
    "text",
    [
        "a::{{ dbt.type_string() }}",
        "cast(f(a, (b)) as {{ x }})",
        "a as {{ dbt.type_int() }}",
        "try_cast(a AS {{ t }} )",
    ],
)
def test_the_type_of_a_cast_becomes_a_type(text: str) -> None:
    template = read_template(text)
    assert re.search(r"(::|as )text +\)?$", template.masked, re.IGNORECASE)
    assert template.opaque == ()


def test_an_alias_is_no_type() -> None:
    assert "text" not in read_template("select (a) as {{ x }}").masked


def test_a_literal_string_stays_at_its_place() -> None:
    text = "a{{ ', b' }} {{ 'c,' if x }}"
    template = read_template(text)
    assert template.masked.index(", b") == text.index(", b")
    assert template.masked.index("c,") == text.index("c,")
    assert [text[slice(*span)] for span in template.opaque] == ["{{ 'c,' if x }}"]


@pytest.mark.parametrize(
    "text",
    [
        "from {{ ref('a \n join {{ ref('b') }} on x",
        "from {{ ref(\n join {{ ref('b') }} on x",
        "from {{ ref('a') }\n join {{ ref('b') }} on x",
        "from {{ ref('a')\n join {{ ref('b') }} on x",
        "from {{\n join {{ ref('b') }} on x",
        "from {% if\n join {{ ref('b') }} on x",
        "from {# a\n join {{ ref('b') }} on x",
    ],
)
def test_an_unfinished_tag_ends_with_its_line(text: str) -> None:
    template = read_template(text)
    assert [call.mask for call in template.calls][-1:] == [template.masked.split("join ")[1].split(" ")[0]]
    assert template.masked.endswith(" on x")


def test_the_text_after_an_unfinished_call_stays() -> None:
    assert read_template("from {{ ref('a') } where b").masked.endswith(" where b")


def test_a_tag_of_several_lines_is_an_identifier_on_one_of_them() -> None:
    text = "select {{ dbt_utils.star(\r\n  from=ref('x')\r\n) }}\r\nfrom a"
    template = read_template(text)
    assert [line.split() for line in template.masked.splitlines()][2:] == [[], ["from", "a"]]
    assert len(template.masks) == 1


def test_a_tag_in_a_comment_stays_on_the_line_of_the_comment() -> None:
    template = read_template("-- {{ f(\n 'a long argument'\n) }}\nselect 1")
    assert template.masked.split("\n", 1)[1].split() == ["select", "1"]
