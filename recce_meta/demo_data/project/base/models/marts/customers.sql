with history as (
    select
        customer_id,
        min(ordered_on) as first_order_on,
        max(ordered_on) as latest_order_on,
        count(*) as number_of_orders,
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
    coalesce(history.number_of_orders, 0) as number_of_orders,
    cast(coalesce(history.lifetime_value, 0) as double) as lifetime_value
from {{ ref('stg_customers') }} as customers
left join history on history.customer_id = customers.customer_id
