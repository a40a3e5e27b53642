{% macro cents(column) %}
    ({{ column }} * 100)   {# naïve, «quoted» and "double" \ #}
{% endmacro %}

{% test positive(model, column_name) %}
    select * from {{ model }} where {{ column_name }} <= 0
{% endtest %}

{# As dbt's documentation replaces a builtin. #}
{% macro ref() %}{% do return(builtins.ref(*varargs, **kwargs)) %}{% endmacro %}
