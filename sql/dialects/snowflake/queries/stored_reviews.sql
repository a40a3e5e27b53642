-- Marks in a newline-separated list that are already stored.
SELECT
  review_id
FROM recce_metadata.store_reviews
WHERE
  review_id IN (
    SELECT
      CAST(line.value AS VARCHAR)
    FROM TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line
  );
