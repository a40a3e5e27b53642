-- dialect: bigquery
select array(select as struct d, e from u where u.a=t.a) as s from t
=> s | derived | u.d u.e
=> uses filter t.a
=> uses filter u.a

select (select max(d) from u where u.a = t.a) as m from t
=> m | aggregated | u.d
=> uses filter t.a
=> uses filter u.a

select a in (select d from u) as f from t
=> f | derived | t.a u.d

select case when exists (select 1 from u where u.a=t.a) then 1 else 0 end f from t
=> f | derived |
=> uses filter t.a
=> uses filter u.a

select t.a, sub.d from t, lateral (select d from u where u.a = t.a) sub
=> a | passthrough | t.a
=> d | passthrough | u.d
=> uses filter t.a
=> uses filter u.a

-- dialect: postgres
select max from (select max(a) from t) q
=> max | aggregated | t.a

select l.a from t l where l.a > all (select d from u) and exists (select 1 from u where u.e = l.b)
=> a | passthrough | t.a
=> uses filter t.a
=> uses filter t.b
=> uses filter u.d
=> uses filter u.e

-- dialect: bigquery
select t.x.y z from (select struct(a as y) as x from t) t
=> z | renamed | t.a

-- dialect: snowflake
select a from t, u, lateral (select max(e) m from u u2 where u2.a=t.a) l where l.m>1
=> a | passthrough | t.a~0.5
=> uses filter t.a
=> uses filter u.a
=> uses filter u.e

select a from t where b in (select d from u where u.e = c)
=> a | passthrough | t.a
=> uses filter t.b
=> uses filter t.c
=> uses filter u.d
=> uses filter u.e
