{{ config(materialized=var('seg_mat')) }}
select order_id from {{ ref('orders') }}
