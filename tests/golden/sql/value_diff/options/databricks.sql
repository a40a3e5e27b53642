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
      t.`id` AS k0,
      CAST(t.`order` AS STRING) AS k1
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(
        xxhash64(t.`id`, t.`id` IS NULL, CAST(t.`order` AS STRING), CAST(t.`order` AS STRING) IS NULL) % 1000000
      ) < 100000
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
      t.`id` AS k0,
      CAST(t.`order` AS STRING) AS k1
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(
        xxhash64(t.`id`, t.`id` IS NULL, CAST(t.`order` AS STRING), CAST(t.`order` AS STRING) IS NULL) % 1000000
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
  MIN(CASE WHEN d.d6 THEN d.token END) AS first_token_6,
  MAX(CASE WHEN d.d6 THEN d.token END) AS last_token_6
FROM (
  SELECT
    a.k0 IS NULL AS is_added,
    b.k0 IS NULL AS is_removed,
    CAST((
      CAST(a.k0 AS STRING) || '|' || a.k1
    ) AS STRING) AS token,
    a.k0 = b.k0
    AND (
      a.c0 IS DISTINCT FROM b.c0
      AND NOT COALESCE(
        ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) <= 0
        OR ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c0 AS DECIMAL(11, 0))), ABS(CAST(b.c0 AS DECIMAL(11, 0)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    ) AS d0,
    a.c0 IS NULL AS e0,
    b.c0 IS NULL AS f0,
    (
      CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))
    ) AS x0,
    a.k0 = b.k0 AND a.c1 IS DISTINCT FROM b.c1 AS d1,
    a.c1 IS NULL AS e1,
    b.c1 IS NULL AS f1,
    a.k0 = b.k0
    AND (
      a.c2 IS DISTINCT FROM b.c2
      AND NOT COALESCE(
        ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) <= 0.01
        OR ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c2 AS DECIMAL(13, 2))), ABS(CAST(b.c2 AS DECIMAL(13, 2)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    ) AS d2,
    a.c2 IS NULL AS e2,
    b.c2 IS NULL AS f2,
    (
      CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))
    ) AS x2,
    a.k0 = b.k0
    AND (
      a.c3 IS DISTINCT FROM b.c3
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
    ) AS d3,
    a.c3 IS NULL AS e3,
    b.c3 IS NULL AS f3,
    CASE
      WHEN a.c3 BETWEEN -1e290 AND 1e290 AND b.c3 BETWEEN -1e290 AND 1e290
      THEN (
        CAST(b.c3 AS DOUBLE) - CAST(a.c3 AS DOUBLE)
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
            WHEN CAST(b.c3 AS DOUBLE) BETWEEN -1 AND 1
            THEN CAST('0' AS DOUBLE)
            ELSE CAST(b.c3 AS DOUBLE) * CAST('5.421010862427522e-20' AS DOUBLE)
          END
        ) - (
          CASE
            WHEN CAST(a.c3 AS DOUBLE) BETWEEN -1 AND 1
            THEN CAST('0' AS DOUBLE)
            ELSE CAST(a.c3 AS DOUBLE) * CAST('5.421010862427522e-20' AS DOUBLE)
          END
        )
      )
    END AS y3,
    a.k0 = b.k0 AND a.c4 IS DISTINCT FROM b.c4 AS d4,
    a.c4 IS NULL AS e4,
    b.c4 IS NULL AS f4,
    a.k0 = b.k0 AND a.c5 IS DISTINCT FROM b.c5 AS d5,
    a.c5 IS NULL AS e5,
    b.c5 IS NULL AS f5,
    a.k0 = b.k0 AND a.c6 IS DISTINCT FROM b.c6 AS d6,
    a.c6 IS NULL AS e6,
    b.c6 IS NULL AS f6
  FROM (
    SELECT
      t.`id` AS k0,
      CAST(t.`order` AS STRING) AS k1,
      t.`line` AS c0,
      CAST(LOWER(TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS STRING))) AS STRING) AS c1,
      t.`amount` AS c2,
      t.`rate` AS c3,
      t.`day` AS c4,
      DATE_TRUNC('SECOND', t.`at`) AS c5,
      t.`is_it` AS c6
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(
        xxhash64(t.`id`, t.`id` IS NULL, CAST(t.`order` AS STRING), CAST(t.`order` AS STRING) IS NULL) % 1000000
      ) < 100000
  ) AS a
  FULL OUTER JOIN (
    SELECT
      t.`id` AS k0,
      CAST(t.`order` AS STRING) AS k1,
      t.`line` AS c0,
      CAST(LOWER(TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS STRING))) AS STRING) AS c1,
      t.`amount` AS c2,
      t.`rate` AS c3,
      t.`day` AS c4,
      DATE_TRUNC('SECOND', t.`at`) AS c5,
      t.`is_it` AS c6
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(
        xxhash64(t.`id`, t.`id` IS NULL, CAST(t.`order` AS STRING), CAST(t.`order` AS STRING) IS NULL) % 1000000
      ) < 100000
  ) AS b
    ON a.k0 = b.k0 AND a.k1 = b.k1
  WHERE
    a.k0 IS NULL
    OR b.k0 IS NULL
    OR (
      a.c0 IS DISTINCT FROM b.c0
      AND NOT COALESCE(
        ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) <= 0
        OR ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c0 AS DECIMAL(11, 0))), ABS(CAST(b.c0 AS DECIMAL(11, 0)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    )
    OR a.c1 IS DISTINCT FROM b.c1
    OR (
      a.c2 IS DISTINCT FROM b.c2
      AND NOT COALESCE(
        ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) <= 0.01
        OR ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c2 AS DECIMAL(13, 2))), ABS(CAST(b.c2 AS DECIMAL(13, 2)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    )
    OR (
      a.c3 IS DISTINCT FROM b.c3
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
    OR a.c4 IS DISTINCT FROM b.c4
    OR a.c5 IS DISTINCT FROM b.c5
    OR a.c6 IS DISTINCT FROM b.c6
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
    a.c0 IS DISTINCT FROM b.c0
    AND NOT COALESCE(
      ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) <= 0
      OR ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c0 AS DECIMAL(11, 0))), ABS(CAST(b.c0 AS DECIMAL(11, 0)))) * CAST(1 AS DECIMAL(7, 0)),
      FALSE
    ) AS d0,
    a.c0 AS base_0,
    b.c0 AS current_0,
    a.c1 IS DISTINCT FROM b.c1 AS d1,
    a.r1 AS base_1,
    b.r1 AS current_1,
    a.c2 IS DISTINCT FROM b.c2
    AND NOT COALESCE(
      ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) <= 0.01
      OR ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c2 AS DECIMAL(13, 2))), ABS(CAST(b.c2 AS DECIMAL(13, 2)))) * CAST(1 AS DECIMAL(7, 0)),
      FALSE
    ) AS d2,
    a.c2 AS base_2,
    b.c2 AS current_2,
    a.c3 IS DISTINCT FROM b.c3
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
    a.c4 IS DISTINCT FROM b.c4 AS d4,
    CAST(a.c4 AS STRING) AS base_4,
    CAST(b.c4 AS STRING) AS current_4,
    a.c5 IS DISTINCT FROM b.c5 AS d5,
    CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(a.r5 AS TIMESTAMP_NTZ)) AS STRING) AS base_5,
    CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(b.r5 AS TIMESTAMP_NTZ)) AS STRING) AS current_5,
    a.c6 IS DISTINCT FROM b.c6 AS d6,
    a.c6 AS base_6,
    b.c6 AS current_6,
    ROW_NUMBER() OVER (
      PARTITION BY a.c0 IS DISTINCT FROM b.c0
      AND NOT COALESCE(
        ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) <= 0
        OR ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c0 AS DECIMAL(11, 0))), ABS(CAST(b.c0 AS DECIMAL(11, 0)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
      ORDER BY a.k0 ASC NULLS LAST, CAST(a.k1 AS STRING) ASC NULLS LAST
    ) AS n0,
    ROW_NUMBER() OVER (
      PARTITION BY a.c1 IS DISTINCT FROM b.c1
      ORDER BY a.k0 ASC NULLS LAST, CAST(a.k1 AS STRING) ASC NULLS LAST
    ) AS n1,
    ROW_NUMBER() OVER (
      PARTITION BY a.c2 IS DISTINCT FROM b.c2
      AND NOT COALESCE(
        ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) <= 0.01
        OR ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c2 AS DECIMAL(13, 2))), ABS(CAST(b.c2 AS DECIMAL(13, 2)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
      ORDER BY a.k0 ASC NULLS LAST, CAST(a.k1 AS STRING) ASC NULLS LAST
    ) AS n2,
    ROW_NUMBER() OVER (
      PARTITION BY a.c3 IS DISTINCT FROM b.c3
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
      ORDER BY a.k0 ASC NULLS LAST, CAST(a.k1 AS STRING) ASC NULLS LAST
    ) AS n3,
    ROW_NUMBER() OVER (
      PARTITION BY a.c4 IS DISTINCT FROM b.c4
      ORDER BY a.k0 ASC NULLS LAST, CAST(a.k1 AS STRING) ASC NULLS LAST
    ) AS n4,
    ROW_NUMBER() OVER (
      PARTITION BY a.c5 IS DISTINCT FROM b.c5
      ORDER BY a.k0 ASC NULLS LAST, CAST(a.k1 AS STRING) ASC NULLS LAST
    ) AS n5,
    ROW_NUMBER() OVER (
      PARTITION BY a.c6 IS DISTINCT FROM b.c6
      ORDER BY a.k0 ASC NULLS LAST, CAST(a.k1 AS STRING) ASC NULLS LAST
    ) AS n6
  FROM (
    SELECT
      t.`id` AS k0,
      CAST(t.`order` AS STRING) AS k1,
      t.`line` AS c0,
      CAST(LOWER(TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS STRING))) AS STRING) AS c1,
      t.`amount` AS c2,
      t.`rate` AS c3,
      t.`day` AS c4,
      DATE_TRUNC('SECOND', t.`at`) AS c5,
      t.`is_it` AS c6,
      t.`a "quoted" one` AS r1,
      t.`at` AS r5
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(
        xxhash64(t.`id`, t.`id` IS NULL, CAST(t.`order` AS STRING), CAST(t.`order` AS STRING) IS NULL) % 1000000
      ) < 100000
  ) AS a
  INNER JOIN (
    SELECT
      t.`id` AS k0,
      CAST(t.`order` AS STRING) AS k1,
      t.`line` AS c0,
      CAST(LOWER(TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS STRING))) AS STRING) AS c1,
      t.`amount` AS c2,
      t.`rate` AS c3,
      t.`day` AS c4,
      DATE_TRUNC('SECOND', t.`at`) AS c5,
      t.`is_it` AS c6,
      t.`a "quoted" one` AS r1,
      t.`at` AS r5
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0 -- of the user
        
      )
      AND ABS(
        xxhash64(t.`id`, t.`id` IS NULL, CAST(t.`order` AS STRING), CAST(t.`order` AS STRING) IS NULL) % 1000000
      ) < 100000
  ) AS b
    ON a.k0 = b.k0 AND a.k1 = b.k1
  WHERE
    (
      a.c0 IS DISTINCT FROM b.c0
      AND NOT COALESCE(
        ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) <= 0
        OR ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c0 AS DECIMAL(11, 0))), ABS(CAST(b.c0 AS DECIMAL(11, 0)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    )
    OR a.c1 IS DISTINCT FROM b.c1
    OR (
      a.c2 IS DISTINCT FROM b.c2
      AND NOT COALESCE(
        ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) <= 0.01
        OR ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c2 AS DECIMAL(13, 2))), ABS(CAST(b.c2 AS DECIMAL(13, 2)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
    )
    OR (
      a.c3 IS DISTINCT FROM b.c3
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
    OR a.c4 IS DISTINCT FROM b.c4
    OR a.c5 IS DISTINCT FROM b.c5
    OR a.c6 IS DISTINCT FROM b.c6
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
  CAST(d.k1 AS STRING) ASC NULLS LAST;
