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
      t."order" COLLATE "C" AS k1
    FROM (
      SELECT
        *
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND CAST(CAST((
          'x' || LPAD(
            SUBSTRING(MD5(
              CONVERT_TO(
                COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N'),
                'UTF8'
              )
            ) FROM 1 FOR 8),
            16,
            '0'
          )
        ) AS BIT(64)) AS BIGINT) % 1000000 < 5000
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
      t."order" COLLATE "C" AS k1
    FROM (
      SELECT
        *
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND CAST(CAST((
          'x' || LPAD(
            SUBSTRING(MD5(
              CONVERT_TO(
                COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N'),
                'UTF8'
              )
            ) FROM 1 FOR 8),
            16,
            '0'
          )
        ) AS BIT(64)) AS BIGINT) % 1000000 < 5000
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
  SUM(
    CAST(CAST((
      'x' || LPAD(SUBSTRING(t.h FROM 4 FOR 10), 16, '0')
    ) AS BIT(64)) AS BIGINT)
  ) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(MD5(
      CONVERT_TO(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N'),
        'UTF8'
      )
    ) FROM 1 FOR 3) AS b,
    MD5(
      CONVERT_TO(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(
          REPLACE(REPLACE(LOWER(CAST(t."a ""quoted"" one" AS TEXT)), '~', '~t'), '|', '~p'),
          '~N'
        ) || '|' || COALESCE(CAST(TRIM_SCALE(t."amount") AS TEXT), '~N') || '|' || COALESCE(
          CASE
            WHEN CAST(t."rate" AS DOUBLE PRECISION) = 0
            THEN '0'
            WHEN CAST(t."rate" AS DOUBLE PRECISION) <= 1.7976931348623157e308
            AND CAST(t."rate" AS DOUBLE PRECISION) >= -1.7976931348623157e308
            THEN LTRIM(TO_CHAR(CAST(t."rate" AS DOUBLE PRECISION), '9.99999999999999EEEE'))
            WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE PRECISION) AS TEXT)) IN ('nan', '-nan')
            THEN 'nan'
            WHEN CAST(t."rate" AS DOUBLE PRECISION) < 0
            THEN '-inf'
            WHEN CAST(t."rate" AS DOUBLE PRECISION) > 0
            THEN 'inf'
          END,
          '~N'
        ) || '|' || COALESCE(BTRIM(CAST(TO_JSON(t."day") AS TEXT), '"'), '~N') || '|' || COALESCE(
          REPLACE(BTRIM(CAST(TO_JSON(t."at" AT TIME ZONE 'UTC') AS TEXT), '"'), ' ', 'T'),
          '~N'
        ) || '|' || COALESCE(CAST(t."is_it" AS TEXT), '~N') || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN CAST(CASE
                  WHEN CAST(t."doc" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                  AND CAST(t."doc" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                  THEN TO_JSONB(CAST(t."doc" AS TEXT))
                  ELSE CAST(t."doc" AS JSONB)
                END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
                THEN REGEXP_REPLACE(
                  CAST(CASE
                    WHEN CAST(t."doc" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                    AND CAST(t."doc" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                    THEN TO_JSONB(CAST(t."doc" AS TEXT))
                    ELSE CAST(t."doc" AS JSONB)
                  END AS TEXT),
                  '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
                  '\1\3',
                  'g'
                )
                ELSE CAST(CASE
                  WHEN CAST(t."doc" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                  AND CAST(t."doc" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                  THEN TO_JSONB(CAST(t."doc" AS TEXT))
                  ELSE CAST(t."doc" AS JSONB)
                END AS TEXT)
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(REPLACE(REPLACE(CAST(t."list" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(ENCODE(t."raw", 'hex')), '~N'),
        'UTF8'
      )
    ) AS h,
    MD5(
      CONVERT_TO(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N'),
        'UTF8'
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
      AND CAST(CAST((
        'x' || LPAD(
          SUBSTRING(MD5(
            CONVERT_TO(
              COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N'),
              'UTF8'
            )
          ) FROM 1 FOR 8),
          16,
          '0'
        )
      ) AS BIT(64)) AS BIGINT) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
  OFFSET 0
) AS t
GROUP BY
  t.b;

-- rows of orders_current in 4,096 parts
SELECT
  t.b,
  COUNT(*) AS f0,
  SUM(
    CAST(CAST((
      'x' || LPAD(SUBSTRING(t.h FROM 4 FOR 10), 16, '0')
    ) AS BIT(64)) AS BIGINT)
  ) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(MD5(
      CONVERT_TO(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N'),
        'UTF8'
      )
    ) FROM 1 FOR 3) AS b,
    MD5(
      CONVERT_TO(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(
          REPLACE(REPLACE(LOWER(CAST(t."a ""quoted"" one" AS TEXT)), '~', '~t'), '|', '~p'),
          '~N'
        ) || '|' || COALESCE(CAST(TRIM_SCALE(t."amount") AS TEXT), '~N') || '|' || COALESCE(
          CASE
            WHEN CAST(t."rate" AS DOUBLE PRECISION) = 0
            THEN '0'
            WHEN CAST(t."rate" AS DOUBLE PRECISION) <= 1.7976931348623157e308
            AND CAST(t."rate" AS DOUBLE PRECISION) >= -1.7976931348623157e308
            THEN LTRIM(TO_CHAR(CAST(t."rate" AS DOUBLE PRECISION), '9.99999999999999EEEE'))
            WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE PRECISION) AS TEXT)) IN ('nan', '-nan')
            THEN 'nan'
            WHEN CAST(t."rate" AS DOUBLE PRECISION) < 0
            THEN '-inf'
            WHEN CAST(t."rate" AS DOUBLE PRECISION) > 0
            THEN 'inf'
          END,
          '~N'
        ) || '|' || COALESCE(BTRIM(CAST(TO_JSON(t."day") AS TEXT), '"'), '~N') || '|' || COALESCE(
          REPLACE(BTRIM(CAST(TO_JSON(t."at" AT TIME ZONE 'UTC') AS TEXT), '"'), ' ', 'T'),
          '~N'
        ) || '|' || COALESCE(CAST(t."is_it" AS TEXT), '~N') || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN CAST(CASE
                  WHEN CAST(t."doc" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                  AND CAST(t."doc" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                  THEN TO_JSONB(CAST(t."doc" AS TEXT))
                  ELSE CAST(t."doc" AS JSONB)
                END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
                THEN REGEXP_REPLACE(
                  CAST(CASE
                    WHEN CAST(t."doc" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                    AND CAST(t."doc" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                    THEN TO_JSONB(CAST(t."doc" AS TEXT))
                    ELSE CAST(t."doc" AS JSONB)
                  END AS TEXT),
                  '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
                  '\1\3',
                  'g'
                )
                ELSE CAST(CASE
                  WHEN CAST(t."doc" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                  AND CAST(t."doc" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                  THEN TO_JSONB(CAST(t."doc" AS TEXT))
                  ELSE CAST(t."doc" AS JSONB)
                END AS TEXT)
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(REPLACE(REPLACE(CAST(t."list" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(ENCODE(t."raw", 'hex')), '~N'),
        'UTF8'
      )
    ) AS h,
    MD5(
      CONVERT_TO(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N'),
        'UTF8'
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
      AND CAST(CAST((
        'x' || LPAD(
          SUBSTRING(MD5(
            CONVERT_TO(
              COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N'),
              'UTF8'
            )
          ) FROM 1 FOR 8),
          16,
          '0'
        )
      ) AS BIT(64)) AS BIGINT) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
  OFFSET 0
) AS t
GROUP BY
  t.b;

-- rows of orders_base that may differ
SELECT
  t.line
FROM (
  SELECT
    SUBSTRING(MD5(
      CONVERT_TO(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N'),
        'UTF8'
      )
    ) FROM 1 FOR 3) AS b,
    COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(TRIM_SCALE(t."amount") AS TEXT), '~N') || '|' || COALESCE(
      CASE
        WHEN CAST(t."rate" AS DOUBLE PRECISION) = 0
        THEN '0'
        WHEN CAST(t."rate" AS DOUBLE PRECISION) <= 1.7976931348623157e308
        AND CAST(t."rate" AS DOUBLE PRECISION) >= -1.7976931348623157e308
        THEN LTRIM(TO_CHAR(CAST(t."rate" AS DOUBLE PRECISION), '9.99999999999999EEEE'))
        WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE PRECISION) AS TEXT)) IN ('nan', '-nan')
        THEN 'nan'
        WHEN CAST(t."rate" AS DOUBLE PRECISION) < 0
        THEN '-inf'
        WHEN CAST(t."rate" AS DOUBLE PRECISION) > 0
        THEN 'inf'
      END,
      '~N'
    ) || '|' || COALESCE(BTRIM(CAST(TO_JSON(t."day") AS TEXT), '"'), '~N') || '|' || COALESCE(
      REPLACE(BTRIM(CAST(TO_JSON(t."at" AT TIME ZONE 'UTC') AS TEXT), '"'), ' ', 'T'),
      '~N'
    ) || '|' || COALESCE(CAST(t."is_it" AS TEXT), '~N') || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN CAST(CASE
              WHEN CAST(t."doc" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."doc" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."doc" AS TEXT))
              ELSE CAST(t."doc" AS JSONB)
            END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
            THEN REGEXP_REPLACE(
              CAST(CASE
                WHEN CAST(t."doc" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."doc" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."doc" AS TEXT))
                ELSE CAST(t."doc" AS JSONB)
              END AS TEXT),
              '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
              '\1\3',
              'g'
            )
            ELSE CAST(CASE
              WHEN CAST(t."doc" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."doc" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."doc" AS TEXT))
              ELSE CAST(t."doc" AS JSONB)
            END AS TEXT)
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(REPLACE(REPLACE(CAST(t."list" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(ENCODE(t."raw", 'hex')), '~N') AS line
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND CAST(CAST((
        'x' || LPAD(
          SUBSTRING(MD5(
            CONVERT_TO(
              COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N'),
              'UTF8'
            )
          ) FROM 1 FOR 8),
          16,
          '0'
        )
      ) AS BIT(64)) AS BIGINT) % 1000000 < 5000
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
    SUBSTRING(MD5(
      CONVERT_TO(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N'),
        'UTF8'
      )
    ) FROM 1 FOR 3) AS b,
    COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(TRIM_SCALE(t."amount") AS TEXT), '~N') || '|' || COALESCE(
      CASE
        WHEN CAST(t."rate" AS DOUBLE PRECISION) = 0
        THEN '0'
        WHEN CAST(t."rate" AS DOUBLE PRECISION) <= 1.7976931348623157e308
        AND CAST(t."rate" AS DOUBLE PRECISION) >= -1.7976931348623157e308
        THEN LTRIM(TO_CHAR(CAST(t."rate" AS DOUBLE PRECISION), '9.99999999999999EEEE'))
        WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE PRECISION) AS TEXT)) IN ('nan', '-nan')
        THEN 'nan'
        WHEN CAST(t."rate" AS DOUBLE PRECISION) < 0
        THEN '-inf'
        WHEN CAST(t."rate" AS DOUBLE PRECISION) > 0
        THEN 'inf'
      END,
      '~N'
    ) || '|' || COALESCE(BTRIM(CAST(TO_JSON(t."day") AS TEXT), '"'), '~N') || '|' || COALESCE(
      REPLACE(BTRIM(CAST(TO_JSON(t."at" AT TIME ZONE 'UTC') AS TEXT), '"'), ' ', 'T'),
      '~N'
    ) || '|' || COALESCE(CAST(t."is_it" AS TEXT), '~N') || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CASE
            WHEN CAST(CASE
              WHEN CAST(t."doc" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."doc" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."doc" AS TEXT))
              ELSE CAST(t."doc" AS JSONB)
            END AS TEXT) ~ '\.[0-9]*0([^0-9]|$)'
            THEN REGEXP_REPLACE(
              CAST(CASE
                WHEN CAST(t."doc" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
                AND CAST(t."doc" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
                THEN TO_JSONB(CAST(t."doc" AS TEXT))
                ELSE CAST(t."doc" AS JSONB)
              END AS TEXT),
              '("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])',
              '\1\3',
              'g'
            )
            ELSE CAST(CASE
              WHEN CAST(t."doc" AS TEXT) ~ '\\u|[eE][+-]?[0-9]{5}'
              AND CAST(t."doc" AS TEXT) ~ '\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)'
              THEN TO_JSONB(CAST(t."doc" AS TEXT))
              ELSE CAST(t."doc" AS JSONB)
            END AS TEXT)
          END,
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(REPLACE(REPLACE(CAST(t."list" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(LOWER(ENCODE(t."raw", 'hex')), '~N') AS line
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND CAST(CAST((
        'x' || LPAD(
          SUBSTRING(MD5(
            CONVERT_TO(
              COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N'),
              'UTF8'
            )
          ) FROM 1 FOR 8),
          16,
          '0'
        )
      ) AS BIT(64)) AS BIGINT) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
) AS t
WHERE
  t.b IN ('000');
