-- == simple
-- key of orders_base
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(DISTINCT s.k0) AS n_keys
FROM (
  SELECT
    t."id" AS k0
  FROM orders_base AS t
) AS s;

-- key of orders_current
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(DISTINCT s.k0) AS n_keys
FROM (
  SELECT
    t."id" AS k0
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
  COUNT(COALESCE(CASE WHEN d.d0 THEN d.x0 END, CASE WHEN d.d0 THEN d.y0 END)) AS distance_0_0,
  SUM(CASE WHEN d.d0 THEN d.x0 END) AS distance_1_0,
  MAX(ABS(CASE WHEN d.d0 THEN d.x0 END)) AS distance_2_0,
  SUM(CASE WHEN d.d0 THEN d.y0 END) AS distance_3_0,
  MAX(ABS(CASE WHEN d.d0 THEN d.y0 END)) AS distance_4_0,
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
    a.k0 = b.k0 AND a.c0 IS NOT b.c0 AS d0,
    a.c0 IS NULL AS e0,
    b.c0 IS NULL AS f0,
    CASE
      WHEN a.c0 BETWEEN -1e290 AND 1e290 AND b.c0 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)
      )
    END AS x0,
    CASE
      WHEN a.c0 BETWEEN -1e290 AND 1e290 AND b.c0 BETWEEN -1e290 AND 1e290
      THEN NULL
      WHEN a.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      AND b.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      THEN (
        (
          CASE
            WHEN CAST(b.c0 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(b.c0 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        ) - (
          CASE
            WHEN CAST(a.c0 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(a.c0 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        )
      )
    END AS y0,
    a.k0 = b.k0 AND a.c1 IS NOT b.c1 AS d1,
    a.c1 IS NULL AS e1,
    b.c1 IS NULL AS f1,
    a.k0 = b.k0 AND a.c2 IS NOT b.c2 AS d2,
    a.c2 IS NULL AS e2,
    b.c2 IS NULL AS f2,
    a.k0 = b.k0 AND a.c3 IS NOT b.c3 AS d3,
    a.c3 IS NULL AS e3,
    b.c3 IS NULL AS f3,
    CASE
      WHEN a.c3 BETWEEN -1e290 AND 1e290 AND b.c3 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(b.c3 AS REAL) - CAST(a.c3 AS REAL)
      )
    END AS x3,
    CASE
      WHEN a.c3 BETWEEN -1e290 AND 1e290 AND b.c3 BETWEEN -1e290 AND 1e290
      THEN NULL
      WHEN a.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      AND b.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      THEN (
        (
          CASE
            WHEN CAST(b.c3 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(b.c3 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        ) - (
          CASE
            WHEN CAST(a.c3 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(a.c3 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        )
      )
    END AS y3,
    a.k0 = b.k0 AND a.c4 IS NOT b.c4 AS d4,
    a.c4 IS NULL AS e4,
    b.c4 IS NULL AS f4,
    CASE
      WHEN a.c4 BETWEEN -1e290 AND 1e290 AND b.c4 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(b.c4 AS REAL) - CAST(a.c4 AS REAL)
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
            WHEN CAST(b.c4 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(b.c4 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        ) - (
          CASE
            WHEN CAST(a.c4 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(a.c4 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        )
      )
    END AS y4,
    a.k0 = b.k0 AND a.c5 IS NOT b.c5 AS d5,
    a.c5 IS NULL AS e5,
    b.c5 IS NULL AS f5,
    a.k0 = b.k0 AND a.c6 IS NOT b.c6 AS d6,
    a.c6 IS NULL AS e6,
    b.c6 IS NULL AS f6,
    a.k0 = b.k0 AND a.c7 IS NOT b.c7 AS d7,
    a.c7 IS NULL AS e7,
    b.c7 IS NULL AS f7,
    a.k0 = b.k0 AND a.c8 IS NOT b.c8 AS d8,
    a.c8 IS NULL AS e8,
    b.c8 IS NULL AS f8,
    a.k0 = b.k0 AND a.c9 IS NOT b.c9 AS d9,
    a.c9 IS NULL AS e9,
    b.c9 IS NULL AS f9,
    a.k0 = b.k0 AND a.c10 IS NOT b.c10 AS d10,
    a.c10 IS NULL AS e10,
    b.c10 IS NULL AS f10
  FROM (
    SELECT
      t."id" AS k0,
      t."line" AS c0,
      t."order" COLLATE BINARY AS c1,
      t."a ""quoted"" one" COLLATE BINARY AS c2,
      t."amount" AS c3,
      t."rate" AS c4,
      t."day" COLLATE BINARY AS c5,
      t."at" COLLATE BINARY AS c6,
      t."is_it" COLLATE BINARY AS c7,
      CAST(t."doc" AS TEXT) COLLATE BINARY AS c8,
      CAST(t."list" AS TEXT) COLLATE BINARY AS c9,
      t."raw" COLLATE BINARY AS c10
    FROM orders_base AS t
  ) AS a
  FULL OUTER JOIN (
    SELECT
      t."id" AS k0,
      t."line" AS c0,
      t."order" COLLATE BINARY AS c1,
      t."a ""quoted"" one" COLLATE BINARY AS c2,
      t."amount" AS c3,
      t."rate" AS c4,
      t."day" COLLATE BINARY AS c5,
      t."at" COLLATE BINARY AS c6,
      t."is_it" COLLATE BINARY AS c7,
      CAST(t."doc" AS TEXT) COLLATE BINARY AS c8,
      CAST(t."list" AS TEXT) COLLATE BINARY AS c9,
      t."raw" COLLATE BINARY AS c10
    FROM orders_current AS t
  ) AS b
    ON a.k0 = b.k0
  WHERE
    a.k0 IS NULL
    OR b.k0 IS NULL
    OR a.c0 IS NOT b.c0
    OR a.c1 IS NOT b.c1
    OR a.c2 IS NOT b.c2
    OR a.c3 IS NOT b.c3
    OR a.c4 IS NOT b.c4
    OR a.c5 IS NOT b.c5
    OR a.c6 IS NOT b.c6
    OR a.c7 IS NOT b.c7
    OR a.c8 IS NOT b.c8
    OR a.c9 IS NOT b.c9
    OR a.c10 IS NOT b.c10
) AS d;

-- examples of orders
SELECT
  a.k0 AS key_0,
  a.c0 IS NOT b.c0 AS d0,
  a.c0 AS base_0,
  b.c0 AS current_0,
  a.c1 IS NOT b.c1 AS d1,
  a.c1 AS base_1,
  b.c1 AS current_1,
  a.c2 IS NOT b.c2 AS d2,
  a.c2 AS base_2,
  b.c2 AS current_2,
  a.c3 IS NOT b.c3 AS d3,
  a.c3 AS base_3,
  b.c3 AS current_3,
  a.c4 IS NOT b.c4 AS d4,
  a.c4 AS base_4,
  b.c4 AS current_4,
  a.c5 IS NOT b.c5 AS d5,
  REPLACE(CAST(a.c5 AS TEXT), 'T', ' ') AS base_5,
  REPLACE(CAST(b.c5 AS TEXT), 'T', ' ') AS current_5,
  a.c6 IS NOT b.c6 AS d6,
  REPLACE(CAST(a.c6 AS TEXT), 'T', ' ') AS base_6,
  REPLACE(CAST(b.c6 AS TEXT), 'T', ' ') AS current_6,
  a.c7 IS NOT b.c7 AS d7,
  a.c7 AS base_7,
  b.c7 AS current_7,
  a.c8 IS NOT b.c8 AS d8,
  a.r8 AS base_8,
  b.r8 AS current_8,
  a.c9 IS NOT b.c9 AS d9,
  a.r9 AS base_9,
  b.r9 AS current_9,
  a.c10 IS NOT b.c10 AS d10,
  a.c10 AS base_10,
  b.c10 AS current_10
FROM (
  SELECT
    t."id" AS k0,
    t."line" AS c0,
    t."order" COLLATE BINARY AS c1,
    t."a ""quoted"" one" COLLATE BINARY AS c2,
    t."amount" AS c3,
    t."rate" AS c4,
    t."day" COLLATE BINARY AS c5,
    t."at" COLLATE BINARY AS c6,
    t."is_it" COLLATE BINARY AS c7,
    CAST(t."doc" AS TEXT) COLLATE BINARY AS c8,
    CAST(t."list" AS TEXT) COLLATE BINARY AS c9,
    t."raw" COLLATE BINARY AS c10,
    t."doc" AS r8,
    t."list" AS r9
  FROM orders_base AS t
  WHERE
    t."id" IN (1)
) AS a
INNER JOIN (
  SELECT
    t."id" AS k0,
    t."line" AS c0,
    t."order" COLLATE BINARY AS c1,
    t."a ""quoted"" one" COLLATE BINARY AS c2,
    t."amount" AS c3,
    t."rate" AS c4,
    t."day" COLLATE BINARY AS c5,
    t."at" COLLATE BINARY AS c6,
    t."is_it" COLLATE BINARY AS c7,
    CAST(t."doc" AS TEXT) COLLATE BINARY AS c8,
    CAST(t."list" AS TEXT) COLLATE BINARY AS c9,
    t."raw" COLLATE BINARY AS c10,
    t."doc" AS r8,
    t."list" AS r9
  FROM orders_current AS t
  WHERE
    t."id" IN (1)
) AS b
  ON a.k0 = b.k0
ORDER BY
  a.k0 ASC NULLS LAST;

-- == options
-- key of orders_base
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS INTEGER) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS INTEGER) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t."id" AS k0,
      t."order" COLLATE BINARY AS k1
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(recce_hash(t."id", t."order" COLLATE BINARY) % 1000000) < 100000
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS g;

-- key of orders_current
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS INTEGER) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS INTEGER) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t."id" AS k0,
      t."order" COLLATE BINARY AS k1
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(recce_hash(t."id", t."order" COLLATE BINARY) % 1000000) < 100000
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
  COUNT(COALESCE(CASE WHEN d.d0 THEN d.x0 END, CASE WHEN d.d0 THEN d.y0 END)) AS distance_0_0,
  SUM(CASE WHEN d.d0 THEN d.x0 END) AS distance_1_0,
  MAX(ABS(CASE WHEN d.d0 THEN d.x0 END)) AS distance_2_0,
  SUM(CASE WHEN d.d0 THEN d.y0 END) AS distance_3_0,
  MAX(ABS(CASE WHEN d.d0 THEN d.y0 END)) AS distance_4_0,
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
  COUNT(COALESCE(CASE WHEN d.d2 THEN d.x2 END, CASE WHEN d.d2 THEN d.y2 END)) AS distance_0_2,
  SUM(CASE WHEN d.d2 THEN d.x2 END) AS distance_1_2,
  MAX(ABS(CASE WHEN d.d2 THEN d.x2 END)) AS distance_2_2,
  SUM(CASE WHEN d.d2 THEN d.y2 END) AS distance_3_2,
  MAX(ABS(CASE WHEN d.d2 THEN d.y2 END)) AS distance_4_2,
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
  MIN(CASE WHEN d.d6 THEN d.token END) AS first_token_6,
  MAX(CASE WHEN d.d6 THEN d.token END) AS last_token_6
FROM (
  SELECT
    a.k0 IS NULL AS is_added,
    b.k0 IS NULL AS is_removed,
    (
      CAST(a.k0 AS TEXT) || '|' || a.k1
    ) COLLATE BINARY AS token,
    a.k0 = b.k0
    AND (
      a.c0 IS NOT b.c0
      AND NOT COALESCE(
        CASE
          WHEN a.c0 BETWEEN -8e307 AND 8e307 AND b.c0 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)) <= 0.01
          OR CAST(ABS(CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c0 AS REAL)), ABS(CAST(b.c0 AS REAL))), 0) <= 0.000001
          WHEN a.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL) - CAST(a.c0 AS REAL) / CAST('2' AS REAL)) <= 0.005
          OR CAST(ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL) - CAST(a.c0 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
            MAX(
              ABS(CAST(a.c0 AS REAL) / CAST('2' AS REAL)),
              ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
    ) AS d0,
    a.c0 IS NULL AS e0,
    b.c0 IS NULL AS f0,
    CASE
      WHEN a.c0 BETWEEN -1e290 AND 1e290 AND b.c0 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)
      )
    END AS x0,
    CASE
      WHEN a.c0 BETWEEN -1e290 AND 1e290 AND b.c0 BETWEEN -1e290 AND 1e290
      THEN NULL
      WHEN a.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      AND b.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      THEN (
        (
          CASE
            WHEN CAST(b.c0 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(b.c0 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        ) - (
          CASE
            WHEN CAST(a.c0 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(a.c0 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        )
      )
    END AS y0,
    a.k0 = b.k0 AND a.c1 IS NOT b.c1 AS d1,
    a.c1 IS NULL AS e1,
    b.c1 IS NULL AS f1,
    a.k0 = b.k0
    AND (
      a.c2 IS NOT b.c2
      AND NOT COALESCE(
        CASE
          WHEN a.c2 BETWEEN -8e307 AND 8e307 AND b.c2 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c2 AS REAL) - CAST(a.c2 AS REAL)) <= 0.01
          OR CAST(ABS(CAST(b.c2 AS REAL) - CAST(a.c2 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c2 AS REAL)), ABS(CAST(b.c2 AS REAL))), 0) <= 0.000001
          WHEN a.c2 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c2 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL) - CAST(a.c2 AS REAL) / CAST('2' AS REAL)) <= 0.005
          OR CAST(ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL) - CAST(a.c2 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
            MAX(
              ABS(CAST(a.c2 AS REAL) / CAST('2' AS REAL)),
              ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
    ) AS d2,
    a.c2 IS NULL AS e2,
    b.c2 IS NULL AS f2,
    CASE
      WHEN a.c2 BETWEEN -1e290 AND 1e290 AND b.c2 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(b.c2 AS REAL) - CAST(a.c2 AS REAL)
      )
    END AS x2,
    CASE
      WHEN a.c2 BETWEEN -1e290 AND 1e290 AND b.c2 BETWEEN -1e290 AND 1e290
      THEN NULL
      WHEN a.c2 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      AND b.c2 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      THEN (
        (
          CASE
            WHEN CAST(b.c2 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(b.c2 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        ) - (
          CASE
            WHEN CAST(a.c2 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(a.c2 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        )
      )
    END AS y2,
    a.k0 = b.k0
    AND (
      a.c3 IS NOT b.c3
      AND NOT COALESCE(
        CASE
          WHEN a.c3 BETWEEN -8e307 AND 8e307 AND b.c3 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c3 AS REAL) - CAST(a.c3 AS REAL)) <= 0.01
          OR CAST(ABS(CAST(b.c3 AS REAL) - CAST(a.c3 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c3 AS REAL)), ABS(CAST(b.c3 AS REAL))), 0) <= 0.000001
          WHEN a.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL) - CAST(a.c3 AS REAL) / CAST('2' AS REAL)) <= 0.005
          OR CAST(ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL) - CAST(a.c3 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
            MAX(
              ABS(CAST(a.c3 AS REAL) / CAST('2' AS REAL)),
              ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
    ) AS d3,
    a.c3 IS NULL AS e3,
    b.c3 IS NULL AS f3,
    CASE
      WHEN a.c3 BETWEEN -1e290 AND 1e290 AND b.c3 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(b.c3 AS REAL) - CAST(a.c3 AS REAL)
      )
    END AS x3,
    CASE
      WHEN a.c3 BETWEEN -1e290 AND 1e290 AND b.c3 BETWEEN -1e290 AND 1e290
      THEN NULL
      WHEN a.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      AND b.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      THEN (
        (
          CASE
            WHEN CAST(b.c3 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(b.c3 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        ) - (
          CASE
            WHEN CAST(a.c3 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(a.c3 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        )
      )
    END AS y3,
    a.k0 = b.k0 AND a.c4 IS NOT b.c4 AS d4,
    a.c4 IS NULL AS e4,
    b.c4 IS NULL AS f4,
    a.k0 = b.k0 AND a.c5 IS NOT b.c5 AS d5,
    a.c5 IS NULL AS e5,
    b.c5 IS NULL AS f5,
    a.k0 = b.k0 AND a.c6 IS NOT b.c6 AS d6,
    a.c6 IS NULL AS e6,
    b.c6 IS NULL AS f6
  FROM (
    SELECT
      t."id" AS k0,
      t."order" COLLATE BINARY AS k1,
      t."line" AS c0,
      LOWER(RTRIM(t."a ""quoted"" one" COLLATE BINARY, ' ')) COLLATE BINARY AS c1,
      t."amount" AS c2,
      t."rate" AS c3,
      t."day" COLLATE BINARY AS c4,
      SUBSTRING(REPLACE(CAST(t."at" COLLATE BINARY AS TEXT), 'T', ' '), 1, 19) || '' AS c5,
      t."is_it" COLLATE BINARY AS c6
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(recce_hash(t."id", t."order" COLLATE BINARY) % 1000000) < 100000
  ) AS a
  FULL OUTER JOIN (
    SELECT
      t."id" AS k0,
      t."order" COLLATE BINARY AS k1,
      t."line" AS c0,
      LOWER(RTRIM(t."a ""quoted"" one" COLLATE BINARY, ' ')) COLLATE BINARY AS c1,
      t."amount" AS c2,
      t."rate" AS c3,
      t."day" COLLATE BINARY AS c4,
      SUBSTRING(REPLACE(CAST(t."at" COLLATE BINARY AS TEXT), 'T', ' '), 1, 19) || '' AS c5,
      t."is_it" COLLATE BINARY AS c6
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(recce_hash(t."id", t."order" COLLATE BINARY) % 1000000) < 100000
  ) AS b
    ON a.k0 = b.k0 AND a.k1 = b.k1
  WHERE
    a.k0 IS NULL
    OR b.k0 IS NULL
    OR (
      a.c0 IS NOT b.c0
      AND NOT COALESCE(
        CASE
          WHEN a.c0 BETWEEN -8e307 AND 8e307 AND b.c0 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)) <= 0.01
          OR CAST(ABS(CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c0 AS REAL)), ABS(CAST(b.c0 AS REAL))), 0) <= 0.000001
          WHEN a.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL) - CAST(a.c0 AS REAL) / CAST('2' AS REAL)) <= 0.005
          OR CAST(ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL) - CAST(a.c0 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
            MAX(
              ABS(CAST(a.c0 AS REAL) / CAST('2' AS REAL)),
              ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
    )
    OR a.c1 IS NOT b.c1
    OR (
      a.c2 IS NOT b.c2
      AND NOT COALESCE(
        CASE
          WHEN a.c2 BETWEEN -8e307 AND 8e307 AND b.c2 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c2 AS REAL) - CAST(a.c2 AS REAL)) <= 0.01
          OR CAST(ABS(CAST(b.c2 AS REAL) - CAST(a.c2 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c2 AS REAL)), ABS(CAST(b.c2 AS REAL))), 0) <= 0.000001
          WHEN a.c2 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c2 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL) - CAST(a.c2 AS REAL) / CAST('2' AS REAL)) <= 0.005
          OR CAST(ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL) - CAST(a.c2 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
            MAX(
              ABS(CAST(a.c2 AS REAL) / CAST('2' AS REAL)),
              ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
    )
    OR (
      a.c3 IS NOT b.c3
      AND NOT COALESCE(
        CASE
          WHEN a.c3 BETWEEN -8e307 AND 8e307 AND b.c3 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c3 AS REAL) - CAST(a.c3 AS REAL)) <= 0.01
          OR CAST(ABS(CAST(b.c3 AS REAL) - CAST(a.c3 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c3 AS REAL)), ABS(CAST(b.c3 AS REAL))), 0) <= 0.000001
          WHEN a.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL) - CAST(a.c3 AS REAL) / CAST('2' AS REAL)) <= 0.005
          OR CAST(ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL) - CAST(a.c3 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
            MAX(
              ABS(CAST(a.c3 AS REAL) / CAST('2' AS REAL)),
              ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
    )
    OR a.c4 IS NOT b.c4
    OR a.c5 IS NOT b.c5
    OR a.c6 IS NOT b.c6
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
    a.c0 IS NOT b.c0
    AND NOT COALESCE(
      CASE
        WHEN a.c0 BETWEEN -8e307 AND 8e307 AND b.c0 BETWEEN -8e307 AND 8e307
        THEN ABS(CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)) <= 0.01
        OR CAST(ABS(CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c0 AS REAL)), ABS(CAST(b.c0 AS REAL))), 0) <= 0.000001
        WHEN a.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        AND b.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        THEN ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL) - CAST(a.c0 AS REAL) / CAST('2' AS REAL)) <= 0.005
        OR CAST(ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL) - CAST(a.c0 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
          MAX(
            ABS(CAST(a.c0 AS REAL) / CAST('2' AS REAL)),
            ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL))
          ),
          0
        ) <= 0.000001
      END,
      FALSE
    ) AS d0,
    a.c0 AS base_0,
    b.c0 AS current_0,
    a.c1 IS NOT b.c1 AS d1,
    a.r1 AS base_1,
    b.r1 AS current_1,
    a.c2 IS NOT b.c2
    AND NOT COALESCE(
      CASE
        WHEN a.c2 BETWEEN -8e307 AND 8e307 AND b.c2 BETWEEN -8e307 AND 8e307
        THEN ABS(CAST(b.c2 AS REAL) - CAST(a.c2 AS REAL)) <= 0.01
        OR CAST(ABS(CAST(b.c2 AS REAL) - CAST(a.c2 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c2 AS REAL)), ABS(CAST(b.c2 AS REAL))), 0) <= 0.000001
        WHEN a.c2 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        AND b.c2 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        THEN ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL) - CAST(a.c2 AS REAL) / CAST('2' AS REAL)) <= 0.005
        OR CAST(ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL) - CAST(a.c2 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
          MAX(
            ABS(CAST(a.c2 AS REAL) / CAST('2' AS REAL)),
            ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL))
          ),
          0
        ) <= 0.000001
      END,
      FALSE
    ) AS d2,
    a.c2 AS base_2,
    b.c2 AS current_2,
    a.c3 IS NOT b.c3
    AND NOT COALESCE(
      CASE
        WHEN a.c3 BETWEEN -8e307 AND 8e307 AND b.c3 BETWEEN -8e307 AND 8e307
        THEN ABS(CAST(b.c3 AS REAL) - CAST(a.c3 AS REAL)) <= 0.01
        OR CAST(ABS(CAST(b.c3 AS REAL) - CAST(a.c3 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c3 AS REAL)), ABS(CAST(b.c3 AS REAL))), 0) <= 0.000001
        WHEN a.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        AND b.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
        THEN ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL) - CAST(a.c3 AS REAL) / CAST('2' AS REAL)) <= 0.005
        OR CAST(ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL) - CAST(a.c3 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
          MAX(
            ABS(CAST(a.c3 AS REAL) / CAST('2' AS REAL)),
            ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL))
          ),
          0
        ) <= 0.000001
      END,
      FALSE
    ) AS d3,
    a.c3 AS base_3,
    b.c3 AS current_3,
    a.c4 IS NOT b.c4 AS d4,
    REPLACE(CAST(a.c4 AS TEXT), 'T', ' ') AS base_4,
    REPLACE(CAST(b.c4 AS TEXT), 'T', ' ') AS current_4,
    a.c5 IS NOT b.c5 AS d5,
    REPLACE(CAST(a.r5 AS TEXT), 'T', ' ') AS base_5,
    REPLACE(CAST(b.r5 AS TEXT), 'T', ' ') AS current_5,
    a.c6 IS NOT b.c6 AS d6,
    a.c6 AS base_6,
    b.c6 AS current_6,
    ROW_NUMBER() OVER (
      PARTITION BY a.c0 IS NOT b.c0
      AND NOT COALESCE(
        CASE
          WHEN a.c0 BETWEEN -8e307 AND 8e307 AND b.c0 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)) <= 0.01
          OR CAST(ABS(CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c0 AS REAL)), ABS(CAST(b.c0 AS REAL))), 0) <= 0.000001
          WHEN a.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL) - CAST(a.c0 AS REAL) / CAST('2' AS REAL)) <= 0.005
          OR CAST(ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL) - CAST(a.c0 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
            MAX(
              ABS(CAST(a.c0 AS REAL) / CAST('2' AS REAL)),
              ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
      ORDER BY a.k0 ASC NULLS LAST, a.k1 COLLATE BINARY ASC NULLS LAST
    ) AS n0,
    ROW_NUMBER() OVER (
      PARTITION BY a.c1 IS NOT b.c1
      ORDER BY a.k0 ASC NULLS LAST, a.k1 COLLATE BINARY ASC NULLS LAST
    ) AS n1,
    ROW_NUMBER() OVER (
      PARTITION BY a.c2 IS NOT b.c2
      AND NOT COALESCE(
        CASE
          WHEN a.c2 BETWEEN -8e307 AND 8e307 AND b.c2 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c2 AS REAL) - CAST(a.c2 AS REAL)) <= 0.01
          OR CAST(ABS(CAST(b.c2 AS REAL) - CAST(a.c2 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c2 AS REAL)), ABS(CAST(b.c2 AS REAL))), 0) <= 0.000001
          WHEN a.c2 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c2 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL) - CAST(a.c2 AS REAL) / CAST('2' AS REAL)) <= 0.005
          OR CAST(ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL) - CAST(a.c2 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
            MAX(
              ABS(CAST(a.c2 AS REAL) / CAST('2' AS REAL)),
              ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
      ORDER BY a.k0 ASC NULLS LAST, a.k1 COLLATE BINARY ASC NULLS LAST
    ) AS n2,
    ROW_NUMBER() OVER (
      PARTITION BY a.c3 IS NOT b.c3
      AND NOT COALESCE(
        CASE
          WHEN a.c3 BETWEEN -8e307 AND 8e307 AND b.c3 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c3 AS REAL) - CAST(a.c3 AS REAL)) <= 0.01
          OR CAST(ABS(CAST(b.c3 AS REAL) - CAST(a.c3 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c3 AS REAL)), ABS(CAST(b.c3 AS REAL))), 0) <= 0.000001
          WHEN a.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL) - CAST(a.c3 AS REAL) / CAST('2' AS REAL)) <= 0.005
          OR CAST(ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL) - CAST(a.c3 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
            MAX(
              ABS(CAST(a.c3 AS REAL) / CAST('2' AS REAL)),
              ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
      ORDER BY a.k0 ASC NULLS LAST, a.k1 COLLATE BINARY ASC NULLS LAST
    ) AS n3,
    ROW_NUMBER() OVER (
      PARTITION BY a.c4 IS NOT b.c4
      ORDER BY a.k0 ASC NULLS LAST, a.k1 COLLATE BINARY ASC NULLS LAST
    ) AS n4,
    ROW_NUMBER() OVER (
      PARTITION BY a.c5 IS NOT b.c5
      ORDER BY a.k0 ASC NULLS LAST, a.k1 COLLATE BINARY ASC NULLS LAST
    ) AS n5,
    ROW_NUMBER() OVER (
      PARTITION BY a.c6 IS NOT b.c6
      ORDER BY a.k0 ASC NULLS LAST, a.k1 COLLATE BINARY ASC NULLS LAST
    ) AS n6
  FROM (
    SELECT
      t."id" AS k0,
      t."order" COLLATE BINARY AS k1,
      t."line" AS c0,
      LOWER(RTRIM(t."a ""quoted"" one" COLLATE BINARY, ' ')) COLLATE BINARY AS c1,
      t."amount" AS c2,
      t."rate" AS c3,
      t."day" COLLATE BINARY AS c4,
      SUBSTRING(REPLACE(CAST(t."at" COLLATE BINARY AS TEXT), 'T', ' '), 1, 19) || '' AS c5,
      t."is_it" COLLATE BINARY AS c6,
      t."a ""quoted"" one" AS r1,
      t."at" AS r5
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(recce_hash(t."id", t."order" COLLATE BINARY) % 1000000) < 100000
  ) AS a
  INNER JOIN (
    SELECT
      t."id" AS k0,
      t."order" COLLATE BINARY AS k1,
      t."line" AS c0,
      LOWER(RTRIM(t."a ""quoted"" one" COLLATE BINARY, ' ')) COLLATE BINARY AS c1,
      t."amount" AS c2,
      t."rate" AS c3,
      t."day" COLLATE BINARY AS c4,
      SUBSTRING(REPLACE(CAST(t."at" COLLATE BINARY AS TEXT), 'T', ' '), 1, 19) || '' AS c5,
      t."is_it" COLLATE BINARY AS c6,
      t."a ""quoted"" one" AS r1,
      t."at" AS r5
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(recce_hash(t."id", t."order" COLLATE BINARY) % 1000000) < 100000
  ) AS b
    ON a.k0 = b.k0 AND a.k1 = b.k1
  WHERE
    (
      a.c0 IS NOT b.c0
      AND NOT COALESCE(
        CASE
          WHEN a.c0 BETWEEN -8e307 AND 8e307 AND b.c0 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)) <= 0.01
          OR CAST(ABS(CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c0 AS REAL)), ABS(CAST(b.c0 AS REAL))), 0) <= 0.000001
          WHEN a.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL) - CAST(a.c0 AS REAL) / CAST('2' AS REAL)) <= 0.005
          OR CAST(ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL) - CAST(a.c0 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
            MAX(
              ABS(CAST(a.c0 AS REAL) / CAST('2' AS REAL)),
              ABS(CAST(b.c0 AS REAL) / CAST('2' AS REAL))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
    )
    OR a.c1 IS NOT b.c1
    OR (
      a.c2 IS NOT b.c2
      AND NOT COALESCE(
        CASE
          WHEN a.c2 BETWEEN -8e307 AND 8e307 AND b.c2 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c2 AS REAL) - CAST(a.c2 AS REAL)) <= 0.01
          OR CAST(ABS(CAST(b.c2 AS REAL) - CAST(a.c2 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c2 AS REAL)), ABS(CAST(b.c2 AS REAL))), 0) <= 0.000001
          WHEN a.c2 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c2 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL) - CAST(a.c2 AS REAL) / CAST('2' AS REAL)) <= 0.005
          OR CAST(ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL) - CAST(a.c2 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
            MAX(
              ABS(CAST(a.c2 AS REAL) / CAST('2' AS REAL)),
              ABS(CAST(b.c2 AS REAL) / CAST('2' AS REAL))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
    )
    OR (
      a.c3 IS NOT b.c3
      AND NOT COALESCE(
        CASE
          WHEN a.c3 BETWEEN -8e307 AND 8e307 AND b.c3 BETWEEN -8e307 AND 8e307
          THEN ABS(CAST(b.c3 AS REAL) - CAST(a.c3 AS REAL)) <= 0.01
          OR CAST(ABS(CAST(b.c3 AS REAL) - CAST(a.c3 AS REAL)) AS REAL) / NULLIF(MAX(ABS(CAST(a.c3 AS REAL)), ABS(CAST(b.c3 AS REAL))), 0) <= 0.000001
          WHEN a.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          AND b.c3 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
          THEN ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL) - CAST(a.c3 AS REAL) / CAST('2' AS REAL)) <= 0.005
          OR CAST(ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL) - CAST(a.c3 AS REAL) / CAST('2' AS REAL)) AS REAL) / NULLIF(
            MAX(
              ABS(CAST(a.c3 AS REAL) / CAST('2' AS REAL)),
              ABS(CAST(b.c3 AS REAL) / CAST('2' AS REAL))
            ),
            0
          ) <= 0.000001
        END,
        FALSE
      )
    )
    OR a.c4 IS NOT b.c4
    OR a.c5 IS NOT b.c5
    OR a.c6 IS NOT b.c6
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
  d.k0 ASC NULLS LAST,
  d.k1 COLLATE BINARY ASC NULLS LAST;

