-- rows of orders_base in 4,096 buckets
SELECT
  SUBSTRING(t.h FROM 1 FOR 3) AS bucket,
  COUNT(*) AS n,
  SUM(STRTOL(SUBSTRING(t.h FROM 4 FOR 10), 16)) AS sum_0,
  SUM(STRTOL(SUBSTRING(t.h FROM 14 FOR 10), 16)) AS sum_1,
  SUM(STRTOL(SUBSTRING(t.h FROM 24 FOR 9), 16)) AS sum_2
FROM (
  SELECT
    MD5(
      COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS VARCHAR(65535)), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."amount" AS VARCHAR(65535)) LIKE '%.%'
          THEN RTRIM(RTRIM(CAST(t."amount" AS VARCHAR(65535)), '0'), '.')
          ELSE CAST(t."amount" AS VARCHAR(65535))
        END,
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."rate" AS DOUBLE PRECISION) = 0
          THEN '0'
          WHEN CAST(t."rate" AS DOUBLE PRECISION) <= 1.7976931348623157e308
          AND CAST(t."rate" AS DOUBLE PRECISION) >= -1.7976931348623157e308
          THEN CAST(CAST(t."rate" AS DOUBLE PRECISION) AS VARCHAR(65535))
          WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE PRECISION) AS VARCHAR(65535))) IN ('nan', '-nan')
          THEN 'nan'
          WHEN CAST(t."rate" AS DOUBLE PRECISION) < 0
          THEN '-inf'
          WHEN CAST(t."rate" AS DOUBLE PRECISION) > 0
          THEN 'inf'
        END,
        '~N'
      ) || '|' || COALESCE(CAST(t."day" AS VARCHAR(65535)), '~N') || '|' || COALESCE(
        CASE
          WHEN REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T') LIKE '%.%'
          THEN RTRIM(
            RTRIM(REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T'), '0'),
            '.'
          )
          ELSE REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T')
        END,
        '~N'
      ) || '|' || COALESCE(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END, '~N') || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
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
            CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(LOWER(TO_HEX(t."raw")), '~N')
    ) AS h
  FROM orders_base AS t
) AS t
GROUP BY
  SUBSTRING(t.h FROM 1 FOR 3);

-- rows of orders_current in 4,096 buckets
SELECT
  SUBSTRING(t.h FROM 1 FOR 3) AS bucket,
  COUNT(*) AS n,
  SUM(STRTOL(SUBSTRING(t.h FROM 4 FOR 10), 16)) AS sum_0,
  SUM(STRTOL(SUBSTRING(t.h FROM 14 FOR 10), 16)) AS sum_1,
  SUM(STRTOL(SUBSTRING(t.h FROM 24 FOR 9), 16)) AS sum_2
