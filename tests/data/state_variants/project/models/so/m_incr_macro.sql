{{ config(materialized='incremental') }}
select id from {{ source('ecom', 'events') }} {{ only_new() }}
