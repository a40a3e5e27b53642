-- current: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`id`) AS c0_not_null_count,
  MIN(t.`id`) AS c0_min,
  MAX(t.`id`) AS c0_max,
  AVG(CAST(t.`id` AS DOUBLE)) AS c0_avg,
  COUNT(t.`ordered_on`) AS c1_not_null_count,
  CAST(MIN(t.`ordered_on`) AS CHAR) AS c1_min,
  CAST(MAX(t.`ordered_on`) AS CHAR) AS c1_max
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t.`id`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t.`ordered_on`) AS distinct_count
FROM `pr_42`.`orders` AS t;
