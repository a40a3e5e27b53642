select cast(n as integer) as row_id, 'before' as word from range(4) as rows_ (n)
