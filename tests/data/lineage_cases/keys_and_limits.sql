-- dialect: bigquery
select array_agg(struct(a, b) order by c) x from t
=> x | aggregated | t.a t.b t.c

-- dialect: postgres
select distinct on (a) a, b from t order by a, c desc
=> a | passthrough | t.a
=> b | passthrough | t.b
=> uses group t.a
=> uses order t.a
=> uses order t.c

-- dialect: duckdb
select a from t where b = 1 order by c limit 3
=> a | passthrough | t.a
=> uses filter t.b
=> uses order t.c

select a from t limit 5
=> a | passthrough | t.a

-- dialect: snowflake
select a from t sample (10)
=> a | passthrough | t.a

-- dialect: clickhouse
select a, b from t limit 1 by c
=> a | passthrough | t.a
=> b | passthrough | t.b
=> uses order t.c

-- dialect: duckdb
select a from t using sample 10
=> a | passthrough | t.a

-- dialect: postgres
select a as b, sum(c) s from t group by b
=> b | renamed | t.a
=> s | aggregated | t.c
=> uses group t.b

-- dialect: postgres
select -b as a from t order by a + 1 limit 2
=> a | derived | t.b
=> uses order t.a

-- dialect: postgres
select -b as a from t order by (a) desc limit 2
=> a | derived | t.b
=> uses order t.b

-- dialect: postgres
select -b as x from t order by x + 1 limit 2
=> x | derived | t.b
=> uses order t.b

-- dialect: redshift
select -b as a from t order by a + 1 limit 2
=> a | derived | t.b
=> uses order t.a

-- dialect: redshift
select -b as a from t order by (a) desc limit 2
=> a | derived | t.b
=> uses order t.b

-- dialect: redshift
select -b as x from t order by x + 1 limit 2
=> x | derived | t.b
=> uses order t.b

-- dialect: duckdb
select -b as a from t order by a + 1 limit 2
=> a | derived | t.b
=> uses order t.a

-- dialect: duckdb
select -b as a from t order by (a) desc limit 2
=> a | derived | t.b
=> uses order t.b

-- dialect: duckdb
select -b as x from t order by x + 1 limit 2
=> x | derived | t.b
=> uses order t.b

-- dialect: postgres
select -b as a from t order by a collate "C" limit 2
=> a | derived | t.b
=> uses order t.a

-- dialect: duckdb
select -b as a from t order by a collate nocase limit 2
=> a | derived | t.b
=> uses order t.b

-- dialect: snowflake
select -b as a from t order by a + 1 limit 2
=> a | derived | t.b
=> uses order t.b
