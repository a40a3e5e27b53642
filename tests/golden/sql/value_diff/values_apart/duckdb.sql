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
        AND CAST((
          '0x' || SUBSTRING(
            MD5(
              COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
            ),
            1,
            8
          )
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
        AND CAST((
          '0x' || SUBSTRING(
            MD5(
              COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
            ),
            1,
            8
          )
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
  SUM(CAST((
    '0x' || SUBSTRING(t.h, 4, 10)
  ) AS BIGINT)) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      MD5(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    MD5(
      COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(LOWER(CAST(t."a ""quoted"" one" AS TEXT)), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."amount" AS TEXT) LIKE '%.%'
          THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
          ELSE CAST(t."amount" AS TEXT)
        END,
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."rate" AS DOUBLE) = 0
          THEN '0'
          WHEN CAST(t."rate" AS DOUBLE) <= 1.7976931348623157e308
          AND CAST(t."rate" AS DOUBLE) >= -1.7976931348623157e308
          THEN PRINTF('%.14e', CAST(t."rate" AS DOUBLE))
          WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE) AS TEXT)) IN ('nan', '-nan')
          THEN 'nan'
          WHEN CAST(t."rate" AS DOUBLE) < 0
          THEN '-inf'
          WHEN CAST(t."rate" AS DOUBLE) > 0
          THEN 'inf'
        END,
        '~N'
      ) || '|' || COALESCE(REGEXP_REPLACE(CAST(t."day" AS TEXT), ' \(BC\)(.*)', '\1 BC'), '~N') || '|' || COALESCE(
        CASE
          WHEN REPLACE(
            REGEXP_REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS TEXT), ' \(BC\)(.*)', '\1 BC'),
            ' ',
            'T'
          ) LIKE '%.%'
          THEN RTRIM(
            RTRIM(
              REPLACE(
                REGEXP_REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS TEXT), ' \(BC\)(.*)', '\1 BC'),
                ' ',
                'T'
              ),
              '0'
            ),
            '.'
          )
          ELSE REPLACE(
            REGEXP_REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS TEXT), ' \(BC\)(.*)', '\1 BC'),
            ' ',
            'T'
          )
        END,
        '~N'
      ) || '|' || COALESCE(CAST(t."is_it" AS TEXT), '~N') || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CAST(CASE
              WHEN REGEXP_MATCHES(CAST(t."doc" AS TEXT), '[1-9][0-9.]{14,}[1-9]|[eE][+-]?[0-9]{3}')
              THEN REGEXP_REPLACE(
                REGEXP_REPLACE(CAST(t."doc" AS TEXT), '("(?:[^"\\]|\\.)*")|\s+', '\1', 'g'),
                '("(?:[^"\\]|\\.)*")|(\.[0-9]*[1-9])0+([^0-9]|$)|\.0+([^0-9]|$)',
                '\1\2\3\4',
                'g'
              )
              ELSE CAST(json(t."doc") AS TEXT)
            END AS TEXT),
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(HEX(create_sort_key(t."list", 'ASC NULLS FIRST')), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(LOWER(HEX(t."raw")), '~N')
    ) AS h,
    MD5(
      COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
    ) AS k
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND CAST((
        '0x' || SUBSTRING(
          MD5(
            COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        )
      ) AS BIGINT) % 1000000 < 5000
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
  SUM(CAST((
    '0x' || SUBSTRING(t.h, 4, 10)
  ) AS BIGINT)) AS f1,
  COUNT(DISTINCT t.k) AS f2
FROM (
  SELECT
    SUBSTRING(
      MD5(
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    MD5(
      COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(
        REPLACE(REPLACE(LOWER(CAST(t."a ""quoted"" one" AS TEXT)), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."amount" AS TEXT) LIKE '%.%'
          THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
          ELSE CAST(t."amount" AS TEXT)
        END,
        '~N'
      ) || '|' || COALESCE(
        CASE
          WHEN CAST(t."rate" AS DOUBLE) = 0
          THEN '0'
          WHEN CAST(t."rate" AS DOUBLE) <= 1.7976931348623157e308
          AND CAST(t."rate" AS DOUBLE) >= -1.7976931348623157e308
          THEN PRINTF('%.14e', CAST(t."rate" AS DOUBLE))
          WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE) AS TEXT)) IN ('nan', '-nan')
          THEN 'nan'
          WHEN CAST(t."rate" AS DOUBLE) < 0
          THEN '-inf'
          WHEN CAST(t."rate" AS DOUBLE) > 0
          THEN 'inf'
        END,
        '~N'
      ) || '|' || COALESCE(REGEXP_REPLACE(CAST(t."day" AS TEXT), ' \(BC\)(.*)', '\1 BC'), '~N') || '|' || COALESCE(
        CASE
          WHEN REPLACE(
            REGEXP_REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS TEXT), ' \(BC\)(.*)', '\1 BC'),
            ' ',
            'T'
          ) LIKE '%.%'
          THEN RTRIM(
            RTRIM(
              REPLACE(
                REGEXP_REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS TEXT), ' \(BC\)(.*)', '\1 BC'),
                ' ',
                'T'
              ),
              '0'
            ),
            '.'
          )
          ELSE REPLACE(
            REGEXP_REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS TEXT), ' \(BC\)(.*)', '\1 BC'),
            ' ',
            'T'
          )
        END,
        '~N'
      ) || '|' || COALESCE(CAST(t."is_it" AS TEXT), '~N') || '|' || COALESCE(
        REPLACE(
          REPLACE(
            CAST(CASE
              WHEN REGEXP_MATCHES(CAST(t."doc" AS TEXT), '[1-9][0-9.]{14,}[1-9]|[eE][+-]?[0-9]{3}')
              THEN REGEXP_REPLACE(
                REGEXP_REPLACE(CAST(t."doc" AS TEXT), '("(?:[^"\\]|\\.)*")|\s+', '\1', 'g'),
                '("(?:[^"\\]|\\.)*")|(\.[0-9]*[1-9])0+([^0-9]|$)|\.0+([^0-9]|$)',
                '\1\2\3\4',
                'g'
              )
              ELSE CAST(json(t."doc") AS TEXT)
            END AS TEXT),
            '~',
            '~t'
          ),
          '|',
          '~p'
        ),
        '~N'
      ) || '|' || COALESCE(
        REPLACE(REPLACE(HEX(create_sort_key(t."list", 'ASC NULLS FIRST')), '~', '~t'), '|', '~p'),
        '~N'
      ) || '|' || COALESCE(LOWER(HEX(t."raw")), '~N')
    ) AS h,
    MD5(
      COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
    ) AS k
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND CAST((
        '0x' || SUBSTRING(
          MD5(
            COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        )
      ) AS BIGINT) % 1000000 < 5000
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
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
      CASE
        WHEN CAST(t."amount" AS TEXT) LIKE '%.%'
        THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
        ELSE CAST(t."amount" AS TEXT)
      END,
      '~N'
    ) || '|' || COALESCE(
      CASE
        WHEN CAST(t."rate" AS DOUBLE) = 0
        THEN '0'
        WHEN CAST(t."rate" AS DOUBLE) <= 1.7976931348623157e308
        AND CAST(t."rate" AS DOUBLE) >= -1.7976931348623157e308
        THEN PRINTF('%.14e', CAST(t."rate" AS DOUBLE))
        WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE) AS TEXT)) IN ('nan', '-nan')
        THEN 'nan'
        WHEN CAST(t."rate" AS DOUBLE) < 0
        THEN '-inf'
        WHEN CAST(t."rate" AS DOUBLE) > 0
        THEN 'inf'
      END,
      '~N'
    ) || '|' || COALESCE(REGEXP_REPLACE(CAST(t."day" AS TEXT), ' \(BC\)(.*)', '\1 BC'), '~N') || '|' || COALESCE(
      CASE
        WHEN REPLACE(
          REGEXP_REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS TEXT), ' \(BC\)(.*)', '\1 BC'),
          ' ',
          'T'
        ) LIKE '%.%'
        THEN RTRIM(
          RTRIM(
            REPLACE(
              REGEXP_REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS TEXT), ' \(BC\)(.*)', '\1 BC'),
              ' ',
              'T'
            ),
            '0'
          ),
          '.'
        )
        ELSE REPLACE(
          REGEXP_REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS TEXT), ' \(BC\)(.*)', '\1 BC'),
          ' ',
          'T'
        )
      END,
      '~N'
    ) || '|' || COALESCE(CAST(t."is_it" AS TEXT), '~N') || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CAST(CASE
            WHEN REGEXP_MATCHES(CAST(t."doc" AS TEXT), '[1-9][0-9.]{14,}[1-9]|[eE][+-]?[0-9]{3}')
            THEN REGEXP_REPLACE(
              REGEXP_REPLACE(CAST(t."doc" AS TEXT), '("(?:[^"\\]|\\.)*")|\s+', '\1', 'g'),
              '("(?:[^"\\]|\\.)*")|(\.[0-9]*[1-9])0+([^0-9]|$)|\.0+([^0-9]|$)',
              '\1\2\3\4',
              'g'
            )
            ELSE CAST(json(t."doc") AS TEXT)
          END AS TEXT),
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(REPLACE(HEX(create_sort_key(t."list", 'ASC NULLS FIRST')), '~', '~t'), '|', '~p'),
      '~N'
    ) || '|' || COALESCE(LOWER(HEX(t."raw")), '~N') AS line
  FROM (
    SELECT
      *
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND CAST((
        '0x' || SUBSTRING(
          MD5(
            COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        )
      ) AS BIGINT) % 1000000 < 5000
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
        COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
      ),
      1,
      3
    ) AS b,
    COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(CAST(t."line" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."a ""quoted"" one" AS TEXT), '~', '~t'), '|', '~p'), '~N') || '|' || COALESCE(
      CASE
        WHEN CAST(t."amount" AS TEXT) LIKE '%.%'
        THEN RTRIM(RTRIM(CAST(t."amount" AS TEXT), '0'), '.')
        ELSE CAST(t."amount" AS TEXT)
      END,
      '~N'
    ) || '|' || COALESCE(
      CASE
        WHEN CAST(t."rate" AS DOUBLE) = 0
        THEN '0'
        WHEN CAST(t."rate" AS DOUBLE) <= 1.7976931348623157e308
        AND CAST(t."rate" AS DOUBLE) >= -1.7976931348623157e308
        THEN PRINTF('%.14e', CAST(t."rate" AS DOUBLE))
        WHEN LOWER(CAST(CAST(t."rate" AS DOUBLE) AS TEXT)) IN ('nan', '-nan')
        THEN 'nan'
        WHEN CAST(t."rate" AS DOUBLE) < 0
        THEN '-inf'
        WHEN CAST(t."rate" AS DOUBLE) > 0
        THEN 'inf'
      END,
      '~N'
    ) || '|' || COALESCE(REGEXP_REPLACE(CAST(t."day" AS TEXT), ' \(BC\)(.*)', '\1 BC'), '~N') || '|' || COALESCE(
      CASE
        WHEN REPLACE(
          REGEXP_REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS TEXT), ' \(BC\)(.*)', '\1 BC'),
          ' ',
          'T'
        ) LIKE '%.%'
        THEN RTRIM(
          RTRIM(
            REPLACE(
              REGEXP_REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS TEXT), ' \(BC\)(.*)', '\1 BC'),
              ' ',
              'T'
            ),
            '0'
          ),
          '.'
        )
        ELSE REPLACE(
          REGEXP_REPLACE(CAST(t."at" AT TIME ZONE 'UTC' AS TEXT), ' \(BC\)(.*)', '\1 BC'),
          ' ',
          'T'
        )
      END,
      '~N'
    ) || '|' || COALESCE(CAST(t."is_it" AS TEXT), '~N') || '|' || COALESCE(
      REPLACE(
        REPLACE(
          CAST(CASE
            WHEN REGEXP_MATCHES(CAST(t."doc" AS TEXT), '[1-9][0-9.]{14,}[1-9]|[eE][+-]?[0-9]{3}')
            THEN REGEXP_REPLACE(
              REGEXP_REPLACE(CAST(t."doc" AS TEXT), '("(?:[^"\\]|\\.)*")|\s+', '\1', 'g'),
              '("(?:[^"\\]|\\.)*")|(\.[0-9]*[1-9])0+([^0-9]|$)|\.0+([^0-9]|$)',
              '\1\2\3\4',
              'g'
            )
            ELSE CAST(json(t."doc") AS TEXT)
          END AS TEXT),
          '~',
          '~t'
        ),
        '|',
        '~p'
      ),
      '~N'
    ) || '|' || COALESCE(
      REPLACE(REPLACE(HEX(create_sort_key(t."list", 'ASC NULLS FIRST')), '~', '~t'), '|', '~p'),
      '~N'
    ) || '|' || COALESCE(LOWER(HEX(t."raw")), '~N') AS line
  FROM (
    SELECT
      *
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND CAST((
        '0x' || SUBSTRING(
          MD5(
            COALESCE(CAST(t."id" AS TEXT), '~N') || '|' || COALESCE(REPLACE(REPLACE(CAST(t."order" AS TEXT), '~', '~t'), '|', '~p'), '~N')
          ),
          1,
          8
        )
      ) AS BIGINT) % 1000000 < 5000
  ) AS t
  WHERE
    NOT t."id" IS NULL AND NOT t."order" IS NULL
) AS t
WHERE
  t.b IN ('000');
