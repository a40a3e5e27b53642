-- dialect: snowflake
select a, sum(b) over (partition by c order by a) w from t qualify row_number() over (partition by a order by b desc) = 1
=> a | passthrough | t.a
=> w | derived | t.a t.b t.c
=> uses filter t.a
=> uses filter t.b

select first_value(a) over w as f from t window w as (partition by b order by c)
=> f | derived | t.a t.b t.c
