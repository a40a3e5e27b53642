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
      CAST(t.`order` AS CHAR) AS k1
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
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~')
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
      CAST(t.`order` AS CHAR) AS k1
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
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~')
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
  MIN(CASE WHEN d.d6 THEN d.token END) AS first_token_6,
  MAX(CASE WHEN d.d6 THEN d.token END) AS last_token_6
FROM (
  SELECT
    recce_joined.a_k0 IS NULL AS is_added,
    recce_joined.b_k0 IS NULL AS is_removed,
    CAST((
      CONCAT(CAST(recce_joined.a_k0 AS CHAR), '|', recce_joined.a_k1)
    ) AS CHAR) AS token,
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
    AND NOT recce_joined.a_c6 <=> recce_joined.b_c6 AS d6,
    recce_joined.a_c6 IS NULL AS e6,
    recce_joined.b_c6 IS NULL AS f6
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
        CAST(t.`order` AS CHAR) AS k1,
        t.`line` AS c0,
        CAST(LOWER(TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS CHAR))) AS CHAR) AS c1,
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
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~')
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
        CAST(t.`order` AS CHAR) AS k1,
        t.`line` AS c0,
        CAST(LOWER(TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS CHAR))) AS CHAR) AS c1,
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
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~')
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
        CAST(t.`order` AS CHAR) AS k1,
        t.`line` AS c0,
        CAST(LOWER(TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS CHAR))) AS CHAR) AS c1,
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
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~')
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
        CAST(t.`order` AS CHAR) AS k1,
        t.`line` AS c0,
        CAST(LOWER(TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS CHAR))) AS CHAR) AS c1,
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
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~')
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
    OR NOT recce_joined.a_c6 <=> recce_joined.b_c6
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
    NOT a.c6 <=> b.c6 AS d6,
    a.c6 AS base_6,
    b.c6 AS current_6,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c0 <=> b.c0
      AND NOT COALESCE(
        ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) <= 0
        OR ABS(CAST(b.c0 AS DECIMAL(11, 0)) - CAST(a.c0 AS DECIMAL(11, 0))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c0 AS DECIMAL(11, 0))), ABS(CAST(b.c0 AS DECIMAL(11, 0)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) ASC
    ) AS n0,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c1 <=> b.c1
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) ASC
    ) AS n1,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c2 <=> b.c2
      AND NOT COALESCE(
        ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) <= 0.01
        OR ABS(CAST(b.c2 AS DECIMAL(13, 2)) - CAST(a.c2 AS DECIMAL(13, 2))) * CAST(1000000 AS DECIMAL(7, 0)) <= GREATEST(ABS(CAST(a.c2 AS DECIMAL(13, 2))), ABS(CAST(b.c2 AS DECIMAL(13, 2)))) * CAST(1 AS DECIMAL(7, 0)),
        FALSE
      )
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) ASC
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
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) ASC
    ) AS n3,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c4 <=> b.c4
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) ASC
    ) AS n4,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c5 <=> b.c5
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) ASC
    ) AS n5,
    ROW_NUMBER() OVER (
      PARTITION BY NOT a.c6 <=> b.c6
      ORDER BY CASE WHEN a.k0 IS NULL THEN 1 ELSE 0 END, a.k0 ASC, CASE WHEN CAST(a.k1 AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(a.k1 AS CHAR) ASC
    ) AS n6
  FROM (
    SELECT
      t.`id` AS k0,
      CAST(t.`order` AS CHAR) AS k1,
      t.`line` AS c0,
      CAST(LOWER(TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS CHAR))) AS CHAR) AS c1,
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
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~')
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
      CAST(t.`order` AS CHAR) AS k1,
      t.`line` AS c0,
      CAST(LOWER(TRIM(TRAILING ' ' FROM CAST(t.`a "quoted" one` AS CHAR))) AS CHAR) AS c1,
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
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~')
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
    OR NOT a.c6 <=> b.c6
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
  CASE WHEN CAST(d.k1 AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(d.k1 AS CHAR) ASC;
