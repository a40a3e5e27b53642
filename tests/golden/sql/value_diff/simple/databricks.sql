-- key of orders_base
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(DISTINCT s.k0) AS n_keys
FROM (
  SELECT
    t.`id` AS k0
  FROM orders_base AS t
) AS s;

-- key of orders_current
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(DISTINCT s.k0) AS n_keys
FROM (
  SELECT
    t.`id` AS k0
  FROM orders_current AS t
) AS s;

-- values of orders
SELECT
  COUNT(CASE WHEN d.is_added THEN 1 END) AS added,
  COUNT(CASE WHEN d.is_removed THEN 1 END) AS removed,
  COUNT(CASE WHEN NOT d.is_added AND NOT d.is_removed THEN 1 END) AS changed,
  COUNT(CASE WHEN d.d0 THEN 1 END) AS mismatched_0,
  COUNT(CASE WHEN d.d0 AND d.e0 THEN 1 END) AS null_to_value_0,
  COUNT(CASE WHEN d.d0 AND d.f0 THEN 1 END) AS value_to_null_0,
  COUNT(CASE WHEN d.d0 THEN d.x0 END) AS distance_0_0,
  SUM(CASE WHEN d.d0 THEN d.x0 END) AS distance_1_0,
  MAX(ABS(CASE WHEN d.d0 THEN d.x0 END)) AS distance_2_0,
  MIN(CASE WHEN d.d0 THEN d.token END) AS first_token_0,
  MAX(CASE WHEN d.d0 THEN d.token END) AS last_token_0,
  COUNT(CASE WHEN d.d1 THEN 1 END) AS mismatched_1,
  COUNT(CASE WHEN d.d1 AND d.e1 THEN 1 END) AS null_to_value_1,
  COUNT(CASE WHEN d.d1 AND d.f1 THEN 1 END) AS value_to_null_1,
  MIN(CASE WHEN d.d1 THEN d.token END) AS first_token_1,
  MAX(CASE WHEN d.d1 THEN d.token END) AS last_token_1,
  COUNT(CASE WHEN d.d2 THEN 1 END) AS mismatched_2,
  COUNT(CASE WHEN d.d2 AND d.e2 THEN 1 END) AS null_to_value_2,
  COUNT(CASE WHEN d.d2 AND d.f2 THEN 1 END) AS value_to_null_2,
  MIN(CASE WHEN d.d2 THEN d.token END) AS first_token_2,
  MAX(CASE WHEN d.d2 THEN d.token END) AS last_token_2,
  COUNT(CASE WHEN d.d3 THEN 1 END) AS mismatched_3,
  COUNT(CASE WHEN d.d3 AND d.e3 THEN 1 END) AS null_to_value_3,
  COUNT(CASE WHEN d.d3 AND d.f3 THEN 1 END) AS value_to_null_3,
  COUNT(CASE WHEN d.d3 THEN d.x3 END) AS distance_0_3,
  SUM(CASE WHEN d.d3 THEN d.x3 END) AS distance_1_3,
  MAX(ABS(CASE WHEN d.d3 THEN d.x3 END)) AS distance_2_3,
  MIN(CASE WHEN d.d3 THEN d.token END) AS first_token_3,
  MAX(CASE WHEN d.d3 THEN d.token END) AS last_token_3,
  COUNT(CASE WHEN d.d4 THEN 1 END) AS mismatched_4,
  COUNT(CASE WHEN d.d4 AND d.e4 THEN 1 END) AS null_to_value_4,
  COUNT(CASE WHEN d.d4 AND d.f4 THEN 1 END) AS value_to_null_4,
  COUNT(COALESCE(CASE WHEN d.d4 THEN d.x4 END, CASE WHEN d.d4 THEN d.y4 END)) AS distance_0_4,
  SUM(CASE WHEN d.d4 THEN d.x4 END) AS distance_1_4,
  MAX(ABS(CASE WHEN d.d4 THEN d.x4 END)) AS distance_2_4,
  SUM(CASE WHEN d.d4 THEN d.y4 END) AS distance_3_4,
  MAX(ABS(CASE WHEN d.d4 THEN d.y4 END)) AS distance_4_4,
  MIN(CASE WHEN d.d4 THEN d.token END) AS first_token_4,
  MAX(CASE WHEN d.d4 THEN d.token END) AS last_token_4,
  COUNT(CASE WHEN d.d5 THEN 1 END) AS mismatched_5,
  COUNT(CASE WHEN d.d5 AND d.e5 THEN 1 END) AS null_to_value_5,
  COUNT(CASE WHEN d.d5 AND d.f5 THEN 1 END) AS value_to_null_5,
  MIN(CASE WHEN d.d5 THEN d.token END) AS first_token_5,
  MAX(CASE WHEN d.d5 THEN d.token END) AS last_token_5,
  COUNT(CASE WHEN d.d6 THEN 1 END) AS mismatched_6,
  COUNT(CASE WHEN d.d6 AND d.e6 THEN 1 END) AS null_to_value_6,
  COUNT(CASE WHEN d.d6 AND d.f6 THEN 1 END) AS value_to_null_6,
  MIN(CASE WHEN d.d6 THEN d.token END) AS first_token_6,
  MAX(CASE WHEN d.d6 THEN d.token END) AS last_token_6,
  COUNT(CASE WHEN d.d7 THEN 1 END) AS mismatched_7,
  COUNT(CASE WHEN d.d7 AND d.e7 THEN 1 END) AS null_to_value_7,
  COUNT(CASE WHEN d.d7 AND d.f7 THEN 1 END) AS value_to_null_7,
  MIN(CASE WHEN d.d7 THEN d.token END) AS first_token_7,
  MAX(CASE WHEN d.d7 THEN d.token END) AS last_token_7,
  COUNT(CASE WHEN d.d8 THEN 1 END) AS mismatched_8,
  COUNT(CASE WHEN d.d8 AND d.e8 THEN 1 END) AS null_to_value_8,
  COUNT(CASE WHEN d.d8 AND d.f8 THEN 1 END) AS value_to_null_8,
  MIN(CASE WHEN d.d8 THEN d.token END) AS first_token_8,
  MAX(CASE WHEN d.d8 THEN d.token END) AS last_token_8,
  COUNT(CASE WHEN d.d9 THEN 1 END) AS mismatched_9,
  COUNT(CASE WHEN d.d9 AND d.e9 THEN 1 END) AS null_to_value_9,
  COUNT(CASE WHEN d.d9 AND d.f9 THEN 1 END) AS value_to_null_9,
  MIN(CASE WHEN d.d9 THEN d.token END) AS first_token_9,
  MAX(CASE WHEN d.d9 THEN d.token END) AS last_token_9,
  COUNT(CASE WHEN d.d10 THEN 1 END) AS mismatched_10,
  COUNT(CASE WHEN d.d10 AND d.e10 THEN 1 END) AS null_to_value_10,
  COUNT(CASE WHEN d.d10 AND d.f10 THEN 1 END) AS value_to_null_10,
  MIN(CASE WHEN d.d10 THEN d.token END) AS first_token_10,
  MAX(CASE WHEN d.d10 THEN d.token END) AS last_token_10
