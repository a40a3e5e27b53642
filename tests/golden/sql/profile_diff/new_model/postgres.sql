-- current: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t."id") AS c0_not_null_count,
  MIN(t."id") AS c0_min,
  MAX(t."id") AS c0_max,
  AVG(t."id") AS c0_avg,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
    CAST(t."id" AS DOUBLE PRECISION)) AS c0_median,
  COUNT(t."ordered_on") AS c1_not_null_count,
  BTRIM(CAST(TO_JSON(MIN(t."ordered_on")) AS TEXT), '"') AS c1_min,
  BTRIM(CAST(TO_JSON(MAX(t."ordered_on")) AS TEXT), '"') AS c1_max,
  BTRIM(
    CAST(TO_JSON(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."ordered_on")) AS TEXT),
    '"'
  ) AS c1_median
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t."id") AS distinct_count
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t."ordered_on") AS distinct_count
FROM "pr_42"."orders" AS t;
