-- dialect: postgres
with d as (delete from t where a > 1 returning b, c as d) select * from d
=> b | passthrough | t.b
=> d | renamed | t.c
=> uses filter t.a

-- dialect: postgres
with d as (delete from t using u where t.a = u.a returning *) select b, e from d
=> b | passthrough | t.b
=> e | passthrough | u.e
=> uses filter t.a
=> uses filter u.a

-- dialect: postgres
with d as (delete from other where x > 1 returning *) select q from d
=> q | passthrough | other.q~0.9
=> uses filter other.x~0.9

-- dialect: postgres
with d as (delete from other returning *) select * from d
=> * | derived | other.*~0.9

-- dialect: postgres
with n as (insert into t (a, b) select d, e from u returning *) select a, c from n
=> a | renamed | u.d
=> c | constant |

-- dialect: postgres
with n as (insert into t select a, d, 1 from u returning b) select b from n
=> b | renamed | u.d

-- dialect: postgres
with n as (insert into other select a, d from u returning p) select p from n
=> p | derived | u.a~0.9 u.d~0.9
=> uses join u.a
=> uses join u.d

-- dialect: postgres
-- since: 30
with n as (
  insert into t as x (a) select d from u on conflict (a) do update set a = excluded.a + x.b returning a, x.b
) select * from n
=> a | derived | t.a t.b u.d
=> b | derived | t.b

-- dialect: postgres
with n as (update t x set a = u.d from u where u.a = x.a returning x.a, x.b, u.e as f) select * from n
=> a | renamed | u.d
=> b | passthrough | t.b
=> f | renamed | u.e
=> uses filter t.a
=> uses filter u.a

-- dialect: postgres
with n as (update t set a = b + 1, c = default returning old.a as before, new.a as after, t.*) select * from n
=> before | renamed | t.a
=> after | derived | t.b
=> a | derived | t.b
=> b | passthrough | t.b
=> c | constant |

-- dialect: postgres
with n as (
  merge into t using u on t.a = u.a when matched then update set b = u.d
  when not matched then insert (a) values (u.e) returning t.a, t.b, u.e as f
) select * from n
=> a | derived | t.a u.e
=> b | derived | t.b u.d
=> f | renamed | u.e
=> uses filter t.a
=> uses filter u.a

-- dialect: postgres
with s as (select d from u), n as (insert into t (a) select d from s returning a) select a from n
=> a | renamed | u.d
