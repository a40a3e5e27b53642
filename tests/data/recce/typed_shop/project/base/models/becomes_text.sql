-- A number that becomes a text which is no number.
select cast(n as integer) as row_id, cast(n * 11 as integer) as code, 'r' || n as label from range(1, 9) as rows_ (n)
