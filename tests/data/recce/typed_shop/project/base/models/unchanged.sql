-- The same on both sides.
select cast(n as integer) as row_id, cast(n * 0.1 as double) as tenth, 't' || (n % 5) as label,
    case when n % 4 = 0 then n end as quarter, n % 2 = 0 as even
from range(1, 41) as rows_ (n)
