{#- The run itself and its results. -#}

{#- Return the row of `runs` by column; *pieces* is the result of `contents`. Times are ISO 8601 strings in UTC. -#}
{% macro run_row(pieces) %}
    {%- set origin = recce_meta.origin() -%}
    {%- set build = recce_meta.build() -%}
    {{- return({
        'run_id': invocation_id,
        'run_at': run_started_at.astimezone(modules.pytz.utc).isoformat(),
        'project_name': project_name,
        'environment': var('recce_meta_environment', none) or env_var('RECCE_META_ENVIRONMENT', '') or 'current',
        'invocation_id': invocation_id,
        'extractor': 'dbt',
        'dbt_version': dbt_version,
        'adapter_type': adapter.type(),
        'manifest_version': recce_meta.manifest_version(),
        'target_name': target.name,
        'target_database': target.database or target.dbname or target.project or none,
        'target_schema': target.schema,
        'git_sha': origin.sha,
        'branch': origin.branch,
        'git_dirty': none,
        'pull_request': origin.pull_request,
        'command': recce_meta.command(),
        'node_count': pieces.node_count,
        'edge_count': pieces.edge_count,
        'recorded_at': modules.datetime.datetime.now(modules.pytz.utc).isoformat(),
        'recorder_version': recce_meta.package_version(),
        'graph_id': pieces.graph_id,
        'macro_set_id': pieces.macro_set_id,
        'column_graph_id': none,
        'git_proven': none,
        'status': 'complete',
        'reason': none,
        'build_status': build.status,
        'build_errors': build.errors,
        'build_failures': build.failures,
        'build_warnings': build.warnings,
        'build_skipped': build.skipped,
        'warnings': '[]',
        'extraction': none,
        'variables': recce_meta.variables(pieces.tools)
    }) -}}
{% endmacro %}


{#- Return status and counts of the build, as `with_build` in recce_meta/models/run.py; none without results. -#}
{% macro build() %}
    {%- set counts = {} -%}
    {%- for row in recce_meta.result_rows() -%}
        {%- do counts.update({row[2]: counts.get(row[2], 0) + 1}) -%}
    {%- endfor -%}
    {%- if not counts -%}
        {{- return({'status': none, 'errors': none, 'failures': none, 'warnings': none, 'skipped': none}) -}}
    {%- endif -%}
    {%- set errors = counts.get('error', 0) + counts.get('runtime error', 0) + counts.get('partial success', 0) -%}
    {%- set failures = counts.get('fail', 0) -%}
    {{- return({
        'status': 'failed' if errors or failures else 'success',
        'errors': errors,
        'failures': failures,
        'warnings': counts.get('warn', 0),
        'skipped': counts.get('skipped', 0)
    }) -}}
{% endmacro %}


{#- Return commit, branch and pull request: the project's vars, else the values of dbt Cloud. dbt cannot run git. -#}
{% macro origin() %}
    {{- return({
        'sha': var('recce_meta_git_sha', none) or env_var('DBT_CLOUD_GIT_SHA', '') or none,
        'branch': var('recce_meta_branch', none) or env_var('DBT_CLOUD_GIT_BRANCH', '') or none,
        'pull_request': (var('recce_meta_pull_request', none) or env_var('DBT_CLOUD_PR_ID', '')) ~ '' or none
    }) -}}
{% endmacro %}


{#- Return the version of the manifest that this dbt writes; none if it is unknown.
    https://docs.getdbt.com/reference/artifacts/manifest-json -#}
{% macro manifest_version() %}
    {%- set known = {'1.5': 'v9', '1.6': 'v10', '1.7': 'v11', '1.8': 'v12', '1.9': 'v12', '1.10': 'v12', '1.11': 'v12', '1.12': 'v12'} -%}
    {{- return(known.get(dbt_version.split('.')[:2] | join('.'))) -}}
{% endmacro %}


{#- Return dbt's name of the command, with the options that change what it builds: build, run --empty, … -#}
{% macro command() %}
    {%- if invocation_args_dict is defined and invocation_args_dict.which is defined -%}
        {%- set words = [invocation_args_dict.which] -%}
        {%- for name in ['empty', 'sample', 'defer', 'favor_state'] if invocation_args_dict.get(name) -%}
            {%- do words.append('--' ~ name | replace('_', '-')) -%}
        {%- endfor -%}
        {{- return(words | join(' ')) -}}
    {%- endif -%}
    {{- return(flags.WHICH | default(none)) -}}
{% endmacro %}


{#- Return a short hash of each value of `--vars` as JSON, as `_variables` of recce_meta/extractors/project.py; none if
    it is unknown. -#}
{% macro variables(tools) %}
    {%- set given = invocation_args_dict.get('vars') if invocation_args_dict is defined else none -%}
    {%- set given = fromyaml(given) if given is string else given -%}
    {%- if tools.hasher is none or given is not mapping -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set hashes = {} -%}
    {%- for name, value in given.items() -%}
        {%- do hashes.update({name ~ '': recce_meta.id_of(recce_meta.json_of([name ~ '', value], tools), tools)[:8]}) -%}
    {%- endfor -%}
    {{- return(recce_meta.json_of(hashes, tools)) -}}
{% endmacro %}


{#- Return rows of `run_results` of the nodes that ran, in the order of `store_columns`. -#}
{% macro result_rows() %}
    {%- set found = {} -%}
    {%- for result in (results | default([], true)) if result.node is defined -%}
        {%- set response = result.adapter_response if result.adapter_response is mapping else {} -%}
        {%- set rows = recce_meta.integer_of(response.rows_affected) -%}
        {%- set bytes = [] -%}
        {%- for key in ('bytes_processed', 'bytes_billed', 'bytes_scanned') -%}
            {%- do bytes.append(recce_meta.integer_of(response.get(key))) -%}
        {%- endfor -%}
        {%- set ends = [] -%}
        {%- for timing in result.timing or [] if timing.completed_at -%}
            {%- do ends.append(recce_meta.moment_of(timing.completed_at)) -%}
        {%- endfor -%}
        {%- do found.update({result.node.unique_id: [
            invocation_id,
            result.node.unique_id,
            recce_meta.word_of(result.status),
            result.execution_time,
            rows if rows is not none and rows >= 0 else none,
            bytes | reject('none') | first | default(none),
            result.failures | default(none),
            result.message ~ '' if result.message is not none and result.message is defined else none,
            ends | max if ends else none
        ]}) -%}
    {%- endfor -%}
    {{- return(found.values() | list) -}}
{% endmacro %}


{#- Return the value of a member of dbt's enumerations. -#}
{% macro word_of(value) %}
    {{- return((value.value if value.value is defined else value) ~ '') -}}
{% endmacro %}


{#- Return a time as dbt writes it into artifacts: dbt's times are in UTC without an offset. -#}
{% macro moment_of(moment) %}
    {%- if moment is string -%}
        {{- return(moment) -}}
    {%- endif -%}
    {{- return(moment.replace(tzinfo=none).isoformat() ~ 'Z') -}}
{% endmacro %}


{% macro integer_of(value) %}
    {%- if value is boolean or value is none or value is undefined -%}
        {{- return(none) -}}
    {%- elif value is string and not modules.re.fullmatch('-*[0-9]+', value) -%}
        {{- return(none) -}}
    {%- elif value is string or value is number -%}
        {{- return(value | int) -}}
    {%- endif -%}
    {{- return(none) -}}
{% endmacro %}
