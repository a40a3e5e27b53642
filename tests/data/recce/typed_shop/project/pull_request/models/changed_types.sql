-- Every column but the key has another type, a few have other values.
select
    cast(n as integer) as change_id,
    'added' as added,
    cast(n * 10 + (n = 4)::integer as bigint) as to_bigint,
    cast(n as varchar) as to_text,
    cast(n * 1.5 as double) as to_double,
    cast(n * 0.25 + 0.001 * (n = 5)::integer as decimal(12, 3)) as to_finer,
    cast(date '2026-03-01' + cast(n as integer) as timestamp) as to_timestamp,
    cast(n % 2 = 0 as integer) as to_number,
    cast(n as integer) as mixedcase
from range(1, 22) as changes (n)
