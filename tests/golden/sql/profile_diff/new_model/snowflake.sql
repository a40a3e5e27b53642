-- current: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t."id") AS c0_not_null_count,
  MIN(t."id") AS c0_min,
  MAX(t."id") AS c0_max,
  AVG(t."id") AS c0_avg,
  MEDIAN(CAST(t."id" AS DOUBLE)) AS c0_median,
  COUNT(DISTINCT t."id") AS c0_distinct_count,
  COUNT(t."ordered_on") AS c1_not_null_count,
  TO_VARCHAR(MIN(t."ordered_on"), 'YYYY-MM-DD') AS c1_min,
  TO_VARCHAR(MAX(t."ordered_on"), 'YYYY-MM-DD') AS c1_max,
  TO_VARCHAR(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
    t."ordered_on"), 'YYYY-MM-DD') AS c1_median,
  COUNT(DISTINCT t."ordered_on") AS c1_distinct_count
FROM "pr_42"."orders" AS t;
