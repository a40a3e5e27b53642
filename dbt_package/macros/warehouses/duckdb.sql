{% macro duckdb__facts() %}
    {{- return(recce_meta.facts_with({
        'batch_characters': 1000000,
        'batch_rows': 1000,
        'begin': ['BEGIN TRANSACTION'],
        'commit': ['COMMIT'],
        'rows_as': 'values',
        'reserved': {'columns': '"columns"'},
        'knows_rights': true
    })) -}}
{% endmacro %}


{% macro duckdb__obstacle(store) %}
    {%- set rows = recce_meta.rows_of('SELECT readonly FROM duckdb_databases() WHERE database_name = current_database()') -%}
    {%- if rows and (rows | first)[0] -%}
        {{- return('the database was opened read-only: use a target without access_mode: read_only') -}}
    {%- elif recce_meta.rows_of('SELECT txid_current()') == recce_meta.rows_of('SELECT txid_current()') -%}
        {#- dbt does not commit it on DuckDB, and neither does this package: what is in it is the user's. -#}
        {{- return('an earlier hook left its transaction open: record before it, or call statement with auto_begin=false there') -}}
    {%- endif -%}
    {{- return('') -}}
{% endmacro %}
