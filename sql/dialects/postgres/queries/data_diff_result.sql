-- Complete result of a saved data diff.
SELECT
  CAST(result AS TEXT) AS result
FROM recce_metadata.store_data_diffs
WHERE
  diff_id = :diff_id;