-- == unclean_key
-- key of orders_base
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS INTEGER) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS INTEGER) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t."id" AS k0,
      t."line" AS k1
    FROM orders_base AS t
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS g;

-- key of orders_current
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS INTEGER) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS INTEGER) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t."id" AS k0,
      t."line" AS k1
    FROM orders_current AS t
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS g;

-- repeated keys of orders
SELECT
  COUNT(CASE WHEN a.n > 1 THEN 1 END) AS base_keys,
  CAST(COALESCE(SUM(CASE WHEN a.n > 1 OR b.n > 1 THEN a.n END), 0) AS INTEGER) AS base_rows,
  COUNT(CASE WHEN b.n > 1 THEN 1 END) AS current_keys,
  CAST(COALESCE(SUM(CASE WHEN a.n > 1 OR b.n > 1 THEN b.n END), 0) AS INTEGER) AS current_rows
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t."id" AS k0,
      t."line" AS k1
    FROM orders_base AS t
    WHERE
      NOT t."id" IS NULL AND NOT t."line" IS NULL
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS a
FULL OUTER JOIN (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t."id" AS k0,
      t."line" AS k1
    FROM orders_current AS t
    WHERE
      NOT t."id" IS NULL AND NOT t."line" IS NULL
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS b
  ON a.k0 = b.k0 AND a.k1 = b.k1;

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
        t."id" AS k0,
        t."line" AS k1
      FROM orders_base AS t
      WHERE
        NOT t."id" IS NULL AND NOT t."line" IS NULL
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
        t."id" AS k0,
        t."line" AS k1
      FROM orders_current AS t
      WHERE
        NOT t."id" IS NULL AND NOT t."line" IS NULL
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
    a.k0 IS NULL AS is_added,
    b.k0 IS NULL AS is_removed,
    (
      CAST(a.k0 AS TEXT) || '|' || CAST(a.k1 AS TEXT)
    ) COLLATE BINARY AS token,
    a.k0 = b.k0 AND a.c0 IS NOT b.c0 AS d0,
    a.c0 IS NULL AS e0,
    b.c0 IS NULL AS f0,
    CASE
      WHEN a.c0 BETWEEN -1e290 AND 1e290 AND b.c0 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(b.c0 AS REAL) - CAST(a.c0 AS REAL)
      )
    END AS x0,
    CASE
      WHEN a.c0 BETWEEN -1e290 AND 1e290 AND b.c0 BETWEEN -1e290 AND 1e290
      THEN NULL
      WHEN a.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      AND b.c0 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      THEN (
        (
          CASE
            WHEN CAST(b.c0 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(b.c0 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        ) - (
          CASE
            WHEN CAST(a.c0 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(a.c0 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        )
      )
    END AS y0
  FROM (
    SELECT
      s.k0,
      s.k1,
      s.c0
    FROM (
      SELECT
        t."id" AS k0,
        t."line" AS k1,
        t."rate" AS c0
      FROM orders_base AS t
      WHERE
        NOT t."id" IS NULL AND NOT t."line" IS NULL
    ) AS s
    LEFT JOIN recce_repeated_keys AS r
      ON s.k0 = r.k0 AND s.k1 = r.k1
    WHERE
      r.k0 IS NULL
  ) AS a
  FULL OUTER JOIN (
    SELECT
      s.k0,
      s.k1,
      s.c0
    FROM (
      SELECT
        t."id" AS k0,
        t."line" AS k1,
        t."rate" AS c0
      FROM orders_current AS t
      WHERE
        NOT t."id" IS NULL AND NOT t."line" IS NULL
    ) AS s
    LEFT JOIN recce_repeated_keys AS r
      ON s.k0 = r.k0 AND s.k1 = r.k1
    WHERE
      r.k0 IS NULL
  ) AS b
    ON a.k0 = b.k0 AND a.k1 = b.k1
  WHERE
    a.k0 IS NULL OR b.k0 IS NULL OR a.c0 IS NOT b.c0
) AS d;

-- examples of orders
SELECT
  a.k0 AS key_0,
  a.k1 AS key_1,
  a.c0 IS NOT b.c0 AS d0,
  a.c0 AS base_0,
  b.c0 AS current_0
FROM (
  SELECT
    t."id" AS k0,
    t."line" AS k1,
    t."rate" AS c0
  FROM orders_base AS t
  WHERE
    CAST(t."id" AS TEXT) || '|' || CAST(t."line" AS TEXT) IN ('1')
) AS a
INNER JOIN (
  SELECT
    t."id" AS k0,
    t."line" AS k1,
    t."rate" AS c0
  FROM orders_current AS t
  WHERE
    CAST(t."id" AS TEXT) || '|' || CAST(t."line" AS TEXT) IN ('1')
) AS b
  ON a.k0 = b.k0 AND a.k1 = b.k1
ORDER BY
  a.k0 ASC NULLS LAST,
  a.k1 ASC NULLS LAST;

-- == retyped
-- key of orders_base
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(DISTINCT s.k0 COLLATE BINARY) AS n_keys
FROM (
  SELECT
    CAST(t."id" AS TEXT) COLLATE BINARY AS k0
  FROM orders_base AS t
) AS s;

-- key of orders_current
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(DISTINCT s.k0 COLLATE BINARY) AS n_keys
FROM (
  SELECT
    CAST(t."id" AS TEXT) COLLATE BINARY AS k0
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
  COUNT(COALESCE(CASE WHEN d.d1 THEN d.x1 END, CASE WHEN d.d1 THEN d.y1 END)) AS distance_0_1,
  SUM(CASE WHEN d.d1 THEN d.x1 END) AS distance_1_1,
  MAX(ABS(CASE WHEN d.d1 THEN d.x1 END)) AS distance_2_1,
  SUM(CASE WHEN d.d1 THEN d.y1 END) AS distance_3_1,
  MAX(ABS(CASE WHEN d.d1 THEN d.y1 END)) AS distance_4_1,
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
    a.k0 COLLATE BINARY AS token,
    a.k0 = b.k0 AND a.c0 IS NOT b.c0 AS d0,
    a.c0 IS NULL AS e0,
    b.c0 IS NULL AS f0,
    a.k0 = b.k0 AND a.c1 IS NOT b.c1 AS d1,
    a.c1 IS NULL AS e1,
    b.c1 IS NULL AS f1,
    CASE
      WHEN a.c1 BETWEEN -1e290 AND 1e290 AND b.c1 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(b.c1 AS REAL) - CAST(a.c1 AS REAL)
      )
    END AS x1,
    CASE
      WHEN a.c1 BETWEEN -1e290 AND 1e290 AND b.c1 BETWEEN -1e290 AND 1e290
      THEN NULL
      WHEN a.c1 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      AND b.c1 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
      THEN (
        (
          CASE
            WHEN CAST(b.c1 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(b.c1 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        ) - (
          CASE
            WHEN CAST(a.c1 AS REAL) BETWEEN -1 AND 1
            THEN CAST('0' AS REAL)
            ELSE CAST(a.c1 AS REAL) * CAST('5.421010862427522e-20' AS REAL)
          END
        )
      )
    END AS y1,
    a.k0 = b.k0 AND a.c2 IS NOT b.c2 AS d2,
    a.c2 IS NULL AS e2,
    b.c2 IS NULL AS f2
  FROM (
    SELECT
      CAST(t."id" AS TEXT) COLLATE BINARY AS k0,
      CAST(t."line" AS TEXT) COLLATE BINARY AS c0,
      t."amount" AS c1,
      CAST(t."day" AS TEXT) COLLATE BINARY AS c2
    FROM orders_base AS t
  ) AS a
  FULL OUTER JOIN (
    SELECT
      CAST(t."id" AS TEXT) COLLATE BINARY AS k0,
      CAST(t."line" AS TEXT) COLLATE BINARY AS c0,
      t."amount" AS c1,
      CAST(t."day" AS TEXT) COLLATE BINARY AS c2
    FROM orders_current AS t
  ) AS b
    ON a.k0 = b.k0
  WHERE
    a.k0 IS NULL
    OR b.k0 IS NULL
    OR a.c0 IS NOT b.c0
    OR a.c1 IS NOT b.c1
    OR a.c2 IS NOT b.c2
) AS d;

-- examples of orders
SELECT
  a.k0 AS key_0,
  a.c0 IS NOT b.c0 AS d0,
  a.r0 AS base_0,
  b.r0 AS current_0,
  a.c1 IS NOT b.c1 AS d1,
  a.c1 AS base_1,
  b.c1 AS current_1,
  a.c2 IS NOT b.c2 AS d2,
  a.r2 AS base_2,
  REPLACE(CAST(b.r2 AS TEXT), 'T', ' ') AS current_2
FROM (
  SELECT
    CAST(t."id" AS TEXT) COLLATE BINARY AS k0,
    CAST(t."line" AS TEXT) COLLATE BINARY AS c0,
    t."amount" AS c1,
    CAST(t."day" AS TEXT) COLLATE BINARY AS c2,
    t."line" AS r0,
    t."day" AS r2
  FROM orders_base AS t
  WHERE
    CAST(t."id" AS TEXT) COLLATE BINARY IN ('1')
) AS a
INNER JOIN (
  SELECT
    CAST(t."id" AS TEXT) COLLATE BINARY AS k0,
    CAST(t."line" AS TEXT) COLLATE BINARY AS c0,
    t."amount" AS c1,
    CAST(t."day" AS TEXT) COLLATE BINARY AS c2,
    t."line" AS r0,
    t."day" AS r2
  FROM orders_current AS t
) AS b
  ON a.k0 = b.k0
ORDER BY
  a.k0 COLLATE BINARY ASC NULLS LAST;

-- == detail
-- key of orders_base
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(DISTINCT s.k0) AS n_keys
FROM (
  SELECT
    t."id" AS k0
  FROM orders_base AS t
) AS s;

-- key of orders_current
SELECT
  COUNT(*) AS n_rows,
  COUNT(s.k0) AS n_not_null,
  COUNT(DISTINCT s.k0) AS n_keys
FROM (
  SELECT
    t."id" AS k0
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
  REPLACE(CAST(d.base_5 AS TEXT), 'T', ' ') AS base_5,
  REPLACE(CAST(d.base_6 AS TEXT), 'T', ' ') AS base_6,
  d.base_7 AS base_7,
  d.base_8 AS base_8,
  d.base_9 AS base_9,
  d.base_10 AS base_10,
  d.current_0 AS current_0,
  d.current_1 AS current_1,
  d.current_2 AS current_2,
  d.current_3 AS current_3,
  d.current_4 AS current_4,
  REPLACE(CAST(d.current_5 AS TEXT), 'T', ' ') AS current_5,
  REPLACE(CAST(d.current_6 AS TEXT), 'T', ' ') AS current_6,
  d.current_7 AS current_7,
  d.current_8 AS current_8,
  d.current_9 AS current_9,
  d.current_10 AS current_10
FROM (
  SELECT
    a.k0 IS NULL AS is_added,
    b.k0 IS NULL AS is_removed,
    COALESCE(a.k0, b.k0) AS k0,
    a.c0 AS base_0,
    a.c1 AS base_1,
    a.c2 AS base_2,
    a.c3 AS base_3,
    a.c4 AS base_4,
    a.c5 AS base_5,
    a.c6 AS base_6,
    a.c7 AS base_7,
    a.r8 AS base_8,
    a.r9 AS base_9,
    a.c10 AS base_10,
    b.c0 AS current_0,
    b.c1 AS current_1,
    b.c2 AS current_2,
    b.c3 AS current_3,
    b.c4 AS current_4,
    b.c5 AS current_5,
    b.c6 AS current_6,
    b.c7 AS current_7,
    b.r8 AS current_8,
    b.r9 AS current_9,
    b.c10 AS current_10
  FROM (
    SELECT
      t."id" AS k0,
      t."line" AS c0,
      t."order" COLLATE BINARY AS c1,
      t."a ""quoted"" one" COLLATE BINARY AS c2,
      t."amount" AS c3,
      t."rate" AS c4,
      t."day" COLLATE BINARY AS c5,
      t."at" COLLATE BINARY AS c6,
      t."is_it" COLLATE BINARY AS c7,
      CAST(t."doc" AS TEXT) COLLATE BINARY AS c8,
      CAST(t."list" AS TEXT) COLLATE BINARY AS c9,
      t."raw" COLLATE BINARY AS c10,
      t."doc" AS r8,
      t."list" AS r9
    FROM orders_base AS t
  ) AS a
  FULL OUTER JOIN (
    SELECT
      t."id" AS k0,
      t."line" AS c0,
      t."order" COLLATE BINARY AS c1,
      t."a ""quoted"" one" COLLATE BINARY AS c2,
      t."amount" AS c3,
      t."rate" AS c4,
      t."day" COLLATE BINARY AS c5,
      t."at" COLLATE BINARY AS c6,
      t."is_it" COLLATE BINARY AS c7,
      CAST(t."doc" AS TEXT) COLLATE BINARY AS c8,
      CAST(t."list" AS TEXT) COLLATE BINARY AS c9,
      t."raw" COLLATE BINARY AS c10,
      t."doc" AS r8,
      t."list" AS r9
    FROM orders_current AS t
  ) AS b
    ON a.k0 = b.k0
  WHERE
    a.k0 IS NULL
    OR b.k0 IS NULL
    OR a.c0 IS NOT b.c0
    OR a.c1 IS NOT b.c1
    OR a.c2 IS NOT b.c2
    OR a.c3 IS NOT b.c3
    OR a.c4 IS NOT b.c4
    OR a.c5 IS NOT b.c5
    OR a.c6 IS NOT b.c6
    OR a.c7 IS NOT b.c7
    OR a.c8 IS NOT b.c8
    OR a.c9 IS NOT b.c9
    OR a.c10 IS NOT b.c10
) AS d
ORDER BY
  d.k0 ASC NULLS LAST
LIMIT 6;

-- == rows
-- rows of orders
SELECT
  CAST(COALESCE(SUM(g.n_base), 0) AS INTEGER) AS base_rows,
  CAST(COALESCE(SUM(g.n_current), 0) AS INTEGER) AS current_rows,
  CAST(COALESCE(SUM(CASE WHEN g.n_base < g.n_current THEN g.n_base ELSE g.n_current END), 0) AS INTEGER) AS common
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
        recce_hash(
          t."id",
          t."line",
          t."order" COLLATE BINARY,
          t."a ""quoted"" one" COLLATE BINARY,
          t."amount",
          t."rate",
          t."day" COLLATE BINARY,
          t."at" COLLATE BINARY,
          t."is_it" COLLATE BINARY,
          CAST(t."doc" AS TEXT) COLLATE BINARY,
          CAST(t."list" AS TEXT) COLLATE BINARY,
          t."raw" COLLATE BINARY
        ) AS h
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          recce_hash(
            t."id",
            t."line",
            t."order" COLLATE BINARY,
            t."a ""quoted"" one" COLLATE BINARY,
            t."amount",
            t."rate",
            t."day" COLLATE BINARY,
            t."at" COLLATE BINARY,
            t."is_it" COLLATE BINARY,
            CAST(t."doc" AS TEXT) COLLATE BINARY,
            CAST(t."list" AS TEXT) COLLATE BINARY,
            t."raw" COLLATE BINARY
          ) % 1000000
        ) < 5000
    ) AS t
    UNION ALL
    SELECT
      t.h,
      0 AS n_base,
      1 AS n_current
    FROM (
      SELECT
        recce_hash(
          t."id",
          t."line",
          t."order" COLLATE BINARY,
          t."a ""quoted"" one" COLLATE BINARY,
          t."amount",
          t."rate",
          t."day" COLLATE BINARY,
          t."at" COLLATE BINARY,
          t."is_it" COLLATE BINARY,
          CAST(t."doc" AS TEXT) COLLATE BINARY,
          CAST(t."list" AS TEXT) COLLATE BINARY,
          t."raw" COLLATE BINARY
        ) AS h
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          recce_hash(
            t."id",
            t."line",
            t."order" COLLATE BINARY,
            t."a ""quoted"" one" COLLATE BINARY,
            t."amount",
            t."rate",
            t."day" COLLATE BINARY,
            t."at" COLLATE BINARY,
            t."is_it" COLLATE BINARY,
            CAST(t."doc" AS TEXT) COLLATE BINARY,
            CAST(t."list" AS TEXT) COLLATE BINARY,
            t."raw" COLLATE BINARY
          ) % 1000000
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
        recce_hash(
          t."id",
          t."line",
          t."order" COLLATE BINARY,
          t."a ""quoted"" one" COLLATE BINARY,
          t."amount",
          t."rate",
          t."day" COLLATE BINARY,
          t."at" COLLATE BINARY,
          t."is_it" COLLATE BINARY,
          CAST(t."doc" AS TEXT) COLLATE BINARY,
          CAST(t."list" AS TEXT) COLLATE BINARY,
          t."raw" COLLATE BINARY
        ) AS h
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          recce_hash(
            t."id",
            t."line",
            t."order" COLLATE BINARY,
            t."a ""quoted"" one" COLLATE BINARY,
            t."amount",
            t."rate",
            t."day" COLLATE BINARY,
            t."at" COLLATE BINARY,
            t."is_it" COLLATE BINARY,
            CAST(t."doc" AS TEXT) COLLATE BINARY,
            CAST(t."list" AS TEXT) COLLATE BINARY,
            t."raw" COLLATE BINARY
          ) % 1000000
        ) < 5000
    ) AS t
    UNION ALL
    SELECT
      t.h,
      0 AS n_base,
      1 AS n_current
    FROM (
      SELECT
        recce_hash(
          t."id",
          t."line",
          t."order" COLLATE BINARY,
          t."a ""quoted"" one" COLLATE BINARY,
          t."amount",
          t."rate",
          t."day" COLLATE BINARY,
          t."at" COLLATE BINARY,
          t."is_it" COLLATE BINARY,
          CAST(t."doc" AS TEXT) COLLATE BINARY,
          CAST(t."list" AS TEXT) COLLATE BINARY,
          t."raw" COLLATE BINARY
        ) AS h
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          recce_hash(
            t."id",
            t."line",
            t."order" COLLATE BINARY,
            t."a ""quoted"" one" COLLATE BINARY,
            t."amount",
            t."rate",
            t."day" COLLATE BINARY,
            t."at" COLLATE BINARY,
            t."is_it" COLLATE BINARY,
            CAST(t."doc" AS TEXT) COLLATE BINARY,
            CAST(t."list" AS TEXT) COLLATE BINARY,
            t."raw" COLLATE BINARY
          ) % 1000000
        ) < 5000
    ) AS t
  ) AS u
  GROUP BY
    u.h
) AS g
WHERE
  g.n_base <> g.n_current
