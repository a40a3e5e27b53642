{% set methods = ['credit_card', 'coupon', 'bank_transfer', 'gift_card'] %}

select
    order_id,
    {% for method in methods -%}
    sum(case when payment_method = '{{ method }}' and payment_status = 'success' then amount else 0 end)
        as {{ method }}_amount,
    {% endfor -%}
    sum(case when payment_status = 'success' then amount else 0 end) as paid_amount,
    sum(amount) as attempted_amount,
    count(*) as attempts
from {{ ref('stg_payments') }}
group by order_id
