{{ config(materialized='view') }}

select order_number, amount, lines, amount / lines as amount_per_line
from {{ ref('large_orders') }}
