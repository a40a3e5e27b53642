{#- Properties of a warehouse that this package needs, as data:

    `escapes`               pairs of a character that a string literal cannot contain, and its escape, in this order
    `before`, `after`       text around a literal of a kind of value
    `nulls`                 NULL of a kind of value, typed if the warehouse would guess the type
    `batch_characters`      maximum length of the values of one statement; a character has at most four bytes
    `batch_rows`            maximum number of rows of one statement
    `longest_text`          maximum bytes of a column, none if there is no relevant limit
    `longest_row`           maximum characters of one row, so it fits into a statement
    `reserved`              columns of the store that need quotes, in their quoted form
    `begin`, `commit`       statements; none if each statement commits itself
    `rows_as`               'values' or 'selects': some warehouses allow no functions in VALUES
    `enforces_keys`         true if the store's primary keys are enforced and ON CONFLICT DO NOTHING is supported
    `has_exception_blocks`  true if a statement can be guarded: see `guarded`
    `stays_in_transaction`  true if the contents are read in the transaction that checks the store: its locks keep the
                            store as it is, and no time limit of an idle session ends the job
    `knows_rights`          true if `obstacle` finds missing rights, so creating a store cannot fail because of them
    `asks_dbt_for_schemas`  true if listing the tables of a missing schema may be an error
    `table_name_at`         position of the name in the columns of `store_tables`
    `folds_to_upper`        true if unquoted names become upper case -#}
{% macro default__facts() %}
    {{- return(none) -}}
{% endmacro %}


{#- Return facts without text around literals, and with untyped NULLs; *changes* override them. -#}
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
        'stays_in_transaction': false,
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


{#- Return the problem of a transaction that is open already. Whether it ends in a commit is the user's decision. -#}
{% macro is_in_transaction() %}
    {{- return('an earlier hook left its transaction open: record before it, or call statement with auto_begin=false there') -}}
{% endmacro %}


{#- Return why this target cannot be written to, or ''. The text includes what to do. -#}
{% macro default__obstacle(store) %}
    {{- return('') -}}
{% endmacro %}


{% macro default__create_statements(schema) %}
    {{- return([]) -}}
{% endmacro %}


{% macro default__query(name, schema, parameters) %}
    {%- do exceptions.raise_compiler_error('recce_meta has no query ' ~ name ~ ' for ' ~ adapter.type()) -%}
{% endmacro %}


{#- Return NULLs of all kinds as casts to the warehouse's *types*. -#}
{% macro typed_nulls(types) %}
    {%- set found = {} -%}
    {%- for kind, type in types.items() -%}
        {%- do found.update({kind: 'CAST(NULL AS ' ~ type ~ ')'}) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}
