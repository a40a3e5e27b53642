-- dialect: snowflake
select * from (select a, b, c from t) pivot (sum(c) for b in ('x' as x, 'y' as y)) as p (id, xx, yy)
=> id | renamed | t.a
=> xx | aggregated | t.c
=> yy | aggregated | t.c
=> uses group t.a
=> uses group t.b

-- dialect: bigquery
select * from (select a, b, c from t) pivot(sum(c) as s, max(c) as m for b in ('x', 'y' as yy))
=> a | passthrough | t.a
=> s_x | aggregated | t.c
=> m_x | aggregated | t.c
=> s_yy | aggregated | t.c
=> m_yy | aggregated | t.c
=> uses group t.a
=> uses group t.b

-- dialect: databricks
select * from t pivot (sum(c) as s for b in (1, 2 as two))
=> a | passthrough | t.a
=> 1 | aggregated | t.c
=> two | aggregated | t.c
=> uses group t.a
=> uses group t.b

-- dialect: bigquery
select * from t unpivot(v for k in (b, c))
=> a | passthrough | t.a
=> v | derived | t.b t.c
=> k | derived | t.b t.c
=> uses filter t.b
=> uses filter t.c

-- dialect: snowflake
select * from t unpivot(v for k in (b, c))
=> a | passthrough | t.a
=> k | derived | t.b t.c
=> v | derived | t.b t.c
=> uses filter t.b
=> uses filter t.c

-- dialect: databricks
select * from t unpivot ((v1, v2) for k in ((a, b) as x))
=> c | passthrough | t.c
=> k | derived | t.a t.b
=> v1 | derived | t.a
=> v2 | derived | t.b
=> uses filter t.a
=> uses filter t.b

-- dialect: duckdb
-- since: 30
unpivot t on b, c into name k value v
=> a | passthrough | t.a
=> k | derived | t.b t.c
=> v | derived | t.b t.c
=> uses filter t.b
=> uses filter t.c

-- dialect: duckdb
select p.a, p.x from (pivot t on b in ('x','y') using sum(c) group by a) p
=> a | passthrough | t.a
=> x | aggregated | t.c
=> uses group t.a
=> uses group t.b

-- dialect: tsql
select a, [x], [y] from (select a, b, c from t) s pivot (sum(c) for b in ([x],[y])) p
=> a | passthrough | t.a
=> x | aggregated | t.c
=> y | aggregated | t.c
=> uses group t.a
=> uses group t.b

-- dialect: duckdb
-- since: 30
select a from (unpivot t on b, c into name x value y) as s
=> a | passthrough | t.a
=> uses filter t.b
=> uses filter t.c

-- dialect: duckdb
select a from t unpivot include nulls (y for x in (b, c))
=> a | passthrough | t.a

-- dialect: duckdb
select * from (pivot t on b in (1, 2) using sum(c) group by a) as s
=> a | passthrough | t.a
=> 1 | aggregated | t.c
=> 2 | aggregated | t.c
=> uses group t.a
=> uses group t.b

-- dialect: duckdb
select * from (pivot t on a in (1, 2), b in (3, 4) using sum(c) as s)
=> 1_3_s | aggregated | t.c
=> 1_4_s | aggregated | t.c
=> 2_3_s | aggregated | t.c
=> 2_4_s | aggregated | t.c
=> uses group t.a
=> uses group t.b

-- dialect: snowflake
-- since: 30
select one from (select * from t pivot (sum(b) for c in (1 as one, 2 as two)))
=> one | aggregated | t.b
=> uses group t.a
=> uses group t.c