ORDER BY
  g.h ASC NULLS LAST
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
  REPLACE(CAST(d.r6 AS TEXT), 'T', ' ') AS r6,
  REPLACE(CAST(d.r7 AS TEXT), 'T', ' ') AS r7,
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
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY t.h NULLS LAST) AS n
  FROM (
    SELECT
      recce_hash(
        t."id",
        t."line",
        t."order" COLLATE BINARY,
        t."a ""quoted"" one" COLLATE BINARY,
        t."amount",
        t."rate",
        t."day" COLLATE BINARY,
        t."at" COLLATE BINARY,
        t."is_it" COLLATE BINARY,
        CAST(t."doc" AS TEXT) COLLATE BINARY,
        CAST(t."list" AS TEXT) COLLATE BINARY,
        t."raw" COLLATE BINARY
      ) AS h,
      t."id" AS r0,
      t."line" AS r1,
      t."order" AS r2,
      t."a ""quoted"" one" AS r3,
      t."amount" AS r4,
      t."rate" AS r5,
      t."day" AS r6,
      t."at" AS r7,
      t."is_it" AS r8,
      t."doc" AS r9,
      t."list" AS r10,
      t."raw" AS r11
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND ABS(
        recce_hash(
          t."id",
          t."line",
          t."order" COLLATE BINARY,
          t."a ""quoted"" one" COLLATE BINARY,
          t."amount",
          t."rate",
          t."day" COLLATE BINARY,
          t."at" COLLATE BINARY,
          t."is_it" COLLATE BINARY,
          CAST(t."doc" AS TEXT) COLLATE BINARY,
          CAST(t."list" AS TEXT) COLLATE BINARY,
          t."raw" COLLATE BINARY
        ) % 1000000
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
  REPLACE(CAST(d.r6 AS TEXT), 'T', ' ') AS r6,
  REPLACE(CAST(d.r7 AS TEXT), 'T', ' ') AS r7,
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
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY t.h NULLS LAST) AS n
  FROM (
    SELECT
      recce_hash(
        t."id",
        t."line",
        t."order" COLLATE BINARY,
        t."a ""quoted"" one" COLLATE BINARY,
        t."amount",
        t."rate",
        t."day" COLLATE BINARY,
        t."at" COLLATE BINARY,
        t."is_it" COLLATE BINARY,
        CAST(t."doc" AS TEXT) COLLATE BINARY,
        CAST(t."list" AS TEXT) COLLATE BINARY,
        t."raw" COLLATE BINARY
      ) AS h,
      t."id" AS r0,
      t."line" AS r1,
      t."order" AS r2,
      t."a ""quoted"" one" AS r3,
      t."amount" AS r4,
      t."rate" AS r5,
      t."day" AS r6,
      t."at" AS r7,
      t."is_it" AS r8,
      t."doc" AS r9,
      t."list" AS r10,
      t."raw" AS r11
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND ABS(
        recce_hash(
          t."id",
          t."line",
          t."order" COLLATE BINARY,
          t."a ""quoted"" one" COLLATE BINARY,
          t."amount",
          t."rate",
          t."day" COLLATE BINARY,
          t."at" COLLATE BINARY,
          t."is_it" COLLATE BINARY,
          CAST(t."doc" AS TEXT) COLLATE BINARY,
          CAST(t."list" AS TEXT) COLLATE BINARY,
          t."raw" COLLATE BINARY
        ) % 1000000
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
  CAST(COALESCE(SUM(g.n_base), 0) AS INTEGER) AS base_rows,
  CAST(COALESCE(SUM(g.n_current), 0) AS INTEGER) AS current_rows,
  CAST(COALESCE(SUM(CASE WHEN g.n_base < g.n_current THEN g.n_base ELSE g.n_current END), 0) AS INTEGER) AS common
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
        recce_hash(
          t."id",
          t."line",
          t."order" COLLATE BINARY,
          t."a ""quoted"" one" COLLATE BINARY,
          t."amount",
          t."rate",
          t."day" COLLATE BINARY,
          t."at" COLLATE BINARY,
          t."is_it" COLLATE BINARY,
          CAST(t."doc" AS TEXT) COLLATE BINARY,
          CAST(t."list" AS TEXT) COLLATE BINARY,
          t."raw" COLLATE BINARY
        ) AS h
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
        recce_hash(
          t."id",
          t."line",
          t."order" COLLATE BINARY,
          t."a ""quoted"" one" COLLATE BINARY,
          t."amount",
          t."rate",
          t."day" COLLATE BINARY,
          t."at" COLLATE BINARY,
          t."is_it" COLLATE BINARY,
          CAST(t."doc" AS TEXT) COLLATE BINARY,
          CAST(t."list" AS TEXT) COLLATE BINARY,
          t."raw" COLLATE BINARY
        ) AS h
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
        recce_hash(
          t."id",
          t."line",
          t."order" COLLATE BINARY,
          t."a ""quoted"" one" COLLATE BINARY,
          t."amount",
          t."rate",
          t."day" COLLATE BINARY,
          t."at" COLLATE BINARY,
          t."is_it" COLLATE BINARY,
          CAST(t."doc" AS TEXT) COLLATE BINARY,
          CAST(t."list" AS TEXT) COLLATE BINARY,
          t."raw" COLLATE BINARY
        ) AS h
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
        recce_hash(
          t."id",
          t."line",
          t."order" COLLATE BINARY,
          t."a ""quoted"" one" COLLATE BINARY,
          t."amount",
          t."rate",
          t."day" COLLATE BINARY,
          t."at" COLLATE BINARY,
          t."is_it" COLLATE BINARY,
          CAST(t."doc" AS TEXT) COLLATE BINARY,
          CAST(t."list" AS TEXT) COLLATE BINARY,
          t."raw" COLLATE BINARY
        ) AS h
      FROM orders_current AS t
    ) AS t
  ) AS u
  GROUP BY
    u.h
) AS g
WHERE
  g.n_base <> g.n_current
