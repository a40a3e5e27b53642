-- Marks in a newline-separated list that are already stored.
SELECT
  review_id
FROM store_reviews
WHERE
  review_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
