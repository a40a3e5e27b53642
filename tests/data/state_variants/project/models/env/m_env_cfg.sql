{{ config(materialized=env_var('SO_MAT', 'table')) }}
select order_id from {{ ref('orders') }}