ORDER BY
  g.h ASC NULLS LAST
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
  REPLACE(CAST(d.r6 AS TEXT), 'T', ' ') AS r6,
  REPLACE(CAST(d.r7 AS TEXT), 'T', ' ') AS r7,
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
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY t.h NULLS LAST) AS n
  FROM (
    SELECT
      recce_hash(
        t."id",
        t."line",
        t."order" COLLATE BINARY,
        t."a ""quoted"" one" COLLATE BINARY,
        t."amount",
        t."rate",
        t."day" COLLATE BINARY,
        t."at" COLLATE BINARY,
        t."is_it" COLLATE BINARY,
        CAST(t."doc" AS TEXT) COLLATE BINARY,
        CAST(t."list" AS TEXT) COLLATE BINARY,
        t."raw" COLLATE BINARY
      ) AS h,
      t."id" AS r0,
      t."line" AS r1,
      t."order" AS r2,
      t."a ""quoted"" one" AS r3,
      t."amount" AS r4,
      t."rate" AS r5,
      t."day" AS r6,
      t."at" AS r7,
      t."is_it" AS r8,
      t."doc" AS r9,
      t."list" AS r10,
      t."raw" AS r11
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
  REPLACE(CAST(d.r6 AS TEXT), 'T', ' ') AS r6,
  REPLACE(CAST(d.r7 AS TEXT), 'T', ' ') AS r7,
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
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY t.h NULLS LAST) AS n
  FROM (
    SELECT
      recce_hash(
        t."id",
        t."line",
        t."order" COLLATE BINARY,
        t."a ""quoted"" one" COLLATE BINARY,
        t."amount",
        t."rate",
        t."day" COLLATE BINARY,
        t."at" COLLATE BINARY,
        t."is_it" COLLATE BINARY,
        CAST(t."doc" AS TEXT) COLLATE BINARY,
        CAST(t."list" AS TEXT) COLLATE BINARY,
        t."raw" COLLATE BINARY
      ) AS h,
      t."id" AS r0,
      t."line" AS r1,
      t."order" AS r2,
      t."a ""quoted"" one" AS r3,
      t."amount" AS r4,
      t."rate" AS r5,
      t."day" AS r6,
      t."at" AS r7,
      t."is_it" AS r8,
      t."doc" AS r9,
      t."list" AS r10,
      t."raw" AS r11
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
  SUM(recce_hex(SUBSTRING(t.h, 4, 10))) AS sum_0,
  SUM(recce_hex(SUBSTRING(t.h, 14, 10))) AS sum_1,
  SUM(recce_hex(SUBSTRING(t.h, 24, 9))) AS sum_2
FROM (
  SELECT
    recce_md5(
      COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."id") IN ('integer')
              THEN CAST(t."id" AS TEXT)
              ELSE recce_text(t."id")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."line") IN ('integer')
              THEN CAST(t."line" AS TEXT)
              ELSE recce_text(t."line")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
              THEN CAST(t."order" AS TEXT)
              ELSE quote(t."order")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."a ""quoted"" one") IN ('text', 'integer', 'real', 'null')
              THEN CAST(t."a ""quoted"" one" AS TEXT)
              ELSE quote(t."a ""quoted"" one")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."amount") IN ('integer')
              THEN CASE
                WHEN CAST(t."amount" AS TEXT) LIKE '%.%0'
                THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
                ELSE CAST(t."amount" AS TEXT)
              END
              ELSE recce_text(t."amount")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."rate") IN ('integer', 'real')
              THEN CASE
                WHEN CAST(t."rate" AS REAL) = 0
                THEN '0'
                WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
                AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
                THEN recce_scientific(CAST(t."rate" AS REAL))
                WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
                THEN 'nan'
                WHEN CAST(t."rate" AS REAL) < 0
                THEN '-inf'
                WHEN CAST(t."rate" AS REAL) > 0
                THEN 'inf'
              END
              ELSE recce_text(t."rate")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."day") IN ('text', 'integer', 'real', 'null')
              THEN REPLACE(CAST(t."day" AS TEXT), 'T', ' ')
              ELSE quote(t."day")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."at") IN ('text', 'integer', 'real', 'null')
              THEN CASE
                WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%0'
                THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
                ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
              END
              ELSE quote(t."at")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."is_it") IN ('integer', 'null')
              THEN CASE t."is_it" WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST(t."is_it" AS TEXT) END
              ELSE quote(t."is_it")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."doc") IN ('text', 'integer', 'real', 'null')
              THEN CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT)
              ELSE quote(t."doc")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."list") IN ('text', 'integer', 'real', 'null')
              THEN CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT)
              ELSE quote(t."list")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."raw") IN ('blob', 'null')
              THEN LOWER(CASE WHEN NOT t."raw" IS NULL THEN HEX(t."raw") END)
              ELSE quote(t."raw")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
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
  SUM(recce_hex(SUBSTRING(t.h, 4, 10))) AS sum_0,
  SUM(recce_hex(SUBSTRING(t.h, 14, 10))) AS sum_1,
  SUM(recce_hex(SUBSTRING(t.h, 24, 9))) AS sum_2
