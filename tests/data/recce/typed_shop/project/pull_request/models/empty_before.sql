select cast(n as integer) as row_id, 'x' as word, cast(1.5 as double) as amount, date '2026-01-01' as day_ from range(3) as rows_ (n)
