{% macro postgres__facts() %}
    {{- return(recce_meta.facts_with({
        'batch_characters': 1000000,
        'batch_rows': 1000,
        'begin': [
            "COMMIT", "BEGIN ISOLATION LEVEL READ COMMITTED", "SET LOCAL standard_conforming_strings = on", "SET LOCAL lock_timeout = '60s'",
            "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')"
        ],
        'commit': ['COMMIT'],
        'rows_as': 'values',
        'enforces_keys': true,
        'has_exception_blocks': true,
        'stays_in_transaction': true,
        'knows_rights': true
    })) -}}
{% endmacro %}


{#- Return the problem of an open transaction, an encoding, a read-only session or a missing grant, from the catalog,
    which every role may read. -#}
{% macro postgres__obstacle(store) %}
    {%- set schema = recce_meta.text_literal(store.facts, store.schema_name) -%}
    {%- set tables = recce_meta.written_tables(store.facts) -%}
    {%- set row = recce_meta.rows_of("
        SELECT
            pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on',
            EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = " ~ schema ~ "),
            EXISTS (
                SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                WHERE nspname = " ~ schema ~ " AND relname = 'store'
            ),
            has_database_privilege(current_database(), 'CREATE'),
            COALESCE((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = " ~ schema ~ "), false),
            COALESCE((SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = " ~ schema ~ "), false),
            (
                SELECT COUNT(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                WHERE nspname = " ~ schema ~ " AND relname IN (" ~ tables ~ ")
                    AND NOT (has_table_privilege(pg_class.oid, 'SELECT')
                        AND has_table_privilege(pg_class.oid, CASE relname WHEN 'store' THEN 'UPDATE' ELSE 'INSERT' END))
            ),
            current_user,
            (
                SELECT encoding FROM (VALUES (pg_client_encoding()), (current_setting('server_encoding'))) AS used (encoding)
                WHERE encoding <> 'UTF8' LIMIT 1
            ),
            EXISTS (SELECT 1 FROM pg_language WHERE lanname = 'plpgsql' AND has_language_privilege(oid, 'USAGE')),
            txid_current_if_assigned() IS NOT NULL
    ") | first -%}
    {%- set is_read_only, has_schema, has_store, may_create_schema, may_create, may_use, closed, user, encoding, may_guard, has_written = row -%}
    {%- set grants = "recce-meta sql grants --role recorder --to '" ~ user ~ "' prints the rights; the store's owner runs them" -%}
    {%- if is_read_only -%}
        {{- return('the connection is read-only: use a writable target') -}}
    {%- elif has_written -%}
        {{- return(recce_meta.is_in_transaction()) -}}
    {%- elif encoding -%}
        {{- return('the encoding of the connection or the database is ' ~ encoding ~ ', which lacks characters of the project: use UTF8') -}}
    {%- elif not may_guard -%}
        {{- return(user ~ ' may not use PL/pgSQL, which catches errors: GRANT USAGE ON LANGUAGE plpgsql TO ' ~ user) -}}
    {%- elif has_schema and not may_use -%}
        {{- return(user ~ ' may not use the schema of the store: ' ~ grants) -}}
    {%- elif not has_store and not (may_create if has_schema else may_create_schema) -%}
        {{- return('there is no store, and ' ~ user ~ ' may not create it: its owner runs recce-meta init, then ' ~ grants) -}}
    {%- elif has_store and closed -%}
        {{- return(user ~ ' may not write the store: ' ~ grants) -}}
    {%- endif -%}
    {{- return('') -}}
{% endmacro %}


{#- Return *sql* in a block that catches its error and remembers it until the transaction ends. After an error, guarded
    statements are no-ops: the failed transaction cannot become visible. OTHERS leaves out a statement_timeout. -#}
{% macro guarded(sql) %}
    {%- set tag = '$recce_' ~ local_md5(sql) ~ '$' -%}
    {{- return(
        'DO ' ~ tag ~ "\nBEGIN\nIF COALESCE(current_setting('recce_meta.met', true), '') = '' THEN\n" ~ sql ~ ";\nEND IF;\n"
        ~ "EXCEPTION WHEN OTHERS OR query_canceled THEN PERFORM set_config('recce_meta.met', left(SQLERRM, 500), true);\nEND\n" ~ tag
    ) -}}
{% endmacro %}


{#- Return the names of the tables that this package reads and writes, as literals. -#}
{% macro written_tables(facts) %}
    {%- set names = [recce_meta.text_literal(facts, 'store')] -%}
    {%- for name in recce_meta.store_tables() -%}
        {%- do names.append(recce_meta.text_literal(facts, 'store_' ~ name)) -%}
    {%- endfor -%}
    {{- return(names | join(', ')) -}}
{% endmacro %}


{#- Return a statement that locks *tables* of the store in *schema* against changes of their columns: later reads need
    not wait for another session. -#}
{% macro lock_for_reading(schema, tables) %}
    {{- return("DECLARE found regclass;\nBEGIN\nFOR found IN SELECT pg_class.oid FROM pg_class JOIN pg_namespace"
        ~ " ON pg_namespace.oid = relnamespace WHERE nspname = " ~ schema ~ " AND relkind = 'r'"
        ~ " AND has_table_privilege(pg_class.oid, 'SELECT') AND relname IN (" ~ tables ~ ") ORDER BY relname\n"
        ~ "LOOP EXECUTE 'LOCK TABLE ' || found || ' IN ACCESS SHARE MODE'; END LOOP;\nEND") -}}
{% endmacro %}


{#- Return the error of a guarded statement of this transaction, or nothing. -#}
{% macro guard_met() %}
    {{- return("SELECT COALESCE(current_setting('recce_meta.met', true), '')") -}}
{% endmacro %}
