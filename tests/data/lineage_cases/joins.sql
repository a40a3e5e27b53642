select * from t natural join u
=> a | passthrough | t.a u.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> d | passthrough | u.d
=> e | passthrough | u.e
=> uses join t.a
=> uses join u.a

select * from t left join u using (a)
=> a | passthrough | t.a u.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> d | passthrough | u.d
=> e | passthrough | u.e
=> uses join t.a
=> uses join u.a

select a from t full join u using (a)
=> a | passthrough | t.a u.a
=> uses join t.a
=> uses join u.a

select * from t semi join u on t.a=u.a
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> uses join t.a
=> uses join u.a

-- dialect: spark
select * from t left semi join u on t.a=u.a
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> uses join t.a
=> uses join u.a

-- dialect: snowflake
select t.* exclude (a, b) from t join u on t.a=u.a
=> c | passthrough | t.c
=> uses join t.a
=> uses join u.a

-- dialect: postgres
select id, x from arr cross join lateral unnest(items) with ordinality as u(x, o)
=> id | passthrough | arr.id
=> x | derived | arr.items
=> uses join arr.items

-- dialect: trino
select id, x, o from arr cross join unnest(items) with ordinality as u (x, o)
=> id | passthrough | arr.id
=> x | derived | arr.items
=> o | derived | arr.items
=> uses join arr.items

-- dialect: tsql
select a from t cross apply (select max(d) as m from u where u.a = t.a) q
=> a | passthrough | t.a
=> uses filter t.a
=> uses filter u.a

-- dialect: tsql
select t.a, q.m from t outer apply (select max(d) as m from u where u.a = t.a) q
=> a | passthrough | t.a
=> m | aggregated | u.d
=> uses filter t.a
=> uses filter u.a

-- dialect: clickhouse
select arrayJoin(items) as it from arr
=> it | derived | arr.items
=> uses join arr.items

-- dialect: clickhouse
select id, it from arr array join items as it
=> id | passthrough | arr.id
=> it | derived | arr.items
=> uses join arr.items

select a from (t join u using (a))
=> a | passthrough | t.a u.a
=> uses join t.a
=> uses join u.a

-- dialect: snowflake
select t.*, a as a2 from t asof join u match_condition (t.b >= u.d) on t.a=u.a
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> a2 | renamed | t.a~0.5
=> uses join t.a
=> uses join t.b
=> uses join u.a
=> uses join u.d

select s.x from (select * from unk1 join unk2 on unk1.i=unk2.i) s
=> x | passthrough | unk1.x~0.5 unk2.x~0.5
=> uses join unk1.i~0.9
=> uses join unk2.i~0.9

select a1.a b1, b1 from t a1 join w on true
=> b1 | renamed | t.a
=> b1 | passthrough | w.b1~0.9

select t.a from schema1.t as x join t on true
=> a | passthrough | t.a

-- dialect: duckdb
select t.a, u.* from t positional join u
=> a | passthrough | t.a
=> a | passthrough | u.a
=> d | passthrough | u.d
=> e | passthrough | u.e

-- dialect: duckdb
-- since: 30
select * from t join (from u select a, d) using (a)
=> a | passthrough | t.a u.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> d | passthrough | u.d
=> uses join t.a
=> uses join u.a

select one.z, two.z from one join two on one.i = two.i
=> z | passthrough | one.z~0.9
=> z | passthrough | two.z~0.9
=> uses join one.i~0.9
=> uses join two.i~0.9

select z from one join two on one.i = two.i
=> z | passthrough | one.z~0.5 two.z~0.5
=> uses join one.i~0.9
=> uses join two.i~0.9

select a, z from t join two on two.i = t.b
=> a | passthrough | t.a~0.9
=> z | passthrough | two.z~0.9
=> uses join t.b
=> uses join two.i~0.9

select nobody.x from t join u on t.a = u.a
=> x | derived |
=> uses join t.a
=> uses join u.a

select coalesce(t.a, u.a) as a from t full join u on t.a = u.a
=> a | derived | t.a u.a
=> uses join t.a
=> uses join u.a

-- dialect: postgres
select j.b, j.d, j.a from (t join u using (a)) as j
=> b | passthrough | t.b
=> d | passthrough | u.d
=> a | passthrough | t.a u.a
=> uses join t.a
=> uses join u.a

-- dialect: postgres
select nope from t join u using (a)
=> nope | passthrough | t.nope~0.5
=> uses join t.a
=> uses join u.a

-- dialect: duckdb
with q as (select b as l0, a as z from t), r as (select a as x, d as z from u) select * from q natural join r
=> l0 | renamed | t.b
=> z | renamed | t.a u.d
=> x | renamed | u.a
=> uses join t.a
=> uses join u.d

-- dialect: duckdb
select * from t anti join u using (a)
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> uses join t.a
=> uses join u.a

-- dialect: duckdb
select s1.c1 + 1 as b, b + 1 as id from t as s0(c0, c1, c2), (select 1 as c0, d as c1 from u) as s1
=> b | derived | u.d
=> id | derived | u.d

-- dialect: duckdb
select l.* from t o, (select max(b) over () as mx, o.c as oc from u where u.a = o.a) as l
=> mx | derived | t.b
=> oc | renamed | t.c
=> uses filter t.a
=> uses filter u.a

-- dialect: duckdb
select s.b from t join (select b from unknown) as s on true
=> b | passthrough | unknown.b~0.9

select x.b, u.d, v.js from ((t x left join u on (x.a = u.a)) join arr v on (v.id = x.b))
=> b | passthrough | t.b
=> d | passthrough | u.d
=> js | passthrough | arr.js
=> uses join arr.id
=> uses join t.a
=> uses join t.b
=> uses join u.a

select s.b, u.d from (((select a, b from t) s left join u on (s.a = u.a)))
=> b | passthrough | t.b
=> d | passthrough | u.d
=> uses join t.a
=> uses join u.a

select s.b from (((select a, b from t)) s cross join (u join arr on (arr.id = u.a)))
=> b | passthrough | t.b
=> uses join arr.id
=> uses join u.a

-- dialect: duckdb
select b, count_star() as n from t group by b
=> b | passthrough | t.b
=> n | aggregated |
=> uses group t.b
