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
              COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
            ),
            1,
            8
          ),
          16,
          10
        ) AS BIGINT) % 1000000 < 5000
    ) AS t
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
              COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
            ),
            1,
            8
          ),
          16,
          10
        ) AS BIGINT) % 1000000 < 5000
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
  SUM(CAST(CONV(SUBSTRING(t.h, 4, 10), 16, 10) AS BIGINT)) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      MD5(
        COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    MD5(
      COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t.`line` AS STRING), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(LOWER(CAST(t.`a "quoted" one` AS STRING)), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t.`amount` AS STRING) LIKE '%.%'
          THEN RTRIM(RTRIM(CAST(t.`amount` AS STRING), '0'), '.')
          ELSE CAST(t.`amount` AS STRING)
        END,
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t.`rate` AS DOUBLE) = 0
          THEN '0'
          WHEN CAST(t.`rate` AS DOUBLE) <= 1.7976931348623157e308
          AND CAST(t.`rate` AS DOUBLE) >= -1.7976931348623157e308
          THEN FORMAT_STRING('%.14e', CAST(t.`rate` AS DOUBLE))
          WHEN LOWER(CAST(CAST(t.`rate` AS DOUBLE) AS STRING)) IN ('nan', '-nan')
          THEN 'nan'
          WHEN CAST(t.`rate` AS DOUBLE) < 0
          THEN '-inf'
          WHEN CAST(t.`rate` AS DOUBLE) > 0
          THEN 'inf'
        END,
        '~N'
      ) || '|' || COALESCE(CAST(t.`day` AS STRING), '~N') || '|' || COALESCE(
        CASE
          WHEN REPLACE(
            CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(t.`at` AS TIMESTAMP_NTZ)) AS STRING),
            ' ',
            'T'
          ) LIKE '%.%'
          THEN RTRIM(
            RTRIM(
              REPLACE(
                CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(t.`at` AS TIMESTAMP_NTZ)) AS STRING),
                ' ',
                'T'
              ),
              '0'
            ),
            '.'
          )
          ELSE REPLACE(
            CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(t.`at` AS TIMESTAMP_NTZ)) AS STRING),
            ' ',
            'T'
          )
        END,
        '~N'
      ) || '|' || COALESCE(CAST(t.`is_it` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t.`doc`) AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t.`list`) AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(HEX(t.`raw`)), '~N')
    ) AS h,
    MD5(
      COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
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
            COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        ),
        16,
        10
      ) AS BIGINT) % 1000000 < 5000
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
  SUM(CAST(CONV(SUBSTRING(t.h, 4, 10), 16, 10) AS BIGINT)) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      MD5(
        COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    MD5(
      COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t.`line` AS STRING), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(LOWER(CAST(t.`a "quoted" one` AS STRING)), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t.`amount` AS STRING) LIKE '%.%'
          THEN RTRIM(RTRIM(CAST(t.`amount` AS STRING), '0'), '.')
          ELSE CAST(t.`amount` AS STRING)
        END,
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t.`rate` AS DOUBLE) = 0
          THEN '0'
          WHEN CAST(t.`rate` AS DOUBLE) <= 1.7976931348623157e308
          AND CAST(t.`rate` AS DOUBLE) >= -1.7976931348623157e308
          THEN FORMAT_STRING('%.14e', CAST(t.`rate` AS DOUBLE))
          WHEN LOWER(CAST(CAST(t.`rate` AS DOUBLE) AS STRING)) IN ('nan', '-nan')
          THEN 'nan'
          WHEN CAST(t.`rate` AS DOUBLE) < 0
          THEN '-inf'
          WHEN CAST(t.`rate` AS DOUBLE) > 0
          THEN 'inf'
        END,
        '~N'
      ) || '|' || COALESCE(CAST(t.`day` AS STRING), '~N') || '|' || COALESCE(
        CASE
          WHEN REPLACE(
            CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(t.`at` AS TIMESTAMP_NTZ)) AS STRING),
            ' ',
            'T'
          ) LIKE '%.%'
          THEN RTRIM(
            RTRIM(
              REPLACE(
                CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(t.`at` AS TIMESTAMP_NTZ)) AS STRING),
                ' ',
                'T'
              ),
              '0'
            ),
            '.'
          )
          ELSE REPLACE(
            CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(t.`at` AS TIMESTAMP_NTZ)) AS STRING),
            ' ',
            'T'
          )
        END,
        '~N'
      ) || '|' || COALESCE(CAST(t.`is_it` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t.`doc`) AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t.`list`) AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(HEX(t.`raw`)), '~N')
    ) AS h,
    MD5(
      COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
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
            COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        ),
        16,
        10
      ) AS BIGINT) % 1000000 < 5000
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
        COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t.`line` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
      CASE
        WHEN CAST(t.`amount` AS STRING) LIKE '%.%'
        THEN RTRIM(RTRIM(CAST(t.`amount` AS STRING), '0'), '.')
        ELSE CAST(t.`amount` AS STRING)
      END,
      '~N'
    ) || '|' || COALESCE(
      CASE
        WHEN CAST(t.`rate` AS DOUBLE) = 0
        THEN '0'
        WHEN CAST(t.`rate` AS DOUBLE) <= 1.7976931348623157e308
        AND CAST(t.`rate` AS DOUBLE) >= -1.7976931348623157e308
        THEN FORMAT_STRING('%.14e', CAST(t.`rate` AS DOUBLE))
        WHEN LOWER(CAST(CAST(t.`rate` AS DOUBLE) AS STRING)) IN ('nan', '-nan')
        THEN 'nan'
        WHEN CAST(t.`rate` AS DOUBLE) < 0
        THEN '-inf'
        WHEN CAST(t.`rate` AS DOUBLE) > 0
        THEN 'inf'
      END,
      '~N'
    ) || '|' || COALESCE(CAST(t.`day` AS STRING), '~N') || '|' || COALESCE(
      CASE
        WHEN REPLACE(
          CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(t.`at` AS TIMESTAMP_NTZ)) AS STRING),
          ' ',
          'T'
        ) LIKE '%.%'
        THEN RTRIM(
          RTRIM(
            REPLACE(
              CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(t.`at` AS TIMESTAMP_NTZ)) AS STRING),
              ' ',
              'T'
            ),
            '0'
          ),
          '.'
        )
        ELSE REPLACE(
          CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(t.`at` AS TIMESTAMP_NTZ)) AS STRING),
          ' ',
          'T'
        )
      END,
      '~N'
    ) || '|' || COALESCE(CAST(t.`is_it` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t.`doc`) AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t.`list`) AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(HEX(t.`raw`)), '~N') AS line
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
            COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        ),
        16,
        10
      ) AS BIGINT) % 1000000 < 5000
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
        COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t.`line` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`a "quoted" one` AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
      CASE
        WHEN CAST(t.`amount` AS STRING) LIKE '%.%'
        THEN RTRIM(RTRIM(CAST(t.`amount` AS STRING), '0'), '.')
        ELSE CAST(t.`amount` AS STRING)
      END,
      '~N'
    ) || '|' || COALESCE(
      CASE
        WHEN CAST(t.`rate` AS DOUBLE) = 0
        THEN '0'
        WHEN CAST(t.`rate` AS DOUBLE) <= 1.7976931348623157e308
        AND CAST(t.`rate` AS DOUBLE) >= -1.7976931348623157e308
        THEN FORMAT_STRING('%.14e', CAST(t.`rate` AS DOUBLE))
        WHEN LOWER(CAST(CAST(t.`rate` AS DOUBLE) AS STRING)) IN ('nan', '-nan')
        THEN 'nan'
        WHEN CAST(t.`rate` AS DOUBLE) < 0
        THEN '-inf'
        WHEN CAST(t.`rate` AS DOUBLE) > 0
        THEN 'inf'
      END,
      '~N'
    ) || '|' || COALESCE(CAST(t.`day` AS STRING), '~N') || '|' || COALESCE(
      CASE
        WHEN REPLACE(
          CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(t.`at` AS TIMESTAMP_NTZ)) AS STRING),
          ' ',
          'T'
        ) LIKE '%.%'
        THEN RTRIM(
          RTRIM(
            REPLACE(
              CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(t.`at` AS TIMESTAMP_NTZ)) AS STRING),
              ' ',
              'T'
            ),
            '0'
          ),
          '.'
        )
        ELSE REPLACE(
          CAST(CONVERT_TIMEZONE(CURRENT_TIMEZONE(), 'UTC', CAST(t.`at` AS TIMESTAMP_NTZ)) AS STRING),
          ' ',
          'T'
        )
      END,
      '~N'
    ) || '|' || COALESCE(CAST(t.`is_it` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t.`doc`) AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t.`list`) AS STRING), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(HEX(t.`raw`)), '~N') AS line
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
            COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        ),
        16,
        10
      ) AS BIGINT) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t.`id` IS NULL AND NOT t.`order` IS NULL
) AS t
WHERE
  t.b IN ('000');
