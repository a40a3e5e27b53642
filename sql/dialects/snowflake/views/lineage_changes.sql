-- One row per run and edge that differs from the previous run: 'added' if only this run has it, 'removed' if only the
-- previous run has it. Key: run_id, node_id, parent_id.
-- Edges belong to the version of their child: only nodes with a changed version are compared; `node_status` is the
-- child's status.
CREATE OR REPLACE VIEW recce_metadata.lineage_changes AS
SELECT
  change.run_id,
  change.previous_run_id,
  change.project_name,
  change.environment,
  change.run_at,
  change.unique_id AS node_id,
  edge.parent_id,
  CASE
    WHEN MAX(CASE WHEN side.is_current THEN 1 ELSE 0 END) = 1
    THEN 'added'
    ELSE 'removed'
  END AS status,
  change.status AS node_status
FROM recce_metadata.node_changes AS change
CROSS JOIN (VALUES
  (TRUE),
  (FALSE)) AS side(is_current)
JOIN recce_metadata.store_version_parents AS edge
  ON edge.version_id = CASE WHEN side.is_current THEN change.version_id ELSE change.previous_version_id END
GROUP BY
  change.run_id,
  change.previous_run_id,
  change.project_name,
  change.environment,
  change.run_at,
  change.unique_id,
  edge.parent_id,
  change.status
HAVING
  COUNT(*) = 1;
