with payments as (
    select * from {{ ref('int_order_payments') }}
)

select
    orders.order_id,
    orders.customer_id,
    orders.store_id,
    orders.ordered_at,
    orders.ordered_on,
    orders.status,
    payments.credit_card_amount,
    payments.coupon_amount,
    payments.bank_transfer_amount,
    payments.gift_card_amount,
    payments.attempted_amount as amount
from {{ ref('stg_orders') }} as orders
left join payments on payments.order_id = orders.order_id
