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
        COALESCE(CAST(t.`id` AS CHAR), '~N'),
        '|',
        COALESCE(CAST(t.`line` AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`amount` AS CHAR) LIKE '%.%'
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
            ) LIKE '%.%'
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
        COALESCE(CAST(t.`is_it` AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`doc` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`list` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
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
        COALESCE(CAST(t.`id` AS CHAR), '~N'),
        '|',
        COALESCE(CAST(t.`line` AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`amount` AS CHAR) LIKE '%.%'
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
            ) LIKE '%.%'
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
        COALESCE(CAST(t.`is_it` AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`doc` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`list` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
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
        COALESCE(CAST(t.`id` AS CHAR), '~N'),
        '|',
        COALESCE(CAST(t.`line` AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`amount` AS CHAR) LIKE '%.%'
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
            ) LIKE '%.%'
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
        COALESCE(CAST(t.`is_it` AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`doc` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`list` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
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
        COALESCE(CAST(t.`id` AS CHAR), '~N'),
        '|',
        COALESCE(CAST(t.`line` AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(
          CASE
            WHEN CAST(t.`amount` AS CHAR) LIKE '%.%'
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
            ) LIKE '%.%'
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
        COALESCE(CAST(t.`is_it` AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`doc` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`list` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
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
          COALESCE(CAST(t.`id` AS CHAR), '~N'),
          '|',
          COALESCE(CAST(t.`line` AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
          '|',
          COALESCE(
            CASE
              WHEN CAST(t.`amount` AS CHAR) LIKE '%.%'
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
              ) LIKE '%.%'
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
          COALESCE(CAST(t.`is_it` AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`doc` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`list` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
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
          COALESCE(CAST(t.`id` AS CHAR), '~N'),
          '|',
          COALESCE(CAST(t.`line` AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
          '|',
          COALESCE(
            CASE
              WHEN CAST(t.`amount` AS CHAR) LIKE '%.%'
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
              ) LIKE '%.%'
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
          COALESCE(CAST(t.`is_it` AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`doc` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`list` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
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
