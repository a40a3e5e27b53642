-- Marks of reviewers, newest first; NULL disables a filter.
SELECT
  review.review_id,
  review.reviewed_at,
  review.project_name,
  review.base_run_id,
  review.current_run_id,
  review.unique_id,
  review.check_name,
  review.status,
  review.comment,
  review.reviewer,
  review.fingerprint,
  review.recorder_version
FROM store_reviews AS review
WHERE
  (CAST(:run_id AS TEXT) IS NULL OR review.current_run_id = CAST(:run_id AS TEXT))
  AND (CAST(:project AS TEXT) IS NULL OR review.project_name = CAST(:project AS TEXT))
  AND (CAST(:unique_id AS TEXT) IS NULL OR review.unique_id = CAST(:unique_id AS TEXT))
  AND (CAST(:check_name AS TEXT) IS NULL OR review.check_name = CAST(:check_name AS TEXT))
ORDER BY review.reviewed_at DESC, review.review_id DESC
LIMIT CAST(:most AS BIGINT);