FROM (
  SELECT
    MD5(
      COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS VARCHAR(65535)), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."amount" AS VARCHAR(65535)) LIKE '%.%'
          THEN RTRIM(RTRIM(CAST(t."amount" AS VARCHAR(65535)), '0'), '.')
          ELSE CAST(t."amount" AS VARCHAR(65535))
        END,
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."rate" AS DOUBLE PRECISION) = 0
          THEN '0'
          WHEN CAST(t."rate" AS DOUBLE PRECISION) <= 1.7976931348623157e308
          AND CAST(t."rate" AS DOUBLE PRECISION) >= -1.7976931348623157e308
          THEN CAST(CAST(t."rate" AS DOUBLE PRECISION) AS VARCHAR(65535))
          WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE PRECISION) AS VARCHAR(65535))) IN ('nan', '-nan')
          THEN 'nan'
          WHEN CAST(t."rate" AS DOUBLE PRECISION) < 0
          THEN '-inf'
          WHEN CAST(t."rate" AS DOUBLE PRECISION) > 0
          THEN 'inf'
        END,
        '~N'
      ) || '|' || COALESCE(CAST(t."day" AS VARCHAR(65535)), '~N') || '|' || COALESCE(
        CASE
          WHEN REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T') LIKE '%.%'
          THEN RTRIM(
            RTRIM(REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T'), '0'),
            '.'
          )
          ELSE REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T')
        END,
        '~N'
      ) || '|' || COALESCE(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END, '~N') || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
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
            CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(LOWER(TO_HEX(t."raw")), '~N')
    ) AS h
  FROM orders_current AS t
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
      COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS VARCHAR(65535)), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."amount" AS VARCHAR(65535)) LIKE '%.%'
          THEN RTRIM(RTRIM(CAST(t."amount" AS VARCHAR(65535)), '0'), '.')
          ELSE CAST(t."amount" AS VARCHAR(65535))
        END,
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."rate" AS DOUBLE PRECISION) = 0
          THEN '0'
          WHEN CAST(t."rate" AS DOUBLE PRECISION) <= 1.7976931348623157e308
          AND CAST(t."rate" AS DOUBLE PRECISION) >= -1.7976931348623157e308
          THEN CAST(CAST(t."rate" AS DOUBLE PRECISION) AS VARCHAR(65535))
          WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE PRECISION) AS VARCHAR(65535))) IN ('nan', '-nan')
          THEN 'nan'
          WHEN CAST(t."rate" AS DOUBLE PRECISION) < 0
          THEN '-inf'
          WHEN CAST(t."rate" AS DOUBLE PRECISION) > 0
          THEN 'inf'
        END,
        '~N'
      ) || '|' || COALESCE(CAST(t."day" AS VARCHAR(65535)), '~N') || '|' || COALESCE(
        CASE
          WHEN REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T') LIKE '%.%'
          THEN RTRIM(
            RTRIM(REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T'), '0'),
            '.'
          )
          ELSE REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T')
        END,
        '~N'
      ) || '|' || COALESCE(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END, '~N') || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
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
            CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(LOWER(TO_HEX(t."raw")), '~N')
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
      COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS VARCHAR(65535)), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."amount" AS VARCHAR(65535)) LIKE '%.%'
          THEN RTRIM(RTRIM(CAST(t."amount" AS VARCHAR(65535)), '0'), '.')
          ELSE CAST(t."amount" AS VARCHAR(65535))
        END,
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."rate" AS DOUBLE PRECISION) = 0
          THEN '0'
          WHEN CAST(t."rate" AS DOUBLE PRECISION) <= 1.7976931348623157e308
          AND CAST(t."rate" AS DOUBLE PRECISION) >= -1.7976931348623157e308
          THEN CAST(CAST(t."rate" AS DOUBLE PRECISION) AS VARCHAR(65535))
          WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE PRECISION) AS VARCHAR(65535))) IN ('nan', '-nan')
          THEN 'nan'
          WHEN CAST(t."rate" AS DOUBLE PRECISION) < 0
          THEN '-inf'
          WHEN CAST(t."rate" AS DOUBLE PRECISION) > 0
          THEN 'inf'
        END,
        '~N'
      ) || '|' || COALESCE(CAST(t."day" AS VARCHAR(65535)), '~N') || '|' || COALESCE(
        CASE
          WHEN REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T') LIKE '%.%'
          THEN RTRIM(
            RTRIM(REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T'), '0'),
            '.'
          )
          ELSE REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T')
        END,
        '~N'
      ) || '|' || COALESCE(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END, '~N') || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
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
            CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(LOWER(TO_HEX(t."raw")), '~N')
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
  CAST(d.r6 AS VARCHAR(65535)) AS r6,
  CAST(d.r7 AT TIME ZONE 'UTC' AS VARCHAR(65535)) AS r7,
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
        COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
          REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS VARCHAR(65535)), '~', '~t'), '|', '~p'),
          '~N'
        ) || '|' || COALESCE(
          CASE
            WHEN CAST(t."amount" AS VARCHAR(65535)) LIKE '%.%'
            THEN RTRIM(RTRIM(CAST(t."amount" AS VARCHAR(65535)), '0'), '.')
            ELSE CAST(t."amount" AS VARCHAR(65535))
          END,
          '~N'
        ) || '|' || COALESCE(
          CASE
            WHEN CAST(t."rate" AS DOUBLE PRECISION) = 0
            THEN '0'
            WHEN CAST(t."rate" AS DOUBLE PRECISION) <= 1.7976931348623157e308
            AND CAST(t."rate" AS DOUBLE PRECISION) >= -1.7976931348623157e308
            THEN CAST(CAST(t."rate" AS DOUBLE PRECISION) AS VARCHAR(65535))
            WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE PRECISION) AS VARCHAR(65535))) IN ('nan', '-nan')
            THEN 'nan'
            WHEN CAST(t."rate" AS DOUBLE PRECISION) < 0
            THEN '-inf'
            WHEN CAST(t."rate" AS DOUBLE PRECISION) > 0
            THEN 'inf'
          END,
          '~N'
        ) || '|' || COALESCE(CAST(t."day" AS VARCHAR(65535)), '~N') || '|' || COALESCE(
          CASE
            WHEN REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T') LIKE '%.%'
            THEN RTRIM(
              RTRIM(REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T'), '0'),
              '.'
            )
            ELSE REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T')
          END,
          '~N'
        ) || '|' || COALESCE(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END, '~N') || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
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
              CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(LOWER(TO_HEX(t."raw")), '~N')
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
  CAST(d.r6 AS VARCHAR(65535)) AS r6,
  CAST(d.r7 AT TIME ZONE 'UTC' AS VARCHAR(65535)) AS r7,
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
        COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
          REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS VARCHAR(65535)), '~', '~t'), '|', '~p'),
          '~N'
        ) || '|' || COALESCE(
          CASE
            WHEN CAST(t."amount" AS VARCHAR(65535)) LIKE '%.%'
            THEN RTRIM(RTRIM(CAST(t."amount" AS VARCHAR(65535)), '0'), '.')
            ELSE CAST(t."amount" AS VARCHAR(65535))
          END,
          '~N'
        ) || '|' || COALESCE(
          CASE
            WHEN CAST(t."rate" AS DOUBLE PRECISION) = 0
            THEN '0'
            WHEN CAST(t."rate" AS DOUBLE PRECISION) <= 1.7976931348623157e308
            AND CAST(t."rate" AS DOUBLE PRECISION) >= -1.7976931348623157e308
            THEN CAST(CAST(t."rate" AS DOUBLE PRECISION) AS VARCHAR(65535))
            WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE PRECISION) AS VARCHAR(65535))) IN ('nan', '-nan')
            THEN 'nan'
            WHEN CAST(t."rate" AS DOUBLE PRECISION) < 0
            THEN '-inf'
            WHEN CAST(t."rate" AS DOUBLE PRECISION) > 0
            THEN 'inf'
          END,
          '~N'
        ) || '|' || COALESCE(CAST(t."day" AS VARCHAR(65535)), '~N') || '|' || COALESCE(
          CASE
            WHEN REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T') LIKE '%.%'
            THEN RTRIM(
              RTRIM(REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T'), '0'),
              '.'
            )
            ELSE REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS VARCHAR(65535)), ' ', 'T')
          END,
          '~N'
        ) || '|' || COALESCE(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END, '~N') || '|' || COALESCE(
          REPLACE(
            REPLACE(
              CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
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
              CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
              '~',
              '~t'
            ),
            '|',
            '~p'
          ),
          '~N'
        ) || '|' || COALESCE(LOWER(TO_HEX(t."raw")), '~N')
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
