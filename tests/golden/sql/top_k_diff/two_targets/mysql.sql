-- base: most frequent values of orders.note
SELECT
  CAST(f.v AS CHAR) AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      CAST(t.`note` AS CHAR) AS v,
      COUNT(*) AS row_count
    FROM `prod`.`orders` AS t
    WHERE
      NOT t.`note` IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC,
    CASE WHEN CAST(c.v AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR)
  LIMIT 3
) AS f;

-- base: most frequent values of orders.ratio
SELECT
  CAST(CAST(f.v AS DOUBLE) AS CHAR) AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      t.`ratio` AS v,
      COUNT(*) AS row_count
    FROM `prod`.`orders` AS t
    WHERE
      NOT t.`ratio` IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f;

-- base: most frequent values of orders.ordered_on
SELECT
  CAST(f.v AS CHAR) AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      t.`ordered_on` AS v,
      COUNT(*) AS row_count
    FROM `prod`.`orders` AS t
    WHERE
      NOT t.`ordered_on` IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f;

-- base: most frequent values of orders.raw
SELECT
  f.v AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      HEX(t.`raw`) AS v,
      COUNT(*) AS row_count
    FROM `prod`.`orders` AS t
    WHERE
      NOT t.`raw` IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC,
    CASE WHEN CAST(c.v AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR)
  LIMIT 3
) AS f;

-- current: most frequent values of orders.note
SELECT
  CAST(f.v AS CHAR) AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      CAST(t.`note` AS CHAR) AS v,
      COUNT(*) AS row_count
    FROM `pr_42`.`orders` AS t
    WHERE
      NOT t.`note` IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC,
    CASE WHEN CAST(c.v AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR)
  LIMIT 3
) AS f;

-- current: most frequent values of orders.ratio
SELECT
  CAST(CAST(f.v AS DOUBLE) AS CHAR) AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      t.`ratio` AS v,
      COUNT(*) AS row_count
    FROM `pr_42`.`orders` AS t
    WHERE
      NOT t.`ratio` IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f;

-- current: most frequent values of orders.ordered_on
SELECT
  CAST(f.v AS CHAR) AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      t.`ordered_on` AS v,
      COUNT(*) AS row_count
    FROM `pr_42`.`orders` AS t
    WHERE
      NOT t.`ordered_on` IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f;

-- current: most frequent values of orders.raw
SELECT
  f.v AS value,
  f.row_count
FROM (
  SELECT
    c.v,
    c.row_count
  FROM (
    SELECT
      HEX(t.`raw`) AS v,
      COUNT(*) AS row_count
    FROM `pr_42`.`orders` AS t
    WHERE
      NOT t.`raw` IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC,
    CASE WHEN CAST(c.v AS CHAR) IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR)
  LIMIT 3
) AS f;

-- base: values of orders
SELECT
  0 AS side,
  COUNT(*) AS row_count,
  COUNT(t.`note`) AS c0_valid,
  COUNT(t.`ratio`) AS c1_valid,
  COUNT(t.`ordered_on`) AS c2_valid,
  COUNT(t.`raw`) AS c3_valid
FROM `prod`.`orders` AS t;

-- current: values of orders
SELECT
  1 AS side,
  COUNT(*) AS row_count,
  COUNT(t.`note`) AS c0_valid,
  COUNT(t.`ratio`) AS c1_valid,
  COUNT(t.`ordered_on`) AS c2_valid,
  COUNT(t.`raw`) AS c3_valid
FROM `pr_42`.`orders` AS t;

-- base: other side's values of orders.note
SELECT
  CAST(f.v AS CHAR) AS value,
  f.row_count
FROM (
  SELECT
    CAST(t.`note` AS CHAR) AS v,
    COUNT(*) AS row_count
  FROM `prod`.`orders` AS t
  WHERE
    NOT t.`note` IS NULL AND t.`note` IN ('…')
  GROUP BY
    1
) AS f;

-- base: other side's values of orders.ratio
SELECT
  CAST(CAST(f.v AS DOUBLE) AS CHAR) AS value,
  f.row_count
FROM (
  SELECT
    t.`ratio` AS v,
    COUNT(*) AS row_count
  FROM `prod`.`orders` AS t
  WHERE
    NOT t.`ratio` IS NULL AND t.`ratio` IN (CAST('0.0' AS DOUBLE))
  GROUP BY
    1
) AS f;

-- base: other side's values of orders.ordered_on
SELECT
  CAST(f.v AS CHAR) AS value,
  f.row_count
FROM (
  SELECT
    t.`ordered_on` AS v,
    COUNT(*) AS row_count
  FROM `prod`.`orders` AS t
  WHERE
    NOT t.`ordered_on` IS NULL AND t.`ordered_on` IN (CAST('2000-01-01' AS DATE))
  GROUP BY
    1
) AS f;

-- base: other side's values of orders.raw
SELECT
  f.v AS value,
  f.row_count
FROM (
  SELECT
    HEX(t.`raw`) AS v,
    COUNT(*) AS row_count
  FROM `prod`.`orders` AS t
  WHERE
    NOT t.`raw` IS NULL AND HEX(t.`raw`) IN ('00')
  GROUP BY
    1
) AS f;
