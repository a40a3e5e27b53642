-- == row_count_diff/two_models
-- base: rows of 4 relations
SELECT
  0 AS relation_number,
  COUNT(*) AS row_count
FROM "prod"."orders" AS t
UNION ALL
SELECT
  1 AS relation_number,
  COUNT(*) AS row_count
FROM "pr_42"."orders" AS t
UNION ALL
SELECT
  2 AS relation_number,
  COUNT(*) AS row_count
FROM "prod"."orders" AS t
WHERE
  (
    
    id > 10 -- recent ones
    
  )
UNION ALL
SELECT
  3 AS relation_number,
  COUNT(*) AS row_count
FROM "pr_42"."orders" AS t
WHERE
  (
    
    id > 10 -- recent ones
    
  );

-- == profile_diff/every_type
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
  CASE
    WHEN ABS(SUM(CAST(t."ratio" AS DOUBLE PRECISION))) < CAST('1e-290' AS DOUBLE PRECISION)
    THEN CAST('0' AS DOUBLE PRECISION)
    ELSE CAST(SUM(CAST(t."ratio" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."ratio"), 0)
  END AS c2_avg,
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
  CASE
    WHEN ABS(SUM(CAST(t."score" AS DOUBLE PRECISION))) < CAST('1e-290' AS DOUBLE PRECISION)
    THEN CAST('0' AS DOUBLE PRECISION)
    ELSE CAST(SUM(CAST(t."score" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."score"), 0)
  END AS c3_avg,
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
  CASE
    WHEN ABS(SUM(CAST(t."ratio" AS DOUBLE PRECISION))) < CAST('1e-290' AS DOUBLE PRECISION)
    THEN CAST('0' AS DOUBLE PRECISION)
    ELSE CAST(SUM(CAST(t."ratio" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."ratio"), 0)
  END AS c2_avg,
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
  CASE
    WHEN ABS(SUM(CAST(t."score" AS DOUBLE PRECISION))) < CAST('1e-290' AS DOUBLE PRECISION)
    THEN CAST('0' AS DOUBLE PRECISION)
    ELSE CAST(SUM(CAST(t."score" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."score"), 0)
  END AS c3_avg,
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

-- == profile_diff/approximate
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

-- == profile_diff/new_model
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

-- == top_k_diff/several_columns
-- current: most frequent values of 6 columns of orders
SELECT
  0 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC NULLS LAST, f.base_rows DESC NULLS LAST, f.v COLLATE "C"
  ) AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      COUNT(CASE WHEN g.side = 0 THEN 1 END) AS base_rows,
      COUNT(CASE WHEN g.side = 1 THEN 1 END) AS current_rows
    FROM (
      SELECT
        t."note" COLLATE "C" AS v,
        0 AS side
      FROM "prod"."orders" AS t
      WHERE
        NOT t."note" IS NULL
      UNION ALL
      SELECT
        t."note" COLLATE "C" AS v,
        1 AS side
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."note" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.base_rows DESC NULLS LAST,
    c.v COLLATE "C"
  LIMIT 5
) AS f
UNION ALL
SELECT
  1 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.base_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      COUNT(CASE WHEN g.side = 0 THEN 1 END) AS base_rows,
      COUNT(CASE WHEN g.side = 1 THEN 1 END) AS current_rows
    FROM (
      SELECT
        t."amount" AS v,
        0 AS side
      FROM "prod"."orders" AS t
      WHERE
        NOT t."amount" IS NULL
      UNION ALL
      SELECT
        t."amount" AS v,
        1 AS side
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."amount" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.base_rows DESC NULLS LAST,
    c.v
  LIMIT 5
) AS f
UNION ALL
SELECT
  2 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.base_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      COUNT(CASE WHEN g.side = 0 THEN 1 END) AS base_rows,
      COUNT(CASE WHEN g.side = 1 THEN 1 END) AS current_rows
    FROM (
      SELECT
        t."is_open" AS v,
        0 AS side
      FROM "prod"."orders" AS t
      WHERE
        NOT t."is_open" IS NULL
      UNION ALL
      SELECT
        t."is_open" AS v,
        1 AS side
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."is_open" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.base_rows DESC NULLS LAST,
    c.v
  LIMIT 5
) AS f
UNION ALL
SELECT
  3 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.base_rows DESC NULLS LAST, f.v) AS place,
  BTRIM(CAST(TO_JSON(f.v AT TIME ZONE 'UTC') AS TEXT), '"') AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      COUNT(CASE WHEN g.side = 0 THEN 1 END) AS base_rows,
      COUNT(CASE WHEN g.side = 1 THEN 1 END) AS current_rows
    FROM (
      SELECT
        t."shipped_at" AS v,
        0 AS side
      FROM "prod"."orders" AS t
      WHERE
        NOT t."shipped_at" IS NULL
      UNION ALL
      SELECT
        t."shipped_at" AS v,
        1 AS side
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."shipped_at" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.base_rows DESC NULLS LAST,
    c.v
  LIMIT 5
) AS f
UNION ALL
SELECT
  4 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC NULLS LAST, f.base_rows DESC NULLS LAST, CASE
      WHEN CAST(f.v AS TEXT) LIKE '[%'
      THEN CAST(f.v AS TEXT)
      ELSE CAST(TO_JSON(f.v) AS TEXT)
    END COLLATE "C"
  ) AS place,
  CASE
    WHEN CAST(f.v AS TEXT) LIKE '[%'
    THEN CAST(f.v AS TEXT)
    ELSE CAST(TO_JSON(f.v) AS TEXT)
  END AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      COUNT(CASE WHEN g.side = 0 THEN 1 END) AS base_rows,
      COUNT(CASE WHEN g.side = 1 THEN 1 END) AS current_rows
    FROM (
      SELECT
        t."tags" COLLATE "C" AS v,
        0 AS side
      FROM "prod"."orders" AS t
      WHERE
        NOT t."tags" IS NULL
      UNION ALL
      SELECT
        t."tags" COLLATE "C" AS v,
        1 AS side
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."tags" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.base_rows DESC NULLS LAST,
    CASE
      WHEN CAST(c.v AS TEXT) LIKE '[%'
      THEN CAST(c.v AS TEXT)
      ELSE CAST(TO_JSON(c.v) AS TEXT)
    END COLLATE "C"
  LIMIT 5
) AS f
UNION ALL
SELECT
  5 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.base_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      COUNT(CASE WHEN g.side = 0 THEN 1 END) AS base_rows,
      COUNT(CASE WHEN g.side = 1 THEN 1 END) AS current_rows
    FROM (
      SELECT
        t."order" AS v,
        0 AS side
      FROM "prod"."orders" AS t
      WHERE
        NOT t."order" IS NULL
      UNION ALL
      SELECT
        t."order" AS v,
        1 AS side
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."order" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.base_rows DESC NULLS LAST,
    c.v
  LIMIT 5
) AS f;

-- current: values of orders
SELECT
  0 AS side,
  COUNT(*) AS row_count,
  COUNT(t."note") AS c0_valid,
  COUNT(t."amount") AS c1_valid,
  COUNT(t."is_open") AS c2_valid,
  COUNT(t."shipped_at") AS c3_valid,
  COUNT(t."tags") AS c4_valid,
  COUNT(t."order") AS c5_valid
FROM "prod"."orders" AS t
UNION ALL
SELECT
  1 AS side,
  COUNT(*) AS row_count,
  COUNT(t."note") AS c0_valid,
  COUNT(t."amount") AS c1_valid,
  COUNT(t."is_open") AS c2_valid,
  COUNT(t."shipped_at") AS c3_valid,
  COUNT(t."tags") AS c4_valid,
  COUNT(t."order") AS c5_valid
FROM "pr_42"."orders" AS t;

-- == top_k_diff/new_model
-- current: most frequent values of note of orders
SELECT
  0 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v COLLATE "C") AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t."note" COLLATE "C" AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."note" IS NULL AND (
          
          id > 10
          
        )
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.v COLLATE "C"
  LIMIT 10
) AS f;

