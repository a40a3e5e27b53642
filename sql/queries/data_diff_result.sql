-- The whole result of a kept data diff.
SELECT CAST(result AS TEXT) AS result FROM data_diffs WHERE diff_id = :diff_id;
