-- Marks in a newline-separated list that are already stored.
SELECT
  review_id
FROM recce_metadata.store_reviews
WHERE
  review_id IN (
    SELECT
      wanted.review_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS wanted(review_id)
  );
