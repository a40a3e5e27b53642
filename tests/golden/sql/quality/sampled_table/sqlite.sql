-- current: rows of orders
SELECT
  COUNT(*) AS row_count
FROM "pr_42"."orders" AS t;

-- current: profile of 14 columns of orders
SELECT
  COUNT(*) AS row_count,
  COUNT(t."id") AS c0_not_null_count,
  MIN(t."id") AS c0_min,
  MAX(t."id") AS c0_max,
  AVG(t."id") AS c0_avg,
  recce_median(CAST(t."id" AS REAL)) AS c0_median,
  COUNT(t."amount") AS c1_not_null_count,
  MIN(t."amount") AS c1_min,
  MAX(t."amount") AS c1_max,
  AVG(t."amount") AS c1_avg,
  recce_median(CAST(t."amount" AS REAL)) AS c1_median,
  COUNT(t."ratio") AS c2_not_null_count,
  MIN(t."ratio") AS c2_min,
  MAX(t."ratio") AS c2_max,
  AVG(t."ratio") AS c2_avg,
  recce_median(t."ratio") AS c2_median,
  COUNT(t."score") AS c3_not_null_count,
  MIN(t."score") AS c3_min,
  MAX(t."score") AS c3_max,
  AVG(t."score") AS c3_avg,
  recce_median(t."score") AS c3_median,
  COUNT(t."note") AS c4_not_null_count,
  MIN(LENGTH(t."note")) AS c4_min_length,
  MAX(LENGTH(t."note")) AS c4_max_length,
  AVG(LENGTH(t."note")) AS c4_avg_length,
  COUNT(CASE WHEN TRIM(t."note") COLLATE BINARY = '' THEN 1 END) AS c4_blank_count,
  COUNT(t."is_open") AS c5_not_null_count,
  COUNT(CASE WHEN t."is_open" THEN 1 END) AS c5_true_count,
  COUNT(t."ordered_on") AS c6_not_null_count,
  REPLACE(CAST(MIN(t."ordered_on") AS TEXT), 'T', ' ') AS c6_min,
  REPLACE(CAST(MAX(t."ordered_on") AS TEXT), 'T', ' ') AS c6_max,
  COUNT(t."ordered_at") AS c7_not_null_count,
  REPLACE(CAST(MIN(t."ordered_at") AS TEXT), 'T', ' ') AS c7_min,
  REPLACE(CAST(MAX(t."ordered_at") AS TEXT), 'T', ' ') AS c7_max,
  COUNT(t."shipped_at") AS c8_not_null_count,
  REPLACE(CAST(MIN(t."shipped_at") AS TEXT), 'T', ' ') AS c8_min,
  REPLACE(CAST(MAX(t."shipped_at") AS TEXT), 'T', ' ') AS c8_max,
  COUNT(t."tags") AS c9_not_null_count,
  MIN(t."tags" COLLATE BINARY) AS c9_min,
  MAX(t."tags" COLLATE BINARY) AS c9_max,
  MIN(LENGTH(t."tags")) AS c9_min_length,
  MAX(LENGTH(t."tags")) AS c9_max_length,
  AVG(LENGTH(t."tags")) AS c9_avg_length,
  COUNT(CASE WHEN TRIM(t."tags") COLLATE BINARY = '' THEN 1 END) AS c9_blank_count,
  COUNT(t."payload") AS c10_not_null_count,
  COUNT(t."raw") AS c11_not_null_count,
  MIN(LENGTH(t."raw")) AS c11_min_length,
  MAX(LENGTH(t."raw")) AS c11_max_length,
  AVG(LENGTH(t."raw")) AS c11_avg_length,
  COUNT(t."order") AS c12_not_null_count,
  MIN(t."order") AS c12_min,
  MAX(t."order") AS c12_max,
  AVG(t."order") AS c12_avg,
  recce_median(CAST(t."order" AS REAL)) AS c12_median,
  COUNT(t."a""b") AS c13_not_null_count,
  MIN(t."a""b") AS c13_min,
  MAX(t."a""b") AS c13_max,
  AVG(t."a""b") AS c13_avg,
  recce_median(CAST(t."a""b" AS REAL)) AS c13_median
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.id
SELECT
  COUNT(DISTINCT t."id") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.amount
SELECT
  COUNT(DISTINCT t."amount") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.ratio
SELECT
  COUNT(DISTINCT t."ratio") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.score
SELECT
  COUNT(DISTINCT t."score") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.note
SELECT
  COUNT(DISTINCT t."note" COLLATE BINARY) AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.ordered_on
SELECT
  COUNT(DISTINCT t."ordered_on" COLLATE BINARY) AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.ordered_at
SELECT
  COUNT(DISTINCT t."ordered_at" COLLATE BINARY) AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.shipped_at
SELECT
  COUNT(DISTINCT t."shipped_at" COLLATE BINARY) AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.tags
SELECT
  COUNT(DISTINCT t."tags" COLLATE BINARY) AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.payload
SELECT
  COUNT(DISTINCT CAST(t."payload" AS TEXT) COLLATE BINARY) AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.raw
SELECT
  COUNT(DISTINCT t."raw" COLLATE BINARY) AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.order
SELECT
  COUNT(DISTINCT t."order") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
) AS t;

-- current: distinct count of orders.a"b
SELECT
  COUNT(DISTINCT t."a""b") AS distinct_count
FROM (
  SELECT
    *
  FROM "pr_42"."orders" AS t
  WHERE
    ABS(recce_hash(7, t.rowid) % 1000000) < 25000
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
FROM "pr_42"."orders" AS t;
