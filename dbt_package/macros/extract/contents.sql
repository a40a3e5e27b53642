{#- Contents of the project, each item by its id: the rules are those of recce_meta/store/content.py. -#}

{#- Return all stored contents of the project except its run and results:
    `graph_id`, `parts` (rows of part_nodes by part), `versions` (nodes by version id), `macro_set_id`, `macros`. -#}
{% macro contents() %}
    {%- set manifest = recce_meta.manifest_in_sight() -%}
    {%- set tools = recce_meta.tools_of(manifest) -%}
    {%- set nodes = recce_meta.all_nodes(manifest, tools) -%}
    {%- set behind = {} -%}
    {%- set versions = {} -%}
    {%- set buckets = {} -%}
    {%- set counts = namespace(nodes=0, edges=0) -%}
    {%- set part_count = recce_meta.part_count(nodes | length) -%}
    {%- for unique_id in nodes.keys() | sort(case_sensitive=true) -%}
        {%- set node = nodes[unique_id] -%}
        {%- if node.compiled_code -%}
            {%- do node.update({'compiled_code': recce_meta.tokenised(node.compiled_code, node, nodes, behind)}) -%}
        {%- endif -%}
        {%- set version_id = recce_meta.version_id(node, tools) -%}
        {%- do versions.update({version_id: node}) -%}
        {%- set hash = local_md5(unique_id) if tools.hasher is none else tools.hasher.from_contents(unique_id).checksum -%}
        {%- do buckets.setdefault(hash[:8] | int(base=16) % part_count, []).append([
            unique_id, version_id, node.database_name, node.schema_name, node.identifier, node.relation_name
        ]) -%}
        {%- if node.resource_type not in ('group', 'disabled') -%}
            {%- set counts.nodes = counts.nodes + 1 -%}
            {%- set counts.edges = counts.edges + node.parents | length -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set parts = {} -%}
    {%- for rows in buckets.values() -%}
        {%- do parts.update({recce_meta.id_of(recce_meta.json_of(rows, tools), tools): rows}) -%}
    {%- endfor -%}
    {%- set macros = recce_meta.all_macros(manifest, tools) -%}
    {{- return({
        'graph_id': recce_meta.id_of(recce_meta.json_of(parts.keys() | sort, tools), tools),
        'parts': parts,
        'versions': versions,
        'macro_set_id': recce_meta.id_of(recce_meta.json_of(macros.keys() | sort, tools), tools),
        'macros': macros,
        'node_count': counts.nodes,
        'edge_count': counts.edges,
        'tools': tools
    }) -}}
{% endmacro %}


{#- Return dbt's manifest, which is reached through dbt's own `ref`. Unlike `graph`, it has macros, unit tests, and compiled
    SQL of ephemeral models. dbt does not document it. Return none if it is missing or disabled. -#}
{% macro manifest_in_sight() %}
    {%- if var('recce_meta_internals', true) and builtins.ref.manifest is defined and builtins.ref.manifest.nodes is defined -%}
        {{- return(builtins.ref.manifest) -}}
    {%- endif -%}
    {{- return(none) -}}
{% endmacro %}


{#- Return all nodes, including groups and disabled nodes, by unique id: the rules of the latter are those of
    `as_disabled` in recce_meta/models/node.py. -#}
{% macro all_nodes(manifest, tools) %}
    {%- set found = {} -%}
    {%- set ran = {} -%}
    {%- for result in (results | default([], true)) if result.node is defined -%}
        {%- do ran.update({result.node.unique_id: result.node}) -%}
    {%- endfor -%}
    {%- set rule = recce_meta.checksum_rule(graph.nodes.values(), tools) -%}
    {%- set known = manifest.nodes if manifest is not none else ran -%}
    {%- for unique_id, raw in graph.nodes.items() -%}
        {%- set now = known[unique_id] if unique_id in known else raw -%}
        {%- do found.update({unique_id: recce_meta.node_of(raw, now, rule, tools)}) -%}
    {%- endfor -%}
    {%- for unique_id, raw in (graph.functions or {}).items() -%}
        {%- do found.update({unique_id: recce_meta.node_of(raw, ran.get(unique_id, raw), none, tools)}) -%}
    {%- endfor -%}
    {%- for unique_id, raw in graph.sources.items() -%}
        {%- do found.update({unique_id: recce_meta.source_of(raw)}) -%}
    {%- endfor -%}
    {%- set sections = {
        'exposures': 'exposure', 'metrics': 'metric', 'semantic_models': 'semantic_model',
        'saved_queries': 'saved_query', 'groups': 'group'
    } -%}
    {%- for section, type in sections.items() -%}
        {%- for unique_id, raw in (graph.get(section) or {}).items() -%}
            {%- do found.update({unique_id: recce_meta.definition_of(raw, type)}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for unique_id, test in (manifest.unit_tests or {}).items() if manifest is not none -%}
        {%- do found.update({unique_id: recce_meta.definition_of(test.to_dict(omit_none=false), 'unit_test')}) -%}
    {%- endfor -%}
    {%- for entries in (manifest.disabled or {}).values() if manifest is not none -%}
        {%- set raw = (entries | first).to_dict(omit_none=false) -%}
        {%- if raw.resource_type in ('model', 'seed', 'snapshot', 'function', 'test', 'analysis', 'source') -%}
            {%- set node = recce_meta.source_of(raw) if raw.resource_type == 'source' else recce_meta.node_of(raw, raw, rule, tools) -%}
            {%- do node.update({
                'unique_id': 'disabled.' ~ raw.unique_id, 'resource_type': 'disabled', 'database_name': none, 'schema_name': none,
                'relation_name': none, 'compiled_code': none, 'parents': []
            }) -%}
            {%- do found.update({node.unique_id: node}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}


{#- Return all macros by version id; none without the manifest, because `graph` has none. dbt itself has 600. -#}
{% macro all_macros(manifest, tools) %}
    {%- set found = {} -%}
    {%- if manifest is not none and tools.hasher is not none -%}
        {%- for raw in manifest.macros.values() -%}
            {%- set path = (raw.original_file_path or '') | replace('\\', '/') -%}
            {%- set macro_sql = raw.macro_sql or '' -%}
            {%- set one = {
                'unique_id': raw.unique_id,
                'name': raw.name,
                'package_name': raw.package_name or '',
                'path': path[2:] if path.startswith('./') else path,
                'macro_sql': macro_sql,
                'code_hash': tools.hasher.from_contents(macro_sql.split() | join(' ')).checksum,
                'macros': raw.depends_on.macros | reject('none') | unique(case_sensitive=true) | sort(case_sensitive=true)
            } -%}
            {#- The order of the keys is fixed, so they are not sorted. -#}
            {%- set text = tools.spaces.sub('\\1\\2', tojson(one)) -%}
            {%- set text = recce_meta.unescaped(text) if '\\u' in text else text -%}
            {%- do found.update({tools.hasher.from_contents(text).checksum[:32]: one}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(found) -}}
{% endmacro %}


{#- Return the id of the content of *node*, without its relation: the hash of JSON followed by its code. -#}
{% macro version_id(node, tools) %}
    {%- set raw = node.raw_code -%}
    {%- set compiled = node.compiled_code -%}
    {%- set names, config, unrendered, said, meta, group, contract, calls, properties = recce_meta.json_texts([
        [
            node.unique_id, node.name, node.resource_type, node.package_name, node.path, node.fqn, node.materialized,
            node.language, none if raw is none else raw | length, none if compiled is none else compiled | length,
            node.checksum, node.checksum_rule, node.code_hash
        ],
        node.config,
        node.unrendered_config,
        ['manifest' if node.columns else none, node.description, node.tags],
        node.meta,
        [node.access, node.group_name, node.version, node.source_name],
        node.contract,
        [node.parents, node.macros],
        node.properties
    ], tools) -%}
    {%- set columns = recce_meta.columns_json(node.columns, tools) if node.columns else '[]' -%}
    {%- set fields = [
        names[1:-1], config, unrendered, columns, said[1:-1], meta, group[1:-1], contract, calls[1:-1], properties
    ] -%}
    {%- set content = '[' ~ fields | join(',') ~ ']' ~ (raw or '') ~ (compiled or '') -%}
    {{- return(local_md5(content) if tools.hasher is none else tools.hasher.from_contents(content).checksum[:32]) -}}
{% endmacro %}
