-- The whole result of a kept data diff.
SELECT
  TO_JSON_STRING(result) AS result
FROM recce_metadata.data_diffs
WHERE
  diff_id = :diff_id;
