{#- Write a run: the rows that it refers to first, its own row last, as recce_meta/store/write.py does. -#}

{% macro written(store, pieces) %}
    {%- set facts = store.facts -%}
    {%- set run = recce_meta.run_row(pieces) -%}
    {%- set graph_id = recce_meta.text_literal(facts, pieces.graph_id) -%}
    {%- set now = namespace(missing=[]) -%}
    {%- set problem = '' if facts.stays_in_transaction else recce_meta.begin(store) -%}
    {%- if problem -%}
        {{- return({'problem': problem}) -}}
    {%- endif -%}
    {%- if facts.begin -%}
        {%- do recce_meta.tell(store, 'begin_write', {}) -%}
    {%- endif -%}
    {%- if not recce_meta.ask(store, 'graph_stored', {'graph_id': graph_id}) -%}
        {%- do recce_meta.write_parts(store, pieces) -%}
        {%- set rows = recce_meta.ask(store, 'missing_versions', {'graph_id': graph_id}) -%}
        {%- set now.missing = rows | map('first') | map('string') | sort -%}
        {%- do recce_meta.write_versions(store, pieces, now.missing) -%}
    {%- endif -%}
    {%- do recce_meta.write_macros(store, pieces) -%}
    {%- do recce_meta.insert_rows(store, 'run_results', recce_meta.result_rows(pieces.tools)) -%}
    {%- do recce_meta.insert_rows(store, 'runs', [run.values() | list]) -%}
    {%- if store.problem -%}
        {%- do recce_meta.rolled_back(store) -%}
        {{- return({'problem': store.problem}) -}}
    {%- endif -%}
    {%- set problem = recce_meta.committed(store) -%}
    {%- if problem -%}
        {{- return({'problem': problem}) -}}
    {%- endif -%}
    {{- return({'done': 'run ' ~ run.run_id ~ ' recorded: ' ~ run.node_count ~ ' nodes, ' ~ now.missing | length ~ ' new versions'}) -}}
{% endmacro %}


{#- Write the parts of the graph, and the rows of parts that are missing or incomplete. -#}
{% macro write_parts(store, pieces) %}
    {%- set rows = [] -%}
    {%- for part_id in pieces.parts -%}
        {%- do rows.append([pieces.graph_id, part_id]) -%}
    {%- endfor -%}
    {%- do recce_meta.insert_rows(store, 'graph_parts', rows) -%}
    {%- set stored = {} -%}
    {%- for part_id, count in recce_meta.rows_of(recce_meta.stored_parts(store, pieces.graph_id)) -%}
        {%- do stored.update({part_id ~ '': count | int}) -%}
    {%- endfor -%}
    {%- set rows = [] -%}
    {%- for part_id, places in pieces.parts.items() if stored.get(part_id) != places | length -%}
        {%- for place in places -%}
            {%- do rows.append([part_id] + place) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do recce_meta.insert_rows(store, 'part_nodes', rows) -%}
{% endmacro %}


{#- Return a query for the number of stored nodes of each part of the graph. -#}
{% macro stored_parts(store, graph_id) %}
    {{- return(
        'SELECT part_nodes.part_id, COUNT(*) FROM ' ~ store.schema ~ '.store_graph_parts AS graph_parts JOIN ' ~ store.schema
        ~ '.store_part_nodes AS part_nodes ON part_nodes.part_id = graph_parts.part_id WHERE graph_parts.graph_id = '
        ~ recce_meta.text_literal(store.facts, graph_id) ~ ' GROUP BY part_nodes.part_id'
    ) -}}
{% endmacro %}


{#- Write the versions *missing*, their edges first: without transactions, an existing version is then complete. -#}
{% macro write_versions(store, pieces, missing) %}
    {%- set edges = [] -%}
    {%- set rows = [] -%}
    {%- for version_id in missing if version_id in pieces.versions -%}
        {%- set node = pieces.versions[version_id] -%}
        {%- for parent in node.parents -%}
            {%- do edges.append([version_id, parent, 'source' if parent.startswith('source.') else 'ref', 1.0]) -%}
        {%- endfor -%}
        {%- do rows.append(recce_meta.version_row(version_id, node, pieces.tools)) -%}
    {%- endfor -%}
    {%- do recce_meta.insert_rows(store, 'version_parents', edges) -%}
    {%- do recce_meta.insert_rows(store, 'node_versions', rows) -%}
{% endmacro %}


{#- Return the row of `node_versions`, in the order of `store_tables`. -#}
{% macro version_row(version_id, node, tools) %}
    {%- set fqn, config, unrendered, tags, meta, contract, macros, properties = recce_meta.json_texts([
        node.fqn, node.config, node.unrendered_config, node.tags, node.meta, node.contract, node.macros, node.properties
    ], tools) -%}
    {{- return([
        version_id, node.unique_id, node.name, node.resource_type, node.package_name, node.path, fqn, node.materialized,
        node.language, node.raw_code, node.compiled_code, node.checksum, node.checksum_rule, node.code_hash,
        recce_meta.hash_of_code(node.compiled_code, tools), config, unrendered,
        recce_meta.columns_json(node.columns, tools) if node.columns else '[]', 'manifest' if node.columns else none,
        node.description, tags, meta, node.access, node.group_name, node.version, node.source_name,
        none if node.contract is none else contract, macros, properties
    ]) -}}
{% endmacro %}


{#- Write the macros of the project, if the manifest is available and no recorded run has the same macros. -#}
{% macro write_macros(store, pieces) %}
    {%- set set_id = recce_meta.text_literal(store.facts, pieces.macro_set_id) -%}
    {%- if pieces.macros and not recce_meta.ask(store, 'macro_set_stored', {'macro_set_id': set_id}) -%}
        {%- set members = [] -%}
        {%- for version_id in pieces.macros -%}
            {%- do members.append([pieces.macro_set_id, version_id]) -%}
        {%- endfor -%}
        {%- do recce_meta.insert_rows(store, 'macro_sets', members) -%}
        {%- set rows = [] -%}
        {%- for found in recce_meta.ask(store, 'missing_macros', {'macro_set_id': set_id}) if found[0] ~ '' in pieces.macros -%}
            {%- set one = pieces.macros[found[0] ~ ''] -%}
            {%- do rows.append([
                found[0], one.unique_id, one.name, one.package_name, one.path, one.macro_sql, one.code_hash,
                recce_meta.json_of(one.macros, pieces.tools)
            ]) -%}
        {%- endfor -%}
        {%- do recce_meta.insert_rows(store, 'macros', rows) -%}
    {%- endif -%}
{% endmacro %}
