select order_id, {{ safe_num('amount') }} as amt from {{ ref('orders') }}
