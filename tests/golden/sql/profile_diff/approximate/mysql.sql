-- base: profile of 2 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t.`amount`) AS c0_not_null_count,
  MIN(t.`amount`) AS c0_min,
  MAX(t.`amount`) AS c0_max,
  AVG(CAST(t.`amount` AS DOUBLE)) AS c0_avg,
  COUNT(t.`note`) AS c1_not_null_count,
  MIN(CAST(t.`note` AS CHAR)) AS c1_min,
  MAX(CAST(t.`note` AS CHAR)) AS c1_max,
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
  COUNT(DISTINCT CAST(t.`note` AS CHAR)) AS distinct_count
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
  MIN(CAST(t.`note` AS CHAR)) AS c1_min,
  MAX(CAST(t.`note` AS CHAR)) AS c1_max,
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
  COUNT(DISTINCT CAST(t.`note` AS CHAR)) AS distinct_count
FROM `pr_42`.`orders` AS t
WHERE
  (
    
    id > 10
    
  );
