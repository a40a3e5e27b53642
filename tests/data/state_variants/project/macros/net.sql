{% macro net_amount(col) %}{{ round_money(col ~ ' * 0.81') }}{% endmacro %}
