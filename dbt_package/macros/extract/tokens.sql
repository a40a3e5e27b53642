{#- Compiled SQL without its environment: the rules are those of recce_meta/models/relation_tokens.py. -#}

{#- Return *code* of *node* with each relation that it may name replaced by a token of the relation's unique id.

    If tokens would be ambiguous (a relation contains a bracket of tokens, a token contains a relation), the relations
    stay; `recce-meta record` then resolves more cases. -#}
{% macro tokenised(code, node, nodes, behind) %}
    {%- set relations = {} -%}
    {%- for parent in node.parents if parent in nodes -%}
        {%- if nodes[parent].relation_name -%}
            {%- do relations.setdefault(nodes[parent].relation_name, parent) -%}
        {%- elif nodes[parent].parents -%}
            {%- do recce_meta.add_behind(nodes[parent], relations, nodes, behind) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if node.relation_name -%}
        {%- do relations.update({node.relation_name: node.unique_id}) -%}
    {%- endif -%}
    {%- set plain = code | replace('⟦', '⟦⟧') -%}
    {%- set lengths = [] -%}
    {%- for relation in relations -%}
        {%- if relation in plain -%}
            {%- do lengths.append([-(relation | length), loop.index, relation]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not lengths -%}
        {{- return(plain) -}}
    {%- endif -%}
    {%- set now = namespace(text=plain) -%}
    {%- set tokens = [] -%}
    {%- set quotes = ('"', '`') -%}
    {%- for length, index, relation in lengths | sort -%}
        {%- if relation in now.text -%}
            {%- set token = '⟦' ~ relations[relation] ~ '⟧' -%}
            {%- do tokens.append(token) -%}
            {%- if relation[0] in quotes and relation[-1] in quotes -%}
                {%- set now.text = now.text.replace(relation, token) -%}
            {%- else -%}
                {%- set now.text = recce_meta.replaced_whole(now.text, relation, token) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set inserted = tokens | join -%}
    {%- set named = relations.keys() | join(' ') -%}
    {%- if '⟦' in named or '⟧' in named or inserted.count('⟧') > tokens | unique | list | length -%}
        {{- return(plain) -}}
    {%- endif -%}
    {%- for relation in relations if relation in inserted -%}
        {{- return(plain) -}}
    {%- endfor -%}
    {{- return(now.text) -}}
{% endmacro %}


{#- Return *code* with *relation* replaced, except inside a longer name. -#}
{% macro replaced_whole(code, relation, token) %}
    {%- set before = '(?<![\\w."`$⟦])' if modules.re.match('\\w', relation) else '' -%}
    {%- set after = '(?![\\w$])' if modules.re.search('[\\w$]$', relation) else '' -%}
    {%- if not before and not after -%}
        {{- return(code.replace(relation, token)) -}}
    {%- endif -%}
    {%- set pattern = before ~ modules.re.escape(relation) ~ after -%}
    {{- return(modules.re.sub(pattern, token.replace('\\', '\\\\'), code)) -}}
{% endmacro %}


{#- Add the relations behind *node*, which has no relation itself: dbt inserts its code into its children. *behind*
    caches them, so a cycle terminates. -#}
{% macro add_behind(node, relations, nodes, behind) %}
    {%- if node.unique_id not in behind -%}
        {%- do behind.update({node.unique_id: {}}) -%}
        {%- for parent in node.parents if parent in nodes -%}
            {%- if nodes[parent].relation_name -%}
                {%- do behind[node.unique_id].setdefault(nodes[parent].relation_name, parent) -%}
            {%- elif nodes[parent].parents -%}
                {%- do recce_meta.add_behind(nodes[parent], behind[node.unique_id], nodes, behind) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for relation, owner in behind[node.unique_id].items() -%}
        {%- do relations.setdefault(relation, owner) -%}
    {%- endfor -%}
{% endmacro %}
