-- Marks in a newline-separated list that are already stored.
SELECT
  review_id
FROM recce_metadata.store_reviews
WHERE
  review_id IN UNNEST(SPLIT(:ids, CHR(10)));
