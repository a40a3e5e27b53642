"""Macros that stand in for those which are not at hand: dbt's own, and those of packages not installed.

They write SQL from which the same columns flow as from the real macro's; it is read, never run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jinja2 import TemplateSyntaxError, nodes

from recce_meta.extractors.jinja import blocks_of
from recce_meta.extractors.jinja.grammar import ENVIRONMENT
from recce_meta.models import MacroMetadata

_DBT = """
{% macro type_string() %}varchar{% endmacro %}
{% macro type_int() %}integer{% endmacro %}
{% macro type_bigint() %}bigint{% endmacro %}
{% macro type_float() %}float{% endmacro %}
{% macro type_numeric() %}numeric(28, 6){% endmacro %}
{% macro type_boolean() %}boolean{% endmacro %}
{% macro type_timestamp() %}timestamp{% endmacro %}
{% macro current_timestamp() %}current_timestamp{% endmacro %}
{% macro current_timestamp_backcompat() %}current_timestamp{% endmacro %}
{% macro current_timestamp_in_utc() %}current_timestamp{% endmacro %}
{% macro current_timestamp_in_utc_backcompat() %}current_timestamp{% endmacro %}
{% macro concat(fields) %}concat({{ fields | join(', ') }}){% endmacro %}
{% macro hash(field) %}md5(cast({{ field }} as varchar)){% endmacro %}
{% macro dateadd(datepart, interval, from_date_or_timestamp) -%}
date_add_of('{{ datepart }}', {{ interval }}, {{ from_date_or_timestamp }})
{%- endmacro %}
{% macro datediff(first_date, second_date, datepart) -%}
date_diff_of('{{ datepart }}', {{ first_date }}, {{ second_date }})
{%- endmacro %}
{% macro date_trunc(datepart, date) %}date_trunc('{{ datepart }}', {{ date }}){% endmacro %}
{% macro last_day(date, datepart) %}last_day_of('{{ datepart }}', {{ date }}){% endmacro %}
{% macro date() %}current_date{% endmacro %}
{% macro safe_cast(field, type) %}cast({{ field }} as {{ type }}){% endmacro %}
{% macro cast(field, type) %}cast({{ field }} as {{ type }}){% endmacro %}
{% macro cast_bool_to_text(field) %}cast({{ field }} as varchar){% endmacro %}
{% macro string_literal(value) %}'{{ value }}'{% endmacro %}
{% macro escape_single_quotes(expression) %}{{ expression | replace("'", "''") }}{% endmacro %}
{% macro any_value(expression) %}any_value({{ expression }}){% endmacro %}
{% macro bool_or(expression) %}bool_or({{ expression }}){% endmacro %}
{% macro length(expression) %}length({{ expression }}){% endmacro %}
{% macro position(substring_text, string_text) %}strpos({{ string_text }}, {{ substring_text }}){% endmacro %}
{% macro right(string_text, length_expression) -%}
right({{ string_text }}, {{ length_expression }})
{%- endmacro %}
{% macro replace(field, old_chars, new_chars) -%}
replace({{ field }}, {{ old_chars }}, {{ new_chars }})
{%- endmacro %}
{% macro split_part(string_text, delimiter_text, part_number) -%}
split_part({{ string_text }}, {{ delimiter_text }}, {{ part_number }})
{%- endmacro %}
{% macro listagg(measure, delimiter_text="','", order_by_clause=none, limit_num=none) -%}
string_agg({{ measure }}, {{ delimiter_text }})
{%- endmacro %}
{% macro array_construct(inputs=[], data_type=none) %}array[{{ inputs | join(', ') }}]{% endmacro %}
{% macro array_append(array, new_element) %}array_append({{ array }}, {{ new_element }}){% endmacro %}
{% macro array_concat(array_1, array_2) %}array_cat({{ array_1 }}, {{ array_2 }}){% endmacro %}
{% macro except() %}except{% endmacro %}
{% macro intersect() %}intersect{% endmacro %}
{% macro equals(expr1, expr2) %}({{ expr1 }} is not distinct from {{ expr2 }}){% endmacro %}
{% macro set_sql_header(config) %}{% endmacro %}
{% macro date_spine(datepart, start_date, end_date) -%}
select cast(null as timestamp) as date_{{ datepart }}
{%- endmacro %}
"""
_UTILS = """
{% macro generate_surrogate_key(field_list) -%}
md5(concat({% for field in field_list %}cast({{ field }} as varchar){{ ', ' if not loop.last }}{% endfor %}))
{%- endmacro %}
{% macro surrogate_key() -%}
{% set fields = varargs[0] if varargs[0] is not string else varargs %}
md5(concat({% for field in fields %}cast({{ field }} as varchar){{ ', ' if not loop.last }}{% endfor %}))
{%- endmacro %}
{% macro star() %}*{% endmacro %}
{% macro group_by(n) -%}
group by {% for i in range(1, n + 1) %}{{ i }}{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}
{% macro safe_divide(numerator, denominator) %}({{ numerator }}) / nullif({{ denominator }}, 0){% endmacro %}
{% macro safe_add() -%}
{% set fields = varargs[0] if varargs[0] is not string else varargs %}
{% for field in fields %}coalesce({{ field }}, 0){{ ' + ' if not loop.last }}{% endfor %}
{%- endmacro %}
{% macro safe_subtract(fields) -%}
{% for field in fields %}coalesce({{ field }}, 0){{ ' - ' if not loop.last }}{% endfor %}
{%- endmacro %}
{% macro union_relations(relations) -%}
({% for relation in relations %}select * from {{ relation }}{{ ' union all ' if not loop.last }}{% endfor %})
{%- endmacro %}
{% macro deduplicate(relation, partition_by, order_by) -%}
select * from {{ relation }}
qualify row_number() over (partition by {{ partition_by }} order by {{ order_by }}) = 1
{%- endmacro %}
{% macro date_spine(datepart, start_date, end_date) -%}
select cast(null as timestamp) as date_{{ datepart }}
{%- endmacro %}
"""
_ANYTHING = (
    "{% macro NAME() %}NAME({{ (varargs | list + kwargs.values() | list) | join(', ') }}){% endmacro %}"
)
OWN_PACKAGE = "dbt"


def dbt_macros() -> Iterator[MacroMetadata]:
    """What stands in for the macros that dbt brings."""
    return _macros(_DBT, OWN_PACKAGE)


def utils_macros() -> Iterator[MacroMetadata]:
    """What stands in for macros of dbt_utils that are not at hand, or that ask the database."""
    return _macros(_UTILS, "dbt_utils")


def missing_macros(
    texts: Iterable[str], known: Iterable[MacroMetadata], names_of_dbt: Iterable[str]
) -> list[MacroMetadata]:
    """For every macro of a package that *texts* call and nobody has: the call itself, as SQL's function."""
    have = {(macro.package_name, macro.name) for macro in known}
    packages = {package for package, _ in have}
    plain = {*names_of_dbt}
    found: dict[tuple[str, str], MacroMetadata] = {}
    for text in texts:
        for package, name in _called(text):
            key = (package, name)
            is_namespace = package not in plain and (package in packages or package.isidentifier())
            if key not in have and is_namespace and name.isidentifier():
                found[key] = _macro(package, name, _ANYTHING.replace("NAME", name))
    return list(found.values())


def _called(text: str) -> Iterator[tuple[str, str]]:
    """Package and name of every `package.name(…)` whose package nothing in *text* sets."""
    if "." not in text or "{" not in text:
        return
    try:
        tree = ENVIRONMENT.parse(text)
    except (TemplateSyntaxError, RecursionError):
        return
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param")}
    for call in tree.find_all(nodes.Call):
        callee = call.node
        if not isinstance(callee, nodes.Getattr) or not isinstance(callee.node, nodes.Name):
            continue
        if callee.node.name not in own:
            yield callee.node.name, callee.attr


def _macros(text: str, package: str) -> Iterator[MacroMetadata]:
    return (_macro(package, block.name, block.text) for block in blocks_of(text))


def _macro(package: str, name: str, text: str) -> MacroMetadata:
    return MacroMetadata(
        unique_id=f"macro.{package}.{name}", name=name, package_name=package, macro_sql=text, path="stand-in"
    )
