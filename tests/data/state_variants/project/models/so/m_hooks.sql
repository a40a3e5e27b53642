{{ config(post_hook='{{ audit_hook() }}') }}
select order_id from {{ ref('orders') }}
