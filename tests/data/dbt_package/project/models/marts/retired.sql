{{ config(enabled=target.name == 'prod', materialized='table') }}
select id, amount from {{ ref('stg_orders') }}