FROM (
  SELECT
    a.k0 IS NULL AS is_added,
    b.k0 IS NULL AS is_removed,
    a.k0 AS token,
    a.k0 = b.k0 AND a.c0 IS DISTINCT FROM b.c0 AS d0,
    a.c0 IS NULL AS e0,
    b.c0 IS NULL AS f0,
    (
      CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))
    ) AS x0,
    a.k0 = b.k0 AND a.c1 IS DISTINCT FROM b.c1 AS d1,
    a.c1 IS NULL AS e1,
    b.c1 IS NULL AS f1,
    a.k0 = b.k0 AND a.c2 IS DISTINCT FROM b.c2 AS d2,
    a.c2 IS NULL AS e2,
    b.c2 IS NULL AS f2,
    a.k0 = b.k0 AND a.c3 IS DISTINCT FROM b.c3 AS d3,
    a.c3 IS NULL AS e3,
    b.c3 IS NULL AS f3,
    (
      CAST(b.c3 AS DECIMAL(13, 2)) - CAST(a.c3 AS DECIMAL(13, 2))
    ) AS x3,
    a.k0 = b.k0 AND a.c4 IS DISTINCT FROM b.c4 AS d4,
    a.c4 IS NULL AS e4,
    b.c4 IS NULL AS f4,
    CASE
      WHEN a.c4 BETWEEN -1e290 AND 1e290 AND b.c4 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(b.c4 AS DOUBLE) - CAST(a.c4 AS DOUBLE)
      )
    END AS x4,
    CASE
      WHEN a.c4 BETWEEN -1e290 AND 1e290 AND b.c4 BETWEEN -1e290 AND 1e290
      THEN NULL
      WHEN a.c4 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      AND b.c4 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      THEN (
        (
          CASE
            WHEN CAST(b.c4 AS DOUBLE) BETWEEN -1 AND 1
            THEN CAST('0' AS DOUBLE)
            ELSE CAST(b.c4 AS DOUBLE) * CAST('5.421010862427522e-20' AS DOUBLE)
          END
        ) - (
          CASE
            WHEN CAST(a.c4 AS DOUBLE) BETWEEN -1 AND 1
            THEN CAST('0' AS DOUBLE)
            ELSE CAST(a.c4 AS DOUBLE) * CAST('5.421010862427522e-20' AS DOUBLE)
          END
        )
      )
    END AS y4,
    a.k0 = b.k0 AND a.c5 IS DISTINCT FROM b.c5 AS d5,
    a.c5 IS NULL AS e5,
    b.c5 IS NULL AS f5,
    a.k0 = b.k0 AND a.c6 IS DISTINCT FROM b.c6 AS d6,
    a.c6 IS NULL AS e6,
    b.c6 IS NULL AS f6,
    a.k0 = b.k0 AND a.c7 IS DISTINCT FROM b.c7 AS d7,
    a.c7 IS NULL AS e7,
    b.c7 IS NULL AS f7,
    a.k0 = b.k0 AND a.c8 IS DISTINCT FROM b.c8 AS d8,
    a.c8 IS NULL AS e8,
    b.c8 IS NULL AS f8,
    a.k0 = b.k0 AND a.c9 IS DISTINCT FROM b.c9 AS d9,
    a.c9 IS NULL AS e9,
    b.c9 IS NULL AS f9,
    a.k0 = b.k0 AND a.c10 IS DISTINCT FROM b.c10 AS d10,
    a.c10 IS NULL AS e10,
    b.c10 IS NULL AS f10
  FROM (
    SELECT
      t.`id` AS k0,
      t.`line` AS c0,
      CAST(t.`order` AS STRING) AS c1,
      CAST(t.`a "quoted" one` AS STRING) AS c2,
      t.`amount` AS c3,
      t.`rate` AS c4,
      t.`day` AS c5,
      t.`at` AS c6,
      t.`is_it` AS c7,
      TO_JSON(t.`doc`) AS c8,
      t.`list` AS c9,
      t.`raw` AS c10
    FROM orders_base AS t
  ) AS a
  FULL OUTER JOIN (
    SELECT
      t.`id` AS k0,
      t.`line` AS c0,
      CAST(t.`order` AS STRING) AS c1,
      CAST(t.`a "quoted" one` AS STRING) AS c2,
      t.`amount` AS c3,
      t.`rate` AS c4,
      t.`day` AS c5,
      t.`at` AS c6,
      t.`is_it` AS c7,
      TO_JSON(t.`doc`) AS c8,
      t.`list` AS c9,
      t.`raw` AS c10
    FROM orders_current AS t
  ) AS b
    ON a.k0 = b.k0
  WHERE
    a.k0 IS NULL
    OR b.k0 IS NULL
    OR a.c0 IS DISTINCT FROM b.c0
    OR a.c1 IS DISTINCT FROM b.c1
    OR a.c2 IS DISTINCT FROM b.c2
    OR a.c3 IS DISTINCT FROM b.c3
    OR a.c4 IS DISTINCT FROM b.c4
    OR a.c5 IS DISTINCT FROM b.c5
    OR a.c6 IS DISTINCT FROM b.c6
    OR a.c7 IS DISTINCT FROM b.c7
    OR a.c8 IS DISTINCT FROM b.c8
    OR a.c9 IS DISTINCT FROM b.c9
    OR a.c10 IS DISTINCT FROM b.c10
) AS d;