-- current: values of orders
SELECT
  1 AS side,
  COUNT(*) AS row_count,
  COUNT(t."note") AS c0_valid
FROM "pr_42"."orders" AS t
WHERE
  (
    
    id > 10
    
  );

-- == top_k_diff/two_targets
-- base: most frequent values of orders.note
SELECT
  CAST(f.v AS TEXT) AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      t."note" COLLATE "C" AS v,
      COUNT(*) AS row_count
    FROM "prod"."orders" AS t
    WHERE
      NOT t."note" IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC NULLS LAST,
    c.v COLLATE "C"
  LIMIT 3
) AS f;

-- base: most frequent values of orders.ratio
SELECT
  CAST(f.v AS TEXT) AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      t."ratio" AS v,
      COUNT(*) AS row_count
    FROM "prod"."orders" AS t
    WHERE
      NOT t."ratio" IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- base: most frequent values of orders.ordered_on
SELECT
  BTRIM(CAST(TO_JSON(f.v) AS TEXT), '"') AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      t."ordered_on" AS v,
      COUNT(*) AS row_count
    FROM "prod"."orders" AS t
    WHERE
      NOT t."ordered_on" IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- base: most frequent values of orders.raw
SELECT
  f.v AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      ENCODE(t."raw", 'hex') AS v,
      COUNT(*) AS row_count
    FROM "prod"."orders" AS t
    WHERE
      NOT t."raw" IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC NULLS LAST,
    c.v COLLATE "C"
  LIMIT 3
) AS f;

-- current: most frequent values of orders.note
SELECT
  CAST(f.v AS TEXT) AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      t."note" COLLATE "C" AS v,
      COUNT(*) AS row_count
    FROM "pr_42"."orders" AS t
    WHERE
      NOT t."note" IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC NULLS LAST,
    c.v COLLATE "C"
  LIMIT 3
) AS f;

-- current: most frequent values of orders.ratio
SELECT
  CAST(f.v AS TEXT) AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      t."ratio" AS v,
      COUNT(*) AS row_count
    FROM "pr_42"."orders" AS t
    WHERE
      NOT t."ratio" IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- current: most frequent values of orders.ordered_on
SELECT
  BTRIM(CAST(TO_JSON(f.v) AS TEXT), '"') AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      t."ordered_on" AS v,
      COUNT(*) AS row_count
    FROM "pr_42"."orders" AS t
    WHERE
      NOT t."ordered_on" IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- current: most frequent values of orders.raw
SELECT
  f.v AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      ENCODE(t."raw", 'hex') AS v,
      COUNT(*) AS row_count
    FROM "pr_42"."orders" AS t
    WHERE
      NOT t."raw" IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC NULLS LAST,
    c.v COLLATE "C"
  LIMIT 3
) AS f;

-- base: values of orders
SELECT
  0 AS side,
  COUNT(*) AS row_count,
  COUNT(t."note") AS c0_valid,
  COUNT(t."ratio") AS c1_valid,
  COUNT(t."ordered_on") AS c2_valid,
  COUNT(t."raw") AS c3_valid
FROM "prod"."orders" AS t;

-- current: values of orders
SELECT
  1 AS side,
  COUNT(*) AS row_count,
  COUNT(t."note") AS c0_valid,
  COUNT(t."ratio") AS c1_valid,
  COUNT(t."ordered_on") AS c2_valid,
  COUNT(t."raw") AS c3_valid
FROM "pr_42"."orders" AS t;

-- base: other side's values of orders.note
SELECT
  CAST(f.v AS TEXT) AS value,
  f.row_count
FROM (
  SELECT
    t."note" COLLATE "C" AS v,
    COUNT(*) AS row_count
  FROM "prod"."orders" AS t
  WHERE
    NOT t."note" IS NULL AND t."note" IN ('…')
  GROUP BY
    1
) AS f;

-- base: other side's values of orders.ratio
SELECT
  CAST(f.v AS TEXT) AS value,
  f.row_count
FROM (
  SELECT
    t."ratio" AS v,
    COUNT(*) AS row_count
  FROM "prod"."orders" AS t
  WHERE
    NOT t."ratio" IS NULL AND t."ratio" IN (CAST('0.0' AS DOUBLE PRECISION))
  GROUP BY
    1
) AS f;

-- base: other side's values of orders.ordered_on
SELECT
  BTRIM(CAST(TO_JSON(f.v) AS TEXT), '"') AS value,
  f.row_count
FROM (
  SELECT
    t."ordered_on" AS v,
    COUNT(*) AS row_count
  FROM "prod"."orders" AS t
  WHERE
    NOT t."ordered_on" IS NULL AND t."ordered_on" IN (CAST('2000-01-01' AS DATE))
  GROUP BY
    1
) AS f;

-- base: other side's values of orders.raw
SELECT
  f.v AS value,
  f.row_count
FROM (
  SELECT
    ENCODE(t."raw", 'hex') AS v,
    COUNT(*) AS row_count
  FROM "prod"."orders" AS t
  WHERE
    NOT t."raw" IS NULL AND ENCODE(t."raw", 'hex') IN ('00')
  GROUP BY
    1
) AS f;

-- == histogram_diff/several_columns
-- current: range of 6 columns of orders
SELECT
  b.base_c0_min,
  b.base_c0_max,
  b.base_c0_count,
  b.base_c1_min,
  b.base_c1_max,
  b.base_c1_count,
  b.base_c2_min,
  b.base_c2_max,
  b.base_c2_count,
  b.base_c3_min,
  b.base_c3_max,
  b.base_c3_count,
  b.base_c4_min,
  b.base_c4_max,
  b.base_c4_count,
  b.base_c5_min,
  b.base_c5_max,
  b.base_c5_count,
  c.current_c0_min,
  c.current_c0_max,
  c.current_c0_count,
  c.current_c1_min,
  c.current_c1_max,
  c.current_c1_count,
  c.current_c2_min,
  c.current_c2_max,
  c.current_c2_count,
  c.current_c3_min,
  c.current_c3_max,
  c.current_c3_count,
  c.current_c4_min,
  c.current_c4_max,
  c.current_c4_count,
  c.current_c5_min,
  c.current_c5_max,
  c.current_c5_count
