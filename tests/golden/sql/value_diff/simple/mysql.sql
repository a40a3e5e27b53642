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
    recce_joined.a_k0 IS NULL AS is_added,
    recce_joined.b_k0 IS NULL AS is_removed,
    recce_joined.a_k0 AS token,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c0 <=> recce_joined.b_c0 AS d0,
    recce_joined.a_c0 IS NULL AS e0,
    recce_joined.b_c0 IS NULL AS f0,
    (
      CAST(recce_joined.b_c0 AS DECIMAL(11, 0)) - CAST(recce_joined.a_c0 AS DECIMAL(11, 0))
    ) AS x0,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c1 <=> recce_joined.b_c1 AS d1,
    recce_joined.a_c1 IS NULL AS e1,
    recce_joined.b_c1 IS NULL AS f1,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c2 <=> recce_joined.b_c2 AS d2,
    recce_joined.a_c2 IS NULL AS e2,
    recce_joined.b_c2 IS NULL AS f2,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c3 <=> recce_joined.b_c3 AS d3,
    recce_joined.a_c3 IS NULL AS e3,
    recce_joined.b_c3 IS NULL AS f3,
    (
      CAST(recce_joined.b_c3 AS DECIMAL(13, 2)) - CAST(recce_joined.a_c3 AS DECIMAL(13, 2))
    ) AS x3,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c4 <=> recce_joined.b_c4 AS d4,
    recce_joined.a_c4 IS NULL AS e4,
    recce_joined.b_c4 IS NULL AS f4,
    CASE
      WHEN recce_joined.a_c4 BETWEEN -1e290 AND 1e290
      AND recce_joined.b_c4 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(recce_joined.b_c4 AS DOUBLE) - CAST(recce_joined.a_c4 AS DOUBLE)
      )
    END AS x4,
    CASE
      WHEN recce_joined.a_c4 BETWEEN -1e290 AND 1e290
      AND recce_joined.b_c4 BETWEEN -1e290 AND 1e290
      THEN NULL
      WHEN recce_joined.a_c4 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      AND recce_joined.b_c4 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      THEN (
        (
          CASE
            WHEN CAST(recce_joined.b_c4 AS DOUBLE) BETWEEN -1 AND 1
            THEN CAST('0' AS DOUBLE)
            ELSE CAST(recce_joined.b_c4 AS DOUBLE) * CAST('5.421010862427522e-20' AS DOUBLE)
          END
        ) - (
          CASE
            WHEN CAST(recce_joined.a_c4 AS DOUBLE) BETWEEN -1 AND 1
            THEN CAST('0' AS DOUBLE)
            ELSE CAST(recce_joined.a_c4 AS DOUBLE) * CAST('5.421010862427522e-20' AS DOUBLE)
          END
        )
      )
    END AS y4,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c5 <=> recce_joined.b_c5 AS d5,
    recce_joined.a_c5 IS NULL AS e5,
    recce_joined.b_c5 IS NULL AS f5,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c6 <=> recce_joined.b_c6 AS d6,
    recce_joined.a_c6 IS NULL AS e6,
    recce_joined.b_c6 IS NULL AS f6,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c7 <=> recce_joined.b_c7 AS d7,
    recce_joined.a_c7 IS NULL AS e7,
    recce_joined.b_c7 IS NULL AS f7,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c8 <=> recce_joined.b_c8 AS d8,
    recce_joined.a_c8 IS NULL AS e8,
    recce_joined.b_c8 IS NULL AS f8,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c9 <=> recce_joined.b_c9 AS d9,
    recce_joined.a_c9 IS NULL AS e9,
    recce_joined.b_c9 IS NULL AS f9,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c10 <=> recce_joined.b_c10 AS d10,
    recce_joined.a_c10 IS NULL AS e10,
    recce_joined.b_c10 IS NULL AS f10
  FROM (
    SELECT
      a.k0 AS a_k0,
      a.c0 AS a_c0,
      a.c1 AS a_c1,
      a.c2 AS a_c2,
      a.c3 AS a_c3,
      a.c4 AS a_c4,
      a.c5 AS a_c5,
      a.c6 AS a_c6,
      a.c7 AS a_c7,
      a.c8 AS a_c8,
      a.c9 AS a_c9,
      a.c10 AS a_c10,
      b.k0 AS b_k0,
      b.c0 AS b_c0,
      b.c1 AS b_c1,
      b.c2 AS b_c2,
      b.c3 AS b_c3,
      b.c4 AS b_c4,
      b.c5 AS b_c5,
      b.c6 AS b_c6,
      b.c7 AS b_c7,
      b.c8 AS b_c8,
      b.c9 AS b_c9,
      b.c10 AS b_c10
    FROM (
      SELECT
        t.`id` AS k0,
        t.`line` AS c0,
        CAST(t.`order` AS CHAR) AS c1,
        CAST(t.`a "quoted" one` AS CHAR) AS c2,
        t.`amount` AS c3,
        t.`rate` AS c4,
        t.`day` AS c5,
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ) AS c6,
        t.`is_it` AS c7,
        CAST(t.`doc` AS CHAR) AS c8,
        CAST(t.`list` AS CHAR) AS c9,
        t.`raw` AS c10
      FROM orders_base AS t
    ) AS a
    LEFT JOIN (
      SELECT
        t.`id` AS k0,
        t.`line` AS c0,
        CAST(t.`order` AS CHAR) AS c1,
        CAST(t.`a "quoted" one` AS CHAR) AS c2,
        t.`amount` AS c3,
        t.`rate` AS c4,
        t.`day` AS c5,
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ) AS c6,
        t.`is_it` AS c7,
        CAST(t.`doc` AS CHAR) AS c8,
        CAST(t.`list` AS CHAR) AS c9,
        t.`raw` AS c10
      FROM orders_current AS t
    ) AS b
      ON a.k0 = b.k0
    UNION ALL
    SELECT
      a.k0 AS a_k0,
      a.c0 AS a_c0,
      a.c1 AS a_c1,
      a.c2 AS a_c2,
      a.c3 AS a_c3,
      a.c4 AS a_c4,
      a.c5 AS a_c5,
      a.c6 AS a_c6,
      a.c7 AS a_c7,
      a.c8 AS a_c8,
      a.c9 AS a_c9,
      a.c10 AS a_c10,
      b.k0 AS b_k0,
      b.c0 AS b_c0,
      b.c1 AS b_c1,
      b.c2 AS b_c2,
      b.c3 AS b_c3,
      b.c4 AS b_c4,
      b.c5 AS b_c5,
      b.c6 AS b_c6,
      b.c7 AS b_c7,
      b.c8 AS b_c8,
      b.c9 AS b_c9,
      b.c10 AS b_c10
    FROM (
      SELECT
        t.`id` AS k0,
        t.`line` AS c0,
        CAST(t.`order` AS CHAR) AS c1,
        CAST(t.`a "quoted" one` AS CHAR) AS c2,
        t.`amount` AS c3,
        t.`rate` AS c4,
        t.`day` AS c5,
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ) AS c6,
        t.`is_it` AS c7,
        CAST(t.`doc` AS CHAR) AS c8,
        CAST(t.`list` AS CHAR) AS c9,
        t.`raw` AS c10
      FROM orders_current AS t
    ) AS b
    LEFT JOIN (
      SELECT
        t.`id` AS k0,
        t.`line` AS c0,
        CAST(t.`order` AS CHAR) AS c1,
        CAST(t.`a "quoted" one` AS CHAR) AS c2,
        t.`amount` AS c3,
        t.`rate` AS c4,
        t.`day` AS c5,
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ) AS c6,
        t.`is_it` AS c7,
        CAST(t.`doc` AS CHAR) AS c8,
        CAST(t.`list` AS CHAR) AS c9,
        t.`raw` AS c10
      FROM orders_base AS t
    ) AS a
      ON a.k0 = b.k0
    WHERE
      a.k0 IS NULL
  ) AS recce_joined
  WHERE
    recce_joined.a_k0 IS NULL
    OR recce_joined.b_k0 IS NULL
    OR NOT recce_joined.a_c0 <=> recce_joined.b_c0
    OR NOT recce_joined.a_c1 <=> recce_joined.b_c1
    OR NOT recce_joined.a_c2 <=> recce_joined.b_c2
    OR NOT recce_joined.a_c3 <=> recce_joined.b_c3
    OR NOT recce_joined.a_c4 <=> recce_joined.b_c4
    OR NOT recce_joined.a_c5 <=> recce_joined.b_c5
    OR NOT recce_joined.a_c6 <=> recce_joined.b_c6
    OR NOT recce_joined.a_c7 <=> recce_joined.b_c7
    OR NOT recce_joined.a_c8 <=> recce_joined.b_c8
    OR NOT recce_joined.a_c9 <=> recce_joined.b_c9
    OR NOT recce_joined.a_c10 <=> recce_joined.b_c10
) AS d;

