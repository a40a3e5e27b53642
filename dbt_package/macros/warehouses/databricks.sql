{#- No transactions: the order of writing allows for that. Backslashes escape.
    https://docs.databricks.com/aws/en/sql/language-manual/data-types/string-type -#}
{% macro databricks__facts() %}
    {{- return(recce_meta.facts_with({
        'escapes': [['\\', '\\\\'], ["'", "\\'"]],
        'before': {'time': 'CAST('},
        'after': {'time': ' AS TIMESTAMP)'},
        'nulls': recce_meta.typed_nulls({
            'text': 'STRING', 'code': 'STRING', 'json': 'STRING', 'int': 'BIGINT', 'float': 'DOUBLE', 'bool': 'BOOLEAN',
            'time': 'TIMESTAMP'
        }),
        'batch_characters': 1000000,
        'batch_rows': 500,
        'asks_dbt_for_schemas': true,
        'table_name_at': 1
    })) -}}
{% endmacro %}
