-- current: range of 6 columns of orders
SELECT
  b.base_c0_min,
  b.base_c0_max,
  b.base_c0_count,
  b.base_c1_min,
  b.base_c1_max,
  b.base_c1_count,
  b.base_c2_min,
  b.base_c2_max,
  b.base_c2_count,
  b.base_c3_min,
  b.base_c3_max,
  b.base_c3_count,
  b.base_c4_min,
  b.base_c4_max,
  b.base_c4_count,
  b.base_c5_min,
  b.base_c5_max,
  b.base_c5_count,
  c.current_c0_min,
  c.current_c0_max,
  c.current_c0_count,
  c.current_c1_min,
  c.current_c1_max,
  c.current_c1_count,
  c.current_c2_min,
  c.current_c2_max,
  c.current_c2_count,
  c.current_c3_min,
  c.current_c3_max,
  c.current_c3_count,
  c.current_c4_min,
  c.current_c4_max,
  c.current_c4_count,
  c.current_c5_min,
  c.current_c5_max,
  c.current_c5_count
FROM (
  SELECT
    MIN(CASE WHEN typeof(t."id") IN ('integer', 'real') THEN t."id" END) AS base_c0_min,
    MAX(CASE WHEN typeof(t."id") IN ('integer', 'real') THEN t."id" END) AS base_c0_max,
    COUNT(t."id") AS base_c0_count,
    MIN(CASE WHEN typeof(t."amount") IN ('integer', 'real') THEN t."amount" END) AS base_c1_min,
    MAX(CASE WHEN typeof(t."amount") IN ('integer', 'real') THEN t."amount" END) AS base_c1_max,
    COUNT(t."amount") AS base_c1_count,
    MIN(
      CASE
        WHEN typeof(t."ratio") IN ('integer', 'real')
        AND (
          CAST(t."ratio" AS REAL) <= 1.7976931348623157e308
          AND CAST(t."ratio" AS REAL) >= -1.7976931348623157e308
        )
        THEN CAST(t."ratio" AS REAL)
      END
    ) AS base_c2_min,
    MAX(
      CASE
        WHEN typeof(t."ratio") IN ('integer', 'real')
        AND (
          CAST(t."ratio" AS REAL) <= 1.7976931348623157e308
          AND CAST(t."ratio" AS REAL) >= -1.7976931348623157e308
        )
        THEN CAST(t."ratio" AS REAL)
      END
    ) AS base_c2_max,
    COUNT(t."ratio") AS base_c2_count,
    REPLACE(
      CAST(MIN(
        CASE
          WHEN (
            REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') >= '0001-01-01'
            AND REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') <= '9999-12-31'
          )
          AND REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') LIKE '____-__-__%'
          AND NOT datetime(SUBSTRING(REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' '), 1, 19)) IS NULL
          THEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ')
        END
      ) AS TEXT),
      'T',
      ' '
    ) AS base_c3_min,
    REPLACE(
      CAST(MAX(
        CASE
          WHEN (
            REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') >= '0001-01-01'
            AND REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') <= '9999-12-31'
          )
          AND REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') LIKE '____-__-__%'
          AND NOT datetime(SUBSTRING(REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' '), 1, 19)) IS NULL
          THEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ')
        END
      ) AS TEXT),
      'T',
      ' '
    ) AS base_c3_max,
    COUNT(t."ordered_on") AS base_c3_count,
    REPLACE(
      CAST(MIN(
        CASE
          WHEN (
            REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') >= '0001-01-01'
            AND REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') <= '9999-12-31 23:59:59.999999'
          )
          AND REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') LIKE '____-__-__%'
          AND NOT datetime(SUBSTRING(REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' '), 1, 19)) IS NULL
          THEN REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ')
        END
      ) AS TEXT),
      'T',
      ' '
    ) AS base_c4_min,
    REPLACE(
      CAST(MAX(
        CASE
          WHEN (
            REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') >= '0001-01-01'
            AND REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') <= '9999-12-31 23:59:59.999999'
          )
          AND REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') LIKE '____-__-__%'
          AND NOT datetime(SUBSTRING(REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' '), 1, 19)) IS NULL
          THEN REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ')
        END
      ) AS TEXT),
      'T',
      ' '
    ) AS base_c4_max,
    COUNT(t."shipped_at") AS base_c4_count,
    MIN(CASE WHEN typeof(t."a""b") IN ('integer', 'real') THEN t."a""b" END) AS base_c5_min,
    MAX(CASE WHEN typeof(t."a""b") IN ('integer', 'real') THEN t."a""b" END) AS base_c5_max,
    COUNT(t."a""b") AS base_c5_count
  FROM "prod"."orders" AS t
) AS b
CROSS JOIN (
  SELECT
    MIN(CASE WHEN typeof(t."id") IN ('integer', 'real') THEN t."id" END) AS current_c0_min,
    MAX(CASE WHEN typeof(t."id") IN ('integer', 'real') THEN t."id" END) AS current_c0_max,
    COUNT(t."id") AS current_c0_count,
    MIN(CASE WHEN typeof(t."amount") IN ('integer', 'real') THEN t."amount" END) AS current_c1_min,
    MAX(CASE WHEN typeof(t."amount") IN ('integer', 'real') THEN t."amount" END) AS current_c1_max,
    COUNT(t."amount") AS current_c1_count,
    MIN(
      CASE
        WHEN typeof(t."ratio") IN ('integer', 'real')
        AND (
          CAST(t."ratio" AS REAL) <= 1.7976931348623157e308
          AND CAST(t."ratio" AS REAL) >= -1.7976931348623157e308
        )
        THEN CAST(t."ratio" AS REAL)
      END
    ) AS current_c2_min,
    MAX(
      CASE
        WHEN typeof(t."ratio") IN ('integer', 'real')
        AND (
          CAST(t."ratio" AS REAL) <= 1.7976931348623157e308
          AND CAST(t."ratio" AS REAL) >= -1.7976931348623157e308
        )
        THEN CAST(t."ratio" AS REAL)
      END
    ) AS current_c2_max,
    COUNT(t."ratio") AS current_c2_count,
    REPLACE(
      CAST(MIN(
        CASE
          WHEN (
            REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') >= '0001-01-01'
            AND REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') <= '9999-12-31'
          )
          AND REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') LIKE '____-__-__%'
          AND NOT datetime(SUBSTRING(REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' '), 1, 19)) IS NULL
          THEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ')
        END
      ) AS TEXT),
      'T',
      ' '
    ) AS current_c3_min,
    REPLACE(
      CAST(MAX(
        CASE
          WHEN (
            REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') >= '0001-01-01'
            AND REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') <= '9999-12-31'
          )
          AND REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') LIKE '____-__-__%'
          AND NOT datetime(SUBSTRING(REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' '), 1, 19)) IS NULL
          THEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ')
        END
      ) AS TEXT),
      'T',
      ' '
    ) AS current_c3_max,
    COUNT(t."ordered_on") AS current_c3_count,
    REPLACE(
      CAST(MIN(
        CASE
          WHEN (
            REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') >= '0001-01-01'
            AND REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') <= '9999-12-31 23:59:59.999999'
          )
          AND REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') LIKE '____-__-__%'
          AND NOT datetime(SUBSTRING(REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' '), 1, 19)) IS NULL
          THEN REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ')
        END
      ) AS TEXT),
      'T',
      ' '
    ) AS current_c4_min,
    REPLACE(
      CAST(MAX(
        CASE
          WHEN (
            REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') >= '0001-01-01'
            AND REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') <= '9999-12-31 23:59:59.999999'
          )
          AND REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') LIKE '____-__-__%'
          AND NOT datetime(SUBSTRING(REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' '), 1, 19)) IS NULL
          THEN REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ')
        END
      ) AS TEXT),
      'T',
      ' '
    ) AS current_c4_max,
    COUNT(t."shipped_at") AS current_c4_count,
    MIN(CASE WHEN typeof(t."a""b") IN ('integer', 'real') THEN t."a""b" END) AS current_c5_min,
    MAX(CASE WHEN typeof(t."a""b") IN ('integer', 'real') THEN t."a""b" END) AS current_c5_max,
    COUNT(t."a""b") AS current_c5_count
  FROM "pr_42"."orders" AS t
) AS c;

