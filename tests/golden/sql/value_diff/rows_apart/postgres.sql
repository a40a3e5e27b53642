-- rows of orders_base in 4,096 buckets
SELECT
  SUBSTRING(t.h FROM 1 FOR 3) AS bucket,
  COUNT(*) AS n,
  SUM(
    CAST(CAST((
      'x' || LPAD(SUBSTRING(t.h FROM 4 FOR 10), 16, '0')
    ) AS BIT(64)) AS BIGINT)
  ) AS sum_0,
  SUM(
    CAST(CAST((
      'x' || LPAD(SUBSTRING(t.h FROM 14 FOR 10), 16, '0')
    ) AS BIT(64)) AS BIGINT)
  ) AS sum_1,
  SUM(
    CAST(CAST((
      'x' || LPAD(SUBSTRING(t.h FROM 24 FOR 9), 16, '0')
    ) AS BIT(64)) AS BIGINT)
  ) AS sum_2
FROM (
  SELECT
    MD5(
      CONVERT_TO(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(TRIM_SCALE(t."amount") AS TEXT), '~N') || '|' || COALESCE(
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
    ) AS h
  FROM orders_base AS t
  OFFSET 0
) AS t
GROUP BY
  SUBSTRING(t.h FROM 1 FOR 3);

-- rows of orders_current in 4,096 buckets
SELECT
  SUBSTRING(t.h FROM 1 FOR 3) AS bucket,
  COUNT(*) AS n,
  SUM(
    CAST(CAST((
      'x' || LPAD(SUBSTRING(t.h FROM 4 FOR 10), 16, '0')
    ) AS BIT(64)) AS BIGINT)
  ) AS sum_0,
  SUM(
    CAST(CAST((
      'x' || LPAD(SUBSTRING(t.h FROM 14 FOR 10), 16, '0')
    ) AS BIT(64)) AS BIGINT)
  ) AS sum_1,
  SUM(
    CAST(CAST((
      'x' || LPAD(SUBSTRING(t.h FROM 24 FOR 9), 16, '0')
    ) AS BIT(64)) AS BIGINT)
  ) AS sum_2
FROM (
  SELECT
    MD5(
      CONVERT_TO(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(TRIM_SCALE(t."amount") AS TEXT), '~N') || '|' || COALESCE(
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
    ) AS h
  FROM orders_current AS t
  OFFSET 0
) AS t
GROUP BY
  SUBSTRING(t.h FROM 1 FOR 3);

-- hashes of orders_base in 1 buckets
SELECT
  t.h,
  COUNT(*) AS n
FROM (
  SELECT
    MD5(
      CONVERT_TO(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(TRIM_SCALE(t."amount") AS TEXT), '~N') || '|' || COALESCE(
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
    ) AS h
  FROM orders_base AS t
) AS t
WHERE
  SUBSTRING(t.h FROM 1 FOR 3) IN ('000')
GROUP BY
  t.h;

-- hashes of orders_current in 1 buckets
SELECT
  t.h,
  COUNT(*) AS n
FROM (
  SELECT
    MD5(
      CONVERT_TO(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(TRIM_SCALE(t."amount") AS TEXT), '~N') || '|' || COALESCE(
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
    ) AS h
  FROM orders_current AS t
) AS t
WHERE
  SUBSTRING(t.h FROM 1 FOR 3) IN ('000')
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
  BTRIM(CAST(TO_JSON(d.r6) AS TEXT), '"') AS r6,
  BTRIM(CAST(TO_JSON(d.r7 AT TIME ZONE 'UTC') AS TEXT), '"') AS r7,
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
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY t.h) AS n
  FROM (
    SELECT
      MD5(
        CONVERT_TO(
          COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(TRIM_SCALE(t."amount") AS TEXT), '~N') || '|' || COALESCE(
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
      t."id" AS r0,
      t."line" AS r1,
      t."order" AS r2,
      t."a ""quoted"" one" AS r3,
      t."amount" AS r4,
      t."rate" AS r5,
      t."day" AS r6,
      t."at" AS r7,
      t."is_it" AS r8,
      t."doc" AS r9,
      t."list" AS r10,
      t."raw" AS r11
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
  BTRIM(CAST(TO_JSON(d.r6) AS TEXT), '"') AS r6,
  BTRIM(CAST(TO_JSON(d.r7 AT TIME ZONE 'UTC') AS TEXT), '"') AS r7,
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
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY t.h) AS n
  FROM (
    SELECT
      MD5(
        CONVERT_TO(
          COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(TRIM_SCALE(t."amount") AS TEXT), '~N') || '|' || COALESCE(
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
      t."id" AS r0,
      t."line" AS r1,
      t."order" AS r2,
      t."a ""quoted"" one" AS r3,
      t."amount" AS r4,
      t."rate" AS r5,
      t."day" AS r6,
      t."at" AS r7,
      t."is_it" AS r8,
      t."doc" AS r9,
      t."list" AS r10,
      t."raw" AS r11
    FROM orders_current AS t
  ) AS t
  WHERE
    t.h IN ('00000000000000000000000000000000')
) AS d
WHERE
  d.n = 1;
