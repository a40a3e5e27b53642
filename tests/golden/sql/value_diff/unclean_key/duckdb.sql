-- key of orders_base
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS BIGINT) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS BIGINT) AS n_not_null,
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
  CAST(COALESCE(SUM(g.n), 0) AS BIGINT) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS BIGINT) AS n_not_null,
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
  CAST(COALESCE(SUM(CASE WHEN a.n > 1 OR b.n > 1 THEN a.n END), 0) AS BIGINT) AS base_rows,
  COUNT(CASE WHEN b.n > 1 THEN 1 END) AS current_keys,
  CAST(COALESCE(SUM(CASE WHEN a.n > 1 OR b.n > 1 THEN b.n END), 0) AS BIGINT) AS current_rows
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
    CAST((
      CAST(a.k0 AS TEXT) || '|' || CAST(a.k1 AS TEXT)
    ) AS TEXT) COLLATE "C" AS token,
    a.k0 = b.k0 AND a.c0 IS DISTINCT FROM b.c0 AS d0,
    a.c0 IS NULL AS e0,
    b.c0 IS NULL AS f0,
    CASE
      WHEN a.c0 BETWEEN -1e290 AND 1e290 AND b.c0 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(b.c0 AS DOUBLE) - CAST(a.c0 AS DOUBLE)
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
            WHEN CAST(b.c0 AS DOUBLE) BETWEEN -1 AND 1
            THEN CAST('0' AS DOUBLE)
            ELSE CAST(b.c0 AS DOUBLE) * CAST('5.421010862427522e-20' AS DOUBLE)
          END
        ) - (
          CASE
            WHEN CAST(a.c0 AS DOUBLE) BETWEEN -1 AND 1
            THEN CAST('0' AS DOUBLE)
            ELSE CAST(a.c0 AS DOUBLE) * CAST('5.421010862427522e-20' AS DOUBLE)
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
    a.k0 IS NULL OR b.k0 IS NULL OR a.c0 IS DISTINCT FROM b.c0
) AS d;

-- examples of orders
SELECT
  a.k0 AS key_0,
  a.k1 AS key_1,
  a.c0 IS DISTINCT FROM b.c0 AS d0,
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
  a.k0 ASC,
  a.k1 ASC;
