select
    id as payment_id,
    order_id,
    method as payment_method,
    status as payment_status,
    {{ cents_to_dollars('amount_cents') }} as amount,
    paid_at
from {{ ref('raw_payments') }}
