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
      COLLATE(t."order", '') AS k1
    FROM (
      SELECT
        *
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND TO_NUMBER(
          SUBSTRING(
            MD5(
              COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N')
            ),
            1,
            8
          ),
          'XXXXXXXXXXXXXXX'
        ) % 1000000 < 5000
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
      t."id" AS k0,
      COLLATE(t."order", '') AS k1
    FROM (
      SELECT
        *
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND TO_NUMBER(
          SUBSTRING(
            MD5(
              COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N')
            ),
            1,
            8
          ),
          'XXXXXXXXXXXXXXX'
        ) % 1000000 < 5000
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
  SUM(TO_NUMBER(SUBSTRING(t.h, 4, 10), 'XXXXXXXXXXXXXXX')) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      MD5(
        COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    MD5(
      COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(LOWER(CAST(t."a ""quoted"" one" AS VARCHAR)), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."amount" AS VARCHAR) LIKE '%.%'
          THEN RTRIM(RTRIM(CAST(t."amount" AS VARCHAR), '0'), '.')
          ELSE CAST(t."amount" AS VARCHAR)
        END,
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."rate" AS DOUBLE) = 0
          THEN '0'
          WHEN CAST(t."rate" AS DOUBLE) <= 1.7976931348623157e308
          AND CAST(t."rate" AS DOUBLE) >= -1.7976931348623157e308
          THEN REPLACE(
            REPLACE(
              LOWER(LTRIM(TO_VARCHAR(CAST(t."rate" AS DOUBLE), '9.99999999999999EEEEE'))),
              'e+0',
              'e+'
            ),
            'e-0',
            'e-'
          )
          WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE) AS VARCHAR)) IN ('nan', '-nan')
          THEN 'nan'
          WHEN CAST(t."rate" AS DOUBLE) < 0
          THEN '-inf'
          WHEN CAST(t."rate" AS DOUBLE) > 0
          THEN 'inf'
        END,
        '~N'
      ) || '|' || COALESCE(TO_VARCHAR(t."day", 'YYYY-MM-DD'), '~N') || '|' || COALESCE(
        CASE
          WHEN REPLACE(TO_VARCHAR(CONVERT_TIMEZONE('UTC', t."at"), 'YYYY-MM-DD HH24:MI:SS.FF6'), ' ', 'T') LIKE '%.%'
          THEN RTRIM(
            RTRIM(
              REPLACE(TO_VARCHAR(CONVERT_TIMEZONE('UTC', t."at"), 'YYYY-MM-DD HH24:MI:SS.FF6'), ' ', 'T'),
              '0'
            ),
            '.'
          )
          ELSE REPLACE(TO_VARCHAR(CONVERT_TIMEZONE('UTC', t."at"), 'YYYY-MM-DD HH24:MI:SS.FF6'), ' ', 'T')
        END,
        '~N'
      ) || '|' || COALESCE(CAST(t."is_it" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t."doc") AS VARCHAR), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t."list") AS VARCHAR), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(HEX_ENCODE(t."raw")), '~N')
    ) AS h,
    MD5(
      COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N')
    ) AS k
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND TO_NUMBER(
        SUBSTRING(
          MD5(
            COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        ),
        'XXXXXXXXXXXXXXX'
      ) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
) AS t
GROUP BY
  t.b;

