select cast(n as integer) as row_id, 'after' as word from range(5) as rows_ (n)
