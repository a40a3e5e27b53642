MODEL (
  name shop.large_orders,
  kind VIEW
);

SELECT
  order_id,
  paid
FROM shop.orders
WHERE paid > 10
