-- dialect: bigquery
select * except (b) replace (a+1 as a) from t
=> a | derived | t.a
=> c | passthrough | t.c

-- dialect: snowflake
-- since: 30
select * exclude b rename (a as z) from t
=> z | renamed | t.a
=> c | passthrough | t.c

-- dialect: duckdb
select columns('a|b') from t
=> a | passthrough | t.a
=> b | passthrough | t.b

-- dialect: duckdb
select max(columns(*)) from t
=> a | aggregated | t.a
=> b | aggregated | t.b
=> c | aggregated | t.c

-- dialect: snowflake
select a+1 as x, x*2 as y, y+b as z from t where x > 1 group by all
=> x | derived | t.a
=> y | derived | t.a
=> z | derived | t.a t.b
=> uses filter t.a
=> uses group t.a
=> uses group t.b

-- dialect: duckdb
with x as (select a, b from t) select *, count(*) as n from x group by all
=> a | passthrough | t.a
=> b | passthrough | t.b
=> n | aggregated |
=> uses group t.a
=> uses group t.b

-- dialect: bigquery
select * from `p.d.events_*` where _table_suffix > '2023'
=> * | derived | p.d.events_*.*~0.9
=> uses filter p.d.events_*._table_suffix~0.9

-- dialect: bigquery
select _table_suffix as s, x from `p.d.events_*`
=> s | renamed | p.d.events_*._table_suffix~0.9
=> x | passthrough | p.d.events_*.x~0.9

select x.* from (values (1, 'a'), (2, 'b')) as x(id, name)
=> id | constant |
=> name | constant |

select a, count(*) as n from t group by 1 having count(*) > 1 order by 2 limit 10
=> a | passthrough | t.a
=> n | aggregated |
=> uses group t.a

-- dialect: mysql
select jt.x from arr, json_table(js, '$[*]' columns (x int path '$.x')) as jt
=> x | derived | arr.js~0.9
=> uses join arr.js

-- dialect: oracle
select jt.x from arr, json_table(js, '$[*]' columns (x number path '$.x')) jt
=> x | derived | arr.js~0.9
=> uses join arr.js

select x.a from (select * from t) x
=> a | passthrough | t.a

select count(*), count(distinct a), sum(b) filter (where c > 1) s from t
=> COUNT(*) | aggregated |
=> COUNT(DISTINCT a) | aggregated | t.a
=> s | aggregated | t.b t.c

-- dialect: postgres
select (t).a, t.*::text from t
=> a | derived | t.a
=> CAST(t.* AS TEXT) | derived | t.a t.b t.c

-- dialect: snowflake
select object_construct(*) as o from t
=> o | derived | t.a t.b t.c

select q.n from (select row_number() over (order by a) n, t.* from t) q
=> n | derived | t.a

-- dialect: bigquery
select * from ml.predict(model m.x, (select a, b from t))
=> a | passthrough | t.a
=> b | passthrough | t.b
=> * | derived | t.a t.b
=> uses join t.a
=> uses join t.b

-- dialect: snowflake
select * from identifier('db.t')
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c

-- dialect: snowflake
-- since: 30
select * from table(result_scan(last_query_id()))
=> * | derived |

-- dialect: databricks
select * from t@v1
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c

-- dialect: duckdb
select a as k, count(*) n from t group by k having n > 1 order by n desc limit 3
=> k | renamed | t.a
=> n | aggregated |
=> uses group t.a

select * from (select a, row_number() over (partition by b order by c) as rn from t) q where rn = 1
=> a | passthrough | t.a
=> rn | derived | t.b t.c
=> uses filter t.b
=> uses filter t.c

select t.* from t where not exists (select 1 from u where u.a = t.a)
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> uses filter t.a
=> uses filter u.a

select (select count(*) from u) as n from t
=> n | aggregated |

-- dialect: snowflake
select a + 1 as a, a * 2 as b2 from unk
=> a | derived | unk.a~0.9
=> b2 | derived | unk.a~0.9

-- dialect: databricks
select * from t lateral view explode(split(b, ',')) x as part where c = 1
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> part | derived | t.b
=> uses filter t.c
=> uses join t.b
