{#- Functions are not allowed in VALUES, and backslashes escape.
    https://docs.snowflake.com/en/user-guide/query-size-limits
    https://docs.snowflake.com/en/sql-reference/data-types-text#escape-sequences-in-single-quoted-string-constants -#}
{% macro snowflake__facts() %}
    {{- return(recce_meta.facts_with({
        'escapes': [['\\', '\\\\'], ["'", "''"]],
        'before': {'json': 'PARSE_JSON(', 'time': 'CAST('},
        'after': {'json': ')', 'time': ' AS TIMESTAMP_TZ)'},
        'nulls': recce_meta.typed_nulls({
            'text': 'VARCHAR', 'code': 'VARCHAR', 'json': 'VARIANT', 'int': 'BIGINT', 'float': 'DOUBLE', 'bool': 'BOOLEAN',
            'time': 'TIMESTAMP_TZ'
        }),
        'batch_characters': 250000,
        'longest_row': 250000,
        'batch_rows': 500,
        'begin': ['BEGIN TRANSACTION'],
        'commit': ['COMMIT'],
        'folds_to_upper': true
    })) -}}
{% endmacro %}
