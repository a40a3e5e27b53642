-- dialect: bigquery
select x from p-q.d.unk
=> x | passthrough | p-q.d.unk.x~0.9

-- dialect: bigquery
select d.unk.x from p.d.unk
=> x | passthrough | p.d.unk.x~0.9

-- dialect: tsql
select a from t with (nolock)
=> a | passthrough | t.a

-- dialect: tsql
select a from [db]..[t]
=> a | passthrough | t.a

-- dialect: tsql
with x as (select a from t) select * into z from x
=> a | passthrough | t.a

-- dialect: tsql
update t set b = 5
=> b | constant |

-- dialect: tsql
select a, row_number() over(order by (select null)) rn from t
=> a | passthrough | t.a
=> rn | derived |

-- dialect: tsql
select string_agg(a, ',') within group (order by b) s from t
=> s | aggregated | t.a t.b

-- dialect: snowflake
create or replace view v as select a, b from t qualify row_number() over (partition by a order by b) = 1
=> a | passthrough | t.a
=> b | passthrough | t.b
=> uses filter t.a
=> uses filter t.b

-- dialect: snowflake
select parse_json(a):x.y::string z, a['k'] k from t
=> z | derived | t.a
=> k | derived | t.a

-- dialect: snowflake
select t.a, s.value from t, lateral split_to_table(t.b, ',') s
=> a | passthrough | t.a
=> value | derived | t.b~0.9
=> uses join t.b

-- dialect: snowflake
select a, listagg(b, ',') within group (order by c) l from t group by a
=> a | passthrough | t.a
=> l | aggregated | t.b t.c
=> uses group t.a

-- dialect: snowflake
select a from t changes (information => default) at (timestamp => 1)
=> a | passthrough | t.a

-- dialect: snowflake
insert into u (d) select a from t
=> d | renamed | t.a

-- dialect: snowflake
with x as (select * from t), y as (select * from x) select y.*, x.b as bb from y left join x using (a)
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> bb | renamed | t.b
=> uses join t.a

-- dialect: snowflake
select * exclude (a, b) from t
=> c | passthrough | t.c

-- dialect: snowflake
select a, b from t group by 1, 2 having b > 1 order by a limit 1 offset 2
=> a | passthrough | t.a
=> b | passthrough | t.b
=> uses filter t.b
=> uses group t.a
=> uses group t.b
=> uses order t.a

-- dialect: snowflake
select count_if(a > 1), approx_count_distinct(b) x, max_by(a, b) m from t
=> COUNT_IF(A > 1) | aggregated | t.a
=> x | aggregated | t.b
=> m | aggregated | t.a t.b

-- dialect: snowflake
select max(case when a = 1 then b end) as m from t
=> m | aggregated | t.a t.b

-- dialect: redshift
select a into #tmp from t
=> a | passthrough | t.a

-- dialect: redshift
select json_extract_path_text(a, 'k') j, nvl(b, c) n, getdate() g from t
=> j | derived | t.a
=> n | derived | t.b t.c
=> g | constant |

-- dialect: redshift
select a::varchar(5) as a, decode(b, 1, c, 0) d from t
=> a | derived | t.a
=> d | derived | t.b t.c

-- dialect: redshift
select listagg(distinct a, ',') within group (order by b) from t
=> LISTAGG(DISTINCT a, ',') WITHIN GROUP (ORDER BY b) | aggregated | t.a t.b

-- dialect: redshift
select pg_catalog.x(a) y from t
=> y | derived | t.a

-- dialect: postgres
select a ->> 'k' as k, b[1] as f, (select array_agg(d) from u where u.a = t.a) arr from t
=> k | derived | t.a
=> f | derived | t.b
=> arr | aggregated | u.d
=> uses filter t.a
=> uses filter u.a

-- dialect: postgres
select a from t for update
=> a | passthrough | t.a

-- dialect: postgres
with m as materialized (select a from t), n as not materialized (select * from m) select * from n
=> a | passthrough | t.a

-- dialect: postgres
select generate_series(1, a) g from t
=> g | derived | t.a
=> uses join t.a

-- dialect: postgres
select x.a, y.* from t x left join lateral (select d, e from u where u.a = x.a order by e limit 1) y on true
=> a | passthrough | t.a
=> d | passthrough | u.d
=> e | passthrough | u.e
=> uses filter t.a
=> uses filter u.a
=> uses order u.e

-- dialect: postgres
select percentile_cont(0.5) within group (order by a) p from t
=> p | aggregated | t.a

-- dialect: postgres
(select a from t) union (select d from u) order by 1
=> a | renamed | t.a u.d
=> uses group t.a
=> uses group u.d

-- dialect: postgres
values (1, 2)
=> column1 | constant |
=> column2 | constant |

