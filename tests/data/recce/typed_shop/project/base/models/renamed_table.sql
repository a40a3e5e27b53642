{{ config(alias='legacy_orders') }}

select order_number, sum(quantity) as pieces
from {{ ref('order_lines') }}
group by order_number