FROM (
  SELECT
    MIN(t."id") AS base_c0_min,
    MAX(t."id") AS base_c0_max,
    COUNT(t."id") AS base_c0_count,
    MIN(
      CASE
        WHEN t."amount" < CAST('Infinity' AS DECIMAL)
        AND t."amount" > -CAST('Infinity' AS DECIMAL)
        THEN t."amount"
      END
    ) AS base_c1_min,
    MAX(
      CASE
        WHEN t."amount" < CAST('Infinity' AS DECIMAL)
        AND t."amount" > -CAST('Infinity' AS DECIMAL)
        THEN t."amount"
      END
    ) AS base_c1_max,
    COUNT(t."amount") AS base_c1_count,
    MIN(
      CASE
        WHEN CAST(t."ratio" AS DOUBLE PRECISION) <= 1.7976931348623157e308
        AND CAST(t."ratio" AS DOUBLE PRECISION) >= -1.7976931348623157e308
        THEN CAST(t."ratio" AS DOUBLE PRECISION)
      END
    ) AS base_c2_min,
    MAX(
      CASE
        WHEN CAST(t."ratio" AS DOUBLE PRECISION) <= 1.7976931348623157e308
        AND CAST(t."ratio" AS DOUBLE PRECISION) >= -1.7976931348623157e308
        THEN CAST(t."ratio" AS DOUBLE PRECISION)
      END
    ) AS base_c2_max,
    COUNT(t."ratio") AS base_c2_count,
    BTRIM(
      CAST(TO_JSON(
        MIN(
          CASE
            WHEN t."ordered_on" >= CAST('0001-01-01' AS DATE)
            AND t."ordered_on" <= CAST('9999-12-31' AS DATE)
            THEN t."ordered_on"
          END
        )
      ) AS TEXT),
      '"'
    ) AS base_c3_min,
    BTRIM(
      CAST(TO_JSON(
        MAX(
          CASE
            WHEN t."ordered_on" >= CAST('0001-01-01' AS DATE)
            AND t."ordered_on" <= CAST('9999-12-31' AS DATE)
            THEN t."ordered_on"
          END
        )
      ) AS TEXT),
      '"'
    ) AS base_c3_max,
    COUNT(t."ordered_on") AS base_c3_count,
    BTRIM(
      CAST(TO_JSON(
        MIN(
          CASE
            WHEN t."shipped_at" >= CAST('0001-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
            AND t."shipped_at" <= CAST('9999-12-31 23:59:59.999999+00:00' AS TIMESTAMPTZ)
            THEN t."shipped_at"
          END
        ) AT TIME ZONE 'UTC'
      ) AS TEXT),
      '"'
    ) AS base_c4_min,
    BTRIM(
      CAST(TO_JSON(
        MAX(
          CASE
            WHEN t."shipped_at" >= CAST('0001-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
            AND t."shipped_at" <= CAST('9999-12-31 23:59:59.999999+00:00' AS TIMESTAMPTZ)
            THEN t."shipped_at"
          END
        ) AT TIME ZONE 'UTC'
      ) AS TEXT),
      '"'
    ) AS base_c4_max,
    COUNT(t."shipped_at") AS base_c4_count,
    MIN(t."a""b") AS base_c5_min,
    MAX(t."a""b") AS base_c5_max,
    COUNT(t."a""b") AS base_c5_count
  FROM "prod"."orders" AS t
) AS b
CROSS JOIN (
  SELECT
    MIN(t."id") AS current_c0_min,
    MAX(t."id") AS current_c0_max,
    COUNT(t."id") AS current_c0_count,
    MIN(
      CASE
        WHEN t."amount" < CAST('Infinity' AS DECIMAL)
        AND t."amount" > -CAST('Infinity' AS DECIMAL)
        THEN t."amount"
      END
    ) AS current_c1_min,
    MAX(
      CASE
        WHEN t."amount" < CAST('Infinity' AS DECIMAL)
        AND t."amount" > -CAST('Infinity' AS DECIMAL)
        THEN t."amount"
      END
    ) AS current_c1_max,
    COUNT(t."amount") AS current_c1_count,
    MIN(
      CASE
        WHEN CAST(t."ratio" AS DOUBLE PRECISION) <= 1.7976931348623157e308
        AND CAST(t."ratio" AS DOUBLE PRECISION) >= -1.7976931348623157e308
        THEN CAST(t."ratio" AS DOUBLE PRECISION)
      END
    ) AS current_c2_min,
    MAX(
      CASE
        WHEN CAST(t."ratio" AS DOUBLE PRECISION) <= 1.7976931348623157e308
        AND CAST(t."ratio" AS DOUBLE PRECISION) >= -1.7976931348623157e308
        THEN CAST(t."ratio" AS DOUBLE PRECISION)
      END
    ) AS current_c2_max,
    COUNT(t."ratio") AS current_c2_count,
    BTRIM(
      CAST(TO_JSON(
        MIN(
          CASE
            WHEN t."ordered_on" >= CAST('0001-01-01' AS DATE)
            AND t."ordered_on" <= CAST('9999-12-31' AS DATE)
            THEN t."ordered_on"
          END
        )
      ) AS TEXT),
      '"'
    ) AS current_c3_min,
    BTRIM(
      CAST(TO_JSON(
        MAX(
          CASE
            WHEN t."ordered_on" >= CAST('0001-01-01' AS DATE)
            AND t."ordered_on" <= CAST('9999-12-31' AS DATE)
            THEN t."ordered_on"
          END
        )
      ) AS TEXT),
      '"'
    ) AS current_c3_max,
    COUNT(t."ordered_on") AS current_c3_count,
    BTRIM(
      CAST(TO_JSON(
        MIN(
          CASE
            WHEN t."shipped_at" >= CAST('0001-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
            AND t."shipped_at" <= CAST('9999-12-31 23:59:59.999999+00:00' AS TIMESTAMPTZ)
            THEN t."shipped_at"
          END
        ) AT TIME ZONE 'UTC'
      ) AS TEXT),
      '"'
    ) AS current_c4_min,
    BTRIM(
      CAST(TO_JSON(
        MAX(
          CASE
            WHEN t."shipped_at" >= CAST('0001-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
            AND t."shipped_at" <= CAST('9999-12-31 23:59:59.999999+00:00' AS TIMESTAMPTZ)
            THEN t."shipped_at"
          END
        ) AT TIME ZONE 'UTC'
      ) AS TEXT),
      '"'
    ) AS current_c4_max,
    COUNT(t."shipped_at") AS current_c4_count,
    MIN(t."a""b") AS current_c5_min,
    MAX(t."a""b") AS current_c5_max,
    COUNT(t."a""b") AS current_c5_count
  FROM "pr_42"."orders" AS t
) AS c;

-- current: histogram of 6 columns of orders
SELECT
  r.side,
  r.c0,
  r.c1,
  r.c2,
  r.c3,
  r.c4,
  r.c5,
  COUNT(*) AS row_count
FROM (
  SELECT
    0 AS side,
    CASE
      WHEN t."id" IS NULL
      THEN -2
      ELSE CASE
        WHEN t."id" < 40
        THEN CASE WHEN t."id" < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t."id" < 60 THEN 2 ELSE CASE WHEN t."id" < 80 THEN 3 ELSE 4 END END
      END
    END AS c0,
    CASE
      WHEN t."amount" IS NULL
      THEN -2
      WHEN NOT (
        t."amount" < CAST('Infinity' AS DECIMAL)
        AND t."amount" > -CAST('Infinity' AS DECIMAL)
      )
      THEN -1
      ELSE CASE
        WHEN t."amount" < 40
        THEN CASE WHEN t."amount" < 20 THEN 0 ELSE 1 END
        ELSE CASE
          WHEN t."amount" < 60
          THEN 2
          ELSE CASE WHEN t."amount" < 80 THEN 3 ELSE 4 END
        END
      END
    END AS c1,
    CASE
      WHEN t."ratio" IS NULL
      THEN -2
      WHEN NOT (
        CAST(t."ratio" AS DOUBLE PRECISION) <= 1.7976931348623157e308
        AND CAST(t."ratio" AS DOUBLE PRECISION) >= -1.7976931348623157e308
      )
      THEN -1
      ELSE CASE
        WHEN CAST(t."ratio" AS DOUBLE PRECISION) < CAST('40.0' AS DOUBLE PRECISION)
        THEN CASE
          WHEN CAST(t."ratio" AS DOUBLE PRECISION) < CAST('20.0' AS DOUBLE PRECISION)
          THEN 0
          ELSE 1
        END
        ELSE CASE
          WHEN CAST(t."ratio" AS DOUBLE PRECISION) < CAST('60.0' AS DOUBLE PRECISION)
          THEN 2
          ELSE CASE
            WHEN CAST(t."ratio" AS DOUBLE PRECISION) < CAST('80.0' AS DOUBLE PRECISION)
            THEN 3
            ELSE 4
          END
        END
      END
    END AS c2,
    CASE
      WHEN t."ordered_on" IS NULL
      THEN -2
      WHEN NOT (
        t."ordered_on" >= CAST('0001-01-01' AS DATE)
        AND t."ordered_on" <= CAST('9999-12-31' AS DATE)
      )
      THEN -1
      ELSE CASE
        WHEN t."ordered_on" < CAST('2000-07-01' AS DATE)
        THEN CASE
          WHEN t."ordered_on" < CAST('2000-04-01' AS DATE)
          THEN CASE
            WHEN t."ordered_on" < CAST('2000-02-01' AS DATE)
            THEN 0
            ELSE CASE WHEN t."ordered_on" < CAST('2000-03-01' AS DATE) THEN 1 ELSE 2 END
          END
          ELSE CASE
            WHEN t."ordered_on" < CAST('2000-05-01' AS DATE)
            THEN 3
            ELSE CASE WHEN t."ordered_on" < CAST('2000-06-01' AS DATE) THEN 4 ELSE 5 END
          END
        END
        ELSE CASE
          WHEN t."ordered_on" < CAST('2000-10-01' AS DATE)
          THEN CASE
            WHEN t."ordered_on" < CAST('2000-08-01' AS DATE)
            THEN 6
            ELSE CASE WHEN t."ordered_on" < CAST('2000-09-01' AS DATE) THEN 7 ELSE 8 END
          END
          ELSE CASE
            WHEN t."ordered_on" < CAST('2000-11-01' AS DATE)
            THEN 9
            ELSE CASE WHEN t."ordered_on" < CAST('2000-12-01' AS DATE) THEN 10 ELSE 11 END
          END
        END
      END
    END AS c3,
    CASE
      WHEN t."shipped_at" IS NULL
      THEN -2
      WHEN NOT (
        t."shipped_at" >= CAST('0001-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
        AND t."shipped_at" <= CAST('9999-12-31 23:59:59.999999+00:00' AS TIMESTAMPTZ)
      )
      THEN -1
      ELSE CASE
        WHEN t."shipped_at" < CAST('2000-01-01 12:00:00.000000+00:00' AS TIMESTAMPTZ)
        THEN CASE
          WHEN t."shipped_at" < CAST('2000-01-01 06:00:00.000000+00:00' AS TIMESTAMPTZ)
          THEN 0
          ELSE 1
        END
        ELSE CASE
          WHEN t."shipped_at" < CAST('2000-01-01 18:00:00.000000+00:00' AS TIMESTAMPTZ)
          THEN 2
          ELSE CASE
            WHEN t."shipped_at" < CAST('2000-01-02 00:00:00.000000+00:00' AS TIMESTAMPTZ)
            THEN 3
            ELSE 4
          END
        END
      END
    END AS c4,
    CASE
      WHEN t."a""b" IS NULL
      THEN -2
      ELSE CASE
        WHEN t."a""b" < 40
        THEN CASE WHEN t."a""b" < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t."a""b" < 60 THEN 2 ELSE CASE WHEN t."a""b" < 80 THEN 3 ELSE 4 END END
      END
    END AS c5
  FROM "prod"."orders" AS t
  UNION ALL
  SELECT
    1 AS side,
    CASE
      WHEN t."id" IS NULL
      THEN -2
      ELSE CASE
        WHEN t."id" < 40
        THEN CASE WHEN t."id" < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t."id" < 60 THEN 2 ELSE CASE WHEN t."id" < 80 THEN 3 ELSE 4 END END
      END
    END AS c0,
    CASE
      WHEN t."amount" IS NULL
      THEN -2
      WHEN NOT (
        t."amount" < CAST('Infinity' AS DECIMAL)
        AND t."amount" > -CAST('Infinity' AS DECIMAL)
      )
      THEN -1
      ELSE CASE
        WHEN t."amount" < 40
        THEN CASE WHEN t."amount" < 20 THEN 0 ELSE 1 END
        ELSE CASE
          WHEN t."amount" < 60
          THEN 2
          ELSE CASE WHEN t."amount" < 80 THEN 3 ELSE 4 END
        END
      END
    END AS c1,
    CASE
      WHEN t."ratio" IS NULL
      THEN -2
      WHEN NOT (
        CAST(t."ratio" AS DOUBLE PRECISION) <= 1.7976931348623157e308
        AND CAST(t."ratio" AS DOUBLE PRECISION) >= -1.7976931348623157e308
      )
      THEN -1
      ELSE CASE
        WHEN CAST(t."ratio" AS DOUBLE PRECISION) < CAST('40.0' AS DOUBLE PRECISION)
        THEN CASE
          WHEN CAST(t."ratio" AS DOUBLE PRECISION) < CAST('20.0' AS DOUBLE PRECISION)
          THEN 0
          ELSE 1
        END
        ELSE CASE
          WHEN CAST(t."ratio" AS DOUBLE PRECISION) < CAST('60.0' AS DOUBLE PRECISION)
          THEN 2
          ELSE CASE
            WHEN CAST(t."ratio" AS DOUBLE PRECISION) < CAST('80.0' AS DOUBLE PRECISION)
            THEN 3
            ELSE 4
          END
        END
      END
    END AS c2,
    CASE
      WHEN t."ordered_on" IS NULL
      THEN -2
      WHEN NOT (
        t."ordered_on" >= CAST('0001-01-01' AS DATE)
        AND t."ordered_on" <= CAST('9999-12-31' AS DATE)
      )
      THEN -1
      ELSE CASE
        WHEN t."ordered_on" < CAST('2000-07-01' AS DATE)
        THEN CASE
          WHEN t."ordered_on" < CAST('2000-04-01' AS DATE)
          THEN CASE
            WHEN t."ordered_on" < CAST('2000-02-01' AS DATE)
            THEN 0
            ELSE CASE WHEN t."ordered_on" < CAST('2000-03-01' AS DATE) THEN 1 ELSE 2 END
          END
          ELSE CASE
            WHEN t."ordered_on" < CAST('2000-05-01' AS DATE)
            THEN 3
            ELSE CASE WHEN t."ordered_on" < CAST('2000-06-01' AS DATE) THEN 4 ELSE 5 END
          END
        END
        ELSE CASE
          WHEN t."ordered_on" < CAST('2000-10-01' AS DATE)
          THEN CASE
            WHEN t."ordered_on" < CAST('2000-08-01' AS DATE)
            THEN 6
            ELSE CASE WHEN t."ordered_on" < CAST('2000-09-01' AS DATE) THEN 7 ELSE 8 END
          END
          ELSE CASE
            WHEN t."ordered_on" < CAST('2000-11-01' AS DATE)
            THEN 9
            ELSE CASE WHEN t."ordered_on" < CAST('2000-12-01' AS DATE) THEN 10 ELSE 11 END
          END
        END
      END
    END AS c3,
    CASE
      WHEN t."shipped_at" IS NULL
      THEN -2
      WHEN NOT (
        t."shipped_at" >= CAST('0001-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
        AND t."shipped_at" <= CAST('9999-12-31 23:59:59.999999+00:00' AS TIMESTAMPTZ)
      )
      THEN -1
      ELSE CASE
        WHEN t."shipped_at" < CAST('2000-01-01 12:00:00.000000+00:00' AS TIMESTAMPTZ)
        THEN CASE
          WHEN t."shipped_at" < CAST('2000-01-01 06:00:00.000000+00:00' AS TIMESTAMPTZ)
          THEN 0
          ELSE 1
        END
        ELSE CASE
          WHEN t."shipped_at" < CAST('2000-01-01 18:00:00.000000+00:00' AS TIMESTAMPTZ)
          THEN 2
          ELSE CASE
            WHEN t."shipped_at" < CAST('2000-01-02 00:00:00.000000+00:00' AS TIMESTAMPTZ)
            THEN 3
            ELSE 4
          END
        END
      END
    END AS c4,
    CASE
      WHEN t."a""b" IS NULL
      THEN -2
      ELSE CASE
        WHEN t."a""b" < 40
        THEN CASE WHEN t."a""b" < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t."a""b" < 60 THEN 2 ELSE CASE WHEN t."a""b" < 80 THEN 3 ELSE 4 END END
      END
    END AS c5
  FROM "pr_42"."orders" AS t
) AS r
GROUP BY
  GROUPING SETS (
    (r.side, r.c0),
    (r.side, r.c1),
    (r.side, r.c2),
    (r.side, r.c3),
    (r.side, r.c4),
    (r.side, r.c5)
  );

-- == histogram_diff/new_model
-- current: range of amount of orders
SELECT
  MIN(
    CASE
      WHEN t."amount" < CAST('Infinity' AS DECIMAL)
      AND t."amount" > -CAST('Infinity' AS DECIMAL)
      THEN t."amount"
    END
  ) AS current_c0_min,
  MAX(
    CASE
      WHEN t."amount" < CAST('Infinity' AS DECIMAL)
      AND t."amount" > -CAST('Infinity' AS DECIMAL)
      THEN t."amount"
    END
  ) AS current_c0_max,
  COUNT(t."amount") AS current_c0_count
FROM "pr_42"."orders" AS t
WHERE
  (
    
    id > 10
    
  );

-- current: histogram of amount of orders
SELECT
  r.side,
  r.c0,
  COUNT(*) AS row_count
FROM (
  SELECT
    1 AS side,
    CASE
      WHEN t."amount" IS NULL
      THEN -2
      WHEN NOT (
        t."amount" < CAST('Infinity' AS DECIMAL)
        AND t."amount" > -CAST('Infinity' AS DECIMAL)
      )
      THEN -1
      ELSE CASE
        WHEN t."amount" < 50
        THEN CASE WHEN t."amount" < 25 THEN 0 ELSE 1 END
        ELSE CASE WHEN t."amount" < 75 THEN 2 ELSE 3 END
      END
    END AS c0
  FROM "pr_42"."orders" AS t
  WHERE
    (
      
      id > 10
      
    )
) AS r
GROUP BY
  GROUPING SETS (
    (r.side, r.c0)
  );

-- == histogram_diff/two_targets
-- base: range of order of orders
SELECT
  MIN(t."order") AS base_c0_min,
  MAX(t."order") AS base_c0_max,
  COUNT(t."order") AS base_c0_count
FROM "prod"."orders" AS t;

-- current: range of order of orders
SELECT
  MIN(t."order") AS current_c0_min,
  MAX(t."order") AS current_c0_max,
  COUNT(t."order") AS current_c0_count
FROM "pr_42"."orders" AS t;

-- base: histogram of order of orders
SELECT
  r.side,
  r.c0,
  COUNT(*) AS row_count
FROM (
  SELECT
    0 AS side,
    CASE
      WHEN t."order" IS NULL
      THEN -2
      ELSE CASE
        WHEN t."order" < 50
        THEN CASE WHEN t."order" < 25 THEN 0 ELSE 1 END
        ELSE CASE WHEN t."order" < 75 THEN 2 ELSE 3 END
      END
    END AS c0
  FROM "prod"."orders" AS t
) AS r
GROUP BY
  GROUPING SETS (
    (r.side, r.c0)
  );

-- current: histogram of order of orders
SELECT
  r.side,
  r.c0,
  COUNT(*) AS row_count
FROM (
  SELECT
    1 AS side,
    CASE
      WHEN t."order" IS NULL
      THEN -2
      ELSE CASE
        WHEN t."order" < 50
        THEN CASE WHEN t."order" < 25 THEN 0 ELSE 1 END
        ELSE CASE WHEN t."order" < 75 THEN 2 ELSE 3 END
      END
    END AS c0
  FROM "pr_42"."orders" AS t
) AS r
GROUP BY
  GROUPING SETS (
    (r.side, r.c0)
  );

-- == quality/every_type
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
  CASE
    WHEN ABS(SUM(CAST(t."ratio" AS DOUBLE PRECISION))) < CAST('1e-290' AS DOUBLE PRECISION)
    THEN CAST('0' AS DOUBLE PRECISION)
    ELSE CAST(SUM(CAST(t."ratio" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."ratio"), 0)
  END AS c2_avg,
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
  CASE
    WHEN ABS(SUM(CAST(t."score" AS DOUBLE PRECISION))) < CAST('1e-290' AS DOUBLE PRECISION)
    THEN CAST('0' AS DOUBLE PRECISION)
    ELSE CAST(SUM(CAST(t."score" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."score"), 0)
  END AS c3_avg,
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
  MIN(LENGTH(t."note")) AS c4_min_length,
  MAX(LENGTH(t."note")) AS c4_max_length,
  AVG(LENGTH(t."note")) AS c4_avg_length,
  COUNT(CASE WHEN TRIM(t."note") COLLATE "C" = '' THEN 1 END) AS c4_blank_count,
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

-- current: most frequent values of id of orders
SELECT
  0 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t."id" AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."id" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- current: most frequent values of amount of orders
SELECT
  1 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t."amount" AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."amount" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- current: most frequent values of ratio of orders
SELECT
  2 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t."ratio" AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."ratio" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- current: most frequent values of score of orders
SELECT
  3 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t."score" AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."score" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- current: most frequent values of is_open of orders
SELECT
  4 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t."is_open" AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."is_open" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- current: most frequent values of ordered_on of orders
SELECT
  5 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  BTRIM(CAST(TO_JSON(f.v) AS TEXT), '"') AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t."ordered_on" AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."ordered_on" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- current: most frequent values of ordered_at of orders
SELECT
  6 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  BTRIM(CAST(TO_JSON(f.v) AS TEXT), '"') AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t."ordered_at" AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."ordered_at" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- current: most frequent values of shipped_at of orders
SELECT
  7 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  BTRIM(CAST(TO_JSON(f.v AT TIME ZONE 'UTC') AS TEXT), '"') AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t."shipped_at" AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."shipped_at" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- current: most frequent values of tags of orders
SELECT
  8 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC NULLS LAST, CASE
      WHEN CAST(f.v AS TEXT) LIKE '[%'
      THEN CAST(f.v AS TEXT)
      ELSE CAST(TO_JSON(f.v) AS TEXT)
    END COLLATE "C"
  ) AS place,
  CASE
    WHEN CAST(f.v AS TEXT) LIKE '[%'
    THEN CAST(f.v AS TEXT)
    ELSE CAST(TO_JSON(f.v) AS TEXT)
  END AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t."tags" COLLATE "C" AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."tags" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    CASE
      WHEN CAST(c.v AS TEXT) LIKE '[%'
      THEN CAST(c.v AS TEXT)
      ELSE CAST(TO_JSON(c.v) AS TEXT)
    END COLLATE "C"
  LIMIT 3
) AS f;

-- current: most frequent values of payload of orders
SELECT
  9 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, CAST(f.v AS TEXT) COLLATE "C") AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        CASE
          WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
          AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
          THEN TO_JSONB(CAST(t."payload" AS TEXT))
          ELSE CAST(t."payload" AS JSONB)
        END AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."payload" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    CAST(c.v AS TEXT) COLLATE "C"
  LIMIT 3
) AS f;

-- current: most frequent values of raw of orders
SELECT
  10 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v COLLATE "C") AS place,
  f.v AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        ENCODE(t."raw", 'hex') AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."raw" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.v COLLATE "C"
  LIMIT 3
) AS f;

-- current: most frequent values of order of orders
SELECT
  11 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t."order" AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."order" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- current: most frequent values of a"b of orders
SELECT
  12 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS TEXT) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t."a""b" AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."a""b" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    c.v
  LIMIT 3
) AS f;