-- dialect: postgres
select * from (values (1, 'x')) v (n, s) join t on t.a = v.n
=> n | constant |
=> s | constant |
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> uses join t.a

-- dialect: postgres
select count(*) over () n, a from t
=> n | derived |
=> a | passthrough | t.a

-- dialect: postgres
select a as "A b", "a" from t
=> A b | renamed | t.a
=> a | passthrough | t.a

-- dialect: postgres
select * from only t
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c

-- dialect: postgres
select t.* from t tablesample system (10)
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c

-- dialect: mysql
select `a`, concat(b, c) x from `t` where b regexp 'x'
=> a | passthrough | t.a
=> x | derived | t.b t.c
=> uses filter t.b

-- dialect: mysql
select @x := a as y from t
=> y | derived | t.a

-- dialect: mysql
select a, group_concat(b order by c separator ',') g from t group by a with rollup
=> a | passthrough | t.a
=> g | aggregated | t.b t.c
=> uses group t.a

-- dialect: mysql
insert into u (a, d) select a, b from t on duplicate key update d = values(d)
=> a | passthrough | t.a
=> d | renamed | t.b

-- dialect: mysql
select if(a > 1, b, c) x, ifnull(a, 0) y from t
=> x | derived | t.a t.b t.c
=> y | derived | t.a

-- dialect: oracle
select a, nvl(b, c) x, rownum rn from t where rownum < 3
=> a | passthrough | t.a
=> x | derived | t.b t.c
=> rn | derived |

-- dialect: oracle
select a from t, u where t.a = u.a(+)
=> a | passthrough | t.a~0.5
=> uses filter t.a
=> uses filter u.a

-- dialect: oracle
select sys_connect_by_path(a, '/') p from t connect by prior a = b
=> p | derived | t.a
=> uses filter t.a
=> uses filter t.b

-- dialect: oracle
select a from (select a, row_number() over (order by b) r from t) where r = 1
=> a | passthrough | t.a
=> uses filter t.b

-- dialect: oracle
select * from (select a, b, c from t) pivot (sum(c) as s for b in ('x' as x))
=> a | passthrough | t.a
=> x_s | aggregated | t.c
=> uses group t.a
=> uses group t.b

-- dialect: hive
insert overwrite table z partition (dt) select a, b from t
=> a | passthrough | t.a
=> b | passthrough | t.b

-- dialect: hive
select a, b from t distribute by a sort by b
=> a | passthrough | t.a
=> b | passthrough | t.b

-- dialect: hive
select x.k from t lateral view json_tuple(a, 'k') x as k
=> k | derived | t.a
=> uses join t.a

-- dialect: spark
select a, collect_list(struct(b, c)) l from t group by a
=> a | passthrough | t.a
=> l | aggregated | t.b t.c
=> uses group t.a

-- dialect: spark
select stack(2, 'x', a, 'y', b) as (k, v) from t
=> k | derived | t.a t.b
=> v | derived | t.a t.b
=> uses join t.a
=> uses join t.b

-- dialect: spark
select /*+ broadcast(u) */ t.a from t join u on t.a=u.a
=> a | passthrough | t.a
=> uses join t.a
=> uses join u.a

-- dialect: spark
select inline(array(struct(a, b))) as (x, y) from t
=> x | derived | t.a t.b
=> y | derived | t.a t.b
=> uses join t.a
=> uses join t.b

-- dialect: databricks
select * except (a) from t
=> b | passthrough | t.b
=> c | passthrough | t.c

-- dialect: databricks
select from_json(a, 'x int').x y from t
=> y | derived | t.a

-- dialect: databricks
select a, b from t group by all order by all
=> a | passthrough | t.a
=> b | passthrough | t.b
=> uses group t.a
=> uses group t.b

-- dialect: databricks
merge into t using u on t.a=u.a when matched then update set * when not matched then insert *
=> a | passthrough | u.a
=> d | passthrough | u.d
=> e | passthrough | u.e
=> uses filter t.a
=> uses filter u.a

-- dialect: databricks
create or replace table z as select a, b as q from t
=> a | passthrough | t.a
=> q | renamed | t.b

-- dialect: spark
from t select a, b
=> a | passthrough | t.a
=> b | passthrough | t.b

-- dialect: clickhouse
select a, b from t array join c as x
=> a | passthrough | t.a
=> b | passthrough | t.b
=> uses join t.c

-- dialect: clickhouse
select a from t settings max_threads=1
=> a | passthrough | t.a

-- dialect: clickhouse
select a, countIf(b > 1) n, argMax(b, c) m, quantile(0.5)(c) q from t group by a with totals
=> a | passthrough | t.a
=> n | aggregated | t.b
=> m | aggregated | t.b t.c
=> q | aggregated | t.c
=> uses group t.a

