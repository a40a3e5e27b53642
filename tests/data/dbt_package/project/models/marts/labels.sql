select id, label, cents from {{ ref('int_orders') }}
