-- A key of two columns: orders 1 and 2 are gone, 41 and 42 are new, every tenth order counts one piece more.
select
    cast(order_number as integer) as order_number,
    cast(line_number as smallint) as line_number,
    case when order_number <> 17 then 'sku-' || (order_number * line_number % 11) end as sku,
    cast(order_number % 5 + line_number + (order_number % 10 = 0)::integer as integer) as quantity,
    cast(order_number * 0.75 + line_number as decimal(10, 2)) as amount
from range(3, 43) as orders (order_number), range(1, 4) as lines (line_number)
where order_number % 3 >= line_number - 1
