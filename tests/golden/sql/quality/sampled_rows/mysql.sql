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
  COUNT(CASE WHEN CAST(TRIM(t.`note`) AS CHAR) = '' THEN 1 END) AS c4_blank_count,
  COUNT(t.`is_open`) AS c5_not_null_count,
  COUNT(CASE WHEN t.`is_open` THEN 1 END) AS c5_true_count,
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
  COUNT(DISTINCT CAST(t.`note` AS CHAR)) AS distinct_count
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
  COUNT(DISTINCT CAST(t.`payload` AS CHAR)) AS distinct_count
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
