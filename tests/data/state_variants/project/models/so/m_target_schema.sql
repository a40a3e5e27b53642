{{ config(schema=target.name ~ '_x') }}
select order_id from {{ ref('orders') }}
