-- dialect: duckdb
select [x + 1 for x in [a, b] if x > c] as l from t
=> l | derived | t.a t.b t.c

-- dialect: snowflake
-- since: 30
select * ilike '%B%' from t
=> b | passthrough | t.b
