-- The key is the last column, and the first one is often empty.
select case when n % 3 = 0 then n end as remark, 'x' || (n % 4) as label, cast(n as integer) as row_id
from range(1, 19) as rows_ (n)