-- examples of orders
SELECT
  a.k0 AS key_0,
  a.c0 IS DISTINCT FROM b.c0 AS d0,
  a.c0 AS base_0,
  b.c0 AS current_0,
  a.c1 IS DISTINCT FROM b.c1 AS d1,
  a.r1 AS base_1,
  b.r1 AS current_1,
  a.c2 IS DISTINCT FROM b.c2 AS d2,
  a.r2 AS base_2,
  b.r2 AS current_2,
  a.c3 IS DISTINCT FROM b.c3 AS d3,
  a.c3 AS base_3,
  b.c3 AS current_3,
  a.c4 IS DISTINCT FROM b.c4 AS d4,
  a.c4 AS base_4,
  b.c4 AS current_4,
  a.c5 IS DISTINCT FROM b.c5 AS d5,
  CAST(a.c5 AS STRING) AS base_5,
  CAST(b.c5 AS STRING) AS current_5,
  a.c6 IS DISTINCT FROM b.c6 AS d6,
  CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(a.c6 AS TIMESTAMP_NTZ)) AS STRING) AS base_6,
  CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(b.c6 AS TIMESTAMP_NTZ)) AS STRING) AS current_6,
  a.c7 IS DISTINCT FROM b.c7 AS d7,
  a.c7 AS base_7,
  b.c7 AS current_7,
  a.c8 IS DISTINCT FROM b.c8 AS d8,
  a.r8 AS base_8,
  b.r8 AS current_8,
  a.c9 IS DISTINCT FROM b.c9 AS d9,
  a.c9 AS base_9,
  b.c9 AS current_9,
  a.c10 IS DISTINCT FROM b.c10 AS d10,
  a.c10 AS base_10,
  b.c10 AS current_10
