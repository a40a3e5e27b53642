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
    FROM (
      SELECT
        *
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CAST(t.`id` AS CHAR), '~N'),
                '|',
                COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
              )
            ),
            1,
            8
          ),
          16,
          10
        ) AS SIGNED) % 1000000 < 5000
    ) AS t
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
    FROM (
      SELECT
        *
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CAST(t.`id` AS CHAR), '~N'),
                '|',
                COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
              )
            ),
            1,
            8
          ),
          16,
          10
        ) AS SIGNED) % 1000000 < 5000
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
  SUM(CAST(CONV(SUBSTRING(t.h, 4, 10), 16, 10) AS SIGNED)) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      MD5(
        CONCAT(
          COALESCE(CAST(t.`id` AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
        )
      ),
      1,
      3
    ) AS b,
    MD5(
      CONCAT(
        COALESCE(CAST(t.`id` AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(CAST(t.`line` AS CHAR), '~N'),
        '|',
        COALESCE(
          REPLACE(REPLACE(LOWER(CAST(t.`a "quoted" one` AS CHAR)), '~', '~t'), '|', '~p'),
          '~N'
        ),
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
    MD5(
      CONCAT(
        COALESCE(CAST(t.`id` AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
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
      AND CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CAST(t.`id` AS CHAR), '~N'),
              '|',
              COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
            )
          ),
          1,
          8
        ),
        16,
        10
      ) AS SIGNED) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t.`id` IS NULL AND NOT t.`order` IS NULL
) AS t
GROUP BY
  t.b;

-- rows of orders_current in 4,096 parts
SELECT
  t.b,
  COUNT(*) AS f0,
  SUM(CAST(CONV(SUBSTRING(t.h, 4, 10), 16, 10) AS SIGNED)) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      MD5(
        CONCAT(
          COALESCE(CAST(t.`id` AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
        )
      ),
      1,
      3
    ) AS b,
    MD5(
      CONCAT(
        COALESCE(CAST(t.`id` AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
        '|',
        COALESCE(CAST(t.`line` AS CHAR), '~N'),
        '|',
        COALESCE(
          REPLACE(REPLACE(LOWER(CAST(t.`a "quoted" one` AS CHAR)), '~', '~t'), '|', '~p'),
          '~N'
        ),
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
    MD5(
      CONCAT(
        COALESCE(CAST(t.`id` AS CHAR), '~N'),
        '|',
        COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
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
      AND CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CAST(t.`id` AS CHAR), '~N'),
              '|',
              COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
            )
          ),
          1,
          8
        ),
        16,
        10
      ) AS SIGNED) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t.`id` IS NULL AND NOT t.`order` IS NULL
) AS t
GROUP BY
  t.b;

-- rows of orders_base that may differ
SELECT
  t.line
FROM (
  SELECT
    SUBSTRING(
      MD5(
        CONCAT(
          COALESCE(CAST(t.`id` AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
        )
      ),
      1,
      3
    ) AS b,
    CONCAT(
      COALESCE(CAST(t.`id` AS CHAR), '~N'),
      '|',
      COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
      '|',
      COALESCE(CAST(t.`line` AS CHAR), '~N'),
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
    ) AS line
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CAST(t.`id` AS CHAR), '~N'),
              '|',
              COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
            )
          ),
          1,
          8
        ),
        16,
        10
      ) AS SIGNED) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t.`id` IS NULL AND NOT t.`order` IS NULL
) AS t
WHERE
  t.b IN ('000');

-- rows of orders_current that may differ
SELECT
  t.line
FROM (
  SELECT
    SUBSTRING(
      MD5(
        CONCAT(
          COALESCE(CAST(t.`id` AS CHAR), '~N'),
          '|',
          COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
        )
      ),
      1,
      3
    ) AS b,
    CONCAT(
      COALESCE(CAST(t.`id` AS CHAR), '~N'),
      '|',
      COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N'),
      '|',
      COALESCE(CAST(t.`line` AS CHAR), '~N'),
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
    ) AS line
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CAST(t.`id` AS CHAR), '~N'),
              '|',
              COALESCE(REPLACE(REPLACE(CAST(t.`order` AS CHAR), '~', '~t'), '|', '~p'), '~N')
            )
          ),
          1,
          8
        ),
        16,
        10
      ) AS SIGNED) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t.`id` IS NULL AND NOT t.`order` IS NULL
) AS t
WHERE
  t.b IN ('000');
