-- current: rows of orders
SELECT
  COUNT(*) AS row_count
FROM `pr_42`.`orders` AS t;

-- current: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`id`) AS c0_not_null_count,
  MIN(t.`id`) AS c0_min,
  MAX(t.`id`) AS c0_max,
  AVG(t.`id`) AS c0_avg,
  APPROX_QUANTILES(CAST(t.`id` AS FLOAT64), 1000)[OFFSET(500)] AS c0_median,
  COUNT(DISTINCT t.`id`) AS c0_distinct_count,
  COUNT(t.`amount`) AS c1_not_null_count,
  MIN(t.`amount`) AS c1_min,
  MAX(t.`amount`) AS c1_max,
  AVG(t.`amount`) AS c1_avg,
  APPROX_QUANTILES(CAST(t.`amount` AS FLOAT64), 1000)[OFFSET(500)] AS c1_median,
  COUNT(DISTINCT t.`amount`) AS c1_distinct_count,
  COUNT(t.`ratio`) AS c2_not_null_count,
  MIN(t.`ratio`) AS c2_min,
  MAX(t.`ratio`) AS c2_max,
  AVG(t.`ratio`) AS c2_avg,
  APPROX_QUANTILES(t.`ratio`, 1000)[OFFSET(500)] AS c2_median,
  COUNT(DISTINCT t.`ratio`) AS c2_distinct_count,
  COUNT(t.`score`) AS c3_not_null_count,
  MIN(t.`score`) AS c3_min,
  MAX(t.`score`) AS c3_max,
  AVG(t.`score`) AS c3_avg,
  APPROX_QUANTILES(t.`score`, 1000)[OFFSET(500)] AS c3_median,
  COUNT(DISTINCT t.`score`) AS c3_distinct_count,
  COUNT(t.`note`) AS c4_not_null_count,
  MIN(LENGTH(t.`note`)) AS c4_min_length,
  MAX(LENGTH(t.`note`)) AS c4_max_length,
  AVG(LENGTH(t.`note`)) AS c4_avg_length,
  COUNT(CASE WHEN TRIM(COLLATE(t.`note`, ''), ' ') = '' THEN 1 END) AS c4_blank_count,
  COUNT(DISTINCT COLLATE(t.`note`, '')) AS c4_distinct_count,
  COUNT(t.`is_open`) AS c5_not_null_count,
  COUNT(CASE WHEN t.`is_open` THEN 1 END) AS c5_true_count,
  COUNT(t.`ordered_on`) AS c6_not_null_count,
  CAST(MIN(t.`ordered_on`) AS STRING) AS c6_min,
  CAST(MAX(t.`ordered_on`) AS STRING) AS c6_max,
  CAST(APPROX_QUANTILES(t.`ordered_on`, 1000)[OFFSET(500)] AS STRING) AS c6_median,
  COUNT(DISTINCT t.`ordered_on`) AS c6_distinct_count,
  COUNT(t.`ordered_at`) AS c7_not_null_count,
  CAST(MIN(t.`ordered_at`) AS STRING) AS c7_min,
  CAST(MAX(t.`ordered_at`) AS STRING) AS c7_max,
  CAST(APPROX_QUANTILES(t.`ordered_at`, 1000)[OFFSET(500)] AS STRING) AS c7_median,
  COUNT(DISTINCT t.`ordered_at`) AS c7_distinct_count,
  COUNT(t.`shipped_at`) AS c8_not_null_count,
  FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', MIN(t.`shipped_at`), 'UTC') AS c8_min,
  FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', MAX(t.`shipped_at`), 'UTC') AS c8_max,
  FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', APPROX_QUANTILES(t.`shipped_at`, 1000)[OFFSET(500)], 'UTC') AS c8_median,
  COUNT(DISTINCT t.`shipped_at`) AS c8_distinct_count,
  COUNT(t.`tags`) AS c9_not_null_count,
  MIN(ARRAY_LENGTH(t.`tags`)) AS c9_min_length,
  MAX(ARRAY_LENGTH(t.`tags`)) AS c9_max_length,
  AVG(ARRAY_LENGTH(t.`tags`)) AS c9_avg_length,
  COUNT(DISTINCT CASE WHEN NOT t.`tags` IS NULL THEN TO_JSON_STRING(t.`tags`) END) AS c9_distinct_count,
  COUNT(t.`payload`) AS c10_not_null_count,
  COUNT(DISTINCT CASE WHEN NOT t.`payload` IS NULL THEN TO_JSON_STRING(t.`payload`) END) AS c10_distinct_count,
  COUNT(t.`raw`) AS c11_not_null_count,
  MIN(LENGTH(t.`raw`)) AS c11_min_length,
  MAX(LENGTH(t.`raw`)) AS c11_max_length,
  AVG(LENGTH(t.`raw`)) AS c11_avg_length,
  COUNT(DISTINCT t.`raw`) AS c11_distinct_count,
  COUNT(t.`order`) AS c12_not_null_count,
  MIN(t.`order`) AS c12_min,
  MAX(t.`order`) AS c12_max,
  AVG(t.`order`) AS c12_avg,
  APPROX_QUANTILES(CAST(t.`order` AS FLOAT64), 1000)[OFFSET(500)] AS c12_median,
  COUNT(DISTINCT t.`order`) AS c12_distinct_count,
  COUNT(t.`a"b`) AS c13_not_null_count,
  MIN(t.`a"b`) AS c13_min,
  MAX(t.`a"b`) AS c13_max,
  AVG(t.`a"b`) AS c13_avg,
  APPROX_QUANTILES(CAST(t.`a"b` AS FLOAT64), 1000)[OFFSET(500)] AS c13_median,
  COUNT(DISTINCT t.`a"b`) AS c13_distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` TABLESAMPLE SYSTEM (10 PERCENT)
) AS t;

-- current: 2 metrics of orders
SELECT
  COUNT(*) AS row_count,
  (
    
    AVG(CASE WHEN is_open THEN 1.0 ELSE 0 END) -- a share
    
  ) AS m0,
  (
    
    MAX(amount)
    
  ) AS m1
FROM `pr_42`.`orders` AS t;
