{{ config(materialized='view') }}

select order_number, amount, lines, round(amount / lines, 1) as amount_per_line
from {{ ref('large_orders') }}
