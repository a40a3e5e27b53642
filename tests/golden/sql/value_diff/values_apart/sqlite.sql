-- key of orders_base
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS INTEGER) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS INTEGER) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t."id" AS k0,
      t."order" COLLATE BINARY AS k1
    FROM (
      SELECT
        *
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND recce_hex(
          SUBSTRING(
            recce_md5(
              COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
            ),
            1,
            8
          )
        ) % 1000000 < 5000
    ) AS t
  ) AS s
  GROUP BY
    s.k0,
    s.k1
) AS g;

-- key of orders_current
SELECT
  CAST(COALESCE(SUM(g.n), 0) AS INTEGER) AS n_rows,
  CAST(COALESCE(SUM(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN g.n END), 0) AS INTEGER) AS n_not_null,
  COUNT(CASE WHEN NOT g.k0 IS NULL AND NOT g.k1 IS NULL THEN 1 END) AS n_keys
FROM (
  SELECT
    s.k0,
    s.k1,
    COUNT(*) AS n
  FROM (
    SELECT
      t."id" AS k0,
      t."order" COLLATE BINARY AS k1
    FROM (
      SELECT
        *
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND recce_hex(
          SUBSTRING(
            recce_md5(
              COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
            ),
            1,
            8
          )
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
  SUM(recce_hex(SUBSTRING(t.h, 4, 10))) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      recce_md5(
        COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    recce_md5(
      COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."line" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(LOWER(CAST(t."a ""quoted"" one" AS TEXT)), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
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
    recce_md5(
      COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
    ) AS k
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND recce_hex(
        SUBSTRING(
          recce_md5(
            COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        )
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
  SUM(recce_hex(SUBSTRING(t.h, 4, 10))) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      recce_md5(
        COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    recce_md5(
      COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."line" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(LOWER(CAST(t."a ""quoted"" one" AS TEXT)), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
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
    recce_md5(
      COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
    ) AS k
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND recce_hex(
        SUBSTRING(
          recce_md5(
            COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        )
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
      recce_md5(
        COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."line" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
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
    ) || '|' || COALESCE(REPLACE(REPLACE(LOWER(HEX(t."raw")), '~', '~t'), '|', '~p'), '~N') AS line
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND recce_hex(
        SUBSTRING(
          recce_md5(
            COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        )
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
      recce_md5(
        COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."line" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
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
    ) || '|' || COALESCE(REPLACE(REPLACE(LOWER(HEX(t."raw")), '~', '~t'), '|', '~p'), '~N') AS line
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND recce_hex(
        SUBSTRING(
          recce_md5(
            COALESCE(REPLACE(REPLACE(CAST(t."id" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        )
      ) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
) AS t
WHERE
  t.b IN ('000');
