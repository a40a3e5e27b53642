select cast(n as integer) as member_id, 'silver' as tier, cast(n * 10 as integer) as points from range(1, 10) as members (n)
