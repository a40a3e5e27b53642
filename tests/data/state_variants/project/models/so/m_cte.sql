{{ config(tags=['cte']) }}
with src as (
    select * from {{ ref('orders') }}
)
select order_id, amount from src
