-- base: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t."amount") AS c0_not_null_count,
  MIN(t."amount") AS c0_min,
  MAX(t."amount") AS c0_max,
  AVG(t."amount") AS c0_avg,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
    CAST(t."amount" AS DOUBLE PRECISION)) AS c0_median,
  COUNT(t."note") AS c1_not_null_count,
  MIN(t."note" COLLATE "C") AS c1_min,
  MAX(t."note" COLLATE "C") AS c1_max,
  MIN(LENGTH(t."note")) AS c1_min_length,
  MAX(LENGTH(t."note")) AS c1_max_length,
  AVG(LENGTH(t."note")) AS c1_avg_length
FROM "prod"."orders" AS t
WHERE
  (
    
    id > 10
    
  );

-- base: distinct count of orders.amount
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."amount" AS v
  FROM "prod"."orders" AS t
  WHERE
    (
      
      id > 10
      
    )
) AS d;

-- base: distinct count of orders.note
SELECT
  COUNT(DISTINCT t."note" COLLATE "C" COLLATE "C") AS distinct_count
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
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
    CAST(t."amount" AS DOUBLE PRECISION)) AS c0_median,
  COUNT(t."note") AS c1_not_null_count,
  MIN(t."note" COLLATE "C") AS c1_min,
  MAX(t."note" COLLATE "C") AS c1_max,
  MIN(LENGTH(t."note")) AS c1_min_length,
  MAX(LENGTH(t."note")) AS c1_max_length,
  AVG(LENGTH(t."note")) AS c1_avg_length
FROM "pr_42"."orders" AS t
WHERE
  (
    
    id > 10
    
  );

-- current: distinct count of orders.amount
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."amount" AS v
  FROM "pr_42"."orders" AS t
  WHERE
    (
      
      id > 10
      
    )
) AS d;

-- current: distinct count of orders.note
SELECT
  COUNT(DISTINCT t."note" COLLATE "C" COLLATE "C") AS distinct_count
FROM "pr_42"."orders" AS t
WHERE
  (
    
    id > 10
    
  );
