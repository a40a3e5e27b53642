select * from {{ ref('orders') }} order by amount desc