FROM (
  SELECT
    recce_md5(
      COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."id") IN ('integer')
              THEN CAST(t."id" AS TEXT)
              ELSE recce_text(t."id")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."line") IN ('integer')
              THEN CAST(t."line" AS TEXT)
              ELSE recce_text(t."line")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
              THEN CAST(t."order" AS TEXT)
              ELSE quote(t."order")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."a ""quoted"" one") IN ('text', 'integer', 'real', 'null')
              THEN CAST(t."a ""quoted"" one" AS TEXT)
              ELSE quote(t."a ""quoted"" one")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."amount") IN ('integer')
              THEN CASE
                WHEN CAST(t."amount" AS TEXT) LIKE '%.%0'
                THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
                ELSE CAST(t."amount" AS TEXT)
              END
              ELSE recce_text(t."amount")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."rate") IN ('integer', 'real')
              THEN CASE
                WHEN CAST(t."rate" AS REAL) = 0
                THEN '0'
                WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
                AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
                THEN recce_scientific(CAST(t."rate" AS REAL))
                WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
                THEN 'nan'
                WHEN CAST(t."rate" AS REAL) < 0
                THEN '-inf'
                WHEN CAST(t."rate" AS REAL) > 0
                THEN 'inf'
              END
              ELSE recce_text(t."rate")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."day") IN ('text', 'integer', 'real', 'null')
              THEN REPLACE(CAST(t."day" AS TEXT), 'T', ' ')
              ELSE quote(t."day")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."at") IN ('text', 'integer', 'real', 'null')
              THEN CASE
                WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%0'
                THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
                ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
              END
              ELSE quote(t."at")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."is_it") IN ('integer', 'null')
              THEN CASE t."is_it" WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST(t."is_it" AS TEXT) END
              ELSE quote(t."is_it")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."doc") IN ('text', 'integer', 'real', 'null')
              THEN CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT)
              ELSE quote(t."doc")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."list") IN ('text', 'integer', 'real', 'null')
              THEN CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT)
              ELSE quote(t."list")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."raw") IN ('blob', 'null')
              THEN LOWER(CASE WHEN NOT t."raw" IS NULL THEN HEX(t."raw") END)
              ELSE quote(t."raw")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
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
    recce_md5(
      COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."id") IN ('integer')
              THEN CAST(t."id" AS TEXT)
              ELSE recce_text(t."id")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."line") IN ('integer')
              THEN CAST(t."line" AS TEXT)
              ELSE recce_text(t."line")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
              THEN CAST(t."order" AS TEXT)
              ELSE quote(t."order")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."a ""quoted"" one") IN ('text', 'integer', 'real', 'null')
              THEN CAST(t."a ""quoted"" one" AS TEXT)
              ELSE quote(t."a ""quoted"" one")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."amount") IN ('integer')
              THEN CASE
                WHEN CAST(t."amount" AS TEXT) LIKE '%.%0'
                THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
                ELSE CAST(t."amount" AS TEXT)
              END
              ELSE recce_text(t."amount")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."rate") IN ('integer', 'real')
              THEN CASE
                WHEN CAST(t."rate" AS REAL) = 0
                THEN '0'
                WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
                AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
                THEN recce_scientific(CAST(t."rate" AS REAL))
                WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
                THEN 'nan'
                WHEN CAST(t."rate" AS REAL) < 0
                THEN '-inf'
                WHEN CAST(t."rate" AS REAL) > 0
                THEN 'inf'
              END
              ELSE recce_text(t."rate")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."day") IN ('text', 'integer', 'real', 'null')
              THEN REPLACE(CAST(t."day" AS TEXT), 'T', ' ')
              ELSE quote(t."day")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."at") IN ('text', 'integer', 'real', 'null')
              THEN CASE
                WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%0'
                THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
                ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
              END
              ELSE quote(t."at")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."is_it") IN ('integer', 'null')
              THEN CASE t."is_it" WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST(t."is_it" AS TEXT) END
              ELSE quote(t."is_it")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."doc") IN ('text', 'integer', 'real', 'null')
              THEN CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT)
              ELSE quote(t."doc")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."list") IN ('text', 'integer', 'real', 'null')
              THEN CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT)
              ELSE quote(t."list")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."raw") IN ('blob', 'null')
              THEN LOWER(CASE WHEN NOT t."raw" IS NULL THEN HEX(t."raw") END)
              ELSE quote(t."raw")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
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
    recce_md5(
      COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."id") IN ('integer')
              THEN CAST(t."id" AS TEXT)
              ELSE recce_text(t."id")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."line") IN ('integer')
              THEN CAST(t."line" AS TEXT)
              ELSE recce_text(t."line")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
              THEN CAST(t."order" AS TEXT)
              ELSE quote(t."order")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."a ""quoted"" one") IN ('text', 'integer', 'real', 'null')
              THEN CAST(t."a ""quoted"" one" AS TEXT)
              ELSE quote(t."a ""quoted"" one")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."amount") IN ('integer')
              THEN CASE
                WHEN CAST(t."amount" AS TEXT) LIKE '%.%0'
                THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
                ELSE CAST(t."amount" AS TEXT)
              END
              ELSE recce_text(t."amount")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."rate") IN ('integer', 'real')
              THEN CASE
                WHEN CAST(t."rate" AS REAL) = 0
                THEN '0'
                WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
                AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
                THEN recce_scientific(CAST(t."rate" AS REAL))
                WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
                THEN 'nan'
                WHEN CAST(t."rate" AS REAL) < 0
                THEN '-inf'
                WHEN CAST(t."rate" AS REAL) > 0
                THEN 'inf'
              END
              ELSE recce_text(t."rate")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."day") IN ('text', 'integer', 'real', 'null')
              THEN REPLACE(CAST(t."day" AS TEXT), 'T', ' ')
              ELSE quote(t."day")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."at") IN ('text', 'integer', 'real', 'null')
              THEN CASE
                WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%0'
                THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
                ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
              END
              ELSE quote(t."at")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."is_it") IN ('integer', 'null')
              THEN CASE t."is_it" WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST(t."is_it" AS TEXT) END
              ELSE quote(t."is_it")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."doc") IN ('text', 'integer', 'real', 'null')
              THEN CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT)
              ELSE quote(t."doc")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."list") IN ('text', 'integer', 'real', 'null')
              THEN CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT)
              ELSE quote(t."list")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."raw") IN ('blob', 'null')
              THEN LOWER(CASE WHEN NOT t."raw" IS NULL THEN HEX(t."raw") END)
              ELSE quote(t."raw")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
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
  REPLACE(CAST(d.r6 AS TEXT), 'T', ' ') AS r6,
  REPLACE(CAST(d.r7 AS TEXT), 'T', ' ') AS r7,
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
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY t.h NULLS LAST) AS n
  FROM (
    SELECT
      recce_md5(
        COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."id") IN ('integer')
                THEN CAST(t."id" AS TEXT)
                ELSE recce_text(t."id")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."line") IN ('integer')
                THEN CAST(t."line" AS TEXT)
                ELSE recce_text(t."line")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
                THEN CAST(t."order" AS TEXT)
                ELSE quote(t."order")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."a ""quoted"" one") IN ('text', 'integer', 'real', 'null')
                THEN CAST(t."a ""quoted"" one" AS TEXT)
                ELSE quote(t."a ""quoted"" one")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."amount") IN ('integer')
                THEN CASE
                  WHEN CAST(t."amount" AS TEXT) LIKE '%.%0'
                  THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
                  ELSE CAST(t."amount" AS TEXT)
                END
                ELSE recce_text(t."amount")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."rate") IN ('integer', 'real')
                THEN CASE
                  WHEN CAST(t."rate" AS REAL) = 0
                  THEN '0'
                  WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
                  AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
                  THEN recce_scientific(CAST(t."rate" AS REAL))
                  WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
                  THEN 'nan'
                  WHEN CAST(t."rate" AS REAL) < 0
                  THEN '-inf'
                  WHEN CAST(t."rate" AS REAL) > 0
                  THEN 'inf'
                END
                ELSE recce_text(t."rate")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."day") IN ('text', 'integer', 'real', 'null')
                THEN REPLACE(CAST(t."day" AS TEXT), 'T', ' ')
                ELSE quote(t."day")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."at") IN ('text', 'integer', 'real', 'null')
                THEN CASE
                  WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%0'
                  THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
                  ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
                END
                ELSE quote(t."at")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."is_it") IN ('integer', 'null')
                THEN CASE t."is_it" WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST(t."is_it" AS TEXT) END
                ELSE quote(t."is_it")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."doc") IN ('text', 'integer', 'real', 'null')
                THEN CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT)
                ELSE quote(t."doc")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."list") IN ('text', 'integer', 'real', 'null')
                THEN CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT)
                ELSE quote(t."list")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."raw") IN ('blob', 'null')
                THEN LOWER(CASE WHEN NOT t."raw" IS NULL THEN HEX(t."raw") END)
                ELSE quote(t."raw")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        )
      ) AS h,
      t."id" AS r0,
      t."line" AS r1,
      t."order" AS r2,
      t."a ""quoted"" one" AS r3,
      t."amount" AS r4,
      t."rate" AS r5,
      t."day" AS r6,
      t."at" AS r7,
      t."is_it" AS r8,
      t."doc" AS r9,
      t."list" AS r10,
      t."raw" AS r11
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
  REPLACE(CAST(d.r6 AS TEXT), 'T', ' ') AS r6,
  REPLACE(CAST(d.r7 AS TEXT), 'T', ' ') AS r7,
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
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY t.h NULLS LAST) AS n
  FROM (
    SELECT
      recce_md5(
        COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."id") IN ('integer')
                THEN CAST(t."id" AS TEXT)
                ELSE recce_text(t."id")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."line") IN ('integer')
                THEN CAST(t."line" AS TEXT)
                ELSE recce_text(t."line")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
                THEN CAST(t."order" AS TEXT)
                ELSE quote(t."order")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."a ""quoted"" one") IN ('text', 'integer', 'real', 'null')
                THEN CAST(t."a ""quoted"" one" AS TEXT)
                ELSE quote(t."a ""quoted"" one")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."amount") IN ('integer')
                THEN CASE
                  WHEN CAST(t."amount" AS TEXT) LIKE '%.%0'
                  THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
                  ELSE CAST(t."amount" AS TEXT)
                END
                ELSE recce_text(t."amount")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."rate") IN ('integer', 'real')
                THEN CASE
                  WHEN CAST(t."rate" AS REAL) = 0
                  THEN '0'
                  WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
                  AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
                  THEN recce_scientific(CAST(t."rate" AS REAL))
                  WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
                  THEN 'nan'
                  WHEN CAST(t."rate" AS REAL) < 0
                  THEN '-inf'
                  WHEN CAST(t."rate" AS REAL) > 0
                  THEN 'inf'
                END
                ELSE recce_text(t."rate")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."day") IN ('text', 'integer', 'real', 'null')
                THEN REPLACE(CAST(t."day" AS TEXT), 'T', ' ')
                ELSE quote(t."day")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."at") IN ('text', 'integer', 'real', 'null')
                THEN CASE
                  WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%0'
                  THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
                  ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
                END
                ELSE quote(t."at")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."is_it") IN ('integer', 'null')
                THEN CASE t."is_it" WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST(t."is_it" AS TEXT) END
                ELSE quote(t."is_it")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."doc") IN ('text', 'integer', 'real', 'null')
                THEN CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT)
                ELSE quote(t."doc")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."list") IN ('text', 'integer', 'real', 'null')
                THEN CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT)
                ELSE quote(t."list")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."raw") IN ('blob', 'null')
                THEN LOWER(CASE WHEN NOT t."raw" IS NULL THEN HEX(t."raw") END)
                ELSE quote(t."raw")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        )
      ) AS h,
      t."id" AS r0,
      t."line" AS r1,
      t."order" AS r2,
      t."a ""quoted"" one" AS r3,
      t."amount" AS r4,
      t."rate" AS r5,
      t."day" AS r6,
      t."at" AS r7,
      t."is_it" AS r8,
      t."doc" AS r9,
      t."list" AS r10,
      t."raw" AS r11
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
  CAST(COALESCE(SUM(g.n), 0) AS INTEGER) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS INTEGER) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t."id" AS k0,
      t."order" COLLATE BINARY AS k1
    FROM (
      SELECT
        *
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND recce_hex(
          SUBSTRING(
            recce_md5(
              COALESCE(
                REPLACE(
                  REPLACE(
                    CASE
                      WHEN typeof(t."id") IN ('integer')
                      THEN CAST(t."id" AS TEXT)
                      ELSE recce_text(t."id")
                    END,
                    '~',
                    '~t'
                  ),
                  '|',
                  '~p'
                ),
                '~N'
              ) || '|' || COALESCE(
                REPLACE(
                  REPLACE(
                    CASE
                      WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
                      THEN CAST(t."order" AS TEXT)
                      ELSE quote(t."order")
                    END,
                    '~',
                    '~t'
                  ),
                  '|',
                  '~p'
                ),
                '~N'
              )
            ),
            1,
            8
          )
        ) % 1000000 < 5000
    ) AS t
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS g;

