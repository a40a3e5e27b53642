select order_id, '{{ region() }}' as region from {{ ref('orders') }}
