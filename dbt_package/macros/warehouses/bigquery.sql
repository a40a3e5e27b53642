{#- A query's text may have 1 MB. Each statement commits itself; the order of writing allows for that.
    https://cloud.google.com/bigquery/quotas#query_jobs
    https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#string_and_bytes_literals -#}
{% macro bigquery__facts() %}
    {{- return(recce_meta.facts_with({
        'escapes': [['\\', '\\\\'], ["'", "\\'"], ['\n', '\\n'], ['\r', '\\r']],
        'before': {'json': 'PARSE_JSON(', 'time': 'CAST('},
        'after': {'json': ", wide_number_mode=>'round')", 'time': ' AS TIMESTAMP)'},
        'nulls': recce_meta.typed_nulls({
            'text': 'STRING', 'code': 'STRING', 'json': 'JSON', 'int': 'INT64', 'float': 'FLOAT64', 'bool': 'BOOL',
            'time': 'TIMESTAMP'
        }),
        'batch_characters': 200000,
        'longest_row': 200000,
        'batch_rows': 200,
        'asks_dbt_for_schemas': true
    })) -}}
{% endmacro %}
