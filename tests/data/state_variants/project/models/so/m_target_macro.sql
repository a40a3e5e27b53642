select order_id from {{ ref('orders') }} {{ limit_outside_prod() }}
