-- dialect: tsql
select top 5 a into #tmp from t order by b
=> a | passthrough | t.a
=> uses order t.b

merge into t using u on t.a = u.a when matched then update set b = u.d + t.b when not matched then insert (a, b) values (u.a, u.e)
=> b | derived | t.b u.d u.e
=> a | passthrough | u.a
=> uses filter t.a
=> uses filter u.a

update t set b = (select max(d) from u where u.a = t.a)
=> b | aggregated | u.d
=> uses filter t.a
=> uses filter u.a

insert into u (d, e) select a, b from t
=> d | renamed | t.a
=> e | renamed | t.b

insert into u select a, b, c from t
=> a | passthrough | t.a
=> d | renamed | t.b
=> e | renamed | t.c

create view v as with x as (select a from t) select * from x
=> a | passthrough | t.a

-- dialect: postgres
update t set b = u.d from u where u.a = t.a
=> b | renamed | u.d
=> uses filter t.a
=> uses filter u.a

-- dialect: mysql
update t join u on t.a = u.a set t.b = u.d
=> b | renamed | u.d
=> uses join t.a
=> uses join u.a

delete from t where a=1; select a from t
=> a | passthrough | t.a

insert into unk (p, q) with x as (select a, b from t) select * from x
=> p | renamed | t.a
=> q | renamed | t.b

create table z (p, q) as select a, b from t
=> p | renamed | t.a
=> q | renamed | t.b

-- dialect: duckdb
create temp table z as select a as q, b from t where c > 0; select q, z.b from z
=> q | renamed | t.a
=> b | passthrough | t.b
=> uses filter t.c

-- dialect: postgres
create table s.z (x int, y int); insert into s.z select a, b from t; create view v as select x + y as n from s.z;
select n from v
=> n | derived | t.a t.b

-- dialect: postgres
create table z (x int, y int); insert into z (y, x) select a, b from t; select x, y from z
=> x | renamed | t.b
=> y | renamed | t.a

-- dialect: postgres
create table z as select a from t; insert into z select d from u; select a from z
=> a | passthrough | z.a~0.9

-- dialect: snowflake
create or replace table t as select a + 1 as a from t; insert into other select a from t
=> a | derived | t.a

-- dialect: postgres
create table z as select a as x, b as y from t; alter table z rename column x to w;
alter table z rename column y to x; select x, w from z
=> x | passthrough | z.x~0.9
=> w | passthrough | z.w~0.9
