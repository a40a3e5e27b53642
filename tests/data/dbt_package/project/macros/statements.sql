{# What the package would send to the warehouse called `dialect`: as JSON, between two lines that tests look for. #}
{% macro statements_of(dialect) %}
    {% set facts = recce_meta[dialect ~ '__facts']() %}
    {% set store = {'facts': facts, 'schema': 'recce_metadata', 'schema_name': 'recce_metadata'} %}
    {% set text = 'It\'s\n"x" \\ \\n 🦆 ⟦a⟧ $$ {{ y }} %' %}
    {% set samples = {'text': text, 'code': text, 'json': '{"a":"' ~ 'It\'s \\\\ \\n' ~ '"}', 'int': 7, 'float': 0.25, 'bool': true, 'time': '2026-01-02T03:04:05.678901+00:00'} %}
    {% set found = {'create': recce_meta[dialect ~ '__create_statements']('recce_metadata'), 'insert': [], 'query': []} %}
    {% for name, table in recce_meta.store_tables().items() %}
        {% set full = [] %}
        {% set empty = [] %}
        {% for kind in table.kinds %}
            {% do full.append(samples[kind]) %}
            {% do empty.append(none) %}
        {% endfor %}
        {% do found.insert.extend(recce_meta.insert_statements(store, name, [full, empty])) %}
    {% endfor %}
    {% for name in ('begin_write', 'create_schema', 'graph_stored', 'lock_schema', 'macro_set_stored', 'missing_macros', 'missing_versions', 'schema_exists', 'schema_version', 'set_first_version', 'store_columns', 'store_tables') %}
        {% do found.query.extend(recce_meta[dialect ~ '__query'](name, 'recce_metadata', {'graph_id': "'a'", 'macro_set_id': "'b'", 'schema': "'c'", 'version': 3, 'read_version': 3, 'migrated_by': "'d'"})) %}
    {% endfor %}
    {% set rows = [] %}
    {% for number in range(3000) %}
        {% do rows.append(['version', 'parent ' ~ 'é' * 200 ~ number]) %}
    {% endfor %}
    {% do found.update({'many': recce_meta.insert_statements(store, 'version_parents', rows) | map('length') | list}) %}
    {% do found.update({'facts': facts}) %}
    {% do print('statements of ' ~ dialect ~ ': ' ~ tojson(found)) %}
{% endmacro %}


{% macro statements_of_all() %}
    {% for dialect in ('duckdb', 'postgres', 'snowflake', 'bigquery', 'redshift', 'databricks') %}
        {% do statements_of(dialect) %}
    {% endfor %}
{% endmacro %}


{# Runs each of `steps`, and records at those called `record`: what comes between two recordings, in one invocation. #}
{% macro step_by_step(steps) %}
    {% for step in steps %}
        {% if step == 'record' %}
            {% do recce_meta.record() %}
        {% else %}
            {% do run_query(step) %}
            {% if target.type == 'postgres' and not step.startswith('BEGIN') %}{% do run_query('commit') %}{% endif %}
        {% endif %}
    {% endfor %}
{% endmacro %}
