-- == simple
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
  COUNT(CASE WHEN d.d7 THEN d.x7 END) AS distance_0_7,
  SUM(CASE WHEN d.d7 THEN d.x7 END) AS distance_1_7,
  MAX(ABS(CASE WHEN d.d7 THEN d.x7 END)) AS distance_2_7,
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
    (
      CAST(recce_joined.b_c7 AS DECIMAL(4, 0)) - CAST(recce_joined.a_c7 AS DECIMAL(4, 0))
    ) AS x7,
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
        CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
        CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2,
        t.`amount` AS c3,
        t.`rate` AS c4,
        t.`day` AS c5,
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ) AS c6,
        t.`is_it` AS c7,
        CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c8,
        CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c9,
        t.`raw` AS c10
      FROM orders_base AS t
    ) AS a
    LEFT JOIN (
      SELECT
        t.`id` AS k0,
        t.`line` AS c0,
        CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
        CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2,
        t.`amount` AS c3,
        t.`rate` AS c4,
        t.`day` AS c5,
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ) AS c6,
        t.`is_it` AS c7,
        CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c8,
        CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c9,
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
        CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
        CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2,
        t.`amount` AS c3,
        t.`rate` AS c4,
        t.`day` AS c5,
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ) AS c6,
        t.`is_it` AS c7,
        CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c8,
        CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c9,
        t.`raw` AS c10
      FROM orders_current AS t
    ) AS b
    LEFT JOIN (
      SELECT
        t.`id` AS k0,
        t.`line` AS c0,
        CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
        CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2,
        t.`amount` AS c3,
        t.`rate` AS c4,
        t.`day` AS c5,
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ) AS c6,
        t.`is_it` AS c7,
        CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c8,
        CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c9,
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
    CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
    CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2,
    t.`amount` AS c3,
    t.`rate` AS c4,
    t.`day` AS c5,
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
    ) AS c6,
    t.`is_it` AS c7,
    CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c8,
    CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c9,
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
    CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
    CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2,
    t.`amount` AS c3,
    t.`rate` AS c4,
    t.`day` AS c5,
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
    ) AS c6,
    t.`is_it` AS c7,
    CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c8,
    CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c9,
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

-- == options
-- key of orders_base
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS SIGNED) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS SIGNED) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t.`id` AS k0,
      CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k1
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) % 1000000
      ) < 100000
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS g;

-- key of orders_current
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS SIGNED) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS SIGNED) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t.`id` AS k0,
      CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k1
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) % 1000000
      ) < 100000
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS g;

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
  COUNT(CASE WHEN d.d2 THEN d.x2 END) AS distance_0_2,
  SUM(CASE WHEN d.d2 THEN d.x2 END) AS distance_1_2,
  MAX(ABS(CASE WHEN d.d2 THEN d.x2 END)) AS distance_2_2,
  MIN(CASE WHEN d.d2 THEN d.token END) AS first_token_2,
  MAX(CASE WHEN d.d2 THEN d.token END) AS last_token_2,
  COUNT(CASE WHEN d.d3 THEN 1 END) AS mismatched_3,
  COUNT(CASE WHEN d.d3 AND d.e3 THEN 1 END) AS null_to_value_3,
  COUNT(CASE WHEN d.d3 AND d.f3 THEN 1 END) AS value_to_null_3,
  COUNT(COALESCE(CASE WHEN d.d3 THEN d.x3 END, CASE WHEN d.d3 THEN d.y3 END)) AS distance_0_3,
  SUM(CASE WHEN d.d3 THEN d.x3 END) AS distance_1_3,
  MAX(ABS(CASE WHEN d.d3 THEN d.x3 END)) AS distance_2_3,
  SUM(CASE WHEN d.d3 THEN d.y3 END) AS distance_3_3,
  MAX(ABS(CASE WHEN d.d3 THEN d.y3 END)) AS distance_4_3,
  MIN(CASE WHEN d.d3 THEN d.token END) AS first_token_3,
  MAX(CASE WHEN d.d3 THEN d.token END) AS last_token_3,
  COUNT(CASE WHEN d.d4 THEN 1 END) AS mismatched_4,
  COUNT(CASE WHEN d.d4 AND d.e4 THEN 1 END) AS null_to_value_4,
  COUNT(CASE WHEN d.d4 AND d.f4 THEN 1 END) AS value_to_null_4,
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
  COUNT(CASE WHEN d.d6 THEN d.x6 END) AS distance_0_6,
  SUM(CASE WHEN d.d6 THEN d.x6 END) AS distance_1_6,
  MAX(ABS(CASE WHEN d.d6 THEN d.x6 END)) AS distance_2_6,
  MIN(CASE WHEN d.d6 THEN d.token END) AS first_token_6,
  MAX(CASE WHEN d.d6 THEN d.token END) AS last_token_6
