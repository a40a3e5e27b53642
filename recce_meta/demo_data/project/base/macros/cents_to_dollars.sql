{# Money arrives in cents and is shown in dollars, exactly. #}
{% macro cents_to_dollars(column) -%}
    cast({{ column }} / 100.0 as decimal(16, 2))
{%- endmacro %}