-- examples of orders
SELECT
  a.k0 AS key_0,
  NOT a.c0 <=> b.c0 AS d0,
  a.c0 AS base_0,
  b.c0 AS current_0,
  NOT a.c1 <=> b.c1 AS d1,
  a.r1 AS base_1,
  b.r1 AS current_1,
  NOT a.c2 <=> b.c2 AS d2,
  a.r2 AS base_2,
  b.r2 AS current_2,
  NOT a.c3 <=> b.c3 AS d3,
  a.c3 AS base_3,
  b.c3 AS current_3,
  NOT a.c4 <=> b.c4 AS d4,
  a.c4 AS base_4,
  b.c4 AS current_4,
  NOT a.c5 <=> b.c5 AS d5,
  CAST(a.c5 AS CHAR) AS base_5,
  CAST(b.c5 AS CHAR) AS current_5,
  NOT a.c6 <=> b.c6 AS d6,
  CAST(a.c6 AS CHAR) AS base_6,
  CAST(b.c6 AS CHAR) AS current_6,
  NOT a.c7 <=> b.c7 AS d7,
  a.c7 AS base_7,
  b.c7 AS current_7,
  NOT a.c8 <=> b.c8 AS d8,
  a.r8 AS base_8,
  b.r8 AS current_8,
  NOT a.c9 <=> b.c9 AS d9,
  a.r9 AS base_9,
  b.r9 AS current_9,
  NOT a.c10 <=> b.c10 AS d10,
  a.c10 AS base_10,
  b.c10 AS current_10
