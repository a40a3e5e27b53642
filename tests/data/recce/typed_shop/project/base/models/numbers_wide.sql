-- Every numeric type, 60 rows; every seventh value of a column is missing.
select
    cast(n as integer) as number_id,
    cast(n - 30 as tinyint) as tiny,
    cast(n * 500 - 15000 as smallint) as small,
    cast(case when n % 7 <> 1 then n * n * 1000 end as integer) as whole,
    cast(9007199254740900 + n * 3 as bigint) as big,
    cast(170141183460469231731687303715884105000 + n as hugeint) as huge,
    cast(n * 4294967296 as ubigint) as unsigned_big,
    cast(case when n % 7 <> 2 then n * 1.25 end as decimal(10, 2)) as price,
    cast(n * 0.3333 as decimal(18, 4)) as rate,
    cast(n % 9 as decimal(9, 0)) as pieces,
    cast(cast(n as decimal(38, 10)) / 1000000 as decimal(38, 10)) as micro,
    cast(case when n % 7 <> 3 then n / 8.0 end as double) as measure,
    cast(n / 3.0 as float) as approximate
from range(1, 61) as numbers (n)
