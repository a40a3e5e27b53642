-- base: range of order of orders
SELECT
  MIN(t.`order`) AS base_c0_min,
  MAX(t.`order`) AS base_c0_max,
  COUNT(t.`order`) AS base_c0_count
FROM `prod`.`orders` AS t;

-- current: range of order of orders
SELECT
  MIN(t.`order`) AS current_c0_min,
  MAX(t.`order`) AS current_c0_max,
  COUNT(t.`order`) AS current_c0_count
FROM `pr_42`.`orders` AS t;

-- base: histogram of order of orders
WITH recce_rows AS (
  SELECT
    0 AS side,
    CASE
      WHEN t.`order` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`order` < 50
        THEN CASE WHEN t.`order` < 25 THEN 0 ELSE 1 END
        ELSE CASE WHEN t.`order` < 75 THEN 2 ELSE 3 END
      END
    END AS c0
  FROM `prod`.`orders` AS t
)
SELECT
  r.side,
  r.c0,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c0;

-- current: histogram of order of orders
WITH recce_rows AS (
  SELECT
    1 AS side,
    CASE
      WHEN t.`order` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`order` < 50
        THEN CASE WHEN t.`order` < 25 THEN 0 ELSE 1 END
        ELSE CASE WHEN t.`order` < 75 THEN 2 ELSE 3 END
      END
    END AS c0
  FROM `pr_42`.`orders` AS t
)
SELECT
  r.side,
  r.c0,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c0;
