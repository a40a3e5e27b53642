-- One row per reviewer and reviewed node or check, in the version that was reviewed: the last mark, unless it was
-- withdrawn. Key: review_id. A mark says nothing about a node or check with another fingerprint.
DROP VIEW IF EXISTS reviews;
CREATE VIEW reviews AS
WITH marks AS (
  SELECT
    review_id,
    reviewed_at,
    project_name,
    base_run_id,
    current_run_id,
    unique_id,
    check_name,
    status,
    comment,
    reviewer,
    fingerprint,
    ROW_NUMBER() OVER (
      PARTITION BY project_name, unique_id, check_name, fingerprint, reviewer
      ORDER BY reviewed_at DESC, review_id DESC
    ) AS place
  FROM store_reviews
)
SELECT
  marks.review_id,
  marks.reviewed_at,
  marks.project_name,
  runs.environment,
  runs.branch,
  runs.pull_request,
  runs.git_sha,
  marks.base_run_id,
  marks.current_run_id,
  marks.unique_id,
  marks.check_name,
  marks.status,
  marks.comment,
  marks.reviewer,
  marks.fingerprint
FROM marks
LEFT JOIN store_runs AS runs
  ON runs.run_id = marks.current_run_id
WHERE
  marks.place = 1 AND marks.status <> 'withdrawn';
