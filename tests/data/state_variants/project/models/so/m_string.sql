select order_id, 'a  b' as label, "status" as s -- the label
from {{ ref('orders') }}
where status = 'it''s  ok'
