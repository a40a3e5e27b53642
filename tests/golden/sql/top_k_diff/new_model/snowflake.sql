-- current: most frequent values of note of orders
SELECT
  0 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC NULLS LAST, COLLATE(f.v, '')) AS place,
  CAST(f.v AS VARCHAR) AS value,
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        COLLATE(t."note", '') AS v
      FROM "pr_42"."orders" AS t
      WHERE
        NOT t."note" IS NULL AND (
          
          id > 10
          
        )
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC NULLS LAST,
    COLLATE(c.v, '')
  LIMIT 10
) AS f;

-- current: values of orders
SELECT
  1 AS side,
  COUNT(*) AS row_count,
  COUNT(t."note") AS c0_valid
FROM "pr_42"."orders" AS t
WHERE
  (
    
    id > 10
    
  );