-- key of orders_current
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS INTEGER) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS INTEGER) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t."id" AS k0,
      t."order" COLLATE BINARY AS k1
    FROM (
      SELECT
        *
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND recce_hex(
          SUBSTRING(
            recce_md5(
              COALESCE(
                REPLACE(
                  REPLACE(
                    CASE
                      WHEN typeof(t."id") IN ('integer')
                      THEN CAST(t."id" AS TEXT)
                      ELSE recce_text(t."id")
                    END,
                    '~',
                    '~t'
                  ),
                  '|',
                  '~p'
                ),
                '~N'
              ) || '|' || COALESCE(
                REPLACE(
                  REPLACE(
                    CASE
                      WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
                      THEN CAST(t."order" AS TEXT)
                      ELSE quote(t."order")
                    END,
                    '~',
                    '~t'
                  ),
                  '|',
                  '~p'
                ),
                '~N'
              )
            ),
            1,
            8
          )
        ) % 1000000 < 5000
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
  SUM(recce_hex(SUBSTRING(t.h, 4, 10))) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      recce_md5(
        COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."id") IN ('integer')
                THEN CAST(t."id" AS TEXT)
                ELSE recce_text(t."id")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
                THEN CAST(t."order" AS TEXT)
                ELSE quote(t."order")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        )
      ),
      1,
      3
    ) AS b,
    recce_md5(
      COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."id") IN ('integer')
              THEN CAST(t."id" AS TEXT)
              ELSE recce_text(t."id")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
              THEN CAST(t."order" AS TEXT)
              ELSE quote(t."order")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."line") IN ('integer')
              THEN CAST(t."line" AS TEXT)
              ELSE recce_text(t."line")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            LOWER(
              CASE
                WHEN typeof(t."a ""quoted"" one") IN ('text', 'integer', 'real', 'null')
                THEN CAST(t."a ""quoted"" one" AS TEXT)
                ELSE quote(t."a ""quoted"" one")
              END
            ),
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."amount") IN ('integer')
              THEN CASE
                WHEN CAST(t."amount" AS TEXT) LIKE '%.%0'
                THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
                ELSE CAST(t."amount" AS TEXT)
              END
              ELSE recce_text(t."amount")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."rate") IN ('integer', 'real')
              THEN CASE
                WHEN CAST(t."rate" AS REAL) = 0
                THEN '0'
                WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
                AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
                THEN recce_scientific(CAST(t."rate" AS REAL))
                WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
                THEN 'nan'
                WHEN CAST(t."rate" AS REAL) < 0
                THEN '-inf'
                WHEN CAST(t."rate" AS REAL) > 0
                THEN 'inf'
              END
              ELSE recce_text(t."rate")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."day") IN ('text', 'integer', 'real', 'null')
              THEN REPLACE(CAST(t."day" AS TEXT), 'T', ' ')
              ELSE quote(t."day")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."at") IN ('text', 'integer', 'real', 'null')
              THEN CASE
                WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%0'
                THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
                ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
              END
              ELSE quote(t."at")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."is_it") IN ('integer', 'null')
              THEN CASE t."is_it" WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST(t."is_it" AS TEXT) END
              ELSE quote(t."is_it")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."doc") IN ('text', 'integer', 'real', 'null')
              THEN CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT)
              ELSE quote(t."doc")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."list") IN ('text', 'integer', 'real', 'null')
              THEN CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT)
              ELSE quote(t."list")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."raw") IN ('blob', 'null')
              THEN LOWER(CASE WHEN NOT t."raw" IS NULL THEN HEX(t."raw") END)
              ELSE quote(t."raw")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      )
    ) AS h,
    recce_md5(
      COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."id") IN ('integer')
              THEN CAST(t."id" AS TEXT)
              ELSE recce_text(t."id")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
              THEN CAST(t."order" AS TEXT)
              ELSE quote(t."order")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
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
      AND recce_hex(
        SUBSTRING(
          recce_md5(
            COALESCE(
              REPLACE(
                REPLACE(
                  CASE
                    WHEN typeof(t."id") IN ('integer')
                    THEN CAST(t."id" AS TEXT)
                    ELSE recce_text(t."id")
                  END,
                  '~',
                  '~t'
                ),
                '|',
                '~p'
              ),
              '~N'
            ) || '|' || COALESCE(
              REPLACE(
                REPLACE(
                  CASE
                    WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
                    THEN CAST(t."order" AS TEXT)
                    ELSE quote(t."order")
                  END,
                  '~',
                  '~t'
                ),
                '|',
                '~p'
              ),
              '~N'
            )
          ),
          1,
          8
        )
      ) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
) AS t
GROUP BY
  t.b;

