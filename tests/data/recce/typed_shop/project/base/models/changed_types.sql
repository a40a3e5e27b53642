-- Every column but the key gets another type.
select
    cast(n as integer) as change_id,
    cast(n * 10 as integer) as to_bigint,
    cast(n as integer) as to_text,
    cast(n * 1.5 as decimal(10, 2)) as to_double,
    cast(n * 0.25 as decimal(10, 2)) as to_finer,
    date '2026-03-01' + cast(n as integer) as to_timestamp,
    n % 2 = 0 as to_number,
    'dropped' as dropped,
    cast(n as integer) as "MixedCase"
from range(1, 21) as changes (n)
