select a from t where (b, c) in (select d, e from u)
=> a | passthrough | t.a
=> uses filter t.b
=> uses filter t.c
=> uses filter u.d
=> uses filter u.e

select t.a from t where t.b = (select min(u.d) from u where u.a = t.a and u.e = (select max(x.e) from u x where x.a = t.c))
=> a | passthrough | t.a
=> uses filter t.a
=> uses filter t.b
=> uses filter t.c
=> uses filter u.a
=> uses filter u.d
=> uses filter u.e

select x.a + y.a s from (select a from t) x, (select a from u) y
=> s | derived | t.a u.a

select a from (select a from t union all (select d from u)) q
=> a | renamed | t.a u.d

select * from (select a from t) x natural join (select a, d from u) y
=> a | passthrough | t.a u.a
=> d | passthrough | u.d
=> uses join t.a
=> uses join u.a

select case a when b then c else 0 end z from t
=> z | derived | t.a t.b t.c

select a b from t
=> b | renamed | t.a

select count(1) n, sum(1) o from t
=> n | aggregated |
=> o | aggregated |

select a is null x, not b y, -c z, a between b and c w from t
=> x | derived | t.a
=> y | derived | t.b
=> z | derived | t.c
=> w | derived | t.a t.b t.c

select interval '1' day + a as d from t
=> d | derived | t.a

with x (p, q) as (select a, b from t) select q from x
=> q | renamed | t.b

with x as (select a from t) select (select max(a) from x) m
=> m | aggregated | t.a

select * from x where y = 1
=> * | derived | x.*~0.9
=> uses filter x.y~0.9

select x.y, z from x
=> y | passthrough | x.y~0.9
=> z | passthrough | x.z~0.9

select 'a' || b from t
=> 'a' || b | derived | t.b

select t.a from a.b.t
=> a | passthrough | t.a

select b.t.a from a.b.t
=> a | passthrough | t.a

select a from t cross join u u2 where 1=1
=> a | passthrough | t.a~0.5

select u2.d, a from t x join u u2 on x.b=u2.d
=> d | passthrough | u.d
=> a | passthrough | t.a~0.5
=> uses join t.b
=> uses join u.d

select lag(a, 1, b) over (partition by c order by a rows between 1 preceding and current row) l from t
=> l | derived | t.a t.b t.c

select first_value(a ignore nulls) over (order by b) f from t
=> f | derived | t.a t.b

select sum(sum(a)) over (partition by b) s from t group by b
=> s | aggregated | t.a t.b
=> uses group t.b

select a, sum(b) over w1 + sum(c) over w2 z from t window w1 as (partition by a), w2 as (w1 order by b)
=> a | passthrough | t.a
=> z | derived | t.a t.b t.c

select coalesce((select d from u limit 1), a) z from t
=> z | derived | t.a u.d

select * from t where a = 1 union select * from t where b = 2
=> a | passthrough | t.a
=> b | passthrough | t.b
=> c | passthrough | t.c
=> uses filter t.a
=> uses filter t.b
=> uses group t.a
=> uses group t.b
=> uses group t.c

select a as x from t group by x
=> x | renamed | t.a
=> uses group t.a

select a from t group by cube (a, b)
=> a | passthrough | t.a
=> uses group t.a
=> uses group t.b
