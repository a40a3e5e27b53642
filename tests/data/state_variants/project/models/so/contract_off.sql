select cast(order_id as integer) as order_id, cast(status as varchar) as status from {{ ref('orders') }}
