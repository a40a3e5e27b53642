-- rows of orders
SELECT
  CAST(COALESCE(SUM(g.n_base), 0) AS SIGNED) AS base_rows,
  CAST(COALESCE(SUM(g.n_current), 0) AS SIGNED) AS current_rows,
  CAST(COALESCE(SUM(CASE WHEN g.n_base < g.n_current THEN g.n_base ELSE g.n_current END), 0) AS SIGNED) AS common
FROM (
  SELECT
    u.h,
    SUM(u.n_base) AS n_base,
    SUM(u.n_current) AS n_current
  FROM (
    SELECT
      t.h,
      1 AS n_base,
      0 AS n_current
    FROM (
      SELECT
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST(t.`a "quoted" one` AS CHAR)),
                    ':',
                    CAST(t.`a "quoted" one` AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`doc` AS CHAR)), ':', CAST(t.`doc` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`list` AS CHAR)), ':', CAST(t.`list` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) AS h
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          CAST(CONV(
            SUBSTRING(
              MD5(
                CONCAT(
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(CAST(t.`a "quoted" one` AS CHAR)),
                      ':',
                      CAST(t.`a "quoted" one` AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)),
                      ':',
                      CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST((
                          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                        ) AS CHAR)
                      ),
                      ':',
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`doc` AS CHAR)), ':', CAST(t.`doc` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`list` AS CHAR)), ':', CAST(t.`list` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                    '~'
                  )
                )
              ),
              1,
              15
            ),
            16,
            10
          ) AS SIGNED) % 1000000
        ) < 5000
    ) AS t
    UNION ALL
    SELECT
      t.h,
      0 AS n_base,
      1 AS n_current
    FROM (
      SELECT
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST(t.`a "quoted" one` AS CHAR)),
                    ':',
                    CAST(t.`a "quoted" one` AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`doc` AS CHAR)), ':', CAST(t.`doc` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`list` AS CHAR)), ':', CAST(t.`list` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) AS h
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          CAST(CONV(
            SUBSTRING(
              MD5(
                CONCAT(
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(CAST(t.`a "quoted" one` AS CHAR)),
                      ':',
                      CAST(t.`a "quoted" one` AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)),
                      ':',
                      CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST((
                          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                        ) AS CHAR)
                      ),
                      ':',
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`doc` AS CHAR)), ':', CAST(t.`doc` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`list` AS CHAR)), ':', CAST(t.`list` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                    '~'
                  )
                )
              ),
              1,
              15
            ),
            16,
            10
          ) AS SIGNED) % 1000000
        ) < 5000
    ) AS t
  ) AS u
  GROUP BY
    u.h
) AS g;

-- rows of orders that differ
SELECT
  g.h,
  g.n_base,
  g.n_current
FROM (
  SELECT
    u.h,
    SUM(u.n_base) AS n_base,
    SUM(u.n_current) AS n_current
  FROM (
    SELECT
      t.h,
      1 AS n_base,
      0 AS n_current
    FROM (
      SELECT
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST(t.`a "quoted" one` AS CHAR)),
                    ':',
                    CAST(t.`a "quoted" one` AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`doc` AS CHAR)), ':', CAST(t.`doc` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`list` AS CHAR)), ':', CAST(t.`list` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) AS h
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          CAST(CONV(
            SUBSTRING(
              MD5(
                CONCAT(
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(CAST(t.`a "quoted" one` AS CHAR)),
                      ':',
                      CAST(t.`a "quoted" one` AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)),
                      ':',
                      CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST((
                          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                        ) AS CHAR)
                      ),
                      ':',
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`doc` AS CHAR)), ':', CAST(t.`doc` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`list` AS CHAR)), ':', CAST(t.`list` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                    '~'
                  )
                )
              ),
              1,
              15
            ),
            16,
            10
          ) AS SIGNED) % 1000000
        ) < 5000
    ) AS t
    UNION ALL
    SELECT
      t.h,
      0 AS n_base,
      1 AS n_current
    FROM (
      SELECT
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST(t.`a "quoted" one` AS CHAR)),
                    ':',
                    CAST(t.`a "quoted" one` AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`doc` AS CHAR)), ':', CAST(t.`doc` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`list` AS CHAR)), ':', CAST(t.`list` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) AS h
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          CAST(CONV(
            SUBSTRING(
              MD5(
                CONCAT(
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(CAST(t.`a "quoted" one` AS CHAR)),
                      ':',
                      CAST(t.`a "quoted" one` AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)),
                      ':',
                      CAST((
                        CAST(t.`rate` AS DOUBLE) + 0.0e0
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(
                      OCTET_LENGTH(
                        CAST((
                          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                        ) AS CHAR)
                      ),
                      ':',
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    '~'
                  ),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`doc` AS CHAR)), ':', CAST(t.`doc` AS CHAR)), '~'),
                  COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`list` AS CHAR)), ':', CAST(t.`list` AS CHAR)), '~'),
                  COALESCE(
                    CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                    '~'
                  )
                )
              ),
              1,
              15
            ),
            16,
            10
          ) AS SIGNED) % 1000000
        ) < 5000
    ) AS t
  ) AS u
  GROUP BY
    u.h
) AS g
WHERE
  g.n_base <> g.n_current
