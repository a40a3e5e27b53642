-- current: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`id`) AS c0_not_null_count,
  MIN(t.`id`) AS c0_min,
  MAX(t.`id`) AS c0_max,
  AVG(t.`id`) AS c0_avg,
  APPROX_QUANTILES(CAST(t.`id` AS FLOAT64), 1000)[OFFSET(500)] AS c0_median,
  COUNT(DISTINCT t.`id`) AS c0_distinct_count,
  COUNT(t.`ordered_on`) AS c1_not_null_count,
  CAST(MIN(t.`ordered_on`) AS STRING) AS c1_min,
  CAST(MAX(t.`ordered_on`) AS STRING) AS c1_max,
  CAST(APPROX_QUANTILES(t.`ordered_on`, 1000)[OFFSET(500)] AS STRING) AS c1_median,
  COUNT(DISTINCT t.`ordered_on`) AS c1_distinct_count
FROM `pr_42`.`orders` AS t;
