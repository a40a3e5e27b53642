select order_id, '{{ this.schema }}' as my_schema, '{{ target.schema }}' as target_schema from {{ ref('orders') }}
