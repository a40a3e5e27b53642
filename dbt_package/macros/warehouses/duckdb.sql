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
    {%- endif -%}
    {{- return('') -}}
{% endmacro %}
