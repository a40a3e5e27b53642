select cast(n as integer) as member_id, 'bronze' as tier from range(1, 6) as members (n)
