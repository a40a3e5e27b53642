-- No key at all: the same rows, and some once more or once less.
select 'page-' || (n % 4) as page, cast(n % 3 as integer) as visitor, n % 2 = 0 as bought
from range(3, 31) as events (n)
