-- base: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t."id") AS c0_not_null_count,
  MIN(t."id") AS c0_min,
  MAX(t."id") AS c0_max,
  AVG(t."id") AS c0_avg,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
    CAST(t."id" AS DOUBLE PRECISION)) AS c0_median,
  COUNT(t."amount") AS c1_not_null_count,
  MIN(t."amount") AS c1_min,
  MAX(t."amount") AS c1_max,
  AVG(t."amount") AS c1_avg,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
    CAST(t."amount" AS DOUBLE PRECISION)) AS c1_median,
  COUNT(t."ratio") AS c2_not_null_count,
  MIN(t."ratio") AS c2_min,
  MAX(t."ratio") AS c2_max,
  CAST(SUM(CAST(t."ratio" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."ratio"), 0) AS c2_avg,
  CASE
    WHEN PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."ratio") = CAST('-Infinity' AS DOUBLE PRECISION)
    OR PERCENTILE_DISC(0.5000000001) WITHIN GROUP (ORDER BY
      t."ratio") = CAST('Infinity' AS DOUBLE PRECISION)
    THEN PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."ratio") + PERCENTILE_DISC(0.5000000001) WITHIN GROUP (ORDER BY
      t."ratio")
    ELSE PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
      t."ratio")
  END AS c2_median,
  COUNT(t."score") AS c3_not_null_count,
  CAST(MIN(t."score") AS TEXT) AS c3_min,
  CAST(MAX(t."score") AS TEXT) AS c3_max,
  CAST(SUM(CAST(t."score" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."score"), 0) AS c3_avg,
  CASE
    WHEN PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      CAST(t."score" AS DOUBLE PRECISION)) = CAST('-Infinity' AS DOUBLE PRECISION)
    OR PERCENTILE_DISC(0.5000000001) WITHIN GROUP (ORDER BY
      CAST(t."score" AS DOUBLE PRECISION)) = CAST('Infinity' AS DOUBLE PRECISION)
    THEN PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      CAST(t."score" AS DOUBLE PRECISION)) + PERCENTILE_DISC(0.5000000001) WITHIN GROUP (ORDER BY
      CAST(t."score" AS DOUBLE PRECISION))
    ELSE PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
      CAST(t."score" AS DOUBLE PRECISION))
  END AS c3_median,
  COUNT(t."note") AS c4_not_null_count,
  MIN(t."note" COLLATE "C") AS c4_min,
  MAX(t."note" COLLATE "C") AS c4_max,
  MIN(LENGTH(t."note")) AS c4_min_length,
  MAX(LENGTH(t."note")) AS c4_max_length,
  AVG(LENGTH(t."note")) AS c4_avg_length,
  COUNT(t."is_open") AS c5_not_null_count,
  COUNT(CASE WHEN t."is_open" THEN 1 END) AS c5_true_count,
  COUNT(t."ordered_on") AS c6_not_null_count,
  BTRIM(CAST(TO_JSON(MIN(t."ordered_on")) AS TEXT), '"') AS c6_min,
  BTRIM(CAST(TO_JSON(MAX(t."ordered_on")) AS TEXT), '"') AS c6_max,
  BTRIM(
    CAST(TO_JSON(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."ordered_on")) AS TEXT),
    '"'
  ) AS c6_median,
  COUNT(t."ordered_at") AS c7_not_null_count,
  BTRIM(CAST(TO_JSON(MIN(t."ordered_at")) AS TEXT), '"') AS c7_min,
  BTRIM(CAST(TO_JSON(MAX(t."ordered_at")) AS TEXT), '"') AS c7_max,
  BTRIM(
    CAST(TO_JSON(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."ordered_at")) AS TEXT),
    '"'
  ) AS c7_median,
  COUNT(t."shipped_at") AS c8_not_null_count,
  BTRIM(CAST(TO_JSON(MIN(t."shipped_at") AT TIME ZONE 'UTC') AS TEXT), '"') AS c8_min,
  BTRIM(CAST(TO_JSON(MAX(t."shipped_at") AT TIME ZONE 'UTC') AS TEXT), '"') AS c8_max,
  BTRIM(
    CAST(TO_JSON(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."shipped_at") AT TIME ZONE 'UTC') AS TEXT),
    '"'
  ) AS c8_median,
  COUNT(t."tags") AS c9_not_null_count,
  MIN(cardinality(t."tags")) AS c9_min_length,
  MAX(cardinality(t."tags")) AS c9_max_length,
  AVG(cardinality(t."tags")) AS c9_avg_length,
  COUNT(t."payload") AS c10_not_null_count,
  COUNT(t."raw") AS c11_not_null_count,
  MIN(OCTET_LENGTH(t."raw")) AS c11_min_length,
  MAX(OCTET_LENGTH(t."raw")) AS c11_max_length,
  AVG(OCTET_LENGTH(t."raw")) AS c11_avg_length,
  COUNT(t."order") AS c12_not_null_count,
  MIN(t."order") AS c12_min,
  MAX(t."order") AS c12_max,
  AVG(t."order") AS c12_avg,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
    CAST(t."order" AS DOUBLE PRECISION)) AS c12_median,
  COUNT(t."a""b") AS c13_not_null_count,
  MIN(t."a""b") AS c13_min,
  MAX(t."a""b") AS c13_max,
  AVG(t."a""b") AS c13_avg,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
    CAST(t."a""b" AS DOUBLE PRECISION)) AS c13_median