FROM (
  SELECT
    recce_joined.a_k0 IS NULL AS is_added,
    recce_joined.b_k0 IS NULL AS is_removed,
    CAST((
      CONCAT(CAST(recce_joined.a_k0 AS CHAR), '|', recce_joined.a_k1)
    ) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS token,
    recce_joined.a_k0 = recce_joined.b_k0
    AND (
      NOT recce_joined.a_c0 <=> recce_joined.b_c0
      AND NOT COALESCE(
        ABS(
          CAST(recce_joined.b_c0 AS DECIMAL(11, 0)) - CAST(recce_joined.a_c0 AS DECIMAL(11, 0))
        ) <= 0
        OR ABS(
          CAST(recce_joined.b_c0 AS DECIMAL(11, 0)) - CAST(recce_joined.a_c0 AS DECIMAL(11, 0))
        ) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(
          ABS(CAST(recce_joined.a_c0 AS DECIMAL(11, 0))),
          ABS(CAST(recce_joined.b_c0 AS DECIMAL(11, 0)))
        ) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    ) AS d0,
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
    AND (
      NOT recce_joined.a_c2 <=> recce_joined.b_c2
      AND NOT COALESCE(
        ABS(
          CAST(recce_joined.b_c2 AS DECIMAL(13, 2)) - CAST(recce_joined.a_c2 AS DECIMAL(13, 2))
        ) <= 0.01
        OR ABS(
          CAST(recce_joined.b_c2 AS DECIMAL(13, 2)) - CAST(recce_joined.a_c2 AS DECIMAL(13, 2))
        ) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(
          ABS(CAST(recce_joined.a_c2 AS DECIMAL(13, 2))),
          ABS(CAST(recce_joined.b_c2 AS DECIMAL(13, 2)))
        ) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    ) AS d2,
    recce_joined.a_c2 IS NULL AS e2,
    recce_joined.b_c2 IS NULL AS f2,
    (
      CAST(recce_joined.b_c2 AS DECIMAL(13, 2)) - CAST(recce_joined.a_c2 AS DECIMAL(13, 2))
    ) AS x2,
    recce_joined.a_k0 = recce_joined.b_k0
    AND (
      NOT recce_joined.a_c3 <=> recce_joined.b_c3
      AND NOT COALESCE(
        CASE
          WHEN recce_joined.a_c3 BETWEEN -8e307 AND 8e307
          AND recce_joined.b_c3 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(recce_joined.b_c3 AS DOUBLE) - CAST(recce_joined.a_c3 AS DOUBLE)) <= 0.01
          OR ABS(CAST(recce_joined.b_c3 AS DOUBLE) - CAST(recce_joined.a_c3 AS DOUBLE)) / NULLIF(
            GREATEST(ABS(CAST(recce_joined.a_c3 AS DOUBLE)), ABS(CAST(recce_joined.b_c3 AS DOUBLE))),
            0
          ) <= 0.000001
          WHEN recce_joined.a_c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND recce_joined.b_c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(
            CAST(recce_joined.b_c3 AS DOUBLE) / CAST('2' AS DOUBLE) - CAST(recce_joined.a_c3 AS DOUBLE) / CAST('2' AS DOUBLE)
          ) <= 0.005
          OR ABS(
            CAST(recce_joined.b_c3 AS DOUBLE) / CAST('2' AS DOUBLE) - CAST(recce_joined.a_c3 AS DOUBLE) / CAST('2' AS DOUBLE)
          ) / NULLIF(
            GREATEST(
              ABS(CAST(recce_joined.a_c3 AS DOUBLE) / CAST('2' AS DOUBLE)),
              ABS(CAST(recce_joined.b_c3 AS DOUBLE) / CAST('2' AS DOUBLE))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
    ) AS d3,
    recce_joined.a_c3 IS NULL AS e3,
    recce_joined.b_c3 IS NULL AS f3,
    CASE
      WHEN recce_joined.a_c3 BETWEEN -1e290 AND 1e290
      AND recce_joined.b_c3 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(recce_joined.b_c3 AS DOUBLE) - CAST(recce_joined.a_c3 AS DOUBLE)
      )
    END AS x3,
    CASE
      WHEN recce_joined.a_c3 BETWEEN -1e290 AND 1e290
      AND recce_joined.b_c3 BETWEEN -1e290 AND 1e290
      THEN NULL
      WHEN recce_joined.a_c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      AND recce_joined.b_c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      THEN (
        (
          CASE
            WHEN CAST(recce_joined.b_c3 AS DOUBLE) BETWEEN -1 AND 1
            THEN CAST('0' AS DOUBLE)
            ELSE CAST(recce_joined.b_c3 AS DOUBLE) * CAST('5.421010862427522e-20' AS DOUBLE)
          END
        ) - (
          CASE
            WHEN CAST(recce_joined.a_c3 AS DOUBLE) BETWEEN -1 AND 1
            THEN CAST('0' AS DOUBLE)
            ELSE CAST(recce_joined.a_c3 AS DOUBLE) * CAST('5.421010862427522e-20' AS DOUBLE)
          END
        )
      )
    END AS y3,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c4 <=> recce_joined.b_c4 AS d4,
    recce_joined.a_c4 IS NULL AS e4,
    recce_joined.b_c4 IS NULL AS f4,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c5 <=> recce_joined.b_c5 AS d5,
    recce_joined.a_c5 IS NULL AS e5,
    recce_joined.b_c5 IS NULL AS f5,
    recce_joined.a_k0 = recce_joined.b_k0
    AND (
      NOT recce_joined.a_c6 <=> recce_joined.b_c6
      AND NOT COALESCE(
        ABS(
          CAST(recce_joined.b_c6 AS DECIMAL(4, 0)) - CAST(recce_joined.a_c6 AS DECIMAL(4, 0))
        ) <= 0
        OR ABS(
          CAST(recce_joined.b_c6 AS DECIMAL(4, 0)) - CAST(recce_joined.a_c6 AS DECIMAL(4, 0))
        ) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(
          ABS(CAST(recce_joined.a_c6 AS DECIMAL(4, 0))),
          ABS(CAST(recce_joined.b_c6 AS DECIMAL(4, 0)))
        ) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    ) AS d6,
    recce_joined.a_c6 IS NULL AS e6,
    recce_joined.b_c6 IS NULL AS f6,
    (
      CAST(recce_joined.b_c6 AS DECIMAL(4, 0)) - CAST(recce_joined.a_c6 AS DECIMAL(4, 0))
    ) AS x6
  FROM (
    SELECT
      a.k0 AS a_k0,
      a.k1 AS a_k1,
      a.c0 AS a_c0,
      a.c1 AS a_c1,
      a.c2 AS a_c2,
      a.c3 AS a_c3,
      a.c4 AS a_c4,
      a.c5 AS a_c5,
      a.c6 AS a_c6,
      b.k0 AS b_k0,
      b.k1 AS b_k1,
      b.c0 AS b_c0,
      b.c1 AS b_c1,
      b.c2 AS b_c2,
      b.c3 AS b_c3,
      b.c4 AS b_c4,
      b.c5 AS b_c5,
      b.c6 AS b_c6
    FROM (
      SELECT
        t.`id` AS k0,
        CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k1,
        t.`line` AS c0,
        CAST(LOWER(
          TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */)
        ) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
        t.`amount` AS c2,
        t.`rate` AS c3,
        t.`day` AS c4,
        CAST(DATE_FORMAT(
          (
            CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
          ),
          '%Y-%m-%d %H:%i:%s'
        ) AS DATETIME(6)) AS c5,
        t.`is_it` AS c6
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0 -- of the user
          
        )
        AND ABS(
          CAST(CONV(
            SUBSTRING(
              MD5(
                CONCAT(
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  )
                )
              ),
              1,
              15
            ),
            16,
            10
          ) AS SIGNED) % 1000000
        ) < 100000
    ) AS a
    LEFT JOIN (
      SELECT
        t.`id` AS k0,
        CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k1,
        t.`line` AS c0,
        CAST(LOWER(
          TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */)
        ) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
        t.`amount` AS c2,
        t.`rate` AS c3,
        t.`day` AS c4,
        CAST(DATE_FORMAT(
          (
            CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
          ),
          '%Y-%m-%d %H:%i:%s'
        ) AS DATETIME(6)) AS c5,
        t.`is_it` AS c6
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0 -- of the user
          
        )
        AND ABS(
          CAST(CONV(
            SUBSTRING(
              MD5(
                CONCAT(
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  )
                )
              ),
              1,
              15
            ),
            16,
            10
          ) AS SIGNED) % 1000000
        ) < 100000
    ) AS b
      ON a.k0 = b.k0 AND a.k1 = b.k1
    UNION ALL
    SELECT
      a.k0 AS a_k0,
      a.k1 AS a_k1,
      a.c0 AS a_c0,
      a.c1 AS a_c1,
      a.c2 AS a_c2,
      a.c3 AS a_c3,
      a.c4 AS a_c4,
      a.c5 AS a_c5,
      a.c6 AS a_c6,
      b.k0 AS b_k0,
      b.k1 AS b_k1,
      b.c0 AS b_c0,
      b.c1 AS b_c1,
      b.c2 AS b_c2,
      b.c3 AS b_c3,
      b.c4 AS b_c4,
      b.c5 AS b_c5,
      b.c6 AS b_c6
    FROM (
      SELECT
        t.`id` AS k0,
        CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k1,
        t.`line` AS c0,
        CAST(LOWER(
          TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */)
        ) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
        t.`amount` AS c2,
        t.`rate` AS c3,
        t.`day` AS c4,
        CAST(DATE_FORMAT(
          (
            CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
          ),
          '%Y-%m-%d %H:%i:%s'
        ) AS DATETIME(6)) AS c5,
        t.`is_it` AS c6
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0 -- of the user
          
        )
        AND ABS(
          CAST(CONV(
            SUBSTRING(
              MD5(
                CONCAT(
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  )
                )
              ),
              1,
              15
            ),
            16,
            10
          ) AS SIGNED) % 1000000
        ) < 100000
    ) AS b
    LEFT JOIN (
      SELECT
        t.`id` AS k0,
        CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k1,
        t.`line` AS c0,
        CAST(LOWER(
          TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */)
        ) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
        t.`amount` AS c2,
        t.`rate` AS c3,
        t.`day` AS c4,
        CAST(DATE_FORMAT(
          (
            CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
          ),
          '%Y-%m-%d %H:%i:%s'
        ) AS DATETIME(6)) AS c5,
        t.`is_it` AS c6
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0 -- of the user
          
        )
        AND ABS(
          CAST(CONV(
            SUBSTRING(
              MD5(
                CONCAT(
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  )
                )
              ),
              1,
              15
            ),
            16,
            10
          ) AS SIGNED) % 1000000
        ) < 100000
    ) AS a
      ON a.k0 = b.k0 AND a.k1 = b.k1
    WHERE
      a.k0 IS NULL
  ) AS recce_joined
  WHERE
    recce_joined.a_k0 IS NULL
    OR recce_joined.b_k0 IS NULL
    OR (
      NOT recce_joined.a_c0 <=> recce_joined.b_c0
      AND NOT COALESCE(
        ABS(
          CAST(recce_joined.b_c0 AS DECIMAL(11, 0)) - CAST(recce_joined.a_c0 AS DECIMAL(11, 0))
        ) <= 0
        OR ABS(
          CAST(recce_joined.b_c0 AS DECIMAL(11, 0)) - CAST(recce_joined.a_c0 AS DECIMAL(11, 0))
        ) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(
          ABS(CAST(recce_joined.a_c0 AS DECIMAL(11, 0))),
          ABS(CAST(recce_joined.b_c0 AS DECIMAL(11, 0)))
        ) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    )
    OR NOT recce_joined.a_c1 <=> recce_joined.b_c1
    OR (
      NOT recce_joined.a_c2 <=> recce_joined.b_c2
      AND NOT COALESCE(
        ABS(
          CAST(recce_joined.b_c2 AS DECIMAL(13, 2)) - CAST(recce_joined.a_c2 AS DECIMAL(13, 2))
        ) <= 0.01
        OR ABS(
          CAST(recce_joined.b_c2 AS DECIMAL(13, 2)) - CAST(recce_joined.a_c2 AS DECIMAL(13, 2))
        ) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(
          ABS(CAST(recce_joined.a_c2 AS DECIMAL(13, 2))),
          ABS(CAST(recce_joined.b_c2 AS DECIMAL(13, 2)))
        ) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    )
    OR (
      NOT recce_joined.a_c3 <=> recce_joined.b_c3
      AND NOT COALESCE(
        CASE
          WHEN recce_joined.a_c3 BETWEEN -8e307 AND 8e307
          AND recce_joined.b_c3 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(recce_joined.b_c3 AS DOUBLE) - CAST(recce_joined.a_c3 AS DOUBLE)) <= 0.01
          OR ABS(CAST(recce_joined.b_c3 AS DOUBLE) - CAST(recce_joined.a_c3 AS DOUBLE)) / NULLIF(
            GREATEST(ABS(CAST(recce_joined.a_c3 AS DOUBLE)), ABS(CAST(recce_joined.b_c3 AS DOUBLE))),
            0
          ) <= 0.000001
          WHEN recce_joined.a_c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND recce_joined.b_c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(
            CAST(recce_joined.b_c3 AS DOUBLE) / CAST('2' AS DOUBLE) - CAST(recce_joined.a_c3 AS DOUBLE) / CAST('2' AS DOUBLE)
          ) <= 0.005
          OR ABS(
            CAST(recce_joined.b_c3 AS DOUBLE) / CAST('2' AS DOUBLE) - CAST(recce_joined.a_c3 AS DOUBLE) / CAST('2' AS DOUBLE)
          ) / NULLIF(
            GREATEST(
              ABS(CAST(recce_joined.a_c3 AS DOUBLE) / CAST('2' AS DOUBLE)),
              ABS(CAST(recce_joined.b_c3 AS DOUBLE) / CAST('2' AS DOUBLE))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
    )
    OR NOT recce_joined.a_c4 <=> recce_joined.b_c4
    OR NOT recce_joined.a_c5 <=> recce_joined.b_c5
    OR (
      NOT recce_joined.a_c6 <=> recce_joined.b_c6
      AND NOT COALESCE(
        ABS(
          CAST(recce_joined.b_c6 AS DECIMAL(4, 0)) - CAST(recce_joined.a_c6 AS DECIMAL(4, 0))
        ) <= 0
        OR ABS(
          CAST(recce_joined.b_c6 AS DECIMAL(4, 0)) - CAST(recce_joined.a_c6 AS DECIMAL(4, 0))
        ) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(
          ABS(CAST(recce_joined.a_c6 AS DECIMAL(4, 0))),
          ABS(CAST(recce_joined.b_c6 AS DECIMAL(4, 0)))
        ) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    )
) AS d;

-- examples of orders
SELECT
  d.key_0,
  d.key_1,
  d.d0,
  d.base_0,
  d.current_0,
  d.d1,
  d.base_1,
  d.current_1,
  d.d2,
  d.base_2,
  d.current_2,
  d.d3,
  d.base_3,
  d.current_3,
  d.d4,
  d.base_4,
  d.current_4,
  d.d5,
  d.base_5,
  d.current_5,
  d.d6,
  d.base_6,
  d.current_6
FROM (
  SELECT
    a.k0,
    a.k1,
    a.k0 AS key_0,
    a.k1 AS key_1,
    NOT a.c0 <=> b.c0
    AND NOT COALESCE(
      ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) <= 0
      OR ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c0 AS DECIMAL(11, 0))), ABS(CAST(b.c0 AS DECIMAL(11, 0)))) * CAST(1 AS DECIMAL(7, 0)),
      FALSE
    ) AS d0,
    a.c0 AS base_0,
    b.c0 AS current_0,
    NOT a.c1 <=> b.c1 AS d1,
    a.r1 AS base_1,
    b.r1 AS current_1,
    NOT a.c2 <=> b.c2
    AND NOT COALESCE(
      ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) <= 0.01
      OR ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c2 AS DECIMAL(13, 2))), ABS(CAST(b.c2 AS DECIMAL(13, 2)))) * CAST(1 AS DECIMAL(7, 0)),
      FALSE
    ) AS d2,
    a.c2 AS base_2,
    b.c2 AS current_2,
    NOT a.c3 <=> b.c3
    AND NOT COALESCE(
      CASE
        WHEN a.c3 BETWEEN -8e307 AND 8e307 AND b.c3 BETWEEN -8e307 AND 8e307
        THEN ABS(CAST(b.c3 AS DOUBLE) - CAST(a.c3 AS DOUBLE)) <= 0.01
        OR ABS(CAST(b.c3 AS DOUBLE) - CAST(a.c3 AS DOUBLE)) / NULLIF(GREATEST(ABS(CAST(a.c3 AS DOUBLE)), ABS(CAST(b.c3 AS DOUBLE))), 0) <= 0.000001
        WHEN a.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        AND b.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        THEN ABS(
          CAST(b.c3 AS DOUBLE) / CAST('2' AS DOUBLE) - CAST(a.c3 AS DOUBLE) / CAST('2' AS DOUBLE)
        ) <= 0.005
        OR ABS(
          CAST(b.c3 AS DOUBLE) / CAST('2' AS DOUBLE) - CAST(a.c3 AS DOUBLE) / CAST('2' AS DOUBLE)
        ) / NULLIF(
          GREATEST(
            ABS(CAST(a.c3 AS DOUBLE) / CAST('2' AS DOUBLE)),
            ABS(CAST(b.c3 AS DOUBLE) / CAST('2' AS DOUBLE))
          ),
          0
        ) <= 0.000001
      END,
      FALSE
    ) AS d3,
    a.c3 AS base_3,
    b.c3 AS current_3,
    NOT a.c4 <=> b.c4 AS d4,
    CAST(a.c4 AS CHAR) AS base_4,
    CAST(b.c4 AS CHAR) AS current_4,
    NOT a.c5 <=> b.c5 AS d5,
    CAST(a.r5 AS CHAR) AS base_5,
    CAST(b.r5 AS CHAR) AS current_5,
    NOT a.c6 <=> b.c6
    AND NOT COALESCE(
      ABS(CAST(b.c6 AS DECIMAL(4, 0)) - CAST(a.c6 AS DECIMAL(4, 0))) <= 0
      OR ABS(CAST(b.c6 AS DECIMAL(4, 0)) - CAST(a.c6 AS DECIMAL(4, 0))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c6 AS DECIMAL(4, 0))), ABS(CAST(b.c6 AS DECIMAL(4, 0)))) * CAST(1 AS DECIMAL(7, 0)),
      FALSE
    ) AS d6,
    a.c6 AS base_6,
    b.c6 AS current_6,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c0 <=> b.c0
      AND NOT COALESCE(
        ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) <= 0
        OR ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c0 AS DECIMAL(11, 0))), ABS(CAST(b.c0 AS DECIMAL(11, 0)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ ASC
    ) AS n0,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c1 <=> b.c1
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ ASC
    ) AS n1,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c2 <=> b.c2
      AND NOT COALESCE(
        ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) <= 0.01
        OR ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c2 AS DECIMAL(13, 2))), ABS(CAST(b.c2 AS DECIMAL(13, 2)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ ASC
    ) AS n2,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c3 <=> b.c3
      AND NOT COALESCE(
        CASE
          WHEN a.c3 BETWEEN -8e307 AND 8e307 AND b.c3 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c3 AS DOUBLE) - CAST(a.c3 AS DOUBLE)) <= 0.01
          OR ABS(CAST(b.c3 AS DOUBLE) - CAST(a.c3 AS DOUBLE)) / NULLIF(GREATEST(ABS(CAST(a.c3 AS DOUBLE)), ABS(CAST(b.c3 AS DOUBLE))), 0) <= 0.000001
          WHEN a.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(
            CAST(b.c3 AS DOUBLE) / CAST('2' AS DOUBLE) - CAST(a.c3 AS DOUBLE) / CAST('2' AS DOUBLE)
          ) <= 0.005
          OR ABS(
            CAST(b.c3 AS DOUBLE) / CAST('2' AS DOUBLE) - CAST(a.c3 AS DOUBLE) / CAST('2' AS DOUBLE)
          ) / NULLIF(
            GREATEST(
              ABS(CAST(a.c3 AS DOUBLE) / CAST('2' AS DOUBLE)),
              ABS(CAST(b.c3 AS DOUBLE) / CAST('2' AS DOUBLE))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ ASC
    ) AS n3,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c4 <=> b.c4
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ ASC
    ) AS n4,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c5 <=> b.c5
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ ASC
    ) AS n5,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c6 <=> b.c6
      AND NOT COALESCE(
        ABS(CAST(b.c6 AS DECIMAL(4, 0)) - CAST(a.c6 AS DECIMAL(4, 0))) <= 0
        OR ABS(CAST(b.c6 AS DECIMAL(4, 0)) - CAST(a.c6 AS DECIMAL(4, 0))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c6 AS DECIMAL(4, 0))), ABS(CAST(b.c6 AS DECIMAL(4, 0)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ ASC
    ) AS n6
  FROM (
    SELECT
      t.`id` AS k0,
      CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k1,
      t.`line` AS c0,
      CAST(LOWER(
        TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */)
      ) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
      t.`amount` AS c2,
      t.`rate` AS c3,
      t.`day` AS c4,
      CAST(DATE_FORMAT(
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ),
        '%Y-%m-%d %H:%i:%s'
      ) AS DATETIME(6)) AS c5,
      t.`is_it` AS c6,
      t.`a "quoted" one` AS r1,
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
      ) AS r5
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) % 1000000
      ) < 100000
  ) AS a
  INNER JOIN (
    SELECT
      t.`id` AS k0,
      CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k1,
      t.`line` AS c0,
      CAST(LOWER(
        TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */)
      ) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
      t.`amount` AS c2,
      t.`rate` AS c3,
      t.`day` AS c4,
      CAST(DATE_FORMAT(
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ),
        '%Y-%m-%d %H:%i:%s'
      ) AS DATETIME(6)) AS c5,
      t.`is_it` AS c6,
      t.`a "quoted" one` AS r1,
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
      ) AS r5
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) % 1000000
      ) < 100000
  ) AS b
    ON a.k0 = b.k0 AND a.k1 = b.k1
  WHERE
    (
      NOT a.c0 <=> b.c0
      AND NOT COALESCE(
        ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) <= 0
        OR ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c0 AS DECIMAL(11, 0))), ABS(CAST(b.c0 AS DECIMAL(11, 0)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    )
    OR NOT a.c1 <=> b.c1
    OR (
      NOT a.c2 <=> b.c2
      AND NOT COALESCE(
        ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) <= 0.01
        OR ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c2 AS DECIMAL(13, 2))), ABS(CAST(b.c2 AS DECIMAL(13, 2)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    )
    OR (
      NOT a.c3 <=> b.c3
      AND NOT COALESCE(
        CASE
          WHEN a.c3 BETWEEN -8e307 AND 8e307 AND b.c3 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c3 AS DOUBLE) - CAST(a.c3 AS DOUBLE)) <= 0.01
          OR ABS(CAST(b.c3 AS DOUBLE) - CAST(a.c3 AS DOUBLE)) / NULLIF(GREATEST(ABS(CAST(a.c3 AS DOUBLE)), ABS(CAST(b.c3 AS DOUBLE))), 0) <= 0.000001
          WHEN a.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(
            CAST(b.c3 AS DOUBLE) / CAST('2' AS DOUBLE) - CAST(a.c3 AS DOUBLE) / CAST('2' AS DOUBLE)
          ) <= 0.005
          OR ABS(
            CAST(b.c3 AS DOUBLE) / CAST('2' AS DOUBLE) - CAST(a.c3 AS DOUBLE) / CAST('2' AS DOUBLE)
          ) / NULLIF(
            GREATEST(
              ABS(CAST(a.c3 AS DOUBLE) / CAST('2' AS DOUBLE)),
              ABS(CAST(b.c3 AS DOUBLE) / CAST('2' AS DOUBLE))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
    )
    OR NOT a.c4 <=> b.c4
    OR NOT a.c5 <=> b.c5
    OR (
      NOT a.c6 <=> b.c6
      AND NOT COALESCE(
        ABS(CAST(b.c6 AS DECIMAL(4, 0)) - CAST(a.c6 AS DECIMAL(4, 0))) <= 0
        OR ABS(CAST(b.c6 AS DECIMAL(4, 0)) - CAST(a.c6 AS DECIMAL(4, 0))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c6 AS DECIMAL(4, 0))), ABS(CAST(b.c6 AS DECIMAL(4, 0)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    )
) AS d
WHERE
  (
    d.d0 AND d.n0 <= 3
  )
  OR (
    d.d1 AND d.n1 <= 3
  )
  OR (
    d.d2 AND d.n2 <= 3
  )
  OR (
    d.d3 AND d.n3 <= 3
  )
  OR (
    d.d4 AND d.n4 <= 3
  )
  OR (
    d.d5 AND d.n5 <= 3
  )
  OR (
    d.d6 AND d.n6 <= 3
  )
ORDER BY
  CASE WHEN d.k0 IS NULL THEN 1 ELSE 0 END, d.k0 ASC,
  CASE WHEN CAST(d.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(d.k1 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ ASC;

-- == unclean_key
-- key of orders_base
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS SIGNED) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS SIGNED) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t.`id` AS k0,
      t.`line` AS k1
    FROM orders_base AS t
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS g;

-- key of orders_current
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS SIGNED) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS SIGNED) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t.`id` AS k0,
      t.`line` AS k1
    FROM orders_current AS t
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS g;

-- repeated keys of orders
SELECT
  COUNT(CASE WHEN recce_joined.a_n > 1 THEN 1 END) AS base_keys,
  CAST(COALESCE(
    SUM(CASE WHEN recce_joined.a_n > 1 OR recce_joined.b_n > 1 THEN recce_joined.a_n END),
    0
  ) AS SIGNED) AS base_rows,
  COUNT(CASE WHEN recce_joined.b_n > 1 THEN 1 END) AS current_keys,
  CAST(COALESCE(
    SUM(CASE WHEN recce_joined.a_n > 1 OR recce_joined.b_n > 1 THEN recce_joined.b_n END),
    0
  ) AS SIGNED) AS current_rows
FROM (
  SELECT
    a.k0 AS a_k0,
    a.k1 AS a_k1,
    a.n AS a_n,
    b.k0 AS b_k0,
    b.k1 AS b_k1,
    b.n AS b_n
  FROM (
    SELECT
      s.k0,
      s.k1,
      COUNT(*) AS n
    FROM (
      SELECT
        t.`id` AS k0,
        t.`line` AS k1
      FROM orders_base AS t
      WHERE
        NOT t.`id` IS NULL AND NOT t.`line` IS NULL
    ) AS s
    GROUP BY
      s.k0,
      s.k1
  ) AS a
  LEFT JOIN (
    SELECT
      s.k0,
      s.k1,
      COUNT(*) AS n
    FROM (
      SELECT
        t.`id` AS k0,
        t.`line` AS k1
      FROM orders_current AS t
      WHERE
        NOT t.`id` IS NULL AND NOT t.`line` IS NULL
    ) AS s
    GROUP BY
      s.k0,
      s.k1
  ) AS b
    ON a.k0 = b.k0 AND a.k1 = b.k1
  UNION ALL
  SELECT
    a.k0 AS a_k0,
    a.k1 AS a_k1,
    a.n AS a_n,
    b.k0 AS b_k0,
    b.k1 AS b_k1,
    b.n AS b_n
  FROM (
    SELECT
      s.k0,
      s.k1,
      COUNT(*) AS n
    FROM (
      SELECT
        t.`id` AS k0,
        t.`line` AS k1
      FROM orders_current AS t
      WHERE
        NOT t.`id` IS NULL AND NOT t.`line` IS NULL
    ) AS s
    GROUP BY
      s.k0,
      s.k1
  ) AS b
  LEFT JOIN (
    SELECT
      s.k0,
      s.k1,
      COUNT(*) AS n
    FROM (
      SELECT
        t.`id` AS k0,
        t.`line` AS k1
      FROM orders_base AS t
      WHERE
        NOT t.`id` IS NULL AND NOT t.`line` IS NULL
    ) AS s
    GROUP BY
      s.k0,
      s.k1
  ) AS a
    ON a.k0 = b.k0 AND a.k1 = b.k1
  WHERE
    a.k0 IS NULL
) AS recce_joined;

-- values of orders
WITH recce_repeated_keys AS (
  SELECT
    g.k0,
    g.k1
  FROM (
    SELECT
      s.k0,
      s.k1,
      COUNT(*) AS n
    FROM (
      SELECT
        t.`id` AS k0,
        t.`line` AS k1
      FROM orders_base AS t
      WHERE
        NOT t.`id` IS NULL AND NOT t.`line` IS NULL
    ) AS s
    GROUP BY
      s.k0,
      s.k1
  ) AS g
  WHERE
    g.n > 1
  UNION
  SELECT
    g.k0,
    g.k1
  FROM (
    SELECT
      s.k0,
      s.k1,
      COUNT(*) AS n
    FROM (
      SELECT
        t.`id` AS k0,
        t.`line` AS k1
      FROM orders_current AS t
      WHERE
        NOT t.`id` IS NULL AND NOT t.`line` IS NULL
    ) AS s
    GROUP BY
      s.k0,
      s.k1
  ) AS g
  WHERE
    g.n > 1
)
SELECT
  COUNT(CASE WHEN d.is_added THEN 1 END) AS added,
  COUNT(CASE WHEN d.is_removed THEN 1 END) AS removed,
  COUNT(CASE WHEN NOT d.is_added AND NOT d.is_removed THEN 1 END) AS changed,
  COUNT(CASE WHEN d.d0 THEN 1 END) AS mismatched_0,
  COUNT(CASE WHEN d.d0 AND d.e0 THEN 1 END) AS null_to_value_0,
  COUNT(CASE WHEN d.d0 AND d.f0 THEN 1 END) AS value_to_null_0,
  COUNT(COALESCE(CASE WHEN d.d0 THEN d.x0 END, CASE WHEN d.d0 THEN d.y0 END)) AS distance_0_0,
  SUM(CASE WHEN d.d0 THEN d.x0 END) AS distance_1_0,
  MAX(ABS(CASE WHEN d.d0 THEN d.x0 END)) AS distance_2_0,
  SUM(CASE WHEN d.d0 THEN d.y0 END) AS distance_3_0,
  MAX(ABS(CASE WHEN d.d0 THEN d.y0 END)) AS distance_4_0,
  MIN(CASE WHEN d.d0 THEN d.token END) AS first_token_0,
  MAX(CASE WHEN d.d0 THEN d.token END) AS last_token_0
FROM (
  SELECT
    recce_joined.a_k0 IS NULL AS is_added,
    recce_joined.b_k0 IS NULL AS is_removed,
    CAST((
      CONCAT(CAST(recce_joined.a_k0 AS CHAR), '|', CAST(recce_joined.a_k1 AS CHAR))
    ) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS token,
    recce_joined.a_k0 = recce_joined.b_k0
    AND NOT recce_joined.a_c0 <=> recce_joined.b_c0 AS d0,
    recce_joined.a_c0 IS NULL AS e0,
    recce_joined.b_c0 IS NULL AS f0,
    CASE
      WHEN recce_joined.a_c0 BETWEEN -1e290 AND 1e290
      AND recce_joined.b_c0 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(recce_joined.b_c0 AS DOUBLE) - CAST(recce_joined.a_c0 AS DOUBLE)
      )
    END AS x0,
    CASE
      WHEN recce_joined.a_c0 BETWEEN -1e290 AND 1e290
      AND recce_joined.b_c0 BETWEEN -1e290 AND 1e290
      THEN NULL
      WHEN recce_joined.a_c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      AND recce_joined.b_c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      THEN (
        (
          CASE
            WHEN CAST(recce_joined.b_c0 AS DOUBLE) BETWEEN -1 AND 1
            THEN CAST('0' AS DOUBLE)
            ELSE CAST(recce_joined.b_c0 AS DOUBLE) * CAST('5.421010862427522e-20' AS DOUBLE)
          END
        ) - (
          CASE
            WHEN CAST(recce_joined.a_c0 AS DOUBLE) BETWEEN -1 AND 1
            THEN CAST('0' AS DOUBLE)
            ELSE CAST(recce_joined.a_c0 AS DOUBLE) * CAST('5.421010862427522e-20' AS DOUBLE)
          END
        )
      )
    END AS y0
  FROM (
    SELECT
      a.k0 AS a_k0,
      a.k1 AS a_k1,
      a.c0 AS a_c0,
      b.k0 AS b_k0,
      b.k1 AS b_k1,
      b.c0 AS b_c0
    FROM (
      SELECT
        s.k0,
        s.k1,
        s.c0
      FROM (
        SELECT
          t.`id` AS k0,
          t.`line` AS k1,
          t.`rate` AS c0
        FROM orders_base AS t
        WHERE
          NOT t.`id` IS NULL AND NOT t.`line` IS NULL
      ) AS s
      LEFT JOIN recce_repeated_keys AS r
        ON s.k0 = r.k0 AND s.k1 = r.k1
      WHERE
        r.k0 IS NULL
    ) AS a
    LEFT JOIN (
      SELECT
        s.k0,
        s.k1,
        s.c0
      FROM (
        SELECT
          t.`id` AS k0,
          t.`line` AS k1,
          t.`rate` AS c0
        FROM orders_current AS t
        WHERE
          NOT t.`id` IS NULL AND NOT t.`line` IS NULL
      ) AS s
      LEFT JOIN recce_repeated_keys AS r
        ON s.k0 = r.k0 AND s.k1 = r.k1
      WHERE
        r.k0 IS NULL
    ) AS b
      ON a.k0 = b.k0 AND a.k1 = b.k1
    UNION ALL
    SELECT
      a.k0 AS a_k0,
      a.k1 AS a_k1,
      a.c0 AS a_c0,
      b.k0 AS b_k0,
      b.k1 AS b_k1,
      b.c0 AS b_c0
    FROM (
      SELECT
        s.k0,
        s.k1,
        s.c0
      FROM (
        SELECT
          t.`id` AS k0,
          t.`line` AS k1,
          t.`rate` AS c0
        FROM orders_current AS t
        WHERE
          NOT t.`id` IS NULL AND NOT t.`line` IS NULL
      ) AS s
      LEFT JOIN recce_repeated_keys AS r
        ON s.k0 = r.k0 AND s.k1 = r.k1
      WHERE
        r.k0 IS NULL
    ) AS b
    LEFT JOIN (
      SELECT
        s.k0,
        s.k1,
        s.c0
      FROM (
        SELECT
          t.`id` AS k0,
          t.`line` AS k1,
          t.`rate` AS c0
        FROM orders_base AS t
        WHERE
          NOT t.`id` IS NULL AND NOT t.`line` IS NULL
      ) AS s
      LEFT JOIN recce_repeated_keys AS r
        ON s.k0 = r.k0 AND s.k1 = r.k1
      WHERE
        r.k0 IS NULL
    ) AS a
      ON a.k0 = b.k0 AND a.k1 = b.k1
    WHERE
      a.k0 IS NULL
  ) AS recce_joined
  WHERE
    recce_joined.a_k0 IS NULL
    OR recce_joined.b_k0 IS NULL
    OR NOT recce_joined.a_c0 <=> recce_joined.b_c0
) AS d;

-- examples of orders
SELECT
  a.k0 AS key_0,
  a.k1 AS key_1,
  NOT a.c0 <=> b.c0 AS d0,
  a.c0 AS base_0,
  b.c0 AS current_0
FROM (
  SELECT
    t.`id` AS k0,
    t.`line` AS k1,
    t.`rate` AS c0
  FROM orders_base AS t
  WHERE
    CONCAT(CAST(t.`id` AS CHAR), '|', CAST(t.`line` AS CHAR)) IN ('1')
) AS a
INNER JOIN (
  SELECT
    t.`id` AS k0,
    t.`line` AS k1,
    t.`rate` AS c0
  FROM orders_current AS t
  WHERE
    CONCAT(CAST(t.`id` AS CHAR), '|', CAST(t.`line` AS CHAR)) IN ('1')
) AS b
  ON a.k0 = b.k0 AND a.k1 = b.k1
ORDER BY
  CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC,
  CASE WHEN a.k1 IS NULL THEN 1 ELSE 0 END, a.k1 ASC;

-- == retyped
-- key of orders_base
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(
    DISTINCT CAST(s.k0 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS n_keys
FROM (
  SELECT
    CAST(t.`id` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k0
  FROM orders_base AS t
) AS s;

-- key of orders_current
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(
    DISTINCT CAST(s.k0 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS n_keys
FROM (
  SELECT
    CAST(t.`id` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k0
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
    CAST(recce_joined.a_k0 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS token,
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
        CAST(t.`id` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k0,
        CAST(t.`line` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c0,
        t.`amount` AS c1,
        CAST(t.`day` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2
      FROM orders_base AS t
    ) AS a
    LEFT JOIN (
      SELECT
        CAST(t.`id` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k0,
        CAST(t.`line` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c0,
        t.`amount` AS c1,
        CAST(t.`day` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2
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
        CAST(t.`id` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k0,
        CAST(t.`line` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c0,
        t.`amount` AS c1,
        CAST(t.`day` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2
      FROM orders_current AS t
    ) AS b
    LEFT JOIN (
      SELECT
        CAST(t.`id` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k0,
        CAST(t.`line` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c0,
        t.`amount` AS c1,
        CAST(t.`day` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2
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
    CAST(t.`id` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k0,
    CAST(t.`line` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c0,
    t.`amount` AS c1,
    CAST(t.`day` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2,
    t.`line` AS r0,
    t.`day` AS r2
  FROM orders_base AS t
  WHERE
    CAST(t.`id` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IN ('1')
) AS a
INNER JOIN (
  SELECT
    CAST(t.`id` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k0,
    CAST(t.`line` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c0,
    t.`amount` AS c1,
    CAST(t.`day` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2,
    t.`line` AS r0,
    t.`day` AS r2
  FROM orders_current AS t
) AS b
  ON a.k0 = b.k0
ORDER BY
  CASE WHEN CAST(a.k0 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(a.k0 AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ ASC;

-- == detail
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

-- rows of orders that differ
SELECT
  d.is_added,
  d.is_removed,
  d.k0 AS key_0,
  d.base_0 AS base_0,
  d.base_1 AS base_1,
  d.base_2 AS base_2,
  d.base_3 AS base_3,
  d.base_4 AS base_4,
  CAST(d.base_5 AS CHAR) AS base_5,
  CAST(d.base_6 AS CHAR) AS base_6,
  d.base_7 AS base_7,
  d.base_8 AS base_8,
  d.base_9 AS base_9,
  d.base_10 AS base_10,
  d.current_0 AS current_0,
  d.current_1 AS current_1,
  d.current_2 AS current_2,
  d.current_3 AS current_3,
  d.current_4 AS current_4,
  CAST(d.current_5 AS CHAR) AS current_5,
  CAST(d.current_6 AS CHAR) AS current_6,
  d.current_7 AS current_7,
  d.current_8 AS current_8,
  d.current_9 AS current_9,
  d.current_10 AS current_10
FROM (
  SELECT
    recce_joined.a_k0 IS NULL AS is_added,
    recce_joined.b_k0 IS NULL AS is_removed,
    COALESCE(recce_joined.a_k0, recce_joined.b_k0) AS k0,
    recce_joined.a_c0 AS base_0,
    recce_joined.a_r1 AS base_1,
    recce_joined.a_r2 AS base_2,
    recce_joined.a_c3 AS base_3,
    recce_joined.a_c4 AS base_4,
    recce_joined.a_c5 AS base_5,
    recce_joined.a_c6 AS base_6,
    recce_joined.a_c7 AS base_7,
    recce_joined.a_r8 AS base_8,
    recce_joined.a_r9 AS base_9,
    recce_joined.a_c10 AS base_10,
    recce_joined.b_c0 AS current_0,
    recce_joined.b_r1 AS current_1,
    recce_joined.b_r2 AS current_2,
    recce_joined.b_c3 AS current_3,
    recce_joined.b_c4 AS current_4,
    recce_joined.b_c5 AS current_5,
    recce_joined.b_c6 AS current_6,
    recce_joined.b_c7 AS current_7,
    recce_joined.b_r8 AS current_8,
    recce_joined.b_r9 AS current_9,
    recce_joined.b_c10 AS current_10
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
      a.r1 AS a_r1,
      a.r2 AS a_r2,
      a.r8 AS a_r8,
      a.r9 AS a_r9,
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
      b.c10 AS b_c10,
      b.r1 AS b_r1,
      b.r2 AS b_r2,
      b.r8 AS b_r8,
      b.r9 AS b_r9
    FROM (
      SELECT
        t.`id` AS k0,
        t.`line` AS c0,
        CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
        CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2,
        t.`amount` AS c3,
        t.`rate` AS c4,
        t.`day` AS c5,
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ) AS c6,
        t.`is_it` AS c7,
        CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c8,
        CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c9,
        t.`raw` AS c10,
        t.`order` AS r1,
        t.`a "quoted" one` AS r2,
        t.`doc` AS r8,
        t.`list` AS r9
      FROM orders_base AS t
    ) AS a
    LEFT JOIN (
      SELECT
        t.`id` AS k0,
        t.`line` AS c0,
        CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
        CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2,
        t.`amount` AS c3,
        t.`rate` AS c4,
        t.`day` AS c5,
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ) AS c6,
        t.`is_it` AS c7,
        CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c8,
        CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c9,
        t.`raw` AS c10,
        t.`order` AS r1,
        t.`a "quoted" one` AS r2,
        t.`doc` AS r8,
        t.`list` AS r9
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
      a.r1 AS a_r1,
      a.r2 AS a_r2,
      a.r8 AS a_r8,
      a.r9 AS a_r9,
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
      b.c10 AS b_c10,
      b.r1 AS b_r1,
      b.r2 AS b_r2,
      b.r8 AS b_r8,
      b.r9 AS b_r9
    FROM (
      SELECT
        t.`id` AS k0,
        t.`line` AS c0,
        CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
        CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2,
        t.`amount` AS c3,
        t.`rate` AS c4,
        t.`day` AS c5,
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ) AS c6,
        t.`is_it` AS c7,
        CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c8,
        CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c9,
        t.`raw` AS c10,
        t.`order` AS r1,
        t.`a "quoted" one` AS r2,
        t.`doc` AS r8,
        t.`list` AS r9
      FROM orders_current AS t
    ) AS b
    LEFT JOIN (
      SELECT
        t.`id` AS k0,
        t.`line` AS c0,
        CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c1,
        CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c2,
        t.`amount` AS c3,
        t.`rate` AS c4,
        t.`day` AS c5,
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
        ) AS c6,
        t.`is_it` AS c7,
        CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c8,
        CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS c9,
        t.`raw` AS c10,
        t.`order` AS r1,
        t.`a "quoted" one` AS r2,
        t.`doc` AS r8,
        t.`list` AS r9
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
) AS d
ORDER BY
  CASE WHEN d.k0 IS NULL THEN 1 ELSE 0 END, d.k0 ASC
LIMIT 6;

-- == rows
-- rows of orders
SELECT
  CAST(COALESCE(SUM(g.n_base), 0) AS SIGNED) AS base_rows,
  CAST(COALESCE(SUM(g.n_current), 0) AS SIGNED) AS current_rows,
  CAST(COALESCE(SUM(CASE WHEN g.n_base < g.n_current THEN g.n_base ELSE g.n_current END), 0) AS SIGNED) AS common
FROM (
  SELECT
    u.h,
    SUM(u.n_base) AS n_base,
    SUM(u.n_current) AS n_current
  FROM (
    SELECT
      t.h,
      1 AS n_base,
      0 AS n_current
    FROM (
      SELECT
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) AS h
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          CAST(CONV(
            SUBSTRING(
              MD5(
                CONCAT(
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)),
                      ':',
                      CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST((
                          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                        ) AS CHAR)
                      ),
                      ':',
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(
                    CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                    '~'
                  )
                )
              ),
              1,
              15
            ),
            16,
            10
          ) AS SIGNED) % 1000000
        ) < 5000
    ) AS t
    UNION ALL
    SELECT
      t.h,
      0 AS n_base,
      1 AS n_current
    FROM (
      SELECT
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) AS h
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          CAST(CONV(
            SUBSTRING(
              MD5(
                CONCAT(
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)),
                      ':',
                      CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST((
                          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                        ) AS CHAR)
                      ),
                      ':',
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(
                    CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                    '~'
                  )
                )
              ),
              1,
              15
            ),
            16,
            10
          ) AS SIGNED) % 1000000
        ) < 5000
    ) AS t
  ) AS u
  GROUP BY
    u.h
) AS g;

-- rows of orders that differ
SELECT
  g.h,
  g.n_base,
  g.n_current
FROM (
  SELECT
    u.h,
    SUM(u.n_base) AS n_base,
    SUM(u.n_current) AS n_current
  FROM (
    SELECT
      t.h,
      1 AS n_base,
      0 AS n_current
    FROM (
      SELECT
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) AS h
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          CAST(CONV(
            SUBSTRING(
              MD5(
                CONCAT(
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)),
                      ':',
                      CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST((
                          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                        ) AS CHAR)
                      ),
                      ':',
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(
                    CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                    '~'
                  )
                )
              ),
              1,
              15
            ),
            16,
            10
          ) AS SIGNED) % 1000000
        ) < 5000
    ) AS t
    UNION ALL
    SELECT
      t.h,
      0 AS n_base,
      1 AS n_current
    FROM (
      SELECT
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) AS h
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          CAST(CONV(
            SUBSTRING(
              MD5(
                CONCAT(
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)),
                      ':',
                      CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST((
                          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                        ) AS CHAR)
                      ),
                      ':',
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                      ),
                      ':',
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(
                    CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                    '~'
                  )
                )
              ),
              1,
              15
            ),
            16,
            10
          ) AS SIGNED) % 1000000
        ) < 5000
    ) AS t
  ) AS u
  GROUP BY
    u.h
) AS g
WHERE
  g.n_base <> g.n_current
ORDER BY
  CASE WHEN g.h IS NULL THEN 1 ELSE 0 END, g.h ASC
LIMIT 6;

-- rows of orders_base that differ
SELECT
  d.h,
  d.r0 AS r0,
  d.r1 AS r1,
  d.r2 AS r2,
  d.r3 AS r3,
  d.r4 AS r4,
  d.r5 AS r5,
  CAST(d.r6 AS CHAR) AS r6,
  CAST(d.r7 AS CHAR) AS r7,
  d.r8 AS r8,
  d.r9 AS r9,
  d.r10 AS r10,
  d.r11 AS r11
FROM (
  SELECT
    t.h,
    t.r0,
    t.r1,
    t.r2,
    t.r3,
    t.r4,
    t.r5,
    t.r6,
    t.r7,
    t.r8,
    t.r9,
    t.r10,
    t.r11,
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY CASE WHEN t.h IS NULL THEN 1 ELSE 0 END, t.h) AS n
  FROM (
    SELECT
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`rate` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`rate` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              )
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) AS h,
      t.`id` AS r0,
      t.`line` AS r1,
      t.`order` AS r2,
      t.`a "quoted" one` AS r3,
      t.`amount` AS r4,
      t.`rate` AS r5,
      t.`day` AS r6,
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
      ) AS r7,
      t.`is_it` AS r8,
      t.`doc` AS r9,
      t.`list` AS r10,
      t.`raw` AS r11
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND ABS(
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) % 1000000
      ) < 5000
  ) AS t
  WHERE
    t.h IN (1)
) AS d
WHERE
  d.n = 1;

-- rows of orders_current that differ
SELECT
  d.h,
  d.r0 AS r0,
  d.r1 AS r1,
  d.r2 AS r2,
  d.r3 AS r3,
  d.r4 AS r4,
  d.r5 AS r5,
  CAST(d.r6 AS CHAR) AS r6,
  CAST(d.r7 AS CHAR) AS r7,
  d.r8 AS r8,
  d.r9 AS r9,
  d.r10 AS r10,
  d.r11 AS r11
FROM (
  SELECT
    t.h,
    t.r0,
    t.r1,
    t.r2,
    t.r3,
    t.r4,
    t.r5,
    t.r6,
    t.r7,
    t.r8,
    t.r9,
    t.r10,
    t.r11,
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY CASE WHEN t.h IS NULL THEN 1 ELSE 0 END, t.h) AS n
  FROM (
    SELECT
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`rate` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`rate` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              )
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) AS h,
      t.`id` AS r0,
      t.`line` AS r1,
      t.`order` AS r2,
      t.`a "quoted" one` AS r3,
      t.`amount` AS r4,
      t.`rate` AS r5,
      t.`day` AS r6,
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
      ) AS r7,
      t.`is_it` AS r8,
      t.`doc` AS r9,
      t.`list` AS r10,
      t.`raw` AS r11
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND ABS(
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) % 1000000
      ) < 5000
  ) AS t
  WHERE
    t.h IN (1)
) AS d
WHERE
  d.n = 1;

