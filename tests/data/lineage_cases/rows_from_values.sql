-- dialect: bigquery
select item.price, off from arr, unnest(items) as item with offset off
=> price | derived | arr.items
=> off | derived | arr.items
=> uses join arr.items

-- dialect: bigquery
select item.price from arr a, a.items as item
=> price | derived | arr.items
=> uses join arr.items

-- dialect: postgres
select id, jsonb_array_elements(js) as el from arr
=> id | passthrough | arr.id
=> el | derived | arr.js
=> uses join arr.js

-- dialect: postgres
select e.value->>'k' as v, e.key from arr, jsonb_each(js) e
=> v | derived | arr.js~0.9
=> key | derived | arr.js~0.9
=> uses join arr.js

-- dialect: postgres
select r.k from arr, jsonb_to_recordset(js) as r(k int, z text)
=> k | derived | arr.js
=> uses join arr.js

-- dialect: duckdb
select id, unnest(items) as i from arr
=> id | passthrough | arr.id
=> i | derived | arr.items
=> uses join arr.items

-- dialect: duckdb
select u.i from arr, unnest(items) as u(i)
=> i | derived | arr.items
=> uses join arr.items

-- dialect: snowflake
select f.value:price::float p, f.index i from arr, lateral flatten(input => js:items) f
=> p | derived | arr.js
=> i | derived | arr.js
=> uses join arr.js

-- dialect: snowflake
select value:x from arr, table(flatten(js))
=> GET_PATH(value, 'x') | derived | arr.js
=> uses join arr.js

-- dialect: snowflake
select $1 as a, $2:x as b from @stage/path (file_format => 'f')
=> a | derived | @stage/path.$1~0.9
=> b | derived | @stage/path.$2~0.9

-- dialect: snowflake
select t.$1, metadata$filename from @s t
=> $1 | passthrough | @s.$1~0.9
=> metadata$filename | passthrough | @s.metadata$filename~0.9

-- dialect: redshift
select o.id, i.x from arr o, o.items as i
=> id | passthrough | arr.id
=> x | derived | arr.items
=> uses join arr.items

-- dialect: spark
select id, k, v from arr lateral view explode(js) m as k, v
=> id | passthrough | arr.id
=> k | derived | arr.js
=> v | derived | arr.js
=> uses join arr.js

-- dialect: spark
select id, explode(items) as it from arr
=> id | passthrough | arr.id
=> it | derived | arr.items
=> uses join arr.items

-- dialect: spark
select id, posexplode(items) as (p, it) from arr
=> id | passthrough | arr.id
=> p | derived | arr.items
=> it | derived | arr.items
=> uses join arr.items

-- dialect: databricks
select id, it.price from arr lateral view outer explode(items) as it
=> id | passthrough | arr.id
=> price | derived | arr.items
=> uses join arr.items

-- dialect: snowflake
select column1, column2 from values (1,2),(3,4)
=> column1 | constant |
=> column2 | constant |

-- dialect: spark
select transform(items, x -> x + id) r from arr
=> r | derived | arr.id arr.items

-- dialect: trino
select reduce(items, 0, (s, x) -> s + x, s -> s) r from arr
=> r | derived | arr.items

-- dialect: snowflake
select seq4() as n, uniform(1,2,random()) r from table(generator(rowcount => 10))
=> n | constant |
=> r | constant |

-- dialect: bigquery
select d from unnest(generate_date_array('2020-01-01', current_date())) d
=> d | constant |

-- dialect: postgres
select d::date from generate_series(now(), now(), interval '1 day') d
=> d | constant |

-- dialect: duckdb
select range from range(10)
=> range | constant |

-- dialect: duckdb
select a from read_csv('x.csv')
=> a | passthrough | x.csv.a~0.9

-- dialect: bigquery
with s as (select struct(a as x, struct(b as y) as n) as st from t), r as (select st as w from s) select w.x, w.n.y as z, w.n.*, w.unknown from r
=> x | renamed | t.a
=> z | renamed | t.b
=> y | renamed | t.b
=> unknown | derived | t.a t.b

-- dialect: bigquery
select newest.* except (c) from (select array_agg(old order by b desc limit 1)[offset(0)] newest from t old group by a)
=> a | aggregated | t.a t.b
=> b | aggregated | t.b
=> uses group t.a

-- dialect: bigquery
select (select as struct d, e).* from u
=> d | passthrough | u.d
=> e | passthrough | u.e

-- dialect: postgres
select (x).a, (x).b + 1 as b from (select t as x from t) q
=> a | derived | t.a
=> b | derived | t.b

-- dialect: bigquery
select * from u left join unnest([1, 2]) as n on n = u.a
=> a | passthrough | u.a
=> d | passthrough | u.d
=> e | passthrough | u.e
=> n | constant |
=> uses join u.a

-- dialect: databricks
select * from range(10)
=> id | constant |

-- dialect: duckdb
select * from range(10)
=> range | constant |

-- dialect: clickhouse
select *, k.x from arr array join js as k
=> id | passthrough | arr.id
=> items | passthrough | arr.items
=> js | passthrough | arr.js
=> k | derived | arr.js
=> x | derived | arr.js~0.9
=> uses join arr.js

-- dialect: trino
select * from table(seq(start => 1, stop => 3))
=> * | derived |

-- dialect: bigquery
with c as (select c, array_agg(struct(a as x, b as y)) as ar from t group by c) select e.x, y, e.* from c, unnest(c.ar) as e
=> x | aggregated | t.a
=> y | aggregated | t.b
=> x | aggregated | t.a
=> y | aggregated | t.b
=> uses group t.c
=> uses join t.a
=> uses join t.b
