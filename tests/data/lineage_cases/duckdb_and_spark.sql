-- dialect: duckdb
select unnest({'x': a, 'y': b}) from t
=> x | derived | t.a
=> y | derived | t.b
=> uses join t.a
=> uses join t.b

-- dialect: duckdb
select x, y from (select unnest(s) from (select {'x': a, 'y': b} as s from t))
=> x | derived | t.a
=> y | derived | t.b
=> uses join t.a
=> uses join t.b

-- dialect: duckdb
select unnest([{'x': a, 'y': b}]) as v from t
=> v | derived | t.a t.b
=> uses join t.a
=> uses join t.b

-- dialect: duckdb
select x from (select unnest(s) from other)
=> x | derived | other.s~0.9
=> uses join other.s~0.9

-- dialect: duckdb
select unnest(s) as x from other
=> x | derived | other.s~0.9
=> uses join other.s~0.9

-- dialect: duckdb
select unnest(items, recursive := true) from arr
=> * | derived | arr.items
=> uses join arr.items

-- dialect: databricks
select inline(array(struct(a as p, b as q))) from t
=> p | derived | t.a
=> q | derived | t.b
=> uses join t.a
=> uses join t.b

-- dialect: databricks
select p from (select inline_outer(items) from arr)
=> p | derived | arr.items~0.9
=> uses join arr.items

-- dialect: databricks
select i.p, q from arr lateral view inline(items) i as p, q
=> p | derived | arr.items
=> q | derived | arr.items
=> uses join arr.items

-- dialect: databricks
select i.p from arr, lateral inline(items) i
=> p | derived | arr.items~0.9
=> uses join arr.items

-- dialect: databricks
select _metadata.file_path, t._metadata.file_size, a from t
=> file_path | derived | t._metadata~0.5
=> file_size | derived | t._metadata~0.5
=> a | passthrough | t.a

-- dialect: duckdb
select f.a, c from read_csv(['x.csv', 'y.csv']) as f join t on f.id = t.a
=> a | passthrough | x.csv.a~0.9 y.csv.a~0.9
=> c | passthrough | t.c
=> uses join t.a
=> uses join x.csv.id~0.9
=> uses join y.csv.id~0.9

-- dialect: duckdb
select * from read_parquet('x.parquet') as f (i, j)
=> i | derived | x.parquet.*~0.9
=> j | derived | x.parquet.*~0.9
=> * | derived | x.parquet.*~0.9

-- dialect: duckdb
select a_1, x.a from (select t.a, u.a from t join u on t.a = u.a) as x
=> a_1 | renamed | u.a
=> a | passthrough | t.a
=> uses join t.a
=> uses join u.a

-- dialect: duckdb
select a_1, a_2 from (select a, b as A, c as a from t)
=> a_1 | renamed | t.b
=> a_2 | renamed | t.c

-- dialect: duckdb
-- since: 30
select #1, #2 + 1 as n from t
=> a | passthrough | t.a
=> n | derived | t.b

-- dialect: duckdb
select a.upper().concat(b) as n from t
=> n | derived | t.a t.b

-- dialect: duckdb
select * like 'a%', t.* not like 'a%' from t
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c

-- dialect: duckdb
select * glob 'c*', * exclude (b) ilike '%' from t
=> c | passthrough | t.c
=> a | passthrough | t.a
=> c | passthrough | t.c

-- dialect: duckdb
-- since: 30
select columns(lambda c: c like 'a%' or c in ('c', 'd')) from t
=> a | passthrough | t.a
=> c | passthrough | t.c

-- dialect: duckdb
-- since: 30
select max(columns(lambda n: not starts_with(n, 'a'))) from t
=> b | aggregated | t.b
=> c | aggregated | t.c