-- == query_rows
-- rows of orders
SELECT
  CAST(COALESCE(SUM(g.n_base), 0) AS SIGNED) AS base_rows,
  CAST(COALESCE(SUM(g.n_current), 0) AS SIGNED) AS current_rows,
  CAST(COALESCE(SUM(CASE WHEN g.n_base < g.n_current THEN g.n_base ELSE g.n_current END), 0) AS SIGNED) AS common
FROM (
  SELECT
    u.h,
    SUM(u.n_base) AS n_base,
    SUM(u.n_current) AS n_current
  FROM (
    SELECT
      t.h,
      1 AS n_base,
      0 AS n_current
    FROM (
      SELECT
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) AS h
      FROM (
      SELECT * FROM orders_base -- of the user
      ) AS t
    ) AS t
    UNION ALL
    SELECT
      t.h,
      0 AS n_base,
      1 AS n_current
    FROM (
      SELECT
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) AS h
      FROM orders_current AS t
    ) AS t
  ) AS u
  GROUP BY
    u.h
) AS g;

-- rows of orders that differ
SELECT
  g.h,
  g.n_base,
  g.n_current
FROM (
  SELECT
    u.h,
    SUM(u.n_base) AS n_base,
    SUM(u.n_current) AS n_current
  FROM (
    SELECT
      t.h,
      1 AS n_base,
      0 AS n_current
    FROM (
      SELECT
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) AS h
      FROM (
      SELECT * FROM orders_base -- of the user
      ) AS t
    ) AS t
    UNION ALL
    SELECT
      t.h,
      0 AS n_base,
      1 AS n_current
    FROM (
      SELECT
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                    ),
                    ':',
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) AS h
      FROM orders_current AS t
    ) AS t
  ) AS u
  GROUP BY
    u.h
) AS g
WHERE
  g.n_base <> g.n_current
