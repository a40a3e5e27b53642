-- current: most frequent values of 6 columns of orders
SELECT
  0 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC, f.base_rows DESC, CASE WHEN CAST(f.v AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(f.v AS CHAR)
  ) AS place,
  CAST(f.v AS CHAR) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      COUNT(CASE WHEN g.side = 0 THEN 1 END) AS base_rows,
      COUNT(CASE WHEN g.side = 1 THEN 1 END) AS current_rows
    FROM (
      SELECT
        CAST(t.`note` AS CHAR) AS v,
        0 AS side
      FROM `prod`.`orders` AS t
      WHERE
        NOT t.`note` IS NULL
      UNION ALL
      SELECT
        CAST(t.`note` AS CHAR) AS v,
        1 AS side
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`note` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    c.base_rows DESC,
    CASE WHEN CAST(c.v AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR)
  LIMIT 5
) AS f
UNION ALL
SELECT
  1 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC, f.base_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v
  ) AS place,
  CAST(f.v AS CHAR) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      COUNT(CASE WHEN g.side = 0 THEN 1 END) AS base_rows,
      COUNT(CASE WHEN g.side = 1 THEN 1 END) AS current_rows
    FROM (
      SELECT
        t.`amount` AS v,
        0 AS side
      FROM `prod`.`orders` AS t
      WHERE
        NOT t.`amount` IS NULL
      UNION ALL
      SELECT
        t.`amount` AS v,
        1 AS side
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`amount` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    c.base_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 5
) AS f
UNION ALL
SELECT
  2 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC, f.base_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v
  ) AS place,
  CAST(f.v AS CHAR) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      COUNT(CASE WHEN g.side = 0 THEN 1 END) AS base_rows,
      COUNT(CASE WHEN g.side = 1 THEN 1 END) AS current_rows
    FROM (
      SELECT
        t.`is_open` AS v,
        0 AS side
      FROM `prod`.`orders` AS t
      WHERE
        NOT t.`is_open` IS NULL
      UNION ALL
      SELECT
        t.`is_open` AS v,
        1 AS side
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`is_open` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    c.base_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 5
) AS f
UNION ALL
SELECT
  3 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC, f.base_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v
  ) AS place,
  CAST(f.v AS CHAR) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      COUNT(CASE WHEN g.side = 0 THEN 1 END) AS base_rows,
      COUNT(CASE WHEN g.side = 1 THEN 1 END) AS current_rows
    FROM (
      SELECT
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) AS v,
        0 AS side
      FROM `prod`.`orders` AS t
      WHERE
        NOT (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) IS NULL
      UNION ALL
      SELECT
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) AS v,
        1 AS side
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    c.base_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 5
) AS f
UNION ALL
SELECT
  4 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC, f.base_rows DESC, CASE WHEN CAST(f.v AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(f.v AS CHAR)
  ) AS place,
  f.v AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      COUNT(CASE WHEN g.side = 0 THEN 1 END) AS base_rows,
      COUNT(CASE WHEN g.side = 1 THEN 1 END) AS current_rows
    FROM (
      SELECT
        CAST(TO_JSON(t.`tags`) AS CHAR) AS v,
        0 AS side
      FROM `prod`.`orders` AS t
      WHERE
        NOT t.`tags` IS NULL
      UNION ALL
      SELECT
        CAST(TO_JSON(t.`tags`) AS CHAR) AS v,
        1 AS side
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`tags` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    c.base_rows DESC,
    CASE WHEN CAST(c.v AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR)
  LIMIT 5
) AS f
UNION ALL
SELECT
  5 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC, f.base_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v
  ) AS place,
  CAST(f.v AS CHAR) AS value,
  f.base_rows,
  f.current_rows
FROM (
  SELECT
    c.v,
    c.base_rows,
    c.current_rows
  FROM (
    SELECT
      g.v,
      COUNT(CASE WHEN g.side = 0 THEN 1 END) AS base_rows,
      COUNT(CASE WHEN g.side = 1 THEN 1 END) AS current_rows
    FROM (
      SELECT
        t.`order` AS v,
        0 AS side
      FROM `prod`.`orders` AS t
      WHERE
        NOT t.`order` IS NULL
      UNION ALL
      SELECT
        t.`order` AS v,
        1 AS side
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`order` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    c.base_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 5
) AS f;

-- current: values of orders
SELECT
  0 AS side,
  COUNT(*) AS row_count,
  COUNT(t.`note`) AS c0_valid,
  COUNT(t.`amount`) AS c1_valid,
  COUNT(t.`is_open`) AS c2_valid,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS c3_valid,
  COUNT(t.`tags`) AS c4_valid,
  COUNT(t.`order`) AS c5_valid
FROM `prod`.`orders` AS t
UNION ALL
SELECT
  1 AS side,
  COUNT(*) AS row_count,
  COUNT(t.`note`) AS c0_valid,
  COUNT(t.`amount`) AS c1_valid,
  COUNT(t.`is_open`) AS c2_valid,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS c3_valid,
  COUNT(t.`tags`) AS c4_valid,
  COUNT(t.`order`) AS c5_valid
FROM `pr_42`.`orders` AS t;