-- current: 2 metrics of orders
SELECT
  COUNT(*) AS row_count,
  (
    
    AVG(CASE WHEN is_open THEN 1.0 ELSE 0 END) -- a share
    
  ) AS m0,
  (
    
    MAX(amount)
    
  ) AS m1
FROM "pr_42"."orders" AS t;

-- == quality/no_values
-- current: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t."id") AS c0_not_null_count,
  COUNT(t."amount") AS c1_not_null_count,
  COUNT(t."ratio") AS c2_not_null_count,
  COUNT(t."score") AS c3_not_null_count,
  COUNT(t."note") AS c4_not_null_count,
  MIN(LENGTH(t."note")) AS c4_min_length,
  MAX(LENGTH(t."note")) AS c4_max_length,
  AVG(LENGTH(t."note")) AS c4_avg_length,
  COUNT(CASE WHEN TRIM(t."note") COLLATE "C" = '' THEN 1 END) AS c4_blank_count,
  COUNT(t."is_open") AS c5_not_null_count,
  COUNT(t."ordered_on") AS c6_not_null_count,
  COUNT(t."ordered_at") AS c7_not_null_count,
  COUNT(t."shipped_at") AS c8_not_null_count,
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
  COUNT(t."a""b") AS c13_not_null_count
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

-- current: distinct count of orders.is_open
SELECT
  COUNT(DISTINCT t."is_open") AS distinct_count
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

