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
    ) AS CHAR) AS token,
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
