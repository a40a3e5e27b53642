select order_id, status, amount from {{ ref('orders') }}
