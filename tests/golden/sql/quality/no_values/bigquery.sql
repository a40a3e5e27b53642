-- current: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`id`) AS c0_not_null_count,
  COUNT(DISTINCT t.`id`) AS c0_distinct_count,
  COUNT(t.`amount`) AS c1_not_null_count,
  COUNT(DISTINCT t.`amount`) AS c1_distinct_count,
  COUNT(t.`ratio`) AS c2_not_null_count,
  COUNT(DISTINCT t.`ratio`) AS c2_distinct_count,
  COUNT(t.`score`) AS c3_not_null_count,
  COUNT(DISTINCT t.`score`) AS c3_distinct_count,
  COUNT(t.`note`) AS c4_not_null_count,
  MIN(LENGTH(t.`note`)) AS c4_min_length,
  MAX(LENGTH(t.`note`)) AS c4_max_length,
  AVG(LENGTH(t.`note`)) AS c4_avg_length,
  COUNT(CASE WHEN TRIM(COLLATE(t.`note`, ''), ' ') = '' THEN 1 END) AS c4_blank_count,
  COUNT(DISTINCT COLLATE(t.`note`, '')) AS c4_distinct_count,
  COUNT(t.`is_open`) AS c5_not_null_count,
  COUNT(DISTINCT t.`is_open`) AS c5_distinct_count,
  COUNT(t.`ordered_on`) AS c6_not_null_count,
  COUNT(DISTINCT t.`ordered_on`) AS c6_distinct_count,
  COUNT(t.`ordered_at`) AS c7_not_null_count,
  COUNT(DISTINCT t.`ordered_at`) AS c7_distinct_count,
  COUNT(t.`shipped_at`) AS c8_not_null_count,
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
  COUNT(DISTINCT t.`order`) AS c12_distinct_count,
  COUNT(t.`a"b`) AS c13_not_null_count,
  COUNT(DISTINCT t.`a"b`) AS c13_distinct_count
FROM `pr_42`.`orders` AS t;

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