FROM (
  SELECT
    t.`id` AS k0,
    t.`line` AS c0,
    CAST(t.`order` AS STRING) AS c1,
    CAST(t.`a "quoted" one` AS STRING) AS c2,
    t.`amount` AS c3,
    t.`rate` AS c4,
    t.`day` AS c5,
    t.`at` AS c6,
    t.`is_it` AS c7,
    TO_JSON(t.`doc`) AS c8,
    t.`list` AS c9,
    t.`raw` AS c10,
    t.`order` AS r1,
    t.`a "quoted" one` AS r2,
    t.`doc` AS r8
  FROM orders_base AS t
  WHERE
    t.`id` IN (1)
) AS a
INNER JOIN (
  SELECT
    t.`id` AS k0,
    t.`line` AS c0,
    CAST(t.`order` AS STRING) AS c1,
    CAST(t.`a "quoted" one` AS STRING) AS c2,
    t.`amount` AS c3,
    t.`rate` AS c4,
    t.`day` AS c5,
    t.`at` AS c6,
    t.`is_it` AS c7,
    TO_JSON(t.`doc`) AS c8,
    t.`list` AS c9,
    t.`raw` AS c10,
    t.`order` AS r1,
    t.`a "quoted" one` AS r2,
    t.`doc` AS r8
  FROM orders_current AS t
  WHERE
    t.`id` IN (1)
) AS b
  ON a.k0 = b.k0
ORDER BY
  a.k0 ASC NULLS LAST;