FROM "prod"."orders" AS t;

-- base: distinct count of orders.id
SELECT
  COUNT(DISTINCT t."id") AS distinct_count
FROM "prod"."orders" AS t;

-- base: distinct count of orders.amount
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."amount" AS v
  FROM "prod"."orders" AS t
) AS d;

-- base: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t."ratio") AS distinct_count
FROM "prod"."orders" AS t;

-- base: distinct count of orders.score
SELECT
  COUNT(DISTINCT t."score") AS distinct_count
FROM "prod"."orders" AS t;

-- base: distinct count of orders.note
SELECT
  COUNT(DISTINCT t."note" COLLATE "C" COLLATE "C") AS distinct_count
FROM "prod"."orders" AS t;

-- base: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t."ordered_on") AS distinct_count
FROM "prod"."orders" AS t;

-- base: distinct count of orders.ordered_at
SELECT
  COUNT(DISTINCT t."ordered_at") AS distinct_count
FROM "prod"."orders" AS t;

-- base: distinct count of orders.shipped_at
SELECT
  COUNT(DISTINCT t."shipped_at") AS distinct_count
FROM "prod"."orders" AS t;

-- base: distinct count of orders.tags
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."tags" COLLATE "C" AS v
  FROM "prod"."orders" AS t
) AS d;

-- base: distinct count of orders.payload
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    CASE
      WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
      AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
      THEN TO_JSONB(CAST(t."payload" AS TEXT))
      ELSE CAST(t."payload" AS JSONB)
    END AS v
  FROM "prod"."orders" AS t
) AS d;

-- base: distinct count of orders.raw
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."raw" AS v
  FROM "prod"."orders" AS t
) AS d;

-- base: distinct count of orders.order
SELECT
  COUNT(DISTINCT t."order") AS distinct_count
FROM "prod"."orders" AS t;

-- base: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t."a""b") AS distinct_count
FROM "prod"."orders" AS t;

