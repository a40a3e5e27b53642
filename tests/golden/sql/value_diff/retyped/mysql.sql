-- key of orders_base
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(DISTINCT CAST(s.k0 AS CHAR)) AS n_keys
FROM (
  SELECT
    CAST(t.`id` AS CHAR) AS k0
  FROM orders_base AS t
) AS s;

-- key of orders_current
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(DISTINCT CAST(s.k0 AS CHAR)) AS n_keys
FROM (
  SELECT
    CAST(t.`id` AS CHAR) AS k0
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
    recce_joined.a_k0 IS NULL AS is_added,
    recce_joined.b_k0 IS NULL AS is_removed,
    CAST(recce_joined.a_k0 AS CHAR) AS token,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c0 <=> recce_joined.b_c0 AS d0,
    recce_joined.a_c0 IS NULL AS e0,
    recce_joined.b_c0 IS NULL AS f0,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c1 <=> recce_joined.b_c1 AS d1,
    recce_joined.a_c1 IS NULL AS e1,
    recce_joined.b_c1 IS NULL AS f1,
    (
      CAST(recce_joined.b_c1 AS DECIMAL(13, 2)) - CAST(recce_joined.a_c1 AS DECIMAL(13, 2))
    ) AS x1,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c2 <=> recce_joined.b_c2 AS d2,
    recce_joined.a_c2 IS NULL AS e2,
    recce_joined.b_c2 IS NULL AS f2
  FROM (
    SELECT
      a.k0 AS a_k0,
      a.c0 AS a_c0,
      a.c1 AS a_c1,
      a.c2 AS a_c2,
      b.k0 AS b_k0,
      b.c0 AS b_c0,
      b.c1 AS b_c1,
      b.c2 AS b_c2
    FROM (
      SELECT
        CAST(t.`id` AS CHAR) AS k0,
        CAST(t.`line` AS CHAR) AS c0,
        t.`amount` AS c1,
        CAST(t.`day` AS CHAR) AS c2
      FROM orders_base AS t
    ) AS a
    LEFT JOIN (
      SELECT
        CAST(t.`id` AS CHAR) AS k0,
        CAST(t.`line` AS CHAR) AS c0,
        t.`amount` AS c1,
        CAST(t.`day` AS CHAR) AS c2
      FROM orders_current AS t
    ) AS b
      ON a.k0 = b.k0
    UNION ALL
    SELECT
      a.k0 AS a_k0,
      a.c0 AS a_c0,
      a.c1 AS a_c1,
      a.c2 AS a_c2,
      b.k0 AS b_k0,
      b.c0 AS b_c0,
      b.c1 AS b_c1,
      b.c2 AS b_c2
    FROM (
      SELECT
        CAST(t.`id` AS CHAR) AS k0,
        CAST(t.`line` AS CHAR) AS c0,
        t.`amount` AS c1,
        CAST(t.`day` AS CHAR) AS c2
      FROM orders_current AS t
    ) AS b
    LEFT JOIN (
      SELECT
        CAST(t.`id` AS CHAR) AS k0,
        CAST(t.`line` AS CHAR) AS c0,
        t.`amount` AS c1,
        CAST(t.`day` AS CHAR) AS c2
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
) AS d;

-- examples of orders
SELECT
  a.k0 AS key_0,
  NOT a.c0 <=> b.c0 AS d0,
  a.r0 AS base_0,
  b.r0 AS current_0,
  NOT a.c1 <=> b.c1 AS d1,
  a.c1 AS base_1,
  b.c1 AS current_1,
  NOT a.c2 <=> b.c2 AS d2,
  a.r2 AS base_2,
  CAST(b.r2 AS CHAR) AS current_2
FROM (
  SELECT
    CAST(t.`id` AS CHAR) AS k0,
    CAST(t.`line` AS CHAR) AS c0,
    t.`amount` AS c1,
    CAST(t.`day` AS CHAR) AS c2,
    t.`line` AS r0,
    t.`day` AS r2
  FROM orders_base AS t
  WHERE
    CAST(t.`id` AS CHAR) IN ('1')
) AS a
INNER JOIN (
  SELECT
    CAST(t.`id` AS CHAR) AS k0,
    CAST(t.`line` AS CHAR) AS c0,
    t.`amount` AS c1,
    CAST(t.`day` AS CHAR) AS c2,
    t.`line` AS r0,
    t.`day` AS r2
  FROM orders_current AS t
) AS b
  ON a.k0 = b.k0
ORDER BY
  CASE WHEN CAST(a.k0 AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(a.k0 AS CHAR) ASC;
