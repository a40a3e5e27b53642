-- Every numeric type; numbers 1 to 3 are gone, 61 to 65 are new, and one column in turn is edited.
select
    cast(n as integer) as number_id,
    cast(n - 30 as tinyint) as tiny,
    cast(case when n = 10 then 7 else n * 500 - 15000 end as smallint) as small,
    cast(case when n % 7 <> 1 then n * n * 1000 + (n % 20 = 0)::integer end as integer) as whole,
    cast(9007199254740900 + n * 3 + (n = 33)::integer as bigint) as big,
    cast(170141183460469231731687303715884105000 + n + (n = 34)::integer as hugeint) as huge,
    cast(n * 4294967296 as ubigint) as unsigned_big,
    cast(case when n % 8 <> 2 then n * 1.25 + 0.01 * (n > 55)::integer end as decimal(10, 2)) as price,
    cast(n * 0.3333 + 0.0001 * (n = 40)::integer as decimal(18, 4)) as rate,
    cast(n % 9 as decimal(9, 0)) as pieces,
    cast(cast(n as decimal(38, 10)) / 1000000 as decimal(38, 10)) as micro,
    cast(case when n % 7 <> 3 then n / 8.0 + (n % 11 = 0)::integer * 1e-12 end as double) as measure,
    cast(n / 3.0 as float) as approximate
from range(4, 66) as numbers (n)
