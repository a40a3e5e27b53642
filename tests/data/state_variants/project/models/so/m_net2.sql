select order_id, {{ round_money('amount') }} as rounded from {{ ref('orders') }}
