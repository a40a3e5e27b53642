-- dialect: snowflake
select * from (select a, b, c from t) pivot (sum(c) for b in ('x' as x, 'y' as y)) as p (id, xx, yy)
=> id | renamed | t.a
=> xx | aggregated | t.c
=> yy | aggregated | t.c
=> uses group t.b

-- dialect: bigquery
select * from (select a, b, c from t) pivot(sum(c) as s, max(c) as m for b in ('x', 'y' as yy))
=> a | passthrough | t.a
=> s_x | aggregated | t.c
=> m_x | aggregated | t.c
=> s_yy | aggregated | t.c
=> m_yy | aggregated | t.c
=> uses group t.b

-- dialect: databricks
select * from t pivot (sum(c) as s for b in (1, 2 as two))
=> a | passthrough | t.a
=> 1 | aggregated | t.c
=> two | aggregated | t.c
=> uses group t.b

-- dialect: bigquery
select * from t unpivot(v for k in (b, c))
=> a | passthrough | t.a
=> v | derived | t.b t.c
=> k | derived | t.b t.c

-- dialect: snowflake
select * from t unpivot(v for k in (b, c))
=> a | passthrough | t.a
=> k | derived | t.b t.c
=> v | derived | t.b t.c

-- dialect: databricks
select * from t unpivot ((v1, v2) for k in ((a, b) as x))
=> c | passthrough | t.c
=> k | derived | t.a t.b
=> v1 | derived | t.a
=> v2 | derived | t.b

-- dialect: duckdb
-- since: 30
unpivot t on b, c into name k value v
=> a | passthrough | t.a
=> k | derived | t.b t.c
=> v | derived | t.b t.c

-- dialect: duckdb
select p.a, p.x from (pivot t on b in ('x','y') using sum(c) group by a) p
=> a | passthrough | t.a
=> x | aggregated | t.c~0.9
=> uses group t.b

-- dialect: tsql
select a, [x], [y] from (select a, b, c from t) s pivot (sum(c) for b in ([x],[y])) p
=> a | passthrough | t.a
=> x | aggregated | t.c
=> y | aggregated | t.c
=> uses group t.b