-- current: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t."id") AS c0_not_null_count,
  MIN(t."id") AS c0_min,
  MAX(t."id") AS c0_max,
  AVG(t."id") AS c0_avg,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
    CAST(t."id" AS DOUBLE PRECISION)) AS c0_median,
  COUNT(t."amount") AS c1_not_null_count,
  MIN(t."amount") AS c1_min,
  MAX(t."amount") AS c1_max,
  AVG(t."amount") AS c1_avg,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
    CAST(t."amount" AS DOUBLE PRECISION)) AS c1_median,
  COUNT(t."ratio") AS c2_not_null_count,
  MIN(t."ratio") AS c2_min,
  MAX(t."ratio") AS c2_max,
  CAST(SUM(CAST(t."ratio" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."ratio"), 0) AS c2_avg,
  CASE
    WHEN PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."ratio") = CAST('-Infinity' AS DOUBLE PRECISION)
    OR PERCENTILE_DISC(0.5000000001) WITHIN GROUP (ORDER BY
      t."ratio") = CAST('Infinity' AS DOUBLE PRECISION)
    THEN PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."ratio") + PERCENTILE_DISC(0.5000000001) WITHIN GROUP (ORDER BY
      t."ratio")
    ELSE PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
      t."ratio")
  END AS c2_median,
  COUNT(t."score") AS c3_not_null_count,
  CAST(MIN(t."score") AS TEXT) AS c3_min,
  CAST(MAX(t."score") AS TEXT) AS c3_max,
  CAST(SUM(CAST(t."score" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."score"), 0) AS c3_avg,
  CASE
    WHEN PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      CAST(t."score" AS DOUBLE PRECISION)) = CAST('-Infinity' AS DOUBLE PRECISION)
    OR PERCENTILE_DISC(0.5000000001) WITHIN GROUP (ORDER BY
      CAST(t."score" AS DOUBLE PRECISION)) = CAST('Infinity' AS DOUBLE PRECISION)
    THEN PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      CAST(t."score" AS DOUBLE PRECISION)) + PERCENTILE_DISC(0.5000000001) WITHIN GROUP (ORDER BY
      CAST(t."score" AS DOUBLE PRECISION))
    ELSE PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
      CAST(t."score" AS DOUBLE PRECISION))
  END AS c3_median,
  COUNT(t."note") AS c4_not_null_count,
  MIN(t."note" COLLATE "C") AS c4_min,
  MAX(t."note" COLLATE "C") AS c4_max,
  MIN(LENGTH(t."note")) AS c4_min_length,
  MAX(LENGTH(t."note")) AS c4_max_length,
  AVG(LENGTH(t."note")) AS c4_avg_length,
  COUNT(t."is_open") AS c5_not_null_count,
  COUNT(CASE WHEN t."is_open" THEN 1 END) AS c5_true_count,
  COUNT(t."ordered_on") AS c6_not_null_count,
  BTRIM(CAST(TO_JSON(MIN(t."ordered_on")) AS TEXT), '"') AS c6_min,
  BTRIM(CAST(TO_JSON(MAX(t."ordered_on")) AS TEXT), '"') AS c6_max,
  BTRIM(
    CAST(TO_JSON(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."ordered_on")) AS TEXT),
    '"'
  ) AS c6_median,
  COUNT(t."ordered_at") AS c7_not_null_count,
  BTRIM(CAST(TO_JSON(MIN(t."ordered_at")) AS TEXT), '"') AS c7_min,
  BTRIM(CAST(TO_JSON(MAX(t."ordered_at")) AS TEXT), '"') AS c7_max,
  BTRIM(
    CAST(TO_JSON(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."ordered_at")) AS TEXT),
    '"'
  ) AS c7_median,
  COUNT(t."shipped_at") AS c8_not_null_count,
  BTRIM(CAST(TO_JSON(MIN(t."shipped_at") AT TIME ZONE 'UTC') AS TEXT), '"') AS c8_min,
  BTRIM(CAST(TO_JSON(MAX(t."shipped_at") AT TIME ZONE 'UTC') AS TEXT), '"') AS c8_max,
  BTRIM(
    CAST(TO_JSON(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."shipped_at") AT TIME ZONE 'UTC') AS TEXT),
    '"'
  ) AS c8_median,
  COUNT(t."tags") AS c9_not_null_count,
  MIN(cardinality(t."tags")) AS c9_min_length,
  MAX(cardinality(t."tags")) AS c9_max_length,
  AVG(cardinality(t."tags")) AS c9_avg_length,
  COUNT(t."payload") AS c10_not_null_count,
  COUNT(t."raw") AS c11_not_null_count,
  MIN(OCTET_LENGTH(t."raw")) AS c11_min_length,
  MAX(OCTET_LENGTH(t."raw")) AS c11_max_length,
  AVG(OCTET_LENGTH(t."raw")) AS c11_avg_length,
  COUNT(t."order") AS c12_not_null_count,
  MIN(t."order") AS c12_min,
  MAX(t."order") AS c12_max,
  AVG(t."order") AS c12_avg,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
    CAST(t."order" AS DOUBLE PRECISION)) AS c12_median,
  COUNT(t."a""b") AS c13_not_null_count,
  MIN(t."a""b") AS c13_min,
  MAX(t."a""b") AS c13_max,
  AVG(t."a""b") AS c13_avg,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
    CAST(t."a""b" AS DOUBLE PRECISION)) AS c13_median
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t."id") AS distinct_count
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.amount
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."amount" AS v
  FROM "pr_42"."orders" AS t
) AS d;

-- current: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t."ratio") AS distinct_count
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.score
SELECT
  COUNT(DISTINCT t."score") AS distinct_count
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.note
SELECT
  COUNT(DISTINCT t."note" COLLATE "C" COLLATE "C") AS distinct_count
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t."ordered_on") AS distinct_count
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.ordered_at
SELECT
  COUNT(DISTINCT t."ordered_at") AS distinct_count
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.shipped_at
SELECT
  COUNT(DISTINCT t."shipped_at") AS distinct_count
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.tags
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."tags" COLLATE "C" AS v
  FROM "pr_42"."orders" AS t
) AS d;

-- current: distinct count of orders.payload
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    CASE
      WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
      AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
      THEN TO_JSONB(CAST(t."payload" AS TEXT))
      ELSE CAST(t."payload" AS JSONB)
    END AS v
  FROM "pr_42"."orders" AS t
) AS d;

-- current: distinct count of orders.raw
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."raw" AS v
  FROM "pr_42"."orders" AS t
) AS d;

-- current: distinct count of orders.order
SELECT
  COUNT(DISTINCT t."order") AS distinct_count
FROM "pr_42"."orders" AS t;

-- current: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t."a""b") AS distinct_count
FROM "pr_42"."orders" AS t;
