{% macro round_money(x) %}round({{ x }}, 2){% endmacro %}
