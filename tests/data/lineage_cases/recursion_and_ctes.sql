with recursive n as (select 1 as i union all select i+1 from n where i<10) select i from n
=> i | constant |

with recursive n(i, j) as (select a, b from t union all select i+c, j from n join t on n.i=t.a) select * from n
=> i | derived | t.a t.c
=> j | renamed | t.b
=> uses join t.a
=> uses join t.c

-- dialect: oracle
select level, a from t start with b is null connect by prior a = b
=> level | derived |
=> a | passthrough | t.a
=> uses filter t.a
=> uses filter t.b

-- dialect: clickhouse
with (select max(a) from t) as m select m, d from u
=> m | aggregated | t.a
=> d | passthrough | u.d

with t as (select d as a from u) select a from t
=> a | renamed | u.d

with x as (select 1 as k), y as (with x as (select a as k from t) select k from x) select y.k, x.k as k2 from x, y
=> k | renamed | t.a
=> k2 | constant |

with x as (select a as k from t), y as (select k as k from x) select k from y
=> k | renamed | t.a

with x as (select a as k from t), y as (select k as a from x) select a from y
=> a | passthrough | t.a

with t as (select 1 as a) select t.a, real.a as b from t join schema1.t as real on true
=> a | constant |
=> b | renamed | t.a

with x as (select * from unknown) select p, q from x
=> p | passthrough | unknown.p~0.9
=> q | passthrough | unknown.q~0.9

with x as (select *, p + 1 as q from unknown) select p, q from x
=> p | passthrough | unknown.p~0.9
=> q | derived | unknown.p~0.9

-- dialect: bigquery
with x as (select * except (p) from unknown) select q from x
=> q | passthrough | unknown.q~0.9

-- dialect: snowflake
with x as (select * rename (p as q) from unknown) select q from x
=> q | renamed | unknown.p~0.9

with recursive tree as (select id, parent, id as root from nodes union all select n.id, n.parent, tree.root from nodes n join tree on n.parent = tree.id) select * from tree
=> id | passthrough | nodes.id~0.9
=> parent | passthrough | nodes.parent~0.9
=> root | renamed | nodes.id~0.9
=> uses join nodes.id~0.9
=> uses join nodes.parent~0.9
