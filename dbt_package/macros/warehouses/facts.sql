{#- What this package must know of a warehouse, as data:

    `escapes`               pairs of what cannot stand in a literal of text, and what stands for it, in this order
    `before`, `after`       what surrounds a literal of a kind of value
    `nulls`                 NULL of a kind of value, typed where a warehouse would guess
    `batch_characters`      how long the values of one statement may be; a character has at most four bytes
    `batch_rows`            how many rows one statement may have
    `longest_text`          how many bytes a column holds, none where that is no concern
    `longest_row`           how many characters one row may have, so that it fits into a statement
    `reserved`              columns of the store that need quotes, as they are written
    `begin`, `commit`       statements; none where each statement stands for itself
    `rows_as`               'values' or 'selects': some warehouses allow no functions in VALUES
    `enforces_keys`         whether the store's primary keys hold, and ON CONFLICT DO NOTHING is understood
    `has_exception_blocks`  whether a statement can be guarded: see `guarded`
    `knows_rights`          whether `obstacle` finds missing rights, so that creating a store cannot fail for them
    `asks_dbt_for_schemas`  whether asking for the tables of a schema that is not there may be an error
    `table_name_at`         which column of `store_tables` has the name
    `folds_to_upper`        whether names without quotes become upper case -#}
{% macro default__facts() %}
    {{- return(none) -}}
{% endmacro %}


{#- Facts in which text is surrounded by nothing, and NULL is NULL; *changes* say what differs. -#}
{% macro facts_with(changes) %}
    {%- set kinds = ['text', 'code', 'json', 'int', 'float', 'bool', 'time'] -%}
    {%- set facts = {
        'escapes': [["'", "''"]],
        'before': dict.fromkeys(kinds, ''),
        'after': dict.fromkeys(kinds, ''),
        'nulls': dict.fromkeys(kinds, 'NULL'),
        'batch_characters': 250000,
        'batch_rows': 500,
        'begin': [],
        'commit': [],
        'longest_text': none,
        'longest_row': none,
        'reserved': {},
        'rows_as': 'selects',
        'enforces_keys': false,
        'has_exception_blocks': false,
        'knows_rights': false,
        'asks_dbt_for_schemas': false,
        'table_name_at': 0,
        'folds_to_upper': false
    } -%}
    {%- for name, value in changes.items() -%}
        {%- if value is mapping -%}
            {%- do facts[name].update(value) -%}
        {%- else -%}
            {%- do facts.update({name: value}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(facts) -}}
{% endmacro %}


{#- Why nothing can be written here, with what to do; '' where nothing is known to stand in the way. -#}
{% macro default__obstacle(store) %}
    {{- return('') -}}
{% endmacro %}


{% macro default__create_statements(schema) %}
    {{- return([]) -}}
{% endmacro %}


{% macro default__query(name, schema, parameters) %}
    {%- do exceptions.raise_compiler_error('recce_meta has no query ' ~ name ~ ' for ' ~ adapter.type()) -%}
{% endmacro %}


{#- NULLs of all kinds as casts to the warehouse's *types*. -#}
{% macro typed_nulls(types) %}
    {%- set found = {} -%}
    {%- for kind, type in types.items() -%}
        {%- do found.update({kind: 'CAST(NULL AS ' ~ type ~ ')'}) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}
