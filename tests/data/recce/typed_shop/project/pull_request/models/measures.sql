-- The same with ten more rows, shifted and squeezed.
select
    cast(n as integer) as measure_id,
    cast(n % 40 - 18 as integer) as around_zero,
    cast(-1 * (n % 13) - 101 as integer) as negative,
    cast(7 as integer) as constant,
    cast(floor(exp(n / 20.0)) as bigint) as skewed,
    cast(n * 1000003 as bigint) as far_apart,
    cast((n * 17 % 97) / 10.0 as decimal(6, 1)) as tenths,
    cast((n * 31 % 211) * 0.005 as decimal(12, 3)) as thousandths,
    cast(n % 4 as decimal(5, 0)) as whole_decimal,
    cast(case when n > 200 then n end as integer) as all_null
from range(1, 161) as measures (n)
