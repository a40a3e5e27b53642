-- The whole result of a kept data diff.
SELECT
  result AS result
FROM recce_metadata.data_diffs
WHERE
  diff_id = :diff_id;
