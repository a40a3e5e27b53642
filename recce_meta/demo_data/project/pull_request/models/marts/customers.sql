with history as (
    select
        customer_id,
        min(ordered_on) as first_order_on,
        max(ordered_on) as latest_order_on,
        count(*) as order_count,
        sum(amount) as lifetime_value
    from {{ ref('orders') }}
    where status <> 'returned'
    group by customer_id
)

select
    customers.customer_id,
    customers.first_name,
    customers.last_name,
    customers.email,
    history.first_order_on,
    history.latest_order_on,
    coalesce(history.order_count, 0) as order_count,
    cast(coalesce(history.lifetime_value, 0) as decimal(18, 2)) as lifetime_value,
    cast(history.lifetime_value / history.order_count as decimal(18, 2)) as average_order_value
from {{ ref('stg_customers') }} as customers
left join history on history.customer_id = customers.customer_id
