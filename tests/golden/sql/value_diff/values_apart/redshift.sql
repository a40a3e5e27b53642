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
      COLLATE(t."order", 'case_sensitive') || CHR(1) AS k1
    FROM (
      SELECT
        *
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND STRTOL(
          SUBSTRING(MD5(
            COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N')
          ) FROM 1 FOR 8),
          16
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
      COLLATE(t."order", 'case_sensitive') || CHR(1) AS k1
    FROM (
      SELECT
        *
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND STRTOL(
          SUBSTRING(MD5(
            COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N')
          ) FROM 1 FOR 8),
          16
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
  SUM(STRTOL(SUBSTRING(t.h FROM 4 FOR 10), 16)) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(MD5(
      COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N')
    ) FROM 1 FOR 3) AS b,
    MD5(
      COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR(65535)), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(LOWER(CAST(t."a ""quoted"" one" AS VARCHAR(65535))), '~', '~t'), '|', '~p'),
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
    MD5(
      COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N')
    ) AS k
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND STRTOL(
        SUBSTRING(MD5(
          COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N')
        ) FROM 1 FOR 8),
        16
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
  SUM(STRTOL(SUBSTRING(t.h FROM 4 FOR 10), 16)) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(MD5(
      COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N')
    ) FROM 1 FOR 3) AS b,
    MD5(
      COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR(65535)), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(LOWER(CAST(t."a ""quoted"" one" AS VARCHAR(65535))), '~', '~t'), '|', '~p'),
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
    MD5(
      COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N')
    ) AS k
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND STRTOL(
        SUBSTRING(MD5(
          COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N')
        ) FROM 1 FOR 8),
        16
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
    SUBSTRING(MD5(
      COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N')
    ) FROM 1 FOR 3) AS b,
    COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR(65535)), '~N') || '|' || COALESCE(
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
    ) || '|' || COALESCE(LOWER(TO_HEX(t."raw")), '~N') AS line
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND STRTOL(
        SUBSTRING(MD5(
          COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N')
        ) FROM 1 FOR 8),
        16
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
    SUBSTRING(MD5(
      COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N')
    ) FROM 1 FOR 3) AS b,
    COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS VARCHAR(65535)), '~N') || '|' || COALESCE(
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
    ) || '|' || COALESCE(LOWER(TO_HEX(t."raw")), '~N') AS line
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND STRTOL(
        SUBSTRING(MD5(
          COALESCE(CAST(t."id" AS VARCHAR(65535)), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS VARCHAR(65535)), '~', '~t'), '|', '~p'), '~N')
        ) FROM 1 FOR 8),
        16
      ) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
) AS t
WHERE
  t.b IN ('000');
