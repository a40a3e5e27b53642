MODEL (
  name raw.payments,
  kind SEED (path '../seeds/payments.csv'),
  columns (id INT, order_id INT, amount_cents INT, paid_on DATE),
  grain id
);
