-- No key at all, and rows that occur several times.
select 'page-' || (n % 4) as page, cast(n % 3 as integer) as visitor, n % 2 = 0 as bought
from range(24) as events (n)
