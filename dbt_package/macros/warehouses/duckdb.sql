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
    {%- set rows = recce_meta.rows_of('SELECT readonly, type FROM duckdb_databases() WHERE database_name = current_database()') -%}
    {%- set is_read_only, type = rows | first | default((false, none), true) -%}
    {%- if is_read_only -%}
        {{- return('the database was opened read-only: use a target without access_mode: read_only') -}}
    {%- elif type == 'duckdb' and recce_meta.rows_of('SELECT txid_current()') == recce_meta.rows_of('SELECT txid_current()') -%}
        {#- Other types have no such number. -#}
        {{- return(recce_meta.is_in_transaction()) -}}
    {%- endif -%}
    {{- return('') -}}
{% endmacro %}
