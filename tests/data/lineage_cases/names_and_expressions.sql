-- dialect: databricks
select js:a.b::int as x from arr
=> x | derived | arr.js

-- dialect: tsql
select x = a, y = b + 1 from t
=> x | renamed | t.a
=> y | derived | t.b

-- dialect: bigquery
select as struct a, b from t
=> a | passthrough | t.a
=> b | passthrough | t.b

-- dialect: duckdb
from t
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c

-- dialect: duckdb
from t select a, b
=> a | passthrough | t.a
=> b | passthrough | t.b

-- dialect: duckdb
select struct_pack(x := a, y := b) s from t
=> s | derived | t.a t.b

-- dialect: duckdb
select list_transform([a,b], x -> x + c) l from t
=> l | derived | t.a t.b t.c

-- dialect: duckdb
select {'k': a, 'v': b} as s, s.k from t
=> s | derived | t.a t.b
=> k | renamed | t.a

-- dialect: clickhouse
select a as x, x + 1 as y from t
=> x | renamed | t.a
=> y | derived | t.a

-- dialect: clickhouse
select sumIf(a, b > 1) s, uniqExact(c) from t
=> s | aggregated | t.a t.b
=> uniqExact(c) | aggregated | t.c

-- dialect: postgres
select row_to_json(t) from t
=> row_to_json | derived | t.a t.b t.c

-- dialect: postgres
select max(a), coalesce(b, 0), a::text from t
=> max | aggregated | t.a
=> coalesce | derived | t.b
=> a | derived | t.a

select extract(year from a) y, date_trunc('day', b) d, date_add(c, interval 1 day) e from t
=> y | derived | t.a
=> d | derived | t.b
=> e | derived | t.c

-- dialect: snowflake
select datediff(day, a, b) x, dateadd(month, 1, c) y from t
=> x | derived | t.a t.b
=> y | derived | t.c

-- dialect: snowflake
select datediff(day, z, y) x from unk
=> x | derived | unk.y~0.9 unk.z~0.9

-- dialect: bigquery
select date_diff(a, b, day) x, timestamp_trunc(c, month) from t
=> x | derived | t.a t.b
=> f0_ | derived | t.c

-- dialect: bigquery
select t from t
=> t | derived | t.a t.b t.c

-- dialect: snowflake
select iff(a > 1, b, c) i, nvl(a, b) n, a:"x"::string as s from t
=> i | derived | t.a t.b t.c
=> n | derived | t.a t.b
=> s | derived | t.a

select 1 as one, current_date as d, null as n
=> one | constant |
=> d | constant |
=> n | constant |

select "a" from "t"
=> a | passthrough | t.a

-- dialect: postgres
select A from T
=> A | passthrough | t.a

-- since: 30
table t
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c

-- dialect: duckdb
select a from 'x.parquet'
=> a | passthrough | x.parquet.a~0.9

-- dialect: clickhouse
select a from t final where b=1
=> a | passthrough | t.a
=> uses filter t.b

-- dialect: snowflake
select a from t at (timestamp => 'x')
=> a | passthrough | t.a

-- dialect: bigquery
select a from t for system_time as of current_timestamp()
=> a | passthrough | t.a

select x.a, y.b from t x, t y
=> a | passthrough | t.a
=> b | passthrough | t.b

select sum(a) / nullif(count(b), 0) as r from t
=> r | aggregated | t.a t.b

select cast(a as text) as a from t
=> a | derived | t.a

select missing from t
=> missing | passthrough | t.missing~0.5

-- dialect: snowflake
select "a", A, "A" from t
=> a | passthrough | t.a
=> A | passthrough | t.a
=> A | passthrough | t.a

select 'x' as k, 1 + 2 as n from t
=> k | constant |
=> n | constant |

select uuid() as id from t
=> id | constant |

-- dialect: redshift
select a as x, x + 1 as y from unk
=> x | renamed | unk.a~0.9
=> y | derived | unk.a~0.9

-- dialect: postgres
select a as x, x + 1 as y from unk
=> x | renamed | unk.a~0.9
=> y | derived | unk.x~0.9

-- dialect: bigquery
select `t`.`a`, t.b from `p.d.t`
=> a | passthrough | t.a
=> b | passthrough | t.b

-- dialect: tsql
select [a], t.[b] as [my col] from [dbo].[t] as t
=> a | passthrough | t.a
=> my col | renamed | t.b

-- dialect: oracle
select a from t where rownum < 5
=> a | passthrough | t.a

select distinct a, b from t
=> a | passthrough | t.a
=> b | passthrough | t.b
=> uses group t.a
=> uses group t.b

-- dialect: snowflake
select "⟦model.shop.orders⟧".id, orders.total from "⟦model.shop.orders⟧"
=> id | passthrough | ⟦model.shop.orders⟧.id~0.9
=> total | passthrough | ⟦model.shop.orders⟧.total~0.9

-- dialect: bigquery
select o.id from `⟦model.shop.orders.v2⟧` as o
=> id | passthrough | ⟦model.shop.orders.v2⟧.id~0.9

-- dialect: postgres
select date_trunc, string_agg, max, d from (select date_trunc('day', a), string_agg(b, ','), case when a > 1 then 2 else max(c) end, (select 5 as d) from t group by a) q
=> date_trunc | derived | t.a
=> string_agg | aggregated | t.b
=> max | aggregated | t.a t.c
=> d | constant |
=> uses group t.a