-- current: 2 metrics of orders
SELECT
  COUNT(*) AS row_count,
  (
    
    AVG(CASE WHEN is_open THEN 1.0 ELSE 0 END) -- a share
    
  ) AS m0,
  (
    
    MAX(amount)
    
  ) AS m1
FROM "pr_42"."orders" AS t;

-- == quality/sampled_table
-- current: rows of orders
SELECT
  COUNT(*) AS row_count
FROM "pr_42"."orders" AS t;

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
  CASE
    WHEN ABS(SUM(CAST(t."ratio" AS DOUBLE PRECISION))) < CAST('1e-290' AS DOUBLE PRECISION)
    THEN CAST('0' AS DOUBLE PRECISION)
    ELSE CAST(SUM(CAST(t."ratio" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."ratio"), 0)
  END AS c2_avg,
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
  CASE
    WHEN ABS(SUM(CAST(t."score" AS DOUBLE PRECISION))) < CAST('1e-290' AS DOUBLE PRECISION)
    THEN CAST('0' AS DOUBLE PRECISION)
    ELSE CAST(SUM(CAST(t."score" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."score"), 0)
  END AS c3_avg,
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
  MIN(LENGTH(t."note")) AS c4_min_length,
  MAX(LENGTH(t."note")) AS c4_max_length,
  AVG(LENGTH(t."note")) AS c4_avg_length,
  COUNT(CASE WHEN TRIM(t."note") COLLATE "C" = '' THEN 1 END) AS c4_blank_count,
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
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
) AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t."id") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
) AS t;

