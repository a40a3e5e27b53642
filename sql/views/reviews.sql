-- One row per mark of a reviewer on a node or check, in the version that was reviewed, unless the reviewer withdrew it
-- later. Key: review_id. A mark says nothing about a node or check with another fingerprint.
CREATE OR REPLACE VIEW reviews AS
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
      PARTITION BY project_name, unique_id, check_name, fingerprint, reviewer, status, comment
      ORDER BY reviewed_at DESC, review_id DESC
    ) AS place,
    MAX(CASE WHEN status = 'withdrawn' THEN reviewed_at END) OVER (
      PARTITION BY project_name, unique_id, check_name, fingerprint, reviewer
    ) AS withdrawn_at
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
LEFT JOIN store_runs AS runs ON runs.run_id = marks.current_run_id
WHERE marks.place = 1 AND (marks.withdrawn_at IS NULL OR marks.reviewed_at > marks.withdrawn_at);