ORDER BY
  CASE WHEN g.h IS NULL THEN 1 ELSE 0 END, g.h ASC
LIMIT 6;

-- rows of orders_base that differ
SELECT
  d.h,
  d.r0 AS r0,
  d.r1 AS r1,
  d.r2 AS r2,
  d.r3 AS r3,
  d.r4 AS r4,
  d.r5 AS r5,
  CAST(d.r6 AS CHAR) AS r6,
  CAST(d.r7 AS CHAR) AS r7,
  d.r8 AS r8,
  d.r9 AS r9,
  d.r10 AS r10,
  d.r11 AS r11
FROM (
  SELECT
    t.h,
    t.r0,
    t.r1,
    t.r2,
    t.r3,
    t.r4,
    t.r5,
    t.r6,
    t.r7,
    t.r8,
    t.r9,
    t.r10,
    t.r11,
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY CASE WHEN t.h IS NULL THEN 1 ELSE 0 END, t.h) AS n
  FROM (
    SELECT
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`rate` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`rate` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              )
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) AS h,
      t.`id` AS r0,
      t.`line` AS r1,
      t.`order` AS r2,
      t.`a "quoted" one` AS r3,
      t.`amount` AS r4,
      t.`rate` AS r5,
      t.`day` AS r6,
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
      ) AS r7,
      t.`is_it` AS r8,
      t.`doc` AS r9,
      t.`list` AS r10,
      t.`raw` AS r11
    FROM (
    SELECT * FROM orders_base -- of the user
    ) AS t
  ) AS t
  WHERE
    t.h IN (1)
) AS d
WHERE
  d.n = 1;

