{#- JSON in the form that recce_meta hashes: sorted keys, no whitespace, UTF-8 unescaped. -#}

{#- Return each of *values* as JSON text.

    dbt's `tojson` raises TypeError for types that JSON lacks (dates, decimals), which would end the user's job.
    So `repr` is checked first. Without its strings, it may contain only lists, objects with string keys, integers,
    booleans and None; other values are converted one by one. Results are cached by `repr`: many nodes share a few
    configurations. -#}
{% macro json_texts(values, tools) %}
    {%- set found = [] -%}
    {%- for value in values -%}
        {%- set shape = value | string -%}
        {%- if value is mapping and shape in tools.known -%}
            {%- do found.append(tools.known[shape]) -%}
        {%- else -%}
            {%- if value is string or tools.plain.fullmatch(tools.texts.sub('s', shape)) -%}
                {%- set text = tools.spaces.sub('\\1\\2', tojson(value, none, true)) -%}
            {%- else -%}
                {%- set text = recce_meta.json_of_anything(value) -%}
            {%- endif -%}
            {%- set text = recce_meta.unescaped(text) if '\\u' in text else text -%}
            {%- do found.append(text) -%}
            {%- if value is mapping -%}
                {%- do tools.known.update({shape: text}) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}


{#- Return *value* as JSON text. -#}
{% macro json_of(value, tools) %}
    {{- return(recce_meta.json_texts([value], tools)[0]) -}}
{% endmacro %}


{% macro json_of_anything(value) %}
    {%- if value is none or value is undefined -%}
        {{- return('null') -}}
    {%- elif value is boolean -%}
        {{- return('true' if value else 'false') -}}
    {%- elif value is integer -%}
        {{- return(value | string) -}}
    {%- elif value is float -%}
        {{- return(recce_meta.json_of_float(value | string)) -}}
    {%- elif value is string -%}
        {{- return(tojson(value ~ '')) -}}
    {%- elif value is mapping -%}
        {%- set members = {} -%}
        {%- for key, member in value.items() -%}
            {%- set name = key if key is string else recce_meta.json_of_anything(key) -%}
            {%- do members.update({name ~ '': recce_meta.json_of_anything(member)}) -%}
        {%- endfor -%}
        {%- set pairs = [] -%}
        {%- for name in members.keys() | sort(case_sensitive=true) -%}
            {%- do pairs.append(tojson(name) ~ ':' ~ members[name]) -%}
        {%- endfor -%}
        {{- return('{' ~ pairs | join(',') ~ '}') -}}
    {%- elif value.isoformat is defined -%}
        {{- return(tojson(value.isoformat())) -}}
    {%- elif value.as_tuple is defined -%}
        {#- dbt writes a decimal as an integer if it has no fraction, otherwise as a float. -#}
        {{- return(recce_meta.json_of_anything((value | int) if value == value | int else (value | float))) -}}
    {%- elif value is iterable -%}
        {%- set items = [] -%}
        {%- for item in value -%}
            {%- do items.append(recce_meta.json_of_anything(item)) -%}
        {%- endfor -%}
        {{- return('[' ~ items | join(',') ~ ']') -}}
    {%- else -%}
        {{- return(tojson(value | string)) -}}
    {%- endif -%}
{% endmacro %}


{#- Return Python's text of a float without signs and zeros that JSON does not need. Return null for a value that JSON
    cannot express. -#}
{% macro json_of_float(text) %}
    {%- if text in ('nan', 'inf', '-inf') -%}
        {{- return('null') -}}
    {%- elif 'e-05' in text -%}
        {%- set digits = text.split('e')[0].replace('.', '') -%}
        {%- set sign = '-' if digits.startswith('-') else '' -%}
        {{- return(sign ~ '0.0000' ~ digits.lstrip('-')) -}}
    {%- else -%}
        {{- return(modules.re.sub('e\\+?(-?)0*', 'e\\1', text)) -}}
    {%- endif -%}
{% endmacro %}


{#- Return JSON *text* with `\uXXXX` replaced by its character, except control characters and surrogates. U+0000, which
    no store holds, becomes U+FFFD before it is hashed, as in artifacts that the command line reads. -#}
{% macro unescaped(text) %}
    {%- set pieces = [] -%}
    {%- for piece in modules.re.split('(\\\\(?:ud[89ab][0-9a-f]{2}\\\\ud[c-f][0-9a-f]{2}|u[0-9a-f]{4}|.))', text) -%}
        {%- if piece == '\\u0000' -%}
            {%- do pieces.append('\ufffd') -%}
        {%- elif piece.startswith('\\u') and piece >= '\\u007f' and (piece | length > 6 or not '\\ud800' <= piece <= '\\udfff') -%}
            {%- do pieces.append(fromjson('"' ~ piece ~ '"')) -%}
        {%- else -%}
            {%- do pieces.append(piece) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(pieces | join) -}}
{% endmacro %}