-- current: distinct count of orders.amount
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."amount" AS v
  FROM (
    SELECT
      *
    FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
  ) AS t
) AS d;

-- current: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t."ratio") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
) AS t;

-- current: distinct count of orders.score
SELECT
  COUNT(DISTINCT t."score") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
) AS t;

-- current: distinct count of orders.note
SELECT
  COUNT(DISTINCT t."note" COLLATE "C" COLLATE "C") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
) AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t."ordered_on") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
) AS t;

-- current: distinct count of orders.ordered_at
SELECT
  COUNT(DISTINCT t."ordered_at") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
) AS t;

-- current: distinct count of orders.shipped_at
SELECT
  COUNT(DISTINCT t."shipped_at") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
) AS t;

-- current: distinct count of orders.tags
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."tags" COLLATE "C" AS v
  FROM (
    SELECT
      *
    FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
  ) AS t
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
  FROM (
    SELECT
      *
    FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
  ) AS t
) AS d;

-- current: distinct count of orders.raw
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."raw" AS v
  FROM (
    SELECT
      *
    FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
  ) AS t
) AS d;

-- current: distinct count of orders.order
SELECT
  COUNT(DISTINCT t."order") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
) AS t;

-- current: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t."a""b") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (2.5) REPEATABLE (7)
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
FROM "pr_42"."orders" AS t;

-- == quality/sampled_rows
-- current: rows of orders
SELECT
  COUNT(*) AS row_count
FROM "pr_42"."orders" AS t;

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
  CASE
    WHEN ABS(SUM(CAST(t."ratio" AS DOUBLE PRECISION))) < CAST('1e-290' AS DOUBLE PRECISION)
    THEN CAST('0' AS DOUBLE PRECISION)
    ELSE CAST(SUM(CAST(t."ratio" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."ratio"), 0)
  END AS c2_avg,
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
  CASE
    WHEN ABS(SUM(CAST(t."score" AS DOUBLE PRECISION))) < CAST('1e-290' AS DOUBLE PRECISION)
    THEN CAST('0' AS DOUBLE PRECISION)
    ELSE CAST(SUM(CAST(t."score" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."score"), 0)
  END AS c3_avg,
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
  MIN(LENGTH(t."note")) AS c4_min_length,
  MAX(LENGTH(t."note")) AS c4_max_length,
  AVG(LENGTH(t."note")) AS c4_avg_length,
  COUNT(CASE WHEN TRIM(t."note") COLLATE "C" = '' THEN 1 END) AS c4_blank_count,
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
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
) AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t."id") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
) AS t;