-- rows of orders_current that differ
SELECT
  d.h,
  d.r0 AS r0,
  d.r1 AS r1,
  d.r2 AS r2,
  d.r3 AS r3,
  d.r4 AS r4,
  d.r5 AS r5,
  CAST(d.r6 AS CHAR) AS r6,
  CAST(d.r7 AS CHAR) AS r7,
  d.r8 AS r8,
  d.r9 AS r9,
  d.r10 AS r10,
  d.r11 AS r11
FROM (
  SELECT
    t.h,
    t.r0,
    t.r1,
    t.r2,
    t.r3,
    t.r4,
    t.r5,
    t.r6,
    t.r7,
    t.r8,
    t.r9,
    t.r10,
    t.r11,
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY CASE WHEN t.h IS NULL THEN 1 ELSE 0 END, t.h) AS n
  FROM (
    SELECT
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`a "quoted" one` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`rate` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`rate` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              )
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) AS h,
      t.`id` AS r0,
      t.`line` AS r1,
      t.`order` AS r2,
      t.`a "quoted" one` AS r3,
      t.`amount` AS r4,
      t.`rate` AS r5,
      t.`day` AS r6,
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
      ) AS r7,
      t.`is_it` AS r8,
      t.`doc` AS r9,
      t.`list` AS r10,
      t.`raw` AS r11
    FROM orders_current AS t
  ) AS t
  WHERE
    t.h IN (1)
) AS d
WHERE
  d.n = 1;

