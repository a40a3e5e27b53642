-- The demo's schemas, written by scripts/build_demo.py; $tables is their directory.
create schema if not exists prod;

create or replace table prod.customers as select * from read_parquet('$tables/prod.customers.parquet');

create or replace table prod.daily_revenue as select * from read_parquet('$tables/prod.daily_revenue.parquet');

create or replace table prod.orders as select * from read_parquet('$tables/prod.orders.parquet');

create or replace table prod.payment_mix as select * from read_parquet('$tables/prod.payment_mix.parquet');

create or replace table prod.raw_customers as select * from read_parquet('$tables/prod.raw_customers.parquet');

create or replace table prod.raw_orders as select * from read_parquet('$tables/prod.raw_orders.parquet');

create or replace table prod.raw_payments as select * from read_parquet('$tables/prod.raw_payments.parquet');

create or replace table prod.raw_stores as select * from read_parquet('$tables/prod.raw_stores.parquet');

create schema if not exists pr_42;

create or replace table pr_42.customer_segments as select * from read_parquet('$tables/pr_42.customer_segments.parquet');

create or replace table pr_42.customers as select * from read_parquet('$tables/pr_42.customers.parquet');

create or replace table pr_42.daily_revenue as select * from read_parquet('$tables/pr_42.daily_revenue.parquet');

create or replace table pr_42.orders as select * from read_parquet('$tables/pr_42.orders.parquet');

create or replace table pr_42.raw_customers as select * from read_parquet('$tables/prod.raw_customers.parquet');

create or replace table pr_42.raw_orders as select * from read_parquet('$tables/prod.raw_orders.parquet');

create or replace table pr_42.raw_payments as select * from read_parquet('$tables/prod.raw_payments.parquet');

create or replace table pr_42.raw_stores as select * from read_parquet('$tables/prod.raw_stores.parquet');

create or replace table pr_42.store_performance as select * from read_parquet('$tables/pr_42.store_performance.parquet');

create or replace view prod.stg_customers as
select
    id as customer_id,
    first_name,
    last_name,
    lower(email) as email,
    cast(signed_up_on as date) as signed_up_on
from "prod"."raw_customers";

create or replace view prod.stg_orders as
select
    id as order_id,
    customer_id,
    store_id,
    ordered_at,
    cast(ordered_at as date) as ordered_on,
    status
from "prod"."raw_orders";

create or replace view prod.stg_payments as
select
    id as payment_id,
    order_id,
    method as payment_method,
    status as payment_status,
    cast(amount_cents / 100.0 as decimal(16, 2)) as amount,
    paid_at
from "prod"."raw_payments";

create or replace view prod.stg_stores as
select
    id as store_id,
    name as store_name,
    city,
    cast(opened_on as date) as opened_on
from "prod"."raw_stores";

create or replace view prod.store_performance as
select
    stores.store_id,
    stores.store_name,
    stores.city,
    cast(sum(revenue.order_count) as bigint) as order_count,
    sum(revenue.revenue) as revenue,
    round(sum(revenue.revenue) / sum(revenue.order_count), 2) as revenue_per_order
from "prod"."stg_stores" as stores
inner join "prod"."daily_revenue" as revenue on revenue.store_id = stores.store_id
group by stores.store_id, stores.store_name, stores.city;

create or replace view pr_42.stg_customers as
select
    id as customer_id,
    first_name,
    last_name,
    lower(email) as email,
    cast(signed_up_on as date) as signed_up_on
from "pr_42"."raw_customers";

create or replace view pr_42.stg_orders as
select
    id as order_id,
    customer_id,
    store_id,
    ordered_at,
    cast(ordered_at as date) as ordered_on,
    status
from "pr_42"."raw_orders";

create or replace view pr_42.stg_payments as
select
    id as payment_id,
    order_id,
    method as payment_method,
    status as payment_status,
    cast(amount_cents / 100.0 as decimal(16, 2)) as amount,
    paid_at
from "pr_42"."raw_payments";

create or replace view pr_42.stg_stores as
-- Opening dates before 2024 come from the paper ledger.
select
    id as store_id,
    name as store_name,
    city,
    cast(opened_on as date) as opened_on
from "pr_42"."raw_stores";
