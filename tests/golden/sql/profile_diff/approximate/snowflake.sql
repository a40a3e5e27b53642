-- base: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t."amount") AS c0_not_null_count,
  MIN(t."amount") AS c0_min,
  MAX(t."amount") AS c0_max,
  AVG(t."amount") AS c0_avg,
  MEDIAN(CAST(t."amount" AS DOUBLE)) AS c0_median,
  APPROX_COUNT_DISTINCT(t."amount") AS c0_distinct_count,
  COUNT(t."note") AS c1_not_null_count,
  MIN(COLLATE(t."note", '')) AS c1_min,
  MAX(COLLATE(t."note", '')) AS c1_max,
  MIN(LENGTH(t."note")) AS c1_min_length,
  MAX(LENGTH(t."note")) AS c1_max_length,
  AVG(LENGTH(t."note")) AS c1_avg_length,
  APPROX_COUNT_DISTINCT(COLLATE(t."note", '')) AS c1_distinct_count
FROM "prod"."orders" AS t
WHERE
  (
    
    id > 10
    
  );

-- current: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t."amount") AS c0_not_null_count,
  MIN(t."amount") AS c0_min,
  MAX(t."amount") AS c0_max,
  AVG(t."amount") AS c0_avg,
  MEDIAN(CAST(t."amount" AS DOUBLE)) AS c0_median,
  APPROX_COUNT_DISTINCT(t."amount") AS c0_distinct_count,
  COUNT(t."note") AS c1_not_null_count,
  MIN(COLLATE(t."note", '')) AS c1_min,
  MAX(COLLATE(t."note", '')) AS c1_max,
  MIN(LENGTH(t."note")) AS c1_min_length,
  MAX(LENGTH(t."note")) AS c1_max_length,
  AVG(LENGTH(t."note")) AS c1_avg_length,
  APPROX_COUNT_DISTINCT(COLLATE(t."note", '')) AS c1_distinct_count
FROM "pr_42"."orders" AS t
WHERE
  (
    
    id > 10
    
  );
