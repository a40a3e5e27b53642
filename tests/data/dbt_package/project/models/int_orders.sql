{{ config(materialized='ephemeral') }}

select *, {{ cents('amount') }} as cents
from {{ ref('stg_events') }} as events
join {{ source('crm', 'raw_orders') }} as orders using (id)
