select
    customer_id,
    case
        when order_count = 0 then 'prospect'
        when lifetime_value >= 250 then 'regular'
        when order_count = 1 then 'new'
        else 'occasional'
    end as segment
from {{ ref('customers') }}
