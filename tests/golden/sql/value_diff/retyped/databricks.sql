-- key of orders_base
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(DISTINCT CAST(s.k0 AS STRING)) AS n_keys
FROM (
  SELECT
    CAST(t.`id` AS STRING) AS k0
  FROM orders_base AS t
) AS s;

-- key of orders_current
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(DISTINCT CAST(s.k0 AS STRING)) AS n_keys
FROM (
  SELECT
    CAST(t.`id` AS STRING) AS k0
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
  MIN(CASE WHEN d.d0 THEN d.token END) AS first_token_0,
  MAX(CASE WHEN d.d0 THEN d.token END) AS last_token_0,
  COUNT(CASE WHEN d.d1 THEN 1 END) AS mismatched_1,
  COUNT(CASE WHEN d.d1 AND d.e1 THEN 1 END) AS null_to_value_1,
  COUNT(CASE WHEN d.d1 AND d.f1 THEN 1 END) AS value_to_null_1,
  COUNT(CASE WHEN d.d1 THEN d.x1 END) AS distance_0_1,
  SUM(CASE WHEN d.d1 THEN d.x1 END) AS distance_1_1,
  MAX(ABS(CASE WHEN d.d1 THEN d.x1 END)) AS distance_2_1,
  MIN(CASE WHEN d.d1 THEN d.token END) AS first_token_1,
  MAX(CASE WHEN d.d1 THEN d.token END) AS last_token_1,
  COUNT(CASE WHEN d.d2 THEN 1 END) AS mismatched_2,
  COUNT(CASE WHEN d.d2 AND d.e2 THEN 1 END) AS null_to_value_2,
  COUNT(CASE WHEN d.d2 AND d.f2 THEN 1 END) AS value_to_null_2,
  MIN(CASE WHEN d.d2 THEN d.token END) AS first_token_2,
  MAX(CASE WHEN d.d2 THEN d.token END) AS last_token_2
FROM (
  SELECT
    a.k0 IS NULL AS is_added,
    b.k0 IS NULL AS is_removed,
    CAST(a.k0 AS STRING) AS token,
    a.k0 = b.k0 AND a.c0 IS DISTINCT FROM b.c0 AS d0,
    a.c0 IS NULL AS e0,
    b.c0 IS NULL AS f0,
    a.k0 = b.k0 AND a.c1 IS DISTINCT FROM b.c1 AS d1,
    a.c1 IS NULL AS e1,
    b.c1 IS NULL AS f1,
    (
      CAST(b.c1 AS DECIMAL(13, 2)) - CAST(a.c1 AS DECIMAL(13, 2))
    ) AS x1,
    a.k0 = b.k0 AND a.c2 IS DISTINCT FROM b.c2 AS d2,
    a.c2 IS NULL AS e2,
    b.c2 IS NULL AS f2
  FROM (
    SELECT
      CAST(t.`id` AS STRING) AS k0,
      CAST(t.`line` AS STRING) AS c0,
      t.`amount` AS c1,
      CAST(t.`day` AS STRING) AS c2
    FROM orders_base AS t
  ) AS a
  FULL OUTER JOIN (
    SELECT
      CAST(t.`id` AS STRING) AS k0,
      CAST(t.`line` AS STRING) AS c0,
      t.`amount` AS c1,
      CAST(t.`day` AS STRING) AS c2
    FROM orders_current AS t
  ) AS b
    ON a.k0 = b.k0
  WHERE
    a.k0 IS NULL
    OR b.k0 IS NULL
    OR a.c0 IS DISTINCT FROM b.c0
    OR a.c1 IS DISTINCT FROM b.c1
    OR a.c2 IS DISTINCT FROM b.c2
) AS d;

-- examples of orders
SELECT
  a.k0 AS key_0,
  a.c0 IS DISTINCT FROM b.c0 AS d0,
  a.r0 AS base_0,
  b.r0 AS current_0,
  a.c1 IS DISTINCT FROM b.c1 AS d1,
  a.c1 AS base_1,
  b.c1 AS current_1,
  a.c2 IS DISTINCT FROM b.c2 AS d2,
  a.r2 AS base_2,
  CAST(b.r2 AS STRING) AS current_2
FROM (
  SELECT
    CAST(t.`id` AS STRING) AS k0,
    CAST(t.`line` AS STRING) AS c0,
    t.`amount` AS c1,
    CAST(t.`day` AS STRING) AS c2,
    t.`line` AS r0,
    t.`day` AS r2
  FROM orders_base AS t
  WHERE
    CAST(t.`id` AS STRING) IN ('1')
) AS a
INNER JOIN (
  SELECT
    CAST(t.`id` AS STRING) AS k0,
    CAST(t.`line` AS STRING) AS c0,
    t.`amount` AS c1,
    CAST(t.`day` AS STRING) AS c2,
    t.`line` AS r0,
    t.`day` AS r2
  FROM orders_current AS t
) AS b
  ON a.k0 = b.k0
ORDER BY
  CAST(a.k0 AS STRING) ASC NULLS LAST;
