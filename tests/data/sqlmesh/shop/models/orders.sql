MODEL (
  name shop.orders,
  kind FULL,
  grain order_id,
  tags ['mart'],
  column_descriptions (paid = 'Sum of all payments.')
);

SELECT
  order_id,
  SUM(amount) AS paid,
  COUNT(*) AS payments
FROM shop.payments
GROUP BY order_id
