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
