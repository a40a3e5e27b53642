{{ config(materialized='incremental') }}
select id, {{ pick('id', true) }} as picked from {{ source('ecom', 'events') }}
{% if is_incremental() %}where event_ts > now() - {{ lookback() }}{% endif %}