-- == rows_apart
-- rows of orders_base in 4,096 buckets
SELECT
  SUBSTRING(t.h, 1, 3) AS bucket,
  COUNT(*) AS n,
  SUM(CAST(CONV(SUBSTRING(t.h, 4, 10), 16, 10) AS SIGNED)) AS sum_0,
  SUM(CAST(CONV(SUBSTRING(t.h, 14, 10), 16, 10) AS SIGNED)) AS sum_1,
  SUM(CAST(CONV(SUBSTRING(t.h, 24, 9), 16, 10) AS SIGNED)) AS sum_2
FROM (
  SELECT
    MD5(
      CONCAT(
        COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(CAST(t.`line` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`amount` AS CHAR) LIKE '%.%0'
            THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(t.`amount` AS CHAR)))
            ELSE CAST(t.`amount` AS CHAR)
          END,
          '~N'
        ),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`rate` AS DOUBLE) = 0
            THEN '0'
            ELSE CAST(CAST(t.`rate` AS DOUBLE) AS CHAR)
          END,
          '~N'
        ),
        '|',
        COALESCE(CAST(t.`day` AS CHAR), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            ) LIKE '%.%0'
            THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            )))
            ELSE REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            )
          END,
          '~N'
        ),
        '|',
        COALESCE(CAST(t.`is_it` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(
          REPLACE(
            REPLACE(
              CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ),
        '|',
        COALESCE(
          REPLACE(
            REPLACE(
              CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ),
        '|',
        COALESCE(LOWER(HEX(t.`raw`)), '~N')
      )
    ) AS h
  FROM orders_base AS t
) AS t
GROUP BY
  SUBSTRING(t.h, 1, 3);

-- rows of orders_current in 4,096 buckets
SELECT
  SUBSTRING(t.h, 1, 3) AS bucket,
  COUNT(*) AS n,
  SUM(CAST(CONV(SUBSTRING(t.h, 4, 10), 16, 10) AS SIGNED)) AS sum_0,
  SUM(CAST(CONV(SUBSTRING(t.h, 14, 10), 16, 10) AS SIGNED)) AS sum_1,
  SUM(CAST(CONV(SUBSTRING(t.h, 24, 9), 16, 10) AS SIGNED)) AS sum_2
FROM (
  SELECT
    MD5(
      CONCAT(
        COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(CAST(t.`line` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`amount` AS CHAR) LIKE '%.%0'
            THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(t.`amount` AS CHAR)))
            ELSE CAST(t.`amount` AS CHAR)
          END,
          '~N'
        ),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`rate` AS DOUBLE) = 0
            THEN '0'
            ELSE CAST(CAST(t.`rate` AS DOUBLE) AS CHAR)
          END,
          '~N'
        ),
        '|',
        COALESCE(CAST(t.`day` AS CHAR), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            ) LIKE '%.%0'
            THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            )))
            ELSE REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            )
          END,
          '~N'
        ),
        '|',
        COALESCE(CAST(t.`is_it` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(
          REPLACE(
            REPLACE(
              CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ),
        '|',
        COALESCE(
          REPLACE(
            REPLACE(
              CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ),
        '|',
        COALESCE(LOWER(HEX(t.`raw`)), '~N')
      )
    ) AS h
  FROM orders_current AS t
) AS t
GROUP BY
  SUBSTRING(t.h, 1, 3);

-- hashes of orders_base in 1 buckets
SELECT
  t.h,
  COUNT(*) AS n
FROM (
  SELECT
    MD5(
      CONCAT(
        COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(CAST(t.`line` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`amount` AS CHAR) LIKE '%.%0'
            THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(t.`amount` AS CHAR)))
            ELSE CAST(t.`amount` AS CHAR)
          END,
          '~N'
        ),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`rate` AS DOUBLE) = 0
            THEN '0'
            ELSE CAST(CAST(t.`rate` AS DOUBLE) AS CHAR)
          END,
          '~N'
        ),
        '|',
        COALESCE(CAST(t.`day` AS CHAR), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            ) LIKE '%.%0'
            THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            )))
            ELSE REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            )
          END,
          '~N'
        ),
        '|',
        COALESCE(CAST(t.`is_it` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(
          REPLACE(
            REPLACE(
              CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ),
        '|',
        COALESCE(
          REPLACE(
            REPLACE(
              CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ),
        '|',
        COALESCE(LOWER(HEX(t.`raw`)), '~N')
      )
    ) AS h
  FROM orders_base AS t
) AS t
WHERE
  SUBSTRING(t.h, 1, 3) IN ('000')
GROUP BY
  t.h;

-- hashes of orders_current in 1 buckets
SELECT
  t.h,
  COUNT(*) AS n
FROM (
  SELECT
    MD5(
      CONCAT(
        COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(CAST(t.`line` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`amount` AS CHAR) LIKE '%.%0'
            THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(t.`amount` AS CHAR)))
            ELSE CAST(t.`amount` AS CHAR)
          END,
          '~N'
        ),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`rate` AS DOUBLE) = 0
            THEN '0'
            ELSE CAST(CAST(t.`rate` AS DOUBLE) AS CHAR)
          END,
          '~N'
        ),
        '|',
        COALESCE(CAST(t.`day` AS CHAR), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            ) LIKE '%.%0'
            THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            )))
            ELSE REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            )
          END,
          '~N'
        ),
        '|',
        COALESCE(CAST(t.`is_it` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(
          REPLACE(
            REPLACE(
              CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ),
        '|',
        COALESCE(
          REPLACE(
            REPLACE(
              CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ),
        '|',
        COALESCE(LOWER(HEX(t.`raw`)), '~N')
      )
    ) AS h
  FROM orders_current AS t
) AS t
WHERE
  SUBSTRING(t.h, 1, 3) IN ('000')
GROUP BY
  t.h;

-- rows of orders_base that differ
SELECT
  d.h,
  d.r0 AS r0,
  d.r1 AS r1,
  d.r2 AS r2,
  d.r3 AS r3,
  d.r4 AS r4,
  d.r5 AS r5,
  CAST(d.r6 AS CHAR) AS r6,
  CAST(d.r7 AS CHAR) AS r7,
  d.r8 AS r8,
  d.r9 AS r9,
  d.r10 AS r10,
  d.r11 AS r11
FROM (
  SELECT
    t.h,
    t.r0,
    t.r1,
    t.r2,
    t.r3,
    t.r4,
    t.r5,
    t.r6,
    t.r7,
    t.r8,
    t.r9,
    t.r10,
    t.r11,
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY CASE WHEN t.h IS NULL THEN 1 ELSE 0 END, t.h) AS n
  FROM (
    SELECT
      MD5(
        CONCAT(
          COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
          '|',
          COALESCE(CAST(t.`line` + 0 AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
          '|',
          COALESCE(
            CASE
              WHEN CAST(t.`amount` AS CHAR) LIKE '%.%0'
              THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(t.`amount` AS CHAR)))
              ELSE CAST(t.`amount` AS CHAR)
            END,
            '~N'
          ),
          '|',
          COALESCE(
            CASE
              WHEN CAST(t.`rate` AS DOUBLE) = 0
              THEN '0'
              ELSE CAST(CAST(t.`rate` AS DOUBLE) AS CHAR)
            END,
            '~N'
          ),
          '|',
          COALESCE(CAST(t.`day` AS CHAR), '~N'),
          '|',
          COALESCE(
            CASE
              WHEN REPLACE(
                CAST((
                  CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                ) AS CHAR),
                ' ',
                'T'
              ) LIKE '%.%0'
              THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM REPLACE(
                CAST((
                  CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                ) AS CHAR),
                ' ',
                'T'
              )))
              ELSE REPLACE(
                CAST((
                  CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                ) AS CHAR),
                ' ',
                'T'
              )
            END,
            '~N'
          ),
          '|',
          COALESCE(CAST(t.`is_it` + 0 AS CHAR), '~N'),
          '|',
          COALESCE(
            REPLACE(
              REPLACE(
                CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
                '~',
                '~t'
              ),
              '|',
              '~p'
            ),
            '~N'
          ),
          '|',
          COALESCE(
            REPLACE(
              REPLACE(
                CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
                '~',
                '~t'
              ),
              '|',
              '~p'
            ),
            '~N'
          ),
          '|',
          COALESCE(LOWER(HEX(t.`raw`)), '~N')
        )
      ) AS h,
      t.`id` AS r0,
      t.`line` AS r1,
      t.`order` AS r2,
      t.`a "quoted" one` AS r3,
      t.`amount` AS r4,
      t.`rate` AS r5,
      t.`day` AS r6,
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
      ) AS r7,
      t.`is_it` AS r8,
      t.`doc` AS r9,
      t.`list` AS r10,
      t.`raw` AS r11
    FROM orders_base AS t
  ) AS t
  WHERE
    t.h IN ('00000000000000000000000000000001')
) AS d
WHERE
  d.n = 1;

