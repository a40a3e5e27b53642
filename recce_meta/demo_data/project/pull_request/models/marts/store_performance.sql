{{ config(materialized='table') }}

select
    stores.store_id,
    stores.store_name,
    stores.city,
    cast(sum(revenue.order_count) as bigint) as order_count,
    sum(revenue.revenue) as revenue,
    round(sum(revenue.revenue) / sum(revenue.order_count), 2) as revenue_per_order
from {{ ref('stg_stores') }} as stores
inner join {{ ref('daily_revenue') }} as revenue on revenue.store_id = stores.store_id
group by stores.store_id, stores.store_name, stores.city
