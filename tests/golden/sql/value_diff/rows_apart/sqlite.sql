-- rows of orders_base in 4,096 buckets
SELECT
  SUBSTRING(t.h, 1, 3) AS bucket,
  COUNT(*) AS n,
  SUM(recce_hex(SUBSTRING(t.h, 4, 10))) AS sum_0,
  SUM(recce_hex(SUBSTRING(t.h, 14, 10))) AS sum_1,
  SUM(recce_hex(SUBSTRING(t.h, 24, 9))) AS sum_2
FROM (
  SELECT
    recce_md5(
      COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."line" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN CAST(t."amount" AS TEXT) LIKE '%.%'
              THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
              ELSE CAST(t."amount" AS TEXT)
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN CAST(t."rate" AS REAL) = 0
              THEN '0'
              WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
              AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
              THEN recce_scientific(CAST(t."rate" AS REAL))
              WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
              THEN 'nan'
              WHEN CAST(t."rate" AS REAL) < 0
              THEN '-inf'
              WHEN CAST(t."rate" AS REAL) > 0
              THEN 'inf'
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(REPLACE(CAST(t."day" AS TEXT), 'T', ' '), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%'
              THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
              ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END, '~', '~t'),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(REPLACE(REPLACE(LOWER(HEX(t."raw")), '~', '~t'), '|', '~p'), '~N')
    ) AS h
  FROM orders_base AS t
) AS t
GROUP BY
  SUBSTRING(t.h, 1, 3);

-- rows of orders_current in 4,096 buckets
SELECT
  SUBSTRING(t.h, 1, 3) AS bucket,
  COUNT(*) AS n,
  SUM(recce_hex(SUBSTRING(t.h, 4, 10))) AS sum_0,
  SUM(recce_hex(SUBSTRING(t.h, 14, 10))) AS sum_1,
  SUM(recce_hex(SUBSTRING(t.h, 24, 9))) AS sum_2
