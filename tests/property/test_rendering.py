"""Whatever a template is, it is rendered or it is one TemplateError."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recce_meta.errors import TemplateError
from recce_meta.models import NodeMetadata
from recce_meta.render import Limits, SimpleTemplateRenderer
from recce_meta.render.limits import BINARY
from recce_meta.render.renderer import inject
from recce_meta.render.sandbox import Sandbox
from tests.proofs import sampled

ORDERS = NodeMetadata(
    unique_id="model.shop.orders",
    name="orders",
    resource_type="model",
    package_name="shop",
    relation_name='"wh"."main"."orders"',
)
NAMES = (
    "ref source this var env_var config target adapter api exceptions modules model context builtins flags "
    "execute return fromjson tojson fromyaml toyaml set zip log range dict namespace joiner graph "
    "run_query x y loop is_incremental run_started_at dbt_version local_md5 diff_of_two_dicts"
).split()
ATOMS = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(["1", "0", "-3", "1.5", "''", "'a'", "'orders'", "none", "true", "[]", "{}", "[1, 'a']"]),
    st.sampled_from(["{'a': [1]}", "(1, 2)", "10**9", "'%s%9d'", "'{:>5}{x}'", "ref('orders')"]),
)
ATTRIBUTES = st.sampled_from(
    (
        "name schema a get items append update format join split replace index type dispatch create Relation "
        "Column datetime re strftime __class__ _x include quote raise_compiler_error translate_type has_var"
    ).split()
)
FILTERS = sorted(name for name in Sandbox().filters if " " not in name and name != "random")
TESTS = sorted(name for name in Sandbox().tests if name.isalpha() and name not in ("in",))


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions made of smaller ones."""
    return st.one_of(
        st.builds("{}.{}".format, inner, ATTRIBUTES),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}[{}:]".format, inner, inner),
        st.builds("{}()".format, inner),
        st.builds("{}({})".format, inner, inner),
        st.builds("{}({}, a={})".format, inner, inner, inner),
        st.builds(
            "({} {} {})".format, inner, st.sampled_from([*sorted(BINARY), "~", "==", "<", "in", "and"]), inner
        ),
        st.builds("({}|{})".format, inner, st.sampled_from(FILTERS)),
        st.builds("({}|{}({}))".format, inner, st.sampled_from(FILTERS), inner),
        st.builds("({} is {})".format, inner, st.sampled_from(TESTS)),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
    )


EXPRESSIONS = st.recursive(ATOMS, grown, max_leaves=8)
TEMPLATES = st.one_of(
    st.builds("{{{{ {} }}}}".format, EXPRESSIONS),
    st.builds("{{% set x = {} %}}{{{{ x }}}}".format, EXPRESSIONS),
    st.builds(
        "{{% for y in {} %}}{{{{ loop.index }}}}{{{{ {} }}}}{{% endfor %}}".format, EXPRESSIONS, EXPRESSIONS
    ),
    st.builds("{{% if {} %}}a{{% endif %}}".format, EXPRESSIONS),
    st.builds(
        "{{% macro x(y) %}}{{{{ {} }}}}{{% endmacro %}}{{{{ x({}) }}}}".format, EXPRESSIONS, EXPRESSIONS
    ),
    st.builds("{{% do {} %}}".format, EXPRESSIONS),
    st.text("{}%#- \n'\"a1([|", max_size=30),
)


@pytest.mark.extensive
@settings(max_examples=sampled(300, 75), deadline=None)
@given(TEMPLATES)
def test_a_template_is_rendered_or_is_one_error(template: str) -> None:
    renderer = SimpleTemplateRenderer(None, [ORDERS], limits=Limits(seconds=5, steps=20_000))

    try:
        text = renderer.render(template)
    except TemplateError as error:
        assert error.line is not None and error.column is not None
        assert error.message.startswith("line ")
    else:
        assert isinstance(text, str)
        assert not text.startswith(("<bound", "<function", "<recce_meta"))


@pytest.mark.extensive
@given(st.text().filter(lambda text: "{" not in text))
def test_text_without_jinja_stays_as_it_is(text: str) -> None:
    assert SimpleTemplateRenderer(None, []).render(text) == text


@given(st.text("wWiITth(){}'\"-/*\n ,$`a", max_size=40))
def test_putting_expressions_in_loses_nothing(sql: str) -> None:
    injected = inject(sql, ["c as (q)"])

    assert "c as (q)" in injected
    assert len("".join(injected.split())) >= len("".join(sql.split()))


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_answers_or_refuses_a_number(name: str) -> None:
    try:
        SimpleTemplateRenderer(None, []).render(f"{{{{ 5 | {name} }}}}")
    except TemplateError as error:
        assert error.line == 1
