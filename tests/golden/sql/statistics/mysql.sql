-- == row_count_diff/two_models
-- base: rows of 4 relations
SELECT
  0 AS relation_number,
  COUNT(*) AS row_count
FROM `prod`.`orders` AS t
UNION ALL
SELECT
  1 AS relation_number,
  COUNT(*) AS row_count
FROM `pr_42`.`orders` AS t
UNION ALL
SELECT
  2 AS relation_number,
  COUNT(*) AS row_count
FROM `prod`.`orders` AS t
WHERE
  (
    
    id > 10 -- recent ones
    
  )
UNION ALL
SELECT
  3 AS relation_number,
  COUNT(*) AS row_count
FROM `pr_42`.`orders` AS t
WHERE
  (
    
    id > 10 -- recent ones
    
  );

-- == profile_diff/every_type
-- base: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`id`) AS c0_not_null_count,
  MIN(t.`id`) AS c0_min,
  MAX(t.`id`) AS c0_max,
  AVG(CAST(t.`id` AS DOUBLE)) AS c0_avg,
  COUNT(t.`amount`) AS c1_not_null_count,
  MIN(t.`amount`) AS c1_min,
  MAX(t.`amount`) AS c1_max,
  AVG(CAST(t.`amount` AS DOUBLE)) AS c1_avg,
  COUNT(t.`ratio`) AS c2_not_null_count,
  MIN(t.`ratio`) AS c2_min,
  MAX(t.`ratio`) AS c2_max,
  AVG(CAST(t.`ratio` AS DOUBLE)) AS c2_avg,
  COUNT(t.`score`) AS c3_not_null_count,
  CAST(CAST(MIN(t.`score`) AS DOUBLE) AS CHAR) AS c3_min,
  CAST(CAST(MAX(t.`score`) AS DOUBLE) AS CHAR) AS c3_max,
  AVG(CAST(t.`score` AS DOUBLE)) AS c3_avg,
  COUNT(t.`note`) AS c4_not_null_count,
  MIN(
    CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS c4_min,
  MAX(
    CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS c4_max,
  MIN(CHAR_LENGTH(t.`note`)) AS c4_min_length,
  MAX(CHAR_LENGTH(t.`note`)) AS c4_max_length,
  AVG(CAST(CHAR_LENGTH(t.`note`) AS DOUBLE)) AS c4_avg_length,
  COUNT(t.`is_open`) AS c5_not_null_count,
  MIN(t.`is_open`) AS c5_min,
  MAX(t.`is_open`) AS c5_max,
  AVG(CAST(t.`is_open` AS DOUBLE)) AS c5_avg,
  COUNT(t.`ordered_on`) AS c6_not_null_count,
  CAST(MIN(t.`ordered_on`) AS CHAR) AS c6_min,
  CAST(MAX(t.`ordered_on`) AS CHAR) AS c6_max,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS c7_not_null_count,
  CAST(MIN(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS CHAR) AS c7_min,
  CAST(MAX(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS CHAR) AS c7_max,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS c8_not_null_count,
  CAST(MIN(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS CHAR) AS c8_min,
  CAST(MAX(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS CHAR) AS c8_max,
  COUNT(t.`tags`) AS c9_not_null_count,
  MIN(ARRAY_LENGTH(t.`tags`)) AS c9_min_length,
  MAX(ARRAY_LENGTH(t.`tags`)) AS c9_max_length,
  AVG(CAST(ARRAY_LENGTH(t.`tags`) AS DOUBLE)) AS c9_avg_length,
  COUNT(t.`payload`) AS c10_not_null_count,
  COUNT(t.`raw`) AS c11_not_null_count,
  MIN(OCTET_LENGTH(t.`raw`)) AS c11_min_length,
  MAX(OCTET_LENGTH(t.`raw`)) AS c11_max_length,
  AVG(CAST(OCTET_LENGTH(t.`raw`) AS DOUBLE)) AS c11_avg_length,
  COUNT(t.`order`) AS c12_not_null_count,
  MIN(t.`order`) AS c12_min,
  MAX(t.`order`) AS c12_max,
  AVG(CAST(t.`order` AS DOUBLE)) AS c12_avg,
  COUNT(t.`a"b`) AS c13_not_null_count,
  MIN(t.`a"b`) AS c13_min,
  MAX(t.`a"b`) AS c13_max,
  AVG(CAST(t.`a"b` AS DOUBLE)) AS c13_avg
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.id
SELECT
  COUNT(DISTINCT t.`id`) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.amount
SELECT
  COUNT(DISTINCT t.`amount`) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t.`ratio`) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.score
SELECT
  COUNT(DISTINCT t.`score`) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.note
SELECT
  COUNT(
    DISTINCT CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.is_open
SELECT
  COUNT(DISTINCT t.`is_open`) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t.`ordered_on`) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.ordered_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.shipped_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.tags
SELECT
  COUNT(DISTINCT t.`tags`) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.payload
SELECT
  COUNT(
    DISTINCT CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.raw
SELECT
  COUNT(DISTINCT t.`raw`) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.order
SELECT
  COUNT(DISTINCT t.`order`) AS distinct_count
FROM `prod`.`orders` AS t;

-- base: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t.`a"b`) AS distinct_count
FROM `prod`.`orders` AS t;

-- current: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`id`) AS c0_not_null_count,
  MIN(t.`id`) AS c0_min,
  MAX(t.`id`) AS c0_max,
  AVG(CAST(t.`id` AS DOUBLE)) AS c0_avg,
  COUNT(t.`amount`) AS c1_not_null_count,
  MIN(t.`amount`) AS c1_min,
  MAX(t.`amount`) AS c1_max,
  AVG(CAST(t.`amount` AS DOUBLE)) AS c1_avg,
  COUNT(t.`ratio`) AS c2_not_null_count,
  MIN(t.`ratio`) AS c2_min,
  MAX(t.`ratio`) AS c2_max,
  AVG(CAST(t.`ratio` AS DOUBLE)) AS c2_avg,
  COUNT(t.`score`) AS c3_not_null_count,
  CAST(CAST(MIN(t.`score`) AS DOUBLE) AS CHAR) AS c3_min,
  CAST(CAST(MAX(t.`score`) AS DOUBLE) AS CHAR) AS c3_max,
  AVG(CAST(t.`score` AS DOUBLE)) AS c3_avg,
  COUNT(t.`note`) AS c4_not_null_count,
  MIN(
    CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS c4_min,
  MAX(
    CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS c4_max,
  MIN(CHAR_LENGTH(t.`note`)) AS c4_min_length,
  MAX(CHAR_LENGTH(t.`note`)) AS c4_max_length,
  AVG(CAST(CHAR_LENGTH(t.`note`) AS DOUBLE)) AS c4_avg_length,
  COUNT(t.`is_open`) AS c5_not_null_count,
  MIN(t.`is_open`) AS c5_min,
  MAX(t.`is_open`) AS c5_max,
  AVG(CAST(t.`is_open` AS DOUBLE)) AS c5_avg,
  COUNT(t.`ordered_on`) AS c6_not_null_count,
  CAST(MIN(t.`ordered_on`) AS CHAR) AS c6_min,
  CAST(MAX(t.`ordered_on`) AS CHAR) AS c6_max,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS c7_not_null_count,
  CAST(MIN(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS CHAR) AS c7_min,
  CAST(MAX(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS CHAR) AS c7_max,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS c8_not_null_count,
  CAST(MIN(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS CHAR) AS c8_min,
  CAST(MAX(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS CHAR) AS c8_max,
  COUNT(t.`tags`) AS c9_not_null_count,
  MIN(ARRAY_LENGTH(t.`tags`)) AS c9_min_length,
  MAX(ARRAY_LENGTH(t.`tags`)) AS c9_max_length,
  AVG(CAST(ARRAY_LENGTH(t.`tags`) AS DOUBLE)) AS c9_avg_length,
  COUNT(t.`payload`) AS c10_not_null_count,
  COUNT(t.`raw`) AS c11_not_null_count,
  MIN(OCTET_LENGTH(t.`raw`)) AS c11_min_length,
  MAX(OCTET_LENGTH(t.`raw`)) AS c11_max_length,
  AVG(CAST(OCTET_LENGTH(t.`raw`) AS DOUBLE)) AS c11_avg_length,
  COUNT(t.`order`) AS c12_not_null_count,
  MIN(t.`order`) AS c12_min,
  MAX(t.`order`) AS c12_max,
  AVG(CAST(t.`order` AS DOUBLE)) AS c12_avg,
  COUNT(t.`a"b`) AS c13_not_null_count,
  MIN(t.`a"b`) AS c13_min,
  MAX(t.`a"b`) AS c13_max,
  AVG(CAST(t.`a"b` AS DOUBLE)) AS c13_avg
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t.`id`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.amount
SELECT
  COUNT(DISTINCT t.`amount`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t.`ratio`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.score
SELECT
  COUNT(DISTINCT t.`score`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.note
SELECT
  COUNT(
    DISTINCT CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.is_open
SELECT
  COUNT(DISTINCT t.`is_open`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t.`ordered_on`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.ordered_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.shipped_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.tags
SELECT
  COUNT(DISTINCT t.`tags`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.payload
SELECT
  COUNT(
    DISTINCT CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.raw
SELECT
  COUNT(DISTINCT t.`raw`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.order
SELECT
  COUNT(DISTINCT t.`order`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t.`a"b`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- == profile_diff/approximate
-- base: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`amount`) AS c0_not_null_count,
  MIN(t.`amount`) AS c0_min,
  MAX(t.`amount`) AS c0_max,
  AVG(CAST(t.`amount` AS DOUBLE)) AS c0_avg,
  COUNT(t.`note`) AS c1_not_null_count,
  MIN(
    CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS c1_min,
  MAX(
    CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS c1_max,
  MIN(CHAR_LENGTH(t.`note`)) AS c1_min_length,
  MAX(CHAR_LENGTH(t.`note`)) AS c1_max_length,
  AVG(CAST(CHAR_LENGTH(t.`note`) AS DOUBLE)) AS c1_avg_length
FROM `prod`.`orders` AS t
WHERE
  (
    
    id > 10
    
  );

-- base: distinct count of orders.amount
SELECT
  COUNT(DISTINCT t.`amount`) AS distinct_count
FROM `prod`.`orders` AS t
WHERE
  (
    
    id > 10
    
  );

-- base: distinct count of orders.note
SELECT
  COUNT(
    DISTINCT CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM `prod`.`orders` AS t
WHERE
  (
    
    id > 10
    
  );

-- current: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`amount`) AS c0_not_null_count,
  MIN(t.`amount`) AS c0_min,
  MAX(t.`amount`) AS c0_max,
  AVG(CAST(t.`amount` AS DOUBLE)) AS c0_avg,
  COUNT(t.`note`) AS c1_not_null_count,
  MIN(
    CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS c1_min,
  MAX(
    CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS c1_max,
  MIN(CHAR_LENGTH(t.`note`)) AS c1_min_length,
  MAX(CHAR_LENGTH(t.`note`)) AS c1_max_length,
  AVG(CAST(CHAR_LENGTH(t.`note`) AS DOUBLE)) AS c1_avg_length
FROM `pr_42`.`orders` AS t
WHERE
  (
    
    id > 10
    
  );

-- current: distinct count of orders.amount
SELECT
  COUNT(DISTINCT t.`amount`) AS distinct_count
FROM `pr_42`.`orders` AS t
WHERE
  (
    
    id > 10
    
  );

-- current: distinct count of orders.note
SELECT
  COUNT(
    DISTINCT CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM `pr_42`.`orders` AS t
WHERE
  (
    
    id > 10
    
  );

-- == profile_diff/new_model
-- current: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`id`) AS c0_not_null_count,
  MIN(t.`id`) AS c0_min,
  MAX(t.`id`) AS c0_max,
  AVG(CAST(t.`id` AS DOUBLE)) AS c0_avg,
  COUNT(t.`ordered_on`) AS c1_not_null_count,
  CAST(MIN(t.`ordered_on`) AS CHAR) AS c1_min,
  CAST(MAX(t.`ordered_on`) AS CHAR) AS c1_max
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t.`id`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t.`ordered_on`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- == top_k_diff/several_columns
-- current: most frequent values of 6 columns of orders
SELECT
  0 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC, f.base_rows DESC, CASE WHEN CAST(f.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(f.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
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
        CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS v,
        0 AS side
      FROM `prod`.`orders` AS t
      WHERE
        NOT t.`note` IS NULL
      UNION ALL
      SELECT
        CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS v,
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
    CASE WHEN CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
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
    ORDER BY f.current_rows DESC, f.base_rows DESC, CASE WHEN CAST(f.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(f.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
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
    CASE WHEN CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
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

-- == top_k_diff/new_model
-- current: most frequent values of note of orders
SELECT
  0 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC, CASE WHEN CAST(f.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(f.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`note` IS NULL AND (
          
          id > 10
          
        )
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  LIMIT 10
) AS f;

-- current: values of orders
SELECT
  1 AS side,
  COUNT(*) AS row_count,
  COUNT(t.`note`) AS c0_valid
FROM `pr_42`.`orders` AS t
WHERE
  (
    
    id > 10
    
  );

-- == top_k_diff/two_targets
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
      CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS v,
      COUNT(*) AS row_count
    FROM `prod`.`orders` AS t
    WHERE
      NOT t.`note` IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC,
    CASE WHEN CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
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
    CASE WHEN CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
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
      CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS v,
      COUNT(*) AS row_count
    FROM `pr_42`.`orders` AS t
    WHERE
      NOT t.`note` IS NULL
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.row_count DESC,
    CASE WHEN CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
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
    CASE WHEN CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
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
    CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS v,
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

-- == histogram_diff/several_columns
-- current: range of 6 columns of orders
SELECT
  b.base_c0_min,
  b.base_c0_max,
  b.base_c0_count,
  b.base_c1_min,
  b.base_c1_max,
  b.base_c1_count,
  b.base_c2_min,
  b.base_c2_max,
  b.base_c2_count,
  b.base_c3_min,
  b.base_c3_max,
  b.base_c3_count,
  b.base_c4_min,
  b.base_c4_max,
  b.base_c4_count,
  b.base_c5_min,
  b.base_c5_max,
  b.base_c5_count,
  c.current_c0_min,
  c.current_c0_max,
  c.current_c0_count,
  c.current_c1_min,
  c.current_c1_max,
  c.current_c1_count,
  c.current_c2_min,
  c.current_c2_max,
  c.current_c2_count,
  c.current_c3_min,
  c.current_c3_max,
  c.current_c3_count,
  c.current_c4_min,
  c.current_c4_max,
  c.current_c4_count,
  c.current_c5_min,
  c.current_c5_max,
  c.current_c5_count
FROM (
  SELECT
    MIN(t.`id`) AS base_c0_min,
    MAX(t.`id`) AS base_c0_max,
    COUNT(t.`id`) AS base_c0_count,
    MIN(t.`amount`) AS base_c1_min,
    MAX(t.`amount`) AS base_c1_max,
    COUNT(t.`amount`) AS base_c1_count,
    MIN(CAST(t.`ratio` AS DOUBLE)) AS base_c2_min,
    MAX(CAST(t.`ratio` AS DOUBLE)) AS base_c2_max,
    COUNT(t.`ratio`) AS base_c2_count,
    CAST(MIN(
      CASE
        WHEN YEAR(t.`ordered_on`) > 0 AND MONTH(t.`ordered_on`) > 0 AND DAY(t.`ordered_on`) > 0
        THEN t.`ordered_on`
      END
    ) AS CHAR) AS base_c3_min,
    CAST(MAX(
      CASE
        WHEN YEAR(t.`ordered_on`) > 0 AND MONTH(t.`ordered_on`) > 0 AND DAY(t.`ordered_on`) > 0
        THEN t.`ordered_on`
      END
    ) AS CHAR) AS base_c3_max,
    COUNT(t.`ordered_on`) AS base_c3_count,
    CAST(MIN(
      CASE
        WHEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
        AND (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) <= CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))
        THEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        )
      END
    ) AS CHAR) AS base_c4_min,
    CAST(MAX(
      CASE
        WHEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
        AND (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) <= CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))
        THEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        )
      END
    ) AS CHAR) AS base_c4_max,
    COUNT(
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
      )
    ) AS base_c4_count,
    MIN(t.`a"b`) AS base_c5_min,
    MAX(t.`a"b`) AS base_c5_max,
    COUNT(t.`a"b`) AS base_c5_count
  FROM `prod`.`orders` AS t
) AS b
CROSS JOIN (
  SELECT
    MIN(t.`id`) AS current_c0_min,
    MAX(t.`id`) AS current_c0_max,
    COUNT(t.`id`) AS current_c0_count,
    MIN(t.`amount`) AS current_c1_min,
    MAX(t.`amount`) AS current_c1_max,
    COUNT(t.`amount`) AS current_c1_count,
    MIN(CAST(t.`ratio` AS DOUBLE)) AS current_c2_min,
    MAX(CAST(t.`ratio` AS DOUBLE)) AS current_c2_max,
    COUNT(t.`ratio`) AS current_c2_count,
    CAST(MIN(
      CASE
        WHEN YEAR(t.`ordered_on`) > 0 AND MONTH(t.`ordered_on`) > 0 AND DAY(t.`ordered_on`) > 0
        THEN t.`ordered_on`
      END
    ) AS CHAR) AS current_c3_min,
    CAST(MAX(
      CASE
        WHEN YEAR(t.`ordered_on`) > 0 AND MONTH(t.`ordered_on`) > 0 AND DAY(t.`ordered_on`) > 0
        THEN t.`ordered_on`
      END
    ) AS CHAR) AS current_c3_max,
    COUNT(t.`ordered_on`) AS current_c3_count,
    CAST(MIN(
      CASE
        WHEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
        AND (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) <= CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))
        THEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        )
      END
    ) AS CHAR) AS current_c4_min,
    CAST(MAX(
      CASE
        WHEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
        AND (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) <= CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))
        THEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        )
      END
    ) AS CHAR) AS current_c4_max,
    COUNT(
      (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
      )
    ) AS current_c4_count,
    MIN(t.`a"b`) AS current_c5_min,
    MAX(t.`a"b`) AS current_c5_max,
    COUNT(t.`a"b`) AS current_c5_count
  FROM `pr_42`.`orders` AS t
) AS c;

-- current: histogram of 6 columns of orders
WITH recce_rows AS (
  SELECT
    0 AS side,
    CASE
      WHEN t.`id` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`id` < 40
        THEN CASE WHEN t.`id` < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t.`id` < 60 THEN 2 ELSE CASE WHEN t.`id` < 80 THEN 3 ELSE 4 END END
      END
    END AS c0,
    CASE
      WHEN t.`amount` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`amount` < 40
        THEN CASE WHEN t.`amount` < 20 THEN 0 ELSE 1 END
        ELSE CASE
          WHEN t.`amount` < 60
          THEN 2
          ELSE CASE WHEN t.`amount` < 80 THEN 3 ELSE 4 END
        END
      END
    END AS c1,
    CASE
      WHEN t.`ratio` IS NULL
      THEN -2
      ELSE CASE
        WHEN CAST(t.`ratio` AS DOUBLE) < CAST('40.0' AS DOUBLE)
        THEN CASE WHEN CAST(t.`ratio` AS DOUBLE) < CAST('20.0' AS DOUBLE) THEN 0 ELSE 1 END
        ELSE CASE
          WHEN CAST(t.`ratio` AS DOUBLE) < CAST('60.0' AS DOUBLE)
          THEN 2
          ELSE CASE WHEN CAST(t.`ratio` AS DOUBLE) < CAST('80.0' AS DOUBLE) THEN 3 ELSE 4 END
        END
      END
    END AS c2,
    CASE
      WHEN t.`ordered_on` IS NULL
      THEN -2
      WHEN NOT (
        YEAR(t.`ordered_on`) > 0 AND MONTH(t.`ordered_on`) > 0 AND DAY(t.`ordered_on`) > 0
      )
      THEN -1
      ELSE CASE
        WHEN t.`ordered_on` < CAST('2000-07-01' AS DATE)
        THEN CASE
          WHEN t.`ordered_on` < CAST('2000-04-01' AS DATE)
          THEN CASE
            WHEN t.`ordered_on` < CAST('2000-02-01' AS DATE)
            THEN 0
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-03-01' AS DATE) THEN 1 ELSE 2 END
          END
          ELSE CASE
            WHEN t.`ordered_on` < CAST('2000-05-01' AS DATE)
            THEN 3
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-06-01' AS DATE) THEN 4 ELSE 5 END
          END
        END
        ELSE CASE
          WHEN t.`ordered_on` < CAST('2000-10-01' AS DATE)
          THEN CASE
            WHEN t.`ordered_on` < CAST('2000-08-01' AS DATE)
            THEN 6
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-09-01' AS DATE) THEN 7 ELSE 8 END
          END
          ELSE CASE
            WHEN t.`ordered_on` < CAST('2000-11-01' AS DATE)
            THEN 9
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-12-01' AS DATE) THEN 10 ELSE 11 END
          END
        END
      END
    END AS c3,
    CASE
      WHEN (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
      ) IS NULL
      THEN -2
      WHEN NOT (
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
        AND (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) <= CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))
      )
      THEN -1
      ELSE CASE
        WHEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) < CAST('2000-01-01 12:00:00.000000' AS DATETIME(6))
        THEN CASE
          WHEN (
            CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
          ) < CAST('2000-01-01 06:00:00.000000' AS DATETIME(6))
          THEN 0
          ELSE 1
        END
        ELSE CASE
          WHEN (
            CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
          ) < CAST('2000-01-01 18:00:00.000000' AS DATETIME(6))
          THEN 2
          ELSE CASE
            WHEN (
              CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
            ) < CAST('2000-01-02 00:00:00.000000' AS DATETIME(6))
            THEN 3
            ELSE 4
          END
        END
      END
    END AS c4,
    CASE
      WHEN t.`a"b` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`a"b` < 40
        THEN CASE WHEN t.`a"b` < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t.`a"b` < 60 THEN 2 ELSE CASE WHEN t.`a"b` < 80 THEN 3 ELSE 4 END END
      END
    END AS c5
  FROM `prod`.`orders` AS t
  UNION ALL
  SELECT
    1 AS side,
    CASE
      WHEN t.`id` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`id` < 40
        THEN CASE WHEN t.`id` < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t.`id` < 60 THEN 2 ELSE CASE WHEN t.`id` < 80 THEN 3 ELSE 4 END END
      END
    END AS c0,
    CASE
      WHEN t.`amount` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`amount` < 40
        THEN CASE WHEN t.`amount` < 20 THEN 0 ELSE 1 END
        ELSE CASE
          WHEN t.`amount` < 60
          THEN 2
          ELSE CASE WHEN t.`amount` < 80 THEN 3 ELSE 4 END
        END
      END
    END AS c1,
    CASE
      WHEN t.`ratio` IS NULL
      THEN -2
      ELSE CASE
        WHEN CAST(t.`ratio` AS DOUBLE) < CAST('40.0' AS DOUBLE)
        THEN CASE WHEN CAST(t.`ratio` AS DOUBLE) < CAST('20.0' AS DOUBLE) THEN 0 ELSE 1 END
        ELSE CASE
          WHEN CAST(t.`ratio` AS DOUBLE) < CAST('60.0' AS DOUBLE)
          THEN 2
          ELSE CASE WHEN CAST(t.`ratio` AS DOUBLE) < CAST('80.0' AS DOUBLE) THEN 3 ELSE 4 END
        END
      END
    END AS c2,
    CASE
      WHEN t.`ordered_on` IS NULL
      THEN -2
      WHEN NOT (
        YEAR(t.`ordered_on`) > 0 AND MONTH(t.`ordered_on`) > 0 AND DAY(t.`ordered_on`) > 0
      )
      THEN -1
      ELSE CASE
        WHEN t.`ordered_on` < CAST('2000-07-01' AS DATE)
        THEN CASE
          WHEN t.`ordered_on` < CAST('2000-04-01' AS DATE)
          THEN CASE
            WHEN t.`ordered_on` < CAST('2000-02-01' AS DATE)
            THEN 0
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-03-01' AS DATE) THEN 1 ELSE 2 END
          END
          ELSE CASE
            WHEN t.`ordered_on` < CAST('2000-05-01' AS DATE)
            THEN 3
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-06-01' AS DATE) THEN 4 ELSE 5 END
          END
        END
        ELSE CASE
          WHEN t.`ordered_on` < CAST('2000-10-01' AS DATE)
          THEN CASE
            WHEN t.`ordered_on` < CAST('2000-08-01' AS DATE)
            THEN 6
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-09-01' AS DATE) THEN 7 ELSE 8 END
          END
          ELSE CASE
            WHEN t.`ordered_on` < CAST('2000-11-01' AS DATE)
            THEN 9
            ELSE CASE WHEN t.`ordered_on` < CAST('2000-12-01' AS DATE) THEN 10 ELSE 11 END
          END
        END
      END
    END AS c3,
    CASE
      WHEN (
        CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
      ) IS NULL
      THEN -2
      WHEN NOT (
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) >= CAST('0001-01-01 00:00:00' AS DATETIME(6))
        AND (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) <= CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))
      )
      THEN -1
      ELSE CASE
        WHEN (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) < CAST('2000-01-01 12:00:00.000000' AS DATETIME(6))
        THEN CASE
          WHEN (
            CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
          ) < CAST('2000-01-01 06:00:00.000000' AS DATETIME(6))
          THEN 0
          ELSE 1
        END
        ELSE CASE
          WHEN (
            CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
          ) < CAST('2000-01-01 18:00:00.000000' AS DATETIME(6))
          THEN 2
          ELSE CASE
            WHEN (
              CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
            ) < CAST('2000-01-02 00:00:00.000000' AS DATETIME(6))
            THEN 3
            ELSE 4
          END
        END
      END
    END AS c4,
    CASE
      WHEN t.`a"b` IS NULL
      THEN -2
      ELSE CASE
        WHEN t.`a"b` < 40
        THEN CASE WHEN t.`a"b` < 20 THEN 0 ELSE 1 END
        ELSE CASE WHEN t.`a"b` < 60 THEN 2 ELSE CASE WHEN t.`a"b` < 80 THEN 3 ELSE 4 END END
      END
    END AS c5
  FROM `pr_42`.`orders` AS t
)
SELECT
  r.side,
  r.c0,
  NULL AS c1,
  NULL AS c2,
  NULL AS c3,
  NULL AS c4,
  NULL AS c5,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c0
UNION ALL
SELECT
  r.side,
  NULL AS c0,
  r.c1,
  NULL AS c2,
  NULL AS c3,
  NULL AS c4,
  NULL AS c5,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c1
UNION ALL
SELECT
  r.side,
  NULL AS c0,
  NULL AS c1,
  r.c2,
  NULL AS c3,
  NULL AS c4,
  NULL AS c5,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c2
UNION ALL
SELECT
  r.side,
  NULL AS c0,
  NULL AS c1,
  NULL AS c2,
  r.c3,
  NULL AS c4,
  NULL AS c5,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c3
UNION ALL
SELECT
  r.side,
  NULL AS c0,
  NULL AS c1,
  NULL AS c2,
  NULL AS c3,
  r.c4,
  NULL AS c5,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c4
UNION ALL
SELECT
  r.side,
  NULL AS c0,
  NULL AS c1,
  NULL AS c2,
  NULL AS c3,
  NULL AS c4,
  r.c5,
  COUNT(*) AS row_count
FROM recce_rows AS r
GROUP BY
  r.side,
  r.c5;

-- == histogram_diff/new_model
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

-- == histogram_diff/two_targets
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

-- == quality/every_type
-- current: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`id`) AS c0_not_null_count,
  MIN(t.`id`) AS c0_min,
  MAX(t.`id`) AS c0_max,
  AVG(CAST(t.`id` AS DOUBLE)) AS c0_avg,
  COUNT(t.`amount`) AS c1_not_null_count,
  MIN(t.`amount`) AS c1_min,
  MAX(t.`amount`) AS c1_max,
  AVG(CAST(t.`amount` AS DOUBLE)) AS c1_avg,
  COUNT(t.`ratio`) AS c2_not_null_count,
  MIN(t.`ratio`) AS c2_min,
  MAX(t.`ratio`) AS c2_max,
  AVG(CAST(t.`ratio` AS DOUBLE)) AS c2_avg,
  COUNT(t.`score`) AS c3_not_null_count,
  CAST(CAST(MIN(t.`score`) AS DOUBLE) AS CHAR) AS c3_min,
  CAST(CAST(MAX(t.`score`) AS DOUBLE) AS CHAR) AS c3_max,
  AVG(CAST(t.`score` AS DOUBLE)) AS c3_avg,
  COUNT(t.`note`) AS c4_not_null_count,
  MIN(CHAR_LENGTH(t.`note`)) AS c4_min_length,
  MAX(CHAR_LENGTH(t.`note`)) AS c4_max_length,
  AVG(CAST(CHAR_LENGTH(t.`note`) AS DOUBLE)) AS c4_avg_length,
  COUNT(
    CASE
      WHEN CAST(TRIM(t.`note`) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ = ''
      THEN 1
    END
  ) AS c4_blank_count,
  COUNT(t.`is_open`) AS c5_not_null_count,
  MIN(t.`is_open`) AS c5_min,
  MAX(t.`is_open`) AS c5_max,
  AVG(CAST(t.`is_open` AS DOUBLE)) AS c5_avg,
  COUNT(t.`ordered_on`) AS c6_not_null_count,
  CAST(MIN(t.`ordered_on`) AS CHAR) AS c6_min,
  CAST(MAX(t.`ordered_on`) AS CHAR) AS c6_max,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS c7_not_null_count,
  CAST(MIN(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS CHAR) AS c7_min,
  CAST(MAX(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS CHAR) AS c7_max,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS c8_not_null_count,
  CAST(MIN(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS CHAR) AS c8_min,
  CAST(MAX(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS CHAR) AS c8_max,
  COUNT(t.`tags`) AS c9_not_null_count,
  MIN(ARRAY_LENGTH(t.`tags`)) AS c9_min_length,
  MAX(ARRAY_LENGTH(t.`tags`)) AS c9_max_length,
  AVG(CAST(ARRAY_LENGTH(t.`tags`) AS DOUBLE)) AS c9_avg_length,
  COUNT(t.`payload`) AS c10_not_null_count,
  COUNT(t.`raw`) AS c11_not_null_count,
  MIN(OCTET_LENGTH(t.`raw`)) AS c11_min_length,
  MAX(OCTET_LENGTH(t.`raw`)) AS c11_max_length,
  AVG(CAST(OCTET_LENGTH(t.`raw`) AS DOUBLE)) AS c11_avg_length,
  COUNT(t.`order`) AS c12_not_null_count,
  MIN(t.`order`) AS c12_min,
  MAX(t.`order`) AS c12_max,
  AVG(CAST(t.`order` AS DOUBLE)) AS c12_avg,
  COUNT(t.`a"b`) AS c13_not_null_count,
  MIN(t.`a"b`) AS c13_min,
  MAX(t.`a"b`) AS c13_max,
  AVG(CAST(t.`a"b` AS DOUBLE)) AS c13_avg
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t.`id`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.amount
SELECT
  COUNT(DISTINCT t.`amount`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t.`ratio`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.score
SELECT
  COUNT(DISTINCT t.`score`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.note
SELECT
  COUNT(
    DISTINCT CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.is_open
SELECT
  COUNT(DISTINCT t.`is_open`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t.`ordered_on`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.ordered_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.shipped_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.tags
SELECT
  COUNT(DISTINCT t.`tags`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.payload
SELECT
  COUNT(
    DISTINCT CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.raw
SELECT
  COUNT(DISTINCT t.`raw`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.order
SELECT
  COUNT(DISTINCT t.`order`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t.`a"b`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: most frequent values of 13 columns of orders
SELECT
  0 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v) AS place,
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t.`id` AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`id` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f
UNION ALL
SELECT
  1 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v) AS place,
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t.`amount` AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`amount` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f
UNION ALL
SELECT
  2 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v) AS place,
  CAST(CAST(f.v AS DOUBLE) AS CHAR) AS value,
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
        t.`ratio` AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`ratio` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f
UNION ALL
SELECT
  3 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v) AS place,
  CAST(CAST(f.v AS DOUBLE) AS CHAR) AS value,
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
        t.`score` AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`score` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f
UNION ALL
SELECT
  4 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v) AS place,
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t.`is_open` AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`is_open` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f
UNION ALL
SELECT
  5 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v) AS place,
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t.`ordered_on` AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`ordered_on` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f
UNION ALL
SELECT
  6 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v) AS place,
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
        ) AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
        ) IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f
UNION ALL
SELECT
  7 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v) AS place,
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        (
          CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
        ) AS v
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
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f
UNION ALL
SELECT
  8 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC, CASE WHEN CAST(f.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(f.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        CAST(TO_JSON(t.`tags`) AS CHAR) AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`tags` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  LIMIT 3
) AS f
UNION ALL
SELECT
  9 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC, CASE WHEN CAST(f.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(f.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR) AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`payload` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  LIMIT 3
) AS f
UNION ALL
SELECT
  10 AS column_number,
  ROW_NUMBER() OVER (
    ORDER BY f.current_rows DESC, CASE WHEN CAST(f.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(f.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        HEX(t.`raw`) AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`raw` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ IS NULL THEN 1 ELSE 0 END, CAST(c.v AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  LIMIT 3
) AS f
UNION ALL
SELECT
  11 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v) AS place,
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t.`order` AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`order` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f
UNION ALL
SELECT
  12 AS column_number,
  ROW_NUMBER() OVER (ORDER BY f.current_rows DESC, CASE WHEN f.v IS NULL THEN 1 ELSE 0 END, f.v) AS place,
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
      0 AS base_rows,
      COUNT(*) AS current_rows
    FROM (
      SELECT
        t.`a"b` AS v
      FROM `pr_42`.`orders` AS t
      WHERE
        NOT t.`a"b` IS NULL
    ) AS g
    GROUP BY
      1
  ) AS c
  ORDER BY
    c.current_rows DESC,
    CASE WHEN c.v IS NULL THEN 1 ELSE 0 END, c.v
  LIMIT 3
) AS f;

-- current: 2 metrics of orders
SELECT
  COUNT(*) AS row_count,
  (
    
    AVG(CASE WHEN is_open THEN 1.0 ELSE 0 END) -- a share
    
  ) AS m0,
  (
    
    MAX(amount)
    
  ) AS m1
FROM `pr_42`.`orders` AS t;

-- == quality/no_values
-- current: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`id`) AS c0_not_null_count,
  COUNT(t.`amount`) AS c1_not_null_count,
  COUNT(t.`ratio`) AS c2_not_null_count,
  COUNT(t.`score`) AS c3_not_null_count,
  COUNT(t.`note`) AS c4_not_null_count,
  MIN(CHAR_LENGTH(t.`note`)) AS c4_min_length,
  MAX(CHAR_LENGTH(t.`note`)) AS c4_max_length,
  AVG(CAST(CHAR_LENGTH(t.`note`) AS DOUBLE)) AS c4_avg_length,
  COUNT(
    CASE
      WHEN CAST(TRIM(t.`note`) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ = ''
      THEN 1
    END
  ) AS c4_blank_count,
  COUNT(t.`is_open`) AS c5_not_null_count,
  COUNT(t.`ordered_on`) AS c6_not_null_count,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS c7_not_null_count,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS c8_not_null_count,
  COUNT(t.`tags`) AS c9_not_null_count,
  MIN(ARRAY_LENGTH(t.`tags`)) AS c9_min_length,
  MAX(ARRAY_LENGTH(t.`tags`)) AS c9_max_length,
  AVG(CAST(ARRAY_LENGTH(t.`tags`) AS DOUBLE)) AS c9_avg_length,
  COUNT(t.`payload`) AS c10_not_null_count,
  COUNT(t.`raw`) AS c11_not_null_count,
  MIN(OCTET_LENGTH(t.`raw`)) AS c11_min_length,
  MAX(OCTET_LENGTH(t.`raw`)) AS c11_max_length,
  AVG(CAST(OCTET_LENGTH(t.`raw`) AS DOUBLE)) AS c11_avg_length,
  COUNT(t.`order`) AS c12_not_null_count,
  COUNT(t.`a"b`) AS c13_not_null_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t.`id`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.amount
SELECT
  COUNT(DISTINCT t.`amount`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t.`ratio`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.score
SELECT
  COUNT(DISTINCT t.`score`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.note
SELECT
  COUNT(
    DISTINCT CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.is_open
SELECT
  COUNT(DISTINCT t.`is_open`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t.`ordered_on`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.ordered_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.shipped_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.tags
SELECT
  COUNT(DISTINCT t.`tags`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.payload
SELECT
  COUNT(
    DISTINCT CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.raw
SELECT
  COUNT(DISTINCT t.`raw`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.order
SELECT
  COUNT(DISTINCT t.`order`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t.`a"b`) AS distinct_count
FROM `pr_42`.`orders` AS t;

-- current: 2 metrics of orders
SELECT
  COUNT(*) AS row_count,
  (
    
    AVG(CASE WHEN is_open THEN 1.0 ELSE 0 END) -- a share
    
  ) AS m0,
  (
    
    MAX(amount)
    
  ) AS m1
FROM `pr_42`.`orders` AS t;

-- == quality/sampled_table
-- current: rows of orders
SELECT
  COUNT(*) AS row_count
FROM `pr_42`.`orders` AS t;

-- current: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`id`) AS c0_not_null_count,
  MIN(t.`id`) AS c0_min,
  MAX(t.`id`) AS c0_max,
  AVG(CAST(t.`id` AS DOUBLE)) AS c0_avg,
  COUNT(t.`amount`) AS c1_not_null_count,
  MIN(t.`amount`) AS c1_min,
  MAX(t.`amount`) AS c1_max,
  AVG(CAST(t.`amount` AS DOUBLE)) AS c1_avg,
  COUNT(t.`ratio`) AS c2_not_null_count,
  MIN(t.`ratio`) AS c2_min,
  MAX(t.`ratio`) AS c2_max,
  AVG(CAST(t.`ratio` AS DOUBLE)) AS c2_avg,
  COUNT(t.`score`) AS c3_not_null_count,
  CAST(CAST(MIN(t.`score`) AS DOUBLE) AS CHAR) AS c3_min,
  CAST(CAST(MAX(t.`score`) AS DOUBLE) AS CHAR) AS c3_max,
  AVG(CAST(t.`score` AS DOUBLE)) AS c3_avg,
  COUNT(t.`note`) AS c4_not_null_count,
  MIN(CHAR_LENGTH(t.`note`)) AS c4_min_length,
  MAX(CHAR_LENGTH(t.`note`)) AS c4_max_length,
  AVG(CAST(CHAR_LENGTH(t.`note`) AS DOUBLE)) AS c4_avg_length,
  COUNT(
    CASE
      WHEN CAST(TRIM(t.`note`) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ = ''
      THEN 1
    END
  ) AS c4_blank_count,
  COUNT(t.`is_open`) AS c5_not_null_count,
  MIN(t.`is_open`) AS c5_min,
  MAX(t.`is_open`) AS c5_max,
  AVG(CAST(t.`is_open` AS DOUBLE)) AS c5_avg,
  COUNT(t.`ordered_on`) AS c6_not_null_count,
  CAST(MIN(t.`ordered_on`) AS CHAR) AS c6_min,
  CAST(MAX(t.`ordered_on`) AS CHAR) AS c6_max,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS c7_not_null_count,
  CAST(MIN(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS CHAR) AS c7_min,
  CAST(MAX(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS CHAR) AS c7_max,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS c8_not_null_count,
  CAST(MIN(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS CHAR) AS c8_min,
  CAST(MAX(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS CHAR) AS c8_max,
  COUNT(t.`tags`) AS c9_not_null_count,
  MIN(ARRAY_LENGTH(t.`tags`)) AS c9_min_length,
  MAX(ARRAY_LENGTH(t.`tags`)) AS c9_max_length,
  AVG(CAST(ARRAY_LENGTH(t.`tags`) AS DOUBLE)) AS c9_avg_length,
  COUNT(t.`payload`) AS c10_not_null_count,
  COUNT(t.`raw`) AS c11_not_null_count,
  MIN(OCTET_LENGTH(t.`raw`)) AS c11_min_length,
  MAX(OCTET_LENGTH(t.`raw`)) AS c11_max_length,
  AVG(CAST(OCTET_LENGTH(t.`raw`) AS DOUBLE)) AS c11_avg_length,
  COUNT(t.`order`) AS c12_not_null_count,
  MIN(t.`order`) AS c12_min,
  MAX(t.`order`) AS c12_max,
  AVG(CAST(t.`order` AS DOUBLE)) AS c12_avg,
  COUNT(t.`a"b`) AS c13_not_null_count,
  MIN(t.`a"b`) AS c13_min,
  MAX(t.`a"b`) AS c13_max,
  AVG(CAST(t.`a"b` AS DOUBLE)) AS c13_avg
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t.`id`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.amount
SELECT
  COUNT(DISTINCT t.`amount`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t.`ratio`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.score
SELECT
  COUNT(DISTINCT t.`score`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.note
SELECT
  COUNT(
    DISTINCT CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.is_open
SELECT
  COUNT(DISTINCT t.`is_open`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t.`ordered_on`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.ordered_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.shipped_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.tags
SELECT
  COUNT(DISTINCT t.`tags`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.payload
SELECT
  COUNT(
    DISTINCT CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.raw
SELECT
  COUNT(DISTINCT t.`raw`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.order
SELECT
  COUNT(DISTINCT t.`order`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t.`a"b`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(7) < 0.025
) AS t;

-- current: 2 metrics of orders
SELECT
  COUNT(*) AS row_count,
  (
    
    AVG(CASE WHEN is_open THEN 1.0 ELSE 0 END) -- a share
    
  ) AS m0,
  (
    
    MAX(amount)
    
  ) AS m1
FROM `pr_42`.`orders` AS t;

-- == quality/sampled_rows
-- current: rows of orders
SELECT
  COUNT(*) AS row_count
FROM `pr_42`.`orders` AS t;

-- current: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`id`) AS c0_not_null_count,
  MIN(t.`id`) AS c0_min,
  MAX(t.`id`) AS c0_max,
  AVG(CAST(t.`id` AS DOUBLE)) AS c0_avg,
  COUNT(t.`amount`) AS c1_not_null_count,
  MIN(t.`amount`) AS c1_min,
  MAX(t.`amount`) AS c1_max,
  AVG(CAST(t.`amount` AS DOUBLE)) AS c1_avg,
  COUNT(t.`ratio`) AS c2_not_null_count,
  MIN(t.`ratio`) AS c2_min,
  MAX(t.`ratio`) AS c2_max,
  AVG(CAST(t.`ratio` AS DOUBLE)) AS c2_avg,
  COUNT(t.`score`) AS c3_not_null_count,
  CAST(CAST(MIN(t.`score`) AS DOUBLE) AS CHAR) AS c3_min,
  CAST(CAST(MAX(t.`score`) AS DOUBLE) AS CHAR) AS c3_max,
  AVG(CAST(t.`score` AS DOUBLE)) AS c3_avg,
  COUNT(t.`note`) AS c4_not_null_count,
  MIN(CHAR_LENGTH(t.`note`)) AS c4_min_length,
  MAX(CHAR_LENGTH(t.`note`)) AS c4_max_length,
  AVG(CAST(CHAR_LENGTH(t.`note`) AS DOUBLE)) AS c4_avg_length,
  COUNT(
    CASE
      WHEN CAST(TRIM(t.`note`) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ = ''
      THEN 1
    END
  ) AS c4_blank_count,
  COUNT(t.`is_open`) AS c5_not_null_count,
  MIN(t.`is_open`) AS c5_min,
  MAX(t.`is_open`) AS c5_max,
  AVG(CAST(t.`is_open` AS DOUBLE)) AS c5_avg,
  COUNT(t.`ordered_on`) AS c6_not_null_count,
  CAST(MIN(t.`ordered_on`) AS CHAR) AS c6_min,
  CAST(MAX(t.`ordered_on`) AS CHAR) AS c6_max,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS c7_not_null_count,
  CAST(MIN(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS CHAR) AS c7_min,
  CAST(MAX(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS CHAR) AS c7_max,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS c8_not_null_count,
  CAST(MIN(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS CHAR) AS c8_min,
  CAST(MAX(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS CHAR) AS c8_max,
  COUNT(t.`tags`) AS c9_not_null_count,
  MIN(ARRAY_LENGTH(t.`tags`)) AS c9_min_length,
  MAX(ARRAY_LENGTH(t.`tags`)) AS c9_max_length,
  AVG(CAST(ARRAY_LENGTH(t.`tags`) AS DOUBLE)) AS c9_avg_length,
  COUNT(t.`payload`) AS c10_not_null_count,
  COUNT(t.`raw`) AS c11_not_null_count,
  MIN(OCTET_LENGTH(t.`raw`)) AS c11_min_length,
  MAX(OCTET_LENGTH(t.`raw`)) AS c11_max_length,
  AVG(CAST(OCTET_LENGTH(t.`raw`) AS DOUBLE)) AS c11_avg_length,
  COUNT(t.`order`) AS c12_not_null_count,
  MIN(t.`order`) AS c12_min,
  MAX(t.`order`) AS c12_max,
  AVG(CAST(t.`order` AS DOUBLE)) AS c12_avg,
  COUNT(t.`a"b`) AS c13_not_null_count,
  MIN(t.`a"b`) AS c13_min,
  MAX(t.`a"b`) AS c13_max,
  AVG(CAST(t.`a"b` AS DOUBLE)) AS c13_avg
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t.`id`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.amount
SELECT
  COUNT(DISTINCT t.`amount`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t.`ratio`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.score
SELECT
  COUNT(DISTINCT t.`score`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.note
SELECT
  COUNT(
    DISTINCT CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.is_open
SELECT
  COUNT(DISTINCT t.`is_open`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t.`ordered_on`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.ordered_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.shipped_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.tags
SELECT
  COUNT(DISTINCT t.`tags`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.payload
SELECT
  COUNT(
    DISTINCT CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.raw
SELECT
  COUNT(DISTINCT t.`raw`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.order
SELECT
  COUNT(DISTINCT t.`order`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t.`a"b`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    RAND(0) < 0.1
) AS t;

-- current: 2 metrics of orders
SELECT
  COUNT(*) AS row_count,
  (
    
    AVG(CASE WHEN is_open THEN 1.0 ELSE 0 END) -- a share
    
  ) AS m0,
  (
    
    MAX(amount)
    
  ) AS m1
FROM `pr_42`.`orders` AS t;

-- == quality/sampled_view
-- current: rows of orders
SELECT
  COUNT(*) AS row_count
FROM `pr_42`.`orders` AS t;

-- current: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`id`) AS c0_not_null_count,
  MIN(t.`id`) AS c0_min,
  MAX(t.`id`) AS c0_max,
  AVG(CAST(t.`id` AS DOUBLE)) AS c0_avg,
  COUNT(t.`amount`) AS c1_not_null_count,
  MIN(t.`amount`) AS c1_min,
  MAX(t.`amount`) AS c1_max,
  AVG(CAST(t.`amount` AS DOUBLE)) AS c1_avg,
  COUNT(t.`ratio`) AS c2_not_null_count,
  MIN(t.`ratio`) AS c2_min,
  MAX(t.`ratio`) AS c2_max,
  AVG(CAST(t.`ratio` AS DOUBLE)) AS c2_avg,
  COUNT(t.`score`) AS c3_not_null_count,
  CAST(CAST(MIN(t.`score`) AS DOUBLE) AS CHAR) AS c3_min,
  CAST(CAST(MAX(t.`score`) AS DOUBLE) AS CHAR) AS c3_max,
  AVG(CAST(t.`score` AS DOUBLE)) AS c3_avg,
  COUNT(t.`note`) AS c4_not_null_count,
  MIN(CHAR_LENGTH(t.`note`)) AS c4_min_length,
  MAX(CHAR_LENGTH(t.`note`)) AS c4_max_length,
  AVG(CAST(CHAR_LENGTH(t.`note`) AS DOUBLE)) AS c4_avg_length,
  COUNT(
    CASE
      WHEN CAST(TRIM(t.`note`) AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ = ''
      THEN 1
    END
  ) AS c4_blank_count,
  COUNT(t.`is_open`) AS c5_not_null_count,
  MIN(t.`is_open`) AS c5_min,
  MAX(t.`is_open`) AS c5_max,
  AVG(CAST(t.`is_open` AS DOUBLE)) AS c5_avg,
  COUNT(t.`ordered_on`) AS c6_not_null_count,
  CAST(MIN(t.`ordered_on`) AS CHAR) AS c6_min,
  CAST(MAX(t.`ordered_on`) AS CHAR) AS c6_max,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS c7_not_null_count,
  CAST(MIN(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS CHAR) AS c7_min,
  CAST(MAX(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS CHAR) AS c7_max,
  COUNT(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS c8_not_null_count,
  CAST(MIN(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS CHAR) AS c8_min,
  CAST(MAX(
    (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS CHAR) AS c8_max,
  COUNT(t.`tags`) AS c9_not_null_count,
  MIN(ARRAY_LENGTH(t.`tags`)) AS c9_min_length,
  MAX(ARRAY_LENGTH(t.`tags`)) AS c9_max_length,
  AVG(CAST(ARRAY_LENGTH(t.`tags`) AS DOUBLE)) AS c9_avg_length,
  COUNT(t.`payload`) AS c10_not_null_count,
  COUNT(t.`raw`) AS c11_not_null_count,
  MIN(OCTET_LENGTH(t.`raw`)) AS c11_min_length,
  MAX(OCTET_LENGTH(t.`raw`)) AS c11_max_length,
  AVG(CAST(OCTET_LENGTH(t.`raw`) AS DOUBLE)) AS c11_avg_length,
  COUNT(t.`order`) AS c12_not_null_count,
  MIN(t.`order`) AS c12_min,
  MAX(t.`order`) AS c12_max,
  AVG(CAST(t.`order` AS DOUBLE)) AS c12_avg,
  COUNT(t.`a"b`) AS c13_not_null_count,
  MIN(t.`a"b`) AS c13_min,
  MAX(t.`a"b`) AS c13_max,
  AVG(CAST(t.`a"b` AS DOUBLE)) AS c13_avg
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t.`id`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.amount
SELECT
  COUNT(DISTINCT t.`amount`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t.`ratio`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.score
SELECT
  COUNT(DISTINCT t.`score`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.note
SELECT
  COUNT(
    DISTINCT CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.is_open
SELECT
  COUNT(DISTINCT t.`is_open`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t.`ordered_on`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.ordered_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
    )
  ) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.shipped_at
SELECT
  COUNT(
    DISTINCT (
      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
    )
  ) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.tags
SELECT
  COUNT(DISTINCT t.`tags`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.payload
SELECT
  COUNT(
    DISTINCT CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */
  ) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.raw
SELECT
  COUNT(DISTINCT t.`raw`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.order
SELECT
  COUNT(DISTINCT t.`order`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t.`a"b`) AS distinct_count
FROM (
  SELECT
    *
  FROM `pr_42`.`orders` AS t
  WHERE
    ABS(
      CAST(CONV(
        SUBSTRING(
          MD5(
            CONCAT(
              COALESCE(CONCAT(OCTET_LENGTH(CAST(7 AS CHAR)), ':', CAST(7 AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`id` AS CHAR)), ':', CAST(t.`id` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`amount` AS CHAR)), ':', CAST(t.`amount` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`ratio` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)),
                  ':',
                  CAST((
                    CAST(t.`score` AS DOUBLE) + 0.0e0
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`note` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`is_open` AS CHAR)), ':', CAST(t.`is_open` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(t.`ordered_on` AS CHAR)), ':', CAST(t.`ordered_on` AS CHAR)),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`ordered_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST((
                      CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                    ) AS CHAR)
                  ),
                  ':',
                  CAST((
                    CAST('1970-01-01' AS DATETIME) + INTERVAL (UNIX_TIMESTAMP(t.`shipped_at`)) SECOND
                  ) AS CHAR)
                ),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`tags` AS CHAR)), ':', CAST(t.`tags` AS CHAR)), '~'),
              COALESCE(
                CONCAT(
                  OCTET_LENGTH(
                    CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                  ),
                  ':',
                  CAST(CAST(t.`payload` AS CHAR) COLLATE /*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ AS CHAR)
                ),
                '~'
              ),
              COALESCE(
                CONCAT(OCTET_LENGTH(CAST(HEX(t.`raw`) AS CHAR)), ':', CAST(HEX(t.`raw`) AS CHAR)),
                '~'
              ),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`order` AS CHAR)), ':', CAST(t.`order` AS CHAR)), '~'),
              COALESCE(CONCAT(OCTET_LENGTH(CAST(t.`a"b` AS CHAR)), ':', CAST(t.`a"b` AS CHAR)), '~')
            )
          ),
          1,
          15
        ),
        16,
        10
      ) AS SIGNED) % 1000000
    ) < 100
) AS t;

-- current: 2 metrics of orders
SELECT
  COUNT(*) AS row_count,
  (
    
    AVG(CASE WHEN is_open THEN 1.0 ELSE 0 END) -- a share
    
  ) AS m0,
  (
    
    MAX(amount)
    
  ) AS m1
FROM `pr_42`.`orders` AS t;
