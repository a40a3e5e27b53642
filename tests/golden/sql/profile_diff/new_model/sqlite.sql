-- current: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t."id") AS c0_not_null_count,
  MIN(t."id") AS c0_min,
  MAX(t."id") AS c0_max,
  AVG(t."id") AS c0_avg,
  recce_median(CAST(t."id" AS REAL)) AS c0_median,
  COUNT(t."ordered_on") AS c1_not_null_count,
  REPLACE(CAST(MIN(t."ordered_on") AS TEXT), 'T', ' ') AS c1_min,
  REPLACE(CAST(MAX(t."ordered_on") AS TEXT), 'T', ' ') AS c1_max
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t."id") AS distinct_count
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t."ordered_on" COLLATE BINARY) AS distinct_count
FROM "pr_42"."orders" AS t;
