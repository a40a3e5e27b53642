{{ config(materialized='table' if target.name == 'prod' else 'view') }}
select order_id from {{ ref('orders') }}
