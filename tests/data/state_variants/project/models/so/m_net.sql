select order_id, {{ net_amount('amount') }} as net from {{ ref('orders') }}
