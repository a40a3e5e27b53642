select order_id, '{% raw %}{{ a  b }}{% endraw %}' as template from {{ ref('orders') }}
