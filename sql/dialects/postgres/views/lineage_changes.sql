-- One row per run and edge that the run before it lacks ('added'), or that only that run has ('removed').
-- Key: run_id, node_id, parent_id. Edges belong to the version of their child, so that only nodes whose
-- version changed are looked at.
CREATE OR REPLACE VIEW recce_metadata.lineage_changes AS
SELECT
  change.run_id,
  change.previous_run_id,
  change.project_name,
  change.environment,
  change.run_at,
  edge.parent_id,
  change.unique_id AS node_id,
  'added' AS status,
  change.status AS node_status
FROM recce_metadata.node_changes AS change
JOIN recce_metadata.version_parents AS edge
  ON edge.version_id = change.version_id
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.version_parents AS same
    WHERE
      same.version_id = change.previous_version_id AND same.parent_id = edge.parent_id
  )
UNION ALL
SELECT
  change.run_id,
  change.previous_run_id,
  change.project_name,
  change.environment,
  change.run_at,
  edge.parent_id,
  change.unique_id AS node_id,
  'removed' AS status,
  change.status AS node_status
FROM recce_metadata.node_changes AS change
JOIN recce_metadata.version_parents AS edge
  ON edge.version_id = change.previous_version_id
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.version_parents AS same
    WHERE
      same.version_id = change.version_id AND same.parent_id = edge.parent_id
  );
