{{ config(materialized='incremental', unique_key=['ordered_on', 'store_id'], tags=['finance']) }}

select
    ordered_on,
    store_id,
    count(*) as order_count,
    sum(amount) as revenue
from {{ ref('orders') }}
{% if is_incremental() %}
where ordered_on >= (select max(ordered_on) from {{ this }})
{% endif %}
group by ordered_on, store_id