FROM (
  SELECT
    recce_md5(
      COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."line" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN CAST(t."amount" AS TEXT) LIKE '%.%'
              THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
              ELSE CAST(t."amount" AS TEXT)
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN CAST(t."rate" AS REAL) = 0
              THEN '0'
              WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
              AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
              THEN recce_scientific(CAST(t."rate" AS REAL))
              WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
              THEN 'nan'
              WHEN CAST(t."rate" AS REAL) < 0
              THEN '-inf'
              WHEN CAST(t."rate" AS REAL) > 0
              THEN 'inf'
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(REPLACE(CAST(t."day" AS TEXT), 'T', ' '), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%'
              THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
              ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END, '~', '~t'),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(REPLACE(REPLACE(LOWER(HEX(t."raw")), '~', '~t'), '|', '~p'), '~N')
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
    recce_md5(
      COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."line" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN CAST(t."amount" AS TEXT) LIKE '%.%'
              THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
              ELSE CAST(t."amount" AS TEXT)
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN CAST(t."rate" AS REAL) = 0
              THEN '0'
              WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
              AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
              THEN recce_scientific(CAST(t."rate" AS REAL))
              WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
              THEN 'nan'
              WHEN CAST(t."rate" AS REAL) < 0
              THEN '-inf'
              WHEN CAST(t."rate" AS REAL) > 0
              THEN 'inf'
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(REPLACE(CAST(t."day" AS TEXT), 'T', ' '), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%'
              THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
              ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END, '~', '~t'),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(REPLACE(REPLACE(LOWER(HEX(t."raw")), '~', '~t'), '|', '~p'), '~N')
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
    recce_md5(
      COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."line" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN CAST(t."amount" AS TEXT) LIKE '%.%'
              THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
              ELSE CAST(t."amount" AS TEXT)
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN CAST(t."rate" AS REAL) = 0
              THEN '0'
              WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
              AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
              THEN recce_scientific(CAST(t."rate" AS REAL))
              WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
              THEN 'nan'
              WHEN CAST(t."rate" AS REAL) < 0
              THEN '-inf'
              WHEN CAST(t."rate" AS REAL) > 0
              THEN 'inf'
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(REPLACE(CAST(t."day" AS TEXT), 'T', ' '), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CASE
              WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%'
              THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
              ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
            END,
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(
          REPLACE(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END, '~', '~t'),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(REPLACE(REPLACE(LOWER(HEX(t."raw")), '~', '~t'), '|', '~p'), '~N')
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
  REPLACE(CAST(d.r6 AS TEXT), 'T', ' ') AS r6,
  REPLACE(CAST(d.r7 AS TEXT), 'T', ' ') AS r7,
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
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY t.h NULLS LAST) AS n
  FROM (
    SELECT
      recce_md5(
        COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."line" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN CAST(t."amount" AS TEXT) LIKE '%.%'
                THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
                ELSE CAST(t."amount" AS TEXT)
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN CAST(t."rate" AS REAL) = 0
                THEN '0'
                WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
                AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
                THEN recce_scientific(CAST(t."rate" AS REAL))
                WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
                THEN 'nan'
                WHEN CAST(t."rate" AS REAL) < 0
                THEN '-inf'
                WHEN CAST(t."rate" AS REAL) > 0
                THEN 'inf'
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(REPLACE(REPLACE(CAST(t."day" AS TEXT), 'T', ' '), '~', '~t'), '|', '~p'),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%'
                THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
                ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END, '~', '~t'),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(REPLACE(CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT), '~', '~t'), '|', '~p'),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(REPLACE(CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT), '~', '~t'), '|', '~p'),
          '~N'
        ) || '|' || COALESCE(REPLACE(REPLACE(LOWER(HEX(t."raw")), '~', '~t'), '|', '~p'), '~N')
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
  REPLACE(CAST(d.r6 AS TEXT), 'T', ' ') AS r6,
  REPLACE(CAST(d.r7 AS TEXT), 'T', ' ') AS r7,
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
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY t.h NULLS LAST) AS n
  FROM (
    SELECT
      recce_md5(
        COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."line" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN CAST(t."amount" AS TEXT) LIKE '%.%'
                THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
                ELSE CAST(t."amount" AS TEXT)
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN CAST(t."rate" AS REAL) = 0
                THEN '0'
                WHEN CAST(t."rate" AS REAL) <= 1.7976931348623157e308
                AND CAST(t."rate" AS REAL) >= -1.7976931348623157e308
                THEN recce_scientific(CAST(t."rate" AS REAL))
                WHEN LOWER(CAST(CAST(t."rate" AS REAL) AS TEXT)) IN ('nan', '-nan')
                THEN 'nan'
                WHEN CAST(t."rate" AS REAL) < 0
                THEN '-inf'
                WHEN CAST(t."rate" AS REAL) > 0
                THEN 'inf'
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(REPLACE(REPLACE(CAST(t."day" AS TEXT), 'T', ' '), '~', '~t'), '|', '~p'),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CASE
                WHEN REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T') LIKE '%.%'
                THEN RTRIM(RTRIM(REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T'), '0'), '.')
                ELSE REPLACE(REPLACE(CAST(t."at" AS TEXT), 'T', ' '), ' ', 'T')
              END,
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(
            REPLACE(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END, '~', '~t'),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(REPLACE(CAST(CAST(t."doc" AS TEXT) COLLATE BINARY AS TEXT), '~', '~t'), '|', '~p'),
          '~N'
        ) || '|' || COALESCE(
          REPLACE(REPLACE(CAST(CAST(t."list" AS TEXT) COLLATE BINARY AS TEXT), '~', '~t'), '|', '~p'),
          '~N'
        ) || '|' || COALESCE(REPLACE(REPLACE(LOWER(HEX(t."raw")), '~', '~t'), '|', '~p'), '~N')
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
