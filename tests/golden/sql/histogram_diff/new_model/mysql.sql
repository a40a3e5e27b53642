-- current: range of amount of orders
SELECT
  MIN(t.`amount`) AS current_c0_min,
  MAX(t.`amount`) AS current_c0_max,
  COUNT(t.`amount`) AS current_c0_count
FROM `pr_42`.`orders` AS t
WHERE
  (
    
    id > 10
    
  );

-- current: histogram of amount of orders
WITH recce_rows AS (
  SELECT
    1 AS side,
    CASE
      WHEN t.`amount` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`amount` < 50
        THEN CASE WHEN t.`amount` < 25 THEN 0 ELSE 1 END
        ELSE CASE WHEN t.`amount` < 75 THEN 2 ELSE 3 END
      END
    END AS c0
  FROM `pr_42`.`orders` AS t
  WHERE
    (
      
      id > 10
      
    )
)
SELECT
  r.side,
  r.c0,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c0;
