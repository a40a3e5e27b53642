{{ config(materialized='ephemeral') }}

select order_number, sum(amount) as amount, count(*) as lines
from {{ ref('order_lines') }}
group by order_number
having sum(amount) > 20
