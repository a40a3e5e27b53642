-- Opening dates before 2024 come from the paper ledger.
select
    id as store_id,
    name as store_name,
    city,
    cast(opened_on as date) as opened_on
from {{ ref('raw_stores') }}
