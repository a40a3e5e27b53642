select order_id from {{ ref('orders') }}
{% if target.name != 'prod' %}where order_date >= '2018-03-01'{% endif %}
