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
  COUNT(*) AS payments,
  MAX(paid_on) AS last_paid_on
FROM shop.payments
GROUP BY order_id
