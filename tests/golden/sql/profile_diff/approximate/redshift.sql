-- base: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t."amount") AS c0_not_null_count,
  MIN(t."amount") AS c0_min,
  MAX(t."amount") AS c0_max,
  AVG(CAST(t."amount" AS DOUBLE PRECISION)) AS c0_avg,
  APPROXIMATE COUNT(DISTINCT t."amount") AS c0_distinct_count,
  COUNT(t."note") AS c1_not_null_count,
  MIN(COLLATE(t."note", 'case_sensitive')) AS c1_min,
  MAX(COLLATE(t."note", 'case_sensitive')) AS c1_max,
  MIN(LENGTH(t."note")) AS c1_min_length,
  MAX(LENGTH(t."note")) AS c1_max_length,
  AVG(CAST(LENGTH(t."note") AS DOUBLE PRECISION)) AS c1_avg_length,
  APPROXIMATE COUNT(DISTINCT COLLATE(t."note", 'case_sensitive') || CHR(1)) AS c1_distinct_count
FROM "prod"."orders" AS t
WHERE
  (
    
    id > 10
    
  );

-- base: median of orders.amount
SELECT
  MEDIAN(CAST(t."amount" AS DOUBLE PRECISION)) AS median
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
  AVG(CAST(t."amount" AS DOUBLE PRECISION)) AS c0_avg,
  APPROXIMATE COUNT(DISTINCT t."amount") AS c0_distinct_count,
  COUNT(t."note") AS c1_not_null_count,
  MIN(COLLATE(t."note", 'case_sensitive')) AS c1_min,
  MAX(COLLATE(t."note", 'case_sensitive')) AS c1_max,
  MIN(LENGTH(t."note")) AS c1_min_length,
  MAX(LENGTH(t."note")) AS c1_max_length,
  AVG(CAST(LENGTH(t."note") AS DOUBLE PRECISION)) AS c1_avg_length,
  APPROXIMATE COUNT(DISTINCT COLLATE(t."note", 'case_sensitive') || CHR(1)) AS c1_distinct_count
FROM "pr_42"."orders" AS t
WHERE
  (
    
    id > 10
    
  );

-- current: median of orders.amount
SELECT
  MEDIAN(CAST(t."amount" AS DOUBLE PRECISION)) AS median
FROM "pr_42"."orders" AS t
WHERE
  (
    
    id > 10
    
  );
