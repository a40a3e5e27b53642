{#- Entries of dbt's graph as nodes of the store: the rules are those of recce_meta/extractors/manifest.py.

    Each node needs few calls: calling a macro takes dbt longer than running it. -#}

{#- Return the node of an entry of `graph.nodes` or `graph.functions`. *now* is the node after compilation, with the
    macros that compilation called, if it is known. -#}
{% macro node_of(raw, now, rule, tools) %}
    {%- set type = raw.resource_type ~ '' -%}
    {%- set code = none if type == 'seed' or not raw.raw_code or raw.raw_code == '--placeholder--' else raw.raw_code -%}
    {%- set checksum = (raw.checksum or {}).get('checksum') or none -%}
    {%- set node = recce_meta.common_of(raw, type, raw.config or {}) -%}
    {%- set macros = now.depends_on.macros if now.depends_on is defined else [] -%}
    {%- do node.update({
        'identifier': raw.alias or raw.name,
        'relation_name': none if type in ('analysis', 'operation') else (now.relation_name or none),
        'language': none if type == 'seed' else (raw.language ~ '' if raw.language else ('sql' if code is not none else none)),
        'raw_code': code,
        'compiled_code': none if type in ('operation', 'seed') else now.compiled_code | default(none),
        'checksum': checksum,
        'checksum_rule': none if checksum is none else ('path' if raw.checksum.get('name') == 'path' else rule),
        'code_hash': none if code is none or tools.hasher is none else tools.hasher.from_contents(code.split() | join(' ')).checksum,
        'contract': raw.contract if (raw.contract or {}).get('enforced') else none,
        'macros': macros | reject('none') | unique(case_sensitive=true) | sort(case_sensitive=true)
    }) -%}
    {%- if type in ('model', 'seed', 'snapshot', 'function', 'test') -%}
        {%- do node.update({'materialized': node.config.get('materialized') or (none if type == 'model' else type)}) -%}
    {%- endif -%}
    {%- if type == 'test' and raw.test_metadata is defined and not raw.attached_node -%}
        {%- do node.properties.update(recce_meta.attached_node(raw)) -%}
    {%- endif -%}
    {{- return(node) -}}
{% endmacro %}


{#- Tested node of a generic test without `attached_node`, such as a test of a source. -#}
{% macro attached_node(raw) %}
    {%- set parents = raw.depends_on.nodes -%}
    {%- set names = [raw.file_key_name.split('.', 1)[-1]] if raw.file_key_name and parents | length > 1 else [] -%}
    {%- set model = (raw.test_metadata.kwargs or {}).get('model', '') ~ '' -%}
    {%- for name in names + modules.re.findall('(?:ref|source)\\((?:.*,)?\\s*[\'"]([^\'"]+)[\'"]\\s*\\)', model) -%}
        {%- for parent in parents if name in parent.split('.') -%}
            {{- return({'attached_node': parent}) -}}
        {%- endfor -%}
    {%- endfor -%}
    {{- return({'attached_node': parents[0]} if parents else {}) -}}
{% endmacro %}


{#- Return the node of an entry of `graph.sources`. -#}
{% macro source_of(raw) %}
    {%- set node = recce_meta.common_of(raw, 'source', raw.config or {}) -%}
    {%- do node.update({
        'identifier': raw.identifier or raw.name,
        'relation_name': raw.relation_name or none,
        'version': none,
        'access': none,
        'group_name': none,
        'parents': [],
        'macros': [],
        'source_name': raw.source_name
    }) -%}
    {{- return(node) -}}
{% endmacro %}


{#- Return the node of an entry of a small section: fields that not all resources have are stored as properties. -#}
{% macro definition_of(raw, type) %}
    {%- set config = raw.config if raw.config is mapping else {} -%}
    {%- set node = recce_meta.common_of(raw, type, config) -%}
    {%- set properties = {} -%}
    {%- for key, value in raw.items() if value is not none and key not in recce_meta.common_fields() -%}
        {%- do properties.update({key: value}) -%}
    {%- endfor -%}
    {%- if properties.exports is defined -%}
        {%- do properties.update({'exports': recce_meta.exports_of(properties.exports)}) -%}
    {%- endif -%}
    {%- set checksum = properties.pop('checksum', none) -%}
    {%- do node.update({
        'database_name': none,
        'schema_name': none,
        'access': none,
        'checksum': checksum.checksum if checksum is mapping else checksum or none,
        'columns': {},
        'properties': properties
    }) -%}
    {%- do properties.pop('version', none) -%}
    {{- return(node) -}}
{% endmacro %}


{#- Return the fields that all resources have; fields of a single resource type are none. Properties without a value are
    omitted: null, empty and absent are equal. -#}
{% macro common_of(raw, type, config) %}
    {%- set depends_on = raw.depends_on or {} -%}
    {%- set path = (raw.original_file_path or '') | replace('\\', '/') -%}
    {%- set tags = raw.tags or config.get('tags') or [] -%}
    {%- set configured = config.get('meta') -%}
    {%- set properties = {} -%}
    {%- for name in {
        'model': ('latest_version', 'constraints', 'deprecation_date', 'time_spine'),
        'function': ('arguments', 'returns', 'overloads'),
        'test': ('test_metadata', 'attached_node', 'column_name', 'file_key_name'),
        'source': (
            'source_description', 'source_meta', 'loader', 'loaded_at_field', 'loaded_at_query', 'freshness',
            'external', 'quoting', 'identifier', 'unrendered_database', 'unrendered_schema'
        )
    }.get(type, ()) -%}
        {%- set value = raw.get(name) -%}
        {%- if value or value is number -%}
            {%- do properties.update({name: value}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if raw.patch_path -%}
        {%- set patch = raw.patch_path if '://' in raw.patch_path else raw.package_name ~ '://' ~ raw.patch_path -%}
        {%- do properties.update({'patch_path': patch | replace('\\', '/')}) -%}
    {%- endif -%}
    {#- Keys of columns that `columns_json` leaves out, as `unread_keys` of recce_meta/extractors/manifest_keys.py. -#}
    {%- set unread = {} -%}
    {%- for name, column in (raw.columns or {}).items() -%}
        {%- set own = {} -%}
        {%- for key, value in (column.config or {}).items() if key not in ('meta', 'tags') and value not in (none, {}, [], '') -%}
            {%- do own.update({key: value}) -%}
        {%- endfor -%}
        {%- set own = {'config': own} if own else {} -%}
        {%- for key in column.keys() | reject('in', ('name', 'description', 'data_type', 'meta', 'tags', 'constraints', 'quote', 'doc_blocks', 'config')) if column[key] not in (none, {}, [], '') -%}
            {%- do own.update({key: column[key]}) -%}
        {%- endfor -%}
        {%- if own -%}
            {%- do unread.update({name: own}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if unread -%}
        {%- do properties.update({'columns': unread}) -%}
    {%- endif -%}
    {{- return({
        'unique_id': raw.unique_id,
        'name': raw.name or raw.unique_id.split('.')[-1],
        'resource_type': type,
        'package_name': raw.package_name or '',
        'path': path[2:] if path.startswith('./') else path,
        'fqn': raw.fqn or [],
        'database_name': raw.database or none,
        'schema_name': raw.schema or none,
        'identifier': none,
        'relation_name': none,
        'materialized': none,
        'language': none,
        'raw_code': none,
        'compiled_code': none,
        'checksum': none,
        'checksum_rule': none,
        'code_hash': none,
        'config': config,
        'unrendered_config': raw.unrendered_config if raw.unrendered_config is mapping else {},
        'columns': raw.columns or {},
        'description': raw.description or '',
        'tags': [tags] if tags is string else tags | map('string') | list,
        'meta': raw.meta if raw.meta and raw.meta is mapping else (configured if configured is mapping else {}),
        'access': raw.access ~ '' if raw.access else (config.get('access') or none),
        'group_name': raw.group or config.get('group') or none,
        'version': none if raw.version is not defined or raw.version is none else raw.version ~ '',
        'source_name': none,
        'contract': none,
        'parents': (depends_on.nodes or []) | unique(case_sensitive=true) | sort(case_sensitive=true),
        'macros': (depends_on.macros or []) | reject('none') | unique(case_sensitive=true) | sort(case_sensitive=true),
        'properties': properties
    }) -}}
{% endmacro %}


{#- Return documented columns as JSON, in the order of the YAML; fields without a value are omitted. -#}
{% macro columns_json(columns, tools) %}
    {%- set found = [] -%}
    {%- for key, column in columns.items() -%}
        {%- set config = column.config if column.config is mapping else {} -%}
        {%- set tags = column.tags or config.get('tags') or [] -%}
        {%- set tags = [tags] if tags is string else tags | map('string') | list -%}
        {%- set configured = config.get('meta') -%}
        {%- set meta = column.meta if column.meta and column.meta is mapping else (configured if configured is mapping else {}) -%}
        {%- set kind = tojson(column.data_type) if column.data_type is string else none -%}
        {%- do found.append(
            '{"name":' ~ tojson(column.name or key)
            ~ (',"type":' ~ kind if kind else '')
            ~ (',"description":' ~ tojson(column.description) if column.description else '')
            ~ (',"tags":' ~ recce_meta.json_of(tags, tools) if tags else '')
            ~ (',"meta":' ~ recce_meta.json_of(meta, tools) if meta else '')
            ~ (',"constraints":' ~ recce_meta.json_of(column.constraints, tools) if column.constraints else '')
            ~ (',"quote":' ~ tojson(column.quote) if column.quote is boolean else '')
            ~ ',"documented":true'
            ~ (',"documented_type":' ~ kind if kind else '')
            ~ '}'
        ) -%}
    {%- endfor -%}
    {%- set text = '[' ~ found | join(',') ~ ']' -%}
    {{- return(recce_meta.unescaped(text) if '\\u' in text else text) -}}
{% endmacro %}


{#- Return a saved query's exports without the database and schema of the target. -#}
{% macro exports_of(exports) %}
    {%- set found = [] -%}
    {%- for export in exports -%}
        {%- if export is mapping and export.config is mapping -%}
            {%- set chosen = export.unrendered_config if export.unrendered_config is mapping else {} -%}
            {%- set config = {} -%}
            {%- for key, value in export.config.items() -%}
                {%- set own = key in chosen or (key == 'schema_name' and 'schema' in chosen) -%}
                {%- if own or key not in ('database', 'schema_name') -%}
                    {%- do config.update({key: value}) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- set copy = dict(export) -%}
            {%- do copy.update({'config': config}) -%}
            {%- do found.append(copy) -%}
        {%- else -%}
            {%- do found.append(export) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}


{#- Fields of the small sections that are excluded from `properties`: common to all, derived, or volatile. -#}
{% macro common_fields() %}
    {{- return([
        'unique_id', 'name', 'resource_type', 'package_name', 'path', 'original_file_path', 'root_path', 'fqn',
        'description', 'config', 'unrendered_config', 'tags', 'meta', 'group', 'access', 'depends_on', 'refs',
        'sources', 'metrics', 'functions', 'created_at', 'patch_path', 'docs', 'metadata', 'classifiers', 'columns',
        'contract', 'language', 'doc_blocks', '_event_status', 'database', 'schema', 'alias', 'node_relation',
        'tested_node_unique_id'
    ]) -}}
{% endmacro %}


{#- Detect the checksum rule from models with surrounding whitespace: see `checksum_rule` of
    recce_meta/extractors/manifest.py. -#}
{% macro checksum_rule(nodes, tools) %}
    {%- set votes = {'collapsed': 0, 'stripped': 0, 'file': 0} -%}
    {%- set voters = [] -%}
    {%- for node in nodes if tools.hasher is not none and voters | length < 25 and node.resource_type in ('model', 'snapshot') -%}
        {%- set code = node.raw_code or '' -%}
        {%- set written = (node.checksum or {}).get('checksum') -%}
        {%- if code and code != '--placeholder--' and written and code.strip() != code.split() | join(' ') -%}
            {%- set rule = 'file' -%}
            {%- if written == tools.hasher.from_contents(code.split() | join(' ')).checksum -%}
                {%- set rule = 'collapsed' -%}
            {%- elif written == tools.hasher.from_contents(code.strip()).checksum -%}
                {%- set rule = 'stripped' -%}
            {%- endif -%}
            {%- do voters.append(rule) -%}
            {%- do votes.update({rule: votes[rule] + 1}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not voters -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set most = votes.values() | max -%}
    {%- for rule in voters if votes[rule] == most -%}
        {{- return(rule) -}}
    {%- endfor -%}
{% endmacro %}
