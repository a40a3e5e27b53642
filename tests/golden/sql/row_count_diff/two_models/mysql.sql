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
