-- A column with a quote in its name; the same on both sides.
select cast(n as integer) as row_id, cast(n % 3 as integer) as "a""quote" from range(1, 10) as rows_ (n)
