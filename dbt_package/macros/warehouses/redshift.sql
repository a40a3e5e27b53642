{#- Keys are not enforced, a text has 65,535 bytes at most, a statement 16 MB, and backslashes escape.
    https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    https://docs.aws.amazon.com/redshift/latest/dg/c_redshift-sql.html -#}
{% macro redshift__facts() %}
    {{- return(recce_meta.facts_with({
        'escapes': [['\\', '\\\\'], ["'", "''"]],
        'before': {'json': 'JSON_PARSE(', 'time': 'CAST('},
        'after': {'json': ')', 'time': ' AS TIMESTAMPTZ)'},
        'nulls': recce_meta.typed_nulls({
            'text': 'VARCHAR', 'code': 'VARCHAR(65535)', 'json': 'SUPER', 'int': 'BIGINT', 'float': 'DOUBLE PRECISION',
            'bool': 'BOOLEAN', 'time': 'TIMESTAMPTZ'
        }),
        'batch_characters': 1000000,
        'longest_text': 65535,
        'reserved': {'language': '"language"'},
        'batch_rows': 200,
        'begin': ['BEGIN'],
        'commit': ['COMMIT']
    })) -}}
{% endmacro %}


{#- dbt looks for PostgreSQL's macros next, whose catalog this is not. -#}
{% macro redshift__obstacle(store) %}
    {{- return('') -}}
{% endmacro %}
