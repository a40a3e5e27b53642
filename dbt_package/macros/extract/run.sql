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
        'variables': recce_meta.variables(pieces.tools),
        'run_started_at': run_started_at.astimezone(modules.pytz.utc).isoformat(),
        'run_completed_at': modules.datetime.datetime.now(modules.pytz.utc).isoformat(),
        'elapsed_time': none,
        'full_refresh': flags.FULL_REFRESH | default(false, true),
        'args': recce_meta.arguments(pieces.tools),
        'job': recce_meta.job(pieces.tools),
        'commit_url': none,
        'critical_path': none
    }) -}}
{% endmacro %}


{#- Return the arguments that are given as JSON, as `_arguments` of recce_meta/extractors/project.py. -#}
{% macro arguments(tools) %}
    {%- if invocation_args_dict is not defined -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set given = {} -%}
    {%- for name in recce_meta.argument_names() if invocation_args_dict.get(name) -%}
        {%- set value = invocation_args_dict[name] -%}
        {%- if value is boolean or value is integer or value is string -%}
            {%- do given.update({name: value}) -%}
        {%- elif value is iterable and value is not mapping -%}
            {%- do given.update({name: value | join(' ')}) -%}
        {%- else -%}
            {%- do given.update({name: value ~ ''}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(recce_meta.json_of(given, tools)) -}}
{% endmacro %}


{#- Return the job of the orchestrator as JSON, as `detect_job` of recce_meta/extractors/job.py; none outside a job. -#}
{% macro job(tools) %}
    {%- set found = {} -%}
    {%- for variable, fields in recce_meta.jobs() if not found and env_var(variable, '') -%}
        {%- for field, choices in fields.items() -%}
            {%- for choice in choices.split('|') if not found.get(field) -%}
                {%- do found.update({field: recce_meta.filled(choice)}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set given = env_var('RECCE_META_JOB_URL', '') or found.get('job_run_url') or '' -%}
    {%- do found.update({'job_run_url': recce_meta.page_of(given)}) -%}
    {%- set known = {} -%}
    {%- for field, value in found.items() if value -%}
        {%- do known.update({field: value}) -%}
    {%- endfor -%}
    {{- return(recce_meta.json_of(known, tools) if known else none) -}}
{% endmacro %}


{#- Return *choice* with the values of its variables; none if one has no value. A value may start a page. -#}
{% macro filled(choice) %}
    {%- set now = namespace(text=choice) -%}
    {%- for name in modules.re.findall('[{]([A-Z_]+)[}]', choice) -%}
        {%- set value = env_var(name, '') | trim -%}
        {%- if not value -%}
            {{- return(none) -}}
        {%- elif '/' in choice -%}
            {%- set value = modules.re.sub('/+$', '', value) if '://' in value else value | urlencode -%}
        {%- endif -%}
        {%- set now.text = now.text | replace('{' ~ name ~ '}', value) -%}
    {%- endfor -%}
    {{- return(now.text) -}}
{% endmacro %}


{#- Return a URL without user, password and a query that may have a secret; none if no browser should open it. -#}
{% macro page_of(url) %}
    {%- set page = modules.re.sub('^(https?://)[^/?#]*@', '\\1', url | trim) -%}
    {%- if not modules.re.match('https?://[^/]', page) -%}
        {{- return(none) -}}
    {%- endif -%}
    {{- return(modules.re.sub('[?#].*(?i:pass|pwd|token|secret|key|auth|sig).*', '', page)) -}}
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
{% macro result_rows(tools=none) %}
    {%- set found = {} -%}
    {%- for result in (results | default([], true)) if result.node is defined -%}
        {%- set response = result.adapter_response if result.adapter_response is mapping else {} -%}
        {%- set rows = recce_meta.integer_of(response.rows_affected) -%}
        {%- set bytes = [] -%}
        {%- for key in ('bytes_processed', 'bytes_billed', 'bytes_scanned') -%}
            {%- do bytes.append(recce_meta.integer_of(response.get(key))) -%}
        {%- endfor -%}
        {%- set ends = [] -%}
        {%- set times = {} -%}
        {%- for timing in result.timing or [] -%}
            {%- for end in ('started_at', 'completed_at') if timing[end] -%}
                {%- do times.update({timing.name ~ '_' ~ end: recce_meta.moment_of(timing[end])}) -%}
            {%- endfor -%}
            {%- do ends.append(recce_meta.moment_of(timing.completed_at)) if timing.completed_at -%}
        {%- endfor -%}
        {%- set query_key = 'query_id' if response.query_id is string else 'job_id' if response.job_id is string else '' -%}
        {%- set counted = ['bytes_processed', 'bytes_billed', 'bytes_scanned'] -%}
        {%- set known = ['_message', 'message', query_key, 'rows_affected' if rows is not none else ''] -%}
        {%- for key in counted if bytes[loop.index0] is not none and bytes[:loop.index0] | reject('none') | list == [] -%}
            {%- do known.append(key) -%}
        {%- endfor -%}
        {%- set others = {} -%}
        {%- for key, value in response.items() if key not in known -%}
            {%- do others.update({key: value}) -%}
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
            ends | max if ends else none,
            times.get('compile_started_at'),
            times.get('compile_completed_at'),
            times.get('execute_started_at'),
            times.get('execute_completed_at'),
            result.thread_id | default(none),
            response.get(query_key),
            recce_meta.json_of(others, tools) if others and tools else none,
            none
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
