-- A text which was a number.
select cast(n as integer) as row_id, 'code ' || (n * 11) as code, 'r' || n as label from range(1, 9) as rows_ (n)
