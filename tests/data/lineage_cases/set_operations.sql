select a from t intersect select d from u
=> a | renamed | t.a u.d
=> uses group t.a
=> uses group u.d

select a from t except select d from u
=> a | passthrough | t.a
=> uses group t.a
=> uses group u.d

-- dialect: duckdb
select a, b from t union all by name select b, a from t
=> a | passthrough | t.a
=> b | passthrough | t.b

-- dialect: duckdb
select d as a from u union by name select a, b from t
=> a | renamed | t.a u.d
=> b | passthrough | t.b
=> uses group t.a
=> uses group t.b
=> uses group u.d

-- dialect: redshift
select a, b from t union select d, e from u order by 1 limit 2
=> a | renamed | t.a u.d
=> b | renamed | t.b u.e
=> uses group t.a
=> uses group t.b
=> uses group u.d
=> uses group u.e
=> uses order t.a
=> uses order u.d

select q.* from (select a, b from t union all select d, e from u) q
=> a | renamed | t.a u.d
=> b | renamed | t.b u.e

select * from (select * from t union all select * from u) q
=> a | passthrough | t.a u.a
=> b | renamed | t.b u.d
=> c | renamed | t.c u.e

select zz from (select * from xx union all select * from yy) q
=> zz | passthrough | xx.zz~0.9 yy.zz~0.9

select b, a from t union all select a, b from t
=> b | renamed | t.a t.b
=> a | renamed | t.a t.b

select a from t union all select null
=> a | derived | t.a
