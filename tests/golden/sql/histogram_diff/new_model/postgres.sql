-- current: range of amount of orders
SELECT
  MIN(
    CASE
      WHEN t."amount" < CAST('Infinity' AS DECIMAL)
      AND t."amount" > -CAST('Infinity' AS DECIMAL)
      THEN t."amount"
    END
  ) AS current_c0_min,
  MAX(
    CASE
      WHEN t."amount" < CAST('Infinity' AS DECIMAL)
      AND t."amount" > -CAST('Infinity' AS DECIMAL)
      THEN t."amount"
    END
  ) AS current_c0_max,
  COUNT(t."amount") AS current_c0_count
FROM "pr_42"."orders" AS t
WHERE
  (
    
    id > 10
    
  );

-- current: histogram of amount of orders
SELECT
  r.side,
  r.c0,
  COUNT(*) AS row_count
FROM (
  SELECT
    1 AS side,
    CASE
      WHEN t."amount" IS NULL
      THEN -2
      WHEN NOT (
        t."amount" < CAST('Infinity' AS DECIMAL)
        AND t."amount" > -CAST('Infinity' AS DECIMAL)
      )
      THEN -1
      ELSE CASE
        WHEN t."amount" < 50
        THEN CASE WHEN t."amount" < 25 THEN 0 ELSE 1 END
        ELSE CASE WHEN t."amount" < 75 THEN 2 ELSE 3 END
      END
    END AS c0
  FROM "pr_42"."orders" AS t
  WHERE
    (
      
      id > 10
      
    )
) AS r
GROUP BY
  GROUPING SETS (
    (r.side, r.c0)
  );