-- current: distinct count of orders.amount
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."amount" AS v
  FROM (
    SELECT
      *
    FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
  ) AS t
) AS d;

-- current: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t."ratio") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
) AS t;

-- current: distinct count of orders.score
SELECT
  COUNT(DISTINCT t."score") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
) AS t;

-- current: distinct count of orders.note
SELECT
  COUNT(DISTINCT t."note" COLLATE "C" COLLATE "C") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
) AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t."ordered_on") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
) AS t;

-- current: distinct count of orders.ordered_at
SELECT
  COUNT(DISTINCT t."ordered_at") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
) AS t;

-- current: distinct count of orders.shipped_at
SELECT
  COUNT(DISTINCT t."shipped_at") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
) AS t;

-- current: distinct count of orders.tags
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."tags" COLLATE "C" AS v
  FROM (
    SELECT
      *
    FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
  ) AS t
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
  FROM (
    SELECT
      *
    FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
  ) AS t
) AS d;

-- current: distinct count of orders.raw
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."raw" AS v
  FROM (
    SELECT
      *
    FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
  ) AS t
) AS d;

-- current: distinct count of orders.order
SELECT
  COUNT(DISTINCT t."order") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
) AS t;

-- current: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t."a""b") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" TABLESAMPLE BERNOULLI (10) REPEATABLE (0)
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
FROM "pr_42"."orders" AS t;

-- == quality/sampled_view
-- current: rows of orders
SELECT
  COUNT(*) AS row_count
FROM "pr_42"."orders" AS t;

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
  CASE
    WHEN ABS(SUM(CAST(t."ratio" AS DOUBLE PRECISION))) < CAST('1e-290' AS DOUBLE PRECISION)
    THEN CAST('0' AS DOUBLE PRECISION)
    ELSE CAST(SUM(CAST(t."ratio" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."ratio"), 0)
  END AS c2_avg,
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
  CASE
    WHEN ABS(SUM(CAST(t."score" AS DOUBLE PRECISION))) < CAST('1e-290' AS DOUBLE PRECISION)
    THEN CAST('0' AS DOUBLE PRECISION)
    ELSE CAST(SUM(CAST(t."score" AS DOUBLE PRECISION)) AS DOUBLE PRECISION) / NULLIF(COUNT(t."score"), 0)
  END AS c3_avg,
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
  MIN(LENGTH(t."note")) AS c4_min_length,
  MAX(LENGTH(t."note")) AS c4_max_length,
  AVG(LENGTH(t."note")) AS c4_avg_length,
  COUNT(CASE WHEN TRIM(t."note") COLLATE "C" = '' THEN 1 END) AS c4_blank_count,
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
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(
      hash_record_extended(
        ROW(
          7,
          int8send(t."id"),
          CAST(TRIM_SCALE(t."amount") AS TEXT),
          t."ratio",
          t."score",
          t."note" COLLATE "C",
          t."is_open",
          t."ordered_on",
          timestamp_send(t."ordered_at"),
          timestamptz_send(t."shipped_at"),
          CAST(t."tags" COLLATE "C" AS TEXT),
          CASE
            WHEN CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
            THEN REGEXP_REPLACE(
              CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT),
              '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
              '\1\3',
              'g'
            )
            ELSE CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT)
          END,
          t."raw",
          t."order",
          t."a""b"
        ),
        7046029254386353131
      ) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t."id") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(
      hash_record_extended(
        ROW(
          7,
          int8send(t."id"),
          CAST(TRIM_SCALE(t."amount") AS TEXT),
          t."ratio",
          t."score",
          t."note" COLLATE "C",
          t."is_open",
          t."ordered_on",
          timestamp_send(t."ordered_at"),
          timestamptz_send(t."shipped_at"),
          CAST(t."tags" COLLATE "C" AS TEXT),
          CASE
            WHEN CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
            THEN REGEXP_REPLACE(
              CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT),
              '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
              '\1\3',
              'g'
            )
            ELSE CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT)
          END,
          t."raw",
          t."order",
          t."a""b"
        ),
        7046029254386353131
      ) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.amount
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."amount" AS v
  FROM (
    SELECT
      *
    FROM "pr_42"."orders" AS t
    WHERE
      ABS(
        hash_record_extended(
          ROW(
            7,
            int8send(t."id"),
            CAST(TRIM_SCALE(t."amount") AS TEXT),
            t."ratio",
            t."score",
            t."note" COLLATE "C",
            t."is_open",
            t."ordered_on",
            timestamp_send(t."ordered_at"),
            timestamptz_send(t."shipped_at"),
            CAST(t."tags" COLLATE "C" AS TEXT),
            CASE
              WHEN CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
              THEN REGEXP_REPLACE(
                CAST(CASE
                  WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                  AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                  THEN TO_JSONB(CAST(t."payload" AS TEXT))
                  ELSE CAST(t."payload" AS JSONB)
                END AS TEXT),
                '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
                '\1\3',
                'g'
              )
              ELSE CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT)
            END,
            t."raw",
            t."order",
            t."a""b"
          ),
          7046029254386353131
        ) % 1000000
      ) < 100
  ) AS t
) AS d;

-- current: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t."ratio") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(
      hash_record_extended(
        ROW(
          7,
          int8send(t."id"),
          CAST(TRIM_SCALE(t."amount") AS TEXT),
          t."ratio",
          t."score",
          t."note" COLLATE "C",
          t."is_open",
          t."ordered_on",
          timestamp_send(t."ordered_at"),
          timestamptz_send(t."shipped_at"),
          CAST(t."tags" COLLATE "C" AS TEXT),
          CASE
            WHEN CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
            THEN REGEXP_REPLACE(
              CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT),
              '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
              '\1\3',
              'g'
            )
            ELSE CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT)
          END,
          t."raw",
          t."order",
          t."a""b"
        ),
        7046029254386353131
      ) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.score
SELECT
  COUNT(DISTINCT t."score") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(
      hash_record_extended(
        ROW(
          7,
          int8send(t."id"),
          CAST(TRIM_SCALE(t."amount") AS TEXT),
          t."ratio",
          t."score",
          t."note" COLLATE "C",
          t."is_open",
          t."ordered_on",
          timestamp_send(t."ordered_at"),
          timestamptz_send(t."shipped_at"),
          CAST(t."tags" COLLATE "C" AS TEXT),
          CASE
            WHEN CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
            THEN REGEXP_REPLACE(
              CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT),
              '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
              '\1\3',
              'g'
            )
            ELSE CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT)
          END,
          t."raw",
          t."order",
          t."a""b"
        ),
        7046029254386353131
      ) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.note
SELECT
  COUNT(DISTINCT t."note" COLLATE "C" COLLATE "C") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(
      hash_record_extended(
        ROW(
          7,
          int8send(t."id"),
          CAST(TRIM_SCALE(t."amount") AS TEXT),
          t."ratio",
          t."score",
          t."note" COLLATE "C",
          t."is_open",
          t."ordered_on",
          timestamp_send(t."ordered_at"),
          timestamptz_send(t."shipped_at"),
          CAST(t."tags" COLLATE "C" AS TEXT),
          CASE
            WHEN CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
            THEN REGEXP_REPLACE(
              CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT),
              '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
              '\1\3',
              'g'
            )
            ELSE CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT)
          END,
          t."raw",
          t."order",
          t."a""b"
        ),
        7046029254386353131
      ) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t."ordered_on") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(
      hash_record_extended(
        ROW(
          7,
          int8send(t."id"),
          CAST(TRIM_SCALE(t."amount") AS TEXT),
          t."ratio",
          t."score",
          t."note" COLLATE "C",
          t."is_open",
          t."ordered_on",
          timestamp_send(t."ordered_at"),
          timestamptz_send(t."shipped_at"),
          CAST(t."tags" COLLATE "C" AS TEXT),
          CASE
            WHEN CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
            THEN REGEXP_REPLACE(
              CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT),
              '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
              '\1\3',
              'g'
            )
            ELSE CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT)
          END,
          t."raw",
          t."order",
          t."a""b"
        ),
        7046029254386353131
      ) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.ordered_at
