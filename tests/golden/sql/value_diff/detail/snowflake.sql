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
  TO_VARCHAR(d.base_5, 'YYYY-MM-DD') AS base_5,
  TO_VARCHAR(CONVERT_TIMEZONE('UTC', d.base_6), 'YYYY-MM-DD HH24:MI:SS.FF6') AS base_6,
  d.base_7 AS base_7,
  d.base_8 AS base_8,
  d.base_9 AS base_9,
  d.base_10 AS base_10,
  d.current_0 AS current_0,
  d.current_1 AS current_1,
  d.current_2 AS current_2,
  d.current_3 AS current_3,
  d.current_4 AS current_4,
  TO_VARCHAR(d.current_5, 'YYYY-MM-DD') AS current_5,
  TO_VARCHAR(CONVERT_TIMEZONE('UTC', d.current_6), 'YYYY-MM-DD HH24:MI:SS.FF6') AS current_6,
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
      COLLATE(t."order", '') AS c1,
      COLLATE(t."a ""quoted"" one", '') AS c2,
      t."amount" AS c3,
      t."rate" AS c4,
      t."day" AS c5,
      t."at" AS c6,
      t."is_it" AS c7,
      TO_JSON(t."doc") AS c8,
      TO_JSON(t."list") AS c9,
      t."raw" AS c10,
      t."doc" AS r8,
      t."list" AS r9
    FROM orders_base AS t
  ) AS a
  FULL OUTER JOIN (
    SELECT
      t."id" AS k0,
      t."line" AS c0,
      COLLATE(t."order", '') AS c1,
      COLLATE(t."a ""quoted"" one", '') AS c2,
      t."amount" AS c3,
      t."rate" AS c4,
      t."day" AS c5,
      t."at" AS c6,
      t."is_it" AS c7,
      TO_JSON(t."doc") AS c8,
      TO_JSON(t."list") AS c9,
      t."raw" AS c10,
      t."doc" AS r8,
      t."list" AS r9
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
) AS d
ORDER BY
  d.k0 ASC
LIMIT 6;
