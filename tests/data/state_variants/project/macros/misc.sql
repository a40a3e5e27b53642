{% macro unused_macro() %}select 1{% endmacro %}
{% macro alias_macro(base) %}{{ return(base ~ '_t') }}{% endmacro %}
{% macro audit_hook() %}insert into {{ target.schema }}.audit_runs values ('post', now()::timestamp){% endmacro %}
{% macro safe_num(x) %}{{ return(adapter.dispatch('safe_num')(x)) }}{% endmacro %}
{% macro default__safe_num(x) %}coalesce({{ x }}, 0){% endmacro %}
{% macro region() %}{{ return(var('region')) }}{% endmacro %}
{% macro limit_outside_prod() %}{% if target.name != 'prod' %}limit 100{% endif %}{% endmacro %}
{% macro only_new() %}{% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}{% endmacro %}
{% macro lookback() %}interval 3 day{% endmacro %}
{% macro pick(x, flag) %}{% if flag %}{{ x }}{% else %}unused_else{% endif %}{% endmacro %}