SELECT
  COUNT(DISTINCT t."ordered_at") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(
      hash_record_extended(
        ROW(
          7,
          int8send(t."id"),
          CAST(TRIM_SCALE(t."amount") AS TEXT),
          t."ratio",
          t."score",
          t."note" COLLATE "C",
          t."is_open",
          t."ordered_on",
          timestamp_send(t."ordered_at"),
          timestamptz_send(t."shipped_at"),
          CAST(t."tags" COLLATE "C" AS TEXT),
          CASE
            WHEN CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
            THEN REGEXP_REPLACE(
              CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT),
              '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
              '\1\3',
              'g'
            )
            ELSE CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT)
          END,
          t."raw",
          t."order",
          t."a""b"
        ),
        7046029254386353131
      ) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.shipped_at
SELECT
  COUNT(DISTINCT t."shipped_at") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(
      hash_record_extended(
        ROW(
          7,
          int8send(t."id"),
          CAST(TRIM_SCALE(t."amount") AS TEXT),
          t."ratio",
          t."score",
          t."note" COLLATE "C",
          t."is_open",
          t."ordered_on",
          timestamp_send(t."ordered_at"),
          timestamptz_send(t."shipped_at"),
          CAST(t."tags" COLLATE "C" AS TEXT),
          CASE
            WHEN CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
            THEN REGEXP_REPLACE(
              CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT),
              '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
              '\1\3',
              'g'
            )
            ELSE CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT)
          END,
          t."raw",
          t."order",
          t."a""b"
        ),
        7046029254386353131
      ) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.tags
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."tags" COLLATE "C" AS v
  FROM (
    SELECT
      *
    FROM "pr_42"."orders" AS t
    WHERE
      ABS(
        hash_record_extended(
          ROW(
            7,
            int8send(t."id"),
            CAST(TRIM_SCALE(t."amount") AS TEXT),
            t."ratio",
            t."score",
            t."note" COLLATE "C",
            t."is_open",
            t."ordered_on",
            timestamp_send(t."ordered_at"),
            timestamptz_send(t."shipped_at"),
            CAST(t."tags" COLLATE "C" AS TEXT),
            CASE
              WHEN CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
              THEN REGEXP_REPLACE(
                CAST(CASE
                  WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                  AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                  THEN TO_JSONB(CAST(t."payload" AS TEXT))
                  ELSE CAST(t."payload" AS JSONB)
                END AS TEXT),
                '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
                '\1\3',
                'g'
              )
              ELSE CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT)
            END,
            t."raw",
            t."order",
            t."a""b"
          ),
          7046029254386353131
        ) % 1000000
      ) < 100
  ) AS t
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
  FROM (
    SELECT
      *
    FROM "pr_42"."orders" AS t
    WHERE
      ABS(
        hash_record_extended(
          ROW(
            7,
            int8send(t."id"),
            CAST(TRIM_SCALE(t."amount") AS TEXT),
            t."ratio",
            t."score",
            t."note" COLLATE "C",
            t."is_open",
            t."ordered_on",
            timestamp_send(t."ordered_at"),
            timestamptz_send(t."shipped_at"),
            CAST(t."tags" COLLATE "C" AS TEXT),
            CASE
              WHEN CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
              THEN REGEXP_REPLACE(
                CAST(CASE
                  WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                  AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                  THEN TO_JSONB(CAST(t."payload" AS TEXT))
                  ELSE CAST(t."payload" AS JSONB)
                END AS TEXT),
                '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
                '\1\3',
                'g'
              )
              ELSE CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT)
            END,
            t."raw",
            t."order",
            t."a""b"
          ),
          7046029254386353131
        ) % 1000000
      ) < 100
  ) AS t
) AS d;

-- current: distinct count of orders.raw
SELECT
  COUNT(d.v) AS distinct_count
FROM (
  SELECT DISTINCT
    t."raw" AS v
  FROM (
    SELECT
      *
    FROM "pr_42"."orders" AS t
    WHERE
      ABS(
        hash_record_extended(
          ROW(
            7,
            int8send(t."id"),
            CAST(TRIM_SCALE(t."amount") AS TEXT),
            t."ratio",
            t."score",
            t."note" COLLATE "C",
            t."is_open",
            t."ordered_on",
            timestamp_send(t."ordered_at"),
            timestamptz_send(t."shipped_at"),
            CAST(t."tags" COLLATE "C" AS TEXT),
            CASE
              WHEN CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
              THEN REGEXP_REPLACE(
                CAST(CASE
                  WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                  AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                  THEN TO_JSONB(CAST(t."payload" AS TEXT))
                  ELSE CAST(t."payload" AS JSONB)
                END AS TEXT),
                '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
                '\1\3',
                'g'
              )
              ELSE CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT)
            END,
            t."raw",
            t."order",
            t."a""b"
          ),
          7046029254386353131
        ) % 1000000
      ) < 100
  ) AS t
) AS d;

-- current: distinct count of orders.order
SELECT
  COUNT(DISTINCT t."order") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(
      hash_record_extended(
        ROW(
          7,
          int8send(t."id"),
          CAST(TRIM_SCALE(t."amount") AS TEXT),
          t."ratio",
          t."score",
          t."note" COLLATE "C",
          t."is_open",
          t."ordered_on",
          timestamp_send(t."ordered_at"),
          timestamptz_send(t."shipped_at"),
          CAST(t."tags" COLLATE "C" AS TEXT),
          CASE
            WHEN CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
            THEN REGEXP_REPLACE(
              CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT),
              '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
              '\1\3',
              'g'
            )
            ELSE CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT)
          END,
          t."raw",
          t."order",
          t."a""b"
        ),
        7046029254386353131
      ) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t."a""b") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(
      hash_record_extended(
        ROW(
          7,
          int8send(t."id"),
          CAST(TRIM_SCALE(t."amount") AS TEXT),
          t."ratio",
          t."score",
          t."note" COLLATE "C",
          t."is_open",
          t."ordered_on",
          timestamp_send(t."ordered_at"),
          timestamptz_send(t."shipped_at"),
          CAST(t."tags" COLLATE "C" AS TEXT),
          CASE
            WHEN CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
            THEN REGEXP_REPLACE(
              CAST(CASE
                WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."payload" AS TEXT))
                ELSE CAST(t."payload" AS JSONB)
              END AS TEXT),
              '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
              '\1\3',
              'g'
            )
            ELSE CAST(CASE
              WHEN CAST(t."payload" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."payload" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."payload" AS TEXT))
              ELSE CAST(t."payload" AS JSONB)
            END AS TEXT)
          END,
          t."raw",
          t."order",
          t."a""b"
        ),
        7046029254386353131
      ) % 1000000
    ) < 100
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
FROM "pr_42"."orders" AS t;
