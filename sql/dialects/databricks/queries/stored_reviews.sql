-- Marks in a newline-separated list that are already stored.
SELECT
  review_id
FROM recce_metadata.store_reviews
WHERE
  review_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  );
