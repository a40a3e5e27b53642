{% macro days_between(a, b) %}date_diff('day', {{ a }}, {{ b }}){% endmacro %}
