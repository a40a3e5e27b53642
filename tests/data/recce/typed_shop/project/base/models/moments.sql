-- Dates and times over spans of years, of months and of days.
select
    cast(n as integer) as moment_id,
    date '2017-02-27' + cast(n * 61 as integer) as day_of_years,
    date '2026-01-15' + cast(n * 5 as integer) as day_of_months,
    date '2026-06-01' + cast(n % 20 as integer) as day_of_days,
    timestamp '2015-05-05 05:05:05.5' + n * interval 70 days as instant_of_years,
    timestamp '2026-01-15 23:59:59.999999' + n * interval 100 hours as instant_of_months,
    timestamp '2026-06-01 12:00:00' + n * interval 7 hours as instant_of_days,
    timestamptz '2025-12-31 23:30:00+00' + n * interval 90 hours as zoned,
    cast(timestamp '2026-06-01 12:00:00.123' + n * interval 61 minutes as time) as clock,
    n * interval 90 minutes as lasting
from range(1, 61) as moments (n)
