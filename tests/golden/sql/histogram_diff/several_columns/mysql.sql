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
    MIN(t.`id`) AS base_c0_min,
    MAX(t.`id`) AS base_c0_max,
    COUNT(t.`id`) AS base_c0_count,
    MIN(t.`amount`) AS base_c1_min,
    MAX(t.`amount`) AS base_c1_max,
    COUNT(t.`amount`) AS base_c1_count,
    MIN(CAST(t.`ratio` AS DOUBLE)) AS base_c2_min,
    MAX(CAST(t.`ratio` AS DOUBLE)) AS base_c2_max,
    COUNT(t.`ratio`) AS base_c2_count,
    CAST(MIN(
      CASE
        WHEN YEAR(t.`ordered_on`) > 0 AND MONTH(t.`ordered_on`) > 0 AND DAY(t.`ordered_on`) > 0
        THEN t.`ordered_on`
      END
    ) AS CHAR) AS base_c3_min,
    CAST(MAX(
      CASE
        WHEN YEAR(t.`ordered_on`) > 0 AND MONTH(t.`ordered_on`) > 0 AND DAY(t.`ordered_on`) > 0
        THEN t.`ordered_on`
      END
    ) AS CHAR) AS base_c3_max,
    COUNT(t.`ordered_on`) AS base_c3_count,
    CAST(MIN(
      CASE
        WHEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
        AND (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) <= CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))
        THEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        )
      END
    ) AS CHAR) AS base_c4_min,
    CAST(MAX(
      CASE
        WHEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
        AND (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) <= CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))
        THEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        )
      END
    ) AS CHAR) AS base_c4_max,
    COUNT(
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
      )
    ) AS base_c4_count,
    MIN(t.`a"b`) AS base_c5_min,
    MAX(t.`a"b`) AS base_c5_max,
    COUNT(t.`a"b`) AS base_c5_count
  FROM `prod`.`orders` AS t
) AS b
CROSS JOIN (
  SELECT
    MIN(t.`id`) AS current_c0_min,
    MAX(t.`id`) AS current_c0_max,
    COUNT(t.`id`) AS current_c0_count,
    MIN(t.`amount`) AS current_c1_min,
    MAX(t.`amount`) AS current_c1_max,
    COUNT(t.`amount`) AS current_c1_count,
    MIN(CAST(t.`ratio` AS DOUBLE)) AS current_c2_min,
    MAX(CAST(t.`ratio` AS DOUBLE)) AS current_c2_max,
    COUNT(t.`ratio`) AS current_c2_count,
    CAST(MIN(
      CASE
        WHEN YEAR(t.`ordered_on`) > 0 AND MONTH(t.`ordered_on`) > 0 AND DAY(t.`ordered_on`) > 0
        THEN t.`ordered_on`
      END
    ) AS CHAR) AS current_c3_min,
    CAST(MAX(
      CASE
        WHEN YEAR(t.`ordered_on`) > 0 AND MONTH(t.`ordered_on`) > 0 AND DAY(t.`ordered_on`) > 0
        THEN t.`ordered_on`
      END
    ) AS CHAR) AS current_c3_max,
    COUNT(t.`ordered_on`) AS current_c3_count,
    CAST(MIN(
      CASE
        WHEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
        AND (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) <= CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))
        THEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        )
      END
    ) AS CHAR) AS current_c4_min,
    CAST(MAX(
      CASE
        WHEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
        AND (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) <= CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))
        THEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        )
      END
    ) AS CHAR) AS current_c4_max,
    COUNT(
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
      )
    ) AS current_c4_count,
    MIN(t.`a"b`) AS current_c5_min,
    MAX(t.`a"b`) AS current_c5_max,
    COUNT(t.`a"b`) AS current_c5_count
  FROM `pr_42`.`orders` AS t
) AS c;