-- rows of orders_current in 4,096 parts
SELECT
  t.b,
  COUNT(*) AS f0,
  SUM(TO_NUMBER(SUBSTRING(t.h, 4, 10), 'XXXXXXXXXXXXXXX')) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      MD5(
        COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    MD5(
      COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(LOWER(CAST(t."a ""quoted"" one" AS VARCHAR)), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."amount" AS VARCHAR) LIKE '%.%'
          THEN RTRIM(RTRIM(CAST(t."amount" AS VARCHAR), '0'), '.')
          ELSE CAST(t."amount" AS VARCHAR)
        END,
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."rate" AS DOUBLE) = 0
          THEN '0'
          WHEN CAST(t."rate" AS DOUBLE) <= 1.7976931348623157e308
          AND CAST(t."rate" AS DOUBLE) >= -1.7976931348623157e308
          THEN REPLACE(
            REPLACE(
              LOWER(LTRIM(TO_VARCHAR(CAST(t."rate" AS DOUBLE), '9.99999999999999EEEEE'))),
              'e+0',
              'e+'
            ),
            'e-0',
            'e-'
          )
          WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE) AS VARCHAR)) IN ('nan', '-nan')
          THEN 'nan'
          WHEN CAST(t."rate" AS DOUBLE) < 0
          THEN '-inf'
          WHEN CAST(t."rate" AS DOUBLE) > 0
          THEN 'inf'
        END,
        '~N'
      ) || '|' || COALESCE(TO_VARCHAR(t."day", 'YYYY-MM-DD'), '~N') || '|' || COALESCE(
        CASE
          WHEN REPLACE(TO_VARCHAR(CONVERT_TIMEZONE('UTC', t."at"), 'YYYY-MM-DD HH24:MI:SS.FF6'), ' ', 'T') LIKE '%.%'
          THEN RTRIM(
            RTRIM(
              REPLACE(TO_VARCHAR(CONVERT_TIMEZONE('UTC', t."at"), 'YYYY-MM-DD HH24:MI:SS.FF6'), ' ', 'T'),
              '0'
            ),
            '.'
          )
          ELSE REPLACE(TO_VARCHAR(CONVERT_TIMEZONE('UTC', t."at"), 'YYYY-MM-DD HH24:MI:SS.FF6'), ' ', 'T')
        END,
        '~N'
      ) || '|' || COALESCE(CAST(t."is_it" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t."doc") AS VARCHAR), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t."list") AS VARCHAR), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(HEX_ENCODE(t."raw")), '~N')
    ) AS h,
    MD5(
      COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N')
    ) AS k
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND TO_NUMBER(
        SUBSTRING(
          MD5(
            COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        ),
        'XXXXXXXXXXXXXXX'
      ) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
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
        COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR), '~N') || '|' || COALESCE(
      REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS VARCHAR), '~', '~t'), '|', '~p'),
      '~N'
    ) || '|' || COALESCE(
      CASE
        WHEN CAST(t."amount" AS VARCHAR) LIKE '%.%'
        THEN RTRIM(RTRIM(CAST(t."amount" AS VARCHAR), '0'), '.')
        ELSE CAST(t."amount" AS VARCHAR)
      END,
      '~N'
    ) || '|' || COALESCE(
      CASE
        WHEN CAST(t."rate" AS DOUBLE) = 0
        THEN '0'
        WHEN CAST(t."rate" AS DOUBLE) <= 1.7976931348623157e308
        AND CAST(t."rate" AS DOUBLE) >= -1.7976931348623157e308
        THEN REPLACE(
          REPLACE(
            LOWER(LTRIM(TO_VARCHAR(CAST(t."rate" AS DOUBLE), '9.99999999999999EEEEE'))),
            'e+0',
            'e+'
          ),
          'e-0',
          'e-'
        )
        WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE) AS VARCHAR)) IN ('nan', '-nan')
        THEN 'nan'
        WHEN CAST(t."rate" AS DOUBLE) < 0
        THEN '-inf'
        WHEN CAST(t."rate" AS DOUBLE) > 0
        THEN 'inf'
      END,
      '~N'
    ) || '|' || COALESCE(TO_VARCHAR(t."day", 'YYYY-MM-DD'), '~N') || '|' || COALESCE(
      CASE
        WHEN REPLACE(TO_VARCHAR(CONVERT_TIMEZONE('UTC', t."at"), 'YYYY-MM-DD HH24:MI:SS.FF6'), ' ', 'T') LIKE '%.%'
        THEN RTRIM(
          RTRIM(
            REPLACE(TO_VARCHAR(CONVERT_TIMEZONE('UTC', t."at"), 'YYYY-MM-DD HH24:MI:SS.FF6'), ' ', 'T'),
            '0'
          ),
          '.'
        )
        ELSE REPLACE(TO_VARCHAR(CONVERT_TIMEZONE('UTC', t."at"), 'YYYY-MM-DD HH24:MI:SS.FF6'), ' ', 'T')
      END,
      '~N'
    ) || '|' || COALESCE(CAST(t."is_it" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t."doc") AS VARCHAR), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t."list") AS VARCHAR), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(HEX_ENCODE(t."raw")), '~N') AS line
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND TO_NUMBER(
        SUBSTRING(
          MD5(
            COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        ),
        'XXXXXXXXXXXXXXX'
      ) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
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
        COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR), '~N') || '|' || COALESCE(
      REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS VARCHAR), '~', '~t'), '|', '~p'),
      '~N'
    ) || '|' || COALESCE(
      CASE
        WHEN CAST(t."amount" AS VARCHAR) LIKE '%.%'
        THEN RTRIM(RTRIM(CAST(t."amount" AS VARCHAR), '0'), '.')
        ELSE CAST(t."amount" AS VARCHAR)
      END,
      '~N'
    ) || '|' || COALESCE(
      CASE
        WHEN CAST(t."rate" AS DOUBLE) = 0
        THEN '0'
        WHEN CAST(t."rate" AS DOUBLE) <= 1.7976931348623157e308
        AND CAST(t."rate" AS DOUBLE) >= -1.7976931348623157e308
        THEN REPLACE(
          REPLACE(
            LOWER(LTRIM(TO_VARCHAR(CAST(t."rate" AS DOUBLE), '9.99999999999999EEEEE'))),
            'e+0',
            'e+'
          ),
          'e-0',
          'e-'
        )
        WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE) AS VARCHAR)) IN ('nan', '-nan')
        THEN 'nan'
        WHEN CAST(t."rate" AS DOUBLE) < 0
        THEN '-inf'
        WHEN CAST(t."rate" AS DOUBLE) > 0
        THEN 'inf'
      END,
      '~N'
    ) || '|' || COALESCE(TO_VARCHAR(t."day", 'YYYY-MM-DD'), '~N') || '|' || COALESCE(
      CASE
        WHEN REPLACE(TO_VARCHAR(CONVERT_TIMEZONE('UTC', t."at"), 'YYYY-MM-DD HH24:MI:SS.FF6'), ' ', 'T') LIKE '%.%'
        THEN RTRIM(
          RTRIM(
            REPLACE(TO_VARCHAR(CONVERT_TIMEZONE('UTC', t."at"), 'YYYY-MM-DD HH24:MI:SS.FF6'), ' ', 'T'),
            '0'
          ),
          '.'
        )
        ELSE REPLACE(TO_VARCHAR(CONVERT_TIMEZONE('UTC', t."at"), 'YYYY-MM-DD HH24:MI:SS.FF6'), ' ', 'T')
      END,
      '~N'
    ) || '|' || COALESCE(CAST(t."is_it" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t."doc") AS VARCHAR), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(TO_JSON(t."list") AS VARCHAR), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(HEX_ENCODE(t."raw")), '~N') AS line
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND TO_NUMBER(
        SUBSTRING(
          MD5(
            COALESCE(CAST(t."id" AS VARCHAR), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        ),
        'XXXXXXXXXXXXXXX'
      ) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
) AS t
WHERE
  t.b IN ('000');
