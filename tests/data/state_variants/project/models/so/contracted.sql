select cast(order_id as integer) as order_id, cast(status as varchar) as status, cast(amount as double) as amount from {{ ref('orders') }}
