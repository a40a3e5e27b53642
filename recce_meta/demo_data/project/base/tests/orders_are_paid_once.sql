{{ config(severity='warn') }}

-- What an order is worth is what was successfully paid for it.
select
    orders.order_id,
    orders.amount,
    sum(payments.amount) as paid
from {{ ref('orders') }} as orders
inner join {{ ref('stg_payments') }} as payments on payments.order_id = orders.order_id
where payments.payment_status = 'success'
group by orders.order_id, orders.amount
having orders.amount <> sum(payments.amount)