ORDER BY
  CASE WHEN g.h IS NULL THEN 1 ELSE 0 END, g.h ASC
LIMIT 6;

-- rows of orders_base that differ
SELECT
  d.h,
  d.r0 AS r0,
  d.r1 AS r1,
  d.r2 AS r2,
  d.r3 AS r3,
  d.r4 AS r4,
  d.r5 AS r5,
  CAST(d.r6 AS CHAR) AS r6,
  CAST(d.r7 AS CHAR) AS r7,
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
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY CASE WHEN t.h IS NULL THEN 1 ELSE 0 END, t.h) AS n
  FROM (
    SELECT
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST(t.`a "quoted" one` AS CHAR)),
                  ':',
                  CAST(t.`a "quoted" one` AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`rate` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`rate` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`doc` AS CHAR)), ':', CAST(t.`doc` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`list` AS CHAR)), ':', CAST(t.`list` AS CHAR)), '~'),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              )
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) AS h,
      t.`id` AS r0,
      t.`line` AS r1,
      t.`order` AS r2,
      t.`a "quoted" one` AS r3,
      t.`amount` AS r4,
      t.`rate` AS r5,
      t.`day` AS r6,
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
      ) AS r7,
      t.`is_it` AS r8,
      t.`doc` AS r9,
      t.`list` AS r10,
      t.`raw` AS r11
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND ABS(
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST(t.`a "quoted" one` AS CHAR)),
                    ':',
                    CAST(t.`a "quoted" one` AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`doc` AS CHAR)), ':', CAST(t.`doc` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`list` AS CHAR)), ':', CAST(t.`list` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) % 1000000
      ) < 5000
  ) AS t
  WHERE
    t.h IN (1)
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
  CAST(d.r6 AS CHAR) AS r6,
  CAST(d.r7 AS CHAR) AS r7,
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
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY CASE WHEN t.h IS NULL THEN 1 ELSE 0 END, t.h) AS n
  FROM (
    SELECT
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST(t.`a "quoted" one` AS CHAR)),
                  ':',
                  CAST(t.`a "quoted" one` AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`rate` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`rate` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`doc` AS CHAR)), ':', CAST(t.`doc` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`list` AS CHAR)), ':', CAST(t.`list` AS CHAR)), '~'),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              )
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) AS h,
      t.`id` AS r0,
      t.`line` AS r1,
      t.`order` AS r2,
      t.`a "quoted" one` AS r3,
      t.`amount` AS r4,
      t.`rate` AS r5,
      t.`day` AS r6,
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
      ) AS r7,
      t.`is_it` AS r8,
      t.`doc` AS r9,
      t.`list` AS r10,
      t.`raw` AS r11
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND ABS(
        CAST(CONV(
          SUBSTRING(
            MD5(
              CONCAT(
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`line` AS CHAR)), ':', CAST(t.`line` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST(t.`a "quoted" one` AS CHAR)),
                    ':',
                    CAST(t.`a "quoted" one` AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)),
                    ':',
                    CAST((
                      CAST(t.`rate` AS DOUBLE) + 0.0e0
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`day` AS CHAR)), ':', CAST(t.`day` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(
                    OCTET_LENGTH(
                      CAST((
                        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                      ) AS CHAR)
                    ),
                    ':',
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`at`)) SECOND
                    ) AS CHAR)
                  ),
                  '~'
                ),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`is_it` AS CHAR)), ':', CAST(t.`is_it` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`doc` AS CHAR)), ':', CAST(t.`doc` AS CHAR)), '~'),
                COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`list` AS CHAR)), ':', CAST(t.`list` AS CHAR)), '~'),
                COALESCE(
                  CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                  '~'
                )
              )
            ),
            1,
            15
          ),
          16,
          10
        ) AS SIGNED) % 1000000
      ) < 5000
  ) AS t
  WHERE
    t.h IN (1)
) AS d
WHERE
  d.n = 1;
