{{ config(materialized='view', meta={'owner': 'Zoë', 'limit': 1.5, 'since': '2026-01-01'}) }}
-- It's a view: 100 % of "orders", \ and ⟦brackets⟧ in a comment
select id, customer, amount, cast(ordered_at as date) as ordered_at
from {{ ref('raw_orders') }}
