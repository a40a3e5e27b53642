-- hand-written: LATERAL, so a join with some runs reads only the nodes of these runs
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
  step.parent_id,
  step.status,
  change.status AS node_status
FROM recce_metadata.node_changes AS change
CROSS JOIN LATERAL (
  SELECT
    edge.parent_id,
    CASE WHEN BOOL_OR(edge.version_id = change.version_id) THEN 'added' ELSE 'removed' END AS status
  FROM recce_metadata.store_version_parents AS edge
  WHERE
    edge.version_id IN (change.version_id, change.previous_version_id)
    AND change.version_id IS DISTINCT FROM change.previous_version_id
  GROUP BY edge.parent_id
  HAVING COUNT(*) = 1
) AS step;
