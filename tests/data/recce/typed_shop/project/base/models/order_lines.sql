-- A key of two columns: forty orders with up to three lines.
select
    cast(order_number as integer) as order_number,
    cast(line_number as smallint) as line_number,
    'sku-' || (order_number * line_number % 11) as sku,
    cast(order_number % 5 + line_number as integer) as quantity,
    cast(order_number * 0.75 + line_number as decimal(10, 2)) as amount
from range(1, 41) as orders (order_number), range(1, 4) as lines (line_number)
where order_number % 3 >= line_number - 1
