select
    date_trunc('month', paid_at) as month,
    payment_method,
    count(*) as payments,
    sum(amount) as amount
from {{ ref('stg_payments') }}
group by 1, 2
