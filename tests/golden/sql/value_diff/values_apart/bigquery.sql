-- key of orders_base
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS INT64) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS INT64) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t.`id` AS k0,
      COLLATE(t.`order`, '') AS k1
    FROM (
      SELECT
        *
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND MOD(
          CAST((
            '0x' || SUBSTRING(
              TO_HEX(
                MD5(
                  COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
                )
              ),
              1,
              8
            )
          ) AS INT64),
          1000000
        ) < 5000
    ) AS t
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS g;

-- key of orders_current
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS INT64) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS INT64) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t.`id` AS k0,
      COLLATE(t.`order`, '') AS k1
    FROM (
      SELECT
        *
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND MOD(
          CAST((
            '0x' || SUBSTRING(
              TO_HEX(
                MD5(
                  COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
                )
              ),
              1,
              8
            )
          ) AS INT64),
          1000000
        ) < 5000
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
  SUM(CAST((
    '0x' || SUBSTRING(t.h, 4, 10)
  ) AS INT64)) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      TO_HEX(
        MD5(
          COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
        )
      ),
      1,
      3
    ) AS b,
    TO_HEX(
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
            WHEN CAST(t.`rate` AS FLOAT64) = 0
            THEN '0'
            WHEN NOT IS_NAN(CAST(t.`rate` AS FLOAT64)) AND NOT IS_INF(CAST(t.`rate` AS FLOAT64))
            THEN FORMAT('%.14e', CAST(t.`rate` AS FLOAT64))
            WHEN LOWER(CAST(CAST(t.`rate` AS FLOAT64) AS STRING)) IN ('nan', '-nan')
            THEN 'nan'
            WHEN CAST(t.`rate` AS FLOAT64) < 0
            THEN '-inf'
            WHEN CAST(t.`rate` AS FLOAT64) > 0
            THEN 'inf'
          END,
          '~N'
        ) || '|' || COALESCE(CAST(t.`day` AS STRING), '~N') || '|' || COALESCE(
          CASE
            WHEN REPLACE(FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', t.`at`, 'UTC'), ' ', 'T') LIKE '%.%'
            THEN RTRIM(
              RTRIM(REPLACE(FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', t.`at`, 'UTC'), ' ', 'T'), '0'),
              '.'
            )
            ELSE REPLACE(FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', t.`at`, 'UTC'), ' ', 'T')
          END,
          '~N'
        ) || '|' || COALESCE(CAST(t.`is_it` AS STRING), '~N') || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CAST(CASE WHEN NOT t.`doc` IS NULL THEN TO_JSON_STRING(t.`doc`) END AS STRING),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(REPLACE(REPLACE(TO_JSON_STRING(t.`list`), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(TO_HEX(t.`raw`)), '~N')
      )
    ) AS h,
    TO_HEX(
      MD5(
        COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
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
      AND MOD(
        CAST((
          '0x' || SUBSTRING(
            TO_HEX(
              MD5(
                COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
              )
            ),
            1,
            8
          )
        ) AS INT64),
        1000000
      ) < 5000
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
  SUM(CAST((
    '0x' || SUBSTRING(t.h, 4, 10)
  ) AS INT64)) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      TO_HEX(
        MD5(
          COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
        )
      ),
      1,
      3
    ) AS b,
    TO_HEX(
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
            WHEN CAST(t.`rate` AS FLOAT64) = 0
            THEN '0'
            WHEN NOT IS_NAN(CAST(t.`rate` AS FLOAT64)) AND NOT IS_INF(CAST(t.`rate` AS FLOAT64))
            THEN FORMAT('%.14e', CAST(t.`rate` AS FLOAT64))
            WHEN LOWER(CAST(CAST(t.`rate` AS FLOAT64) AS STRING)) IN ('nan', '-nan')
            THEN 'nan'
            WHEN CAST(t.`rate` AS FLOAT64) < 0
            THEN '-inf'
            WHEN CAST(t.`rate` AS FLOAT64) > 0
            THEN 'inf'
          END,
          '~N'
        ) || '|' || COALESCE(CAST(t.`day` AS STRING), '~N') || '|' || COALESCE(
          CASE
            WHEN REPLACE(FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', t.`at`, 'UTC'), ' ', 'T') LIKE '%.%'
            THEN RTRIM(
              RTRIM(REPLACE(FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', t.`at`, 'UTC'), ' ', 'T'), '0'),
              '.'
            )
            ELSE REPLACE(FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', t.`at`, 'UTC'), ' ', 'T')
          END,
          '~N'
        ) || '|' || COALESCE(CAST(t.`is_it` AS STRING), '~N') || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CAST(CASE WHEN NOT t.`doc` IS NULL THEN TO_JSON_STRING(t.`doc`) END AS STRING),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(REPLACE(REPLACE(TO_JSON_STRING(t.`list`), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(TO_HEX(t.`raw`)), '~N')
      )
    ) AS h,
    TO_HEX(
      MD5(
        COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
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
      AND MOD(
        CAST((
          '0x' || SUBSTRING(
            TO_HEX(
              MD5(
                COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
              )
            ),
            1,
            8
          )
        ) AS INT64),
        1000000
      ) < 5000
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
      TO_HEX(
        MD5(
          COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
        )
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
        WHEN CAST(t.`rate` AS FLOAT64) = 0
        THEN '0'
        WHEN NOT IS_NAN(CAST(t.`rate` AS FLOAT64)) AND NOT IS_INF(CAST(t.`rate` AS FLOAT64))
        THEN FORMAT('%.14e', CAST(t.`rate` AS FLOAT64))
        WHEN LOWER(CAST(CAST(t.`rate` AS FLOAT64) AS STRING)) IN ('nan', '-nan')
        THEN 'nan'
        WHEN CAST(t.`rate` AS FLOAT64) < 0
        THEN '-inf'
        WHEN CAST(t.`rate` AS FLOAT64) > 0
        THEN 'inf'
      END,
      '~N'
    ) || '|' || COALESCE(CAST(t.`day` AS STRING), '~N') || '|' || COALESCE(
      CASE
        WHEN REPLACE(FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', t.`at`, 'UTC'), ' ', 'T') LIKE '%.%'
        THEN RTRIM(
          RTRIM(REPLACE(FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', t.`at`, 'UTC'), ' ', 'T'), '0'),
          '.'
        )
        ELSE REPLACE(FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', t.`at`, 'UTC'), ' ', 'T')
      END,
      '~N'
    ) || '|' || COALESCE(CAST(t.`is_it` AS STRING), '~N') || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CAST(CASE WHEN NOT t.`doc` IS NULL THEN TO_JSON_STRING(t.`doc`) END AS STRING),
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(REPLACE(REPLACE(TO_JSON_STRING(t.`list`), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(TO_HEX(t.`raw`)), '~N') AS line
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND MOD(
        CAST((
          '0x' || SUBSTRING(
            TO_HEX(
              MD5(
                COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
              )
            ),
            1,
            8
          )
        ) AS INT64),
        1000000
      ) < 5000
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
      TO_HEX(
        MD5(
          COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
        )
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
        WHEN CAST(t.`rate` AS FLOAT64) = 0
        THEN '0'
        WHEN NOT IS_NAN(CAST(t.`rate` AS FLOAT64)) AND NOT IS_INF(CAST(t.`rate` AS FLOAT64))
        THEN FORMAT('%.14e', CAST(t.`rate` AS FLOAT64))
        WHEN LOWER(CAST(CAST(t.`rate` AS FLOAT64) AS STRING)) IN ('nan', '-nan')
        THEN 'nan'
        WHEN CAST(t.`rate` AS FLOAT64) < 0
        THEN '-inf'
        WHEN CAST(t.`rate` AS FLOAT64) > 0
        THEN 'inf'
      END,
      '~N'
    ) || '|' || COALESCE(CAST(t.`day` AS STRING), '~N') || '|' || COALESCE(
      CASE
        WHEN REPLACE(FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', t.`at`, 'UTC'), ' ', 'T') LIKE '%.%'
        THEN RTRIM(
          RTRIM(REPLACE(FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', t.`at`, 'UTC'), ' ', 'T'), '0'),
          '.'
        )
        ELSE REPLACE(FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', t.`at`, 'UTC'), ' ', 'T')
      END,
      '~N'
    ) || '|' || COALESCE(CAST(t.`is_it` AS STRING), '~N') || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CAST(CASE WHEN NOT t.`doc` IS NULL THEN TO_JSON_STRING(t.`doc`) END AS STRING),
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(REPLACE(REPLACE(TO_JSON_STRING(t.`list`), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(TO_HEX(t.`raw`)), '~N') AS line
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND MOD(
        CAST((
          '0x' || SUBSTRING(
            TO_HEX(
              MD5(
                COALESCE(CAST(t.`id` AS STRING), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t.`order` AS STRING), '~', '~t'), '|', '~p'), '~N')
              )
            ),
            1,
            8
          )
        ) AS INT64),
        1000000
      ) < 5000
  ) AS t
  WHERE
    NOT t.`id` IS NULL AND NOT t.`order` IS NULL
) AS t
WHERE
  t.b IN ('000');