-- current: histogram of 6 columns of orders
WITH recce_rows AS (
  SELECT
    0 AS side,
    CASE
      WHEN t.`id` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`id` < 40
        THEN CASE WHEN t.`id` < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t.`id` < 60 THEN 2 ELSE CASE WHEN t.`id` < 80 THEN 3 ELSE 4 END END
      END
    END AS c0,
    CASE
      WHEN t.`amount` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`amount` < 40
        THEN CASE WHEN t.`amount` < 20 THEN 0 ELSE 1 END
        ELSE CASE
          WHEN t.`amount` < 60
          THEN 2
          ELSE CASE WHEN t.`amount` < 80 THEN 3 ELSE 4 END
        END
      END
    END AS c1,
    CASE
      WHEN t.`ratio` IS NULL
      THEN -2
      ELSE CASE
        WHEN CAST(t.`ratio` AS DOUBLE) < CAST('40.0' AS DOUBLE)
        THEN CASE WHEN CAST(t.`ratio` AS DOUBLE) < CAST('20.0' AS DOUBLE) THEN 0 ELSE 1 END
        ELSE CASE
          WHEN CAST(t.`ratio` AS DOUBLE) < CAST('60.0' AS DOUBLE)
          THEN 2
          ELSE CASE WHEN CAST(t.`ratio` AS DOUBLE) < CAST('80.0' AS DOUBLE) THEN 3 ELSE 4 END
        END
      END
    END AS c2,
    CASE
      WHEN t.`ordered_on` IS NULL
      THEN -2
      WHEN NOT (
        YEAR(t.`ordered_on`) > 0 AND MONTH(t.`ordered_on`) > 0 AND DAY(t.`ordered_on`) > 0
      )
      THEN -1
      ELSE CASE
        WHEN t.`ordered_on` < CAST('2000-07-01' AS DATE)
        THEN CASE
          WHEN t.`ordered_on` < CAST('2000-04-01' AS DATE)
          THEN CASE
            WHEN t.`ordered_on` < CAST('2000-02-01' AS DATE)
            THEN 0
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-03-01' AS DATE) THEN 1 ELSE 2 END
          END
          ELSE CASE
            WHEN t.`ordered_on` < CAST('2000-05-01' AS DATE)
            THEN 3
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-06-01' AS DATE) THEN 4 ELSE 5 END
          END
        END
        ELSE CASE
          WHEN t.`ordered_on` < CAST('2000-10-01' AS DATE)
          THEN CASE
            WHEN t.`ordered_on` < CAST('2000-08-01' AS DATE)
            THEN 6
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-09-01' AS DATE) THEN 7 ELSE 8 END
          END
          ELSE CASE
            WHEN t.`ordered_on` < CAST('2000-11-01' AS DATE)
            THEN 9
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-12-01' AS DATE) THEN 10 ELSE 11 END
          END
        END
      END
    END AS c3,
    CASE
      WHEN (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
      ) IS NULL
      THEN -2
      WHEN NOT (
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
        AND (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) <= CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))
      )
      THEN -1
      ELSE CASE
        WHEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) < CAST('2000-01-01 12:00:00.000000' AS DATETIME(6))
        THEN CASE
          WHEN (
            CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
          ) < CAST('2000-01-01 06:00:00.000000' AS DATETIME(6))
          THEN 0
          ELSE 1
        END
        ELSE CASE
          WHEN (
            CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
          ) < CAST('2000-01-01 18:00:00.000000' AS DATETIME(6))
          THEN 2
          ELSE CASE
            WHEN (
              CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
            ) < CAST('2000-01-02 00:00:00.000000' AS DATETIME(6))
            THEN 3
            ELSE 4
          END
        END
      END
    END AS c4,
    CASE
      WHEN t.`a"b` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`a"b` < 40
        THEN CASE WHEN t.`a"b` < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t.`a"b` < 60 THEN 2 ELSE CASE WHEN t.`a"b` < 80 THEN 3 ELSE 4 END END
      END
    END AS c5
  FROM `prod`.`orders` AS t
  UNION ALL
  SELECT
    1 AS side,
    CASE
      WHEN t.`id` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`id` < 40
        THEN CASE WHEN t.`id` < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t.`id` < 60 THEN 2 ELSE CASE WHEN t.`id` < 80 THEN 3 ELSE 4 END END
      END
    END AS c0,
    CASE
      WHEN t.`amount` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`amount` < 40
        THEN CASE WHEN t.`amount` < 20 THEN 0 ELSE 1 END
        ELSE CASE
          WHEN t.`amount` < 60
          THEN 2
          ELSE CASE WHEN t.`amount` < 80 THEN 3 ELSE 4 END
        END
      END
    END AS c1,
    CASE
      WHEN t.`ratio` IS NULL
      THEN -2
      ELSE CASE
        WHEN CAST(t.`ratio` AS DOUBLE) < CAST('40.0' AS DOUBLE)
        THEN CASE WHEN CAST(t.`ratio` AS DOUBLE) < CAST('20.0' AS DOUBLE) THEN 0 ELSE 1 END
        ELSE CASE
          WHEN CAST(t.`ratio` AS DOUBLE) < CAST('60.0' AS DOUBLE)
          THEN 2
          ELSE CASE WHEN CAST(t.`ratio` AS DOUBLE) < CAST('80.0' AS DOUBLE) THEN 3 ELSE 4 END
        END
      END
    END AS c2,
    CASE
      WHEN t.`ordered_on` IS NULL
      THEN -2
      WHEN NOT (
        YEAR(t.`ordered_on`) > 0 AND MONTH(t.`ordered_on`) > 0 AND DAY(t.`ordered_on`) > 0
      )
      THEN -1
      ELSE CASE
        WHEN t.`ordered_on` < CAST('2000-07-01' AS DATE)
        THEN CASE
          WHEN t.`ordered_on` < CAST('2000-04-01' AS DATE)
          THEN CASE
            WHEN t.`ordered_on` < CAST('2000-02-01' AS DATE)
            THEN 0
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-03-01' AS DATE) THEN 1 ELSE 2 END
          END
          ELSE CASE
            WHEN t.`ordered_on` < CAST('2000-05-01' AS DATE)
            THEN 3
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-06-01' AS DATE) THEN 4 ELSE 5 END
          END
        END
        ELSE CASE
          WHEN t.`ordered_on` < CAST('2000-10-01' AS DATE)
          THEN CASE
            WHEN t.`ordered_on` < CAST('2000-08-01' AS DATE)
            THEN 6
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-09-01' AS DATE) THEN 7 ELSE 8 END
          END
          ELSE CASE
            WHEN t.`ordered_on` < CAST('2000-11-01' AS DATE)
            THEN 9
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-12-01' AS DATE) THEN 10 ELSE 11 END
          END
        END
      END
    END AS c3,
    CASE
      WHEN (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
      ) IS NULL
      THEN -2
      WHEN NOT (
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
        AND (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) <= CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))
      )
      THEN -1
      ELSE CASE
        WHEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) < CAST('2000-01-01 12:00:00.000000' AS DATETIME(6))
        THEN CASE
          WHEN (
            CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
          ) < CAST('2000-01-01 06:00:00.000000' AS DATETIME(6))
          THEN 0
          ELSE 1
        END
        ELSE CASE
          WHEN (
            CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
          ) < CAST('2000-01-01 18:00:00.000000' AS DATETIME(6))
          THEN 2
          ELSE CASE
            WHEN (
              CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
            ) < CAST('2000-01-02 00:00:00.000000' AS DATETIME(6))
            THEN 3
            ELSE 4
          END
        END
      END
    END AS c4,
    CASE
      WHEN t.`a"b` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`a"b` < 40
        THEN CASE WHEN t.`a"b` < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t.`a"b` < 60 THEN 2 ELSE CASE WHEN t.`a"b` < 80 THEN 3 ELSE 4 END END
      END
    END AS c5
  FROM `pr_42`.`orders` AS t
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
