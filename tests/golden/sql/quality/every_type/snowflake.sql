-- current: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t."id") AS c0_not_null_count,
  MIN(t."id") AS c0_min,
  MAX(t."id") AS c0_max,
  AVG(t."id") AS c0_avg,
  MEDIAN(CAST(t."id" AS DOUBLE)) AS c0_median,
  COUNT(DISTINCT t."id") AS c0_distinct_count,
  COUNT(t."amount") AS c1_not_null_count,
  MIN(t."amount") AS c1_min,
  MAX(t."amount") AS c1_max,
  AVG(t."amount") AS c1_avg,
  MEDIAN(CAST(t."amount" AS DOUBLE)) AS c1_median,
  COUNT(DISTINCT t."amount") AS c1_distinct_count,
  COUNT(t."ratio") AS c2_not_null_count,
  MIN(t."ratio") AS c2_min,
  MAX(t."ratio") AS c2_max,
  AVG(t."ratio") AS c2_avg,
  MEDIAN(t."ratio") AS c2_median,
  COUNT(DISTINCT t."ratio") AS c2_distinct_count,
  COUNT(t."score") AS c3_not_null_count,
  CAST(MIN(t."score") AS VARCHAR) AS c3_min,
  CAST(MAX(t."score") AS VARCHAR) AS c3_max,
  AVG(t."score") AS c3_avg,
  MEDIAN(CAST(t."score" AS DOUBLE)) AS c3_median,
  COUNT(DISTINCT t."score") AS c3_distinct_count,
  COUNT(t."note") AS c4_not_null_count,
  MIN(LENGTH(t."note")) AS c4_min_length,
  MAX(LENGTH(t."note")) AS c4_max_length,
  AVG(LENGTH(t."note")) AS c4_avg_length,
  COUNT(CASE WHEN COLLATE(TRIM(t."note"), '') = '' THEN 1 END) AS c4_blank_count,
  COUNT(DISTINCT COLLATE(t."note", '')) AS c4_distinct_count,
  COUNT(t."is_open") AS c5_not_null_count,
  COUNT(CASE WHEN t."is_open" THEN 1 END) AS c5_true_count,
  COUNT(t."ordered_on") AS c6_not_null_count,
  TO_VARCHAR(MIN(t."ordered_on"), 'YYYY-MM-DD') AS c6_min,
  TO_VARCHAR(MAX(t."ordered_on"), 'YYYY-MM-DD') AS c6_max,
  TO_VARCHAR(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
    t."ordered_on"), 'YYYY-MM-DD') AS c6_median,
  COUNT(DISTINCT t."ordered_on") AS c6_distinct_count,
  COUNT(t."ordered_at") AS c7_not_null_count,
  TO_VARCHAR(MIN(t."ordered_at"), 'YYYY-MM-DD HH24:MI:SS.FF6') AS c7_min,
  TO_VARCHAR(MAX(t."ordered_at"), 'YYYY-MM-DD HH24:MI:SS.FF6') AS c7_max,
  TO_VARCHAR(
    PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."ordered_at"),
    'YYYY-MM-DD HH24:MI:SS.FF6'
  ) AS c7_median,
  COUNT(DISTINCT t."ordered_at") AS c7_distinct_count,
  COUNT(t."shipped_at") AS c8_not_null_count,
  TO_VARCHAR(CONVERT_TIMEZONE('UTC', MIN(t."shipped_at")), 'YYYY-MM-DD HH24:MI:SS.FF6') AS c8_min,
  TO_VARCHAR(CONVERT_TIMEZONE('UTC', MAX(t."shipped_at")), 'YYYY-MM-DD HH24:MI:SS.FF6') AS c8_max,
  TO_VARCHAR(
    CONVERT_TIMEZONE('UTC', PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY
      t."shipped_at")),
    'YYYY-MM-DD HH24:MI:SS.FF6'
  ) AS c8_median,
  COUNT(DISTINCT t."shipped_at") AS c8_distinct_count,
  COUNT(t."tags") AS c9_not_null_count,
  MIN(ARRAY_SIZE(t."tags")) AS c9_min_length,
  MAX(ARRAY_SIZE(t."tags")) AS c9_max_length,
  AVG(ARRAY_SIZE(t."tags")) AS c9_avg_length,
  COUNT(DISTINCT TO_JSON(t."tags")) AS c9_distinct_count,
  COUNT(t."payload") AS c10_not_null_count,
  COUNT(DISTINCT TO_JSON(t."payload")) AS c10_distinct_count,
  COUNT(t."raw") AS c11_not_null_count,
  MIN(OCTET_LENGTH(t."raw")) AS c11_min_length,
  MAX(OCTET_LENGTH(t."raw")) AS c11_max_length,
  AVG(OCTET_LENGTH(t."raw")) AS c11_avg_length,
  COUNT(DISTINCT t."raw") AS c11_distinct_count,
  COUNT(t."order") AS c12_not_null_count,
  MIN(t."order") AS c12_min,
  MAX(t."order") AS c12_max,
  AVG(t."order") AS c12_avg,
  MEDIAN(CAST(t."order" AS DOUBLE)) AS c12_median,
  COUNT(DISTINCT t."order") AS c12_distinct_count,
  COUNT(t."a""b") AS c13_not_null_count,
  MIN(t."a""b") AS c13_min,
  MAX(t."a""b") AS c13_max,
  AVG(t."a""b") AS c13_avg,
  MEDIAN(CAST(t."a""b" AS DOUBLE)) AS c13_median,
  COUNT(DISTINCT t."a""b") AS c13_distinct_count
FROM "pr_42"."orders" AS t;

-- current: most frequent values of 13 columns of orders
SELECT
  0 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS VARCHAR) AS value,
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
) AS f
UNION ALL
SELECT
  1 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS VARCHAR) AS value,
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
) AS f
UNION ALL
SELECT
  2 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS VARCHAR) AS value,
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
) AS f
UNION ALL
SELECT
  3 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS VARCHAR) AS value,
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
) AS f
UNION ALL
SELECT
  4 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS VARCHAR) AS value,
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
) AS f
UNION ALL
SELECT
  5 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  TO_VARCHAR(f.v, 'YYYY-MM-DD') AS value,
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
) AS f
UNION ALL
SELECT
  6 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  TO_VARCHAR(f.v, 'YYYY-MM-DD HH24:MI:SS.FF6') AS value,
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
) AS f
UNION ALL
SELECT
  7 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  TO_VARCHAR(CONVERT_TIMEZONE('UTC', f.v), 'YYYY-MM-DD HH24:MI:SS.FF6') AS value,
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
) AS f
UNION ALL
SELECT
  8 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, COLLATE(f.v, '')) AS place,
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
        CAST(TO_JSON(t."tags") AS VARCHAR) AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."tags" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    COLLATE(c.v, '')
  LIMIT 3
) AS f
UNION ALL
SELECT
  9 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, COLLATE(f.v, '')) AS place,
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
        CAST(TO_JSON(t."payload") AS VARCHAR) AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."payload" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    COLLATE(c.v, '')
  LIMIT 3
) AS f
UNION ALL
SELECT
  10 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, COLLATE(f.v, '')) AS place,
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
        HEX_ENCODE(t."raw") AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."raw" IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    COLLATE(c.v, '')
  LIMIT 3
) AS f
UNION ALL
SELECT
  11 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS VARCHAR) AS value,
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
) AS f
UNION ALL
SELECT
  12 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, f.v) AS place,
  CAST(f.v AS VARCHAR) AS value,
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
