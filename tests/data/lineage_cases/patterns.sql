-- dialect: snowflake
select * from t match_recognize (partition by c order by b measures first(x.a) as fa, count(*) as n one row per match pattern (x+ y) define x as x.a > 1)
=> c | passthrough | t.c
=> fa | aggregated | t.a
=> n | aggregated |
=> uses filter t.a
=> uses group t.c
=> uses order t.b

-- dialect: snowflake
select m.c, m.n, u.d from t match_recognize (partition by c measures count(*) as n all rows per match pattern (x) define x as b > 1) as m join u on u.a = m.a
=> c | passthrough | t.c
=> n | aggregated |
=> d | passthrough | u.d
=> uses filter t.b
=> uses group t.c
=> uses join t.a
=> uses join u.a
