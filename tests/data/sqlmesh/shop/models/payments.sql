MODEL (
  name shop.payments,
  kind INCREMENTAL_BY_TIME_RANGE (time_column paid_on),
  grain id,
  description 'One row per payment.'
);

SELECT
  id,
  order_id,
  (amount_cents / 100)::DECIMAL(16, 2) AS amount,
  paid_on
FROM raw.payments
WHERE paid_on BETWEEN @start_date AND @end_date