-- rows of orders_current that differ
SELECT
  d.h,
  d.r0 AS r0,
  d.r1 AS r1,
  d.r2 AS r2,
  d.r3 AS r3,
  d.r4 AS r4,
  d.r5 AS r5,
  CAST(d.r6 AS CHAR) AS r6,
  CAST(d.r7 AS CHAR) AS r7,
  d.r8 AS r8,
  d.r9 AS r9,
  d.r10 AS r10,
  d.r11 AS r11
FROM (
  SELECT
    t.h,
    t.r0,
    t.r1,
    t.r2,
    t.r3,
    t.r4,
    t.r5,
    t.r6,
    t.r7,
    t.r8,
    t.r9,
    t.r10,
    t.r11,
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY CASE WHEN t.h IS NULL THEN 1 ELSE 0 END, t.h) AS n
  FROM (
    SELECT
      MD5(
        CONCAT(
          COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
          '|',
          COALESCE(CAST(t.`line` + 0 AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
          '|',
          COALESCE(
            CASE
              WHEN CAST(t.`amount` AS CHAR) LIKE '%.%0'
              THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(t.`amount` AS CHAR)))
              ELSE CAST(t.`amount` AS CHAR)
            END,
            '~N'
          ),
          '|',
          COALESCE(
            CASE
              WHEN CAST(t.`rate` AS DOUBLE) = 0
              THEN '0'
              ELSE CAST(CAST(t.`rate` AS DOUBLE) AS CHAR)
            END,
            '~N'
          ),
          '|',
          COALESCE(CAST(t.`day` AS CHAR), '~N'),
          '|',
          COALESCE(
            CASE
              WHEN REPLACE(
                CAST((
                  CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                ) AS CHAR),
                ' ',
                'T'
              ) LIKE '%.%0'
              THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM REPLACE(
                CAST((
                  CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                ) AS CHAR),
                ' ',
                'T'
              )))
              ELSE REPLACE(
                CAST((
                  CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                ) AS CHAR),
                ' ',
                'T'
              )
            END,
            '~N'
          ),
          '|',
          COALESCE(CAST(t.`is_it` + 0 AS CHAR), '~N'),
          '|',
          COALESCE(
            REPLACE(
              REPLACE(
                CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
                '~',
                '~t'
              ),
              '|',
              '~p'
            ),
            '~N'
          ),
          '|',
          COALESCE(
            REPLACE(
              REPLACE(
                CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
                '~',
                '~t'
              ),
              '|',
              '~p'
            ),
            '~N'
          ),
          '|',
          COALESCE(LOWER(HEX(t.`raw`)), '~N')
        )
      ) AS h,
      t.`id` AS r0,
      t.`line` AS r1,
      t.`order` AS r2,
      t.`a "quoted" one` AS r3,
      t.`amount` AS r4,
      t.`rate` AS r5,
      t.`day` AS r6,
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
      ) AS r7,
      t.`is_it` AS r8,
      t.`doc` AS r9,
      t.`list` AS r10,
      t.`raw` AS r11
    FROM orders_current AS t
  ) AS t
  WHERE
    t.h IN ('00000000000000000000000000000000')
) AS d
WHERE
  d.n = 1;

