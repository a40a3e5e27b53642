-- One row per run and node that differs from the run before it in the same project and environment.
-- Key: run_id, unique_id. `status` is 'added', 'removed', 'modified' (another content) or 'moved' (the
-- same content, in another database or schema or under another name). Of a modified node, the columns
-- that end in `_changed` say what differs, white space in code aside; they are NULL where it was added
-- or removed, and `columns_changed` also where one of the two runs came without the catalog.
CREATE OR REPLACE VIEW recce_metadata.node_changes AS
WITH sides AS (
  /* Each side, but for the parts of its graph that the other side has too: nothing differs in those. */
  SELECT
    step.run_id,
    step.previous_run_id,
    step.project_name,
    step.environment,
    step.run_at,
    side.is_current,
    place.*
  FROM recce_metadata.run_steps AS step
  CROSS JOIN (VALUES
    (TRUE),
    (FALSE)) AS side(is_current)
  JOIN recce_metadata.graph_parts AS part
    ON part.graph_id = CASE WHEN side.is_current THEN step.graph_id ELSE step.previous_graph_id END
  JOIN recce_metadata.part_nodes AS place
    ON place.part_id = part.part_id
  WHERE
    NOT EXISTS(
      SELECT
        1
      FROM recce_metadata.graph_parts AS shared
      WHERE
        shared.graph_id = CASE WHEN side.is_current THEN step.previous_graph_id ELSE step.graph_id END
        AND shared.part_id = part.part_id
    )
), pairs AS (
  SELECT
    run_id,
    previous_run_id,
    project_name,
    environment,
    run_at,
    unique_id,
    MAX(CASE WHEN is_current THEN version_id END) AS version_id,
    MAX(CASE WHEN NOT is_current THEN version_id END) AS previous_version_id,
    MAX(CASE WHEN is_current THEN relation_name END) AS relation_name,
    MAX(CASE WHEN NOT is_current THEN relation_name END) AS previous_relation_name,
    (
      MAX(CASE WHEN is_current THEN database_name END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN database_name END)
      OR MAX(CASE WHEN is_current THEN schema_name END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN schema_name END)
      OR MAX(CASE WHEN is_current THEN identifier END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN identifier END)
      OR MAX(CASE WHEN is_current THEN relation_name END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN relation_name END)
    ) AS place_differs
  FROM sides
  GROUP BY
    run_id,
    previous_run_id,
    project_name,
    environment,
    run_at,
    unique_id
)
SELECT
  pairs.run_id,
  pairs.previous_run_id,
  pairs.project_name,
  pairs.environment,
  pairs.run_at,
  pairs.unique_id,
  COALESCE(node.name, previous.name) AS name,
  COALESCE(node.resource_type, previous.resource_type) AS resource_type,
  CASE
    WHEN pairs.previous_version_id IS NULL
    THEN 'added'
    WHEN pairs.version_id IS NULL
    THEN 'removed'
    WHEN pairs.version_id <> pairs.previous_version_id
    THEN 'modified'
    ELSE 'moved'
  END AS status,
  CASE WHEN both_there THEN node.code_hash IS DISTINCT FROM previous.code_hash END AS code_changed,
  CASE
    WHEN both_there
    THEN node.compiled_hash IS DISTINCT FROM previous.compiled_hash
  END AS compiled_changed,
  CASE
    WHEN both_there
    THEN CAST(node.config AS TEXT) IS DISTINCT FROM CAST(previous.config AS TEXT)
  END AS config_changed,
  CASE
    WHEN both_there AND node.columns_from IS NOT DISTINCT FROM previous.columns_from
    THEN CAST(node.columns AS TEXT) IS DISTINCT FROM CAST(previous.columns AS TEXT)
  END AS columns_changed,
  CASE
    WHEN both_there
    THEN node.description IS DISTINCT FROM previous.description
  END AS description_changed,
  CASE
    WHEN both_there
    THEN CAST(node.contract AS TEXT) IS DISTINCT FROM CAST(previous.contract AS TEXT)
  END AS contract_changed,
  CASE WHEN both_there THEN pairs.place_differs END AS place_changed,
  pairs.version_id,
  pairs.previous_version_id,
  pairs.relation_name,
  pairs.previous_relation_name
FROM (
  SELECT
    pairs.*,
    version_id IS NOT NULL AND previous_version_id IS NOT NULL AS both_there
  FROM pairs
  WHERE
    version_id IS DISTINCT FROM previous_version_id OR place_differs
) AS pairs
LEFT JOIN recce_metadata.node_versions AS node
  ON node.version_id = pairs.version_id
LEFT JOIN recce_metadata.node_versions AS previous
  ON previous.version_id = pairs.previous_version_id
WHERE
  COALESCE(node.resource_type, previous.resource_type) <> 'group';
