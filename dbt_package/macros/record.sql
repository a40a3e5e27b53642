{#- Record the run that is ending: on-run-end: "{{ recce_meta.record() }}"

    Never ends the user's job: predictable problems are checked first and logged as one line in dbt's log. With the var
    `recce_meta_fail` a problem is an error. -#}
{% macro record() %}
    {#- dbt renders hooks in these commands too, which build nothing, and before it has compiled all nodes. -#}
    {%- set is_build = (recce_meta.command() or '').split(' ')[0] not in ('compile', 'generate', 'freshness') -%}
    {%- if execute and is_build and var('recce_meta_enabled', true) -%}
        {%- set said = recce_meta.recorded() -%}
        {%- if said.problem and var('recce_meta_fail', false) -%}
            {%- do exceptions.raise_compiler_error('recce_meta did not record this run: ' ~ said.problem) -%}
        {%- elif said.problem -%}
            {#- Not `exceptions.warn`: it ends the job under --warn-error. -#}
            {%- do log('recce_meta: warning: this run was not recorded: ' ~ said.problem, info=true) -%}
        {%- else -%}
            {%- do log('recce_meta: ' ~ said.done, info=true) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}


{#- Record the run; return {'done': a sentence} or {'problem': a sentence}. -#}
{% macro recorded() %}
    {%- set facts = adapter.dispatch('facts', 'recce_meta')() -%}
    {%- if facts is none -%}
        {{- return({'problem': 'no tables are known for ' ~ adapter.type()}) -}}
    {%- endif -%}
    {%- set given = (var('recce_meta_schema', none) or 'recce_metadata') ~ '' -%}
    {%- if '"' in given or '`' in given or '\x00' in given -%}
        {{- return({'problem': 'the var recce_meta_schema has a quote or U+0000, so it is not the name of a schema: ' ~ given}) -}}
    {%- endif -%}
    {%- set schema_name = given | upper if facts.folds_to_upper and modules.re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', given) else given -%}
    {%- set schema = given if given == 'recce_metadata' else adapter.quote(schema_name) -%}
    {%- set store = {'facts': facts, 'schema': schema, 'schema_name': schema_name, 'problem': ''} -%}
    {%- set problem = adapter.dispatch('obstacle', 'recce_meta')(store) or recce_meta.begin(store) -%}
    {%- if problem -%}
        {{- return({'problem': problem}) -}}
    {%- endif -%}
    {%- set problem = recce_meta.made_ready(store) -%}
    {%- if problem -%}
        {%- do recce_meta.rolled_back(store) -%}
        {{- return({'problem': problem}) -}}
    {%- endif -%}
    {%- set same = recce_meta.rows_of('SELECT run_id FROM ' ~ schema ~ '.store_runs WHERE run_id = ' ~ recce_meta.text_literal(facts, invocation_id)) -%}
    {%- set problem = recce_meta.committed(store) if same or not facts.stays_in_transaction else '' -%}
    {%- if problem -%}
        {{- return({'problem': problem}) -}}
    {%- elif same -%}
        {{- return({'done': 'run ' ~ invocation_id ~ ' is recorded already'}) -}}
    {%- endif -%}
    {{- return(recce_meta.written(store, recce_meta.contents())) -}}
{% endmacro %}


{#- Create the store if it does not exist, in the transaction that is open; return the problem, or ''. A table or view
    that no store has created stays as it is. -#}
{% macro made_ready(store) %}
    {%- set names = recce_meta.table_names(store) -%}
    {%- set columns = recce_meta.stored_columns(store) if names else {} -%}
    {%- set is_store = 'store' in names and (not columns or 'schema_version' in columns.get('store', [])) -%}
    {%- for name in names if name in recce_meta.store_relations() and not is_store -%}
        {{- return("schema '" ~ store.schema_name ~ "' has no store, but a relation with a name of it, " ~ name ~ ': set the var recce_meta_schema to another schema') -}}
    {%- endfor -%}
    {%- if not is_store and not var('recce_meta_create_store', store.facts.knows_rights) -%}
        {{- return("there is no store in schema '" ~ store.schema_name ~ "': recce-meta init creates it, or set the var recce_meta_create_store") -}}
    {%- elif not is_store -%}
        {{- return(recce_meta.created(store)) -}}
    {%- endif -%}
    {%- set version = recce_meta.store_version(store) -%}
    {%- set known = recce_meta.schema_version() -%}
    {%- if version is none -%}
        {{- return("the store in '" ~ store.schema_name ~ "' is incomplete: recce-meta init completes it") -}}
    {%- elif version < known -%}
        {{- return("the store in '" ~ store.schema_name ~ "' has version " ~ version ~ ', this package knows ' ~ known ~ ': recce-meta init brings it forward') -}}
    {%- elif version > known -%}
        {{- return("the store in '" ~ store.schema_name ~ "' has version " ~ version ~ ', this package knows ' ~ known ~ ': ' ~ recce_meta.upgrade_hint(store, columns)) -}}
    {%- endif -%}
    {{- return(recce_meta.missing_columns(store, columns)) -}}
{% endmacro %}


{#- Return the columns of each table and view in the store's schema, which exists, in lower case; none of any if the
    warehouse has no catalog of all tables. -#}
{% macro stored_columns(store) %}
    {%- set found = {} -%}
    {%- for row in recce_meta.ask(store, 'store_columns', {'schema': recce_meta.text_literal(store.facts, store.schema_name)}) -%}
        {%- do found.setdefault(row[0] | lower, []).append(row[1] | lower) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}


{#- Return a sentence about the first table that is missing or lacks a column that this package writes, else ''. A
    statement with it would end the user's job. -#}
{% macro missing_columns(store, stored) %}
    {%- set needed = {'store': recce_meta.version_columns()} -%}
    {%- for name, table in recce_meta.store_tables().items() -%}
        {%- do needed.update({'store_' ~ name: table.columns}) -%}
    {%- endfor -%}
    {%- for name, wanted in needed.items() if stored -%}
        {%- set columns = stored.get(name, []) -%}
        {%- set missing = wanted | reject('in', columns) | list -%}
        {%- if missing -%}
            {%- set what = 'has no column ' ~ missing | join(', ') if columns else 'is missing' -%}
            {{- return(name ~ " in '" ~ store.schema_name ~ "' " ~ what ~ ': recce-meta doctor checks the store') -}}
        {%- endif -%}
    {%- endfor -%}
    {{- return('') -}}
{% endmacro %}


{#- Return the names of the tables and views in the store's schema, in lower case. Some warehouses raise an error for a
    missing schema, so dbt checks the schema first. -#}
{% macro table_names(store) %}
    {%- set facts = store.facts -%}
    {%- set names = [] -%}
    {%- if facts.asks_dbt_for_schemas and not adapter.check_schema_exists(target.database or target.project, store.schema_name) -%}
        {{- return(names) -}}
    {%- endif -%}
    {%- for row in recce_meta.ask(store, 'store_tables', {'schema': recce_meta.text_literal(facts, store.schema_name)}) -%}
        {%- do names.append(row[facts.table_name_at] | lower) -%}
    {%- endfor -%}
    {{- return(names) -}}
{% endmacro %}


{#- Return the version of the store, the latest of its rows; none if there is no row: its creation was interrupted. -#}
{% macro store_version(store) %}
    {%- set rows = recce_meta.ask(store, 'schema_version', {}) -%}
    {{- return(rows | map('first') | map('int') | max if rows else none) -}}
{% endmacro %}


{#- Return the hint for a store newer than this package: the version of the package to install. -#}
{% macro upgrade_hint(store, columns) %}
    {%- set is_named = not columns or ('migrated_by' in columns.store and 'read_version' in columns.store) -%}
    {%- set row = recce_meta.ask(store, 'store_versions', {}) | first if is_named else none -%}
    {{- return('install version ' ~ row[2] ~ ' of the package, which fits the store' if row and row[2] not in (none, recce_meta.package_version()) else 'upgrade the package') -}}
{% endmacro %}


{#- Create the store with the statements of `recce-meta init` if it does not exist; return the problem, or ''. -#}
{% macro created(store) %}
    {%- set name = recce_meta.text_literal(store.facts, store.schema_name) -%}
    {%- do recce_meta.ask(store, 'lock_schema', {'schema': name}) -%}
    {%- if 'store' not in recce_meta.table_names(store) -%}
        {%- if store.facts.asks_dbt_for_schemas or not recce_meta.ask(store, 'schema_exists', {'schema': name}) -%}
            {%- do recce_meta.tell(store, 'create_schema', {}) -%}
        {%- endif -%}
        {%- for statement in adapter.dispatch('create_statements', 'recce_meta')(store.schema) -%}
            {%- do recce_meta.send(store, statement) -%}
        {%- endfor -%}
        {%- do recce_meta.tell(store, 'set_first_version', {
            'version': recce_meta.schema_version(),
            'read_version': recce_meta.read_version(),
            'migrated_by': recce_meta.text_literal(store.facts, recce_meta.package_version()),
        }) -%}
    {%- endif -%}
    {{- return(recce_meta.met(store)) -}}
{% endmacro %}
