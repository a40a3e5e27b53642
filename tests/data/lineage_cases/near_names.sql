-- dialect: snowflake
select x, p.y, p.z from t pivot (sum(a) for b in ('x', 'y')) p
=> x | aggregated | t.a~0.5
=> y | aggregated | t.a~0.5
=> z | aggregated | t.a~0.5
=> uses group t.b
=> uses group t.c

-- dialect: bigquery
select _1, _3 from t pivot (sum(a) for b in (1, 2)) p
=> _1 | aggregated | t.a~0.5
=> _3 | aggregated | t.a~0.5
=> uses group t.b
=> uses group t.c

-- dialect: databricks
with p as (select * from t pivot (sum(a) as total for b in ('x', 'y'))) select x_total, `q` from p
=> x_total | aggregated | t.a~0.5
=> q | aggregated | t.a~0.5
=> uses group t.b
=> uses group t.c

-- dialect: snowflake
select x from other pivot (sum(a) for b in ('x', 'y')) p
=> x | aggregated | other.a~0.9
=> uses group other.*~0.9
=> uses group other.b~0.9

-- dialect: bigquery
select a from `shop.t$20240101`
=> a | passthrough | t.a

-- dialect: bigquery
select a from shop.t$__UNPARTITIONED__
=> a | passthrough | t.a
