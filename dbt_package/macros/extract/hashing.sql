{#- Hashes without a query.

    recce_meta's ids are SHA-256. dbt gives Jinja MD5 alone; but the checksums of its nodes are objects that can
    hash any text. Where one is at hand, and proves to hash as it should, ids are the same as those of
    `recce-meta record`. Where none is, they are MD5: runs recorded so share versions among themselves. -#}

{#- An object whose `from_contents(text).checksum` is a text's SHA-256; none where dbt hands none out. -#}
{% macro find_hasher(manifest) %}
    {%- set found = [] -%}
    {%- if var('recce_meta_internals', true) -%}
        {%- for result in (results | default([], true)) if not found and result.node is defined -%}
            {%- do found.append(result.node.checksum) -%}
        {%- endfor -%}
        {%- for node in (manifest.nodes.values() if manifest is not none else []) if not found -%}
            {%- do found.append(node.checksum) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set hasher = found | first | default(none, true) -%}
    {%- if hasher is not none and hasher.from_contents is defined -%}
        {%- if hasher.from_contents(' recce\n  meta\n').checksum == '48f23cc6ca8e5adb51cc181d7a7c156a49d4a533643d1d6020c973988f705a95' -%}
            {{- return(hasher) -}}
        {%- endif -%}
    {%- endif -%}
    {{- return(none) -}}
{% endmacro %}


{#- What is made once and used for every node: dbt takes far longer to call a macro than to run one.

    `hasher`    see `find_hasher`
    `known`     JSON texts of objects by what `repr` gives for them
    `texts`     matches a text in what `repr` gives
    `plain`     matches what `repr` gives, with 's' for texts, where JSON knows all of it: a brace opens an object,
                not a set, and keys are texts
    `spaces`    matches what `tojson` puts between tokens, and texts, to leave these as they are -#}
{% macro tools_of(manifest) %}
    {{- return({
        'hasher': recce_meta.find_hasher(manifest),
        'known': {},
        'texts': modules.re.compile("'(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\""),
        'plain': modules.re.compile('(?:s: |\\{(?=s: |\\})|[][(), }s]|True|False|None|-?[0-9]+(?![0-9:.]))*'),
        'spaces': modules.re.compile('("(?:[^"\\\\]|\\\\.)*")|([,:]) ')
    }) -}}
{% endmacro %}


{#- The id of *content*. -#}
{% macro id_of(content, tools) %}
    {%- if tools.hasher is none -%}
        {{- return(local_md5(content)) -}}
    {%- endif -%}
    {{- return(tools.hasher.from_contents(content).checksum[:32]) -}}
{% endmacro %}


{#- SHA-256 of *code* with runs of white space collapsed; none where there is no code, or nothing to hash it. -#}
{% macro hash_of_code(code, tools) %}
    {%- if tools.hasher is none or not code -%}
        {{- return(none) -}}
    {%- endif -%}
    {{- return(tools.hasher.from_contents(code.split() | join(' ')).checksum) -}}
{% endmacro %}


{#- In how many parts a graph of *nodes* is cut: a power of two, as `part_count` of recce_meta/store/content.py. -#}
{% macro part_count(nodes) %}
    {{- return(2 ** ((16 * nodes).bit_length() // 2)) -}}
{% endmacro %}
