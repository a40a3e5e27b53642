select cast(n as integer) as member_id, 'bronze' as tier, cast(n * 10 as integer) as points from range(1, 9) as members (n)
