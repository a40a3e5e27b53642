{%- set keep = ['placed', 'shipped'] -%}
select order_id from {{ ref('orders') }} where status in ({% for one in keep %}'{{ one }}'{{ ',' if not loop.last }}{% endfor %})