-- == values_apart
-- key of orders_base
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS SIGNED) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS SIGNED) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t.`id` AS k0,
      CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k1
    FROM (
      SELECT
        *
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
                '|',
                COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
              )
            ),
            1,
            8
          ),
          16,
          10
        ) AS SIGNED) % 1000000 < 5000
    ) AS t
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS g;

-- key of orders_current
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS SIGNED) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS SIGNED) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t.`id` AS k0,
      CAST(t.`order` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS k1
    FROM (
      SELECT
        *
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
                '|',
                COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
              )
            ),
            1,
            8
          ),
          16,
          10
        ) AS SIGNED) % 1000000 < 5000
    ) AS t
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS g;

-- rows of orders_base in 4,096 parts
SELECT
  t.b,
  COUNT(*) AS f0,
  SUM(CAST(CONV(SUBSTRING(t.h, 4, 10), 16, 10) AS SIGNED)) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      MD5(
        CONCAT(
          COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
        )
      ),
      1,
      3
    ) AS b,
    MD5(
      CONCAT(
        COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(CAST(t.`line` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(
          REPLACE(REPLACE(LOWER(CAST(t.`a "quoted" one` AS CHAR)), '~', '~t'), '|', '~p'),
          '~N'
        ),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`amount` AS CHAR) LIKE '%.%0'
            THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(t.`amount` AS CHAR)))
            ELSE CAST(t.`amount` AS CHAR)
          END,
          '~N'
        ),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`rate` AS DOUBLE) = 0
            THEN '0'
            ELSE CAST(CAST(t.`rate` AS DOUBLE) AS CHAR)
          END,
          '~N'
        ),
        '|',
        COALESCE(CAST(t.`day` AS CHAR), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            ) LIKE '%.%0'
            THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            )))
            ELSE REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            )
          END,
          '~N'
        ),
        '|',
        COALESCE(CAST(t.`is_it` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(
          REPLACE(
            REPLACE(
              CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ),
        '|',
        COALESCE(
          REPLACE(
            REPLACE(
              CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ),
        '|',
        COALESCE(LOWER(HEX(t.`raw`)), '~N')
      )
    ) AS h,
    MD5(
      CONCAT(
        COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
      )
    ) AS k
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
              '|',
              COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
            )
          ),
          1,
          8
        ),
        16,
        10
      ) AS SIGNED) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t.`id` IS NULL AND NOT t.`order` IS NULL
) AS t
GROUP BY
  t.b;

-- rows of orders_current in 4,096 parts
SELECT
  t.b,
  COUNT(*) AS f0,
  SUM(CAST(CONV(SUBSTRING(t.h, 4, 10), 16, 10) AS SIGNED)) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      MD5(
        CONCAT(
          COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
        )
      ),
      1,
      3
    ) AS b,
    MD5(
      CONCAT(
        COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(CAST(t.`line` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(
          REPLACE(REPLACE(LOWER(CAST(t.`a "quoted" one` AS CHAR)), '~', '~t'), '|', '~p'),
          '~N'
        ),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`amount` AS CHAR) LIKE '%.%0'
            THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(t.`amount` AS CHAR)))
            ELSE CAST(t.`amount` AS CHAR)
          END,
          '~N'
        ),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`rate` AS DOUBLE) = 0
            THEN '0'
            ELSE CAST(CAST(t.`rate` AS DOUBLE) AS CHAR)
          END,
          '~N'
        ),
        '|',
        COALESCE(CAST(t.`day` AS CHAR), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            ) LIKE '%.%0'
            THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            )))
            ELSE REPLACE(
              CAST((
                CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
              ) AS CHAR),
              ' ',
              'T'
            )
          END,
          '~N'
        ),
        '|',
        COALESCE(CAST(t.`is_it` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(
          REPLACE(
            REPLACE(
              CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ),
        '|',
        COALESCE(
          REPLACE(
            REPLACE(
              CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ),
        '|',
        COALESCE(LOWER(HEX(t.`raw`)), '~N')
      )
    ) AS h,
    MD5(
      CONCAT(
        COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
      )
    ) AS k
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
              '|',
              COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
            )
          ),
          1,
          8
        ),
        16,
        10
      ) AS SIGNED) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t.`id` IS NULL AND NOT t.`order` IS NULL
) AS t
GROUP BY
  t.b;

-- rows of orders_base that may differ
SELECT
  t.line
FROM (
  SELECT
    SUBSTRING(
      MD5(
        CONCAT(
          COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
        )
      ),
      1,
      3
    ) AS b,
    CONCAT(
      COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
      '|',
      COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
      '|',
      COALESCE(CAST(t.`line` + 0 AS CHAR), '~N'),
      '|',
      COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
      '|',
      COALESCE(
        CASE
          WHEN CAST(t.`amount` AS CHAR) LIKE '%.%0'
          THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(t.`amount` AS CHAR)))
          ELSE CAST(t.`amount` AS CHAR)
        END,
        '~N'
      ),
      '|',
      COALESCE(
        CASE
          WHEN CAST(t.`rate` AS DOUBLE) = 0
          THEN '0'
          ELSE CAST(CAST(t.`rate` AS DOUBLE) AS CHAR)
        END,
        '~N'
      ),
      '|',
      COALESCE(CAST(t.`day` AS CHAR), '~N'),
      '|',
      COALESCE(
        CASE
          WHEN REPLACE(
            CAST((
              CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
            ) AS CHAR),
            ' ',
            'T'
          ) LIKE '%.%0'
          THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM REPLACE(
            CAST((
              CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
            ) AS CHAR),
            ' ',
            'T'
          )))
          ELSE REPLACE(
            CAST((
              CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
            ) AS CHAR),
            ' ',
            'T'
          )
        END,
        '~N'
      ),
      '|',
      COALESCE(CAST(t.`is_it` + 0 AS CHAR), '~N'),
      '|',
      COALESCE(
        REPLACE(
          REPLACE(
            CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ),
      '|',
      COALESCE(
        REPLACE(
          REPLACE(
            CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ),
      '|',
      COALESCE(LOWER(HEX(t.`raw`)), '~N')
    ) AS line
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
              '|',
              COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
            )
          ),
          1,
          8
        ),
        16,
        10
      ) AS SIGNED) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t.`id` IS NULL AND NOT t.`order` IS NULL
) AS t
WHERE
  t.b IN ('000');

-- rows of orders_current that may differ
SELECT
  t.line
FROM (
  SELECT
    SUBSTRING(
      MD5(
        CONCAT(
          COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
        )
      ),
      1,
      3
    ) AS b,
    CONCAT(
      COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
      '|',
      COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
      '|',
      COALESCE(CAST(t.`line` + 0 AS CHAR), '~N'),
      '|',
      COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
      '|',
      COALESCE(
        CASE
          WHEN CAST(t.`amount` AS CHAR) LIKE '%.%0'
          THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(t.`amount` AS CHAR)))
          ELSE CAST(t.`amount` AS CHAR)
        END,
        '~N'
      ),
      '|',
      COALESCE(
        CASE
          WHEN CAST(t.`rate` AS DOUBLE) = 0
          THEN '0'
          ELSE CAST(CAST(t.`rate` AS DOUBLE) AS CHAR)
        END,
        '~N'
      ),
      '|',
      COALESCE(CAST(t.`day` AS CHAR), '~N'),
      '|',
      COALESCE(
        CASE
          WHEN REPLACE(
            CAST((
              CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
            ) AS CHAR),
            ' ',
            'T'
          ) LIKE '%.%0'
          THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM REPLACE(
            CAST((
              CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
            ) AS CHAR),
            ' ',
            'T'
          )))
          ELSE REPLACE(
            CAST((
              CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
            ) AS CHAR),
            ' ',
            'T'
          )
        END,
        '~N'
      ),
      '|',
      COALESCE(CAST(t.`is_it` + 0 AS CHAR), '~N'),
      '|',
      COALESCE(
        REPLACE(
          REPLACE(
            CAST(CAST(t.`doc` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ),
      '|',
      COALESCE(
        REPLACE(
          REPLACE(
            CAST(CAST(t.`list` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR),
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ),
      '|',
      COALESCE(LOWER(HEX(t.`raw`)), '~N')
    ) AS line
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CAST(t.`id` + 0 AS CHAR), '~N'),
              '|',
              COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
            )
          ),
          1,
          8
        ),
        16,
        10
      ) AS SIGNED) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t.`id` IS NULL AND NOT t.`order` IS NULL
) AS t
WHERE
  t.b IN ('000');
