-- Moments 1 and 2 are gone, 61 and 62 are new; some are moved by a microsecond, a second, a day.
select
    cast(n as integer) as moment_id,
    date '2017-02-27' + cast(n * 61 + (n % 10 = 0)::integer as integer) as day_of_years,
    case when n <> 12 then date '2026-01-15' + cast(n * 5 as integer) end as day_of_months,
    date '2026-06-01' + cast(n % 25 as integer) as day_of_days,
    timestamp '2015-05-05 05:05:05.5' + n * interval 70 days + (n = 5)::integer * interval 1 microsecond
        as instant_of_years,
    timestamp '2026-01-15 23:59:59.999999' + n * interval 100 hours + (n % 15 = 0)::integer * interval 1 second
        as instant_of_months,
    timestamp '2026-06-01 12:00:00' + n * interval 7 hours as instant_of_days,
    timestamptz '2025-12-31 23:30:00+00' + n * interval 90 hours + (n = 20)::integer * interval 1 hour as zoned,
    cast(timestamp '2026-06-01 12:00:00.123' + n * interval 61 minutes as time) as clock,
    n * interval 90 minutes as lasting
from range(3, 63) as moments (n)
