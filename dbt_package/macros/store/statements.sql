{#- Statements: sent in one transaction if the warehouse has transactions, and guarded if it can catch errors. -#}

{#- Return the rows of a query of sql/queries, with *parameters* as literals: no rows if the query is
    empty. -#}
{% macro ask(store, name, parameters) %}
    {%- set now = namespace(rows=[]) -%}
    {%- for statement in adapter.dispatch('query', 'recce_meta')(name, store.schema, parameters) -%}
        {%- set now.rows = recce_meta.rows_of(statement) -%}
    {%- endfor -%}
    {{- return(now.rows) -}}
{% endmacro %}


{#- Send the statements of a query that returns no rows. -#}
{% macro tell(store, name, parameters) %}
    {%- for statement in adapter.dispatch('query', 'recce_meta')(name, store.schema, parameters) -%}
        {%- do recce_meta.send(store, statement) -%}
    {%- endfor -%}
{% endmacro %}


{#- Return the rows of *sql*, as lists. -#}
{% macro rows_of(sql) %}
    {%- set rows = [] -%}
    {%- for row in run_query(sql).rows -%}
        {%- do rows.append(row.values() | list) -%}
    {%- endfor -%}
    {{- return(rows) -}}
{% endmacro %}


{#- Send a statement that returns no rows. -#}
{% macro send(store, sql) %}
    {%- if store.facts.has_exception_blocks -%}
        {%- do run_query(recce_meta.guarded(sql)) -%}
    {%- else -%}
        {%- do run_query(sql) -%}
    {%- endif -%}
{% endmacro %}


{#- Begin a transaction in which no read of the store waits, and so none fails at a time limit of the role; return the
    problem, or ''. -#}
{% macro begin(store) %}
    {%- for statement in store.facts.begin -%}
        {%- do run_query(statement) -%}
    {%- endfor -%}
    {%- if store.facts.has_exception_blocks -%}
        {%- do recce_meta.send(store, recce_meta.lock_for_reading(recce_meta.text_literal(store.facts, store.schema_name), recce_meta.written_tables(store.facts))) -%}
    {%- endif -%}
    {{- return(recce_meta.met(store)) -}}
{% endmacro %}


{#- Return the error of a guarded statement, after the transaction is rolled back, else ''. -#}
{% macro met(store) %}
    {%- set error = (recce_meta.rows_of(recce_meta.guard_met()) | first)[0] if store.facts.has_exception_blocks else '' -%}
    {%- if error -%}
        {%- do recce_meta.rolled_back(store) -%}
    {%- endif -%}
    {{- return(error ~ '') -}}
{% endmacro %}


{#- End the transaction; return the error of a guarded statement, else ''. -#}
{% macro committed(store) %}
    {%- set problem = recce_meta.met(store) -%}
    {%- for statement in store.facts.commit if not problem -%}
        {%- do run_query(statement) -%}
    {%- endfor -%}
    {{- return(problem) -}}
{% endmacro %}


{% macro rolled_back(store) %}
    {%- if store.facts.begin -%}
        {%- do run_query('ROLLBACK') -%}
    {%- endif -%}
{% endmacro %}


{#- Return *value* as a string literal. -#}
{% macro text_literal(facts, value) %}
    {%- set now = namespace(text=value ~ '') -%}
    {%- for character, escaped in facts.escapes -%}
        {%- set now.text = now.text.replace(character, escaped) -%}
    {%- endfor -%}
    {{- return("'" ~ now.text ~ "'") -}}
{% endmacro %}


{#- Add *rows* to a table of the store; existing rows stay. Rows that the table would refuse become the `problem` of
    *store*; after that, nothing is sent. -#}
{% macro insert_rows(store, table_name, rows) %}
    {%- if not store.problem -%}
        {%- do store.update({'problem': recce_meta.refused(store.facts, table_name, rows)}) -%}
    {%- endif -%}
    {%- for statement in recce_meta.insert_statements(store, table_name, rows) if not store.problem -%}
        {%- do recce_meta.send(store, statement) -%}
    {%- endfor -%}
{% endmacro %}


{#- Return a sentence about the first row that the table would refuse, else ''. -#}
{% macro refused(facts, table_name, rows) %}
    {%- set columns = recce_meta.store_tables()[table_name].columns | length -%}
    {%- for row in rows if row | length != columns -%}
        {{- return('a row of store_' ~ table_name ~ ' has ' ~ row | length ~ ' values for ' ~ columns ~ ' columns, a fault of this package') -}}
    {%- endfor -%}
    {%- if facts.longest_text is not none or facts.longest_row is not none -%}
        {%- for row in rows -%}
            {%- set texts = row | select('string') | list -%}
            {%- for text in texts if facts.longest_text is not none and text.encode('utf-8') | length > facts.longest_text -%}
                {{- return(row[1] ~ ' has a text of more than ' ~ facts.longest_text ~ ' bytes, which ' ~ adapter.type() ~ ' cannot hold') -}}
            {%- endfor -%}
            {%- if facts.longest_row is not none and texts | map('length') | sum > facts.longest_row -%}
                {{- return(row[1] ~ ' has more than ' ~ facts.longest_row ~ ' characters, which is more than one statement may have') -}}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return('') -}}
{% endmacro %}


{#- Return the statements that add *rows* to a table, each of limited length. -#}
{% macro insert_statements(store, table_name, rows) %}
    {%- set facts = store.facts -%}
    {%- set table = recce_meta.store_tables()[table_name] -%}
    {%- set statements = [] -%}
    {%- set batch = [] -%}
    {%- set now = namespace(length=0, text='') -%}
    {%- for row in rows -%}
        {%- set literals = [] -%}
        {%- for value in row -%}
            {%- set kind = table.kinds[loop.index0] -%}
            {%- if value is none -%}
                {%- do literals.append(facts.nulls[kind]) -%}
            {%- elif kind == 'float' -%}
                {#- Without an exponent it would be a decimal, which DuckDB rounds when it converts it to a double. -#}
                {%- do literals.append(value | string if 'e' in value | string else value ~ 'e0') -%}
            {%- elif kind in ('int', 'bool') -%}
                {%- do literals.append(value | string | lower) -%}
            {%- else -%}
                {#- Only DuckDB supports U+0000 in strings, and none lone surrogates; `unescaped` replaces U+0000 in JSON. -#}
                {%- set now.text = modules.re.sub('[\\x00\\ud800-\\udfff]', '\ufffd', value ~ '') -%}
                {%- for character, escaped in facts.escapes -%}
                    {%- set now.text = now.text.replace(character, escaped) -%}
                {%- endfor -%}
                {%- do literals.append(facts.before[kind] ~ "'" ~ now.text ~ "'" ~ facts.after[kind]) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set length = literals | map('length') | sum -%}
        {%- if batch and (now.length + length > facts.batch_characters or batch | length >= facts.batch_rows) -%}
            {%- do statements.append(recce_meta.insert_statement(store, table_name, table, batch)) -%}
            {%- do batch.clear() -%}
            {%- set now.length = 0 -%}
        {%- endif -%}
        {%- do batch.append(literals) -%}
        {%- set now.length = now.length + length -%}
    {%- endfor -%}
    {%- if batch -%}
        {%- do statements.append(recce_meta.insert_statement(store, table_name, table, batch)) -%}
    {%- endif -%}
    {{- return(statements) -}}
{% endmacro %}


{#- Return one INSERT of *batch*, rows of literals. If keys are not enforced, it skips existing rows by a lookup. -#}
{% macro insert_statement(store, table_name, table, batch) %}
    {%- set target = store.schema ~ '.store_' ~ table_name -%}
    {%- set names = [] -%}
    {%- for column in table.columns -%}
        {%- do names.append(store.facts.reserved.get(column, column)) -%}
    {%- endfor -%}
    {%- set columns = names | join(', ') -%}
    {%- set same = [] -%}
    {%- for column in table.key -%}
        {%- do same.append('kept.' ~ column ~ ' = batch.' ~ column) -%}
    {%- endfor -%}
    {%- set unknown = '\nWHERE NOT EXISTS (SELECT 1 FROM ' ~ target ~ ' AS kept WHERE ' ~ same | join(' AND ') ~ ')' -%}
    {%- set into = 'INSERT INTO ' ~ target ~ ' (' ~ columns ~ ')' -%}
    {%- if store.facts.rows_as == 'selects' -%}
        {%- set rows = recce_meta.rows_as_selects(names, batch) -%}
        {{- return(into ~ '\nSELECT ' ~ columns ~ ' FROM (\n' ~ rows ~ '\n) AS batch' ~ unknown) -}}
    {%- endif -%}
    {%- set rows = [] -%}
    {%- for literals in batch -%}
        {%- do rows.append('(' ~ literals | join(', ') ~ ')') -%}
    {%- endfor -%}
    {%- set values = 'VALUES\n' ~ rows | join(',\n') -%}
    {%- if store.facts.enforces_keys -%}
        {{- return(into ~ ' ' ~ values ~ '\nON CONFLICT DO NOTHING') -}}
    {%- endif -%}
    {{- return(into ~ '\nSELECT * FROM (' ~ values ~ '\n) AS batch (' ~ columns ~ ')' ~ unknown) -}}
{% endmacro %}


{#- Return rows of literals for warehouses that allow no functions in VALUES. -#}
{% macro rows_as_selects(names, batch) %}
    {%- set rows = [] -%}
    {%- for literals in batch -%}
        {%- set named = [] -%}
        {%- for name in names -%}
            {%- do named.append(literals[loop.index0] ~ ' AS ' ~ name) -%}
        {%- endfor -%}
        {%- do rows.append('SELECT ' ~ named | join(', ')) -%}
    {%- endfor -%}
    {{- return(rows | join('\nUNION ALL\n')) -}}
{% endmacro %}