FROM (
  SELECT
    t.`id` AS k0,
    t.`line` AS c0,
    CAST(t.`order` AS CHAR) AS c1,
    CAST(t.`a "quoted" one` AS CHAR) AS c2,
    t.`amount` AS c3,
    t.`rate` AS c4,
    t.`day` AS c5,
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
    ) AS c6,
    t.`is_it` AS c7,
    CAST(t.`doc` AS CHAR) AS c8,
    CAST(t.`list` AS CHAR) AS c9,
    t.`raw` AS c10,
    t.`order` AS r1,
    t.`a "quoted" one` AS r2,
    t.`doc` AS r8,
    t.`list` AS r9
  FROM orders_base AS t
  WHERE
    t.`id` IN (1)
) AS a
INNER JOIN (
  SELECT
    t.`id` AS k0,
    t.`line` AS c0,
    CAST(t.`order` AS CHAR) AS c1,
    CAST(t.`a "quoted" one` AS CHAR) AS c2,
    t.`amount` AS c3,
    t.`rate` AS c4,
    t.`day` AS c5,
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
    ) AS c6,
    t.`is_it` AS c7,
    CAST(t.`doc` AS CHAR) AS c8,
    CAST(t.`list` AS CHAR) AS c9,
    t.`raw` AS c10,
    t.`order` AS r1,
    t.`a "quoted" one` AS r2,
    t.`doc` AS r8,
    t.`list` AS r9
  FROM orders_current AS t
  WHERE
    t.`id` IN (1)
) AS b
  ON a.k0 = b.k0
ORDER BY
  CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC;