-- current: histogram of 6 columns of orders
WITH recce_rows AS (
  SELECT
    0 AS side,
    CASE
      WHEN t."id" IS NULL
      THEN -2
      WHEN NOT typeof(t."id") IN ('integer', 'real')
      THEN -1
      ELSE CASE
        WHEN t."id" < 40
        THEN CASE WHEN t."id" < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t."id" < 60 THEN 2 ELSE CASE WHEN t."id" < 80 THEN 3 ELSE 4 END END
      END
    END AS c0,
    CASE
      WHEN t."amount" IS NULL
      THEN -2
      WHEN NOT typeof(t."amount") IN ('integer', 'real')
      THEN -1
      ELSE CASE
        WHEN t."amount" < 40
        THEN CASE WHEN t."amount" < 20 THEN 0 ELSE 1 END
        ELSE CASE
          WHEN t."amount" < 60
          THEN 2
          ELSE CASE WHEN t."amount" < 80 THEN 3 ELSE 4 END
        END
      END
    END AS c1,
    CASE
      WHEN t."ratio" IS NULL
      THEN -2
      WHEN NOT (
        typeof(t."ratio") IN ('integer', 'real')
        AND (
          CAST(t."ratio" AS REAL) <= 1.7976931348623157e308
          AND CAST(t."ratio" AS REAL) >= -1.7976931348623157e308
        )
      )
      THEN -1
      ELSE CASE
        WHEN CAST(t."ratio" AS REAL) < CAST('40.0' AS REAL)
        THEN CASE WHEN CAST(t."ratio" AS REAL) < CAST('20.0' AS REAL) THEN 0 ELSE 1 END
        ELSE CASE
          WHEN CAST(t."ratio" AS REAL) < CAST('60.0' AS REAL)
          THEN 2
          ELSE CASE WHEN CAST(t."ratio" AS REAL) < CAST('80.0' AS REAL) THEN 3 ELSE 4 END
        END
      END
    END AS c2,
    CASE
      WHEN t."ordered_on" IS NULL
      THEN -2
      WHEN NOT (
        (
          REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') >= '0001-01-01'
          AND REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') <= '9999-12-31'
        )
        AND REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') LIKE '____-__-__%'
        AND NOT datetime(SUBSTRING(REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' '), 1, 19)) IS NULL
      )
      THEN -1
      ELSE CASE
        WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-07-01'
        THEN CASE
          WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-04-01'
          THEN CASE
            WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-02-01'
            THEN 0
            ELSE CASE
              WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-03-01'
              THEN 1
              ELSE 2
            END
          END
          ELSE CASE
            WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-05-01'
            THEN 3
            ELSE CASE
              WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-06-01'
              THEN 4
              ELSE 5
            END
          END
        END
        ELSE CASE
          WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-10-01'
          THEN CASE
            WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-08-01'
            THEN 6
            ELSE CASE
              WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-09-01'
              THEN 7
              ELSE 8
            END
          END
          ELSE CASE
            WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-11-01'
            THEN 9
            ELSE CASE
              WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-12-01'
              THEN 10
              ELSE 11
            END
          END
        END
      END
    END AS c3,
    CASE
      WHEN t."shipped_at" IS NULL
      THEN -2
      WHEN NOT (
        (
          REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') >= '0001-01-01'
          AND REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') <= '9999-12-31 23:59:59.999999'
        )
        AND REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') LIKE '____-__-__%'
        AND NOT datetime(SUBSTRING(REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' '), 1, 19)) IS NULL
      )
      THEN -1
      ELSE CASE
        WHEN REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') < '2000-01-01 12:00:00'
        THEN CASE
          WHEN REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') < '2000-01-01 06:00:00'
          THEN 0
          ELSE 1
        END
        ELSE CASE
          WHEN REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') < '2000-01-01 18:00:00'
          THEN 2
          ELSE CASE
            WHEN REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') < '2000-01-02'
            THEN 3
            ELSE 4
          END
        END
      END
    END AS c4,
    CASE
      WHEN t."a""b" IS NULL
      THEN -2
      WHEN NOT typeof(t."a""b") IN ('integer', 'real')
      THEN -1
      ELSE CASE
        WHEN t."a""b" < 40
        THEN CASE WHEN t."a""b" < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t."a""b" < 60 THEN 2 ELSE CASE WHEN t."a""b" < 80 THEN 3 ELSE 4 END END
      END
    END AS c5
  FROM "prod"."orders" AS t
  UNION ALL
  SELECT
    1 AS side,
    CASE
      WHEN t."id" IS NULL
      THEN -2
      WHEN NOT typeof(t."id") IN ('integer', 'real')
      THEN -1
      ELSE CASE
        WHEN t."id" < 40
        THEN CASE WHEN t."id" < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t."id" < 60 THEN 2 ELSE CASE WHEN t."id" < 80 THEN 3 ELSE 4 END END
      END
    END AS c0,
    CASE
      WHEN t."amount" IS NULL
      THEN -2
      WHEN NOT typeof(t."amount") IN ('integer', 'real')
      THEN -1
      ELSE CASE
        WHEN t."amount" < 40
        THEN CASE WHEN t."amount" < 20 THEN 0 ELSE 1 END
        ELSE CASE
          WHEN t."amount" < 60
          THEN 2
          ELSE CASE WHEN t."amount" < 80 THEN 3 ELSE 4 END
        END
      END
    END AS c1,
    CASE
      WHEN t."ratio" IS NULL
      THEN -2
      WHEN NOT (
        typeof(t."ratio") IN ('integer', 'real')
        AND (
          CAST(t."ratio" AS REAL) <= 1.7976931348623157e308
          AND CAST(t."ratio" AS REAL) >= -1.7976931348623157e308
        )
      )
      THEN -1
      ELSE CASE
        WHEN CAST(t."ratio" AS REAL) < CAST('40.0' AS REAL)
        THEN CASE WHEN CAST(t."ratio" AS REAL) < CAST('20.0' AS REAL) THEN 0 ELSE 1 END
        ELSE CASE
          WHEN CAST(t."ratio" AS REAL) < CAST('60.0' AS REAL)
          THEN 2
          ELSE CASE WHEN CAST(t."ratio" AS REAL) < CAST('80.0' AS REAL) THEN 3 ELSE 4 END
        END
      END
    END AS c2,
    CASE
      WHEN t."ordered_on" IS NULL
      THEN -2
      WHEN NOT (
        (
          REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') >= '0001-01-01'
          AND REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') <= '9999-12-31'
        )
        AND REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') LIKE '____-__-__%'
        AND NOT datetime(SUBSTRING(REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' '), 1, 19)) IS NULL
      )
      THEN -1
      ELSE CASE
        WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-07-01'
        THEN CASE
          WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-04-01'
          THEN CASE
            WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-02-01'
            THEN 0
            ELSE CASE
              WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-03-01'
              THEN 1
              ELSE 2
            END
          END
          ELSE CASE
            WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-05-01'
            THEN 3
            ELSE CASE
              WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-06-01'
              THEN 4
              ELSE 5
            END
          END
        END
        ELSE CASE
          WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-10-01'
          THEN CASE
            WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-08-01'
            THEN 6
            ELSE CASE
              WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-09-01'
              THEN 7
              ELSE 8
            END
          END
          ELSE CASE
            WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-11-01'
            THEN 9
            ELSE CASE
              WHEN REPLACE(CAST(t."ordered_on" AS TEXT), 'T', ' ') < '2000-12-01'
              THEN 10
              ELSE 11
            END
          END
        END
      END
    END AS c3,
    CASE
      WHEN t."shipped_at" IS NULL
      THEN -2
      WHEN NOT (
        (
          REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') >= '0001-01-01'
          AND REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') <= '9999-12-31 23:59:59.999999'
        )
        AND REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') LIKE '____-__-__%'
        AND NOT datetime(SUBSTRING(REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' '), 1, 19)) IS NULL
      )
      THEN -1
      ELSE CASE
        WHEN REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') < '2000-01-01 12:00:00'
        THEN CASE
          WHEN REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') < '2000-01-01 06:00:00'
          THEN 0
          ELSE 1
        END
        ELSE CASE
          WHEN REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') < '2000-01-01 18:00:00'
          THEN 2
          ELSE CASE
            WHEN REPLACE(CAST(t."shipped_at" AS TEXT), 'T', ' ') < '2000-01-02'
            THEN 3
            ELSE 4
          END
        END
      END
    END AS c4,
    CASE
      WHEN t."a""b" IS NULL
      THEN -2
      WHEN NOT typeof(t."a""b") IN ('integer', 'real')
      THEN -1
      ELSE CASE
        WHEN t."a""b" < 40
        THEN CASE WHEN t."a""b" < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t."a""b" < 60 THEN 2 ELSE CASE WHEN t."a""b" < 80 THEN 3 ELSE 4 END END
      END
    END AS c5
  FROM "pr_42"."orders" AS t
)
SELECT
  r.side,
  r.c0,
  NULL AS c1,
  NULL AS c2,
  NULL AS c3,
  NULL AS c4,
  NULL AS c5,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c0
UNION ALL
SELECT
  r.side,
  NULL AS c0,
  r.c1,
  NULL AS c2,
  NULL AS c3,
  NULL AS c4,
  NULL AS c5,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c1
UNION ALL
SELECT
  r.side,
  NULL AS c0,
  NULL AS c1,
  r.c2,
  NULL AS c3,
  NULL AS c4,
  NULL AS c5,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c2
UNION ALL
SELECT
  r.side,
  NULL AS c0,
  NULL AS c1,
  NULL AS c2,
  r.c3,
  NULL AS c4,
  NULL AS c5,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c3
UNION ALL
SELECT
  r.side,
  NULL AS c0,
  NULL AS c1,
  NULL AS c2,
  NULL AS c3,
  r.c4,
  NULL AS c5,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c4
UNION ALL
SELECT
  r.side,
  NULL AS c0,
  NULL AS c1,
  NULL AS c2,
  NULL AS c3,
  NULL AS c4,
  r.c5,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c5;
