select order_id, '{{ run_started_at }}' as loaded_at from {{ ref('orders') }}