-- rows of orders_current in 4,096 parts
SELECT
  t.b,
  COUNT(*) AS f0,
  SUM(recce_hex(SUBSTRING(t.h, 4, 10))) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      recce_md5(
        COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."id") IN ('integer')
                THEN CAST(t."id" AS TEXT)
                ELSE recce_text(t."id")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
                THEN CAST(t."order" AS TEXT)
                ELSE quote(t."order")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        )
      ),
      1,
      3
    ) AS b,
    recce_md5(
      COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."id") IN ('integer')
              THEN CAST(t."id" AS TEXT)
              ELSE recce_text(t."id")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
              THEN CAST(t."order" AS TEXT)
              ELSE quote(t."order")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."line") IN ('integer')
              THEN CAST(t."line" AS TEXT)
              ELSE recce_text(t."line")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            LOWER(
              CASE
                WHEN typeof(t."a ""quoted"" one") IN ('text', 'integer', 'real', 'null')
                THEN CAST(t."a ""quoted"" one" AS TEXT)
                ELSE quote(t."a ""quoted"" one")
              END
            ),
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."amount") IN ('integer')
              THEN CASE
                WHEN CAST(t."amount" AS TEXT) LIKE '%.%0'
                THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
                ELSE CAST(t."amount" AS TEXT)
              END
              ELSE recce_text(t."amount")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."rate") IN ('integer', 'real')
              THEN CASE
                WHEN CAST(t."rate" AS REAL) = 0
                THEN '0'
                WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
                AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
                THEN recce_scientific(CAST(t."rate" AS REAL))
                WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
                THEN 'nan'
                WHEN CAST(t."rate" AS REAL) < 0
                THEN '-inf'
                WHEN CAST(t."rate" AS REAL) > 0
                THEN 'inf'
              END
              ELSE recce_text(t."rate")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."day") IN ('text', 'integer', 'real', 'null')
              THEN REPLACE(CAST(t."day" AS TEXT), 'T', ' ')
              ELSE quote(t."day")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."at") IN ('text', 'integer', 'real', 'null')
              THEN CASE
                WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%0'
                THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
                ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
              END
              ELSE quote(t."at")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."is_it") IN ('integer', 'null')
              THEN CASE t."is_it" WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST(t."is_it" AS TEXT) END
              ELSE quote(t."is_it")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."doc") IN ('text', 'integer', 'real', 'null')
              THEN CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT)
              ELSE quote(t."doc")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."list") IN ('text', 'integer', 'real', 'null')
              THEN CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT)
              ELSE quote(t."list")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."raw") IN ('blob', 'null')
              THEN LOWER(CASE WHEN NOT t."raw" IS NULL THEN HEX(t."raw") END)
              ELSE quote(t."raw")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      )
    ) AS h,
    recce_md5(
      COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."id") IN ('integer')
              THEN CAST(t."id" AS TEXT)
              ELSE recce_text(t."id")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
              THEN CAST(t."order" AS TEXT)
              ELSE quote(t."order")
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
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
      AND recce_hex(
        SUBSTRING(
          recce_md5(
            COALESCE(
              REPLACE(
                REPLACE(
                  CASE
                    WHEN typeof(t."id") IN ('integer')
                    THEN CAST(t."id" AS TEXT)
                    ELSE recce_text(t."id")
                  END,
                  '~',
                  '~t'
                ),
                '|',
                '~p'
              ),
              '~N'
            ) || '|' || COALESCE(
              REPLACE(
                REPLACE(
                  CASE
                    WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
                    THEN CAST(t."order" AS TEXT)
                    ELSE quote(t."order")
                  END,
                  '~',
                  '~t'
                ),
                '|',
                '~p'
              ),
              '~N'
            )
          ),
          1,
          8
        )
      ) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
) AS t
GROUP BY
  t.b;

