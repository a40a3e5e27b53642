-- Four rows per scan with a previous scan of the same scope, project and environment: the number of schemas, tables,
-- views and columns that were added, removed, modified and unchanged since.
-- Key: run_id, object_type. `object_type` is 'schema', 'table' (including external tables), 'view' (including
-- materialized views) or 'column'.
-- A table that became a view is a modified view. A table is modified if its columns, constraints, indexes, owner,
-- comment or options differ. A view is modified if one of these or its SQL differs.
-- Columns of added and removed relations count as added and removed. A column with only a changed position is
-- unchanged.
CREATE OR REPLACE VIEW recce_metadata.schema_diff_summary AS
WITH steps AS (
  SELECT
    run_id,
    previous_run_id,
    project_name,
    environment,
    run_at,
    graph_id
  FROM recce_metadata.run_steps
  WHERE
    extractor = 'database'
), present AS (
  SELECT
    steps.run_id,
    CASE
      WHEN node.resource_type = 'schema'
      THEN 'schema'
      WHEN node.resource_type IN ('view', 'materialized_view')
      THEN 'view'
      ELSE 'table'
    END AS object_type,
    COUNT(*) AS there
  FROM steps
  JOIN recce_metadata.store_graph_nodes AS place
    ON place.graph_id = steps.graph_id
  JOIN recce_metadata.store_node_versions AS node
    ON node.version_id = place.version_id
  GROUP BY
    steps.run_id,
    CASE
      WHEN node.resource_type = 'schema'
      THEN 'schema'
      WHEN node.resource_type IN ('view', 'materialized_view')
      THEN 'view'
      ELSE 'table'
    END
  UNION ALL
  SELECT
    steps.run_id,
    'column' AS object_type,
    COUNT(*) AS there
  FROM steps
  JOIN recce_metadata.node_columns AS item
    ON item.run_id = steps.run_id
  GROUP BY
    steps.run_id
), changes AS (
  SELECT
    change.run_id,
    CASE
      WHEN change.resource_type = 'schema'
      THEN 'schema'
      WHEN change.resource_type IN ('view', 'materialized_view')
      THEN 'view'
      ELSE 'table'
    END AS object_type,
    change.status
  FROM steps
  JOIN recce_metadata.node_changes AS change
    ON change.run_id = steps.run_id
  UNION ALL
  SELECT
    change.run_id,
    'column' AS object_type,
    CASE
      WHEN change.status IN ('retyped', 'altered')
      THEN 'modified'
      WHEN change.status = 'reordered'
      THEN 'moved'
      ELSE change.status
    END AS status
  FROM steps
  JOIN recce_metadata.column_changes AS change
    ON change.run_id = steps.run_id
), counted AS (
  SELECT
    run_id,
    object_type,
    COUNT(CASE WHEN status = 'added' THEN 1 END) AS added,
    COUNT(CASE WHEN status = 'removed' THEN 1 END) AS removed,
    COUNT(CASE WHEN status = 'modified' THEN 1 END) AS modified
  FROM changes
  GROUP BY
    run_id,
    object_type
)
SELECT
  steps.run_id,
  steps.previous_run_id,
  steps.project_name,
  steps.environment,
  steps.run_at,
  object.object_type,
  COALESCE(counted.added, 0) AS added,
  COALESCE(counted.removed, 0) AS removed,
  COALESCE(counted.modified, 0) AS modified,
  COALESCE(present.there, 0) - COALESCE(counted.added, 0) - COALESCE(counted.modified, 0) AS unchanged
FROM steps
CROSS JOIN (
  SELECT
    'schema' AS object_type
  UNION ALL
  SELECT
    'table' AS object_type
  UNION ALL
  SELECT
    'view' AS object_type
  UNION ALL
  SELECT
    'column' AS object_type
) AS object
LEFT JOIN present
  ON present.run_id = steps.run_id AND present.object_type = object.object_type
LEFT JOIN counted
  ON counted.run_id = steps.run_id AND counted.object_type = object.object_type;
