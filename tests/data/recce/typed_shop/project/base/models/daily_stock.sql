{{ config(materialized='incremental', unique_key='stock_day') }}

select day_of_days as stock_day, count(*) as moments, sum(moment_id) as stock
from {{ ref('moments') }}
{% if is_incremental() %}
where day_of_days >= (select max(stock_day) from {{ this }})
{% endif %}
group by day_of_days