-- rows of orders_base that may differ
SELECT
  t.line
FROM (
  SELECT
    SUBSTRING(
      recce_md5(
        COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."id") IN ('integer')
                THEN CAST(t."id" AS TEXT)
                ELSE recce_text(t."id")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
                THEN CAST(t."order" AS TEXT)
                ELSE quote(t."order")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        )
      ),
      1,
      3
    ) AS b,
    COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."id") IN ('integer')
            THEN CAST(t."id" AS TEXT)
            ELSE recce_text(t."id")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
            THEN CAST(t."order" AS TEXT)
            ELSE quote(t."order")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."line") IN ('integer')
            THEN CAST(t."line" AS TEXT)
            ELSE recce_text(t."line")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."a ""quoted"" one") IN ('text', 'integer', 'real', 'null')
            THEN CAST(t."a ""quoted"" one" AS TEXT)
            ELSE quote(t."a ""quoted"" one")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."amount") IN ('integer')
            THEN CASE
              WHEN CAST(t."amount" AS TEXT) LIKE '%.%0'
              THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
              ELSE CAST(t."amount" AS TEXT)
            END
            ELSE recce_text(t."amount")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."rate") IN ('integer', 'real')
            THEN CASE
              WHEN CAST(t."rate" AS REAL) = 0
              THEN '0'
              WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
              AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
              THEN recce_scientific(CAST(t."rate" AS REAL))
              WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
              THEN 'nan'
              WHEN CAST(t."rate" AS REAL) < 0
              THEN '-inf'
              WHEN CAST(t."rate" AS REAL) > 0
              THEN 'inf'
            END
            ELSE recce_text(t."rate")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."day") IN ('text', 'integer', 'real', 'null')
            THEN REPLACE(CAST(t."day" AS TEXT), 'T', ' ')
            ELSE quote(t."day")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."at") IN ('text', 'integer', 'real', 'null')
            THEN CASE
              WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%0'
              THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
              ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
            END
            ELSE quote(t."at")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."is_it") IN ('integer', 'null')
            THEN CASE t."is_it" WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST(t."is_it" AS TEXT) END
            ELSE quote(t."is_it")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."doc") IN ('text', 'integer', 'real', 'null')
            THEN CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT)
            ELSE quote(t."doc")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."list") IN ('text', 'integer', 'real', 'null')
            THEN CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT)
            ELSE quote(t."list")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."raw") IN ('blob', 'null')
            THEN LOWER(CASE WHEN NOT t."raw" IS NULL THEN HEX(t."raw") END)
            ELSE quote(t."raw")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) AS line
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND recce_hex(
        SUBSTRING(
          recce_md5(
            COALESCE(
              REPLACE(
                REPLACE(
                  CASE
                    WHEN typeof(t."id") IN ('integer')
                    THEN CAST(t."id" AS TEXT)
                    ELSE recce_text(t."id")
                  END,
                  '~',
                  '~t'
                ),
                '|',
                '~p'
              ),
              '~N'
            ) || '|' || COALESCE(
              REPLACE(
                REPLACE(
                  CASE
                    WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
                    THEN CAST(t."order" AS TEXT)
                    ELSE quote(t."order")
                  END,
                  '~',
                  '~t'
                ),
                '|',
                '~p'
              ),
              '~N'
            )
          ),
          1,
          8
        )
      ) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
) AS t
WHERE
  t.b IN ('000');

-- rows of orders_current that may differ
SELECT
  t.line
FROM (
  SELECT
    SUBSTRING(
      recce_md5(
        COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."id") IN ('integer')
                THEN CAST(t."id" AS TEXT)
                ELSE recce_text(t."id")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
                THEN CAST(t."order" AS TEXT)
                ELSE quote(t."order")
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        )
      ),
      1,
      3
    ) AS b,
    COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."id") IN ('integer')
            THEN CAST(t."id" AS TEXT)
            ELSE recce_text(t."id")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
            THEN CAST(t."order" AS TEXT)
            ELSE quote(t."order")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."line") IN ('integer')
            THEN CAST(t."line" AS TEXT)
            ELSE recce_text(t."line")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."a ""quoted"" one") IN ('text', 'integer', 'real', 'null')
            THEN CAST(t."a ""quoted"" one" AS TEXT)
            ELSE quote(t."a ""quoted"" one")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."amount") IN ('integer')
            THEN CASE
              WHEN CAST(t."amount" AS TEXT) LIKE '%.%0'
              THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
              ELSE CAST(t."amount" AS TEXT)
            END
            ELSE recce_text(t."amount")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."rate") IN ('integer', 'real')
            THEN CASE
              WHEN CAST(t."rate" AS REAL) = 0
              THEN '0'
              WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
              AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
              THEN recce_scientific(CAST(t."rate" AS REAL))
              WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
              THEN 'nan'
              WHEN CAST(t."rate" AS REAL) < 0
              THEN '-inf'
              WHEN CAST(t."rate" AS REAL) > 0
              THEN 'inf'
            END
            ELSE recce_text(t."rate")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."day") IN ('text', 'integer', 'real', 'null')
            THEN REPLACE(CAST(t."day" AS TEXT), 'T', ' ')
            ELSE quote(t."day")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."at") IN ('text', 'integer', 'real', 'null')
            THEN CASE
              WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%0'
              THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
              ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
            END
            ELSE quote(t."at")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."is_it") IN ('integer', 'null')
            THEN CASE t."is_it" WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST(t."is_it" AS TEXT) END
            ELSE quote(t."is_it")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."doc") IN ('text', 'integer', 'real', 'null')
            THEN CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT)
            ELSE quote(t."doc")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."list") IN ('text', 'integer', 'real', 'null')
            THEN CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT)
            ELSE quote(t."list")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN typeof(t."raw") IN ('blob', 'null')
            THEN LOWER(CASE WHEN NOT t."raw" IS NULL THEN HEX(t."raw") END)
            ELSE quote(t."raw")
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) AS line
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND recce_hex(
        SUBSTRING(
          recce_md5(
            COALESCE(
              REPLACE(
                REPLACE(
                  CASE
                    WHEN typeof(t."id") IN ('integer')
                    THEN CAST(t."id" AS TEXT)
                    ELSE recce_text(t."id")
                  END,
                  '~',
                  '~t'
                ),
                '|',
                '~p'
              ),
              '~N'
            ) || '|' || COALESCE(
              REPLACE(
                REPLACE(
                  CASE
                    WHEN typeof(t."order") IN ('text', 'integer', 'real', 'null')
                    THEN CAST(t."order" AS TEXT)
                    ELSE quote(t."order")
                  END,
                  '~',
                  '~t'
                ),
                '|',
                '~p'
              ),
              '~N'
            )
          ),
          1,
          8
        )
      ) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
) AS t
WHERE
  t.b IN ('000');
