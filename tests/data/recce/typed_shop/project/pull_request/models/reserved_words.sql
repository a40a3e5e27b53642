-- Columns that can only be named in quotes; every sixth group is another.
select
    cast(n as integer) as "order",
    'g' || (n % 3 + (n % 6 = 0)::integer) as "group",
    cast(n * 2 as integer) as "with space",
    date '2026-01-01' + cast(n * 3 as integer) as "select"
from range(1, 31) as rows_ (n)
