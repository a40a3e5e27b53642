{#- Keys are not enforced, a string has at most 65,535 bytes, a statement 16 MB, and backslashes escape.
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


{#- dbt would otherwise use PostgreSQL's macros, but Redshift has a different catalog. -#}
{% macro redshift__obstacle(store) %}
    {{- return('') -}}
{% endmacro %}