-- dialect: clickhouse
select t.a, u.d from t any left join u using a
=> a | passthrough | t.a
=> d | passthrough | u.d
=> uses join t.a
=> uses join u.a

-- dialect: clickhouse
with 5 as x select a + x as y from t
=> y | derived | t.a

-- dialect: clickhouse
select * except (a), * replace (b + 1 as b) from t
=> b | passthrough | t.b
=> c | passthrough | t.c
=> a | passthrough | t.a
=> b | derived | t.b
=> c | passthrough | t.c

-- dialect: clickhouse
select tupleElement(a, 1) x, a.1 y from t
=> x | derived | t.a
=> y | derived | t.a

-- dialect: clickhouse
select toStartOfDay(a) as d, count() c from t group by d order by d limit 1
=> d | derived | t.a
=> c | aggregated |
=> uses group t.a
=> uses order t.a

-- dialect: trino
select a, approx_distinct(b) x, try_cast(c as double) c2 from t
=> a | passthrough | t.a
=> x | aggregated | t.b
=> c2 | derived | t.c

-- dialect: trino
select * from t cross join unnest(array[a, b]) as x(v)
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> v | derived | t.a t.b
=> uses join t.a
=> uses join t.b

-- dialect: trino
select a, map_agg(b, c) m from t group by grouping sets ((a), ())
=> a | passthrough | t.a
=> m | aggregated | t.b t.c
=> uses group t.a

-- dialect: trino
select json_extract_scalar(a, '$.x') j from t
=> j | derived | t.a

-- dialect: trino
select element_at(a, 1) e, a.x from (select cast(row(1) as row(x int)) a) q
=> e | constant |
=> x | constant |

-- dialect: athena
select a from "awsdatacatalog"."db"."t"
=> a | passthrough | t.a

-- dialect: duckdb
-- since: 30
select * from t limit 10%
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c

-- dialect: duckdb
select a.b from (select {b: a} as a from t)
=> b | renamed | t.a

-- dialect: duckdb
select * from t pivot (sum(b) for a in (1, 2))
=> c | passthrough | t.c
=> 1 | aggregated | t.b
=> 2 | aggregated | t.b
=> uses group t.a
=> uses group t.c

-- dialect: duckdb
select t from t
=> t | derived | t.a t.b t.c

-- dialect: duckdb
select a, b from t order by all
=> a | passthrough | t.a
=> b | passthrough | t.b

-- dialect: duckdb
-- since: 30
select list(a order by b) l, arg_max(a, b) m from t
=> l | aggregated | t.a t.b
=> m | aggregated | t.a t.b

-- dialect: duckdb
with x as (from t) from x select a
=> a | passthrough | t.a

-- dialect: duckdb
select t.* replace (a + 1 as a) from t
=> a | derived | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c

-- dialect: duckdb
-- since: 30
select x: a, y: b + 1 from t
=> x | renamed | t.a
=> y | derived | t.b

-- dialect: teradata
select a, b from t qualify rank() over (order by b) = 1
=> a | passthrough | t.a
=> b | passthrough | t.b
=> uses filter t.b

-- dialect: teradata
sel a from t
=> a | passthrough | t.a

-- dialect: starrocks
select a, bitmap_union(to_bitmap(b)) x from t group by a
=> a | passthrough | t.a
=> x | aggregated | t.b
=> uses group t.a

-- dialect: sqlite
select rowid, a from t
=> rowid | passthrough | t.rowid~0.5
=> a | passthrough | t.a

-- dialect: sqlite
select a, iif(b, 1, c) x from t
=> a | passthrough | t.a
=> x | derived | t.b t.c

-- dialect: clickhouse
with a + b as s, 5 as k, q as (select s, c from t) select s, k, c * k as ck from q where s > k
=> s | derived | t.a t.b
=> k | constant |
=> ck | derived | t.c
=> uses filter t.a
=> uses filter t.b

-- dialect: clickhouse
with (select max(d) from u where e > 1) as mx select a / mx as r from t
=> r | aggregated | t.a u.d
=> uses filter u.e

-- dialect: snowflake
select object_construct(* exclude (c)) as o from t
=> o | derived | t.a t.b

-- dialect: spark
select transform(a, b) using 'cat' as (x, y) from t
=> x | derived | t.a t.b
=> y | derived | t.a t.b

-- dialect: oracle
select max(a) keep (dense_rank last order by b) as k from t group by c
=> k | aggregated | t.a t.b
=> uses group t.c

-- dialect: bigquery
-- since: 30
declare x int64 default 1; select a, x from t
=> a | passthrough | t.a
=> x | constant |

-- dialect: postgres
-- since: 30
select * from rows from (generate_series(1, 2), unnest(array[1])) as z (x, y)
=> x | constant |
=> y | constant |
