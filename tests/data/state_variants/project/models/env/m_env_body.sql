select order_id, '{{ env_var('SO_REGION', 'EU') }}' as region from {{ ref('orders') }}
