{#- Hashes without a query.

    recce_meta's ids are SHA-256. dbt provides only MD5 in Jinja, but the checksums of its nodes are objects that can
    hash any text. If such an object is available and hashes correctly, ids are the same as those of `recce-meta record`.
    Otherwise ids are MD5: runs with MD5 ids share versions only with each other. -#}

{#- Return an object whose `from_contents(text).checksum` is a text's SHA-256; none if dbt provides no such object. -#}
{% macro find_hasher(manifest) %}
    {%- set found = [] -%}
    {%- if var('recce_meta_internals', true) -%}
        {#- Sources and exposures have no checksum. -#}
        {%- for result in (results | default([], true)) if not found and result.node is defined and (result.node.checksum or {}).from_contents is defined -%}
            {%- do found.append(result.node.checksum) -%}
        {%- endfor -%}
        {%- for node in (manifest.nodes.values() if manifest is not none else []) if not found and (node.checksum or {}).from_contents is defined -%}
            {%- do found.append(node.checksum) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for hasher in found -%}
        {%- if hasher.from_contents(' recce\n  meta\n').checksum == '48f23cc6ca8e5adb51cc181d7a7c156a49d4a533643d1d6020c973988f705a95' -%}
            {{- return(hasher) -}}
        {%- endif -%}
    {%- endfor -%}
    {{- return(none) -}}
{% endmacro %}


{#- Values computed once for all nodes: calling a macro takes dbt far longer than running it.

    `hasher`    see `find_hasher`
    `known`     JSON texts of objects by their `repr`
    `texts`     matches a string in a `repr`
    `plain`     matches a `repr` with 's' for strings, if all of it is valid in JSON: a brace opens an object, not a
                set, and keys are strings
    `spaces`    matches the spaces that `tojson` puts between tokens, and strings, which stay unchanged -#}
{% macro tools_of(manifest) %}
    {{- return({
        'hasher': recce_meta.find_hasher(manifest),
        'known': {},
        'texts': modules.re.compile("'(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\""),
        'plain': modules.re.compile('(?:s: |\\{(?=s: |\\})|[][(), }s]|True|False|None|-?[0-9]+(?![0-9:.]))*'),
        'spaces': modules.re.compile('("(?:[^"\\\\]|\\\\.)*")|([,:]) ')
    }) -}}
{% endmacro %}


{#- Return the id of *content*. -#}
{% macro id_of(content, tools) %}
    {%- if tools.hasher is none -%}
        {{- return(local_md5(content)) -}}
    {%- endif -%}
    {{- return(tools.hasher.from_contents(content).checksum[:32]) -}}
{% endmacro %}


{#- Return SHA-256 of *code* with runs of whitespace collapsed; none if there is no code or no hasher. -#}
{% macro hash_of_code(code, tools) %}
    {%- if tools.hasher is none or not code -%}
        {{- return(none) -}}
    {%- endif -%}
    {{- return(tools.hasher.from_contents(code.split() | join(' ')).checksum) -}}
{% endmacro %}


{#- Return the part count of a graph of *nodes*: a power of two, as `part_count` of recce_meta/store/content.py. -#}
{% macro part_count(nodes) %}
    {{- return(2 ** ((16 * nodes).bit_length() // 2)) -}}
{% endmacro %}
