select order_id from {{ ref('orders') }} where order_date >= '{{ var("cutoff") }}'
