select * from {{ ref('orders') }} where customer is null
